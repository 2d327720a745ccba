/* index_keeper.h - the projector as a process: keeps index.db up with the ring until SIGTERM, then catches up and ends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "recorder/say.h"

struct index_keeper_setup {
	const char *store, *ring_path, *index_path;
	/* After SIGTERM: how long to go on catching up.  UINT64_MAX: to the end, however long it takes. */
	uint64_t catch_up_ns;
	say_fn *say;
};

/* SIGTERM, SIGINT and SIGHUP are blocked by the caller; SIGTERM alone counts.  While the index cannot be written it says so once and tries again.
 * VERDICT_OK: the index has all that was in the ring, or catching up took too long (which is said);
 * VERDICT_FAILED: it could not be written (which is said). */
int index_keeper_run(const struct index_keeper_setup *setup);
