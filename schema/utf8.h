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

/* How any bytes are shown, piece by piece: what no sink treats in any way (printable ASCII but backslash and double quote, as many as
 * there are), one character that may be shown, one that may not, or one byte that is no character. */
enum utf8_piece { UTF8_PLAIN, UTF8_SHOWN, UTF8_HIDDEN, UTF8_BROKEN };

/* The piece at data (bytes > 0), and its length; *ret_character is set for one that is a character. */
enum utf8_piece utf8_next(const uint8_t *data, size_t bytes, size_t *ret_bytes,
			  uint32_t *ret_character);
