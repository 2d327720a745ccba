/* clocks.h - from the kernel's time stamps to wall time and back, through the clock events of each boot.
 *
 * The wall time of a time stamp is the stamp plus (REALTIME - MONOTONIC) of the last clock event at or before it in its boot, or
 * of the first one for what is earlier.  A clock that was set back makes two stretches of a boot bear the same wall times: a window is
 * then more than one interval of time stamps.  Blocks are read only where their clock events can matter.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "query/ledger.h"

struct interval {
	uint64_t from_ns, to_ns; /* inclusive */
};

struct clocks;

/* NULL when memory ran out.  The ledger must outlive it. */
struct clocks *clocks_new(struct ledger *ledger);
void clocks_free(struct clocks *clocks); /* NULL does nothing */

/* 0; -ENOENT: no clock event of that boot is known (an imported stream); -errno. */
int clocks_wall(struct clocks *clocks, uint32_t boot_no, uint64_t timestamp_ns,
		uint64_t *ret_wall_ns);

/* The time stamps of a boot whose wall time is in [since_ns, until_ns], in ascending order, apart from each other.
 * 0: *ret_intervals is the caller's to free, *ret_count may be 0; -ENOENT as above; -errno. */
int clocks_intervals(struct clocks *clocks, const struct ledger_boot *boot, uint64_t since_ns,
		     uint64_t until_ns, struct interval **ret_intervals, size_t *ret_count);
