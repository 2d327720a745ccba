#include "recorder/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/bytes.h"
#include "schema/cleanup.h"

#define NS_PER_S UINT64_C(1000000000)

/* include/linux/sched.h: a kernel thread has no program and no arguments. */
#define PROCFS_PF_KTHREAD 0x00200000u

struct procfs {
	int fd;
	uint64_t ticks_per_s;
	bool has_audit; /* CONFIG_AUDIT: loginuid and sessionid are there */
	uint8_t exe[PROCFS_PATH_MAX_BYTES + 1], cwd[PROCFS_PATH_MAX_BYTES + 1];
	uint8_t argv[PROCFS_ARGV_MAX_BYTES + 1];
	uint8_t stat[PROCFS_TEXT_MAX_BYTES], text[PROCFS_TEXT_MAX_BYTES];
	uint8_t cgroup[PROCFS_CGROUP_MAX_BYTES];
	le32 ids[4], loginuid, sessionid;
};

int procfs_open(const char *path, struct procfs **ret_procfs)
{
	auto_close int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	long ticks = sysconf(_SC_CLK_TCK);
	struct procfs *procfs;

	if (fd < 0)
		return -errno;
	procfs = calloc(1, sizeof(*procfs));
	if (!procfs)
		return -ENOMEM;
	procfs->ticks_per_s = ticks > 0 ? (uint64_t)ticks : 100;
	procfs->has_audit = faccessat(fd, "self/loginuid", F_OK, 0) == 0;
	procfs->fd = steal_fd(&fd);
	*ret_procfs = procfs;
	return 0;
}

void procfs_close(struct procfs *procfs)
{
	if (!procfs)
		return;
	(void)close(procfs->fd);
	free(procfs);
}

int procfs_fd(const struct procfs *procfs)
{
	return procfs->fd;
}

uint64_t procfs_start_ns(const struct procfs *procfs, uint64_t start_ticks, uint64_t suspended_ns)
{
	uint64_t per_s = procfs->ticks_per_s;
	uint64_t boottime_ns =
		start_ticks / per_s * NS_PER_S + start_ticks % per_s * NS_PER_S / per_s;

	return boottime_ns > suspended_ns ? boottime_ns - suspended_ns : 0;
}

/* How a failed read came about. */
static uint8_t state_of_error(ssize_t r)
{
	switch (-r) {
	case ENOENT:
	case ESRCH:
	case ENOTDIR:
		return DETAIL_GONE;
	case ENAMETOOLONG: /* the path does not fit the page that the kernel builds it in */
		return DETAIL_TRUNCATED;
	default: /* EACCES, EPERM; and whatever else keeps us from reading it */
		return DETAIL_DENIED;
	}
}

/* The file's bytes, at most capacity; or -errno.  A short read is not the end in /proc: only nothing is. */
static ssize_t file_read(int dir, const char *name, uint8_t *out, size_t capacity)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t bytes = 0;

	if (fd < 0)
		return -errno;
	while (bytes < capacity) {
		ssize_t n = read(fd, out + bytes, capacity - bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		bytes += (size_t)n;
	}
	return (ssize_t)bytes;
}

/* A field of n bytes read into data, or of the error n; what goes beyond max_bytes was only read to see that it is there. */
static struct detail_field field_of(const uint8_t *data, ssize_t n, size_t max_bytes)
{
	size_t bytes = n > 0 ? (size_t)n : 0;

	if (n < 0)
		return (struct detail_field){ .state = state_of_error(n) };
	if (bytes > max_bytes)
		bytes = max_bytes;
	return (struct detail_field){
		.data = bytes > 0 ? data : NULL,
		.bytes = (uint32_t)bytes,
		.state = (size_t)n > max_bytes ? DETAIL_TRUNCATED : DETAIL_READ,
	};
}

static struct detail_field link_field(int dir, const char *name, uint8_t *out)
{
	ssize_t n = readlinkat(dir, name, (char *)out, PROCFS_PATH_MAX_BYTES + 1);

	return field_of(out, n < 0 ? -errno : n, PROCFS_PATH_MAX_BYTES);
}

static struct detail_field cgroup_field(struct procfs *procfs, int dir)
{
	ssize_t n = file_read(dir, "cgroup", procfs->text, sizeof(procfs->text));
	struct detail_field field;
	const uint8_t *path;
	size_t bytes;

	if (n < 0)
		return field_of(NULL, n, 0);
	if (procfs_parse_cgroup(procfs->text, (size_t)n, &path, &bytes) < 0)
		return (struct detail_field){ .state = DETAIL_ABSENT };
	field = field_of(procfs->cgroup, (ssize_t)bytes, sizeof(procfs->cgroup));
	memcpy(procfs->cgroup, path, field.bytes);
	/* The line looked for may stand behind what was read. */
	if ((size_t)n == sizeof(procfs->text))
		field.state = DETAIL_TRUNCATED;
	return field;
}

static struct detail_field ids_field(struct procfs *procfs, int dir)
{
	ssize_t n = file_read(dir, "status", procfs->text, sizeof(procfs->text));
	uint32_t ids[4];

	if (n < 0)
		return field_of(NULL, n, 0);
	if (procfs_parse_status(procfs->text, (size_t)n, ids) < 0)
		return (struct detail_field){ .state = DETAIL_GONE };
	for (unsigned i = 0; i < 4; i++)
		procfs->ids[i] = le32_put(ids[i]);
	return field_of((const uint8_t *)procfs->ids, sizeof(procfs->ids), sizeof(procfs->ids));
}

