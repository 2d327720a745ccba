/* fuzz_lives.c - any keyframe, then any stream of events: the fold never breaks, and its keyframe can be read again. */
#include <assert.h>
#include <stdlib.h>

#include "schema/lives.h"
#include "schema/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void events_fold(struct lives *lives, const uint8_t *data, size_t bytes)
{
	struct event event;
	struct life *life;
	bool folded;
	uint64_t event_no = lives_event_no(lives);

	for (size_t at = 0, step; at < bytes; at += step) {
		if (wire_length(data + at, bytes - at, &step) != 0)
			break;
		if (wire_decode(data + at, step, &event) != 0)
			continue;
		event.event_no = ++event_no;
		assert(lives_apply(lives, &event, &life, &folded) == 0);
		if (event_no % 8 == 0)
			lives_forget_ended(lives);
	}
}

static void keyframe_again(const struct lives *lives)
{
	struct lives *back = lives_new(NULL);
	uint8_t *data;
	size_t bytes;

	assert(back);
	assert(lives_pack(lives, &data, &bytes) == 0);
	assert(lives_unpack(back, data, bytes) == 0);
	free(data);
	lives_free(back);
}

/* Two bytes say how many of the next are a keyframe (0: none); the rest is a stream. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct lives *lives = lives_new(NULL);
	size_t keyframe_bytes = bytes < 2 ? 0 : data[0] | (size_t)data[1] << 8;

	assert(lives);
	if (bytes >= 2 && keyframe_bytes <= bytes - 2 &&
	    (keyframe_bytes == 0 || lives_unpack(lives, data + 2, keyframe_bytes) == 0)) {
		events_fold(lives, data + 2 + keyframe_bytes, bytes - 2 - keyframe_bytes);
		keyframe_again(lives);
	}
	lives_free(lives);
	return 0;
}
