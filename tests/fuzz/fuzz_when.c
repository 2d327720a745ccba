/* fuzz_when.c - points in time as users write them: what is understood must be understood again as it is printed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "query/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int32_t offset(void *context, int64_t utc_s)
{
	(void)context;
	return utc_s / 10000000 % 2 ? 7200 : 3600;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct when_here here = { .now_ns = 1795335521123456789, .utc_offset_s = offset };
	char printed[WHEN_TEXT_BYTES];
	struct when when, back;
	char *text = malloc(bytes + 1);

	assert(text);
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	if (when_parse(text, &here, &when) == 0 && !when.mono) {
		when_format(when.ns, 9, &here, printed);
		assert(when_parse(printed, &here, &back) == 0);
		assert(back.ns == when.ns && !back.mono);
	}
	free(text);
	return 0;
}
