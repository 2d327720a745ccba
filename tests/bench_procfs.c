/* bench_procfs.c - what it costs to read a process, and to take the secrets out of its command line.
 *
 * The process is one that lives (all that is read is in the kernel's caches); a program that has just begun costs about twice as much.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/procfs.h"
#include "recorder/redact.h"
#include "tests/clocks.h"

enum { READS = 20000, ROUNDS = 5 };

/* Of this thread, so that others on the machine count less. */
static uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static double best_us(struct procfs *procfs)
{
	struct procfs_task task;
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t from_ns = cpu_ns();
		double us;

		for (int i = 0; i < READS; i++)
			procfs_read_process(procfs, (uint32_t)getpid(), &task);
		us = (double)(cpu_ns() - from_ns) / 1e3 / READS;
		best = us < best ? us : best;
	}
	return best;
}

static void measure_reads(const struct redactor *redactor, const char *what)
{
	struct procfs *procfs;
	struct procfs_setup setup = { .path = "/proc",
				      .argv_max_bytes = PROCFS_ARGV_DEFAULT_BYTES,
				      .redactor = redactor };

	if (procfs_open(&setup, &procfs) < 0)
		abort();
	printf("%-44s %6.2f us\n", what, best_us(procfs));
	procfs_close(procfs);
}

static void measure_line(const struct redactor *redactor, const char *what, const char *line)
{
	uint8_t argv[8192], out[8192];
	size_t bytes = strlen(line) + 1;
	double best = 1e9;
	bool cut;

	memcpy(argv, line, bytes);
	for (size_t i = 0; i < bytes; i++)
		argv[i] = argv[i] == '\t' ? '\0' : argv[i];
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t from_ns = cpu_ns();
		double us;

		for (int i = 0; i < READS; i++) {
			size_t out_bytes;

			(void)redact_argv(redactor, &(struct redact_text){ argv, bytes, false },
					  out, sizeof(out), &out_bytes, &cut);
		}
		us = (double)(cpu_ns() - from_ns) / 1e3 / READS;
		best = us < best ? us : best;
	}
	printf("%-44s %6.2f us (%zu bytes)\n", what, best, bytes);
}

int main(void)
{
	static const uint8_t key[REDACT_KEY_BYTES];
	struct redactor *redactor;
	char message[REDACT_MESSAGE_BYTES];

	if (redactor_new(key, "", 0, &redactor, message) < 0)
		return 1;
	measure_reads(NULL, "read a process");
	measure_reads(redactor, "read a process, redacting");
	measure_line(redactor, "redact /bin/true", "/bin/true");
	measure_line(
		redactor, "redact a compiler's command line",
		"gcc\t-std=gnu11\t-D_GNU_SOURCE\t-I.\t-Ibuild/plain\t-Wall\t-Wextra\t-Wconversion\t"
		"-fstack-protector-strong\t-U_FORTIFY_SOURCE\t-D_FORTIFY_SOURCE=2\t-pthread\t-O2\t-"
		"g\t-MMD\t"
		"-MP\t-c\t-o\tbuild/plain/recorder/procfs.o\trecorder/procfs.c");
	measure_line(
		redactor, "redact a shell's, with two secrets",
		"sh\t-c\tmysqldump -uroot -phunter2 shop | curl -u me:secret -T - https://host/x");
	redactor_free(redactor);
	return 0;
}
