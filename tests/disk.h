/* disk.h - a disk under struct io for tests: what was written is on it for certain only after a sync, and may be cut off before.
 *
 * Memory, in sectors of 512 bytes, each written whole or not at all.  Writes and the stores into mapped pages (disk_note() finds
 * them) are a log.  A sync makes all of it durable; a power cut or a failing sync lets an arbitrary part of the sectors get there, in
 * any order; and after a failing sync the kernel calls the pages clean, so what did not get there is not tried again.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "schema/io.h"
#include "schema/ring_format.h"

enum {
	DISK_SECTOR_BYTES = 512,
	DISK_PAGE_BYTES = 4096,
	DISK_CHANCE_ONE = 8, /* chances are given in eighths */
};

enum disk_op_kind { DISK_WRITE, DISK_PAGE, DISK_SYNC };

struct disk_op {
	enum disk_op_kind kind;
	uint64_t offset;
	size_t bytes, data_at;
	uint64_t appended; /* disk->appended then */
	unsigned mark;     /* disk->mark then */
};

/* Bytes, and a bit for each of their pages that may not be as in the base. */
struct disk_view {
	uint8_t *data;
	uint64_t *changed;
};

struct disk {
	struct io io;
	size_t bytes, capacity; /* bytes: as long as the file is said to be */
	uint8_t *base;          /* what disk_reset() goes back to */
	struct disk_view cache,
		durable;        /* what the machine sees; what a power cut leaves for certain */
	struct disk_view noted; /* mapped pages as in the log */
	uint64_t map_offset, map_end;
	uint64_t note_at,
		base_note_at; /* the page noted last, or 0: all are looked at; in the base */

	struct disk_op *ops;
	size_t op_count, op_capacity;
	uint8_t *data;
	size_t data_bytes, data_capacity;
	bool keep_log;     /* else only what is not synced */
	uint64_t *differs; /* a bit for each sector that may not be the same in cache and durable */

	uint64_t random;
	unsigned sync_failures, write_failures; /* chance of each */
	unsigned sync_lates;                    /* in 256 syncs so many give IO_LATE, */
	uint64_t late_random, lates;            /* by dice of their own; how many have */
	unsigned keeps;                         /* chance of a sector to get there nevertheless */
	uint64_t ops_left;                      /* the power goes behind so many operations */
	bool dead;
	bool quiet; /* nothing is to be cut off any more: no log, for speed */

	uint64_t appended, acked; /* by the test: the newest event; by a sync: that it covered */
	unsigned mark;            /* by the test */
	uint64_t reads, read_bytes, syncs, failed;
	uint64_t changes; /* writes behind the superblocks that changed something */
};

/* Of a set of pages. */
static inline size_t disk_set_bytes(const struct disk *disk)
{
	return (disk->capacity / DISK_PAGE_BYTES / 64 + 1) * sizeof(uint64_t);
}

static inline uint64_t disk_random(struct disk *disk)
{
	uint64_t n = disk->random += 0x9e3779b97f4a7c15u;

	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
	n = (n ^ n >> 27) * 0x94d049bb133111ebu;
	return n ^ n >> 31;
}

static inline bool disk_chance(struct disk *disk, unsigned eighths)
{
	return disk_random(disk) % DISK_CHANCE_ONE < eighths;
}

static inline void disk_changed(struct disk_view *view, uint64_t offset, size_t bytes)
{
	for (uint64_t at = offset / DISK_PAGE_BYTES; at * DISK_PAGE_BYTES < offset + bytes; at++)
		view->changed[at / 64] |= UINT64_C(1) << at % 64;
}

static inline void disk_put(struct disk_view *view, uint64_t offset, const void *data, size_t bytes)
{
	memcpy(view->data + offset, data, bytes);
	disk_changed(view, offset, bytes);
}

