/* cpus.h - sets of CPUs, by the kernel's numbers. */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "recorder/gaps.h"

struct cpus {
	cpu_set_t sets[GAPS_CPU_LIMIT / CPU_SETSIZE];
};

static inline bool cpus_has(const struct cpus *cpus, uint32_t cpu)
{
	return cpu < GAPS_CPU_LIMIT && CPU_ISSET_S(cpu, sizeof(*cpus), cpus->sets);
}

static inline bool cpus_equal(const struct cpus *a, const struct cpus *b)
{
	return CPU_EQUAL_S(sizeof(*a), a->sets, b->sets) != 0;
}

static inline uint32_t cpus_count(const struct cpus *cpus)
{
	return (uint32_t)CPU_COUNT_S(sizeof(*cpus), cpus->sets);
}

/* All from first to last; what is beyond GAPS_CPU_LIMIT is left out. */
struct cpus cpus_range(uint32_t first, uint32_t last);

/* A list as in /sys/devices/system/cpu: "0-3,8\n".  0 or -EBADMSG. */
int cpus_parse(const char *text, size_t bytes, struct cpus *ret_cpus);

/* Moves a thread to where the caller runs, and leaves it free to be moved on: it can run there, whatever holds the CPU that it was to run on. */
void cpus_release(pid_t tid);

/* Those that are on line; where no sysfs is mounted, as many from 0 on as the C library counts.  0, -EBADMSG or -errno. */
int cpus_online(struct cpus *ret_cpus);
