/* cmd_show.c - one life as a dossier: what it was, from whom it came, what happened to it, whom it bore. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "query/ancestors.h"
#include "query/event_text.h"
#include "query/life_text.h"
#include "query/past.h"
#include "query/query.h"
#include "query/stream.h"
#include "query/terminal.h"
#include "schema/cgroup.h"
#include "schema/cleanup.h"

enum { TIME_DIGITS = 6, ANCESTORS_MAX = 4096, OTHERS_SHOWN = 8 };

struct show {
	struct query *query;
	const struct options *options;
	const struct window_boot *window;
	struct past *past;
	struct past_life *life;
	struct line line;
	struct output *output; /* of the section that is written; NULL: text */
	size_t width, printed; /* lines of a section so far */
	bool json_begun;
};

/* --- which life --- */

/* A thread only where its process is not meant as well. */
static bool is_meant(const struct show *show, const struct past_life *life)
{
	const struct past_life *process =
		life->pid != life->tid ? past_find(show->past, life->process_id) : NULL;

	return life->selected && !(process && process->selected);
}

/* The newest of those that are meant; the others are named. */
static struct past_life *choose(struct show *show)
{
	struct past_life *const *lives;
	struct past_life *chosen = NULL;
	size_t count, others = 0;

	lives = past_lives(show->past, &count);
	for (size_t i = 0; i < count; i++) {
		if (!is_meant(show, lives[i]))
			continue;
		others += chosen != NULL;
		chosen = lives[i];
	}
	if (others == 0)
		return chosen;
	(void)fprintf(stderr, "-- %zu other%s that too:", others, others == 1 ? " was" : "s were");
	for (size_t i = 0, shown = 0; i < count && shown < OTHERS_SHOWN; i++) {
		if (is_meant(show, lives[i]) && lives[i] != chosen) {
			(void)fprintf(stderr, " id:%" PRId64, lives[i]->id);
			shown++;
		}
	}
	(void)fprintf(stderr, "%s; this is the last\n", others > OTHERS_SHOWN ? " ..." : "");
	return chosen;
}

/* --- words --- */

static void begin_line(struct show *show, const char *label)
{
	line_clear(&show->line);
	line_printf(&show->line, "  %-11s ", label);
}

static void end_line(struct show *show)
{
	line_write(&show->line, stdout, show->width);
}

static void say_time(struct show *show, uint64_t ns)
{
	char time[WHEN_TEXT_BYTES];

	if (ns == 0) {
		line_print(&show->line, "not known");
		return;
	}
	query_time(show->query, show->life->boot_no, ns, TIME_DIGITS, time);
	line_print(&show->line, time);
}

static void say_user(struct show *show, uint32_t uid)
{
	const struct passwd *user = getpwuid(uid);

	line_number(&show->line, uid, 0);
	if (!user)
		return;
	line_print(&show->line, " (");
	line_escaped(&show->line, user->pw_name, strlen(user->pw_name));
	line_print(&show->line, ")");
}

static const struct detail_field *field_of(const struct past_life *life, enum detail_tag tag)
{
	const struct detail_field *field = life->image ? &life->image->detail.field[tag] : NULL;

	return field && detail_known(field) ? field : NULL;
}

static void say_field(struct show *show, const char *label, enum detail_tag tag)
{
	const struct detail_field *field = field_of(show->life, tag);

	if (!field)
		return;
	begin_line(show, label);
	if (tag == DETAIL_ARGV)
		line_arguments(&show->line, field);
	else
		line_escaped(&show->line, field->data, field->bytes);
	end_line(show);
}

static void say_word(struct show *show, const char *label, const char *word)
{
	if (!word || !word[0])
		return;
	begin_line(show, label);
	line_escaped(&show->line, word, strlen(word));
	end_line(show);
}

/* --- sections of text --- */

static void say_birth_and_end(struct show *show)
{
	const struct past_life *life = show->life;
	char end[LIFE_WORD_BYTES], duration[WHEN_TEXT_BYTES];

	begin_line(show, "started");
	say_time(show, life->start_ns);
	if (life->born == LIFE_BORN_FORK)
		line_printf(&show->line, "  by %" PRIu32, life->ppid);
	else if (life->born == LIFE_BORN_SNAPSHOT)
		line_print(&show->line, "  before the recording, seen in /proc");
	else
		line_print(&show->line, "  not seen");
	end_line(show);
	life_end_word(life, end);
	life_duration(life, window_end_ns(show->window), duration);
	begin_line(show, "ended");
	if (life->ended) {
		say_time(show, life->end_ns);
		line_printf(&show->line, "  %s", end);
	} else {
		line_print(&show->line, "not within the window");
	}
	if (duration[0])
		line_printf(&show->line, "  after %s", duration);
	end_line(show);
}

