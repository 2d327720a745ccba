#include "recorder/event_detail.h"

#include <assert.h>

#include "recorder/clock.h"

static size_t packed(const struct detail *detail, uint8_t *out)
{
	size_t bytes = 0;
	int r = detail_pack(detail, out, EVENT_DETAIL_MAX_BYTES, &bytes);

	assert(r == 0); /* procfs_read_process() keeps it so small */
	return bytes;
}

/* Right behind a resume the caller does not yet know how long the machine was suspended: whoever began since seems to begin so much later. */
static bool is_later_one(const struct procfs *procfs, const struct event *event,
			 uint64_t suspended_ns, const struct procfs_task *task)
{
	struct clock_reading now;

	if (!task->stat_known ||
	    procfs_start_ns(procfs, task->start_ticks, suspended_ns) <= event->timestamp_ns)
		return false;
	clock_read(&now);
	return procfs_start_ns(procfs, task->start_ticks, clock_suspended_ns(&now)) >
	       event->timestamp_ns;
}

/* A start is given in ticks of 10 ms, and tells nothing of who began sooner behind the EXEC than that. */
#define START_TELLS_NS UINT64_C(2000000)

static bool start_tells(const struct event *exec)
{
	return clock_monotonic_ns() >= exec->timestamp_ns + START_TELLS_NS;
}

size_t event_detail_exec(struct procfs *procfs, const struct event *exec, uint64_t suspended_ns,
			 uint8_t *out)
{
	struct procfs_task task;
	bool tells = start_tells(exec);

	/* Whoever reads may be made to wait before it reads, and the number be given to another process meanwhile. */
	if (!tells) {
		procfs_read_program(procfs, exec->pid, &task);
		tells = start_tells(exec);
	}
	if (tells)
		procfs_read_process(procfs, exec->pid, &task);
	if (is_later_one(procfs, exec, suspended_ns, &task))
		task.detail = procfs_gone(procfs);
	return packed(&task.detail, out);
}

size_t event_detail_kernel(struct procfs *procfs, const struct event *fork, uint64_t suspended_ns,
			   uint8_t *out)
{
	struct procfs_task task;

	procfs_read_process(procfs, fork->pid, &task);
	if (!task.kernel || is_later_one(procfs, fork, suspended_ns, &task))
		return 0;
	return packed(&task.detail, out);
}

size_t event_detail_strike(const struct procfs *procfs, uint32_t fields, const uint8_t *in,
			   size_t bytes, uint8_t *out)
{
	const struct detail gone = procfs_gone(procfs);
	struct detail detail;

	if (detail_unpack(in, bytes, &detail) < 0)
		return 0;
	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++)
		if (fields >> tag & 1)
			detail.field[tag] = gone.field[tag];
	return packed(&detail, out);
}

size_t event_detail_gone(const struct procfs *procfs, uint8_t *out)
{
	const struct detail gone = procfs_gone(procfs);

	return packed(&gone, out);
}
