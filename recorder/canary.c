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
#include "recorder/gaps.h"

enum { COMM_BYTES = 16 }; /* TASK_COMM_LEN */

struct canary {
	pthread_t thread;
	int stop_fd;
	_Atomic uint64_t sent_ns[GAPS_CPU_LIMIT]; /* most pages of it are never touched */
};

static void cpu_set_cleanup(cpu_set_t **set)
{
	if (*set)
		CPU_FREE(*set);
}

#define auto_cpu_set __attribute__((cleanup(cpu_set_cleanup)))

/* canary NULL: nobody asks when. */
static int cpus_visit(struct canary *canary, size_t *ret_cpus)
{
	const size_t bytes = CPU_ALLOC_SIZE(GAPS_CPU_LIMIT);
	auto_cpu_set cpu_set_t *before = CPU_ALLOC(GAPS_CPU_LIMIT);
	auto_cpu_set cpu_set_t *one = CPU_ALLOC(GAPS_CPU_LIMIT);
	char name[COMM_BYTES] = { 0 };
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t visited = 0;
	int r;

	if (!before || !one)
		return -ENOMEM;
	CPU_ZERO_S(bytes, before);
	if (sched_getaffinity(0, bytes, before) < 0 || prctl(PR_GET_NAME, name) < 0)
		return -errno;
	/* A CPU that is off line or not in our cpuset answers EINVAL; numbers may have holes, so all are tried until every one that
	 * is on line has been visited. */
	for (int cpu = 0; cpu < GAPS_CPU_LIMIT && (long)visited < online; cpu++) {
		CPU_ZERO_S(bytes, one);
		CPU_SET_S((size_t)cpu, bytes, one);
		if (sched_setaffinity(0, bytes, one) < 0)
			continue;
		if (canary)
			atomic_store_explicit(&canary->sent_ns[cpu], clock_monotonic_ns(),
					      memory_order_relaxed);
		if (prctl(PR_SET_NAME, name) < 0)
			break;
		visited++;
	}
	r = sched_setaffinity(0, bytes, before) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	*ret_cpus = visited;
	return 0;
}

int canary_send(size_t *ret_cpus)
{
	return cpus_visit(NULL, ret_cpus);
}

static void *canary_main(void *context)
{
	struct canary *canary = context;
	struct pollfd wait = { .fd = canary->stop_fd, .events = POLLIN };
	size_t cpus;

	do {
		(void)cpus_visit(canary, &cpus); /* what was not sent is not missed */
	} while (poll(&wait, 1, CANARY_PERIOD_MS) <= 0);
	return NULL;
}

int canary_start(struct canary **ret_canary)
{
	struct canary *canary = calloc(1, sizeof(*canary));
	int r;

	if (!canary)
		return -ENOMEM;
	canary->stop_fd = eventfd(0, EFD_CLOEXEC);
	r = canary->stop_fd < 0 ? -errno : 0;
	if (r == 0) {
		r = -pthread_create(&canary->thread, NULL, canary_main, canary);
		if (r < 0)
			(void)close(canary->stop_fd);
	}
	if (r < 0) {
		free(canary);
		return r;
	}
	*ret_canary = canary;
	return 0;
}

void canary_stop(struct canary *canary)
{
	if (!canary)
		return;
	(void)eventfd_write(canary->stop_fd, 1);
	(void)pthread_join(canary->thread, NULL);
	(void)close(canary->stop_fd);
	free(canary);
}

uint64_t canary_sent_ns(const struct canary *canary, uint32_t cpu)
{
	return cpu < GAPS_CPU_LIMIT
		       ? atomic_load_explicit(&canary->sent_ns[cpu], memory_order_relaxed)
		       : 0;
}
