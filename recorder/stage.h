/* stage.h - the staging log (FORMAT.md 4): the receiving side appends numbered events, the sealing side takes them.
 *
 * Lives in memory that the caller gives (the mapped staging area of the ring).  One appender and one taker, in different threads,
 * without a lock: they share two atomic positions.  No file, no clock, no malloc after stage_new().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"

struct stage;

/* Where the log stands: after creation, recovery or a change of salt. */
struct stage_start {
	uint64_t salt;
	uint64_t tail_pos, tail_event_no; /* the oldest record that is not in a sealed block yet */
};

/* area is bytes long (a multiple of 65536) and outlives the stage.  Walks the records from the tail on and continues behind the last
 * that counts (invariant 4).  NULL when memory ran out. */
struct stage *stage_new(uint8_t *area, size_t bytes, const struct stage_start *start);
void stage_free(struct stage *stage); /* NULL does nothing; the area stays the caller's */

/* --- appender --- */

enum { STAGE_FULL = 1 };

/* Gives the event the next event_no (also in *event) and appends it.  0, or STAGE_FULL: nothing was done; wait for the taker. */
int stage_append(struct stage *stage, struct event *event);

/* The number that the next appended event will get. */
uint64_t stage_next_event_no(const struct stage *stage);

/* --- taker --- */

enum { STAGE_EMPTY = 1 };

/* The event behind the last one peeked (at first: behind the tail).  0: raw and detail point into the area and stay there until
 * stage_release(); STAGE_EMPTY; -EBADMSG: the area was damaged under us. */
int stage_peek(struct stage *stage, struct event *ret_event);

/* Where the record behind the event peeked last begins. */
uint64_t stage_peek_pos(const struct stage *stage);

/* Forgets what was peeked: the next stage_peek() gives the oldest event again. */
void stage_rewind(struct stage *stage);

/* Frees everything before pos (a value of stage_peek_pos()), behind which event_no comes; peeking goes on from there.  Call only when the
 * block that holds those events is synced (invariant 3). */
void stage_release(struct stage *stage, uint64_t pos, uint64_t event_no);

/* Bytes staged and not released: both sides may ask. */
size_t stage_used_bytes(const struct stage *stage);

/* What is staged and not released, as it lies in the area: two pieces when it goes over the end.  The taker's: nobody writes there until
 * stage_release(). */
struct stage_piece {
	uint8_t *data;
	size_t bytes; /* 0: no piece */
};
void stage_pieces(const struct stage *stage, struct stage_piece ret_pieces[2]);
