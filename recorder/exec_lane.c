#include "recorder/exec_lane.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/connector.h"
#include "recorder/event_detail.h"
#include "recorder/exec_table.h"
#include "schema/cleanup.h"
#include "schema/wire.h"

enum { DATAGRAM_BYTES = 256 };

struct lane {
	struct exec_lanes *lanes;
	struct exec_lane_range range;
	struct connector *connector;
	struct procfs *procfs;
	pthread_t thread;
	bool running;      /* the thread is to be joined */
	atomic_int failed; /* not 0: the thread has ended before its time, as lane_run() says */
	bool failure_said;
	sem_t begun; /* behind it, tid is there */
	pid_t tid;
	struct realtime realtime;
	uint8_t datagram[DATAGRAM_BYTES];
	uint8_t packed[EVENT_DETAIL_MAX_BYTES];
};

struct exec_lanes {
	say_fn *say;
	struct procfs_setup procfs;
	int stop_fd;
	atomic_bool stopping;
	_Atomic uint64_t suspended_ns;
	struct lane *lanes[EXEC_LANES_MAX];
	unsigned count;
	struct cpus online;
	_Atomic(struct exec_table *) tables[GAPS_CPU_LIMIT]; /* NULL: nobody reads for it */
};

unsigned exec_lanes_plan(const struct cpus *online,
			 struct exec_lane_range ret_ranges[EXEC_LANES_MAX])
{
	const uint32_t cpus = cpus_count(online);
	const unsigned lanes = cpus < EXEC_LANES_MAX ? cpus : EXEC_LANES_MAX;
	uint32_t seen = 0;
	unsigned made = 0;

	for (uint32_t cpu = 0; cpu < GAPS_CPU_LIMIT && made < lanes; cpu++) {
		if (!cpus_has(online, cpu))
			continue;
		if (seen++ >= (uint64_t)cpus * made / lanes)
			ret_ranges[made++] = (struct exec_lane_range){ cpu, cpu };
	}
	/* Shared lanes leave no gaps, for CPUs that come later. */
	for (unsigned i = 0; cpus > EXEC_LANES_MAX && i < made; i++)
		ret_ranges[i].last =
			i + 1 < made ? ret_ranges[i + 1].first - 1 : GAPS_CPU_LIMIT - 1;
	if (cpus > EXEC_LANES_MAX)
		ret_ranges[0].first = 0;
	return made;
}

/* --- a lane's thread: takes no lock, and mallocs nothing --- */

static void exec_take(struct lane *lane, size_t bytes)
{
	struct exec_lanes *lanes = lane->lanes;
	struct exec_table *table;
	struct event event;

	if (wire_decode(lane->datagram, bytes, &event) != 0 || event.kind != EVENT_EXEC ||
	    event.cpu >= GAPS_CPU_LIMIT)
		return;
	table = atomic_load_explicit(&lanes->tables[event.cpu], memory_order_acquire);
	if (!table)
		return;
	bytes = event_detail_exec(lane->procfs, &event,
				  atomic_load_explicit(&lanes->suspended_ns, memory_order_relaxed),
				  lane->packed);
	exec_table_put(table, event.seq, clock_monotonic_ns(), lane->packed, bytes);
}

/* A CPU that is off line, or not in our cpuset, refuses: then the thread runs where it may, and is only later. */
static void lane_pin(const struct lane *lane)
{
	const struct cpus own = cpus_range(lane->range.first, lane->range.last);

	(void)sched_setaffinity(lane->tid, sizeof(own), own.sets);
}

/* Until all are to stop: 0; or -errno: the ordinary way reads from here on. */
static int lane_run(struct lane *lane)
{
	struct pollfd waits[] = {
		{ .fd = connector_fd(lane->connector), .events = POLLIN },
		{ .fd = lane->lanes->stop_fd, .events = POLLIN },
	};

	while (!atomic_load_explicit(&lane->lanes->stopping, memory_order_relaxed)) {
		uint32_t length;
		int n;

		/* Asking first is a call less where programs begin one by one.  Behind the guard's handler it is not restarted, whatever
		 * SA_RESTART says. */
		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			return -errno;
		n = connector_receive(lane->connector, lane->datagram, DATAGRAM_BYTES, 0, 1,
				      &length);
		if (n < 0)
			return n;
		if (n > 0)
			exec_take(lane, length);
	}
	return 0;
}

/* So that it comes to its end whatever holds its CPU. */
static void thread_release(pid_t tid)
{
	realtime_leave(tid);
	cpus_release(tid);
}

