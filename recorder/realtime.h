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

/* Gives the calling thread the best of the modes that is permitted, and the signal of the guard. */
enum realtime_mode realtime_enter(void);

/* Whether a thread that was under SCHED_FIFO no longer is. */
bool realtime_demoted(pid_t tid);

/* Puts it under SCHED_FIFO again.  0 or -errno. */
int realtime_promote(pid_t tid);
