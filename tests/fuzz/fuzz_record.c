/* fuzz_record.c - a staged record, with a CRC that is right so that what lies below it is reached too. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "schema/bytes.h"
#include "schema/event.h"

enum { SALT = 1, POS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void crc_mend(uint8_t *record, size_t bytes)
{
	uint8_t begin[16] = { SALT, 0, 0, 0, 0, 0, 0, 0, POS & 0xff, POS >> 8 };
	uLong crc = crc32(crc32(0, NULL, 0), begin, sizeof(begin));

	crc = crc32(crc, record + 8, (uInt)(bytes - 8));
	for (size_t i = 0; i < 4; i++) {
		record[i] = (uint8_t)(bytes >> (8 * i));
		record[4 + i] = (uint8_t)(crc >> (8 * i));
	}
}

/* What was accepted must be accepted again as it is packed anew. */
static void again(const struct event *event)
{
	size_t bytes = event_record_bytes(event), again_bytes;
	uint8_t *record = malloc(bytes);
	struct event back;

	assert(record);
	event_record_pack(event, SALT, POS, record);
	for (size_t i = 0; i < 4; i++)
		record[i] = (uint8_t)(bytes >> (8 * i));
	assert(event_record_unpack(record, bytes, SALT, POS, event->event_no, &back,
				   &again_bytes) == 0);
	assert(again_bytes == bytes);
	assert(back.kind == event->kind && back.timestamp_ns == event->timestamp_ns);
	assert(back.raw_bytes == event->raw_bytes && back.detail_bytes == event->detail_bytes);
	free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint8_t *record = malloc(bytes > 0 ? bytes : 1);
	uint64_t event_no = 0;
	struct event event;
	size_t record_bytes;

	assert(record);
	memcpy(record, data, bytes);
	if (bytes >= 16) {
		for (size_t i = 0; i < 8; i++)
			event_no |= (uint64_t)record[8 + i] << (8 * i);
		(void)event_record_unpack(record, bytes, SALT, POS, event_no, &event,
					  &record_bytes);
		crc_mend(record, bytes & ~(size_t)15);
	}
	if (event_record_unpack(record, bytes, SALT, POS, event_no, &event, &record_bytes) == 0) {
		assert(record_bytes <= bytes);
		again(&event);
	}
	free(record);
	return 0;
}
