/* ring.h - reading a ledger.ring: blocks and, over them, a cursor of events, safe beside a running writer.
 *
 * Reads with pread only, copies, then validates (invariant 9): a file that shrinks or changes gives an answer, never a signal.
 * Everything in the file is taken for hostile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schema/block.h"
#include "schema/event.h"
#include "schema/ring_format.h"

struct ring;

/* Opens a ring for reading.  0; -errno of open(2); -EBADMSG: not a ring, or both superblocks damaged; -EPROTONOSUPPORT: of another
 * version; -ENOMEM.  The caller closes it. */
int ring_open(const char *path, struct ring **ret_ring);
void ring_close(struct ring *ring); /* NULL does nothing */

const struct ring_superblock *ring_super(const struct ring *ring);

/* Looks for the newest block again (bounded: a walk from the last one known, else binary search, else a scan of all headers).
 * Afterwards [*ret_first, *ret_next) are the blocks that the ring should hold; equal: none yet.  0 or -errno. */
int ring_refresh(struct ring *ring, uint64_t *ret_first, uint64_t *ret_next);

enum {
	RING_END = 1,     /* nothing there yet: ask again later */
	RING_HOLE = 2,    /* damaged: cannot be read, now or later */
	RING_OVERRUN = 3, /* already overwritten by a newer lap */
};

/* Reads and checks the header of a block.  0, RING_END, RING_HOLE, RING_OVERRUN or -errno. */
int ring_read_header(struct ring *ring, uint64_t block_no, struct ring_block_header *ret_header);

/* Reads, checks and unpacks a block.  As ring_read_header(). */
int ring_read_block(struct ring *ring, uint64_t block_no, struct block *block,
		    struct ring_block_header *ret_header);

/* The first block of the newest whole keyframe at or before block_no (RING_NO_BLOCK: of the oldest whole keyframe that the ring
 * still holds).  0, RING_END: there is none, or -errno. */
int ring_find_keyframe(struct ring *ring, uint64_t block_no, uint64_t *ret_block_no);

/* The keyframe that begins at block_no, put together and inflated; to be given to lives_unpack().
 * 0: *ret_data is the caller's to free; RING_HOLE, RING_OVERRUN: not whole (any more); -EBADMSG, -ENOMEM, -errno. */
int ring_read_keyframe(struct ring *ring, uint64_t block_no, uint8_t **ret_data, size_t *ret_bytes);

/* The oldest block of this boot whose ts_max_ns is >= timestamp_ns (or, when there is none, the first block behind the boot).
 * 0, RING_END: the ring holds nothing of that boot, or -errno. */
int ring_find_time(struct ring *ring, uint32_t boot_no, uint64_t timestamp_ns,
		   uint64_t *ret_block_no);

/* --- a cursor: events in the order of event_no, out of the slots, then out of staging --- */

struct ring_cursor;

/* A cursor that stands before the first event of block_no.  NULL when memory ran out.  The ring must outlive it. */
struct ring_cursor *ring_cursor_new(struct ring *ring, uint64_t block_no);
void ring_cursor_free(struct ring_cursor *cursor); /* NULL does nothing */

/* ring_next() is to give RING_END where the next event would have this number or a later one.  With a filter it may give events of the
 * same block beyond. */
void ring_cursor_set_end(struct ring_cursor *cursor, uint64_t event_no);

/* Before the first ring_next(): it is to give only events that pass; NULL: all, as in the beginning.  The filter is copied, its arrays of
 * numbers are not.  Blocks of which the header says that nothing in them passes are not read: damage there is no RING_HOLE. */
void ring_cursor_set_filter(struct ring_cursor *cursor, const struct event_filter *filter);

/* The next event (that passes the filter).
 * 0: *ret_event is valid until the next call;
 * RING_END: no newer one yet; ask again;
 * RING_HOLE: events [*ret_from_no, *ret_to_no) cannot be read; the cursor stands behind them (from 0: it is not known where they begin);
 * RING_OVERRUN: the same, because the writer has been there;
 * -errno. */
int ring_next(struct ring_cursor *cursor, const struct event **ret_event, uint64_t *ret_from_no,
	      uint64_t *ret_to_no);

/* Of the event that ring_next() gave last: its boot, and the block it came from; NULL while it is only staged.  The header is valid
 * until the next call.  boot_no of a staged event is that of the staging (the superblock's). */
uint32_t ring_cursor_boot_no(const struct ring_cursor *cursor);
const struct ring_block_header *ring_cursor_block(const struct ring_cursor *cursor);

/* The block whose events the cursor gives next, or RING_NO_BLOCK in staging. */
uint64_t ring_cursor_block_no(const struct ring_cursor *cursor);
