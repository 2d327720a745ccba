/* block_lane.c - a column being written or read: growing, and numbers of several bytes. */
#include <string.h>

#include "schema/block_core.h"

bool lane_grow(struct coder *c, struct lane *lane, size_t bytes)
{
	size_t room = lane->bytes * 2 + bytes + 4096;
	uint8_t *data = realloc(lane->data, room);

	if (!data) {
		coder_fail(c, -ENOMEM);
		return false;
	}
	lane->data = data;
	lane->bytes = room;
	return true;
}

void lane_put_varint(struct coder *c, struct lane *lane, uint64_t value)
{
	struct writer w;

	if (lane->bytes - lane->at < VARINT_MAX_BYTES && !lane_grow(c, lane, VARINT_MAX_BYTES))
		return;
	w = writer_make(lane->data + lane->at, VARINT_MAX_BYTES);
	write_varint(&w, value);
	lane->at += w.bytes;
}

uint64_t lane_take_varint(struct coder *c, struct lane *lane)
{
	struct reader r = reader_make(lane->data, lane->bytes);
	uint64_t value;

	r.at = lane->at;
	value = read_varint(&r);
	if (r.failed) {
		coder_fail(c, -EBADMSG);
		return 0;
	}
	lane->at = r.at;
	return value;
}

void coder_reset(struct coder *c)
{
	memset(&c->predictor, 0, sizeof(c->predictor));
	for (unsigned i = 0; i < COLUMN_LIMIT; i++)
		c->lane[i].at = 0;
	for (unsigned tag = 0; tag < DETAIL_TAG_LIMIT; tag++)
		c->strings[tag].count = 0;
	c->details.at = 0;
	c->bulk_bytes = 0;
	c->failed = 0;
}
