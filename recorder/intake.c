#include "recorder/intake.h"

#include <errno.h>
#include <stdlib.h>

#include "schema/wire.h"

/* Losing has an order: when staging is fuller than this, details are given up first, so that events are not. */
enum { DETAILS_STAGE_NUMERATOR = 3, DETAILS_STAGE_DENOMINATOR = 4 };

/* The parent of the kernel's threads, include/linux/kthread.h. */
enum { KTHREADD_PID = 2 };

struct intake {
	struct intake_setup setup;
	uint64_t suspended_ns;
	uint64_t count, forks, last_ns;

	/* What the current datagram has led to and is not staged yet. */
	bool lost_waits, event_waits;
	struct event lost, event;
	uint8_t detail[EVENT_DETAIL_MAX_BYTES];
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

/* Which fields of what was read belong to this EXEC; the others are gone. */
static void detail_strike(struct detail *detail, const struct detail *gone, uint32_t overtaken)
{
	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++)
		if (overtaken >> tag & 1)
			detail->field[tag] = gone->field[tag];
}

static void detail_attach(struct intake *intake, struct event *event, const struct detail *detail)
{
	size_t bytes;

	if (detail_pack(detail, intake->detail, sizeof(intake->detail), &bytes) < 0)
		return;
	event->detail = intake->detail;
	event->detail_bytes = (uint32_t)bytes;
}

/* A process that began after the event is another one with the same number. */
static bool is_later_one(const struct intake *intake, const struct event *event,
			 const struct procfs_task *task)
{
	return task->stat_known && procfs_start_ns(intake->setup.procfs, task->start_ticks,
						   intake->suspended_ns) > event->timestamp_ns;
}

/* A thread of the kernel is named without a COMM, and never has an EXEC: what it is can only be asked for now. */
static void kernel_detail(struct intake *intake, struct event *event)
{
	struct procfs_task task;

	procfs_read_process(intake->setup.procfs, event->pid, &task);
	if (task.kernel && !is_later_one(intake, event, &task))
		detail_attach(intake, event, &task.detail);
}

static void exec_detail(struct intake *intake, struct event *event, uint32_t overtaken)
{
	struct procfs *procfs = intake->setup.procfs;
	const struct detail gone = procfs_gone(procfs);
	struct procfs_task task = { .detail = gone };

	if (!(overtaken >> DETAIL_EXE & 1)) {
		procfs_read_process(procfs, event->pid, &task);
		if (is_later_one(intake, event, &task))
			task.detail = gone;
		detail_strike(&task.detail, &gone, overtaken);
	}
	detail_attach(intake, event, &task.detail);
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
		atomic_fetch_add_explicit(intake->setup.lost_sum, intake->lost.arg[0],
					  memory_order_relaxed);
	}
	if (intake_own(intake, &intake->event) == INTAKE_FULL)
		return INTAKE_FULL;
	intake->event_waits = false;
	intake->count++;
	intake->forks += intake->event.kind == EVENT_FORK;
	intake->last_ns = intake->event.timestamp_ns;
	return 0;
}

int intake_take(struct intake *intake, const uint8_t *datagram, size_t bytes, uint32_t overtaken)
{
	int r;

	if (intake->event_waits)
		return waiting_stage(intake);
	r = wire_decode(datagram, bytes, &intake->event);
	if (r < 0)
		return r;
	if (r == WIRE_FOREIGN)
		return INTAKE_FOREIGN;
	r = gaps_feed(intake->setup.gaps, &intake->event, &intake->lost);
	if (r == GAPS_BACK && !intake->setup.keep_late)
		return INTAKE_BACK;
	intake->lost_waits = r == GAPS_LOST;
	intake->event_waits = true;
	if (intake->setup.procfs && details_affordable(intake)) {
		if (intake->event.kind == EVENT_EXEC)
			exec_detail(intake, &intake->event, overtaken);
		else if (intake->event.kind == EVENT_FORK && intake->event.ppid == KTHREADD_PID)
			kernel_detail(intake, &intake->event);
	}
	return waiting_stage(intake);
}
