/* cmd_ps.c - the processes that were alive in a window, one a line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query/ancestors.h"
#include "query/life_text.h"
#include "query/past.h"
#include "query/ps_columns.h"
#include "query/query.h"
#include "query/terminal.h"

static const struct output_column text_columns[] = {
	{ .name = "PID", .number = true },
	{ .name = "PPID", .number = true },
	{ .name = "UID", .number = true },
	{ .name = "START" },
	{ .name = "DURATION", .number = true },
	{ .name = "END" },
	{ .name = "COMMAND" },
};

enum { TEXT_COLUMNS = sizeof(text_columns) / sizeof(text_columns[0]), TIME_DIGITS = 3 };

struct ps {
	struct query *query;
	const struct options *options;
	const struct window_boot *window;
	struct output *output;
	struct ps_columns columns; /* none: the usual ones, with remarks */
	struct line line;
	size_t found;
};

static void text_row(struct ps *ps, const struct past_life *life)
{
	char start[WHEN_TEXT_BYTES], duration[WHEN_TEXT_BYTES], end[LIFE_WORD_BYTES];

	output_unsigned(ps->output, life->tid);
	if (life->born != LIFE_BORN_UNSEEN || life->ppid != 0)
		output_unsigned(ps->output, life->ppid);
	else
		output_null(ps->output);
	if (life->uid_known)
		output_unsigned(ps->output, life->euid);
	else
		output_null(ps->output);
	if (life->start_ns != 0)
		query_time(ps->query, life->boot_no, life->start_ns, TIME_DIGITS, start);
	output_word(ps->output, life->start_ns != 0 ? start : NULL);
	life_duration(life, window_end_ns(ps->window), duration);
	output_word(ps->output, duration[0] ? duration : NULL);
	life_end_word(life, end);
	output_word(ps->output, end);
	line_clear(&ps->line);
	life_command(&ps->line, life);
	life_remarks(&ps->line, ps->query, life);
	output_made(ps->output, ps->line.text, ps->line.bytes);
	output_row_end(ps->output);
}

static void show(struct ps *ps, const struct past_life *life)
{
	if (ps->options->format != OUTPUT_TEXT)
		life_row(ps->output, ps->query, life);
	else if (ps->columns.count > 0)
		ps_row(&ps->columns, ps->output, ps->query, life, window_end_ns(ps->window),
		       &ps->line);
	else
		text_row(ps, life);
	ps->found++;
}

static int ps_boot(struct ps *ps)
{
	const struct options *options = ps->options;
	unsigned flags = PAST_NAMES | (options->threads ? PAST_THREADS : 0) |
			 select_past_flags(&options->select);
	struct past_life *const *lives;
	struct past *past;
	size_t count;
	int r = ancestors_past(ps->query, ps->window, flags, false, &past);

	if (r < 0)
		return r;
	(void)ancestors_select(ps->query, ps->window, past);
	lives = past_lives(past, &count);
	for (size_t i = 0; r == 0 && i < count && output_error(ps->output) == 0; i++) {
		if (lives[i]->selected)
			show(ps, lives[i]);
	}
	past_free(past);
	return r;
}

/* -o with keywords, -f and the u of `ps aux`; where none is given, the usual columns. */
static int choose_columns(struct ps *ps)
{
	enum output_format format;
	const char *words = NULL;

	if (ps->options->output && output_format_parse(ps->options->output, &format) < 0)
		words = ps->options->output;
	else if (ps->options->full_format)
		words = "user=UID,pid,ppid,stime,cmd=CMD";
	else if (ps->options->user_format)
		words = "user,pid,start,etime,end,command";
	return words ? ps_columns_parse(&ps->columns, words) : 0;
}

static int ps_init(struct ps *ps)
{
	bool text = ps->options->format == OUTPUT_TEXT;
	int r = line_init(&ps->line);

	if (r < 0)
		return r;
	if (text && ps->columns.count > 0)
		ps->output = output_new(stdout, OUTPUT_TEXT, "processes", ps->columns.column,
					ps->columns.count, "?");
	else
		ps->output = output_new(stdout, ps->options->format, "processes",
					text ? text_columns : life_columns,
					text ? TEXT_COLUMNS : life_column_count, "?");
	if (!ps->output)
		return -ENOMEM;
	output_set_width(ps->output, terminal_width());
	return 0;
}

int cmd_ps(const struct options *options)
{
	struct query query = { .ring_fd = -1 };
	struct ps ps = { .query = &query, .options = options };
	int r = choose_columns(&ps);

	if (r == 0)
		r = query_open_window(&query, options);
	if (r == 0) {
		int error = ps_init(&ps);

		for (size_t i = 0; i < query.window.boot_count && error == 0; i++) {
			ps.window = &query.window.boots[i];
			if (ps.window->lived)
				error = ps_boot(&ps);
		}
		r = error < 0 ? query_failed(&query, error, "read")
			      : query_end(&query, ps.output, ps.found, COMPLETENESS_FOLD);
	}
	free(ps.line.text);
	output_free(ps.output);
	query_clear(&query);
	return r;
}

const char help_ps[] =
	"FORMAT may also be columns as ps has them, such as "
	"pid,ppid,user,uid,luid,comm,args,etime,\n"
	"etimes,lstart,stime,cgroup,unit,cwd,exe,end,id.\n"
	"\n"
	"Columns that no ledger can know (tty, time, %cpu, rss ...) are \"?\", which is said.\n"
	"PPID is who made the process, also where it was given to another since.\n"
	"\n"
	"  procledger ps --at '2026-11-22 14:03'        as ps would have shown it then\n"
	"  procledger ps -f -u root                     ps's own columns\n"
	"  procledger ps -o pid,luid,unit,args sshd     chosen ones; KEYWORD=HEADER names them\n"
	"  procledger ps aux --longer 1h -S today\n";