static void say_identity(struct show *show)
{
	const struct past_life *life = show->life;
	uint32_t login, session;

	if (life->uid_known) {
		begin_line(show, "user");
		say_user(show, life->euid);
		if (life->ruid != life->euid) {
			line_print(&show->line, ", real ");
			say_user(show, life->ruid);
		}
		end_line(show);
	}
	if (life->gid_known) {
		begin_line(show, "group");
		line_number(&show->line, life->egid, 0);
		if (life->rgid != life->egid)
			line_printf(&show->line, ", real %" PRIu32, life->rgid);
		end_line(show);
	}
	if (!life->image || detail_u32(&life->image->detail, DETAIL_LOGINUID, 0, &login) < 0)
		return;
	begin_line(show, "login");
	if (login == UINT32_MAX)
		line_print(&show->line, "unset");
	else
		say_user(show, login);
	if (detail_u32(&life->image->detail, DETAIL_SESSIONID, 0, &session) == 0 &&
	    session != UINT32_MAX)
		line_printf(&show->line, ", audit session %" PRIu32, session);
	end_line(show);
}

static void say_place(struct show *show)
{
	const struct detail_field *path = field_of(show->life, DETAIL_CGROUP);
	struct cgroup cgroup;

	say_field(show, "folder", DETAIL_CWD);
	say_field(show, "cgroup", DETAIL_CGROUP);
	if (!path)
		return;
	cgroup_parse(path->data, path->bytes, &cgroup);
	say_word(show, "unit", cgroup.unit);
	say_word(show, "user unit", cgroup.user_unit);
	say_word(show, "container", cgroup.container_id);
	say_word(show, "pod", cgroup.pod_uid);
}

static void say_head(struct show *show)
{
	const struct past_life *life = show->life;

	line_clear(&show->line);
	line_printf(&show->line, "%s %" PRIu32 "  ", life->pid == life->tid ? "Process" : "Thread",
		    life->tid);
	life_command(&show->line, life);
	line_printf(&show->line, "  (id %" PRId64 ", boot %" PRIu32 ")", life->id, life->boot_no);
	end_line(show);
	say_birth_and_end(show);
	say_field(show, "program", DETAIL_EXE);
	say_field(show, "arguments", DETAIL_ARGV);
	say_identity(show);
	say_place(show);
}

/* Who it was at birth; of one that was there before the recording, what was first known. */
static const struct past_version *birth_of(const struct past_life *life)
{
	const struct past_version *version = life->versions;

	if (life->born == LIFE_BORN_FORK && life->at_birth.from_ns)
		return &life->at_birth;
	while (version && !version->uid_known && !version->image)
		version = version->next;
	return version ? version : &life->at_birth;
}

static bool birth_login(const struct past_life *life, uint32_t *ret_uid)
{
	const struct past_image *image = birth_of(life)->image;

	return image && detail_u32(&image->detail, DETAIL_LOGINUID, 0, ret_uid) == 0;
}

static void say_birth_ids(struct show *show, const struct past_life *life)
{
	const struct past_version *birth = birth_of(life);
	uint32_t login;

	if (birth->uid_known)
		line_printf(&show->line, "uid %-6" PRIu32, birth->euid);
	else
		line_print(&show->line, "uid ?     ");
	if (!birth_login(life, &login))
		line_print(&show->line, " login ?     ");
	else if (login == UINT32_MAX)
		line_print(&show->line, " login unset ");
	else
		line_printf(&show->line, " login %-6" PRIu32, login);
	line_print(&show->line, " ");
}

/* From the life up to the oldest ancestor that is known. */
static void say_ancestry(struct show *show)
{
	const struct past_life *last = show->life, *up = last;

	printf("Ancestry (ids as they were at each birth)\n");
	for (size_t i = 0; up && i < ANCESTORS_MAX; i++, up = up->parent) {
		line_clear(&show->line);
		line_printf(&show->line, "  %7" PRIu32 "  ", up->tid);
		say_time(show, up->start_ns);
		line_print(&show->line, "  ");
		say_birth_ids(show, up);
		life_command(&show->line, up);
		if (up->from_index)
			line_print(&show->line, "  (ended before; from the index)");
		end_line(show);
		last = up;
	}
	if (last && !last->parent && last->ppid != 0)
		printf("  %7" PRIu32 "  not known\n", last->ppid);
}

static void say_names(struct show *show)
{
	printf("Names\n");
	for (const struct past_name *name = show->life->names; name; name = name->next) {
		line_clear(&show->line);
		line_print(&show->line, "  ");
		say_time(show, name->from_ns);
		line_printf(&show->line, "  %-8s ", name_source_word(name->source));
		if (name->known)
			line_escaped(&show->line, name->comm, comm_bytes(name->comm));
		else
			line_print(&show->line, "?");
		end_line(show);
	}
}

