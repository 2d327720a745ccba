/* syncer.h - a disk whose syncs are made by a thread of its own, so that one that hangs does not hold who cannot wait.
 *
 * A sync is the kernel's workers' work, too, and where a storm starves them it comes back when that is over.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "schema/io.h"

struct syncer;

/* Starts the thread, which may have realtime.h's signal.  0 or -errno. */
int syncer_start(struct syncer **ret_syncer);

/* Waits for the sync that is being made.  NULL does nothing. */
void syncer_stop(struct syncer *syncer);

pid_t syncer_tid(const struct syncer *syncer);

/* io_direct, but that sync() is made by the thread, for one caller at a time.  It waits for it; but one that takes longer than SYNCER_PATIENCE_MS
 * no longer than until impatient(context) says so, which is asked every few ms: IO_LATE.  The next sync() then waits likewise for what is
 * still being made, gives its error if it has one, and else makes another.  The syncer's. */
enum { SYNCER_PATIENCE_MS = 100 };
const struct io *syncer_io(struct syncer *syncer);

/* NULL, as at first: everybody has the time. */
void syncer_set_impatient(struct syncer *syncer, bool (*impatient)(void *context), void *context);
