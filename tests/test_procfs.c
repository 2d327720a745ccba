/* test_procfs.c - parsing what /proc says, hostile text among it, and reading tasks of our own. */
#include "recorder/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/event_detail.h"
#include "tests/tap.h"

/* --- parsing --- */

static int stat_of(const char *text, struct procfs_stat *stat)
{
	return procfs_parse_stat((const uint8_t *)text, strlen(text), stat);
}

#define STAT_REST                                                               \
	" S 11 12 13 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 201305 3133440 386 " \
	"18446744073709551615 1\n"

static bool comm_is(const struct procfs_stat *stat, const char *comm)
{
	return stat->comm_bytes == strlen(comm) && memcmp(stat->comm, comm, stat->comm_bytes) == 0;
}

static void test_stat(void)
{
	static const char *const names[] = { "cat",  "",        ")",      "a) R 1 1 1 (b",
					     "\n\n", "x (y) z", ") S 99", "kworker/0:1-events" };
	struct procfs_stat stat = { 0 };
	char text[512];
	size_t short_found = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(text, sizeof(text), "77 (%s)" STAT_REST, names[i]);
		ok(stat_of(text, &stat) == 0 && comm_is(&stat, names[i]) && stat.ppid == 11 &&
			   stat.state == 'S' && stat.flags == 4194304 && stat.threads == 1 &&
			   stat.start_ticks == 201305,
		   "stat of a task with name number %zu is read right", i);
	}
	stat.ppid = 42;
	for (size_t n = 0; n < strlen(text); n++)
		short_found += procfs_parse_stat((const uint8_t *)text, n, &stat) == 0 &&
			       stat.start_ticks != 201305 && stat.start_ticks > 201305;
	ok(short_found == 0, "stat cut short anywhere gives no number that is not there");
	ok(stat_of("", &stat) == -EBADMSG && stat_of(") (", &stat) == -EBADMSG &&
		   stat_of("1 (x", &stat) == -EBADMSG && stat_of("1 (x) ", &stat) == -EBADMSG &&
		   stat_of("1 (x) S a", &stat) == -EBADMSG &&
		   stat_of("1 (x) S 99999999999999999999 1 1 1 1 1 1", &stat) == -EBADMSG,
	   "what is no stat is refused");
}

static int status_of(const char *text, uint32_t ids[4])
{
	return procfs_parse_status((const uint8_t *)text, strlen(text), ids);
}

static void test_status(void)
{
	uint32_t ids[4] = { 9, 9, 9, 9 };

	ok(status_of("Name:\tx\nUmask:\t0022\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t4294967295\n",
		     ids) == 0 &&
		   ids[0] == 1 && ids[1] == 2 && ids[2] == 5 && ids[3] == 6,
	   "real and effective ids are read from status");
	ok(status_of("Name:\tUid:\t7\t7\\nUid:\t7\nUid:\t1\t1\nGid:\t2\t3", ids) == 0 &&
		   ids[0] == 1 && ids[3] == 3,
	   "a name that looks like the line is not it");
	ids[0] = 9;
	ok(status_of("", ids) == -EBADMSG && status_of("Uid:\t1\t2\n", ids) == -EBADMSG &&
		   status_of("Uid:\t1\nGid:\t1\t1\n", ids) == -EBADMSG &&
		   status_of("Uid:\t4294967296\t1\nGid:\t1\t1\n", ids) == -EBADMSG && ids[0] == 9,
	   "what is incomplete or too large is refused, and nothing is set");
}

static bool cgroup_is(const char *text, const char *expected, int expected_r)
{
	const uint8_t *path;
	size_t bytes;
	int r = procfs_parse_cgroup((const uint8_t *)text, strlen(text), &path, &bytes);

	return r == expected_r && bytes == strlen(expected) && memcmp(path, expected, bytes) == 0;
}

static bool cgroup_refused(const char *text)
{
	const uint8_t *path;
	size_t bytes;

	return procfs_parse_cgroup((const uint8_t *)text, strlen(text), &path, &bytes) == -EBADMSG;
}

