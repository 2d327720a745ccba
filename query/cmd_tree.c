/* cmd_tree.c - the tree of every process that lived in a window, the ended ones included. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "query/life_text.h"
#include "query/past.h"
#include "query/query.h"

enum { DEPTH_DRAWN = 48, TIME_DIGITS = 3 };

struct tree {
	struct query *query;
	const struct window_boot *window;
	struct line line;
	struct output *output; /* NULL: text */
	size_t width, found, time_width;
	bool begun;
};

struct strokes {
	const char *pass, *none, *branch, *last, *deep;
};

static const struct strokes *strokes_of(const struct options *options)
{
	static const struct strokes utf8 = { "│ ", "  ", "├─", "└─", "… " };
	static const struct strokes ascii = { "| ", "  ", "|-", "`-", "~ " };

	return options->ascii ? &ascii : &utf8;
}

/* What leads to a life: for each ancestor below the root whether its line goes on, then its own branch. */
static void draw_branches(struct tree *tree, const struct past_life *life)
{
	const struct strokes *strokes = strokes_of(tree->query->options);
	bool goes_on[DEPTH_DRAWN];
	size_t levels = 0;

	if (!life->parent)
		return;
	for (const struct past_life *up = life->parent; up->parent && levels < DEPTH_DRAWN;
	     up = up->parent)
		goes_on[levels++] = up->next_sibling != NULL;
	if (levels + 1 < life->depth)
		line_print(&tree->line, strokes->deep);
	while (levels-- > 0)
		line_print(&tree->line, goes_on[levels] ? strokes->pass : strokes->none);
	line_print(&tree->line, life->next_sibling ? strokes->branch : strokes->last);
}

static void print_life(struct tree *tree, const struct past_life *life)
{
	char start[WHEN_TEXT_BYTES] = "?", end[LIFE_WORD_BYTES], duration[WHEN_TEXT_BYTES];

	if (life->start_ns != 0)
		query_time(tree->query, life->boot_no, life->start_ns, TIME_DIGITS, start);
	life_end_word(life, end);
	life_duration(life, window_end_ns(tree->window), duration);
	line_clear(&tree->line);
	line_printf(&tree->line, "%7" PRIu32 " %-*s %9s %-12s ", life->tid, (int)tree->time_width,
		    start, duration, end);
	draw_branches(tree, life);
	life_command(&tree->line, life);
	life_remarks(&tree->line, tree->query, life);
	line_write(&tree->line, stdout, tree->width);
}

static void print_head(struct tree *tree)
{
	size_t boots = 0;

	for (size_t i = 0; i < tree->query->window.boot_count; i++)
		boots += tree->query->window.boots[i].lived;
	if (boots > 1)
		printf("%sboot %" PRIu32 "\n", tree->begun ? "\n" : "",
		       tree->window->boot->boot_no);
	tree->begun = true;
	line_clear(&tree->line);
	line_printf(&tree->line, "%7s %-*s %9s %-12s %s",
		    tree->query->options->threads ? "TID" : "PID", (int)tree->time_width, "START",
		    "DURATION", "END", "COMMAND");
	line_write(&tree->line, stdout, tree->width);
}

static int tree_boot(struct tree *tree)
{
	const struct options *options = tree->query->options;
	unsigned flags = PAST_NAMES | (options->threads ? PAST_THREADS : 0) |
			 select_past_flags(&options->select);
	struct past *past;
	char time[WHEN_TEXT_BYTES];
	int r = past_new(tree->query->ledger, tree->window, flags, &past);

	if (r < 0)
		return r;
	tree->found += select_lives(&options->select, tree->query->clocks, past, tree->window);
	past_keep_selected(past);
	query_time(tree->query, tree->window->boot->boot_no, tree->window->boot->ts_max_ns,
		   TIME_DIGITS, time);
	tree->time_width = strlen(time);
	for (struct past_life *life = past_walk(past, NULL); life; life = past_walk(past, life)) {
		if (tree->output) {
			life_row(tree->output, tree->query, life);
			if (output_error(tree->output) < 0)
				break;
		} else {
			if (life == past_walk(past, NULL))
				print_head(tree);
			print_life(tree, life);
		}
	}
	past_free(past);
	return 0;
}

int cmd_tree(const struct options *options)
{
	struct query query;
	struct tree tree = { .query = &query };
	int r = query_open_window(&query, options);

	if (r == 0 && options->format != OUTPUT_TEXT) {
		tree.output = output_new(stdout, options->format, "processes", life_columns,
					 life_column_count, "?");
		if (!tree.output)
			r = query_failed(&query, -ENOMEM, "read");
	}
	if (r == 0) {
		int error = line_init(&tree.line);

		tree.width = terminal_width();
		for (size_t i = 0; i < query.window.boot_count && error == 0; i++) {
			tree.window = &query.window.boots[i];
			if (tree.window->lived)
				error = tree_boot(&tree);
		}
		r = error < 0 ? query_failed(&query, error, "read")
			      : query_end(&query, tree.output, tree.found, COMPLETENESS_FOLD);
	}
	free(tree.line.text);
	output_free(tree.output);
	query_clear(&query);
	return r;
}
