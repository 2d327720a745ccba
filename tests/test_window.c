/* test_window.c - wall-clock windows over boots whose clock was set, and what an answer over them is said to lack.
 *
 * A ledger is made of events a second apart, with clock records that drift and step; then windows are held against the definition: an event
 * is inside if its time stamp plus (REALTIME - MONOTONIC) of the last clock record at or before it is.
 */
#include <errno.h>
#include <inttypes.h>

#include "query/clocks.h"
#include "query/completeness.h"
#include "query/ledger.h"
#include "query/window.h"
#include "tests/ring_fixture.h"

#define S UINT64_C(1000000000)

enum {
	EVENTS = 3000,
	FIRST_S = 1000,
	SEAL_EVERY = 25, /* so that most blocks have no clock record */
	STAGED = 150,    /* of the newest, never sealed */
	CLOCK_EVERY = 190,
};
#define RING_BYTES (UINT64_C(16) << 20)
#define WALL_AT_0  (UINT64_C(1795000000) * S)

struct told {
	uint64_t timestamp_ns, wall_ns;
};

static struct told told[EVENTS * 2];
static size_t told_count;
static const struct when_here here = { .now_ns = UINT64_C(1795335521) * S };

/* What the wall clock really is ahead of MONOTONIC: it drifts by 10 us a second, and was set. */
static int64_t true_offset(uint64_t second)
{
	int64_t offset = (int64_t)WALL_AT_0 + (int64_t)second * 10000;

	if (second >= 1500)
		offset += 100 * (int64_t)S;
	if (second >= 2000)
		offset -= 250 * (int64_t)S;
	if (second >= 2605 && second < 2615) /* there and back within one block */
		offset += 3600 * (int64_t)S;
	return offset;
}

static bool clock_was_set(uint64_t second)
{
	return second == 1500 || second == 2000 || second == 2605 || second == 2615;
}

static void append(struct ring_writer *writer, struct event event)
{
	if (stage_append(ring_writer_stage(writer), &event) != 0)
		abort();
}

static void seal_at(struct ring_writer *writer, uint64_t second)
{
	struct ring_seal seal = {
		.monotonic_ns = second * S,
		.boottime_ns = second * S,
		.realtime_ns = second * S + (uint64_t)true_offset(second),
	};
	uint64_t events;
	int r;

	do
		r = ring_writer_seal(writer, &seal, true, &events);
	while (r == 0);
	if (r != RING_WRITER_IDLE)
		abort();
}

static void start_at(struct ring_writer *writer, uint64_t ns, uint32_t boot_no, uint64_t how)
{
	append(writer, (struct event){ .kind = EVENT_START,
				       .timestamp_ns = ns,
				       .cpu = EVENT_CPU_NONE,
				       .arg = { boot_no, how } });
}

static void clock_at(struct ring_writer *writer, uint64_t second, uint64_t reason)
{
	append(writer,
	       (struct event){
		       .kind = EVENT_CLOCK,
		       .timestamp_ns = second * S,
		       .cpu = EVENT_CPU_NONE,
		       .arg = { second * S, second * S + (uint64_t)true_offset(second), reason } });
}

/* The definition, by the offset of the newest clock record; told[] gets every event. */
static void tell(uint64_t timestamp_ns, int64_t offset)
{
	told[told_count++] = (struct told){ timestamp_ns, timestamp_ns + (uint64_t)offset };
}

static void write_boot(struct ring_writer *writer)
{
	int64_t offset = true_offset(FIRST_S + 1); /* of the first record, for what is earlier */

	start_at(writer, FIRST_S * S, 1, 0);
	tell(FIRST_S * S, offset);
	for (uint64_t second = FIRST_S + 1; second < FIRST_S + EVENTS; second++) {
		struct event event = { .kind = EVENT_SID,
				       .cpu = 0,
				       .seq = (uint32_t)second,
				       .pid = 100,
				       .tid = 100,
				       .timestamp_ns = second * S + second % 7 * 1000 };

		if (second == FIRST_S + 1 || second % CLOCK_EVERY == 0 || clock_was_set(second)) {
			clock_at(writer, second,
				 clock_was_set(second) ? EVENT_CLOCK_STEP : EVENT_CLOCK_PERIODIC);
			offset = true_offset(second);
			tell(second * S, offset);
		}
		append(writer, event);
		tell(event.timestamp_ns, offset);
		if (second % SEAL_EVERY == 0 && second < FIRST_S + EVENTS - STAGED)
			seal_at(writer, second);
	}
}

