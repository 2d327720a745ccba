/* bench_ring.c - how fast events are staged, sealed and read again.
 *
 * bench_ring [FOLDER [MILLIONS [CAPTURE]]]: the ring is made in FOLDER (default /tmp) and removed; the events are those of CAPTURE, a
 * stream of datagrams (default tests/data/build-gzip.nl), over and over with growing time stamps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/ring_writer.h"
#include "schema/ring.h"
#include "schema/ring_core.h"
#include "schema/wire.h"
#include "tests/clocks.h"

static double now_s(void)
{
	return (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
}

__attribute__((noreturn)) static void die(const char *what, int r)
{
	fprintf(stderr, "bench_ring: %s: %s\n", what, r < 0 ? strerror(-r) : "refused");
	exit(1);
}

struct capture {
	uint8_t *bytes;
	struct event *events;
	size_t count;
	uint64_t span_ns;
};

static void capture_read(const char *path, struct capture *ret_capture)
{
	struct capture capture = { 0 };
	FILE *file = fopen(path, "rb");
	size_t bytes, at = 0, capacity = 0;
	uint64_t low = UINT64_MAX, high = 0;

	if (!file || fseek(file, 0, SEEK_END) < 0)
		die(path, -errno);
	bytes = (size_t)ftell(file);
	rewind(file);
	capture.bytes = malloc(bytes);
	if (!capture.bytes || fread(capture.bytes, 1, bytes, file) != bytes)
		die(path, -EIO);
	fclose(file);
	while (at < bytes) {
		size_t length;

		if (wire_length(capture.bytes + at, bytes - at, &length) != 0)
			break;
		if (capture.count == capacity) {
			capacity = capacity ? capacity * 2 : 1024;
			capture.events = realloc(capture.events, capacity * sizeof(struct event));
			if (!capture.events)
				die("memory", -ENOMEM);
		}
		if (wire_decode(capture.bytes + at, length, &capture.events[capture.count]) == 0) {
			uint64_t ns = capture.events[capture.count++].timestamp_ns;

			low = ns < low ? ns : low;
			high = ns > high ? ns : high;
		}
		at += length;
	}
	if (capture.count == 0)
		die("no events in the capture", -EBADMSG);
	capture.span_ns = high - low + 1000000;
	*ret_capture = capture;
}

static void seal(struct ring_writer *writer, bool flush, double *seal_s)
{
	struct ring_seal what = { 0 };
	uint64_t events;
	double begin = now_s();
	int r = ring_writer_seal(writer, &what, flush, &events);

	*seal_s += now_s() - begin;
	if (r < 0)
		die("seal", r);
}

static void bench_append(const char *path, const struct capture *capture, uint64_t total)
{
	static const uint8_t boot_id[RING_UUID_BYTES];
	struct ring_writer *writer;
	struct ring_opened opened;
	double begin = now_s(), seal_s = 0, all_s;
	int r = ring_writer_open(path, 0, boot_id, &writer, &opened);

	if (r != 0)
		die(path, r);
	printf("create              %8.2f ms\n", (now_s() - begin) * 1e3);
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
	begin = now_s();
	for (uint64_t i = 0; i < total; i++) {
		struct event event = capture->events[i % capture->count];

		event.timestamp_ns += i / capture->count * capture->span_ns;
		while (stage_append(ring_writer_stage(writer), &event) != 0)
			seal(writer, false, &seal_s);
		if (i % 4096 == 0)
			seal(writer, false, &seal_s);
	}
	while (stage_used_bytes(ring_writer_stage(writer)) > 0)
		seal(writer, true, &seal_s);
	all_s = now_s() - begin;
	printf("append and seal     %8.2f M events/s (%.0f ns each: stage %.0f, seal %.0f)\n",
	       (double)total / all_s / 1e6, all_s * 1e9 / (double)total,
	       (all_s - seal_s) * 1e9 / (double)total, seal_s * 1e9 / (double)total);
	(void)ring_writer_mark_clean(writer);
	ring_writer_close(writer);
}

static void bench_blocks(struct ring *ring)
{
	struct block *block = block_new();
	uint64_t first, next, events = 0, stored = 0, blocks = 0;
	double begin = now_s(), seconds;

	if (!block || ring_refresh(ring, &first, &next) < 0)
		die("refresh", -ENOMEM);
	for (uint64_t block_no = first; block_no < next; block_no++) {
		struct ring_block_header header;

		if (ring_read_block(ring, block_no, block, &header) != 0)
			continue;
		events += header.event_count;
		stored += header.stored_bytes;
		blocks++;
	}
	seconds = now_s() - begin;
	printf("read blocks         %8.2f M events/s (%.0f MB/s; %llu blocks)\n",
	       (double)events / seconds / 1e6, (double)stored / seconds / 1e6,
	       (unsigned long long)blocks);
	printf("stored              %8.2f bytes/event, fill %.1f %%\n",
	       (double)stored / (double)events,
	       (double)stored / (double)(blocks * RING_PAYLOAD_MAX_BYTES) * 100);
	block_free(block);
}

static void bench_cursor(struct ring *ring)
{
	struct ring_cursor *cursor;
	const struct event *event;
	uint64_t first, next, from, to, events = 0, sum = 0;
	double begin = now_s(), seconds;

	if (ring_refresh(ring, &first, &next) < 0 || !(cursor = ring_cursor_new(ring, first)))
		die("cursor", -ENOMEM);
	for (int r = 0; r != RING_END; events++) {
		r = ring_next(cursor, &event, &from, &to);
		if (r < 0)
			die("ring_next", r);
		if (r == 0)
			sum += event->pid;
	}
	seconds = now_s() - begin;
	printf("cursor              %8.2f M events/s (sum of pids %llu)\n",
	       (double)events / seconds / 1e6, (unsigned long long)sum);
	ring_cursor_free(cursor);
}

/* Both superblocks say that the ring is almost empty. */
static void hint_spoil(const char *path, const struct ring_superblock *super)
{
	struct ring_superblock spoiled = *super;
	FILE *file = fopen(path, "r+b");
	uint8_t disk[RING_SUPERBLOCK_BYTES];

	spoiled.hint_block_no = 1;
	ring_superblock_pack(&spoiled, disk);
	if (!file || fwrite(disk, sizeof(disk), 1, file) != 1 ||
	    fwrite(disk, sizeof(disk), 1, file) != 1 || fclose(file) != 0)
		die(path, -EIO);
}

