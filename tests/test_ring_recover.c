/* test_ring_recover.c - what a start makes of a ring after kills, reboots, torn writes, failing disks and damage. */
#include "tests/ring_fixture.h"

/* A disk that stops in the middle of a slot, or whose syncs fail. */
struct bad_disk {
	uint64_t tear_from,
		tear_to; /* of a slot's bytes only these are written, then nothing any more; to 0: all is well */
	bool dead;
	int failing_syncs;
	uint64_t slots_offset;
	uint64_t
		unreadable_end; /* the page that ends here cannot be read before it is written; 0: all can */
};

static ssize_t bad_pread(void *context, int fd, void *data, size_t bytes, off_t offset)
{
	const struct bad_disk *disk = context;
	ssize_t r = pread(fd, data, bytes, offset);

	if ((uint64_t)offset < disk->unreadable_end &&
	    (uint64_t)offset + bytes > disk->unreadable_end - RING_SUPERBLOCK_BYTES)
		return -EIO;
	return r < 0 ? -errno : r;
}

static ssize_t bad_pwrite(void *context, int fd, const void *data, size_t bytes, off_t offset)
{
	struct bad_disk *disk = context;
	const uint8_t *from = data;

	if (disk->dead)
		return -EIO;
	if ((uint64_t)offset + bytes == disk->unreadable_end)
		disk->unreadable_end = 0;
	for (size_t i = 0; disk->tear_to > 0 && (uint64_t)offset >= disk->slots_offset && i < bytes;
	     i += 16) {
		uint64_t at = ((uint64_t)offset + i - disk->slots_offset) % RING_SLOT_BYTES;
		size_t step = bytes - i < 16 ? bytes - i : 16;

		/* The page that was not written keeps what it had. */
		if (at >= disk->tear_from && at < disk->tear_to &&
		    pwrite(fd, from + i, step, offset + (off_t)i) != (ssize_t)step)
			return -EIO;
	}
	if (disk->tear_to > 0 && (uint64_t)offset >= disk->slots_offset) {
		disk->dead = ((uint64_t)offset - disk->slots_offset) % RING_SLOT_BYTES == 0;
		return (ssize_t)bytes;
	}
	return pwrite(fd, data, bytes, offset);
}

static int bad_sync(void *context, int fd)
{
	struct bad_disk *disk = context;

	(void)fd;
	if (disk->dead || disk->failing_syncs > 0) {
		disk->failing_syncs -= disk->failing_syncs > 0;
		return -EIO;
	}
	return 0;
}

static struct ring_writer *open_on(const struct io *io, const uint8_t *boot_id,
				   struct ring_opened *ret_opened)
{
	struct ring_writer *writer;

	if (ring_writer_open_on(fixture_path, RING_MIN_BYTES, boot_id, io, &writer, ret_opened) !=
	    0)
		abort();
	((struct bad_disk *)io->context)->slots_offset =
		RING_STAGING_OFFSET + (1u << 20); /* of a ring of 4 MiB */
	return writer;
}

static uint64_t next_of(struct ring_writer *writer)
{
	return stage_next_event_no(ring_writer_stage(writer));
}

/* Everything from event 1 on is there, once, and right. */
static bool all_there(uint64_t next_no)
{
	struct walked walked = walk_all();

	if (walked.wrong || walked.holes || walked.overruns || walked.next_no != next_no)
		printf("# wrong %llu holes %llu overruns %llu next %llu, not %llu\n",
		       (unsigned long long)walked.wrong, (unsigned long long)walked.holes,
		       (unsigned long long)walked.overruns, (unsigned long long)walked.next_no,
		       (unsigned long long)next_no);
	return walked.wrong == 0 && walked.holes == 0 && walked.overruns == 0 &&
	       walked.first_no == 1 && walked.next_no == next_no;
}

static void see_cpu(void *context, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns)
{
	uint32_t *seqs = context;

	if (cpu < 4 && timestamp_ns == seq * UINT64_C(1000))
		seqs[cpu] = seq;
}

