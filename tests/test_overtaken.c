/* test_overtaken.c - what the other datagrams of a batch say about an EXEC, and what a landing zone still holds. */
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
	put((struct event){ .kind = kind,
			    .pid = pid,
			    .tid = tid,
			    .seq = (uint32_t)count + 1,
			    .timestamp_ns = 1000 * (count + 1) });
}

/* Of the EXEC of process 10 in that slot, whose details were read at read_ns. */
static uint32_t fields(size_t at, uint64_t read_ns)
{
	const struct overtaken_batch batch = { .slots = slots,
					       .slot_bytes = RING_LANDING_SLOT_BYTES,
					       .lengths = lengths,
					       .count = count };
	const struct event exec = {
		.kind = EVENT_EXEC, .pid = 10, .tid = 10, .timestamp_ns = 1000 * (at + 1)
	};

	return overtaken_fields(&batch, &exec, read_ns);
}

static void test_overtaken(void)
{
	count = 0;
	put_kind(EVENT_EXEC, 10, 10);
	put_kind(EVENT_FORK, 11, 11);
	put_kind(EVENT_COMM, 11, 11);
	ok(fields(0, UINT64_MAX) == 0,
	   "an EXEC behind which others only do things is not overtaken");
	put_kind(EVENT_COMM, 10, 12);
	ok(fields(0, UINT64_MAX) == 0, "a name given to a thread leaves its process alone");
	put_kind(EVENT_COMM, 10, 10);
	ok(fields(0, UINT64_MAX) == 1u << DETAIL_COMM,
	   "a new name makes the one read useless, nothing else");
	ok(fields(0, 5000) == 1u << DETAIL_COMM && fields(0, 4999) == 0,
	   "unless it was read before");
	put_kind(EVENT_GID, 10, 10);
	ok(fields(0, UINT64_MAX) == (1u << DETAIL_COMM | 1u << DETAIL_IDS), "a new id likewise");
	put_kind(EVENT_EXEC, 10, 10);
	ok(fields(0, UINT64_MAX) >> DETAIL_EXE & 1 && fields(0, UINT64_MAX) >> DETAIL_ARGV & 1 &&
		   fields(0, UINT64_MAX) >> DETAIL_CGROUP & 1,
	   "another EXEC overtakes every field");
	ok(fields(6, UINT64_MAX) == 0, "what came before overtakes nothing");
	lengths[6] = 0;
	ok(!(fields(0, UINT64_MAX) >> DETAIL_EXE & 1), "a slot without length is not looked at");
	ok(overtaken_fields(NULL, &(struct event){ .kind = EVENT_EXEC }, UINT64_MAX) == 0,
	   "without a batch nothing is known to be overtaken");
}

static void test_number_given(void)
{
	count = 0;
	put_kind(EVENT_FORK, 10, 10);
	put_kind(EVENT_EXEC, 10, 10);
	put_kind(EVENT_FORK, 10, 13);
	put((struct event){ .kind = EVENT_FORK,
			    .pid = 11,
			    .tid = 11,
			    .ppid = 10,
			    .ptid = 10,
			    .timestamp_ns = 4000 });
	ok(fields(1, UINT64_MAX) == 0,
	   "its own birth, a thread and a child of it overtake nothing");
	put_kind(EVENT_FORK, 10, 10);
	ok(fields(1, UINT64_MAX) >> DETAIL_EXE & 1 && fields(1, UINT64_MAX) >> DETAIL_IDS & 1,
	   "where its number was given to another, every field is of that one");
	ok(fields(1, 4999) == 0, "unless it was read before");
}

/* Of an EXEC at 1 s, read at read_ns, where that is all that was received of both lanes. */
static bool known(uint64_t read_ns, uint64_t main_clear_ns, uint64_t names_clear_ns, bool empty)
{
	const struct overtaken_batch names = { .clear_ns = names_clear_ns, .empty = true };
	const struct overtaken_batch batch = { .next = &names,
					       .clear_ns = main_clear_ns,
					       .empty = empty };
	const struct event exec = { .kind = EVENT_EXEC, .timestamp_ns = 1000000000 };

	return overtaken_known(&batch, &exec, read_ns);
}

static void test_known(void)
{
	const uint64_t late_ns = 1000000001 + OVERTAKEN_SOON_NS;

	ok(known(late_ns - 1, 0, 0, false), "what is read at once needs no proof");
	ok(!known(late_ns, late_ns - 1, late_ns, true) &&
		   !known(late_ns, late_ns, late_ns - 1, true),
	   "what is read later is not known while what was sent by then may wait in a socket");
	ok(known(late_ns, late_ns, late_ns, false), "and is when that was received");
	ok(!known(UINT64_MAX, late_ns, late_ns, false) && known(UINT64_MAX, 0, 0, true),
	   "what is only read now wants empty sockets");
	ok(overtaken_known(NULL, &(struct event){ .kind = EVENT_EXEC }, UINT64_MAX),
	   "an import has none");
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
	test_number_given();
	test_known();
	test_salvage();
	return done_testing();
}
