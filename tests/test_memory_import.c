/* test_memory_import.c - memory that runs out while a stream is recorded: test_memory_import [STRIDE], 0 for a quick choice, 1 for every
 * allocation.
 *
 * procledgerd's recorder and its projector, each with its n-th allocation failing, once, and again with every one from the n-th on
 * failing.  It has to end with one of its exit codes and a sentence, or have recorded all of it; and afterwards the store opens, takes
 * the stream, and has what was said to be recorded.
 */
#include "tests/failing_malloc.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/index_keeper.h"
#include "recorder/input.h"
#include "recorder/session.h"
#include "schema/wire.h"
#include "tests/ring_fixture.h"

enum { EVENTS = 400, QUICK_POINTS = 10, SHOWN_MAX = 5 };

static char stream_path[320], index_path[320];
static struct options options = { .ring_bytes = RING_MIN_BYTES, .argv_max_bytes = 4096 };
static unsigned sentences;

static void say_count(const char *format, ...)
{
	(void)format;
	sentences++;
}

static void ready_nothing(void *context, const struct kept *kept)
{
	(void)context;
	(void)kept;
}

/* Forks and exits of EVENTS / 2 processes. */
static void stream_write(void)
{
	static uint8_t stream[EVENTS * WIRE_DATAGRAM_BYTES];
	size_t used = 0, bytes = 0;
	int fd = open(stream_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (uint32_t i = 0; i < EVENTS; i++) {
		uint32_t tid = 1000 + i / 2;
		struct event event = { .kind = i % 2 ? EVENT_EXIT : EVENT_FORK,
				       .timestamp_ns = 5000000000 + i * UINT64_C(777),
				       .seq = i + 1,
				       .pid = tid,
				       .tid = tid,
				       .ppid = 10,
				       .ptid = 10 };

		if (wire_encode(&event, stream + used, sizeof(stream) - used, &bytes) < 0)
			abort();
		used += bytes;
	}
	if (fd < 0 || write(fd, stream, used) != (ssize_t)used || close(fd) < 0)
		abort();
}

/* What the two processes do, for the exit code: 0, or that of procledgerd; 100: failed without a word. */
static int record_run(void)
{
	struct verdict verdict = { 0 };
	int code = input_run(&options, say_count, ready_nothing, NULL, &verdict);

	return code != VERDICT_OK && !verdict.sentence[0] && sentences == 0 ? 100 : code;
}

static int index_run(void)
{
	sigset_t set;
	int code;

	/* Told to end before it begins: it takes what there is. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)raise(SIGTERM);
	code = index_keeper_run(&(struct index_keeper_setup){ .store = fixture_folder,
							      .ring_path = fixture_path,
							      .index_path = index_path,
							      .catch_up_ns = UINT64_C(5000000000),
							      .say = say_count });
	return code != VERDICT_OK && sentences == 0 ? 100 : code;
}

/* Runs it in a process of its own.  The exit code, or minus the signal. */
static int run(int (*what)(void), uint64_t n, bool on, uint64_t *shared)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(20);
		allocations = 0;
		fail_at = n;
		fail_on = on;
		status = what();
		*shared = allocations;
		_exit(status);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The store after a run that failed: no hole, and the stream goes in once more. */
static bool store_fine(bool recorded, uint64_t *shared)
{
	struct ring_writer *writer;
	struct ring_opened opened;
	struct walked walked = { 0 };

	if (access(fixture_path, F_OK) == 0) {
		if (ring_writer_open(fixture_path, 0, boot_one, &writer, &opened) != 0)
			return false;
		walked = walk_all();
		ring_writer_close(writer);
	}
	return walked.holes == 0 && walked.missing_events == 0 &&
	       (!recorded || walked.events == EVENTS + 2) && run(record_run, 0, false, shared) == 0;
}

static void stores_remove(void)
{
	(void)unlink(fixture_path);
	(void)unlink(index_path);
}

static void test_recorder(uint64_t stride, uint64_t *shared)
{
	uint64_t all, every, codes[2] = { 0 };
	unsigned tried = 0, bad = 0;
	int first;

	first = run(record_run, 0, false, shared);
	ok(first == 0, "with memory a stream is recorded (%llu allocations)",
	   (unsigned long long)*shared);
	all = *shared;
	every = stride ? stride : 1 + all / QUICK_POINTS;
	for (uint64_t n = 1; n <= all; n += every) {
		for (int on = 0; on < 2; on++, tried++) {
			int code;

			stores_remove();
			code = run(record_run, n, on, shared);
			codes[code != 0]++;
			if (code >= 0 && code <= VERDICT_NO_STORE && store_fine(code == 0, shared))
				continue;
			if (bad++ < SHOWN_MAX)
				printf("# allocation %llu%s: exit %d\n", (unsigned long long)n,
				       on ? " and all behind" : "", code);
		}
	}
	ok(bad == 0 && codes[1] > 0,
	   "without it, it ends with a word, or records all; the store is whole (%u tried, %u bad, "
	   "%llu ended)",
	   tried, bad, (unsigned long long)codes[1]);
}

static void test_projector(uint64_t stride, uint64_t *shared)
{
	uint64_t all, every, ended = 0;
	unsigned tried = 0, bad = 0;
	int first;

	stores_remove();
	(void)run(record_run, 0, false, shared);
	first = run(index_run, 0, false, shared);
	ok(first == 0, "with memory it is indexed (%llu allocations)", (unsigned long long)*shared);
	all = *shared;
	every = stride ? stride : 1 + all / QUICK_POINTS;
	for (uint64_t n = 1; n <= all; n += every) {
		for (int on = 0; on < 2; on++, tried++) {
			int code;

			(void)unlink(index_path);
			code = run(index_run, n, on, shared);
			ended += code != 0;
			if ((code == VERDICT_OK || code == VERDICT_FAILED) &&
			    run(index_run, 0, false, shared) == 0)
				continue;
			if (bad++ < SHOWN_MAX)
				printf("# allocation %llu%s: exit %d\n", (unsigned long long)n,
				       on ? " and all behind" : "", code);
		}
	}
	ok(bad == 0 && ended > 0,
	   "without it, it says so or gets by; the next one makes up for it (%u tried, %u bad, "
	   "%llu ended)",
	   tried, bad, (unsigned long long)ended);
}

int main(int argc, char **argv)
{
	uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, *shared;

#ifdef SANITIZED
	skip_all("a sanitizer has the allocator");
#endif
	fixture_begin();
	(void)snprintf(stream_path, sizeof(stream_path), "%s/stream", fixture_folder);
	(void)snprintf(index_path, sizeof(index_path), "%s/index.db", fixture_folder);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 1;
	options.store = fixture_folder;
	options.input = stream_path;
	stream_write();
	test_recorder(stride, shared);
	test_projector(stride, shared);
	return done_testing();
}
