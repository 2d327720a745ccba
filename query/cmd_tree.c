/* cmd_tree.c - the tree of every process that lived in a window, the ended ones included. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "query/ancestors.h"
#include "query/life_text.h"
#include "query/past.h"
#include "query/query.h"
#include "query/terminal.h"

enum { DEPTH_DRAWN = 48, TIME_DIGITS = 3 };

/* Children that are shown as one: those that say the same and have no children themselves. */
struct twin {
	struct past_life *first;
	uint64_t hash; /* of what it says, and its parent */
	size_t count;
};

struct tree {
	struct query *query;
	const struct options *options;
	const struct window_boot *window;
	struct past *past;
	struct line line, other; /* other: of a twin */
	struct output *output;   /* NULL: text */
	size_t width, found, time_width;
	bool begun, color;
	uint32_t highlight;   /* the pid of -H; 0: none */
	struct twin *twins;   /* a hash table; NULL: nothing is merged */
	size_t twin_capacity; /* a power of two */
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

/* --- what is drawn --- */

/* Below a process that was asked for, its ancestors are not, unless -s asks for them. */
static bool is_drawn(const struct tree *tree, const struct past_life *life)
{
	if (life->merged)
		return false;
	return life->selected || tree->options->parents ||
	       !select_has(&tree->options->select, SELECT_UNDER) || life->under;
}

static const struct past_life *drawn_parent(const struct tree *tree, const struct past_life *life)
{
	return life->parent && is_drawn(tree, life->parent) ? life->parent : NULL;
}

static bool goes_on(const struct tree *tree, const struct past_life *life)
{
	for (life = life->next_sibling; life; life = life->next_sibling) {
		if (is_drawn(tree, life))
			return true;
	}
	return false;
}

/* --- children that say the same --- */

/* The command and all remarks, as they are shown. */
static void say_life(struct tree *tree, struct line *line, const struct past_life *life)
{
	line_clear(line);
	life_command(line, life);
	life_remarks(line, tree->query, life);
}

static uint64_t hash_of(const struct past_life *life, const struct line *line,
			const char end[LIFE_WORD_BYTES])
{
	uint64_t hash = (uint64_t)(uintptr_t)life->parent * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < line->bytes; i++)
		hash = (hash ^ (unsigned char)line->text[i]) * UINT64_C(0x100000001b3);
	for (; *end; end++)
		hash = (hash ^ (unsigned char)*end) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 29;
}

/* That hashes are equal says little: what is said is. */
static bool says_the_same(struct tree *tree, const struct past_life *a, const struct past_life *b)
{
	char end_a[LIFE_WORD_BYTES], end_b[LIFE_WORD_BYTES];

	life_end_word(a, end_a);
	life_end_word(b, end_b);
	if (a->parent != b->parent || a->selected != b->selected || strcmp(end_a, end_b) != 0)
		return false;
	say_life(tree, &tree->other, a);
	return tree->line.bytes == tree->other.bytes &&
	       memcmp(tree->line.text, tree->other.text, tree->line.bytes) == 0;
}

static struct twin *twin_find(struct tree *tree, struct past_life *life)
{
	char end[LIFE_WORD_BYTES];
	uint64_t hash;
	size_t at;

	life_end_word(life, end);
	say_life(tree, &tree->line, life);
	hash = hash_of(life, &tree->line, end);
	for (at = hash & (tree->twin_capacity - 1); tree->twins[at].first;
	     at = (at + 1) & (tree->twin_capacity - 1)) {
		if (tree->twins[at].hash == hash &&
		    says_the_same(tree, tree->twins[at].first, life))
			break;
	}
	tree->twins[at].hash = hash;
	return &tree->twins[at];
}

static int merge_twins(struct tree *tree)
{
	const struct options *options = tree->options;
	struct past_life *life;
	size_t count;

	free(tree->twins);
	tree->twins = NULL;
	if (tree->output || options->no_merging || options->show_pids || options->arguments_whole)
		return 0;
	(void)past_lives(tree->past, &count);
	for (tree->twin_capacity = 64; tree->twin_capacity < 2 * count; tree->twin_capacity *= 2)
		continue;
	tree->twins = calloc(tree->twin_capacity, sizeof(*tree->twins));
	if (!tree->twins)
		return -ENOMEM;
	for (life = past_walk(tree->past, NULL); life; life = past_walk(tree->past, life)) {
		struct twin *twin;

		if (life->first_child || !drawn_parent(tree, life) || !is_drawn(tree, life))
			continue;
		if (!life->comm_known && !life->image) /* what is not known is not the same */
			continue;
		if (tree->highlight && life->pid == tree->highlight)
			continue;
		twin = twin_find(tree, life);
		if (twin->count++ == 0)
			twin->first = life;
		else
			life->merged = true;
	}
	return 0;
}

