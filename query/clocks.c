#include "query/clocks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define CLOCK_BIT (UINT64_C(1) << EVENT_CLOCK)

/* A block without a step: how far the clocks inside it may be off those read when it was sealed.  adjtime(2) slews by at most
 * 500 ppm (a block a day old: 43 s), NTP's panic threshold keeps larger steps apart. */
#define SLEW_SLACK_NS INT64_C(60000000000)

/* Stamps [from_ns, to_ns] of a boot whose wall time is stamp + offset_ns. */
struct segment {
	uint64_t from_ns, to_ns;
	int64_t offset_ns;
};

struct clocks {
	struct ledger *ledger;
	uint32_t cached_boot;
	bool cached;
	int answer; /* of the last question: 0, -ENOENT for all of that boot */
	struct segment segment;
};

struct clocks *clocks_new(struct ledger *ledger)
{
	struct clocks *clocks = calloc(1, sizeof(*clocks));

	if (clocks)
		clocks->ledger = ledger;
	return clocks;
}

void clocks_free(struct clocks *clocks)
{
	free(clocks);
}

static int64_t fact_offset(const struct event *event)
{
	return (int64_t)(event->arg[1] - event->timestamp_ns);
}

static uint64_t wall_of(uint64_t timestamp_ns, int64_t offset_ns)
{
	uint64_t wall = timestamp_ns + (uint64_t)offset_ns;

	if (offset_ns < 0)
		return timestamp_ns < (uint64_t)-offset_ns ? 0 : wall;
	return wall < timestamp_ns ? UINT64_MAX : wall;
}

static const struct ledger_boot *boot_find(const struct ledger *ledger, uint32_t boot_no)
{
	for (size_t i = 0; i < ledger->boot_count; i++) {
		if (ledger->boots[i].boot_no == boot_no)
			return &ledger->boots[i];
	}
	return NULL;
}

/* The last clock event of a span at or before a time (last: the first one of all), or NULL. */
static const struct event *clock_in_span(const struct ledger_span *span, uint64_t timestamp_ns,
					 bool first, uint64_t *ret_next_ns)
{
	const struct event *found = NULL;

	for (size_t i = 0; i < span->fact_count; i++) {
		const struct event *event = &span->facts[i].event;

		if (event->kind != EVENT_CLOCK)
			continue;
		if (found && (first || event->timestamp_ns > timestamp_ns)) {
			*ret_next_ns = event->timestamp_ns;
			return found;
		}
		if (first || event->timestamp_ns <= timestamp_ns)
			found = event;
		else if (event->timestamp_ns < *ret_next_ns)
			*ret_next_ns = event->timestamp_ns;
	}
	return found;
}

/* Before the first clock event of a boot its offset holds. */
static int segment_first(struct clocks *clocks, const struct ledger_boot *boot,
			 struct segment *ret_segment)
{
	struct ledger *ledger = clocks->ledger;

	for (size_t i = boot->first_span; i < boot->first_span + boot->span_count; i++) {
		struct ledger_span *span = ledger_span(ledger, i);
		uint64_t next_ns = UINT64_MAX;
		const struct event *clock;
		int r;

		if (!(span->kind_bits & CLOCK_BIT))
			continue;
		r = ledger_facts(ledger, span);
		if (r < 0)
			return r;
		clock = clock_in_span(span, 0, true, &next_ns);
		if (clock) {
			*ret_segment = (struct segment){ .to_ns = clock->timestamp_ns,
							 .offset_ns = fact_offset(clock) };
			return 0;
		}
	}
	return -ENOENT;
}

/* The earliest time at which a clock event behind span `last` may come. */
static uint64_t next_clock_ns(struct ledger *ledger, const struct ledger_boot *boot, size_t last)
{
	for (size_t i = last + 1; i < boot->first_span + boot->span_count; i++) {
		const struct ledger_span *span = ledger_span(ledger, i);

		if (span->kind_bits & CLOCK_BIT)
			return span->ts_min_ns;
	}
	return UINT64_MAX;
}

