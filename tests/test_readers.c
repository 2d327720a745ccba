/* test_readers.c - readers at the heels of a writer at full speed: test_readers [SECONDS], 5 without.
 *
 * Eight processes follow the smallest ring with cursors, each from its oldest block, as it is overwritten: every event is what was written, the
 * numbers only grow, and every gap is said.  Holds invariant 9 of FORMAT.md.
 */
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/ring_fixture.h"

enum { READERS = 8, SECONDS_QUICK = 5 };

static struct result {
	uint64_t events, wrong, gaps, unsaid, failures;
} * results; /* shared */

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

int main(int argc, char **argv)
{
	double until = now_s() + (argc > 1 ? (double)strtoul(argv[1], NULL, 10) : SECONDS_QUICK);
	struct result sum = { 0 };
	struct ring_opened opened;
	struct ring_writer *writer;
	uint64_t blocks = 0, slow = 0;

	fixture_begin();
	results = mmap(NULL, READERS * sizeof(*results), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return 1;
	writer = writer_open(boot_one, &opened);
	write_blocks(writer, 100);
	for (unsigned reader = 0; reader < READERS; reader++) {
		if (fork() == 0) {
			read_for(reader, until);
			_exit(0);
		}
	}
	while (now_s() < until) {
		write_blocks(writer, 10);
		blocks += 10;
	}
	for (unsigned reader = 0; reader < READERS; reader++) {
		int status = 1;

		slow += wait(&status) < 0 || status != 0;
	}
	ring_writer_close(writer);
	for (unsigned reader = 0; reader < READERS; reader++) {
		sum.events += results[reader].events;
		sum.wrong += results[reader].wrong;
		sum.gaps += results[reader].gaps;
		sum.unsaid += results[reader].unsaid;
		sum.failures += results[reader].failures;
	}
	ok(slow == 0 && sum.failures == 0, "%d readers and a writer come to their end", READERS);
	ok(blocks > 100 && sum.events > 10000 && sum.wrong == 0,
	   "none of %" PRIu64 " events that were read is wrong, while %" PRIu64
	   " blocks were written",
	   sum.events, blocks);
	ok(sum.unsaid == 0 && sum.gaps > 0,
	   "numbers only grow, and every gap is said (%" PRIu64 " gaps)", sum.gaps);
	return done_testing();
}
