#include "query/select.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "schema/cgroup.h"
#include "schema/cleanup.h"
#include "schema/detail.h"

enum { CONTAINER_BYTES_MIN = 4, SIGNAL_LIMIT = 128, COMMAND_MAX = 1 << 16 };

enum end_wanted { END_FAILED, END_KILLED, END_EXIT, END_SIGNAL };

struct select_term {
	enum select_field field;
	bool glob, timed, by_id;
	enum end_wanted end;
	uint64_t number; /* a pid, an id's magnitude, a uid, a status, nanoseconds, bits of kinds */
	int64_t id;
	char *text; /* a name, path, unit, container, or the time of PID@TIME */
	size_t bytes;
	struct when when;
	regex_t *regex;
};

/* --- parsing --- */

__attribute__((format(printf, 2, 3))) static int refuse(char *message, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, SELECT_MESSAGE_BYTES, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static bool read_number(const char *text, size_t bytes, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (!isdigit((unsigned char)text[i]) ||
		    number > (max - (uint64_t)(text[i] - '0')) / 10)
			return false;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	*ret_number = number;
	return bytes > 0;
}

static int term_text(struct select_term *term, const char *text)
{
	term->text = strdup(text);
	term->bytes = strlen(text);
	return term->text ? 0 : -ENOMEM;
}

/* PID, or PID@TIME whose time is read in select_resolve(). */
static int term_pid(struct select_term *term, const char *text, char *message)
{
	size_t digits = strspn(text, "0123456789");

	if (!read_number(text, digits, UINT32_MAX, &term->number) ||
	    (text[digits] && text[digits] != '@'))
		return refuse(message, "'%.80s' is no process id: write PID or PID@TIME", text);
	term->timed = text[digits] == '@';
	return term->timed ? term_text(term, text + digits) : 0;
}

static int term_id(struct select_term *term, const char *text, char *message)
{
	uint64_t number;
	bool negative;

	if (strncmp(text, "id:", 3) == 0)
		text += 3;
	negative = text[0] == '-';

	if (!read_number(text + negative, strlen(text + negative), INT64_MAX, &number))
		return refuse(message,
			      "'%.80s' is no id of a life: it is a number, as in the "
			      "column id",
			      text);
	term->by_id = true;
	term->id = negative ? -(int64_t)number : (int64_t)number;
	return 0;
}

static int term_family(struct select_term *term, const char *text, char *message)
{
	if (strncmp(text, "id:", 3) == 0)
		return term_id(term, text, message);
	return term_pid(term, text, message);
}

static bool is_glob(const char *text)
{
	const char *open = strchr(text, '[');

	return strpbrk(text, "*?") || (open && strchr(open, ']'));
}

/* A name may be written as text output writes it: with \xNN. */
static int term_name(struct select_term *term, const char *text, char *message)
{
	uint8_t *raw;
	int r;

	if (!text[0])
		return refuse(message, "a name may not be empty");
	r = term_text(term, text);
	if (r < 0)
		return r;
	term->glob = is_glob(text);
	raw = (uint8_t *)term->text;
	if (escape_text_undo(text, term->bytes, raw, &term->bytes) < 0) {
		term->bytes = strlen(text);
		memcpy(term->text, text, term->bytes);
	}
	term->text[term->bytes] = '\0';
	return 0;
}

static int term_regex(struct select_term *term, const char *text, char *message)
{
	char why[128];
	bool capital = false;
	int r;

	for (const char *at = text; *at; at++)
		capital |= isupper((unsigned char)*at);
	term->regex = calloc(1, sizeof(*term->regex));
	if (!term->regex)
		return -ENOMEM;
	r = regcomp(term->regex, text, REG_EXTENDED | REG_NOSUB | (capital ? 0 : REG_ICASE));
	if (r == 0)
		return 0;
	(void)regerror(r, term->regex, why, sizeof(why));
	free(term->regex);
	term->regex = NULL;
	return r == REG_ESPACE ? -ENOMEM
			       : refuse(message, "'%.80s' is no regular expression: %s", text, why);
}

static int term_user(struct select_term *term, const char *text, char *message)
{
	const struct passwd *user;

	if (term->field == SELECT_LOGINUID && strcmp(text, "unset") == 0) {
		term->number = UINT32_MAX;
		return 0;
	}
	if (read_number(text, strlen(text), UINT32_MAX, &term->number))
		return 0;
	user = getpwnam(text);
	if (!user)
		return refuse(message, "there is no user '%.80s' here: give the number", text);
	term->number = user->pw_uid;
	return 0;
}

static int term_unit(struct select_term *term, const char *text, char *message)
{
	auto_free char *with_suffix = NULL;

	if (!text[0])
		return refuse(message, "a unit has a name");
	term->glob = is_glob(text);
	if (strchr(text, '.') || term->glob)
		return term_text(term, text);
	if (asprintf(&with_suffix, "%s.service", text) < 0) {
		with_suffix = NULL;
		return -ENOMEM;
	}
	return term_text(term, with_suffix);
}

static int term_container(struct select_term *term, const char *text, char *message)
{
	if (strlen(text) < CONTAINER_BYTES_MIN)
		return refuse(message,
			      "'%.80s' is no container: give at least 4 characters of its id",
			      text);
	return term_text(term, text);
}

static int term_kinds(struct select_term *term, const char *text, char *message)
{
	while (*text) {
		char word[32];
		size_t bytes = strcspn(text, ",");
		int kind;

		(void)snprintf(word, sizeof(word), "%.*s", (int)(bytes < 31 ? bytes : 31), text);
		kind = event_kind_parse(word);
		if (kind < 0)
			return refuse(message, "there is no kind of event '%s'", word);
		term->number |= UINT64_C(1) << kind;
		text += bytes + (text[bytes] == ',');
	}
	return term->number ? 0 : refuse(message, "--kind wants kinds such as fork,exec,exit");
}

static int term_signal(struct select_term *term, const char *text, char *message)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;

	for (int i = 1; i < SIGNAL_LIMIT; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcasecmp(known, name) == 0) {
			term->end = END_SIGNAL;
			term->number = (uint64_t)i;
			return 0;
		}
	}
	return refuse(message, "'%.80s' is neither an exit status (0 to 255) nor a signal", text);
}

