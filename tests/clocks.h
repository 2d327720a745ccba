/* clocks.h - for tests and benchmarks: a clock read, and a rest. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* CLOCK_MONOTONIC, in ms. */
static inline uint64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/* Sleeps for so long, or until a signal comes. */
static inline void rest_us(uint64_t us)
{
	struct timespec t = { .tv_sec = (time_t)(us / 1000000),
			      .tv_nsec = (long)(us % 1000000 * 1000) };

	(void)nanosleep(&t, NULL);
}

static inline void rest_ms(uint64_t ms)
{
	rest_us(ms * 1000);
}