static void say_relatives(struct show *show, const char *title, bool threads)
{
	size_t shown = 0;

	for (const struct past_life *child = show->life->first_child; child;
	     child = child->next_sibling) {
		char end[LIFE_WORD_BYTES], duration[WHEN_TEXT_BYTES];

		if ((child->pid != child->tid) != threads)
			continue;
		if (shown++ == 0)
			printf("%s\n", title);
		life_end_word(child, end);
		life_duration(child, window_end_ns(show->window), duration);
		line_clear(&show->line);
		line_printf(&show->line, "  %7" PRIu32 "  ", child->tid);
		say_time(show, child->start_ns);
		line_printf(&show->line, " %9s %-12s ", duration, end);
		life_command(&show->line, child);
		end_line(show);
	}
}

/* --- events --- */

/* Its own events and its threads'; what it did to others by ptrace; not the births of its children, which are told elsewhere. */
static bool is_its_own(const struct show *show, const struct stream_item *item)
{
	if (item->life &&
	    (item->life->id == show->life->id || item->life->process_id == show->life->id))
		return true;
	return item->event->kind == EVENT_PTRACE && item->other &&
	       item->other->id == show->life->id;
}

static int show_event(void *context, const struct stream_item *item)
{
	struct show *show = context;

	if (item->boot_no != show->life->boot_no || !is_its_own(show, item))
		return 0;
	if (show->output) {
		event_row(show->output, show->query, item->boot_no, item->event);
	} else {
		if (show->printed++ == 0)
			printf("Events\n");
		line_clear(&show->line);
		line_print(&show->line, "  ");
		say_time(show, item->event->timestamp_ns);
		line_print(&show->line, "  ");
		event_words(&show->line, show->query, item->boot_no, item->event);
		end_line(show);
	}
	return ferror_unlocked(stdout) ? STREAM_ENOUGH : 0;
}

static int show_text(struct show *show)
{
	int r;

	say_head(show);
	say_ancestry(show);
	if (show->life->names)
		say_names(show);
	r = stream_each(show->query, STREAM_LIVES, show_event, show);
	say_relatives(show, "Threads", true);
	say_relatives(show, "Children", false);
	return r < 0 ? r : 0;
}

/* --- JSON: an object of arrays --- */

