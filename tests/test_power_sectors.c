/* test_power_sectors.c - power cuts that leave an arbitrary part of what was not synced, torn and out of order.
 *
 * test_power_sectors [SEEDS [FIRST]]: so many (default 2000) random lives of a recorder on a ring, beginning at seed FIRST (1): it
 * stages, seals and syncs, is killed and started again, the disk fails to write and to sync, and takes too long; then the power goes, at any write, also
 * while the next start recovers.  Of each sector that no sync covered it is a toss which of the versions is there.
 * Holds, of FORMAT.md 8: invariants 1 to 5, 7 and 8 and the rules 10 to 12.
 */
#include "tests/power.h"

enum {
	SEEDS_QUICK = 2000,
	BASES = 4,
	STEPS_MAX = 12,
	BIG_EVERY = 17,
	SUPER_CUTS = 60,
	LATE_EVERY = 3,      /* every so many seeds */
	LATES = 100,         /* of 256 syncs */
	BASE_BLOCKS_BIG = 3, /* the last base, and its last so many blocks, have large details */
};

static const unsigned base_blocks[BASES] = { 0, 20, 46, 99 };
static const uint8_t boot_ids[][RING_UUID_BYTES] = { "boot A", "boot B", "boot C", "boot D" };

struct base {
	struct power power;
	struct disk *disk;
};

/* Rare ones that found something once. */
static const uint64_t known_seeds[] = { 101167, 103765, 106608, 106869, 107729, 108921, 112025,
					112587, 113822, 213499, 480989, 514886, 551872 };
enum { KNOWN = sizeof(known_seeds) / sizeof(known_seeds[0]) };

static uint64_t seeds = POWER_QUICK(SEEDS_QUICK), first_seed = 1;

static void base_make(struct base *base, unsigned blocks, bool big)
{
	struct ring_seal seal = { 0 };
	struct ring_opened opened;
	struct ring_writer *writer;
	struct power *power = &base->power;
	uint64_t events;

	power->big_from_no = power->plain_from_no = UINT64_MAX;
	base->disk = power_ring_new(boot_ids[0], &writer, &opened);
	power_start(power, base->disk, writer, opened.boot_no);
	for (unsigned i = 0; i < blocks; i++) {
		if (big && i == blocks - BASE_BLOCKS_BIG)
			power->big_from_no = base->disk->appended + 1;
		(void)power_stage(power, base->disk, writer, 20 + i % 50);
		if (ring_writer_seal(writer, &seal, true, &events) != 0)
			abort();
	}
	(void)power_stage(power, base->disk, writer, blocks);
	ring_writer_close(writer);
	power_base(power, base->disk->appended);
	disk_settle(base->disk);
}

/* Seals a block.  When nobody waited for its sync, only what is in the blocks before is certain until the next one. */
static bool seal_one(struct disk *disk, struct ring_writer *writer, bool late)
{
	const uint64_t sealed_no = lives_event_no(ring_writer_lives(writer)), lates = disk->lates;
	struct ring_seal seal = { 0 };
	uint64_t events;

	if (ring_writer_seal(writer, &seal, true, &events) != 0 || disk->lates == lates)
		return late;
	if (disk->acked > sealed_no)
		disk->acked = sealed_no;
	return true;
}

/* A start.  NULL: it failed, which only a failing disk may be the reason of. */
static struct ring_writer *start(struct disk *disk, const uint8_t *boot_id, const char **wrong,
				 uint32_t *ret_boot_no)
{
	struct ring_writer *writer;
	struct ring_opened opened;
	uint64_t failed = disk->failed;
	unsigned lates = disk->sync_lates;
	int r;

	disk->sync_lates = 0; /* a start has the time to wait */
	r = ring_writer_open_on(fixture_path, 0, boot_id, &disk->io, &writer, &opened);
	disk->sync_lates = lates;
	if (r != 0) {
		if (r != -EIO || (!disk->dead && disk->failed == failed))
			*wrong = "it does not open";
		return NULL;
	}
	if (!disk->dead && opened.next_event_no != disk->appended + 1) {
		*wrong = "a kill lost events";
		ring_writer_close(writer);
		return NULL;
	}
	*ret_boot_no = opened.boot_no;
	return writer;
}

/* Some of what a recorder does, until the power goes. */
static const char *live(struct base *base)
{
	struct disk *disk = base->disk;
	struct ring_writer *writer = NULL;
	const char *wrong = NULL;
	const uint8_t *boot_id = boot_ids[disk_random(disk) % 2];
	uint64_t steps = disk_random(disk) % STEPS_MAX;
	uint32_t boot_no;
	bool late =
		false; /* blocks are not synced, and a failing disk may have forgotten them: no kill then, which could not write them again */

	for (uint64_t i = 0; !wrong && !disk->dead && i <= steps; i++) {
		uint64_t what = disk_random(disk) % 16;

		if (writer && what < 3 && !late) {
			ring_writer_close(writer);
			writer = NULL;
		}
		if (!writer) {
			writer = start(disk, boot_id, &wrong, &boot_no);
			if (writer && !disk->dead)
				power_start(&base->power, disk, writer, boot_no);
		}
		if (!writer || disk->dead)
			continue;
		if (what < 12)
			(void)power_stage(&base->power, disk, writer,
					  1 + disk_random(disk) % (what == 11 ? 400 : 60));
		disk_note(disk);
		if (what >= 4 && what < 9)
			late = seal_one(disk, writer, late);
		else if (what >= 9)
			late = ring_writer_sync(writer) != 0 && late;
	}
	ring_writer_close(writer);
	return wrong;
}

