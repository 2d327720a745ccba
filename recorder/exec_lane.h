/* exec_lane.h - threads that read /proc of a program the moment it is run, before its first instruction.
 *
 * One a CPU: a socket that takes only EXEC of that CPU, and a thread pinned there under SCHED_FIFO.  The kernel sends EXEC from the program's
 * own task before that returns to user space, and the thread that this wakes has its CPU first.  What was read waits in a table for the
 * EXEC that comes by the ordinary way.  More CPUs than EXEC_LANES_MAX share lanes, for every socket costs every event some 80 ns, and have smaller tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/cpus.h"
#include "recorder/procfs.h"
#include "recorder/realtime.h"
#include "recorder/say.h"

enum { EXEC_LANES_MAX = 16 };
struct exec_lanes;

/* Opens a lane for every CPU that is on line.  To be called after realtime_guard().
 * 0: there is at least one; -errno; a CONNECTOR_ reason. */
int exec_lanes_open(const struct procfs_setup *procfs, say_fn *say, struct exec_lanes **ret_lanes);
void exec_lanes_close(struct exec_lanes *lanes); /* waits for the threads' end; NULL does nothing */

/* How many lanes there are, and the mode of the worst of them; REALTIME_DEFAULT where one was demoted, or has failed. */
unsigned exec_lanes_count(const struct exec_lanes *lanes);
enum realtime_mode exec_lanes_mode(const struct exec_lanes *lanes);

/* BOOTTIME - MONOTONIC, for the threads' event_detail_exec(). */
void exec_lanes_set_suspended(struct exec_lanes *lanes, uint64_t suspended_ns);

/* What was read at the EXEC with this number: as exec_table_take(). */
int exec_lanes_take(struct exec_lanes *lanes, uint32_t cpu, uint32_t seq, uint8_t *out,
		    size_t *ret_bytes, uint64_t *ret_read_ns);

/* To be called about once a second, with the CPUs that are on line: opens lanes for new ones, pins threads again whose CPU has come back,
 * puts a thread that the guard has demoted back after a while, and begins anew what has failed. */
void exec_lanes_look(struct exec_lanes *lanes, const struct cpus *online, uint64_t now_ns);

/* Which CPUs each lane is to have.  How many lanes.  Pure. */
struct exec_lane_range {
	uint32_t first, last;
};
unsigned exec_lanes_plan(const struct cpus *online,
			 struct exec_lane_range ret_ranges[EXEC_LANES_MAX]);
