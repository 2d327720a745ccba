#include "recorder/landing.h"

#include "schema/ring_format.h"
#include "schema/wire.h"

size_t landing_salvage(const uint8_t *slots, size_t count, const struct gaps *gaps,
		       uint32_t *ret_lengths)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *slot = slots + i * RING_LANDING_SLOT_BYTES;
		struct event event;
		size_t bytes;

		ret_lengths[i] = 0;
		if (wire_length(slot, RING_LANDING_SLOT_BYTES, &bytes) != 0 ||
		    wire_decode(slot, bytes, &event) != 0 ||
		    !gaps_is_newer(gaps, event.cpu, event.seq))
			continue;
		ret_lengths[i] = (uint32_t)bytes;
		found++;
	}
	return found;
}
