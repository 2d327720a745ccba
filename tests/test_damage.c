/* test_damage.c - a ring of 64 slots damaged in every way: bits, cut short, garbage, holes, slots swapped, doubled, old and foreign.
 *
 * test_damage [FRAME_BITS [PAYLOAD_BITS [LENGTHS]]]: so many of the 327,680 bits of both superblocks and all slot headers (default 12000),
 * so many random bits of payloads and footers (8000), so many of the 11,265 lengths at 512 bytes (300).
 * Each damage is found, costs at most the blocks that it is in, and is said as a hole of exactly their events: invariants 1, 2, 7 and 9
 * of FORMAT.md 8, and rule 10 for the newest block.
 */
#include "tests/power.h"

enum {
	SLOTS = 64,
	BLOCKS = 84, /* a lap and 20 blocks */
	FIRST = BLOCKS - SLOTS,
	RING_BYTES = 88 * 65536,
	SUPER_BITS = 2 * RING_SUPERBLOCK_BYTES * 8,
	HEADER_BITS = RING_HEADER_BYTES * 8,
	FRAME_BITS = SUPER_BITS + SLOTS * HEADER_BITS,
	LENGTHS = RING_BYTES / 512 + 1,
	TOUGH_EVERY = 64, /* a writer opens what is damaged each so many times */
};

static uint64_t frame_bits = POWER_QUICK(12000), payload_bits = POWER_QUICK(8000),
		lengths = POWER_QUICK(300);

static struct power power;
static struct disk *disk;
static struct ring_block_header headers[BLOCKS]; /* as they are */
static uint64_t slots_offset, end_no; /* end_no: behind the newest event, staged ones included */
static uint8_t foreign[RING_SLOT_BYTES], older[RING_SLOT_BYTES];
static bool bad[BLOCKS];

enum { FOREIGN_BLOCK = 40, OLDER_BLOCK = 70 };

static uint8_t *slot_of(uint64_t block_no)
{
	return disk->cache.data + slots_offset + block_no % SLOTS * RING_SLOT_BYTES;
}

/* The same, to be written over until writer_undo(). */
static uint8_t *slot_spoil(uint64_t block_no)
{
	uint8_t *slot = slot_of(block_no);

	disk_changed(&disk->cache, (uint64_t)(slot - disk->cache.data), RING_SLOT_BYTES);
	return slot;
}

/* A ring of a lap and some blocks, and of its own uuid.  Keeps a slot of the lap before in `older`. */
static struct disk *ring_make(struct power *events)
{
	static const uint8_t boot_id[RING_UUID_BYTES] = "boot A";
	struct disk *made = disk_new(RING_BYTES);
	struct ring_seal seal = { 0 };
	struct ring_writer *writer;
	struct ring_opened opened;
	uint64_t count;

	(void)unlink(fixture_path);
	if (ring_writer_open_on(fixture_path, RING_BYTES, boot_id, &made->io, &writer, &opened) !=
	    0)
		abort();
	power_start(events, made, writer, opened.boot_no);
	for (unsigned i = 0; i < BLOCKS; i++) {
		(void)power_stage(events, made, writer, 20 + i % 40);
		if (ring_writer_seal(writer, &seal, true, &count) != 0)
			abort();
		if (i == OLDER_BLOCK - SLOTS)
			memcpy(older, made->cache.data + made->map_end + i * RING_SLOT_BYTES,
			       sizeof(older));
	}
	ring_writer_close(writer);
	return made;
}

static void rings_make(void)
{
	struct ring *ring;
	struct disk *other;

	power.big_from_no = power.plain_from_no = UINT64_MAX;
	other = ring_make(&power);
	slots_offset = other->map_end;
	memcpy(foreign, other->cache.data + slots_offset + FOREIGN_BLOCK % SLOTS * RING_SLOT_BYTES,
	       sizeof(foreign));
	disk_free(other);
	disk = ring_make(&power);
	end_no = disk->appended + 1;
	disk_settle(disk);
	if (ring_open_fd(-1, &disk->io, &ring) < 0 || ring_super(ring)->slot_count != SLOTS)
		abort();
	for (uint64_t block_no = FIRST; block_no < BLOCKS; block_no++)
		if (ring_read_header(ring, block_no, &headers[block_no]) != 0)
			abort();
	ring_close(ring);
}

