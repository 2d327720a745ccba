/* fuzz_redact.c - any rules and any arguments: what comes out fits, and what is no secret comes out as it was.  The first byte says where the
 * rules end and the arguments begin.
 */
#include <stdlib.h>
#include <string.h>

#include "recorder/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const uint8_t key[REDACT_KEY_BYTES];
	static uint8_t out[REDACT_ARGV_MAX_BYTES * 32];
	struct redactor *redactor = NULL;
	char message[REDACT_MESSAGE_BYTES];
	size_t rules_bytes, out_bytes = 0, room;
	struct redact_text text;
	uint32_t count;
	bool cut;

	if (bytes < 2)
		return 0;
	room = (size_t)data[1] << 4;
	rules_bytes = data[0] < bytes - 2 ? data[0] : bytes - 2;
	if (redactor_new(key, (const char *)data + 2, rules_bytes, &redactor, message) < 0 &&
	    redactor_new(key, "", 0, &redactor, message) < 0)
		abort();
	text.data = data + 2 + rules_bytes;
	text.bytes = bytes - 2 - rules_bytes;
	text.bytes = text.bytes < REDACT_ARGV_MAX_BYTES ? text.bytes : REDACT_ARGV_MAX_BYTES;
	text.cut = data[0] & 1;
	count = redact_argv(redactor, &text, out, sizeof(out), &out_bytes, &cut);
	if (cut ||
	    (count == 0 && (out_bytes != text.bytes || memcmp(out, text.data, text.bytes) != 0)))
		abort();
	(void)redact_argv(redactor, &text, out, room, &out_bytes, &cut);
	if (out_bytes > room)
		abort();
	redactor_free(redactor);
	return 0;
}