/* --- windows --- */

struct opened {
	struct ledger *ledger;
	struct clocks *clocks;
	struct window window;
	int result;
	char message[WINDOW_MESSAGE_BYTES];
};

static bool recorder_runs;
static const uint64_t now_mono = 5000 * S, now_wall = WALL_AT_0 + 20000 * S;

static struct opened open_window(const struct window_request *request)
{
	struct opened opened = { 0 };

	if (ledger_open(fixture_path, &opened.ledger) != 0)
		abort();
	opened.ledger->opened_ns = now_mono;
	opened.ledger->opened_wall_ns = now_wall;
	opened.clocks = clocks_new(opened.ledger);
	opened.result = window_init(&opened.window, opened.ledger, opened.clocks, request, &here,
				    recorder_runs, opened.message);
	return opened;
}

static void close_window(struct opened *opened)
{
	if (opened->result == 0)
		window_clear(&opened->window);
	clocks_free(opened->clocks);
	ledger_close(opened->ledger);
}

static size_t blocks_read(const struct opened *opened)
{
	size_t count = 0;

	for (size_t i = 0; i < opened->ledger->span_count; i++)
		count += opened->ledger->spans[i].facts_read && !opened->ledger->spans[i].tail;
	return count;
}

static struct opened open_wall(uint64_t since, uint64_t until)
{
	char from[64], to[64];
	struct window_request request = { .since = from, .until = to };

	snprintf(from, sizeof(from), "@%" PRIu64 ".%09" PRIu64, since / S, since % S);
	snprintf(to, sizeof(to), "@%" PRIu64 ".%09" PRIu64, until / S, until % S);
	return open_window(&request);
}

/* How many of all events the window takes wrongly. */
static size_t wrongly_taken(const struct opened *opened, uint64_t since, uint64_t until,
			    size_t *ret_inside)
{
	size_t wrong = 0;

	*ret_inside = 0;
	for (size_t i = 0; i < told_count; i++) {
		bool inside = told[i].wall_ns >= since && told[i].wall_ns <= until;
		bool taken = opened->window.boot_count == 1 &&
			     window_has(&opened->window.boots[0], told[i].timestamp_ns);

		*ret_inside += inside;
		wrong += inside != taken;
	}
	return wrong;
}

static void test_walls(void)
{
	struct opened opened = open_wall(0, 1);
	size_t wrong = 0;
	uint64_t wall;

	for (size_t i = 0; i < told_count; i++)
		wrong += clocks_wall(opened.clocks, 1, told[i].timestamp_ns, &wall) != 0 ||
			 wall != told[i].wall_ns;
	ok(wrong == 0, "every event's wall time is that of the last clock record before it");
	wrong = 0;
	for (size_t i = told_count; i-- > 0;)
		wrong += clocks_wall(opened.clocks, 1, told[i].timestamp_ns, &wall) != 0 ||
			 wall != told[i].wall_ns;
	ok(wrong == 0, "in whatever order they are asked for");
	ok(clocks_wall(opened.clocks, 9, 5, &wall) == -ENOENT, "another boot has no wall time");
	close_window(&opened);
}

static void test_windows(void)
{
	size_t wrong = 0, empty = 0, twice = 0, inside = 0;
	uint64_t begin = WALL_AT_0 + (FIRST_S - 300) * S, span = (EVENTS + 4400) * S;

	for (unsigned i = 0; i < 1500; i++) {
		uint64_t since = begin + mix(i) % span;
		uint64_t until = since + mix(i + 10000) % (i % 3 == 0 ? 20 * S : 900 * S);
		struct opened opened;

		if (i % 10 == 0) /* an edge exactly on an event */
			since = told[mix(i) % told_count].wall_ns;
		if (i % 10 == 5)
			until = since = told[mix(i) % told_count].wall_ns;
		if (until < since)
			until = since;
		opened = open_wall(since, until);
		wrong += opened.result != 0 || wrongly_taken(&opened, since, until, &inside) > 0;
		empty += inside == 0;
		twice += opened.window.boot_count == 1 && opened.window.boots[0].count > 1;
		close_window(&opened);
	}
	ok(wrong == 0, "1,500 windows hold just the events whose wall time is inside");
	ok(empty > 50 && twice > 50,
	   "some of them were empty (%zu), some met the same wall time twice (%zu)", empty, twice);
}

