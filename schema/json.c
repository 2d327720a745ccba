/* json.c - strings of any bytes as JSON text.  No I/O. */
#include "schema/json.h"

#include <stdio.h>

static bool continues(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

size_t json_utf8_length(const uint8_t *text, size_t bytes)
{
	uint8_t first = bytes > 0 ? text[0] : 0xff;
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;

	if (length == 0 || length > bytes)
		return 0;
	for (size_t i = 1; i < length; i++)
		if (!continues(text[i]))
			return 0;
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] >= 0xa0) ||
	    (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] >= 0x90))
		return 0;
	return length;
}

static void write_ascii(struct writer *w, uint8_t byte)
{
	char escaped[8];

	if (byte == '"' || byte == '\\') {
		write_u8(w, '\\');
		write_u8(w, byte);
	} else if (byte < 0x20 || byte == 0x7f) {
		(void)snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
		write_bytes(w, escaped, 6);
	} else {
		write_u8(w, byte);
	}
}

bool json_write_string(struct writer *w, const uint8_t *text, size_t bytes)
{
	bool clean = true;

	write_u8(w, '"');
	for (size_t i = 0; i < bytes;) {
		size_t length = json_utf8_length(text + i, bytes - i);

		if (length == 1) {
			write_ascii(w, text[i]);
		} else if (length > 1) {
			write_bytes(w, text + i, length);
		} else {
			write_bytes(w, "\\ufffd", 6);
			clean = false;
			length = 1;
		}
		i += length;
	}
	write_u8(w, '"');
	return clean;
}

bool json_write_arguments(struct writer *w, const uint8_t *argv, size_t bytes)
{
	bool clean = bytes == 0 || argv[bytes - 1] == '\0';

	write_u8(w, '[');
	for (size_t at = 0; at < bytes;) {
		const uint8_t *end = memchr(argv + at, '\0', bytes - at);
		size_t length = end ? (size_t)(end - (argv + at)) : bytes - at;

		if (at > 0)
			write_u8(w, ',');
		clean &= json_write_string(w, argv + at, length);
		at += length + 1;
	}
	write_u8(w, ']');
	return clean;
}
