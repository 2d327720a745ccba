/* canary.h - makes the kernel send one event from every CPU, so that the numbers of all CPUs are known, and silence is noticed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Visits every CPU that this thread may be moved to and sets its name there to what it is already: one COMM event a CPU, and no name
 * changes.  The CPUs that the thread may run on are put back.
 * 0 and how many CPUs were visited; -errno: the set of CPUs could not be read, set or put back. */
int canary_send(size_t *ret_cpus);

/* A thread that does this each CANARY_PERIOD_MS, and notes when.  Signals that are blocked where it is started are blocked in it. */
enum { CANARY_PERIOD_MS = 1000 };
struct canary;

/* 0 or -errno. */
int canary_start(struct canary **ret_canary);
void canary_stop(struct canary *canary); /* waits for its end; NULL does nothing */

/* When the newest one of this CPU was sent, CLOCK_MONOTONIC, or 0: what the kernel says of it is not before that. Any thread may ask. */
uint64_t canary_sent_ns(const struct canary *canary, uint32_t cpu);