static void test_cgroup(void)
{
	ok(cgroup_is("0::/user.slice/x\n", "/user.slice/x", 0), "the v2 hierarchy");
	ok(cgroup_is("9:name=systemd:/a\n8:pids:/b\n0::/c\n", "/c", 0), "is preferred");
	ok(cgroup_is("8:pids:/b\n1:name=systemd:/a\n3:cpu:/d\n", "/a", PROCFS_CGROUP_V1),
	   "then that of systemd");
	ok(cgroup_is("8:pids:/b\n3:cpu:/d", "/b", PROCFS_CGROUP_V1), "then the first line");
	ok(cgroup_is("9:name=systemd:/docker/ab\n4:memory:/docker/ab\n0::/\n", "/docker/ab",
		     PROCFS_CGROUP_V1),
	   "of a v2 hierarchy that is there and empty it is not asked");
	ok(cgroup_is("5:misc:/\n4:memory:/docker/ab\n0::/\n", "/docker/ab", PROCFS_CGROUP_V1),
	   "nor of another in whose root it is");
	ok(cgroup_is("9:name=systemd:/\n4:memory:/\n0::/\n", "/", PROCFS_CGROUP_V1),
	   "who is in the root of all need not be alone in that of v2");
	ok(cgroup_is("0::/\n", "/", 0), "but where there is no other");
	ok(cgroup_is("3:cpu:/a:b:0::/x\n", "/a:b:0::/x", PROCFS_CGROUP_V1),
	   "a path may hold colons");
	ok(cgroup_is("0::\n", "", 0), "and may be empty");
	ok(cgroup_refused("") && cgroup_refused("0\n") && cgroup_refused("0:\n:"),
	   "what has no path is refused");
}

static void test_number(void)
{
	uint32_t n = 42;

	ok(procfs_parse_u32((const uint8_t *)"4294967295", 10, &n) == 0 && n == UINT32_MAX,
	   "a u32 is read");
	ok(procfs_parse_u32((const uint8_t *)"12\n", 3, &n) == 0 && n == 12, "with a newline too");
	ok(procfs_parse_u32((const uint8_t *)"4294967296", 10, &n) == -EBADMSG &&
		   procfs_parse_u32((const uint8_t *)"-1", 2, &n) == -EBADMSG &&
		   procfs_parse_u32((const uint8_t *)"1x", 2, &n) == -EBADMSG &&
		   procfs_parse_u32((const uint8_t *)"\n", 1, &n) == -EBADMSG &&
		   procfs_parse_u32((const uint8_t *)"", 0, &n) == -EBADMSG && n == 12,
	   "what is no u32 is refused");
}

/* --- reading --- */

static bool field_is(const struct procfs_task *task, enum detail_tag tag, const void *data,
		     size_t bytes)
{
	const struct detail_field *field = &task->detail.field[tag];

	return field->state == DETAIL_READ && field->bytes == bytes &&
	       memcmp(field->data, data, bytes) == 0;
}

static void test_own(struct procfs *procfs)
{
	static const char name[] = "a) \x1b]0;x\n(";
	struct procfs_task task;
	char exe[4096], cwd[4096];
	ssize_t exe_bytes = readlink("/proc/self/exe", exe, sizeof(exe));
	struct stat ns;
	uint32_t id;

	(void)prctl(PR_SET_NAME, name);
	procfs_read_program(procfs, (uint32_t)getpid(), &task);
	ok(field_is(&task, DETAIL_COMM, name, strlen(name)) &&
		   task.detail.field[DETAIL_ARGV].state == DETAIL_READ &&
		   task.detail.field[DETAIL_CGROUP].state == DETAIL_READ && !task.stat_known,
	   "of a program there is everything but what stat alone tells");
	procfs_read_process(procfs, (uint32_t)getpid(), &task);
	(void)prctl(PR_SET_NAME, "test_procfs");
	ok(exe_bytes > 0 && field_is(&task, DETAIL_EXE, exe, (size_t)exe_bytes),
	   "exe of a process is read");
	ok(getcwd(cwd, sizeof(cwd)) && field_is(&task, DETAIL_CWD, cwd, strlen(cwd)), "cwd too");
	ok(field_is(&task, DETAIL_COMM, name, strlen(name)), "comm too, whatever bytes it has");
	ok(task.detail.field[DETAIL_ARGV].state == DETAIL_READ &&
		   task.detail.field[DETAIL_ARGV].bytes > 0,
	   "argv too");
	ok(detail_u32(&task.detail, DETAIL_IDS, 1, &id) == 0 && id == geteuid() &&
		   detail_u32(&task.detail, DETAIL_IDS, 2, &id) == 0 && id == getgid(),
	   "the ids too");
	ok(task.detail.field[DETAIL_CGROUP].state == DETAIL_READ, "the cgroup too");
	ok(task.stat_known && task.ppid == (uint32_t)getppid() && !task.kernel, "and the parent");
	ok(stat("/proc/self/ns/pid", &ns) == 0 &&
		   detail_u32(&task.detail, DETAIL_PIDNS, 0, &id) == 0 && id == ns.st_ino,
	   "and its pid namespace");
}

