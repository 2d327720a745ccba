/* cmd_events.c - the events of a window, in the order of event_no or backwards, all or the last of them, and those that come. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query/follow.h"
#include "query/listing.h"
#include "query/query.h"
#include "query/stream.h"
#include "schema/cleanup.h"

enum { CURSOR_BYTES = 2 * RING_UUID_BYTES + 24, FOLLOW_LINES = 10 };

struct events {
	struct query *query;
	struct listing listing;
	const struct options *options;
	uint64_t from_no;     /* with a cursor: older ones are not asked for */
	uint64_t skip, limit; /* with -n: so many come before; so many are shown */
	uint64_t *numbers;    /* of those that are selected, where that is found out first */
	size_t number_count, number_capacity;
	struct event *kept; /* of one span, for -r */
	size_t kept_count, kept_capacity;
};

/* --- cursors: the ring's uuid and the number of an event --- */

static void cursor_format(const struct events *events, uint64_t event_no, char out[CURSOR_BYTES])
{
	const uint8_t *uuid = ring_super(events->query->ledger->ring)->ring_uuid;

	for (size_t i = 0; i < RING_UUID_BYTES; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", uuid[i]);
	(void)snprintf(out + 2 * RING_UUID_BYTES, CURSOR_BYTES - 2 * RING_UUID_BYTES, "-%" PRIu64,
		       event_no);
}

static int cursor_read(const struct events *events, const char *text, uint64_t *ret_event_no)
{
	char wanted[CURSOR_BYTES], *end = NULL;
	const char *number = text + 2 * RING_UUID_BYTES + 1;
	size_t prefix = (size_t)(number - text);

	cursor_format(events, 0, wanted);
	if (strlen(text) <= prefix || strspn(number, "0123456789") != strlen(number))
		return complain(EXIT_USAGE, "'%.80s' is no cursor: --show-cursor gives one", text);
	if (strncmp(text, wanted, prefix) != 0)
		return complain(EXIT_USAGE, "that cursor is of another ledger");
	errno = 0;
	*ret_event_no = strtoull(number, &end, 10);
	return errno == 0 ? 0 : complain(EXIT_USAGE, "'%.80s' is no cursor", text);
}

/* A file that is not there yet, or empty, is the beginning. */
static int cursor_file_read(struct events *events)
{
	auto_fclose FILE *file = fopen(events->options->cursor_file, "re");
	char text[256];
	uint64_t last = 0;
	int r;

	if (!file && errno != ENOENT)
		return complain(EXIT_ERROR, "cannot read %s: %s", events->options->cursor_file,
				strerror(errno));
	if (!file || !fgets(text, sizeof(text), file))
		return 0;
	text[strcspn(text, "\n")] = '\0';
	r = cursor_read(events, text, &last);
	if (r == 0)
		events->from_no = last + 1;
	return r;
}

/* Written beside it, then renamed: whatever happens meanwhile, one of the two is there whole. */
static int cursor_file_write(const struct events *events, const char *cursor)
{
	char path[PATH_MAX];
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "%s.new", events->options->cursor_file) >=
	    (int)sizeof(path))
		return complain(EXIT_ERROR, "the path of the cursor file is too long");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || dprintf(fd, "%s\n", cursor) < 0 || fsync(fd) < 0)
		r = errno;
	if (fd >= 0 && close(fd) < 0 && r == 0)
		r = errno;
	if (r == 0 && rename(path, events->options->cursor_file) < 0)
		r = errno;
	if (r == 0)
		return 0;
	(void)unlink(path);
	return complain(EXIT_ERROR, "cannot write %s: %s", events->options->cursor_file,
			strerror(r));
}

static int cursor_begin(struct events *events)
{
	const struct options *options = events->options;
	int r = 0;

	if (options->cursor_file)
		return cursor_file_read(events);
	if (options->cursor)
		return cursor_read(events, options->cursor, &events->from_no);
	if (options->after_cursor) {
		r = cursor_read(events, options->after_cursor, &events->from_no);
		events->from_no += r == 0;
	}
	return r;
}

static bool span_is_older(const struct ledger *ledger, size_t i, uint64_t event_no)
{
	const struct ledger_span *span = ledger_span(ledger, i);

	return span->first_event_no + span->event_count <= event_no;
}

/* Spans that are older than the cursor are not read.  Numbers grow along them, so that halving finds the first that is not. */
static void cursor_narrow(struct events *events)
{
	const struct ledger *ledger = events->query->ledger;
	struct window *window = &events->query->window;

	for (size_t i = 0; i < window->boot_count && events->from_no > 0; i++) {
		struct window_boot *boot = &window->boots[i];
		size_t end = boot->last;

		if (boot->recorded && span_is_older(ledger, boot->last, events->from_no))
			boot->recorded = false;
		while (boot->recorded && boot->first < end) {
			size_t middle = boot->first + (end - boot->first) / 2;

			if (span_is_older(ledger, middle, events->from_no))
				boot->first = middle + 1;
			else
				end = middle;
		}
	}
}

