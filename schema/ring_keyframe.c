/* ring_keyframe.c - keyframes in the ring: which is whole, and putting one together (FORMAT.md 7). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/ring_core.h"

enum {
	DEFLATE_RATIO_MAX = 1032, /* zlib's technical notes: no more can come out of one byte */
};

/* 0: a keyframe begins at block_no and all its parts can be read; else what stands in the way, as ring_read_header(). */
static int keyframe_whole(struct ring *ring, uint64_t block_no)
{
	struct ring_block_header header;
	uint16_t parts = 0;

	for (uint16_t part = 0; part == 0 || part < parts; part++) {
		int r = ring_load_slot(ring, block_no + part, &header);

		if (r != 0)
			return r;
		if (part == 0)
			parts = header.keyframe_parts;
		if (parts == 0 || header.keyframe_parts != parts || header.keyframe_part != part)
			return RING_HOLE;
	}
	return 0;
}

static int oldest_keyframe(struct ring *ring, uint64_t first, uint64_t next, uint64_t *ret_block_no)
{
	struct ring_block_header header;

	for (uint64_t block_no = first; block_no < next; block_no++) {
		int r = ring_read_header(ring, block_no, &header);

		if (r < 0)
			return r;
		if (r != 0 || header.keyframe_parts == 0 || header.keyframe_part != 0)
			continue;
		r = keyframe_whole(ring, block_no);
		if (r < 0)
			return r;
		if (r == 0) {
			*ret_block_no = block_no;
			return 0;
		}
	}
	return RING_END;
}

int ring_find_keyframe(struct ring *ring, uint64_t block_no, uint64_t *ret_block_no)
{
	struct ring_block_header header;
	uint64_t first, next;
	int r = ring_refresh(ring, &first, &next);

	if (r < 0)
		return r;
	if (block_no == RING_NO_BLOCK)
		return oldest_keyframe(ring, first, next, ret_block_no);
	if (block_no >= next)
		block_no = next - 1; /* next 0: below first, or none */
	/* From header to header: each names the newest keyframe before it, damage or not. */
	while (next > 0 && block_no >= first && block_no < next) {
		r = ring_read_header(ring, block_no, &header);
		if (r < 0)
			return r;
		if (r == 0 && header.keyframe_block_no > block_no)
			break; /* none, or nonsense */
		if (r == 0 && header.keyframe_block_no < first)
			break;
		if (r == 0) {
			r = keyframe_whole(ring, header.keyframe_block_no);
			if (r < 0)
				return r;
			if (r == 0) {
				*ret_block_no = header.keyframe_block_no;
				return 0;
			}
			block_no = header.keyframe_block_no;
		}
		if (block_no-- == 0)
			break;
	}
	return RING_END;
}

/* le32 of the size inflated, then raw deflate. */
static int keyframe_inflate(const uint8_t *packed, size_t packed_bytes, uint8_t **ret_data,
			    size_t *ret_bytes)
{
	struct reader reader = reader_make(packed, packed_bytes);
	uint32_t raw_bytes = read_u32(&reader);
	auto_free uint8_t *raw = NULL;
	struct libdeflate_decompressor *inflater;
	size_t taken = 0, given = 0;
	bool whole;

	if (reader.failed || raw_bytes > RING_KEYFRAME_MAX_BYTES ||
	    raw_bytes > (uint64_t)packed_bytes * DEFLATE_RATIO_MAX)
		return -EBADMSG;
	raw = malloc(raw_bytes + 1u);
	inflater = libdeflate_alloc_decompressor();
	if (!raw || !inflater) {
		libdeflate_free_decompressor(inflater);
		return -ENOMEM;
	}
	whole = libdeflate_deflate_decompress_ex(inflater, packed + reader.at, reader_left(&reader),
						 raw, raw_bytes, &taken,
						 &given) == LIBDEFLATE_SUCCESS;
	libdeflate_free_decompressor(inflater);
	if (!whole || given != raw_bytes || taken != reader_left(&reader))
		return -EBADMSG;
	*ret_data = steal_pointer(raw);
	*ret_bytes = raw_bytes;
	return 0;
}

/* Appends part `part` of *parts (0: not known yet) to *data. */
static int piece_add(struct ring *ring, struct block *block, uint64_t block_no, uint16_t part,
		     uint16_t *parts, uint8_t **data, size_t *bytes)
{
	struct ring_block_header header;
	const uint8_t *piece;
	size_t piece_bytes;
	uint8_t *grown;
	int r = ring_load_slot(ring, block_no + part, &header);

	if (r != 0)
		return r == RING_END ? RING_HOLE : r;
	r = block_unpack_keyframe(block, ring->slot + RING_HEADER_BYTES, header.stored_bytes);
	if (r < 0)
		return r == -ENOMEM ? r : RING_HOLE;
	if (part == 0)
		*parts = header.keyframe_parts;
	if (*parts == 0 || *parts > ring->super.slot_count || header.keyframe_parts != *parts ||
	    header.keyframe_part != part)
		return RING_HOLE;
	piece = block_keyframe(block, &piece_bytes);
	if (piece_bytes == 0 || piece_bytes > RING_PIECE_MAX_BYTES)
		return -EBADMSG;
	grown = realloc(*data, *bytes + piece_bytes);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + *bytes, piece, piece_bytes);
	*data = grown;
	*bytes += piece_bytes;
	return 0;
}

int ring_read_keyframe(struct ring *ring, uint64_t block_no, uint8_t **ret_data, size_t *ret_bytes)
{
	auto_free uint8_t *packed = NULL;
	struct block *block = block_new();
	size_t packed_bytes = 0;
	uint16_t parts = 1;
	int r = block ? 0 : -ENOMEM;

	for (uint16_t part = 0; r == 0 && part < parts; part++)
		r = piece_add(ring, block, block_no, part, &parts, &packed, &packed_bytes);
	block_free(block);
	if (r != 0)
		return r;
	return keyframe_inflate(packed, packed_bytes, ret_data, ret_bytes);
}
