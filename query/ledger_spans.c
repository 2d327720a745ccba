/* ledger_spans.c - the blocks of a ledger by number, boot and time, out of as few headers as will do.
 *
 * Along the blocks numbers, boots and (nearly) times grow, so that halving finds them; a header that lies only leads astray.
 */
#include <string.h>

#include "query/ledger_core.h"

enum {
	DISORDER_SPANS = 8
}; /* time stamps of several CPUs: so many spans around an edge are looked at one by one */

#define LOST_BITS (UINT64_C(1) << EVENT_LOST | UINT64_C(1) << EVENT_BLIND)

/* --- headers --- */

static void span_read(const struct ledger *ledger, size_t i)
{
	struct ledger_span *span = &ledger->spans[i];
	struct ring_block_header header;

	if (span->state != SPAN_UNREAD)
		return;
	span->state = SPAN_READ;
	span->block_no = ledger->first_block + i;
	if (ring_read_header(ledger->ring, span->block_no, &header) != 0) {
		span->hole = true;
		return;
	}
	span->first_event_no = header.first_event_no;
	span->event_count = header.event_count;
	span->kind_bits = header.kind_bits;
	span->ts_min_ns = header.ts_min_ns;
	span->ts_max_ns = header.ts_max_ns;
	span->anchor_mono_ns = header.monotonic_ns;
	span->anchor_real_ns = header.realtime_ns;
	span->lost_total = header.lost_total;
	span->lost_block = header.lost_block;
	span->stored_bytes = header.stored_bytes;
	span->boot_no = header.boot_no;
	span->flags = header.flags;
	memcpy(span->boot_id, header.boot_id, RING_UUID_BYTES);
}

static uint64_t span_end_no(const struct ledger_span *span)
{
	return span->first_event_no + span->event_count;
}

/* A number given up after a failed write (FORMAT.md 8): what the block before says already does not count twice. */
static void span_trim(struct ledger_span *span, const struct ledger_span *before)
{
	uint64_t end_no = span_end_no(span), before_end_no = span_end_no(before);

	if (before->hole || span->first_event_no >= before_end_no)
		return;
	span->first_event_no = before_end_no;
	span->event_count = end_no > before_end_no ? end_no - before_end_no : 0;
	if (span->event_count == 0)
		span->kind_bits = 0;
}

/* The run of unreadable blocks around i takes its place between its neighbours. */
static void hole_place(const struct ledger *ledger, size_t i)
{
	const struct ledger_span *before = NULL, *behind = NULL;
	size_t first = i, end = i + 1;

	while (first > 0 && (span_read(ledger, first - 1), ledger->spans[first - 1].hole))
		first--;
	while (end < ledger->span_count && (span_read(ledger, end), ledger->spans[end].hole))
		end++;
	if (end < ledger->span_count)
		behind = &ledger->spans[end];
	before = first > 0 ? ledger_span(ledger, first - 1) : behind;
	for (size_t k = first; k < end && before; k++) {
		struct ledger_span *hole = &ledger->spans[k];

		hole->state = SPAN_KNOWN;
		hole->boot_no = before->boot_no;
		memcpy(hole->boot_id, before->boot_id, RING_UUID_BYTES);
		hole->first_event_no = first > 0 ? span_end_no(before) : before->first_event_no;
		hole->lost_total = before->lost_total;
		hole->ts_min_ns = hole->ts_max_ns =
			first > 0 ? before->ts_max_ns : before->ts_min_ns;
		if (behind && behind->boot_no == before->boot_no)
			hole->ts_max_ns = behind->ts_min_ns;
	}
}

struct ledger_span *ledger_span(const struct ledger *ledger, size_t i)
{
	struct ledger_span *span = &ledger->spans[i];

	if (span->state == SPAN_KNOWN)
		return span;
	span_read(ledger, i);
	if (span->hole) {
		hole_place(ledger, i);
	} else if (i > 0) {
		span_read(ledger, i - 1);
		span_trim(span, &ledger->spans[i - 1]);
	}
	span->state = SPAN_KNOWN;
	return span;
}

const struct ledger_span *ledger_span_of_event(const struct ledger *ledger, uint64_t event_no)
{
	size_t low = 0, high = ledger->span_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (ledger_span(ledger, middle)->first_event_no <= event_no)
			low = middle;
		else
			high = middle;
	}
	return ledger_span(ledger, low);
}

/* --- boots --- */

/* The first span from `low` on that is of a later boot than boot_no. */
static size_t boot_end(const struct ledger *ledger, size_t low, uint32_t boot_no)
{
	size_t high = ledger->span_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ledger_span(ledger, middle)->boot_no > boot_no)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void boot_times(const struct ledger *ledger, struct ledger_boot *boot)
{
	size_t count = boot->span_count < DISORDER_SPANS ? boot->span_count : DISORDER_SPANS;

	boot->ts_min_ns = UINT64_MAX;
	for (size_t k = 0; k < count; k++) {
		const struct ledger_span *early = ledger_span(ledger, boot->first_span + k);
		const struct ledger_span *late =
			ledger_span(ledger, boot->first_span + boot->span_count - 1 - k);

		if (early->event_count > 0 && early->ts_min_ns < boot->ts_min_ns)
			boot->ts_min_ns = early->ts_min_ns;
		if (late->event_count > 0 && late->ts_max_ns > boot->ts_max_ns)
			boot->ts_max_ns = late->ts_max_ns;
	}
}

