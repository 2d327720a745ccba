#include "recorder/syncer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/realtime.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

enum { STEP_MS = 5 };

struct syncer {
	struct io io;
	pthread_t thread;
	sem_t begun, asked, done; /* tid is there; fd, result is */
	pid_t tid;
	atomic_bool stopping;
	/* The semaphores order these, but not for TSan, which does not know sem_clockwait(). */
	atomic_int fd, result;

	/* The caller's. */
	bool (*impatient)(void *context);
	void *context;
	bool pending; /* asked for, and not taken back */
	uint64_t asked_ns;
};

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		;
}

static void *syncer_main(void *context)
{
	struct syncer *syncer = context;

	realtime_listen();
	syncer->tid = gettid();
	(void)sem_post(&syncer->begun);
	for (;;) {
		wait_for(&syncer->asked);
		if (atomic_load(&syncer->stopping))
			return NULL;
		atomic_store(&syncer->result, io_sync(&io_direct, atomic_load(&syncer->fd)));
		(void)sem_post(&syncer->done);
	}
}

static bool is_too_long(const struct syncer *syncer)
{
	return syncer->impatient &&
	       clock_monotonic_ns() >= syncer->asked_ns + SYNCER_PATIENCE_MS * NS_PER_MS &&
	       syncer->impatient(syncer->context);
}

/* Whether it is done within STEP_MS. */
static bool step(struct syncer *syncer)
{
	const uint64_t until_ns = clock_monotonic_ns() + STEP_MS * NS_PER_MS;
	const struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_S),
					.tv_nsec = (long)(until_ns % NS_PER_S) };

	return sem_clockwait(&syncer->done, CLOCK_MONOTONIC, &until) == 0;
}

/* What the sync that is being made has given, or IO_LATE. */
static int take(struct syncer *syncer)
{
	while (!step(syncer))
		if (is_too_long(syncer))
			return IO_LATE;
	syncer->pending = false;
	return atomic_load(&syncer->result);
}

static int syncer_sync(void *context, int fd)
{
	struct syncer *syncer = context;
	int r = syncer->pending ? take(syncer) : 0;

	if (r != 0)
		return r;
	atomic_store(&syncer->fd, fd);
	syncer->pending = true;
	syncer->asked_ns = clock_monotonic_ns();
	(void)sem_post(&syncer->asked);
	return take(syncer);
}

int syncer_start(struct syncer **ret_syncer)
{
	struct syncer *syncer = calloc(1, sizeof(*syncer));
	int r;

	if (!syncer)
		return -ENOMEM;
	syncer->io = io_direct;
	syncer->io.context = syncer;
	syncer->io.sync = syncer_sync;
	(void)sem_init(&syncer->begun, 0, 0);
	(void)sem_init(&syncer->asked, 0, 0);
	(void)sem_init(&syncer->done, 0, 0);
	r = -pthread_create(&syncer->thread, NULL, syncer_main, syncer);
	if (r < 0) {
		free(syncer);
		return r;
	}
	wait_for(&syncer->begun);
	*ret_syncer = syncer;
	return 0;
}

void syncer_stop(struct syncer *syncer)
{
	if (!syncer)
		return;
	atomic_store(&syncer->stopping, true);
	(void)sem_post(&syncer->asked);
	(void)pthread_join(syncer->thread, NULL);
	free(syncer);
}

pid_t syncer_tid(const struct syncer *syncer)
{
	return syncer->tid;
}

const struct io *syncer_io(struct syncer *syncer)
{
	return &syncer->io;
}

void syncer_set_impatient(struct syncer *syncer, bool (*impatient)(void *context), void *context)
{
	syncer->impatient = impatient;
	syncer->context = context;
}
