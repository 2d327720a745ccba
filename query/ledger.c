#include "query/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query/ledger_core.h"
#include "schema/cleanup.h"

#define BIT(kind) (UINT64_C(1) << (kind))
#define FACT_BITS                                                                  \
	(BIT(EVENT_START) | BIT(EVENT_STOP) | BIT(EVENT_CLOCK) | BIT(EVENT_LOST) | \
	 BIT(EVENT_BLIND) | BIT(EVENT_DISK_ERROR) | BIT(EVENT_SNAPSHOT_END))

enum { PROGRESS_EVENTS = 1 << 16 };

int ledger_note_damage(struct ledger *ledger, const struct ledger_damage *damage)
{
	for (size_t i = 0; i < ledger->damage_count; i++) {
		const struct ledger_damage *known = &ledger->damage[i];

		if (known->from_no <= damage->from_no && known->to_no >= damage->to_no)
			return 0;
	}
	if (GROW(ledger->damage, ledger->damage_count) < 0)
		return -ENOMEM;
	ledger->damage[ledger->damage_count++] = *damage;
	return 0;
}

static int note_unreadable(struct ledger *ledger, uint64_t from_no, uint64_t to_no)
{
	struct ledger_damage damage = { .from_no = from_no, .to_no = to_no };

	if (ledger->span_count > 0) {
		const struct ledger_span *span = ledger_span_of_event(ledger, from_no);
		const struct ledger_span *last = ledger_span_of_event(ledger, to_no - 1);

		damage.boot_no = span->boot_no;
		damage.from_ns = span->ts_min_ns;
		damage.to_ns = last->ts_max_ns;
	}
	return ledger_note_damage(ledger, &damage);
}

/* --- what there is --- */

static int fact_add(struct ledger_span *span, const struct event *event, uint64_t before_ns,
		    uint8_t before_kind)
{
	struct ledger_fact *fact;

	if (event->kind >= EVENT_KIND_LIMIT || !(BIT(event->kind) & FACT_BITS))
		return 0;
	if (GROW(span->facts, span->fact_count) < 0 || !span->facts)
		return -ENOMEM;
	fact = &span->facts[span->fact_count++];
	*fact = (struct ledger_fact){ .event = *event,
				      .before_ns = before_ns,
				      .before_kind = before_kind };
	fact->event.raw = fact->event.detail = NULL;
	fact->event.raw_bytes = fact->event.detail_bytes = 0;
	return 0;
}

static int tail_take(struct ledger_span *tail, const struct event *event, uint32_t boot_no,
		     uint64_t before_ns, uint8_t before_kind)
{
	if (tail->event_count == 0) {
		tail->first_event_no = event->event_no;
		tail->boot_no = boot_no;
		tail->ts_min_ns = tail->ts_max_ns = event->timestamp_ns;
		if (event->kind == EVENT_START && !(event->arg[1] & EVENT_START_SAME_BOOT))
			tail->flags |= RING_BLOCK_FIRST_OF_BOOT;
	}
	if (event->timestamp_ns < tail->ts_min_ns)
		tail->ts_min_ns = event->timestamp_ns;
	if (event->timestamp_ns > tail->ts_max_ns)
		tail->ts_max_ns = event->timestamp_ns;
	if (event->kind < EVENT_KIND_LIMIT)
		tail->kind_bits |= BIT(event->kind);
	tail->event_count = event->event_no - tail->first_event_no + 1;
	return fact_add(tail, event, before_ns, before_kind);
}

/* Reads what lies behind the last block.  A writer that seals meanwhile only moves it; one that starts another boot ends it for us. */
static int read_tail(struct ledger *ledger, struct ledger_span *tail)
{
	struct ring_cursor *cursor = ring_cursor_new(ledger->ring, ledger->next_block);
	uint64_t before_ns = 0, from_no, to_no;
	uint8_t before_kind = 0;
	int r;

	if (!cursor)
		return -ENOMEM;
	for (;;) {
		const struct event *event;

		r = ring_next(cursor, &event, &from_no, &to_no);
		if (r == RING_HOLE || r == RING_OVERRUN)
			continue;
		if (r != 0)
			break;
		if (tail->event_count > 0 && ring_cursor_boot_no(cursor) != tail->boot_no)
			break;
		r = tail_take(tail, event, ring_cursor_boot_no(cursor), before_ns, before_kind);
		if (r < 0)
			break;
		before_ns = event->timestamp_ns;
		before_kind = event->kind;
	}
	ring_cursor_free(cursor);
	return r < 0 ? r : 0;
}

