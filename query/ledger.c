#include "query/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cleanup.h"

#define BIT(kind) (UINT64_C(1) << (kind))
#define FACT_BITS \
	(BIT(EVENT_START) | BIT(EVENT_STOP) | BIT(EVENT_CLOCK) | BIT(EVENT_LOST) | BIT(EVENT_BLIND))

/* --- growing arrays --- */

static int room_for_one(void **array, size_t count, size_t element_bytes)
{
	void *grown;

	/* full at 0 and at every power of two from 16 on */
	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return 0;
	grown = reallocarray(*array, count == 0 ? 16 : count * 2, element_bytes);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	return 0;
}

#define GROW(array, count)                                                 \
	({                                                                 \
		void *array_ = (array);                                    \
		int r_ = room_for_one(&array_, (count), sizeof(*(array))); \
		if (r_ == 0)                                               \
			(array) = array_;                                  \
		r_;                                                        \
	})

static int note_damage(struct ledger *ledger, const struct ledger_damage *damage)
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

/* The span that holds an event number, or the one before the hole that it is in; 0 when it is older than all. */
static size_t span_of_event(const struct ledger *ledger, uint64_t event_no)
{
	size_t low = 0, high = ledger->span_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (ledger->spans[middle].first_event_no <= event_no)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int note_unreadable(struct ledger *ledger, uint64_t from_no, uint64_t to_no)
{
	struct ledger_damage damage = { .from_no = from_no, .to_no = to_no };

	if (ledger->span_count > 0) {
		const struct ledger_span *span = &ledger->spans[span_of_event(ledger, from_no)];
		const struct ledger_span *last = &ledger->spans[span_of_event(ledger, to_no - 1)];

		damage.boot_no = span->boot_no;
		damage.from_ns = span->ts_min_ns;
		damage.to_ns = last->ts_max_ns;
	}
	return note_damage(ledger, &damage);
}

/* --- what there is --- */

static int span_add(struct ledger *ledger, const struct ledger_span *span)
{
	if (GROW(ledger->spans, ledger->span_count) < 0)
		return -ENOMEM;
	if (ledger->span_count > 0) { /* a hole between two headers that are whole */
		const struct ledger_span *before = &ledger->spans[ledger->span_count - 1];
		struct ledger_damage damage = {
			.boot_no = before->boot_no,
			.from_no = before->first_event_no + before->event_count,
			.to_no = span->first_event_no,
			.from_ns = before->ts_max_ns,
			.to_ns = span->boot_no == before->boot_no ? span->ts_min_ns
								  : before->ts_max_ns,
		};

		if (damage.to_no > damage.from_no && note_damage(ledger, &damage) < 0)
			return -ENOMEM;
	}
	ledger->spans[ledger->span_count++] = *span;
	return 0;
}

static int boot_add(struct ledger *ledger, size_t span_index, const uint8_t *boot_id)
{
	static const uint8_t no_id[RING_UUID_BYTES];
	const struct ledger_span *span = &ledger->spans[span_index];
	struct ledger_boot *boot = NULL;

	if (ledger->boot_count > 0)
		boot = &ledger->boots[ledger->boot_count - 1];
	if (!boot || boot->boot_no != span->boot_no) {
		if (GROW(ledger->boots, ledger->boot_count) < 0)
			return -ENOMEM;
		boot = &ledger->boots[ledger->boot_count++];
		*boot = (struct ledger_boot){ .boot_no = span->boot_no,
					      .first_span = span_index,
					      .ts_min_ns = UINT64_MAX };
		memcpy(boot->boot_id, boot_id, RING_UUID_BYTES);
		boot->imported = memcmp(boot_id, no_id, RING_UUID_BYTES) == 0;
		boot->begins =
			(span->flags & RING_BLOCK_FIRST_OF_BOOT) != 0 || span->first_event_no == 1;
	}
	boot->span_count++;
	if (span->event_count > 0) {
		if (span->ts_min_ns < boot->ts_min_ns)
			boot->ts_min_ns = span->ts_min_ns;
		if (span->ts_max_ns > boot->ts_max_ns)
			boot->ts_max_ns = span->ts_max_ns;
	}
	return 0;
}

static int read_headers(struct ledger *ledger)
{
	for (uint64_t n = ledger->first_block; n < ledger->next_block; n++) {
		struct ring_block_header header;
		struct ledger_span span;
		int r = ring_read_header(ledger->ring, n, &header);

		if (r < 0)
			return r;
		if (r > 0)
			continue; /* the numbers around it tell what is missing */
		span = (struct ledger_span){
			.block_no = n,
			.first_event_no = header.first_event_no,
			.event_count = header.event_count,
			.kind_bits = header.kind_bits,
			.ts_min_ns = header.ts_min_ns,
			.ts_max_ns = header.ts_max_ns,
			.anchor_mono_ns = header.monotonic_ns,
			.anchor_real_ns = header.realtime_ns,
			.lost_total = header.lost_total,
			.stored_bytes = header.stored_bytes,
			.boot_no = header.boot_no,
			.flags = header.flags,
		};
		/* A header is believed only as far as it can be: numbers and boots grow. */
		if (ledger->span_count > 0) {
			const struct ledger_span *before = &ledger->spans[ledger->span_count - 1];

			if (span.first_event_no < before->first_event_no + before->event_count ||
			    span.boot_no < before->boot_no)
				continue;
		}
		r = span_add(ledger, &span);
		if (r == 0)
			r = boot_add(ledger, ledger->span_count - 1, header.boot_id);
		if (r < 0)
			return r;
	}
	return 0;
}

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

static int add_tail(struct ledger *ledger)
{
	struct ledger_span tail = { .block_no = ledger->next_block,
				    .tail = true,
				    .facts_read = true };
	int r = read_tail(ledger, &tail);

	if (r == 0 && tail.event_count > 0) {
		r = span_add(ledger, &tail);
		if (r == 0)
			return boot_add(ledger, ledger->span_count - 1,
					ring_super(ledger->ring)->boot_id);
	}
	free(tail.facts);
	return r;
}

int ledger_open(const char *ring_path, struct ledger **ret_ledger)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	int r;

	if (!ledger)
		return -ENOMEM;
	r = ring_open(ring_path, &ledger->ring);
	if (r == 0) {
		ledger->block = block_new();
		r = ledger->block ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = ring_refresh(ledger->ring, &ledger->first_block, &ledger->next_block);
	if (r == 0)
		r = read_headers(ledger);
	if (r == 0)
		r = add_tail(ledger);
	if (r < 0) {
		ledger_close(ledger);
		return r;
	}
	ledger->end_event_no = 1;
	if (ledger->span_count > 0) {
		const struct ledger_span *last = &ledger->spans[ledger->span_count - 1];

		ledger->end_event_no = last->first_event_no + last->event_count;
	}
	*ret_ledger = ledger;
	return 0;
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < ledger->span_count; i++)
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
	span->facts_read = true;
	if (r > 0)
		return note_unreadable(ledger, span->first_event_no,
				       span->first_event_no + span->event_count);
	events = block_events(ledger->block, &count);
	for (size_t i = 0; i < count; i++) {
		r = fact_add(span, &events[i], before_ns, before_kind);
		if (r < 0)
			return r;
		before_ns = events[i].timestamp_ns;
		before_kind = events[i].kind;
	}
	return 0;
}

