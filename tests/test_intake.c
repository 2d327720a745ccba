/* test_intake.c - what is given up when staging fills: first the details of an EXEC, which says so; events wait, and none is left out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/intake.h"
#include "schema/detail.h"
#include "schema/wire.h"
#include "tests/tap.h"

enum { AREA_BYTES = 1 << 18 };

static uint8_t area[AREA_BYTES] __attribute__((aligned(4096)));
static uint32_t seq;

struct parts {
	struct stage *stage;
	struct gaps *gaps;
	struct procfs *procfs;
	struct intake *intake;
};

/* A datagram about this process, of kind EXEC or FORK. */
static size_t datagram_make(enum event_kind kind, uint8_t out[WIRE_DATAGRAM_BYTES])
{
	struct event event = { .kind = (uint8_t)kind,
			       .timestamp_ns =
				       UINT64_MAX / 2, /* behind the start of this process */
			       .seq = seq + 1,
			       .pid = (uint32_t)getpid(),
			       .tid = (uint32_t)getpid(),
			       .ppid = kind == EVENT_FORK ? 10 : 0,
			       .ptid = kind == EVENT_FORK ? 10 : 0 };
	size_t bytes;

	seq++;
	if (wire_encode(&event, out, WIRE_DATAGRAM_BYTES, &bytes) < 0)
		abort();
	return bytes;
}

static int take(const struct parts *parts, enum event_kind kind)
{
	uint8_t datagram[WIRE_DATAGRAM_BYTES];
	size_t bytes = datagram_make(kind, datagram);
	int r = intake_take(parts->intake, datagram, bytes, NULL);

	if (r != 0)
		seq--;
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
	ok(gaps_lost_recording(parts->gaps) == 0, "and nothing was lost");
}

/* What the datagram says beside its number is that of the helpers above. */
static int take_seq(const struct parts *parts, uint32_t number)
{
	int r;

	seq = number - 1;
	r = take(parts, EVENT_FORK);
	seq = number;
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
	uint32_t number = seq;

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

static void test_known(const struct parts *parts)
{
	struct intake *late = intake_new(&(struct intake_setup){ .stage = parts->stage,
								 .stage_bytes = AREA_BYTES,
								 .gaps = parts->gaps,
								 .keep_late = true });
	const struct parts late_parts = { parts->stage, parts->gaps, NULL, late };
	const uint32_t newest = seq;

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
	seq = newest + 3;
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
	seq--;
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
	test_known(&parts);
	test_counts(&parts);
	intake_free(parts.intake);
	gaps_free(parts.gaps);
	procfs_close(parts.procfs);
	stage_free(parts.stage);
	return done_testing();
}
