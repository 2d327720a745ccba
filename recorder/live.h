/* live.h - records what the kernel sends, until SIGTERM, SIGINT or SIGHUP. */
#pragma once

#include "recorder/handover.h"
#include "recorder/options.h"
#include "recorder/say.h"

/* Told when the ring is open: whoever reads it may begin.  And whenever there are sockets to be kept for whoever records next (they stay the
 * caller's; KEPT_NONE: there are none, or none but what was kept before). */
typedef void ready_fn(void *context, const struct kept *kept);

/* Runs until a signal.  kept: the sockets of a run that ended before its time, which are taken over, or KEPT_NONE.  The code of *ret_verdict. */
int live_run(const struct options *options, const struct kept *kept, say_fn *say, ready_fn *ready,
	     void *context, struct verdict *ret_verdict);
