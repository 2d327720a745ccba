/* fuzz_ring.c - a hostile ring file: superblocks, slots and staging are written over, some with their CRC made right again, and it is
 * opened, walked, searched and recovered.  Nothing may crash, hang, or give an event twice.
 *
 * The input is a list of changes to a small whole ring: le32 where, u8 how many bytes (its top bit: make the CRC right), those bytes.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "recorder/ring_writer.h"
#include "schema/bytes.h"
#include "schema/ring.h"
#include "schema/ring_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum {
	SLOTS = 6,
	BLOCKS = 9,
	CHANGES_MAX = 16,
	SLOTS_OFFSET = RING_STAGING_OFFSET + RING_SLOT_BYTES,
	IMAGE_BYTES = SLOTS_OFFSET + SLOTS * RING_SLOT_BYTES,
};

static uint8_t image[IMAGE_BYTES];
static _Alignas(4096) uint8_t file[IMAGE_BYTES]; /* what the disk holds: the image, changed */
static char path[64];                            /* a file of this length, for the writer's lock */

static ssize_t memory_pread(void *context, int fd, void *data, size_t bytes, off_t offset)
{
	size_t left;

	(void)context;
	(void)fd;
	if (offset < 0)
		return -EINVAL;
	if (offset >= IMAGE_BYTES)
		return 0;
	left = (size_t)(IMAGE_BYTES - offset);
	bytes = bytes < left ? bytes : left;
	memcpy(data, file + offset, bytes);
	return (ssize_t)bytes;
}

static ssize_t memory_pwrite(void *context, int fd, const void *data, size_t bytes, off_t offset)
{
	(void)context;
	(void)fd;
	assert(offset <= IMAGE_BYTES && bytes <= (size_t)(IMAGE_BYTES - offset));
	memcpy(file + offset, data, bytes);
	return (ssize_t)bytes;
}

static int memory_sync(void *context, int fd)
{
	(void)context;
	(void)fd;
	return 0;
}

static uint8_t *memory_map(void *context, uint64_t offset, size_t bytes)
{
	(void)context;
	assert(offset <= IMAGE_BYTES && bytes <= IMAGE_BYTES - offset);
	return file + offset;
}

static const struct io memory = {
	.pread = memory_pread,
	.pwrite = memory_pwrite,
	.sync = memory_sync,
	.map = memory_map,
};

static struct ring_writer *writer_open(void)
{
	static const uint8_t boot_id[RING_UUID_BYTES] = "fuzz";
	struct ring_writer *writer;
	struct ring_opened opened;

	if (ring_writer_open_on(path, 0, boot_id, &memory, &writer, &opened) != 0)
		return NULL;
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
	return writer;
}

/* No recorder makes a ring of less than 4 MiB; but one may say that it is smaller, and is searched the quicker. */
static void headers_make(void)
{
	struct ring_staging_header staging = { .first_event_no = 1 };
	struct ring_superblock super;

	assert(ring_layout(RING_MIN_BYTES, &super) == 0);
	super.staging_bytes = RING_SLOT_BYTES;
	super.slots_offset = SLOTS_OFFSET;
	super.slot_count = SLOTS;
	super.file_bytes = IMAGE_BYTES;
	for (size_t i = 0; i < 2; i++) {
		super.generation = staging.generation = 2 - i; /* an even one is in copy A */
		ring_superblock_pack(&super, file + i * RING_SUPERBLOCK_BYTES);
		ring_staging_header_pack(&staging, file + RING_STAGING_HEADER_OFFSET +
							   i * RING_STAGING_HEADER_BYTES);
	}
}

static void file_remove(void)
{
	(void)unlink(path);
}

static void file_make(void)
{
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/fuzz_ring.%d", (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert(fd >= 0 && ftruncate(fd, IMAGE_BYTES) == 0);
	close(fd);
	atexit(file_remove);
}

/* A ring of a lap and some, with events in staging. */
static void image_make(void)
{
	struct ring_writer *writer;
	struct ring_seal seal = { 0 };
	uint64_t events;

	headers_make();
	writer = writer_open();
	assert(writer);
	for (uint32_t i = 0; i < BLOCKS * 8 + 5; i++) {
		struct event event = { .kind = i % 3 ? EVENT_FORK : EVENT_EXIT,
				       .pid = i % 7,
				       .tid = i % 7,
				       .timestamp_ns = i };

		assert(stage_append(ring_writer_stage(writer), &event) == 0);
		if (i % 8 == 7)
			assert(ring_writer_seal(writer, &seal, true, &events) == 0);
	}
	ring_writer_close(writer);
	memcpy(image, file, IMAGE_BYTES);
}

