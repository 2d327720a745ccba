#include "recorder/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * KEPT_FDS)];
};

void kept_close(struct kept *kept)
{
	for (unsigned i = 0; i < KEPT_FDS; i++)
		if (kept->fds[i] >= 0)
			(void)close(kept->fds[i]);
	*kept = KEPT_NONE;
}

int handover_open(int ret_ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0 ? -errno : 0;
}

int handover_send(int end, const struct kept *kept)
{
	char byte = 1;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	union control control = { 0 };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
	struct cmsghdr *header;

	if (kept_any(kept)) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(kept->fds));
		memcpy(CMSG_DATA(header), kept->fds, sizeof(kept->fds));
	}
	return sendmsg(end, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int handover_take(int end, struct kept *ret_kept)
{
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	union control control = { 0 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(end, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *header;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? HANDOVER_NONE : -errno;
	if (n == 0)
		return HANDOVER_END;
	*ret_kept = KEPT_NONE;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(ret_kept->fds)))
		memcpy(ret_kept->fds, CMSG_DATA(header), sizeof(ret_kept->fds));
	return 0;
}