/* The spans: one a block, and the tail. */
static int spans_make(struct ledger *ledger)
{
	size_t blocks = (size_t)(ledger->next_block - ledger->first_block);
	struct ledger_span tail = { .block_no = ledger->next_block,
				    .state = SPAN_KNOWN,
				    .tail = true,
				    .facts_read = true };
	int r;

	/* Pages of it that nobody asks for are never touched. */
	ledger->spans = calloc(blocks + 1, sizeof(*ledger->spans));
	if (!ledger->spans)
		return -ENOMEM;
	r = read_tail(ledger, &tail);
	ledger->span_count = blocks;
	if (r < 0 || tail.event_count == 0) {
		free(tail.facts);
		return r;
	}
	memcpy(tail.boot_id, ring_super(ledger->ring)->boot_id, RING_UUID_BYTES);
	ledger->has_facts = true;
	ledger->spans[ledger->span_count++] = tail;
	return 0;
}

int ledger_open(const char *ring_path, struct ledger **ret_ledger)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	struct timespec now;
	int r;

	if (!ledger)
		return -ENOMEM;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ledger->opened_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	ledger->opened_wall_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	r = ring_open(ring_path, &ledger->ring);
	if (r == 0) {
		ledger->block = block_new();
		r = ledger->block ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = ring_refresh(ledger->ring, &ledger->first_block, &ledger->next_block);
	if (r == 0)
		r = spans_make(ledger);
	if (r == 0)
		r = ledger_find_boots(ledger);
	if (r < 0) {
		ledger_close(ledger);
		return r;
	}
	ledger->end_event_no = 1;
	if (ledger->span_count > 0) {
		const struct ledger_span *last = ledger_span(ledger, ledger->span_count - 1);

		ledger->end_event_no = last->first_event_no + last->event_count;
	}
	*ret_ledger = ledger;
	return 0;
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < ledger->span_count && ledger->has_facts; i++)
		free(ledger->spans[i].facts);
	free(ledger->spans);
	free(ledger->boots);
	free(ledger->damage);
	block_free(ledger->block);
	ring_close(ledger->ring);
	free(ledger);
}

int ledger_facts(struct ledger *ledger, struct ledger_span *span)
{
	struct ring_block_header header;
	const struct event *events;
	uint64_t before_ns = 0;
	uint8_t before_kind = 0;
	size_t count;
	int r;

	if (span->facts_read || !(span->kind_bits & FACT_BITS))
		return 0;
	r = ring_read_block(ledger->ring, span->block_no, ledger->block, &header);
	if (r < 0)
		return r;
	ledger->has_facts = span->facts_read = true;
	if (r > 0)
		return note_unreadable(ledger, span->first_event_no,
				       span->first_event_no + span->event_count);
	events = block_events(ledger->block, &count);
	for (size_t i = 0; i < count; i++) {
		/* What the block before it says already is that one's. */
		if (events[i].event_no >= span->first_event_no)
			r = fact_add(span, &events[i], before_ns, before_kind);
		if (r < 0)
			return r;
		before_ns = events[i].timestamp_ns;
		before_kind = events[i].kind;
	}
	return 0;
}

int ledger_read_span(struct ledger *ledger, const struct ledger_span *span)
{
	struct ring_block_header header;
	int r;

	if (span->tail || span->hole)
		return 0;
	r = ring_read_block(ledger->ring, span->block_no, ledger->block, &header);
	if (r == RING_HOLE)
		return note_unreadable(ledger, span->first_event_no,
				       span->first_event_no + span->event_count);
	return r < 0 ? r : 0; /* a writer may have been there meanwhile */
}

/* --- walking --- */

