/* recorder_fixture.h - for tests of procledgerd as a program: a store of its own, runs on it, and what its ring then holds. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/connector.h"
#include "schema/detail.h"
#include "schema/event.h"
#include "schema/ring.h"
#include "schema/wire.h"
#include "tests/clocks.h"
#include "tests/shell.h"

enum { PATH_BYTES = 512, LOG_BYTES = 8192, ARGUMENTS_MAX = 16 };

static char build[PATH_BYTES / 2], scratch[64], store[96], ring_path[128], log_path[96];
static char log_text[LOG_BYTES];

/* A folder of this name for the test, with room for a store and a log; argv0 tells where the programs are.  False: it cannot be made. */
static inline bool fixture_begin(char *argv0, const char *name)
{
	(void)snprintf(build, sizeof(build), "%s/..", dirname(argv0));
	(void)snprintf(scratch, sizeof(scratch), "/tmp/procledger.%s.XXXXXX", name);
	if (!mkdtemp(scratch) || chmod(scratch, 0755) < 0)
		return false;
	(void)snprintf(store, sizeof(store), "%s/store", scratch);
	(void)snprintf(ring_path, sizeof(ring_path), "%s/ledger.ring", store);
	(void)snprintf(log_path, sizeof(log_path), "%s/log", scratch);
	return true;
}

static inline void fixture_end(void)
{
	(void)shell("rm -rf %s", scratch);
}

/* --- running programs --- */

/* There is no store any more. */
static inline void store_new(void)
{
	(void)shell("rm -rf %s", store);
}

/* The words of the last recorder, also in log_text, without the last newline. */
static inline const char *log_read(void)
{
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, log_text, sizeof(log_text) - 1) : 0;

	log_text[n > 0 ? n : 0] = '\0';
	if (n > 0 && log_text[n - 1] == '\n')
		log_text[n - 1] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return log_text;
}

/* Sockets for the next recorders to begin with, as systemd hands them over; NULL: none.  The test's. */
static struct connector *kept[CONNECTOR_LANES];

static inline void kept_pass(void)
{
	char self[16];

	if (!kept[0])
		return;
	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", self, 1);
	(void)setenv("LISTEN_FDS", "2", 1);
	(void)setenv("LISTEN_FDNAMES", "connector:connector-names", 1);
	for (int i = 0; i < CONNECTOR_LANES; i++) /* out of the way of each other */
		(void)dup2(connector_fd(kept[i]), 100 + i);
	for (int i = 0; i < CONNECTOR_LANES; i++)
		(void)dup2(100 + i, 3 + i);
}

/* Starts procledgerd on the store with more arguments, separated by spaces; its stderr goes to the log. */
static inline pid_t recorder_start(const char *more)
{
	char program[PATH_BYTES], words[PATH_BYTES], *at = words, *word;
	char option[] = "--store", *arguments[ARGUMENTS_MAX] = { program, option, store };
	int count = 3;
	pid_t pid;

	(void)snprintf(program, sizeof(program), "%s/procledgerd", build);
	(void)snprintf(words, sizeof(words), "%s", more);
	while ((word = strsep(&at, " ")) && count < ARGUMENTS_MAX - 1)
		if (*word)
			arguments[count++] = word;
	/* Here, so that nobody takes the words of the last run for those of this one. */
	(void)unlink(log_path);
	pid = fork();
	if (pid == 0) {
		int fd = open(log_path, O_WRONLY | O_CREAT, 0644);

		(void)dup2(fd, STDERR_FILENO);
		kept_pass();
		(void)execv(program, arguments);
		_exit(127);
	}
	return pid;
}

/* The exit code, or minus the signal; its words are in log_text. */
static inline int program_wait(pid_t pid)
{
	int status = 0;

	(void)waitpid(pid, &status, 0);
	(void)log_read();
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int recorder_run(const char *more)
{
	return program_wait(recorder_start(more));
}

/* Starts recording from the kernel and waits until it does. */
static inline pid_t live_start(const char *more)
{
	pid_t pid = recorder_start(more);

	for (int i = 0; i < 4000 && !strstr(log_read(), "recording into"); i++)
		rest_ms(5);
	rest_ms(100);
	return pid;
}

static inline int live_stop(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	return program_wait(pid);
}

/* A storm (tests/storm.c) that goes on until storm_end(). */
static inline pid_t storm_begin(const char *mode, unsigned workers)
{
	pid_t pid;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that the workers can be waited for */
	pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)shell("exec %s/tests/storm %s 100000000 %u >/dev/null", build, mode, workers);
		_exit(0);
	}
	if (pid < 0)
		abort();
	(void)setpgid(pid, pid); /* whoever comes first */
	return pid;
}

