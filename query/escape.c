#include "query/escape.h"

#include <errno.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* The character at data (bytes > 0).  Returns its length in UTF-8, or 0: none is there (overlong forms, surrogates and what is
 * cut short included, as RFC 3629 has it). */
static size_t utf8_read(const uint8_t *data, size_t bytes, uint32_t *ret_character)
{
	uint8_t first = data[0];
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
				       : 4;
	uint32_t c;

	if (length == 0 || first > 0xf4 || length > bytes)
		return 0;
	c = length == 1 ? first : first & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (data[i] & 0x3f);
	}
	if ((length == 3 && c < 0x800) || (length == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_character = c;
	return length;
}

/* What a terminal may be given: no control, nothing invisible, nothing that breaks a line or turns its direction. */
static bool printable(uint32_t c)
{
	static const struct range {
		uint32_t first, last;
	} hidden[] = {
		{ 0x00, 0x1f },       { 0x7f, 0x9f },     { 0xad, 0xad },     { 0x61c, 0x61c },
		{ 0x180e, 0x180e },   { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xd800, 0xdfff },   { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb },
		{ 0xe0000, 0xe0fff },
	};

	if (c >= 0x20 && c < 0x7f)
		return true;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (c >= hidden[i].first && c <= hidden[i].last)
			return false;
	}
	return (c & 0xfffe) != 0xfffe;
}

/* How many bytes from the front are ASCII that no sink treats in any way: nearly always all of them. */
static size_t plain_bytes(const uint8_t *data, size_t bytes)
{
	size_t i = 0;

	while (i < bytes && data[i] >= 0x20 && data[i] < 0x7f && data[i] != '\\' && data[i] != '"')
		i++;
	return i;
}

size_t escape_text(const void *data, size_t bytes, char *out)
{
	const uint8_t *in = data;
	size_t used = 0;

	for (size_t i = 0; i < bytes;) {
		size_t plain = plain_bytes(in + i, bytes - i), length;
		uint32_t c;

		memcpy(out + used, in + i, plain);
		used += plain;
		i += plain;
		if (i == bytes)
			break;
		length = utf8_read(in + i, bytes - i, &c);
		if (length > 0 && printable(c)) {
			if (c == '\\')
				out[used++] = '\\';
			memcpy(out + used, in + i, length);
			used += length;
			i += length;
			continue;
		}
		for (size_t end = i + (length > 0 ? length : 1); i < end; i++) {
			out[used++] = '\\';
			out[used++] = 'x';
			out[used++] = hex_digits[in[i] >> 4];
			out[used++] = hex_digits[in[i] & 15];
		}
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

size_t escape_json(const void *data, size_t bytes, char *out, bool *ret_clean)
{
	const uint8_t *in = data;
	bool clean = true;
	size_t used = 0;

	for (size_t i = 0; i < bytes;) {
		size_t plain = plain_bytes(in + i, bytes - i), length;
		uint32_t c;

		memcpy(out + used, in + i, plain);
		used += plain;
		i += plain;
		if (i == bytes)
			break;
		length = utf8_read(in + i, bytes - i, &c);
		if (length == 0) {
			memcpy(out + used, "\357\277\275", 3); /* U+FFFD */
			used += 3;
			i++;
			clean = false;
		} else if (!printable(c)) {
			used += json_unicode(c, out + used);
			i += length;
		} else {
			if (c == '\\' || c == '"')
				out[used++] = '\\';
			memcpy(out + used, in + i, length);
			used += length;
			i += length;
		}
	}
	*ret_clean = clean;
	return used;
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
