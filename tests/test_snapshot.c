/* test_snapshot.c - a look at all tasks of /proc: who is in it, who is not, and whether it is whole. */
#include "recorder/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/procfs.h"
#include "schema/detail.h"
#include "tests/tap.h"

struct seen {
	uint64_t snapshots, ends, end_count, unordered, long_names;
	bool self, thread, kernel;
	uint32_t self_tid, thread_tid;
};

static int see(void *context, struct event *event)
{
	struct seen *seen = context;
	struct detail detail;

	if (event->kind == EVENT_SNAPSHOT_END) {
		seen->ends++;
		seen->end_count = event->arg[0];
		return 0;
	}
	seen->snapshots++;
	if (detail_unpack(event->detail, event->detail_bytes, &detail) < 0)
		return -EBADMSG;
	seen->long_names += detail.field[DETAIL_COMM].bytes >= EVENT_COMM_BYTES;
	if (event->tid == seen->self_tid)
		seen->self = event->pid == seen->self_tid && event->ppid == (uint32_t)getppid() &&
			     detail.field[DETAIL_EXE].state == DETAIL_READ;
	if (event->tid == seen->thread_tid)
		seen->thread = event->pid == seen->self_tid && seen->self &&
			       detail.field[DETAIL_COMM].bytes == 6 &&
			       memcmp(detail.field[DETAIL_COMM].data, "thread", 6) == 0 &&
			       detail.field[DETAIL_EXE].state == DETAIL_ABSENT;
	if (event->pid == 2)
		seen->kernel = detail.field[DETAIL_EXE].state == DETAIL_ABSENT &&
			       detail.field[DETAIL_ARGV].state == DETAIL_READ &&
			       detail.field[DETAIL_ARGV].bytes == 0;
	if (event->timestamp_ns == 0 || event->cpu != EVENT_CPU_NONE ||
	    event->arg[0] > event->timestamp_ns)
		seen->unordered++;
	return 0;
}

static _Atomic int thread_tid;
static pthread_mutex_t thread_end = PTHREAD_MUTEX_INITIALIZER;

static void *thread_main(void *context)
{
	(void)prctl(PR_SET_NAME, "thread");
	thread_tid = gettid();
	(void)pthread_mutex_lock(&thread_end);
	(void)pthread_mutex_unlock(&thread_end);
	return context;
}

static int refuse(void *context, struct event *event)
{
	(void)context;
	(void)event;
	return -ENOSPC;
}

/* What a snapshot has of a process. */
struct dead {
	uint32_t pid;
	unsigned leaders, threads, gone;
};

static int see_dead(void *context, struct event *event)
{
	struct dead *dead = context;

	if (event->kind != EVENT_SNAPSHOT || event->pid != dead->pid)
		return 0;
	dead->leaders += event->tid == event->pid;
	dead->threads += event->tid != event->pid;
	dead->gone += event->arg[2] == EVENT_SNAPSHOT_LEADER_GONE;
	return 0;
}

static void *pause_main(void *context)
{
	(void)pause();
	return context;
}

/* A child whose leader has ended: alone, or before a thread of its. */
static struct dead dead_child(struct procfs *procfs, bool threaded)
{
	struct dead dead = { 0 };
	char path[32], text[512];
	pthread_t thread;
	pid_t pid = fork();
	int why;