static void settings_toss(struct disk *disk)
{
	static const unsigned chances[] = { 0, 0, 1, 3 };
	static const unsigned keeps[] = { 0, 1, 4, 7, DISK_CHANCE_ONE };

	disk->sync_failures = chances[disk_random(disk) % 4];
	disk->write_failures = chances[disk_random(disk) % 4] > 1;
	disk->keeps = keeps[disk_random(disk) % 5];
}

/* The large details of the last one take most of the time. */
static struct base *base_of(struct base *bases, uint64_t seed)
{
	return &bases[seed % BIG_EVERY == 0 ? BASES - 1 : seed % (BASES - 1)];
}

static const char *seed_try(struct base *bases, uint64_t seed, bool late)
{
	struct base *base = base_of(bases, seed);
	struct disk *disk = base->disk;
	struct power_case what = { .boot_id = boot_ids[2] };
	const char *wrong;

	disk_reset(disk);
	disk->random = seed;
	disk->appended = disk->acked = base->power.base_no;
	settings_toss(disk);
	disk->late_random = seed;
	disk->sync_lates = late ? LATES : 0;
	base->power.late_blocks = late ? STEPS_MAX : 0;
	if (disk_chance(disk, 6))
		disk->ops_left = 1 + disk_random(disk) % 40;
	wrong = live(base);
	if (wrong)
		return wrong;
	disk_cut(disk);
	disk->sync_lates = 0;
	what.least_no = disk->acked;
	what.most_no = disk->appended;
	if (disk_chance(disk, 4)) {
		struct ring_writer *writer;
		struct ring_opened opened;

		/* And once more while it recovers.  Its syncs say nothing new. */
		settings_toss(disk);
		disk->appended = disk->acked;
		disk->ops_left = 1 + disk_random(disk) % 8;
		if (ring_writer_open_on(fixture_path, 0, boot_ids[1 + seed % 2], &disk->io, &writer,
					&opened) == 0)
			ring_writer_close(writer);
		disk_cut(disk);
	}
	disk->sync_failures = disk->write_failures = 0;
	return power_check(&base->power, disk, &what);
}

static void work(unsigned worker, unsigned count, struct power_tally *tally)
{
	struct base *bases = calloc(BASES, sizeof(*bases));

	if (!bases)
		abort();
	for (unsigned i = 0; i < BASES; i++)
		base_make(&bases[i], base_blocks[i], i == BASES - 1);
	for (uint64_t i = worker; i < KNOWN + seeds; i += count) {
		uint64_t seed = i < KNOWN ? known_seeds[i] : first_seed + i - KNOWN;
		const char *wrong = seed_try(bases, seed, i >= KNOWN && seed % LATE_EVERY == 0);

		tally->tried++;
		tally->seen += base_of(bases, seed)->disk->failed > 0;
		if (wrong && tally->failed++ < 10)
			printf("# seed %llu: %s\n", (unsigned long long)seed, wrong);
	}
	for (unsigned i = 0; i < BASES; i++) {
		disk_free(bases[i].disk);
		free(bases[i].power.base);
	}
	free(bases);
}

/* Superblocks written one after the other with no sync between them: rule 12 keeps the copy that is on the disk. */
static void test_superblocks(void)
{
	struct ring_opened opened;
	struct ring_writer *writer;
	struct disk *disk = power_ring_new(boot_ids[0], &writer, &opened);
	unsigned wrong = 0;

	ring_writer_close(writer);
	disk_settle(disk);
	for (unsigned i = 0; i < SUPER_CUTS; i++) {
		struct ring *ring = NULL;

		disk_reset(disk);
		disk->random = i;
		disk->keeps = DISK_CHANCE_ONE / 2;
		if (ring_writer_open_on(fixture_path, 0, boot_ids[0], &disk->io, &writer,
					&opened) != 0)
			abort();
		ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
		for (unsigned n = 0; n < 2 + i % 3; n++)
			(void)ring_writer_next_boot(writer);
		ring_writer_close(writer);
		disk_cut(disk);
		wrong += ring_open_fd(-1, &disk->io, &ring) < 0;
		ring_close(ring);
	}
	ok(wrong == 0,
	   "rule 12: however many superblocks were written and not synced, one is whole "
	   "(%u cuts, %u wrong)",
	   (unsigned)SUPER_CUTS, wrong);
	disk_free(disk);
}

int main(int argc, char **argv)
{
	struct power_tally *tally;
	bool ended;

	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	fixture_begin();
	test_superblocks();
	ended = power_workers(work, &tally);
	ok(ended && tally->failed == 0 && tally->tried == KNOWN + seeds,
	   "whatever part of the unsynced sectors is there, acknowledged events are there once "
	   "(%llu lives, the disk failed in %llu; %llu wrong)",
	   (unsigned long long)tally->tried, (unsigned long long)tally->seen,
	   (unsigned long long)tally->failed);
	return done_testing();
}
