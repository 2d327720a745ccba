/* inbox.h - what one socket has given and is not staged yet: datagrams in landing slots, in the order of their time.  Pure.
 *
 * A CPU's events keep the order of their numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/overtaken.h"
#include "schema/ring_format.h"

struct inbox_entry {
	uint64_t timestamp_ns;
	uint64_t received_ns; /* it was in the socket before then */
	uint32_t cpu, seq;
	uint32_t slot;
	bool exec; /* it is an EXEC */
};

struct inbox {
	uint8_t *slots; /* slot_count of RING_LANDING_SLOT_BYTES */
	size_t slot_count;
	size_t next;                               /* the slot that is received into next */
	size_t reach;                              /* slots from here on are free */
	uint32_t lengths[RING_LANDING_SLOT_COUNT]; /* 0: the slot is free, and zero */
	struct inbox_entry entries[RING_LANDING_SLOT_COUNT];
	size_t first, end;  /* entries that are not staged */
	bool empty;         /* the socket was found empty the last time */
	uint64_t newest_ns; /* the latest timestamp_ns of any */
	uint64_t clear_ns;  /* what was in the socket before then has been received */
};

/* An inbox without anything.  The slots stay the caller's. */
void inbox_init(struct inbox *inbox, uint8_t *slots, size_t slot_count);

static inline size_t inbox_pending(const struct inbox *inbox)
{
	return inbox->end - inbox->first;
}

/* How many datagrams may be received into the slots from inbox->next on, with their lengths at the same place of inbox->lengths; may be less than is
 * free, but is 0 only where inbox_full(). */
size_t inbox_room(struct inbox *inbox);

/* Whether nothing can be received before something is taken. */
static inline bool inbox_full(const struct inbox *inbox)
{
	return inbox_pending(inbox) > 0 &&
	       inbox->lengths[inbox->next < inbox->slot_count ? inbox->next : 0] > 0;
}

/* That was done, between two times: count came.  empty: there were no more. */
void inbox_add(struct inbox *inbox, size_t count, bool empty, uint64_t began_ns, uint64_t now_ns);

/* Takes out entries[at], and zeroes its slot (invariant 6). */
void inbox_remove(struct inbox *inbox, size_t at);

/* What is in it, for overtaken_fields(). */
struct overtaken_batch inbox_batch(const struct inbox *inbox);