static void test_laziness(void)
{
	uint64_t since = told[400].wall_ns;
	struct opened opened = open_wall(since, since + 5 * S);

	ok(opened.ledger->span_count > 25 && blocks_read(&opened) <= 12,
	   "a narrow window reads few of %zu blocks for their clocks (%zu)",
	   opened.ledger->span_count - 1, blocks_read(&opened));
	close_window(&opened);
}

/* --- requests --- */

static void refused(const struct window_request *request, int wanted, const char *sentence)
{
	struct opened opened = open_window(request);

	ok(opened.result == wanted && opened.message[0], "%s", sentence);
	close_window(&opened);
}

static void test_requests(void)
{
	struct opened opened;

	refused(&(struct window_request){ .since = "never" }, WINDOW_USAGE,
		"a bound that is no time is refused");
	refused(&(struct window_request){ .since = "@20", .until = "@10" }, WINDOW_USAGE,
		"a window that ends before it begins is refused");
	refused(&(struct window_request){ .since = "@20", .at = "@10" }, WINDOW_USAGE,
		"--at with another bound is refused");
	refused(&(struct window_request){ .boot = "one" }, WINDOW_USAGE, "'one' is no boot");
	refused(&(struct window_request){ .boot = "-5" }, WINDOW_NO_BOOT, "there is no boot -5");
	refused(&(struct window_request){ .boot = "2" }, WINDOW_NO_BOOT, "nor a boot 2");
	opened = open_window(&(struct window_request){ .since = "@mono:1500000000000",
						       .until = "@mono:1600000000000" });
	ok(opened.result == 0 && opened.window.boot_count == 1 &&
		   !window_has(&opened.window.boots[0], 1500 * S - 1) &&
		   window_has(&opened.window.boots[0], 1500 * S) &&
		   window_has(&opened.window.boots[0], 1600 * S) &&
		   !window_has(&opened.window.boots[0], 1600 * S + 1),
	   "a window of raw time stamps is inclusive at both ends");
	close_window(&opened);
	opened = open_window(&(struct window_request){ .at = "@mono:1500000000000" });
	ok(opened.result == 0 && window_has(&opened.window.boots[0], 1500 * S) &&
		   !window_has(&opened.window.boots[0], 1500 * S + 1),
	   "--at is one instant");
	close_window(&opened);
	opened = open_window(&(struct window_request){ 0 });
	ok(opened.result == 0 && opened.window.boot_count == 1 &&
		   window_has(&opened.window.boots[0], 1) &&
		   window_has(&opened.window.boots[0], UINT64_MAX),
	   "without a request the newest boot is meant, whole");
	close_window(&opened);
}

/* Who lives is known where nothing happens, as long as somebody watches. */
static void test_quiet(void)
{
	const struct ledger_span *span;
	char between[64];
	struct opened opened = open_window(&(struct window_request){ 0 });

	span = ledger_span(opened.ledger, 5);
	snprintf(between, sizeof(between), "@mono:%" PRIu64, span->ts_max_ns + 1);
	close_window(&opened);
	opened = open_window(&(struct window_request){ .at = between });
	ok(opened.window.boots[0].lived && !opened.window.boots[0].recorded &&
		   opened.window.boots[0].last == 5,
	   "between two blocks those live who did in the one before");
	close_window(&opened);
	opened = open_window(&(struct window_request){ .at = "@mono:9000000000000" });
	ok(!opened.window.boots[0].lived, "after the end of the recording nothing is known");
	close_window(&opened);
	recorder_runs = true;
	opened = open_window(&(struct window_request){ .at = "@mono:9000000000000" });
	ok(opened.window.boots[0].lived, "while a recorder runs nothing has happened since");
	ok(window_end_ns(&opened.window.boots[0]) == now_mono, "but ages end now");
	close_window(&opened);
	opened = open_window(&(struct window_request){ .at = "@mono:4500000000000" });
	ok(window_end_ns(&opened.window.boots[0]) == 4500 * S, "or at the instant asked for");
	close_window(&opened);
	recorder_runs = false;
}