static uint64_t block_end_no(uint64_t block_no)
{
	return headers[block_no].first_event_no + headers[block_no].event_count;
}

/* The block of an event; BLOCKS: staged. */
static uint64_t block_of(uint64_t event_no)
{
	uint64_t block_no = FIRST;

	while (block_no < BLOCKS && block_end_no(block_no) <= event_no)
		block_no++;
	return block_no;
}

/* Walks from block_no until event until_no.  Only events of bad blocks may be missing, and that is said. */
static const char *walk_check(struct ring *ring, uint64_t block_no, uint64_t until_no)
{
	struct ring_cursor *cursor = ring_cursor_new(ring, block_no);
	uint64_t expected = 0, from, to;
	const struct event *event;
	const char *wrong = NULL;

	if (!cursor)
		abort();
	while (!wrong && expected < until_no) {
		int r = ring_next(cursor, &event, &from, &to);

		if (r == 0) {
			if (expected == 0)
				expected = event->event_no;
			if (event->event_no != expected || !power_event_is(&power, event))
				wrong = "a wrong event comes out";
			expected++;
		} else if (r == RING_HOLE || r == RING_OVERRUN) {
			if ((expected != 0 && from != expected) || to <= expected || to > end_no)
				wrong = "a hole is not said as it is";
			for (uint64_t n = from; !wrong && from > 0 && n < to; n++)
				if (block_of(n) < BLOCKS && !bad[block_of(n)])
					wrong = "a good block is called a hole";
			expected = to;
		} else if (r == RING_END) {
			break;
		} else {
			wrong = "a reader fails";
		}
	}
	/* The newest one damaged: the ring may end before it. */
	if (!wrong && expected < until_no && !bad[BLOCKS - 1])
		wrong = "the walk ends too early";
	ring_cursor_free(cursor);
	return wrong;
}

/* Compared as they are packed: the bytes between a struct's members are anyone's. */
static bool same_header(const struct ring_block_header *a, const struct ring_block_header *b)
{
	uint8_t packed[2][RING_HEADER_BYTES];

	ring_block_header_pack(a, packed[0]);
	ring_block_header_pack(b, packed[1]);
	return memcmp(packed[0], packed[1], RING_HEADER_BYTES) == 0;
}

/* Good blocks in [low, high) can be read, bad ones are found. */
static const char *blocks_check(struct ring *ring, uint64_t low, uint64_t high)
{
	struct block *block = block_new();
	const char *wrong = NULL;

	if (!block)
		abort();
	for (uint64_t block_no = low < FIRST ? FIRST : low; block_no < high && block_no < BLOCKS;
	     block_no++) {
		struct ring_block_header header;
		int r = ring_read_block(ring, block_no, block, &header);

		if (r < 0)
			wrong = "reading a block fails";
		else if (bad[block_no] && r == 0)
			wrong = "damage is not found";
		else if (!bad[block_no] && (r != 0 || !same_header(&header, &headers[block_no])))
			wrong = "a good block cannot be read";
	}
	block_free(block);
	return wrong;
}

/* A writer opens it, and more goes in and comes out. */
static const char *writer_check(void)
{
	static const uint8_t boot_id[RING_UUID_BYTES] = "boot B";
	struct ring_writer *writer;
	struct ring_opened opened;
	struct ring_cursor *cursor;
	const struct event *event;
	struct ring *ring;
	uint64_t first, next, from, to, more = 0;
	const char *wrong = NULL;
	int r;

	disk->quiet = true;
	r = ring_writer_open_on(fixture_path, 0, boot_id, &disk->io, &writer, &opened);
	if (r != 0)
		return "a writer does not open it";
	if (opened.next_event_no <
		    (bad[BLOCKS - 1] ? headers[BLOCKS - 1].first_event_no : end_no) ||
	    opened.next_event_no >= POWER_EVENTS_MAX - POWER_MORE)
		wrong = "numbers are given twice, or many are left out";
	else {
		power_start(&power, disk, writer, opened.boot_no);
		if (power_stage(&power, disk, writer, POWER_MORE - 1) != POWER_MORE - 1 ||
		    seal_all(writer, true) < 0)
			wrong = "more events cannot be written";
	}
	ring_writer_close(writer);
	if (wrong)
		return wrong;
	if (ring_open_fd(-1, &disk->io, &ring) < 0 || ring_refresh(ring, &first, &next) < 0 ||
	    !(cursor = ring_cursor_new(ring, next - 3)))
		return "it cannot be read after that";
	while ((r = ring_next(cursor, &event, &from, &to)) != RING_END && !wrong) {
		if (r == 0 && !power_event_is(&power, event))
			wrong = "a wrong event comes out after that";
		more += r == 0 && event->event_no >= opened.next_event_no;
	}
	if (!wrong && more != POWER_MORE)
		wrong = "more events do not come out";
	ring_cursor_free(cursor);
	ring_close(ring);
	return wrong;
}

