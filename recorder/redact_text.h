/* redact_text.h - an argument as text: its words, its quotes, and where a value in it ends.  Pure; no name or option is known here. */
#pragma once

#include "schema/span.h"

enum { TEXT_QUOTES_MAX = 8 };

/* Those that are open.  Within "$(...)" those before it do not count: the shell begins anew there. */
struct text_quotes {
	unsigned base, depth;
	char quote[TEXT_QUOTES_MAX];
};

/* One argument: as one word, or (flat) as words between blanks and quotes, however deep these are nested. */
struct text {
	struct span all;
	size_t at;    /* it was looked through up to here */
	size_t again; /* so many bytes may still be looked through once more */
	bool flat;
	bool comment; /* from '#' to the end of the line, where quotes are none */
	struct text_quotes quotes;
};

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

/* What ends a command of a shell. */
static inline bool is_separator(char c)
{
	return c == ';' || c == '|' || c == '&' || c == '(' || c == ')' || c == '`';
}

static inline bool is_word_char(char c)
{
	return !is_blank(c) && !is_quote(c) && !is_separator(c) && c != '\\';
}

static inline bool is_name_char(char c)
{
	return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static inline struct span text_piece(const struct text *text, size_t from, size_t to)
{
	return (struct span){ text->all.text + from, to - from };
}

/* Whether this quote is open, at whatever depth. */
bool text_is_open(const struct text *text, char quote);

/* The quote that was opened last, '\0': none is open. */
static inline char text_top_quote(const struct text *text)
{
	return text->quotes.depth > text->quotes.base ? text->quotes.quote[text->quotes.depth - 1]
						      : '\0';
}

/* Goes past a quote: it closes the one of its kind that is open, with all that was opened within, or opens. */
void text_quote_take(struct text *text, char quote);

/* The value that begins at `from`: as a shell would end it, or at the quote that encloses it.  text->at goes to its end. */
struct span text_value_at(struct text *text, size_t from);

/* The same of a word that begins at `word`: an option in quotes of its own, as in "--password=a b", ends where they do. */
struct span text_word_value_at(struct text *text, size_t word, size_t from);

/* Whether what is between the quotes that are open ends here, or its first word does. */
bool text_ends_quoted(const struct text *text, size_t at);

/* Whether a shell puts all of a value in its place: $NAME, "${NAME}", "$(...)", but not ${NAME:-this}. */
bool text_is_substitution(struct span value);

/* Back to `at`, from where a value was looked at that turned out to be none: there may be others in it.  Not without end, so that the work
 * stays in proportion to the text: where too much was looked at twice already, nothing is done. */
void text_again(struct text *text, size_t at);

/* A header's, which goes to the end of its quotes or its line. */
struct span text_header_value_at(struct text *text, size_t from);

/* The place of the next c from `from` on that has no backslash before it, or the end. */
size_t text_find_closing(struct span all, size_t from, char c);

/* The place of the next c with no more than so many backslashes before it, or the end. */
size_t text_find_escaped(struct span all, size_t from, char c, size_t slashes);

/* The place of the bracket that closes what was opened before `from`, strings left out, or the end. */
size_t text_find_bracket(struct span all, size_t from);

/* The name that ends before `end`, without dashes. */
struct span text_name_before(struct span all, size_t end);

/* Whether a word that begins with '-' is an option rather than a value: --name, --name=X, -x, -x8080, -name, -name=X, -I/usr/include. */
bool text_is_option(struct span word);