static void test_words(void)
{
	ok(window_is_boot("") && window_is_boot("0") && window_is_boot("-1") &&
		   window_is_boot("+3") && window_is_boot("all") &&
		   window_is_boot("0123456789abcdef0123456789ABCDEF"),
	   "what -b takes");
	ok(!window_is_boot("tree") && !window_is_boot("-") && !window_is_boot("1x") &&
		   !window_is_boot("-S") && !window_is_boot("0123456789abcdef0123456789abcde"),
	   "what -b leaves for others");
}

/* --- completeness --- */

/* What an answer about the window, which is closed then, lacks. */
static size_t missing_of(struct opened *opened, unsigned flags, struct missing *ret_first)
{
	struct completeness completeness;
	size_t count;

	if (opened->result != 0 || completeness_init(&completeness, opened->ledger, opened->clocks,
						     &opened->window, flags) != 0)
		abort();
	count = completeness.count;
	if (count > 0)
		*ret_first = completeness.missing[0];
	completeness_clear(&completeness);
	close_window(opened);
	return count;
}

static size_t missing_with(unsigned flags, const char *since, const char *until, const char *boot,
			   struct missing *ret_first)
{
	struct opened opened = open_window(
		&(struct window_request){ .since = since, .until = until, .boot = boot });

	return missing_of(&opened, flags, ret_first);
}

static size_t missing_count(const char *since, const char *until, const char *boot,
			    struct missing *ret_first)
{
	return missing_with(COMPLETENESS_FOLD | COMPLETENESS_RUNNING, since, until, boot,
			    ret_first);
}

static void lost_at(struct ring_writer *writer, uint64_t from_ns, uint64_t to_ns, uint32_t cpu,
		    uint64_t count)
{
	append(writer, (struct event){ .kind = EVENT_LOST,
				       .timestamp_ns = to_ns,
				       .cpu = cpu,
				       .arg = { count, from_ns, EVENT_LOST_GAP } });
}

static void test_complete(void)
{
	struct missing missing;

	ok(missing_count(NULL, NULL, NULL, &missing) == 0, "a boot without losses is complete");
	ok(missing_count("@mono:2000000000000", "@mono:2100000000000", NULL, &missing) == 0,
	   "so is a part of it");
	ok(missing_count("@mono:900000000000", "@mono:1100000000000", NULL, &missing) == 1 &&
		   missing.reason == MISSING_DOWN && missing.to_ns == FIRST_S * S,
	   "before its first start no recorder ran");
	ok(missing_count(NULL, "@mono:900000000000", NULL, &missing) == 1 &&
		   missing.reason == MISSING_DOWN && missing.to_ns == FIRST_S * S,
	   "also where only the end is given");
	ok(missing_count(NULL, "@1000000000", NULL, &missing) == 1 &&
		   missing.reason == MISSING_DOWN && missing.to_ns == FIRST_S * S,
	   "or that in wall time");
	ok(missing_count(NULL, "@mono:2000000000000", NULL, &missing) == 0,
	   "an end behind it asks for what there was");
}

static bool is_future(const char *since, const char *until)
{
	struct missing missing;

	return missing_count(since, until, NULL, &missing) == 1 &&
	       missing.reason == MISSING_FUTURE && missing.from_ns == now_mono;
}

static void test_future(void)
{
	struct missing missing;
	char now[64], later[64];

	snprintf(now, sizeof(now), "@%" PRIu64, now_wall / S);
	snprintf(later, sizeof(later), "@%" PRIu64, now_wall / S + 1);
	ok(is_future(later, NULL) && is_future(now, later) && is_future(NULL, later),
	   "a window that reaches beyond now is not known yet from now on");
	ok(is_future("@mono:5000000000001", NULL) && is_future(NULL, "@mono:5000000000001"),
	   "also in raw time stamps");
	ok(missing_count(now, NULL, NULL, &missing) == 0 &&
		   missing_count(NULL, now, NULL, &missing) == 0 &&
		   missing_count("@mono:5000000000000", NULL, NULL, &missing) == 0,
	   "up to now a recorder that runs has seen all");
}

