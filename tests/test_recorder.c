/* test_recorder.c - procledgerd as a program on streams from files. */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#include "tests/recorder_fixture.h"
#include "tests/tap.h"

enum { STREAM_EVENTS = 20000 };

/* --- streams --- */

static uint8_t stream[STREAM_EVENTS * WIRE_DATAGRAM_BYTES * 2],
	again[STREAM_EVENTS * WIRE_DATAGRAM_BYTES * 2];

/* A stream of `count` events: forks and exits on two CPUs; numbers leave out `missing` before event number `at`. */
static size_t stream_make(size_t count, size_t at, uint32_t missing)
{
	uint32_t seq[2] = { 1000, UINT32_MAX - 500 };
	size_t used = 0, bytes = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t cpu = (uint32_t)(i / 3 % 2), tid = (uint32_t)(1000 + i / 2);
		struct event event = {
			.kind = i % 2 ? EVENT_EXIT : EVENT_FORK,
			.timestamp_ns = 5000000000 + i * 777,
			.cpu = cpu,
			.pid = tid,
			.tid = tid,
			.ppid = 10,
			.ptid = 10,
		};

		if (i % 2) {
			event.arg[0] = i % 256 << 8;
			event.arg[1] = SIGCHLD;
		}
		seq[cpu] += i == at ? missing : 0;
		event.seq = ++seq[cpu];
		if (wire_encode(&event, stream + used, sizeof(stream) - used, &bytes) < 0)
			abort();
		used += bytes;
	}
	return used;
}

static void file_write(const char *path, const void *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes || close(fd) < 0)
		abort();
}

static int import(const char *path, const char *more)
{
	char options[PATH_BYTES];

	store_new();
	(void)snprintf(options, sizeof(options), "--ring-size 4M --ring-only --input %s %s", path,
		       more);
	return recorder_run(options);
}

static void test_import(const char *path)
{
	size_t bytes = stream_make(STREAM_EVENTS, SIZE_MAX, 0);

	file_write(path, stream, bytes);
	ok(import(path, "") == 0 && !*log_text, "a stream is imported, without a word");
	ok(ring_walk(again, sizeof(again)) && walk.stream_bytes == bytes &&
		   memcmp(stream, again, bytes) == 0,
	   "every datagram comes out of the ring as it went in");
	ok(walk.lost == 0 && walk.unaccounted == 0, "a number that wraps is no loss");
	ok(walk.kinds[EVENT_START] == 1 && (walk.start_flags & EVENT_START_IMPORT) &&
		   walk.kinds[EVENT_STOP] == 1 && walk.last.kind == EVENT_STOP &&
		   walk.stop_received == STREAM_EVENTS && walk.kinds[EVENT_SNAPSHOT] == 0,
	   "START and STOP stand around it");
	ok(walk.last.timestamp_ns == 5000000000 + (STREAM_EVENTS - 1) * 777,
	   "STOP has the time of the last event");
	ok(shell("cat %s | %s/procledgerd --store %s.stdin --ring-size 4M --ring-only --input - "
		 "2>%s",
		 path, build, store, log_path) == 0,
	   "standard input is read too");
	ok(shell("rm -rf %s.stdin", store) == 0, "and leaves a store");
}

static void test_import_twice(const char *path)
{
	char options[PATH_BYTES];
	size_t bytes = stream_make(STREAM_EVENTS / 2, SIZE_MAX, 0);

	memcpy(stream + bytes, stream, bytes);
	file_write(path, stream, 2 * bytes);
	ok(import(path, "") == 0 && ring_walk(again, sizeof(again)) &&
		   walk.stream_bytes == 2 * bytes && memcmp(stream, again, 2 * bytes) == 0,
	   "two captures one behind the other are both recorded");
	ok(walk.kinds[EVENT_START] == 2 && walk.kinds[EVENT_STOP] == 2 && walk.boots == 2 &&
		   walk.lost == 0,
	   "as two boots, without a loss between them");
	(void)snprintf(options, sizeof(options), "--ring-size 4M --ring-only --input %s", path);
	ok(recorder_run(options) == 0 && ring_walk(NULL, 0) && walk.boots == 4 &&
		   walk.kinds[EVENT_START] == 4,
	   "another import into the same store goes on behind them");
}

static void test_import_hole(const char *path)
{
	size_t bytes = stream_make(1000, 500, 33);

	file_write(path, stream, bytes);
	ok(import(path, "") == 0 && ring_walk(NULL, 0) && walk.kinds[EVENT_LOST] == 1 &&
		   walk.lost == 33 && walk.unaccounted == 0,
	   "a hole in a stream becomes a LOST event with its count");
}

