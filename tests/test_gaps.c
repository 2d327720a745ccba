/* test_gaps.c - the accounting of the kernel's per-CPU numbers. */
#include "recorder/gaps.h"

#include "tests/tap.h"

static int feed(struct gaps *gaps, uint32_t cpu, uint32_t seq, uint64_t ns, struct event *lost)
{
	const struct event event = {
		.kind = EVENT_FORK, .cpu = cpu, .seq = seq, .timestamp_ns = ns
	};

	return gaps_feed(gaps, &event, lost);
}

static void test_holes(void)
{
	struct gaps *gaps = gaps_new();
	struct event lost = { 0 };

	ok(feed(gaps, 0, 2336760, 10, &lost) == 0, "the first number of a CPU may be any");
	ok(feed(gaps, 0, 2336761, 20, &lost) == 0, "the next number follows");
	ok(feed(gaps, 1, 5, 25, &lost) == 0, "another CPU has numbers of its own");
	ok(feed(gaps, 0, 2336765, 30, &lost) == GAPS_LOST, "a hole is noticed");
	ok(lost.kind == EVENT_LOST && lost.event_no == 0 && lost.cpu == 0 && lost.seq == 2336762,
	   "the LOST event names the CPU and the first number that is missing");
	ok(lost.arg[0] == 3 && lost.arg[1] == 20 && lost.arg[2] == EVENT_LOST_GAP,
	   "it has the count, the time before the hole, and that this was while recording");
	ok(lost.timestamp_ns == 30, "its time is that of the event behind the hole");
	ok(feed(gaps, 0, 2336766, 31, &lost) == 0, "behind the hole counting goes on");
	ok(feed(gaps, 0, 2336766, 32, &lost) == GAPS_BACK, "the same number again is a step back");
	ok(feed(gaps, 0, 2336700, 32, &lost) == GAPS_BACK, "so is a smaller one");
	ok(feed(gaps, 0, 2336767, 33, &lost) == 0, "a step back changes nothing");
	ok(gaps_lost_recording(gaps) == 3 && gaps_lost_down(gaps) == 0, "the sums are kept");
	ok(!gaps_is_newer(gaps, 0, 2336767) && gaps_is_newer(gaps, 0, 2336768) &&
		   gaps_is_newer(gaps, 7, 0),
	   "whether a number is newer can be asked");
	gaps_restart(gaps);
	ok(feed(gaps, 0, 1, 40, &lost) == 0 && gaps_lost_recording(gaps) == 3,
	   "after a restart any number may come first, and the sums stay");
	gaps_free(gaps);
	gaps_free(NULL);
}

static void test_wrap(void)
{
	struct gaps *gaps = gaps_new();
	struct event lost = { 0 };

	(void)feed(gaps, 0, UINT32_MAX - 1, 1, &lost);
	ok(feed(gaps, 0, UINT32_MAX, 2, &lost) == 0 && feed(gaps, 0, 0, 3, &lost) == 0,
	   "the number wraps from 4294967295 to 0 without a hole");
	ok(feed(gaps, 0, 2, 4, &lost) == GAPS_LOST && lost.arg[0] == 1 && lost.seq == 1,
	   "a hole right behind the wrap is exact");
	(void)feed(gaps, 1, UINT32_MAX - 2, 1, &lost);
	ok(feed(gaps, 1, 3, 2, &lost) == GAPS_LOST && lost.arg[0] == 5 &&
		   lost.seq == UINT32_MAX - 1,
	   "so is one across it");
	gaps_free(gaps);
}