static int term_end(struct select_term *term, const char *text, char *message)
{
	if (strcmp(text, "failed") == 0) {
		term->end = END_FAILED;
	} else if (strcmp(text, "killed") == 0) {
		term->end = END_KILLED;
	} else if (read_number(text, strlen(text), 255, &term->number)) {
		term->end = END_EXIT;
	} else {
		return term_signal(term, text, message);
	}
	return 0;
}

static int term_read(struct select_term *term, const char *text, char *message)
{
	switch (term->field) {
	case SELECT_PID:
	case SELECT_PPID:
		return term_pid(term, text, message);
	case SELECT_ID:
		return term_id(term, text, message);
	case SELECT_COMM:
	case SELECT_EXE:
		return term_name(term, text, message);
	case SELECT_GREP:
		return term_regex(term, text, message);
	case SELECT_UID:
	case SELECT_LOGINUID:
		return term_user(term, text, message);
	case SELECT_UNIT:
		return term_unit(term, text, message);
	case SELECT_CONTAINER:
		return term_container(term, text, message);
	case SELECT_KIND:
		return term_kinds(term, text, message);
	case SELECT_END:
		return term_end(term, text, message);
	case SELECT_LONGER:
	case SELECT_SHORTER:
		return when_parse_span(text, &term->number) == 0
			       ? 0
			       : refuse(message,
					"'%.80s' is no span of time such as 5s, 1.5ms "
					"or '2h 30min'",
					text);
	case SELECT_UNDER:
	case SELECT_ABOVE:
		return term_family(term, text, message);
	case SELECT_FIELDS:
		break;
	}
	return -EINVAL;
}

