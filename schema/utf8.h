/* utf8.h - characters in bytes that may be anything, and which of them may be shown.  No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at data (bytes > 0).  Its length, or 0: none is there (overlong forms, surrogates and what is cut short included,
 * as RFC 3629 has it). */
size_t utf8_read(const uint8_t *data, size_t bytes, uint32_t *ret_character);

/* What a terminal may be given: no control, nothing invisible, nothing that breaks a line or turns its direction. */
bool utf8_printable(uint32_t character);

/* How many bytes from the front are printable ASCII other than backslash and double quote, which no sink treats in any way. */
size_t utf8_plain_bytes(const uint8_t *data, size_t bytes);
