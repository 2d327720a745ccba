/* test_clock.c - when the clocks are worth an event. */
#include "recorder/clock.h"

#include <unistd.h>

#include "tests/tap.h"

#define S UINT64_C(1000000000)

static void test_due(void)
{
	const struct clock_reading last = { 100 * S, 100 * S, 1700000000 * S };
	struct clock_reading now = { 100 * S + 1, 100 * S + 1, 1700000000 * S + 1 };
	unsigned reason = 99;

	ok(!clock_due(&last, &now, false, &reason) && reason == 99,
	   "right after it nothing is due");
	ok(clock_due(&last, &now, true, &reason) && reason == EVENT_CLOCK_STEP,
	   "when the wall clock was set an event is due at once");
	now.monotonic_ns = now.boottime_ns = 160 * S - 1;
	ok(!clock_due(&last, &now, false, &reason), "before a minute is over nothing is due");
	now.monotonic_ns = now.boottime_ns = 160 * S;
	ok(clock_due(&last, &now, false, &reason) && reason == EVENT_CLOCK_PERIODIC,
	   "after a minute one is");
	now.monotonic_ns = 101 * S;
	now.boottime_ns = 1101 * S;
	ok(clock_due(&last, &now, true, &reason) && reason == EVENT_CLOCK_RESUME,
	   "BOOTTIME running ahead is a resume, also where the wall clock was set with it");
	now.boottime_ns = 101 * S + 400;
	ok(!clock_due(&last, &now, false, &reason),
	   "reading the clocks one after the other is no suspend");
	now.boottime_ns = 101 * S - 400;
	ok(!clock_due(&last, &now, false, &reason) && clock_suspended_ns(&now) == 0,
	   "nor is BOOTTIME a little behind");
}

static void test_read(void)
{
	struct clock_reading one, two;
	struct event event;
	int fd = clock_step_open();

	clock_read(&one);
	clock_read(&two);
	ok(two.monotonic_ns >= one.monotonic_ns && two.boottime_ns >= one.boottime_ns &&
		   two.monotonic_ns - one.monotonic_ns < 10 * S,
	   "the clocks are read, and run");
	ok(one.realtime_ns > 1600000000 * S, "the wall clock is one");
	event = clock_event(&one, EVENT_CLOCK_AT_START);
	ok(event.kind == EVENT_CLOCK && event.timestamp_ns == one.monotonic_ns &&
		   event.cpu == EVENT_CPU_NONE && event.arg[0] == one.boottime_ns &&
		   event.arg[1] == one.realtime_ns && event.arg[2] == EVENT_CLOCK_AT_START,
	   "a CLOCK event holds all three and why");
	ok(fd >= 0 && !clock_step_take(fd), "nobody has set the clock");
	(void)close(fd);
}

int main(void)
{
	test_due();
	test_read();
	return done_testing();
}
