#include "recorder/realtime.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/* The ranks are priorities, the lowest there are: above all that is not real-time, and below what others put there. */
enum { NICE_BEST = -20 };

#define NS_PER_MS UINT64_C(1000000)

/* Set before any thread is made. */
static bool guarded;

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

/* The kernel sends it to the process, and has the thread that has overdone it take it unless that one blocks it
 * (kernel/time/posix-cpu-timers.c, check_thread_timers(); kernel/signal.c, complete_signal()). */
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

/* The kernel puts it off by a second with each signal.  0 or -errno; -ERANGE: the hard limit, behind which comes the end of the process, is lower,
 * and whoever set that meant it. */
static int limit_set(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_RTTIME, &limit) < 0)
		return -errno;
	limit.rlim_cur = REALTIME_LIMIT_MS * 1000;
	if (limit.rlim_max <= limit.rlim_cur)
		return -ERANGE;
	return setrlimit(RLIMIT_RTTIME, &limit) < 0 ? -errno : 0;
}

int realtime_guard(void)
{
	const struct sigaction action = { .sa_handler = demote, .sa_flags = SA_RESTART };
	sigset_t set;
	int r;

	signal_set(&set);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || sigaction(SIGXCPU, &action, NULL) < 0)
		return -errno;
	r = limit_set();
	guarded = r == 0;
	return r;
}

void realtime_listen(void)
{
	sigset_t set;

	signal_set(&set);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static bool promote(pid_t tid, enum realtime_rank rank)
{
	const struct sched_param first = { .sched_priority = (int)rank };

	return guarded && limit_set() == 0 && sched_setscheduler(tid, SCHED_FIFO, &first) == 0;
}

void realtime_enter(struct realtime *realtime, pid_t tid, enum realtime_rank rank)
{
	*realtime = (struct realtime){ .tid = tid, .rank = rank, .entered = REALTIME_DEFAULT };
	if (promote(tid, rank))
		realtime->entered = REALTIME_FIFO;
	else if (setpriority(PRIO_PROCESS, (id_t)tid, NICE_BEST) == 0)
		realtime->entered = REALTIME_NICE;
}

void realtime_leave(pid_t tid)
{
	const struct sched_param none = { 0 };

	(void)sched_setscheduler(tid, SCHED_OTHER, &none);
}

bool realtime_look(struct realtime *realtime, uint64_t now_ns)
{
	const int policy =
		realtime->entered == REALTIME_FIFO ? sched_getscheduler(realtime->tid) : -1;

	if (policy < 0 || policy == SCHED_FIFO)
		return false;
	if (realtime->demoted_ns == 0) {
		realtime->demoted_ns = now_ns;
		return true;
	}
	if (now_ns >= realtime->demoted_ns + REALTIME_DEMOTED_MS * NS_PER_MS) {
		realtime->demoted_ns = 0;
		(void)promote(realtime->tid, realtime->rank);
	}
	return false;
}

enum realtime_mode realtime_mode_of(const struct realtime *realtime)
{
	return realtime->demoted_ns != 0 ? REALTIME_DEFAULT : realtime->entered;
}
