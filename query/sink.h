/* sink.h - a buffer before a stream: what is written in many small pieces, and the pieces that most formats are made of.
 *
 * Failures are kept: ask once, at the end, or now and then (a pipe may have been closed).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct sink {
	FILE *file;
	char *buffer;
	size_t used, capacity;
	int error; /* the first one, as a negative errno */
};

void sink_init(struct sink *sink, FILE *file); /* the file outlives the sink */
void sink_clear(struct sink *sink);            /* frees the buffer; what was not flushed is gone */

/* Gives what was written so far to the file. */
void sink_flush(struct sink *sink);

/* The same, once enough is there to be worth it: ask at the end of a row. */
void sink_row_end(struct sink *sink);

/* So many bytes of the buffer to write to, of which the caller takes some by adding to sink->used.  NULL: no memory. */
char *sink_room(struct sink *sink, size_t bytes);

void sink_words(struct sink *sink, const char *words);
void sink_char(struct sink *sink, char character);

/* Here, because a row is some sixty of them, most of a few bytes. */
static inline void sink_put(struct sink *sink, const void *data, size_t bytes)
{
	char *out = bytes <= sink->capacity - sink->used ? sink->buffer + sink->used
							 : sink_room(sink, bytes);

	if (!out || bytes == 0)
		return;
	memcpy(out, data, bytes);
	sink->used += bytes;
}

void sink_unsigned(struct sink *sink, uint64_t value);
void sink_signed(struct sink *sink, int64_t value);
void sink_hex(struct sink *sink, const void *data, size_t bytes); /* two lower-case digits a byte */

/* Decimal digits of value, without NUL; returns how many. */
enum { SINK_DIGITS = 20 };
size_t sink_digits(uint64_t value, char out[SINK_DIGITS]);

/* A JSON string with its quotes.  True when the bytes can be had back from it. */
bool sink_json_string(struct sink *sink, const void *data, size_t bytes);

/* Arguments, each followed by NUL (the last NUL may be missing), as an array of JSON strings; likewise. */
bool sink_json_arguments(struct sink *sink, const void *data, size_t bytes);