/* The base again, after a writer. */
static void writer_undo(void)
{
	memset(power.starts + end_no, 0, 3 * POWER_MORE * sizeof(power.starts[0]));
	disk_reset(disk);
	memset(bad, 0, sizeof(bad));
}

/* Damage near one block. */
static const char *near_check(uint64_t block_no, bool deep)
{
	struct ring *ring;
	const char *wrong;
	uint64_t low = block_no > FIRST + 1 ? block_no - 1 : FIRST + 1;

	if (ring_open_fd(-1, &disk->io, &ring) < 0)
		return "a reader cannot open it";
	wrong = blocks_check(ring, block_no - 1, block_no + 2);
	if (!wrong && deep)
		wrong = walk_check(ring, low,
				   block_no + 1 < BLOCKS ? block_end_no(block_no + 1) : end_no);
	ring_close(ring);
	return wrong;
}

static const char *all_check(void)
{
	struct ring *ring;
	const char *wrong;

	if (ring_open_fd(-1, &disk->io, &ring) < 0)
		return "a reader cannot open it";
	wrong = blocks_check(ring, FIRST, BLOCKS);
	if (!wrong)
		wrong = walk_check(ring, FIRST, end_no);
	ring_close(ring);
	return wrong;
}

struct tally {
	struct power_tally *shared;
	const char *what;
};

static void tally_add(struct tally *tally, uint64_t which, const char *wrong)
{
	tally->shared->tried++;
	if (wrong && tally->shared->failed++ < 10)
		printf("# %s %llu: %s\n", tally->what, (unsigned long long)which, wrong);
}

static const char *super_bit(uint64_t bit)
{
	struct ring_superblock super;
	struct ring *ring;
	const char *wrong = NULL;
	uint64_t first, next, copy = bit / 8 / RING_SUPERBLOCK_BYTES;

	disk->cache.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	if (ring_superblock_unpack(disk->cache.data + copy * RING_SUPERBLOCK_BYTES, &super) !=
	    -EBADMSG)
		wrong = "damage is not found";
	else if (ring_open_fd(-1, &disk->io, &ring) < 0)
		return "the other superblock is not enough";
	else {
		if (ring_refresh(ring, &first, &next) < 0 || first != FIRST || next != BLOCKS)
			wrong = "another end is found";
		ring_close(ring);
	}
	disk->cache.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	return wrong;
}

static const char *slot_bit(uint64_t block_no, uint64_t bit, bool found, bool tough)
{
	const char *wrong;

	slot_spoil(block_no)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	bad[block_no] = found;
	wrong = near_check(block_no, bit % 4 == 0);
	if (!wrong && tough)
		wrong = writer_check();
	if (tough)
		writer_undo();
	else
		slot_of(block_no)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	bad[block_no] = false;
	return wrong;
}

static void frame_work(unsigned worker, unsigned count, struct power_tally *shared)
{
	struct tally tally = { shared, "bit" };
	uint64_t every = frame_bits < FRAME_BITS ? FRAME_BITS / frame_bits : 1;

	power_file(disk);
	/* Not the same bit of each byte: the step is made odd. */
	for (uint64_t i = worker; i * (every | 1) < FRAME_BITS; i += count) {
		uint64_t bit = i * (every | 1), at = bit - SUPER_BITS;

		tally_add(&tally, bit,
			  bit < SUPER_BITS ? super_bit(bit)
					   : slot_bit(FIRST + at / HEADER_BITS, at % HEADER_BITS,
						      true, i % TOUGH_EVERY == worker));
	}
}

