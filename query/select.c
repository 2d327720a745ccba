/* select.c - terms held against lives and events. */
#include "query/select.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "query/select_term.h"
#include "schema/cgroup.h"
#include "schema/cleanup.h"
#include "schema/detail.h"

enum { COMMAND_MAX = 1 << 16 };

int select_add(struct select *select, enum select_field field, const char *text,
	       char message[SELECT_MESSAGE_BYTES])
{
	struct select_term term, *terms;
	int r = select_term_init(&term, field, text, message);

	if (r < 0)
		return r;
	terms = reallocarray(select->terms, select->count + 1, sizeof(*terms));
	if (!terms) {
		select_term_clear(&term);
		return -ENOMEM;
	}
	select->terms = terms;
	terms[select->count++] = term;
	return 0;
}

void select_clear(struct select *select)
{
	for (size_t i = 0; i < select->count; i++)
		select_term_clear(&select->terms[i]);
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
		int r = select_term_resolve(&select->terms[i], here, message);

		if (r < 0)
			return r;
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

const char *select_path(const struct select *select, size_t i)
{
	for (size_t at = 0; at < select->count; at++) {
		const struct select_term *term = &select->terms[at];

		if (term->field == SELECT_EXE && !term->glob && strchr(term->text, '/') && i-- == 0)
			return term->text;
	}
	return NULL;
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
