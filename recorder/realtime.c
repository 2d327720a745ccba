#include "recorder/realtime.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/* The lowest is above all that is not real-time, and below everything that others put there. */
enum { PRIORITY = 1, NICE_BEST = -20 };

const char *realtime_word(enum realtime_mode mode)
{
	switch (mode) {
	case REALTIME_FIFO:
		return "fifo";
	case REALTIME_NICE:
		return "nice";
	case REALTIME_DEFAULT:
		break;
	}
	return "default";
}

/* The kernel sends it to the thread that has overdone it (kernel/time/posix-cpu-timers.c, check_thread_timers()): all others block it. */
static void demote(int signal)
{
	const int before = errno;

	(void)signal;
	realtime_leave(0);
	errno = before;
}

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGXCPU);
}

int realtime_guard(void)
{
	const struct sigaction action = { .sa_handler = demote, .sa_flags = SA_RESTART };
	struct rlimit limit;
	sigset_t set;

	signal_set(&set);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || sigaction(SIGXCPU, &action, NULL) < 0 ||
	    getrlimit(RLIMIT_RTTIME, &limit) < 0)
		return -errno;
	/* Behind the soft limit comes a signal each second, behind the hard one the end of the process, and whoever set that meant it. */
	limit.rlim_cur = REALTIME_LIMIT_MS * 1000;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_RTTIME, &limit) < 0 ? -errno : 0;
}

int realtime_promote(pid_t tid)
{
	const struct sched_param first = { .sched_priority = PRIORITY };

	return sched_setscheduler(tid, SCHED_FIFO, &first) < 0 ? -errno : 0;
}

void realtime_listen(void)
{
	sigset_t set;

	signal_set(&set);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

enum realtime_mode realtime_enter(pid_t tid)
{
	if (realtime_promote(tid) == 0)
		return REALTIME_FIFO;
	return setpriority(PRIO_PROCESS, (id_t)tid, NICE_BEST) == 0 ? REALTIME_NICE
								    : REALTIME_DEFAULT;
}

void realtime_leave(pid_t tid)
{
	const struct sched_param none = { 0 };

	(void)sched_setscheduler(tid, SCHED_OTHER, &none);
}

bool realtime_demoted(pid_t tid)
{
	const int policy = sched_getscheduler(tid);

	return policy >= 0 && policy != SCHED_FIFO;
}