/* Goes on behind the first boot: lost from 4010 to 4020, told at 4020; stopped from 4100 to 4200; then a second boot from 50 on. */
static void write_losses(void)
{
	struct ring_opened found;
	struct ring_writer *writer = writer_open(boot_one, &found);

	lost_at(writer, 4010 * S, 4020 * S, 1, 1000);
	lost_at(writer, 4015 * S, 4020 * S, 1, 234);
	lost_at(writer, 0, 4030 * S, 0, 5);
	append(writer, (struct event){ .kind = EVENT_STOP,
				       .timestamp_ns = 4100 * S,
				       .cpu = EVENT_CPU_NONE });
	start_at(writer, 4200 * S, 1, EVENT_START_SAME_BOOT);
	clock_at(writer, 4201, EVENT_CLOCK_AT_START);
	start_at(writer, 4250 * S, 1, EVENT_START_SAME_BOOT | EVENT_START_CONTINUED);
	append(writer,
	       (struct event){
		       .kind = EVENT_SID, .timestamp_ns = 4300 * S, .pid = 100, .tid = 100 });
	seal_at(writer, 4300);
	ring_writer_close(writer);
	writer = writer_open(boot_two, &found);
	start_at(writer, 50 * S, 2, 0);
	append(writer, (struct event){ .kind = EVENT_CLOCK,
				       .timestamp_ns = 50 * S,
				       .cpu = EVENT_CPU_NONE,
				       .arg = { 50 * S, WALL_AT_0 + 10000 * S } });
	ring_writer_close(writer);
}

static void test_incomplete(void)
{
	char from[32], to[32];
	struct missing m = { 0 };

	ok(missing_count("@mono:4012000000000", "@mono:4013000000000", "1", &m) == 2 &&
		   m.reason == MISSING_LOST && m.cpu == 1 && m.count == 1000 &&
		   m.from_ns == 4010 * S && m.to_ns == 4020 * S,
	   "a loss that is told behind the window and began before it is in it");
	ok(missing_count("@mono:4012000000000", "@mono:4016000000000", "1", &m) == 2 &&
		   m.count == 1234,
	   "losses of one CPU are added up");
	ok(missing_count("@mono:4031000000000", "@mono:4090000000000", "1", &m) == 1 &&
		   m.reason == MISSING_DOUBT && m.count == 1239 && m.from_ns == 0 &&
		   m.to_ns == 4030 * S,
	   "behind them all who lived is in doubt");
	ok(missing_count("@mono:4202000000000", "@mono:4260000000000", "1", &m) == 0,
	   "a start that goes on with the socket of the last run ends no gap");
	ok(missing_count("@mono:4150000000000", "@mono:4160000000000", "1", &m) == 2 &&
		   m.reason == MISSING_DOWN && m.from_ns == 4100 * S && m.to_ns == 4200 * S,
	   "between a stop and the next start no recorder ran");
	ok(missing_count("@mono:4201000000000", "@mono:4299000000000", "1", &m) == 0,
	   "after the start it did, and had looked who lived");
	snprintf(from, sizeof(from), "@%" PRIu64, WALL_AT_0 / S + 9000);
	snprintf(to, sizeof(to), "@%" PRIu64, WALL_AT_0 / S + 9100);
	ok(missing_count(from, to, NULL, &m) == 1 && m.reason == MISSING_DOWN && m.from_boot == 1 &&
		   m.to_boot == 2,
	   "between two boots no recorder ran, seen by wall time");
	snprintf(from, sizeof(from), "@%" PRIu64, (4290 * S + (uint64_t)true_offset(4290)) / S);
	ok(missing_count(from, to, NULL, &m) == 2 && m.reason == MISSING_DOWN && m.from_boot == 1 &&
		   m.from_ns == 4300 * S && m.to_boot == 2,
	   "also where the window begins in the first");
	ok(missing_count(from, from, NULL, &m) == 0, "and an instant before that is complete");
	snprintf(from, sizeof(from), "@%" PRIu64, WALL_AT_0 / S + 10000);
	ok(missing_count(from, from, NULL, &m) == 0,
	   "an instant after the second start is complete");
	ok(missing_count("@mono:4201000000000", NULL, "1", &m) == 0,
	   "who asks for the rest of a boot asks for what was recorded of it");
}

static void test_end(void)
{
	struct missing m = { 0 };

	ok(missing_with(0, "@mono:51000000000", "@mono:60000000000", NULL, &m) == 1 &&
		   m.reason == MISSING_DOWN && m.from_ns == 50 * S && m.to_ns == UINT64_MAX,
	   "where no recorder runs none did behind the newest event");
	ok(missing_with(COMPLETENESS_STALLED, "@mono:51000000000", "@mono:60000000000", NULL, &m) ==
			   1 &&
		   m.reason == MISSING_STALLED && m.from_ns == 50 * S,
	   "where one does and records nothing that is said");
	ok(missing_with(COMPLETENESS_CUT, NULL, NULL, NULL, &m) == 1 && m.reason == MISSING_CUT,
	   "what a file lacks that is cut short may be all there is to know");
	ok(missing_with(COMPLETENESS_CUT, "@mono:1010000000000", "@mono:1100000000000", "1", &m) ==
			   1 &&
		   m.reason == MISSING_LOST,
	   "but not of a stretch that lies before it");
}

