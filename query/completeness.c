#include "query/completeness.h"

#include <errno.h>
#include <stdlib.h>

#define BIT(kind)  (UINT64_C(1) << (kind))
#define DOUBT_BITS (BIT(EVENT_LOST) | BIT(EVENT_START) | BIT(EVENT_BLIND) | BIT(EVENT_SNAPSHOT_END))

/* A loss is told when the next event of that CPU arrives, so behind the window: within a second or two where a recorder has canaries.
 * So far behind it each block with losses is looked at, and some more, for a CPU may have slept; of an import all are. */
#define LOST_TOLD_WITHIN_NS (UINT64_C(60) * 1000000000)
enum { LOST_SPANS_BEHIND = 4 };

struct check {
	struct completeness *completeness;
	struct ledger *ledger;
	struct clocks *clocks;
	const struct window *window;
	unsigned flags;
};

const char *missing_word(enum missing_reason reason)
{
	switch (reason) {
	case MISSING_LOST:
		return "lost";
	case MISSING_BLIND:
		return "blind";
	case MISSING_DOWN:
		return "down";
	case MISSING_OVERWRITTEN:
		return "overwritten";
	case MISSING_NO_KEYFRAME:
		return "no keyframe";
	case MISSING_DAMAGED:
		return "damaged";
	case MISSING_STALLED:
		return "stalled";
	case MISSING_DOUBT:
		return "who lived";
	case MISSING_FUTURE:
		return "future";
	case MISSING_ALL:
		return "nothing";
	case MISSING_CUT:
		return "cut short";
	}
	return "other";
}

