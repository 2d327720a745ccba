/* test_ledger.c - blocks, boots, losses and holes of a ledger are found out of few headers, and are those that reading all of them finds. */
#include "query/ledger.h"
#include "tests/ring_fixture.h"

enum { RING_MIB = 32, BLOCKS = 300, EVENTS_A_BLOCK = 20, WINDOWS = 400 };

#define LOST_BITS (UINT64_C(1) << EVENT_LOST | UINT64_C(1) << EVENT_BLIND)
#define STEP_NS   UINT64_C(1000)

static bool tells_of_loss(unsigned block)
{
	return block % 37 == 5 || block == 200;
}

/* Blocks whose time stamps are out of order by up to three blocks; some tell of losses; the second half is another boot's. */
static void ring_make(void)
{
	struct ring_writer *writer;
	struct ring_opened opened;

	if (ring_writer_open(fixture_path, (uint64_t)RING_MIB << 20, boot_import, &writer,
			     &opened) != 0)
		abort();
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
	for (unsigned block = 0; block < BLOCKS; block++) {
		struct ring_seal seal = { 0 };
		uint64_t events;

		for (unsigned i = 0; i < EVENTS_A_BLOCK; i++) {
			uint64_t n = (uint64_t)block * EVENTS_A_BLOCK + i;
			struct event event = {
				.kind = EVENT_COMM,
				.timestamp_ns =
					(1000 + n + mix(n) % (3 * EVENTS_A_BLOCK)) * STEP_NS,
				.pid = 7,
				.tid = 7,
			};

			if (i == 0 && (block == 0 || block == BLOCKS / 2)) {
				event.kind = EVENT_START;
				event.arg[0] = block == 0 ? 1 : 2;
				event.pid = event.tid = 0;
			} else if (i == 3 && tells_of_loss(block)) {
				event.kind = block == 200 ? EVENT_BLIND : EVENT_LOST;
				event.pid = event.tid = 0;
				event.arg[0] = 1;
			}
			if (stage_append(ring_writer_stage(writer), &event) != 0)
				abort();
		}
		if (ring_writer_seal(writer, &seal, true, &events) != 0)
			abort();
	}
	ring_writer_close(writer);
}

static struct ledger *opened(void)
{
	struct ledger *ledger;

	if (ledger_open(fixture_path, &ledger) != 0)
		abort();
	return ledger;
}

static size_t headers_read(const struct ledger *ledger)
{
	size_t count = 0;

	for (size_t i = 0; i < ledger->span_count; i++)
		count += ledger->spans[i].state != SPAN_UNREAD;
	return count;
}

static bool find_plainly(const struct ledger *ledger, const struct ledger_boot *boot, uint64_t from,
			 uint64_t to, size_t *ret_first, size_t *ret_last)
{
	bool found = false;

	for (size_t i = boot->first_span; i < boot->first_span + boot->span_count; i++) {
		const struct ledger_span *span = ledger_span(ledger, i);

		if (span->event_count == 0 || span->ts_max_ns < from || span->ts_min_ns > to)
			continue;
		if (!found)
			*ret_first = i;
		*ret_last = i;
		found = true;
	}
	return found;
}

/* Windows of all sizes, against reading every header. */
static size_t windows_wrong(const struct ledger *ledger)
{
	size_t wrong = 0;

	for (uint64_t i = 0; i < WINDOWS; i++) {
		uint64_t from = mix(i) % (BLOCKS * EVENTS_A_BLOCK + 2000) * STEP_NS;
		uint64_t to = from + (i % 2 ? mix(i + 1) % 50 : mix(i + 1) % 4000) * STEP_NS;

		for (size_t b = 0; b < ledger->boot_count; b++) {
			const struct ledger_boot *boot = &ledger->boots[b];
			size_t first = 0, last = 0, want_first = 0, want_last = 0;
			bool want = find_plainly(ledger, boot, from, to, &want_first, &want_last);

			wrong += ledger_find(ledger, boot, from, to, &first, &last) != want ||
				 first != want_first || last != want_last;
		}
	}
	return wrong;
}

static size_t losses_wrong(const struct ledger *ledger)
{
	size_t wrong = 0;

	for (size_t b = 0; b < ledger->boot_count; b++) {
		const struct ledger_boot *boot = &ledger->boots[b];

		for (size_t from = 0; from < ledger->span_count; from += 11) {
			size_t count, *spans, k = 0;

			if (ledger_lost_spans(ledger, boot, from, &spans, &count) != 0)
				abort();
			for (size_t i = boot->first_span; i < boot->first_span + boot->span_count;
			     i++)
				if (i >= from && ledger_span(ledger, i)->kind_bits & LOST_BITS)
					wrong += k >= count || spans[k++] != i;
			wrong += k != count;
			free(spans);
		}
	}
	return wrong;
}

