/* cmd_comm.c - what tasks called themselves, from when to when, and where each name came from. */
#include <errno.h>

#include "query/ancestors.h"
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

struct history {
	struct query *query;
	const struct window_boot *window;
	struct output *output;
	size_t found;
};

static bool any_name(const struct past_life *life)
{
	for (const struct past_name *name = life->names; name; name = name->next) {
		if (name->known)
			return true;
	}
	return false;
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
	const struct select *select = &history->query->options->select;
	struct past_life *const *lives;
	struct past *past;
	size_t count;
	int r = ancestors_past(history->query, history->window,
			       PAST_NAMES | PAST_THREADS | select_past_flags(select), false, &past);

	if (r < 0)
		return r;
	(void)ancestors_select(history->query, history->window, past);
	lives = past_lives(past, &count);
	for (size_t i = 0; r == 0 && i < count && output_error(history->output) == 0; i++) {
		if (!lives[i]->selected || (select->count == 0 && !any_name(lives[i])))
			continue;
		for (const struct past_name *name = lives[i]->names; name; name = name->next) {
			uint64_t end_ns = past_name_end(lives[i], name);

			if (window_overlaps(history->window, name->from_ns, end_ns))
				put_name(history, lives[i], name, end_ns);
		}
	}
	past_free(past);
	return r;
}

int cmd_comm(const struct options *options)
{
	bool text = options->format == OUTPUT_TEXT;
	struct query query;
	struct history history = { .query = &query };
	int r = query_open_window(&query, options);

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

const char help_comm[] =
	"SOURCE tells by what a task got the name: fork (its parent's), exec, comm (it was given "
	"one), or\n"
	"snapshot (it had it when the recording began).  TO is empty for a name that it still "
	"bears.\n"
	"\n"
	"  procledger comm 4711                   the names of a process and its threads\n"
	"  procledger comm 'kworker/*' -S -1h     who ever bore such a name in the last hour\n";
