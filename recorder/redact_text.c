#include "recorder/redact_text.h"

#include <string.h>

/* The place of an open quote, or the depth: it is not open. */
static unsigned open_at(const struct text_quotes *quotes, char quote)
{
	for (unsigned i = quotes->base; i < quotes->depth; i++)
		if (quotes->quote[i] == quote)
			return i;
	return quotes->depth;
}

bool text_is_open(const struct text *text, char quote)
{
	return open_at(&text->quotes, quote) < text->quotes.depth;
}

void text_quote_take(struct text *text, char quote)
{
	struct text_quotes *quotes = &text->quotes;
	unsigned at = open_at(quotes, quote);

	if (at == quotes->depth && at < TEXT_QUOTES_MAX)
		quotes->quote[quotes->depth++] = quote;
	else
		quotes->depth = at;
}

void text_again(struct text *text, size_t at)
{
	if (text->at <= at || text->at - at > text->again)
		return;
	text->again -= text->at - at;
	text->at = at;
}

size_t text_find_closing(struct span all, size_t from, char c)
{
	while (from < all.bytes && all.text[from] != c)
		from += all.text[from] == '\\' && from + 1 < all.bytes ? 2 : 1;
	return from < all.bytes ? from : all.bytes;
}

size_t text_find_escaped(struct span all, size_t from, char c, size_t slashes)
{
	size_t run = 0;

	for (; from < all.bytes && !(all.text[from] == c && run <= slashes); from++)
		run = all.text[from] == '\\' ? run + 1 : 0;
	return from;
}

size_t text_find_bracket(struct span all, size_t from)
{
	for (size_t depth = 1; from < all.bytes; from++) {
		char c = all.text[from];

		if (c == '\\')
			from++;
		else if (c == '"')
			from = text_find_closing(all, from + 1, c);
		else if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && --depth == 0)
			return from;
	}
	return all.bytes;
}

/* Whether a value begins with a quote although one of its kind seems to be open: behind the one that closes there would be the end of the
 * word. */
static bool opens_value(const struct text *text, size_t from)
{
	const struct span all = text->all;
	char next = from + 1 < all.bytes ? all.text[from + 1] : ' ';

	return from < all.bytes && is_quote(all.text[from]) && text_is_open(text, all.text[from]) &&
	       !is_blank(next) && !is_quote(next) && !is_separator(next) && next != '\\';
}

struct span text_value_at(struct text *text, size_t from)
{
	const struct span all = text->all;
	size_t at = from;

	if (!text->flat)
		return span_from(all, from);
	if (from > 0 && text_top_quote(text) && all.text[from - 1] == text_top_quote(text)) {
		at = text_find_closing(all, from, all.text[from - 1]);
	} else if (opens_value(text, from)) {
		at = text_find_closing(all, from + 1, all.text[from]) + 1;
		at = at < all.bytes ? at : all.bytes;
	} else {
		while (at < all.bytes) {
			char c = all.text[at];

			if (is_blank(c) || is_separator(c) || text_is_open(text, c))
				break;
			if (is_quote(c))
				at = text_find_closing(all, at + 1, c);
			else if (c == '\\' && at + 1 < all.bytes &&
				 text_is_open(text, all.text[at + 1]))
				break;
			else if (c == '\\')
				at++;
			at++;
		}
		at = at < all.bytes ? at : all.bytes;
	}
	text->at = at > text->at ? at : text->at;
	return text_piece(text, from, at);
}

struct span text_word_value_at(struct text *text, size_t word, size_t from)
{
	const struct span all = text->all;
	char quote = text_top_quote(text);
	size_t end;

	if (!text->flat || !quote || word < 2 || all.text[word] != '-' ||
	    all.text[word - 1] != quote || !is_blank(all.text[word - 2]))
		return text_value_at(text, from);
	end = text_find_closing(all, from, quote);
	text->at = end > text->at ? end : text->at;
	return text_piece(text, from, end);
}

bool text_ends_quoted(const struct text *text, size_t at)
{
	const struct span all = text->all;
	char c = all.text[at];

	return is_blank(c) || text_is_open(text, c) ||
	       (c == '\\' && at + 1 < all.bytes && text_is_open(text, all.text[at + 1]));
}

