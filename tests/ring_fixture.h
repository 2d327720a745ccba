/* ring_fixture.h - for tests of the ring: a folder that goes away, events that tell themselves from their number, small tools. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/ring_writer.h"
#include "schema/ring.h"
#include "schema/ring_core.h"
#include "tests/event_same.h"
#include "tests/tap.h"

static char fixture_folder[256], fixture_path[300];
static const uint8_t boot_one[RING_UUID_BYTES] = "boot one bytes!";
static const uint8_t boot_two[RING_UUID_BYTES] = "boot two bytes!";
static const uint8_t boot_import[RING_UUID_BYTES];

enum { FIXTURE_DETAIL_BYTES = 2000 };

/* Removes what a test left, and the folder at the end. */
static inline void fixture_empty(void)
{
	DIR *folder = opendir(fixture_folder);

	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		(void)closedir(folder);
}

static inline void fixture_end(void)
{
	fixture_empty();
	(void)rmdir(fixture_folder);
}

static inline void fixture_begin(void)
{
	/* In memory where possible: what a sync costs is not the question here. */
	const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(fixture_folder, sizeof(fixture_folder), "%s/test_ring.XXXXXX", where);
	if (!mkdtemp(fixture_folder))
		skip_all("no folder for the test: %s", strerror(errno));
	snprintf(fixture_path, sizeof(fixture_path), "%s/ledger.ring", fixture_folder);
	(void)atexit(fixture_end);
}

static inline uint64_t mix(uint64_t n)
{
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
	n = (n ^ n >> 27) * 0x94d049bb133111ebu;
	return n ^ n >> 31;
}

/* Event n without details: processes come and go. */
static inline struct event event_plain(uint64_t n, uint32_t pid)
{
	struct event event = { .timestamp_ns = n * 1000,
			       .cpu = (uint32_t)(n % 4),
			       .seq = (uint32_t)n,
			       .pid = pid,
			       .tid = pid };

	switch (n % 4) {
	case 0:
		event.kind = EVENT_FORK;
		event.ppid = event.ptid = 1;
		break;
	case 1:
		event.kind = EVENT_EXEC;
		break;
	case 2:
		event.kind = EVENT_COMM;
		snprintf(event.comm, sizeof(event.comm), "name %u", (uint32_t)n);
		break;
	default:
		event.kind = n % 8 == 3 ? EVENT_EXIT : EVENT_SID;
		break;
	}
	return event;
}

/* Gives event n details as detail.h packs them: one field, of a tag that no reader knows, so that it takes its room, and noise, so that
 * it does not compress.  bytes, a multiple of 8, are written to detail, which the event points at from then on. */
static inline void event_set_detail(struct event *event, uint64_t n, uint8_t *detail, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 8) {
		uint64_t noise = mix(n << 16 | i);

		memcpy(detail + i, &noise, sizeof(noise));
	}
	detail[0] = 200;
	detail[1] = 1;
	detail[2] = (uint8_t)((bytes - 4) % 128 | 128);
	detail[3] = (uint8_t)((bytes - 4) / 128);
	event->detail = detail;
	event->detail_bytes = (uint32_t)bytes;
}

/* Event n of a hundred processes; every fourth carries details, so that slots fill quickly. */
static inline struct event event_make(uint64_t n, uint8_t detail[FIXTURE_DETAIL_BYTES])
{
	struct event event = event_plain(n, 1000 + (uint32_t)(n / 4 % 100));

	if (event.kind == EVENT_EXEC)
		event_set_detail(&event, n, detail, FIXTURE_DETAIL_BYTES);
	return event;
}

static inline bool event_is(const struct event *event, uint64_t n)
{
	uint8_t detail[FIXTURE_DETAIL_BYTES];
	struct event want = event_make(n, detail);

	return event->event_no == n && event_same(event, &want);
}

/* Stages up to `count` events; how many there was room for. */
static inline uint64_t stage_some(struct ring_writer *writer, uint64_t count)
{
	struct stage *stage = ring_writer_stage(writer);
	uint8_t detail[FIXTURE_DETAIL_BYTES];

	for (uint64_t i = 0; i < count; i++) {
		struct event event = event_make(stage_next_event_no(stage), detail);

		if (stage_append(stage, &event) != 0)
			return i;
	}
	return count;
}

