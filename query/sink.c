#include "query/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "schema/json.h"

enum { FLUSH_BYTES = 1 << 16 };

void sink_init(struct sink *sink, FILE *file)
{
	*sink = (struct sink){ .file = file };
}

void sink_clear(struct sink *sink)
{
	free(sink->buffer);
	*sink = (struct sink){ 0 };
}

void sink_flush(struct sink *sink)
{
	errno = 0;
	if (sink->used > 0)
		(void)fwrite_unlocked(sink->buffer, 1, sink->used, sink->file);
	sink->used = 0;
	if (ferror_unlocked(sink->file) && sink->error == 0)
		sink->error = errno ? -errno : -EIO;
}

void sink_row_end(struct sink *sink)
{
	if (sink->used >= FLUSH_BYTES)
		sink_flush(sink);
}

char *sink_room(struct sink *sink, size_t bytes)
{
	char *grown;

	if (bytes > sink->capacity - sink->used)
		sink_flush(sink);
	if (bytes <= sink->capacity)
		return sink->buffer + sink->used;
	/* half of it behind the row that brings it to a flush */
	grown = realloc(sink->buffer, bytes + 2 * FLUSH_BYTES);
	if (!grown) {
		sink->error = -ENOMEM;
		return NULL;
	}
	sink->buffer = grown;
	sink->capacity = bytes + 2 * FLUSH_BYTES;
	return grown + sink->used;
}

void sink_words(struct sink *sink, const char *words)
{
	sink_put(sink, words, strlen(words));
}

void sink_char(struct sink *sink, char character)
{
	sink_put(sink, &character, 1);
}

/* printf is most of the cost of a row of numbers. */
size_t sink_digits(uint64_t value, char out[SINK_DIGITS])
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char digits[SINK_DIGITS];
	size_t at = sizeof(digits);

	for (; value >= 100; value /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + value % 100 * 2, 2);
	}
	if (value >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + value * 2, 2);
	} else {
		digits[--at] = (char)('0' + value);
	}
	memcpy(out, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}

void sink_unsigned(struct sink *sink, uint64_t value)
{
	char *out = sink_room(sink, SINK_DIGITS);

	if (out)
		sink->used += sink_digits(value, out);
}

void sink_signed(struct sink *sink, int64_t value)
{
	if (value < 0)
		sink_char(sink, '-');
	sink_unsigned(sink, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void sink_hex(struct sink *sink, const void *data, size_t bytes)
{
	char *out = sink_room(sink, bytes * 2);

	if (out)
		sink->used += escape_hex(data, bytes, out);
}

bool sink_json_string(struct sink *sink, const void *data, size_t bytes)
{
	char *out = sink_room(sink, JSON_ESCAPE_MAX(bytes) + 2);
	bool clean = false;
	size_t used = 0;

	if (!out)
		return false;
	out[used++] = '"';
	used += json_escape(data, bytes, out + used, &clean);
	out[used++] = '"';
	sink->used += used;
	return clean;
}

bool sink_json_arguments(struct sink *sink, const void *data, size_t bytes)
{
	char *out = sink_room(sink, JSON_ARGUMENTS_MAX(bytes));
	bool clean = false;

	if (out)
		sink->used += json_arguments(data, bytes, out, &clean);
	return clean;
}