static void *lane_main(void *context)
{
	struct lane *lane = context;
	int r;

	realtime_listen();
	lane->tid = gettid();
	(void)sem_post(&lane->begun);
	r = lane_run(lane);
	if (r < 0)
		thread_release(0);
	atomic_store_explicit(&lane->failed, r, memory_order_relaxed);
	return NULL;
}

/* --- opening and closing --- */

/* Opens its socket and starts its thread, which is given its CPU and priority from here: where a real-time task spins it may not run for long.
 * As exec_lanes_open(). */
static int lane_begin(struct lane *lane)
{
	int r = connector_open_execs(lane->range.first, lane->range.last, &lane->connector);

	if (r != 0)
		return r;
	atomic_store_explicit(&lane->failed, 0, memory_order_relaxed);
	r = -pthread_create(&lane->thread, NULL, lane_main, lane);
	if (r < 0)
		return r;
	lane->running = true;
	while (sem_wait(&lane->begun) < 0)
		;
	lane_pin(lane);
	realtime_enter(&lane->realtime, lane->tid, REALTIME_LANE);
	return 0;
}

/* Waits for its thread, which has been told, or has failed. */
static void lane_end(struct lane *lane)
{
	if (lane->running)
		(void)pthread_join(lane->thread, NULL);
	lane->running = false;
	connector_close(lane->connector);
	lane->connector = NULL;
}

static int lane_failed(const struct lane *lane)
{
	return atomic_load_explicit(&lane->failed, memory_order_relaxed);
}

static void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	lane_end(lane);
	procfs_close(lane->procfs);
	free(lane);
}

static void cleanup_lane(struct lane **lane)
{
	lane_free(*lane);
}

#define auto_lane __attribute__((cleanup(cleanup_lane)))

/* Tables for the CPUs of the range that are on line and have none.  0 or -ENOMEM. */
static int tables_make(struct exec_lanes *lanes, const struct cpus *online,
		       const struct exec_lane_range *range)
{
	for (uint32_t cpu = range->first; cpu <= range->last; cpu++) {
		struct exec_table *table;

		if (!cpus_has(online, cpu) ||
		    atomic_load_explicit(&lanes->tables[cpu], memory_order_relaxed))
			continue;
		table = exec_table_new(cpus_count(online) > EXEC_LANES_MAX ? EXEC_TABLE_LESS_BYTES
									   : EXEC_TABLE_BYTES);
		if (!table)
			return -ENOMEM;
		atomic_store_explicit(&lanes->tables[cpu], table, memory_order_release);
	}
	return 0;
}

static int lane_open(struct exec_lanes *lanes, const struct exec_lane_range *range)
{
	auto_lane struct lane *lane = calloc(1, sizeof(*lane));
	int r;

	if (!lane)
		return -ENOMEM;
	lane->lanes = lanes;
	lane->range = *range;
	(void)sem_init(&lane->begun, 0, 0);
	r = procfs_open(&lanes->procfs, &lane->procfs);
	if (r == 0)
		r = lane_begin(lane);
	if (r != 0)
		return r;
	lanes->lanes[lanes->count++] = steal_pointer(lane);
	return 0;
}

int exec_lanes_open(const struct procfs_setup *procfs, say_fn *say, struct exec_lanes **ret_lanes)
{
	struct exec_lane_range ranges[EXEC_LANES_MAX];
	struct exec_lanes *lanes = calloc(1, sizeof(*lanes));
	unsigned count;
	int r = lanes ? cpus_online(&lanes->online) : -ENOMEM;

	if (r < 0) {
		free(lanes);
		return r;
	}
	lanes->say = say;
	lanes->procfs = *procfs;
	lanes->stop_fd = eventfd(0, EFD_CLOEXEC);
	r = lanes->stop_fd < 0 ? -errno : 0;
	count = exec_lanes_plan(&lanes->online, ranges);
	for (unsigned i = 0; i < count && r == 0; i++) {
		r = tables_make(lanes, &lanes->online, &ranges[i]);
		if (r == 0)
			r = lane_open(lanes, &ranges[i]);
	}
	if (r != 0) {
		exec_lanes_close(lanes);
		return r;
	}
	*ret_lanes = lanes;
	return 0;
}

void exec_lanes_close(struct exec_lanes *lanes)
{
	if (!lanes)
		return;
	/* Before they are told: a thread that has ended leaves its number to others. */
	for (unsigned i = 0; i < lanes->count; i++)
		if (lane_failed(lanes->lanes[i]) == 0)
			thread_release(lanes->lanes[i]->tid);
	atomic_store_explicit(&lanes->stopping, true, memory_order_relaxed);
	if (lanes->stop_fd >= 0)
		(void)eventfd_write(lanes->stop_fd, 1);
	for (unsigned i = 0; i < lanes->count; i++)
		lane_free(lanes->lanes[i]);
	for (size_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++)
		exec_table_free(lanes->tables[cpu]);
	if (lanes->stop_fd >= 0)
		(void)close(lanes->stop_fd);
	free(lanes);
}

