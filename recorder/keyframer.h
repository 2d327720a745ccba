/* keyframer.h - when a keyframe is due, and its pieces for the blocks that carry it (FORMAT.md 7).  No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/lives.h"

struct keyframer {
	uint32_t slot_count;
	uint64_t due_block_no;   /* the next one begins here, or behind */
	uint64_t whole_block_no; /* first block of the newest whole one; RING_NO_BLOCK: none */
	/* the one that is being written, or parts 0 */
	uint8_t *packed;
	size_t bytes;
	uint16_t part, parts;
	uint64_t block_no;
};

/* whole_block_no: as the newest block says; next_block_no: the one to be written next. */
void keyframer_init(struct keyframer *keyframer, uint32_t slot_count, uint64_t whole_block_no,
		    uint64_t next_block_no);
void keyframer_clear(struct keyframer *keyframer);

/* What block_no, the next one to be written, carries. */
struct keyframe_piece {
	const uint8_t *data; /* the keyframer's; NULL when parts is 0 */
	size_t bytes;
	uint16_t part, parts;
	uint64_t whole_block_no; /* for the block's header: as it will be with this block */
};

/* lives is the state before the first event of block_no; first_of_boot: of that block.  Asking twice gives the same.  0 or -ENOMEM. */
int keyframer_piece(struct keyframer *keyframer, const struct lives *lives, uint64_t block_no,
		    bool first_of_boot, struct keyframe_piece *ret_piece);

/* The block with that piece was written, or its number was given up: a keyframe that had begun is begun anew. */
void keyframer_written(struct keyframer *keyframer);
void keyframer_failed(struct keyframer *keyframer, uint64_t next_block_no);