/* Where the answer ends: in JSON a member of it, else a line behind it. */
static void cursor_show(struct events *events, const char *cursor)
{
	enum output_format format = events->options->format;

	if (format == OUTPUT_JSON || format == OUTPUT_JSONL) {
		events->query->cursor = cursor;
		return;
	}
	if (listing_flush(&events->listing) < 0)
		return; /* which query_end() finds again */
	printf(events->listing.style == LISTING_JSON_PRETTY ? "{\n\t\"cursor\":\"%s\"\n}\n"
							    : "-- cursor: %s\n",
	       cursor);
}

/* --- forwards --- */

static int show(void *context, const struct stream_item *item)
{
	struct events *events = context;

	if (item->event->event_no < events->from_no)
		return 0;
	if (events->skip > 0) {
		events->skip--;
		return 0;
	}
	if (events->limit == 0)
		return STREAM_ENOUGH;
	events->limit--;
	listing_show(&events->listing, item->boot_no, item->event);
	return ferror_unlocked(stdout) ? STREAM_ENOUGH : 0;
}

static int count(void *context, const struct stream_item *item)
{
	struct events *events = context;

	events->number_count += item->event->event_no >= events->from_no;
	return 0;
}

/* --- from the end --- */

/* Whether events at the end can be found without all that lie before them. */
static bool is_plain(const struct events *events)
{
	return select_is_plain(&events->options->select);
}

static int walk_span(struct events *events, const struct window_boot *boot, size_t span,
		     int (*each)(struct events *, const struct event *))
{
	struct event_filter filter = { .kinds = select_kinds(&events->options->select),
				       .to_ns = UINT64_MAX };
	struct ledger_walk walk;
	int r = ledger_walk_init(&walk, events->query->ledger, span, span);

	if (r == 0)
		ledger_walk_set_filter(&walk, &filter);
	while (r == 0) {
		const struct event *event;

		r = ledger_walk_next(&walk, &event);
		if (r == 0 && walk.boot_no == boot->boot->boot_no &&
		    window_has(boot, event->timestamp_ns) && event->event_no >= events->from_no &&
		    select_event(&events->options->select, event))
			r = each(events, event);
	}
	ledger_walk_clear(&walk);
	return r == LEDGER_WALK_END ? 0 : r;
}

static int count_one(struct events *events, const struct event *event)
{
	(void)event;
	events->number_count++;
	return 0;
}

/* Narrows the window to where its last `limit` events begin: from the newest span back, until there are enough. */
static int find_last(struct events *events)
{
	struct query *query = events->query;
	size_t b = query->window.boot_count;

	while (b-- > 0) {
		struct window_boot *boot = &query->window.boots[b];

		if (!boot->recorded || events->number_count >= events->limit) {
			boot->recorded = false;
			continue;
		}
		for (size_t i = boot->last + 1;
		     i-- > boot->first && events->number_count < events->limit;) {
			int r = 0;

			if (ledger_span(query->ledger, i)->boot_no == boot->boot->boot_no)
				r = walk_span(events, boot, i, count_one);
			if (r < 0)
				return r;
			if (events->number_count >= events->limit)
				boot->first = i;
		}
	}
	return 0;
}

static int list(struct events *events)
{
	int r = 0;

	if (events->limit != UINT64_MAX && !events->options->oldest) {
		r = is_plain(events) ? find_last(events)
				     : stream_each(events->query, 0, count, events);
		if (events->number_count > events->limit)
			events->skip = events->number_count - events->limit;
	}
	if (r == 0)
		r = stream_each(events->query, 0, show, events);
	return r == STREAM_ENOUGH ? 0 : r;
}

/* --- backwards --- */

