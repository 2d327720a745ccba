/* live.h - records what the kernel sends, until SIGTERM, SIGINT or SIGHUP. */
#pragma once

#include "recorder/options.h"
#include "recorder/say.h"

/* Told once, when the ring is open: whoever reads it may begin. */
typedef void ready_fn(void *context);

/* Runs until a signal.  The code of *ret_verdict. */
int live_run(const struct options *options, say_fn *say, ready_fn *ready, void *context,
	     struct verdict *ret_verdict);
