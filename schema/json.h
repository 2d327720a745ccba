/* json.h - strings of any bytes as JSON text.  No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/bytes.h"

/* Most bytes that n bytes take as a JSON string, quotes included. */
#define JSON_STRING_MAX_BYTES(n) ((n)*6 + 2)

/* The length of the valid UTF-8 character at the front of text (RFC 3629: no overlong forms, no surrogates), or 0. */
size_t json_utf8_length(const uint8_t *text, size_t bytes);

/* Writes text as a JSON string: controls, quotes and backslashes escaped, each byte that is not valid UTF-8 as U+FFFD.
 * True when the string gives the bytes back. */
bool json_write_string(struct writer *w, const uint8_t *text, size_t bytes);

/* Writes a block of NUL-terminated arguments (the last NUL may be missing) as a JSON array of strings.
 * True when the array gives the bytes back (all valid UTF-8, and the last NUL there). */
bool json_write_arguments(struct writer *w, const uint8_t *argv, size_t bytes);
