/* test_block.c - blocks: there and back for what machines did and for what nobody would, full, damaged, lying. */
#include "schema/block.h"

#include <errno.h>
#include <string.h>

#include "schema/bytes.h"
#include "schema/detail.h"
#include "schema/ring_format.h"
#include "schema/wire.h"
#include "tests/capture.h"
#include "tests/event_same.h"
#include "tests/tap.h"

enum { MANY = 3000, OUT_BYTES = 8 << 20 };

static struct block_packer *packer;
static struct block *block;
static uint8_t *out;
static struct event *events;

/* How many of events[0..count) do not come back from packing and unpacking; all of them when that fails. */
static size_t count_wrong(size_t count, size_t capacity, size_t *ret_bytes)
{
	size_t bytes, raw_bytes, back_count, wrong = 0;
	const struct event *back;

	if (block_pack(packer, events, count, NULL, 0, out, capacity, &bytes, &raw_bytes) != 0 ||
	    block_unpack(block, out, bytes, 1000, count) != 0)
		return count + 1;
	back = block_events(block, &back_count);
	for (size_t i = 0; i < back_count; i++)
		wrong += !event_same(&events[i], &back[i]) || back[i].event_no != 1000 + i;
	if (ret_bytes)
		*ret_bytes = bytes;
	return back_count == count ? wrong : count + 1;
}

static void test_captures(void)
{
	for (size_t i = 0; i < CAPTURE_COUNT; i++) {
		size_t bytes, at = 0, count = 0, wrong = 0, stored = 0;
		uint8_t *data = capture_read(capture_names[i], &bytes);

		for (; data && count < 20000 && at < bytes; at += CAPTURE_DATAGRAM_BYTES)
			wrong += wire_decode(data + at, CAPTURE_DATAGRAM_BYTES, &events[count++]) !=
				 0;
		wrong += count_wrong(count, OUT_BYTES, &stored);
		ok(data && wrong == 0, "%s comes back, every field (%zu events, %.2f bytes each)",
		   capture_names[i], count, (double)stored / (double)count);
		if (strcmp(capture_names[i], "build-gzip") == 0)
			ok(stored * 10 <= count * 37 && stored <= RING_PAYLOAD_MAX_BYTES,
			   "and a slot holds 20,000 of its events at no more than 3.7 bytes each");
		free(data);
	}
}

/* --- what nobody would: a generator of numbers that is the same everywhere --- */

static uint64_t random_state;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint32_t random_below(uint32_t limit)
{
	return (uint32_t)(random_next() >> 16) % limit;
}

/* Mostly one of few numbers, so that tasks meet again; at times any. */
static uint32_t random_tid(void)
{
	static const uint32_t odd[] = { 0, 1, UINT32_MAX, 0x80000000, 0x7fffffff };
	uint32_t choice = random_below(20);

	if (choice == 0)
		return (uint32_t)random_next();
	if (choice == 1)
		return odd[random_below(5)];
	return 4000 + random_below(150);
}

static uint64_t random_number(void)
{
	static const uint64_t odd[] = { 0, 1, 17, UINT32_MAX, UINT64_MAX, 0x80, 0x4000, INT64_MAX };

	return random_below(3) ? odd[random_below(8)] : random_next() >> random_below(64);
}

static void random_comm(char comm[EVENT_COMM_BYTES])
{
	for (size_t i = 0; i < EVENT_COMM_BYTES; i++)
		comm[i] = random_below(2) ? (char)random_next() : 0;
}

