/* intake.h - the way of one datagram into staging: decode, account for its number, at an EXEC (and the birth of a thread of the kernel) ask /proc, append.
 *
 * The same for the kernel's socket and for an imported stream.  Nothing here mallocs, locks or waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/exec_lane.h"
#include "recorder/gaps.h"
#include "recorder/overtaken.h"
#include "recorder/procfs.h"
#include "recorder/stage.h"

struct intake_setup {
	struct stage *stage;
	size_t stage_bytes; /* of its area */
	struct gaps *gaps;
	struct procfs *procfs;         /* NULL: nothing is asked (an import) */
	struct exec_lanes *exec_lanes; /* what they have read is taken from them; or NULL */
	bool keep_late; /* stage what INTAKE_BACK would be too: kernels before 4.8 send a CPU's events out of order */
};

struct intake;

/* The setup's parts stay the caller's and outlive it.  NULL when memory ran out. */
struct intake *intake_new(const struct intake_setup *setup);
void intake_free(struct intake *intake); /* NULL does nothing */

/* BOOTTIME - MONOTONIC, for telling a process from a later one with its number. */
void intake_set_suspended(struct intake *intake, uint64_t suspended_ns);

/* Takes one datagram.  around: what was received with it (overtaken.h), or NULL.
 * 0: it is staged;
 * INTAKE_FULL: staging is full; call again with the same datagram until it gives something else;
 * INTAKE_EARLY: its details are just being read; nothing was done, call again in a moment;
 * INTAKE_BACK: its number is not newer than the last of its CPU, and it was not staged;
 * INTAKE_FOREIGN: not of the proc connector; -EBADMSG: no such datagram. */
enum { INTAKE_FULL = 1, INTAKE_BACK = 2, INTAKE_FOREIGN = 3, INTAKE_EARLY = 4 };
int intake_take(struct intake *intake, const uint8_t *datagram, size_t bytes,
		const struct overtaken_batch *around);

/* Stages one of the recorder's own events.  0 or INTAKE_FULL. */
int intake_own(struct intake *intake, struct event *event);

/* Births staged so far, threads too: what the kernel counts as "processes" in /proc/stat. */
uint64_t intake_forks(const struct intake *intake);

/* Kernel events staged so far, and the time of the newest of them (0: none). */
uint64_t intake_count(const struct intake *intake);
uint64_t intake_last_ns(const struct intake *intake);
