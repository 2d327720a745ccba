/* test_when.c - points in time as people write them. */
#include <errno.h>
#include <string.h>

#include "query/when.h"
#include "tests/tap.h"

#define S UINT64_C(1000000000)

/* Sunday, 22 November 2026, 08:18:41.123456789 UTC */
#define NOW_S UINT64_C(1795335521)
#define NOW   (NOW_S * S + 123456789)

/* Central Europe: an hour ahead, two from 29 March 2026 01:00 UTC to 25 October 2026 01:00 UTC. */
static int32_t europe(void *context, int64_t utc_s)
{
	(void)context;
	return utc_s >= 1774746000 && utc_s < 1792890000 ? 7200 : 3600;
}

static const struct when_here utc = { .now_ns = NOW };
static const struct when_here berlin = { .now_ns = NOW, .utc_offset_s = europe };

static void is_in(const struct when_here *here, const char *text, uint64_t wanted_ns)
{
	struct when when = { 0 };
	int r = when_parse(text, here, &when);

	ok(r == 0 && !when.mono && when.ns == wanted_ns, "'%s' is understood", text);
	if (r != 0 || when.ns != wanted_ns)
		printf("#      got: %d, %llu\n#   wanted: %llu\n", r, (unsigned long long)when.ns,
		       (unsigned long long)wanted_ns);
}

static bool zone_by_name(void *context, const char *zone, int64_t utc_s, int32_t *ret_s)
{
	if (strcmp(zone, "Europe/Berlin") != 0)
		return false;
	*ret_s = europe(context, utc_s);
	return true;
}

/* A local time that was twice. */
static void is_twice(const struct when_here *here, const char *text, uint64_t first_s,
		     uint64_t second_s)
{
	struct when when = { 0 };
	int r = when_parse(text, here, &when);

	ok(r == 0 && when.ns == first_s * S && when.also_ns == second_s * S,
	   "'%s' was twice: both are told", text);
}

static void is(const char *text, uint64_t wanted_ns)
{
	is_in(&utc, text, wanted_ns);
}

static void is_not(const char *text, int wanted)
{
	struct when when = { .ns = 77 };
	int r = when_parse(text, &utc, &when);

	ok(r == wanted && when.ns == 77, "'%s' is no time", text);
}

static void test_dates(void)
{
	is("2026-11-22 08:18:41", NOW_S * S);
	is("2026-11-22T08:18:41", NOW_S * S);
	is("2026-11-22 08:18:41.123456789", NOW);
	is("2026-11-22 08:18:41.5", NOW_S * S + S / 2);
	is("2026-11-22 08:18", (NOW_S - 41) * S);
	is("  2026-11-22 \t 08:18  ", (NOW_S - 41) * S);
	is("2026-11-22", UINT64_C(1795305600) * S);
	is("08:18:41", NOW_S * S);
	is("08:18", (NOW_S - 41) * S);
	is("1970-01-01", 0);
	is("2000-02-29 12:00", UINT64_C(951825600) * S);
	is("Sun 2026-11-22", UINT64_C(1795305600) * S);
	is("sunday, 2026-11-22", UINT64_C(1795305600) * S);
	is("today", UINT64_C(1795305600) * S);
	is("Yesterday", UINT64_C(1795219200) * S);
	is("tomorrow", UINT64_C(1795392000) * S);
	is("now", NOW);
}

static void test_words(void)
{
	const struct when_here booted = { .now_ns = NOW, .boot_ns = 4 * S };

	is("recent", NOW - 600 * S);
	is("this-hour", UINT64_C(1795334400) * S);
	is("this-week", UINT64_C(1795305600) * S); /* it is Sunday */
	is("week-ago", UINT64_C(1794700800) * S);
	is("this-month", UINT64_C(1793491200) * S);
	is("this-year", UINT64_C(1767225600) * S);
	is_in(&booted, "boot", 4 * S);
	is_not("boot", -EINVAL);
	is_in(&berlin, "this-year", UINT64_C(1767222000) * S);
}

