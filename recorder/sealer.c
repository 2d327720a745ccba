#include "recorder/sealer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "recorder/clock.h"
#include "recorder/stage.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

enum {
	PAUSE_BUSY_MS = 1,
	PAUSE_MS = 20,
	PAUSE_IDLE_MS = 50,
	WAIT_MS = 1,
	SYNC_EVERY_MS = 1000,
	RETRY_EVERY_MS = 1000,
	AGE_MAX_S = 3600,
	TRY_FIRST_BYTES =
		256 << 10, /* staged, before it is worth asking whether that fills a slot */
};

enum { ASKED_NOTHING, ASKED_NEXT_BOOT, ASKED_STOP };

struct sealer {
	struct sealer_setup setup;
	struct stage *stage;
	pthread_t thread;

	/* Shared with the appender. */
	_Atomic int asked;
	_Atomic int failure;
	_Atomic uint32_t boot_no; /* answer to ASKED_NEXT_BOOT */

	/* The thread's own. */
	size_t try_bytes; /* staged bytes at which the next attempt to seal is worth it */
	size_t seen_bytes;
	uint64_t staged_since_ns; /* 0: nothing is staged */
	uint64_t synced_ns, retry_ns;
	bool dirty; /* something was staged since the last sync */
};

static void pause_ms(unsigned ms)
{
	struct timespec t = { .tv_nsec = (long)(ms * NS_PER_MS) };

	(void)nanosleep(&t, NULL);
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
	struct ring_seal seal = {
		.lost_total = atomic_load_explicit(sealer->setup.lost_sum, memory_order_relaxed),
		.last = last,
	};
	size_t before = stage_used_bytes(sealer->stage), after;
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
	if (r < 0) {
		failure_note(sealer, r, "write a block to the ring");
		return r;
	}
	after = stage_used_bytes(sealer->stage);
	if (r == RING_WRITER_IDLE) {
		/* Packing is dear, so the next attempt waits until there is a good deal more. */
		sealer->try_bytes = before + before / 4;
		return r;
	}
	failure_note(sealer, 0, "");
	sealer->staged_since_ns = 0;
	if (before > after)
		sealer->try_bytes = before - after;
	return 0;
}

static bool seal_due(struct sealer *sealer, size_t used_bytes, uint64_t now_ns, bool *ret_flush)
{
	bool old = sealer->staged_since_ns > 0 &&
		   now_ns - sealer->staged_since_ns > AGE_MAX_S * NS_PER_S;

	/* A small staging area can be full of what would not fill a slot. */
	*ret_flush = old || used_bytes > sealer->setup.stage_bytes / 4 * 3;
	return *ret_flush || used_bytes >= sealer->try_bytes;
}

/* Seals as long as it is due.  True when a block was written. */
static bool blocks_seal(struct sealer *sealer, uint64_t now_ns)
{
	bool flush, any = false;

	while (atomic_load(&sealer->asked) == ASKED_NOTHING &&
	       seal_due(sealer, stage_used_bytes(sealer->stage), now_ns, &flush) &&
	       block_seal(sealer, flush, false) == 0)
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
	sealer->synced_ns = clock_monotonic_ns();
	if (r < 0)
		sealer->dirty = true;
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
	if (all_seal(sealer, true) < 0)
		return;
	atomic_store(&sealer->boot_no, ring_writer_next_boot(sealer->setup.writer));
	atomic_store(&sealer->asked, ASKED_NOTHING);
}

/* One turn.  Gives how long to rest. */
static unsigned turn(struct sealer *sealer)
{
	uint64_t now_ns = clock_monotonic_ns();
	size_t used_bytes = stage_used_bytes(sealer->stage);
	bool grown = used_bytes != sealer->seen_bytes, sealed = false;

	if (grown)
		sealer->dirty = true;
	if (used_bytes > 0 && sealer->staged_since_ns == 0)
		sealer->staged_since_ns = now_ns;
	if (now_ns >= sealer->retry_ns) {
		sealer->retry_ns = 0;
		if (atomic_load(&sealer->asked) == ASKED_NEXT_BOOT)
			boot_answer(sealer);
		sealed = blocks_seal(sealer, now_ns);
		sync_when_due(sealer, now_ns);
	}
	sealer->seen_bytes = stage_used_bytes(sealer->stage);
	if (sealed || sealer->seen_bytes > sealer->setup.stage_bytes / 4)
		return PAUSE_BUSY_MS;
	return grown ? PAUSE_MS : PAUSE_IDLE_MS;
}

static void *sealer_main(void *context)
{
	struct sealer *sealer = context;

	while (atomic_load(&sealer->asked) != ASKED_STOP)
		pause_ms(turn(sealer));
	return NULL;
}

int sealer_start(const struct sealer_setup *setup, struct sealer **ret_sealer)
{
	struct sealer *sealer = calloc(1, sizeof(*sealer));
	int r;

	if (!sealer)
		return -ENOMEM;
	sealer->setup = *setup;
	sealer->stage = ring_writer_stage(setup->writer);
	sealer->try_bytes = TRY_FIRST_BYTES;
	sealer->synced_ns = clock_monotonic_ns();
	r = pthread_create(&sealer->thread, NULL, sealer_main, sealer);
	if (r != 0) {
		free(sealer);
		return -r;
	}
	*ret_sealer = sealer;
	return 0;
}

int sealer_failure(const struct sealer *sealer)
{
	return atomic_load_explicit(&sealer->failure, memory_order_relaxed);
}

int sealer_next_boot(struct sealer *sealer, uint32_t *ret_boot_no)
{
	atomic_store(&sealer->asked, ASKED_NEXT_BOOT);
	while (atomic_load(&sealer->asked) == ASKED_NEXT_BOOT) {
		int r = sealer_failure(sealer);

		if (r < 0)
			return r;
		pause_ms(WAIT_MS);
	}
	*ret_boot_no = atomic_load(&sealer->boot_no);
	return 0;
}

int sealer_stop(struct sealer *sealer, bool orderly)
{
	int r = 0;

	if (!sealer)
		return 0;
	atomic_store(&sealer->asked, ASKED_STOP);
	(void)pthread_join(sealer->thread, NULL);
	if (orderly)
		r = all_seal(sealer, true);
	if (orderly && r == 0)
		r = ring_writer_sync(sealer->setup.writer);
	if (orderly && r == 0)
		r = ring_writer_mark_clean(sealer->setup.writer);
	free(sealer);
	return r;
}
