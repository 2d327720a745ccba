/* life_text.h - a life of the past as words for people, and as the row of the contract's view process for machines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/output.h"
#include "query/past.h"
#include "query/query.h"

/* One line of text, cut at its capacity; what goes in from outside is escaped. */
struct line {
	char *text;
	size_t bytes, capacity;
	bool full;
	const char *
		color; /* the escape sequence that begins it; NULL: none.  line_clear() forgets it */
	const char *
		mark; /* one character, in place of the last that fits in a line that is cut; "…" if NULL */
};

/* 0 or -ENOMEM.  The caller frees text. */
int line_init(struct line *line);
void line_clear(struct line *line);
void line_print(struct line *line, const char *words); /* of our own */
void line_printf(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_number(struct line *line, uint64_t number, unsigned width); /* to the right */
void line_escaped(struct line *line, const void *data, size_t bytes);

/* Cuts the line to so many characters (0: as it is), marked, and writes it with a newline. */
void line_write(struct line *line, FILE *file, size_t width);

/* Arguments as they are, each followed by NUL (the last NUL may be missing), between spaces. */
void line_arguments(struct line *line, const struct detail_field *argv);

enum { LIFE_WORD_BYTES = 32 };

/* A raw wait status: "exit 3", "SIGSEGV, core". */
void wait_status_word(uint32_t status, char out[LIFE_WORD_BYTES]);

/* What became of a life: "running", "exit 3", "SIGKILL", and where no EXIT was seen "gone", "exec", "end not seen". */
void life_end_word(const struct past_life *life, char out[LIFE_WORD_BYTES]);

/* How long it lived; up to the end of the window for one that lives on ("" when that is not known; "<" before an end that was inferred). */
void life_duration(const struct past_life *life, uint64_t window_end_ns, char out[WHEN_TEXT_BYTES]);

/* What it runs: its arguments, else [comm] for what has none, else its name, else "?"; {comm} for a thread. */
void life_command(struct line *line, const struct past_life *life);

/* Remarks in parentheses: names that it had before, ends that were inferred, parents that are not known. */
void life_remarks(struct line *line, struct query *query, const struct past_life *life);

size_t comm_bytes(const char comm[EVENT_COMM_BYTES]);

/* The word in the view comm_history for a source. */
const char *name_source_word(uint8_t source);

/* The columns of the view process, then those that tell threads. */
extern const struct output_column life_columns[];
extern const size_t life_column_count;
void life_row(struct output *output, struct query *query, const struct past_life *life);
