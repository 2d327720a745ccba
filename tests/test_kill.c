/* test_kill.c - kill -9 of the recorder, over and over under a storm of forks, loses no event and doubles none.
 *
 * KILLS (environment; 200) times, at random moments.  Witnesses of what should be there: the kernel's numbers on each CPU, the
 * storm's own list of the processes that it made, and the count of forks in /proc/stat.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/ring.h"
#include "tests/child.h"
#include "tests/clocks.h"
#include "tests/shell.h"
#include "tests/tap.h"

enum {
	KILLS_DEFAULT = 200,
	KILL_WITHIN_US = 12000,
	EARLY_ONE_IN = 20,
	ROUND_FORKS = 500,
	CPUS_MAX = 1024
};
enum { PID_MAX = 1 << 22, QUIET_TRIES = 5000, QUIET_US = 1000, READY_MS = 8000 };

static char build[256], scratch[64], store[96], tids_path[96], log_path[96];

/* --- the program --- */

static pid_t program_start(void)
{
	char program[300];
	pid_t pid;

	(void)snprintf(program, sizeof(program), "%s/procledgerd", build);
	pid = fork();
	if (pid == 0) {
		int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);

		(void)dup2(fd, STDERR_FILENO);
		(void)execl(program, program, "--store", store, "--ring-size", "256M",
			    (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* The child that is neither of these; 0: there was none in time. */
static pid_t recorder_wait(pid_t supervisor, pid_t projector, pid_t before)
{
	const uint64_t until_ms = now_ms() + READY_MS;
	pid_t children[2];

	while (now_ms() < until_ms) {
		int count = children_of(supervisor, children);

		for (int i = 0; i < count; i++)
			if (children[i] != projector && children[i] != before)
				return children[i];
		rest_us(200);
	}
	return 0;
}

/* How often a recorder has said that it goes on, by what came to the log since the last call. */
static unsigned log_count(int log)
{
	static char text[4096];
	unsigned count = 0;
	ssize_t n;

	while ((n = read(log, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		for (const char *at = text; (at = strchr(at, '\n')); at++)
			count += at - text >= 6 && strncmp(at - 6, " there", 6) == 0;
	}
	return count;
}

/* Waits for the next recorder to go on. */
static void ready_wait(int log)
{
	const uint64_t until_ms = now_ms() + READY_MS;

	while (log_count(log) == 0 && now_ms() < until_ms)
		rest_us(200);
}

/* --- the storm --- */

/* Runs tests/storm, round after round, until SIGTERM: the last round is finished too. */
static _Noreturn void storm_run(void)
{
	char program[300], count[16];
	sigset_t set;
	struct timespec none = { 0 };

	(void)snprintf(program, sizeof(program), "%s/tests/storm", build);
	(void)snprintf(count, sizeof(count), "%d", ROUND_FORKS);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	while (sigtimedwait(&set, NULL, &none) < 0) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			int fd = open(tids_path, O_WRONLY | O_CREAT | O_APPEND, 0644);

			(void)dup2(fd, STDOUT_FILENO);
			(void)execl(program, program, "fork", count, "2", (char *)NULL);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			_exit(1);
	}
	_exit(0);
}

/* --- the count of forks --- */

static uint64_t forks_read(void)
{
	static char text[1 << 16];
	auto_close int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	const char *at;

	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nprocesses ");
	return at ? strtoull(at + 11, NULL, 10) : 0;
}

struct mark {
	pid_t pid;
	uint64_t forks; /* its own included */
};

/* A fork whose place in the kernel's count is known: nobody else forked around it.  False: there was no such quiet moment. */
static bool mark_make(struct mark *ret_mark)
{
	for (int i = 0; i < QUIET_TRIES; i++) {
		uint64_t before = forks_read(), after;
		pid_t pid;

		rest_us(QUIET_US);
		if (forks_read() != before)
			continue;
		pid = fork();
		if (pid == 0)
			_exit(0);
		(void)waitpid(pid, NULL, 0);
		rest_us(QUIET_US);
		after = forks_read();
		*ret_mark = (struct mark){ pid, after };
		if (after == before + 1)
			return true;
	}
	return false;
}

/* --- what is in the ring --- */

enum { ROLE_NONE, ROLE_RUNNER, ROLE_STORM, ROLE_WORKER, ROLE_TASK };

static struct {
	uint64_t events, out_of_order, holes, unaccounted, doubled, lost;
	uint64_t starts, continued, snapshots, recoveries, landed;
	uint64_t after; /* FORK events behind the first mark */
	uint64_t tasks, task_sum, task_ends,
		between; /* between: FORK events behind the first mark, up to the second */
	bool marked, passed;
	pid_t runner;
	struct event last;
	uint32_t next_seq[CPUS_MAX];
	bool seq_known[CPUS_MAX];
	uint8_t role[PID_MAX];
} found;

static void see_number(const struct event *event)
{
	const uint32_t cpu = event->cpu;

	if (cpu >= CPUS_MAX)
		return;
	if (found.seq_known[cpu] && event->seq != found.next_seq[cpu])
		(*((int32_t)(event->seq - found.next_seq[cpu]) < 0 ? &found.doubled
								   : &found.unaccounted))++;
	found.seq_known[cpu] = true;
	found.next_seq[cpu] = event->seq + 1;
}

static void see_fork(const struct event *event, const struct mark marks[2])
{
	if (event->pid == event->tid && event->pid < PID_MAX && event->ppid < PID_MAX) {
		uint8_t parent = found.role[event->ppid];

		found.role[event->pid] = parent == ROLE_NONE || parent == ROLE_TASK
						 ? ROLE_NONE
						 : (uint8_t)(parent + 1);
		if ((pid_t)event->pid == found.runner)
			found.role[event->pid] = ROLE_RUNNER;
		if (parent == ROLE_WORKER) {
			found.tasks++;
			found.task_sum += event->pid;
		}
	}
	/* Pids come again: the marks are forks of ours, and the second one is the last with its pid. */
	found.after += found.marked;
	found.marked |= (pid_t)event->pid == marks[0].pid && (pid_t)event->ppid == getpid();
	if (found.after > 0 && (pid_t)event->pid == marks[1].pid &&
	    (pid_t)event->ppid == getpid()) {
		found.passed = true;
		found.between = found.after;
	}
}

static void see(const struct event *event, const struct mark marks[2])
{
	found.events++;
	found.out_of_order += event->event_no != found.last.event_no + 1;
	found.last = *event;
	if (event->kind < EVENT_OWN_FIRST)
		see_number(event);
	if (event->kind == EVENT_FORK)
		see_fork(event, marks);
	if (event->kind == EVENT_EXIT && event->pid == event->tid && event->pid < PID_MAX) {
		found.task_ends += found.role[event->pid] == ROLE_TASK;
		found.role[event->pid] = ROLE_NONE;
	}
	if (event->kind == EVENT_LOST)
		found.lost += event->arg[0];
	if (event->kind == EVENT_START) {
		found.starts++;
		found.continued += (event->arg[1] & EVENT_START_CONTINUED) != 0;
	}
	found.snapshots += event->kind == EVENT_SNAPSHOT_END;
	if (event->kind == EVENT_RECOVERY) {
		found.recoveries++;
		found.landed += event->arg[1];
	}
}

static bool ring_walk(pid_t runner, const struct mark marks[2])
{
	char path[128];
	struct ring *ring = NULL;
	struct ring_cursor *cursor;
	const struct event *event;
	uint64_t first, next, from, to;
	int r;

	(void)snprintf(path, sizeof(path), "%s/ledger.ring", store);
	found.runner = runner;
	if (ring_open(path, &ring) < 0 || ring_refresh(ring, &first, &next) < 0)
		return false;
	cursor = ring_cursor_new(ring, first);
	while ((r = ring_next(cursor, &event, &from, &to)) != RING_END && r >= 0) {
		if (r == 0)
			see(event, marks);
		else
			found.holes++;
	}
	ring_cursor_free(cursor);
	ring_close(ring);
	return r == RING_END && found.holes == 0 && found.out_of_order == 0;
}

/* How many the storm says that it made, and the sum of their pids. */
static uint64_t storm_count(uint64_t *ret_sum)
{
	static uint32_t tids[4096];
	auto_close int fd = open(tids_path, O_RDONLY | O_CLOEXEC);
	uint64_t count = 0, sum = 0;
	ssize_t n;

	while ((n = read(fd, tids, sizeof(tids))) > 0)
		for (size_t i = 0; i < (size_t)n / sizeof(tids[0]); i++, count++)
			sum += tids[i];
	*ret_sum = sum;
	return count;
}

/* --- the test --- */

struct run {
	pid_t program, projector, runner;
	unsigned kills, killed;
	uint64_t took_ns;
	int code;
	struct mark marks[2];
	bool quiet;
};

static void kill_all(struct run *run)
{
	const uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);
	auto_close int log = open(log_path, O_RDONLY | O_CLOEXEC);
	pid_t recorder = recorder_wait(run->program, run->projector, 0);

	for (; run->killed < run->kills && recorder > 0; run->killed++) {
		/* Some while they are still beginning: they are followed after a pause. */
		if (run->killed > 0 && random() % EARLY_ONE_IN != 0)
			ready_wait(log);
		rest_us((uint64_t)random() % KILL_WITHIN_US);
		(void)kill(recorder, SIGKILL);
		recorder = recorder_wait(run->program, run->projector, recorder);
	}
	run->took_ns = clock_ns(CLOCK_MONOTONIC) - began_ns;
}

static bool begin(struct run *run)
{
	pid_t children[2] = { 0 };

	run->program = program_start();
	for (int i = 0; i < READY_MS && children_of(run->program, children) < 2; i++)
		rest_ms(1);
	run->projector = children[1]; /* begun when the recorder was ready */
	return children[1] > 0;
}

static void test_kills(unsigned kills)
{
	struct run run = { .kills = kills };
	uint64_t made, made_sum;
	int status = 0;
	bool whole;

	ok(begin(&run), "the recorder runs");
	run.quiet = mark_make(&run.marks[0]);
	run.runner = fork();
	if (run.runner == 0)
		storm_run();
	kill_all(&run);
	ok(run.killed == kills,
	   "%u of %u recorders killed, each followed by another (%.1f ms each)", run.killed, kills,
	   (double)run.took_ns / 1e6 / (run.killed ? run.killed : 1));
	(void)kill(run.runner, SIGTERM);
	(void)waitpid(run.runner, &status, 0);
	ok(status == 0, "the storm has ended");
	run.quiet = mark_make(&run.marks[1]) && run.quiet;
	(void)kill(run.program, SIGTERM);
	(void)waitpid(run.program, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the last recorder ends in order");

	whole = ring_walk(run.runner, run.marks);
	made = storm_count(&made_sum);
	ok(whole, "the ring is whole: %" PRIu64 " events", found.events);
	ok(found.starts > 1 && found.continued == found.starts - 1 && found.snapshots == 1,
	   "%" PRIu64 " starts, all but the first on the same socket", found.starts);
	ok(found.unaccounted == 0 && found.doubled == 0 && found.lost == 0,
	   "no number of any CPU is missing or there twice (%" PRIu64 " holes, %" PRIu64
	   " doubles, %" PRIu64 " lost; %" PRIu64 " salvaged from landing)",
	   found.unaccounted, found.doubled, found.lost, found.landed);
	ok(made > 0 && found.tasks == made && found.task_sum == made_sum && found.task_ends == made,
	   "the storm made %" PRIu64 " processes, %" PRIu64 " are in it", made, found.tasks);
	if (run.quiet)
		ok(found.passed && found.between == run.marks[1].forks - run.marks[0].forks,
		   "the kernel counted %" PRIu64 " forks, %" PRIu64 " are in it",
		   run.marks[1].forks - run.marks[0].forks, found.between);
	else
		ok(true, "the kernel's count of forks # SKIP this machine is never quiet");
}

static void test_index(void)
{
	ok(shell("sqlite3 -readonly %s/index.db .dump | grep -v journal >%s/live.sql && "
		 "%s/procledger --store %s reindex >/dev/null 2>&1 && "
		 "sqlite3 -readonly %s/index.db .dump | grep -v journal >%s/again.sql && "
		 "test $(wc -l <%s/live.sql) -gt 1000 && cmp %s/live.sql %s/again.sql",
		 store, scratch, build, store, store, scratch, scratch, scratch, scratch) == 0,
	   "the index is that of a rebuild, row for row");
	ok(shell("test \"$(sqlite3 -readonly %s/index.db 'SELECT count(*), min(complete) FROM "
		 "coverage')\" = '1|1'",
		 store) == 0,
	   "and says that all of it is complete");
	ok(shell("%s/procledger --store %s status --strict >%s/status 2>&1; %s/procledger --store "
		 "%s ps --strict >/dev/null 2>&1",
		 build, store, scratch, build, store) == 0,
	   "as do the queries");
}

int main(int argc, char **argv)
{
	const char *kills = argc > 1 ? argv[1] : getenv("KILLS");

	if (geteuid() != 0)
		skip_all("not root: the kernel's events are not to be had");
	(void)snprintf(build, sizeof(build), "%s/..", dirname(argv[0]));
	(void)snprintf(scratch, sizeof(scratch), "/tmp/procledger.test_kill.XXXXXX");
	if (!mkdtemp(scratch))
		return 1;
	(void)snprintf(store, sizeof(store), "%s/store", scratch);
	(void)snprintf(tids_path, sizeof(tids_path), "%s/tids", scratch);
	(void)snprintf(log_path, sizeof(log_path), "%s/log", scratch);
	srandom((unsigned)getpid());
	test_kills(kills ? (unsigned)strtoul(kills, NULL, 10) : KILLS_DEFAULT);
	test_index();
	if (tap_failed)
		(void)shell("tail -n 20 %s", log_path);
	else
		(void)shell("rm -rf %s", scratch);
	return done_testing();
}