static size_t twin_count(struct tree *tree, struct past_life *life)
{
	const struct twin *twin;

	if (!tree->twins || life->first_child || !drawn_parent(tree, life) ||
	    (!life->comm_known && !life->image))
		return 1;
	twin = twin_find(tree, life);
	return twin->first == life ? twin->count : 1;
}

/* --- a line --- */

/* What leads to a life: for each ancestor below the root whether its line goes on, then its own branch. */
static void draw_branches(struct tree *tree, const struct past_life *life)
{
	const struct strokes *strokes = strokes_of(tree->options);
	const struct past_life *up = drawn_parent(tree, life);
	bool passes[DEPTH_DRAWN];
	size_t levels = 0;

	if (!up)
		return;
	for (; drawn_parent(tree, up) && levels < DEPTH_DRAWN; up = drawn_parent(tree, up))
		passes[levels++] = goes_on(tree, up);
	if (drawn_parent(tree, up))
		line_print(&tree->line, strokes->deep);
	while (levels-- > 0)
		line_print(&tree->line, passes[levels] ? strokes->pass : strokes->none);
	line_print(&tree->line, goes_on(tree, life) ? strokes->branch : strokes->last);
}

/* -u: the user, where he is another than the parent's. */
static void say_user(struct tree *tree, const struct past_life *life)
{
	const struct past_life *parent = life->parent;
	const struct passwd *user;

	if (!tree->options->show_users || !life->uid_known ||
	    (parent && parent->uid_known && parent->euid == life->euid))
		return;
	user = getpwuid(life->euid);
	line_print(&tree->line, "  (");
	if (user)
		line_escaped(&tree->line, user->pw_name, strlen(user->pw_name));
	else
		line_number(&tree->line, life->euid, 0);
	line_print(&tree->line, ")");
}

static bool is_highlighted(const struct tree *tree, const struct past_life *life)
{
	return tree->highlight && life->above;
}

/* Bold is what -H named, dim what is only there to show the way, yellow what ended badly. */
static const char *life_color(const struct tree *tree, const struct past_life *life)
{
	if (!tree->color)
		return NULL;
	if (is_highlighted(tree, life))
		return "\033[1m";
	if (!life->selected)
		return "\033[2m";
	if (life->ended && life->end_how == LIFE_END_EXIT && life->exit_code != 0)
		return "\033[33m";
	return NULL;
}

static void print_life(struct tree *tree, struct past_life *life)
{
	char start[WHEN_TEXT_BYTES] = "?", end[LIFE_WORD_BYTES], duration[WHEN_TEXT_BYTES];
	size_t twins = twin_count(tree, life);

	if (life->start_ns != 0)
		query_time(tree->query, life->boot_no, life->start_ns, TIME_DIGITS, start);
	life_end_word(life, end);
	life_duration(life, window_end_ns(tree->window), duration);
	line_clear(&tree->line);
	line_printf(&tree->line, "%7" PRIu32 " %-*s %9s %-12s ", life->tid, (int)tree->time_width,
		    start, duration, end);
	draw_branches(tree, life);
	if (twins > 1)
		line_printf(&tree->line, "%zu*[", twins);
	life_command(&tree->line, life);
	if (twins > 1)
		line_print(&tree->line, "]");
	if (tree->options->show_pids)
		line_printf(&tree->line, "(%" PRIu32 ")", life->tid);
	say_user(tree, life);
	life_remarks(&tree->line, tree->query, life);
	tree->line.color = life_color(tree, life);
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
	line_printf(&tree->line, "%7s %-*s %9s %-12s %s", tree->options->threads ? "TID" : "PID",
		    (int)tree->time_width, "START", "DURATION", "END", "COMMAND");
	line_write(&tree->line, stdout, tree->width);
}

/* --- a boot --- */