static int segment_find(struct clocks *clocks, const struct ledger_boot *boot,
			uint64_t timestamp_ns, struct segment *ret_segment)
{
	struct ledger *ledger = clocks->ledger;
	uint64_t next_ns;
	size_t first, last;

	if (boot->imported)
		return -ENOENT;
	ledger_range(ledger, boot, timestamp_ns, timestamp_ns, &first, &last);
	next_ns = next_clock_ns(ledger, boot, last);
	for (size_t i = last + 1; i-- > boot->first_span;) {
		struct ledger_span *span = ledger_span(ledger, i);
		const struct event *clock;
		int r;

		if (!(span->kind_bits & CLOCK_BIT))
			continue;
		if (span->ts_min_ns > timestamp_ns) {
			if (span->ts_min_ns < next_ns)
				next_ns = span->ts_min_ns; /* a clock of it may come that early */
			continue;
		}
		r = ledger_facts(ledger, span);
		if (r < 0)
			return r;
		clock = clock_in_span(span, timestamp_ns, false, &next_ns);
		if (clock) {
			*ret_segment = (struct segment){ .from_ns = clock->timestamp_ns,
							 .to_ns = next_ns - 1,
							 .offset_ns = fact_offset(clock) };
			return 0;
		}
	}
	return segment_first(clocks, boot, ret_segment);
}

int clocks_wall(struct clocks *clocks, uint32_t boot_no, uint64_t timestamp_ns,
		uint64_t *ret_wall_ns)
{
	if (!clocks->cached || clocks->cached_boot != boot_no ||
	    timestamp_ns < clocks->segment.from_ns || timestamp_ns > clocks->segment.to_ns) {
		const struct ledger_boot *boot = boot_find(clocks->ledger, boot_no);
		struct segment segment = { .to_ns = UINT64_MAX };
		int r = boot ? segment_find(clocks, boot, timestamp_ns, &segment) : -ENOENT;

		if (r < 0 && r != -ENOENT)
			return r;
		clocks->segment = segment;
		clocks->cached_boot = boot_no;
		clocks->cached = true;
		clocks->answer = r;
	}
	if (clocks->answer < 0)
		return clocks->answer;
	*ret_wall_ns = wall_of(timestamp_ns, clocks->segment.offset_ns);
	return 0;
}

/* --- windows --- */

struct intervals {
	struct interval *interval;
	size_t count, capacity;
	uint64_t since_ns, until_ns;
	bool begun; /* a clock has been seen */
	struct segment open;
	int error;
};

/* What of a segment is in the window, joined to the interval before where they touch. */
static void intervals_take(struct intervals *in, const struct segment *segment)
{
	int64_t offset = segment->offset_ns;
	uint64_t from = segment->from_ns, to = segment->to_ns, edge;

	if (in->error < 0 || wall_of(to, offset) < in->since_ns ||
	    wall_of(from, offset) > in->until_ns)
		return;
	edge = in->since_ns - (uint64_t)offset; /* in range: the window reaches into the segment */
	if (wall_of(from, offset) < in->since_ns)
		from = edge;
	edge = in->until_ns - (uint64_t)offset;
	if (wall_of(to, offset) > in->until_ns)
		to = edge;
	if (in->count > 0 && in->interval[in->count - 1].to_ns + 1 >= from) {
		in->interval[in->count - 1].to_ns = to;
		return;
	}
	if (in->count == in->capacity) {
		size_t capacity = in->capacity ? in->capacity * 2 : 8;
		struct interval *grown = reallocarray(in->interval, capacity, sizeof(*grown));

		if (!grown) {
			in->error = -ENOMEM;
			return;
		}
		in->interval = grown;
		in->capacity = capacity;
	}
	in->interval[in->count++] = (struct interval){ from, to };
}

