#include "recorder/index_keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "recorder/clock.h"
#include "schema/cleanup.h"
#include "schema/project.h"

#define NS_PER_MS UINT64_C(1000000)

enum {
	STEP_EVENTS = 32768,
	REST_MIN_MS = 10,
	REST_MAX_MS = 200,
	REST_FEW_MS = 50, /* after a batch that was not full: the next one shall be larger */
	/* A batch of a storm costs per event a third less when it is so much larger, for each writes the same pages' ends again. */
	STORM_EVENTS = 400,
	REST_STORM_MS = 250,
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 30000,
	NICE = 5,
};

struct keeper {
	const struct index_keeper_setup *setup;
	struct projector *projector;
	bool failing; /* has been said */
	bool stopping;
	int priority;      /* that it was started with, and gets back once stopping */
	uint64_t until_ns; /* once stopping */
};

/* Rests; SIGTERM cuts it short. */
static void rest(struct keeper *keeper, unsigned ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000,
					.tv_nsec = (long)(ms % 1000 * NS_PER_MS) };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (keeper->stopping || sigtimedwait(&set, NULL, &pause) != SIGTERM)
		return;
	keeper->stopping = true;
	keeper->until_ns = keeper->setup->catch_up_ns == UINT64_MAX
				   ? UINT64_MAX
				   : clock_monotonic_ns() + keeper->setup->catch_up_ns;
	(void)setpriority(PRIO_PROCESS, 0, keeper->priority);
}

/* How long after a batch of so many events. */
static unsigned rest_after(size_t events)
{
	if (events >= STEP_EVENTS)
		return 0; /* there is more */
	return events < STORM_EVENTS ? REST_FEW_MS : REST_STORM_MS;
}

static bool too_late(const struct keeper *keeper)
{
	return keeper->stopping && clock_monotonic_ns() > keeper->until_ns;
}

static void failure_note(struct keeper *keeper, const char *message)
{
	if (!keeper->failing)
		keeper->setup->say("the index falls behind: %s; recording is not touched by this, "
				   "and the index is tried again",
				   message);
	keeper->failing = true;
}

/* One writer of the index a store: the projector of a recorder that was killed may still be ending. */
static int store_lock(struct keeper *keeper)
{
	int fd, r;

	while ((r = projector_lock(keeper->setup->store, &fd)) == PROJECTOR_LOCKED) {
		rest(keeper, REST_FEW_MS);
		if (too_late(keeper))
			return -EBUSY;
	}
	return r < 0 ? r : fd;
}

/* Opens the index, trying for as long as it takes; when stopping, once.  0 or -errno. */
static int open_try(struct keeper *keeper)
{
	unsigned pause_ms = RETRY_MIN_MS;

	for (;;) {
		const char *message = "";
		int r = projector_open(keeper->setup->ring_path, keeper->setup->index_path,
				       &keeper->projector, &message);

		if (r == 0)
			return 0;
		failure_note(keeper, message);
		if (keeper->stopping)
			return r;
		rest(keeper, pause_ms);
		pause_ms = pause_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : pause_ms * 2;
	}
}

/* Projects until told to stop and nothing newer is there.  0; -ETIME: that took too long; -errno: the last attempt failed. */
static int project(struct keeper *keeper)
{
	unsigned idle_ms = REST_MIN_MS, retry_ms = RETRY_MIN_MS;

	for (;;) {
		size_t events = 0;
		bool stopping = keeper->stopping;
		int r = projector_step(keeper->projector, STEP_EVENTS, &events);

		if (r < 0) {
			failure_note(keeper, projector_message(keeper->projector));
			if (stopping)
				return r;
			rest(keeper, retry_ms);
			retry_ms = retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : retry_ms * 2;
			continue;
		}
		if (keeper->failing)
			keeper->setup->say("the index can be written again");
		keeper->failing = false;
		retry_ms = RETRY_MIN_MS;
		if (stopping && events == 0)
			return 0;
		if (too_late(keeper))
			return -ETIME;
		if (events == 0)
			idle_ms = idle_ms * 2 > REST_MAX_MS ? REST_MAX_MS : idle_ms * 2;
		else
			idle_ms = rest_after(events);
		rest(keeper, idle_ms);
	}
}

int index_keeper_run(const struct index_keeper_setup *setup)
{
	struct keeper keeper = { .setup = setup, .priority = getpriority(PRIO_PROCESS, 0) };
	auto_close int lock = -1;
	int r;

	(void)setpriority(PRIO_PROCESS, 0, NICE);
	lock = store_lock(&keeper);
	r = lock < 0 ? lock : open_try(&keeper);
	if (r == 0)
		r = project(&keeper);
	if (r == 0)
		(void)projector_checkpoint(keeper.projector);
	if (r == -ETIME)
		setup->say("the index is behind the ring and will catch up at the next start: it "
			   "has everything before event %" PRIu64,
			   projector_next_event_no(keeper.projector));
	else if (r < 0)
		setup->say(
			"the index lacks the newest events; the next start makes up for that, or "
			"'procledger reindex'");
	projector_close(keeper.projector);
	return r == 0 || r == -ETIME ? VERDICT_OK : VERDICT_FAILED;
}
