/* merge.h - one order out of two lanes: by time, and the events of a CPU by their numbers.  Pure.
 *
 * The kernel puts an event into the sockets of all lanes before it takes the next number of that CPU, and whatever one event causes has a later
 * time than it.  So an order by time is an order of causes, provided that nothing earlier is still in a socket; and a number that is missing is
 * lost, provided that it is not in the other socket.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "recorder/gaps.h"
#include "recorder/inbox.h"

enum { MERGE_LANES = 2 };

/* Until when everything has been received: began_ns is a time before the lanes were last received from. */
uint64_t merge_until_ns(const struct inbox lanes[MERGE_LANES], uint64_t began_ns);

/* Which is next: entries[at] of a lane. */
struct merge_pick {
	unsigned lane;
	size_t at;
};

/* gaps: what was taken so far.
 * 0; MERGE_NONE: nothing is left up to until_ns; MERGE_WAIT: a number is missing before what is next, and may still be in the other lane's
 * socket: receive from it first. */
enum { MERGE_NONE = 1, MERGE_WAIT = 2 };
int merge_next(const struct inbox lanes[MERGE_LANES], const struct gaps *gaps, uint64_t until_ns,
	       struct merge_pick *ret_pick);