int ledger_find_boots(struct ledger *ledger)
{
	static const uint8_t no_id[RING_UUID_BYTES];

	for (size_t first = 0; first < ledger->span_count;) {
		const struct ledger_span *span = ledger_span(ledger, first);
		struct ledger_boot boot = { .boot_no = span->boot_no, .first_span = first };

		if (span->hole && first == 0 && ledger->span_count == 1)
			break; /* nothing can be said */
		boot.span_count = boot_end(ledger, first + 1, boot.boot_no) - first;
		boot.imported = memcmp(span->boot_id, no_id, RING_UUID_BYTES) == 0;
		boot.begins = (span->flags & RING_BLOCK_FIRST_OF_BOOT) || span->first_event_no == 1;
		memcpy(boot.boot_id, span->boot_id, RING_UUID_BYTES);
		boot_times(ledger, &boot);
		if (GROW(ledger->boots, ledger->boot_count) < 0)
			return -ENOMEM;
		ledger->boots[ledger->boot_count++] = boot;
		first += boot.span_count;
	}
	return 0;
}

/* --- times --- */

/* The first span in [low, high) that reaches up to from_ns. */
static size_t first_reaching(const struct ledger *ledger, size_t low, size_t high, uint64_t from_ns)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ledger_span(ledger, middle)->ts_max_ns >= from_ns)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void ledger_range(const struct ledger *ledger, const struct ledger_boot *boot, uint64_t from_ns,
		  uint64_t to_ns, size_t *ret_first, size_t *ret_last)
{
	size_t begin = boot->first_span, end = begin + boot->span_count;
	size_t first = first_reaching(ledger, begin, end, from_ns), last;

	/* Behind the first that reaches beyond to_ns nothing begins before it, but for the disorder. */
	last = to_ns == UINT64_MAX ? end : first_reaching(ledger, first, end, to_ns + 1);
	*ret_first = first - begin > DISORDER_SPANS ? first - DISORDER_SPANS : begin;
	*ret_last = end - last > DISORDER_SPANS ? last + DISORDER_SPANS : end - 1;
}

static bool span_overlaps(const struct ledger_span *span, uint64_t from_ns, uint64_t to_ns)
{
	return span->event_count > 0 && span->ts_max_ns >= from_ns && span->ts_min_ns <= to_ns;
}

bool ledger_find(const struct ledger *ledger, const struct ledger_boot *boot, uint64_t from_ns,
		 uint64_t to_ns, size_t *ret_first, size_t *ret_last)
{
	size_t first, last;

	ledger_range(ledger, boot, from_ns, to_ns, &first, &last);
	while (first < last && !span_overlaps(ledger_span(ledger, first), from_ns, to_ns))
		first++;
	while (last > first && !span_overlaps(ledger_span(ledger, last), from_ns, to_ns))
		last--;
	if (!span_overlaps(ledger_span(ledger, first), from_ns, to_ns))
		return false;
	*ret_first = first;
	*ret_last = last;
	return true;
}

/* --- what is missing --- */

int ledger_note_gaps(struct ledger *ledger, const struct ledger_boot *boot, uint64_t from_ns,
		     uint64_t to_ns)
{
	size_t first, last;

	ledger_range(ledger, boot, from_ns, to_ns, &first, &last);
	if (last + 1 < ledger->span_count)
		last++;
	for (size_t i = first > 0 ? first : 1; i <= last; i++) {
		const struct ledger_span *before = ledger_span(ledger, i - 1);
		const struct ledger_span *span = ledger_span(ledger, i);
		struct ledger_damage damage = {
			.boot_no = before->boot_no,
			.from_no = span_end_no(before),
			.to_no = span->first_event_no,
			.from_ns = before->hole ? before->ts_min_ns : before->ts_max_ns,
			.to_ns = span->boot_no == before->boot_no ? span->ts_min_ns
								  : before->ts_max_ns,
		};

		if (damage.to_no > damage.from_no && ledger_note_damage(ledger, &damage) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Backwards from span i to the next one that tells of losses, in the boot and not before `first`: from link to link where there are
 * links, else one by one.  False: there is none. */
static bool lost_before(const struct ledger *ledger, const struct ledger_boot *boot, size_t first,
			size_t *i)
{
	size_t floor = first > boot->first_span ? first : boot->first_span;

	while (*i > floor) {
		const struct ledger_span *span = ledger_span(ledger, --*i);
		uint64_t link = span->lost_block;

		if (span->kind_bits & LOST_BITS)
			return true;
		if (span->hole || span->tail || link == 0)
			continue;
		if (link == RING_NO_BLOCK || link - 1 < ledger->first_block + floor)
			return false;
		if (link - 1 < span->block_no)
			*i = (size_t)(link - 1 - ledger->first_block) + 1;
	}
	return false;
}

int ledger_lost_spans(const struct ledger *ledger, const struct ledger_boot *boot, size_t first,
		      size_t **ret_spans, size_t *ret_count)
{
	size_t i = boot->first_span + boot->span_count, count = 0, *spans = NULL;

	while (lost_before(ledger, boot, first, &i)) {
		if (GROW(spans, count) < 0) {
			free(spans);
			return -ENOMEM;
		}
		spans[count++] = i;
	}
	for (size_t k = 0; k < count / 2; k++) {
		size_t other = spans[k];

		spans[k] = spans[count - 1 - k];
		spans[count - 1 - k] = other;
	}
	*ret_spans = spans;
	*ret_count = count;
	return 0;
}
