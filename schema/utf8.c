/* utf8.c - characters in bytes that may be anything, and which of them may be shown. */
#include "schema/utf8.h"

size_t utf8_read(const uint8_t *data, size_t bytes, uint32_t *ret_character)
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

bool utf8_printable(uint32_t c)
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

static size_t plain_bytes(const uint8_t *data, size_t bytes)
{
	size_t i = 0;

	while (i < bytes && data[i] >= 0x20 && data[i] < 0x7f && data[i] != '\\' && data[i] != '"')
		i++;
	return i;
}

enum utf8_piece utf8_next(const uint8_t *data, size_t bytes, size_t *ret_bytes,
			  uint32_t *ret_character)
{
	*ret_bytes = plain_bytes(data, bytes);
	if (*ret_bytes > 0)
		return UTF8_PLAIN;
	*ret_bytes = utf8_read(data, bytes, ret_character);
	if (*ret_bytes == 0) {
		*ret_bytes = 1;
		return UTF8_BROKEN;
	}
	return utf8_printable(*ret_character) ? UTF8_SHOWN : UTF8_HIDDEN;
}
