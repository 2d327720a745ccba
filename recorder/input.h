/* input.h - records a captured stream of datagrams from a file or pipe. */
#pragma once

#include "recorder/live.h"
#include "recorder/options.h"
#include "recorder/say.h"

/* Reads options->input ("-": standard input) to its end.  Where it is cut short or holds something else, what stands before is recorded.
 * The code of *ret_verdict; VERDICT_OK: all of it is in the ring. */
int input_run(const struct options *options, say_fn *say, ready_fn *ready, void *context,
	      struct verdict *ret_verdict);
