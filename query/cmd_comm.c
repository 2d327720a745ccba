/* cmd_comm.c - what tasks called themselves, from when to when, and where each name came from. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "query/life_text.h"
#include "query/past.h"
#include "query/query.h"

/* Those of the view comm_history first. */
static const struct output_column columns[] = {
	{ .name = "id", .number = true },
	{ .name = "pid", .number = true },
	{ .name = "tid", .number = true },
	{ .name = "comm" },
	{ .name = "from_ns", .number = true },
	{ .name = "to_ns", .number = true },
	{ .name = "source" },
	{ .name = "boot", .number = true },
	{ .name = "from_wall_ns", .number = true },
	{ .name = "to_wall_ns", .number = true },
};

static const struct output_column text_columns[] = {
	{ .name = "PID", .number = true },
	{ .name = "TID", .number = true },
	{ .name = "FROM" },
	{ .name = "TO" },
	{ .name = "SOURCE" },
	{ .name = "NAME" },
};

enum {
	COLUMNS = sizeof(columns) / sizeof(columns[0]),
	TEXT_COLUMNS = sizeof(text_columns) / sizeof(text_columns[0]),
	TIME_DIGITS = 6,
};

/* Whose names are asked for. */
struct wanted {
	bool any, number;
	uint32_t pid;
	char comm[EVENT_COMM_BYTES];
};

struct history {
	struct query *query;
	const struct window_boot *window;
	struct output *output;
	struct wanted wanted;
	size_t found;
};

/* A number is a pid or tid; everything else a name, as text output writes it.  0, or EXIT_USAGE after a sentence. */
static int wanted_read(const struct options *options, struct wanted *ret_wanted)
{
	const char *text = options->argument_count > 0 ? options->arguments[0] : NULL;
	struct wanted wanted = { .any = !text };
	uint8_t name[256];
	size_t bytes = 0;

	if (text && text[0] && strspn(text, "0123456789") == strlen(text)) {
		unsigned long long pid;

		errno = 0;
		pid = strtoull(text, NULL, 10);
		if (errno != 0 || pid > UINT32_MAX)
			return complain(EXIT_USAGE, "%s is no process id", text);
		wanted.number = true;
		wanted.pid = (uint32_t)pid;
	} else if (text) {
		bytes = strlen(text);
		if (bytes > sizeof(name))
			return complain(EXIT_USAGE, "a name has at most 15 bytes");
		if (escape_text_undo(text, bytes, name, &bytes) < 0) {
			bytes = strlen(text);
			memcpy(name, text, bytes);
		}
		if (bytes >= EVENT_COMM_BYTES)
			bytes = EVENT_COMM_BYTES - 1; /* as the kernel cuts it */
		memcpy(wanted.comm, name, bytes);
	}
	*ret_wanted = wanted;
	return 0;
}

static bool life_is_wanted(const struct wanted *wanted, const struct past_life *life)
{
	bool known = false, same = false;

	for (const struct past_name *name = life->names; name; name = name->next) {
		known |= name->known;
		same |= name->known && memcmp(name->comm, wanted->comm, EVENT_COMM_BYTES) == 0;
	}
	if (wanted->number)
		return life->pid == wanted->pid || life->tid == wanted->pid;
	return wanted->any ? known : same;
}

static void put_wall(struct history *history, uint32_t boot_no, uint64_t ns)
{
	uint64_t wall_ns;

	if (ns != 0 && ns != UINT64_MAX &&
	    clocks_wall(history->query->clocks, boot_no, ns, &wall_ns) == 0)
		output_unsigned(history->output, wall_ns);
	else
		output_null(history->output);
}

static void put_number(struct output *output, bool known, uint64_t number)
{
	if (known)
		output_unsigned(output, number);
	else
		output_null(output);
}

static void put_comm(struct output *output, const struct past_name *name)
{
	if (name->known)
		output_bytes(output, name->comm, comm_bytes(name->comm));
	else
		output_null(output);
}

static void put_time(struct history *history, uint32_t boot_no, uint64_t ns)
{
	char time[WHEN_TEXT_BYTES];

	if (ns == 0) {
		output_null(history->output);
	} else if (ns == UINT64_MAX) {
		output_word(history->output, "");
	} else {
		query_time(history->query, boot_no, ns, TIME_DIGITS, time);
		output_word(history->output, time);
	}
}

static void put_name(struct history *history, const struct past_life *life,
		     const struct past_name *name, uint64_t end_ns)
{
	struct output *output = history->output;

	if (history->query->options->format == OUTPUT_TEXT) {
		output_unsigned(output, life->pid);
		output_unsigned(output, life->tid);
		put_time(history, life->boot_no, name->from_ns);
		put_time(history, life->boot_no, end_ns);
		output_word(output, name_source_word(name->source));
		put_comm(output, name);
	} else {
		output_signed(output, life->id);
		output_unsigned(output, life->pid);
		output_unsigned(output, life->tid);
		put_comm(output, name);
		put_number(output, name->from_ns != 0, name->from_ns);
		put_number(output, end_ns != UINT64_MAX, end_ns);
		output_word(output, name_source_word(name->source));
		output_unsigned(output, life->boot_no);
		put_wall(history, life->boot_no, name->from_ns);
		put_wall(history, life->boot_no, end_ns);
	}
	output_row_end(output);
	history->found++;
}

static int history_boot(struct history *history)
{
	struct past_life *const *lives;
	struct past *past;
	size_t count;
	int r = past_new(history->query->ledger, history->window, PAST_NAMES | PAST_THREADS, &past);

	if (r < 0)
		return r;
	lives = past_lives(past, &count);
	for (size_t i = 0; i < count && output_error(history->output) == 0; i++) {
		if (!lives[i]->in_window || !life_is_wanted(&history->wanted, lives[i]))
			continue;
		for (const struct past_name *name = lives[i]->names; name; name = name->next) {
			uint64_t end_ns = past_name_end(lives[i], name);

			if (window_overlaps(history->window, name->from_ns, end_ns))
				put_name(history, lives[i], name, end_ns);
		}
	}
	past_free(past);
	return 0;
}

int cmd_comm(const struct options *options)
{
	bool text = options->format == OUTPUT_TEXT;
	struct query query = { 0 };
	struct history history = { .query = &query };
	int r = wanted_read(options, &history.wanted);

	if (r == 0)
		r = query_open_window(&query, options);
	if (r == 0) {
		int error = 0;

		history.output = output_new(stdout, options->format, "comm_history",
					    text ? text_columns : columns,
					    text ? TEXT_COLUMNS : COLUMNS, "?");
		if (!history.output)
			error = -ENOMEM;
		for (size_t i = 0; i < query.window.boot_count && error == 0; i++) {
			history.window = &query.window.boots[i];
			if (history.window->lived)
				error = history_boot(&history);
		}
		r = error < 0 ? query_failed(&query, error, "read")
			      : query_end(&query, history.output, history.found, COMPLETENESS_FOLD);
	}
	output_free(history.output);
	query_clear(&query);
	return r;
}