static void term_clear(struct select_term *term)
{
	free(term->text);
	if (term->regex)
		regfree(term->regex);
	free(term->regex);
}

int select_add(struct select *select, enum select_field field, const char *text,
	       char message[SELECT_MESSAGE_BYTES])
{
	struct select_term term = { .field = field };
	struct select_term *terms;
	int r = term_read(&term, text, message);

	if (r == 0) {
		terms = reallocarray(select->terms, select->count + 1, sizeof(*terms));
		if (terms) {
			select->terms = terms;
			terms[select->count++] = term;
			return 0;
		}
		r = -ENOMEM;
	}
	term_clear(&term);
	return r;
}

void select_clear(struct select *select)
{
	for (size_t i = 0; i < select->count; i++)
		term_clear(&select->terms[i]);
	free(select->terms);
	*select = (struct select){ 0 };
}

enum select_field select_guess(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits > 0 && (!text[digits] || text[digits] == '@'))
		return SELECT_PID;
	if (strncmp(text, "id:", 3) == 0)
		return SELECT_ID;
	return strchr(text, '/') ? SELECT_EXE : SELECT_COMM;
}

int select_resolve(const struct select *select, const struct when_here *here,
		   char message[SELECT_MESSAGE_BYTES])
{
	for (size_t i = 0; i < select->count; i++) {
		struct select_term *term = &select->terms[i];

		/* "14:03", and "@mono:5" or "@1795340244" with one sign or two */
		if (term->timed && when_parse(term->text + 1, here, &term->when) < 0 &&
		    when_parse(term->text, here, &term->when) < 0)
			return refuse(message, "'%.80s' behind the @ is no point in time",
				      term->text + 1);
	}
	return 0;
}

bool select_has(const struct select *select, enum select_field field)
{
	for (size_t i = 0; i < select->count; i++) {
		if (select->terms[i].field == field)
			return true;
	}
	return false;
}

/* --- events that tell by themselves --- */

bool select_is_plain(const struct select *select)
{
	for (size_t i = 0; i < select->count; i++) {
		const struct select_term *term = &select->terms[i];

		if (term->field != SELECT_KIND && (term->field != SELECT_PID || term->timed))
			return false;
	}
	return true;
}

uint64_t select_kinds(const struct select *select)
{
	uint64_t kinds = 0;

	for (size_t i = 0; i < select->count; i++) {
		if (select->terms[i].field == SELECT_KIND)
			kinds |= select->terms[i].number;
	}
	return kinds ? kinds : UINT64_MAX;
}

static bool event_has_pid(const struct event *event, uint64_t pid)
{
	return event->pid == pid || event->tid == pid ||
	       (event->kind == EVENT_FORK && (event->ppid == pid || event->ptid == pid)) ||
	       (event->kind == EVENT_PTRACE && (event->arg[0] == pid || event->arg[1] == pid));
}

bool select_event(const struct select *select, const struct event *event)
{
	bool asked = false, found = false;

	if (!select_kind(select, event->kind))
		return false;
	for (size_t i = 0; i < select->count && !found; i++) {
		if (select->terms[i].field != SELECT_PID)
			continue;
		asked = true;
		found = event_has_pid(event, select->terms[i].number);
	}
	return !asked || found;
}

unsigned select_past_flags(const struct select *select)
{
	unsigned flags = 0;

	if (select_has(select, SELECT_COMM) || select_has(select, SELECT_GREP))
		flags |= PAST_NAMES;
	for (enum select_field field = SELECT_EXE; field <= SELECT_CONTAINER; field++)
		flags |= select_has(select, field) ? PAST_VERSIONS : 0;
	return flags;
}

/* --- lives --- */

/* A life held against terms. */
struct match {
	struct clocks *clocks;
	const struct past_life *life;
	uint64_t end_ns; /* up to when one that goes on has lived */
};