static void test_baseline(void)
{
	struct gaps *gaps = gaps_new();
	struct event lost = { 0 };

	gaps_baseline(gaps, 0, 100, 1000);
	gaps_baseline(gaps, 1, 50, 900);
	ok(feed(gaps, 0, 1101, 2000, &lost) == GAPS_LOST && lost.arg[0] == 1000 &&
		   lost.arg[1] == 1000 && lost.arg[2] == EVENT_LOST_DOWN,
	   "a hole that spans the start says that no recorder ran");
	ok(feed(gaps, 0, 1103, 2100, &lost) == GAPS_LOST && lost.arg[2] == EVENT_LOST_GAP,
	   "the next one was while recording");
	ok(feed(gaps, 1, 51, 2000, &lost) == 0, "a CPU where nothing was missed has no hole");
	ok(gaps_lost_down(gaps) == 1000 && gaps_lost_recording(gaps) == 1, "both sums are right");
	ok(gaps_is_known(gaps, 0, 100) && gaps_is_known(gaps, 1, 7) &&
		   !gaps_is_known(gaps, 0, 1102) && !gaps_is_known(gaps, 2, 1),
	   "what comes again from before the start is known; what is late since then is not");
	gaps_baseline_all(gaps);
	ok(feed(gaps, 0, 1105, 3000, &lost) == GAPS_LOST && lost.arg[2] == EVENT_LOST_DOWN,
	   "what a salvage has fed can be made a baseline too");
	gaps_baseline_all(gaps);
	ok(feed(gaps, 0, 1104, 3100, &lost) == GAPS_BACK && gaps_is_known(gaps, 0, 1104),
	   "what a new socket had before the last run ended is known");
	ok(feed(gaps, 0, 1105 + 3000000000u, 3500, &lost) == GAPS_LOST &&
		   lost.arg[0] == 2999999999u && lost.arg[2] == EVENT_LOST_DOWN &&
		   feed(gaps, 0, 1106 + 3000000000u, 3501, &lost) == 0 &&
		   !gaps_is_known(gaps, 0, 1107 + 3000000000u),
	   "numbers may have gone more than half their way while nobody recorded");
	gaps_baseline(gaps, 0, 1105, 3000);
	gaps_continue(gaps);
	ok(feed(gaps, 0, 1107, 4000, &lost) == GAPS_LOST && lost.arg[2] == EVENT_LOST_GAP &&
		   lost.arg[1] == 3000 && gaps_lost_recording(gaps) == 2,
	   "where the stream goes on, a hole that spans the start was lost while recording");
	ok(gaps_is_known(gaps, 0, 1107) && !gaps_is_known(gaps, 0, 1108),
	   "the newest is known, too: what landed may come again from a socket that was kept");
	(void)feed(gaps, 0, 1108, 4001, &lost);
	(void)feed(gaps, 0, 1109, 4002, &lost);
	ok(gaps_is_known(gaps, 0, 1107) && gaps_is_known(gaps, 0, 1108) &&
		   !gaps_is_known(gaps, 0, 1106) && !gaps_is_known(gaps, 0, 1110),
	   "so are those before it, up to the hole, in which one may be late");
	gaps_base_all(gaps);
	ok(gaps_is_known(gaps, 0, 1106) && !gaps_is_known(gaps, 0, 1110),
	   "what another socket gives again is known");
	gaps_free(gaps);
}

/* Of a socket that was kept much may come again; of a new one little, for its numbers may have gone round. */
static void test_reach(void)
{
	enum { MOST = 1 << 29 };
	struct gaps *gaps = gaps_new();
	struct event lost = { 0 };

	gaps_baseline(gaps, 0, 1, 10);
	ok(gaps_is_known(gaps, 0, 1u - MOST) && feed(gaps, 0, 1u - MOST, 20, &lost) == GAPS_BACK,
	   "what is far behind the last number of before this start is known");
	(void)feed(gaps, 1, 500, 10, &lost);
	gaps_baseline_all(gaps);
	ok(gaps_is_known(gaps, 1, 499) && feed(gaps, 1, 499, 20, &lost) == GAPS_BACK,
	   "so is what is a little behind where a new socket begins");
	ok(!gaps_is_known(gaps, 1, 500u - MOST) &&
		   feed(gaps, 1, 500u - MOST, 20, &lost) == GAPS_LOST &&
		   lost.arg[0] == UINT32_MAX - MOST && lost.arg[2] == EVENT_LOST_DOWN,
	   "but what is far behind that is ahead, the numbers having gone round");
	(void)feed(gaps, 2, 500, 10, &lost);
	(void)feed(gaps, 3, 1, 10, &lost);
	ok(gaps_is_known(gaps, 2, 500) && !gaps_is_known(gaps, 2, 499) &&
		   !gaps_is_known(gaps, 3, 0),
	   "before the first number of a CPU nothing is known");
	gaps_base_all(gaps);
	(void)feed(gaps, 2, 600, 20, &lost);
	ok(gaps_is_known(gaps, 2, 500) && gaps_is_known(gaps, 2, 500u - MOST) &&
		   !gaps_is_known(gaps, 2, 599),
	   "what one socket has given is known to the next, however far behind, and no more");
	ok(!gaps_is_known(gaps, 4, 0) && !gaps_is_known(gaps, 4, UINT32_MAX) &&
		   feed(gaps, 4, UINT32_MAX, 20, &lost) == 0,
	   "of a CPU that was never heard nothing is, whatever else was");
	gaps_free(gaps);
}