/* Runs /bin/cat with the given arguments, which waits for its input, until read() has looked at it. */
static void with_child(char *const argv[], void (*look)(struct procfs *, pid_t),
		       struct procfs *procfs)
{
	int in[2], out[2];
	char byte;
	pid_t pid;

	if (pipe(in) < 0 || pipe(out) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		(void)dup2(in[0], 0);
		(void)dup2(out[1], 1);
		(void)close(in[1]);
		(void)execv("/bin/cat", argv);
		_exit(127);
	}
	/* When the byte has come back it is cat that runs. */
	if (write(in[1], "x", 1) != 1 || read(out[0], &byte, 1) != 1)
		abort();
	look(procfs, pid);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	for (int i = 0; i < 2; i++) {
		(void)close(in[i]);
		(void)close(out[i]);
	}
}

static void look_child(struct procfs *procfs, pid_t pid)
{
	static const char argv[] = "cat\0--\0-";
	struct procfs_task task;
	struct clock_reading now;
	uint64_t start_ns;

	clock_read(&now);
	procfs_read_process(procfs, (uint32_t)pid, &task);
	start_ns = procfs_start_ns(procfs, task.start_ticks, clock_suspended_ns(&now));
	ok(field_is(&task, DETAIL_ARGV, argv, sizeof(argv)), "argv of a child, with its NULs");
	ok(task.ppid == (uint32_t)getpid() && start_ns <= now.monotonic_ns &&
		   now.monotonic_ns - start_ns < UINT64_C(5000000000),
	   "a child began just now, on CLOCK_MONOTONIC");
	(void)kill(pid, SIGKILL);
	for (int i = 0; i < 500; i++) {
		procfs_read_process(procfs, (uint32_t)pid, &task);
		if (task.detail.field[DETAIL_EXE].state == DETAIL_GONE)
			break;
		(void)usleep(1000);
	}
	ok(task.detail.field[DETAIL_EXE].state == DETAIL_GONE &&
		   task.detail.field[DETAIL_ARGV].state == DETAIL_GONE &&
		   task.detail.field[DETAIL_ARGV].bytes == 0 &&
		   field_is(&task, DETAIL_COMM, "cat", 3),
	   "of one that has ended and is not reaped, exe and argv are gone and comm is there");
	(void)waitpid(pid, NULL, 0);
	procfs_read_process(procfs, (uint32_t)pid, &task);
	ok(!task.stat_known && task.detail.field[DETAIL_EXE].state == DETAIL_GONE &&
		   task.detail.field[DETAIL_COMM].state == DETAIL_GONE &&
		   task.detail.field[DETAIL_IDS].state == DETAIL_GONE,
	   "of one that is reaped everything is gone");
}

static void look_long(struct procfs *procfs, pid_t pid)
{
	struct procfs_task task;
	const struct detail_field *field = &task.detail.field[DETAIL_ARGV];

	procfs_read_process(procfs, (uint32_t)pid, &task);
	ok(field->state == DETAIL_TRUNCATED && field->bytes == PROCFS_ARGV_DEFAULT_BYTES &&
		   field->data[0] == 'y' && field->data[4095] == 'y',
	   "of a long argv there is the beginning, and that it was longer");
}

