/* test_overtaken.c - what later datagrams of a batch say about an EXEC, and what a landing zone still holds. */
#include "recorder/overtaken.h"

#include <string.h>

#include "recorder/landing.h"
#include "schema/detail.h"
#include "schema/ring_format.h"
#include "schema/wire.h"
#include "tests/tap.h"

enum { SLOTS = 8 };

static uint8_t slots[SLOTS * RING_LANDING_SLOT_BYTES];
static uint32_t lengths[SLOTS];
static size_t count;

static void put(struct event event)
{
	size_t bytes = 0;

	if (wire_encode(&event, slots + count * RING_LANDING_SLOT_BYTES, RING_LANDING_SLOT_BYTES,
			&bytes) < 0)
		abort();
	lengths[count++] = (uint32_t)bytes;
}

static void put_kind(uint8_t kind, uint32_t pid, uint32_t tid)
{
	put((struct event){ .kind = kind, .pid = pid, .tid = tid, .seq = (uint32_t)count + 1 });
}

static uint32_t fields(size_t at)
{
	const struct overtaken_batch batch = { slots, RING_LANDING_SLOT_BYTES, lengths, count };

	return overtaken_fields(&batch, at);
}

static void test_overtaken(void)
{
	count = 0;
	put_kind(EVENT_EXEC, 10, 10);
	put_kind(EVENT_FORK, 11, 11);
	put_kind(EVENT_COMM, 11, 11);
	ok(fields(0) == 0, "an EXEC behind which others only do things is not overtaken");
	ok(fields(1) == 0 && fields(2) == 0, "what is no EXEC has nothing to be overtaken");
	put_kind(EVENT_COMM, 10, 12);
	ok(fields(0) == 0, "a name given to a thread leaves its process alone");
	put_kind(EVENT_COMM, 10, 10);
	ok(fields(0) == 1u << DETAIL_COMM, "a new name makes the one read useless, nothing else");
	put_kind(EVENT_GID, 10, 10);
	ok(fields(0) == (1u << DETAIL_COMM | 1u << DETAIL_IDS), "a new id likewise");
	put_kind(EVENT_EXEC, 10, 10);
	ok(fields(0) >> DETAIL_EXE & 1 && fields(0) >> DETAIL_ARGV & 1 &&
		   fields(0) >> DETAIL_CGROUP & 1,
	   "another EXEC overtakes every field");
	ok(fields(6) == 0, "the last one of a batch is never overtaken");
	lengths[6] = 0;
	ok(fields(6) == 0 && !(fields(0) >> DETAIL_EXE & 1),
	   "a slot without length is not looked at");
}

static void test_salvage(void)
{
	struct gaps *gaps = gaps_new();
	uint32_t found[SLOTS];

	memset(slots, 0, sizeof(slots));
	ok(landing_salvage(slots, SLOTS, gaps, found) == 0, "an empty landing zone holds nothing");
	count = 0;
	put_kind(EVENT_FORK, 10, 10);
	put_kind(EVENT_EXEC, 10, 10);
	put_kind(EVENT_EXIT, 10, 10);
	ok(landing_salvage(slots, SLOTS, gaps, found) == 3 && found[0] == 76 && found[2] == 76 &&
		   found[3] == 0,
	   "what was received is found");
	gaps_baseline(gaps, 0, 2, 1);
	ok(landing_salvage(slots, SLOTS, gaps, found) == 1 && found[0] == 0 && found[1] == 0 &&
		   found[2] == 76,
	   "but not what was staged before");
	memset(slots + 2 * RING_LANDING_SLOT_BYTES, 0xff, RING_LANDING_SLOT_BYTES);
	ok(landing_salvage(slots, SLOTS, gaps, found) == 0, "nor what is no datagram");
	slots[2 * RING_LANDING_SLOT_BYTES] = 0;
	slots[2 * RING_LANDING_SLOT_BYTES + 1] = 1;
	slots[2 * RING_LANDING_SLOT_BYTES + 2] = slots[2 * RING_LANDING_SLOT_BYTES + 3] = 0;
	ok(landing_salvage(slots, SLOTS, gaps, found) == 0,
	   "a length of exactly a slot stays within it");
	gaps_free(gaps);
}

int main(void)
{
	test_overtaken();
	test_salvage();
	return done_testing();
}
