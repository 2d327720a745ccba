/* ring_core.h - what the readers of a ring and its writer's recovery share: the open ring, slots one by one, the tail of staging. */
#pragma once

#include "schema/io.h"
#include "schema/ring.h"

enum {
	RING_PIECE_MAX_BYTES = 40 << 10,   /* of a keyframe in one block (FORMAT.md 7) */
	RING_KEYFRAME_MAX_BYTES = 1 << 30, /* of a keyframe inflated */
	RING_FAILED_SLOTS_MAX =
		8, /* block numbers given up in a row after failed writes (FORMAT.md 8) */
};

struct ring {
	const struct io *io;
	int fd;
	bool owns_fd;
	struct ring_superblock super;
	bool found; /* next_block_no has been looked for */
	uint64_t next_block_no;
	uint64_t
		whole_next; /* the newest block was seen to be whole when it was the one before this */
	uint8_t slot[RING_SLOT_BYTES]; /* the slot read last */
};

/* Takes an open descriptor, which stays the caller's, and checks the superblocks.  As ring_open(). */
int ring_open_fd(int fd, const struct io *io, struct ring **ret_ring);

/* Reads the superblocks again; the newer of the whole ones counts.  As ring_open(). */
int ring_read_super(const struct ring *ring, struct ring_superblock *ret_super);

/* Where block_no lies in the file. */
uint64_t ring_slot_offset(const struct ring *ring, uint64_t block_no);

/* The block header in the slot of block_no, whatever block of this ring is there.
 * 0; RING_SLOT_EMPTY: nothing was ever written; -EBADMSG: damaged, of another ring or slot, or not to be read; -ENODATA: the file ends before. */
enum { RING_SLOT_EMPTY = 1 };
int ring_slot_header(const struct ring *ring, uint64_t block_no,
		     struct ring_block_header *ret_header);

/* Reads the whole slot of the block into ring->slot and checks all but the columns (invariant 1).
 * As ring_read_header(). */
int ring_load_slot(struct ring *ring, uint64_t block_no, struct ring_block_header *ret_header);

/* Whether block_no is whole in its slot at this moment (all but the columns). */
bool ring_slot_whole(struct ring *ring, uint64_t block_no);

/* Where staging begins that is not in a block yet. */
struct ring_tail {
	uint64_t salt, pos, event_no;
	bool anew; /* under a salt that no block knows yet: begun after the newest block, by another start */
};

/* The tail behind newest (NULL: there is no block).  0, or -EBADMSG: neither the staging headers nor a block tell. */
int ring_find_tail(const struct ring *ring, const struct ring_block_header *newest,
		   struct ring_tail *ret_tail);

/* Whether the record that the tail names is there. */
bool ring_is_staged(const struct ring *ring, const struct ring_tail *tail);

/* The header of the block before block_no: of block_no - 1 if it can be read and was not cut short, else (its number was given up) of the
 * newest whole block of the few before it.  False: there is none. */
bool ring_header_before(struct ring *ring, uint64_t block_no, struct ring_block_header *ret_header);

/* Whether a crash cut the writing of this newest block short (FORMAT.md 8, invariant 2, rule 10): it is not whole, and what would be
 * lost with it is staged or in the block before.  Then *ret_before (*ret_have_before: there is one) is that block, and *ret_tail the tail
 * behind it. */
bool ring_is_torn(struct ring *ring, const struct ring_block_header *newest, bool *ret_have_before,
		  struct ring_block_header *ret_before, struct ring_tail *ret_tail);

/* The whole staging header with the highest generation.  0 or -EBADMSG. */
int ring_read_staging_header(const struct ring *ring, struct ring_staging_header *ret_header);
