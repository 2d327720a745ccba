/* supervise.h - procledgerd's first process: starts the recorder and, once the ring is open, the projector; single-threaded.
 *
 * The projector may die as often as it likes: it is started again, with growing pauses, and recording does not notice.
 */
#pragma once

#include <stdbool.h>

#include "recorder/live.h"
#include "recorder/say.h"

enum { SUPERVISE_PAUSE_MIN_MS = 100, SUPERVISE_PAUSE_MAX_MS = 30000 };

struct supervise_setup {
	/* Runs in a child, where SIGTERM, SIGINT and SIGHUP are blocked; its result is the child's exit code.  ready is to be called once,
	 * with ready_context, when the projector may begin. */
	int (*record)(void *context, ready_fn *ready, void *ready_context);
	/* Runs in another child, the same way, until SIGTERM; NULL: there is no index. */
	int (*index)(void *context);
	void *context;
	bool index_counts; /* a projector that fails at the end makes the exit code VERDICT_FAILED */
	say_fn *say;
};

/* Runs until the recorder has ended and the projector after it.  SIGTERM, SIGINT and SIGHUP go to the recorder (as SIGTERM or SIGINT); when it has
 * ended, the projector is told by SIGTERM.  Another such signal then ends the projector at once.
 * The recorder's exit code; VERDICT_FAILED when it was killed or could not be started, or see index_counts. */
int supervise_run(const struct supervise_setup *setup);