/* Details out of a few pieces that recur, some of them no details at all. */
static void random_detail(struct event *e, uint8_t *room)
{
	static const char text[] = "/usr/lib/gcc/x86_64-linux-gnu/12/cc1\0-quiet\0-I.\0";
	struct detail detail = { 0 };
	size_t bytes;

	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++) {
		if (!random_below(3))
			continue;
		detail.field[tag].state = (uint8_t)(1 + random_below(random_below(9) ? 4 : 200));
		detail.field[tag].bytes = random_below(2) ? random_below(40) : 0;
		if (detail.field[tag].bytes > 0)
			detail.field[tag].data = (const uint8_t *)text + random_below(8);
	}
	if (detail_pack(&detail, room, 512, &bytes) != 0 || bytes == 0)
		return;
	if (!random_below(5)) /* noise, and often no whole field at the end */
		room[random_below((uint32_t)bytes)] ^= (uint8_t)(1 + random_below(255));
	e->detail = room;
	e->detail_bytes = (uint32_t)bytes;
}

static void random_event(struct event *e, uint8_t *room)
{
	static const uint8_t kinds[] = { 1, 1, 1, 2, 2,  9,  9,  9,  3,  4, 5,
					 6, 7, 8, 0, 31, 20, 32, 34, 37, 63 };

	*e = (struct event){ .kind = kinds[random_below(sizeof(kinds))] };
	e->timestamp_ns = random_below(10) ? random_below(1 << 20) : random_number();
	e->cpu = random_below(10) ? random_below(4) : (uint32_t)random_number();
	e->seq = random_below(10) ? random_below(100) : (uint32_t)random_number();
	e->tid = random_tid();
	e->pid = random_below(3) ? e->tid : random_tid();
	if (e->kind == EVENT_COMM) {
		random_comm(e->comm);
	} else if (random_below(3)) {
		e->ptid = random_tid();
		e->ppid = random_below(2) ? e->ptid : random_tid();
	}
	for (size_t i = 0; i < EVENT_ARG_COUNT && random_below(3); i++)
		e->arg[i] = random_number();
	if (!random_below(50))
		random_comm(
			e->comm); /* no kind but comm has a name: it must come back all the same */
	if (!random_below(20)) {
		e->raw = room;
		e->raw_bytes = 1 + random_below(200);
	}
	if (!random_below(3))
		random_detail(e, room);
}

static void test_hostile(void)
{
	static uint8_t rooms[MANY][512];
	size_t wrong = 0, rounds = 20;

	for (size_t round = 0; round < rounds; round++) {
		random_state = 88172645463325252u + round;
		for (size_t i = 0; i < MANY; i++)
			random_event(&events[i], rooms[i]);
		wrong += count_wrong(1 + random_below(MANY), OUT_BYTES, NULL) != 0;
	}
	ok(wrong == 0, "events of random fields come back (%zu blocks)", rounds);
}

static void test_longest(void)
{
	static uint8_t blob[EVENT_DETAIL_MAX_BYTES];
	static const char names[][4] = { "raw", "own" };
	size_t bytes = 0;

	for (size_t i = 0; i < sizeof(blob); i++)
		blob[i] = (uint8_t)(i * 2654435761u >> 11);
	for (size_t i = 0; i < 2; i++) {
		events[i] = (struct event){ .kind = i ? EVENT_START : EVENT_UNKNOWN,
					    .raw = blob,
					    .detail = blob,
					    .raw_bytes = EVENT_RAW_MAX_BYTES,
					    .detail_bytes = EVENT_DETAIL_MAX_BYTES };
		ok(count_wrong(i + 1, RING_PAYLOAD_MAX_BYTES, &bytes) == 0,
		   "the longest %s event there is fits a slot and comes back", names[i]);
	}
	for (size_t i = 0; i < 600; i++)
		events[i] = events[1];
	ok(block_pack(packer, events, 600, NULL, 0, out, OUT_BYTES, &bytes, &bytes) == BLOCK_FULL &&
		   count_wrong(400, OUT_BYTES, NULL) == 0,
	   "a block takes 8 MiB of datagrams and details, not more, however small they become");
}