/* --- doubt --- */

static void other_at(struct ring_writer *writer, enum event_kind kind, uint64_t second,
		     uint64_t count, uint64_t from_second)
{
	append(writer, (struct event){ .kind = (uint8_t)kind,
				       .timestamp_ns = second * S,
				       .cpu = EVENT_CPU_NONE,
				       .arg = { count, from_second * S } });
}

/* A block for each: so what a window must know lies in others than its own. */
static void block_at(struct ring_writer *writer, uint64_t second)
{
	append(writer,
	       (struct event){
		       .kind = EVENT_SID, .timestamp_ns = second * S, .pid = 100, .tid = 100 });
	seal_at(writer, second);
}

static void write_doubts(void)
{
	struct ring_opened found;
	struct ring_writer *writer = writer_open(boot_one, &found);

	start_at(writer, 100 * S, 1, 0);
	block_at(writer, 110);
	lost_at(writer, 140 * S, 150 * S, 1, 5);
	block_at(writer, 155);
	block_at(writer, 160);
	block_at(writer, 170);
	other_at(writer, EVENT_BLIND, 200, 3, 190);
	block_at(writer, 210);
	lost_at(writer, 310 * S, 320 * S, 2, 5);
	lost_at(writer, 322 * S, 330 * S, 2, 6);
	block_at(writer, 340);
	other_at(writer, EVENT_RESCAN, 400, 11, 0);
	other_at(writer, EVENT_SNAPSHOT_END, 401, 7, 0);
	block_at(writer, 410);
	lost_at(writer, 680 * S, 681 * S, 1, 4);
	block_at(writer, 690);
	start_at(writer, 700 * S, 1, EVENT_START_SAME_BOOT | EVENT_START_CONTINUED);
	block_at(writer, 710);
	append(writer, (struct event){ .kind = EVENT_STOP,
				       .timestamp_ns = 720 * S,
				       .cpu = EVENT_CPU_NONE });
	start_at(writer, 800 * S, 1, EVENT_START_SAME_BOOT);
	append(writer, (struct event){ .kind = EVENT_LOST,
				       .timestamp_ns = 805 * S,
				       .arg = { 9, 719 * S, EVENT_LOST_DOWN } });
	block_at(writer, 810);
	lost_at(writer, 1100 * S, 1101 * S, 1, 1);
	block_at(writer, 1105);
	lost_at(writer, 990 * S, 1200 * S, 2, 2);
	block_at(writer, 1300);
	ring_writer_close(writer);
}

/* What is missing in a window of one second. */
static size_t missing_at(uint64_t second, struct missing *ret_first)
{
	char from[32], to[32];

	snprintf(from, sizeof(from), "@mono:%" PRIu64, second * S);
	snprintf(to, sizeof(to), "@mono:%" PRIu64, (second + 1) * S);
	return missing_count(from, to, "1", ret_first);
}

static void test_doubt(void)
{
	struct missing m = { 0 };

	ok(missing_at(120, &m) == 0, "before a loss nothing is in doubt");
	ok(missing_at(171, &m) == 1 && m.reason == MISSING_DOUBT && m.count == 5,
	   "behind it who lived is, also some blocks later");
	ok(missing_with(COMPLETENESS_RUNNING, "@mono:171000000000", "@mono:172000000000", "1",
			&m) == 0,
	   "which matters only to who asks for that");
	ok(missing_at(195, &m) == 2 && m.reason == MISSING_BLIND && m.count == 3 &&
		   m.from_ns == 190 * S && m.to_ns == 200 * S,
	   "the time when the kernel was silent is missing, with the births of it");
	ok(missing_at(205, &m) == 0, "then it was looked who lives");
	ok(missing_count("@mono:300000000000", "@mono:335000000000", "1", &m) == 1 &&
		   m.reason == MISSING_LOST && m.count == 11 && m.from_ns == 310 * S &&
		   m.to_ns == 330 * S,
	   "losses of one CPU are told from the first to the last");
	ok(missing_at(341, &m) == 1 && m.reason == MISSING_DOUBT && m.count == 11 &&
		   m.from_ns == 310 * S && m.to_ns == 330 * S,
	   "what was lost before it was looked puts nothing in doubt");
	ok(missing_at(402, &m) == 0, "nor anything behind the next look");
	ok(missing_at(705, &m) == 1 && m.reason == MISSING_DOUBT && m.count == 4,
	   "a start that goes on with the sockets has not looked");
	ok(missing_at(811, &m) == 0,
	   "any other has: what was missed before it puts nothing in doubt");
	ok(missing_at(1000, &m) == 1 && m.reason == MISSING_LOST && m.cpu == 2 && m.count == 2,
	   "a loss is seen that was told minutes later, behind others");
}

