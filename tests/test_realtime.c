/* test_realtime.c - a thread before all others that runs away gives its CPU back.  Takes a real-time thread: root, else skipped. */
#include "recorder/realtime.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/cpus.h"
#include "tests/clocks.h"
#include "tests/hog.h"
#include "tests/tap.h"

enum { WAIT_MS = 5000 };

struct runaway {
	sem_t go, done;
	atomic_int tid;
	atomic_bool stop;
	long rests; /* in a run that was a little too long, once */
};

static long rests(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static void run_for(uint64_t ms)
{
	const uint64_t end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ms * 1000000;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		;
}

static void *runaway_main(void *context)
{
	struct runaway *runaway = context;

	realtime_listen();
	atomic_store(&runaway->tid, gettid());
	(void)sem_wait(&runaway->go);
	runaway->rests = -rests();
	run_for(REALTIME_LIMIT_MS * 3 / 2);
	runaway->rests += rests();
	(void)sem_post(&runaway->done);
	(void)sem_wait(&runaway->go);
	while (!atomic_load(&runaway->stop))
		;
	return NULL;
}

static bool demoted_in_time(struct realtime *realtime)
{
	for (int ms = 0; ms < WAIT_MS; ms += 10) {
		if (realtime_look(realtime, clock_ns(CLOCK_MONOTONIC)))
			return true;
		rest_ms(10);
	}
	return false;
}

static void test_runaway(struct runaway *runaway, struct realtime *realtime)
{
	uint64_t seen_ns;

	ok(!realtime_look(realtime, clock_ns(CLOCK_MONOTONIC)),
	   "a thread that rests keeps its place");
	(void)sem_post(&runaway->go);
	(void)sem_wait(&runaway->done);
	ok(runaway->rests > 0 && !realtime_look(realtime, clock_ns(CLOCK_MONOTONIC)),
	   "one that has none for too long is made to rest, and keeps it");
	(void)sem_post(&runaway->go);
	ok(demoted_in_time(realtime) && realtime_mode_of(realtime) == REALTIME_DEFAULT,
	   "one that runs on loses it, and the process lives");
	seen_ns = clock_ns(CLOCK_MONOTONIC);
	ok(!realtime_look(realtime, seen_ns) && realtime_mode_of(realtime) == REALTIME_DEFAULT,
	   "that is told once, and lasts");
	ok(!realtime_look(realtime, seen_ns + REALTIME_DEMOTED_MS * UINT64_C(1000000)) &&
		   realtime_mode_of(realtime) == REALTIME_FIFO && demoted_in_time(realtime),
	   "given it back, it loses it again");
}

/* Whoever puts threads back is one of them. */
static void test_listening(void)
{
	sigset_t blocked;

	ok(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, SIGXCPU) == 0,
	   "who gives it back still hears the guard");
}

static void test_guard(void)
{
	struct runaway runaway = { .stop = false };
	struct realtime realtime;
	pthread_t thread;
	pid_t tid;

	ok(realtime_guard() == 0, "the guard is set");
	realtime_listen();
	(void)sem_init(&runaway.go, 0, 0);
	(void)sem_init(&runaway.done, 0, 0);
	if (pthread_create(&thread, NULL, runaway_main, &runaway) != 0)
		exit(1);
	while ((tid = atomic_load(&runaway.tid)) == 0)
		rest_ms(1);
	realtime_enter(&realtime, tid, REALTIME_LANE);
	if (realtime_mode_of(&realtime) == REALTIME_FIFO) {
		test_runaway(&runaway, &realtime);
		test_listening();
	} else {
		ok(true, "a real-time thread that runs away # SKIP there is no permission for one");
		(void)sem_post(&runaway.go);
		(void)sem_post(&runaway.go);
	}
	atomic_store(&runaway.stop, true);
	(void)pthread_join(thread, NULL);
}

struct watched {
	atomic_int tid;
	atomic_bool stop;
	struct realtime realtime;
};

static void *watched_main(void *context)
{
	struct watched *watched = context;
	const pid_t others[REALTIME_OTHERS] = { gettid(), gettid() };
	struct realtime_watch *watch;

	realtime_listen();
	if (realtime_watch_start(others, &watch) < 0)
		exit(1);
	realtime_enter(&watched->realtime, gettid(), REALTIME_RECEIVER);
	atomic_store(&watched->tid, gettid());
	while (!atomic_load(&watched->stop))
		rest_ms(REALTIME_HELD_MS / 2);
	realtime_watch_stop(watch);
	return NULL;
}

static void test_watch(struct watched *watched)
{
	struct cpus held;
	uint32_t cpu = 0;
	sigset_t xcpu;
	pid_t hog;

	sigemptyset(&xcpu);
	sigaddset(&xcpu, SIGXCPU);
	rest_ms(REALTIME_HELD_MS + 200);
	ok(sched_getscheduler(atomic_load(&watched->tid)) == SCHED_FIFO,
	   "a thread that comes to run keeps its place");
	/* Else the guard's handler, which a child has, too, would stop it. */
	(void)pthread_sigmask(SIG_BLOCK, &xcpu, NULL);
	hog = hog_begin(15000, &cpu);
	if (hog == 0) {
		ok(true, "behind a real-time task # SKIP it takes two CPUs");
		return;
	}
	held = cpus_range(cpu, cpu);
	(void)sched_setaffinity(atomic_load(&watched->tid), sizeof(held), held.sets);
	ok(demoted_in_time(&watched->realtime),
	   "one that a real-time task keeps from its CPU loses it");
	cpus_release(atomic_load(&watched->tid));
	ok(hog_end(hog), "while that task still holds it");
	realtime_again(&watched->realtime);
	ok(sched_getscheduler(atomic_load(&watched->tid)) == SCHED_FIFO, "it is given it back");
}

static void test_held(void)
{
	struct watched watched = { .stop = false };
	pthread_t thread;

	if (pthread_create(&thread, NULL, watched_main, &watched) != 0)
		exit(1);
	while (atomic_load(&watched.tid) == 0)
		rest_ms(1);
	if (realtime_mode_of(&watched.realtime) == REALTIME_FIFO)
		test_watch(&watched);
	else
		ok(true, "a real-time thread that is held # SKIP there is no permission for one");
	atomic_store(&watched.stop, true);
	(void)pthread_join(thread, NULL);
}

/* What a process of its own comes to. */
static int outcome(int (*run)(void))
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : -1;
}

static int short_limit(void)
{
	const struct rlimit most = { REALTIME_LIMIT_MS * 500, REALTIME_LIMIT_MS * 500 };
	struct realtime realtime;

	if (setrlimit(RLIMIT_RTTIME, &most) < 0)
		return 99;
	if (realtime_guard() != -ERANGE)
		return 98;
	realtime_enter(&realtime, gettid(), REALTIME_LANE);
	return realtime_mode_of(&realtime) == REALTIME_FIFO ? 97 : 0;
}

int main(void)
{
	ok(outcome(short_limit) == 0,
	   "where the kernel would kill before the guard can warn, nothing is real-time");
	ok(strcmp(realtime_word(REALTIME_FIFO), "fifo") == 0 &&
		   strcmp(realtime_word(REALTIME_NICE), "nice") == 0 &&
		   strcmp(realtime_word(REALTIME_DEFAULT), "default") == 0,
	   "every mode has its word");
	test_guard();
	test_held();
	return done_testing();
}