static void print_tree(struct tree *tree)
{
	bool headed = false;

	for (struct past_life *life = past_walk(tree->past, NULL); life;
	     life = past_walk(tree->past, life)) {
		if (!is_drawn(tree, life))
			continue;
		if (tree->output) {
			life_row(tree->output, tree->query, life);
			if (output_error(tree->output) < 0)
				break;
			continue;
		}
		if (!headed)
			print_head(tree);
		headed = true;
		print_life(tree, life);
		if (ferror_unlocked(stdout))
			break;
	}
}

/* -H: the process and its ancestors, as pstree has it. */
static void mark_highlight(struct tree *tree)
{
	struct past_life *const *lives;
	size_t count;

	lives = past_lives(tree->past, &count);
	for (size_t i = 0; i < count && tree->highlight; i++) {
		if (lives[i]->pid != tree->highlight)
			continue;
		for (struct past_life *up = lives[i]; up && !up->above; up = up->parent)
			up->above = true;
	}
}

static int tree_boot(struct tree *tree)
{
	const struct options *options = tree->options;
	unsigned flags = PAST_NAMES | (options->threads ? PAST_THREADS : 0) |
			 select_past_flags(&options->select);
	char time[WHEN_TEXT_BYTES];
	int r = ancestors_past(tree->query, tree->window, flags, true, &tree->past);

	if (r < 0)
		return r;
	tree->found += ancestors_select(tree->query, tree->window, tree->past);
	past_keep_selected(tree->past);
	mark_highlight(tree);
	r = merge_twins(tree);
	if (r == 0) {
		query_time(tree->query, tree->window->boot->boot_no, tree->window->boot->ts_max_ns,
			   TIME_DIGITS, time);
		tree->time_width = strlen(time);
		print_tree(tree);
	}
	past_free(tree->past);
	return r;
}

static int tree_init(struct tree *tree, struct query *query)
{
	const struct options *options = query->options;
	int r = line_init(&tree->line);

	if (r == 0)
		r = line_init(&tree->other);
	tree->width = options->lines_whole || options->arguments_whole ? 0 : terminal_width();
	tree->color = terminal_color(options->color);
	tree->line.mark = options->ascii ? "+" : NULL;
	if (r < 0 || options->format == OUTPUT_TEXT)
		return r;
	tree->output = output_new(stdout, options->format, "processes", life_columns,
				  life_column_count, "?");
	return tree->output ? 0 : -ENOMEM;
}

static int read_highlight(const char *text, uint32_t *ret_pid)
{
	char *end = NULL;
	unsigned long pid = 0;

	if (!text)
		return 0;
	if (text[0] >= '0' && text[0] <= '9')
		pid = strtoul(text, &end, 10);
	if (!end || *end || pid == 0 || pid > INT32_MAX)
		return complain(EXIT_USAGE, "-H wants a process id, not '%s'", text);
	*ret_pid = (uint32_t)pid;
	return 0;
}

int cmd_tree(const struct options *options)
{
	struct query query = { .ring_fd = -1 };
	struct tree tree = { .query = &query, .options = options };
	int r = read_highlight(options->highlight, &tree.highlight);

	if (r == 0)
		r = query_open_window(&query, options);
	if (r == 0) {
		int error = tree_init(&tree, &query);

		for (size_t i = 0; i < query.window.boot_count && error == 0; i++) {
			tree.window = &query.window.boots[i];
			if (tree.window->lived)
				error = tree_boot(&tree);
		}
		r = error < 0 ? query_failed(&query, error, "read")
			      : query_end(&query, tree.output, tree.found, COMPLETENESS_FOLD);
	}
	free(tree.twins);
	free(tree.line.text);
	free(tree.other.text);
	output_free(tree.output);
	query_clear(&query);
	return r;
}

const char help_tree[] =
	"A PID asks for what is under it, names and programs for who bore them and the way to "
	"them;\n"
	"ancestors that are only shown for the way stand as \"(not in the window)\".  3*[sleep 1] "
	"are\n"
	"three children that say and ended the same and have no children; PID and START are the\n"
	"first one's.\n"
	"\n"
	"  procledger tree -S -10min              who lived in the last ten minutes\n"
	"  procledger tree --at '14:03:07'        who lived at that moment\n"
	"  procledger tree --failed -S today      what failed today, and who started it\n"
	"  procledger tree -s -u 4711             a process, its ancestors and descendants, with "
	"users\n";
