/* fuzz_detail.c - packed details: what is accepted must survive being packed anew. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "schema/detail.h"
#include "schema/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void same(const struct detail *a, const struct detail *b)
{
	for (size_t i = 1; i < DETAIL_TAG_LIMIT; i++) {
		assert(a->field[i].state == b->field[i].state);
		assert(a->field[i].bytes == b->field[i].bytes);
		if (a->field[i].bytes > 0)
			assert(memcmp(a->field[i].data, b->field[i].data, a->field[i].bytes) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct detail detail, back;
	uint8_t *packed = malloc(bytes + 16);
	uint32_t value;
	size_t packed_bytes;

	assert(packed);
	if (detail_unpack(data, bytes, &detail) == 0) {
		for (unsigned i = 0; i < 5; i++)
			(void)detail_u32(&detail, DETAIL_IDS, i, &value);
		assert(detail_pack(&detail, packed, bytes + 16, &packed_bytes) == 0);
		assert(detail_unpack(packed, packed_bytes, &back) == 0);
		/* A field that is absent has nothing to keep. */
		for (size_t i = 1; i < DETAIL_TAG_LIMIT; i++)
			if (detail.field[i].state == DETAIL_ABSENT)
				memset(&detail.field[i], 0, sizeof(detail.field[i]));
		same(&detail, &back);
	}
	free(packed);
	return 0;
}
