#include "query/when.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NS_PER_S UINT64_C(1000000000)

enum { S_PER_DAY = 86400, TEXT_MAX_BYTES = 128, ZONE_LIMIT_HOURS = 15 };

/* Years are kept to four digits, so that no sum of seconds can overflow; nanoseconds are checked where they are made. */

/* Days from 1970-01-01 in the proleptic Gregorian calendar: eras of 400 years begin on 1 March. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*ret_day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*ret_month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* --- reading pieces of text --- */

static void skip_spaces(const char **at)
{
	while (isspace((unsigned char)**at))
		(*at)++;
}

/* A decimal number of min .. max digits.  False: not there. */
static bool read_number(const char **at, size_t min, size_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t digits = 0;

	for (; isdigit((unsigned char)(*at)[digits]); digits++) {
		if (digits == max)
			return false;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)((*at)[digits] - '0'), &number))
			return false;
	}
	if (digits < min)
		return false;
	*at += digits;
	*ret_number = number;
	return true;
}

/* What stands behind a decimal point, in billionths. */
static bool read_fraction(const char **at, uint64_t *ret_billionths)
{
	const char *begin = *at;
	uint64_t number;

	if (!read_number(at, 1, 9, &number))
		return false;
	for (size_t digits = (size_t)(*at - begin); digits < 9; digits++)
		number *= 10;
	*ret_billionths = number;
	return true;
}

static bool read_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* --- spans --- */

static const struct unit {
	const char *names; /* each between spaces */
	uint64_t ns;
} units[] = {
	{ " nsec ns ", 1 },
	{ " usec us \302\265s \316\274s ", 1000 },
	{ " msec ms ", 1000000 },
	{ " seconds second sec s ", NS_PER_S },
	{ " minutes minute min m ", 60 * NS_PER_S },
	{ " hours hour hr h ", 3600 * NS_PER_S },
	{ " days day d ", S_PER_DAY *NS_PER_S },
	{ " weeks week w ", 7 * S_PER_DAY *NS_PER_S },
	{ " months month M ", 2629800 * NS_PER_S }, /* a twelfth of a year, as systemd has it */
	{ " years year y ", 31557600 * NS_PER_S },
};

static bool read_unit(const char **at, uint64_t *ret_ns)
{
	char name[16] = " ";
	size_t bytes = 0;

	while (isalpha((unsigned char)(*at)[bytes]) || (unsigned char)(*at)[bytes] >= 0x80)
		bytes++;
	if (bytes == 0) {
		*ret_ns = NS_PER_S;
		return true;
	}
	if (bytes + 3 > sizeof(name))
		return false;
	memcpy(name + 1, *at, bytes);
	name[bytes + 1] = ' ';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strstr(units[i].names, name)) {
			*at += bytes;
			*ret_ns = units[i].ns;
			return true;
		}
	}
	return false;
}

/* "2h 30min", "1.5d", "5": the whole of text. */
static bool read_span(const char *text, uint64_t *ret_ns)
{
	uint64_t total = 0;
	const char *at = text;

	skip_spaces(&at);
	if (!*at)
		return false;
	while (*at) {
		uint64_t whole, billionths = 0, unit, part;

		if (!read_number(&at, 1, 19, &whole))
			return false;
		if (read_char(&at, '.') && !read_fraction(&at, &billionths))
			return false;
		skip_spaces(&at);
		if (!read_unit(&at, &unit))
			return false;
		skip_spaces(&at);
		part = (uint64_t)((unsigned __int128)unit * billionths / NS_PER_S);
		if (__builtin_mul_overflow(whole, unit, &whole) ||
		    __builtin_add_overflow(total, whole, &total) ||
		    __builtin_add_overflow(total, part, &total))
			return false;
	}
	*ret_ns = total;
	return true;
}

int when_parse_span(const char *text, uint64_t *ret_ns)
{
	return read_span(text, ret_ns) ? 0 : -EINVAL;
}

static int when_relative(const char *span, bool before, const struct when_here *here,
			 struct when *ret_when)
{
	uint64_t ns, at;

