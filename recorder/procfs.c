#include "recorder/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/memo.h"
#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/event.h"

#define NS_PER_S UINT64_C(1000000000)

/* include/linux/sched.h: a kernel thread has no program and no arguments; a worker of the kernel has its work behind its name. */
#define PROCFS_PF_KTHREAD   0x00200000u
#define PROCFS_PF_WQ_WORKER 0x00000020u

struct procfs {
	int fd;
	uint64_t ticks_per_s;
	bool has_audit;      /* CONFIG_AUDIT: loginuid and sessionid are there */
	bool has_pidns;      /* CONFIG_PID_NS */
	bool has_pidfd_info; /* PIDFD_GET_INFO, 6.13 */
	size_t argv_max_bytes;
	uint8_t exe[PROCFS_PATH_MAX_BYTES + 1], cwd[PROCFS_PATH_MAX_BYTES + 1];
	const struct redactor *redactor;
	uint8_t argv[PROCFS_ARGV_MAX_BYTES + 1];
	uint8_t raw_argv[PROCFS_ARGV_MAX_BYTES +
			 1]; /* before its secrets are taken out; leaves this memory never */
	uint8_t stat[PROCFS_TEXT_MAX_BYTES], text[PROCFS_TEXT_MAX_BYTES];
	uint8_t cgroup[PROCFS_CGROUP_MAX_BYTES];
	le32 ids[4], loginuid, sessionid, pidns, redactions;
	struct memo memo;
};

/* --- PIDFD_GET_INFO: include/uapi/linux/pidfd.h of 6.13, which the headers of Debian 12 do not have --- */

struct pidfd_info_v0 {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	uint32_t spare;
};
_Static_assert(sizeof(struct pidfd_info_v0) == 64, "PIDFD_INFO_SIZE_VER0");

#define PROCFS_PIDFD_GET_INFO      _IOWR(0xff, 11, struct pidfd_info_v0)
#define PROCFS_PIDFD_INFO_CREDS    (UINT64_C(1) << 1)
#define PROCFS_PIDFD_INFO_CGROUPID (UINT64_C(1) << 2)

/* The ids of a process by its number: a third of what the text of status costs.  -ENOTTY, -EINVAL: not this kernel. */
static int pidfd_info(uint32_t pid, struct pidfd_info_v0 *ret_info)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	*ret_info = (struct pidfd_info_v0){ .mask = PROCFS_PIDFD_INFO_CREDS |
						    PROCFS_PIDFD_INFO_CGROUPID };
	if (fd < 0 || ioctl(fd, PROCFS_PIDFD_GET_INFO, ret_info) < 0)
		return -errno;
	return ret_info->mask & PROCFS_PIDFD_INFO_CREDS ? 0 : -ESRCH;
}

/* The cgroup of the v2 hierarchy that it is in; 0: not known. */
static uint64_t info_cgroup_id(const struct pidfd_info_v0 *info)
{
	return info->mask & PROCFS_PIDFD_INFO_CGROUPID ? info->cgroupid : 0;
}

