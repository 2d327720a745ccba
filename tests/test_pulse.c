/* test_pulse.c - when silence is suspected, and when not. */
#include "recorder/pulse.h"

#include "tests/tap.h"

#define S  UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static void test_heard(void)
{
	struct pulse *pulse = pulse_new(2, 10 * S);
	bool silent = false;

	ok(!pulse_silent(pulse, 1000 * S) && pulse_good_ns(pulse) == 10 * S,
	   "where nothing is sent nothing is missed");
	for (uint64_t at = 11 * S; at < 100 * S; at += S) {
		pulse_note(pulse, 0, at, at + 20000);
		pulse_note(pulse, 1, at + 1, at + 30000);
		silent |= pulse_silent(pulse, at + 999 * MS);
	}
	ok(!silent && pulse_good_ns(pulse) == 99 * S + 20000,
	   "canaries that come back are a pulse");
	for (uint64_t at = 100 * S; at < 200 * S; at += S) {
		pulse_note(pulse, 0, at, at - 1000000);
		pulse_note(pulse, 1, at, at - 1000000);
		silent |= pulse_silent(pulse, at + 50 * MS);
	}
	ok(!silent, "so are canaries that come back late, each before the next one is sent");
	for (uint64_t at = 200 * S; at < 300 * S; at += S) {
		pulse_note(pulse, 0, at, at - 999 * MS);
		silent |= pulse_silent(pulse, at + 500 * MS);
	}
	ok(!silent, "even when the socket is a whole period behind");
	pulse_free(pulse);
}

static void test_silent(void)
{
	struct pulse *pulse = pulse_new(4, 10 * S);

	pulse_note(pulse, 0, 11 * S, 11 * S + 5);
	pulse_note(pulse, 3, 11 * S, 11 * S + 7);
	pulse_note(pulse, 0, 12 * S, 12 * S + 5);
	pulse_note(pulse, 3, 12 * S, 11 * S + 7);
	ok(!pulse_silent(pulse, 12 * S + 999 * MS),
	   "one canary that does not come back is not silence");
	pulse_note(pulse, 0, 13 * S, 13 * S + 5);
	pulse_note(pulse, 3, 13 * S, 11 * S + 7);
	ok(!pulse_silent(pulse, 13 * S + 99 * MS),
	   "nor are two while the second may be on its way");
	ok(pulse_silent(pulse, 13 * S + 100 * MS), "then they are, on one CPU of several too");
	ok(pulse_good_ns(pulse) == 11 * S + 7, "and all was well until that CPU was heard last");
	pulse_note(pulse, 3, 13 * S, 12 * S + 500 * MS);
	ok(!pulse_silent(pulse, 13 * S + 200 * MS), "anything that comes from it takes that back");
	pulse_note(pulse, 3, 14 * S, 12 * S + 500 * MS);
	ok(pulse_silent(pulse, 14 * S + 200 * MS), "until the next two are missing");
	pulse_note(pulse, 3, 15 * S, 12 * S + 500 * MS);
	ok(pulse_silent(pulse, 15 * S), "a third one need not be waited for");
	pulse_restart(pulse, 15 * S + 300 * MS);
	ok(!pulse_silent(pulse, 20 * S) && pulse_good_ns(pulse) == 15 * S + 300 * MS,
	   "a new socket begins anew");
	pulse_note(pulse, 3, 14 * S, 0);
	pulse_note(pulse, 3, 15 * S + 100 * MS, 0);
	pulse_note(pulse, 3, 15 * S + 200 * MS, 0);
	ok(!pulse_silent(pulse, 20 * S), "what was sent before it is not waited for");
	pulse_note(pulse, 3, 16 * S, 0);
	pulse_note(pulse, 3, 17 * S, 0);
	ok(pulse_silent(pulse, 18 * S), "what is sent after it is");
	pulse_note(pulse, 4, 1, 1);
	pulse_note(pulse, UINT32_MAX, 1, 1);
	ok(pulse_silent(pulse, 18 * S), "CPUs beyond all are not looked at");
	pulse_free(pulse);
}

static void test_often(void)
{
	struct pulse *pulse = pulse_new(2, 10 * S);

	pulse_note(pulse, 0, 11 * S, 11 * S + 5);
	pulse_note(pulse, 0, 11 * S, 11 * S - 5);
	ok(pulse_good_ns(pulse) == 11 * S + 5, "an event that is a little late takes nothing back");
	for (uint64_t now = 12 * S; now < 13 * S; now += 50 * MS)
		pulse_note(pulse, 0, 12 * S, 11 * S + 5);
	ok(!pulse_silent(pulse, 14 * S), "a canary is one, however often it is told of");
	pulse_note(pulse, 0, 12 * S + 300 * MS, 11 * S + 5);
	ok(!pulse_silent(pulse, 12 * S + 999 * MS) && pulse_silent(pulse, 13 * S),
	   "two that follow soon are given the time of one");
	pulse_restart(pulse, 13 * S);
	pulse_note(pulse, 0, 12 * S + 300 * MS, 12 * S + 100 * MS);
	pulse_note(pulse, 0, 14 * S, 12 * S + 100 * MS);
	ok(!pulse_silent(pulse, 20 * S),
	   "on a new socket the first one that is missing is one, whatever came before");
	pulse_free(pulse);
}

int main(void)
{
	test_heard();
	test_silent();
	test_often();
	return done_testing();
}