	if (!read_span(span, &ns))
		return -EINVAL;
	if (before ? __builtin_sub_overflow(here->now_ns, ns, &at)
		   : __builtin_add_overflow(here->now_ns, ns, &at))
		return -ERANGE;
	*ret_when = (struct when){ .ns = at };
	return 0;
}

/* --- zones --- */

struct zone {
	bool given;
	int32_t offset_s;
	const char *name; /* of one whose offset depends on the time; else NULL */
};

/* What follows a sign: 05, 0530 or 05:30, to the end of the text. */
static bool read_offset(const char *at, int32_t *ret_offset_s)
{
	uint64_t hours, minutes = 0;
	size_t bytes = strlen(at);

	if (bytes == 4 && at[2] != ':') {
		uint64_t both;

		if (!read_number(&at, 4, 4, &both))
			return false;
		hours = both / 100;
		minutes = both % 100;
	} else {
		if (!read_number(&at, 2, 2, &hours))
			return false;
		if (read_char(&at, ':') && !read_number(&at, 2, 2, &minutes))
			return false;
	}
	if (*at || hours >= ZONE_LIMIT_HOURS || minutes > 59)
		return false;
	*ret_offset_s = (int32_t)(hours * 3600 + minutes * 60);
	return true;
}

static void cut(char *text, size_t bytes)
{
	while (bytes > 0 && isspace((unsigned char)text[bytes - 1]))
		bytes--;
	text[bytes] = '\0';
}

/* "Europe/Berlin": what begins with a letter and is no other word that may end a time. */
static bool take_zone_name(char *text, const struct when_here *here, struct zone *ret_zone)
{
	char *space = strrchr(text, ' ');
	int32_t offset_s;

	if (!space || !isupper((unsigned char)space[1]) || !here->zone_offset_s ||
	    !here->zone_offset_s(here->context, space + 1, 0, &offset_s))
		return false;
	*ret_zone = (struct zone){ .given = true, .name = space + 1 };
	*space = '\0';
	cut(text, strlen(text));
	return true;
}

/* Takes a zone off the end of text.  The last `-22` of a date looks like one: a zone follows a time of day or a space. */
static struct zone take_zone(char *text, const struct when_here *here)
{
	size_t bytes = strlen(text);
	struct zone zone = { 0 };

	if (bytes > 4 && strcasecmp(text + bytes - 4, " UTC") == 0) {
		cut(text, bytes - 4);
		return (struct zone){ .given = true };
	}
	if (bytes > 1 && text[bytes - 1] == 'Z' &&
	    (isdigit((unsigned char)text[bytes - 2]) || text[bytes - 2] == ' ')) {
		cut(text, bytes - 1);
		return (struct zone){ .given = true };
	}
	if (take_zone_name(text, here, &zone))
		return zone;
	for (size_t i = bytes; i-- > 1;) {
		if (text[i] != '+' && text[i] != '-')
			continue;
		if (text[i - 1] != ' ' && !memchr(text, ':', i))
			break;
		if (!read_offset(text + i + 1, &zone.offset_s))
			break;
		if (text[i] == '-')
			zone.offset_s = -zone.offset_s;
		zone.given = true;
		cut(text, i);
		break;
	}
	return zone;
}

static int32_t offset_at(const struct when_here *here, const struct zone *zone, int64_t utc_s)
{
	int32_t offset_s = zone->offset_s;

	if (zone->name)
		(void)here->zone_offset_s(here->context, zone->name, utc_s, &offset_s);
	if (zone->given)
		return offset_s;
	return here->utc_offset_s ? here->utc_offset_s(here->context, utc_s) : 0;
}

/* Of an hour that the zone repeats both times, the earlier first, else one twice.  An hour that it skips never was: what comes of that is
 * as far behind the jump as the time is into it. */