static inline void disk_log(struct disk *disk, enum disk_op_kind kind, uint64_t offset,
			    const void *data, size_t bytes)
{
	if (disk->op_count == disk->op_capacity) {
		disk->op_capacity = disk->op_capacity ? disk->op_capacity * 2 : 256;
		disk->ops = reallocarray(disk->ops, disk->op_capacity, sizeof(*disk->ops));
	}
	while (disk->data_bytes + bytes > disk->data_capacity) {
		disk->data_capacity = disk->data_capacity ? disk->data_capacity * 2 : 1 << 20;
		disk->data = realloc(disk->data, disk->data_capacity);
	}
	if (!disk->ops || (bytes > 0 && !disk->data))
		abort();
	disk->ops[disk->op_count++] = (struct disk_op){ .kind = kind,
							.offset = offset,
							.bytes = bytes,
							.data_at = disk->data_bytes,
							.appended = disk->appended,
							.mark = disk->mark };
	if (bytes == 0)
		return;
	memcpy(disk->data + disk->data_bytes, data, bytes);
	disk->data_bytes += bytes;
	for (uint64_t at = offset / DISK_SECTOR_BYTES;
	     at < (offset + bytes + DISK_SECTOR_BYTES - 1) / DISK_SECTOR_BYTES; at++)
		disk->differs[at / 64] |= UINT64_C(1) << at % 64;
}

static inline const uint8_t *disk_op_data(const struct disk *disk, const struct disk_op *op)
{
	return disk->data + op->data_at;
}

/* Logs mapped pages from `at` to `end` that have changed, up to the first but one that has not.  *ret_last: the last that has. */
static inline void disk_note_pages(struct disk *disk, uint64_t at, uint64_t end, bool all,
				   uint64_t *ret_last)
{
	for (uint64_t first = at; at < end; at += DISK_PAGE_BYTES) {
		const uint8_t *page = disk->cache.data + at;

		if (memcmp(page, disk->noted.data + at, DISK_PAGE_BYTES) == 0) {
			if (all || at == first)
				continue;
			return;
		}
		disk_put(&disk->noted, at, page, DISK_PAGE_BYTES);
		disk_changed(&disk->cache, at, DISK_PAGE_BYTES);
		if (!disk->quiet)
			disk_log(disk, DISK_PAGE, at, page, DISK_PAGE_BYTES);
		*ret_last = at;
	}
}

/* What was stored into the mapping since the last time.  Staging is written from its beginning to its end and then from its
 * beginning again, so that a few pages have to be looked at. */
static inline void disk_note(struct disk *disk)
{
	uint64_t last = disk->note_at;

	if (disk->map_end == 0 || disk->dead || disk->quiet)
		return;
	if (last == 0) {
		disk_note_pages(disk, disk->map_offset, disk->map_end, true, &last);
	} else {
		disk_note_pages(disk, disk->note_at, disk->map_end, false, &last);
		disk_note_pages(disk, RING_STAGING_OFFSET, disk->note_at, false, &last);
	}
	disk->note_at = last;
}

static inline void disk_note_all(struct disk *disk)
{
	uint64_t last;

	if (disk->map_end > 0 && !disk->dead)
		disk_note_pages(disk, disk->map_offset, disk->map_end, true, &last);
}

/* Nothing is pending any more; `all` or, by chance, a part of it has become durable. */
static inline void disk_resolve(struct disk *disk, bool all)
{
	for (size_t i = 0; i < disk->op_count; i++) {
		const struct disk_op *op = &disk->ops[i];

		for (size_t at = 0; at < op->bytes; at += DISK_SECTOR_BYTES)
			if (all || disk_chance(disk, disk->keeps))
				disk_put(&disk->durable, op->offset + at,
					 disk_op_data(disk, op) + at, DISK_SECTOR_BYTES);
	}
	disk->op_count = disk->data_bytes = 0;
}

static inline bool disk_op_begin(struct disk *disk)
{
	if (!disk->dead && disk->ops_left > 0 && --disk->ops_left > 0)
		return true;
	disk_note_all(disk);
	disk->dead = true;
	return false;
}

