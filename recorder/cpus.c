#include "recorder/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "schema/cleanup.h"

enum { TEXT_BYTES = 4096 }; /* what a file of sysfs can hold */

static void add(struct cpus *cpus, uint32_t first, uint32_t last)
{
	for (uint32_t cpu = first; cpu <= last && cpu < GAPS_CPU_LIMIT; cpu++)
		CPU_SET_S(cpu, sizeof(*cpus), cpus->sets);
}

struct cpus cpus_range(uint32_t first, uint32_t last)
{
	struct cpus cpus = { 0 };

	add(&cpus, first, last);
	return cpus;
}

struct text {
	const char *at, *end;
};

static bool skip(struct text *text, char c)
{
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

static bool number(struct text *text, uint32_t *ret_n)
{
	const char *begin = text->at;
	uint32_t n = 0;

	for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint32_t)(*text->at - '0'), &n))
			return false;
	*ret_n = n;
	return text->at > begin;
}

int cpus_parse(const char *text, size_t bytes, struct cpus *ret_cpus)
{
	struct text rest = { text, text + bytes };
	struct cpus cpus = { 0 };
	uint32_t first, last;

	do {
		if (!number(&rest, &first))
			return -EBADMSG;
		last = first;
		if (skip(&rest, '-') && (!number(&rest, &last) || last < first))
			return -EBADMSG;
		add(&cpus, first, last);
	} while (skip(&rest, ','));
	(void)skip(&rest, '\n');
	if (rest.at < rest.end)
		return -EBADMSG;
	*ret_cpus = cpus;
	return 0;
}

void cpus_release(pid_t tid)
{
	const int own = sched_getcpu();
	const struct cpus here = cpus_range((uint32_t)own, (uint32_t)own),
			  all = cpus_range(0, GAPS_CPU_LIMIT - 1);

	/* Where a thread may stay the kernel leaves it: so first it may not. */
	if (own >= 0)
		(void)sched_setaffinity(tid, sizeof(here), here.sets);
	(void)sched_setaffinity(tid, sizeof(all), all.sets);
}

int cpus_online(struct cpus *ret_cpus)
{
	auto_close int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	char text[TEXT_BYTES];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd < 0 && errno == ENOENT) {
		long count = sysconf(_SC_NPROCESSORS_ONLN);

		if (count > 0) {
			*ret_cpus = cpus_range(0, (uint32_t)count - 1);
			return 0;
		}
	}
	return n < 0 ? -errno : cpus_parse(text, (size_t)n, ret_cpus);
}
