/* ring_writer.h - makes, opens for writing, recovers and appends blocks to a ledger.ring.  One writer a ring: flock(2).
 *
 * Not for the receiving path: reads and writes files, and mallocs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "recorder/stage.h"
#include "schema/io.h"
#include "schema/lives.h"
#include "schema/ring_format.h"

struct ring_writer;

enum { RING_WRITER_LOCKED = 1, RING_WRITER_NO_SPACE = 2 };

/* What an open found. */
struct ring_opened {
	bool created;
	bool clean;                /* the last stop was orderly (or the ring is new) */
	bool same_boot;            /* boot_id is that of the last start */
	uint32_t boot_no;          /* of this start: the last one's when same_boot, else one more */
	uint64_t next_event_no;    /* of the first event to be appended */
	uint64_t staged_events;    /* taken over from staging */
	uint64_t torn_slots;       /* slots at the head that were not whole */
	uint64_t unreadable_pages; /* of landing zone and staging, 4 KiB each: now zeros */
	uint64_t lost_total; /* events lost since the ring was made, staged LOST events included */
};

/* Opens the ring at path, made with ring_bytes if it is not there (ring_bytes is ignored for one that is; 0: RING_DEFAULT_BYTES).
 * boot_id: of the running boot, or all zero for an import, which is never the same boot as anything.
 * After a reboot what is staged is sealed first and staging begins anew (invariant 5).
 * The fold of all that the ring holds (from the newest keyframe on, staged events included) is made ready: ring_writer_lives().
 * 0; RING_WRITER_LOCKED: another recorder has it; RING_WRITER_NO_SPACE: the file system cannot hold ring_bytes (nothing is left behind);
 * -EBADMSG: not a ring, or damaged beyond use; -EPROTONOSUPPORT: another version; -EINVAL: ring_bytes too small; -errno. */
int ring_writer_open(const char *path, uint64_t ring_bytes, const uint8_t boot_id[RING_UUID_BYTES],
		     struct ring_writer **ret_writer, struct ring_opened *ret_opened);

/* The same over another disk than the system's; io outlives the writer. */
int ring_writer_open_on(const char *path, uint64_t ring_bytes,
			const uint8_t boot_id[RING_UUID_BYTES], const struct io *io,
			struct ring_writer **ret_writer, struct ring_opened *ret_opened);
void ring_writer_close(struct ring_writer *writer); /* NULL does nothing; no sync, no clean mark */

/* The ring's layout; the writer's. */
const struct ring_superblock *ring_writer_super(const struct ring_writer *writer);

/* The staging log in the mapped file, and the landing zone (RING_LANDING_SLOT_COUNT slots; all zero at the first start of a boot).  Both the writer's. */
struct stage *ring_writer_stage(struct ring_writer *writer);
uint8_t *ring_writer_landing(struct ring_writer *writer);

/* What outlives what.  A kill of the recorder loses nothing with any of them. */
enum ring_durability {
	RING_DURABILITY_PROCESS, /* never synced: a power cut may lose much */
	RING_DURABILITY_INTERVAL, /* each slot when it is sealed; and staging when the caller calls ring_writer_sync(), each second */
	RING_DURABILITY_BATCH, /* the same; the caller calls ring_writer_sync() after each batch */
};
/* RING_DURABILITY_INTERVAL until this is called. */
void ring_writer_set_durability(struct ring_writer *writer, enum ring_durability durability);

/* State after the last sealed event: staged ones are not in it.  The sealing side folds on in it; the writer's. */
struct lives *ring_writer_lives(struct ring_writer *writer);

/* Calls each(context, cpu, seq, timestamp_ns) for every CPU that a kernel event of this boot was of, sealed or staged, when the ring
 * was opened: its newest one then.  None after a reboot, and none for an import. */
void ring_writer_each_cpu(const struct ring_writer *writer,
			  void (*each)(void *context, uint32_t cpu, uint32_t seq,
				       uint64_t timestamp_ns),
			  void *context);

/* What goes into the header of the next block beside its events. */
struct ring_seal {
	uint64_t monotonic_ns, boottime_ns,
		realtime_ns; /* read together just now; 0 for an import */
	bool last;           /* orderly stop */
};

/* Takes staged events of one boot, packs as many as fill a slot (all that there are when flush, else only when they are enough to fill it),
 * with a keyframe when one is due, writes the slot, syncs it, folds the events and frees their staging.
 * A START event of another boot_no (its arg 0) begins a new block, and with it that boot.
 * Where the io gives IO_LATE the staging is freed before the block is synced; of the first such block since a sync, ring_writer_failure() tells
 * (ETIMEDOUT).
 * 0: a block was written (*ret_events are in it); RING_WRITER_IDLE: not enough staged; -EIO and other -errno: nothing was freed, call
 * again: the events then go to the next slot. */
enum { RING_WRITER_IDLE = 3 };
int ring_writer_seal(struct ring_writer *writer, const struct ring_seal *seal, bool flush,
		     uint64_t *ret_events);

/* A new boot_no for an imported stream that begins again: call it with everything staged sealed. Returns the new boot_no. */
uint32_t ring_writer_next_boot(struct ring_writer *writer);

/* The newest error that the disk gave to a write or a sync, those of the opening included. */
struct ring_failure {
	uint64_t count; /* of errors so far; 0: none, and the rest means nothing */
	int error;      /* errno */
	uint64_t
		block_no; /* the block that was written; the next one, when staging or a superblock was */
};
struct ring_failure ring_writer_failure(const struct ring_writer *writer);

/* fdatasync of the ring: what is staged becomes durable (RING_DURABILITY_PROCESS: does nothing).  0; -errno; IO_LATE: it is not done. */
int ring_writer_sync(struct ring_writer *writer);

/* Marks the orderly stop in the superblock.  0 or -errno. */
int ring_writer_mark_clean(struct ring_writer *writer);