static bool lived_at(const struct match *match, const struct when *when)
{
	const struct past_life *life = match->life;
	uint64_t from = life->start_ns,
		 to = life->ended && life->end_ns ? life->end_ns : UINT64_MAX;

	if (when->mono)
		return from <= when->ns && when->ns <= to;
	if (clocks_wall(match->clocks, life->boot_no, from, &from) < 0 ||
	    (to != UINT64_MAX && clocks_wall(match->clocks, life->boot_no, to, &to) < 0))
		return false;
	return from <= when->ns && when->ns <= to;
}

static bool match_pid(const struct match *match, const struct select_term *term)
{
	const struct past_life *life = match->life;

	if (term->by_id)
		return life->id == term->id ||
		       (life->snapshot_id != 0 && life->snapshot_id == term->id);
	if (life->pid != term->number && life->tid != term->number)
		return false;
	return !term->timed || lived_at(match, &term->when);
}

static bool text_matches(const struct select_term *term, const void *data, size_t bytes)
{
	char text[PATH_MAX + 1];

	if (bytes == term->bytes && memcmp(data, term->text, bytes) == 0)
		return true;
	if (!term->glob || bytes >= sizeof(text))
		return false;
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	return fnmatch(term->text, text, 0) == 0;
}

/* As the kernel cuts it. */
static bool comm_matches(const struct select_term *term, const char comm[EVENT_COMM_BYTES])
{
	struct select_term cut = *term;

	if (cut.bytes >= EVENT_COMM_BYTES)
		cut.bytes = EVENT_COMM_BYTES - 1;
	return text_matches(term->glob ? term : &cut, comm, strnlen(comm, EVENT_COMM_BYTES));
}

/* Between its birth and its own exec a process is its parent's copy: that makes it no sh and no make. */
static bool name_is_parents(const struct past_name *name)
{
	return name->source == LIFE_NAME_FORK && name->next && name->next->source == LIFE_NAME_EXEC;
}

static bool version_is_parents(const struct past_life *life, const struct past_version *version)
{
	return version->image && version->image->life_id != life->id && version->next &&
	       version->next->image && version->next->image->life_id == life->id;
}

static bool match_comm(const struct match *match, const struct select_term *term)
{
	const struct past_life *life = match->life;

	for (const struct past_name *name = life->names; name; name = name->next) {
		if (name->known && !name_is_parents(name) && comm_matches(term, name->comm))
			return true;
	}
	return life->comm_known && comm_matches(term, life->comm);
}

static const struct detail_field *field_of(const struct past_image *image, enum detail_tag tag)
{
	const struct detail_field *field = &image->detail.field[tag];

	return detail_known(field) ? field : NULL;
}

static bool exe_matches(const struct select_term *term, const struct past_image *image)
{
	const struct detail_field *exe = field_of(image, DETAIL_EXE);
	const char *path, *name;

	if (!exe || exe->bytes == 0)
		return false;
	path = (const char *)exe->data;
	name = memchr(term->text, '/', term->bytes) ? NULL : memrchr(path, '/', exe->bytes);
	if (!name)
		return text_matches(term, path, exe->bytes);
	name++;
	return text_matches(term, name, exe->bytes - (size_t)(name - path));
}

static bool regex_matches(const struct select_term *term, const char *data, size_t bytes)
{
	auto_free char *text = malloc(bytes + 1);

	if (!text)
		return false;
	for (size_t i = 0; i < bytes; i++)
		text[i] = (char)(data[i] ? data[i] : ' ');
	while (bytes > 0 && text[bytes - 1] == ' ')
		bytes--;
	text[bytes] = '\0';
	return regexec(term->regex, text, 0, NULL, 0) == 0;
}

static bool command_matches(const struct select_term *term, const struct past_image *image)
{
	const struct detail_field *argv = field_of(image, DETAIL_ARGV);

	return argv && argv->bytes > 0 && argv->bytes <= COMMAND_MAX &&
	       regex_matches(term, (const char *)argv->data, argv->bytes);
}

