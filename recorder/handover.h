/* handover.h - one message with one descriptor, from one process to another (SCM_RIGHTS). */
#pragma once

/* Two ends of a channel that keeps messages apart.  0 or -errno; the caller closes both. */
int handover_open(int ret_ends[2]);

/* Sends a message; fd goes with it, or none when it is -1, and stays the caller's.  0 or -errno. */
int handover_send(int end, int fd);

/* Takes a message.
 * 0: *ret_fd came with it and is the caller's, or is -1; HANDOVER_NONE: nothing waits; HANDOVER_END: the other end is closed; -errno. */
enum { HANDOVER_NONE = 1, HANDOVER_END = 2 };
int handover_take(int end, int *ret_fd);
