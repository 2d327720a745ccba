#include "recorder/intake.h"

#include <errno.h>
#include <stdlib.h>

#include "recorder/clock.h"
#include "recorder/event_detail.h"
#include "recorder/exec_table.h"
#include "schema/wire.h"

/* Losing has an order: when staging is fuller than this, details are given up first, so that events are not. */
enum { DETAILS_STAGE_NUMERATOR = 3, DETAILS_STAGE_DENOMINATOR = 4 };

/* The parent of the kernel's threads, include/linux/kthread.h. */
enum { KTHREADD_PID = 2 };

/* How long after an EXEC its lane may still be at it. */
#define LANE_NS UINT64_C(2000000)

struct intake {
	struct intake_setup setup;
	uint64_t suspended_ns;
	uint64_t count, forks, last_ns;

	/* What the current datagram has led to and is not staged yet. */
	bool lost_waits, event_waits;
	struct event lost, event;
	uint8_t read[EVENT_DETAIL_MAX_BYTES], detail[EVENT_DETAIL_MAX_BYTES];
};

struct intake *intake_new(const struct intake_setup *setup)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (intake)
		intake->setup = *setup;
	return intake;
}

void intake_free(struct intake *intake)
{
	free(intake);
}

void intake_set_suspended(struct intake *intake, uint64_t suspended_ns)
{
	intake->suspended_ns = suspended_ns;
}

uint64_t intake_count(const struct intake *intake)
{
	return intake->count;
}

uint64_t intake_forks(const struct intake *intake)
{
	return intake->forks;
}

uint64_t intake_last_ns(const struct intake *intake)
{
	return intake->last_ns;
}

static bool details_affordable(const struct intake *intake)
{
	return stage_used_bytes(intake->setup.stage) <
	       intake->setup.stage_bytes / DETAILS_STAGE_DENOMINATOR * DETAILS_STAGE_NUMERATOR;
}

/* Says that there was no time to ask. */
static void overload_detail(struct intake *intake, struct event *event)
{
	struct detail detail = { .field = {
					 [DETAIL_EXE].state = DETAIL_OVERLOAD,
					 [DETAIL_ARGV].state = DETAIL_OVERLOAD,
					 [DETAIL_CWD].state = DETAIL_OVERLOAD,
				 } };
	size_t bytes = 0;

	(void)detail_pack(&detail, intake->read, sizeof(intake->read), &bytes);
	event->detail = intake->read;
	event->detail_bytes = (uint32_t)bytes;
}

/* What the lane has read, else what can be read now.  0, or INTAKE_EARLY. */
static int exec_detail(struct intake *intake, struct event *event,
		       const struct overtaken_batch *around)
{
	struct procfs *procfs = intake->setup.procfs;
	struct exec_lanes *lanes = intake->setup.exec_lanes;
	uint64_t read_ns = UINT64_MAX;
	uint32_t overtaken;
	size_t bytes = 0;
	int r = lanes ? exec_lanes_take(lanes, event->cpu, event->seq, intake->read, &bytes,
					&read_ns)
		      : EXEC_TABLE_NOTHING;

	if (r == EXEC_TABLE_NOT_YET && clock_monotonic_ns() < event->timestamp_ns + LANE_NS)
		return INTAKE_EARLY;
	/* Later events of its process may wait in the socket: what is read now may be of another program. */
	if (!overtaken_known(around, event, read_ns)) {
		overload_detail(intake, event);
		return 0;
	}
	overtaken = overtaken_fields(around, event, read_ns);
	if (r != 0)
		bytes = overtaken >> DETAIL_EXE & 1
				? event_detail_gone(procfs, intake->read)
				: event_detail_exec(procfs, event, intake->suspended_ns,
						    intake->read);
	event->detail = intake->read;
	if (overtaken) {
		bytes = event_detail_strike(procfs, overtaken, intake->read, bytes, intake->detail);
		event->detail = intake->detail;
	}
	event->detail_bytes = (uint32_t)bytes;
	return 0;
}

static void kernel_detail(struct intake *intake, struct event *event)
{
	size_t bytes = event_detail_kernel(intake->setup.procfs, event, intake->suspended_ns,
					   intake->read);

	event->detail = bytes > 0 ? intake->read : NULL;
	event->detail_bytes = (uint32_t)bytes;
}

/* What /proc says, where it is asked.  0, or INTAKE_EARLY. */
static int detail_attach(struct intake *intake, struct event *event,
			 const struct overtaken_batch *around)
{
	if (!intake->setup.procfs)
		return 0;
	if (!details_affordable(intake)) {
		if (event->kind == EVENT_EXEC)
			overload_detail(intake, event);
		return 0;
	}
	if (event->kind == EVENT_EXEC)
		return exec_detail(intake, event, around);
	if (event->kind == EVENT_FORK && event->ppid == KTHREADD_PID)
		kernel_detail(intake, event);
	return 0;
}

int intake_own(struct intake *intake, struct event *event)
{
	return stage_append(intake->setup.stage, event) == STAGE_FULL ? INTAKE_FULL : 0;
}

static int waiting_stage(struct intake *intake)
{
	if (intake->lost_waits) {
		if (intake_own(intake, &intake->lost) == INTAKE_FULL)
			return INTAKE_FULL;
		intake->lost_waits = false;
	}
	if (intake_own(intake, &intake->event) == INTAKE_FULL)
		return INTAKE_FULL;
	intake->event_waits = false;
	intake->count++;
	intake->forks += intake->event.kind == EVENT_FORK;
	intake->last_ns = intake->event.timestamp_ns;
	return 0;
}

int intake_take(struct intake *intake, const uint8_t *datagram, size_t bytes,
		const struct overtaken_batch *around)
{
	struct event *event = &intake->event;
	int r;

	if (intake->event_waits)
		return waiting_stage(intake);
	r = wire_decode(datagram, bytes, event);
	if (r < 0)
		return r;
	if (r == WIRE_FOREIGN)
		return INTAKE_FOREIGN;
	/* A socket that was kept may hold what another recorder has recorded meanwhile. */
	if (gaps_is_known(intake->setup.gaps, event->cpu, event->seq) ||
	    (!intake->setup.keep_late &&
	     !gaps_is_newer(intake->setup.gaps, event->cpu, event->seq)))
		return INTAKE_BACK;
	r = detail_attach(intake, event, around);
	if (r != 0)
		return r;
	intake->lost_waits = gaps_feed(intake->setup.gaps, event, &intake->lost) == GAPS_LOST;
	intake->event_waits = true;
	return waiting_stage(intake);
}