static void bench_recover(const char *path, const char *what)
{
	static const uint8_t boot_id[RING_UUID_BYTES] = { 1 };
	struct ring_writer *writer;
	struct ring_opened opened;
	uint64_t begin_ns, took_ns;
	int r;

	begin_ns = clock_ns(CLOCK_MONOTONIC);
	r = ring_writer_open(path, 0, boot_id, &writer, &opened);
	took_ns = clock_ns(CLOCK_MONOTONIC) - begin_ns;
	if (r != 0)
		die(path, r);
	printf("%s %8.2f ms on the clock, syncs and the fold since the last keyframe with it\n",
	       what, (double)took_ns / 1e6);
	ring_writer_close(writer);
}

static void bench_open(const char *path)
{
	struct ring *ring;
	struct ring_superblock super;
	uint64_t first, next;
	double begin = now_s();
	int r = ring_open(path, &ring);

	if (r == 0)
		r = ring_refresh(ring, &first, &next);
	if (r < 0)
		die(path, r);
	printf("open to read        %8.2f ms\n", (now_s() - begin) * 1e3);
	ring->found = false;
	super = *ring_super(ring);
	ring->super.hint_block_no = 1; /* of no use */
	begin = now_s();
	(void)ring_refresh(ring, &first, &next);
	printf("head, hint wrong    %8.2f ms\n", (now_s() - begin) * 1e3);
	begin = now_s();
	for (uint32_t slot = 0; slot < ring->super.slot_count; slot++) {
		struct ring_block_header header;

		(void)ring_slot_header(ring, slot, &header);
	}
	printf("head, all headers   %8.2f ms\n", (now_s() - begin) * 1e3);
	ring_close(ring);
	bench_recover(path, "open to write      ");
	bench_recover(path, "the same, warm     ");
	hint_spoil(path, &super);
	bench_recover(path, "with a wrong hint  ");
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "/tmp";
	uint64_t total = (argc > 2 ? strtoull(argv[2], NULL, 10) : 20) * 1000000;
	struct capture capture;
	struct ring *ring;
	char path[4096];
	int r;

	capture_read(argc > 3 ? argv[3] : "tests/data/build-gzip.nl", &capture);
	snprintf(path, sizeof(path), "%s/bench-%d.ring", folder, (int)getpid());
	bench_append(path, &capture, total);
	r = ring_open(path, &ring);
	if (r < 0)
		die(path, r);
	bench_blocks(ring);
	bench_cursor(ring);
	ring_close(ring);
	bench_open(path);
	(void)unlink(path);
	free(capture.bytes);
	free(capture.events);
	return 0;
}