/* Of what has no arguments (kernel threads, or they could not be read) the name is what there is. */
static bool names_grep(const struct match *match, const struct select_term *term)
{
	const struct past_life *life = match->life;
	bool found = life->comm_known &&
		     regex_matches(term, life->comm, strnlen(life->comm, EVENT_COMM_BYTES));

	for (const struct past_name *name = life->names; name && !found; name = name->next)
		found = name->known && !name_is_parents(name) &&
			regex_matches(term, name->comm, strnlen(name->comm, EVENT_COMM_BYTES));
	return found;
}

static bool login_matches(const struct select_term *term, const struct past_image *image)
{
	uint32_t id;

	return detail_u32(&image->detail, DETAIL_LOGINUID, 0, &id) == 0 && id == term->number;
}

static bool text_is(const struct select_term *term, const char *text)
{
	return text[0] && text_matches(term, text, strlen(text));
}

static bool unit_matches(const struct select_term *term, const struct past_image *image)
{
	const struct detail_field *path = field_of(image, DETAIL_CGROUP);
	struct cgroup cgroup;

	if (!path)
		return false;
	cgroup_parse(path->data, path->bytes, &cgroup);
	return text_is(term, cgroup.unit) || text_is(term, cgroup.user_unit) ||
	       text_is(term, cgroup.slice);
}

static bool container_matches(const struct select_term *term, const struct past_image *image)
{
	const struct detail_field *path = field_of(image, DETAIL_CGROUP);
	struct cgroup cgroup;

	if (!path)
		return false;
	cgroup_parse(path->data, path->bytes, &cgroup);
	return strncmp(cgroup.container_id, term->text, term->bytes) == 0;
}

static bool image_matches(const struct select_term *term, const struct past_image *image)
{
	if (!image)
		return false;
	switch (term->field) {
	case SELECT_EXE:
		return exe_matches(term, image);
	case SELECT_GREP:
		return command_matches(term, image);
	case SELECT_LOGINUID:
		return login_matches(term, image);
	case SELECT_UNIT:
		return unit_matches(term, image);
	case SELECT_CONTAINER:
		return container_matches(term, image);
	default:
		return false;
	}
}

static bool match_image(const struct match *match, const struct select_term *term)
{
	for (const struct past_version *v = match->life->versions; v; v = v->next) {
		if (!version_is_parents(match->life, v) && image_matches(term, v->image))
			return true;
	}
	if (image_matches(term, match->life->image))
		return true;
	return term->field == SELECT_GREP && names_grep(match, term);
}

static bool match_uid(const struct match *match, const struct select_term *term)
{
	const struct past_life *life = match->life;

	for (const struct past_version *v = life->versions; v; v = v->next) {
		if (v->uid_known && (v->ruid == term->number || v->euid == term->number))
			return true;
	}
	return life->uid_known && (life->ruid == term->number || life->euid == term->number);
}

static bool match_end(const struct match *match, const struct select_term *term)
{
	const struct past_life *life = match->life;
	uint32_t signal = life->exit_code & 0x7f, status = life->exit_code >> 8 & 0xff;

	if (!life->ended || life->end_how != LIFE_END_EXIT)
		return false;
	switch (term->end) {
	case END_FAILED:
		return signal != 0 || status != 0;
	case END_KILLED:
		return signal != 0;
	case END_EXIT:
		return signal == 0 && status == term->number;
	case END_SIGNAL:
		return signal == term->number;
	}
	return false;
}

static bool match_duration(const struct match *match, const struct select_term *term)
{
	const struct past_life *life = match->life;
	uint64_t end = life->ended ? life->end_ns : match->end_ns;

	if (life->start_ns == 0 || end < life->start_ns)
		return false;
	if (term->field == SELECT_LONGER)
		return end - life->start_ns >= term->number;
	return life->ended && end - life->start_ns <= term->number;
}

