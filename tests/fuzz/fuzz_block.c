/* fuzz_block.c - the payload of a slot, below its CRC: what is unpacked must be the same after packing and unpacking again. */
#include <assert.h>
#include <string.h>

#include "schema/block.h"
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

/* The first two bytes are the number of events that the header of the slot would give: few, since many take long. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct block *block;

	if (!block)
		block = block_new();
	assert(block);
	if (bytes >= 2 &&
	    block_unpack(block, data + 2, bytes - 2, 1000, data[0] | (data[1] & 3u) << 8) == 0)
		again(block);
	return 0;
}
