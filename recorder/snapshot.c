#include "recorder/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "schema/cleanup.h"

enum { INIT_PID = 1 };

struct snapshot {
	struct procfs *procfs;
	uint64_t suspended_ns, count;
	bool init_seen;
	uint64_t bits; /* EVENT_SNAPSHOT_*, of the process that is read now */
	int why;       /* the first -errno of a task that is there and could not be read, or 0 */
	snapshot_emit *emit;
	void *context;
	uint8_t packed[EVENT_DETAIL_MAX_BYTES];
};

static void cleanup_closedir(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

#define auto_closedir __attribute__((cleanup(cleanup_closedir)))

/* Opens a folder below /proc.  NULL with errno. */
static DIR *folder_open(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

	if (!folder && fd >= 0)
		(void)close(fd);
	return folder;
}

/* Notes what went wrong with a task, unless that is gone; 0: nothing. */
static void miss(struct snapshot *snapshot, int error)
{
	if (error != -ENOENT && error != -ESRCH && snapshot->why == 0)
		snapshot->why = error;
}

/* The next entry that is a number.  False when there is none: errno is 0 at the end, else what went wrong. */
static bool number_next(DIR *folder, uint32_t *ret_number)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(folder))) {
		const char *name = entry->d_name;

		if (procfs_parse_u32((const uint8_t *)name, strlen(name), ret_number) == 0)
			return true;
	}
	return false;
}

static int task_emit(struct snapshot *snapshot, uint32_t pid, uint32_t tid, uint64_t read_ns,
		     const struct procfs_task *task)
{
	struct event event = {
		.kind = EVENT_SNAPSHOT,
		.timestamp_ns = read_ns,
		.cpu = EVENT_CPU_NONE,
		.pid = pid,
		.tid = tid,
		.ppid = task->ppid,
		.ptid = task->ppid,
		.arg = { procfs_start_ns(snapshot->procfs, task->start_ticks,
					 snapshot->suspended_ns),
			 task->start_ticks, snapshot->bits },
		.detail = snapshot->packed,
	};
	size_t bytes = 0;
	int r = detail_pack(&task->detail, snapshot->packed, sizeof(snapshot->packed), &bytes);

	if (r < 0)
		return r;
	event.detail_bytes = (uint32_t)bytes;
	r = snapshot->emit(snapshot->context, &event);
	if (r < 0)
		return r;
	snapshot->count++;
	return 0;
}

static int threads_take(struct snapshot *snapshot, uint32_t pid)
{
	auto_closedir DIR *folder = NULL;
	struct procfs_task task;
	char name[32];
	uint32_t tid;

	(void)snprintf(name, sizeof(name), "%u/task", pid);
	folder = folder_open(procfs_fd(snapshot->procfs), name);
	if (!folder) {
		miss(snapshot, -errno);
		return 0;
	}
	while (number_next(folder, &tid)) {
		uint64_t read_ns = clock_monotonic_ns();
		int r;

		if (tid == pid)
			continue;
		procfs_read_thread(snapshot->procfs, pid, tid, &task);
		if (!task.stat_known) {
			miss(snapshot, task.error);
			continue;
		}
		if (task.ended)
			continue;
		r = task_emit(snapshot, pid, tid, read_ns, &task);
		if (r < 0)
			return r;
	}
	miss(snapshot, -errno);
	return 0;
}

static int processes_take(struct snapshot *snapshot)
{
	auto_closedir DIR *folder = folder_open(procfs_fd(snapshot->procfs), ".");
	struct procfs_task task;
	uint32_t pid;

	if (!folder) {
		miss(snapshot, -errno);
		return 0;
	}
	while (number_next(folder, &pid)) {
		uint64_t read_ns = clock_monotonic_ns();
		int r;

		procfs_read_process(snapshot->procfs, pid, &task);
		if (!task.stat_known) {
			miss(snapshot, task.error);
			continue;
		}
		snapshot->init_seen |= pid == INIT_PID;
		if (task.ended && task.threads <= 1)
			continue;
		snapshot->bits = task.ended ? EVENT_SNAPSHOT_LEADER_GONE : 0;
		r = task_emit(snapshot, pid, pid, read_ns, &task);
		if (r == 0)
			r = threads_take(snapshot, pid);
		if (r < 0)
			return r;
	}
	miss(snapshot, -errno);
	/* It never ends: where it is not, others are hidden too. */
	if (!snapshot->init_seen)
		miss(snapshot, -EACCES);
	return 0;
}

int snapshot_take(struct procfs *procfs, uint64_t suspended_ns, snapshot_emit *emit, void *context,
		  int *ret_why)
{
	struct snapshot snapshot = {
		.procfs = procfs,
		.suspended_ns = suspended_ns,
		.emit = emit,
		.context = context,
	};
	struct event end = { .kind = EVENT_SNAPSHOT_END, .cpu = EVENT_CPU_NONE };
	int r = processes_take(&snapshot);

	if (r < 0)
		return r;
	if (snapshot.why != 0) {
		*ret_why = snapshot.why;
		return SNAPSHOT_PARTIAL;
	}
	end.timestamp_ns = clock_monotonic_ns();
	end.arg[0] = snapshot.count;
	return emit(context, &end);
}
