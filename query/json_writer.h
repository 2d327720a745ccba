/* json_writer.h - nested JSON, written as it is made: objects, arrays and members, with the commas between them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/sink.h"

struct json {
	struct sink *sink;
	bool comma; /* something stands before the next value */
};

/* key NULL: an element of an array, or the outermost value.  Keys are our own words. */
void json_open(struct json *json, const char *key, char bracket);     /* { or [ */
void json_close(struct json *json, char bracket);                     /* } or ] */
void json_word(struct json *json, const char *key, const char *word); /* our own too */
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* Any bytes; of those that JSON cannot carry the member KEY_hex follows. */
void json_bytes(struct json *json, const char *key, const void *data, size_t bytes);

/* Arguments, each followed by NUL, as an array, likewise; and joined by spaces as one string. */
void json_arguments_array(struct json *json, const char *key, const void *data, size_t bytes);
void json_arguments_joined(struct json *json, const char *key, const void *data, size_t bytes);

/* The outermost value is whole: a newline. */
void json_line_end(struct json *json);