static void test_kill(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	size_t wrong = 0;
	uint32_t seqs[4] = { 0 };
	uint64_t digest;

	for (int i = 0; i < 12; i++) {
		uint64_t next_no, staged = (uint64_t)i * 9;

		write_blocks(writer, 1);
		(void)seal_all(writer, true);
		(void)stage_some(writer, staged);
		next_no = next_of(writer);
		digest = lives_digest(ring_writer_lives(writer));
		ring_writer_close(writer);
		wrong += !all_there(next_no);
		writer = writer_open(boot_one, &opened);
		wrong += !opened.same_boot || opened.boot_no != 1 || opened.clean ||
			 opened.next_event_no != next_no || opened.staged_events != staged ||
			 opened.torn_slots != 0 || opened.lost_total != 0;
		wrong += lives_digest(ring_writer_lives(writer)) != digest;
	}
	ok(wrong == 0, "killed and started again in the same boot the log goes on, 12 times");
	ring_writer_each_cpu(writer, see_cpu, seqs);
	wrong = 0;
	for (uint64_t n = next_of(writer) - 4; n < next_of(writer); n++)
		wrong += seqs[n % 4] != n;
	ok(wrong == 0, "the newest event of each CPU is known, staged ones included");
	ok(all_there(next_of(writer)), "and all events are there");
	ring_writer_close(writer);
	fixture_empty();
}

/* Who was born before the oldest block that is left is known from a keyframe. */
static void test_old_life(void)
{
	struct event fork = { .kind = EVENT_FORK, .timestamp_ns = 1, .pid = 9999, .tid = 9999 };
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring;
	uint64_t first, next, digest;

	if (stage_append(ring_writer_stage(writer), &fork) != 0)
		abort();
	write_blocks(writer, 120);
	digest = lives_digest(ring_writer_lives(writer));
	ring_writer_close(writer);
	ring = reader_open();
	(void)ring_refresh(ring, &first, &next);
	ring_close(ring);
	writer = writer_open(boot_one, &opened);
	ok(first > 0 && lives_find(ring_writer_lives(writer), 9999) &&
		   lives_digest(ring_writer_lives(writer)) == digest,
	   "who was born before the oldest block that is left is known at the next start");
	ring_writer_close(writer);
	fixture_empty();
}

/* invariant 5 */
static void test_reboot(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring;
	struct ring_block_header header;
	uint64_t first, next, next_no, digest;
	uint32_t seqs[4] = { 0 };

	write_blocks(writer, 3);
	(void)seal_all(writer, true);
	(void)stage_some(writer, 200);
	next_no = next_of(writer);
	ring_writer_landing(writer)[RING_LANDING_SLOT_BYTES] = 76;
	ring_writer_close(writer);
	writer = writer_open(boot_one, &opened);
	ok(ring_writer_landing(writer)[RING_LANDING_SLOT_BYTES] == 76,
	   "invariant 6: what had landed is there at the next start");
	ring_writer_close(writer);
	writer = writer_open(boot_two, &opened);
	ok(ring_writer_landing(writer)[RING_LANDING_SLOT_BYTES] == 0, "but not after a reboot");
	ok(!opened.same_boot && opened.boot_no == 2 && opened.staged_events == 200 &&
		   opened.next_event_no == next_no &&
		   stage_used_bytes(ring_writer_stage(writer)) == 0,
	   "after a reboot what was staged is sealed and staging is empty");
	ring = reader_open();
	(void)ring_refresh(ring, &first, &next);
	(void)ring_read_header(ring, next - 1, &header);
	ok(header.flags == RING_BLOCK_RECOVERED && header.boot_no == 1 && header.lost_total == 0 &&
		   memcmp(header.boot_id, boot_one, RING_UUID_BYTES) == 0,
	   "invariant 5: as a block of the boot that it is of");
	ring_writer_each_cpu(writer, see_cpu, seqs);
	ok(seqs[0] == 0, "the CPUs begin anew");
	(void)stage_some(writer, 50);
	ok(all_there(next_no + 50), "a reader goes from the blocks into the new staging");
	digest = lives_digest(ring_writer_lives(writer));
	ring_writer_close(writer);
	writer = writer_open(boot_two, &opened);
	ok(opened.same_boot && opened.boot_no == 2 && opened.staged_events == 50 &&
		   lives_digest(ring_writer_lives(writer)) == digest,
	   "killed before its first block the second boot goes on as well");
	(void)seal_all(writer, true);
	(void)ring_read_header(ring, next, &header);
	ok((header.flags & RING_BLOCK_FIRST_OF_BOOT) && header.boot_no == 2 &&
		   header.keyframe_parts > 0,
	   "its first block is marked and carries a keyframe");
	ring_close(ring);
	ring_writer_close(writer);
	writer = writer_open(boot_import, &opened);
	ring_writer_close(writer);
	writer = writer_open(boot_import, &opened);
	ok(!opened.same_boot && opened.boot_no == 4, "an import is never the same boot as another");
	ring_writer_close(writer);
	fixture_empty();
}

