/* fuzz_wire.c - a stream of datagrams: what can be decoded must come out of wire_encode() byte for byte. */
#include <assert.h>
#include <string.h>

#include "schema/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void datagram_try(const uint8_t *datagram, size_t bytes)
{
	uint8_t again[EVENT_RAW_MAX_BYTES];
	struct event event;
	size_t again_bytes;

	if (wire_decode(datagram, bytes, &event) != 0)
		return;
	assert(wire_encode(&event, again, sizeof(again), &again_bytes) == 0);
	assert(again_bytes == bytes);
	assert(memcmp(again, datagram, bytes) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	size_t step;

	datagram_try(data, bytes);
	for (size_t at = 0; at < bytes; at += step) {
		if (wire_length(data + at, bytes - at, &step) != 0)
			break;
		assert(step > 0 && step <= bytes - at);
		datagram_try(data + at, step);
	}
	return 0;
}