static void test_import_bad(const char *path)
{
	size_t bytes = stream_make(1000, SIZE_MAX, 0);

	file_write(path, stream, bytes - 20);
	ok(import(path, "") == 1 && said("offset 75924"), "a stream cut short: %s", log_text);
	ok(ring_walk(again, sizeof(again)) && walk.stream_bytes == bytes - 76 &&
		   walk.last.kind == EVENT_STOP,
	   "what stands before is recorded, and ended in order");
	file_write(path, stream, bytes - 70);
	ok(import(path, "") == 1 && said("offset 75924"), "cut short in the header: %s", log_text);
	memset(stream + 76 * 500, 'x', 76);
	file_write(path, stream, bytes);
	ok(import(path, "") == 1 && said("offset 38000"), "something else in it: %s", log_text);
	ok(ring_walk(again, sizeof(again)) && walk.stream_bytes == 38000,
	   "what stands before is recorded");
	(void)stream_make(1000, SIZE_MAX, 0);
	stream[76 * 10 + 16] = 9; /* idx of another connector */
	file_write(path, stream, bytes);
	ok(import(path, "") == 1 && said("offset 760"), "a foreign datagram: %s", log_text);
	file_write(path, stream, 0);
	ok(import(path, "") == 0 && ring_walk(NULL, 0) && walk.events == 0,
	   "an empty stream leaves an empty ring");
	ok(import("/nowhere/x", "") == 1 && said("/nowhere/x") && access(store, F_OK) < 0,
	   "no such file: %s", log_text);
	ok(import("/tmp", "") == 1 && said("directory") && access(store, F_OK) < 0, "a folder: %s",
	   log_text);
}

static void test_usage(const char *path)
{
	store_new();
	ok(recorder_run("--nope") == 2 && said("--nope"), "unknown option: %s", log_text);
	ok(recorder_run("extra") == 2 && said("extra"), "argument too many: %s", log_text);
	ok(recorder_run("--ring-size 1M") == 2 && said("4M"), "ring too small: %s", log_text);
	ok(recorder_run("--ring-size 256T") == 2 && said("255T"), "ring too large: %s", log_text);
	ok(access(store, F_OK) < 0, "none of these makes a store");
	ok(import(path, "") == 0 && truncate(ring_path, 64 << 20) == 0 &&
		   recorder_run("--ring-size 64M --input /dev/null") == 0 &&
		   said("size of 4194304 bytes"),
	   "a ring is as large as it says itself, whatever lies behind it: %s", log_text);
	ok(import(path, "--durability nonsense") == 2 && said("nonsense"), "wrong word: %s",
	   log_text);
}

/* --- stores that cannot be used --- */

static void super_change(uint16_t major)
{
	uint8_t disk[2 * RING_SUPERBLOCK_BYTES];
	struct ring_superblock super;
	int fd = open(ring_path, O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < 2; i++) {
		uint8_t *copy = disk + i * RING_SUPERBLOCK_BYTES;

		if (pread(fd, copy, RING_SUPERBLOCK_BYTES, (off_t)(i * RING_SUPERBLOCK_BYTES)) < 0)
			abort();
		if (ring_superblock_unpack(copy, &super) == 0) {
			super.major = major;
			ring_superblock_pack(&super, copy);
		}
	}
	if (pwrite(fd, disk, sizeof(disk), 0) != (ssize_t)sizeof(disk))
		abort();
	(void)close(fd);
}

static void test_store(const char *path)
{
	char options[PATH_BYTES];
	size_t bytes = stream_make(1000, SIZE_MAX, 0);

	file_write(path, stream, bytes);
	(void)snprintf(options, sizeof(options), "--ring-only --input %s", path);
	(void)import(path, "");
	super_change(2);
	ok(recorder_run(options) == 6 && said("another version"), "another version: %s", log_text);
	file_write(ring_path, stream, bytes);
	ok(recorder_run(options) == 6 && said("not a ring"), "something else than a ring: %s",
	   log_text);
	(void)import(path, "");
	if (truncate(ring_path, 3 << 20) < 0)
		abort();
	ok(recorder_run(options) == 6 && said("damaged"), "a ring that was cut: %s", log_text);
	store_new();
	file_write(store, "x", 1);
	ok(recorder_run(options) == 6 && said(store), "a file where the store should be: %s",
	   log_text);
	(void)unlink(store);
	if (geteuid() != 0) {
		ok(true, "a store that is not ours # SKIP needs root");
		ok(true, "a full disk # SKIP needs root");
		return;
	}
	(void)mkdir(store, 0700);
	ok(shell("setpriv --reuid 65534 --clear-groups %s/procledgerd --store %s %s 2>%s", build,
		 store, options,
		 log_path) >> 8 ==
			   4 &&
		   log_read() && said(ring_path),
	   "a store that is not ours: %s", log_text);
	if (mount("none", store, "tmpfs", 0, "size=3m") == 0) {
		ok(recorder_run("--ring-size 4M") == 1 && said("no room"), "a full disk: %s",
		   log_text);
		ok(access(ring_path, F_OK) < 0, "and no half of a ring is left");
		(void)umount(store);
	}
}

int main(int argc, char **argv)
{
	char path[128];

	(void)argc;
	if (!fixture_begin(argv[0], "test_recorder"))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/stream", scratch);
	test_import(path);
	test_import_twice(path);
	test_import_hole(path);
	test_usage(path);
	test_store(path);
	test_import_bad(path);
	fixture_end();
	return done_testing();
}
