/* stage.c - see stage.h.
 *
 * head_pos belongs to the appender, tail_pos to the taker; each only reads the other's.  They stand on cache lines of their own, so
 * that a sealer that peeks does not slow the receiver.
 */
#include "recorder/stage.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { CACHE_LINE_BYTES = 64, RECORD_ALIGN = 16 };

struct stage {
	/* never changed after stage_new() */
	uint8_t *area;
	size_t bytes;
	uint64_t salt;

	/* appender */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t head_pos;
	uint64_t next_event_no;
	uint64_t known_tail_pos; /* tail_pos when last looked at: it only grows */

	/* taker */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t tail_pos;
	uint64_t tail_event_no;
	uint64_t peek_pos, peek_event_no;
	uint64_t known_head_pos;
};

static size_t area_offset(const struct stage *stage, uint64_t pos)
{
	return (size_t)(pos % stage->bytes);
}

/* The record at pos, or behind the pad that is there.  0 and its event, with *ret_pos behind it; -EBADMSG. */
static int record_at(const struct stage *stage, uint64_t pos, uint64_t event_no, bool own,
		     struct event *ret_event, uint64_t *ret_pos)
{
	for (;;) {
		size_t offset = area_offset(stage, pos), bytes = 0;
		int r = own ? event_record_unpack_own(stage->area + offset, stage->bytes - offset,
						      event_no, ret_event, &bytes)
			    : event_record_unpack(stage->area + offset, stage->bytes - offset,
						  stage->salt, pos, event_no, ret_event, &bytes);

		if (r < 0)
			return r;
		if (bytes == 0 || bytes % RECORD_ALIGN != 0 || bytes > stage->bytes - offset)
			return -EBADMSG;
		pos += bytes;
		if (r == 0)
			break;
		/* A pad fills the rest of the area, so that behind it there is never another. */
		if (area_offset(stage, pos) != 0)
			return -EBADMSG;
	}
	*ret_pos = pos;
	return 0;
}

struct stage *stage_new(uint8_t *area, size_t bytes, const struct stage_start *start)
{
	struct stage *stage = aligned_alloc(CACHE_LINE_BYTES, sizeof(*stage));
	uint64_t pos = start->tail_pos, event_no = start->tail_event_no, next_pos;
	struct event event;

	assert(bytes > 0 && bytes % 65536 == 0 && pos % RECORD_ALIGN == 0);
	if (!stage)
		return NULL;
	*stage = (struct stage){
		.area = area,
		.bytes = bytes,
		.salt = start->salt,
		.tail_event_no = event_no,
		.peek_pos = pos,
		.peek_event_no = event_no,
	};
	/* Invariant 4: the first that does not count ends the log.  One lap at most: what follows would be overwritten. */
	while (record_at(stage, pos, event_no, false, &event, &next_pos) == 0 &&
	       next_pos - start->tail_pos <= bytes) {
		pos = next_pos;
		event_no++;
	}
	atomic_init(&stage->tail_pos, start->tail_pos);
	atomic_init(&stage->head_pos, pos);
	stage->next_event_no = event_no;
	stage->known_tail_pos = start->tail_pos;
	stage->known_head_pos = pos;
	return stage;
}

void stage_free(struct stage *stage)
{
	free(stage);
}

/* Invariant 4: the commit word goes last, with release order, so that whoever sees it sees the record. */
static void record_commit(uint8_t *record, uint32_t word)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the commit word is le32");
	uint32_t *commit = __builtin_assume_aligned(record, RECORD_ALIGN);

	__atomic_store_n(commit, word, __ATOMIC_RELEASE);
}

static bool has_room(struct stage *stage, uint64_t end_pos)
{
	if (end_pos - stage->known_tail_pos <= stage->bytes)
		return true;
	stage->known_tail_pos = atomic_load_explicit(&stage->tail_pos, memory_order_acquire);
	return end_pos - stage->known_tail_pos <= stage->bytes;
}

int stage_append(struct stage *stage, struct event *event)
{
	uint64_t pos = atomic_load_explicit(&stage->head_pos, memory_order_relaxed);
	size_t bytes = event_record_bytes(event), offset = area_offset(stage, pos);
	size_t pad_bytes = bytes > stage->bytes - offset ? stage->bytes - offset : 0;

	assert(bytes <= EVENT_RECORD_MAX_BYTES);
	if (!has_room(stage, pos + pad_bytes + bytes))
		return STAGE_FULL;
	event->event_no = stage->next_event_no;
	if (pad_bytes > 0) {
		event_pad_pack(event->event_no, stage->salt, pos, stage->area + offset);
		record_commit(stage->area + offset, EVENT_PAD | (uint32_t)pad_bytes);
		pos += pad_bytes;
		offset = 0;
	}
	event_record_pack(event, stage->salt, pos, stage->area + offset);
	record_commit(stage->area + offset, (uint32_t)bytes);
	stage->next_event_no++;
	atomic_store_explicit(&stage->head_pos, pos + bytes, memory_order_release);
	return 0;
}

uint64_t stage_next_event_no(const struct stage *stage)
{
	return stage->next_event_no;
}

int stage_peek(struct stage *stage, struct event *ret_event)
{
	uint64_t next_pos;
	int r;

	if (stage->peek_pos == stage->known_head_pos) {
		stage->known_head_pos =
			atomic_load_explicit(&stage->head_pos, memory_order_acquire);
		if (stage->peek_pos == stage->known_head_pos)
			return STAGE_EMPTY;
	}
	/* What was here at the start was checked then, and the rest is ours. */
	r = record_at(stage, stage->peek_pos, stage->peek_event_no, true, ret_event, &next_pos);
	if (r < 0)
		return r;
	if (next_pos > stage->known_head_pos)
		return -EBADMSG;
	stage->peek_pos = next_pos;
	stage->peek_event_no++;
	return 0;
}

uint64_t stage_peek_pos(const struct stage *stage)
{
	return stage->peek_pos;
}

void stage_rewind(struct stage *stage)
{
	stage->peek_pos = atomic_load_explicit(&stage->tail_pos, memory_order_relaxed);
	stage->peek_event_no = stage->tail_event_no;
}

void stage_release(struct stage *stage, uint64_t pos, uint64_t event_no)
{
	assert(pos >= atomic_load_explicit(&stage->tail_pos, memory_order_relaxed));
	assert(pos <= stage->known_head_pos);
	stage->tail_event_no = event_no;
	stage->peek_pos = pos;
	stage->peek_event_no = event_no;
	/* Release: our reads of the records come before the appender writes over them. */
	atomic_store_explicit(&stage->tail_pos, pos, memory_order_release);
}

size_t stage_used_bytes(const struct stage *stage)
{
	/* The tail first: it may pass the head that was read, never the other way round. */
	uint64_t tail = atomic_load_explicit(&stage->tail_pos, memory_order_acquire);
	uint64_t head = atomic_load_explicit(&stage->head_pos, memory_order_acquire);

	return (size_t)(head - tail);
}

void stage_pieces(const struct stage *stage, struct stage_piece ret_pieces[2])
{
	uint64_t tail = atomic_load_explicit(&stage->tail_pos, memory_order_relaxed);
	size_t used = stage_used_bytes(stage), offset = area_offset(stage, tail);
	size_t first = used < stage->bytes - offset ? used : stage->bytes - offset;

	ret_pieces[0] = (struct stage_piece){ stage->area + offset, first };
	ret_pieces[1] = (struct stage_piece){ stage->area, used - first };
}
