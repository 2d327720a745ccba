/* fuzz_redact.c - any rules and any arguments: what comes out fits, and what is no secret comes out as it was.
 *
 * Where the first byte is 1 modulo 8, so many of the bytes behind the second are rules; else, and where they are refused, there are the built-in
 * ones alone.
 * The second is the room for what comes out.
 */
#include <stdlib.h>
#include <string.h>

#include "recorder/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct redactor *redactor_make(const char *rules, size_t rules_bytes)
{
	static const uint8_t key[REDACT_KEY_BYTES];
	struct redactor *redactor;
	char message[REDACT_MESSAGE_BYTES];

	return redactor_new(key, rules, rules_bytes, &redactor, message) < 0 ? NULL : redactor;
}

static void redact(const struct redactor *redactor, const struct redact_text *text, size_t room)
{
	static uint8_t out[REDACT_ARGV_MAX_BYTES * 32];
	size_t out_bytes = 0;
	bool cut;
	uint32_t count = redact_argv(redactor, text, out, sizeof(out), &out_bytes, &cut);

	if (cut ||
	    (count == 0 && (out_bytes != text->bytes || memcmp(out, text->data, text->bytes) != 0)))
		abort();
	(void)redact_argv(redactor, text, out, room, &out_bytes, &cut);
	if (out_bytes > room)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct redactor *without_rules; /* kept: making one takes longer than using it */
	struct redactor *redactor = NULL;
	size_t rules_bytes;
	struct redact_text text;

	if (!without_rules)
		without_rules = redactor_make("", 0);
	if (!without_rules)
		abort();
	if (bytes < 2)
		return 0;
	rules_bytes = data[0] % 8 != 1 ? 0 : data[0] < bytes - 2 ? data[0] : bytes - 2;
	if (rules_bytes > 0)
		redactor = redactor_make((const char *)data + 2, rules_bytes);
	text.data = data + 2 + rules_bytes;
	text.bytes = bytes - 2 - rules_bytes;
	text.bytes = text.bytes < REDACT_ARGV_MAX_BYTES ? text.bytes : REDACT_ARGV_MAX_BYTES;
	text.cut = data[1] & 1;
	redact(redactor ? redactor : without_rules, &text, (size_t)data[1] << 4);
	redactor_free(redactor);
	return 0;
}
