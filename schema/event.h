/* event.h - one event of the ledger in memory, and as a staged record (FORMAT.md 4).  No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
#define KIND(NAME, number, what, word, text) EVENT_##NAME = (number),
#include "schema/event_kinds.h"
#undef KIND
};

enum {
	EVENT_KIND_LIMIT = 64, /* kinds are below this: kind_bits of a block is 64 bits wide */
	EVENT_OWN_FIRST = 32,  /* kinds from here on are the recorder's own */
	EVENT_COMM_BYTES = 16, /* TASK_COMM_LEN, include/linux/sched.h */
	EVENT_ARG_COUNT = 3,
	EVENT_RAW_MAX_BYTES = 4096,     /* of a datagram kept as it came */
	EVENT_DETAIL_MAX_BYTES = 16384, /* of the packed details of one event */
	EVENT_RECORD_MAX_BYTES = 96 + EVENT_RAW_MAX_BYTES + EVENT_DETAIL_MAX_BYTES,
};

#define EVENT_CPU_NONE UINT32_MAX /* cpu of the recorder's own events that concern no CPU */

/* pid is always the process (the kernel's tgid), tid the thread (the kernel's pid).
 *
 * kind          | pid, tid | ppid, ptid       | arg 0           | arg 1             | arg 2
 * none          | 0        | 0                | err (errno)     | ack number        | -
 * fork          | child    | parent           | -               | -                 | -
 * exec sid      | subject  | -                | -               | -                 | -
 * uid gid       | subject  | -                | real id         | effective id      | -
 * ptrace        | subject  | -                | tracer pid      | tracer tid        | -
 * comm          | subject  | - (comm is set)  | -               | -                 | -
 * coredump      | subject  | parent           | -               | -                 | -
 * exit          | subject  | parent, as sent  | wait status     | exit signal (u32) | -
 * unknown       | 0        | 0                | the kernel's `what` | -             | -
 * start         | 0        | 0                | boot_no         | EVENT_START_* bits | -
 * stop          | 0        | 0                | datagrams received | socket drops   | signal number, 0 at end of input
 * snapshot      | task     | parent process   | start_ns (MONOTONIC, to 10 ms) | start in clock ticks since boot | EVENT_SNAPSHOT_* bits
 * snapshot_end  | 0        | 0                | number of snapshot events | -       | -
 * clock         | 0        | 0                | BOOTTIME ns     | REALTIME ns       | EVENT_CLOCK_* reason
 * lost          | 0        | 0                | count           | from_ns (0: not known) | EVENT_LOST_* reason
 * recovery      | 0        | 0                | staged events taken over | landed datagrams taken over | torn slots
 * blind         | 0        | 0                | forks missed at least | the last time when all was well | -
 * disk_error    | 0        | 0                | errno, ETIMEDOUT: a sync was not waited for | block_no | errors that this stands for, the newest of which is told
 * rescan        | 0        | 0                | events lost since the last time; 0: none of this run, but the one before it may have ended before it looked | - | -
 *
 * timestamp_ns is the kernel's, CLOCK_MONOTONIC of the boot; of our own events the same clock when they were made; of stop
 * the time up to which everything is there; of lost the time of the first event behind the hole, and cpu and seq say on which CPU and the first missing number.
 */
struct event {
	uint64_t event_no; /* 1, 2, 3 ...; 0 while it has none */
	uint64_t timestamp_ns;
	uint32_t cpu;
	uint32_t seq; /* cn_msg.seq; 0 for our own */
	uint32_t pid, tid, ppid, ptid;
	uint64_t arg[EVENT_ARG_COUNT];
	char comm[EVENT_COMM_BYTES]; /* raw bytes, NUL-padded; only for kind comm, else zero */
	const uint8_t *
		raw; /* the datagram, where the fields above do not give it back byte for byte; else NULL */
	const uint8_t *detail; /* what /proc said, or a note: see detail.h; else NULL */
	uint32_t raw_bytes, detail_bytes;
	uint8_t kind;
};

enum {
	EVENT_START_IMPORT = 1,
	EVENT_START_SAME_BOOT = 2,
	EVENT_START_AFTER_CRASH = 4,
	EVENT_START_CONTINUED =
		8, /* on the socket of the last run: nothing was missed but what LOST says */
};
enum {
	EVENT_SNAPSHOT_LEADER_GONE = 1, /* of a process whose leader has ended before its threads */
};
enum {
	EVENT_CLOCK_AT_START = 0,
	EVENT_CLOCK_PERIODIC = 1,
	EVENT_CLOCK_STEP = 2,
	EVENT_CLOCK_RESUME = 3
};
enum { EVENT_LOST_GAP = 0, EVENT_LOST_DOWN = 1 }; /* while recording; while no recorder ran */

/* The last number that this LOST says to be missing. */
static inline uint32_t event_lost_last_seq(const struct event *lost)
{
	return lost->seq + (uint32_t)lost->arg[0] - 1;
}

/* Whether a number is not newer than the newest of its CPU: a task that was preempted between time stamp and send comes a little late.  Numbers wrap; what
 * seems to be further behind is ahead. */
static inline bool event_seq_is_late(uint32_t seq, uint32_t newest)
{
	enum { LATE_MAX = 1 << 16 };

	return newest - seq < LATE_MAX;
}

/* The word for a kind ("fork"), "unknown" for a number without one.  Static. */
const char *event_kind_word(unsigned kind);

/* The kind with this word, or -1. */
int event_kind_parse(const char *word);

/* Bytes that the record of an event takes in staging: a multiple of 16. */
size_t event_record_bytes(const struct event *event);

/* Writes the record, all but its commit word, which is left 0: store event_record_bytes() there last (invariant 4).
 * record has room for event_record_bytes(); raw_bytes and detail_bytes are within their maxima.
 * salt and pos go into the CRC. */
void event_record_pack(const struct event *event, uint64_t salt, uint64_t pos, uint8_t *record);

/* Writes a pad that fills `bytes` (a multiple of 16) before event_no, its commit word left 0 the same way;
 * the word to store is EVENT_PAD | bytes. */
#define EVENT_PAD 0x80000000u
void event_pad_pack(uint64_t event_no, uint64_t salt, uint64_t pos, uint8_t *record);

/* Reads the record at `record`, of which `available` bytes may be looked at (up to the end of the area).
 * 0: *ret_event is set, raw and detail point into record, *ret_bytes is the record's length;
 * EVENT_RECORD_PAD: *ret_bytes is the pad's length;
 * -EBADMSG: no record of this salt, pos and event_no is here. */
enum { EVENT_RECORD_PAD = 1 };
int event_record_unpack(const uint8_t *record, size_t available, uint64_t salt, uint64_t pos,
			uint64_t event_no, struct event *ret_event, size_t *ret_bytes);

/* The same for a record that this process has written itself: lengths are checked, the CRC is not, which is most of the cost. */
int event_record_unpack_own(const uint8_t *record, size_t available, uint64_t event_no,
			    struct event *ret_event, size_t *ret_bytes);