/* ${NAME}, ${NAME%x}, ${NAME:-$OTHER}: bytes up to and with the bracket that closes it.  0: there is a text of its own in it. */
static size_t braced_bytes(struct span value)
{
	const char *closing = memchr(value.text, '}', value.bytes);
	size_t at = 2;

	if (!closing)
		return value.bytes; /* it is cut off, or ends at a blank */
	while (value.text[at] == '!' || value.text[at] == '#' || is_alnum(value.text[at]) ||
	       value.text[at] == '_')
		at++;
	at += value.text[at] == ':';
	if (strchr("-=+", value.text[at]) && value.text[at + 1] != '$' && value.text[at + 1] != '}')
		return 0;
	at = (size_t)(closing + 1 - value.text);
	return at + (at < value.bytes && value.text[at] == '}'); /* of the one within */
}

/* $(...): bytes up to and with the parenthesis that closes it. */
static size_t command_bytes(struct span value)
{
	size_t at = 2;

	for (size_t depth = 1; at < value.bytes && depth > 0; at++)
		depth += (size_t)(value.text[at] == '(') - (size_t)(value.text[at] == ')');
	return at;
}

/* Bytes of the substitution that value begins with, 0: none. */
static size_t substitution_bytes(struct span value)
{
	size_t at = 1;

	if (value.text[0] == '`') {
		at = text_find_closing(value, 1, '`');
		return at < value.bytes ? at + 1 : at;
	}
	if (value.text[0] != '$')
		return 0;
	if (value.bytes == 1)
		return 1; /* a parenthesis follows */
	if (value.text[1] == '{')
		return braced_bytes(value);
	if (value.text[1] == '(')
		return command_bytes(value);
	if (strchr("@*#?!$-", value.text[1]))
		return 2;
	while (at < value.bytes && (is_alnum(value.text[at]) || value.text[at] == '_'))
		at++;
	return at > 1 ? at : 0;
}

bool text_is_substitution(struct span value)
{
	if (value.bytes > 0 && value.text[0] == '"') {
		value = span_from(value, 1);
		(void)span_cut_back(&value, "\"");
	}
	if (value.bytes == 0)
		return false;
	while (value.bytes > 0 && value.text[0] != '\\') { /* that of the quote behind it */
		size_t bytes = substitution_bytes(value);

		if (bytes == 0)
			return false;
		value = span_from(value, bytes);
	}
	return value.bytes <= 1;
}

struct span text_header_value_at(struct text *text, size_t from)
{
	const struct span all = text->all;
	size_t at = from;

	while (at < all.bytes && is_blank(all.text[at]))
		at++;
	from = at;
	while (at < all.bytes && all.text[at] != '\n' &&
	       !(text->flat && text_is_open(text, all.text[at])))
		at++;
	text->at = at > text->at ? at : text->at;
	return text_piece(text, from, at);
}

struct span text_name_before(struct span all, size_t end)
{
	size_t begin = end;

	while (begin > 0 && is_name_char(all.text[begin - 1]))
		begin--;
	while (begin < end && all.text[begin] == '-')
		begin++;
	return (struct span){ all.text + begin, end - begin };
}

bool text_is_option(struct span word)
{
	size_t at = 1, letters;

	if (word.bytes < 2 || word.text[0] != '-')
		return false;
	at += word.text[1] == '-';
	letters = at;
	while (letters < word.bytes &&
	       (is_upper(word.text[letters]) || is_lower(word.text[letters])))
		letters++;
	if (at == 1 && letters == 2) {
		size_t digits = letters;

		while (digits < word.bytes && is_digit(word.text[digits]))
			digits++;
		if (digits == word.bytes || word.text[2] == '/')
			return true;
	}
	if (letters == at)
		return word.bytes == 2; /* -1, and the end of options */
	while (at < word.bytes && word.text[at] != '=' &&
	       (is_name_char(word.text[at]) && (word.text[1] == '-' || !is_digit(word.text[at]))))
		at++;
	return at == word.bytes || word.text[at] == '=';
}
