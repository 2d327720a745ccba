/* test_sealer.c - how long what is staged waits for a sync, and how long a turn of the sealer takes.  The thread is real; the time in which it lives,
 * the ring that it writes and what is staged meanwhile are played, so that minutes pass in a moment, and always alike.
 */
#include "recorder/sealer.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "recorder/clock.h"
#include "tests/clocks.h"
#include "tests/tap.h"

/* poll.h would make it the C library's. */
struct pollfd;
int poll(struct pollfd *waits, unsigned long count, int timeout_ms);

#define NS_PER_MS UINT64_C(1000000)

enum {
	STAGE_BYTES = 4 << 20,
	BLOCK_BYTES = 64 << 10,
	SYNC_MS = 7,  /* what a sync takes, */
	SEAL_MS = 5,  /* and a block, */
	LATE_MS = 9,  /* and by how much a rest is too long */
	TURN_MS = 20, /* as the sealer has it */
	/* What of these may come to the time between two syncs. */
	SLACK_MS = SEAL_MS + 2 * SYNC_MS + LATE_MS + 2,
};

struct stage {
	size_t used_bytes;
};

/* What the sealer lives in. */
static struct ring_writer {
	struct stage stage;
	uint64_t now_ns, end_ns;    /* the play ends then */
	uint64_t until_ns;          /* until then, */
	unsigned every_ms, bytes;   /* so much is staged again and again */
	unsigned during_sync;       /* staged in the middle of the next sync */
	unsigned syncs_fail;        /* so many */
	uint64_t waiting_ns;        /* the oldest that no sync has taken was staged then; 0: none */
	uint64_t turn_ns;           /* the turn began */
	uint64_t worst_ms, turn_ms; /* the longest that anything has waited; the longest turn */
	unsigned syncs, blocks, said;
	sem_t over;
	bool is_over;
} play;

/* --- time, and what is staged as it passes --- */

static void stage_bytes(unsigned bytes)
{
	if (bytes == 0 || play.stage.used_bytes + bytes > STAGE_BYTES)
		return;
	play.stage.used_bytes += bytes;
	if (play.waiting_ns == 0)
		play.waiting_ns = play.now_ns;
}

static void pass(unsigned ms)
{
	for (; ms > 0; ms--) {
		play.now_ns += NS_PER_MS;
		if (play.every_ms > 0 && play.now_ns < play.until_ns &&
		    play.now_ns / NS_PER_MS % play.every_ms == 0)
			stage_bytes(play.bytes);
	}
}

uint64_t clock_monotonic_ns(void)
{
	return play.now_ns;
}

void clock_read(struct clock_reading *ret_reading)
{
	*ret_reading = (struct clock_reading){ play.now_ns, play.now_ns, play.now_ns };
}

/* The rest between two turns. */
int poll(struct pollfd *waits, unsigned long count, int timeout_ms)
{
	const uint64_t turn_ms = (play.now_ns - play.turn_ns) / NS_PER_MS;

	(void)waits;
	(void)count;
	if (play.is_over) {
		rest_ms(1);
		return 0;
	}
	if (turn_ms > play.turn_ms)
		play.turn_ms = turn_ms;
	pass((unsigned)timeout_ms + LATE_MS);
	play.turn_ns = play.now_ns;
	play.is_over = play.now_ns >= play.end_ns;
	if (play.is_over)
		(void)sem_post(&play.over);
	return 0;
}

/* --- the ring --- */

size_t stage_used_bytes(const struct stage *stage)
{
	return stage->used_bytes;
}

struct stage *ring_writer_stage(struct ring_writer *writer)
{
	return &writer->stage;
}

void ring_writer_set_durability(struct ring_writer *writer, enum ring_durability durability)
{
	(void)writer;
	(void)durability;
}

struct ring_failure ring_writer_failure(const struct ring_writer *writer)
{
	(void)writer;
	return (struct ring_failure){ 0 };
}

uint32_t ring_writer_next_boot(struct ring_writer *writer)
{
	(void)writer;
	return 0;
}

int ring_writer_mark_clean(struct ring_writer *writer)
{
	(void)writer;
	return 0;
}

int ring_writer_seal(struct ring_writer *writer, const struct ring_seal *seal, bool flush,
		     uint64_t *ret_events)
{
	(void)seal;
	(void)flush;
	if (writer->stage.used_bytes < BLOCK_BYTES)
		return RING_WRITER_IDLE;
	pass(SEAL_MS);
	writer->stage.used_bytes -= BLOCK_BYTES;
	writer->blocks++;
	*ret_events = 1;
	return 0;
}

/* Takes what is staged when it begins, and nothing of what comes later. */
int ring_writer_sync(struct ring_writer *writer)
{
	const uint64_t oldest_ns = writer->waiting_ns;
	uint64_t waited_ms;

	writer->syncs++;
	writer->waiting_ns = 0;
	pass(SYNC_MS / 2);
	stage_bytes(writer->during_sync);
	writer->during_sync = 0;
	pass(SYNC_MS - SYNC_MS / 2);
	if (writer->syncs <= writer->syncs_fail) {
		writer->waiting_ns = oldest_ns;
		return -EIO;
	}
	waited_ms = oldest_ns > 0 ? (writer->now_ns - oldest_ns) / NS_PER_MS : 0;
	if (waited_ms > writer->worst_ms)
		writer->worst_ms = waited_ms;
	return 0;
}

