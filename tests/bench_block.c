/* bench_block.c - what blocks, records and datagrams cost: bytes and CPU time an event, for each capture named.
 *
 * A capture is repeated until it fills several slots, its clock and numbers going on as a machine's would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/block.h"
#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/ring_format.h"
#include "schema/wire.h"
#include "tests/clocks.h"
#include "tests/event_same.h"

enum { ROUNDS = 15, REPEATED_EVENTS = 120000 };

static double cpu_seconds(void)
{
	return (double)clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1e9;
}

static uint8_t *file_read(const char *path, size_t *ret_bytes)
{
	auto_fclose FILE *file = fopen(path, "rb");
	uint8_t *data;
	long bytes;

	if (!file || fseek(file, 0, SEEK_END) < 0 || (bytes = ftell(file)) <= 0)
		return NULL;
	rewind(file);
	data = malloc((size_t)bytes);
	if (data && fread(data, 1, (size_t)bytes, file) != (size_t)bytes) {
		free(data);
		return NULL;
	}
	*ret_bytes = (size_t)bytes;
	return data;
}

struct capture {
	struct event *events; /* points into data */
	uint8_t *data;
	size_t count, bytes, whole; /* whole: events of the capture itself */
};

static int capture_decode(struct capture *c)
{
	size_t at = 0, bytes;

	while (at < c->bytes && wire_length(c->data + at, c->bytes - at, &bytes) == 0) {
		if (wire_decode(c->data + at, bytes, &c->events[c->count]) != 0)
			return -1;
		c->count++;
		at += bytes;
	}
	c->whole = c->count;
	return c->count > 0 ? 0 : -1;
}

static int capture_load(const char *path, struct capture *c)
{
	*c = (struct capture){ 0 };
	c->data = file_read(path, &c->bytes);
	if (!c->data)
		return -1;
	c->events = calloc(c->bytes / WIRE_NLMSG_BYTES + REPEATED_EVENTS, sizeof(*c->events));
	return c->events ? capture_decode(c) : -1;
}

/* The same again and again: time goes on where it ended, and so does the number of each CPU. */
static void capture_repeat(struct capture *c)
{
	uint64_t span = c->events[c->whole - 1].timestamp_ns - c->events[0].timestamp_ns + 1000;
	uint32_t next[256] = { 0 };

	for (size_t i = 0; i < c->whole; i++)
		next[c->events[i].cpu % 256] = c->events[i].seq + 1;
	for (size_t i = c->whole; i < REPEATED_EVENTS; i++) {
		struct event *e = &c->events[i];

		*e = c->events[i - c->whole];
		e->timestamp_ns += span;
		e->seq = next[e->cpu % 256]++;
		c->count = i + 1;
	}
}

