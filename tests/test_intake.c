/* test_intake.c - what is given up when staging fills: first the details of an EXEC, which says so; events wait, and none is left out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/exec_table.h"
#include "recorder/intake.h"
#include "schema/detail.h"
#include "schema/ring_format.h"
#include "schema/wire.h"
#include "tests/tap.h"

enum { AREA_BYTES = 1 << 18 };

static uint8_t area[AREA_BYTES] __attribute__((aligned(4096)));
static uint32_t last_seq;
static unsigned births_with_details;

/* What the threads that read at once have read: played. */
static struct {
	int result;
	uint64_t read_ns;
	const char *exe; /* all that they read */
} lane;

struct parts {
	struct stage *stage;
	struct gaps *gaps;
	struct procfs *procfs;
	struct intake *intake;
};

static size_t exe_pack(const char *exe, uint8_t *out)
{
	struct detail detail = { 0 };
	size_t bytes;

	detail.field[DETAIL_EXE] =
		(struct detail_field){ (const uint8_t *)exe, (uint32_t)strlen(exe), DETAIL_READ };
	if (detail_pack(&detail, out, EVENT_DETAIL_MAX_BYTES, &bytes) < 0)
		abort();
	return bytes;
}

int exec_lanes_take(struct exec_lanes *lanes, uint32_t cpu, uint32_t seq, uint8_t *out,
		    size_t *ret_bytes, uint64_t *ret_read_ns)
{
	(void)lanes;
	(void)cpu;
	(void)seq;
	if (lane.result != 0)
		return lane.result;
	*ret_bytes = exe_pack(lane.exe, out);
	*ret_read_ns = lane.read_ns;
	return 0;
}

/* A datagram about this process, of kind EXEC, FORK or COMM. */
static size_t datagram_make_at(enum event_kind kind, uint64_t at_ns,
			       uint8_t out[WIRE_DATAGRAM_BYTES])
{
	struct event event = { .kind = (uint8_t)kind,
			       .timestamp_ns = at_ns,
			       .seq = last_seq + 1,
			       .pid = (uint32_t)getpid(),
			       .tid = (uint32_t)getpid(),
			       .ppid = kind == EVENT_FORK ? 10 : 0,
			       .ptid = kind == EVENT_FORK ? 10 : 0 };
	size_t bytes;

	last_seq++;
	if (wire_encode(&event, out, WIRE_DATAGRAM_BYTES, &bytes) < 0)
		abort();
	return bytes;
}

static size_t datagram_make(enum event_kind kind, uint8_t out[WIRE_DATAGRAM_BYTES])
{
	return datagram_make_at(kind, UINT64_MAX / 2 /* behind the start of this process */, out);
}

static int take(const struct parts *parts, enum event_kind kind)
{
	uint8_t datagram[WIRE_DATAGRAM_BYTES];
	size_t bytes = datagram_make(kind, datagram);
	int r = intake_take(parts->intake, datagram, bytes, NULL);

	if (r != 0)
		last_seq--;
	return r;
}

/* Takes everything out of staging.  How many events there were; the states of the last EXEC's exe and argv. */
static uint64_t stage_empty(const struct parts *parts, unsigned *ret_exe, unsigned *ret_argv)
{
	uint64_t count = 0, number = 0;
	struct detail detail;
	struct event event;

	while (stage_peek(parts->stage, &event) == 0) {
		count++;
		number = event.event_no;
		births_with_details += event.kind == EVENT_FORK && event.detail_bytes > 0;
		if (event.kind != EVENT_EXEC ||
		    detail_unpack(event.detail, event.detail_bytes, &detail) < 0)
			continue;
		*ret_exe = detail.field[DETAIL_EXE].state;
		*ret_argv = detail.field[DETAIL_ARGV].state;
	}
	stage_release(parts->stage, stage_peek_pos(parts->stage), number + 1);
	return count;
}

static void parts_open(struct parts *parts)
{
	const struct stage_start start = { .tail_event_no = 1 };
	const struct procfs_setup setup = { .path = "/proc", .argv_max_bytes = 4096 };

	parts->stage = stage_new(area, sizeof(area), &start);
	parts->gaps = gaps_new();
	if (!parts->stage || !parts->gaps || procfs_open(&setup, &parts->procfs) < 0)
		abort();
	parts->intake = intake_new(&(struct intake_setup){ .stage = parts->stage,
							   .stage_bytes = sizeof(area),
							   .gaps = parts->gaps,
							   .procfs = parts->procfs });
	if (!parts->intake)
		abort();
}

