#include "recorder/redact_marks.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

void marks_begin(struct marks *marks, const struct redact_text *text)
{
	assert(text->bytes <= REDACT_ARGV_MAX_BYTES);
	marks->argv = (struct span){ (const char *)text->data, text->bytes };
	marks->cut = text->cut;
	memset(marks->mark, 0, text->bytes);
}

void marks_add(void *context, struct span secret)
{
	struct marks *marks = context;

	memset(marks->mark + (secret.text - marks->argv.text), 1, secret.bytes);
}

bool marks_is_cut(const struct marks *marks, struct span piece)
{
	return marks->cut && piece.text + piece.bytes == marks->argv.text + marks->argv.bytes;
}

enum { HASH_BYTES = 6, MARKER_MAX_BYTES = 48 };

/* "[redacted 12 a1b2c3d4e5f6]".  Gives its bytes. */
static size_t marker_write(const uint8_t key[REDACT_KEY_BYTES], struct span secret,
			   char out[MARKER_MAX_BYTES])
{
	static const char digits[] = "0123456789abcdef", head[] = "[redacted ";
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char number[16];
	size_t at = strlen(head), count = 0, bytes = secret.bytes;

	(void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)secret.text,
				 secret.bytes, key, REDACT_KEY_BYTES);
	memcpy(out, head, at);
	do
		number[count++] = digits[bytes % 10];
	while ((bytes /= 10) > 0);
	while (count > 0)
		out[at++] = number[--count];
	out[at++] = ' ';
	for (size_t i = 0; i < HASH_BYTES; i++) {
		out[at++] = digits[hash[i] >> 4];
		out[at++] = digits[hash[i] & 15];
	}
	out[at++] = ']';
	return at;
}

struct sink {
	uint8_t *data;
	size_t bytes, capacity;
	bool cut;
};

static void sink_put(struct sink *sink, const char *data, size_t bytes)
{
	size_t room = sink->capacity - sink->bytes;

	if (bytes > room) {
		sink->cut = true;
		bytes = room;
	}
	memcpy(sink->data + sink->bytes, data, bytes);
	sink->bytes += bytes;
}

uint32_t marks_write(const struct marks *marks, const uint8_t key[REDACT_KEY_BYTES], uint8_t *out,
		     size_t capacity, size_t *ret_bytes, bool *ret_cut)
{
	struct sink sink = { .data = out, .capacity = capacity };
	uint32_t count = 0;

	for (size_t at = 0, to; at < marks->argv.bytes; at = to) {
		char marker[MARKER_MAX_BYTES];
		struct span run = { marks->argv.text + at, 0 };

		for (to = at; to < marks->argv.bytes && marks->mark[to] == marks->mark[at]; to++)
			run.bytes++;
		count += marks->mark[at];
		if (sink.cut)
			continue; /* no marker need be made */
		if (marks->mark[at])
			sink_put(&sink, marker, marker_write(key, run, marker));
		else
			sink_put(&sink, run.text, run.bytes);
	}
	*ret_bytes = sink.bytes;
	*ret_cut = sink.cut;
	return count;
}
