/* snapshot.h - every task that already runs, read from /proc, as SNAPSHOT events. */
#pragma once

#include <stdint.h>

#include "recorder/procfs.h"
#include "schema/event.h"

/* Takes an event whose detail is valid during the call.  0, or -errno to end the snapshot. */
typedef int snapshot_emit(void *context, struct event *event);

/* Walks all processes and their threads, each process before its threads; then a SNAPSHOT_END.  A task that goes away meanwhile is left out.
 * So is one that has ended and waits to be reaped, but for a leader whose threads live on: they have EVENT_SNAPSHOT_LEADER_GONE then.
 * suspended_ns: clock_suspended_ns().
 * 0; what emit gave; SNAPSHOT_PARTIAL: some tasks could not be read, *ret_why is the -errno of the first, and there is no SNAPSHOT_END, for
 * who is missing need not be gone.  -EACCES is also of a /proc that hides tasks (hidepid). */
enum { SNAPSHOT_PARTIAL = 1 };
int snapshot_take(struct procfs *procfs, uint64_t suspended_ns, snapshot_emit *emit, void *context,
		  int *ret_why);
