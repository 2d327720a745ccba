#include "recorder/connector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/event.h"
#include "schema/wire.h"

enum {
	GROUP_PROC = 1u << (WIRE_CN_IDX_PROC - 1),
	OP_LISTEN = 1, /* PROC_CN_MCAST_LISTEN */
	LISTEN_BYTES = WIRE_HEADER_BYTES + sizeof(uint32_t),
	WHAT_OFFSET = WIRE_HEADER_BYTES,
	CPU_OFFSET = WIRE_HEADER_BYTES + sizeof(uint32_t),
};

#define NS_PER_MS UINT64_C(1000000)

struct connector {
	struct mnl_socket *socket;
	int fd;
	const uint8_t *prepared_slots; /* what messages point at */
	struct mmsghdr messages[CONNECTOR_BATCH_MAX];
	struct iovec vectors[CONNECTOR_BATCH_MAX];
	struct sockaddr_nl senders[CONNECTOR_BATCH_MAX];
};

static void cleanup_socket(struct mnl_socket **socket)
{
	if (*socket)
		(void)mnl_socket_close(*socket);
}

#define auto_socket __attribute__((cleanup(cleanup_socket)))

/* Joins the group of proc events.  0, CONNECTOR_NO_PERMISSION or -errno. */
static int socket_join(struct mnl_socket *socket)
{
	if (mnl_socket_bind(socket, GROUP_PROC, MNL_SOCKET_AUTOPID) == 0)
		return 0;
	return errno == EPERM ? CONNECTOR_NO_PERMISSION : -errno;
}

static int socket_make(struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket =
		mnl_socket_open2(NETLINK_CONNECTOR, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (!socket && errno == EPROTONOSUPPORT)
		return CONNECTOR_NO_PROTOCOL;
	if (!socket && errno == EPERM)
		return CONNECTOR_NO_PERMISSION;
	if (!socket)
		return -errno;
	*ret_socket = socket;
	return 0;
}

/* SO_RCVBUFFORCE takes CAP_NET_ADMIN; without it the limit of the machine counts.  And no ENOBUFS: with it the kernel refuses everything from
 * the first overrun until the queue is read empty, while the numbers tell of every loss anyway. */
static void socket_widen(const struct mnl_socket *socket, int bytes)
{
	int fd = mnl_socket_get_fd(socket), on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
}

static int socket_filter(const struct mnl_socket *socket, struct sock_filter *code, size_t count)
{
	struct sock_fprog program = { .len = (unsigned short)count, .filter = code };

	return setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program)) < 0
		       ? -errno
		       : 0;
}

#define CODE_COUNT(code) (sizeof(code) / sizeof((code)[0]))

/* Lets answers to control messages through and no events, so that the answer cannot drown. */
static int socket_only_acks(const struct mnl_socket *socket)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WHAT_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), /* NONE */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return socket_filter(socket, code, CODE_COUNT(code));
}

/* Lets COMM through, or everything else: answers to control messages too. */
static int socket_only_names(const struct mnl_socket *socket, bool names)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WHAT_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WIRE_WHAT_COMM), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, names ? UINT32_MAX : 0),
		BPF_STMT(BPF_RET | BPF_K, names ? 0 : UINT32_MAX),
	};

	return socket_filter(socket, code, CODE_COUNT(code));
}

/* Lets EXEC of these CPUs through.  A filter loads words with the highest byte first, and the kernel writes them with the lowest first: the
 * cpu, which is below 65536, is put together from its bytes. */
static int socket_only_execs(const struct mnl_socket *socket, uint32_t first_cpu, uint32_t last_cpu)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WHAT_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(WIRE_WHAT_EXEC), 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, CPU_OFFSET + 1),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 8),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, CPU_OFFSET),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first_cpu, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last_cpu, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return socket_filter(socket, code, CODE_COUNT(code));
}

/* Always the form of 4 bytes: older kernels ignore the longer one of 6.6, and here it means every kind. */
static int listen_send(const struct mnl_socket *socket, uint32_t ack)
{
	uint8_t message[LISTEN_BYTES];
	struct writer w = writer_make(message, sizeof(message));

	write_u32(&w, LISTEN_BYTES);
	write_u16(&w, NLMSG_DONE);
	write_u16(&w, 0);
	write_u32(&w, 0);
	write_u32(&w, mnl_socket_get_portid(socket));
	write_u32(&w, WIRE_CN_IDX_PROC);
	write_u32(&w, WIRE_CN_VAL_PROC);
	write_u32(&w, 0);
	write_u32(&w, ack);
	write_u16(&w, sizeof(uint32_t));
	write_u16(&w, 0);
	write_u32(&w, OP_LISTEN);
	if (mnl_socket_sendto(socket, message, sizeof(message)) >= 0)
		return 0;
	if (errno == ECONNREFUSED)
		return CONNECTOR_NO_LISTENER;
	return errno == EPERM ? CONNECTOR_NO_PERMISSION : -errno;
}