/* Losses of one CPU are added up, so that a thousand small holes are one line. */
static int add(struct check *check, const struct missing *missing)
{
	struct completeness *all = check->completeness;
	struct missing *grown;

	for (size_t i = 0; all->missing && i < all->count && missing->reason == MISSING_LOST; i++) {
		struct missing *same = &all->missing[i];

		if (same->reason != MISSING_LOST || same->cpu != missing->cpu ||
		    same->from_boot != missing->from_boot)
			continue;
		same->count += missing->count;
		if (missing->from_ns < same->from_ns)
			same->from_ns = missing->from_ns;
		if (missing->to_ns > same->to_ns)
			same->to_ns = missing->to_ns;
		return 0;
	}
	grown = reallocarray(all->missing, all->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	all->missing = grown;
	all->missing[all->count++] = *missing;
	return 0;
}

static const struct window_boot *window_boot_of(const struct window *window, uint32_t boot_no)
{
	for (size_t i = 0; window->boots && i < window->boot_count; i++) {
		if (window->boots[i].boot->boot_no == boot_no)
			return &window->boots[i];
	}
	return NULL;
}

/* Whether the window reaches into a stretch that may begin in one boot and end in another.  Only a bound that was given counts: who asks
 * for a whole boot asks for what was recorded of it. */
static bool reaches(const struct check *check, const struct missing *m)
{
	const struct window *window = check->window;
	const struct window_boot *boot;
	uint64_t from_wall = 0, to_wall = UINT64_MAX;

	if (m->from_boot == m->to_boot) {
		boot = window_boot_of(window, m->from_boot);
		return boot && window_overlaps(boot, m->from_ns, m->to_ns);
	}
	if (window->wall) {
		if (m->from_boot &&
		    clocks_wall(check->clocks, m->from_boot, m->from_ns, &from_wall) < 0)
			return false;
		if (m->to_boot && clocks_wall(check->clocks, m->to_boot, m->to_ns, &to_wall) < 0)
			return false;
		/* who asks since when asks until now; who asks until when, from the first recording on, if it was before */
		return (window->since_given || m->from_boot || window->until_wall_ns < to_wall) &&
		       from_wall < window->until_wall_ns && to_wall > window->since_wall_ns;
	}
	boot = window_boot_of(window, m->to_boot);
	if (boot && m->to_boot &&
	    ((window->since_given && boot->intervals[0].from_ns < m->to_ns) ||
	     boot->intervals[boot->count - 1].to_ns < m->to_ns))
		return true;
	boot = window_boot_of(window, m->from_boot);
	return boot && m->from_boot &&
	       ((window->until_given && boot->intervals[boot->count - 1].to_ns > m->from_ns) ||
		boot->intervals[0].from_ns > m->from_ns);
}

/* --- recorder not running --- */

/* The time stamp and kind of the last event before span i, in its boot. */
static void last_before(const struct check *check, size_t i, struct missing *ret)
{
	const struct ledger_span *before;

	ret->from_boot = 0;
	ret->from_ns = 0;
	if (i == 0)
		return;
	before = ledger_span(check->ledger, i - 1);
	ret->from_boot = before->boot_no;
	ret->from_ns = before->hole ? before->ts_min_ns : before->ts_max_ns;
}

/* Of an import, or one that goes on with the socket of the last run, nothing is missing before it. */
static bool begins_anew(const struct event *event)
{
	return event->kind == EVENT_START &&
	       !(event->arg[1] & (EVENT_START_IMPORT | EVENT_START_CONTINUED));
}

uint64_t completeness_begin_ns(struct ledger *ledger, const struct ledger_boot *boot)
{
	struct ledger_span *span = ledger_span(ledger, boot->first_span);

	if (ledger_facts(ledger, span) == 0 && span->fact_count > 0 &&
	    span->facts[0].event.event_no == span->first_event_no &&
	    begins_anew(&span->facts[0].event))
		return span->facts[0].event.timestamp_ns;
	return boot->ts_min_ns;
}

static int check_starts(struct check *check, size_t i)
{
	struct ledger_span *span = ledger_span(check->ledger, i);
	int r = ledger_facts(check->ledger, span);

	for (size_t f = 0; f < span->fact_count && r == 0; f++) {
		const struct ledger_fact *fact = &span->facts[f];
		struct missing missing = { .reason = MISSING_DOWN, .cpu = EVENT_CPU_NONE };

		if (!begins_anew(&fact->event))
			continue;
		if (fact->event.event_no == span->first_event_no) {
			last_before(check, i, &missing);
			if (i == 0 && check->ledger->first_block > 0)
				continue; /* what was before is overwritten, and said to be */
		} else {
			missing.from_boot = span->boot_no;
			missing.from_ns = fact->before_ns;
		}
		missing.to_boot = span->boot_no;
		missing.to_ns = fact->event.timestamp_ns;
		if (missing.from_boot == missing.to_boot && missing.from_ns >= missing.to_ns)
			continue;
		if (reaches(check, &missing))
			r = add(check, &missing);
	}
	return r;
}

/* Why nothing is known behind the newest event. */
static enum missing_reason end_reason(const struct check *check)
{
	if (check->flags & COMPLETENESS_CUT)
		return MISSING_CUT;
	if (check->ledger->boot_count == 0)
		return MISSING_ALL;
	if (check->flags & COMPLETENESS_STALLED)
		return MISSING_STALLED;
	return check->flags & COMPLETENESS_RUNNING ? MISSING_FUTURE : MISSING_DOWN;
}

/* After the newest event, or, where somebody is recording, from now on.  Of a file that is cut short even the newest boot may not be the newest. */
static int check_end(struct check *check)
{
	const struct ledger *ledger = check->ledger;
	const struct window *window = check->window;
	struct missing missing = { .reason = end_reason(check),
				   .cpu = EVENT_CPU_NONE,
				   .to_ns = UINT64_MAX };
	const struct ledger_boot *boot;

	if (ledger->boot_count == 0)
		return add(check, &missing);
	boot = &ledger->boots[ledger->boot_count - 1];
	missing.from_boot = boot->boot_no;
	missing.from_ns = boot->ts_max_ns;
	if (missing.reason == MISSING_CUT && !window->since_given && !window->until_given)
		return add(check, &missing);
	if (boot->imported || (missing.reason == MISSING_FUTURE && !window->future))
		return 0;
	if (missing.reason == MISSING_FUTURE && ledger->opened_ns > missing.from_ns)
		missing.from_ns = ledger->opened_ns;
	return reaches(check, &missing) ? add(check, &missing) : 0;
}

/* --- lost --- */

static int check_lost_span(struct check *check, const struct window_boot *boot, size_t i,
			   bool *ret_any)
{
	struct ledger_span *span = ledger_span(check->ledger, i);
	int r = ledger_facts(check->ledger, span);

	for (size_t f = 0; f < span->fact_count && r == 0; f++) {
		const struct event *event = &span->facts[f].event;
		struct missing missing = {
			.reason = MISSING_LOST,
			.from_boot = span->boot_no,
			.to_boot = span->boot_no,
			.from_ns = event->arg[1],
			.to_ns = event->timestamp_ns,
			.count = event->arg[0],
			.cpu = event->cpu,
		};

		if (event->kind == EVENT_BLIND)
			missing.reason = MISSING_BLIND;
		if ((event->kind != EVENT_LOST && event->kind != EVENT_BLIND) ||
		    !window_overlaps(boot, missing.from_ns, missing.to_ns))
			continue;
		*ret_any = true;
		r = add(check, &missing);
	}
	return r;
}

static int check_boot(struct check *check, const struct window_boot *boot)
{
	uint64_t from = boot->intervals[0].from_ns, to = boot->intervals[boot->count - 1].to_ns;
	size_t behind = 0, count, first, last, *spans;
	int r = ledger_note_gaps(check->ledger, boot->boot, from, to);

	if (r < 0)
		return r;
	ledger_range(check->ledger, boot->boot, from, to, &first, &last);
	r = ledger_lost_spans(check->ledger, boot->boot, first, &spans, &count);
	for (size_t k = 0; k < count && r == 0; k++) {
		const struct ledger_span *span = ledger_span(check->ledger, spans[k]);
		bool any = false;

		r = check_lost_span(check, boot, spans[k], &any);
		if (!boot->boot->imported && span->ts_min_ns > to &&
		    span->ts_min_ns - to > LOST_TOLD_WITHIN_NS && !any &&
		    ++behind == LOST_SPANS_BEHIND)
			break;
	}
	free(spans);
	return r;
}

/* What the starts in the spans [first, last] say. */
static int check_starts_in(struct check *check, size_t first, size_t last)
{
	int r = 0;

	for (size_t i = first; i <= last && r == 0; i++)
		if (ledger_span(check->ledger, i)->kind_bits & BIT(EVENT_START))
			r = check_starts(check, i);
	return r;
}

/* Nobody recorded from the last event before a start to that start: a window reaches into that stretch only if the start is in it,
 * is the first behind it, or begins the next boot. */
static int check_down(struct check *check)
{
	const struct window *window = check->window;
	const struct ledger *ledger = check->ledger;
	size_t b = 0, end = ledger->boot_count;
	int r = 0;

	if (window->boot_count > 0) {
		b = (size_t)(window->boots[0].boot - ledger->boots);
		end = (size_t)(window->boots[window->boot_count - 1].boot - ledger->boots) + 2;
	}
	for (; b < end && b < ledger->boot_count && r == 0; b++) {
		const struct ledger_boot *boot = &ledger->boots[b];
		const struct window_boot *asked = window_boot_of(window, boot->boot_no);
		size_t begin = boot->first_span, first = begin, last = begin;

		if (asked)
			ledger_range(check->ledger, boot, asked->intervals[0].from_ns,
				     asked->intervals[asked->count - 1].to_ns, &first, &last);
		if (first > begin)
			r = check_starts_in(check, begin, begin);
		if (r == 0)
			r = check_starts_in(check, first, last);
	}
	return r;
}

/* --- overwritten, unreadable --- */

static int check_oldest(struct check *check)
{
	struct ledger *ledger = check->ledger;
	const struct window_boot *boot = check->window->boot_count ? check->window->boots : NULL;
	struct missing missing = { .reason = MISSING_OVERWRITTEN, .cpu = EVENT_CPU_NONE };
	const struct ledger_span *oldest;
	uint64_t keyframe, from_no;
	size_t begin;
	int r;

	if (ledger->span_count == 0)
		return 0;
	oldest = ledger_span(ledger, 0);
	missing.to_boot = oldest->boot_no;
	missing.to_ns = oldest->ts_min_ns;
	from_no = check->window->from_no > 1 ? check->window->from_no : 1;
	if (oldest->first_event_no > from_no)
		missing.count = oldest->first_event_no - from_no;
	if (missing.count > 0) {
		bool whole = boot && boot->boot == ledger->boots && !check->window->wall &&
			     !ledger->boots->begins && boot->intervals[0].from_ns < missing.to_ns;

		if (whole || reaches(check, &missing)) {
			r = add(check, &missing);
			if (r < 0)
				return r;
		}
	}
	if (!(check->flags & COMPLETENESS_FOLD) || !boot || !boot->lived)
		return 0;
	r = ledger_fold_start(ledger, boot->first, &begin, &keyframe);
	if (r != LEDGER_NO_KEYFRAME)
		return r < 0 ? r : 0;
	missing = (struct missing){ .reason = MISSING_NO_KEYFRAME,
				    .from_boot = boot->boot->boot_no,
				    .to_boot = boot->boot->boot_no,
				    .from_ns = ledger_span(ledger, boot->first)->ts_min_ns,
				    .to_ns = ledger_span(ledger, boot->last)->ts_max_ns,
				    .cpu = EVENT_CPU_NONE };
	if (begin < ledger->span_count && ledger_span(ledger, begin)->boot_no == missing.to_boot)
		missing.to_ns = ledger_span(ledger, begin)->ts_min_ns;
	return add(check, &missing);
}

/* Whether who lived at the window's beginning was folded out of events among which these are missing. */
static int folded_over(const struct check *check, const struct ledger_damage *damage, bool *ret_yes)
{
	const struct window_boot *boot = window_boot_of(check->window, damage->boot_no);
	uint64_t keyframe;
	size_t first;
	int r;

	*ret_yes = false;
	if (!(check->flags & COMPLETENESS_FOLD) || !boot || !boot->lived)
		return 0;
	r = ledger_fold_start(check->ledger, boot->first, &first, &keyframe);
	if (r < 0)
		return r;
	if (r == LEDGER_NO_KEYFRAME && first > boot->last)
		first = boot->first;
	*ret_yes = damage->from_no >= ledger_span(check->ledger, first)->first_event_no &&
		   damage->from_ns < boot->intervals[boot->count - 1].to_ns;
	return 0;
}

static int check_damage(struct check *check)
{
	for (size_t i = 0; i < check->ledger->damage_count; i++) {
		const struct ledger_damage *damage = &check->ledger->damage[i];
		struct missing missing = {
			.reason = MISSING_DAMAGED,
			.from_boot = damage->boot_no,
			.to_boot = damage->boot_no,
			.from_ns = damage->from_ns,
			.to_ns = damage->to_ns,
			.count = damage->to_no - damage->from_no,
			.cpu = EVENT_CPU_NONE,
		};
		bool folded;
		int r = folded_over(check, damage, &folded);

		if (r == 0 && (folded || reaches(check, &missing)))
			r = add(check, &missing);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- who lived --- */

/* What was lost before a window of a boot, since the recorder last looked who lived. */
struct doubt {
	const struct window_boot *boot;
	uint64_t lost_before; /* lost_total where the boot begins */
	struct missing missing;
};

/* Whether no span of the boot before span i tells of a loss.  A block's own losses are in its lost_total, and in that of older writers those
 * of a little behind it, too. */
static bool no_loss_before(const struct check *check, const struct doubt *doubt, size_t i)
{
	size_t begin = doubt->boot->boot->first_span;
	const struct ledger_span *before;

	if (i == begin)
		return true;
	before = ledger_span(check->ledger, i - 1);
	return before->lost_total == doubt->lost_before &&
	       !((before->kind_bits | ledger_span(check->ledger, begin)->kind_bits) &
		 BIT(EVENT_LOST));
}

/* What a span says of losses before the window, the newest first.  *ret_seen: from here on it is known who lived. */
static int doubt_span(struct check *check, struct doubt *doubt, size_t i, bool *ret_seen)
{
	struct ledger_span *span = ledger_span(check->ledger, i);
	struct missing *missing = &doubt->missing;
	int r = span->kind_bits & DOUBT_BITS ? ledger_facts(check->ledger, span) : 0;

	for (size_t f = span->fact_count; f-- > 0 && r == 0 && !*ret_seen;) {
		const struct event *event = &span->facts[f].event;

		if (event->timestamp_ns >= doubt->boot->intervals[0].from_ns)
			continue; /* in the window, and said to be */
		if (event->kind == EVENT_BLIND || event->kind == EVENT_SNAPSHOT_END ||
		    (event->kind == EVENT_START && !(event->arg[1] & EVENT_START_CONTINUED)))
			*ret_seen = true;
		if (event->kind != EVENT_LOST || event->arg[2] == EVENT_LOST_DOWN)
			continue;
		missing->count += event->arg[0];
		if (event->timestamp_ns > missing->to_ns)
			missing->to_ns = event->timestamp_ns;
		if (event->arg[1] < missing->from_ns)
			missing->from_ns = event->arg[1]; /* 0: not known */
	}
	return r;
}

/* A life whose end was lost seems to run on, and one whose birth was lost is not there: in keyframes, too, until the recorder looks
 * into /proc again: at a start, when the kernel was silent, some time after the loss.  What the ring has written over is not asked. */
static int check_doubt(struct check *check, const struct window_boot *boot)
{
	uint32_t boot_no = boot->boot->boot_no;
	size_t begin = boot->boot->first_span, i = boot->first;
	struct doubt doubt = { .boot = boot,
			       .missing = { .reason = MISSING_DOUBT,
					    .from_boot = boot_no,
					    .to_boot = boot_no,
					    .from_ns = UINT64_MAX,
					    .cpu = EVENT_CPU_NONE } };
	bool seen = false;
	int r;

	if (!boot->lived)
		return 0;
	if (begin > 0)
		doubt.lost_before = ledger_span(check->ledger, begin - 1)->lost_total;
	else if (!boot->boot->begins)
		doubt.lost_before = ledger_span(check->ledger, begin)->lost_total;
	for (;; i--) {
		r = doubt_span(check, &doubt, i, &seen);
		if (r < 0 || seen || no_loss_before(check, &doubt, i))
			break;
	}
	return r == 0 && doubt.missing.count > 0 ? add(check, &doubt.missing) : r;
}

int completeness_init(struct completeness *completeness, struct ledger *ledger,
		      struct clocks *clocks, const struct window *window, unsigned flags)
{
	struct check check = { completeness, ledger, clocks, window, flags };
	int r;

	*completeness = (struct completeness){ 0 };
	r = check_oldest(&check);
	if (r == 0)
		r = check_down(&check);
	for (size_t i = 0; i < window->boot_count && r == 0; i++)
		r = check_boot(&check, &window->boots[i]);
	for (size_t i = 0; i < window->boot_count && r == 0 && flags & COMPLETENESS_FOLD; i++)
		r = check_doubt(&check, &window->boots[i]);
	if (r == 0)
		r = check_damage(&check);
	if (r == 0)
		r = check_end(&check);
	if (r < 0)
		completeness_clear(completeness);
	return r;
}

void completeness_clear(struct completeness *completeness)
{
	free(completeness->missing);
	*completeness = (struct completeness){ 0 };
}
