/* escape.h - raw bytes made fit for a sink: a terminal, CSV.  (JSON: schema/json.h.)  The only place where that is decided.
 *
 * Names and arguments are chosen by whoever runs a program: what is printed must not steer a terminal, forge a line or
 * hide a character, and what was recorded must be readable back out of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For terminals and text.  Printable UTF-8 stays; backslash is doubled; each byte of what is not printable becomes \xNN: C0, DEL, C1,
 * invalid UTF-8, line separators, and what is invisible or changes the direction of text.
 * out has room for ESCAPE_TEXT_MAX(bytes); it is not NUL-terminated.  Returns the bytes written. */
#define ESCAPE_TEXT_MAX(bytes) ((bytes)*4)
size_t escape_text(const void *data, size_t bytes, char *out);

/* The bytes that escape_text() made `bytes` bytes of text from.  out has room for `bytes`.
 * 0, or -EINVAL: escape_text() does not write such text. */
int escape_text_undo(const char *text, size_t bytes, uint8_t *out, size_t *ret_bytes);

/* Two lower-case digits a byte: 2 * bytes. */
size_t escape_hex(const void *data, size_t bytes, char *out);

/* A field of a CSV file (RFC 4180): escape_text() first, so that it stays one line; a leading ' where a spreadsheet would see a
 * formula; quotes where they are needed.  out has room for ESCAPE_CSV_MAX(bytes). */
#define ESCAPE_CSV_MAX(bytes) ((bytes)*4 + 3)
size_t escape_csv(const void *data, size_t bytes, char *out);