static void utc_from_local(const struct when_here *here, const struct zone *zone, int64_t local_s,
			   int64_t ret_utc_s[2])
{
	int32_t before = offset_at(here, zone, local_s - S_PER_DAY);
	int32_t after = offset_at(here, zone, local_s + S_PER_DAY);
	int64_t first = local_s - before, second = local_s - after;
	bool first_was = offset_at(here, zone, first) == before;
	bool second_was = offset_at(here, zone, second) == after;

	ret_utc_s[0] = first_was || !second_was ? first : second;
	ret_utc_s[1] = first_was && second_was && second > first ? second : ret_utc_s[0];
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* --- dates and times of day --- */

static bool read_date(const char **at, int64_t *ret_days)
{
	uint64_t year, month, day;
	const char *p = *at;

	if (!read_number(&p, 4, 4, &year) || !read_char(&p, '-') ||
	    !read_number(&p, 1, 2, &month) || !read_char(&p, '-') || !read_number(&p, 1, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 ||
	    day > days_in_month((int64_t)year, (unsigned)month))
		return false;
	*at = p;
	*ret_days = days_from_date((int64_t)year, (unsigned)month, (unsigned)day);
	return true;
}

static bool read_time(const char **at, int64_t *ret_s, uint64_t *ret_ns)
{
	uint64_t hours, minutes, seconds = 0, ns = 0;
	const char *p = *at;

	if (!read_number(&p, 1, 2, &hours) || !read_char(&p, ':') ||
	    !read_number(&p, 1, 2, &minutes))
		return false;
	if (read_char(&p, ':')) {
		if (!read_number(&p, 1, 2, &seconds))
			return false;
		if (read_char(&p, '.') && !read_fraction(&p, &ns))
			return false;
	}
	if (hours > 23 || minutes > 59 || seconds > 59)
		return false;
	*at = p;
	*ret_s = (int64_t)(hours * 3600 + minutes * 60 + seconds);
	*ret_ns = ns;
	return true;
}

/* 0 Sunday .. 6, or -1 when there is no name of a day; the whole English word or three letters of it. */
static int read_weekday(const char **at)
{
	static const char *const names[7] = { "sunday",   "monday", "tuesday", "wednesday",
					      "thursday", "friday", "saturday" };
	size_t bytes = 0;

	while (isalpha((unsigned char)(*at)[bytes]))
		bytes++;
	for (int i = 0; i < 7; i++) {
		if ((bytes == 3 || bytes == strlen(names[i])) &&
		    strncasecmp(*at, names[i], bytes) == 0) {
			*at += bytes;
			(void)read_char(at, ',');
			skip_spaces(at);
			return i;
		}
	}
	return -1;
}

static int when_make(int64_t utc_s, uint64_t ns, struct when *ret_when)
{
	uint64_t total;

	if (utc_s < 0 || __builtin_mul_overflow((uint64_t)utc_s, NS_PER_S, &total) ||
	    __builtin_add_overflow(total, ns, &total))
		return -ERANGE;
	*ret_when = (struct when){ .ns = total };
	return 0;
}

static int when_make_local(const struct when_here *here, const struct zone *zone, int64_t local_s,
			   uint64_t ns, struct when *ret_when)
{
	struct when earlier, later;
	int64_t utc_s[2];
	int r;

	utc_from_local(here, zone, local_s, utc_s);
	r = when_make(utc_s[0], ns, &earlier);
	if (r == 0)
		r = when_make(utc_s[1], ns, &later);
	if (r < 0)
		return r;
	if (later.ns > earlier.ns)
		earlier.also_ns = later.ns;
	*ret_when = earlier;
	return 0;
}

/* Words that mean a midnight or a full hour: *ret_local_s.  False: text is none. */
static bool read_word(const char *text, int64_t local_now_s, int64_t *ret_local_s)
{
	static const char *const days_around[] = { "yesterday", "today", "tomorrow" };
	int64_t today = floor_div(local_now_s, S_PER_DAY), year;
	unsigned month, day;

	for (int i = 0; i < 3; i++) {
		if (strcasecmp(text, days_around[i]) == 0) {
			*ret_local_s = (today + i - 1) * S_PER_DAY;
			return true;
		}
	}
	date_from_days(today, &year, &month, &day);
	if (strcasecmp(text, "this-hour") == 0)
		*ret_local_s = floor_div(local_now_s, 3600) * 3600;
	else if (strcasecmp(text, "this-week") == 0) /* 1 January 1970 was a Thursday */
		*ret_local_s = (today - (today % 7 + 7 + 4) % 7) * S_PER_DAY;
	else if (strcasecmp(text, "week-ago") == 0)
		*ret_local_s = (today - 7) * S_PER_DAY;
	else if (strcasecmp(text, "this-month") == 0)
		*ret_local_s = days_from_date(year, month, 1) * S_PER_DAY;
	else if (strcasecmp(text, "this-year") == 0)
		*ret_local_s = days_from_date(year, 1, 1) * S_PER_DAY;
	else
		return false;
	return true;
}

static int when_date(char *text, const struct when_here *here, struct when *ret_when)
{
	struct zone zone = take_zone(text, here);
	int64_t now_s = (int64_t)(here->now_ns / NS_PER_S), days, of_day_s = 0;
	int64_t local_now_s = now_s + offset_at(here, &zone, now_s), local_s;
	const char *at = text;
	uint64_t ns = 0;
	int weekday;

	if (read_word(text, local_now_s, &local_s))
		return when_make_local(here, &zone, local_s, 0, ret_when);
	weekday = read_weekday(&at);
	if (read_date(&at, &days)) {
		/* 1 January 1970 was a Thursday */
		if (weekday >= 0 && (days % 7 + 7 + 4) % 7 != weekday)
			return -EINVAL;
		if (*at && !read_char(&at, 'T') && !isspace((unsigned char)*at))
			return -EINVAL;
		skip_spaces(&at);
		if (!*at && at > text && at[-1] == 'T')
			return -EINVAL;
		if (*at && !read_time(&at, &of_day_s, &ns))
			return -EINVAL;
	} else if (weekday < 0 && read_time(&at, &of_day_s, &ns)) {
		days = floor_div(local_now_s, S_PER_DAY);
	} else {
		return -EINVAL;
	}
	if (*at)
		return -EINVAL;
	return when_make_local(here, &zone, days * S_PER_DAY + of_day_s, ns, ret_when);
}

static int when_at(const char *at, struct when *ret_when)
{
	uint64_t whole, ns = 0;

	if (strncmp(at, "mono:", 5) == 0) {
		at += 5;
		if (!read_number(&at, 1, 20, &whole) || *at)
			return -EINVAL;
		*ret_when = (struct when){ .mono = true, .ns = whole };
		return 0;
	}
	if (!read_number(&at, 1, 18, &whole))
		return -EINVAL;
	if (read_char(&at, '.') && !read_fraction(&at, &ns))
		return -EINVAL;
	if (*at)
		return -EINVAL;
	return when_make((int64_t)whole, ns, ret_when);
}

int when_parse(const char *text, const struct when_here *here, struct when *ret_when)
{
	char copy[TEXT_MAX_BYTES];
	size_t bytes;

	skip_spaces(&text);
	bytes = strlen(text);
	if (bytes == 0 || bytes >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, bytes);
	cut(copy, bytes);
	bytes = strlen(copy);

	if (copy[0] == '@')
		return when_at(copy + 1, ret_when);
	if (copy[0] == '+' || copy[0] == '-')
		return when_relative(copy + 1, copy[0] == '-', here, ret_when);
	if (bytes > 4 && strcmp(copy + bytes - 4, " ago") == 0) {
		cut(copy, bytes - 4);
		return when_relative(copy, true, here, ret_when);
	}
	if (bytes > 5 && strcmp(copy + bytes - 5, " left") == 0) {
		cut(copy, bytes - 5);
		return when_relative(copy, false, here, ret_when);
	}
	if (strcasecmp(copy, "recent") == 0)
		return when_relative("10min", true, here, ret_when);
	if (strcasecmp(copy, "boot") == 0 && here->boot_ns > 0) {
		*ret_when = (struct when){ .ns = here->boot_ns };
		return 0;
	}
	if (strcasecmp(copy, "now") == 0) {
		*ret_when = (struct when){ .ns = here->now_ns };
		return 0;
	}
	return when_date(copy, here, ret_when);
}

/* --- writing --- */

/* By hand: printf(3) would be most of the cost of a listing.  Writes `digits` digits of number with zeros in front. */
static char *put_digits(char *out, uint32_t number, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; number /= 10)
		out[i] = (char)('0' + number % 10);
	return out + digits;
}

static char *put_char(char *out, char c)
{
	*out = c;
	return out + 1;
}

void when_format(uint64_t ns, unsigned digits, const struct when_here *here,
		 char out[WHEN_TEXT_BYTES])
{
	struct zone zone = { 0 };
	int64_t utc_s = (int64_t)(ns / NS_PER_S);
	int32_t offset_s = offset_at(here, &zone, utc_s);
	int64_t local_s = utc_s + offset_s, days = floor_div(local_s, S_PER_DAY), year;
	unsigned of_day = (unsigned)(local_s - days * S_PER_DAY), month, day;
	unsigned minutes = (unsigned)(offset_s < 0 ? -offset_s : offset_s) / 60;
	uint32_t fraction = (uint32_t)(ns % NS_PER_S);

	date_from_days(days, &year, &month, &day);
	out = put_char(put_digits(out, (uint32_t)year, 4), '-');
	out = put_char(put_digits(out, month, 2), '-');
	out = put_char(put_digits(out, day, 2), ' ');
	out = put_char(put_digits(out, of_day / 3600, 2), ':');
	out = put_char(put_digits(out, of_day / 60 % 60, 2), ':');
	out = put_digits(out, of_day % 60, 2);
	if (digits > 0) { /* all nine are written, then those that nobody asked for written over */
		(void)put_digits(put_char(out, '.'), fraction, 9);
		out += 1 + (digits < 9 ? digits : 9);
	}
	out = put_digits(put_char(out, offset_s < 0 ? '-' : '+'), minutes / 60, 2);
	*put_digits(put_char(out, ':'), minutes % 60, 2) = '\0';
}

void when_format_mono(uint64_t ns, char out[WHEN_TEXT_BYTES])
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + ns % 10);
	while ((ns /= 10) > 0);
	memcpy(out, "@mono:", 6);
	memcpy(out + 6, digits + at, sizeof(digits) - at);
	out[6 + sizeof(digits) - at] = '\0';
}

