/* handover.h - one message with the descriptors that outlive a recorder, from one process to another (SCM_RIGHTS). */
#pragma once

#include <stdbool.h>

enum { KEPT_FDS = 2 };

/* The sockets of both lanes: all of them, or none (-1). */
struct kept {
	int fds[KEPT_FDS];
};

#define KEPT_NONE ((struct kept){ .fds = { -1, -1 } })

static inline bool kept_any(const struct kept *kept)
{
	return kept->fds[0] >= 0;
}

/* Closes what there is, and makes it KEPT_NONE. */
void kept_close(struct kept *kept);

/* Two ends of a channel that keeps messages apart.  0 or -errno; the caller closes both. */
int handover_open(int ret_ends[2]);

/* Sends a message; the descriptors go with it, if there are any, and stay the caller's.  0 or -errno. */
int handover_send(int end, const struct kept *kept);

/* Takes a message.
 * 0: *ret_kept came with it and is the caller's, or is KEPT_NONE; HANDOVER_NONE: nothing waits; HANDOVER_END: the other end is closed; -errno. */
enum { HANDOVER_NONE = 1, HANDOVER_END = 2 };
int handover_take(int end, struct kept *ret_kept);
