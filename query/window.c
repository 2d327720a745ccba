#include "query/window.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOOT_ID_DIGITS = 32 };

/* Bounds as they were read: wall and raw bounds may be mixed. */
struct bounds {
	uint64_t wall_since, wall_until, mono_since, mono_until;
	uint64_t also_at; /* a second instant: --at with a local time that was twice; 0: none */
	bool wall, mono, running, ambiguous;
};

/* --- boots --- */

static bool is_boot_id(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	return digits == BOOT_ID_DIGITS && text[digits] == '\0';
}

static bool read_index(const char *text, int64_t *ret_index)
{
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-' || text[0] == '+']))
		return false;
	errno = 0;
	*ret_index = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && *ret_index > INT32_MIN && *ret_index < INT32_MAX;
}

bool window_is_boot(const char *text)
{
	int64_t index;

	return text[0] == '\0' || strcmp(text, "all") == 0 || is_boot_id(text) ||
	       read_index(text, &index);
}

static bool boot_has_id(const struct ledger_boot *boot, const char *text)
{
	char id[BOOT_ID_DIGITS + 1];

	for (size_t i = 0; i < RING_UUID_BYTES; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", boot->boot_id[i]);
	return strcasecmp(id, text) == 0;
}

/* Which boots are asked for: [*ret_first, *ret_end) of ledger->boots, of which there is at least one. */
static int choose_boots(const struct ledger *ledger, const char *text, bool every,
			size_t *ret_first, size_t *ret_end, char *message)
{
	size_t count = ledger->boot_count, found = count;
	int64_t index = 0;

	if (text ? strcmp(text, "all") == 0 : every) {
		*ret_first = 0;
		*ret_end = count;
		return 0;
	}
	if (text && is_boot_id(text)) {
		for (size_t i = 0; i < count; i++)
			found = boot_has_id(&ledger->boots[i], text) ? i : found;
	} else {
		if (text && text[0] && !read_index(text, &index)) {
			(void)snprintf(message, WINDOW_MESSAGE_BYTES,
				       "a boot is 0, -1, -2 ... from the newest, 1, 2 ... from the "
				       "oldest, its id, or 'all'");
			return WINDOW_USAGE;
		}
		if (index > 0 && (uint64_t)index <= count)
			found = (size_t)index - 1;
		else if (index <= 0 && (uint64_t)-index < count)
			found = count - 1 - (size_t)-index;
	}
	if (found == count) {
		(void)snprintf(message, WINDOW_MESSAGE_BYTES,
			       "the ledger holds no boot %.40s: it has %zu, the newest is 0, the "
			       "oldest 1",
			       text, count);
		return WINDOW_NO_BOOT;
	}
	*ret_first = found;
	*ret_end = found + 1;
	return 0;
}

/* --- bounds --- */

static int read_bound(const char *option, const char *text, const struct when_here *here,
		      struct when *ret_when, char *message)
{
	int r = when_parse(text, here, ret_when);

	if (r == 0)
		return 0;
	(void)snprintf(message, WINDOW_MESSAGE_BYTES,
		       r == -ERANGE ? "%s is out of range: times are from 1970 to 2554"
				    : "%s wants a time such as '2026-11-22 14:03:07', '-10min', "
				      "'yesterday' or '@mono:NS'",
		       option);
	return WINDOW_USAGE;
}

static void bound_below(struct bounds *bounds, const struct when *when)
{
	if (when->mono)
		bounds->mono_since = when->ns;
	else
		bounds->wall_since = when->ns;
	bounds->ambiguous |= when->also_ns != 0;
	bounds->mono |= when->mono;
	bounds->wall |= !when->mono;
}

static void bound_above(struct bounds *bounds, const struct when *when)
{
	if (when->mono)
		bounds->mono_until = when->ns;
	else
		bounds->wall_until = when->also_ns ? when->also_ns : when->ns;
	bounds->ambiguous |= when->also_ns != 0;
	bounds->mono |= when->mono;
	bounds->wall |= !when->mono;
}

static int read_bounds(const struct window_request *request, const struct when_here *here,
		       struct bounds *ret_bounds, char *message)
{
	struct bounds bounds = { .wall_until = UINT64_MAX, .mono_until = UINT64_MAX };
	const char *since = request->at ? request->at : request->since;
	const char *until = request->at ? request->at : request->until;
	struct when when;
	int r;

	if (request->at && (request->since || request->until)) {
		(void)snprintf(message, WINDOW_MESSAGE_BYTES,
			       "--at is one instant: it does not go with --since or --until");
		return WINDOW_USAGE;
	}
	if (since) {
		r = read_bound(request->at ? "--at" : "--since", since, here, &when, message);
		if (r != 0)
			return r;
		bound_below(&bounds, &when);
	}
	if (until) {
		r = read_bound(request->at ? "--at" : "--until", until, here, &when, message);
		if (r != 0)
			return r;
		bound_above(&bounds, &when);
	}
	if (request->at && bounds.ambiguous) { /* two instants, and nothing between them */
		bounds.also_at = bounds.wall_until;
		bounds.wall_until = bounds.wall_since;
	}
	if (bounds.wall_since > bounds.wall_until || bounds.mono_since > bounds.mono_until) {
		(void)snprintf(message, WINDOW_MESSAGE_BYTES, "the window ends before it begins");
		return WINDOW_USAGE;
	}
	*ret_bounds = bounds;
	return 0;
}

/* --- intervals --- */

static void clip(struct window_boot *boot, const struct bounds *bounds)
{
	size_t kept = 0;

	for (size_t i = 0; i < boot->count; i++) {
		struct interval interval = boot->intervals[i];

		if (interval.from_ns < bounds->mono_since)
			interval.from_ns = bounds->mono_since;
		if (interval.to_ns > bounds->mono_until)
			interval.to_ns = bounds->mono_until;
		if (interval.from_ns <= interval.to_ns)
			boot->intervals[kept++] = interval;
	}
	boot->count = kept;
}

static int by_begin(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

/* One more instant: its intervals among the others, which it does not touch. */
static int add_instant(struct clocks *clocks, uint64_t wall_ns, struct window_boot *boot)
{
	struct interval *more = NULL, *all;
	size_t count = 0;
	int r = clocks_intervals(clocks, boot->boot, wall_ns, wall_ns, &more, &count);

	if (r < 0 || count == 0) {
		free(more);
		return r;
	}
	all = reallocarray(boot->intervals, boot->count + count, sizeof(*all));
	if (!all) {
		free(more);
		return -ENOMEM;
	}
	memcpy(all + boot->count, more, count * sizeof(*all));
	free(more);
	boot->intervals = all;
	boot->count += count;
	qsort(all, boot->count, sizeof(*all), by_begin);
	return 0;
}

static int make_intervals(struct clocks *clocks, const struct bounds *bounds,
			  struct window_boot *boot)
{
	int r;

	if (bounds->wall) {
		r = clocks_intervals(clocks, boot->boot, bounds->wall_since, bounds->wall_until,
				     &boot->intervals, &boot->count);
		if (r == 0 && bounds->also_at)
			r = add_instant(clocks, bounds->also_at, boot);
		if (r < 0)
			return r;
	} else {
		boot->intervals = malloc(sizeof(*boot->intervals));
		if (!boot->intervals)
			return -ENOMEM;
		boot->intervals[0] = (struct interval){ 0, UINT64_MAX };
		boot->count = 1;
	}
	clip(boot, bounds);
	return 0;
}

void window_place(struct window_boot *boot, const struct ledger *ledger, bool running)
{
	const struct ledger_boot *of = boot->boot;
	uint64_t from_ns = boot->intervals[0].from_ns;
	uint64_t to_ns = boot->intervals[boot->count - 1].to_ns;
	bool newest = of == &ledger->boots[ledger->boot_count - 1];

	boot->recorded = ledger_find(ledger, of, from_ns, to_ns, &boot->first, &boot->last);
	boot->lived = boot->recorded;
	/* Between two blocks, or since the newest event, those live who did before. */
	if (!boot->recorded && (from_ns <= of->ts_max_ns || (newest && running)))
		boot->lived = ledger_find(ledger, of, 0, to_ns, &boot->first, &boot->last);
	if (!boot->recorded)
		boot->first = boot->last;
	boot->seen_ns = of->ts_max_ns;
	if (newest && running && ledger->opened_ns > of->ts_max_ns)
		boot->seen_ns = ledger->opened_ns;
}

uint64_t window_end_ns(const struct window_boot *boot)
{
	struct interval last = boot->intervals[boot->count - 1];

	if (last.to_ns <= boot->boot->ts_max_ns)
		return last.to_ns;
	if (last.from_ns > boot->seen_ns)
		return boot->seen_ns;
	return last.from_ns > boot->boot->ts_max_ns ? last.from_ns : boot->boot->ts_max_ns;
}

/* In wall time every boot would go on for ever: the times after it are those of the next. */
static bool boot_is_elsewhere(const struct ledger *ledger, const struct window_boot *boot,
			      bool running)
{
	const struct ledger_boot *of = boot->boot;
	bool goes_on = running && of == &ledger->boots[ledger->boot_count - 1];

	return (boot->intervals[0].from_ns > of->ts_max_ns && !goes_on) ||
	       boot->intervals[boot->count - 1].to_ns < of->ts_min_ns;
}

/* Who asks since when asks until now, at most.  Each clock is compared with itself: made into one another they are not exact. */
static bool is_future(const struct bounds *bounds, const struct ledger *ledger)
{
	uint64_t wall = bounds->wall_until, mono = bounds->mono_until;

	if (wall == UINT64_MAX)
		wall = bounds->wall_since;
	if (mono == UINT64_MAX)
		mono = bounds->mono_since;
	return wall > ledger->opened_wall_ns || mono > ledger->opened_ns;
}

static int add_boot(struct window *window, struct ledger *ledger, struct clocks *clocks,
		    const struct bounds *bounds, const struct ledger_boot *from)
{
	struct window_boot boot = { .boot = from };
	int r = make_intervals(clocks, bounds, &boot);

	if (r == -ENOENT) {
		window->imported_skipped++;
		return 0;
	}
	if (r < 0)
		return r;
	if (boot.count == 0 ||
	    (bounds->wall && boot_is_elsewhere(ledger, &boot, bounds->running))) {
		free(boot.intervals);
		return 0;
	}
	window_place(&boot, ledger, bounds->running);
	window->boots[window->boot_count++] = boot;
	return 0;
}

int window_init(struct window *window, struct ledger *ledger, struct clocks *clocks,
		const struct window_request *request, const struct when_here *here, bool running,
		char message[WINDOW_MESSAGE_BYTES])
{
	struct bounds bounds = { 0 };
	size_t first = 0, end = 0;
	int r;

	*window = (struct window){ 0 };
	r = read_bounds(request, here, &bounds, message);
	if (r != 0)
		return r;
	bounds.running = running;
	window->since_given = request->since || request->at;
	window->until_given = request->until || request->at;
	window->wall = bounds.wall;
	window->since_wall_ns = bounds.wall_since;
	window->until_wall_ns = bounds.also_at ? bounds.also_at : bounds.wall_until;
	window->ambiguous = bounds.ambiguous;
	window->future = is_future(&bounds, ledger);
	if (ledger->boot_count == 0)
		return 0;
	r = choose_boots(ledger, request->boot, bounds.wall && !bounds.mono, &first, &end, message);
	if (r != 0)
		return r;
	window->boots = calloc(end - first, sizeof(*window->boots));
	if (!window->boots)
		return -ENOMEM;
	for (size_t i = first; i < end && r == 0; i++)
		r = add_boot(window, ledger, clocks, &bounds, &ledger->boots[i]);
	if (r == 0 && window->imported_skipped == end - first) {
		(void)snprintf(message, WINDOW_MESSAGE_BYTES,
			       "this ledger was imported and has no wall-clock times: ask for "
			       "@mono:NS, or for the whole of it");
		r = WINDOW_USAGE;
	}
	if (r != 0)
		window_clear(window);
	return r;
}

void window_clear(struct window *window)
{
	for (size_t i = 0; i < window->boot_count; i++)
		free(window->boots[i].intervals);
	free(window->boots);
	window->boots = NULL;
	window->boot_count = 0;
}

bool window_has(const struct window_boot *boot, uint64_t timestamp_ns)
{
	for (size_t i = 0; i < boot->count; i++) {
		if (timestamp_ns <= boot->intervals[i].to_ns)
			return timestamp_ns >= boot->intervals[i].from_ns;
	}
	return false;
}

bool window_overlaps(const struct window_boot *boot, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < boot->count; i++) {
		if (from_ns <= boot->intervals[i].to_ns && to_ns >= boot->intervals[i].from_ns)
			return true;
	}
	return false;
}
