/* notify.h - what procledgerd and systemd tell each other: sd_notify(3) and the descriptor store, without libsystemd.
 *
 * systemd keeps a descriptor for a service over its restart, so that what the kernel sends meanwhile waits in the socket.
 */
#pragma once

#include <sys/types.h>

#define NOTIFY_FD_NAME "connector"

/* Sends text to $NOTIFY_SOCKET, which is `socket` (NULL or "": nobody asked, nothing is done).  0 or -errno. */
int notify_send(const char *socket, const char *text);

/* Gives systemd a descriptor to keep under NOTIFY_FD_NAME, in the place of any that it has.  It is not to be watched: an overrun socket says
 * POLLERR, and systemd drops what does that.  fd stays the caller's.  0 or -errno. */
int notify_store(const char *socket, int fd);

/* The kept descriptor among those that systemd passed, which begin at first_fd (it is 3): listen_pid, listen_fds and listen_fdnames are the
 * variables of these names, NULL where there is none.  The descriptors with other names are closed.
 * The caller's, or -1: none was kept. */
int notify_take(const char *listen_pid, const char *listen_fds, const char *listen_fdnames,
		pid_t self, int first_fd);
