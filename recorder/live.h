/* live.h - records what the kernel sends, until SIGTERM, SIGINT or SIGHUP. */
#pragma once

#include "recorder/options.h"
#include "recorder/say.h"

/* Told when the ring is open: whoever reads it may begin.  And whenever there is a socket to be kept for whoever records next (fd stays the
 * caller's; -1: there is none, or none but what was kept before). */
typedef void ready_fn(void *context, int fd);

/* Runs until a signal.  kept_fd: the socket of a run that ended before its time, which is taken over, or -1.  The code of *ret_verdict. */
int live_run(const struct options *options, int kept_fd, say_fn *say, ready_fn *ready,
	     void *context, struct verdict *ret_verdict);
