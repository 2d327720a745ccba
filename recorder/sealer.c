#include "recorder/sealer.h"

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
#include "recorder/realtime.h"
#include "recorder/stage.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

enum {
	PAUSE_BUSY_MS = 1,
	PAUSE_MS = 20,
	PAUSE_IDLE_MS = 100,
	TURN_MS = 20,          /* then one that is before all others rests (REALTIME_LIMIT_MS) */
	MUCH_DENOMINATOR = 64, /* of the staging area: what is much to come within a pause */
	SYNC_EVERY_MS = 1000,
	RETRY_EVERY_MS = 1000,
	AGE_MAX_S = 3600,
	LATE_SAID_S = 60,
	ERRORS_MAX = 16, /* waiting to be recorded; more are told as one */
	TRY_FIRST_BYTES =
		256 << 10, /* staged, before it is worth asking whether that fills a slot */
};

enum { ASKED_NOTHING, ASKED_NEXT_BOOT, ASKED_STOP };

struct sealer {
	struct sealer_setup setup;
	struct stage *stage;
	pthread_t thread;
	sem_t begun; /* behind it, tid is there */
	pid_t tid;

	/* Shared with the appender. */
	_Atomic int asked;
	_Atomic int failure;
	_Atomic uint32_t boot_no; /* answer to ASKED_NEXT_BOOT */
	int wake_fd, answer_fd;   /* eventfds: something is asked; it is done, or has failed */
	struct sealer_error errors[ERRORS_MAX]; /* number n at n % ERRORS_MAX */
	_Atomic uint32_t errors_put, errors_taken;

	/* The thread's own. */
	size_t seen_bytes;
	uint64_t staged_since_ns; /* 0: nothing is staged */
	uint64_t synced_ns, retry_ns;
	uint64_t errors_told; /* of ring_failure.count */
	uint64_t late_said_ns;
	bool dirty; /* something was staged since the last sync */
};

/* Waits until the eventfd was raised, which takes it back, or for timeout_ms (-1: for ever). */
static void eventfd_wait(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	eventfd_t value;

	if (poll(&wait, 1, timeout_ms) > 0)
		(void)eventfd_read(fd, &value);
}

/* A disk that is slow again and again need not be said each time: the ledger has it. */
static bool late_may_be_said(struct sealer *sealer)
{
	const uint64_t now_ns = clock_monotonic_ns();

	if (sealer->late_said_ns > 0 && now_ns < sealer->late_said_ns + LATE_SAID_S * NS_PER_S)
		return false;
	sealer->late_said_ns = now_ns;
	return true;
}

/* Hands errors of the disk that are new to the appender.  Without room they wait, and are then told as one. */
static void errors_tell(struct sealer *sealer)
{
	struct ring_failure failure = ring_writer_failure(sealer->setup.writer);
	uint32_t put = atomic_load_explicit(&sealer->errors_put, memory_order_relaxed);
	uint32_t taken = atomic_load_explicit(&sealer->errors_taken, memory_order_acquire);

	if (failure.count == sealer->errors_told || put - taken == ERRORS_MAX)
		return;
	if (failure.error == ETIMEDOUT && late_may_be_said(sealer))
		sealer->setup.say(
			"the disk takes too long to sync the ring: recording goes on, and "
			"until it is through a power cut could take more than the last second");
	sealer->errors[put % ERRORS_MAX] = (struct sealer_error){ clock_monotonic_ns(), failure };
	sealer->errors[put % ERRORS_MAX].failure.count -= sealer->errors_told;
	sealer->errors_told = failure.count;
	atomic_store_explicit(&sealer->errors_put, put + 1, memory_order_release);
}

const struct sealer_error *sealer_error_peek(const struct sealer *sealer)
{
	uint32_t taken = atomic_load_explicit(&sealer->errors_taken, memory_order_relaxed);

	if (taken == atomic_load_explicit(&sealer->errors_put, memory_order_acquire))
		return NULL;
	return &sealer->errors[taken % ERRORS_MAX];
}

void sealer_error_take(struct sealer *sealer)
{
	atomic_fetch_add_explicit(&sealer->errors_taken, 1, memory_order_release);
}

/* A failure is said once, and again when it is over. */
static void failure_note(struct sealer *sealer, int r, const char *doing)
{
	int before = atomic_exchange(&sealer->failure, r);

	if (r < 0 && before == 0)
		sealer->setup.say("cannot %s: %s; recording goes on in the staging area, trying "
				  "again every second",
				  doing, strerror(-r));
	else if (r == 0 && before < 0)
		sealer->setup.say("the ring can be written again");
	if (r < 0)
		sealer->retry_ns = clock_monotonic_ns() + RETRY_EVERY_MS * NS_PER_MS;
}