/* The kernel's clock is that of the initial time namespace; who is in another would take all events for those of another time.
 * 0 or CONNECTOR_OTHER_CLOCK. */
static int ack_time(const struct event *answer, uint64_t sent_ns)
{
	return answer->timestamp_ns >= sent_ns && answer->timestamp_ns <= clock_monotonic_ns()
		       ? 0
		       : CONNECTOR_OTHER_CLOCK;
}

/* 0: the answer to our LISTEN, sent at sent_ns, has come; CONNECTOR_NO_ACK: nothing (more) waits; CONNECTOR_REFUSED,
 * CONNECTOR_OTHER_CLOCK. */
static int ack_take(const struct mnl_socket *witness, uint32_t ack, uint64_t sent_ns)
{
	uint8_t datagram[EVENT_RAW_MAX_BYTES];
	struct sockaddr_nl sender = { 0 };
	socklen_t sender_bytes = sizeof(sender);
	struct event event;
	ssize_t n;

	while ((n = recvfrom(mnl_socket_get_fd(witness), datagram, sizeof(datagram), MSG_DONTWAIT,
			     (struct sockaddr *)&sender, &sender_bytes)) > 0) {
		if (sender.nl_pid == 0 && wire_decode(datagram, (size_t)n, &event) == 0 &&
		    event.kind == EVENT_NONE && (uint32_t)event.arg[1] == ack + 1)
			return event.arg[0] == 0 ? ack_time(&event, sent_ns) : CONNECTOR_REFUSED;
		sender_bytes = sizeof(sender);
	}
	return CONNECTOR_NO_ACK;
}

static int ack_wait(const struct mnl_socket *witness, uint32_t ack, uint64_t sent_ns)
{
	const uint64_t until_ns = clock_monotonic_ns() + CONNECTOR_ACK_MS * NS_PER_MS;

	for (;;) {
		struct pollfd wait = { .fd = mnl_socket_get_fd(witness), .events = POLLIN };
		int r = ack_take(witness, ack, sent_ns);
		uint64_t now_ns = clock_monotonic_ns();

		if (r != CONNECTOR_NO_ACK || now_ns >= until_ns)
			return r;
		if (poll(&wait, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1) < 0 &&
		    errno != EINTR)
			return -errno;
	}
}

/* Subscribes everybody who has joined.  The answer is multicast, so a witness can wait for it: of the others nothing is read, and no event
 * behind LISTEN is lost. */
static int socket_subscribe(const struct mnl_socket *socket)
{
	auto_socket struct mnl_socket *witness = NULL;
	uint64_t sent_ns;
	uint32_t ack;
	int r = socket_make(&witness);

	if (r == 0)
		r = socket_only_acks(witness);
	if (r == 0)
		r = socket_join(witness);
	if (r == 0 && getrandom(&ack, sizeof(ack), 0) != (ssize_t)sizeof(ack))
		r = -errno;
	sent_ns = clock_monotonic_ns();
	if (r == 0)
		r = listen_send(socket, ack);
	return r == 0 ? ack_wait(witness, ack, sent_ns) : r;
}

/* Takes the socket over, also on failure. */
static int connector_make(struct mnl_socket *socket, struct connector **ret_connector)
{
	struct connector *connector = calloc(1, sizeof(*connector));

	if (!connector) {
		(void)mnl_socket_close(socket);
		return -ENOMEM;
	}
	connector->fd = mnl_socket_get_fd(socket);
	connector->socket = socket;
	*ret_connector = connector;
	return 0;
}

/* A socket of a lane, joined: the filter goes first, for whoever has joined gets everything. */
static int lane_open(enum connector_lane lane, struct mnl_socket **ret_socket)
{
	auto_socket struct mnl_socket *socket = NULL;
	int r = socket_make(&socket);

	if (r != 0)
		return r;
	socket_widen(socket, lane == CONNECTOR_NAMES ? CONNECTOR_NAMES_BUFFER_BYTES
						     : CONNECTOR_BUFFER_BYTES);
	r = socket_only_names(socket, lane == CONNECTOR_NAMES);
	if (r == 0)
		r = socket_join(socket);
	if (r == 0)
		*ret_socket = steal_pointer(socket);
	return r;
}