static void payload_work(unsigned worker, unsigned count, struct power_tally *shared)
{
	struct tally tally = { shared, "payload bit" };

	power_file(disk);
	for (uint64_t i = worker; i < payload_bits; i += count) {
		uint64_t block_no = FIRST + mix(2 * i + 1) % SLOTS;
		uint64_t stored_bits = headers[block_no].stored_bytes * UINT64_C(8);
		uint64_t bit = mix(2 * i + 2) % (stored_bits + RING_FOOTER_BYTES * 8);

		/* What lies between payload and footer means nothing. */
		bit = bit < stored_bits
			      ? bit + HEADER_BITS
			      : bit - stored_bits +
					(RING_SLOT_BYTES - RING_FOOTER_BYTES) * UINT64_C(8);
		tally_add(&tally, i, slot_bit(block_no, bit, true, i % TOUGH_EVERY == worker));
	}
	for (uint64_t block_no = FIRST + worker; block_no < BLOCKS; block_no += count)
		tally_add(&tally, block_no,
			  slot_bit(block_no,
				   (RING_SLOT_BYTES - RING_FOOTER_BYTES - 1) * UINT64_C(8), false,
				   false));
}

/* Blocks that do not lie wholly before `from` or from `to` on are bad. */
static void bad_range(uint64_t from, uint64_t to)
{
	for (uint64_t block_no = FIRST; block_no < BLOCKS; block_no++) {
		uint64_t at = (uint64_t)(slot_of(block_no) - disk->cache.data);

		bad[block_no] = at < to && at + RING_SLOT_BYTES > from;
	}
}

static const char *length_try(uint64_t length)
{
	struct ring_writer *writer;
	struct ring_opened opened;
	const char *wrong = NULL;
	int r;

	bad_range(length, RING_BYTES);
	disk->bytes = length;
	if (truncate(fixture_path, (off_t)length) < 0)
		abort();
	if (length >= RING_SUPERBLOCK_BYTES)
		wrong = all_check();
	r = ring_writer_open_on(fixture_path, 0, boot_one, &disk->io, &writer, &opened);
	if (r == 0)
		ring_writer_close(writer);
	if (!wrong && (length < RING_BYTES ? r != -EBADMSG : r != 0))
		wrong = "a writer does not refuse it";
	disk->bytes = RING_BYTES;
	writer_undo();
	return wrong;
}

static void length_work(unsigned worker, unsigned count, struct power_tally *shared)
{
	struct tally tally = { shared, "length" };
	uint64_t every = lengths < LENGTHS ? LENGTHS / lengths : 1;

	power_file(disk);
	for (uint64_t i = worker; i * every < LENGTHS; i += count)
		tally_add(&tally, i * every * 512, length_try(i * every * 512));
	if (worker == 0)
		tally_add(&tally, RING_BYTES, length_try(RING_BYTES));
}

/* The blocks that are no longer as they were; what lies between payload and footer means nothing. */
static void bad_changed(void)
{
	for (uint64_t block_no = FIRST; block_no < BLOCKS; block_no++) {
		const uint8_t *now = slot_of(block_no);
		const uint8_t *then = disk->durable.data + (now - disk->cache.data);
		size_t footer = RING_SLOT_BYTES - RING_FOOTER_BYTES;

		bad[block_no] = memcmp(now, then,
				       RING_HEADER_BYTES + headers[block_no].stored_bytes) != 0 ||
				memcmp(now + footer, then + footer, RING_FOOTER_BYTES) != 0;
	}
}

