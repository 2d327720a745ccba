/* fuzz_escape.c - any bytes: what is written is harmless, within its bounds, and can be read back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "schema/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_harmless(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint8_t byte = (uint8_t)text[i];

		assert(byte >= 0x20 && byte != 0x7f);
		/* C1 as UTF-8, and the controls of direction */
		assert(!(byte == 0xc2 && (uint8_t)text[i + 1] < 0xa0));
		assert(!(byte == 0xe2 && memcmp(text + i, "\342\200\256", 3) == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	/* exactly as large as the header says, so that ASan sees one byte more */
	char *text = malloc(JSON_ESCAPE_MAX(bytes) + ESCAPE_CSV_MAX(bytes));
	char *exact = malloc(ESCAPE_TEXT_MAX(bytes) + 1), *csv = malloc(ESCAPE_CSV_MAX(bytes));
	uint8_t *back = malloc(bytes * 4 + 1);
	size_t used, back_bytes;
	bool clean;

	assert(text && exact && csv && back);
	used = escape_text(data, bytes, exact);
	exact[used] = '\0';
	check_harmless(exact, used);
	assert(escape_text_undo(exact, used, back, &back_bytes) == 0);
	assert(back_bytes == bytes && memcmp(back, data, bytes) == 0);
	used = json_escape(data, bytes, text, &clean);
	text[used] = '\0';
	check_harmless(text, used);
	used = escape_csv(data, bytes, csv);
	assert(used <= ESCAPE_CSV_MAX(bytes));
	if (escape_text_undo((const char *)data, bytes, back, &back_bytes) == 0)
		assert(back_bytes <= bytes);
	free(text);
	free(exact);
	free(csv);
	free(back);
	return 0;
}
