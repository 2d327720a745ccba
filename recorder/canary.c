#include "recorder/canary.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/cpus.h"
#include "recorder/realtime.h"

#define NS_PER_MS UINT64_C(1000000)

enum {
	COMM_BYTES = 16, /* TASK_COMM_LEN */
	HOP_MS = 100,    /* canary_send() waits no longer for one CPU */
	STEP_MS = 10,
};

#define CPU_RESTS UINT32_MAX

struct canary {
	pthread_t thread;
	bool once;
	int stop_fd, ended_fd; /* readable when it is to end; when it is about to */
	atomic_bool stopping;
	_Atomic pid_t tid; /* 0: it has not begun */

	/* Where it is to run from due_ns on; or CPU_RESTS. */
	_Atomic uint32_t cpu;
	_Atomic uint64_t due_ns;

	atomic_size_t visited;
	_Atomic uint64_t sent_ns[GAPS_CPU_LIMIT]; /* most pages of it are never touched */
};

/* --- the thread --- */

static void on_the_way(struct canary *canary, uint32_t cpu, uint64_t due_ns)
{
	atomic_store(&canary->cpu, cpu);
	atomic_store(&canary->due_ns, due_ns);
}

/* What was not sent from there is not to be missed: it may refuse, and the thread may be taken away from there at any point. */
static void cpu_visit(struct canary *canary, uint32_t cpu, const char *name)
{
	const struct cpus one = cpus_range(cpu, cpu);
	uint64_t sent_ns;

	on_the_way(canary, cpu, clock_monotonic_ns());
	if (sched_setaffinity(0, sizeof(one), one.sets) < 0)
		return;
	sent_ns = clock_monotonic_ns();
	if (prctl(PR_SET_NAME, name) < 0 || sched_getcpu() != (int)cpu)
		return;
	atomic_store_explicit(&canary->sent_ns[cpu], sent_ns, memory_order_relaxed);
	atomic_fetch_add(&canary->visited, 1);
}

/* All that the cpuset has, and not just what this thread was left by whoever made it. */
static void go_anywhere(void)
{
	const struct cpus all = cpus_range(0, GAPS_CPU_LIMIT - 1);

	(void)sched_setaffinity(0, sizeof(all), all.sets);
}

/* The thread may run anywhere before and after. */
static void cpus_visit(struct canary *canary)
{
	char name[COMM_BYTES] = { 0 };
	struct cpus own = { 0 };

	/* The kernel gives those of them that are on line. */
	if (sched_getaffinity(0, sizeof(own), own.sets) < 0 || prctl(PR_GET_NAME, name) < 0)
		return;
	for (uint32_t cpu = 0; cpu < GAPS_CPU_LIMIT && !atomic_load(&canary->stopping); cpu++)
		if (cpus_has(&own, cpu))
			cpu_visit(canary, cpu, name);
	go_anywhere();
}

static void *canary_main(void *context)
{
	struct canary *canary = context;
	struct pollfd wait = { .fd = canary->stop_fd, .events = POLLIN };

	atomic_store(&canary->tid, gettid());
	go_anywhere();
	do {
		cpus_visit(canary);
		on_the_way(canary, CPU_RESTS, clock_monotonic_ns() + CANARY_PERIOD_MS * NS_PER_MS);
	} while (!canary->once && poll(&wait, 1, CANARY_PERIOD_MS) <= 0);
	(void)eventfd_write(canary->ended_fd, 1);
	return NULL;
}

/* --- those who wait for it --- */

static void canary_free(struct canary *canary)
{
	if (canary->stop_fd >= 0)
		(void)close(canary->stop_fd);
	if (canary->ended_fd >= 0)
		(void)close(canary->ended_fd);
	free(canary);
}

static int canary_begin(bool once, struct canary **ret_canary)
{
	struct canary *canary = calloc(1, sizeof(*canary));
	int r;

	if (!canary)
		return -ENOMEM;
	canary->once = once;
	on_the_way(canary, CPU_RESTS, clock_monotonic_ns());
	canary->stop_fd = eventfd(0, EFD_CLOEXEC);
	canary->ended_fd = eventfd(0, EFD_CLOEXEC);
	r = canary->stop_fd < 0 || canary->ended_fd < 0
		    ? -errno
		    : -pthread_create(&canary->thread, NULL, canary_main, canary);
	if (r < 0) {
		canary_free(canary);
		return r;
	}
	*ret_canary = canary;
	return 0;
}

static void take_away(const struct canary *canary)
{
	const pid_t tid = atomic_load(&canary->tid);

	if (tid != 0)
		cpus_release(tid);
}

/* Takes it away from where it has been due for so long.  Whether it was so; *ret_cpu: where. */
static bool held_take(const struct canary *canary, uint64_t now_ns, uint64_t limit_ms,
		      uint32_t *ret_cpu)
{
	const uint64_t due_ns = atomic_load(&canary->due_ns);
	const uint32_t cpu = atomic_load(&canary->cpu);

	if (now_ns < due_ns + limit_ms * NS_PER_MS || due_ns != atomic_load(&canary->due_ns))
		return false;
	take_away(canary);
	*ret_cpu = cpu;
	return cpu != CPU_RESTS;
}

/* Whether it has ended within the time. */
static bool ended(const struct canary *canary, int ms)
{
	struct pollfd wait = { .fd = canary->ended_fd, .events = POLLIN };

	return poll(&wait, 1, ms) > 0;
}

int canary_send(size_t *ret_cpus)
{
	struct canary *canary;
	uint64_t end_ns;
	uint32_t cpu;
	bool done;
	int r = canary_begin(true, &canary);

	if (r < 0)
		return r;
	end_ns = clock_monotonic_ns() + CANARY_SEND_MS * NS_PER_MS;
	while (!(done = ended(canary, STEP_MS)) && clock_monotonic_ns() < end_ns)
		if (held_take(canary, clock_monotonic_ns(), HOP_MS, &cpu))
			r = CANARY_HELD;
	*ret_cpus = atomic_load(&canary->visited);
	canary_stop(canary);
	return done ? r : CANARY_HELD;
}

int canary_start(struct canary **ret_canary)
{
	return canary_begin(false, ret_canary);
}

void canary_stop(struct canary *canary)
{
	if (!canary)
		return;
	atomic_store(&canary->stopping, true);
	(void)eventfd_write(canary->stop_fd, 1);
	/* It may just have set out for a CPU once more; and real-time, as who made it, it may wait for those who hold every CPU. */
	while (!ended(canary, STEP_MS)) {
		const pid_t tid = atomic_load(&canary->tid);

		take_away(canary);
		if (tid != 0)
			realtime_leave(tid);
	}
	(void)pthread_join(canary->thread, NULL);
	canary_free(canary);
}

uint64_t canary_sent_ns(const struct canary *canary, uint32_t cpu)
{
	return cpu < GAPS_CPU_LIMIT
		       ? atomic_load_explicit(&canary->sent_ns[cpu], memory_order_relaxed)
		       : 0;
}

bool canary_held(const struct canary *canary, uint64_t now_ns, uint32_t *ret_cpu)
{
	return held_take(canary, now_ns, CANARY_HELD_MS, ret_cpu);
}
