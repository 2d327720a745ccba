/* ring_slice.h - some blocks of a ring as a ring of their own: to be copied off, kept and asked, not recorded into. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schema/ring.h"

/* Writes blocks [first_block, next_block) of the ring, byte for byte, into the empty file fd, with (staged) what is not in a block yet.
 * The superblock has the ring's uuid, a slot for each block, and RING_RO_SLICE.  next_block is at most what ring_refresh() gave; staged only
 * where it is that.  A writer may be at work meanwhile: RING_OVERRUN: it has overwritten a block, or made one of what was staged:
 * ring_refresh() and begin anew.
 * 0, RING_OVERRUN, or -errno. */
int ring_slice(struct ring *ring, uint64_t first_block, uint64_t next_block, bool staged, int fd);