int connector_open(struct connector *ret_connectors[CONNECTOR_LANES], uint64_t *ret_from_ns)
{
	auto_socket struct mnl_socket *main = NULL, *names = NULL;
	struct connector *connectors[CONNECTOR_LANES];
	uint64_t from_ns;
	int r = lane_open(CONNECTOR_MAIN, &main);

	if (r == 0)
		r = lane_open(CONNECTOR_NAMES, &names);
	from_ns = clock_monotonic_ns();
	if (r == 0)
		r = socket_subscribe(main);
	if (r == 0)
		r = connector_make(steal_pointer(main), &connectors[CONNECTOR_MAIN]);
	if (r != 0)
		return r;
	r = connector_make(steal_pointer(names), &connectors[CONNECTOR_NAMES]);
	if (r != 0) {
		connector_close(connectors[CONNECTOR_MAIN]);
		return r;
	}
	memcpy(ret_connectors, connectors, sizeof(connectors));
	*ret_from_ns = from_ns;
	return 0;
}

int connector_open_execs(uint32_t first_cpu, uint32_t last_cpu, struct connector **ret_connector)
{
	auto_socket struct mnl_socket *socket = NULL;
	int r = socket_make(&socket);

	if (r != 0)
		return r;
	socket_widen(socket, CONNECTOR_EXECS_BUFFER_BYTES);
	/* The filter first: whoever has joined gets everything. */
	r = socket_only_execs(socket, first_cpu, last_cpu);
	if (r == 0)
		r = socket_join(socket);
	return r == 0 ? connector_make(steal_pointer(socket), ret_connector) : r;
}

int connector_adopt(int fd, struct connector **ret_connector)
{
	int domain = 0, protocol = 0;
	socklen_t domain_bytes = sizeof(domain), protocol_bytes = sizeof(protocol);
	struct mnl_socket *socket;
	int r = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_bytes) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &protocol_bytes) < 0)
		r = -errno;
	else if (domain != AF_NETLINK || protocol != NETLINK_CONNECTOR)
		r = -EINVAL;
	socket = r == 0 ? mnl_socket_fdopen(fd) : NULL;
	if (r == 0 && !socket)
		r = -errno;
	if (r == 0)
		return connector_make(socket, ret_connector);
	(void)close(fd);
	return r;
}

void connector_close(struct connector *connector)
{
	if (!connector)
		return;
	(void)mnl_socket_close(connector->socket);
	free(connector);
}

int connector_fd(const struct connector *connector)
{
	return connector->fd;
}

static void messages_prepare(struct connector *connector, uint8_t *slots, size_t slot_bytes)
{
	for (size_t i = 0; i < CONNECTOR_BATCH_MAX; i++) {
		connector->vectors[i] =
			(struct iovec){ .iov_base = slots + i * slot_bytes, .iov_len = slot_bytes };
		connector->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &connector->senders[i],
			.msg_namelen = sizeof(connector->senders[i]),
			.msg_iov = &connector->vectors[i],
			.msg_iovlen = 1,
		};
	}
	connector->prepared_slots = slots;
}

/* The length of what came as number i; makes its message ready for the next time. */
static uint32_t message_take(struct connector *connector, size_t i, uint8_t *slot,
			     size_t slot_bytes)
{
	struct mmsghdr *message = &connector->messages[i];
	bool usable =
		connector->senders[i].nl_pid == 0 && !(message->msg_hdr.msg_flags & MSG_TRUNC);

	message->msg_hdr.msg_namelen = sizeof(connector->senders[i]);
	if (usable)
		return message->msg_len;
	memset(slot, 0, slot_bytes);
	return 0;
}

int connector_receive(struct connector *connector, uint8_t *slots, size_t slot_bytes, size_t first,
		      size_t count, uint32_t *ret_lengths)
{
	int n;

	if (count > CONNECTOR_BATCH_MAX - first)
		count = CONNECTOR_BATCH_MAX - first;
	/* Once: 40 KB of headers would be written for a handful of events each time. */
	if (connector->prepared_slots != slots)
		messages_prepare(connector, slots, slot_bytes);
	n = recvmmsg(connector->fd, connector->messages + first, (unsigned)count, MSG_DONTWAIT,
		     NULL);
	/* ENOBUFS is of kernels that do not know NETLINK_NO_ENOBUFS; like want of memory it is no reason to end. */
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM
			       ? 0
			       : -errno;
	for (size_t i = 0; i < (size_t)n; i++)
		ret_lengths[i] = message_take(connector, first + i,
					      slots + (first + i) * slot_bytes, slot_bytes);
	return n;
}

int connector_read_state(const struct connector *connector, struct connector_state *ret_state)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t bytes = sizeof(info);

	if (getsockopt(connector->fd, SOL_SOCKET, SO_MEMINFO, info, &bytes) < 0)
		return -errno;
	*ret_state = (struct connector_state){
		.buffer_bytes = info[SK_MEMINFO_RCVBUF],
		.queued_bytes = info[SK_MEMINFO_RMEM_ALLOC],
		.drops = info[SK_MEMINFO_DROPS],
	};
	return 0;
}
