/* clock.h - the three clocks read together, and when that is worth a CLOCK event. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "schema/event.h"

enum {
	CLOCK_PERIOD_MS = 60000,
	CLOCK_RESUME_MS =
		1, /* BOOTTIME gains on MONOTONIC by more than this only while suspended */
};

struct clock_reading {
	uint64_t monotonic_ns, boottime_ns, realtime_ns;
};

/* CLOCK_MONOTONIC, in ns. */
uint64_t clock_monotonic_ns(void);

/* Reads the three as nearly at once as a few tries allow. */
void clock_read(struct clock_reading *ret_reading);

/* BOOTTIME - MONOTONIC: how long the machine has been suspended since boot. */
uint64_t clock_suspended_ns(const struct clock_reading *reading);

/* A descriptor that becomes readable when somebody sets the wall clock (timerfd, TFD_TIMER_CANCEL_ON_SET).  The caller closes it.
 * -errno. */
int clock_step_open(void);

/* Whether the clock was set since the last call; makes the descriptor wait for the next time. */
bool clock_step_take(int fd);

/* Whether a CLOCK event is due: after a step, a suspend or a minute.  last is the reading of the newest CLOCK event. */
bool clock_due(const struct clock_reading *last, const struct clock_reading *now, bool stepped,
	       unsigned *ret_reason);

/* A CLOCK event of this reading; reason is EVENT_CLOCK_*. */
struct event clock_event(const struct clock_reading *reading, unsigned reason);
