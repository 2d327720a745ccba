/* test_readers.c - readers at the heels of a writer at full speed: test_readers [SECONDS], 5 without, shared by the rings.
 *
 * Eight processes follow a ring of 4 slots, then one of 64, with cursors, each from its oldest block, as it is overwritten: every event is
 * what was written, the numbers only grow, and every gap is said.  Holds invariant 9 of FORMAT.md.
 */
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/clocks.h"
#include "tests/ring_fixture.h"

enum { READERS = 8, SECONDS_QUICK = 5, SLOTS_FEW = 4, SLOTS_MANY = 64, SPARE_SLOTS = 24 };

static struct result {
	uint64_t events, wrong, gaps, unsaid, failures;
} * results; /* shared */

static double now_s(void)
{
	return (double)clock_ns(CLOCK_MONOTONIC) / 1e9;
}

/* Follows until it falls behind or `until`. */
static void follow(struct ring *ring, struct result *result, bool slow, double until)
{
	uint64_t first, next, from, to, want = 0;
	const struct event *event;
	struct ring_cursor *cursor;
	int r = ring_refresh(ring, &first, &next);

	cursor = ring_cursor_new(ring, first);
	for (unsigned i = 0; r >= 0 && (i % 256 != 0 || now_s() < until); i++) {
		if (slow && i % 64 == 0)
			(void)usleep(20000); /* so that the writer gets there first */
		r = ring_next(cursor, &event, &from, &to);
		if (r == 0) {
			result->wrong +=
				event->kind < EVENT_OWN_FIRST && !event_is(event, event->event_no);
			result->unsaid += want != 0 && event->event_no != want;
			want = event->event_no + 1;
			result->events++;
		} else if (r == RING_OVERRUN || r == RING_HOLE) {
			result->unsaid += to <= from || (want != 0 && from != want && from != 0);
			result->gaps++;
			want = to;
		}
	}
	result->failures += r < 0;
	ring_cursor_free(cursor);
}

static void read_for(unsigned reader, double until)
{
	struct ring *ring = reader_open();
	double turn = 0.05 * (reader + 1);

	/* Some stay at the heels; others begin at the oldest block, which goes next, again and again. */
	(void)setpriority(PRIO_PROCESS, 0, 10); /* the writer is to be quick */
	while (now_s() < until)
		follow(ring, &results[reader], reader % 4 == 0,
		       reader % 4 != 1 || now_s() + turn > until ? until : now_s() + turn);
	ring_close(ring);
}

/* No recorder makes a ring of less than 4 MiB; but one may say that it has fewer slots. */
static void ring_make(uint32_t slots)
{
	struct ring_opened opened;
	struct ring_writer *writer;
	struct ring_superblock super;
	uint8_t disk[RING_SUPERBLOCK_BYTES];
	struct ring *ring;
	int fd;

	if (ring_writer_open(fixture_path, (SLOTS_MANY + SPARE_SLOTS) * (uint64_t)RING_SLOT_BYTES,
			     boot_one, &writer, &opened) != 0)
		abort();
	ring_writer_close(writer);
	ring = reader_open();
	super = *ring_super(ring);
	ring_close(ring);
	fd = file_open();
	for (int copy = 0; copy < 2; copy++, super.generation++) {
		super.slot_count = slots;
		ring_superblock_pack(&super, disk);
		if (pwrite(fd, disk, sizeof(disk),
			   (off_t)(super.generation % 2 * RING_SUPERBLOCK_BYTES)) != sizeof(disk))
			abort();
	}
	close(fd);
}

static uint64_t write_for(struct ring_writer *writer, double until)
{
	uint64_t blocks = 0;

	for (; now_s() < until; blocks += 10)
		write_blocks(writer, 10);
	return blocks;
}

/* Lets the readers loose on a ring.  How many ended badly. */
static unsigned readers_run(uint32_t slots, double seconds, uint64_t *ret_blocks)
{
	double until;
	struct ring_opened opened;
	struct ring_writer *writer;
	unsigned bad = 0;

	ring_make(slots);
	writer = writer_open(boot_one, &opened);
	write_blocks(writer, slots + 8);
	until = now_s() + seconds;
	for (unsigned reader = 0; reader < READERS; reader++) {
		if (fork() == 0) {
			read_for(reader, until);
			_exit(0);
		}
	}
	*ret_blocks = write_for(writer, until);
	for (unsigned reader = 0; reader < READERS; reader++) {
		int status = 1;

		bad += wait(&status) < 0 || status != 0;
	}
	ring_writer_close(writer);
	return bad;
}

static void test_readers(uint32_t slots, double seconds)
{
	struct result sum = { 0 };
	uint64_t blocks;
	unsigned bad;

	memset(results, 0, READERS * sizeof(*results));
	bad = readers_run(slots, seconds, &blocks);
	for (unsigned reader = 0; reader < READERS; reader++) {
		sum.events += results[reader].events;
		sum.wrong += results[reader].wrong;
		sum.gaps += results[reader].gaps;
		sum.unsaid += results[reader].unsaid;
		sum.failures += results[reader].failures;
	}
	ok(bad == 0 && sum.failures == 0, "%u slots: %d readers and a writer come to their end",
	   slots, READERS);
	ok(blocks > 10 && sum.events > 1000 && sum.wrong == 0,
	   "none of %" PRIu64 " events that were read is wrong, while %" PRIu64
	   " blocks were written",
	   sum.events, blocks);
	ok(sum.unsaid == 0 && sum.gaps > 0,
	   "numbers only grow, and every gap is said (%" PRIu64 " gaps)", sum.gaps);
	fixture_empty();
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : SECONDS_QUICK;

	fixture_begin();
	results = mmap(NULL, READERS * sizeof(*results), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return 1;
	test_readers(SLOTS_FEW, seconds / 2);
	test_readers(SLOTS_MANY, seconds / 2);
	return done_testing();
}