static void test_whole(void)
{
	struct ledger *ledger = opened();
	size_t first, last, count, *spans;

	ok(ledger->boot_count == 2 && ledger->boots[0].span_count == BLOCKS / 2 &&
		   ledger->boots[1].first_span == BLOCKS / 2 && ledger->boots[1].begins &&
		   headers_read(ledger) < 60,
	   "boots are found out of %zu headers of %zu", headers_read(ledger), ledger->span_count);
	(void)ledger_find(ledger, &ledger->boots[0], 2000 * STEP_NS, 2040 * STEP_NS, &first, &last);
	(void)ledger_lost_spans(ledger, &ledger->boots[0], first, &spans, &count);
	ok(count == 2 && headers_read(ledger) < 110,
	   "and a window with the losses behind it out of %zu", headers_read(ledger));
	free(spans);
	ok(windows_wrong(ledger) == 0, "%d windows begin and end where reading all headers says",
	   WINDOWS);
	ok(losses_wrong(ledger) == 0, "losses are found from wherever they are looked for");
	ok(ledger_note_gaps(ledger, &ledger->boots[0], 0, UINT64_MAX) == 0 &&
		   ledger->damage_count == 0,
	   "nothing is missing");
	ledger_close(ledger);
}

/* Single slots and runs of them, at the ends of boots and where the losses are told. */
static void test_damaged(void)
{
	static const uint64_t lost[] = { 5, 60, 61, 62, 79, 149, 150, 200, 298, 299 };
	struct ring *ring = reader_open();
	int fd = file_open();
	struct ledger *ledger;
	size_t gaps;

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		wipe(fd, ring_slot_offset(ring, lost[i]), RING_HEADER_BYTES);
	ring_close(ring);
	close(fd);
	ledger = opened();
	ok(windows_wrong(ledger) == 0 && losses_wrong(ledger) == 0,
	   "with damaged headers what is left is found all the same");
	ledger_close(ledger);
	ledger = opened();
	ok(ledger_note_gaps(ledger, &ledger->boots[0], 2200 * STEP_NS, 2210 * STEP_NS) == 0 &&
		   ledger->damage_count == 1 &&
		   ledger->damage[0].from_no == 60 * EVENTS_A_BLOCK + 1 &&
		   ledger->damage[0].to_no == 63 * EVENTS_A_BLOCK + 1,
	   "and which events are missing around a window is known");
	(void)ledger_note_gaps(ledger, &ledger->boots[0], 0, UINT64_MAX);
	(void)ledger_note_gaps(ledger, &ledger->boots[1], 0, UINT64_MAX);
	gaps = ledger->damage_count;
	ok(gaps == 5, "each run of holes but the one at the head once (%zu)", gaps);
	ledger_close(ledger);
}

static uint64_t events_told(bool backwards)
{
	struct ledger *ledger = opened();
	uint64_t events = 0;

	for (size_t i = 0; i < ledger->span_count; i++)
		events += ledger_span(ledger, backwards ? ledger->span_count - 1 - i : i)
				  ->event_count;
	ledger_close(ledger);
	return events;
}

/* A number that was given up after a failed write (FORMAT.md 8): two blocks that say the same. */
static void test_twice(void)
{
	uint64_t before = events_told(false);
	struct ring *ring = reader_open();
	int fd = file_open();
	struct ring_block_header header;
	uint8_t disk[RING_HEADER_BYTES];

	if (ring_slot_header(ring, 101, &header) != 0)
		abort();
	header.first_event_no -= EVENTS_A_BLOCK;
	ring_block_header_pack(&header, disk);
	if (pwrite(fd, disk, sizeof(disk), (off_t)ring_slot_offset(ring, 101)) < 0)
		abort();
	ok(events_told(false) == before - EVENTS_A_BLOCK &&
		   events_told(true) == before - EVENTS_A_BLOCK,
	   "what two blocks say counts once, from whichever end they are read");
	ring_close(ring);
	close(fd);
}

/* As a version wrote them that knew no links. */
static void test_without_links(void)
{
	struct ring *ring = reader_open();
	int fd = file_open();
	struct ledger *ledger;
	uint8_t disk[RING_HEADER_BYTES];

	for (uint64_t block_no = 0; block_no < BLOCKS; block_no++) {
		struct ring_block_header header;

		if (ring_slot_header(ring, block_no, &header) != 0)
			continue;
		header.lost_block = 0;
		ring_block_header_pack(&header, disk);
		if (pwrite(fd, disk, sizeof(disk), (off_t)ring_slot_offset(ring, block_no)) < 0)
			abort();
	}
	ledger = opened();
	ok(losses_wrong(ledger) == 0, "losses are found in a ring without links, too");
	ledger_close(ledger);
	ring_close(ring);
	close(fd);
}

int main(void)
{
	fixture_begin();
	ring_make();
	test_whole();
	test_damaged();
	test_without_links();
	test_twice();
	return done_testing();
}