static void test_named_zones(void)
{
	const struct when_here named = { .now_ns = NOW, .zone_offset_s = zone_by_name };

	is_in(&named, "2026-11-22 09:18:41 Europe/Berlin", NOW_S * S);
	is_in(&named, "2026-07-01 14:00 Europe/Berlin", UINT64_C(1782907200) * S);
	is_in(&named, "today Europe/Berlin", UINT64_C(1795302000) * S);
	is_not("2026-11-22 09:18:41 Europe/Berlin", -EINVAL);
	is_twice(&berlin, "2026-10-25 02:30", 1792888200, 1792891800);
	is_twice(&named, "2026-10-25 02:30:00.0 Europe/Berlin", 1792888200, 1792891800);
	is_twice(&berlin, "2026-10-25 01:59:59", 1792886399, 0);
	is_twice(&berlin, "2026-10-25 03:00", 1792893600, 0);
	is_twice(&berlin, "2026-10-25 02:30 +02:00", 1792888200, 0);
	is_in(&berlin, "2026-03-29 02:30", UINT64_C(1774747800) * S); /* never was: an hour on */
}

static void test_zones(void)
{
	is("2026-11-22 08:18:41 UTC", NOW_S * S);
	is("2026-11-22T08:18:41Z", NOW_S * S);
	is("2026-11-22 13:48:41 +05:30", NOW_S * S);
	is("2026-11-22 13:48:41+05:30", NOW_S * S);
	is("2026-11-22 13:48:41 +0530", NOW_S * S);
	is("2026-11-22 03:18:41-05", NOW_S * S);
	is("2026-11-22T13:48:41.123456789+05:30", NOW);
	is("2026-11-22 +01:00", UINT64_C(1795302000) * S);
	is_in(&berlin, "2026-11-22 09:18:41", NOW_S * S);
	is_in(&berlin, "2026-11-22 08:18:41 UTC", NOW_S * S);
	is_in(&berlin, "2026-07-01 00:00", UINT64_C(1782856800) * S);
	is_in(&berlin, "today", UINT64_C(1795302000) * S);
	is_in(&berlin, "2026-03-29 01:59:59", (UINT64_C(1774746000) - 1) * S);
	is_in(&berlin, "2026-03-29 03:00", UINT64_C(1774746000) * S);
	is_in(&berlin, "today UTC", UINT64_C(1795305600) * S);
}

static void test_relative(void)
{
	is("-1h", NOW - 3600 * S);
	is("+5min", NOW + 300 * S);
	is("11min ago", NOW - 660 * S);
	is("5s left", NOW + 5 * S);
	is("-2h 30min", NOW - 9000 * S);
	is("-2h30min", NOW - 9000 * S);
	is("2 hours 30 minutes ago", NOW - 9000 * S);
	is("-1.5h", NOW - 5400 * S);
	is("-1d 1w", NOW - 8 * 86400 * S);
	is("-5", NOW - 5 * S);
	is("-1ms", NOW - 1000000);
	is("-3us", NOW - 3000);
	is("-3\302\265s", NOW - 3000);
	is("-7ns", NOW - 7);
	is("-1M", NOW - 2629800 * S);
	is("-1m", NOW - 60 * S);
	is("-1y", NOW - 31557600 * S);
}

static void test_raw(void)
{
	struct when when;

	is("@1795335521", NOW_S * S);
	is("@1795335521.123456789", NOW);
	is("@0", 0);
	ok(when_parse("@mono:18446744073709551615", &utc, &when) == 0 && when.mono &&
		   when.ns == UINT64_MAX,
	   "a raw time stamp may be any 64-bit number");
}