static void test_shared_strings(void)
{
	static uint8_t path[250], packed[300];
	struct detail detail = { 0 };
	size_t once = 0, often = 0, bytes = 0, wrong;

	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = (uint8_t)(i * 2654435761u >> 9);
	detail.field[DETAIL_CGROUP] = (struct detail_field){ path, sizeof(path), DETAIL_READ };
	detail.field[DETAIL_CWD] = (struct detail_field){ NULL, 0, DETAIL_READ };
	(void)detail_pack(&detail, packed, sizeof(packed), &bytes);
	for (size_t i = 0; i < 1000; i++) {
		events[i] = (struct event){ .kind = EVENT_EXEC, .seq = (uint32_t)i };
		events[i].detail = packed;
		events[i].detail_bytes = (uint32_t)bytes;
	}
	wrong = count_wrong(1, OUT_BYTES, &once) + count_wrong(1000, OUT_BYTES, &often);
	ok(wrong == 0 && once > sizeof(path) && often < once + 400,
	   "a string that comes again costs next to nothing (%zu bytes once, %zu a thousand times)",
	   once, often);
}

static void small_events(size_t count)
{
	random_state = 4711;
	for (size_t i = 0; i < count; i++) {
		static uint8_t rooms[64][512];

		random_event(&events[i], rooms[i % 64]);
	}
}

static void test_limits(void)
{
	size_t bytes = 7, raw_bytes = 8, whole, wrong = 0, over = 0, back_count, keyframe_bytes;
	static const uint8_t keyframe[] = "a keyframe's piece";

	ok(block_pack(packer, events, BLOCK_EVENTS_MAX + 1, NULL, 0, out, OUT_BYTES, &bytes,
		      &raw_bytes) == -EINVAL,
	   "more events than a block may have are refused");
	small_events(30);
	events[5].kind = EVENT_KIND_LIMIT;
	ok(block_pack(packer, events, 30, NULL, 0, out, OUT_BYTES, &bytes, &raw_bytes) == -EINVAL &&
		   bytes == 7 && raw_bytes == 8,
	   "as is a kind that cannot be");
	small_events(30);
	ok(block_pack(packer, events, 30, keyframe, sizeof(keyframe), out, OUT_BYTES, &whole,
		      &raw_bytes) == 0 &&
		   block_unpack(block, out, whole, 1, 30) == 0 &&
		   block_keyframe(block, &keyframe_bytes) && keyframe_bytes == sizeof(keyframe) &&
		   memcmp(block_keyframe(block, &bytes), keyframe, sizeof(keyframe)) == 0,
	   "a piece of keyframe comes back beside the events");
	for (size_t capacity = 0; capacity < whole; capacity++) {
		memset(out + capacity, 0xee, 16);
		wrong += block_pack(packer, events, 30, keyframe, sizeof(keyframe), out, capacity,
				    &bytes, &raw_bytes) != BLOCK_FULL;
		for (size_t i = 0; i < 16; i++)
			over += out[capacity + i] != 0xee;
	}
	ok(wrong == 0 && over == 0,
	   "where it does not fit nothing is written behind the end (%zu sizes)", whole);
	ok(block_pack(packer, events, 30, keyframe, sizeof(keyframe), out, whole + 1, &bytes,
		      &raw_bytes) == 0,
	   "in its size it does (zlib wants a byte to spare)");
	ok(block_pack(packer, NULL, 0, NULL, 0, out, OUT_BYTES, &bytes, &raw_bytes) == 0 &&
		   block_unpack(block, out, bytes, 1, 0) == 0 &&
		   (block_events(block, &back_count), back_count == 0) &&
		   !block_keyframe(block, &keyframe_bytes) && keyframe_bytes == 0,
	   "a block may be empty");
}

