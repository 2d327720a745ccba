/* test_filter.c - a filtered cursor gives what a whole one gives and the filter lets pass, no more and no less. */
#include "schema/event_filter.h"
#include "tests/ring_fixture.h"

enum { BLOCKS = 12, STAGED = 50, GIVEN_MAX = 4096 };

#define BIT(kind) (UINT64_C(1) << (kind))

struct given {
	uint64_t no[GIVEN_MAX];
	size_t count, wrong;
	uint64_t holes, missing_from, missing_to;
};

/* What a cursor gives up to end_no; with `sieve` only what passes that, of all that comes. */
static struct given give(struct ring *ring, const struct event_filter *filter,
			 const struct event_filter *sieve, uint64_t end_no)
{
	struct ring_cursor *cursor = ring_cursor_new(ring, 0);
	struct given given = { 0 };
	const struct event *event;
	uint64_t from, to;
	int r = 0;

	if (!cursor)
		abort();
	ring_cursor_set_filter(cursor, filter);
	ring_cursor_set_end(cursor, end_no);
	while (r != RING_END && r >= 0) {
		r = ring_next(cursor, &event, &from, &to);
		if (r == RING_HOLE) {
			given.holes++;
			given.missing_from = from;
			given.missing_to = to;
		}
		if (r != 0 || (sieve && !event_filter_passes(sieve, event)))
			continue;
		given.wrong += !event_is(event, event->event_no) || event->event_no >= end_no;
		if (given.count < GIVEN_MAX)
			given.no[given.count++] = event->event_no;
	}
	ring_cursor_free(cursor);
	return given;
}

static bool same(const struct given *a, const struct given *b)
{
	return a->count == b->count && a->wrong == 0 &&
	       memcmp(a->no, b->no, a->count * sizeof(a->no[0])) == 0;
}

static void check(struct ring *ring, const struct event_filter *filter, const char *what)
{
	struct given want = give(ring, NULL, filter, UINT64_MAX);
	struct given got = give(ring, filter, NULL, UINT64_MAX);

	ok(same(&got, &want) && got.count > 0 && got.holes == 0, "%s: %zu events, the same", what,
	   got.count);
}

static void test_sets(void)
{
	static const uint32_t some[] = { 1, 3, 5, 7, 9, 12 };
	size_t wrong = 0;

	for (size_t count = 0; count <= 6; count++)
		for (uint32_t n = 0; n < 14; n++) {
			bool there = false;

			for (size_t i = 0; i < count; i++)
				there |= some[i] == n;
			wrong += event_filter_has(some, count, n) != there;
		}
	ok(wrong == 0, "a number is found in an ascending list exactly when it is there");
}

static void test_filters(struct ring *ring)
{
	static const uint32_t pids[] = { 1003, 1004, 1050 }, nobody[] = { 7 };
	struct event_filter filter = EVENT_FILTER_ALL;
	struct given none;

	check(ring, &filter, "a filter that lets all pass");
	filter.kinds = BIT(EVENT_EXEC);
	check(ring, &filter, "one kind, with its details");
	filter.kinds = BIT(EVENT_COMM) | BIT(EVENT_EXIT);
	check(ring, &filter, "two kinds");
	filter.pids = pids;
	filter.pid_count = 3;
	check(ring, &filter, "of three processes");
	filter = EVENT_FILTER_ALL;
	filter.tids = pids;
	filter.tid_count = 2;
	check(ring, &filter, "of two threads");
	filter.from_ns = 200 * 1000;
	filter.to_ns = 900 * 1000;
	check(ring, &filter, "in a stretch of time");
	filter = EVENT_FILTER_ALL;
	filter.from_ns = filter.to_ns = 777 * 1000;
	check(ring, &filter, "at one instant, both ends included");
	filter.to_ns = filter.from_ns - 1;
	none = give(ring, &filter, NULL, UINT64_MAX);
	ok(none.count == 0 && none.holes == 0,
	   "nothing passes a stretch that ends before it begins");
	filter = EVENT_FILTER_ALL;
	filter.kinds = BIT(EVENT_PTRACE);
	none = give(ring, &filter, NULL, UINT64_MAX);
	ok(none.count == 0 && none.holes == 0, "nor a kind that never came");
	filter = EVENT_FILTER_ALL;
	filter.pids = nobody;
	filter.pid_count = 1;
	none = give(ring, &filter, NULL, UINT64_MAX);
	ok(none.count == 0 && none.holes == 0, "nor a process that never was");
}

static void test_end(struct ring *ring)
{
	struct event_filter filter = EVENT_FILTER_ALL;
	struct given want, got;

	want = give(ring, NULL, NULL, UINT64_MAX);
	got = give(ring, NULL, NULL, 500);
	ok(got.count == 499 && got.wrong == 0 && want.count > 499,
	   "a cursor with an end gives what comes before it");
	filter.kinds = 0;
	got = give(ring, &filter, NULL, 500);
	ok(got.count == 0, "and one that finds nothing ends as well");
}

/* Damage in a block in which nothing could pass is not looked for; in another it is a hole, filter or not. */
static void test_damage(struct ring *ring)
{
	struct ring_block_header header;
	struct event_filter filter = EVENT_FILTER_ALL;
	struct given got;
	uint64_t from_no, to_no;
	int fd = file_open();

	if (ring_read_header(ring, 4, &header) != 0)
		abort();
	from_no = header.first_event_no;
	to_no = from_no + header.event_count;
	flip_bit(fd, ring_slot_offset(ring, 4) + RING_HEADER_BYTES + 1000, 3);
	filter.kinds = BIT(EVENT_COMM);
	got = give(ring, &filter, NULL, UINT64_MAX);
	ok(got.holes == 1 && got.missing_from == from_no && got.missing_to == to_no && !got.wrong,
	   "a damaged block that could hold such an event is a hole");
	filter.to_ns = header.ts_min_ns - 1;
	got = give(ring, &filter, NULL, UINT64_MAX);
	ok(got.holes == 0 && got.count > 0, "one that could not is passed over");
	flip_bit(fd, ring_slot_offset(ring, 4) + RING_HEADER_BYTES + 1000, 3);
	close(fd);
}

int main(void)
{
	struct ring_opened opened;
	struct ring_writer *writer;
	struct ring *ring;

	fixture_begin();
	writer = writer_open(boot_one, &opened);
	ring = reader_open();
	write_blocks(writer, BLOCKS);
	(void)stage_some(writer, STAGED);
	test_sets();
	test_filters(ring);
	test_end(ring);
	test_damage(ring);
	ring_close(ring);
	ring_writer_close(writer);
	return done_testing();
}
