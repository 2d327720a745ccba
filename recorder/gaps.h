/* gaps.h - accounting of cn_msg.seq, the number that the kernel gives every event on its CPU: what did not arrive.  Pure.
 *
 * The kernel raises the number before it filters, allocates or queues (drivers/connector/cn_proc.c, send_msg()), so on an unfiltered
 * stream a hole is a loss, exactly.  It is a u32 that wraps: numbers are compared by their int32 difference, but for the first behind a time when
 * nobody recorded, in which it may have gone further.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schema/event.h"

/* CPUs from here on are not accounted for: the kernel's own ceiling (NR_CPUS), and before 4.8 an ack came with cpu 4294967295. */
enum { GAPS_CPU_LIMIT = 8192 };

struct gaps;

/* NULL when memory ran out. */
struct gaps *gaps_new(void);
void gaps_free(struct gaps *gaps); /* NULL does nothing */

/* The last number known of a CPU from before this start, in the same boot: a hole behind it has the reason EVENT_LOST_DOWN. */
void gaps_baseline(struct gaps *gaps, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns);

/* What is known so far is of the same unbroken stream: a hole behind it was lost while recording. */
void gaps_continue(struct gaps *gaps);

/* All that is known now is from before this start, likewise, and what comes next from a new socket. */
void gaps_baseline_all(struct gaps *gaps);

/* All that is known now is in the ledger: it is not taken again when another socket gives it, too. */
void gaps_base_all(struct gaps *gaps);

/* Takes the number of the next kernel event into account.
 * 0: it follows, or is the first of its CPU, or is not accounted for;
 * GAPS_LOST: events are missing; *ret_lost (without event_no) is to be recorded before this one;
 * GAPS_BACK: its number is not newer than the last of its CPU; nothing was changed. */
enum { GAPS_LOST = 1, GAPS_BACK = 2 };
int gaps_feed(struct gaps *gaps, const struct event *event, struct event *ret_lost);

/* Whether the number is newer than the last known of its CPU (or there is none, or the CPU is not accounted for). */
bool gaps_is_newer(const struct gaps *gaps, uint32_t cpu, uint32_t seq);

/* Whether nothing can be missing before this number: it is the next of its CPU, or not newer than the last known, or the CPU is not accounted for. */
bool gaps_follows(const struct gaps *gaps, uint32_t cpu, uint32_t seq);

/* Whether it is not newer than the baseline of its CPU, or one of those that came last without a hole between them: then it is in the ledger, or said
 * there to be missing.  What lay in the landing zone a socket that was kept may give again; who is late is in a hole. */
bool gaps_is_known(const struct gaps *gaps, uint32_t cpu, uint32_t seq);

/* The time of the newest event of a CPU; 0: none is known. */
uint64_t gaps_last_ns(const struct gaps *gaps, uint32_t cpu);

/* Forgets all CPUs: another stream begins.  The sums stay. */
void gaps_restart(struct gaps *gaps);

/* Events lost while recording: what the socket's drop counter should say, and a few more where the kernel had no memory. */
uint64_t gaps_lost_recording(const struct gaps *gaps);

/* Events missed between the last run and this one. */
uint64_t gaps_lost_down(const struct gaps *gaps);
