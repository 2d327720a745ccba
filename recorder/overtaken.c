#include "recorder/overtaken.h"

#include "schema/bytes.h"
#include "schema/detail.h"
#include "schema/wire.h"

enum {
	WHAT_OFFSET = WIRE_HEADER_BYTES,
	TIME_OFFSET = WHAT_OFFSET + 8,
	TID_OFFSET = WIRE_HEADER_BYTES + WIRE_EVENT_MIN_BYTES,
	PID_OFFSET = TID_OFFSET + 4,
	CHILD_TID_OFFSET = PID_OFFSET + 4, /* of a FORK: before it stands the parent */
	CHILD_PID_OFFSET = CHILD_TID_OFFSET + 4,
	LOOK_BYTES = PID_OFFSET + 4,
	LOOK_FORK_BYTES = CHILD_PID_OFFSET + 4,
};

#define ALL_FIELDS ((1u << DETAIL_TAG_LIMIT) - 1)

static uint32_t u32_at(const uint8_t *bytes)
{
	le32 v;

	memcpy(&v, bytes, sizeof(v));
	return le32_get(v);
}

static uint64_t u64_at(const uint8_t *bytes)
{
	le64 v;

	memcpy(&v, bytes, sizeof(v));
	return le64_get(v);
}

static uint32_t fields_of(uint32_t what, uint32_t tid, uint32_t pid)
{
	switch (what) {
	case WIRE_WHAT_EXEC:
		return ALL_FIELDS;
	case WIRE_WHAT_UID:
	case WIRE_WHAT_GID:
		return tid == pid ? 1u << DETAIL_IDS : 0;
	case WIRE_WHAT_COMM:
		return tid == pid ? 1u << DETAIL_COMM : 0;
	default:
		return 0;
	}
}

/* What a datagram that is of the time in question says of that process. */
static uint32_t datagram_fields(const uint8_t *datagram, uint32_t bytes, uint32_t pid)
{
	uint32_t what = u32_at(datagram + WHAT_OFFSET);

	if (what != WIRE_WHAT_FORK)
		return u32_at(datagram + PID_OFFSET) == pid
			       ? fields_of(what, u32_at(datagram + TID_OFFSET), pid)
			       : 0;
	/* Its number was given to another. */
	return bytes >= LOOK_FORK_BYTES && u32_at(datagram + CHILD_PID_OFFSET) == pid &&
			       u32_at(datagram + CHILD_TID_OFFSET) == pid
		       ? ALL_FIELDS
		       : 0;
}

static uint32_t batch_fields(const struct overtaken_batch *batch, const struct event *exec,
			     uint64_t read_ns)
{
	uint32_t fields = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const uint8_t *other = batch->slots + i * batch->slot_bytes;
		uint64_t time_ns;

		if (batch->lengths[i] < LOOK_BYTES)
			continue;
		time_ns = u64_at(other + TIME_OFFSET);
		if (time_ns > exec->timestamp_ns && time_ns <= read_ns)
			fields |= datagram_fields(other, batch->lengths[i], exec->pid);
	}
	return fields;
}

uint32_t overtaken_fields(const struct overtaken_batch *batch, const struct event *exec,
			  uint64_t read_ns)
{
	uint32_t fields = 0;

	for (; batch; batch = batch->next)
		fields |= batch_fields(batch, exec, read_ns);
	return fields;
}

bool overtaken_known(const struct overtaken_batch *batch, const struct event *exec,
		     uint64_t read_ns)
{
	if (read_ns != UINT64_MAX && read_ns <= exec->timestamp_ns + OVERTAKEN_SOON_NS)
		return true;
	for (; batch; batch = batch->next)
		if (read_ns == UINT64_MAX ? !batch->empty : batch->clear_ns < read_ns)
			return false;
	return true;
}