static void say(const char *format, ...)
{
	(void)format;
	play.said++;
}

/* --- plays --- */

/* Lets a sealer live in what was made of it for so many seconds. */
static void sealer_live(struct ring_writer made, enum durability durability, bool import,
			unsigned s)
{
	struct sealer *sealer;

	play = made;
	play.now_ns = play.turn_ns = 1000 * NS_PER_MS;
	play.until_ns += play.now_ns;
	play.end_ns = play.now_ns + s * 1000 * NS_PER_MS;
	if (play.stage.used_bytes > 0)
		play.waiting_ns = play.now_ns;
	(void)sem_init(&play.over, 0, 0);
	if (sealer_start(&(struct sealer_setup){ .writer = &play,
						 .stage_bytes = STAGE_BYTES,
						 .durability = durability,
						 .import = import,
						 .say = say },
			 &sealer) < 0)
		abort();
	while (sem_wait(&play.over) < 0)
		;
	(void)sealer_stop(sealer, false);
	(void)sem_destroy(&play.over);
}

/* A little each few ms for 50 of 60 s, and then nothing. */
static const struct ring_writer trickle = { .every_ms = 10,
					    .bytes = 64,
					    .until_ns = 50000 * NS_PER_MS };

/* So much that a block is full each 16 ms. */
static const struct ring_writer stream = { .every_ms = 1,
					   .bytes = BLOCK_BYTES / 16,
					   .until_ns = 50000 * NS_PER_MS };

static void test_interval(void)
{
	sealer_live(trickle, DURABILITY_INTERVAL, false, 60);
	ok(play.syncs >= 49 && play.worst_ms <= 1000 + SLACK_MS && play.waiting_ns == 0,
	   "a little at a time: nothing waits for a sync for more than a second (%u ms)",
	   (unsigned)play.worst_ms);
	ok(play.syncs <= 52, "nor is there more than one a second (%u in 50 s)", play.syncs);
	sealer_live(stream, DURABILITY_INTERVAL, false, 60);
	ok(play.blocks > 3000 && play.worst_ms <= 1000 + TURN_MS + SLACK_MS && play.waiting_ns == 0,
	   "nor where blocks are written all the time (%u ms)", (unsigned)play.worst_ms);
	sealer_live((struct ring_writer){ 0 }, DURABILITY_INTERVAL, false, 60);
	ok(play.syncs == 0, "where nothing is staged nothing is synced");
}

static void test_during(void)
{
	sealer_live((struct ring_writer){ .stage.used_bytes = 64, .during_sync = 64 },
		    DURABILITY_INTERVAL, false, 10);
	ok(play.syncs == 2 && play.waiting_ns == 0 && play.worst_ms <= 1000 + SLACK_MS,
	   "what is staged during a sync is in the next one");
}

static void test_batch(void)
{
	sealer_live(trickle, DURABILITY_BATCH, false, 60);
	ok(play.waiting_ns == 0 && play.worst_ms <= TURN_MS + SLACK_MS,
	   "--durability batch: there is a sync each turn (%u ms)", (unsigned)play.worst_ms);
	sealer_live((struct ring_writer){ .stage.used_bytes = 64, .during_sync = 64 },
		    DURABILITY_BATCH, false, 10);
	ok(play.syncs == 2 && play.waiting_ns == 0, "in which something was staged");
}

static void test_process(void)
{
	sealer_live(trickle, DURABILITY_PROCESS, false, 60);
	ok(play.syncs == 0, "--durability process: there is none");
}

static void test_failing(void)
{
	sealer_live((struct ring_writer){ .stage.used_bytes = 64, .syncs_fail = 2 },
		    DURABILITY_INTERVAL, false, 10);
	ok(play.syncs == 3 && play.waiting_ns == 0, "a sync that failed is tried again");
	ok(play.said == 2, "which is said once, and once that it is over");
}

static void test_turn(void)
{
	const struct ring_writer full = { .stage.used_bytes = STAGE_BYTES };

	sealer_live(full, DURABILITY_INTERVAL, false, 10);
	ok(play.blocks == STAGE_BYTES / BLOCK_BYTES && play.turn_ms >= TURN_MS &&
		   play.turn_ms < TURN_MS + SEAL_MS + SYNC_MS,
	   "however much there is to do, a turn is short (%u ms)", (unsigned)play.turn_ms);
	sealer_live(full, DURABILITY_INTERVAL, true, 10);
	ok(play.blocks == STAGE_BYTES / BLOCK_BYTES && play.turn_ms >= SEAL_MS * play.blocks,
	   "an import's is as long as there is something (%u ms)", (unsigned)play.turn_ms);
}

int main(void)
{
	test_interval();
	test_during();
	test_batch();
	test_process();
	test_failing();
	test_turn();
	return done_testing();
}
