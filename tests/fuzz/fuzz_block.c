/* fuzz_block.c - the payload of a slot, below its CRC: what is unpacked must be the same after packing and unpacking again.
 *
 * Two bytes are the number of events that the header of the slot would give: few, since many take long.  Where their top bit is set the rest is
 * a payload as it is.  Else it is columns, a u8 number and a le16 length before the bytes of each, and the directory is made for them:
 * few directories that are made by chance add up.
 */
#include <assert.h>
#include <string.h>

#include "schema/block.h"
#include "schema/bytes.h"
#include "schema/ring_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void same(const struct event *a, const struct event *b)
{
	assert(a->event_no == b->event_no && a->kind == b->kind && a->cpu == b->cpu);
	assert(a->timestamp_ns == b->timestamp_ns && a->seq == b->seq);
	assert(a->pid == b->pid && a->tid == b->tid && a->ppid == b->ppid && a->ptid == b->ptid);
	assert(memcmp(a->arg, b->arg, sizeof(a->arg)) == 0);
	assert(memcmp(a->comm, b->comm, sizeof(a->comm)) == 0);
	assert(a->raw_bytes == b->raw_bytes && a->detail_bytes == b->detail_bytes);
}

static void again(const struct block *first)
{
	static uint8_t out[RING_PAYLOAD_MAX_BYTES];
	static struct block_packer *packer; /* kept: making these takes longer than using them */
	static struct block *second;
	size_t count, back_count, bytes, raw_bytes, keyframe_bytes;
	const struct event *events = block_events(first, &count), *back;
	const uint8_t *keyframe = block_keyframe(first, &keyframe_bytes);

	if (!packer)
		packer = block_packer_new();
	if (!second)
		second = block_new();
	assert(packer && second);
	if (block_pack(packer, events, count, keyframe, keyframe_bytes, out, sizeof(out), &bytes,
		       &raw_bytes) != 0)
		return;
	assert(block_unpack(second, out, bytes, 1000, count) == 0);
	back = block_events(second, &back_count);
	assert(back_count == count);
	for (size_t i = 0; i < count; i++)
		same(&events[i], &back[i]);
}

/* Columns, none of them compressed, as a payload. */
static size_t payload_make(const uint8_t *data, size_t bytes, uint8_t *out, size_t capacity)
{
	enum { COLUMNS_MAX = 128 };
	struct {
		uint8_t number;
		size_t bytes;
		const uint8_t *data;
	} column[COLUMNS_MAX];
	struct reader reader = reader_make(data, bytes);
	struct writer writer = writer_make(out, capacity);
	uint16_t count = 0;

	for (; count < COLUMNS_MAX && reader_left(&reader) > 3; count++) {
		size_t left;

		column[count].number = read_u8(&reader);
		column[count].bytes = read_u16(&reader);
		left = reader_left(&reader);
		if (column[count].bytes > left)
			column[count].bytes = left;
		column[count].data = read_bytes(&reader, column[count].bytes);
	}
	write_u16(&writer, count);
	write_u16(&writer, 0);
	for (unsigned i = 0; i < count; i++) {
		write_u32(&writer, column[i].number);
		write_u32(&writer, (uint32_t)column[i].bytes);
		write_u32(&writer, (uint32_t)column[i].bytes);
	}
	for (unsigned i = 0; i < count; i++)
		write_bytes(&writer, column[i].data, column[i].bytes);
	return writer.bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static uint8_t made[RING_PAYLOAD_MAX_BYTES];
	static struct block *block;
	const uint8_t *payload = data + 2;
	size_t payload_bytes = bytes - 2, count;

	if (!block)
		block = block_new();
	assert(block);
	if (bytes < 2)
		return 0;
	count = data[0] | (data[1] & 3u) << 8;
	if (!(data[1] & 0x80)) {
		payload_bytes = payload_make(data + 2, bytes - 2, made, sizeof(made));
		payload = made;
	}
	if (block_unpack(block, payload, payload_bytes, 1000, count) == 0)
		again(block);
	return 0;
}
