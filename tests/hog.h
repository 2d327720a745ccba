/* hog.h - for tests: a real-time task that spins on one CPU, before which nothing of ours comes. */
#pragma once

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/cpus.h"
#include "tests/clocks.h"

/* Moves the caller to the first CPU, and has a child spin on another one for so long, or until hog_end().
 * The child, already spinning; 0: there is but one CPU, or no permission. */
static inline pid_t hog_begin(uint64_t ms, uint32_t *ret_cpu)
{
	const struct sched_param first = { .sched_priority = 10 };
	const struct cpus own = cpus_range(0, 0);
	struct cpus online, one;
	uint32_t cpu = 1;
	int go[2];
	char c;
	pid_t pid;

	if (cpus_online(&online) < 0 || !cpus_has(&online, 0) || cpus_count(&online) < 2 ||
	    pipe(go) < 0)
		return 0;
	while (!cpus_has(&online, cpu))
		cpu++;
	one = cpus_range(cpu, cpu);
	if (sched_setaffinity(0, sizeof(own), own.sets) < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		uint64_t end_ms;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (sched_setaffinity(0, sizeof(one), one.sets) < 0 ||
		    sched_setscheduler(0, SCHED_FIFO, &first) < 0 || write(go[1], "", 1) != 1)
			_exit(1);
		end_ms = now_ms() + ms;
		while (now_ms() < end_ms)
			;
		_exit(0);
	}
	(void)close(go[1]);
	if (pid > 0 && read(go[0], &c, 1) != 1) {
		(void)waitpid(pid, NULL, 0);
		pid = 0;
	}
	(void)close(go[0]);
	*ret_cpu = cpu;
	return pid > 0 ? pid : 0;
}

/* Whether it was still spinning. */
static inline bool hog_end(pid_t pid)
{
	struct cpus online;
	bool spinning = waitpid(pid, NULL, WNOHANG) == 0;

	if (spinning) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	if (cpus_online(&online) == 0)
		(void)sched_setaffinity(0, sizeof(online), online.sets);
	return spinning;
}
