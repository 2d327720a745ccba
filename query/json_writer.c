#include "query/json_writer.h"

#include <string.h>

#include "schema/json.h"

static void begin(struct json *json, const char *key)
{
	if (json->comma)
		sink_char(json->sink, ',');
	json->comma = true;
	if (!key)
		return;
	sink_char(json->sink, '"');
	sink_words(json->sink, key);
	sink_put(json->sink, "\":", 2);
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	sink_char(json->sink, bracket);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	sink_char(json->sink, bracket);
	json->comma = true;
}

void json_word(struct json *json, const char *key, const char *word)
{
	begin(json, key);
	sink_char(json->sink, '"');
	sink_words(json->sink, word);
	sink_char(json->sink, '"');
}

void json_unsigned(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	sink_unsigned(json->sink, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	begin(json, key);
	sink_signed(json->sink, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	sink_words(json->sink, value ? "true" : "false");
}

static void hex_beside(struct json *json, const char *key, const void *data, size_t bytes)
{
	sink_put(json->sink, ",\"", 2);
	sink_words(json->sink, key);
	sink_words(json->sink, "_hex\":\"");
	sink_hex(json->sink, data, bytes);
	sink_char(json->sink, '"');
}

void json_bytes(struct json *json, const char *key, const void *data, size_t bytes)
{
	begin(json, key);
	if (!sink_json_string(json->sink, data, bytes) && key)
		hex_beside(json, key, data, bytes);
}

void json_arguments_array(struct json *json, const char *key, const void *data, size_t bytes)
{
	begin(json, key);
	if (!sink_json_arguments(json->sink, data, bytes) && key)
		hex_beside(json, key, data, bytes);
}

void json_arguments_joined(struct json *json, const char *key, const void *data, size_t bytes)
{
	const uint8_t *in = data;
	struct sink *sink = json->sink;
	bool clean;

	begin(json, key);
	sink_char(sink, '"');
	for (size_t at = 0; at < bytes;) {
		const uint8_t *end = memchr(in + at, '\0', bytes - at);
		size_t length = end ? (size_t)(end - (in + at)) : bytes - at;
		char *out = sink_room(sink, JSON_ESCAPE_MAX(length) + 1);

		if (out && at > 0) {
			*out++ = ' ';
			sink->used++;
		}
		if (out)
			sink->used += json_escape(in + at, length, out, &clean);
		at += length + 1;
	}
	sink_char(sink, '"');
}

void json_line_end(struct json *json)
{
	sink_char(json->sink, '\n');
	json->comma = false;
}
