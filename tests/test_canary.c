/* test_canary.c - a canary from every CPU; and where a real-time task holds one, no waiting for it.  The latter needs root, else skipped. */
#include "recorder/canary.h"

#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#include "recorder/clock.h"
#include "recorder/cpus.h"
#include "tests/clocks.h"
#include "tests/hog.h"
#include "tests/tap.h"

#define NS_PER_MS UINT64_C(1000000)

/* --- many CPUs that are held: played, for a machine has few --- */

enum { PLAYED_FIRST = 1000, PLAYED_LAST = 1039 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t released;
	bool on;
	pid_t held; /* a thread that does not come back before it is taken away; 0: none */
	unsigned tried;
} played = { .lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER };

static void played_set(bool on)
{
	(void)pthread_mutex_lock(&played.lock);
	played.on = on;
	played.tried = 0;
	(void)pthread_mutex_unlock(&played.lock);
}

/* Who sets out for a CPU alone is held there; whoever sends it elsewhere lets it go. */
static void played_move(pid_t tid, const cpu_set_t *set)
{
	if (tid == 0 && CPU_COUNT_S(sizeof(struct cpus), set) == 1) {
		played.held = gettid();
		played.tried++;
		while (played.held != 0)
			(void)pthread_cond_wait(&played.released, &played.lock);
	} else if (tid == played.held) {
		played.held = 0;
		(void)pthread_cond_signal(&played.released);
	}
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those of the C library are theirs */
int sched_setaffinity(pid_t tid, size_t bytes, const cpu_set_t *set)
{
	bool on;

	(void)pthread_mutex_lock(&played.lock);
	on = played.on;
	if (on)
		played_move(tid, set);
	(void)pthread_mutex_unlock(&played.lock);
	return on ? 0 : (int)syscall(SYS_sched_setaffinity, tid, bytes, set);
}

int sched_getaffinity(pid_t tid, size_t bytes, cpu_set_t *set)
{
	const struct cpus many = cpus_range(PLAYED_FIRST, PLAYED_LAST);
	bool on;

	(void)pthread_mutex_lock(&played.lock);
	on = played.on;
	(void)pthread_mutex_unlock(&played.lock);
	if (!on)
		return syscall(SYS_sched_getaffinity, tid, bytes, set) < 0 ? -1 : 0;
	memcpy(set, &many, bytes);
	return 0;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static void test_many(void)
{
	const uint64_t begin_ms = now_ms();
	size_t cpus = SIZE_MAX;
	uint64_t took_ms;
	unsigned tried;
	int r;

	played_set(true);
	r = canary_send(&cpus);
	took_ms = now_ms() - begin_ms;
	tried = played.tried;
	played_set(false);
	ok(r == CANARY_HELD && cpus == 0 && tried > 1 && tried < 10,
	   "where all of 40 CPUs are held it is given up after a few (%u)", tried);
	ok(took_ms >= CANARY_SEND_MS && took_ms < 2000, "not after a time for each (%u ms)",
	   (unsigned)took_ms);
}

/* --- the CPUs that there are --- */

static unsigned sent_count(const struct canary *canary, uint64_t since_ns)
{
	unsigned count = 0;

	for (uint32_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++)
		count += canary_sent_ns(canary, cpu) >= since_ns;
	return count;
}

static void test_send(const struct cpus *online)
{
	const struct cpus one = cpus_range(0, 0);
	struct cpus own = { 0 };
	size_t cpus = 0;
	int r;

	(void)sched_setaffinity(0, sizeof(one), one.sets);
	r = canary_send(&cpus);
	ok(r == 0 && cpus == cpus_count(online),
	   "every CPU is visited, also where one's own thread may run on one alone (%zu)", cpus);
	(void)sched_getaffinity(0, sizeof(own), own.sets);
	ok(cpus_equal(&own, &one), "that thread stays where it was");
	(void)sched_setaffinity(0, sizeof(*online), online->sets);
}

static void test_thread(const struct cpus *online)
{
	const uint64_t begin_ns = clock_monotonic_ns();
	struct canary *canary;
	unsigned count = 0;
	uint64_t again_ns;
	uint32_t cpu;

	ok(canary_start(&canary) == 0, "a thread sends them");
	for (int i = 0; i < 200 && count < cpus_count(online); i++) {
		rest_ms(5);
		count = sent_count(canary, begin_ns);
	}
	ok(count == cpus_count(online) && canary_sent_ns(canary, GAPS_CPU_LIMIT) == 0,
	   "when each of them was sent can be asked (%u)", count);
	ok(!canary_held(canary, clock_monotonic_ns(), &cpu), "none of them is held");
	again_ns = clock_monotonic_ns();
	for (int i = 0; i < 600 && sent_count(canary, again_ns) < count; i++)
		rest_ms(5);
	ok(sent_count(canary, again_ns) == count &&
		   clock_monotonic_ns() < again_ns + 2 * CANARY_PERIOD_MS * NS_PER_MS,
	   "after a period each CPU sends another");
	ok(!canary_held(canary, clock_monotonic_ns() + 60000 * NS_PER_MS, &cpu),
	   "and none is held between two rounds, however long that is");
	again_ns = clock_monotonic_ns();
	canary_stop(canary);
	canary_stop(NULL);
	ok(clock_monotonic_ns() < again_ns + 500 * NS_PER_MS, "its end is soon");
}

static void test_hog(const struct cpus *online)
{
	uint32_t cpu = 0, held = UINT32_MAX;
	const pid_t hog = hog_begin(5000, &cpu);
	uint64_t send_ms, stop_ms;
	struct canary *canary;
	size_t cpus = 0;
	bool is_held = false;
	int r;

	if (hog == 0) {
		ok(true, "a CPU that is held # SKIP it takes two CPUs, and permission");
		return;
	}
	send_ms = now_ms();
	r = canary_send(&cpus);
	send_ms = now_ms() - send_ms;
	/* Since 6.12 an ordinary thread gets some time there, once a second. */
	ok((r == CANARY_HELD && cpus == cpus_count(online) - 1) ||
		   (r == 0 && cpus == cpus_count(online)),
	   "where a CPU is held all others are visited");
	ok(send_ms < 2 * CANARY_SEND_MS, "soon (%llu ms)", (unsigned long long)send_ms);
	if (canary_start(&canary) < 0)
		exit(1);
	for (int i = 0; i < 400 && !is_held; i++) {
		rest_ms(10);
		/* What is held now for so long will be held too long by then. */
		is_held = canary_held(
			canary, clock_monotonic_ns() + (CANARY_HELD_MS - 100) * NS_PER_MS, &held);
	}
	ok(is_held && held == cpu, "which one it is can be asked");
	stop_ms = now_ms();
	canary_stop(canary);
	stop_ms = now_ms() - stop_ms;
	ok(hog_end(hog) && stop_ms < 500, "and the thread ends in time (%llu ms)",
	   (unsigned long long)stop_ms);
}

int main(void)
{
	struct cpus online;

	if (cpus_online(&online) < 0)
		return 1;
	test_send(&online);
	test_thread(&online);
	test_hog(&online);
	test_many();
	return done_testing();
}
