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

/* --- what others may make of a command line --- */

/* clang-format off */
static const char *const units[] = {
	"://", "?token=", ",password=", "eyJ-", "a:b@", "://a:b", "://a:b@", "://a:b/c", "Authorization: ",
	"Authorization:", "key=", "?key=", ",key=", "key=.", "cookie=", "token=$", "token=*", "pw=x,", ",pw=x",
	"-----BEGIN PRIVATE KEY", "-----BEGIN ", "bearer ", "bearer a", "sk-", "SG.", "gh", "xoxb-",
	"AGE-SECRET-KEY-1", "eyJ.", "eyJaaaaa.a-", "hooks.slack.com/services/", "-", "--", "-a", "-c", "-p",
	"-u", "-H", "-x1", "--token ", "--token x", "--password", "a", "g", "a=", "=", "'", "\"", "\\", "\\\"",
	"\"a\":", "\"token\":", "{\"token\":\"a\",", "\"tokens\":[", "password='", "password=\"", "(x", ";",
	"`", "$", "sh -c '", "sudo ", "mysql -p", "-px", "curl -u a:b ", "-fsSLu", "-ssssss", "exp a/b@c ", "\n",
	"aB", "/", "[redacted ",
};
/* clang-format on */
static const char *const programs[] = { "app", "curl", "docker", "mysql", "sqlplus", "sh" };
static const char *const leads[] = { "", " ", "'", "x=" };

struct worst {
	double us;
	const char *program, *lead, *one, *two;
};

/* A command line of such pieces up to its end; between: what stands between two of them, or -1. */
static void hostile_make(uint8_t *argv, size_t bytes, const struct worst *of, int between)
{
	const char *head = strcmp(of->program, "sh") == 0 ? "-c" : "x";
	size_t at = (size_t)snprintf((char *)argv, bytes, "%s%c%s%c%s", of->program, 0, head, 0,
				     of->lead);

	while (at < bytes) {
		for (const char *c = of->one; *c && at < bytes; c++)
			argv[at++] = (uint8_t)*c;
		for (const char *c = of->two; *c && at < bytes; c++)
			argv[at++] = (uint8_t)*c;
		if (between >= 0 && at < bytes)
			argv[at++] = (uint8_t)between;
	}
}

static double hostile_us(const struct redactor *redactor, const uint8_t *argv, size_t bytes,
			 int rounds)
{
	static uint8_t out[REDACT_ARGV_MAX_BYTES];
	double best = 1e9;

	for (int round = 0; round < rounds; round++) {
		uint64_t from_ns = cpu_ns();
		size_t out_bytes;
		bool cut;
		double us;

		(void)redact_argv(redactor, &(struct redact_text){ argv, bytes, true }, out, bytes,
				  &out_bytes, &cut);
		us = (double)(cpu_ns() - from_ns) / 1e3;
		best = us < best ? us : best;
	}
	return best;
}

static void hostile_try(const struct redactor *redactor, size_t bytes, struct worst try,
			struct worst *worst)
{
	static uint8_t argv[REDACT_ARGV_MAX_BYTES];

	for (int between = 0; between < 3; between++) {
		hostile_make(argv, bytes, &try, between == 0 ? -1 : between == 1 ? 0 : ' ');
		try.us = hostile_us(redactor, argv, bytes, 2);
		if (try.us > worst->us) /* or it was something else that took the time */
			try.us = hostile_us(redactor, argv, bytes, 20);
		if (try.us > worst->us)
			*worst = try;
	}
}

/* The dearest of all command lines of one such piece over and over, or of two. */
static void measure_worst(const struct redactor *redactor, const char *what, size_t bytes)
{
	const size_t unit_count = sizeof(units) / sizeof(units[0]);
	struct worst worst = { .one = "", .two = "" };

	for (size_t i = 0; i < unit_count; i++)
		for (size_t p = 0; p < sizeof(programs) / sizeof(programs[0]); p++)
			for (size_t l = 0; l < sizeof(leads) / sizeof(leads[0]); l++)
				hostile_try(
					redactor, bytes,
					(struct worst){ 0, programs[p], leads[l], units[i], "" },
					&worst);
	for (size_t i = 0; i < unit_count; i++)
		for (size_t j = 0; j < unit_count; j++)
			hostile_try(redactor, bytes,
				    (struct worst){ 0, "curl", " ", units[i], units[j] }, &worst);
	printf("%-44s %6.2f us (%zu bytes: %s, '%s', then '%s%s')\n", what, worst.us, bytes,
	       worst.program, worst.lead, worst.one, worst.two);
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
	measure_worst(redactor, "redact, worst case found", 4096);
	measure_worst(redactor, "redact, worst case found at 12K", 12288);
	redactor_free(redactor);
	return 0;
}
