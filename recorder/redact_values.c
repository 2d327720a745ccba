#include "recorder/redact_values.h"

#include <string.h>

bool values_mark(const struct values *values, enum name_class class, struct span name,
		 struct span value)
{
	struct span secret;

	/* A shell has yet to put something in its place, but not between these quotes. */
	if (values->shell_text &&
	    !(value.text > values->marks->argv.text && value.text[-1] == '\'') &&
	    text_is_substitution(value))
		return false;
	secret = redact_value(class, name, value, marks_is_cut(values->marks, value));
	if (secret.bytes == 0)
		return false;
	marks_add(values->marks, secret);
	return true;
}

/* The password of "user/password@database", "user/password as sysdba".  No bytes: there is none, as in "user@host/database", "/nolog". */
static struct span account_password(struct span account)
{
	struct span password = account, user = span_next(&password, '/');
	const char *sign = password.bytes > 0 ? memrchr(password.text, '@', password.bytes) : NULL;
	size_t bytes = 0;

	if (user.bytes == 0 || span_has(user, '@'))
		return (struct span){ password.text, 0 };
	if (sign) {
		password.bytes = (size_t)(sign - password.text);
		return password;
	}
	if (span_begins(password, "\""))
		return password;
	while (bytes < password.bytes && !is_blank(password.text[bytes]))
		bytes++;
	return (struct span){ password.text, bytes };
}

bool values_mark_part(const struct values *values, enum name_class class, char part,
		      struct span value)
{
	const struct span no_name = { "", 0 };

	if (part != 0) {
		value = redact_unquoted(value);
		if (!span_has(value, part))
			return false;
		if (part == '/')
			value = account_password(value);
		else
			(void)span_next(&value, part);
	}
	return values_mark(values, class, no_name, value);
}

/* --- names that announce --- */

enum name_class values_class_of(const struct values *values, struct span name)
{
	const struct redactor *redactor = values->redactor;

	for (size_t i = 0; i < redactor->name_count; i++)
		if (redact_name_is(name, redactor->names[i].name))
			return redactor->names[i].class;
	return redact_name_class(name);
}

/* "Authorization: Basic SECRET": the word before the secret stays. */
static bool mark_header(const struct values *values, struct span name, enum name_class class,
			struct span value)
{
	static const char *const schemes[] = {
		"basic",     "bearer", "token",  "digest",
		"negotiate", "ntlm",   "apikey", "aws4-hmac-sha256"
	};
	struct span rest = value, word = span_next(&rest, ' ');

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && rest.bytes > 0; i++)
		if (redact_name_is(word, (struct span){ schemes[i], strlen(schemes[i]) }))
			value = rest;
	return values_mark(values, class, name, value);
}

/* "Name: value" from `from` on; with_blank: there must be one.  False: it is none, or no secret. */
bool values_take_header(const struct values *values, struct text *text, size_t from,
			bool with_blank)
{
	const struct span all = text->all;
	size_t colon = from, at;
	struct span name;
	enum name_class class;

	while (colon < all.bytes && is_name_char(all.text[colon]))
		colon++;
	if (colon == from || colon + 1 >= all.bytes || all.text[colon] != ':' ||
	    (with_blank && all.text[colon + 1] != ' '))
		return false;
	name = text_name_before(span_from(all, from), colon - from);
	class = values_class_of(values, name);
	if (class == NAME_PLAIN)
		return false;
	at = text->at;
	if (!mark_header(values, name, class,
			 text->flat && !(from > 0 && is_quote(all.text[from - 1]))
				 ? text_value_at(text, colon + 1)
				 : text_header_value_at(text, colon + 1)))
		text_again(text, at);
	return true;
}

/* The value behind "Name:" in a text: of a script's own words the next, and nothing where the command ends. */
static struct span said_value(const struct values *values, struct text *text, size_t from)
{
	const struct span all = text->all;
	size_t at = from;

	if (text_top_quote(text))
		return text_header_value_at(text, from);
	while (at < all.bytes && (all.text[at] == ' ' || all.text[at] == '\t'))
		at++;
	if (values->shell_text || (at < all.bytes && is_separator(all.text[at])))
		return text_value_at(text, at);
	return text_header_value_at(text, from);
}