static void test_refused(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"x",
		"2026-13-01",
		"2026-02-29",
		"2026-00-10",
		"2026-01-00",
		"2026-1",
		"24:00",
		"12:60",
		"12:00:60",
		"12:00:00.",
		"12:00:00.1234567890",
		"12",
		"Mon 2026-11-22",
		"Sun 12:00",
		"2026-11-22T",
		"2026-11-22 12:00 CET",
		"2026-11-22 12:00+15:00",
		"2026-11-22 12:00+05:60",
		"2026-11-22x12:00",
		"-",
		"+",
		"ago",
		" ago",
		"-1x",
		"-h",
		"1h",
		"-1h-",
		"@",
		"@x",
		"@mono:",
		"@mono:-1",
		"@mono:1x",
		"@mono:18446744073709551616",
		"@1.",
		"@1.1234567890",
		"--1h",
		"-99999999999999999999h",
		"2026-11-22 12:00:00 12:00",
	};
	char long_text[4096];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_not(bad[i], -EINVAL);
	memset(long_text, '1', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ok(when_parse(long_text, &utc, &(struct when){ 0 }) == -EINVAL, "a novel is no time");
	is_not("1969-12-31", -ERANGE);
	is_not("-100y", -ERANGE);
	is_not("+550y", -ERANGE);
	is_not("9999-01-01", -ERANGE);
	is_not("@99999999999999999", -ERANGE);
}

static void format_is(const struct when_here *here, uint64_t ns, unsigned digits,
		      const char *wanted)
{
	char text[WHEN_TEXT_BYTES];

	when_format(ns, digits, here, text);
	ok(strcmp(text, wanted) == 0, "%s is written so", wanted);
	if (strcmp(text, wanted) != 0)
		printf("# got: %s\n", text);
}

static void test_format(void)
{
	char text[WHEN_TEXT_BYTES], wrong[WHEN_TEXT_BYTES] = "";
	struct when back;
	size_t wrong_count = 0;

	format_is(&utc, NOW, 9, "2026-11-22 08:18:41.123456789+00:00");
	format_is(&utc, NOW, 3, "2026-11-22 08:18:41.123+00:00");
	format_is(&berlin, NOW, 0, "2026-11-22 09:18:41+01:00");
	format_is(&utc, 0, 9, "1970-01-01 00:00:00.000000000+00:00");
	format_is(&utc, UINT64_MAX, 9, "2554-07-21 23:34:33.709551615+00:00");
	/* every day of 130 years, and an odd time in it */
	for (uint64_t day = 0; day < 47482; day++) {
		uint64_t ns = day * 86400 * S + day * 1234567891;

		when_format(ns, 9, &berlin, text);
		if (when_parse(text, &berlin, &back) != 0 || back.ns != ns) {
			wrong_count++;
			memcpy(wrong, text, sizeof(wrong));
		}
	}
	ok(wrong_count == 0, "what is written is read back the same, on every day for 130 years");
	if (wrong_count > 0)
		printf("# %zu, e.g. %s\n", wrong_count, wrong);
	when_format_mono(UINT64_MAX, text);
	ok(when_parse(text, &utc, &back) == 0 && back.mono && back.ns == UINT64_MAX,
	   "so is a raw time stamp");
}

static void span_is(uint64_t ns, const char *wanted)
{
	char text[WHEN_TEXT_BYTES];

	when_format_span(ns, text);
	ok(strcmp(text, wanted) == 0, "a span of %s (%s)", wanted, text);
}

int main(void)
{
	test_dates();
	test_zones();
	test_words();
	test_named_zones();
	test_relative();
	test_raw();
	test_refused();
	test_format();
	span_is(0, "0ns");
	span_is(1234, "1.2us");
	span_is(600000, "600.0us");
	span_is(12345678, "12.3ms");
	span_is(59999 * S / 1000, "59.9s");
	span_is(200 * S, "3min 20s");
	span_is(7500 * S, "2h 5min");
	span_is(UINT64_C(1047600) * S, "12d 3h");
	return done_testing();
}
