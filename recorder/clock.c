#include "recorder/clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { READ_TRIES = 5 };

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

static uint64_t read_ns(clockid_t id)
{
	struct timespec t = { 0 };

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

void clock_read(struct clock_reading *ret_reading)
{
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t before = read_ns(CLOCK_MONOTONIC);
		uint64_t boottime = read_ns(CLOCK_BOOTTIME);
		uint64_t realtime = read_ns(CLOCK_REALTIME);
		uint64_t width = read_ns(CLOCK_MONOTONIC) - before;

		if (width >= best_ns)
			continue;
		best_ns = width;
		*ret_reading = (struct clock_reading){ .monotonic_ns = before + width / 2,
						       .boottime_ns = boottime,
						       .realtime_ns = realtime };
	}
}

uint64_t clock_suspended_ns(const struct clock_reading *reading)
{
	/* MONOTONIC is the middle of a bracket, so that it can seem to be ahead by some ns. */
	if (reading->boottime_ns <= reading->monotonic_ns + NS_PER_MS)
		return 0;
	return reading->boottime_ns - reading->monotonic_ns;
}

/* Armed for a day that does not come: the timer only ever ends by being cancelled (timerfd_create(2)). */
static int step_arm(int fd)
{
	const struct itimerspec far = { .it_value = { .tv_sec = (time_t)1 << 33 } };

	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) < 0)
		return -errno;
	return 0;
}

int clock_step_open(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	r = step_arm(fd);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

bool clock_step_take(int fd)
{
	uint64_t times;

	if (read(fd, &times, sizeof(times)) < 0 && errno != ECANCELED)
		return false;
	(void)step_arm(fd);
	return true;
}

bool clock_due(const struct clock_reading *last, const struct clock_reading *now, bool stepped,
	       unsigned *ret_reason)
{
	uint64_t was = clock_suspended_ns(last), is = clock_suspended_ns(now);

	/* A resume sets the wall clock as well, so it is looked at first. */
	if (is > was + CLOCK_RESUME_MS * NS_PER_MS)
		*ret_reason = EVENT_CLOCK_RESUME;
	else if (stepped)
		*ret_reason = EVENT_CLOCK_STEP;
	else if (now->monotonic_ns - last->monotonic_ns >= CLOCK_PERIOD_MS * NS_PER_MS)
		*ret_reason = EVENT_CLOCK_PERIODIC;
	else
		return false;
	return true;
}

struct event clock_event(const struct clock_reading *reading, unsigned reason)
{
	return (struct event){
		.kind = EVENT_CLOCK,
		.timestamp_ns = reading->monotonic_ns,
		.cpu = EVENT_CPU_NONE,
		.arg = { reading->boottime_ns, reading->realtime_ns, reason },
	};
}
