/* json.c - strings of any bytes as JSON text.  No I/O. */
#include "schema/json.h"

#include <string.h>

#include "schema/utf8.h"

static const char hex_digits[] = "0123456789abcdef";

/* \uNNNN, as two surrogates beyond 16 bits. */
static size_t json_unicode(uint32_t c, char *out)
{
	uint32_t units[2] = { c, 0 };
	size_t count = 1, used = 0;

	if (c > 0xffff) {
		units[0] = 0xd800 + ((c - 0x10000) >> 10);
		units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
		count = 2;
	}
	for (size_t i = 0; i < count; i++) {
		out[used++] = '\\';
		out[used++] = 'u';
		for (int shift = 12; shift >= 0; shift -= 4)
			out[used++] = hex_digits[units[i] >> shift & 15];
	}
	return used;
}

size_t json_escape(const void *data, size_t bytes, char *out, bool *ret_clean)
{
	const uint8_t *in = data, *end = in + bytes;
	size_t used = 0, length;
	uint32_t c = 0;

	*ret_clean = true;
	for (; in < end; in += length) {
		enum utf8_piece piece = utf8_next(in, (size_t)(end - in), &length, &c);

		if (piece == UTF8_BROKEN) {
			memcpy(out + used, "\357\277\275", 3); /* U+FFFD */
			used += 3;
			*ret_clean = false;
		} else if (piece == UTF8_HIDDEN) {
			used += json_unicode(c, out + used);
		} else {
			if (piece == UTF8_SHOWN && (c == '\\' || c == '"'))
				out[used++] = '\\';
			memcpy(out + used, in, length);
			used += length;
		}
	}
	return used;
}

size_t json_arguments(const void *argv, size_t bytes, char *out, bool *ret_clean)
{
	const uint8_t *in = argv;
	bool clean = bytes == 0 || in[bytes - 1] == '\0';
	size_t used = 0;

	out[used++] = '[';
	for (size_t at = 0; at < bytes;) {
		const uint8_t *end = memchr(in + at, '\0', bytes - at);
		size_t length = end ? (size_t)(end - (in + at)) : bytes - at;
		bool whole;

		if (at > 0)
			out[used++] = ',';
		out[used++] = '"';
		used += json_escape(in + at, length, out + used, &whole);
		out[used++] = '"';
		clean = clean && whole;
		at += length + 1;
	}
	out[used++] = ']';
	*ret_clean = clean;
	return used;
}
