/* ledger.h - the ring as a query sees it: its blocks by boot and by time, and the events that say what a stretch of time is worth.
 *
 * What is staged counts as one more block.  Headers are read when somebody asks for them, so that a small question of a large ledger costs
 * no more than of a small one.  Everything is bounded by what was there at open, so that the parts of one answer speak of the same ledger.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"
#include "schema/lives.h"
#include "schema/ring.h"

/* An event of kind start, stop, clock or lost: event.raw and event.detail are NULL. */
struct ledger_fact {
	struct event event;
	uint64_t
		before_ns; /* timestamp_ns of the event before it in the same block; 0: it is the first */
	uint8_t before_kind;
};

/* One block, or (tail) what is staged; or (hole) a block that cannot be read, which has no events, and ends where the next one that can
 * be begins. */
struct ledger_span {
	uint64_t block_no; /* where a cursor begins */
	uint64_t first_event_no, event_count;
	uint64_t kind_bits, ts_min_ns, ts_max_ns;
	uint64_t anchor_mono_ns,
		anchor_real_ns; /* read together when the block was sealed; 0: not known */
	uint64_t lost_total;
	uint64_t stored_bytes;
	uint32_t boot_no, flags;
	bool tail, hole;
	enum { SPAN_UNREAD, SPAN_READ, SPAN_KNOWN } state; /* for ledger_spans.c */
	uint64_t lost_block;                               /* as in the header */
	uint8_t boot_id[RING_UUID_BYTES];
	bool facts_read;
	size_t fact_count;
	struct ledger_fact *facts;
};

struct ledger_boot {
	uint32_t boot_no;
	uint8_t boot_id[RING_UUID_BYTES];
	bool imported; /* a stream given with --input: no wall-clock times */
	bool begins;   /* the ring still holds how it began */
	size_t first_span, span_count;
	uint64_t ts_min_ns, ts_max_ns;
};

/* Events [from_no, to_no) of a boot that cannot be read, between two times. */
struct ledger_damage {
	uint32_t boot_no;
	uint64_t from_no, to_no, from_ns, to_ns;
};

struct ledger {
	struct ring *ring;
	uint64_t first_block, next_block;
	uint64_t opened_ns;        /* CLOCK_MONOTONIC just before it was read */
	uint64_t opened_wall_ns;   /* CLOCK_REALTIME then */
	uint64_t end_event_no;     /* the number behind the newest event */
	struct ledger_span *spans; /* the n-th is of block first_block + n; see ledger_span() */
	size_t span_count;
	struct ledger_boot *boots; /* oldest first */
	size_t boot_count;
	struct ledger_damage *damage;
	size_t damage_count;
	bool has_facts;      /* some span has been read for them */
	struct block *block; /* working memory for facts */
	/* Told now and then how far a walk is; NULL: nobody. */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *progress_context;
};

/* 0; what ring_open() returns; -ENOMEM. */
int ledger_open(const char *ring_path, struct ledger **ret_ledger);
void ledger_close(struct ledger *ledger); /* NULL does nothing */

/* The i-th span (below span_count), its header read if that was not done yet. */
struct ledger_span *ledger_span(const struct ledger *ledger, size_t i);

/* The spans that tell of events of kind LOST or BLIND, of a boot and from span `first` on, ascending.
 * 0: *ret_spans is the caller's to free; -ENOMEM. */
int ledger_lost_spans(const struct ledger *ledger, const struct ledger_boot *boot, size_t first,
		      size_t **ret_spans, size_t *ret_count);

/* Notes in ledger->damage what cannot be read, unless it is there already.  0 or -ENOMEM. */
int ledger_note_damage(struct ledger *ledger, const struct ledger_damage *damage);

/* Notes in ledger->damage what is missing between the blocks of a boot from from_ns to to_ns.  0 or -ENOMEM. */
int ledger_note_gaps(struct ledger *ledger, const struct ledger_boot *boot, uint64_t from_ns,
		     uint64_t to_ns);

/* The spans of a boot outside of which nothing is between from_ns and to_ns, whether or not anything is inside: [*ret_first, *ret_last]. */
void ledger_range(const struct ledger *ledger, const struct ledger_boot *boot, uint64_t from_ns,
		  uint64_t to_ns, size_t *ret_first, size_t *ret_last);

/* The facts of a span, in the order of event_no: of the kinds named above.  Reads the block the first time, if it has any.
 * 0 (a damaged block has none and is noted), or -errno. */
int ledger_facts(struct ledger *ledger, struct ledger_span *span);

/* Reads the block of a span whole: damage in it is noted.  0 or -errno. */
int ledger_read_span(struct ledger *ledger, const struct ledger_span *span);

/* The spans of a boot that may hold events of [from_ns, to_ns]: [*ret_first, *ret_last].  False: none does. */
bool ledger_find(const struct ledger *ledger, const struct ledger_boot *boot, uint64_t from_ns,
		 uint64_t to_ns, size_t *ret_first, size_t *ret_last);

/* Walks the events of spans [first, last]. */
struct ledger_walk {
	struct ledger *ledger;
	struct ring_cursor *cursor;
	uint64_t first_event_no, end_event_no;
	uint32_t boot_no;
};

/* 0 or -ENOMEM.  The caller ends it with ledger_walk_clear(), also after a failure. */
int ledger_walk_init(struct ledger_walk *walk, struct ledger *ledger, size_t first, size_t last);
void ledger_walk_clear(struct ledger_walk *walk);

/* Before the first ledger_walk_next(): gives only events that pass; see ring_cursor_set_filter(). */
void ledger_walk_set_filter(struct ledger_walk *walk, const struct event_filter *filter);

/* 0: *ret_event is valid until the next call; LEDGER_WALK_END; -errno.  What cannot be read is skipped and noted in ledger->damage. */
enum { LEDGER_WALK_END = 1 };
int ledger_walk_next(struct ledger_walk *walk, const struct event **ret_event);

/* Where a fold must begin to know all lives at the start of span `first`.
 * 0: begin with the events of span *ret_span, after lives_unpack() of the keyframe in block *ret_keyframe (RING_NO_BLOCK: with nothing, it is
 * where a boot began); LEDGER_NO_KEYFRAME: nothing explains that span; *ret_span is the earliest from which on all is known,
 * span_count of the ledger when there is none; -errno. */
enum { LEDGER_NO_KEYFRAME = 1 };
int ledger_fold_start(struct ledger *ledger, size_t first, size_t *ret_span,
		      uint64_t *ret_keyframe);
