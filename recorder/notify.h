/* notify.h - what procledgerd and systemd tell each other: sd_notify(3) and the descriptor store, without libsystemd.
 *
 * systemd keeps a descriptor for a service over its restart, so that what the kernel sends meanwhile waits in the socket.
 */
#pragma once

#include <sys/types.h>

#include "recorder/handover.h"

/* Under which names they are kept. */
#define NOTIFY_FD_NAMES                        \
	{                                      \
		"connector", "connector-names" \
	}

/* Sends text to $NOTIFY_SOCKET, which is `socket` (NULL or "": nobody asked, nothing is done).  0 or -errno. */
int notify_send(const char *socket, const char *text);

/* Gives systemd descriptors to keep, in the place of those that it has under the same names.  They are not to be watched: an overrun socket says
 * POLLERR, and systemd drops what does that.  They stay the caller's.  0 or -errno. */
int notify_store(const char *socket, const struct kept *kept);

/* The kept descriptors among those that systemd passed, which begin at first_fd (it is 3): listen_pid, listen_fds and listen_fdnames are the
 * variables of these names, NULL where there is none.  Descriptors with other names are closed, and those that are not complete.
 * The caller's, or KEPT_NONE. */
struct kept notify_take(const char *listen_pid, const char *listen_fds, const char *listen_fdnames,
			pid_t self, int first_fd);
