#include "recorder/realtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "schema/cleanup.h"

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

/* The kernel sends it to the process, and has the thread that has overdone it take it unless that one blocks it
 * (kernel/time/posix-cpu-timers.c, check_thread_timers(); kernel/signal.c, complete_signal()).  Calls of the system only: it may come anywhere. */
static void overrun(int signal)
{
	static _Thread_local uint64_t last_ns;
	const struct timespec rest = { .tv_nsec = REALTIME_REST_MS * (long)NS_PER_MS };
	const int before = errno;
	const uint64_t now_ns = clock_monotonic_ns();

	(void)signal;
	if (last_ns != 0 && now_ns < last_ns + REALTIME_DEMOTED_MS * NS_PER_MS)
		realtime_leave(0);
	else
		(void)nanosleep(&rest, NULL);
	(void)limit_set();
	last_ns = now_ns;
	errno = before;
}

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGXCPU);
}

int realtime_guard(void)
{
	const struct sigaction action = { .sa_handler = overrun, .sa_flags = SA_RESTART };
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

static bool is_demoted(const struct realtime *realtime)
{
	const int policy =
		realtime->entered == REALTIME_FIFO ? sched_getscheduler(realtime->tid) : -1;

	return policy >= 0 && policy != SCHED_FIFO;
}

bool realtime_look(struct realtime *realtime, uint64_t now_ns)
{
	if (!is_demoted(realtime))
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

void realtime_again(const struct realtime *realtime)
{
	if (is_demoted(realtime))
		(void)promote(realtime->tid, realtime->rank);
}

enum realtime_mode realtime_mode_of(const struct realtime *realtime)
{
	return realtime->demoted_ns != 0 ? REALTIME_DEFAULT : realtime->entered;
}

/* --- the watch --- */

/* More than one: behind a SIGCONT the first may come before the thread has run. */
enum { LOOKS = 2 };

struct realtime_watch {
	pthread_t thread;
	int stop_fd;
	clockid_t clock; /* of the time that the first thread has run for */
	pid_t first, others[REALTIME_OTHERS];
};

static bool clock_same(clockid_t clock, struct timespec *last)
{
	struct timespec now = *last;
	bool same;

	(void)clock_gettime(clock, &now);
	same = now.tv_sec == last->tv_sec && now.tv_nsec == last->tv_nsec;
	*last = now;
	return same;
}

/* The state of a thread of ours (proc_pid_stat(5): it stands behind the name in parentheses); '\0': there is no such thread any more. */
static char state_of(pid_t tid)
{
	char text[512];
	const char *state;
	ssize_t n;
	auto_close int fd = -1;

	(void)snprintf(text, sizeof(text), "/proc/self/task/%d/stat", (int)tid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '\0';
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	state = strrchr(text, ')');
	return state && state[1] == ' ' ? state[2] : '\0';
}

static void *watch_main(void *context)
{
	const struct realtime_watch *watch = context;
	struct pollfd wait = { .fd = watch->stop_fd, .events = POLLIN };
	struct timespec last = { 0 };
	unsigned same = 0;

	while (poll(&wait, 1, REALTIME_HELD_MS / LOOKS) <= 0) {
		same = clock_same(watch->clock, &last) ? same + 1 : 0;
		/* It waits for a CPU, and not for a disk. */
		if (same < LOOKS || state_of(watch->first) != 'R')
			continue;
		realtime_leave(watch->first);
		for (unsigned i = 0; i < REALTIME_OTHERS; i++)
			if (state_of(watch->others[i]))
				realtime_leave(watch->others[i]);
	}
	return NULL;
}

int realtime_watch_start(const pid_t others[REALTIME_OTHERS], struct realtime_watch **ret_watch)
{
	struct realtime_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->first = gettid();
	memcpy(watch->others, others, sizeof(watch->others));
	watch->stop_fd = eventfd(0, EFD_CLOEXEC);
	r = watch->stop_fd < 0 ? -errno : -pthread_getcpuclockid(pthread_self(), &watch->clock);
	if (r == 0)
		r = -pthread_create(&watch->thread, NULL, watch_main, watch);
	if (r < 0) {
		if (watch->stop_fd >= 0)
			(void)close(watch->stop_fd);
		free(watch);
		return r;
	}
	*ret_watch = watch;
	return 0;
}

void realtime_watch_stop(struct realtime_watch *watch)
{
	if (!watch)
		return;
	(void)eventfd_write(watch->stop_fd, 1);
	(void)pthread_join(watch->thread, NULL);
	(void)close(watch->stop_fd);
	free(watch);
}