/* One copy of superblock and staging header is enough, also where the disk does not give the other. */
static void test_unreadable_copy(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	unsigned wrong = 0;
	uint64_t next_no;

	write_blocks(writer, 3);
	(void)stage_some(writer, 20);
	next_no = next_of(writer);
	ring_writer_close(writer);
	for (uint64_t page = 0; page < RING_LANDING_OFFSET; page += RING_SUPERBLOCK_BYTES) {
		struct bad_disk disk = { .unreadable_end = page + RING_SUPERBLOCK_BYTES };
		struct io io = {
			.context = &disk, .pread = bad_pread, .pwrite = bad_pwrite, .sync = bad_sync
		};

		writer = open_on(&io, boot_one, &opened);
		wrong += next_of(writer) != next_no;
		ring_writer_close(writer);
		wrong += !all_there(next_no);
	}
	ok(wrong == 0,
	   "a copy of superblock or staging header that cannot be read is done without");
	fixture_empty();
}

/* Where in the file the middle of what is staged lies. */
static uint64_t staged_middle(struct ring_writer *writer)
{
	struct stage_piece pieces[2];

	stage_pieces(ring_writer_stage(writer), pieces);
	return RING_LANDING_OFFSET +
	       (uint64_t)(pieces[0].data + pieces[0].bytes / 2 - ring_writer_landing(writer));
}

/* A page that cannot be read: of the newest block it is damage; a page of staging is made anew, for who touched it in the mapping would be ended by a
 * SIGBUS. */
static void test_unreadable_page(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct bad_disk disk = { .unreadable_end = RING_STAGING_OFFSET + (1u << 20) +
						   2 * RING_SLOT_BYTES + 2 * IO_PAGE_BYTES };
	struct io io = {
		.context = &disk, .pread = bad_pread, .pwrite = bad_pwrite, .sync = bad_sync
	};
	uint64_t staged, next_no, kept_no;

	write_blocks(writer, 3);
	staged = stage_some(writer, UINT64_MAX); /* over the events of the block, too */
	next_no = next_of(writer);
	ring_writer_close(writer);

	writer = open_on(&io, boot_one, &opened);
	ok(next_of(writer) == next_no && opened.staged_events >= staged,
	   "recording goes on behind a newest block that cannot be read");
	disk.unreadable_end = (staged_middle(writer) / IO_PAGE_BYTES + 1) * IO_PAGE_BYTES;
	ring_writer_close(writer);

	writer = open_on(&io, boot_one, &opened);
	kept_no = next_of(writer);
	ok(opened.unreadable_pages == 1 && opened.same_boot && kept_no > next_no - staged &&
		   kept_no < next_no,
	   "a page of staging that cannot be read ends what is staged");
	(void)stage_some(writer, 100); /* over the end of that page, each where it was */
	ring_writer_close(writer);
	writer = open_on(&io, boot_one, &opened);
	ok(opened.unreadable_pages == 0 && next_of(writer) == kept_no + 100 &&
		   all_there(kept_no + 100),
	   "and what was staged behind it does not come back");
	ring_writer_close(writer);
	fixture_empty();
}