static const struct output_column ancestor_columns[] = {
	{ .name = "id", .number = true },
	{ .name = "pid", .number = true },
	{ .name = "start_ns", .number = true },
	{ .name = "comm" },
	{ .name = "exe" },
	{ .name = "argv" },
	{ .name = "birth_uid", .number = true },
	{ .name = "birth_euid", .number = true },
	{ .name = "birth_loginuid", .number = true },
};
static const struct output_column name_columns[] = {
	{ .name = "comm" },
	{ .name = "from_ns", .number = true },
	{ .name = "to_ns", .number = true },
	{ .name = "source" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The rows go into a document of their own, whose brace the first section alone keeps. */
static int section(struct show *show, const char *name, const struct output_column *columns,
		   size_t column_count, int (*write)(struct show *show))
{
	auto_free char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	int r;

	if (!file)
		return -ENOMEM;
	show->output = output_new(file, OUTPUT_JSON, name, columns, column_count, "?");
	r = show->output ? write(show) : -ENOMEM;
	if (r == 0)
		output_end(show->output);
	output_free(show->output);
	show->output = NULL;
	if (fclose(file) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	if (show->json_begun)
		(void)putchar(',');
	(void)fwrite(text + show->json_begun, 1, bytes - show->json_begun, stdout);
	show->json_begun = true;
	return 0;
}

static int write_life(struct show *show)
{
	life_row(show->output, show->query, show->life);
	return 0;
}

static void put_if(struct output *output, bool known, uint64_t number)
{
	if (known)
		output_unsigned(output, number);
	else
		output_null(output);
}

static int write_ancestors(struct show *show)
{
	struct output *output = show->output;
	const struct past_life *up = show->life;

	for (size_t i = 0; up && i < ANCESTORS_MAX; i++, up = up->parent) {
		const struct past_version *birth = birth_of(up);
		const struct detail_field *exe = field_of(up, DETAIL_EXE),
					  *argv = field_of(up, DETAIL_ARGV);
		uint32_t login = 0;
		bool login_known = birth_login(up, &login) && login != UINT32_MAX;

		output_signed(output, up->id);
		output_unsigned(output, up->pid);
		put_if(output, up->start_ns != 0, up->start_ns);
		if (up->comm_known)
			output_bytes(output, up->comm, comm_bytes(up->comm));
		else
			output_null(output);
		if (exe)
			output_bytes(output, exe->data, exe->bytes);
		else
			output_null(output);
		if (argv)
			output_arguments(output, argv->data, argv->bytes);
		else
			output_null(output);
		put_if(output, birth->uid_known, birth->ruid);
		put_if(output, birth->uid_known, birth->euid);
		put_if(output, login_known, login);
		output_row_end(output);
	}
	return 0;
}

static int write_names(struct show *show)
{
	for (const struct past_name *name = show->life->names; name; name = name->next) {
		uint64_t end_ns = past_name_end(show->life, name);

		if (name->known)
			output_bytes(show->output, name->comm, comm_bytes(name->comm));
		else
			output_null(show->output);
		put_if(show->output, name->from_ns != 0, name->from_ns);
		put_if(show->output, end_ns != UINT64_MAX, end_ns);
		output_word(show->output, name_source_word(name->source));
		output_row_end(show->output);
	}
	return 0;
}

static int write_events(struct show *show)
{
	int r = stream_each(show->query, STREAM_LIVES, show_event, show);

	return r < 0 ? r : 0;
}

static void write_relatives(struct show *show, bool threads)
{
	for (const struct past_life *child = show->life->first_child; child;
	     child = child->next_sibling) {
		if ((child->pid != child->tid) == threads)
			life_row(show->output, show->query, child);
	}
}

static int write_children(struct show *show)
{
	write_relatives(show, false);
	return 0;
}

static int write_threads(struct show *show)
{
	write_relatives(show, true);
	return 0;
}

static int show_json(struct show *show)
{
	int r = section(show, "life", life_columns, life_column_count, write_life);

	if (r == 0)
		r = section(show, "ancestry", ancestor_columns, COUNT(ancestor_columns),
			    write_ancestors);
	if (r == 0)
		r = section(show, "names", name_columns, COUNT(name_columns), write_names);
	if (r == 0)
		r = section(show, "events", event_columns, event_column_count, write_events);
	if (r == 0)
		r = section(show, "threads", life_columns, life_column_count, write_threads);
	if (r == 0)
		r = section(show, "children", life_columns, life_column_count, write_children);
	return r;
}

/* --- the command --- */

/* The newest boot in which somebody is meant. */
static int find_life(struct show *show)
{
	struct query *query = show->query;
	unsigned flags = PAST_THREADS | PAST_NAMES | PAST_VERSIONS;

	for (size_t i = query->window.boot_count; i-- > 0 && !show->life;) {
		int r;

		show->window = &query->window.boots[i];
		if (!show->window->lived)
			continue;
		r = ancestors_past(query, show->window, flags, true, &show->past);
		if (r < 0)
			return r;
		(void)ancestors_select(query, show->window, show->past);
		show->life = choose(show);
		if (!show->life) {
			past_free(show->past);
			show->past = NULL;
		}
	}
	return 0;
}

static int answer(struct show *show)
{
	bool json = show->options->format == OUTPUT_JSON;
	int r = line_init(&show->line);

	show->width = terminal_width();
	if (r == 0)
		r = find_life(show);
	if (r == 0 && show->life)
		r = json ? show_json(show) : show_text(show);
	else if (r == 0 && json)
		printf("{\"life\":[]");
	if (r < 0)
		return query_failed(show->query, r, "read");
	if (!show->life && !json)
		(void)fprintf(stderr, "-- nobody like that lived in the window\n");
	return query_end(show->query, NULL, show->life != NULL, COMPLETENESS_FOLD);
}

int cmd_show(const struct options *options)
{
	struct options wide = *options;
	struct query query = { .ring_fd = -1 };
	struct show show = { .query = &query, .options = &wide };
	int r = 0;

	/* PID@TIME and id:ID say themselves when. */
	if (!options->window.boot && !options->window.since && !options->window.at)
		wide.window.boot = "all";
	if (options->select.count == 0)
		r = complain(EXIT_USAGE, "show wants to know of whom: PID, PID@TIME or id:ID");
	else if (options->format != OUTPUT_TEXT && options->format != OUTPUT_JSON)
		r = complain(EXIT_USAGE, "show tells a life as text or as one JSON document");
	if (r == 0)
		r = query_open_window(&query, &wide);
	if (r == 0)
		r = answer(&show);
	past_free(show.past);
	free(show.line.text);
	query_clear(&query);
	return r;
}

const char help_show[] = "PID alone is the newest that bore the number; the others are named on "
			 "stderr by their ids.\n"
			 "Without a window all boots are looked through.\n"
			 "\n"
			 "  procledger show 4711\n"
			 "  procledger show 4711@'2026-11-22 14:03'\n"
			 "  procledger show id:123456 -o json\n";
