/* select_term.c - what each selector may be given, and the sentence for what it may not. */
#include "query/select_term.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "schema/cleanup.h"

enum { CONTAINER_BYTES_MIN = 4, SIGNAL_LIMIT = 128 };

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

/* PID, or PID@TIME whose time is read in select_term_resolve(). */
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

int select_term_init(struct select_term *term, enum select_field field, const char *text,
		     char message[SELECT_MESSAGE_BYTES])
{
	int r;

	*term = (struct select_term){ .field = field };
	r = term_read(term, text, message);
	if (r < 0)
		select_term_clear(term);
	return r;
}

int select_term_resolve(struct select_term *term, const struct when_here *here,
			char message[SELECT_MESSAGE_BYTES])
{
	/* "14:03", and "@mono:5" or "@1795340244" with one sign or two */
	if (term->timed && when_parse(term->text + 1, here, &term->when) < 0 &&
	    when_parse(term->text, here, &term->when) < 0)
		return refuse(message, "'%.80s' behind the @ is no point in time", term->text + 1);
	return 0;
}

void select_term_clear(struct select_term *term)
{
	free(term->text);
	if (term->regex)
		regfree(term->regex);
	free(term->regex);
	*term = (struct select_term){ 0 };
}