int procfs_open(const struct procfs_setup *setup, struct procfs **ret_procfs)
{
	auto_close int fd = open(setup->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	long ticks = sysconf(_SC_CLK_TCK);
	struct pidfd_info_v0 info;
	struct procfs *procfs;

	if (fd < 0)
		return -errno;
	procfs = calloc(1, sizeof(*procfs));
	if (!procfs)
		return -ENOMEM;
	procfs->ticks_per_s = ticks > 0 ? (uint64_t)ticks : 100;
	procfs->argv_max_bytes = setup->argv_max_bytes < PROCFS_ARGV_MAX_BYTES
					 ? setup->argv_max_bytes
					 : PROCFS_ARGV_MAX_BYTES;
	procfs->redactor = setup->redactor;
	procfs->has_audit = faccessat(fd, "self/loginuid", F_OK, 0) == 0;
	procfs->has_pidns = faccessat(fd, "self/ns/pid", F_OK, 0) == 0;
	procfs->has_pidfd_info = procfs->has_pidns && pidfd_info((uint32_t)getpid(), &info) == 0;
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

/* The file's bytes, at most capacity; or -errno.  Each of the files read here is given whole to one read() that has the room (fs/proc/base.c,
 * fs/seq_file.c: one record), so that less than that is its end and costs no second one. */
static ssize_t file_read(int dir, const char *name, uint8_t *out, size_t capacity)
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = read(fd, out, capacity);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
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

/* Reads the cgroup; *ret_unified: it is of the v2 hierarchy, and whole. */
static struct detail_field cgroup_read(struct procfs *procfs, int dir, bool *ret_unified)
{
	ssize_t n = file_read(dir, "cgroup", procfs->text, sizeof(procfs->text));
	struct detail_field field;
	const uint8_t *path;
	size_t bytes;
	int r;

	*ret_unified = false;
	if (n < 0)
		return field_of(NULL, n, 0);
	r = procfs_parse_cgroup(procfs->text, (size_t)n, &path, &bytes);
	if (r < 0)
		return (struct detail_field){ .state = DETAIL_ABSENT };
	field = field_of(procfs->cgroup, (ssize_t)bytes, sizeof(procfs->cgroup));
	memcpy(procfs->cgroup, path, field.bytes);
	/* The line looked for may stand behind what was read. */
	if ((size_t)n == sizeof(procfs->text))
		field.state = DETAIL_TRUNCATED;
	*ret_unified = r == 0 && field.state == DETAIL_READ;
	return field;
}

/* id: of the cgroup that it is in, 0 when that is not known. */
static struct detail_field cgroup_field(struct procfs *procfs, int dir, uint32_t pid, uint64_t id)
{
	struct pidfd_info_v0 info;
	struct detail_field field;
	size_t bytes;
	const uint8_t *path = memo_cgroup(&procfs->memo, id, &bytes);
	bool unified;

	if (path)
		return field_of(path, (ssize_t)bytes, sizeof(procfs->cgroup));
	field = cgroup_read(procfs, dir, &unified);
	if (id != 0 && unified && pidfd_info(pid, &info) == 0 && info_cgroup_id(&info) == id)
		memo_cgroup_note(&procfs->memo, id, field.data, field.bytes);
	return field;
}

/* argv as it was read, with markers in the place of its secrets. */
static struct detail_field argv_redacted(struct procfs *procfs, const struct detail_field *raw,
					 uint32_t *ret_count)
{
	const struct redact_text text = { raw->data, raw->bytes, detail_cut(raw) };
	size_t bytes;
	bool cut;
	uint32_t count = redact_argv(procfs->redactor, &text, procfs->argv, procfs->argv_max_bytes,
				     &bytes, &cut);

	cut |= text.cut;
	*ret_count = count;
	if (count == 0)
		return field_of(procfs->argv, (ssize_t)(bytes + cut), bytes);
	explicit_bzero(procfs->raw_argv, raw->bytes);
	return (struct detail_field){ .data = procfs->argv,
				      .bytes = (uint32_t)bytes,
				      .state = cut ? DETAIL_REDACTED_TRUNCATED : DETAIL_REDACTED };
}

static void argv_take(struct procfs *procfs, int dir, struct detail_field *field)
{
	struct detail_field *argv = &field[DETAIL_ARGV];
	uint8_t *raw = procfs->redactor ? procfs->raw_argv : procfs->argv;
	uint32_t count = 0;

	if (procfs->argv_max_bytes == 0) {
		argv->state = DETAIL_WITHHELD;
		return;
	}
	*argv = field_of(raw, file_read(dir, "cmdline", raw, procfs->argv_max_bytes + 1),
			 procfs->argv_max_bytes);
	if (!procfs->redactor || argv->bytes == 0)
		return;
	*argv = argv_redacted(procfs, argv, &count);
	if (count == 0)
		return;
	procfs->redactions = le32_put(count);
	field[DETAIL_REDACTIONS] = field_of(procfs->redactions.b, sizeof(procfs->redactions),
					    sizeof(procfs->redactions));
}

static struct detail_field ids_field(struct procfs *procfs, const uint32_t ids[4])
{
	for (unsigned i = 0; i < 4; i++)
		procfs->ids[i] = le32_put(ids[i]);
	return field_of((const uint8_t *)procfs->ids, sizeof(procfs->ids), sizeof(procfs->ids));
}

static struct detail_field status_field(struct procfs *procfs, int dir)
{
	ssize_t n = file_read(dir, "status", procfs->text, sizeof(procfs->text));
	uint32_t ids[4] = { 0 };

	if (n < 0)
		return field_of(NULL, n, 0);
	if (procfs_parse_status(procfs->text, (size_t)n, ids) < 0)
		return (struct detail_field){ .state = DETAIL_GONE };
	return ids_field(procfs, ids);
}

/* ids and cgroup: by number where the kernel can.  Whether the number was still that of the process behind dir is for the caller to see, by
 * reading something under dir afterwards. */
static void info_take(struct procfs *procfs, int dir, uint32_t pid, struct detail_field *field)
{
	struct pidfd_info_v0 info = { 0 };
	int r;

	if (!procfs->has_pidfd_info) {
		field[DETAIL_IDS] = status_field(procfs, dir);
	} else {
		r = pidfd_info(pid, &info);
		field[DETAIL_IDS] = r == 0 ? ids_field(procfs, (uint32_t[]){ info.ruid, info.euid,
									     info.rgid, info.egid })
					   : field_of(NULL, r, 0);
	}
	field[DETAIL_CGROUP] = cgroup_field(procfs, dir, pid, info_cgroup_id(&info));
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

static void login_take(struct procfs *procfs, int dir, uint32_t pid, struct detail_field *field)
{
	struct detail_field *session = &field[DETAIL_SESSIONID], *login = &field[DETAIL_LOGINUID];
	uint32_t loginuid;

	*session = u32_field(procfs, dir, "sessionid", &procfs->sessionid);
	if (session->state == DETAIL_READ &&
	    memo_login(&procfs->memo, le32_get(procfs->sessionid), &loginuid)) {
		procfs->loginuid = le32_put(loginuid);
		*login = field_of(procfs->loginuid.b, sizeof(procfs->loginuid),
				  sizeof(procfs->loginuid));
		return;
	}
	*login = u32_field(procfs, dir, "loginuid", &procfs->loginuid);
	if (session->state == DETAIL_READ && login->state == DETAIL_READ)
		memo_login_note(&procfs->memo, pid, le32_get(procfs->sessionid),
				le32_get(procfs->loginuid));
}

/* The link reads "pid:[4026531836]". */
static struct detail_field pidns_field(struct procfs *procfs, int dir)
{
	char text[32];
	ssize_t n = readlinkat(dir, "ns/pid", text, sizeof(text));
	const size_t head = strlen("pid:[");
	uint32_t inode;

	if (n < 0)
		return field_of(NULL, -errno, 0);
	if ((size_t)n < head + 2 || text[n - 1] != ']' ||
	    procfs_parse_u32((const uint8_t *)text + head, (size_t)n - head - 1, &inode) < 0)
		return (struct detail_field){ .state = DETAIL_GONE };
	procfs->pidns = le32_put(inode);
	return field_of(procfs->pidns.b, sizeof(procfs->pidns), sizeof(procfs->pidns));
}

/* "kworker/0:1-events" is the worker 0:1 and what it works at, which is no name: behind the ':' it is cut off. */
static uint32_t worker_name_bytes(const struct procfs_stat *stat)
{
	const uint8_t *colon = memchr(stat->comm, ':', stat->comm_bytes);
	uint32_t bytes = colon ? (uint32_t)(colon - stat->comm) : stat->comm_bytes;

	while (bytes < stat->comm_bytes && stat->comm[bytes] != '-' && stat->comm[bytes] != '+')
		bytes++;
	return bytes;
}

/* Its memory is gone before its state says so; and of a program that lives the kernel leaves at least one NUL (5.18 on, fs/exec.c). */
static void argv_judge(struct detail_field *argv)
{
	if (argv->state == DETAIL_READ && argv->bytes == 0)
		argv->state = DETAIL_GONE;
}

/* comm alone, at half of what stat costs. */
static void comm_take(struct procfs *procfs, int dir, struct detail_field *field)
{
	ssize_t n = file_read(dir, "comm", procfs->stat, sizeof(procfs->stat));

	if (n > 0 && procfs->stat[n - 1] == '\n')
		n--;
	field[DETAIL_COMM] = field_of(procfs->stat, n, PROCFS_COMM_MAX_BYTES);
	argv_judge(&field[DETAIL_ARGV]);
}

/* comm, parent and start; the fields that a task without a program leaves empty get their meaning from what stands there. */
static void stat_take(struct procfs *procfs, int dir, const char *name, struct procfs_task *task)
{
	struct detail_field *field = task->detail.field;
	ssize_t n = file_read(dir, name, procfs->stat, sizeof(procfs->stat));
	struct procfs_stat stat;

	task->error = n < 0 ? (int)n : procfs_parse_stat(procfs->stat, (size_t)n, &stat);
	if (task->error < 0) {
		field[DETAIL_COMM].state = n < 0 ? state_of_error(n) : DETAIL_GONE;
		return;
	}
	if (stat.flags & PROCFS_PF_WQ_WORKER)
		stat.comm_bytes = worker_name_bytes(&stat);
	field[DETAIL_COMM] = field_of(stat.comm, stat.comm_bytes, PROCFS_COMM_MAX_BYTES);
	detail_cut_comm(&task->detail);
	task->stat_known = true;
	task->kernel = stat.flags & PROCFS_PF_KTHREAD;
	task->ended = stat.state == 'Z' || stat.state == 'X';
	task->threads = stat.threads;
	task->ppid = stat.ppid;
	task->start_ticks = stat.start_ticks;
	if (task->kernel) {
		field[DETAIL_EXE].state = DETAIL_ABSENT; /* there is none to be known */
		field[DETAIL_ARGV] = (struct detail_field){ .state = DETAIL_READ };
	} else {
		argv_judge(&field[DETAIL_ARGV]);
	}
}

struct detail procfs_gone(const struct procfs *procfs)
{
	struct detail detail = { 0 };

	for (unsigned tag = DETAIL_EXE; tag <= DETAIL_COMM; tag++)
		detail.field[tag].state = DETAIL_GONE;
	if (procfs->has_pidns)
		detail.field[DETAIL_PIDNS].state = DETAIL_GONE;
	if (procfs->argv_max_bytes == 0)
		detail.field[DETAIL_ARGV].state = DETAIL_WITHHELD;
	if (!procfs->has_audit)
		detail.field[DETAIL_LOGINUID].state = detail.field[DETAIL_SESSIONID].state =
			DETAIL_ABSENT;
	return detail;
}

enum { NUMBER_BYTES = 11 };

/* Not snprintf(): this runs for every exec, between the kernel and the ledger. */
static const char *number_text(uint32_t n, char out[NUMBER_BYTES])
{
	char *at = out + (NUMBER_BYTES - 1);

	*at = '\0';
	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return at;
}

/* Fields of this many bytes, packed, take this much: detail_pack() puts at most a tag, a state and a length before each. */
enum { FIELD_HEAD_BYTES = 4 };

/* Only a process with names as long as they can be gets here. */
static void argv_fit(struct detail *detail)
{
	struct detail_field *argv = &detail->field[DETAIL_ARGV];
	size_t others = 0;

	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++)
		others += FIELD_HEAD_BYTES + (tag == DETAIL_ARGV ? 0 : detail->field[tag].bytes);
	if (others + argv->bytes <= EVENT_DETAIL_MAX_BYTES)
		return;
	argv->bytes = (uint32_t)(EVENT_DETAIL_MAX_BYTES - others);
	argv->state = argv->state == DETAIL_READ ? DETAIL_TRUNCATED : DETAIL_REDACTED_TRUNCATED;
}

/* What goes away first, with the program itself, is read first. */
static void fields_read(struct procfs *procfs, int dir, uint32_t pid, bool program,
			struct procfs_task *task)
{
	struct detail_field *field = task->detail.field;

	field[DETAIL_EXE] = link_field(dir, "exe", procfs->exe);
	argv_take(procfs, dir, field);
	field[DETAIL_CWD] = link_field(dir, "cwd", procfs->cwd);
	if (program)
		comm_take(procfs, dir, field);
	else
		stat_take(procfs, dir, "stat", task);
	info_take(procfs, dir, pid, field);
	if (procfs->has_audit)
		login_take(procfs, dir, pid, field);
	if (procfs->has_pidns)
		field[DETAIL_PIDNS] = pidns_field(procfs, dir);
	/* The number was not given to another while the process is still there. */
	if (field[DETAIL_PIDNS].state == DETAIL_GONE && procfs->has_pidfd_info)
		field[DETAIL_IDS] = field[DETAIL_CGROUP] =
			(struct detail_field){ .state = DETAIL_GONE };
	argv_fit(&task->detail);
}

static void process_read(struct procfs *procfs, uint32_t pid, bool program,
			 struct procfs_task *ret_task)
{
	struct detail_field *field = ret_task->detail.field;
	char name[NUMBER_BYTES];
	auto_close int dir = -1;

	*ret_task = (struct procfs_task){ .detail = procfs_gone(procfs) };
	dir = openat(procfs->fd, number_text(pid, name), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		uint8_t state = state_of_error(-errno);

		ret_task->error = -errno;
		for (unsigned tag = DETAIL_EXE; tag < DETAIL_TAG_LIMIT; tag++)
			if (field[tag].state == DETAIL_GONE)
				field[tag].state = state;
		return;
	}
	fields_read(procfs, dir, pid, program, ret_task);
}

void procfs_read_process(struct procfs *procfs, uint32_t pid, struct procfs_task *ret_task)
{
	process_read(procfs, pid, false, ret_task);
}

void procfs_read_program(struct procfs *procfs, uint32_t pid, struct procfs_task *ret_task)
{
	process_read(procfs, pid, true, ret_task);
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