static void look_exact(struct procfs *procfs, pid_t pid)
{
	struct procfs_task task;

	procfs_read_process(procfs, (uint32_t)pid, &task);
	ok(task.detail.field[DETAIL_ARGV].state == DETAIL_READ &&
		   task.detail.field[DETAIL_ARGV].bytes == PROCFS_ARGV_DEFAULT_BYTES,
	   "one that just fits is whole");
}

static void test_children(struct procfs *procfs)
{
	static char cat[] = "cat", dashes[] = "--", dash[] = "-", text[5001];

	with_child((char *[]){ cat, dashes, dash, NULL }, look_child, procfs);
	memset(text, 'y', sizeof(text) - 1);
	with_child((char *[]){ text, NULL }, look_long, procfs);
	text[PROCFS_ARGV_DEFAULT_BYTES - 1] = '\0';
	with_child((char *[]){ text, NULL }, look_exact, procfs);
}

/* Of a process with as long a folder as can be, and the longest argv: all of it still goes into one event. */
static void look_crowded(struct procfs *procfs, pid_t pid)
{
	struct procfs_task task;
	uint8_t packed[EVENT_DETAIL_MAX_BYTES];
	size_t bytes = 0;

	procfs_read_process(procfs, (uint32_t)pid, &task);
	ok(task.detail.field[DETAIL_CWD].bytes > 3000 &&
		   task.detail.field[DETAIL_ARGV].state == DETAIL_TRUNCATED &&
		   detail_pack(&task.detail, packed, sizeof(packed), &bytes) == 0,
	   "the longest argv and folder fit into one event (%zu bytes)", bytes);
}

static void test_long_names(void)
{
	const struct procfs_setup setup = { .path = "/proc",
					    .argv_max_bytes = PROCFS_ARGV_MAX_BYTES };
	static char text[2 * PROCFS_ARGV_MAX_BYTES], name[201];
	char home[] = "/tmp/test_procfs.XXXXXX";
	struct procfs *procfs;
	unsigned depth = 0;
	int top = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'd', sizeof(name) - 1);
	memset(text, 'y', sizeof(text) - 1);
	if (top < 0 || !mkdtemp(home) || chdir(home) < 0 || procfs_open(&setup, &procfs) < 0)
		abort();
	while (depth < 19 && mkdir(name, 0700) == 0 && chdir(name) == 0)
		depth++;
	with_child((char *[]){ text, NULL }, look_crowded, procfs);
	procfs_close(procfs);
	while (depth-- > 0)
		if (chdir("..") < 0 || rmdir(name) < 0)
			abort();
	if (fchdir(top) < 0 || rmdir(home) < 0)
		abort();
	(void)close(top);
}

static void test_withheld(void)
{
	struct procfs *procfs;
	struct procfs_task task;

	if (procfs_open(&(struct procfs_setup){ .path = "/proc" }, &procfs) < 0)
		abort();
	procfs_read_process(procfs, (uint32_t)getpid(), &task);
	ok(task.detail.field[DETAIL_ARGV].state == DETAIL_WITHHELD &&
		   task.detail.field[DETAIL_ARGV].bytes == 0 &&
		   task.detail.field[DETAIL_EXE].state == DETAIL_READ,
	   "with no room for argv it is withheld, and the rest is read");
	procfs_close(procfs);
}

/* --- of an event --- */

static bool exe_is(struct procfs *procfs, const struct event *exec, enum detail_state state)
{
	static uint8_t packed[EVENT_DETAIL_MAX_BYTES];
	struct detail detail;

	return detail_unpack(packed, event_detail_exec(procfs, exec, 0, packed), &detail) == 0 &&
	       detail.field[DETAIL_EXE].state == state;
}

static bool file_write(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	(void)close(fd);
	return done;
}