/* Ends it, and waits until its workers, too, are gone. */
static inline void storm_end(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
		;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* The log is one sentence with this in it. */
static inline bool said(const char *part)
{
	return strncmp(log_text, "procledgerd: ", 13) == 0 && strstr(log_text, part) &&
	       !strchr(log_text, '\n');
}

/* --- reading the ring --- */

/* What a walk over the whole ring found.  unaccounted: numbers of a CPU that neither follow nor are told as lost. */
struct walk {
	uint64_t events, kinds[EVENT_KIND_LIMIT];
	uint64_t lost, lost_down, bad_numbers, unaccounted, holes;
	uint64_t stop_received, stop_drops, start_flags, recovered_landed;
	uint32_t boots;
	uint64_t details, exe_read;
	struct event last, blind;
	uint64_t newest_ns; /* of what the kernel sent */
	bool begins_in_order;
	uint8_t *stream; /* kernel events as datagrams again; the caller's buffer or NULL */
	size_t stream_bytes, stream_capacity;
	uint8_t forked[1 << 22];   /* how often a tid, up to 254 */
	uint8_t exited[1 << 22];   /* likewise, of those */
	uint8_t executed[1 << 22]; /* likewise */
	uint8_t named[1 << 22];    /* likewise, while it lived */
};
static struct walk walk;
static uint32_t next_seq[64];
static bool seq_known[64];

static inline void account(const struct event *event)
{
	uint32_t cpu = event->cpu, count = 1;

	if (cpu >= 64 || (event->kind >= EVENT_OWN_FIRST && event->kind != EVENT_LOST))
		return;
	if (event->kind == EVENT_LOST) {
		walk.lost += event->arg[0];
		walk.lost_down += event->arg[2] == EVENT_LOST_DOWN ? event->arg[0] : 0;
		count = (uint32_t)event->arg[0];
	}
	if (seq_known[cpu] && next_seq[cpu] != event->seq) {
		walk.unaccounted++;
		printf("# event %llu, %s of cpu %u: number %u where %u is next\n",
		       (unsigned long long)event->event_no, event_kind_word(event->kind), cpu,
		       event->seq, next_seq[cpu]);
	}
	next_seq[cpu] = event->seq + count;
	seq_known[cpu] = true;
}

static inline void stream_keep(const struct event *event)
{
	size_t bytes;

	if (walk.stream && event->kind < EVENT_OWN_FIRST &&
	    wire_encode(event, walk.stream + walk.stream_bytes,
			walk.stream_capacity - walk.stream_bytes, &bytes) == 0)
		walk.stream_bytes += bytes;
}

static inline void count_tid(uint8_t *counts, uint32_t tid)
{
	if (tid < sizeof(walk.forked) && counts[tid] < 254)
		counts[tid]++;
}

/* Whether its birth was seen, and not its end: a tid may have been somebody's before. */
static inline bool is_born(uint32_t tid)
{
	return tid < sizeof(walk.forked) && walk.forked[tid] > walk.exited[tid];
}

static inline void see(const struct event *event)
{
	struct detail detail;

	walk.events++;
	walk.bad_numbers += event->event_no != walk.last.event_no + 1;
	if (event->kind < EVENT_KIND_LIMIT)
		walk.kinds[event->kind]++;
	if (event->kind == EVENT_START) {
		walk.boots = (uint32_t)event->arg[0];
		walk.start_flags = event->arg[1];
		if (event->arg[1] & EVENT_START_IMPORT)
			memset(seq_known, 0, sizeof(seq_known));
	}
	if (event->kind < EVENT_OWN_FIRST && event->timestamp_ns > walk.newest_ns)
		walk.newest_ns = event->timestamp_ns;
	account(event);
	stream_keep(event);
	if (event->kind == EVENT_FORK)
		count_tid(walk.forked, event->tid);
	if (event->kind == EVENT_EXIT && is_born(event->tid))
		count_tid(walk.exited, event->tid);
	if (event->kind == EVENT_EXEC)
		count_tid(walk.executed, event->tid);
	if (event->kind == EVENT_COMM && is_born(event->tid))
		count_tid(walk.named, event->tid);
	if (event->kind == EVENT_BLIND)
		walk.blind = *event;
	if (event->kind == EVENT_STOP) {
		walk.stop_received = event->arg[0];
		walk.stop_drops = event->arg[1];
	}
	if (event->kind == EVENT_RECOVERY)
		walk.recovered_landed += event->arg[1];
	if (event->kind == EVENT_EXEC && event->detail_bytes > 0 &&
	    detail_unpack(event->detail, event->detail_bytes, &detail) == 0) {
		walk.details++;
		walk.exe_read += detail.field[DETAIL_EXE].state == DETAIL_READ;
	}
	walk.last = *event;
}

/* Walks the whole ring, into walk; what the kernel sent becomes datagrams again in stream, unless that is NULL.  False: it could not be
 * read to its end, or something is missing in between. */
static inline bool ring_walk(uint8_t *stream, size_t capacity)
{
	struct ring *ring = NULL;
	struct ring_cursor *cursor;
	const struct event *event;
	uint64_t first, next, from, to;
	int r;

	memset(&walk, 0, sizeof(walk));
	memset(seq_known, 0, sizeof(seq_known));
	walk.stream = stream;
	walk.stream_capacity = capacity;
	if (ring_open(ring_path, &ring) < 0 || ring_refresh(ring, &first, &next) < 0) {
		ring_close(ring);
		return false;
	}
	cursor = ring_cursor_new(ring, first);
	while ((r = ring_next(cursor, &event, &from, &to)) != RING_END && r >= 0) {
		if (r == 0)
			see(event);
		else
			walk.holes++;
	}
	ring_cursor_free(cursor);
	ring_close(ring);
	return r == RING_END && walk.holes == 0 && walk.bad_numbers == 0;
}