/* Seals until nothing more is to be sealed.  The result of the last attempt but the idle one. */
static inline int seal_all(struct ring_writer *writer, bool flush)
{
	struct ring_seal seal = { .monotonic_ns = 1 };
	uint64_t events;
	int r;

	do
		r = ring_writer_seal(writer, &seal, flush, &events);
	while (r == 0);
	return r == RING_WRITER_IDLE ? 0 : r;
}

/* Stages and seals `blocks` blocks of about 30 events, whatever staging holds. */
static inline void write_blocks(struct ring_writer *writer, unsigned blocks)
{
	for (unsigned i = 0; i < blocks; i++) {
		struct ring_seal seal = { 0 };
		uint64_t events;

		(void)stage_some(writer, 90);
		if (ring_writer_seal(writer, &seal, true, &events) != 0)
			abort();
	}
}

static inline struct ring_writer *writer_open(const uint8_t *boot_id,
					      struct ring_opened *ret_opened)
{
	struct ring_writer *writer;
	int r = ring_writer_open(fixture_path, RING_MIN_BYTES, boot_id, &writer, ret_opened);

	if (r != 0) {
		printf("# ring_writer_open: %d\n", r);
		abort();
	}
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
	return writer;
}

static inline struct ring *reader_open(void)
{
	struct ring *ring;

	if (ring_open(fixture_path, &ring) != 0)
		abort();
	return ring;
}

/* What a cursor gave from block_no to the end. */
struct walked {
	uint64_t first_no, next_no; /* of all events, given or missing */
	uint64_t events, wrong;     /* wrong: not what event_make() made, or out of order */
	uint64_t holes, overruns, missing_no, missing_events;
	int result;
};

static inline void walk_on(struct ring_cursor *cursor, struct walked *walked)
{
	const struct event *event;
	uint64_t from, to;

	for (;;) {
		int r = ring_next(cursor, &event, &from, &to);

		if (r == 0) {
			if (walked->next_no == 0)
				walked->first_no = walked->next_no = event->event_no;
			walked->wrong += event->event_no != walked->next_no;
			if (event->kind < EVENT_OWN_FIRST)
				walked->wrong += !event_is(event, event->event_no);
			walked->next_no = event->event_no + 1;
			walked->events++;
		} else if (r == RING_HOLE || r == RING_OVERRUN) {
			walked->holes += r == RING_HOLE;
			walked->overruns += r == RING_OVERRUN;
			walked->wrong +=
				(walked->next_no != 0 && from != walked->next_no) || to <= from;
			walked->missing_no = from;
			walked->missing_events += to - from;
			walked->next_no = to;
		} else {
			walked->result = r;
			return;
		}
	}
}

static inline struct walked walk(struct ring *ring, uint64_t block_no)
{
	struct walked walked = { 0 };
	struct ring_cursor *cursor = ring_cursor_new(ring, block_no);

	if (!cursor)
		abort();
	walk_on(cursor, &walked);
	ring_cursor_free(cursor);
	return walked;
}

static inline struct walked walk_all(void)
{
	struct ring *ring = reader_open();
	uint64_t first, next;
	struct walked walked;

	(void)ring_refresh(ring, &first, &next);
	walked = walk(ring, first);
	ring_close(ring);
	return walked;
}

static inline int file_open(void)
{
	int fd = open(fixture_path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

static inline void flip_bit(int fd, uint64_t offset, unsigned bit)
{
	uint8_t byte;

	if (pread(fd, &byte, 1, (off_t)offset) != 1)
		abort();
	byte ^= (uint8_t)(1u << bit);
	if (pwrite(fd, &byte, 1, (off_t)offset) != 1)
		abort();
}

static inline void wipe(int fd, uint64_t offset, uint64_t bytes)
{
	uint8_t *zeros = calloc(1, bytes);

	if (!zeros || pwrite(fd, zeros, bytes, (off_t)offset) != (ssize_t)bytes)
		abort();
	free(zeros);
}

/* The lives of a fold, as one number that does not depend on their order. */
static inline uint64_t lives_digest(const struct lives *lives)
{
	uint64_t sum = 0;

	for (struct life *life = lives_first(lives); life; life = lives_after(life)) {
		uint64_t name = 0;

		memcpy(&name, life->comm + 5, sizeof(name));
		sum += mix((uint64_t)life->id * 31 + life->pid) + mix(name ^ (uint64_t)life->id) +
		       (life->image ? mix(life->image->event_no) : 0);
	}
	return sum;
}
