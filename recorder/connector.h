/* connector.h - the kernel's proc connector: netlink sockets that get every process event of the machine.
 *
 * Any user can make a million COMM events a second, so these have a socket of their own, and cost FORK, EXEC and EXIT no room.  One datagram an event, numbered by the kernel before it is sent; what the socket has no room for is dropped and shows as a hole in
 * the numbers (gaps.h).  The kernel serves only the initial network, pid and user namespaces.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct connector;

enum {
	CONNECTOR_BUFFER_BYTES = 64
				 << 20, /* asked for; the kernel doubles it: some 160,000 events */
	CONNECTOR_NAMES_BUFFER_BYTES = 16 << 20,
	CONNECTOR_EXECS_BUFFER_BYTES = 1 << 20,
	CONNECTOR_ACK_MS = 1000,
};

/* Why there is no connector. */
enum {
	CONNECTOR_NO_PERMISSION = 1, /* CAP_NET_ADMIN is missing (kernels before 6.6) */
	CONNECTOR_NO_PROTOCOL = 2,   /* no such socket: a kernel without CONFIG_CONNECTOR */
	CONNECTOR_NO_LISTENER = 3, /* nobody at the other end: not the initial network namespace */
	CONNECTOR_NO_ACK = 4,      /* LISTEN was sent and not answered */
	CONNECTOR_REFUSED = 5,     /* LISTEN was answered with an error */
	CONNECTOR_OTHER_CLOCK = 6, /* the answer's time is not of our clock */
};

enum connector_lane {
	CONNECTOR_MAIN = 0,  /* everything but COMM */
	CONNECTOR_NAMES = 1, /* COMM */
	CONNECTOR_LANES = 2,
};

/* Opens the sockets of both lanes, makes their buffers large, subscribes, and waits until the kernel has acknowledged that.  Nothing that they
 * receive from then on is read here.  What happened before *ret_from_ns (CLOCK_MONOTONIC) may be in one of them and missing in the other.
 * 0; one of the above; -errno of anything else.  The caller closes both. */
int connector_open(struct connector *ret_connectors[CONNECTOR_LANES], uint64_t *ret_from_ns);

/* Opens a socket that gets nothing but the EXEC events of these CPUs, for as long as anybody is subscribed.  As connector_open(). */
int connector_open_execs(uint32_t first_cpu, uint32_t last_cpu, struct connector **ret_connector);

/* Goes on with the socket of a recorder that is no more: it is subscribed, and holds what has come since.  Takes fd over, also on failure.
 * 0; -EINVAL: it is not a socket of the connector; -errno. */
int connector_adopt(int fd, struct connector **ret_connector);
void connector_close(struct connector *connector); /* NULL does nothing; never says IGNORE */

/* The descriptor, for poll(2); the connector's own. */
int connector_fd(const struct connector *connector);

/* Receives what waits, straight into slots of slot_bytes each (always the same), at most count of them, from the one with the number first on:
 * ret_lengths[i] is the length of the datagram in slot first + i, 0 where the kernel was not its sender or it was longer than the slot (it is left out then, and its slot zeroed).
 * The number of slots used; 0: nothing waits; -errno. */
int connector_receive(struct connector *connector, uint8_t *slots, size_t slot_bytes, size_t first,
		      size_t count, uint32_t *ret_lengths);

enum { CONNECTOR_BATCH_MAX = 448 };

/* What the kernel says of the socket (SO_MEMINFO). */
struct connector_state {
	uint32_t buffer_bytes, queued_bytes;
	uint32_t drops; /* since it was opened */
};

/* 0 or -errno. */
int connector_read_state(const struct connector *connector, struct connector_state *ret_state);
