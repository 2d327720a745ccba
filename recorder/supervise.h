/* supervise.h - procledgerd's first process: starts the recorder and, once the ring is open, the projector; single-threaded.
 *
 * Either may die as often as it likes.  The projector is started again, with growing pauses, and recording does not notice.  The recorder
 * hands its sockets over when it is ready: what the kernel sends waits in there for the next one, which is started at once.
 */
#pragma once

#include <stdbool.h>

#include "recorder/live.h"
#include "recorder/say.h"

enum {
	SUPERVISE_PAUSE_MIN_MS = 100,
	SUPERVISE_PAUSE_MAX_MS = 30000,
	SUPERVISE_RECORDER_PAUSE_MAX_MS = 1000,
};

struct supervise_setup {
	/* Runs in a child, where SIGTERM, SIGINT and SIGHUP are blocked; its result is the child's exit code.  kept is what another one has
	 * handed over, the child's, or KEPT_NONE.  ready is to be called, with ready_context, when the projector may begin, and again when
	 * there are others to be kept. */
	int (*record)(void *context, const struct kept *kept, ready_fn *ready, void *ready_context);
	/* Runs in another child, the same way, until SIGTERM; NULL: there is no index. */
	int (*index)(void *context);
	void *context;
	struct kept
		kept; /* what an earlier run has left with systemd, or KEPT_NONE; closed in the end */
	const char *notify_socket; /* for notify_send() */
	bool index_counts; /* a projector that fails at the end makes the exit code VERDICT_FAILED */
	say_fn *say;
};

/* Runs until the recorder has ended and the projector after it.  A recorder that dies or fails once its sockets are kept is started again: at once, or
 * after a pause where it came to nothing.  SIGTERM, SIGINT and SIGHUP go to the recorder (as SIGTERM or SIGINT), which then is the last; when it
 * has ended, the projector is told by SIGTERM.  Another such signal then ends the projector at once.
 * The last recorder's exit code; VERDICT_FAILED when it was killed or could not be started, or see index_counts. */
int supervise_run(const struct supervise_setup *setup);
