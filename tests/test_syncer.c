/* test_syncer.c - a disk that hangs holds nobody who cannot wait, and what was written meanwhile is not forgotten.
 *
 * fdatasync() is played here: it waits until it is let go, and gives what it is told.
 */
#include "recorder/syncer.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "recorder/ring_writer.h"
#include "recorder/sealer.h"
#include "tests/clocks.h"
#include "tests/ring_fixture.h"

enum { RING_BYTES = 8 << 20, STAGE_BYTES = RING_BYTES / 4, WAIT_MS = 10000 };

/* More than staging holds; and what the ring has room for beside them. */
enum { EVENTS = 6000, MORE_EVENTS = 2000 };

static atomic_bool hangs;
static atomic_int sync_error, syncs, waiting;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's names are its own */
int fdatasync(int fd)
{
	(void)fd;
	atomic_fetch_add(&waiting, 1);
	while (atomic_load(&hangs))
		rest_ms(1);
	atomic_fetch_sub(&waiting, 1);
	atomic_fetch_add(&syncs, 1);
	errno = atomic_load(&sync_error);
	return errno ? -1 : 0;
}

static atomic_bool in_a_hurry;

static bool impatient(void *context)
{
	(void)context;
	return atomic_load(&in_a_hurry);
}

static bool wait_until(bool (*is_so)(void *context), void *context)
{
	for (int ms = 0; ms < WAIT_MS; ms++) {
		if (is_so(context))
			return true;
		rest_ms(1);
	}
	return false;
}

static void test_alone(struct syncer *syncer)
{
	const struct io *io = syncer_io(syncer);
	int before;

	ok(io_sync(io, 1) == 0 && atomic_load(&syncs) == 1, "a sync is made");
	atomic_store(&sync_error, EIO);
	ok(io_sync(io, 1) == -EIO, "and its error told");
	atomic_store(&sync_error, 0);
	atomic_store(&hangs, true);
	atomic_store(&in_a_hurry, true);
	ok(io_sync(io, 1) == IO_LATE && io_sync(io, 1) == IO_LATE && atomic_load(&waiting) == 1,
	   "one that hangs is not waited for, and no second one made beside it");
	before = atomic_load(&syncs);
	/* Or it might come back before the other thread woke up. */
	atomic_store(&in_a_hurry, false);
	atomic_store(&hangs, false);
	ok(io_sync(io, 1) == 0 && atomic_load(&syncs) == before + 2,
	   "when it is through another one takes what was written since");
	atomic_store(&in_a_hurry, true);
	atomic_store(&hangs, true);
	ok(io_sync(io, 1) == IO_LATE, "it hangs again");
	atomic_store(&sync_error, EIO);
	atomic_store(&in_a_hurry, false);
	atomic_store(&hangs, false);
	ok(io_sync(io, 1) == -EIO, "an error that comes late is told");
	atomic_store(&sync_error, 0);
	ok(io_sync(io, 1) == 0, "once");
}

/* --- under a recorder --- */
static uint64_t staged;

static void say_nothing(const char *format, ...)
{
	(void)format;
}

static bool is_half(void *context)
{
	return stage_used_bytes(context) > STAGE_BYTES / 2;
}

/* Whether there was room for so many in time. */
static bool stage_many(struct ring_writer *writer, uint64_t count)
{
	uint64_t done = 0;

	for (int ms = 0; ms < WAIT_MS && done < count; ms++) {
		done += stage_some(writer, count - done);
		rest_ms(1);
	}
	staged += done;
	return done == count;
}

static bool is_told(void *context)
{
	const struct sealer_error *error = sealer_error_peek(context);

	return error && error->failure.error == ETIMEDOUT;
}

static unsigned errors_take(struct sealer *sealer, int wanted)
{
	const struct sealer_error *error;
	unsigned count = 0;

	while ((error = sealer_error_peek(sealer))) {
		count += error->failure.error == wanted;
		sealer_error_take(sealer);
	}
	return count;
}

static bool is_failing(void *context)
{
	return sealer_failure(context) == -EIO;
}

static bool is_well(void *context)
{
	return sealer_failure(context) == 0;
}

static void test_recording(struct syncer *syncer)
{
	struct ring_writer *writer;
	struct ring_opened opened;
	struct sealer *sealer;
	struct stage *stage;
	struct walked walked;

	if (ring_writer_open_on(fixture_path, RING_BYTES, boot_one, syncer_io(syncer), &writer,
				&opened) != 0)
		abort();
	stage = ring_writer_stage(writer);
	syncer_set_impatient(syncer, is_half, stage);
	if (sealer_start(&(struct sealer_setup){ .writer = writer,
						 .stage_bytes = STAGE_BYTES,
						 .say = say_nothing },
			 &sealer) != 0)
		abort();
	atomic_store(&hangs, true);
	ok(stage_many(writer, EVENTS) && stage_used_bytes(stage) < STAGE_BYTES,
	   "while the disk hangs more goes in than staging holds");
	ok(wait_until(is_told, sealer) && errors_take(sealer, ETIMEDOUT) == 1,
	   "that nobody waited for it is told, once");
	atomic_store(&sync_error, EIO);
	atomic_store(&hangs, false);
	ok(wait_until(is_failing, sealer), "that it has failed then is seen");
	atomic_store(&sync_error, 0);
	ok(stage_many(writer, MORE_EVENTS) && wait_until(is_well, sealer) &&
		   errors_take(sealer, EIO) > 0,
	   "told, and got over");
	ok(sealer_stop(sealer, true) == 0, "the end is in order");
	ring_writer_close(writer);
	walked = walk_all();
	ok(walked.result == RING_END && walked.wrong == 0 && walked.events == staged &&
		   walked.missing_events == 0,
	   "every event is in the ring, once (%llu)", (unsigned long long)walked.events);
}

int main(void)
{
	struct syncer *syncer;

	fixture_begin();
	if (syncer_start(&syncer) != 0)
		abort();
	syncer_set_impatient(syncer, impatient, NULL);
	test_alone(syncer);
	syncer_set_impatient(syncer, NULL, NULL);
	test_recording(syncer);
	syncer_stop(syncer);
	return done_testing();
}
