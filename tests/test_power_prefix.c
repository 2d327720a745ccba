/* test_power_prefix.c - a crash after every prefix of what a recorder writes, slots being cut at every 512 bytes.
 *
 * test_power_prefix [CASES]: so many, spread evenly, of the crashes of three wraps of a small ring (with keyframes of one and of
 * several parts, details, boots, kills); default 5000.  Each is tried as one of three: a kill, after which all that was written is
 * there (FORMAT.md 8, invariant 4 of a start in the same boot); a power cut where all that was written got to the disk in
 * order; and one where nothing of staging did since the last sync (invariants 3 and 5).
 * Afterwards, each time: invariants 1, 2, 7 and 8, and rule 10.
 */
#include "tests/power.h"

enum {
	WRAPS = 3,
	CASES_QUICK = 5000,
	BOOTS = 4,
	KILL_EVERY = 17,
};

enum variant { VARIANT_KILL, VARIANT_ORDER, VARIANT_UNSTAGED, VARIANTS };

static uint8_t boot_ids[BOOTS + 1][RING_UUID_BYTES] = { "boot A", "boot B", "boot C", "boot D",
							"another boot" };

static struct power power;

static void block_make(struct disk *disk, struct ring_writer *writer, unsigned block)
{
	struct ring_seal seal = { .monotonic_ns = block };
	uint64_t events;

	for (unsigned i = 0; i < 1 + mix(block) % 4; i++) {
		(void)power_stage(&power, disk, writer, 3 + mix(block * 8 + i) % 24);
		disk_note(disk);
		if (mix(block * 64 + i) % 4 == 0 && ring_writer_sync(writer) < 0)
			abort();
	}
	if (ring_writer_seal(writer, &seal, true, &events) != 0)
		abort();
	/* What is staged when the next block is sealed began before it. */
	(void)power_stage(&power, disk, writer, mix(block * 3) % 9);
	disk_note(disk);
}

/* The recording, in the log of the disk.  Op marks tell the boot. */
static struct disk *record(void)
{
	struct ring_opened opened;
	struct ring_writer *writer;
	struct disk *disk = power_ring_new(boot_ids[0], &writer, &opened);
	unsigned blocks = WRAPS * 46;

	disk_settle(disk); /* the empty ring is the beginning */
	ring_writer_close(writer);
	disk->keep_log = true;
	power.big_from_no = power.plain_from_no = UINT64_MAX;
	for (unsigned boot = 0; boot < BOOTS; boot++) {
		disk->mark = boot;
		for (unsigned block = 0; block < blocks / BOOTS + 1; block++) {
			if (block % KILL_EVERY == 0) {
				if (block > 0)
					ring_writer_close(writer);
				if (ring_writer_open_on(fixture_path, 0, boot_ids[boot], &disk->io,
							&writer, &opened) != 0)
					abort();
				power_start(&power, disk, writer, opened.boot_no);
			}
			block_make(disk, writer, boot * blocks + block);
			if (boot == BOOTS - 1 && block == blocks / BOOTS - 9)
				power.big_from_no = disk->appended + 1;
		}
		if (boot == 1 && ring_writer_mark_clean(writer) < 0)
			abort();
		ring_writer_close(writer);
	}
	power_base(&power, disk->appended);
	return disk;
}

struct crash {
	const struct disk *log;
	struct disk *now, *synced; /* where each prefix is put together */
	size_t op;
	size_t cut_bytes;
	uint64_t acked;
	uint64_t number, every;
	unsigned worker, workers;
	struct power_tally *tally;
};

static const char *crash_try(struct crash *crash, enum variant variant)
{
	const struct disk_op *op = &crash->log->ops[crash->op];
	struct disk *disk = variant == VARIANT_UNSTAGED ? crash->synced : crash->now;
	bool whole = variant != VARIANT_UNSTAGED && op->kind != DISK_PAGE;
	struct power_case what = {
		.boot_id = boot_ids[variant == VARIANT_KILL ? op->mark : BOOTS],
		.least_no = whole ? op->appended : crash->acked,
		.most_no = op->appended,
	};
	static uint32_t starts[POWER_EVENTS_MAX];
	const char *wrong;

	memcpy(starts, power.starts, (power.base_no + 1) * sizeof(starts[0]));
	disk_reset(disk);
	wrong = power_check(&power, disk, &what);
	memset(power.starts, 0, (power.base_no + POWER_MORE + 2) * sizeof(starts[0]));
	memcpy(power.starts, starts, (power.base_no + 1) * sizeof(starts[0]));
	return wrong;
}

