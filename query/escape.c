#include "query/escape.h"

#include <errno.h>
#include <string.h>

#include "schema/utf8.h"

static const char hex_digits[] = "0123456789abcdef";

static size_t put_hex(const uint8_t *in, size_t bytes, char *out)
{
	for (size_t i = 0; i < bytes; i++) {
		*out++ = '\\';
		*out++ = 'x';
		*out++ = hex_digits[in[i] >> 4];
		*out++ = hex_digits[in[i] & 15];
	}
	return 4 * bytes;
}

size_t escape_text(const void *data, size_t bytes, char *out)
{
	const uint8_t *in = data, *end = in + bytes;
	size_t used = 0, length;
	uint32_t c = 0;

	for (; in < end; in += length) {
		enum utf8_piece piece = utf8_next(in, (size_t)(end - in), &length, &c);

		if (piece == UTF8_HIDDEN || piece == UTF8_BROKEN) {
			used += put_hex(in, length, out + used);
			continue;
		}
		if (piece == UTF8_SHOWN && c == '\\')
			out[used++] = '\\';
		memcpy(out + used, in, length);
		used += length;
	}
	return used;
}

static int hex_value(char c)
{
	const char *digit = c ? strchr(hex_digits, c) : NULL;

	return digit ? (int)(digit - hex_digits) : -1;
}

int escape_text_undo(const char *text, size_t bytes, uint8_t *out, size_t *ret_bytes)
{
	size_t used = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (text[i] != '\\') {
			out[used++] = (uint8_t)text[i];
		} else if (bytes - i >= 2 && text[i + 1] == '\\') {
			out[used++] = '\\';
			i++;
		} else if (bytes - i >= 4 && text[i + 1] == 'x') {
			int high = hex_value(text[i + 2]), low = hex_value(text[i + 3]);

			if (high < 0 || low < 0)
				return -EINVAL;
			out[used++] = (uint8_t)(high << 4 | low);
			i += 3;
		} else {
			return -EINVAL;
		}
	}
	*ret_bytes = used;
	return 0;
}

size_t escape_hex(const void *data, size_t bytes, char *out)
{
	const uint8_t *in = data;

	for (size_t i = 0; i < bytes; i++) {
		out[2 * i] = hex_digits[in[i] >> 4];
		out[2 * i + 1] = hex_digits[in[i] & 15];
	}
	return 2 * bytes;
}

size_t escape_csv(const void *data, size_t bytes, char *out)
{
	const uint8_t *in = data;
	size_t used = 0, text_bytes;
	bool formula = bytes > 0 && memchr("=+-@", in[0], 4);
	bool quoted = bytes == 0;
	char *text = out + 1; /* room for the quote that may be needed */

	if (formula)
		text[used++] = '\'';
	/* A quote is doubled: text and its doubling are made in one pass, as \x22 would not be read back by others. */
	for (size_t i = 0; i < bytes;) {
		size_t run = 0;

		while (i + run < bytes && in[i + run] != '"')
			run++;
		text_bytes = escape_text(in + i, run, text + used);
		quoted = quoted || memchr(text + used, ',', text_bytes);
		used += text_bytes;
		i += run;
		if (i < bytes) {
			text[used++] = '"';
			text[used++] = '"';
			quoted = true;
			i++;
		}
	}
	quoted = quoted || (bytes > 0 && (in[0] == ' ' || in[bytes - 1] == ' '));
	if (!quoted) {
		memmove(out, text, used);
		return used;
	}
	out[0] = '"';
	text[used++] = '"';
	return used + 1;
}
