/* test_ring.c - writer and readers of the ring together: wrap-around, holes, overrun, keyframes, boots, points in time. */
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "schema/ring_core.h"
#include "tests/ring_fixture.h"

static void test_create(void)
{
	struct ring_writer *writer, *second = NULL;
	struct ring_opened opened;
	struct ring *ring;
	struct stat stat;
	char temporary[400];
	uint64_t first, next;

	ok(ring_writer_open(fixture_path, 1 << 20, boot_one, &writer, &opened) == -EINVAL,
	   "a ring below 4 MiB is not made");
	writer = writer_open(boot_one, &opened);
	ok(opened.created && opened.clean && !opened.same_boot && opened.boot_no == 1 &&
		   opened.next_event_no == 1 && opened.staged_events == 0,
	   "a new ring begins with boot 1 and event 1");
	snprintf(temporary, sizeof(temporary), "%s.new", fixture_path);
	ok(lstat(fixture_path, &stat) == 0 && stat.st_size == (off_t)RING_MIN_BYTES &&
		   (stat.st_mode & 0137) == 0 && stat.st_blocks * 512 >= stat.st_size &&
		   access(temporary, F_OK) != 0,
	   "all of it is reserved, nobody else may read it, nothing else is left");
	ok(ring_writer_open(fixture_path, 0, boot_one, &second, &opened) == RING_WRITER_LOCKED &&
		   !second,
	   "a second writer is turned away");
	ring = reader_open();
	ok(ring_refresh(ring, &first, &next) == 0 && first == 0 && next == 0 &&
		   walk(ring, 0).result == RING_END,
	   "a reader finds it empty");
	ring_close(ring);
	ring_writer_close(writer);
	writer = writer_open(boot_one, &opened);
	ok(!opened.created && opened.same_boot && opened.boot_no == 1 && !opened.clean,
	   "opened again in the same boot it is the same boot, and not an orderly stop");
	ok(ring_writer_mark_clean(writer) == 0, "an orderly stop is marked");
	ring_writer_close(writer);
	writer = writer_open(boot_two, &opened);
	ok(opened.clean && !opened.same_boot && opened.boot_no == 2,
	   "and known afterwards, in the next boot");
	ring_writer_close(writer);
	fixture_empty();
}

static void test_create_refused(void)
{
	struct ring_writer *writer;
	struct ring_opened opened;
	char temporary[400];
	int fd, status = 0;
	pid_t child;

	fd = open(fixture_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ok(ring_writer_open(fixture_path, 0, boot_one, &writer, &opened) == -EBADMSG,
	   "an empty file is not a ring, and is not made one");
	close(fd);
	fixture_empty();
	ok(mkfifo(fixture_path, 0600) == 0 &&
		   ring_writer_open(fixture_path, 0, boot_one, &writer, &opened) == -EBADMSG,
	   "nor is a FIFO, which nobody waits for");
	fixture_empty();
	ok(symlink("/dev/null", fixture_path) == 0 &&
		   ring_writer_open(fixture_path, 0, boot_one, &writer, &opened) == -ELOOP,
	   "a symbolic link is not followed");
	fixture_empty();
	snprintf(temporary, sizeof(temporary), "%s.new", fixture_path);
	fd = open(temporary, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	writer = writer_open(boot_one, &opened);
	ok(opened.created && access(temporary, F_OK) != 0,
	   "what a crash left of making a ring is cleared away");
	ring_writer_close(writer);
	fixture_empty();

	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("tmpfs", fixture_folder, "tmpfs", 0, "size=2m") < 0)
			_exit(77);
		if (ring_writer_open(fixture_path, RING_MIN_BYTES, boot_one, &writer, &opened) !=
		    RING_WRITER_NO_SPACE)
			_exit(1);
		_exit(access(temporary, F_OK) == 0 || access(fixture_path, F_OK) == 0);
	}
	if (child > 0)
		(void)waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		ok(true, "no room for the ring # SKIP may not mount");
	else
		ok(status == 0, "without room for all of the ring nothing is left behind");
}