static inline ssize_t disk_pread(void *context, int fd, void *data, size_t bytes, off_t offset)
{
	struct disk *disk = context;

	(void)fd;
	disk->reads++;
	disk->read_bytes += bytes;
	if (offset < 0 || (uint64_t)offset >= disk->bytes)
		return 0;
	if (bytes > disk->bytes - (uint64_t)offset)
		bytes = disk->bytes - (size_t)offset;
	memcpy(data, disk->cache.data + offset, bytes);
	return (ssize_t)bytes;
}

static inline ssize_t disk_pwrite(void *context, int fd, const void *data, size_t bytes,
				  off_t offset)
{
	struct disk *disk = context;
	bool alive;

	(void)fd;
	if (disk->dead)
		return -EIO;
	if ((uint64_t)offset % DISK_SECTOR_BYTES != 0 || bytes % DISK_SECTOR_BYTES != 0 ||
	    (uint64_t)offset + bytes > disk->bytes)
		abort();
	disk_note(disk);
	if (disk_chance(disk, disk->write_failures)) {
		disk->failed++;
		return -EIO;
	}
	if (offset >= 2 * RING_SUPERBLOCK_BYTES &&
	    memcmp(disk->cache.data + offset, data, bytes) != 0)
		disk->changes++;
	if (disk->quiet) {
		disk_put(&disk->cache, (uint64_t)offset, data, bytes);
		return (ssize_t)bytes;
	}
	disk_log(disk, DISK_WRITE, (uint64_t)offset, data, bytes);
	alive = disk_op_begin(disk);
	disk_put(&disk->cache, (uint64_t)offset, data, bytes);
	return alive ? (ssize_t)bytes : -EIO;
}

/* Whether a sync takes too long: nothing is known of it then. */
static inline bool disk_is_late(struct disk *disk)
{
	if (disk->sync_lates == 0 || disk->dead)
		return false;
	disk->late_random = disk->late_random * 6364136223846793005u + 1442695040888963407u;
	if (disk->late_random >> 56 >= disk->sync_lates)
		return false;
	disk->lates++;
	return true;
}

static inline int disk_sync(void *context, int fd)
{
	struct disk *disk = context;

	(void)fd;
	if (disk->quiet)
		return 0;
	disk_note(disk);
	if (disk_is_late(disk))
		return IO_LATE;
	if (disk->dead || !disk_op_begin(disk))
		return -EIO;
	disk->syncs++;
	if (disk->keep_log) {
		disk_log(disk, DISK_SYNC, 0, NULL, 0);
		return 0;
	}
	if (disk_chance(disk, disk->sync_failures)) {
		disk->failed++;
		disk_resolve(disk, false);
		return -EIO;
	}
	disk_resolve(disk, true);
	disk->acked = disk->appended;
	return 0;
}

static inline uint8_t *disk_map(void *context, uint64_t offset, size_t bytes)
{
	struct disk *disk = context;

	if (offset + bytes > disk->bytes)
		return NULL;
	disk->map_offset = offset;
	disk->map_end = offset + bytes;
	return disk->cache.data + offset;
}

static inline void disk_touched(void *context, const uint8_t *data, size_t bytes)
{
	struct disk *disk = context;
	uint64_t at = (uint64_t)(data - disk->cache.data), end = at + bytes;

	if (disk->quiet)
		return;
	disk_note(disk);
	for (at -= at % DISK_PAGE_BYTES; !disk->dead && at < end; at += DISK_PAGE_BYTES)
		disk_log(disk, DISK_PAGE, at, disk->cache.data + at, DISK_PAGE_BYTES);
}

static inline void disk_view_reset(const struct disk *disk, struct disk_view *view)
{
	for (size_t i = 0; i < disk->capacity / DISK_PAGE_BYTES; i++)
		if (view->changed[i / 64] >> i % 64 & 1)
			memcpy(view->data + i * DISK_PAGE_BYTES, disk->base + i * DISK_PAGE_BYTES,
			       DISK_PAGE_BYTES);
	memset(view->changed, 0, disk_set_bytes(disk));
}

