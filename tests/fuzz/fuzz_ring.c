/* fuzz_ring.c - a hostile ring file: superblocks, slots and staging are written over, some with their CRC made right again, and it is
 * opened, walked, searched and recovered.  Nothing may crash, hang, or give an event twice.
 *
 * The input is a list of changes to a small whole ring: le32 where, u8 how many bytes (its top bit: make the CRC right), those bytes.
 */
#include <assert.h>
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

enum { IMAGE_BYTES = 4 << 20, BLOCKS = 60 };

static uint8_t *image;
static char path[64];
static int fd = -1;

/* A ring of a lap and some, with events in staging. */
static void image_make(void)
{
	static const uint8_t boot_id[RING_UUID_BYTES] = "fuzz";
	struct ring_writer *writer;
	struct ring_opened opened;
	struct ring_seal seal = { 0 };
	uint64_t events;

	snprintf(path, sizeof(path), "/dev/shm/fuzz_ring.%d", (int)getpid());
	assert(ring_writer_open(path, IMAGE_BYTES, boot_id, &writer, &opened) == 0);
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
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
	fd = open(path, O_RDWR | O_CLOEXEC);
	image = malloc(IMAGE_BYTES);
	assert(fd >= 0 && image && pread(fd, image, IMAGE_BYTES, 0) == IMAGE_BYTES);
	unlink(path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
}

static void put_crc(uint8_t *at, size_t bytes)
{
	le32 crc = le32_put((uint32_t)crc32_z(0, at, bytes));

	memcpy(at + bytes, &crc, sizeof(crc));
}

/* The structure that lies around offset gets a CRC that holds. */
static void crc_fix(uint8_t *file, size_t offset)
{
	const size_t slots = RING_STAGING_OFFSET + (1 << 20);
	uint8_t *slot;
	le32 stored;

	if (offset < RING_LANDING_OFFSET)
		put_crc(file + offset / 4096 * 4096, 4092);
	if (offset < slots)
		return;
	slot = file + slots + (offset - slots) / RING_SLOT_BYTES * RING_SLOT_BYTES;
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

enum { PART_BYTES = 65536 };

static bool changed[IMAGE_BYTES / PART_BYTES + 1];

/* Only what the last input changed. */
static void image_restore(uint8_t *file)
{
	for (size_t i = 0; image && i < IMAGE_BYTES / PART_BYTES; i++)
		if (changed[i])
			memcpy(file + i * PART_BYTES, image + i * PART_BYTES, PART_BYTES);
	memset(changed, 0, sizeof(changed));
}

/* Where changes tell: the headers more often than the rest. */
static size_t place(uint32_t where)
{
	const size_t slots = RING_STAGING_OFFSET + (1 << 20);

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
		return slots + (where >> 16) % 46 * RING_SLOT_BYTES + (where & 0xffff) % 1024;
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
	for (uint32_t boot = 0; boot < 3; boot++)
		(void)ring_find_time(ring, boot, 100, &found);
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

static void record(const char *name)
{
	static const uint8_t boot_id[RING_UUID_BYTES] = "fuzz";
	struct ring_writer *writer;
	struct ring_opened opened;
	struct event event = { .kind = EVENT_FORK, .pid = 5, .tid = 5 };
	struct ring_seal seal = { 0 };
	uint64_t events;

	if (ring_writer_open(name, 0, boot_id, &writer, &opened) != 0)
		return;
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
	if (stage_append(ring_writer_stage(writer), &event) == 0)
		(void)ring_writer_seal(writer, &seal, true, &events);
	ring_writer_close(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static uint8_t *file;
	struct reader reader = reader_make(data, bytes);
	struct ring *ring;

	if (!image) {
		image_make();
		file = mmap(NULL, IMAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert(file != MAP_FAILED);
		memcpy(file, image, IMAGE_BYTES);
	}
	assert(file);
	image_restore(file);
	while (reader_left(&reader) > 5) {
		size_t at = place(read_u32(&reader));
		uint8_t how = read_u8(&reader);
		size_t count = how & 0x1f;
		const uint8_t *change;

		if (count > reader_left(&reader))
			count = reader_left(&reader);
		if (count > IMAGE_BYTES - at)
			count = IMAGE_BYTES - at;
		change = read_bytes(&reader, count);
		if (change)
			memcpy(file + at, change, count);
		changed[at / PART_BYTES] = changed[at / PART_BYTES + 1] = true;
		if (how & 0x80)
			crc_fix(file, at);
	}
	if (ring_open(path, &ring) == 0) {
		walk(ring);
		ring_close(ring);
	}
	if (bytes > 0 && data[0] % 16 == 1) {
		char name[64];
		int copy;

		/* The writer follows no symbolic link: it gets a name of its own. */
		snprintf(name, sizeof(name), "/dev/shm/fuzz_ring.%d.copy", (int)getpid());
		copy = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert(copy >= 0 && write(copy, file, IMAGE_BYTES) == IMAGE_BYTES);
		close(copy);
		record(name);
		unlink(name);
	}
	return 0;
}
