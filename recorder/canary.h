/* canary.h - makes the kernel send one event from every CPU, so that the numbers of all CPUs are known, and silence is noticed.
 *
 * A thread of its own goes from CPU to CPU and sets its name there to what it is already: one COMM event a CPU, and no name changes.  It goes
 * to all that are on line and in our cpuset.  Where a real-time task spins it may not come back for long, or ever: whoever waits for it
 * waits for a limited time, and takes it away from there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One from every CPU, now.
 * 0 and how many CPUs were visited; CANARY_HELD: likewise, and some could not be visited within CANARY_SEND_MS; -errno: there is no thread. */
enum { CANARY_HELD = 1, CANARY_SEND_MS = 300 };
int canary_send(size_t *ret_cpus);

/* A thread that does this each CANARY_PERIOD_MS, and notes when.  Signals that are blocked where it is started are blocked in it. */
enum { CANARY_PERIOD_MS = 1000 };
struct canary;

/* 0 or -errno. */
int canary_start(struct canary **ret_canary);
void canary_stop(struct canary *canary); /* waits for its end; NULL does nothing */

/* When the newest one of this CPU was sent, CLOCK_MONOTONIC, or 0: what the kernel says of it is not before that. Any thread may ask. */
uint64_t canary_sent_ns(const struct canary *canary, uint32_t cpu);

/* Takes the thread away from a CPU where it has not come to run for CANARY_HELD_MS; it goes on with the next one.  Whether it was so, and which CPU
 * that is.  To be asked about once a second or more often. */
enum { CANARY_HELD_MS = 2000 };
bool canary_held(const struct canary *canary, uint64_t now_ns, uint32_t *ret_cpu);
