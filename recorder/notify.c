#include "recorder/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "schema/cleanup.h"

enum { FDS_MAX = 64, TEXT_BYTES = 96 };

static int send_with(const char *socket_path, const char *text, int fd)
{
	auto_close int out = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct iovec vector = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_name = &address, .msg_iov = &vector, .msg_iovlen = 1 };
	size_t length = socket_path ? strlen(socket_path) : 0;

	if (length == 0)
		return 0;
	if (length >= sizeof(address.sun_path) || (socket_path[0] != '/' && socket_path[0] != '@'))
		return -EINVAL;
	memcpy(address.sun_path, socket_path, length);
	if (socket_path[0] == '@')
		address.sun_path[0] = '\0'; /* an abstract name, which has no end but its length */
	message.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (fd >= 0) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (out < 0)
		return -errno;
	return sendmsg(out, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int notify_send(const char *socket, const char *text)
{
	return send_with(socket, text, -1);
}

static const char *const fd_names[KEPT_FDS] = NOTIFY_FD_NAMES;

static int store_one(const char *socket, const char *name, int fd)
{
	char text[TEXT_BYTES];
	int r;

	(void)snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	r = send_with(socket, text, -1);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	return send_with(socket, text, fd);
}

int notify_store(const char *socket, const struct kept *kept)
{
	int r = 0;

	for (unsigned i = 0; i < KEPT_FDS && r == 0; i++)
		r = store_one(socket, fd_names[i], kept->fds[i]);
	return r;
}

/* A positive number and nothing else, or 0. */
static long number(const char *text)
{
	char *end = NULL;
	long value;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' ? value : 0;
}

/* Which of fd_names this is; KEPT_FDS: none. */
static unsigned name_find(const char *name, size_t length)
{
	unsigned i = 0;

	while (i < KEPT_FDS &&
	       (length != strlen(fd_names[i]) || memcmp(name, fd_names[i], length) != 0))
		i++;
	return i;
}

struct kept notify_take(const char *listen_pid, const char *listen_fds, const char *listen_fdnames,
			pid_t self, int first_fd)
{
	long count = number(listen_fds);
	const char *name = listen_fdnames ? listen_fdnames : "";
	struct kept kept = KEPT_NONE;
	bool complete = true;

	if (number(listen_pid) != self || count > FDS_MAX)
		return kept;
	for (int fd = first_fd; fd < first_fd + count; fd++) {
		size_t length = strcspn(name, ":");
		unsigned i = name_find(name, length);

		if (i < KEPT_FDS && kept.fds[i] < 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
			kept.fds[i] = fd;
		else
			(void)close(fd);
		name += length + (name[length] == ':');
	}
	for (unsigned i = 0; i < KEPT_FDS; i++)
		complete = complete && kept.fds[i] >= 0;
	if (!complete)
		kept_close(&kept);
	return kept;
}
