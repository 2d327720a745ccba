/* ring_recover.h - what a start finds in a ring: the newest block, torn slots, the tail of staging, the state of all lives. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schema/lives.h"
#include "schema/ring_core.h"

struct ring_head {
	uint64_t next_block_no;
	bool have_newest;
	struct ring_block_header
		newest; /* of the block before next_block_no, or of the last before it that can be read */
	struct ring_tail tail; /* behind newest: what is staged continues here */
	uint64_t torn_slots;
	bool needs_salt; /* blocks are missing between newest and the tail: what follows must be staged under a new salt */
};

/* staging is the mapped staging area.  0 or -EBADMSG: damaged beyond use; -errno. */
int ring_recover_head(struct ring *ring, const uint8_t *staging, struct ring_head *ret_head);

/* The fold of all sealed blocks, from the newest keyframe on.  *ret_lives is the caller's.  0 or -ENOMEM, -errno. */
int ring_recover_lives(struct ring *ring, const struct ring_head *head, struct lives **ret_lives);