static void test_run(void)
{
	enum { COUNT = 100000, REMEMBERED = 1 << 16 };
	struct gaps *gaps = gaps_new();
	struct event lost = { 0 };

	for (uint32_t seq = 1; seq <= COUNT; seq++)
		(void)feed(gaps, 0, seq, seq, &lost);
	ok(gaps_is_known(gaps, 0, COUNT - REMEMBERED) &&
		   !gaps_is_known(gaps, 0, COUNT - REMEMBERED - 1),
	   "of those that came one behind the other 65,536 before the last are remembered");
	gaps_baseline(gaps, 1, 100, 1);
	gaps_continue(gaps);
	(void)feed(gaps, 1, 100 + 2000000, 2, &lost);
	(void)feed(gaps, 1, 100 + 2000002, 2, &lost);
	ok(gaps_is_known(gaps, 1, 50), "a baseline is not forgotten with the first million");
	(void)feed(gaps, 1, 100 + 1500000000u, 3, &lost);
	(void)feed(gaps, 1, 100 + 3000000000u, 4, &lost);
	ok(!gaps_is_known(gaps, 1, 100 + 3300000000u) &&
		   feed(gaps, 1, 100 + 3300000000u, 5, &lost) == GAPS_LOST,
	   "but before numbers that go round come near it from behind");
	gaps_free(gaps);
}

static void test_asked(void)
{
	struct gaps *gaps = gaps_new();
	struct event lost = { 0 };

	(void)feed(gaps, 0, 10, 1000, &lost);
	ok(gaps_follows(gaps, 0, 11) && gaps_follows(gaps, 0, 10) && gaps_follows(gaps, 0, 3) &&
		   !gaps_follows(gaps, 0, 12),
	   "nothing can be missing before the next number, nor before one that is not newer");
	ok(!gaps_follows(gaps, 1, 0) && !gaps_follows(gaps, 1, 1) &&
		   !gaps_follows(gaps, 1, UINT32_MAX),
	   "before the first of a CPU, whatever its number, something can");
	ok(gaps_follows(gaps, UINT32_MAX, 12) && gaps_is_newer(gaps, UINT32_MAX, 10) &&
		   !gaps_is_known(gaps, UINT32_MAX, 10),
	   "a CPU that is not accounted for has nothing to wait for and nothing that is old");
	ok(gaps_last_ns(gaps, 0) == 1000 && gaps_last_ns(gaps, 1) == 0 &&
		   gaps_last_ns(gaps, UINT32_MAX) == 0,
	   "when a CPU was heard last can be asked");
	gaps_free(gaps);
}

static void test_hostile(void)
{
	struct gaps *gaps = gaps_new();
	struct event lost = { 0 };
	uint64_t sum = 0;
	uint32_t seq = 0, random = 1;

	ok(feed(gaps, UINT32_MAX, 7, 1, &lost) == 0 && feed(gaps, UINT32_MAX, 3, 1, &lost) == 0,
	   "a CPU beyond all (the ack of old kernels) is not accounted for");
	ok(feed(gaps, GAPS_CPU_LIMIT, 9, 1, &lost) == 0 &&
		   feed(gaps, GAPS_CPU_LIMIT - 1, 9, 1, &lost) == 0 &&
		   feed(gaps, GAPS_CPU_LIMIT - 1, 11, 1, &lost) == GAPS_LOST,
	   "the last CPU that is accounted for is the one below the limit");
	gaps_baseline(gaps, UINT32_MAX, 1, 1);
	gaps_baseline(gaps, GAPS_CPU_LIMIT, 1, 76);
	(void)feed(gaps, 0, seq, 1, &lost);
	for (unsigned i = 0; i < 100000; i++) {
		random = random * 1664525u + 1013904223u;
		seq += 1 + (random >> 24);
		if (feed(gaps, 0, seq, i, &lost) == GAPS_LOST)
			sum += lost.arg[0];
	}
	ok(sum == seq - 100000 && gaps_lost_recording(gaps) == sum + 1,
	   "100,000 holes of any size add up to what is missing");
	gaps_free(gaps);
}

int main(void)
{
	test_holes();
	test_wrap();
	test_baseline();
	test_reach();
	test_run();
	test_asked();
	test_hostile();
	return done_testing();
}