static void test_order(const struct parts *parts)
{
	unsigned exe = 99, argv = 99;
	uint64_t taken = 0, without;

	ok(take(parts, EVENT_EXEC) == 0 && stage_empty(parts, &exe, &argv) == 1 &&
		   exe == DETAIL_READ && argv == DETAIL_READ,
	   "with room the details of an EXEC are read");
	while (stage_used_bytes(parts->stage) < AREA_BYTES / 4 * 3)
		taken += take(parts, EVENT_FORK) == 0;
	ok(take(parts, EVENT_EXEC) == 0, "when three quarters are full an EXEC is taken");
	ok(stage_empty(parts, &exe, &argv) == taken + 1 && exe == DETAIL_OVERLOAD &&
		   argv == DETAIL_OVERLOAD,
	   "without its details, and that says so");

	for (taken = without = 0; without == 0;)
		*(take(parts, taken % 8 ? EVENT_FORK : EVENT_EXEC) == 0 ? &taken : &without) += 1;
	ok(take(parts, EVENT_FORK) == INTAKE_FULL && taken > 1000,
	   "when staging is full the next event has to wait");
	ok(stage_empty(parts, &exe, &argv) == taken, "none of the %llu before it is missing",
	   (unsigned long long)taken);
	ok(take(parts, EVENT_FORK) == 0 && take(parts, EVENT_EXEC) == 0 &&
		   stage_empty(parts, &exe, &argv) >= 2 && exe == DETAIL_READ,
	   "with room again all goes on as before");
	ok(births_with_details == 0, "what is not asked about never has details");
	ok(gaps_lost_recording(parts->gaps) == 0, "and nothing was lost");
}

/* What the datagram says beside its number is that of the helpers above. */
static int take_seq(const struct parts *parts, uint32_t number)
{
	int r;

	last_seq = number - 1;
	r = take(parts, EVENT_FORK);
	last_seq = number;
	return r;
}

/* How many events of a kind are staged; takes them out. */
static uint64_t stage_count(const struct parts *parts, enum event_kind kind)
{
	uint64_t count = 0, number = 0;
	struct event event;

	while (stage_peek(parts->stage, &event) == 0) {
		count += event.kind == kind;
		number = event.event_no;
	}
	if (number > 0)
		stage_release(parts->stage, stage_peek_pos(parts->stage), number + 1);
	return count;
}

/* A hole before an event that has to wait is told with it, once. */
static void test_hole_waits(const struct parts *parts)
{
	const uint64_t lost = gaps_lost_recording(parts->gaps);
	uint64_t count = intake_count(parts->intake), lasts = 0;
	uint32_t number = last_seq;

	while (take_seq(parts, number + 1) == 0)
		number++;
	/* The one that waits; then a hole of three. */
	(void)stage_count(parts, EVENT_FORK);
	(void)take_seq(parts, ++number);
	while (stage_used_bytes(parts->stage) < AREA_BYTES &&
	       intake_own(parts->intake, &(struct event){ .kind = EVENT_STOP }) == 0)
		lasts++;
	count = intake_count(parts->intake);
	number += 4;
	ok(take_seq(parts, number) == INTAKE_FULL && take_seq(parts, number) == INTAKE_FULL &&
		   intake_count(parts->intake) == count,
	   "an event behind a hole waits, too, where there is no room");
	ok(lasts > 1000 && stage_count(parts, EVENT_LOST) == 0, "and nothing of it is staged");
	ok(take_seq(parts, number) == 0 && intake_count(parts->intake) == count + 1 &&
		   stage_count(parts, EVENT_LOST) == 1 &&
		   gaps_lost_recording(parts->gaps) == lost + 3,
	   "then the hole is told, once, with its count");
	ok(take_seq(parts, number + 1) == 0 && stage_count(parts, EVENT_LOST) == 0,
	   "and not again with the next one");
}

