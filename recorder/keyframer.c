/* keyframer.c - see keyframer.h. */
#include "recorder/keyframer.h"

#include <errno.h>
#include <stdlib.h>

#include <libdeflate.h>

#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/ring_core.h"

enum {
	SPACING_MIN = 2,           /* blocks: bounds what a reader folds before it can answer */
	PAYLOAD_PER_KEYFRAME = 20, /* a keyframe takes at most one part in so many of the payload */
	SPACING_RING_PART = 4,     /* and yet the ring holds at least so many, less one */
	KEYFRAME_LEVEL = 6,
};

void keyframer_init(struct keyframer *keyframer, uint32_t slot_count, uint64_t whole_block_no,
		    uint64_t next_block_no)
{
	*keyframer = (struct keyframer){
		.slot_count = slot_count,
		.whole_block_no = whole_block_no,
		.due_block_no = next_block_no,
	};
	/* How large the last one was is not known: at worst one comes early. */
	if (whole_block_no != RING_NO_BLOCK && whole_block_no + SPACING_MIN > next_block_no)
		keyframer->due_block_no = whole_block_no + SPACING_MIN;
}

void keyframer_clear(struct keyframer *keyframer)
{
	free(keyframer->packed);
	*keyframer = (struct keyframer){ 0 };
}

static void drop(struct keyframer *keyframer)
{
	free(keyframer->packed);
	keyframer->packed = NULL;
	keyframer->bytes = 0;
	keyframer->part = keyframer->parts = 0;
}

/* le32 of the size, then raw deflate. */
static int deflate_keyframe(const uint8_t *raw, size_t raw_bytes, uint8_t **ret_packed,
			    size_t *ret_bytes)
{
	struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(KEYFRAME_LEVEL);
	auto_free uint8_t *packed = NULL;
	le32 size = le32_put((uint32_t)raw_bytes);
	size_t capacity, bytes = 0;

	if (!deflater)
		return -ENOMEM;
	capacity = libdeflate_deflate_compress_bound(deflater, raw_bytes);
	packed = malloc(capacity + sizeof(size));
	if (packed) {
		memcpy(packed, &size, sizeof(size));
		/* cannot fail: the room is what it asked for */
		bytes = libdeflate_deflate_compress(deflater, raw, raw_bytes, packed + sizeof(size),
						    capacity);
	}
	libdeflate_free_compressor(deflater);
	if (!packed)
		return -ENOMEM;
	*ret_packed = steal_pointer(packed);
	*ret_bytes = bytes + sizeof(size);
	return 0;
}

static uint64_t spacing(const struct keyframer *keyframer, size_t bytes)
{
	uint64_t blocks = (uint64_t)bytes * PAYLOAD_PER_KEYFRAME / RING_PAYLOAD_MAX_BYTES;
	uint64_t most = keyframer->slot_count / SPACING_RING_PART;

	if (blocks < SPACING_MIN)
		blocks = SPACING_MIN;
	return blocks < most || most == 0 ? blocks : most;
}

static int begin(struct keyframer *keyframer, const struct lives *lives, uint64_t block_no)
{
	auto_free uint8_t *raw = NULL;
	size_t raw_bytes, parts;
	int r = lives_pack(lives, &raw, &raw_bytes);

	if (r < 0)
		return r;
	drop(keyframer);
	keyframer->due_block_no = block_no + spacing(keyframer, raw_bytes);
	if (raw_bytes > RING_KEYFRAME_MAX_BYTES)
		return 0;
	r = deflate_keyframe(raw, raw_bytes, &keyframer->packed, &keyframer->bytes);
	if (r < 0)
		return r;
	keyframer->due_block_no = block_no + spacing(keyframer, keyframer->bytes);
	parts = (keyframer->bytes + RING_PIECE_MAX_BYTES - 1) / RING_PIECE_MAX_BYTES;
	if (parts > UINT16_MAX || parts > keyframer->slot_count / 2) {
		drop(keyframer); /* it would not be there whole for long enough to be of use */
		return 0;
	}
	keyframer->parts = (uint16_t)parts;
	keyframer->block_no = block_no;
	return 0;
}

int keyframer_piece(struct keyframer *keyframer, const struct lives *lives, uint64_t block_no,
		    bool first_of_boot, struct keyframe_piece *ret_piece)
{
	size_t at;
	int r;

	/* Of an older boot is of no use to a reader of this one; part 0 that was asked for before is it already. */
	if ((first_of_boot && !(keyframer->parts > 0 && keyframer->block_no == block_no)) ||
	    (keyframer->parts == 0 && block_no >= keyframer->due_block_no)) {
		r = begin(keyframer, lives, block_no);
		if (r < 0)
			return r;
	}
	*ret_piece = (struct keyframe_piece){ .whole_block_no = keyframer->whole_block_no };
	if (keyframer->parts == 0)
		return 0;
	at = (size_t)keyframer->part * RING_PIECE_MAX_BYTES;
	ret_piece->data = keyframer->packed + at;
	ret_piece->bytes = keyframer->bytes - at;
	if (ret_piece->bytes > RING_PIECE_MAX_BYTES)
		ret_piece->bytes = RING_PIECE_MAX_BYTES;
	ret_piece->part = keyframer->part;
	ret_piece->parts = keyframer->parts;
	if (keyframer->part + 1 == keyframer->parts)
		ret_piece->whole_block_no = keyframer->block_no;
	return 0;
}

void keyframer_written(struct keyframer *keyframer)
{
	if (keyframer->parts == 0 || ++keyframer->part < keyframer->parts)
		return;
	keyframer->whole_block_no = keyframer->block_no;
	drop(keyframer);
}

void keyframer_failed(struct keyframer *keyframer, uint64_t next_block_no)
{
	if (keyframer->parts == 0)
		return;
	drop(keyframer);
	keyframer->due_block_no = next_block_no;
}