/* A process that began late, of which a pipe stands for the command line: whoever reads waits for it. */
static bool late_make(int top)
{
	int dir = mkdirat(top, "77", 0700) == 0 ? openat(top, "77", O_DIRECTORY | O_CLOEXEC) : -1;
	bool done = dir >= 0 && symlinkat("/bin/true", dir, "exe") == 0 &&
		    mkfifoat(dir, "cmdline", 0600) == 0 && file_write(dir, "comm", "late\n") &&
		    file_write(dir, "stat",
			       "77 (late) S 11 12 13 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 "
			       "99999999999 3133440 386 18446744073709551615 1\n");

	(void)close(dir);
	return done;
}

static void test_wait(void)
{
	char place[] = "/tmp/procledger.wait.XXXXXX";
	struct event exec = { .kind = EVENT_EXEC, .pid = 77 };
	const int top = mkdtemp(place) ? open(place, O_DIRECTORY | O_CLOEXEC) : -1;
	struct procfs *procfs;
	pid_t writer;

	if (top < 0 || !late_make(top) ||
	    procfs_open(&(struct procfs_setup){ .path = place, .argv_max_bytes = 100 }, &procfs) <
		    0)
		abort();
	writer = fork();
	if (writer == 0) {
		for (;;) {
			(void)usleep(5000);
			(void)file_write(top, "77/cmdline", "late");
		}
	}
	exec.timestamp_ns = clock_monotonic_ns();
	ok(exe_is(procfs, &exec, DETAIL_GONE),
	   "who had to wait while it read asks whether the process is still the one");
	(void)kill(writer, SIGKILL);
	(void)waitpid(writer, NULL, 0);
	procfs_close(procfs);
	for (size_t i = 0; i < 5; i++)
		(void)unlinkat(top,
			       (const char *const[]){ "77/exe", "77/cmdline", "77/comm", "77/stat",
						      "77" }[i],
			       i == 4 ? AT_REMOVEDIR : 0);
	(void)close(top);
	(void)rmdir(place);
}

/* In a time namespace whose BOOTTIME is some hours ahead, as it is behind a suspend of which nobody knows here yet.  -errno: there is none. */
static int suspended_begin(void)
{
	static const char offset[] = "boottime 36000 0\n";
	int fd, r;

	if (unshare(CLONE_NEWTIME) < 0)
		return -errno;
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	r = fd >= 0 && write(fd, offset, strlen(offset)) > 0 ? 0 : -errno;
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int suspended_child(void *context)
{
	struct event exec = { .kind = EVENT_EXEC, .pid = (uint32_t)getpid() };
	struct clock_reading now;

	/* So long ago that the start is asked for, and so long behind it that a tick lies between. */
	(void)usleep(30000);
	clock_read(&now);
	exec.timestamp_ns = now.monotonic_ns - UINT64_C(10000000);
	if (clock_suspended_ns(&now) < 35000 * UINT64_C(1000000000))
		return 1;
	if (!exe_is(context, &exec, DETAIL_READ))
		return 1;
	exec.timestamp_ns -= UINT64_C(60000000000);
	return exe_is(context, &exec, DETAIL_GONE) ? 0 : 1;
}

static void test_suspended(struct procfs *procfs)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (suspended_begin() < 0)
			_exit(CANNOT);
		pid = fork();
		if (pid == 0)
			_exit(suspended_child(procfs));
		(void)waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	(void)waitpid(pid, &status, 0);
	ok(status == 0 || cannot(status),
	   "right behind a suspend a new process is no later one, and a later one is%s",
	   cannot(status) ? " # SKIP no time namespace here" : "");
}

int main(void)
{
	const struct procfs_setup setup = { .path = "/proc",
					    .argv_max_bytes = PROCFS_ARGV_DEFAULT_BYTES };
	struct procfs *procfs = NULL;

	test_stat();
	test_status();
	test_cgroup();
	test_number();
	ok(procfs_open(&(struct procfs_setup){ .path = "/nowhere" }, &procfs) == -ENOENT && !procfs,
	   "a folder must be there");
	if (procfs_open(&setup, &procfs) < 0)
		return 1;
	test_own(procfs);
	test_children(procfs);
	test_long_names();
	test_withheld();
	test_wait();
	test_suspended(procfs);
	procfs_close(procfs);
	procfs_close(NULL);
	return done_testing();
}
