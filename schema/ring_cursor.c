/* ring_cursor.c - a cursor of events over a ring: out of the slots, then out of staging, and back when that has been sealed.
 *
 * What counts is the number of the event: a hole is reported where numbers are missing, not where a block is; and a block that says
 * again what was given already (FORMAT.md 8: a number given up after a failed write; what was read out of staging) is passed over.
 */
#include <errno.h>
#include <stdlib.h>

#include "schema/cleanup.h"
#include "schema/ring_core.h"

enum {
	CHUNK_BYTES = 65536, /* of staging read at a time: more than EVENT_RECORD_MAX_BYTES */
	OVERRUN_LEAD = 2,    /* blocks kept between the writer and a cursor that it has overtaken */
};
_Static_assert((int)CHUNK_BYTES >= (int)EVENT_RECORD_MAX_BYTES, "a chunk holds the longest record");

enum place {
	PLACE_BETWEEN, /* before block_no, which is to be read */
	PLACE_BLOCK,   /* in the block that was read */
	PLACE_STAGED, /* behind the newest block; block_no is the one that will hold what is read */
};

/* For the loop of ring_next(): nothing to give yet, look again from the new place. */
enum { CURSOR_AGAIN = 100 };

struct ring_cursor {
	struct ring *ring;
	struct block *block;
	enum place place;
	struct ring_block_header header; /* of the block read last */
	uint64_t block_no;
	uint64_t event_no; /* the next one to give; 0: whatever comes first */
	int gap;           /* what the blocks passed over since the last event were */
	const struct event *events;
	size_t count, at;
	bool given_staged; /* the last event given was out of staging */
	uint32_t boot_no;
	uint64_t end_no; /* nothing from this number on is given */
	bool filtered;
	struct event_filter filter;

	bool in_log;           /* the three below are set */
	struct ring_tail tail; /* of staging, when last looked at */
	uint64_t pos, pos_no;  /* the record to be read next */
	struct event staged;
	uint64_t chunk_pos;
	size_t chunk_bytes;
	uint8_t chunk[CHUNK_BYTES];
};

struct ring_cursor *ring_cursor_new(struct ring *ring, uint64_t block_no)
{
	auto_free struct ring_cursor *cursor = malloc(sizeof(*cursor));

	if (!cursor)
		return NULL;
	*cursor = (struct ring_cursor){
		.ring = ring, .block_no = block_no, .gap = RING_HOLE, .end_no = UINT64_MAX
	};
	cursor->block = block_new();
	if (!cursor->block)
		return NULL;
	return steal_pointer(cursor);
}

void ring_cursor_free(struct ring_cursor *cursor)
{
	if (!cursor)
		return;
	block_free(cursor->block);
	free(cursor);
}

void ring_cursor_set_end(struct ring_cursor *cursor, uint64_t event_no)
{
	cursor->end_no = event_no;
}

void ring_cursor_set_filter(struct ring_cursor *cursor, const struct event_filter *filter)
{
	cursor->filtered = filter != NULL;
	if (filter)
		cursor->filter = *filter;
	block_set_filter(cursor->block, filter);
}

uint32_t ring_cursor_boot_no(const struct ring_cursor *cursor)
{
	return cursor->boot_no;
}

const struct ring_block_header *ring_cursor_block(const struct ring_cursor *cursor)
{
	return cursor->given_staged ? NULL : &cursor->header;
}

uint64_t ring_cursor_block_no(const struct ring_cursor *cursor)
{
	switch (cursor->place) {
	case PLACE_BETWEEN:
		return cursor->block_no;
	case PLACE_BLOCK:
		return cursor->at < cursor->count ? cursor->header.block_no : cursor->block_no;
	case PLACE_STAGED:
		break;
	}
	return RING_NO_BLOCK;
}

static uint64_t header_end_no(const struct ring_block_header *header)
{
	return header->first_event_no + header->event_count;
}

/* Events up to to_no are missing.  *ret_from_no is 0 when it is not known from where on. */
static int report_gap(struct ring_cursor *cursor, uint64_t to_no, uint64_t *ret_from_no,
		      uint64_t *ret_to_no)
{
	int gap = cursor->gap;

	*ret_from_no = cursor->event_no;
	*ret_to_no = to_no;
	cursor->event_no = to_no;
	cursor->gap = RING_HOLE;
	return gap;
}

/* The very first block cannot be read: where its events begin may be known all the same. */
static void guess_first_no(struct ring_cursor *cursor)
{
	struct ring_block_header header;

	if (cursor->event_no != 0)
		return;
	if (ring_read_header(cursor->ring, cursor->block_no, &header) == 0)
		cursor->event_no = header.first_event_no;
	else if (cursor->block_no > 0 &&
		 ring_read_header(cursor->ring, cursor->block_no - 1, &header) == 0)
		cursor->event_no = header_end_no(&header);
}