void when_format_span(uint64_t ns, char out[WHEN_TEXT_BYTES])
{
	uint64_t s = ns / NS_PER_S;

	if (ns < 1000)
		(void)snprintf(out, WHEN_TEXT_BYTES, "%" PRIu64 "ns", ns);
	else if (ns < 1000000)
		(void)snprintf(out, WHEN_TEXT_BYTES, "%" PRIu64 ".%" PRIu64 "us", ns / 1000,
			       ns / 100 % 10);
	else if (ns < NS_PER_S)
		(void)snprintf(out, WHEN_TEXT_BYTES, "%" PRIu64 ".%" PRIu64 "ms", ns / 1000000,
			       ns / 100000 % 10);
	else if (s < 60)
		(void)snprintf(out, WHEN_TEXT_BYTES, "%" PRIu64 ".%" PRIu64 "s", s,
			       ns / 100000000 % 10);
	else if (s < 3600)
		(void)snprintf(out, WHEN_TEXT_BYTES, "%" PRIu64 "min %" PRIu64 "s", s / 60, s % 60);
	else if (s < S_PER_DAY)
		(void)snprintf(out, WHEN_TEXT_BYTES, "%" PRIu64 "h %" PRIu64 "min", s / 3600,
			       s / 60 % 60);
	else
		(void)snprintf(out, WHEN_TEXT_BYTES, "%" PRIu64 "d %" PRIu64 "h", s / S_PER_DAY,
			       s / 3600 % 24);
}

void when_format_iso(uint64_t ns, unsigned digits, const struct when_here *here,
		     char out[WHEN_TEXT_BYTES])
{
	when_format(ns, digits, here, out);
	out[10] = 'T';
}

void when_format_short(uint64_t ns, unsigned digits, const struct when_here *here,
		       char out[WHEN_TEXT_BYTES])
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char full[WHEN_TEXT_BYTES];
	size_t month, bytes = sizeof("08:18:41") - 1 + (digits ? digits + 1 : 0);

	when_format(ns, digits, here, full);
	month = (size_t)(full[5] - '0') * 10 + (size_t)(full[6] - '0') - 1;
	memcpy(out, months + 3 * month, 3);
	out[3] = ' ';
	memcpy(out + 4, full + 8, 3);
	memcpy(out + 7, full + 11, bytes);
	out[7 + bytes] = '\0';
}