/* Seals one block.  0, RING_WRITER_IDLE or -errno. */
static int block_seal(struct sealer *sealer, bool flush, bool last)
{
	struct ring_seal seal = { .last = last };
	uint64_t events;
	int r;

	if (!sealer->setup.import) {
		struct clock_reading now;

		clock_read(&now);
		seal.monotonic_ns = now.monotonic_ns;
		seal.boottime_ns = now.boottime_ns;
		seal.realtime_ns = now.realtime_ns;
	}
	r = ring_writer_seal(sealer->setup.writer, &seal, flush, &events);
	errors_tell(sealer);
	if (r < 0) {
		failure_note(sealer, r, "write a block to the ring");
		return r;
	}
	if (r == RING_WRITER_IDLE)
		return r;
	failure_note(sealer, 0, "");
	sealer->staged_since_ns = 0;
	return 0;
}

/* Seals whatever fills a slot.  True when a block was written. */
static bool blocks_seal(struct sealer *sealer, uint64_t now_ns)
{
	bool old = sealer->staged_since_ns > 0 &&
		   now_ns - sealer->staged_since_ns > AGE_MAX_S * NS_PER_S;
	bool any = false;

	while (atomic_load(&sealer->asked) == ASKED_NOTHING &&
	       (sealer->setup.import || clock_monotonic_ns() < now_ns + TURN_MS * NS_PER_MS) &&
	       block_seal(sealer, old, false) == 0)
		any = true;
	return any;
}

static void sync_when_due(struct sealer *sealer, uint64_t now_ns)
{
	uint64_t every_ns =
		sealer->setup.durability == DURABILITY_BATCH ? 0 : SYNC_EVERY_MS * NS_PER_MS;
	int r;

	if (!sealer->dirty || sealer->setup.durability == DURABILITY_PROCESS ||
	    now_ns - sealer->synced_ns < every_ns)
		return;
	sealer->dirty = false;
	r = ring_writer_sync(sealer->setup.writer);
	errors_tell(sealer);
	sealer->synced_ns = clock_monotonic_ns();
	if (r != 0)
		sealer->dirty = true;
	if (r == IO_LATE)
		return;
	/* A failed block stays the failure until a block can be written. */
	if (r < 0 || sealer->retry_ns == 0)
		failure_note(sealer, r, "sync the ring to the disk");
}

/* Everything that is staged becomes blocks.  0 or -errno. */
static int all_seal(struct sealer *sealer, bool last)
{
	while (stage_used_bytes(sealer->stage) > 0) {
		int r = block_seal(sealer, true, last);

		if (r < 0)
			return r;
		if (r == RING_WRITER_IDLE)
			break;
	}
	return 0;
}

static void boot_answer(struct sealer *sealer)
{
	if (all_seal(sealer, true) == 0) {
		atomic_store(&sealer->boot_no, ring_writer_next_boot(sealer->setup.writer));
		atomic_store(&sealer->asked, ASKED_NOTHING);
	}
	(void)eventfd_write(sealer->answer_fd, 1);
}

/* How long until the next turn, after grown_bytes have come since the last one. */
static int pause_ms(const struct sealer *sealer, size_t grown_bytes)
{
	const struct sealer_setup *setup = &sealer->setup;
	uint64_t since_ms;

	if (sealer->seen_bytes > setup->stage_bytes / 4)
		return PAUSE_BUSY_MS;
	if (grown_bytes >= setup->stage_bytes / MUCH_DENOMINATOR ||
	    setup->durability == DURABILITY_BATCH)
		return PAUSE_MS;
	/* A sync that is due by then is not put off. */
	since_ms = (clock_monotonic_ns() - sealer->synced_ns) / NS_PER_MS;
	if (sealer->dirty && since_ms < SYNC_EVERY_MS && SYNC_EVERY_MS - since_ms < PAUSE_IDLE_MS)
		return (int)(SYNC_EVERY_MS - since_ms) + 1;
	return PAUSE_IDLE_MS;
}