bool ledger_find(const struct ledger *ledger, const struct ledger_boot *boot, uint64_t from_ns,
		 uint64_t to_ns, size_t *ret_first, size_t *ret_last)
{
	bool found = false;

	for (size_t i = boot->first_span; i < boot->first_span + boot->span_count; i++) {
		const struct ledger_span *span = &ledger->spans[i];

		if (span->event_count == 0 || span->ts_max_ns < from_ns || span->ts_min_ns > to_ns)
			continue;
		if (!found)
			*ret_first = i;
		*ret_last = i;
		found = true;
	}
	return found;
}

/* --- walking --- */

int ledger_walk_init(struct ledger_walk *walk, struct ledger *ledger, size_t first, size_t last)
{
	const struct ledger_span *end = &ledger->spans[last];

	*walk = (struct ledger_walk){
		.ledger = ledger,
		.end_event_no = end->first_event_no + end->event_count,
		.boot_no = ledger->spans[first].boot_no,
	};
	walk->cursor = ring_cursor_new(ledger->ring, ledger->spans[first].block_no);
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
		*ret_event = event;
		return 0;
	}
}

/* --- where a fold begins --- */

static size_t span_of_block(const struct ledger *ledger, uint64_t block_no)
{
	for (size_t i = 0; i < ledger->span_count; i++) {
		if (ledger->spans[i].block_no >= block_no)
			return i;
	}
	return ledger->span_count;
}

static bool begins_boot(const struct ledger_span *span)
{
	return span->first_event_no == 1 || (span->flags & RING_BLOCK_FIRST_OF_BOOT);
}

int ledger_fold_start(struct ledger *ledger, size_t first, size_t *ret_span, uint64_t *ret_keyframe)
{
	size_t begin = ledger->span_count, i;
	uint64_t block_no, limit;
	int r;

	for (i = first + 1; i-- > 0 && ledger->spans[i].boot_no == ledger->spans[first].boot_no;) {
		if (begins_boot(&ledger->spans[i])) {
			begin = i;
			break;
		}
	}
	/* A staged tail has no block of its own yet: the last block's keyframe is the newest. */
	limit = ledger->spans[first].block_no;
	if (ledger->spans[first].tail && limit > 0)
		limit--;
	r = ledger->next_block > ledger->first_block
		    ? ring_find_keyframe(ledger->ring, limit, &block_no)
		    : RING_END;
	if (r < 0)
		return r;
	if (r == 0) {
		i = span_of_block(ledger, block_no);
		if (i <= first && ledger->spans[i].boot_no == ledger->spans[first].boot_no &&
		    (begin == ledger->span_count || i >= begin)) {
			*ret_span = i;
			*ret_keyframe = block_no;
			return 0;
		}
	}
	if (begin < ledger->span_count) {
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
