/* block.h - several thousand events as difference-coded, deflated columns: the payload of a slot (FORMAT.md 6).  Memory only.
 *
 * A packed block can be unpacked alone: all that a column is predicted from stands earlier in the same block.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"
#include "schema/event_filter.h"

enum {
	BLOCK_EVENTS_MAX = 65536,
	BLOCK_RAW_MAX_BYTES = 16 << 20, /* of all columns of one block before compression */
};

enum { BLOCK_FULL = 1 };

/* Working memory for packing, reused from block to block; or NULL when memory ran out.  The caller frees it. */
struct block_packer;
struct block_packer *block_packer_new(void);
void block_packer_free(struct block_packer *packer); /* NULL does nothing */

/* Packs events[0..count) (consecutive event_no; count may be 0) and an opaque piece of keyframe (bytes 0: none).
 * 0: *ret_bytes of out are used, *ret_raw_bytes is the size before compression;
 * BLOCK_FULL: it does not fit into capacity, take fewer events; -EINVAL: more than BLOCK_EVENTS_MAX. */
int block_pack(struct block_packer *packer, const struct event *events, size_t count,
	       const uint8_t *keyframe, size_t keyframe_bytes, uint8_t *out, size_t capacity,
	       size_t *ret_bytes, size_t *ret_raw_bytes);

/* An unpacked block, its memory reused from block to block.  NULL when memory ran out. */
struct block;
struct block *block_new(void);
void block_free(struct block *block); /* NULL does nothing */

/* Unpacks a payload.  first_event_no and count are what the slot header says.
 * 0, -EBADMSG: these bytes are not what FORMAT.md says, -EPROTONOSUPPORT: a newer version, -ENOMEM.
 * On failure the block is empty. */
int block_unpack(struct block *block, const uint8_t *payload, size_t bytes, uint64_t first_event_no,
		 size_t count);

/* From the next block_unpack() on only events that pass are kept; NULL: all, as in the beginning.  The filter is copied, its arrays of
 * numbers are not.  What no event that passes can depend on is not unpacked, so damage there goes unnoticed. */
void block_set_filter(struct block *block, const struct event_filter *filter);

/* The events of the last block_unpack() that the filter lets pass; raw and detail point into the block, until the next block_unpack(). */
const struct event *block_events(const struct block *block, size_t *ret_count);

/* Unpacks nothing but the piece of keyframe.  As block_unpack(). */
int block_unpack_keyframe(struct block *block, const uint8_t *payload, size_t bytes);

/* The piece of keyframe of the last block_unpack_keyframe(), or block_unpack() without a filter; NULL and 0 when it has none. */
const uint8_t *block_keyframe(const struct block *block, size_t *ret_bytes);