static const char list_separators[] = ",;&|";
enum { LIST_SEPARATORS = sizeof(list_separators) - 1, BRACED_MAX_BYTES = 256 };

/* "a=1,password=2": what ends the value of a name in a list, for the next begins there; '\0': it is in none. */
static char list_separator(struct span all, struct span name)
{
	const char *at = name.text;

	while (at > all.text && at[-1] == '-')
		at--;
	if (at == all.text || !at[-1])
		return '\0';
	if (at[-1] == '?')
		return '&';
	return strchr(list_separators, at[-1]) ? at[-1] : '\0';
}

/* The values of a word's pairs: all of them end together, but for those in a list.  Ends are looked for once, not for every '='. */
struct pair_ends {
	size_t word, value, listed[LIST_SEPARATORS]; /* 0: not known */
};

/* Password='a;b', Password={a;b}: the end of such a value, 0: it is none. */
static size_t enclosed_end(const struct text *text, size_t from)
{
	const struct span all = text->all;
	char c = from < all.bytes ? all.text[from] : '\0';
	size_t end, bytes = all.bytes - from;
	const char *brace;

	if (c == '{') {
		brace = memchr(all.text + from, '}',
			       bytes < BRACED_MAX_BYTES ? bytes : BRACED_MAX_BYTES);
		return brace ? (size_t)(brace + 1 - all.text) : 0;
	}
	if (!is_quote(c) || text_is_open(text, c))
		return 0;
	end = text_find_closing(all, from + 1, c);
	return end < all.bytes ? end + 1 : end;
}

static size_t listed_end(struct text *text, struct pair_ends *ends, size_t from, char separator)
{
	const struct span all = text->all;
	size_t *end = &ends->listed[strchr(list_separators, separator) - list_separators];
	size_t enclosed = enclosed_end(text, from);

	if (enclosed > 0)
		return enclosed;
	if (*end >= from)
		return *end;
	*end = from;
	/* Between quotes a shell's signs are none. */
	while (*end < all.bytes && all.text[*end] != separator &&
	       (text_top_quote(text) ? !text_ends_quoted(text, *end) : *end < ends->value))
		++*end;
	return *end;
}

static struct span pair_value(struct text *text, struct pair_ends *ends, size_t from,
			      char separator)
{
	size_t end;

	if (ends->value == 0) {
		struct span value = text_word_value_at(text, ends->word, from);

		ends->value = from + value.bytes;
	}
	end = separator ? listed_end(text, ends, from, separator) : ends->value;
	text->at = end > text->at ? end : text->at;
	return text_piece(text, from, end);
}

/* Every NAME=value of a word (which begins at `from`), and in a flat text what a name with ':' behind it announces. */
void values_take_pairs(const struct values *values, struct text *text, size_t from, size_t to)
{
	const struct span all = text->all;
	const size_t at = text->at;
	struct pair_ends ends = { .word = from };
	size_t taken = 0;

	for (size_t i = from; i < to; i++) {
		struct span name, value;
		enum name_class class;
		char separator;

		if (all.text[i] != '=' && !(text->flat && all.text[i] == ':' && i + 1 == to))
			continue;
		name = text_name_before(all, i);
		class = name.bytes > 0 && name.text >= all.text + from
				? values_class_of(values, name)
				: NAME_PLAIN;
		if (class == NAME_PLAIN)
			continue;
		if (all.text[i] == ':') {
			if (!mark_header(values, name, class, said_value(values, text, i + 1)))
				text_again(text, at);
			return;
		}
		separator = list_separator(all, name);
		if (separator && i < taken)
			continue; /* within a value that ends where its own would */
		value = pair_value(text, &ends, i + 1, separator);
		if (!values_mark(values, class, name, value))
			continue;
		taken = i + 1 + value.bytes;
		if (!separator)
			break; /* the rest of the word is secret */
	}
	text_again(text, taken > at ? taken : at);
}
