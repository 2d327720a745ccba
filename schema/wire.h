/* wire.h - proc connector datagrams to events and back.  Bytes in, facts out: no I/O.
 *
 * A datagram is nlmsghdr (16 bytes), cn_msg (20), proc_event (16 and what the kind needs; 40 today), in host order as the
 * kernel of a little-endian machine sends it: include/uapi/linux/{netlink,connector,cn_proc}.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"

enum {
	WIRE_NLMSG_BYTES = 16,
	WIRE_CN_BYTES = 20,
	WIRE_HEADER_BYTES = 36,    /* nlmsghdr and cn_msg */
	WIRE_EVENT_MIN_BYTES = 16, /* what, cpu, timestamp_ns */
	WIRE_DATAGRAM_BYTES = 76,  /* what kernels 3.2 .. 6.18 send */
	WIRE_CN_IDX_PROC = 1,
	WIRE_CN_VAL_PROC = 1,
};

/* The kernel's numbers of schema/event_kinds.h that are looked for without decoding. */
enum {
	WIRE_WHAT_FORK = 0x1,
	WIRE_WHAT_EXEC = 0x2,
	WIRE_WHAT_UID = 0x4,
	WIRE_WHAT_GID = 0x40,
	WIRE_WHAT_COMM = 0x200,
};

enum { WIRE_FOREIGN = 1 };

/* Decodes one datagram of `bytes` bytes: its nlmsg_len, or that rounded up to 4 as netlink sends it.  event_no stays 0.
 * ret_event->raw points at datagram when the fields alone would not give the same bytes back: kinds that are not known, lengths
 * or header fields out of the ordinary.
 * 0; WIRE_FOREIGN: well formed, not of the proc connector; -EBADMSG: too short for what it says, or longer than EVENT_RAW_MAX_BYTES. */
int wire_decode(const uint8_t *datagram, size_t bytes, struct event *ret_event);

/* Writes the datagram of a kernel event as it came; capacity of EVENT_RAW_MAX_BYTES is always enough.
 * 0; -EINVAL for a kind of the recorder's own, or one without a datagram; -ENOSPC: capacity is too small. */
int wire_encode(const struct event *event, uint8_t *out, size_t capacity, size_t *ret_bytes);

/* The length of the datagram at the front of a stream of which `available` bytes are there: its nlmsg_len, rounded up to 4.
 * 0 and *ret_bytes; WIRE_MORE: the stream must give *ret_bytes bytes first; -EBADMSG: this is no datagram.
 * At the end of a stream whose writer left out the last padding, what is left can be given to wire_decode() as it is. */
enum { WIRE_MORE = 2 };
int wire_length(const uint8_t *stream, size_t available, size_t *ret_bytes);
