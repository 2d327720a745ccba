/* landing.h - what a recorder that was killed had received and not staged yet.  Pure: the landing zone is memory that the caller gives. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "recorder/gaps.h"

/* Looks through `count` slots of RING_LANDING_SLOT_BYTES: ret_lengths[i] is the length of the datagram in slot i that is to be taken, or 0 where
 * there is none, or one that was staged before it could be zeroed (its number is not newer than what gaps knows of its CPU).
 * Gives how many are to be taken. */
size_t landing_salvage(const uint8_t *slots, size_t count, const struct gaps *gaps,
		       uint32_t *ret_lengths);
