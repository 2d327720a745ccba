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

int main(void)
{
	struct parts parts;

	parts_open(&parts);
	test_order(&parts);
	intake_free(parts.intake);
	gaps_free(parts.gaps);
	procfs_close(parts.procfs);
	stage_free(parts.stage);
	return done_testing();
}