/* A clock read at at_ns ends the segment before it. */
static void intervals_clock(struct intervals *in, uint64_t at_ns, int64_t offset_ns)
{
	if (in->begun && at_ns <= in->open.from_ns) {
		in->open.offset_ns = offset_ns;
		return;
	}
	if (in->begun) {
		in->open.to_ns = at_ns - 1;
		intervals_take(in, &in->open);
		in->open.from_ns = at_ns;
	}
	in->begun = true; /* the first clock holds from 0 on */
	in->open.offset_ns = offset_ns;
}

static bool span_anchor(const struct ledger_span *span, int64_t *ret_offset)
{
	/* What a later boot sealed bears the clocks of that boot. */
	if (span->tail || (span->flags & RING_BLOCK_RECOVERED) || span->anchor_mono_ns == 0 ||
	    span->anchor_real_ns == 0)
		return false;
	*ret_offset = (int64_t)(span->anchor_real_ns - span->anchor_mono_ns);
	return true;
}

/* Whether all of a span is so far from both edges of the window that the clocks of its neighbours' seals are good enough for it. */
static bool span_is_clear(const struct ledger *ledger, const struct ledger_boot *boot, size_t i,
			  const struct intervals *in)
{
	const struct ledger_span *span = ledger_span(ledger, i);
	int64_t before, after, low, high;
	uint64_t from, to;

	if (i == boot->first_span || (span->flags & RING_BLOCK_CLOCK_STEP) ||
	    (span->kind_bits & UINT64_C(1) << EVENT_START) || !in->begun ||
	    !span_anchor(ledger_span(ledger, i - 1), &before) || !span_anchor(span, &after))
		return false;
	low = (before < after ? before : after) - SLEW_SLACK_NS;
	high = (before > after ? before : after) + SLEW_SLACK_NS;
	from = wall_of(span->ts_min_ns, low);
	to = wall_of(span->ts_max_ns, high);
	return to < in->since_ns || from > in->until_ns ||
	       (from > in->since_ns && to < in->until_ns);
}

static int intervals_span(struct ledger *ledger, struct ledger_span *span, struct intervals *in)
{
	int r = ledger_facts(ledger, span);

	for (size_t i = 0; i < span->fact_count; i++) {
		const struct event *event = &span->facts[i].event;

		if (event->kind == EVENT_CLOCK)
			intervals_clock(in, event->timestamp_ns, fact_offset(event));
	}
	return r;
}

int clocks_intervals(struct clocks *clocks, const struct ledger_boot *boot, uint64_t since_ns,
		     uint64_t until_ns, struct interval **ret_intervals, size_t *ret_count)
{
	struct ledger *ledger = clocks->ledger;
	struct intervals in = { .since_ns = since_ns, .until_ns = until_ns };
	size_t skipped = ledger->span_count; /* the last span with clocks that was not read */
	int r = boot->imported ? -ENOENT : 0;

	for (size_t i = boot->first_span; i < boot->first_span + boot->span_count && r == 0; i++) {
		struct ledger_span *span = ledger_span(ledger, i);

		if (span_is_clear(ledger, boot, i, &in)) {
			int64_t offset;

			if (span->kind_bits & CLOCK_BIT) {
				skipped = i;
				if (span_anchor(span, &offset))
					intervals_clock(&in, span->ts_max_ns, offset);
			}
			continue;
		}
		/* The edge lies near: the last clock before this span must be the real one. */
		if (skipped < ledger->span_count)
			r = intervals_span(ledger, ledger_span(ledger, skipped), &in);
		skipped = ledger->span_count;
		if (r == 0 && (span->kind_bits & CLOCK_BIT))
			r = intervals_span(ledger, span, &in);
	}
	if (r == 0 && !in.begun)
		r = -ENOENT;
	if (r == 0) {
		in.open.to_ns = UINT64_MAX;
		intervals_take(&in, &in.open);
		r = in.error;
	}
	if (r < 0) {
		free(in.interval);
		return r;
	}
	*ret_intervals = in.interval;
	*ret_count = in.count;
	return 0;
}
