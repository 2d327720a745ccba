#include "query/listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "query/terminal.h"

static int style_parse(const char *word, enum listing_style *ret_style)
{
	static const struct {
		const char *word;
		enum listing_style style;
	} styles[] = {
		{ "text", LISTING_TEXT },
		{ "short", LISTING_SHORT },
		{ "short-full", LISTING_SHORT_FULL },
		{ "short-iso", LISTING_SHORT_ISO },
		{ "short-precise", LISTING_SHORT_PRECISE },
		{ "short-iso-precise", LISTING_SHORT_ISO_PRECISE },
		{ "short-monotonic", LISTING_SHORT_MONOTONIC },
		{ "short-unix", LISTING_SHORT_UNIX },
		{ "verbose", LISTING_VERBOSE },
		{ "cat", LISTING_CAT },
		{ "json-pretty", LISTING_JSON_PRETTY },
		{ "json", LISTING_TABLE },
		{ "jsonl", LISTING_TABLE },
		{ "csv", LISTING_TABLE },
	};

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		if (strcmp(word, styles[i].word) == 0) {
			*ret_style = styles[i].style;
			return 0;
		}
	}
	return -EINVAL;
}

static int output_make(struct listing *listing, const struct options *options)
{
	bool rows = listing->style == LISTING_JSON_PRETTY;
	int r;

	listing->output = output_new(stdout, rows ? OUTPUT_JSONL : options->format, "events",
				     event_columns, event_column_count, "?");
	if (!listing->output)
		return query_failed(listing->query, -ENOMEM, "read");
	if (rows)
		output_set_pretty(listing->output);
	r = options->output_fields ? output_choose(listing->output, options->output_fields) : 0;
	if (r == -EINVAL)
		return complain(EXIT_USAGE, "--output-fields has a name that events have not; "
					    "-o csv shows them all");
	return r < 0 ? query_failed(listing->query, r, "read") : 0;
}

int listing_init(struct listing *listing, struct query *query)
{
	const struct options *options = query->options;

	*listing = (struct listing){ .query = query };
	if (options->output && style_parse(options->output, &listing->style) < 0)
		return complain(EXIT_USAGE,
				"-o is text, json, jsonl, csv, or " LISTING_WORDS ", not '%s'",
				options->output);
	if (listing->style == LISTING_TABLE || listing->style == LISTING_JSON_PRETTY)
		return output_make(listing, options);
	if (options->output_fields && listing->style != LISTING_VERBOSE)
		return complain(EXIT_USAGE, "--output-fields is for verbose, JSON and CSV");
	if (line_init(&listing->line) < 0)
		return query_failed(query, -ENOMEM, "read");
	listing->width = terminal_width();
	listing->color = terminal_color(options->color);
	if (listing->style == LISTING_VERBOSE) { /* its fields are the columns of a row */
		listing->output = output_new(stdout, OUTPUT_VERBOSE, "events", event_columns,
					     event_column_count, "");
		if (!listing->output)
			return query_failed(query, -ENOMEM, "read");
		if (options->output_fields &&
		    output_choose(listing->output, options->output_fields) < 0)
			return complain(EXIT_USAGE, "--output-fields has a name that events have "
						    "not; -o csv shows them all");
	}
	return 0;
}

void listing_clear(struct listing *listing)
{
	free(listing->line.text);
	output_free(listing->output);
	*listing = (struct listing){ 0 };
}

static void time_words(struct listing *listing, uint32_t boot_no, const struct event *event)
{
	struct query *query = listing->query;
	uint64_t ns = event->timestamp_ns, wall_ns = 0;
	char time[WHEN_TEXT_BYTES];
	bool wall = clocks_wall(query->clocks, boot_no, ns, &wall_ns) == 0;

	if (listing->style == LISTING_SHORT_MONOTONIC) {
		line_printf(&listing->line, "[%6" PRIu64 ".%09" PRIu64 "]", ns / 1000000000,
			    ns % 1000000000);
		return;
	}
	when_format_mono(ns, time);
	if (!wall) {
		line_print(&listing->line, time);
		return;
	}
	switch (listing->style) {
	case LISTING_SHORT:
		when_format_short(wall_ns, 0, &query->here, time);
		break;
	case LISTING_SHORT_PRECISE:
		when_format_short(wall_ns, 6, &query->here, time);
		break;
	case LISTING_SHORT_ISO:
		when_format_iso(wall_ns, 0, &query->here, time);
		break;
	case LISTING_SHORT_ISO_PRECISE:
		when_format_iso(wall_ns, 9, &query->here, time);
		break;
	case LISTING_SHORT_UNIX:
		(void)snprintf(time, sizeof(time), "%" PRIu64 ".%09" PRIu64, wall_ns / 1000000000,
			       wall_ns % 1000000000);
		break;
	default:
		when_format(wall_ns, 6, &query->here, time);
		break;
	}
	line_print(&listing->line, time);
}

/* Red is what is missing, yellow what ended badly. */
static const char *event_color(const struct event *event)
{
	switch ((enum event_kind)event->kind) {
	case EVENT_LOST:
	case EVENT_BLIND:
		return "\033[31m";
	case EVENT_COREDUMP:
		return "\033[33m";
	case EVENT_EXIT:
		return event->arg[0] != 0 ? "\033[33m" : NULL;
	default:
		return NULL;
	}
}

static void show_line(struct listing *listing, uint32_t boot_no, const struct event *event)
{
	if (listing->style == LISTING_TEXT) {
		event_line(&listing->line, listing->query, boot_no, event);
	} else {
		line_clear(&listing->line);
		if (listing->style != LISTING_CAT) {
			time_words(listing, boot_no, event);
			line_print(&listing->line, " ");
		}
		event_words(&listing->line, listing->query, boot_no, event);
	}
	listing->line.color = listing->color ? event_color(event) : NULL;
	line_write(&listing->line, stdout, listing->width);
}

void listing_show(struct listing *listing, uint32_t boot_no, const struct event *event)
{
	listing->found++;
	listing->last_no = event->event_no;
	if (listing->style == LISTING_VERBOSE) {
		line_clear(&listing->line);
		time_words(listing, boot_no, event);
		output_heading(listing->output, listing->line.text, listing->line.bytes);
	}
	if (listing->output)
		event_row(listing->output, listing->query, boot_no, event);
	else
		show_line(listing, boot_no, event);
}

int listing_flush(struct listing *listing)
{
	errno = 0;
	if (listing->output) {
		output_flush(listing->output);
		if (output_error(listing->output) < 0)
			return output_error(listing->output);
	}
	if (fflush(stdout) != 0)
		return errno ? -errno : -EIO;
	return 0;
}
