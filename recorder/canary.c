#include "recorder/canary.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "recorder/gaps.h"

enum { COMM_BYTES = 16 }; /* TASK_COMM_LEN */

static void cpu_set_cleanup(cpu_set_t **set)
{
	if (*set)
		CPU_FREE(*set);
}

#define auto_cpu_set __attribute__((cleanup(cpu_set_cleanup)))

int canary_send(size_t *ret_cpus)
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