static void test_damage(void)
{
	enum { EVENTS = 50 };
	size_t bytes, raw_bytes, wrong = 0, refused = 0, count;
	uint8_t *copy;

	small_events(EVENTS);
	if (block_pack(packer, events, EVENTS, NULL, 0, out, OUT_BYTES, &bytes, &raw_bytes) != 0 ||
	    !(copy = malloc(bytes))) {
		ok(false, "a block to be damaged");
		return;
	}
	for (size_t cut = 0; cut < bytes; cut++) {
		/* at the end of the heap block, so that a sanitizer sees a byte too far */
		memcpy(copy + bytes - cut, out, cut);
		wrong += block_unpack(block, copy + bytes - cut, cut, 1, EVENTS) != -EBADMSG;
	}
	ok(wrong == 0, "cut short anywhere it is refused (%zu lengths)", bytes);
	memcpy(copy, out, bytes);
	for (size_t bit = 0; bit < bytes * 8; bit++) {
		int r;

		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		r = block_unpack(block, copy, bytes, 1, EVENTS);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)block_events(block, &count);
		refused += r < 0;
		wrong += r > 0 || count != (r < 0 ? 0 : EVENTS);
	}
	/* whether the bytes are the right ones is for the CRC of the slot; here they must do no harm */
	ok(wrong == 0, "a flipped bit is refused (%zu of %zu) or gives as many events", refused,
	   bytes * 8);
	ok(block_unpack(block, out, bytes, 1, EVENTS) == 0,
	   "the same block, whole, is read after all that");
	ok(block_unpack(block, out, bytes, 1, EVENTS - 1) == -EBADMSG &&
		   block_unpack(block, out, bytes, 1, EVENTS + 1) == -EBADMSG &&
		   block_unpack(block, out, bytes, 1, SIZE_MAX) == -EBADMSG,
	   "a count that is not the block's is refused");
	free(copy);
}

/* --- payloads by hand --- */

static void put_entry(struct writer *w, uint8_t column, uint8_t codec, uint32_t raw,
		      uint32_t stored)
{
	write_u8(w, column);
	write_u8(w, codec);
	write_u16(w, 0);
	write_u32(w, raw);
	write_u32(w, stored);
}

/* The directory of two events NONE at time 5 on CPU 0, with `more` entries to come. */
static struct writer two_events(unsigned more)
{
	struct writer w = writer_make(out, OUT_BYTES);

	write_u16(&w, (uint16_t)(5 + more));
	write_u16(&w, 0);
	put_entry(&w, 1, 0, 2, 2);
	put_entry(&w, 2, 0, 2, 2);
	put_entry(&w, 3, 0, 2, 2);
	put_entry(&w, 4, 0, 8, 8);
	put_entry(&w, 28, 0, 2, 2);
	return w;
}

static void two_events_data(struct writer *w)
{
	write_bytes(w, "\0\0", 2);             /* kind none */
	write_bytes(w, "\200\200", 2);         /* fields by shape, seq as expected */
	write_bytes(w, "\1\1", 2);             /* CPU 0 */
	write_bytes(w, "\5\0\0\0\0\0\0\0", 8); /* time base, and no planes: no difference */
	write_bytes(w, "\0\0", 2);             /* no field is there */
}

/* What unpacking says of the two events with one column more, whose bytes are data; NULL: they are not there. */
static int unpack_with(uint8_t column, uint8_t codec, uint32_t raw_bytes, uint32_t stored_bytes,
		       const char *data)
{
	struct writer w = two_events(1);

	put_entry(&w, column, codec, raw_bytes, stored_bytes);
	two_events_data(&w);
	if (data)
		write_bytes(&w, data, stored_bytes);
	return block_unpack(block, out, w.bytes, 9, 2);
}

