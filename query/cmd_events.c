/* cmd_events.c - every event of a window, in the order of event_no, one a line. */
#include <errno.h>
#include <stdlib.h>

#include "query/event_text.h"
#include "query/query.h"

struct listing {
	struct query *query;
	struct output *output; /* NULL: text */
	struct line line;
	const struct select *select;
	struct past *past; /* of the boot, when lives decide which events are meant; else NULL */
	void (*each)(struct listing *, uint32_t, const struct event *);
	size_t width, found;
	uint64_t skip; /* with -n: so many events of the window come before the last N */
};

/* For each selected event of the window, in order: each(). */
static int for_each_plain(struct listing *listing, const struct window_boot *boot, size_t first,
			  size_t last)
{
	struct event_filter filter = {
		.kinds = select_kinds(listing->select),
		.from_ns = boot->intervals[0].from_ns,
		.to_ns = boot->intervals[boot->count - 1].to_ns,
	};
	struct ledger_walk walk;
	int r = ledger_walk_init(&walk, listing->query->ledger, first, last);

	if (r == 0)
		ledger_walk_set_filter(&walk, &filter);
	while (r == 0) {
		const struct event *event;

		r = ledger_walk_next(&walk, &event);
		if (r != 0)
			break;
		if (walk.boot_no != boot->boot->boot_no || !window_has(boot, event->timestamp_ns) ||
		    !select_event(listing->select, event))
			continue;
		listing->each(listing, walk.boot_no, event);
		if (ferror_unlocked(stdout))
			break;
	}
	ledger_walk_clear(&walk);
	return r == LEDGER_WALK_END ? 0 : r;
}

static bool each_of_lives(void *context, uint32_t boot_no, const struct event *event,
			  const struct past_event_lives *lives)
{
	struct listing *listing = context;

	if (select_event_of(listing->select, listing->past, event, lives))
		listing->each(listing, boot_no, event);
	return !ferror_unlocked(stdout);
}

/* The same where lives decide: they are judged first, over the whole window. */
static int for_each_of_lives(struct listing *listing, const struct window_boot *boot)
{
	int r = past_new(listing->query->ledger, boot,
			 PAST_THREADS | select_past_flags(listing->select), &listing->past);

	if (r < 0)
		return r;
	(void)select_lives(listing->select, listing->query->clocks, listing->past, boot);
	r = past_events(listing->query->ledger, boot, each_of_lives, listing);
	past_free(listing->past);
	listing->past = NULL;
	return r;
}

static void show(struct listing *listing, uint32_t boot_no, const struct event *event)
{
	if (listing->skip > 0) {
		listing->skip--;
		return;
	}
	listing->found++;
	if (listing->output) {
		event_row(listing->output, listing->query, boot_no, event);
	} else {
		event_line(&listing->line, listing->query, boot_no, event);
		line_write(&listing->line, stdout, listing->width);
	}
}

static void count(struct listing *listing, uint32_t boot_no, const struct event *event)
{
	(void)boot_no;
	(void)event;
	listing->found++;
}

/* Narrows the window to where its last `limit` events begin: from the newest span back, until there are enough. */
static int find_last(struct listing *listing, uint64_t limit)
{
	struct query *query = listing->query;
	size_t b = query->window.boot_count;
	uint64_t total = 0;

	while (b-- > 0) {
		struct window_boot *boot = &query->window.boots[b];

		if (!boot->recorded || total >= limit) {
			boot->recorded = false;
			continue;
		}
		for (size_t i = boot->last + 1; i-- > boot->first && total < limit;) {
			int r = 0;

			if (ledger_span(query->ledger, i)->boot_no == boot->boot->boot_no) {
				listing->found = 0;
				r = for_each_plain(listing, boot, i, i);
				total += listing->found;
			}
			if (r < 0)
				return r;
			if (total >= limit)
				boot->first = i;
		}
	}
	listing->found = 0;
	listing->skip = total > limit ? total - limit : 0;
	return 0;
}

/* The last of a selection by lives: all are counted first. */
static int count_last(struct listing *listing, uint64_t limit)
{
	int r = 0;

	for (size_t i = 0; i < listing->query->window.boot_count && r == 0; i++)
		r = for_each_of_lives(listing, &listing->query->window.boots[i]);
	listing->skip = listing->found > limit ? listing->found - limit : 0;
	listing->found = 0;
	return r;
}

static int list(struct listing *listing, uint64_t limit)
{
	struct query *query = listing->query;
	bool plain = select_is_plain(listing->select);
	int r = 0;

	listing->each = count;
	if (limit != UINT64_MAX)
		r = plain ? find_last(listing, limit) : count_last(listing, limit);
	listing->each = show;
	for (size_t i = 0; i < query->window.boot_count && r == 0; i++) {
		struct window_boot *boot = &query->window.boots[i];

		if (boot->recorded)
			r = plain ? for_each_plain(listing, boot, boot->first, boot->last)
				  : for_each_of_lives(listing, boot);
	}
	return r;
}

int cmd_events(const struct options *options)
{
	struct query query;
	struct listing listing = { .query = &query, .select = &options->select };
	int r = query_open_window(&query, options);

	if (r == 0) {
		int error = line_init(&listing.line);

		listing.width = terminal_width();
		if (options->format != OUTPUT_TEXT) {
			listing.output = output_new(stdout, options->format, "events",
						    event_columns, event_column_count, "?");
			if (!listing.output)
				error = -ENOMEM;
		}
		if (error == 0)
			error = list(&listing, options->limit);
		r = error < 0 ? query_failed(&query, error, "read")
			      : query_end(&query, listing.output, listing.found, 0);
	}
	free(listing.line.text);
	output_free(listing.output);
	query_clear(&query);
	return r;
}