	if (pid == 0) {
		if (threaded && pthread_create(&thread, NULL, pause_main, NULL) == 0)
			pthread_exit(NULL);
		_exit(3);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (bool ended = false; !ended; (void)usleep(1000)) {
		FILE *file = fopen(path, "r");

		ended = file && fgets(text, sizeof(text), file) && strstr(text, ") Z ");
		if (file)
			(void)fclose(file);
	}
	dead.pid = (uint32_t)pid;
	if (snapshot_take(procfs, 0, see_dead, &dead, &why) != 0)
		abort();
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return dead;
}

static void test_snapshot_dead(struct procfs *procfs)
{
	struct dead dead = dead_child(procfs, false);

	ok(dead.leaders == 0 && dead.threads == 0, "who has ended and was not reaped is left out");
	dead = dead_child(procfs, true);
	/* A sanitizer may have a thread of its own. */
	ok(dead.leaders == 1 && dead.threads >= 1 && dead.gone == 1 + dead.threads,
	   "but for a leader whose thread lives on: all of them say so");
}

static void test_snapshot(struct procfs *procfs)
{
	struct seen seen = { .self_tid = (uint32_t)getpid() };
	pthread_t thread;
	int why;

	(void)pthread_mutex_lock(&thread_end);
	if (pthread_create(&thread, NULL, thread_main, NULL) != 0)
		abort();
	while (thread_tid == 0)
		(void)usleep(1000);
	seen.thread_tid = (uint32_t)thread_tid;
	ok(snapshot_take(procfs, 0, see, &seen, &why) == 0 && seen.snapshots > 2 &&
		   seen.end_count == seen.snapshots,
	   "a snapshot has all tasks (%llu) and says how many", (unsigned long long)seen.snapshots);
	ok(seen.self, "this process is in it, with its parent and program");
	ok(seen.thread, "its thread is in it behind it, with its name alone");
	ok(seen.long_names == 0, "no name is longer than the kernel's, in /proc some are");
	ok(seen.unordered == 0, "every task began before it was read");
	if (access("/proc/2/stat", R_OK) == 0)
		ok(seen.kernel, "a kernel thread has no program and no arguments");
	ok(snapshot_take(procfs, 0, refuse, NULL, &why) == -ENOSPC, "whoever takes it may end it");
	(void)pthread_mutex_unlock(&thread_end);
	(void)pthread_join(thread, NULL);
}

/* With room for so many descriptors more. */
static int snapshot_with(struct procfs *procfs, int descriptors, struct seen *seen, int *ret_why)
{
	struct rlimit before, few;
	int r, lowest = dup(STDOUT_FILENO);

	(void)close(lowest);
	if (getrlimit(RLIMIT_NOFILE, &before) < 0)
		abort();
	few = before;
	few.rlim_cur = (rlim_t)lowest + (rlim_t)descriptors;
	(void)setrlimit(RLIMIT_NOFILE, &few);
	r = snapshot_take(procfs, 0, see, seen, ret_why);
	(void)setrlimit(RLIMIT_NOFILE, &before);
	return r;
}

static void test_snapshot_partial(struct procfs *procfs)
{
	unsigned partial = 0;
	int why = 0;

	/* For /proc, a process, one of its files. */
	for (int descriptors = 0; descriptors < 3; descriptors++) {
		struct seen seen = { 0 };

		partial += snapshot_with(procfs, descriptors, &seen, &why) == SNAPSHOT_PARTIAL &&
			   why == -EMFILE && seen.ends == 0;
	}
	ok(partial == 3, "where tasks cannot be read the snapshot has no end, and says why");
	ok(snapshot_with(procfs, 3, &(struct seen){ 0 }, &why) == 0,
	   "with what it needs it has one");
}

/* As nobody, on a /proc of its own that hides the tasks of others.  As snapshot_take(), or -errno: it cannot be mounted. */
static int snapshot_hidden(const char *options)
{
	static const char place[] = "/tmp";
	struct seen seen = { 0 };
	struct procfs *procfs;
	int why = 0, r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", place, "proc", 0, options) < 0)
		return -errno;
	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0 ||
	    procfs_open(&(struct procfs_setup){ .path = place }, &procfs) < 0)
		return -errno;
	r = snapshot_take(procfs, 0, see, &seen, &why);
	return r == SNAPSHOT_PARTIAL && why != -EACCES && why != -EPERM ? 0 : r;
}

static void test_snapshot_hidden(const char *options)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int r = snapshot_hidden(options);

		_exit(r == SNAPSHOT_PARTIAL ? 0 : r < 0 ? CANNOT : 1);
	}
	(void)waitpid(pid, &status, 0);
	ok(status == 0 || cannot(status), "a snapshot of a /proc with %s is not whole%s", options,
	   cannot(status) ? " # SKIP it cannot be mounted here" : "");
}

int main(void)
{
	const struct procfs_setup setup = { .path = "/proc",
					    .argv_max_bytes = PROCFS_ARGV_DEFAULT_BYTES };
	struct procfs *procfs;

	if (procfs_open(&setup, &procfs) < 0)
		return 1;
	test_snapshot(procfs);
	test_snapshot_dead(procfs);
	test_snapshot_partial(procfs);
	if (geteuid() == 0) {
		test_snapshot_hidden("hidepid=1");
		test_snapshot_hidden("hidepid=2");
	}
	procfs_close(procfs);
	return done_testing();
}