/* --- what the ring no longer gives --- */

/* More blocks than fit; event n is of n * 1000 ns.  The oldest that is left. */
static struct ledger_span write_lap(void)
{
	struct ring_opened found;
	struct ring_writer *writer = writer_open(boot_one, &found);
	struct ledger_span oldest;
	struct opened opened;

	write_blocks(writer, 80);
	ring_writer_close(writer);
	opened = open_window(&(struct window_request){ 0 });
	oldest = *ledger_span(opened.ledger, 0);
	close_window(&opened);
	return oldest;
}

/* What is missing at an instant when events [from_no, from_no + 100) were found damaged while the answer was made. */
static size_t missing_damaged(uint64_t from_no, unsigned flags, uint64_t at_ns,
			      struct missing *ret_first)
{
	const struct ledger_damage damage = { .boot_no = 1,
					      .from_no = from_no,
					      .to_no = from_no + 100,
					      .from_ns = from_no * 1000,
					      .to_ns = (from_no + 100) * 1000 };
	struct opened opened;
	char at[32];

	snprintf(at, sizeof(at), "@mono:%" PRIu64, at_ns);
	opened = open_window(&(struct window_request){ .at = at });
	if (ledger_note_damage(opened.ledger, &damage) != 0)
		abort();
	return missing_of(&opened, flags, ret_first);
}

static void test_not_there(void)
{
	const struct ledger_span oldest = write_lap();
	const uint64_t damaged_no = oldest.first_event_no + 500;
	char before[32], behind[32];
	struct missing m = { 0 };

	ok(missing_with(0, NULL, NULL, NULL, &m) == 1 && m.reason == MISSING_OVERWRITTEN &&
		   m.count == oldest.first_event_no - 1 && m.to_ns == oldest.ts_min_ns,
	   "of a boot whose beginning is overwritten as many events are missing");
	snprintf(before, sizeof(before), "@mono:%" PRIu64, oldest.ts_min_ns - 1);
	snprintf(behind, sizeof(behind), "@mono:%" PRIu64, oldest.ts_min_ns + 1);
	ok(missing_with(0, before, behind, NULL, &m) == 1 && m.reason == MISSING_OVERWRITTEN,
	   "also where the window begins before what is left");
	ok(missing_with(0, behind, behind, NULL, &m) == 0, "but not where it begins behind that");
	ok(missing_damaged(damaged_no, 0, (damaged_no + 50) * 1000, &m) == 1 &&
		   m.reason == MISSING_DAMAGED && m.count == 100,
	   "what could not be read is missing where it would have been");
	ok(missing_damaged(damaged_no, 0, (damaged_no + 101) * 1000, &m) == 0 &&
		   missing_damaged(damaged_no, COMPLETENESS_FOLD, (damaged_no - 1) * 1000, &m) == 0,
	   "and neither behind nor before it");
}

int main(void)
{
	struct ring_opened found;
	struct ring_writer *writer;

	fixture_begin();
	if (ring_writer_open(fixture_path, RING_BYTES, boot_one, &writer, &found) != 0)
		abort(); /* larger than the fixture's: nothing is to be overwritten */
	write_boot(writer);
	ring_writer_close(writer);
	test_walls();
	test_windows();
	test_laziness();
	test_requests();
	test_quiet();
	test_words();
	test_complete();
	test_future();
	write_losses();
	test_incomplete();
	test_end();
	fixture_empty();
	write_doubts();
	test_doubt();
	fixture_empty();
	test_not_there();
	return done_testing();
}