/* --- the stager's side --- */

unsigned exec_lanes_count(const struct exec_lanes *lanes)
{
	return lanes->count;
}

static enum realtime_mode lane_mode(const struct lane *lane)
{
	return lane_failed(lane) != 0 ? REALTIME_DEFAULT : realtime_mode_of(&lane->realtime);
}

enum realtime_mode exec_lanes_mode(const struct exec_lanes *lanes)
{
	enum realtime_mode worst = REALTIME_FIFO;

	for (unsigned i = 0; i < lanes->count; i++)
		if (lane_mode(lanes->lanes[i]) > worst)
			worst = lane_mode(lanes->lanes[i]);
	return worst;
}

void exec_lanes_set_suspended(struct exec_lanes *lanes, uint64_t suspended_ns)
{
	atomic_store_explicit(&lanes->suspended_ns, suspended_ns, memory_order_relaxed);
}

static struct lane *lane_of(struct exec_lanes *lanes, uint32_t cpu)
{
	for (unsigned i = 0; i < lanes->count; i++)
		if (cpu >= lanes->lanes[i]->range.first && cpu <= lanes->lanes[i]->range.last)
			return lanes->lanes[i];
	return NULL;
}

int exec_lanes_take(struct exec_lanes *lanes, uint32_t cpu, uint32_t seq, uint8_t *out,
		    size_t *ret_bytes, uint64_t *ret_read_ns)
{
	struct exec_table *table = NULL;
	const struct lane *lane;
	int r;

	if (cpu < GAPS_CPU_LIMIT)
		table = atomic_load_explicit(&lanes->tables[cpu], memory_order_relaxed);
	if (!table)
		return EXEC_TABLE_NOTHING;
	r = exec_table_take(table, seq, out, ret_bytes, ret_read_ns);
	lane = r == EXEC_TABLE_NOT_YET ? lane_of(lanes, cpu) : NULL;
	return lane && lane_failed(lane) != 0 ? EXEC_TABLE_NOTHING : r;
}

static void cpu_add(struct exec_lanes *lanes, const struct cpus *online, uint32_t cpu)
{
	const struct exec_lane_range own = { cpu, cpu };
	int r = 0;

	if (lane_of(lanes, cpu) || lanes->count < EXEC_LANES_MAX)
		r = tables_make(lanes, online, &own);
	if (r == 0 && !lane_of(lanes, cpu) && lanes->count < EXEC_LANES_MAX)
		r = lane_open(lanes, &own);
	if (r != 0)
		lanes->say("cannot read at once what CPU %u runs: its short-lived programs may "
			   "stay without arguments",
			   cpu);
}

static void guard_look(struct exec_lanes *lanes, struct lane *lane, uint64_t now_ns)
{
	if (lane_failed(lane) == 0 && realtime_look(&lane->realtime, now_ns))
		lanes->say("the thread that reads what CPU %u runs did not rest for %d ms again "
			   "and again, and lost its priority; short-lived programs may stay "
			   "without arguments",
			   lane->range.first, REALTIME_LIMIT_MS);
}

/* Begins a lane anew whose thread has ended before its time. */
static void failure_look(struct exec_lanes *lanes, struct lane *lane)
{
	const int failed = lane_failed(lane);
	int r;

	if (failed == 0)
		return;
	if (!lane->failure_said)
		lanes->say("the thread that reads what CPU %u runs has failed: %s; until another "
			   "one reads, short-lived programs may stay without arguments",
			   lane->range.first, strerror(-failed));
	lane->failure_said = true;
	lane_end(lane);
	r = lane_begin(lane);
	if (r != 0) /* the next look tries again */
		atomic_store_explicit(&lane->failed, r, memory_order_relaxed);
}

void exec_lanes_look(struct exec_lanes *lanes, const struct cpus *online, uint64_t now_ns)
{
	for (unsigned i = 0; i < lanes->count; i++) {
		failure_look(lanes, lanes->lanes[i]);
		guard_look(lanes, lanes->lanes[i], now_ns);
	}
	if (cpus_equal(online, &lanes->online))
		return;
	for (uint32_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++)
		if (cpus_has(online, cpu) && !cpus_has(&lanes->online, cpu))
			cpu_add(lanes, online, cpu);
	lanes->online = *online;
	for (unsigned i = 0; i < lanes->count; i++)
		if (lane_failed(lanes->lanes[i]) == 0)
			lane_pin(lanes->lanes[i]);
}