static void crash_here(struct crash *crash)
{
	for (enum variant variant = VARIANT_KILL; variant < VARIANTS; variant++) {
		const char *wrong;

		if (crash->number++ % crash->every != 0 ||
		    (crash->number - 1) / crash->every % crash->workers != crash->worker)
			continue;
		wrong = crash_try(crash, variant);
		crash->tally->tried++;
		if (!wrong)
			continue;
		if (crash->tally->failed++ < 10)
			printf("# crash %llu (op %zu at %llu, %zu bytes of it, variant %d): %s\n",
			       (unsigned long long)crash->number, crash->op,
			       (unsigned long long)crash->log->ops[crash->op].offset,
			       crash->cut_bytes, variant, wrong);
	}
}

/* Staging gets to `synced` when it is synced. */
static void pages_sync(struct crash *crash, size_t from)
{
	for (size_t i = from; i < crash->op; i++) {
		const struct disk_op *op = &crash->log->ops[i];

		if (op->kind == DISK_PAGE)
			disk_base_write(crash->synced, op->offset, disk_op_data(crash->log, op),
					op->bytes);
	}
}

static void crash_everywhere(struct crash *crash)
{
	size_t synced_op = 0;

	for (crash->op = 0; crash->op < crash->log->op_count; crash->op++) {
		const struct disk_op *op = &crash->log->ops[crash->op];
		const uint8_t *data = disk_op_data(crash->log, op);

		if (op->kind == DISK_SYNC) {
			pages_sync(crash, synced_op);
			synced_op = crash->op;
			crash->acked = op->appended;
		}
		for (crash->cut_bytes = 0; crash->cut_bytes < op->bytes;
		     crash->cut_bytes += DISK_SECTOR_BYTES) {
			crash_here(crash);
			disk_base_write(crash->now, op->offset + crash->cut_bytes,
					data + crash->cut_bytes, DISK_SECTOR_BYTES);
			if (op->kind == DISK_WRITE)
				disk_base_write(crash->synced, op->offset + crash->cut_bytes,
						data + crash->cut_bytes, DISK_SECTOR_BYTES);
		}
	}
}

/* How many crashes there are. */
static uint64_t crash_count(const struct disk *log)
{
	uint64_t sectors = 0;

	for (size_t i = 0; i < log->op_count; i++)
		sectors += log->ops[i].bytes / DISK_SECTOR_BYTES;
	return sectors * VARIANTS;
}

static uint64_t cases = POWER_QUICK(CASES_QUICK), all;
static struct disk *recorded;

static void work(unsigned worker, unsigned count, struct power_tally *tally)
{
	struct crash crash = { .log = recorded, .worker = worker, .workers = count };

	crash.tally = tally;
	crash.now = disk_new_like(recorded);
	crash.synced = disk_new_like(recorded);
	crash.every = cases < all ? all / cases : 1;
	if (crash.every > 1 && crash.every % VARIANTS == 0)
		crash.every--; /* each variant has its turn */
	power_file(recorded);
	crash_everywhere(&crash);
	disk_free(crash.now);
	disk_free(crash.synced);
}

int main(int argc, char **argv)
{
	struct power_tally *tally;
	bool ended;

	if (argc > 1)
		cases = strtoull(argv[1], NULL, 10);
	fixture_begin();
	recorded = record();
	all = crash_count(recorded);
	ended = power_workers(work, &tally);
	ok(ended && tally->failed == 0 && tally->tried >= (cases < all ? cases : all),
	   "after %llu crashes of %llu possible ones acknowledged events are there once, more go "
	   "in, "
	   "and a second recovery changes nothing (%llu failed)",
	   (unsigned long long)tally->tried, (unsigned long long)all,
	   (unsigned long long)tally->failed);
	disk_free(recorded);
	free(power.base);
	return done_testing();
}
