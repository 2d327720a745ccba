/* realtime.h - threads that run before all others on their CPU, and what keeps one that runs away from stopping the machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum realtime_mode {
	REALTIME_FIFO = 0,    /* SCHED_FIFO: before every ordinary program */
	REALTIME_NICE = 1,    /* nice -20: soon */
	REALTIME_DEFAULT = 2, /* as everybody */
};

/* "fifo", "nice" or "default"; static. */
const char *realtime_word(enum realtime_mode mode);

/* For this process: a thread under SCHED_FIFO that runs for REALTIME_LIMIT_MS without a rest is made to rest for REALTIME_REST_MS, by SIGXCPU
 * and its handler; when that happens again within REALTIME_DEMOTED_MS, it has run away and is made an ordinary one.
 * To be called once, before any thread is made, for SIGXCPU is blocked here.
 * 0 or -errno (-ERANGE: of so long a run the process would be killed): then nothing guards, and nothing is given SCHED_FIFO. */
enum { REALTIME_LIMIT_MS = 100, REALTIME_REST_MS = 20, REALTIME_DEMOTED_MS = 10000 };
int realtime_guard(void);

/* Lets the calling thread have the guard's signal.  To be called in it, before realtime_enter(); threads that it makes have it, too. */
void realtime_listen(void);

/* Who of ours comes first: what a lane reads is gone a moment later, what a socket holds is not. */
enum realtime_rank { REALTIME_RECEIVER = 1, REALTIME_LANE = 2 };

/* A thread of this process that is to be before others, and whether the guard has stepped in. */
struct realtime {
	pid_t tid;
	enum realtime_rank rank;
	enum realtime_mode entered; /* what it was given */
	uint64_t demoted_ns;        /* CLOCK_MONOTONIC of when that was seen; 0: it is not */
};

/* Gives a thread the best of the modes that is permitted.  Of a lane, to be called from another thread: where a real-time task spins on its CPU
 * a thread that gives it to itself does not come back. */
void realtime_enter(struct realtime *realtime, pid_t tid, enum realtime_rank rank);

/* Makes a thread an ordinary one again. */
void realtime_leave(pid_t tid);

/* To be called about once a second: whether the guard, or the watch, has demoted it since the last look.  It is put back REALTIME_DEMOTED_MS later. */
bool realtime_look(struct realtime *realtime, uint64_t now_ns);

/* Puts a thread that was demoted back at once. */
void realtime_again(const struct realtime *realtime);

/* Where real-time tasks of others hold every CPU an ordinary thread has its part all the same (5 %, since 6.12), and one under SCHED_FIFO behind
 * them nothing.  A watch is an ordinary thread, which makes these threads ordinary once the first has waited for a CPU for some
 * REALTIME_HELD_MS.  To be started by the first, before realtime_enter(), and stopped before that ends.  0 or -errno. */
enum { REALTIME_HELD_MS = 800, REALTIME_OTHERS = 2 };
struct realtime_watch;
int realtime_watch_start(const pid_t others[REALTIME_OTHERS], struct realtime_watch **ret_watch);
void realtime_watch_stop(struct realtime_watch *watch); /* waits for its end; NULL does nothing */

/* The mode that it is in, as of the last look. */
enum realtime_mode realtime_mode_of(const struct realtime *realtime);