/* One turn.  Gives how long to rest. */
static int turn(struct sealer *sealer)
{
	const uint64_t now_ns = clock_monotonic_ns();
	size_t used_bytes = stage_used_bytes(sealer->stage);
	const size_t grown_bytes =
		used_bytes > sealer->seen_bytes ? used_bytes - sealer->seen_bytes : 0;
	bool sealed = false;

	if (used_bytes != sealer->seen_bytes)
		sealer->dirty = true;
	if (used_bytes > 0 && sealer->staged_since_ns == 0)
		sealer->staged_since_ns = now_ns;
	if (now_ns >= sealer->retry_ns) {
		sealer->retry_ns = 0;
		if (atomic_load(&sealer->asked) == ASKED_NEXT_BOOT)
			boot_answer(sealer);
		sealed = blocks_seal(sealer, now_ns);
		if (sealed) {
			sealer->dirty = true;
			used_bytes = stage_used_bytes(sealer->stage);
		}
		sync_when_due(sealer, now_ns);
	}
	/* What was seen before the sync: what is staged during one is for the next. */
	sealer->seen_bytes = used_bytes;
	return sealed ? PAUSE_BUSY_MS : pause_ms(sealer, grown_bytes);
}

static void *sealer_main(void *context)
{
	struct sealer *sealer = context;

	realtime_listen();
	sealer->tid = gettid();
	(void)sem_post(&sealer->begun);
	while (atomic_load(&sealer->asked) != ASKED_STOP)
		eventfd_wait(sealer->wake_fd, turn(sealer));
	return NULL;
}

static void sealer_free(struct sealer *sealer)
{
	if (sealer->wake_fd >= 0)
		(void)close(sealer->wake_fd);
	if (sealer->answer_fd >= 0)
		(void)close(sealer->answer_fd);
	free(sealer);
}

static const enum ring_durability ring_durabilities[] = {
	[DURABILITY_INTERVAL] = RING_DURABILITY_INTERVAL,
	[DURABILITY_PROCESS] = RING_DURABILITY_PROCESS,
	[DURABILITY_BATCH] = RING_DURABILITY_BATCH,
};

int sealer_start(const struct sealer_setup *setup, struct sealer **ret_sealer)
{
	struct sealer *sealer = calloc(1, sizeof(*sealer));
	int r = 0;

	if (!sealer)
		return -ENOMEM;
	sealer->setup = *setup;
	sealer->stage = ring_writer_stage(setup->writer);
	sealer->synced_ns = clock_monotonic_ns();
	errors_tell(sealer); /* of the opening */
	/* An import can be done again, so it is synced once, at its end. */
	ring_writer_set_durability(setup->writer, setup->import
							  ? RING_DURABILITY_PROCESS
							  : ring_durabilities[setup->durability]);
	sealer->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sealer->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)sem_init(&sealer->begun, 0, 0);
	if (sealer->wake_fd < 0 || sealer->answer_fd < 0)
		r = -errno;
	if (r == 0)
		r = -pthread_create(&sealer->thread, NULL, sealer_main, sealer);
	if (r < 0) {
		sealer_free(sealer);
		return r;
	}
	while (sem_wait(&sealer->begun) < 0)
		;
	*ret_sealer = sealer;
	return 0;
}

pid_t sealer_tid(const struct sealer *sealer)
{
	return sealer->tid;
}

int sealer_failure(const struct sealer *sealer)
{
	return atomic_load_explicit(&sealer->failure, memory_order_relaxed);
}

static void sealer_ask(struct sealer *sealer, int what)
{
	atomic_store(&sealer->asked, what);
	(void)eventfd_write(sealer->wake_fd, 1);
}

int sealer_next_boot(struct sealer *sealer, uint32_t *ret_boot_no)
{
	sealer_ask(sealer, ASKED_NEXT_BOOT);
	while (atomic_load(&sealer->asked) == ASKED_NEXT_BOOT) {
		int r = sealer_failure(sealer);

		if (r < 0)
			return r;
		eventfd_wait(sealer->answer_fd, PAUSE_MS);
	}
	*ret_boot_no = atomic_load(&sealer->boot_no);
	return 0;
}

int sealer_stop(struct sealer *sealer, bool orderly)
{
	int r = 0;

	if (!sealer)
		return 0;
	sealer_ask(sealer, ASKED_STOP);
	(void)pthread_join(sealer->thread, NULL);
	if (orderly)
		r = all_seal(sealer, true);
	if (orderly && r == 0) {
		ring_writer_set_durability(sealer->setup.writer,
					   ring_durabilities[sealer->setup.durability]);
		r = ring_writer_sync(sealer->setup.writer);
	}
	if (orderly && r == 0)
		r = ring_writer_mark_clean(sealer->setup.writer);
	sealer_free(sealer);
	return r;
}
