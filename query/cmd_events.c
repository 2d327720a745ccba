/* cmd_events.c - every event of a window, in the order of event_no, one a line. */
#include <errno.h>
#include <stdlib.h>

#include "query/event_text.h"
#include "query/query.h"

struct listing {
	struct query *query;
	struct output *output; /* NULL: text */
	struct line line;
	size_t width, found;
	uint64_t skip; /* with -n: so many events of the window come before the last N */
};

/* For each event of the window, in order: each(). */
static int for_each(struct query *query, struct window_boot *boot, size_t first, size_t last,
		    void (*each)(struct listing *, uint32_t, const struct event *),
		    struct listing *listing)
{
	struct ledger_walk walk;
	int r = ledger_walk_init(&walk, query->ledger, first, last);

	while (r == 0) {
		const struct event *event;

		r = ledger_walk_next(&walk, &event);
		if (r != 0)
			break;
		if (walk.boot_no != boot->boot->boot_no || !window_has(boot, event->timestamp_ns))
			continue;
		each(listing, walk.boot_no, event);
		if (ferror_unlocked(stdout))
			break;
	}
	ledger_walk_clear(&walk);
	return r == LEDGER_WALK_END ? 0 : r;
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

			if (query->ledger->spans[i].boot_no == boot->boot->boot_no) {
				listing->found = 0;
				r = for_each(query, boot, i, i, count, listing);
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

static int list(struct listing *listing, uint64_t limit)
{
	struct query *query = listing->query;
	int r = limit != UINT64_MAX ? find_last(listing, limit) : 0;

	for (size_t i = 0; i < query->window.boot_count && r == 0; i++) {
		struct window_boot *boot = &query->window.boots[i];

		if (boot->recorded)
			r = for_each(query, boot, boot->first, boot->last, show, listing);
	}
	return r;
}

int cmd_events(const struct options *options)
{
	struct query query;
	struct listing listing = { .query = &query };
	int r = query_open_window(&query, options);

	if (r == 0) {
		int error = line_init(&listing.line);

		listing.width = line_terminal_width();
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