/* As many events from the first on as fill a slot. */
static size_t slot_fill(struct block_packer *packer, const struct event *events, size_t count,
			uint8_t *out)
{
	size_t low = 0, high = count + 1, bytes, raw_bytes;

	if (high > BLOCK_EVENTS_MAX)
		high = BLOCK_EVENTS_MAX + 1;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (block_pack(packer, events, middle, NULL, 0, out, RING_PAYLOAD_MAX_BYTES, &bytes,
			       &raw_bytes) == 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct figures {
	size_t events, bytes, blocks;
	double pack_seconds, unpack_seconds;
};

static int slot_measure(struct block_packer *packer, struct block *block,
			const struct event *events, size_t count, struct figures *f)
{
	static uint8_t out[RING_PAYLOAD_MAX_BYTES];
	size_t bytes, raw_bytes, back_count;
	const struct event *back;
	double best_pack = 1, best_unpack = 1;

	for (int i = 0; i < ROUNDS; i++) {
		double start = cpu_seconds(), middle;

		if (block_pack(packer, events, count, NULL, 0, out, sizeof(out), &bytes,
			       &raw_bytes))
			return -1;
		middle = cpu_seconds();
		if (block_unpack(block, out, bytes, 1, count))
			return -1;
		best_unpack =
			cpu_seconds() - middle < best_unpack ? cpu_seconds() - middle : best_unpack;
		best_pack = middle - start < best_pack ? middle - start : best_pack;
	}
	back = block_events(block, &back_count);
	for (size_t i = 0; i < count; i++)
		if (!event_same(&back[i], &events[i]))
			return -1;
	f->events += count;
	f->bytes += bytes;
	f->blocks++;
	f->pack_seconds += best_pack;
	f->unpack_seconds += best_unpack;
	return 0;
}

/* What each column takes of one payload. */
static void columns_print(const uint8_t *payload, size_t bytes, size_t count)
{
	struct reader r = reader_make(payload, bytes);
	unsigned columns = read_u16(&r);

	(void)read_u16(&r);
	for (unsigned i = 0; i < columns; i++) {
		unsigned column = read_u8(&r), codec = read_u8(&r), raw, stored;

		(void)read_u16(&r);
		raw = read_u32(&r);
		stored = read_u32(&r);
		printf("  column %3u codec %u: %7u -> %6u bytes, %.4f B/event\n", column, codec,
		       raw, stored, (double)stored / (double)count);
	}
}

static int blocks_measure(const char *name, const struct capture *c, bool columns)
{
	static uint8_t out[RING_PAYLOAD_MAX_BYTES];
	struct block_packer *packer = block_packer_new();
	struct block *block = block_new();
	struct figures f = { 0 };
	int r = packer && block ? 0 : -1;
	size_t bytes, raw_bytes, count;

	for (size_t at = 0; r == 0 && at < c->count; at += count) {
		count = slot_fill(packer, c->events + at, c->count - at, out);
		/* the last slot is not full and says little */
		if (at + count == c->count && f.blocks > 0)
			break;
		r = slot_measure(packer, block, c->events + at, count, &f);
		if (r == 0 && columns && at == 0 &&
		    block_pack(packer, c->events, count, NULL, 0, out, sizeof(out), &bytes,
			       &raw_bytes) == 0)
			columns_print(out, bytes, count);
	}
	if (r == 0)
		printf("%-28s %3zu blocks %8.0f events/block %6.3f B/event  pack %6.1f ns  unpack "
		       "%5.1f ns\n",
		       name, f.blocks, (double)f.events / (double)f.blocks,
		       (double)f.bytes / (double)f.events, f.pack_seconds / (double)f.events * 1e9,
		       f.unpack_seconds / (double)f.events * 1e9);
	block_packer_free(packer);
	block_free(block);
	return r;
}

struct small_times {
	double decode, encode, pack, unpack;
};

static struct small_times small_measure(const struct capture *c, uint8_t *records)
{
	static uint8_t out[EVENT_RAW_MAX_BYTES];
	struct small_times t;
	struct event event;
	size_t bytes, at = 0, end;
	double start = cpu_seconds();

	for (size_t i = 0; i < c->whole; i++, at += bytes)
		if (wire_length(c->data + at, c->bytes - at, &bytes) != 0 ||
		    wire_decode(c->data + at, bytes, &event) != 0)
			bytes = 0;
	t.decode = cpu_seconds() - start;
	start = cpu_seconds();
	for (size_t i = 0; i < c->whole; i++)
		(void)wire_encode(&c->events[i], out, sizeof(out), &bytes);
	t.encode = cpu_seconds() - start;
	start = cpu_seconds();
	end = 0;
	for (size_t i = 0; i < c->whole; i++) {
		le32 commit;

		bytes = event_record_bytes(&c->events[i]);
		event_record_pack(&c->events[i], 7, end, records + end);
		commit = le32_put((uint32_t)bytes);
		memcpy(records + end, &commit, sizeof(commit));
		end += bytes;
	}
	t.pack = cpu_seconds() - start;
	start = cpu_seconds();
	at = 0;
	for (size_t i = 0; i < c->whole; i++, at += bytes)
		if (event_record_unpack(records + at, end - at, 7, at, c->events[i].event_no,
					&event, &bytes) != 0)
			bytes = 0;
	t.unpack = cpu_seconds() - start;
	return t;
}

static void small_print(const char *name, const struct capture *c)
{
	auto_free uint8_t *records = malloc(c->whole * EVENT_RECORD_MAX_BYTES);
	struct small_times best = { 1, 1, 1, 1 };
	double n = (double)c->whole * 1e-9;

	for (int i = 0; records && i < ROUNDS; i++) {
		struct small_times t = small_measure(c, records);

		best.decode = t.decode < best.decode ? t.decode : best.decode;
		best.encode = t.encode < best.encode ? t.encode : best.encode;
		best.pack = t.pack < best.pack ? t.pack : best.pack;
		best.unpack = t.unpack < best.unpack ? t.unpack : best.unpack;
	}
	printf("%-28s datagram: decode %5.1f ns  encode %5.1f ns  record: pack %5.1f ns  unpack "
	       "%5.1f ns\n",
	       name, best.decode / n, best.encode / n, best.pack / n, best.unpack / n);
}

int main(int argc, char **argv)
{
	bool columns = argc > 1 && strcmp(argv[1], "-c") == 0;

	if (argc < 2 + columns) {
		fprintf(stderr, "usage: bench_block [-c] CAPTURE...\n"
				"Prints bytes and CPU time an event; -c: of each column too.\n");
		return 2;
	}
	for (int i = 1 + columns; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/'), *name = slash ? slash + 1 : argv[i];
		char repeated[64];
		struct capture c;
		int r = capture_load(argv[i], &c);

		if (r == 0)
			r = blocks_measure(name, &c, columns);
		if (r == 0 && c.whole < REPEATED_EVENTS) {
			(void)snprintf(repeated, sizeof(repeated), "%s, repeated", name);
			small_print(name, &c);
			capture_repeat(&c);
			r = blocks_measure(repeated, &c, false);
		}
		free(c.events);
		free(c.data);
		if (r != 0) {
			fprintf(stderr,
				"bench_block: %s: cannot be read, or did not come back as it was\n",
				argv[i]);
			return 1;
		}
	}
	return 0;
}
