/* when.h - points in time and spans as people write and read them.  Pure: what the time is now and where we are is given.
 *
 * A point in time, as journalctl takes it (systemd.time(7)), with nanoseconds:
 *   [WEEKDAY] YYYY-MM-DD[ T]HH:MM[:SS[.nnnnnnnnn]] [ZONE], the date alone (midnight) or the time alone (today)
 *   now, today, yesterday, tomorrow (midnight)                 ZONE: UTC, Z, +05, +0530, +05:30, Europe/Berlin; else local time
 *   recent (10 minutes ago), this-hour, this-week (since Sunday), week-ago, this-month, this-year, boot     as ausearch has them
 *   -1h, +5min, -2h30min, "11min ago", "5s left"               relative to now; spans add up
 *   @SECONDS[.nnnnnnnnn]                                       since 1970 in UTC
 *   @mono:NANOSECONDS                                          a raw kernel time stamp of a boot
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct when {
	bool mono; /* ns is CLOCK_MONOTONIC of some boot; else since 1970 in UTC */
	uint64_t ns;
	uint64_t
		also_ns; /* a local time that clocks showed twice, as when summer time ends: the later one; else 0 */
};

/* Where and when the user is.  utc_offset_s says how many seconds local time is ahead of UTC at a time (NULL: 0, always); zone_offset_s the
 * same of a zone by name (false: there is no such zone; NULL: no names are known). */
struct when_here {
	uint64_t now_ns, boot_ns; /* boot_ns 0: not known */
	int32_t (*utc_offset_s)(void *context, int64_t utc_s);
	bool (*zone_offset_s)(void *context, const char *zone, int64_t utc_s, int32_t *ret_s);
	void *context;
};

/* 0; -EINVAL: not a point in time; -ERANGE: before 1970 or after 2554. */
int when_parse(const char *text, const struct when_here *here, struct when *ret_when);

/* A span: "2h 30min", "1.5ms", "5" (seconds).  0 or -EINVAL. */
int when_parse_span(const char *text, uint64_t *ret_ns);

/* "2026-11-22 08:18:41.123456+00:00" in local time, with `digits` (0 .. 9) of the second's fraction. */
enum { WHEN_TEXT_BYTES = 48 };
void when_format(uint64_t ns, unsigned digits, const struct when_here *here,
		 char out[WHEN_TEXT_BYTES]);

/* "@mono:874371892659" */
void when_format_mono(uint64_t ns, char out[WHEN_TEXT_BYTES]);

/* A span to read: "0.6ms", "12.3s", "3min 20s", "2h 5min", "12d 3h". */
void when_format_span(uint64_t ns, char out[WHEN_TEXT_BYTES]);

/* "2026-11-22T08:18:41.123456+00:00", and the shorter "Nov 22 08:18:41.123456". */
void when_format_iso(uint64_t ns, unsigned digits, const struct when_here *here,
		     char out[WHEN_TEXT_BYTES]);
void when_format_short(uint64_t ns, unsigned digits, const struct when_here *here,
		       char out[WHEN_TEXT_BYTES]);
