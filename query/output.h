/* output.h - rows of an answer as text, JSON, JSON lines or CSV: the one writer of all commands.
 *
 * Bytes that others chose go through escape.h here.  NULL stands for "not known".  Rows are written as they come; a table in text is
 * laid out over the first thousand rows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum output_format {
	OUTPUT_TEXT,
	OUTPUT_JSON,
	OUTPUT_JSONL,
	OUTPUT_CSV,
	OUTPUT_VERBOSE, /* a line for each value that is known, under output_heading(); no word of -o by itself */
};

/* 0, or -EINVAL. */
int output_format_parse(const char *word, enum output_format *ret_format);

struct output_column {
	const char *name;
	bool number; /* set to the right in text */
};

struct output;

/* Writes to file, which outlives it.  rows_name names the array of rows in JSON; null_text stands for NULL in text.  The columns outlive
 * it.  NULL when memory ran out.  The caller frees it. */
struct output *output_new(FILE *file, enum output_format format, const char *rows_name,
			  const struct output_column *columns, size_t column_count,
			  const char *null_text);
void output_free(struct output *output); /* NULL does nothing */

/* Before the first row: only these columns (names between commas) are written; for JSON and CSV.  0; -EINVAL: there is no column of
 * one of these names. */
int output_choose(struct output *output, const char *names);

/* In JSON lines: one member a line. */
void output_set_pretty(struct output *output);

/* Text rows are cut to so many characters; 0: never. */
void output_set_width(struct output *output, size_t width);

/* In text: columns are set to the right where only numbers stand in the first rows. */
void output_guess_numbers(struct output *output);

/* A row is one value for each column, in their order. */
void output_null(struct output *output);
void output_unsigned(struct output *output, uint64_t value);
void output_signed(struct output *output, int64_t value);
void output_real(struct output *output, double value);
void output_bytes(struct output *output, const void *data, size_t bytes); /* any bytes */
void output_hex(struct output *output, const void *data,
		size_t bytes); /* no text at all: always in hex */
void output_made(struct output *output, const char *text,
		 size_t bytes);                            /* escaped already; not for JSON */
void output_word(struct output *output, const char *word); /* of our own; NULL: output_null() */
/* NUL-terminated arguments one behind the other (the last NUL may be missing): an array in JSON, in CSV that array as text. */
void output_arguments(struct output *output, const void *data, size_t bytes);
void output_row_end(struct output *output);

/* A line of its own before a row, escaped already. */
void output_heading(struct output *output, const char *text, size_t bytes);

/* Gives what was written so far to the file; at the end output_end() does. */
void output_flush(struct output *output);

/* Ends the rows.  In JSON the caller then writes the members that follow (each with a comma before it) and "}\n". */
void output_end(struct output *output);

size_t output_row_count(const struct output *output);

/* The first error of the file, as a negative errno; 0: none so far.  Worth asking now and then: a pipe may have been closed. */
int output_error(const struct output *output);

/* Writes any bytes fit for a terminal. */
void output_escaped(FILE *file, const void *data, size_t bytes);

/* Writes any bytes as a JSON string with its quotes.  True when nothing was lost. */
bool output_json_string(FILE *file, const void *data, size_t bytes);
