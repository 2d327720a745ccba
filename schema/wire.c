#include "schema/wire.h"

#include <errno.h>
#include <linux/netlink.h>

#include "schema/bytes.h"

enum {
	WIRE_DATA_OFFSET = WIRE_HEADER_BYTES + WIRE_EVENT_MIN_BYTES,
	WIRE_DATA_BYTES = WIRE_DATAGRAM_BYTES - WIRE_DATA_OFFSET,
};

struct header {
	uint32_t nlmsg_len;
	uint16_t nlmsg_type, nlmsg_flags;
	uint32_t nlmsg_seq, nlmsg_pid;
	uint32_t idx, val, seq, ack;
	uint16_t len, flags;
};

static const struct kind_row {
	uint32_t what;
	uint8_t kind;
} kind_rows[] = {
#define KIND(NAME, number, what, word, text) { (what), (number) },
#include "schema/event_kinds.h"
#undef KIND
};

enum { KIND_ROW_COUNT = sizeof(kind_rows) / sizeof(kind_rows[0]) };
#define WHAT_NONE 0xffffffffu

static uint8_t kind_from_what(uint32_t what)
{
	for (unsigned i = 0; i < KIND_ROW_COUNT && what != WHAT_NONE; i++)
		if (kind_rows[i].what == what)
			return kind_rows[i].kind;
	return EVENT_UNKNOWN;
}

static uint32_t what_from_kind(unsigned kind)
{
	for (unsigned i = 0; i < KIND_ROW_COUNT; i++)
		if (kind_rows[i].kind == kind)
			return kind_rows[i].what;
	return WHAT_NONE;
}

static struct header header_read(struct reader *r)
{
	struct header h;

	h.nlmsg_len = read_u32(r);
	h.nlmsg_type = read_u16(r);
	h.nlmsg_flags = read_u16(r);
	h.nlmsg_seq = read_u32(r);
	h.nlmsg_pid = read_u32(r);
	h.idx = read_u32(r);
	h.val = read_u32(r);
	h.seq = read_u32(r);
	h.ack = read_u32(r);
	h.len = read_u16(r);
	h.flags = read_u16(r);
	return h;
}

/* What a kind carries behind what, cpu and timestamp_ns (include/uapi/linux/cn_proc.h); the kernel's pid is our tid, its
 * tgid our pid.  Kernels before 4.18 leave out the parent of exit and coredump, which read as 0/0 then. */
static void data_read(struct reader *r, struct event *event)
{
	switch (event->kind) {
	case EVENT_NONE:
		event->arg[0] = read_u32(r);
		return;
	case EVENT_FORK:
		event->ptid = read_u32(r);
		event->ppid = read_u32(r);
		event->tid = read_u32(r);
		event->pid = read_u32(r);
		return;
	case EVENT_UNKNOWN:
		return;
	default:
		event->tid = read_u32(r);
		event->pid = read_u32(r);
	}
	if (event->kind == EVENT_UID || event->kind == EVENT_GID || event->kind == EVENT_EXIT) {
		event->arg[0] = read_u32(r);
		event->arg[1] = read_u32(r);
	} else if (event->kind == EVENT_PTRACE) {
		event->arg[1] = read_u32(r);
		event->arg[0] = read_u32(r);
	} else if (event->kind == EVENT_COMM) {
		const uint8_t *comm = read_bytes(r, EVENT_COMM_BYTES);

		if (comm)
			memcpy(event->comm, comm, EVENT_COMM_BYTES);
	}
	if ((event->kind == EVENT_EXIT || event->kind == EVENT_COREDUMP) && reader_left(r) >= 8) {
		event->ptid = read_u32(r);
		event->ppid = read_u32(r);
	}
}

/* How much of that there is at least. */
static size_t data_bytes(unsigned kind)
{
	switch (kind) {
	case EVENT_NONE:
		return 4;
	case EVENT_UNKNOWN:
		return 0;
	case EVENT_FORK:
	case EVENT_UID:
	case EVENT_GID:
	case EVENT_EXIT:
	case EVENT_PTRACE:
		return 16;
	case EVENT_COMM:
		return 8 + EVENT_COMM_BYTES;
	default:
		return 8;
	}
}

static void data_write(struct writer *w, const struct event *event)
{
	switch (event->kind) {
	case EVENT_NONE:
		write_u32(w, (uint32_t)event->arg[0]);
		return;
	case EVENT_FORK:
		write_u32(w, event->ptid);
		write_u32(w, event->ppid);
		write_u32(w, event->tid);
		write_u32(w, event->pid);
		return;
	default:
		write_u32(w, event->tid);
		write_u32(w, event->pid);
	}
	if (event->kind == EVENT_UID || event->kind == EVENT_GID || event->kind == EVENT_EXIT) {
		write_u32(w, (uint32_t)event->arg[0]);
		write_u32(w, (uint32_t)event->arg[1]);
	} else if (event->kind == EVENT_PTRACE) {
		write_u32(w, (uint32_t)event->arg[1]);
		write_u32(w, (uint32_t)event->arg[0]);
	} else if (event->kind == EVENT_COMM) {
		write_bytes(w, event->comm, EVENT_COMM_BYTES);
	}
	if (event->kind == EVENT_EXIT || event->kind == EVENT_COREDUMP) {
		write_u32(w, event->ptid);
		write_u32(w, event->ppid);
	}
}

