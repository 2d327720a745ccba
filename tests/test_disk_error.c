/* test_disk_error.c - a disk that fails to write or to sync: the events go to the next slot, and each failure is there to be recorded.
 *
 * A real ring, its real sealer, and calls that fail when the test says so.  Holds invariant 2 of FORMAT.md.
 */
#include <stdatomic.h>

#include "recorder/sealer.h"
#include "tests/clocks.h"
#include "tests/ring_fixture.h"

enum { WAIT_MS = 20000, EVENTS = 1200 };

static _Atomic int write_error, sync_error; /* errno of the next calls; 0: they succeed */
static uint64_t staged;

static ssize_t failing_pread(void *context, int fd, void *data, size_t bytes, off_t offset)
{
	(void)context;
	return pread(fd, data, bytes, offset);
}

static ssize_t failing_pwrite(void *context, int fd, const void *data, size_t bytes, off_t offset)
{
	(void)context;
	return write_error ? -write_error : pwrite(fd, data, bytes, offset);
}

static int failing_sync(void *context, int fd)
{
	(void)context;
	return sync_error ? -sync_error : fdatasync(fd) < 0 ? -errno : 0;
}

static const struct io failing = { .pread = failing_pread,
				   .pwrite = failing_pwrite,
				   .sync = failing_sync };

static void say_nothing(const char *format, ...)
{
	(void)format;
}

/* The next failure; at_ns 0: none came in time. */
static struct sealer_error error_wait(struct sealer *sealer)
{
	struct sealer_error error = { 0 };
	const struct sealer_error *found = NULL;

	for (int i = 0; i < WAIT_MS / 2 && !(found = sealer_error_peek(sealer)); i++)
		rest_ms(2);
	if (found) {
		error = *found;
		sealer_error_take(sealer);
	}
	return error;
}

/* Whether the sealer gets over its failure, and how many more it met until then. */
static bool recovers(struct sealer *sealer, unsigned *ret_more)
{
	*ret_more = 0;
	for (int i = 0; i < WAIT_MS / 2; i++) {
		for (; sealer_error_peek(sealer); ++*ret_more)
			sealer_error_take(sealer);
		if (sealer_failure(sealer) == 0)
			return true;
		rest_ms(2);
	}
	return false;
}

static void test_errors(struct ring_writer *writer, struct sealer *sealer)
{
	struct sealer_error error;
	unsigned more;

	ok(!sealer_error_peek(sealer), "without a failure there is nothing to record");
	write_error = EIO;
	staged = stage_some(writer, EVENTS);
	ok(staged == EVENTS, "more than a slot is staged");
	error = error_wait(sealer);
	ok(error.at_ns > 0 && error.failure.error == EIO && error.failure.block_no == 0 &&
		   error.failure.count == 1,
	   "a write that fails is told, with its errno and block 0");
	ok(sealer_failure(sealer) == -EIO, "and is the failure that it tries to get over");
	write_error = 0;
	ok(recovers(sealer, &more), "the next write succeeds, a second later at most");

	sync_error = ENOSPC;
	staged += stage_some(writer, EVENTS);
	error = error_wait(sealer);
	ok(error.at_ns > 0 && error.failure.error == ENOSPC && error.failure.block_no > 1,
	   "a sync that fails is told too, of the block behind the others (%llu)",
	   (unsigned long long)error.failure.block_no);
	sync_error = 0;
	ok(recovers(sealer, &more), "and that is got over as well");
}

static void test_ring(void)
{
	struct walked walked = walk_all();
	struct ring_block_header header;
	struct ring *ring = reader_open();

	ok(walked.result == RING_END && walked.wrong == 0 && walked.events == staged &&
		   walked.first_no == 1 && walked.missing_events == 0,
	   "every event is in the ring, once (%llu)", (unsigned long long)walked.events);
	ok(ring_read_header(ring, 0, &header) == RING_HOLE &&
		   ring_read_header(ring, 1, &header) == 0 && header.first_event_no == 1,
	   "the number of the block that failed was given up, its events are in the next");
	ring_close(ring);
}

int main(void)
{
	struct ring_writer *writer;
	struct ring_opened opened;
	struct sealer *sealer;

	fixture_begin();
	if (ring_writer_open_on(fixture_path, RING_MIN_BYTES, boot_one, &failing, &writer,
				&opened) != 0)
		abort();
	ok(ring_writer_failure(writer).count == 0, "a ring that was opened without a failure");
	if (sealer_start(&(struct sealer_setup){ .writer = writer,
						 .stage_bytes = RING_MIN_BYTES / 4,
						 .say = say_nothing },
			 &sealer) != 0)
		abort();
	test_errors(writer, sealer);
	ok(sealer_stop(sealer, true) == 0, "the sealer ends in order");
	ring_writer_close(writer);
	test_ring();
	return done_testing();
}