/* Back to the base: all of it durable, nothing pending, nothing failing. */
static inline void disk_reset(struct disk *disk)
{
	disk->quiet = true;
	disk->dead = false;
	disk_note_all(disk);
	disk_view_reset(disk, &disk->cache);
	disk_view_reset(disk, &disk->durable);
	disk_view_reset(disk, &disk->noted);
	memset(disk->differs, 0, disk->capacity / DISK_SECTOR_BYTES / 8);
	disk->op_count = disk->data_bytes = 0;
	disk->map_end = 0;
	disk->note_at = disk->base_note_at;
	disk->sync_failures = disk->write_failures = disk->sync_lates = 0;
	disk->quiet = false;
	disk->ops_left = UINT64_MAX;
	disk->reads = disk->read_bytes = disk->syncs = disk->failed = disk->changes = 0;
}

static inline void *disk_zeros(size_t bytes)
{
	void *zeros = calloc(1, bytes);

	if (!zeros)
		abort();
	return zeros;
}

/* A disk of zeros; bytes: whole pages of 4096.  The caller frees it. */
static inline struct disk *disk_new(size_t bytes)
{
	struct disk *disk = disk_zeros(sizeof(*disk));
	struct disk_view *views[] = { &disk->cache, &disk->durable, &disk->noted };

	disk->io = (struct io){ disk, disk_pread, disk_pwrite, disk_sync, disk_map, disk_touched };
	disk->bytes = disk->capacity = bytes;
	disk->base = disk_zeros(bytes);
	for (size_t i = 0; i < 3; i++) {
		views[i]->data = disk_zeros(bytes);
		views[i]->changed = disk_zeros(disk_set_bytes(disk));
	}
	disk->differs = disk_zeros(bytes / DISK_SECTOR_BYTES / 8 + sizeof(uint64_t));
	disk_reset(disk);
	return disk;
}

static inline void disk_free(struct disk *disk)
{
	struct disk_view *views[] = { &disk->cache, &disk->durable, &disk->noted };

	for (size_t i = 0; i < 3; i++) {
		free(views[i]->data);
		free(views[i]->changed);
	}
	free(disk->base);
	free(disk->differs);
	free(disk->ops);
	free(disk->data);
	free(disk);
}

/* Writes into the base; the disk is to be reset before it is used. */
static inline void disk_base_write(struct disk *disk, uint64_t offset, const void *data,
				   size_t bytes)
{
	memcpy(disk->base + offset, data, bytes);
	disk_changed(&disk->cache, offset, bytes);
	disk_changed(&disk->durable, offset, bytes);
	disk_changed(&disk->noted, offset, bytes);
}

/* A new disk whose base is that of another. */
static inline struct disk *disk_new_like(const struct disk *other)
{
	struct disk *disk = disk_new(other->capacity);

	disk_base_write(disk, 0, other->base, other->capacity);
	disk_reset(disk);
	return disk;
}

/* What the machine sees becomes the base. */
static inline void disk_settle(struct disk *disk)
{
	disk_note(disk);
	disk->base_note_at = disk->note_at;
	disk_base_write(disk, 0, disk->cache.data, disk->capacity);
	disk_reset(disk);
}

/* The power goes and comes again: of what was not synced an arbitrary part is there.  Nobody has the disk open. */
static inline void disk_cut(struct disk *disk)
{
	disk_note_all(disk);
	disk_resolve(disk, false);
	for (size_t i = 0; i < disk->capacity / DISK_SECTOR_BYTES / 64; i++) {
		for (uint64_t left = disk->differs[i]; left; left &= left - 1) {
			size_t at = (i * 64 + (size_t)__builtin_ctzll(left)) * DISK_SECTOR_BYTES;

			disk_put(&disk->cache, at, disk->durable.data + at, DISK_SECTOR_BYTES);
			disk_put(&disk->noted, at, disk->durable.data + at, DISK_SECTOR_BYTES);
		}
		disk->differs[i] = 0;
	}
	disk->map_end = disk->note_at = 0;
	disk->dead = false;
	disk->ops_left = UINT64_MAX;
}