int ledger_walk_init(struct ledger_walk *walk, struct ledger *ledger, size_t first, size_t last)
{
	const struct ledger_span *begin = ledger_span(ledger, first);
	const struct ledger_span *end = ledger_span(ledger, last);

	*walk = (struct ledger_walk){
		.ledger = ledger,
		.end_event_no = end->first_event_no + end->event_count,
		.boot_no = begin->boot_no,
		.first_event_no = begin->first_event_no,
	};
	walk->cursor = ring_cursor_new(ledger->ring, begin->block_no);
	if (!walk->cursor)
		return -ENOMEM;
	ring_cursor_set_end(walk->cursor, walk->end_event_no);
	return 0;
}

void ledger_walk_clear(struct ledger_walk *walk)
{
	ring_cursor_free(walk->cursor);
	walk->cursor = NULL;
}

void ledger_walk_set_filter(struct ledger_walk *walk, const struct event_filter *filter)
{
	ring_cursor_set_filter(walk->cursor, filter);
}

int ledger_walk_next(struct ledger_walk *walk, const struct event **ret_event)
{
	const struct event *event;
	uint64_t from_no, to_no;

	for (;;) {
		int r = ring_next(walk->cursor, &event, &from_no, &to_no);

		if (r < 0)
			return r;
		if (r == RING_END)
			return LEDGER_WALK_END;
		if (r == RING_HOLE || r == RING_OVERRUN) {
			if (from_no >= walk->end_event_no)
				return LEDGER_WALK_END;
			if (to_no > walk->end_event_no)
				to_no = walk->end_event_no;
			if (to_no > from_no) {
				r = note_unreadable(walk->ledger, from_no, to_no);
				if (r < 0)
					return r;
			}
			continue;
		}
		if (event->event_no >= walk->end_event_no)
			return LEDGER_WALK_END;
		walk->boot_no = ring_cursor_boot_no(walk->cursor);
		if (event->event_no % PROGRESS_EVENTS == 0 && walk->ledger->progress)
			walk->ledger->progress(walk->ledger->progress_context,
					       event->event_no - walk->first_event_no,
					       walk->end_event_no - walk->first_event_no);
		*ret_event = event;
		return 0;
	}
}

/* --- where a fold begins --- */

static size_t span_of_block(const struct ledger *ledger, uint64_t block_no)
{
	uint64_t at = block_no < ledger->first_block ? 0 : block_no - ledger->first_block;

	return at < ledger->span_count ? (size_t)at : ledger->span_count;
}

/* The first span of the boot that span i is of. */
static size_t boot_begin(const struct ledger *ledger, size_t i)
{
	size_t first = 0;

	for (size_t b = 0; b < ledger->boot_count; b++)
		if (ledger->boots[b].first_span <= i)
			first = ledger->boots[b].first_span;
	return first;
}

int ledger_fold_start(struct ledger *ledger, size_t first, size_t *ret_span, uint64_t *ret_keyframe)
{
	const struct ledger_span *span = ledger_span(ledger, first);
	size_t begin = boot_begin(ledger, first), i;
	const struct ledger_span *of_boot = ledger_span(ledger, begin);
	bool begins = of_boot->first_event_no == 1 || (of_boot->flags & RING_BLOCK_FIRST_OF_BOOT);
	uint64_t block_no, limit = span->block_no;
	int r = RING_END;

	/* A staged tail has no block of its own yet: the last block's keyframe is the newest. */
	if (span->tail && limit > 0)
		limit--;
	if (ledger->next_block > ledger->first_block)
		r = ring_find_keyframe(ledger->ring, limit, &block_no);
	if (r < 0)
		return r;
	if (r == 0) {
		i = span_of_block(ledger, block_no);
		/* The keyframe of a boot's first block is of what lived in the boot before. */
		if (i <= first && i >= begin && !(i == begin && begins)) {
			*ret_span = i;
			*ret_keyframe = block_no;
			return 0;
		}
	}
	if (begins) {
		*ret_span = begin;
		*ret_keyframe = RING_NO_BLOCK;
		return 0;
	}
	r = ring_find_keyframe(ledger->ring, RING_NO_BLOCK, &block_no);
	if (r < 0)
		return r;
	*ret_span = r == 0 ? span_of_block(ledger, block_no) : ledger->span_count;
	*ret_keyframe = r == 0 ? block_no : RING_NO_BLOCK;
	return LEDGER_NO_KEYFRAME;
}