/* The datagram of a kernel of today with these fields. */
static void datagram_write(const struct event *event, uint8_t out[WIRE_DATAGRAM_BYTES])
{
	struct writer w = writer_make(out, WIRE_DATAGRAM_BYTES);

	write_u32(&w, WIRE_DATAGRAM_BYTES);
	write_u16(&w,
		  NLMSG_DONE); /* what the connector sends with: drivers/connector/connector.c */
	write_u16(&w, 0);
	write_u32(&w, event->seq);
	write_u32(&w, 0);
	write_u32(&w, WIRE_CN_IDX_PROC);
	write_u32(&w, WIRE_CN_VAL_PROC);
	write_u32(&w, event->seq);
	write_u32(&w, event->kind == EVENT_NONE ? (uint32_t)event->arg[1] : 0);
	write_u16(&w, WIRE_DATAGRAM_BYTES - WIRE_HEADER_BYTES);
	write_u16(&w, 0);
	write_u32(&w, what_from_kind(event->kind));
	write_u32(&w, event->cpu);
	write_u64(&w, event->timestamp_ns);
	data_write(&w, event);
	memset(out + w.bytes, 0, WIRE_DATAGRAM_BYTES - w.bytes);
}

static bool bytes_are_zero(const uint8_t *data, size_t bytes)
{
	uint8_t any = 0;

	for (; bytes >= 8; data += 8, bytes -= 8) {
		le64 word;

		memcpy(&word, data, sizeof(word));
		if (le64_get(word) != 0)
			return false;
	}
	for (size_t i = 0; i < bytes; i++)
		any |= data[i];
	return any == 0;
}

/* Whether datagram_write() would make these very bytes of the event: then they need not be kept.  The fields that it takes from the event
 * were read out of them, so that what is left are those that it does not, and the bytes behind the last field. */
static bool is_ordinary(const struct header *h, const struct reader *r, unsigned kind, size_t bytes)
{
	return bytes == WIRE_DATAGRAM_BYTES && kind != EVENT_UNKNOWN &&
	       h->nlmsg_len == WIRE_DATAGRAM_BYTES && h->nlmsg_flags == 0 &&
	       h->nlmsg_seq == h->seq && h->nlmsg_pid == 0 && (h->ack == 0 || kind == EVENT_NONE) &&
	       h->len == WIRE_DATAGRAM_BYTES - WIRE_HEADER_BYTES && h->flags == 0 &&
	       bytes_are_zero(r->data + r->at, reader_left(r));
}

int wire_decode(const uint8_t *datagram, size_t bytes, struct event *ret_event)
{
	struct reader r = reader_make(datagram, bytes);
	struct header h = header_read(&r);
	uint32_t what;
	uint8_t kind;

	/* netlink rounds up what it sends to NLMSG_ALIGNTO, but not nlmsg_len */
	if (bytes < WIRE_NLMSG_BYTES || bytes > EVENT_RAW_MAX_BYTES || h.nlmsg_len > bytes ||
	    NLMSG_ALIGN(h.nlmsg_len) < bytes)
		return -EBADMSG;
	if (h.nlmsg_type != NLMSG_DONE)
		return WIRE_FOREIGN;
	if (h.nlmsg_len < WIRE_HEADER_BYTES || h.len > h.nlmsg_len - WIRE_HEADER_BYTES)
		return -EBADMSG;
	if (h.idx != WIRE_CN_IDX_PROC || h.val != WIRE_CN_VAL_PROC)
		return WIRE_FOREIGN;

	r = reader_make(datagram + WIRE_HEADER_BYTES, h.len);
	what = read_u32(&r);
	kind = kind_from_what(what);
	if (h.len < WIRE_EVENT_MIN_BYTES + data_bytes(kind))
		return -EBADMSG;
	/* Filled in where it is to be: copying what was just written by fields would wait for all of them. */
	*ret_event = (struct event){ .kind = kind, .seq = h.seq };
	ret_event->cpu = read_u32(&r);
	ret_event->timestamp_ns = read_u64(&r);
	data_read(&r, ret_event);
	if (kind == EVENT_NONE)
		ret_event->arg[1] = h.ack;
	else if (kind == EVENT_UNKNOWN)
		ret_event->arg[0] = what;
	if (!is_ordinary(&h, &r, kind, bytes)) {
		ret_event->raw = datagram;
		ret_event->raw_bytes = (uint32_t)bytes;
	}
	return 0;
}

int wire_encode(const struct event *event, uint8_t *out, size_t capacity, size_t *ret_bytes)
{
	if (event->kind >= EVENT_OWN_FIRST)
		return -EINVAL;
	if (event->raw_bytes == 0 && what_from_kind(event->kind) == WHAT_NONE)
		return -EINVAL;
	if (capacity < (event->raw_bytes > 0 ? event->raw_bytes : WIRE_DATAGRAM_BYTES))
		return -ENOSPC;
	if (event->raw_bytes > 0) {
		memcpy(out, event->raw, event->raw_bytes);
		*ret_bytes = event->raw_bytes;
		return 0;
	}
	datagram_write(event, out);
	*ret_bytes = WIRE_DATAGRAM_BYTES;
	return 0;
}

int wire_length(const uint8_t *stream, size_t available, size_t *ret_bytes)
{
	struct reader r = reader_make(stream, available);
	uint32_t nlmsg_len;
	size_t bytes;

	if (available < WIRE_NLMSG_BYTES) {
		*ret_bytes = WIRE_NLMSG_BYTES;
		return WIRE_MORE;
	}
	nlmsg_len = read_u32(&r);
	if (nlmsg_len < WIRE_NLMSG_BYTES || nlmsg_len > EVENT_RAW_MAX_BYTES)
		return -EBADMSG;
	bytes = NLMSG_ALIGN(nlmsg_len);
	*ret_bytes = bytes;
	return available < bytes ? WIRE_MORE : 0;
}
