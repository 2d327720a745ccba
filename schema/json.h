/* json.h - strings of any bytes as JSON text.  No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The inside of a JSON string, without its quotes: valid UTF-8 and printable; what is not printable becomes \uNNNN.  Each byte that
 * is not UTF-8 becomes U+FFFD and *ret_clean false: the string does not give the bytes back.
 * out has room for JSON_ESCAPE_MAX(bytes); it is not NUL-terminated.  Returns the bytes written. */
#define JSON_ESCAPE_MAX(bytes) ((bytes)*12)
size_t json_escape(const void *data, size_t bytes, char *out, bool *ret_clean);

/* A block of NUL-terminated arguments (the last NUL may be missing: *ret_clean is false then) as a JSON array of strings, likewise.
 * out has room for JSON_ARGUMENTS_MAX(bytes). */
#define JSON_ARGUMENTS_MAX(bytes) ((bytes)*15 + 8)
size_t json_arguments(const void *argv, size_t bytes, char *out, bool *ret_clean);