static bool match_term(const struct match *match, const struct select_term *term)
{
	switch (term->field) {
	case SELECT_PID:
	case SELECT_ID:
		return match_pid(match, term);
	case SELECT_PPID:
		return match->life->ppid == term->number;
	case SELECT_COMM:
		return match_comm(match, term);
	case SELECT_EXE:
	case SELECT_GREP:
	case SELECT_LOGINUID:
	case SELECT_UNIT:
	case SELECT_CONTAINER:
		return match_image(match, term);
	case SELECT_UID:
		return match_uid(match, term);
	case SELECT_KIND:
		return (match->life->kinds & term->number) != 0;
	case SELECT_END:
		return match_end(match, term);
	case SELECT_LONGER:
	case SELECT_SHORTER:
		return match_duration(match, term);
	case SELECT_UNDER:
		return match->life->under;
	case SELECT_ABOVE:
		return match->life->above;
	case SELECT_FIELDS:
		break;
	}
	return false;
}

/* Terms of one field are alternatives, fields must all hold. */
static bool match_all(const struct select *select, const struct match *match, uint64_t but_fields)
{
	uint32_t asked = 0, held = 0;

	for (size_t i = 0; i < select->count; i++) {
		const struct select_term *term = &select->terms[i];
		uint32_t bit = 1u << term->field;

		if (but_fields & bit)
			continue;
		asked |= bit;
		if (!(held & bit) && match_term(match, term))
			held |= bit;
	}
	return asked == held;
}

bool select_life(const struct select *select, struct clocks *clocks, const struct past_life *life,
		 uint64_t end_ns)
{
	struct match match = { clocks, life, end_ns };

	return match_all(select, &match, 1u << SELECT_UNDER | 1u << SELECT_ABOVE);
}

bool select_names(const struct select *select, enum select_field field, struct clocks *clocks,
		  const struct past_life *life)
{
	struct match match = { clocks, life, UINT64_MAX };

	for (size_t i = 0; i < select->count; i++) {
		if (select->terms[i].field == field && match_pid(&match, &select->terms[i]))
			return true;
	}
	return false;
}

/* Marks who is under and above whom the terms name.  Parents come before their children in the walk. */
static void mark_family(const struct select *select, struct clocks *clocks, struct past *past)
{
	bool under = select_has(select, SELECT_UNDER), above = select_has(select, SELECT_ABOVE);

	for (struct past_life *life = past_walk(past, NULL); life && (under || above);
	     life = past_walk(past, life)) {
		life->under = (life->parent && life->parent->under) ||
			      (under && select_names(select, SELECT_UNDER, clocks, life));
		if (!above || !select_names(select, SELECT_ABOVE, clocks, life))
			continue;
		for (struct past_life *up = life; up && !up->above; up = up->parent)
			up->above = true;
	}
}

size_t select_lives(const struct select *select, struct clocks *clocks, struct past *past,
		    const struct window_boot *window)
{
	struct past_life *const *lives;
	size_t count, selected = 0;

	mark_family(select, clocks, past);
	lives = past_lives(past, &count);
	for (size_t i = 0; i < count; i++) {
		struct match match = { clocks, lives[i], window_end_ns(window) };
		/* An ancestor may have ended before the window. */
		bool in_reach = lives[i]->in_window || lives[i]->above;

		lives[i]->selected = in_reach && match_all(select, &match, 0);
		selected += lives[i]->selected;
	}
	return selected;
}

static bool id_is_selected(const struct past *past, int64_t id)
{
	const struct past_life *life = id ? past_find(past, id) : NULL;

	return life && life->selected;
}

bool select_event_of(const struct select *select, const struct past *past,
		     const struct event *event, const struct past_event_lives *lives)
{
	return select_kind(select, event->kind) &&
	       (id_is_selected(past, lives->subject) || id_is_selected(past, lives->other));
}
