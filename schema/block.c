#include "schema/block.h"

#include <string.h>

#include "schema/block_core.h"

/* --- packing --- */

enum { DEFLATE_LEVEL = 1 }; /* the next ones take 1 % off the size for 10 % of the time */

struct block_packer {
	struct coder coder;
	struct libdeflate_compressor *deflater;
	struct string_slot string_slots[STRING_SLOTS];
};

struct block_packer *block_packer_new(void)
{
	struct block_packer *packer = calloc(1, sizeof(*packer));

	if (!packer)
		return NULL;
	packer->coder.string_slots = packer->string_slots;
	packer->deflater = libdeflate_alloc_compressor(DEFLATE_LEVEL);
	if (!packer->deflater) {
		block_packer_free(packer);
		return NULL;
	}
	return packer;
}

void block_packer_free(struct block_packer *packer)
{
	if (!packer)
		return;
	libdeflate_free_compressor(packer->deflater);
	for (unsigned i = 0; i < COLUMN_LIMIT; i++)
		free(packer->coder.lane[i].data);
	free(packer);
}

/* NOLINTNEXTLINE(readability-function-size): two inputs, a buffer and two results take nine parameters */
int block_pack(struct block_packer *packer, const struct event *events, size_t count,
	       const uint8_t *keyframe, size_t keyframe_bytes, uint8_t *out, size_t capacity,
	       size_t *ret_bytes, size_t *ret_raw_bytes)
{
	struct coder *c = &packer->coder;
	int r;

	if (count > BLOCK_EVENTS_MAX)
		return -EINVAL;
	if (keyframe_bytes > capacity)
		return BLOCK_FULL;
	coder_reset(c);
	memset(packer->string_slots, 0, sizeof(packer->string_slots));
	lane_put(c, &c->lane[COLUMN_KEYFRAME], keyframe, keyframe_bytes);
	r = coder_pack(c, events, count);
	if (r != 0)
		return r;
	return columns_pack(packer->deflater, c->lane, out, capacity, ret_bytes, ret_raw_bytes);
}

/* --- unpacking --- */

struct block {
	struct coder coder;
	struct columns_unpacker columns;
	struct event *events;
	size_t event_count, event_room;
	bool filtered;
	struct event_filter filter;
};

struct block *block_new(void)
{
	return calloc(1, sizeof(struct block));
}

void block_free(struct block *block)
{
	if (!block)
		return;
	libdeflate_free_decompressor(block->columns.inflater);
	for (unsigned tag = 0; tag < DETAIL_TAG_LIMIT; tag++)
		free(block->coder.strings[tag].list);
	free(block->coder.details.data);
	free(block->columns.data);
	free(block->events);
	free(block);
}

void block_set_filter(struct block *block, const struct event_filter *filter)
{
	block->filtered = filter != NULL;
	if (filter)
		block->filter = *filter;
}

static int events_make_room(struct block *block, size_t count)
{
	struct event *events;

	if (count <= block->event_room)
		return 0;
	events = realloc(block->events, count * sizeof(*events));
	if (!events)
		return -ENOMEM;
	block->events = events;
	block->event_room = count;
	return 0;
}

static int events_unpack(struct block *block, const struct unpacking *wanted)
{
	const struct lane *kind = &block->coder.lane[COLUMN_KIND];
	int r;

	/* every event takes a byte of KIND, so this cannot be a lie */
	if (kind->bytes != wanted->count)
		return -EBADMSG;
	if (wanted->filter && !kinds_are_among(kind, wanted->filter->kinds))
		return 0;
	r = events_make_room(block, wanted->count);
	if (r == 0)
		r = coder_unpack(&block->coder, wanted, block->events, &block->event_count);
	return r;
}

static int payload_unpack(struct block *block, const struct columns_wanted *columns,
			  const uint8_t *payload, size_t bytes)
{
	coder_reset(&block->coder);
	memset(block->coder.lane, 0, sizeof(block->coder.lane));
	block->event_count = 0;
	return columns_unpack(&block->columns, columns, payload, bytes, block->coder.lane);
}

static int unpack_end(struct block *block, int r)
{
	if (r < 0) {
		memset(block->coder.lane, 0, sizeof(block->coder.lane));
		block->event_count = 0;
	}
	return r;
}

int block_unpack(struct block *block, const uint8_t *payload, size_t bytes, uint64_t first_event_no,
		 size_t count)
{
	const struct unpacking wanted = {
		.first_event_no = first_event_no,
		.count = count,
		.filter = block->filtered ? &block->filter : NULL,
	};
	const struct columns_wanted columns = {
		.kinds = block->filtered ? block->filter.kinds : UINT64_MAX,
	};
	int r = count > BLOCK_EVENTS_MAX ? -EBADMSG
					 : payload_unpack(block, &columns, payload, bytes);

	if (r == 0)
		r = events_unpack(block, &wanted);
	return unpack_end(block, r);
}

int block_unpack_keyframe(struct block *block, const uint8_t *payload, size_t bytes)
{
	const struct columns_wanted columns = { .only = COLUMN_KEYFRAME };

	return unpack_end(block, payload_unpack(block, &columns, payload, bytes));
}

const struct event *block_events(const struct block *block, size_t *ret_count)
{
	*ret_count = block->event_count;
	return block->events;
}

const uint8_t *block_keyframe(const struct block *block, size_t *ret_bytes)
{
	const struct lane *lane = &block->coder.lane[COLUMN_KEYFRAME];

	*ret_bytes = lane->bytes;
	return lane->data;
}
