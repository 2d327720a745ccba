#include "recorder/redact_text.h"

#include <string.h>

bool text_is_open(const struct text *text, char quote)
{
	for (unsigned i = 0; i < text->depth; i++)
		if (text->quote[i] == quote)
			return true;
	return false;
}

void text_quote_take(struct text *text, char quote)
{
	if (text->depth > 0 && text->quote[text->depth - 1] == quote)
		text->depth--;
	else if (text->depth < TEXT_QUOTES_MAX)
		text->quote[text->depth++] = quote;
}

size_t text_find_closing(struct span all, size_t from, char c)
{
	while (from < all.bytes && all.text[from] != c)
		from += all.text[from] == '\\' && from + 1 < all.bytes ? 2 : 1;
	return from < all.bytes ? from : all.bytes;
}

struct span text_value_at(struct text *text, size_t from)
{
	const struct span all = text->all;
	size_t at = from;

	if (!text->flat)
		return span_from(all, from);
	if (from > 0 && text->depth > 0 && all.text[from - 1] == text->quote[text->depth - 1]) {
		at = text_find_closing(all, from, all.text[from - 1]);
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