static int note_number(void *context, const struct stream_item *item)
{
	struct events *events = context;

	if (item->event->event_no < events->from_no)
		return 0;
	if (events->number_count == events->number_capacity) {
		size_t capacity = events->number_capacity ? 2 * events->number_capacity : 1024;
		uint64_t *numbers =
			reallocarray(events->numbers, capacity, sizeof(*events->numbers));

		if (!numbers)
			return -ENOMEM;
		events->numbers = numbers;
		events->number_capacity = capacity;
	}
	events->numbers[events->number_count++] = item->event->event_no;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* An event is valid until the next one: what it points to is copied behind it. */
static int keep(struct events *events, const struct event *event)
{
	struct event *kept;
	uint8_t *bytes;

	if (!is_plain(events) && !bsearch(&event->event_no, events->numbers, events->number_count,
					  sizeof(*events->numbers), compare_numbers))
		return 0;
	if (events->kept_count == events->kept_capacity) {
		size_t capacity = events->kept_capacity ? 2 * events->kept_capacity : 1024;
		struct event *all = reallocarray(events->kept, capacity, sizeof(*events->kept));

		if (!all)
			return -ENOMEM;
		events->kept = all;
		events->kept_capacity = capacity;
	}
	kept = &events->kept[events->kept_count];
	*kept = *event;
	kept->raw = NULL;
	if (event->detail_bytes > 0) {
		bytes = malloc(event->detail_bytes);
		if (!bytes)
			return -ENOMEM;
		memcpy(bytes, event->detail, event->detail_bytes);
		kept->detail = bytes;
	}
	events->kept_count++;
	return 0;
}

static void show_kept(struct events *events, uint32_t boot_no)
{
	while (events->kept_count-- > 0) {
		struct event *event = &events->kept[events->kept_count];

		if (events->limit > 0) {
			listing_show(&events->listing, boot_no, event);
			events->limit--;
		}
		free((void *)(uintptr_t)event->detail);
	}
	events->kept_count = 0;
}

static int list_reversed(struct events *events)
{
	struct query *query = events->query;
	int r = is_plain(events) ? 0 : stream_each(query, 0, note_number, events);

	for (size_t b = query->window.boot_count; b-- > 0 && r == 0;) {
		struct window_boot *boot = &query->window.boots[b];

		if (!boot->recorded)
			continue;
		for (size_t i = boot->last + 1; i-- > boot->first && r == 0 && events->limit > 0;) {
			if (ledger_span(query->ledger, i)->boot_no == boot->boot->boot_no)
				r = walk_span(events, boot, i, keep);
			show_kept(events, boot->boot->boot_no);
			if (ferror_unlocked(stdout))
				return 0;
		}
	}
	return r;
}

/* --- the command --- */

static int check_options(const struct options *options)
{
	if (options->follow && options->reverse)
		return complain(EXIT_USAGE, "-f shows what comes, -r what was: not both");
	if (options->follow && (options->window.until || options->window.at))
		return complain(EXIT_USAGE, "-f has no end: it does not go with --until or --at");
	if (options->reverse && options->oldest)
		return complain(EXIT_USAGE, "-r begins with the newest: -n N, not -n +N");
	if ((options->cursor != NULL) + (options->after_cursor != NULL) +
		    (options->cursor_file != NULL) >
	    1)
		return complain(EXIT_USAGE, "one cursor is enough");
	return 0;
}

/* A cursor goes on from one boot to the next. */
static struct options widened(const struct options *options)
{
	struct options wide = *options;
	bool cursor = options->cursor || options->after_cursor || options->cursor_file;

	if (cursor && !options->window.boot && !options->window.since && !options->window.at)
		wide.window.boot = "all";
	if (options->follow && options->limit == UINT64_MAX && !options->no_tail && !cursor &&
	    !options->window.since)
		wide.limit = FOLLOW_LINES;
	if (options->follow && options->format == OUTPUT_JSON)
		wide.format = OUTPUT_JSONL; /* what has no end is no document */
	return wide;
}

static int answer(struct events *events)
{
	struct query *query = events->query;
	uint64_t next_no = query->ledger->end_event_no;
	char cursor[CURSOR_BYTES] = "";
	int error, r;

	query->window.from_no = events->from_no;
	cursor_narrow(events);
	error = events->options->reverse ? list_reversed(events) : list(events);
	if (error == 0 && events->options->follow)
		error = follow(&events->listing, next_no);
	if (error == 0 && events->options->follow)
		error = query_reopen(query); /* the answer reaches up to now */
	if (error < 0)
		return query_failed(query, error, "read");
	if (events->listing.last_no > 0)
		cursor_format(events, events->listing.last_no, cursor);
	if (*cursor && events->options->show_cursor)
		cursor_show(events, cursor);
	r = query_end(query, events->listing.output, events->listing.found, 0);
	query->cursor = NULL;
	/* What nobody received comes again: a closed pipe is no error, but an error of the stream. */
	if (*cursor && events->options->cursor_file && !ferror(stdout) &&
	    (r == EXIT_FOUND || r == EXIT_INCOMPLETE)) {
		int after = cursor_file_write(events, cursor);

		r = after != 0 ? after : r;
	}
	return r;
}

int cmd_events(const struct options *options)
{
	struct options wide = widened(options);
	struct query query = { .ring_fd = -1 };
	struct events events = { .query = &query, .options = &wide, .limit = wide.limit };
	int r = check_options(options);

	if (r == 0)
		r = query_open_window(&query, &wide);
	if (r == 0)
		r = cursor_begin(&events);
	if (r == 0)
		r = listing_init(&events.listing, &query);
	if (r == 0)
		r = answer(&events);
	listing_clear(&events.listing);
	free(events.numbers);
	free(events.kept);
	query_clear(&query);
	return r;
}

const char help_events[] =
	"Selectors mean the events of the lives selected: of whom the event is, of a fork also "
	"the\n"
	"parent, of a ptrace also the tracer.  A cursor names an event for ever; in JSON it is the "
	"member \"cursor\" at the end.\n"
	"\n"
	"  procledger events -f --uid root --kind exec      what root runs, as it happens\n"
	"  procledger events -r -n 20 --failed              the last twenty events of what failed\n"
	"  procledger events 4711 -o verbose                all that is known of each\n"
	"  procledger events -o jsonl --cursor-file /var/lib/shipper/cursor     what came since "
	"last time\n";