/* As above, but the LOST is staged and the event behind it is not. */
static void test_hole_alone(const struct parts *parts)
{
	uint64_t told;
	struct event event;

	while (intake_own(parts->intake, &(struct event){ .kind = EVENT_LOST }) == 0)
		;
	stage_rewind(parts->stage);
	if (stage_peek(parts->stage, &event) != 0)
		abort();
	stage_release(parts->stage, stage_peek_pos(parts->stage), event.event_no + 1);
	told = stage_next_event_no(parts->stage);
	ok(take_seq(parts, last_seq + 2) == INTAKE_FULL &&
		   stage_next_event_no(parts->stage) == told + 1,
	   "where there is room for a hole alone it is told");
	ok(take_seq(parts, last_seq) == INTAKE_FULL && stage_count(parts, EVENT_LOST) > 1000 &&
		   take_seq(parts, last_seq) == 0 &&
		   stage_next_event_no(parts->stage) == told + 2 &&
		   stage_count(parts, EVENT_LOST) == 0,
	   "and not again with the event, which comes later");
}

/* Takes an EXEC of this process at that time, with what else was received; last_seq goes on only where it is staged. */
static int take_exec(struct intake *intake, uint64_t at_ns, const struct overtaken_batch *around)
{
	uint8_t datagram[WIRE_DATAGRAM_BYTES];
	size_t bytes = datagram_make_at(EVENT_EXEC, at_ns, datagram);
	int r = intake_take(intake, datagram, bytes, around);

	if (r != 0)
		last_seq--;
	return r;
}

/* The name of the program and the states of the newest event's details; takes all out of staging. */
struct told {
	char exe[64];
	unsigned exe_state, comm_state;
	size_t bytes;
};

static struct told newest_told(const struct parts *parts)
{
	struct told told = { .bytes = SIZE_MAX };
	struct detail detail;
	struct event event;

	while (stage_peek(parts->stage, &event) == 0) {
		told = (struct told){ .bytes = event.detail_bytes };
		if (detail_unpack(event.detail, event.detail_bytes, &detail) < 0)
			continue;
		told.exe_state = detail.field[DETAIL_EXE].state;
		told.comm_state = detail.field[DETAIL_COMM].state;
		if (told.exe_state == DETAIL_READ &&
		    detail.field[DETAIL_EXE].bytes < sizeof(told.exe))
			memcpy(told.exe, detail.field[DETAIL_EXE].data,
			       detail.field[DETAIL_EXE].bytes);
	}
	if (told.bytes != SIZE_MAX)
		stage_release(parts->stage, stage_peek_pos(parts->stage), event.event_no + 1);
	return told;
}

/* Details that are not of this EXEC are not told as if they were. */
static void test_details(const struct parts *parts)
{
	const uint64_t at_ns = UINT64_MAX / 2;
	uint8_t later[RING_LANDING_SLOT_BYTES] = { 0 };
	uint32_t length = (uint32_t)datagram_make_at(EVENT_COMM, at_ns + 1, later);
	struct overtaken_batch around = { .slots = later,
					  .slot_bytes = sizeof(later),
					  .lengths = &length,
					  .count = 1,
					  .clear_ns = at_ns + 2,
					  .empty = true };
	struct told told;

	last_seq--;
	told = take_exec(parts->intake, at_ns, &around) == 0 ? newest_told(parts)
							     : (struct told){ 0 };
	ok(told.exe_state == DETAIL_READ && told.comm_state == DETAIL_GONE,
	   "a name that was taken behind an EXEC is not told as its own");
	(void)datagram_make_at(EVENT_EXEC, at_ns + 1, later);
	last_seq--;
	told = take_exec(parts->intake, at_ns, &around) == 0 ? newest_told(parts)
							     : (struct told){ 0 };
	ok(told.exe_state == DETAIL_GONE && told.comm_state == DETAIL_GONE,
	   "nor a program that was run behind it");
	around.empty = false;
	length = 0;
	told = take_exec(parts->intake, at_ns, &around) == 0 ? newest_told(parts)
							     : (struct told){ 0 };
	ok(told.exe_state == DETAIL_OVERLOAD,
	   "nor is anything while more may be there to be received");
}

