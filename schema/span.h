/* span.h - a piece of somebody's text, and what can be cut off it.  ASCII is all that is known of letters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *text;
	size_t bytes;
};

static inline bool span_is(struct span span, const char *word)
{
	return span.bytes == strlen(word) && memcmp(span.text, word, span.bytes) == 0;
}

static inline bool span_begins(struct span span, const char *word)
{
	size_t bytes = strlen(word);

	return span.bytes >= bytes && memcmp(span.text, word, bytes) == 0;
}

static inline struct span span_from(struct span span, size_t at)
{
	return (struct span){ span.text + at, span.bytes - at };
}

/* Takes a word off the front or the back; false when something else stands there. */
static inline bool span_cut_front(struct span *span, const char *word)
{
	if (!span_begins(*span, word))
		return false;
	*span = span_from(*span, strlen(word));
	return true;
}

static inline bool span_cut_back(struct span *span, const char *word)
{
	size_t bytes = strlen(word);

	if (span->bytes < bytes || memcmp(span->text + span->bytes - bytes, word, bytes) != 0)
		return false;
	span->bytes -= bytes;
	return true;
}

/* What stands before the next c, or the rest; moves *from behind it. */
static inline struct span span_next(struct span *from, char c)
{
	const char *at = from->bytes > 0 ? memchr(from->text, c, from->bytes) : NULL;
	struct span span = { from->text, at ? (size_t)(at - from->text) : from->bytes };

	*from = span_from(*from, span.bytes + (at != NULL));
	return span;
}

static inline bool span_has(struct span span, char c)
{
	return span.bytes > 0 && memchr(span.text, c, span.bytes) != NULL;
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool is_alnum(char c)
{
	return is_digit(c) || is_upper(c) || is_lower(c);
}
