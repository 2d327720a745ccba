#include "recorder/overtaken.h"

#include "schema/bytes.h"
#include "schema/detail.h"
#include "schema/wire.h"

enum {
	WHAT_OFFSET = WIRE_HEADER_BYTES,
	TID_OFFSET = WIRE_HEADER_BYTES + WIRE_EVENT_MIN_BYTES,
	PID_OFFSET = TID_OFFSET + 4,
	LOOK_BYTES = PID_OFFSET + 4,
};

/* The kernel's values of schema/event_kinds.h. */
enum { WHAT_EXEC = 0x2, WHAT_UID = 0x4, WHAT_GID = 0x40, WHAT_COMM = 0x200 };

static uint32_t u32_at(const uint8_t *bytes)
{
	le32 v;

	memcpy(&v, bytes, sizeof(v));
	return le32_get(v);
}

static uint32_t fields_of(uint32_t what, uint32_t tid, uint32_t pid)
{
	switch (what) {
	case WHAT_EXEC:
		return (1u << DETAIL_TAG_LIMIT) - 1;
	case WHAT_UID:
	case WHAT_GID:
		return tid == pid ? 1u << DETAIL_IDS : 0;
	case WHAT_COMM:
		return tid == pid ? 1u << DETAIL_COMM : 0;
	default:
		return 0;
	}
}

uint32_t overtaken_fields(const struct overtaken_batch *batch, size_t at)
{
	const uint8_t *exec = batch->slots + at * batch->slot_bytes, *later = exec;
	uint32_t fields = 0, pid;

	if (batch->lengths[at] < LOOK_BYTES || u32_at(exec + WHAT_OFFSET) != WHAT_EXEC)
		return 0;
	pid = u32_at(exec + PID_OFFSET);
	for (size_t i = at + 1; i < batch->count; i++) {
		later += batch->slot_bytes;
		if (batch->lengths[i] >= LOOK_BYTES && u32_at(later + PID_OFFSET) == pid)
			fields |= fields_of(u32_at(later + WHAT_OFFSET), u32_at(later + TID_OFFSET),
					    pid);
	}
	return fields;
}