/* Garbage, or zeros, over [from, to) of the slots. */
static const char *range_try(uint64_t i, uint64_t from, uint64_t to, bool zeros)
{
	const char *wrong;

	if (zeros)
		memset(disk->cache.data + from, 0, (size_t)(to - from));
	for (uint64_t at = from; !zeros && at < to; at += sizeof(at)) {
		uint64_t garbage = mix(i << 32 | at);
		size_t left = (size_t)(to - at);

		memcpy(disk->cache.data + at, &garbage, left < sizeof(at) ? left : sizeof(at));
	}
	disk_changed(&disk->cache, from, (size_t)(to - from));
	bad_changed();
	wrong = all_check();
	if (!wrong && i % 4 == 0)
		wrong = writer_check();
	writer_undo();
	return wrong;
}

static void range_work(unsigned worker, unsigned count, struct power_tally *shared)
{
	struct tally tally = { shared, "range" };

	power_file(disk);
	for (uint64_t i = worker; i < (lengths + 1) / 2; i += count) {
		uint64_t slots = (uint64_t)SLOTS * RING_SLOT_BYTES;
		uint64_t from = slots_offset + mix(i * 2 + 1) % slots;
		uint64_t left = RING_BYTES - from;
		uint64_t bytes = 512 + mix(i * 2 + 2) % (8 * RING_SLOT_BYTES);

		tally_add(&tally, i, range_try(i, from, RING_BYTES, false));
		tally_add(&tally, i,
			  range_try(i, from, from + (bytes < left ? bytes : left), true));
	}
}

/* Slots in places where they do not belong. */
static const char *slots_try(uint64_t i)
{
	uint64_t a = FIRST + mix(i * 2 + 1) % SLOTS, b = FIRST + mix(i * 2 + 2) % SLOTS;
	static uint8_t keep[RING_SLOT_BYTES];
	const char *wrong;

	if (a == b)
		b = a > FIRST ? a - 1 : a + 1;
	switch (i % 4) {
	case 0: /* swapped */
		memcpy(keep, slot_of(a), sizeof(keep));
		memcpy(slot_spoil(a), slot_of(b), sizeof(keep));
		memcpy(slot_spoil(b), keep, sizeof(keep));
		bad[a] = bad[b] = true;
		break;
	case 1: /* doubled */
		memcpy(slot_spoil(a), slot_of(b), sizeof(keep));
		bad[a] = true;
		break;
	case 2: /* the same block of another ring, whole and in its place */
		memcpy(slot_spoil(FOREIGN_BLOCK), foreign, sizeof(foreign));
		bad[FOREIGN_BLOCK] = true;
		break;
	default: /* as it was a lap before: a write that got lost */
		memcpy(slot_spoil(OLDER_BLOCK), older, sizeof(older));
		bad[OLDER_BLOCK] = true;
		break;
	}
	wrong = all_check();
	if (!wrong)
		wrong = writer_check();
	writer_undo();
	return wrong;
}

static void slots_work(unsigned worker, unsigned count, struct power_tally *shared)
{
	struct tally tally = { shared, "slots" };

	power_file(disk);
	for (uint64_t i = worker; i < lengths; i += count)
		tally_add(&tally, i, slots_try(i));
}

static void run(void (*work)(unsigned, unsigned, struct power_tally *), const char *sentence)
{
	struct power_tally *tally;
	bool ended = power_workers(work, &tally);

	ok(ended && tally->failed == 0 && tally->tried > 0, "%s (%llu tried, %llu wrong)", sentence,
	   (unsigned long long)tally->tried, (unsigned long long)tally->failed);
	(void)munmap(tally, sizeof(*tally));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		frame_bits = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		payload_bits = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		lengths = strtoull(argv[3], NULL, 10);
	fixture_begin();
	rings_make();
	ok(!all_check() && end_no == block_end_no(BLOCKS - 1),
	   "undamaged, all of the ring is there");
	run(frame_work, "invariants 1 and 9: a flipped bit of a superblock costs nothing, one of a "
			"slot's header that block");
	run(payload_work,
	    "invariants 1 and 9: a flipped bit of a payload or footer costs that block");
	run(length_work, "cut to any length what is left is read, and a writer refuses it");
	run(range_work,
	    "garbage behind any point, or a hole of zeros, costs the blocks that it is in");
	run(slots_work,
	    "invariant 1: slots that are swapped, doubled, of a lap before or of another "
	    "ring are found");
	disk_free(disk);
	return done_testing();
}