/* With threads that read at once, which are played. */
static void test_lane(const struct parts *parts)
{
	const uint64_t at_ns = UINT64_MAX / 2;
	const struct overtaken_batch more = { .clear_ns = at_ns };
	struct intake *intake =
		intake_new(&(struct intake_setup){ .stage = parts->stage,
						   .stage_bytes = AREA_BYTES,
						   .gaps = parts->gaps,
						   .procfs = parts->procfs,
						   .exec_lanes = (struct exec_lanes *)&lane });
	struct told told;

	if (!intake)
		abort();
	lane.result = EXEC_TABLE_NOT_YET;
	ok(take_exec(intake, at_ns, &more) == INTAKE_EARLY && newest_told(parts).bytes == SIZE_MAX,
	   "an EXEC of which a thread is just reading has to wait");
	lane.result = 0;
	lane.read_ns = at_ns + 1;
	lane.exe = "/what/the/lane/read";
	ok(take_exec(intake, at_ns, &more) == 0 &&
		   strcmp(newest_told(parts).exe, "/what/the/lane/read") == 0,
	   "then what that one has read is told");
	lane.read_ns = at_ns + OVERTAKEN_SOON_NS + 1;
	told = take_exec(intake, at_ns, &more) == 0 ? newest_told(parts) : (struct told){ 0 };
	ok(told.exe_state == DETAIL_OVERLOAD,
	   "but not what it read late, before all of that time was received");
	lane.result = EXEC_TABLE_NOT_YET;
	told = take_exec(intake, 1, NULL) == 0 ? newest_told(parts) : (struct told){ 0 };
	ok(told.exe_state == DETAIL_GONE, "a thread that takes too long is not waited for");
	intake_free(intake);
}

static void test_known(const struct parts *parts)
{
	struct intake *late = intake_new(&(struct intake_setup){ .stage = parts->stage,
								 .stage_bytes = AREA_BYTES,
								 .gaps = parts->gaps,
								 .keep_late = true });
	const struct parts late_parts = { parts->stage, parts->gaps, NULL, late };
	const uint32_t newest = last_seq;

	if (!late)
		abort();
	ok(take_seq(parts, newest) == INTAKE_BACK && take_seq(&late_parts, newest) == INTAKE_BACK &&
		   stage_count(parts, EVENT_FORK) == 0,
	   "what has been recorded is not recorded again");
	(void)take_seq(parts, newest + 3);
	(void)stage_count(parts, EVENT_FORK);
	ok(take_seq(parts, newest + 2) == INTAKE_BACK && stage_count(parts, EVENT_FORK) == 0,
	   "what is late and was said to be lost neither");
	ok(take_seq(&late_parts, newest + 2) == 0 && stage_count(parts, EVENT_LOST) == 0,
	   "but where the kernel sends out of order it is, and nothing is lost by that");
	last_seq = newest + 3;
	ok(take(&late_parts, EVENT_EXEC) == 0 && newest_told(parts).bytes == 0,
	   "where /proc is not asked an EXEC has no details");
	intake_free(late);
}

static void test_counts(const struct parts *parts)
{
	const uint64_t count = intake_count(parts->intake), forks = intake_forks(parts->intake);
	uint8_t noise[WIRE_DATAGRAM_BYTES] = { 0 };

	ok(take(parts, EVENT_FORK) == 0 && take(parts, EVENT_EXEC) == 0 &&
		   take(parts, EVENT_FORK) == 0 && intake_count(parts->intake) == count + 3 &&
		   intake_forks(parts->intake) == forks + 2 &&
		   intake_last_ns(parts->intake) == UINT64_MAX / 2,
	   "events and the births among them are counted");
	ok(intake_take(parts->intake, noise, sizeof(noise), NULL) == -EBADMSG &&
		   intake_take(parts->intake, noise, 0, NULL) == -EBADMSG,
	   "what is no datagram is refused");
	(void)datagram_make(EVENT_FORK, noise);
	last_seq--;
	noise[16] ^= 1;
	ok(intake_take(parts->intake, noise, sizeof(noise), NULL) == INTAKE_FOREIGN,
	   "what is not of the proc connector is not taken");
	ok(intake_count(parts->intake) == count + 3 && stage_count(parts, EVENT_FORK) == 2,
	   "and neither is staged");
}

int main(void)
{
	struct parts parts;

	parts_open(&parts);
	test_order(&parts);
	test_hole_waits(&parts);
	test_hole_alone(&parts);
	test_known(&parts);
	test_details(&parts);
	test_lane(&parts);
	test_counts(&parts);
	intake_free(parts.intake);
	gaps_free(parts.gaps);
	procfs_close(parts.procfs);
	stage_free(parts.stage);
	return done_testing();
}