static int skip_overrun(struct ring_cursor *cursor)
{
	uint64_t first, next, block_no;
	int r = ring_refresh(cursor->ring, &first, &next);

	if (r < 0)
		return r;
	block_no = first + OVERRUN_LEAD < next ? first + OVERRUN_LEAD : next;
	cursor->block_no = block_no > cursor->block_no ? block_no : cursor->block_no + 1;
	cursor->gap = RING_OVERRUN;
	return CURSOR_AGAIN;
}

static int stage_enter(struct ring_cursor *cursor, uint64_t *ret_from_no, uint64_t *ret_to_no);

/* Whether all of block_no was given before; its header is enough to know. */
static bool block_known(struct ring_cursor *cursor)
{
	struct ring_block_header header;

	return cursor->given_staged &&
	       ring_read_header(cursor->ring, cursor->block_no, &header) == 0 &&
	       header_end_no(&header) <= cursor->event_no;
}

/* Reads block_no, or only its header when that says that nothing in it passes.  As ring_read_block(). */
static int block_read(struct ring_cursor *cursor)
{
	struct ring_block_header header;

	int r;

	if (cursor->filtered && ring_read_header(cursor->ring, cursor->block_no, &header) == 0 &&
	    !event_filter_reaches(&cursor->filter, header.kind_bits, header.ts_min_ns,
				  header.ts_max_ns)) {
		cursor->header = header;
		cursor->count = 0;
		return 0;
	}
	r = ring_read_block(cursor->ring, cursor->block_no, cursor->block, &cursor->header);
	if (r == 0)
		cursor->events = block_events(cursor->block, &cursor->count);
	return r;
}

/* Goes into block_no. */
static int block_enter(struct ring_cursor *cursor, uint64_t *ret_from_no, uint64_t *ret_to_no)
{
	uint64_t first_no;
	int r;

	if (block_known(cursor)) {
		cursor->block_no++;
		return CURSOR_AGAIN;
	}
	r = block_read(cursor);
	switch (r) {
	case 0:
		break;
	case RING_END:
		return stage_enter(cursor, ret_from_no, ret_to_no);
	case RING_HOLE:
		guess_first_no(cursor);
		cursor->block_no++;
		return CURSOR_AGAIN;
	case RING_OVERRUN:
		return skip_overrun(cursor);
	default:
		return r;
	}
	cursor->block_no++;
	first_no = cursor->header.first_event_no;
	if (cursor->event_no >= header_end_no(&cursor->header))
		return CURSOR_AGAIN;
	cursor->place = PLACE_BLOCK;
	cursor->boot_no = cursor->header.boot_no;
	cursor->given_staged = false;
	cursor->at = 0;
	while (cursor->at < cursor->count && cursor->events[cursor->at].event_no < cursor->event_no)
		cursor->at++;
	if (first_no > cursor->event_no && (cursor->event_no > 0 || cursor->gap == RING_OVERRUN))
		return report_gap(cursor, first_no, ret_from_no, ret_to_no);
	cursor->gap = RING_HOLE;
	return CURSOR_AGAIN;
}

/* Asks where staging begins now.  0; CURSOR_AGAIN: there are blocks to be read first; RING_END: it cannot be said. */
static int stage_look(struct ring_cursor *cursor, struct ring_tail *ret_tail, uint32_t *ret_boot_no)
{
	struct ring_block_header newest;
	struct ring_superblock super;
	uint64_t first, next;
	int r = ring_refresh(cursor->ring, &first, &next);

	if (r < 0)
		return r;
	if (cursor->block_no < next) {
		cursor->place = PLACE_BETWEEN;
		return CURSOR_AGAIN;
	}
	cursor->block_no = next;
	if (next > 0 && !ring_header_before(cursor->ring, next, &newest))
		return RING_END;
	if (ring_find_tail(cursor->ring, next > 0 ? &newest : NULL, ret_tail) < 0)
		return RING_END;
	*ret_boot_no = next > 0 ? newest.boot_no : cursor->ring->super.boot_no;
	if (ret_tail->anew && ring_read_super(cursor->ring, &super) == 0)
		*ret_boot_no = super.boot_no;
	return 0;
}

/* Goes to the tail of staging, or stays where it is if that is the same log further on. */
static int stage_enter(struct ring_cursor *cursor, uint64_t *ret_from_no, uint64_t *ret_to_no)
{
	struct ring_tail tail;
	uint32_t boot_no;
	int r = stage_look(cursor, &tail, &boot_no);

	if (r != 0)
		return r;
	if (!cursor->in_log || tail.salt != cursor->tail.salt || tail.pos > cursor->pos) {
		cursor->in_log = true;
		cursor->pos = tail.pos;
		cursor->pos_no = tail.event_no;
		cursor->chunk_bytes = 0;
		cursor->boot_no = boot_no;
	}
	cursor->tail = tail;
	cursor->place = PLACE_STAGED;
	if (cursor->event_no == 0)
		cursor->event_no = tail.event_no;
	if (tail.event_no > cursor->event_no)
		return report_gap(cursor, tail.event_no, ret_from_no, ret_to_no);
	return CURSOR_AGAIN;
}

