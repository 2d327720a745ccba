/* realtime.h - threads that run before all others on their CPU, and what keeps one that runs away from stopping the machine. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum realtime_mode {
	REALTIME_FIFO = 0,    /* SCHED_FIFO: before every ordinary program */
	REALTIME_NICE = 1,    /* nice -20: soon */
	REALTIME_DEFAULT = 2, /* as everybody */
};

/* "fifo", "nice" or "default"; static. */
const char *realtime_word(enum realtime_mode mode);

/* For this process: a thread under SCHED_FIFO that runs for REALTIME_LIMIT_MS without a rest is told by SIGXCPU, and demotes itself in the
 * handler.  To be called again after that happened, for the next time; and first before any thread is made, for SIGXCPU is blocked here.
 * 0 or -errno: then nothing guards. */
enum { REALTIME_LIMIT_MS = 100 };
int realtime_guard(void);

/* Lets the calling thread have the guard's signal.  To be called in it, before realtime_enter(). */
void realtime_listen(void);

/* Gives a thread of this process the best of the modes that is permitted.  To be called from another one: where a real-time task spins on its
 * CPU a thread that gives it to itself does not come back. */
enum realtime_mode realtime_enter(pid_t tid);

/* Makes it an ordinary one again. */
void realtime_leave(pid_t tid);

/* Whether a thread that was under SCHED_FIFO no longer is. */
bool realtime_demoted(pid_t tid);

/* Puts it under SCHED_FIFO again.  0 or -errno. */
int realtime_promote(pid_t tid);
