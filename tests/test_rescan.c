/* test_rescan.c - when who lives is looked at again. */
#include "recorder/rescan.h"

#include "tests/tap.h"

#define S UINT64_C(1000000000)

static void test_start(void)
{
	struct rescan rescan = { .unsure = true };

	ok(!rescan_due(&rescan, 0, 1 * S) && !rescan_due(&rescan, 0, 5 * S) &&
		   rescan_due(&rescan, 0, 6 * S),
	   "at a start some time is given, too");
}

static void test_calm(void)
{
	ok(rescan_is_calm(0, 0) && rescan_is_calm(0, 1) && rescan_is_calm(7, S),
	   "it is calm where little comes");
	ok(rescan_is_calm(100, 5000000) && rescan_is_calm(20000, S),
	   "up to 20 events a millisecond");
	ok(!rescan_is_calm(101, 5000000) && !rescan_is_calm(20001, S) && !rescan_is_calm(1, 0),
	   "and not where more does");
}

int main(void)
{
	struct rescan rescan = { 0 };
	bool due = false;

	for (uint64_t at = 1; at < 1000; at++)
		due |= rescan_due(&rescan, 0, at * S);
	ok(!due, "nothing is lost: never");
	due = rescan_due(&rescan, 3, 1000 * S) || rescan_due(&rescan, 3, 1004 * S);
	ok(!due && rescan_due(&rescan, 3, 1005 * S), "some time after a loss");
	due = rescan_due(&rescan, 7, 1006 * S) || rescan_due(&rescan, 9, 1010 * S) ||
	      rescan_due(&rescan, 9, 1014 * S);
	ok(!due && rescan_due(&rescan, 9, 1015 * S), "not while more is lost");
	ok(rescan_done(&rescan, 1015 * S) == 9, "how many they were is told");
	for (uint64_t at = 1015; at < 1030; at++)
		due |= rescan_due(&rescan, 9, at * S);
	ok(!due, "once");
	due = rescan_due(&rescan, 10, 1030 * S) || rescan_due(&rescan, 10, 1074 * S);
	ok(!due && rescan_due(&rescan, 10, 1075 * S) && rescan_done(&rescan, 1075 * S) == 1,
	   "after the next loss, but not within a minute of the last time");
	rescan.unsure = true;
	ok(rescan_due(&rescan, 10, 1200 * S) && rescan_done(&rescan, 1200 * S) == 0 &&
		   !rescan_due(&rescan, 10, 1300 * S),
	   "and once where a run before may have ended too soon: how many is not known");
	test_start();
	test_calm();
	return done_testing();
}