static void put_crc(uint8_t *at, size_t bytes)
{
	le32 crc = le32_put((uint32_t)crc32_z(0, at, bytes));

	memcpy(at + bytes, &crc, sizeof(crc));
}

/* The structure that lies around offset gets a CRC that holds. */
static void crc_fix(size_t offset)
{
	uint8_t *slot;
	le32 stored;

	if (offset < RING_LANDING_OFFSET)
		put_crc(file + offset / 4096 * 4096, 4092);
	if (offset < SLOTS_OFFSET)
		return;
	slot = file + offset / RING_SLOT_BYTES * RING_SLOT_BYTES;
	memcpy(&stored, slot + 140, sizeof(stored));
	if (le32_get(stored) <= RING_PAYLOAD_MAX_BYTES) {
		le32 crc =
			le32_put((uint32_t)crc32_z(0, slot + RING_HEADER_BYTES, le32_get(stored)));

		memcpy(slot + 144, &crc, sizeof(crc));
		memcpy(slot + RING_SLOT_BYTES - 8, &crc, sizeof(crc));
		memcpy(slot + RING_SLOT_BYTES - 16, slot + 8, 8);
		put_crc(slot + RING_SLOT_BYTES - 16, 12);
	}
	put_crc(slot, 508);
}

/* Where changes tell: the headers more often than the rest. */
static size_t place(uint32_t where)
{
	switch (where >> 29) {
	case 0:
		return where % 256;
	case 1:
		return RING_STAGING_HEADER_OFFSET + where % 8192;
	case 2:
		return RING_STAGING_OFFSET + where % 65536;
	case 3:
	case 4:
	case 5:
		return SLOTS_OFFSET + (where >> 16) % SLOTS * RING_SLOT_BYTES +
		       (where & 0xffff) % 1024;
	default:
		return where % IMAGE_BYTES;
	}
}

static void walk(struct ring *ring)
{
	struct ring_cursor *cursor;
	const struct event *event;
	uint64_t first, next, from, to, last_no = 0, found;
	uint8_t *data;
	size_t bytes, count = 0;
	int r = ring_refresh(ring, &first, &next);

	assert(r == 0 && first <= next);
	cursor = ring_cursor_new(ring, first);
	assert(cursor);
	while ((r = ring_next(cursor, &event, &from, &to)) != RING_END) {
		assert(r >= 0 && ++count < 100 * BLOCK_EVENTS_MAX);
		if (r == 0) {
			assert(event->event_no > last_no);
			last_no = event->event_no;
		} else {
			assert(from < to);
		}
	}
	ring_cursor_free(cursor);
	(void)ring_find_time(ring, (uint32_t)(next % 3), 100, &found);
	if (ring_find_keyframe(ring, RING_NO_BLOCK, &found) == 0 &&
	    ring_read_keyframe(ring, found, &data, &bytes) == 0)
		free(data);
	if (next > 0 && ring_find_keyframe(ring, next - 1, &found) == 0 &&
	    ring_read_keyframe(ring, found, &data, &bytes) == 0) {
		struct lives *lives = lives_new(NULL);

		assert(lives);
		(void)lives_unpack(lives, data, bytes);
		lives_free(lives);
		free(data);
	}
}

static void record(void)
{
	struct ring_writer *writer = writer_open();
	struct event event = { .kind = EVENT_FORK, .pid = 5, .tid = 5 };
	struct ring_seal seal = { 0 };
	uint64_t events;

	if (!writer)
		return;
	if (stage_append(ring_writer_stage(writer), &event) == 0)
		(void)ring_writer_seal(writer, &seal, true, &events);
	ring_writer_close(writer);
}

static void change(const uint8_t *data, size_t bytes)
{
	struct reader reader = reader_make(data, bytes);

	for (unsigned i = 0; i < CHANGES_MAX && reader_left(&reader) > 5; i++) {
		size_t at = place(read_u32(&reader));
		uint8_t how = read_u8(&reader);
		size_t count = how & 0x1f;
		const uint8_t *with;

		if (count > reader_left(&reader))
			count = reader_left(&reader);
		if (count > IMAGE_BYTES - at)
			count = IMAGE_BYTES - at;
		with = read_bytes(&reader, count);
		if (with)
			memcpy(file + at, with, count);
		if (how & 0x80)
			crc_fix(at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct ring *ring;

	if (!path[0]) {
		file_make();
		image_make();
	}
	memcpy(file, image, IMAGE_BYTES);
	change(data, bytes);
	if (ring_open_fd(-1, &memory, &ring) == 0) {
		walk(ring);
		ring_close(ring);
	}
	if (bytes > 0 && data[0] == 1) /* it takes ten times as long */
		record();
	return 0;
}