/* A cursor stays where it is while the recorder is killed and started in another boot. */
static void test_reader_over_reboot(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring = reader_open();
	struct ring_cursor *cursor = ring_cursor_new(ring, 0);
	struct walked walked = { 0 };
	size_t wrong = 0;

	for (uint32_t i = 0; i < 12; i++) {
		(void)stage_some(writer, 40 + i % 3 * 200);
		if (i % 4 == 3)
			(void)seal_all(writer, true);
		walk_on(cursor, &walked);
		wrong += walked.next_no != next_of(writer);
		ring_writer_close(writer);
		writer = writer_open(i % 2 ? boot_one : boot_two, &opened);
		(void)stage_some(writer, 10);
		walk_on(cursor, &walked);
		wrong += walked.next_no != next_of(writer) || ring_cursor_block(cursor) ||
			 ring_cursor_boot_no(cursor) != opened.boot_no;
	}
	ok(wrong == 0 && walked.wrong == 0 && walked.holes == 0 && walked.overruns == 0,
	   "a reader follows through 12 reboots, each event once");
	ring_cursor_free(cursor);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* Torn anywhere: only the beginning, only the end, all but a page in the middle. */
static void test_torn(void)
{
	struct bad_disk disk = { 0 };
	const struct io io = { &disk, bad_pread, bad_pwrite, bad_sync, NULL, NULL };
	size_t wrong = 0, torn = 0, tried = 0;

	for (unsigned laps = 0; laps < 2; laps++) {
		for (uint64_t cut = 0; cut <= RING_SLOT_BYTES; cut += cut == 0 ? 512 : 21 * 512) {
			for (int side = 0; side < 2; side++, tried++) {
				struct ring_opened opened;
				struct ring_seal seal = { 0 };
				struct ring_writer *writer;
				struct walked walked;
				uint64_t next_no, events;
				size_t before = wrong;

				disk = (struct bad_disk){ 0 };
				writer = open_on(&io, boot_one, &opened);
				write_blocks(writer, laps ? 48 : 2);
				(void)stage_some(writer, 90);
				next_no = next_of(writer);
				disk.tear_from = side ? cut : 0;
				disk.tear_to = side ? RING_SLOT_BYTES : cut;
				disk.tear_to += disk.tear_to == 0;
				wrong += ring_writer_seal(writer, &seal, true, &events) != -EIO;
				ring_writer_close(writer);
				walked = walk_all();
				wrong += walked.wrong != 0 || walked.holes != 0 ||
					 walked.next_no != next_no;
				disk = (struct bad_disk){ 0 };
				writer = open_on(&io, tried % 2 ? boot_one : boot_two, &opened);
				wrong += opened.next_event_no != next_no;
				torn += opened.torn_slots;
				(void)seal_all(writer, true);
				walked = walk_all();
				wrong += walked.wrong != 0 || walked.holes != 0 ||
					 walked.next_no != next_no;
				ring_writer_close(writer);
				fixture_empty();
				if (wrong > before)
					printf("# lap %u, bytes %llu to %llu\n", laps,
					       (unsigned long long)disk.tear_from,
					       (unsigned long long)disk.tear_to);
			}
		}
	}
	ok(wrong == 0 && torn >= tried / 3 && torn < tried,
	   "invariant 3: a slot torn anywhere loses nothing, its events are still staged (%zu "
	   "tried, "
	   "%zu seen)",
	   tried, torn);
}

static void test_failing_sync(void)
{
	struct bad_disk disk = { 0 };
	const struct io io = { &disk, bad_pread, bad_pwrite, bad_sync, NULL, NULL };
	struct ring_opened opened;
	struct ring_seal seal = { 0 };
	struct ring_writer *writer = open_on(&io, boot_one, &opened);
	struct ring *ring = reader_open();
	struct ring_block_header header[2];
	uint64_t events, next_no, given_up, digest;
	size_t used;
	int fd = file_open();

	write_blocks(writer, 3);
	(void)seal_all(writer, true);
	(void)stage_some(writer, 60);
	next_no = next_of(writer);
	used = stage_used_bytes(ring_writer_stage(writer));
	disk.failing_syncs = 1;
	ok(ring_writer_seal(writer, &seal, true, &events) == -EIO &&
		   stage_used_bytes(ring_writer_stage(writer)) == used,
	   "a failing sync frees nothing");
	(void)stage_some(writer, 30);
	ok(ring_writer_seal(writer, &seal, true, &events) == 0 && events == 60,
	   "the next try does, with the same events, though more have come");
	ok(ring_writer_seal(writer, &seal, true, &events) == 0 && events == 30,
	   "which have a block of their own");
	(void)ring_refresh(ring, &events, &next_no);
	ok(ring_read_header(ring, next_no - 3, &header[0]) == 0 &&
		   ring_read_header(ring, next_no - 2, &header[1]) == 0 &&
		   header[0].first_event_no == header[1].first_event_no,
	   "invariant 2: in the next slot, under the next number");
	next_no = next_of(writer);
	ok(all_there(next_no), "a reader gives each event once when both are whole");
	flip_bit(fd, ring_slot_offset(ring, header[0].block_no) + 600, 3);
	ok(all_there(next_no), "and when the one that failed is damaged");
	wipe(fd, ring_slot_offset(ring, header[0].block_no), RING_SLOT_BYTES);
	ok(all_there(next_no), "or was never written");
	write_blocks(writer, 3);
	disk.failing_syncs = RING_FAILED_SLOTS_MAX + 3;
	(void)stage_some(writer, 60);
	(void)ring_refresh(ring, &events, &next_no);
	for (int i = 0; i < RING_FAILED_SLOTS_MAX + 3; i++)
		if (ring_writer_seal(writer, &seal, true, &events) != -EIO)
			abort();
	for (unsigned i = 0; i < RING_FAILED_SLOTS_MAX; i++)
		wipe(fd, ring_slot_offset(ring, next_no + i), RING_SLOT_BYTES);
	ok(ring_writer_seal(writer, &seal, true, &events) == 0,
	   "many failures in a row end as well");
	given_up = next_no + RING_FAILED_SLOTS_MAX;
	(void)ring_refresh(ring, &events, &next_no);
	ok(next_no == given_up + 1, "and take no more than %d numbers", RING_FAILED_SLOTS_MAX);
	(void)stage_some(writer, 10);
	disk.failing_syncs = 1;
	ok(ring_writer_seal(writer, &seal, true, &events) == -EIO &&
		   ring_writer_seal(writer, &seal, true, &events) == 0 &&
		   ring_refresh(ring, &events, &next_no) == 0 && next_no == given_up + 3,
	   "the next one takes another");
	next_no = next_of(writer);
	digest = lives_digest(ring_writer_lives(writer));
	ring_writer_close(writer);
	writer = open_on(&io, boot_one, &opened);
	ok(opened.next_event_no == next_no && all_there(next_no),
	   "and the ring is found whole behind them");
	ok(lives_digest(ring_writer_lives(writer)) == digest,
	   "what a number that was given up says as well is folded once");
	close(fd);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* The block that was to carry a keyframe is the one that fails. */
static void test_failing_keyframe(void)
{
	struct bad_disk disk = { 0 };
	const struct io io = { &disk, bad_pread, bad_pwrite, bad_sync, NULL, NULL };
	struct ring_opened opened;
	struct ring_seal seal = { 0 };
	struct ring_writer *writer = open_on(&io, boot_one, &opened);
	struct ring *ring = reader_open();
	struct ring_block_header header;
	uint64_t events, next_no, found = 0;
	uint8_t *data = NULL;
	size_t bytes;
	int fd = file_open();

	(void)stage_some(writer, 60);
	disk.failing_syncs = 1;
	ok(ring_writer_seal(writer, &seal, true, &events) == -EIO &&
		   ring_writer_seal(writer, &seal, true, &events) == 0,
	   "the first block, which carries a keyframe, is written at the second try");
	wipe(fd, ring_slot_offset(ring, 0), RING_SLOT_BYTES);
	ok(ring_find_keyframe(ring, RING_NO_BLOCK, &found) == 0 && found == 1 &&
		   ring_find_keyframe(ring, 1, &found) == 0 && found == 1 &&
		   ring_read_keyframe(ring, found, &data, &bytes) == 0,
	   "invariant 7: its keyframe is found where it was written");
	free(data);
	data = NULL;
	/* The first of several parts is written; the second fails. */
	do {
		write_blocks(writer, 1);
		(void)ring_refresh(ring, &events, &next_no);
	} while (ring_read_header(ring, next_no - 1, &header) == 0 && header.keyframe_parts < 2);
	disk.failing_syncs = 1;
	(void)stage_some(writer, 90);
	if (ring_writer_seal(writer, &seal, true, &events) != -EIO)
		abort();
	wipe(fd, ring_slot_offset(ring, next_no), RING_SLOT_BYTES);
	write_blocks(writer, header.keyframe_parts);
	ok(ring_find_keyframe(ring, next_no + header.keyframe_parts, &found) == 0 &&
		   found > next_no && ring_read_keyframe(ring, found, &data, &bytes) == 0,
	   "and one that is interrupted is begun anew");
	free(data);
	close(fd);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* What became of the released records of the newest block. */
enum staging { STAGING_THERE, STAGING_GONE, STAGING_LATER, STAGING_LATER_REBOOT, STAGING_KINDS };

/* The newest block is damaged at `offset` of its slot while no recorder runs.  How many expectations are not met. */
static size_t damage_newest(uint64_t offset, enum staging staging)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring = reader_open();
	struct ring_block_header newest = { 0 };
	struct walked walked;
	uint64_t first, next, next_no, staged;
	size_t wrong = 0;
	int fd = file_open();

	write_blocks(writer, 5);
	(void)seal_all(writer, true);
	(void)ring_refresh(ring, &first, &next);
	(void)ring_read_header(ring, next - 1, &newest);
	staged = staging >= STAGING_LATER ? stage_some(writer, 40) : 0;
	next_no = next_of(writer);
	ring_writer_close(writer);
	if (staging != STAGING_THERE)
		wipe(fd, RING_STAGING_OFFSET, newest.stage_end_pos);
	flip_bit(fd, ring_slot_offset(ring, next - 1) + offset, 2);
	writer = writer_open(staging == STAGING_LATER_REBOOT ? boot_two : boot_one, &opened);
	wrong += opened.next_event_no < next_no;
	wrong += staging == STAGING_THERE && opened.next_event_no != next_no;
	(void)stage_some(writer, 40);
	wrong += walk_all().next_no != next_of(writer);
	(void)seal_all(writer, true);
	(void)stage_some(writer, 7);
	walked = walk_all();
	wrong += walked.wrong != 0 || walked.holes != (staging != STAGING_THERE) ||
		 walked.next_no != next_of(writer);
	/* Damage of a header hides how many there were: at most what a block can hold. */
	if (staging != STAGING_THERE)
		wrong += walked.missing_no != newest.first_event_no ||
			 walked.missing_events < newest.event_count ||
			 walked.missing_events > BLOCK_EVENTS_MAX;
	if (staged > 0)
		wrong += walked.missing_events != newest.event_count;
	close(fd);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
	return wrong;
}

static void test_damaged_newest(void)
{
	static const struct {
		const char *what;
		uint64_t offset;
	} places[] = { { "header", 100 }, { "payload", 3000 }, { "footer", RING_SLOT_BYTES - 3 } };

	for (size_t i = 0; i < 3; i++) {
		size_t wrong = 0;

		for (enum staging staging = 0; staging < STAGING_KINDS; staging++)
			wrong += damage_newest(places[i].offset, staging);
		ok(wrong == 0,
		   "invariant 2: the newest block with a damaged %s is taken out of staging again, "
		   "or is "
		   "a hole, and no number is given twice",
		   places[i].what);
	}
}

/* What a reboot sealed is not staged any more, and staging begins behind it. */
static void test_damaged_behind_reboot(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring = reader_open();
	struct walked walked;
	uint64_t first, next, later;
	int fd = file_open();

	write_blocks(writer, 3);
	(void)seal_all(writer, true);
	(void)stage_some(writer, 20);
	ring_writer_close(writer);
	writer = writer_open(boot_two, &opened);
	(void)stage_some(writer, 5);
	ring_writer_close(writer);
	(void)ring_refresh(ring, &first, &next);
	ring_close(ring);
	ring = reader_open(); /* without what it has seen */
	flip_bit(fd, ring_slot_offset(ring, next - 1) + 3000, 2);
	writer = writer_open(boot_two, &opened);
	(void)seal_all(writer, true);
	(void)ring_refresh(ring, &first, &later);
	walked = walk_all();
	ok(opened.torn_slots == 0 && later == next + 1 && walked.wrong == 0 && walked.holes == 1 &&
		   walked.missing_events == 20,
	   "invariant 10: damage of a block that a reboot sealed is a hole, too");
	close(fd);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* Both kinds of header in two copies: one flipped bit changes nothing. */
static void test_damaged_staging_header(void)
{
	struct ring_opened opened;
	struct ring_writer *writer;
	size_t wrong = 0;

	for (int blocks = 0; blocks < 3; blocks++) {
		for (unsigned copy = 0; copy < 2; copy++) {
			uint64_t next_no;
			int fd;

			writer = writer_open(boot_two, &opened);
			ring_writer_close(writer);
			writer = writer_open(boot_one, &opened);
			fd = file_open();
			if (blocks > 0)
				write_blocks(writer, (unsigned)blocks);
			(void)seal_all(writer, blocks > 0);
			(void)stage_some(writer, 40);
			next_no = next_of(writer);
			ring_writer_close(writer);
			flip_bit(fd, RING_STAGING_HEADER_OFFSET + copy * 4096 + 17, 5);
			wrong += !all_there(next_no);
			writer = writer_open(boot_one, &opened);
			wrong += opened.next_event_no != next_no || opened.staged_events != 40;
			close(fd);
			ring_writer_close(writer);
			fixture_empty();
		}
	}
	ok(wrong == 0, "one damaged staging header does not matter");
}

static void test_damaged_staged(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct event event = { 0 };
	uint64_t pos = 0;
	int fd = file_open();

	(void)stage_some(writer, 100);
	for (int i = 0; i < 60; i++) {
		pos = stage_peek_pos(ring_writer_stage(writer));
		(void)stage_peek(ring_writer_stage(writer), &event);
	}
	ring_writer_close(writer);
	flip_bit(fd, RING_STAGING_OFFSET + pos + 18, 0);
	ok(walk_all().next_no == 60, "invariant 4: a reader stops before a damaged staged record");
	writer = writer_open(boot_two, &opened);
	ok(opened.staged_events == 59 && opened.next_event_no == 60,
	   "and so does a start, for what is behind it may be of any age");
	ok(all_there(60), "what was before is a block");
	close(fd);
	ring_writer_close(writer);
	fixture_empty();
}

static void test_versions(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring_superblock super;
	uint8_t disk[RING_SUPERBLOCK_BYTES];
	struct ring *ring = reader_open();
	int fd = file_open();

	ring_writer_close(writer);
	super = *ring_super(ring);
	super.generation += 10;
	super.feature_ro_compat = 1;
	ring_superblock_pack(&super, disk);
	ok(pwrite(fd, disk, sizeof(disk), 0) == sizeof(disk) &&
		   ring_writer_open(fixture_path, 0, boot_one, &writer, &opened) ==
			   -EPROTONOSUPPORT,
	   "a ring with a feature that must be known for writing is not written");
	ok(walk_all().result == RING_END, "but read");
	super.feature_incompat = 1;
	ring_superblock_pack(&super, disk);
	ring_close(ring);
	ok(pwrite(fd, disk, sizeof(disk), 0) == sizeof(disk) &&
		   ring_open(fixture_path, &ring) == -EPROTONOSUPPORT,
	   "one with a feature that must be known at all is not");
	close(fd);
	fixture_empty();
}

/* What ratio the first events have says nothing of those behind them. */
static void test_noise_first(void)
{
	enum { NOISE = 17, PLAIN = 30000 };
	uint8_t detail[4000];
	struct ring_opened opened;
	unsigned failed = 0;

	for (size_t bytes = 400; bytes <= sizeof(detail); bytes += 400) {
		struct ring_writer *writer = writer_open(boot_one, &opened);
		struct stage *stage = ring_writer_stage(writer);
		int r = 0;

		for (unsigned i = 0; i < NOISE + PLAIN && r == 0; i++) {
			struct event event = { .kind = EVENT_EXEC,
					       .timestamp_ns = i * UINT64_C(1000),
					       .seq = i,
					       .pid = 100,
					       .tid = 100 };

			if (i < NOISE)
				event_set_detail(&event, i, detail,
						 i == NOISE - 1 ? bytes : sizeof(detail));
			r = stage_append(stage, &event);
		}
		ring_writer_close(writer);
		writer = NULL;
		failed += ring_writer_open(fixture_path, 0, boot_two, &writer, &opened) != 0;
		ring_writer_close(writer);
		fixture_empty();
	}
	ok(failed == 0, "a start seals what was staged, whatever it is");
}

/* A LOST is staged before the event that showed it. */
static void test_lost_last(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct event before = {
		.kind = EVENT_SID, .timestamp_ns = 10, .seq = 1, .pid = 5, .tid = 5
	};
	struct event lost = { .kind = EVENT_LOST,
			      .timestamp_ns = 20,
			      .seq = 2,
			      .arg = { 5, 6000 /* as see_cpu() wants it */, EVENT_LOST_GAP } };
	struct event start = { .kind = EVENT_START,
			       .cpu = EVENT_CPU_NONE,
			       .arg = { opened.boot_no } };
	uint32_t seqs[4] = { 0 };
	bool sealed = false;

	(void)stage_append(ring_writer_stage(writer), &start);
	for (int i = 0; i < 2; i++) {
		(void)stage_append(ring_writer_stage(writer), &before);
		(void)stage_append(ring_writer_stage(writer), &lost);
		if (i == 1)
			sealed = seal_all(writer, true) == 0;
		ring_writer_close(writer);
		writer = writer_open(boot_one, &opened);
		seqs[0] = 0;
		ring_writer_each_cpu(writer, see_cpu, seqs);
		ok(seqs[0] == 6, "killed behind a LOST, %s, its numbers are known",
		   sealed ? "sealed" : "staged");
		ok(opened.lost_total == 5 * (uint64_t)(i + 1), "and it is counted once");
		/* One that was numbered before what is missing, and comes behind it. */
		(void)stage_append(ring_writer_stage(writer), &before);
		ring_writer_close(writer);
		writer = writer_open(boot_one, &opened);
		seqs[0] = 0;
		ring_writer_each_cpu(writer, see_cpu, seqs);
		ok(seqs[0] == 6, "a late event behind it changes nothing");
	}
	ring_writer_close(writer);
	fixture_empty();
}

int main(void)
{
	fixture_begin();
	test_kill();
	test_old_life();
	test_reboot();
	test_noise_first();
	test_lost_last();
	test_unreadable_copy();
	test_unreadable_page();
	test_reader_over_reboot();
	test_torn();
	test_failing_sync();
	test_failing_keyframe();
	test_damaged_newest();
	test_damaged_behind_reboot();
	test_damaged_staging_header();
	test_damaged_staged();
	test_versions();
	return done_testing();
}
