/* ring_writer_core.h - the inside of a ring writer, for ring_writer.c (open, close) and ring_seal.c (append). */
#pragma once

#include <stddef.h>

#include "recorder/keyframer.h"
#include "recorder/ring_writer.h"
#include "schema/block.h"
#include "schema/ring_core.h"

enum {
	/* A block is packed where there is more room than in a slot, so that one that does not fit shows by how much. */
	PACK_BYTES = 4 * RING_SLOT_BYTES,
	CPUS_MAX = 8192, /* CONFIG_NR_CPUS at its largest */
};

struct writer_cpu {
	uint32_t cpu, seq;
	uint64_t timestamp_ns;
};

struct ring_writer {
	const struct io *io;
	int fd;
	struct ring *ring; /* the same file, for reading */
	enum ring_durability durability;

	struct ring_superblock super; /* as written last */
	bool super_unsure;            /* not synced since */
	struct ring_staging_header staging;

	uint8_t *map; /* landing and staging, from landing_offset on */
	size_t map_bytes;
	struct stage *stage;
	bool stage_unsure; /* the kernel may call pages of staging clean that never got to the disk */

	uint64_t next_block_no;
	struct ring_failure failure;
	uint32_t failed_slots; /* block numbers given up since the last good one */
	size_t failed_events;  /* that the last of them held, or 0 */
	uint64_t
		late_block_no; /* the oldest that no sync has covered; RING_NO_BLOCK: there is none */
	bool late_unsure;      /* a sync has failed since it was written */
	uint32_t boot_no, block_boot_no;  /* of the next block; of the one before (0: none) */
	uint8_t boot_id[RING_UUID_BYTES]; /* of the next block */
	uint64_t lost_block, lost_total;  /* as in the header of the newest block */
	bool recovering;                  /* what is sealed is of before this start */
	struct keyframer keyframer;
	struct block_packer *packer;
	struct lives *lives;
	bool lives_failed; /* out of memory: no keyframes until it could be made again */

	double ratio; /* bytes staged to bytes stored, of late */
	struct event *events;
	size_t events_capacity;
	uint8_t pack[PACK_BYTES]; /* the slot: header, payload and, when it fits, footer */

	struct writer_cpu *cpus;
	size_t cpu_count;
};

/* Writes the superblock over its older copy (again over the same one until that is synced), with the hint as it is now.  0 or -errno; not synced. */
int ring_writer_put_super(struct ring_writer *writer);

/* The mapped staging area. */
uint8_t *ring_writer_staging(const struct ring_writer *writer);

/* Notes an error of the disk, for ring_writer_failure().  Gives r back; 0 is none. */
int ring_writer_note(struct ring_writer *writer, int r);

/* fdatasync, whatever the durability.  After one that failed, or a start, staging is made dirty first (FORMAT.md 8, rule 12).
 * 0; -errno; IO_LATE: nothing is known. */
int ring_writer_sync_now(struct ring_writer *writer);