/* Reads staging from pos on.  0 or -errno; a file that ends there has no more records. */
static int chunk_read(struct ring_cursor *cursor)
{
	const struct ring_superblock *super = &cursor->ring->super;
	uint64_t offset = cursor->pos % super->staging_bytes;
	uint64_t left = super->staging_bytes - offset;
	int r;

	cursor->chunk_bytes = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
	cursor->chunk_pos = cursor->pos;
	r = io_read(cursor->ring->io, cursor->ring->fd, cursor->chunk, cursor->chunk_bytes,
		    super->staging_offset + offset);
	if (r < 0)
		cursor->chunk_bytes = 0;
	return r == -ENODATA || r == -EIO ? 0 : r;
}

/* Takes the record at pos out of the chunk, passing over a pad.  0; -EBADMSG: there is none in what was read. */
static int chunk_take(struct ring_cursor *cursor)
{
	uint64_t staging_bytes = cursor->ring->super.staging_bytes;
	size_t offset, bytes = 0;
	int r;

	if (cursor->pos < cursor->chunk_pos ||
	    cursor->pos - cursor->chunk_pos >= cursor->chunk_bytes)
		return -EBADMSG;
	offset = (size_t)(cursor->pos - cursor->chunk_pos);
	r = event_record_unpack(cursor->chunk + offset, cursor->chunk_bytes - offset,
				cursor->tail.salt, cursor->pos, cursor->pos_no, &cursor->staged,
				&bytes);
	if (r < 0 || bytes == 0 || bytes > cursor->chunk_bytes - offset)
		return -EBADMSG;
	if (r == EVENT_RECORD_PAD) {
		if ((cursor->pos + bytes) % staging_bytes != 0)
			return -EBADMSG; /* a pad fills the rest of the area */
		cursor->pos += bytes;
		return EVENT_RECORD_PAD;
	}
	cursor->pos += bytes;
	cursor->pos_no++;
	return 0;
}

/* The record at pos, out of what was copied or, when that does not hold it, out of a fresh copy. */
static int record_take(struct ring_cursor *cursor)
{
	bool fresh = false;

	for (;;) {
		int r = chunk_take(cursor);

		if (r == 0)
			return 0;
		if (r == EVENT_RECORD_PAD) {
			fresh = false;
			continue;
		}
		if (fresh)
			return -EBADMSG;
		r = chunk_read(cursor);
		if (r < 0)
			return r;
		fresh = true;
	}
}

/* The next staged event; when there is none, either nothing newer was staged or it has been sealed and written over. */
static int stage_next(struct ring_cursor *cursor, uint64_t *ret_from_no, uint64_t *ret_to_no)
{
	struct ring_tail before = cursor->tail;
	uint64_t pos = cursor->pos;
	int r = record_take(cursor);

	if (r == -EBADMSG) {
		r = stage_enter(cursor, ret_from_no, ret_to_no);
		if (r == CURSOR_AGAIN && cursor->place == PLACE_STAGED && cursor->pos == pos &&
		    cursor->tail.salt == before.salt)
			return RING_END;
		return r;
	}
	if (r < 0)
		return r;
	if (cursor->staged.kind == EVENT_START)
		cursor->boot_no = (uint32_t)cursor->staged.arg[0];
	if (cursor->staged.event_no < cursor->event_no)
		return CURSOR_AGAIN;
	cursor->event_no = cursor->staged.event_no + 1;
	cursor->given_staged = true;
	if (cursor->filtered && !event_filter_passes(&cursor->filter, &cursor->staged))
		return CURSOR_AGAIN;
	return 0;
}

int ring_next(struct ring_cursor *cursor, const struct event **ret_event, uint64_t *ret_from_no,
	      uint64_t *ret_to_no)
{
	int r = CURSOR_AGAIN;

	while (r == CURSOR_AGAIN) {
		if (cursor->event_no >= cursor->end_no)
			return RING_END;
		switch (cursor->place) {
		case PLACE_BLOCK:
			if (cursor->at < cursor->count) {
				*ret_event = &cursor->events[cursor->at++];
				cursor->event_no = (*ret_event)->event_no + 1;
				return 0;
			}
			cursor->event_no = header_end_no(&cursor->header);
			cursor->place = PLACE_BETWEEN;
			break;
		case PLACE_BETWEEN:
			r = block_enter(cursor, ret_from_no, ret_to_no);
			break;
		case PLACE_STAGED:
			r = stage_next(cursor, ret_from_no, ret_to_no);
			break;
		}
	}
	if (r == 0)
		*ret_event = &cursor->staged;
	return r;
}