static void test_directory(void)
{
	struct writer w = two_events(0);
	const struct event *back;
	size_t count;

	two_events_data(&w);
	back = block_unpack(block, out, w.bytes, 9, 2) == 0 ? block_events(block, &count) : NULL;
	ok(back && back[1].event_no == 10 && back[1].timestamp_ns == 5 && back[1].seq == 2 &&
		   back[1].cpu == 0 && back[1].kind == EVENT_NONE,
	   "a payload written by hand after FORMAT.md is read");
	ok(block_unpack(block, out, w.bytes + 1, 9, 2) == -EBADMSG,
	   "a byte behind the columns is refused");
	ok(unpack_with(255, 77, 1u << 31, 3, "???") == 0, "a column of a later version is skipped");
	ok(unpack_with(29, 2, 5, 3, "???") == -EPROTONOSUPPORT,
	   "a known column in a codec of a later version is told apart");
	ok(unpack_with(28, 0, 2, 2, "\0\0") == -EBADMSG, "a column that comes twice is refused");
	ok(unpack_with(29, 0, 1, 1, "\0") == -EBADMSG, "as is one with more than the events take");
	ok(unpack_with(29, 1, UINT32_MAX, 2, "\3\0") == -EBADMSG,
	   "or one that says it would become 4 GiB");
	ok(unpack_with(29, 0, 8, UINT32_MAX, NULL) == -EBADMSG,
	   "or one that would end past the payload");
	ok(unpack_with(6, 0, 2, 2, "\0\0") == -EBADMSG, "or a time plane without those below it");
	ok(unpack_with(5, 0, 3, 3, "\0\0\0") == -EBADMSG,
	   "or one that is not a byte for each event");
	ok(block_unpack(block, out, 3, 9, 0) == -EBADMSG &&
		   block_unpack(block, out, 0, 9, 0) == -EBADMSG,
	   "or no directory at all");
}

/* The same two events, the column SHAPE deflated: two zeros, as deflate's own stored block. */
static int unpack_deflated(uint32_t raw_bytes, const char *data, uint32_t stored_bytes)
{
	struct writer w = writer_make(out, OUT_BYTES);

	write_u16(&w, 5);
	write_u16(&w, 0);
	put_entry(&w, 28, 1, raw_bytes, stored_bytes);
	put_entry(&w, 1, 0, 2, 2);
	put_entry(&w, 2, 0, 2, 2);
	put_entry(&w, 3, 0, 2, 2);
	put_entry(&w, 4, 0, 8, 8);
	write_bytes(&w, data, stored_bytes);
	two_events_data(&w);
	return block_unpack(block, out, w.bytes - 2, 9, 2);
}

static void test_deflated(void)
{
	ok(unpack_deflated(2, "\1\2\0\375\377\0\0", 7) == 0, "a deflated column is inflated");
	ok(unpack_deflated(2, "\1\1\0\376\377\0", 6) == -EBADMSG,
	   "one that gives less than it says is refused");
	ok(unpack_deflated(2, "\1\3\0\374\377\0\0\0", 8) == -EBADMSG, "as is one that gives more");
	ok(unpack_deflated(2, "\1\2\0\375\377\0\0!", 8) == -EBADMSG,
	   "or one with a byte behind its end");
	ok(unpack_deflated(2, "\7", 1) == -EBADMSG, "or one that is no deflate at all");
}

static void test_reuse(void)
{
	size_t bytes, again, raw_bytes;
	uint8_t *copy;

	small_events(MANY);
	if (block_pack(packer, events, MANY, NULL, 0, out, OUT_BYTES, &bytes, &raw_bytes) != 0 ||
	    !(copy = malloc(bytes)))
		return;
	memcpy(copy, out, bytes);
	(void)block_pack(packer, events + 100, 500, NULL, 0, out, OUT_BYTES, &again, &raw_bytes);
	ok(block_pack(packer, events, MANY, NULL, 0, out, OUT_BYTES, &again, &raw_bytes) == 0 &&
		   again == bytes && memcmp(copy, out, bytes) == 0,
	   "a block does not depend on the ones packed before");
	free(copy);
}

int main(void)
{
	packer = block_packer_new();
	block = block_new();
	out = malloc(OUT_BYTES);
	events = calloc(BLOCK_EVENTS_MAX + 1, sizeof(*events));
	if (!packer || !block || !out || !events)
		return 1;
	test_captures();
	test_hostile();
	test_longest();
	test_shared_strings();
	test_limits();
	test_damage();
	test_directory();
	test_deflated();
	test_reuse();
	block_packer_free(packer);
	block_free(block);
	free(out);
	free(events);
	block_packer_free(NULL);
	block_free(NULL);
	return done_testing();
}