static struct detail_field u32_field(struct procfs *procfs, int dir, const char *name, le32 *out)
{
	ssize_t n = file_read(dir, name, procfs->text, sizeof(procfs->text));
	uint32_t value;

	if (n < 0)
		return field_of(NULL, n, 0);
	if (procfs_parse_u32(procfs->text, (size_t)n, &value) < 0)
		return (struct detail_field){ .state = DETAIL_GONE };
	*out = le32_put(value);
	return field_of(out->b, sizeof(*out), sizeof(*out));
}

/* comm, parent and start; the fields that a task without a program leaves empty get their meaning from what stands there. */
static void stat_take(struct procfs *procfs, int dir, const char *name, struct procfs_task *task)
{
	struct detail_field *field = task->detail.field;
	ssize_t n = file_read(dir, name, procfs->stat, sizeof(procfs->stat));
	struct procfs_stat stat;

	if (n < 0 || procfs_parse_stat(procfs->stat, (size_t)n, &stat) < 0) {
		field[DETAIL_COMM].state = n < 0 ? state_of_error(n) : DETAIL_GONE;
		return;
	}
	field[DETAIL_COMM] = field_of(stat.comm, stat.comm_bytes, PROCFS_PATH_MAX_BYTES);
	task->stat_known = true;
	task->ppid = stat.ppid;
	task->start_ticks = stat.start_ticks;
	if (stat.flags & PROCFS_PF_KTHREAD) {
		field[DETAIL_EXE].state = DETAIL_ABSENT; /* there is none to be known */
	} else if (field[DETAIL_ARGV].state == DETAIL_READ && field[DETAIL_ARGV].bytes == 0) {
		/* Its memory is gone before its state says so; and of a program that lives the kernel
		 * leaves at least one NUL (5.18 on, fs/exec.c). */
		field[DETAIL_ARGV].state = DETAIL_GONE;
	}
}

struct detail procfs_gone(const struct procfs *procfs)
{
	struct detail detail = { 0 };

	for (unsigned tag = DETAIL_EXE; tag <= DETAIL_COMM; tag++)
		detail.field[tag].state = DETAIL_GONE;
	if (!procfs->has_audit)
		detail.field[DETAIL_LOGINUID].state = detail.field[DETAIL_SESSIONID].state =
			DETAIL_ABSENT;
	return detail;
}

enum { NUMBER_BYTES = 11 };

/* Not snprintf(): this runs for every exec, between the kernel and the ledger. */
static const char *number_text(uint32_t n, char out[NUMBER_BYTES])
{
	char *at = out + NUMBER_BYTES - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return at;
}

void procfs_read_process(struct procfs *procfs, uint32_t pid, struct procfs_task *ret_task)
{
	struct detail_field *field = ret_task->detail.field;
	char name[NUMBER_BYTES];
	auto_close int dir = -1;

	*ret_task = (struct procfs_task){ .detail = procfs_gone(procfs) };
	dir = openat(procfs->fd, number_text(pid, name), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		uint8_t state = state_of_error(-errno);

		for (unsigned tag = DETAIL_EXE; tag <= DETAIL_COMM; tag++)
			if (field[tag].state == DETAIL_GONE)
				field[tag].state = state;
		return;
	}
	/* What goes away first, with the program itself, is read first. */
	field[DETAIL_EXE] = link_field(dir, "exe", procfs->exe);
	field[DETAIL_ARGV] = field_of(procfs->argv,
				      file_read(dir, "cmdline", procfs->argv, sizeof(procfs->argv)),
				      PROCFS_ARGV_MAX_BYTES);
	field[DETAIL_CWD] = link_field(dir, "cwd", procfs->cwd);
	stat_take(procfs, dir, "stat", ret_task);
	field[DETAIL_CGROUP] = cgroup_field(procfs, dir);
	field[DETAIL_IDS] = ids_field(procfs, dir);
	if (procfs->has_audit) {
		field[DETAIL_LOGINUID] = u32_field(procfs, dir, "loginuid", &procfs->loginuid);
		field[DETAIL_SESSIONID] = u32_field(procfs, dir, "sessionid", &procfs->sessionid);
	}
}

void procfs_read_thread(struct procfs *procfs, uint32_t pid, uint32_t tid,
			struct procfs_task *ret_task)
{
	char name[48];

	*ret_task = (struct procfs_task){ 0 };
	(void)snprintf(name, sizeof(name), "%u/task/%u/stat", pid, tid);
	stat_take(procfs, procfs->fd, name, ret_task);
}

int procfs_read_forks(const struct procfs *procfs, uint64_t *ret_forks)
{
	static const char wanted[] = "\nprocesses ";
	const size_t wanted_bytes = sizeof(wanted) - 1;
	auto_close int fd = openat(procfs_fd(procfs), "stat", O_RDONLY | O_CLOEXEC);
	char chunk[4096]; /* the line of interrupts alone may be longer */
	uint64_t forks = 0;
	size_t matched = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			const char c = chunk[i];

			if (matched < wanted_bytes) {
				matched = c == wanted[matched] ? matched + 1 : c == '\n';
				continue;
			}
			if (c < '0' || c > '9') {
				*ret_forks = forks;
				return 0;
			}
			forks = forks * 10 + (uint64_t)(c - '0');
		}
	}
	return n < 0 ? -errno : -EBADMSG;
}
