/* ring_staging.c - staging as a reader of the file sees it: where it begins, and whether a record is there (FORMAT.md 3, 4). */
#include <errno.h>
#include <stdlib.h>

#include "schema/cleanup.h"
#include "schema/ring_core.h"

int ring_read_staging_header(const struct ring *ring, struct ring_staging_header *ret_header)
{
	struct ring_staging_header header[2];
	int result[2];

	for (size_t i = 0; i < 2; i++) {
		uint8_t disk[RING_STAGING_HEADER_BYTES];

		result[i] = io_read(ring->io, ring->fd, disk, sizeof(disk),
				    RING_STAGING_HEADER_OFFSET + i * RING_STAGING_HEADER_BYTES);
		if (result[i] == 0)
			result[i] = ring_staging_header_unpack(disk, &header[i]);
	}
	if (result[0] != 0 && result[1] != 0)
		return -EBADMSG;
	if (result[0] != 0 || (result[1] == 0 && header[1].generation > header[0].generation))
		*ret_header = header[1];
	else
		*ret_header = header[0];
	return 0;
}

int ring_find_tail(const struct ring *ring, const struct ring_block_header *newest,
		   struct ring_tail *ret_tail)
{
	struct ring_staging_header header;
	bool have = ring_read_staging_header(ring, &header) == 0;
	uint64_t end_no = newest ? newest->first_event_no + newest->event_count : 0;

	if (!newest && !have)
		return -EBADMSG;
	/* A header from before the newest block says nothing of what is behind it. */
	if (newest &&
	    (!have || header.salt == newest->stage_salt || header.first_event_no < end_no))
		*ret_tail = (struct ring_tail){ .salt = newest->stage_salt,
						.pos = newest->stage_end_pos,
						.event_no = end_no };
	else
		*ret_tail = (struct ring_tail){ .salt = header.salt,
						.pos = header.start_pos,
						.event_no = header.first_event_no,
						.anew = true };
	return 0;
}

bool ring_is_staged(const struct ring *ring, const struct ring_tail *tail)
{
	auto_free uint8_t *record = malloc(EVENT_RECORD_MAX_BYTES);
	uint64_t area = ring->super.staging_bytes, pos = tail->pos;

	/* The record may stand behind a pad, at the beginning of the area. */
	for (int try = 0; record && try < 2; try++) {
		uint64_t offset = pos % area;
		size_t bytes = EVENT_RECORD_MAX_BYTES;
		struct event event;
		int r;

		if (bytes > area - offset)
			bytes = (size_t)(area - offset);
		if (io_read(ring->io, ring->fd, record, bytes,
			    ring->super.staging_offset + offset) < 0)
			return false;
		r = event_record_unpack(record, bytes, tail->salt, pos, tail->event_no, &event,
					&bytes);
		if (r != EVENT_RECORD_PAD)
			return r == 0;
		pos += bytes;
	}
	return false;
}