static void test_append(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring = reader_open();
	struct ring_block_header header;
	struct block *block = block_new();
	struct ring_seal seal = { .monotonic_ns = 5, .boottime_ns = 6, .realtime_ns = 7 };
	uint64_t events = 0;
	size_t count;

	ok(ring_writer_seal(writer, &seal, true, &events) == RING_WRITER_IDLE,
	   "without events no block is written");
	(void)stage_some(writer, 10);
	ok(ring_writer_seal(writer, &seal, false, &events) == RING_WRITER_IDLE &&
		   walk(ring, 0).events == 10,
	   "too few events stay staged, where a reader finds them");
	ok(ring_writer_seal(writer, &seal, true, &events) == 0 && events == 10 &&
		   stage_used_bytes(ring_writer_stage(writer)) == 0,
	   "flushed they are a block and staging is free");
	ok(ring_read_block(ring, 0, block, &header) == 0 && header.block_no == 0 &&
		   header.boot_no == 1 && header.first_event_no == 1 && header.event_count == 10 &&
		   header.flags == RING_BLOCK_FIRST_OF_BOOT && header.realtime_ns == 7 &&
		   header.lost_total == 0 && header.ts_min_ns == 1000 &&
		   header.ts_max_ns == 10000 &&
		   header.kind_bits == (1u << EVENT_FORK | 1u << EVENT_EXEC | 1u << EVENT_COMM |
					1u << EVENT_EXIT | 1u << EVENT_SID) &&
		   memcmp(header.boot_id, boot_one, RING_UUID_BYTES) == 0,
	   "whose header says what is inside");
	ok(header.keyframe_parts == 1 && header.keyframe_block_no == 0,
	   "the first block of a boot carries a keyframe");
	ok(event_is(&block_events(block, &count)[9], 10) && count == 10,
	   "and whose events are what was staged");
	ok(ring_read_block(ring, 1, block, &header) == RING_END, "behind it nothing is yet");
	(void)stage_some(writer, 1500);
	while (ring_writer_seal(writer, &seal, false, &events) == 0) {
	}
	ok(stage_used_bytes(ring_writer_stage(writer)) > 0 &&
		   ring_read_header(ring, 1, &header) == 0 && header.event_count > 50 &&
		   header.stored_bytes > RING_PAYLOAD_MAX_BYTES * 8 / 10 && header.flags == 0,
	   "many events fill a slot, and what would not fill one waits");
	seal.last = true;
	while (ring_writer_seal(writer, &seal, true, &events) == 0) {
	}
	ring_refresh(ring, &events, &events);
	ok(ring_read_header(ring, events - 1, &header) == 0 && header.flags == RING_BLOCK_LAST &&
		   ring_read_header(ring, events - 2, &header) == 0 && header.flags == 0,
	   "the last block of an orderly stop is marked, and no other");
	ok(walk(ring, 0).events == 1510 && walk(ring, 0).wrong == 0, "a cursor gives all of them");
	block_free(block);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* Stages events and seals them; the header of their block. */
static struct ring_block_header sealed(struct ring_writer *writer, struct ring *ring,
				       const struct event *events, size_t count)
{
	const struct ring_seal seal = { 0 };
	struct ring_block_header header = { 0 };
	uint64_t first, next, sealed_count = 0;

	for (size_t i = 0; i < count; i++) {
		struct event event = events[i];

		if (stage_append(ring_writer_stage(writer), &event) != 0)
			abort();
	}
	if (ring_writer_seal(writer, &seal, true, &sealed_count) != 0 || sealed_count != count ||
	    ring_refresh(ring, &first, &next) != 0 ||
	    ring_read_header(ring, next - 1, &header) != 0)
		abort();
	return header;
}

/* What readers go by without reading the block. */
static void test_header(void)
{
	const struct event plain[] = {
		{ .kind = EVENT_SID, .timestamp_ns = 6000 },
		{ .kind = EVENT_SID, .timestamp_ns = 3000 },
		{ .kind = EVENT_START, .timestamp_ns = 9000, .arg = { 1 } },
		{ .kind = EVENT_SID, .timestamp_ns = 7000 },
	};
	const struct event lost[] = {
		{ .kind = EVENT_LOST, .timestamp_ns = 10000, .arg = { 5, 9000 } },
		{ .kind = EVENT_LOST, .timestamp_ns = 10001, .arg = { 2, 9000 } },
	};
	const struct event blind = { .kind = EVENT_BLIND, .timestamp_ns = 20000, .arg = { 3 } };
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring = reader_open();
	struct ring_block_header header = sealed(writer, ring, plain, 4);

	ok(header.ts_min_ns == 3000 && header.ts_max_ns == 9000 && header.boot_no == 1,
	   "a header has the times of its oldest and newest event, which may be any of them");
	ok(header.lost_block == RING_NO_BLOCK && header.lost_total == 0,
	   "where nothing was lost it says so");
	header = sealed(writer, ring, lost, 2);
	ok(header.lost_block == header.block_no + 1 && header.lost_total == 7,
	   "a block that tells of losses names itself, and how many they are");
	header = sealed(writer, ring, plain, 1);
	ok(header.lost_block == header.block_no && header.lost_total == 7,
	   "the next one names it, and keeps the sum");
	header = sealed(writer, ring, &blind, 1);
	ok(header.lost_block == header.block_no + 1 && header.lost_total == 7,
	   "where the kernel was silent a block names itself, too");
	ring_close(ring);
	ring_writer_close(writer);
	writer = writer_open(boot_one, &opened);
	ring = reader_open();
	header = sealed(writer, ring, plain, 1);
	ok(header.lost_block == header.block_no && header.lost_total == 7,
	   "and who opens the ring again goes on with that");
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* The digest of the fold from the keyframe at or before block_no to the end.  0: there is none. */
static uint64_t fold_suffix(struct ring *ring, uint64_t block_no, uint64_t *ret_keyframe)
{
	struct lives *lives = lives_new(NULL);
	struct ring_cursor *cursor;
	const struct event *event;
	uint64_t from, to, digest = 0;
	uint8_t *data = NULL;
	size_t bytes;

	*ret_keyframe = 0;
	if (ring_find_keyframe(ring, block_no, ret_keyframe) == 0 &&
	    ring_read_keyframe(ring, *ret_keyframe, &data, &bytes) == 0 &&
	    lives_unpack(lives, data, bytes) == 0) {
		cursor = ring_cursor_new(ring, *ret_keyframe);
		while (ring_next(cursor, &event, &from, &to) == 0) {
			struct life *life;
			bool folded;

			(void)lives_apply(lives, event, &life, &folded);
			lives_forget_ended(lives);
		}
		ring_cursor_free(cursor);
		digest = lives_digest(lives);
	}
	free(data);
	lives_free(lives);
	return digest;
}

/* How many suffixes of the ring do not lead to the state with this digest. */
static size_t check_suffixes(struct ring *ring, uint64_t digest, size_t *ret_tried)
{
	uint64_t first, next, keyframe;
	size_t wrong;

	(void)ring_refresh(ring, &first, &next);
	wrong = fold_suffix(ring, RING_NO_BLOCK, &keyframe) != digest;
	*ret_tried = 1;
	for (uint64_t b = first + 20; b < next; b++, ++*ret_tried) {
		wrong += fold_suffix(ring, b, &keyframe) != digest;
		wrong += keyframe > b || b - keyframe > 20;
	}
	return wrong;
}

/* invariants 1, 2 and 7, over many laps */
static void test_wrap(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring = reader_open();
	size_t bad_slots = 0, bad_order = 0, bad_walks = 0, bad_folds = 0, folds = 0;
	uint64_t first = 0, next = 0;

	for (int round = 0; round < 20; round++) {
		struct ring_block_header header, before = { 0 };
		struct walked walked;
		uint64_t staged;

		write_blocks(writer, 11);
		staged = stage_some(writer, 20);
		(void)ring_refresh(ring, &first, &next);
		for (uint64_t b = first; b < next; b++) {
			bad_slots += ring_read_header(ring, b, &header) != 0;
			bad_order +=
				b > first &&
				header.first_event_no != before.first_event_no + before.event_count;
			before = header;
		}
		walked = walk(ring, first);
		bad_walks += walked.wrong + walked.holes + walked.overruns +
			     (walked.next_no != stage_next_event_no(ring_writer_stage(writer))) +
			     (walked.events < staged);
	}
	ok(next == 220 && first == next - 46, "the ring holds its 46 newest blocks of 220");
	ok(bad_slots == 0, "invariant 1: each in its slot");
	ok(bad_order == 0, "invariant 2: each begins behind the one before");
	ok(bad_walks == 0, "a cursor over all gives every event, the staged ones too");
	(void)seal_all(writer, true);
	bad_folds = check_suffixes(ring, lives_digest(ring_writer_lives(writer)), &folds);
	ok(bad_folds == 0 && folds > 20,
	   "invariant 7: from every keyframe on the ring explains itself (%zu suffixes)", folds);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

static void test_flip_superblock(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring;
	size_t wrong = 0;
	int fd = file_open();

	write_blocks(writer, 3);
	for (unsigned bit = 0; bit < 2 * RING_SUPERBLOCK_BYTES * 8;
	     bit += 1 + bit / 2048 % 2 * 12) {
		uint64_t first, next;

		flip_bit(fd, bit / 8, bit % 8);
		if (ring_open(fixture_path, &ring) == 0) {
			wrong += ring_refresh(ring, &first, &next) != 0 || next != 3;
			ring_close(ring);
		} else {
			wrong++;
		}
		flip_bit(fd, bit / 8, bit % 8);
	}
	ok(wrong == 0, "with any one flipped bit in the superblocks a ring opens as before");
	flip_bit(fd, 100, 0);
	flip_bit(fd, 5000, 0);
	ok(ring_open(fixture_path, &ring) == -EBADMSG, "with both damaged it does not");
	close(fd);
	ring_writer_close(writer);
	fixture_empty();
}

/* One flipped bit anywhere in a slot costs that block and no other. */
static void test_flip_slot(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring_block_header header;
	struct ring *ring;
	size_t wrong = 0, unharmed = 0, tried = 0;
	int fd = file_open();
	uint64_t next_no;

	write_blocks(writer, 55);
	ring_writer_close(writer);
	ring = reader_open();
	next_no = walk_all().next_no;
	(void)ring_read_header(ring, 50, &header);
	for (unsigned i = 0; i < 300; i++, tried++) {
		/* The header, the footer, the payload in steps. */
		uint64_t bit = i < 150   ? i * 29 % (RING_HEADER_BYTES * 8)
			       : i < 180 ? (RING_SLOT_BYTES - RING_FOOTER_BYTES) * 8 + i * 37 % 128
					 : mix(i) % ((RING_HEADER_BYTES + header.stored_bytes) * 8);
		uint64_t offset = ring_slot_offset(ring, 50) + bit / 8;
		struct walked walked;

		flip_bit(fd, offset, (unsigned)bit % 8);
		walked = walk(ring, 47);
		wrong += walked.wrong != 0 || walked.next_no != next_no || walked.holes > 1;
		if (walked.holes == 1)
			wrong += walked.missing_no != header.first_event_no ||
				 walked.missing_events != header.event_count;
		else
			unharmed++;
		flip_bit(fd, offset, (unsigned)bit % 8);
	}
	ok(wrong == 0, "a flipped bit in a slot is a hole of exactly its block (%zu tried)", tried);
	ok(unharmed == 0, "and always noticed");
	close(fd);
	ring_close(ring);
	fixture_empty();
}

/* Everything but the newest blocks gone, or every second one. */
static void test_damage_wide(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring;
	struct walked walked;
	uint64_t next_no, first, next;
	int fd = file_open();

	write_blocks(writer, 70);
	next_no = walk_all().next_no;
	ring_writer_close(writer);
	ring = reader_open();
	for (uint64_t b = 26; b < 68; b += 2)
		wipe(fd, ring_slot_offset(ring, b), RING_HEADER_BYTES);
	ring_close(ring);
	walked = walk_all();
	ok(walked.wrong == 0 && walked.holes == 21 && walked.next_no == next_no,
	   "every second block wiped: as many holes, the rest is read");
	ring = reader_open();
	for (uint64_t b = 24; b < 68; b++)
		wipe(fd, ring_slot_offset(ring, b), RING_SLOT_BYTES);
	ok(ring_refresh(ring, &first, &next) == 0 && next == 70,
	   "all but two wiped: found by scan");
	walked = walk(ring, first);
	ok(walked.wrong == 0 && walked.next_no == next_no && walked.events > 0,
	   "and those two are read");
	ring_close(ring);
	writer = writer_open(boot_one, &opened);
	ok(opened.next_event_no == next_no, "a writer goes on behind them");
	ring_writer_close(writer);
	close(fd);
	fixture_empty();
}

static void test_hint(void)
{
	static const uint64_t hints[] = { 0,  1,  45, 46,  60,   64,       69,
					  70, 71, 90, 116, 1000, 1u << 20, UINT64_MAX };
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	size_t wrong = 0;
	int fd = file_open();

	for (unsigned blocks = 0; blocks <= 140; blocks += blocks % 46 == 44 ? 1 : 4) {
		struct ring *ring = reader_open();

		for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
			uint64_t first, next;

			ring->found = false;
			ring->super.hint_block_no = hints[i];
			(void)ring_refresh(ring, &first, &next);
			wrong += next != blocks;
		}
		ring_close(ring);
		write_blocks(writer, (blocks + 4) % 46 == 0 || blocks % 46 == 44 ? 1 : 4);
		if ((blocks + 4) % 46 == 0)
			write_blocks(writer, 3);
	}
	ok(wrong == 0, "whatever the hint says, the newest block is found, anywhere in a lap");
	close(fd);
	ring_writer_close(writer);
	fixture_empty();
}

static void test_overrun(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring *ring = reader_open();
	struct ring_block_header header;
	struct ring_cursor *cursor = ring_cursor_new(ring, 0);
	struct walked walked = { 0 };
	const struct event *event;
	uint64_t from, to;

	write_blocks(writer, 3);
	ok(ring_next(cursor, &event, &from, &to) == 0 && event->event_no == 1,
	   "a cursor stands in the first block");
	write_blocks(writer, 100);
	ok(ring_read_header(ring, 1, &header) == RING_OVERRUN &&
		   ring_read_header(ring, 102, &header) == 0 &&
		   ring_read_header(ring, 103, &header) == RING_END,
	   "overwritten, there and not yet are told apart");
	walked.first_no = 1;
	walked.next_no = 2;
	walk_on(cursor, &walked);
	ok(walked.wrong == 0 && walked.overruns == 1 && walked.holes == 0 &&
		   walked.next_no == stage_next_event_no(ring_writer_stage(writer)),
	   "overtaken by two laps it says which events it missed, and goes on to the end");
	(void)stage_some(writer, 30);
	walk_on(cursor, &walked);
	ok(walked.wrong == 0 && walked.next_no == stage_next_event_no(ring_writer_stage(writer)) &&
		   ring_cursor_block(cursor) == NULL && ring_cursor_boot_no(cursor) == 1 &&
		   ring_cursor_block_no(cursor) == RING_NO_BLOCK,
	   "with what is staged");
	(void)seal_all(writer, true);
	(void)stage_some(writer, 5);
	walk_on(cursor, &walked);
	ok(walked.wrong == 0 && walked.next_no == stage_next_event_no(ring_writer_stage(writer)),
	   "and nothing twice when that is sealed");
	write_blocks(writer, 30);
	walk_on(cursor, &walked);
	ok(walked.wrong == 0 && walked.overruns == 1 && walked.holes == 0 &&
		   walked.next_no == stage_next_event_no(ring_writer_stage(writer)),
	   "staging written over meanwhile sends it back to the blocks");
	ring_cursor_free(cursor);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

struct race {
	struct ring_writer *writer;
	bool done;
};

static void *race_writer(void *argument)
{
	struct race *race = argument;

	for (int i = 0; i < 600; i++) {
		(void)stage_some(race->writer, 60);
		if (seal_all(race->writer, i % 3 == 0) < 0)
			abort();
		if (i % 16 == 0)
			sched_yield();
	}
	__atomic_store_n(&race->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Waits until the writer is more than a lap further. */
static void fall_behind(struct ring *ring, const struct race *race)
{
	uint64_t first, begin, next;

	(void)ring_refresh(ring, &first, &begin);
	do {
		usleep(1000);
		(void)ring_refresh(ring, &first, &next);
	} while (next < begin + 60 && !__atomic_load_n(&race->done, __ATOMIC_ACQUIRE));
}

/* invariant 9 */
static void test_race(void)
{
	struct ring_opened opened;
	struct race race = { .writer = writer_open(boot_one, &opened) };
	struct ring *ring = reader_open();
	struct ring_cursor *cursor = ring_cursor_new(ring, 0);
	struct walked walked = { 0 };
	pthread_t thread;
	unsigned pauses = 0;
	bool done = false;

	if (pthread_create(&thread, NULL, race_writer, &race) != 0)
		abort();
	while (!done || walked.result != RING_END) {
		done = __atomic_load_n(&race.done, __ATOMIC_ACQUIRE);
		walk_on(cursor, &walked);
		if (pauses < 2 && walked.events > 2000 * (pauses + 1)) {
			pauses++;
			fall_behind(ring, &race);
		}
	}
	pthread_join(thread, NULL);
	walk_on(cursor, &walked);
	ok(walked.wrong == 0 && walked.holes == 0 &&
		   walked.next_no == stage_next_event_no(ring_writer_stage(race.writer)) &&
		   walked.first_no <= 1,
	   "invariant 9: beside a running writer a reader gets %llu events right, and knows of the "
	   "%llu it was too slow for",
	   (unsigned long long)walked.events, (unsigned long long)walked.missing_events);
	ring_cursor_free(cursor);
	ring_close(ring);
	ring_writer_close(race.writer);
	fixture_empty();
}

static void start_boot(struct ring_writer *writer, uint32_t boot_no)
{
	struct event start = { .kind = EVENT_START, .cpu = EVENT_CPU_NONE, .arg = { boot_no } };

	if (stage_append(ring_writer_stage(writer), &start) != 0)
		abort();
}

static void test_boots_and_times(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_import, &opened);
	struct ring *ring = reader_open();
	struct ring_block_header header = { 0 };
	size_t wrong = 0, tried = 0;
	uint64_t first = 0, next = 0, found;

	start_boot(writer, 1);
	write_blocks(writer, 6);
	(void)seal_all(writer, true);
	ok(ring_writer_next_boot(writer) == 2, "a stream that begins again is another boot");
	start_boot(writer, 2);
	write_blocks(writer, 5);
	(void)stage_some(writer, 30);
	start_boot(writer, 5);
	(void)stage_some(writer, 30);
	(void)seal_all(writer, true);
	(void)ring_refresh(ring, &first, &next);
	for (uint64_t b = first; b < next; b++) {
		uint32_t before = header.boot_no;

		wrong += ring_read_header(ring, b, &header) != 0;
		if (b > first && header.boot_no != before)
			wrong += !(header.flags & RING_BLOCK_FIRST_OF_BOOT) ||
				 !(header.kind_bits >> EVENT_START & 1) ||
				 header.keyframe_parts == 0;
	}
	ok(wrong == 0 && header.boot_no == 5,
	   "a START of another boot begins a block, with a keyframe");
	wrong = 0;
	for (uint32_t boot = 0; boot < 7; boot++) {
		for (uint64_t ns = 0; ns < 1200000; ns += 25000, tried++) {
			uint64_t want = RING_NO_BLOCK, behind = RING_NO_BLOCK;
			int r = ring_find_time(ring, boot, ns, &found);

			for (uint64_t b = first; b < next; b++) {
				(void)ring_read_header(ring, b, &header);
				if (header.boot_no != boot)
					continue;
				behind = b + 1;
				if (want == RING_NO_BLOCK && header.ts_max_ns >= ns)
					want = b;
			}
			if (behind == RING_NO_BLOCK)
				wrong += r != RING_END;
			else
				wrong += r != 0 || found != (want == RING_NO_BLOCK ? behind : want);
		}
	}
	ok(wrong == 0, "the block of a point in time is found as by looking at all (%zu tried)",
	   tried);
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* So many lives that a keyframe takes several blocks. */
static void test_large_keyframe(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring_block_header header;
	struct ring *ring = reader_open();
	uint64_t first, next, keyframe = 0, digest;
	unsigned wrong = 0, most_parts = 0;
	uint8_t *data = NULL;
	size_t bytes;

	for (uint32_t i = 0; i < 12000; i++) {
		struct event event = { .kind = i % 2 ? EVENT_COMM : EVENT_FORK,
				       .pid = 10000 + i / 2,
				       .tid = 10000 + i / 2,
				       .timestamp_ns = mix(i) >> 20 };

		if (i % 2)
			snprintf(event.comm, sizeof(event.comm), "%015llx",
				 (unsigned long long)mix(i) >> 4);
		event.ppid = event.ptid = i % 2 ? 0 : 1;
		while (stage_append(ring_writer_stage(writer), &event) != 0)
			(void)seal_all(writer, false);
	}
	(void)seal_all(writer, true);
	(void)ring_refresh(ring, &first, &next);
	write_blocks(writer, 40);
	(void)ring_refresh(ring, &first, &next);
	for (uint64_t b = first; b < next; b++) {
		wrong += ring_read_header(ring, b, &header) != 0;
		if (header.keyframe_parts > most_parts)
			most_parts = header.keyframe_parts;
		/* It counts only from the block with its last part on. */
		wrong += header.keyframe_parts > 1 &&
			 header.keyframe_part + 1 < header.keyframe_parts &&
			 header.keyframe_block_no == b - header.keyframe_part;
		wrong += header.keyframe_parts > 1 &&
			 header.keyframe_part + 1 == header.keyframe_parts &&
			 header.keyframe_block_no != b - header.keyframe_part;
	}
	ok(most_parts > 1 && wrong == 0, "a large keyframe lies in several blocks (%u)",
	   most_parts);
	ok(ring_find_keyframe(ring, next - 1, &keyframe) == 0 &&
		   ring_read_header(ring, keyframe, &header) == 0 && header.keyframe_parts > 1 &&
		   ring_read_keyframe(ring, keyframe, &data, &bytes) == 0,
	   "and is put together again");
	free(data);
	digest = lives_digest(ring_writer_lives(writer));
	ring_writer_close(writer);
	writer = writer_open(boot_one, &opened);
	ok(digest == lives_digest(ring_writer_lives(writer)),
	   "a writer that opens the ring again knows the same lives");
	ring_close(ring);
	ring_writer_close(writer);
	fixture_empty();
}

/* A file cut short anywhere opens or fails, and what is left of it is read. */
static void test_truncated(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	size_t opens = 0, refused = 0, wrong = 0;
	uint64_t length = RING_MIN_BYTES;

	write_blocks(writer, 20);
	(void)stage_some(writer, 50);
	ring_writer_close(writer);
	while (length > 0) {
		uint64_t step = length > 60000 ? 29989 : 977;
		struct ring *ring;
		int r;

		length -= length < step ? length : step;
		if (truncate(fixture_path, (off_t)length) < 0)
			abort();
		r = ring_open(fixture_path, &ring);
		if (r == 0) {
			struct walked walked = walk(ring, 0);

			wrong += walked.wrong != 0 || walked.result != RING_END;
			opens++;
			ring_close(ring);
		} else {
			wrong += r != -EBADMSG;
			refused++;
		}
		r = ring_writer_open(fixture_path, 0, boot_one, &writer, &opened);
		wrong += r != -EBADMSG;
	}
	ok(wrong == 0 && opens > 50 && refused > 0,
	   "cut short anywhere a ring opens for reading (%zu) or says what it is not (%zu), and is "
	   "not written",
	   opens, refused);
	fixture_empty();
}

static ssize_t counting_pread(void *context, int fd, void *data, size_t bytes, off_t offset)
{
	if (++*(uint64_t *)context > 10000)
		abort();
	return pread(fd, data, bytes, offset);
}

/* What a superblock says of itself holds, and the file is none of it. */
static void test_slots_that_are_not_there(void)
{
	struct ring_opened opened;
	struct ring_writer *writer = writer_open(boot_one, &opened);
	struct ring_superblock super = *ring_writer_super(writer);
	uint8_t disk[RING_SUPERBLOCK_BYTES];
	uint64_t first, next, reads = 0;
	const struct io io = { .context = &reads, .pread = counting_pread };
	struct ring *ring;
	int fd = file_open();

	write_blocks(writer, 3);
	ring_writer_close(writer);
	super.slot_count = UINT32_MAX;
	super.file_bytes = super.slots_offset + (uint64_t)super.slot_count * RING_SLOT_BYTES;
	super.hint_block_no = super.slot_count / 3;
	super.generation += 10;
	ring_superblock_pack(&super, disk);
	if (pwrite(fd, disk, sizeof(disk), 0) != sizeof(disk) || ring_open_fd(fd, &io, &ring) != 0)
		abort();
	ok(ring_refresh(ring, &first, &next) == 0 && next == 3,
	   "four milliards of slots are not looked for where the file has ended");
	ring_close(ring);
	close(fd);
	fixture_empty();
}

int main(void)
{
	fixture_begin();
	test_create();
	test_create_refused();
	test_append();
	test_header();
	test_wrap();
	test_flip_superblock();
	test_flip_slot();
	test_damage_wide();
	test_hint();
	test_overrun();
	test_race();
	test_boots_and_times();
	test_large_keyframe();
	test_truncated();
	test_slots_that_are_not_there();
	return done_testing();
}
