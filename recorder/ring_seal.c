/* ring_seal.c - ring_writer_seal(): staged events become a block.
 *
 * How many fill a slot is not known before they are packed.  They are taken so that, at the ratio of the blocks before, they fill 96 %
 * of the room; when that was too many, fewer by the ratio that was measured.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/ring_recover.h"
#include "recorder/ring_writer_core.h"
#include "schema/checksum.h"

#define FILL_TARGET      0.96
#define FILL_RETRY       0.94
#define RATIO_NEW_WEIGHT 0.3

enum {
	PACK_TRIES = 32,
	PACK_TRIES_BY_RATIO = 4, /* from then on half as many events each time, which ends at one */
	HINT_BLOCKS = 64,        /* the superblock's hint is written every so many */
	RATIO_STORED_MIN = 16384, /* blocks below are no measure for large ones */
	FRAME_BYTES = 64,         /* of a payload beside keyframe and events, about */
	FORGET_EVENTS = 32,       /* so soon that the next lives lie in the cache */
};

/* What is being made into a block. */
struct batch {
	size_t count;
	uint64_t staged_bytes, end_pos;
	uint32_t boot_no;
	bool first_of_boot;
	struct keyframe_piece keyframe;
	size_t raw_bytes, stored_bytes;
	uint64_t lost_block, lost_total;
};

static uint8_t *payload_of(struct ring_writer *writer)
{
	return writer->pack + RING_HEADER_BYTES;
}

static int events_grow(struct ring_writer *writer)
{
	size_t capacity = writer->events_capacity ? writer->events_capacity * 2 : 4096;
	struct event *events = reallocarray(writer->events, capacity, sizeof(*events));

	if (!events)
		return -ENOMEM;
	writer->events = events;
	writer->events_capacity = capacity;
	return 0;
}

/* Takes staged events until they are max_bytes or max_count, or of another boot.  0 or -errno; count 0: nothing is staged. */
static int batch_take(struct ring_writer *writer, uint64_t max_bytes, size_t max_count,
		      struct batch *batch)
{
	batch->count = 0;
	batch->staged_bytes = 0;
	batch->boot_no = writer->boot_no;
	stage_rewind(writer->stage);
	while (batch->count < max_count && (batch->count == 0 || batch->staged_bytes < max_bytes)) {
		struct event *event;
		int r = 0;

		if (batch->count == writer->events_capacity)
			r = events_grow(writer);
		if (r < 0)
			return r;
		event = &writer->events[batch->count];
		r = stage_peek(writer->stage, event);
		if (r == STAGE_EMPTY || (r < 0 && batch->count > 0))
			break;
		if (r < 0)
			return r;
		if (event->kind == EVENT_START && (uint32_t)event->arg[0] != batch->boot_no) {
			if (batch->count > 0)
				break;
			batch->boot_no = (uint32_t)event->arg[0];
		}
		batch->end_pos = stage_peek_pos(writer->stage);
		batch->staged_bytes += event_record_bytes(event);
		batch->count++;
	}
	batch->first_of_boot = batch->boot_no != writer->block_boot_no;
	return 0;
}

/* Staged bytes that fill the room beside a piece of keyframe. */
static uint64_t fill_bytes(const struct ring_writer *writer, size_t keyframe_bytes)
{
	double room = (double)(RING_PAYLOAD_MAX_BYTES - FRAME_BYTES - keyframe_bytes);

	return (uint64_t)(room * FILL_TARGET * writer->ratio);
}

static int batch_keyframe(struct ring_writer *writer, struct batch *batch)
{
	int r;

	batch->keyframe =
		(struct keyframe_piece){ .whole_block_no = writer->keyframer.whole_block_no };
	if (writer->lives_failed)
		return 0;
	r = keyframer_piece(&writer->keyframer, writer->lives, writer->next_block_no,
			    batch->first_of_boot, &batch->keyframe);
	/* Without memory for a keyframe the events go out all the same. */
	return r == -ENOMEM ? 0 : r;
}

/* Packs the batch.  0, also when it is larger than a slot: see stored_bytes; BLOCK_FULL: larger than the pack buffer. */
static int batch_pack(struct ring_writer *writer, struct batch *batch)
{
	return block_pack(writer->packer, writer->events, batch->count, batch->keyframe.data,
			  batch->keyframe.bytes, payload_of(writer), PACK_BYTES - RING_HEADER_BYTES,
			  &batch->stored_bytes, &batch->raw_bytes);
}

/* The bytes that the events took of the payload, at least 1. */
static double events_stored(const struct batch *batch)
{
	size_t other = batch->keyframe.bytes + FRAME_BYTES;

	return batch->stored_bytes > other ? (double)(batch->stored_bytes - other) : 1;
}

/* After a failure the same events again, neither more nor fewer: the block that was given up may be on the disk and whole, and if it said
 * more than the next one, what it says of those events would stand beside what becomes of them after a power cut.  They fitted; a keyframe
 * that does not fit beside them waits. */
static int batch_repeat(struct ring_writer *writer, struct batch *batch)
{
	int r = batch_take(writer, UINT64_MAX, writer->failed_events, batch);

	if (r == 0)
		r = batch_keyframe(writer, batch);
	if (r == 0)
		r = batch_pack(writer, batch);
	if (r == BLOCK_FULL || (r == 0 && batch->stored_bytes > RING_PAYLOAD_MAX_BYTES)) {
		keyframer_failed(&writer->keyframer, writer->next_block_no + 1);
		batch->keyframe =
			(struct keyframe_piece){ .whole_block_no =
							 writer->keyframer.whole_block_no };
		r = batch_pack(writer, batch);
	}
	return r == 0 && batch->stored_bytes > RING_PAYLOAD_MAX_BYTES ? -EMSGSIZE : r;
}

/* Takes and packs as many as fit into a slot. */
static int batch_make(struct ring_writer *writer, struct batch *batch)
{
	size_t max_count = BLOCK_EVENTS_MAX;
	uint64_t max_bytes;

	/* The first event tells whose boot the block is, and so whether a keyframe is due. */
	int r = batch_take(writer, 1, 1, batch);

	if (r < 0 || batch->count == 0)
		return r;
	r = batch_keyframe(writer, batch);
	max_bytes = fill_bytes(writer, batch->keyframe.bytes);
	for (int try = 0; r == 0 && try < PACK_TRIES; try++) {
		r = batch_take(writer, max_bytes, max_count, batch);
		if (r == 0)
			r = batch_pack(writer, batch);
		if (r == 0 && batch->stored_bytes <= RING_PAYLOAD_MAX_BYTES)
			return 0;
		if (r == 0) {
			double ratio = (double)batch->staged_bytes / events_stored(batch);

			writer->ratio = ratio;
			max_bytes = (uint64_t)((double)fill_bytes(writer, batch->keyframe.bytes) /
					       FILL_TARGET * FILL_RETRY);
		} else if (r == BLOCK_FULL) {
			r = 0;
			max_bytes = batch->staged_bytes / 4;
		}
		/* Fewer each time, whatever the ratio says: it is that of all, and the first of them may be quite unlike the rest. */
		max_count = try < PACK_TRIES_BY_RATIO ? batch->count - 1 : batch->count / 2;
		if (max_count == 0)
			max_count = 1;
	}
	return r == 0 ? -EMSGSIZE : r;
}

static void ratio_learn(struct ring_writer *writer, const struct batch *batch)
{
	double ratio = (double)batch->staged_bytes / events_stored(batch);

	if (events_stored(batch) >= RATIO_STORED_MIN)
		writer->ratio += (ratio - writer->ratio) * RATIO_NEW_WEIGHT;
}

static void header_of_events(const struct event *events, size_t count,
			     struct ring_block_header *header)
{
	header->first_event_no = events[0].event_no;
	header->event_count = (uint32_t)count;
	header->ts_min_ns = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		if (events[i].kind < EVENT_KIND_LIMIT)
			header->kind_bits |= UINT64_C(1) << events[i].kind;
		if (events[i].kind == EVENT_CLOCK && events[i].arg[2] == EVENT_CLOCK_STEP)
			header->flags |= RING_BLOCK_CLOCK_STEP;
		if (events[i].timestamp_ns < header->ts_min_ns)
			header->ts_min_ns = events[i].timestamp_ns;
		if (events[i].timestamp_ns > header->ts_max_ns)
			header->ts_max_ns = events[i].timestamp_ns;
	}
}

/* The link from which readers find what was lost without reading every header. */
static uint64_t lost_block(const struct ring_writer *writer, const struct ring_block_header *header)
{
	const uint64_t lost_bits = UINT64_C(1) << EVENT_LOST | UINT64_C(1) << EVENT_BLIND;

	return header->kind_bits & lost_bits ? header->block_no + 1 : writer->lost_block;
}

/* Events lost up to the end of these. */
static uint64_t lost_total(const struct ring_writer *writer, size_t count)
{
	uint64_t lost = writer->lost_total;

	for (size_t i = 0; i < count; i++)
		if (writer->events[i].kind == EVENT_LOST)
			lost += writer->events[i].arg[0];
	return lost;
}

/* Lays header and footer around the payload. */
static void slot_finish(struct ring_writer *writer, struct batch *batch,
			const struct ring_seal *seal)
{
	uint8_t *payload = payload_of(writer);
	struct ring_block_header header = {
		.block_no = writer->next_block_no,
		.boot_no = batch->boot_no,
		.monotonic_ns = seal->monotonic_ns,
		.boottime_ns = seal->boottime_ns,
		.realtime_ns = seal->realtime_ns,
		.raw_bytes = (uint32_t)batch->raw_bytes,
		.stored_bytes = (uint32_t)batch->stored_bytes,
		.payload_crc32 = checksum_crc32(0, payload, batch->stored_bytes),
		.keyframe_part = batch->keyframe.part,
		.keyframe_parts = batch->keyframe.parts,
		.keyframe_block_no = batch->keyframe.whole_block_no,
		.stage_salt = writer->staging.salt,
		.stage_end_pos = batch->end_pos,
	};

	header_of_events(writer->events, batch->count, &header);
	batch->lost_block = header.lost_block = lost_block(writer, &header);
	batch->lost_total = header.lost_total = lost_total(writer, batch->count);
	memcpy(header.ring_uuid, writer->super.ring_uuid, RING_UUID_BYTES);
	memcpy(header.boot_id, writer->boot_id, RING_UUID_BYTES);
	if (batch->first_of_boot)
		header.flags |= RING_BLOCK_FIRST_OF_BOOT;
	if (writer->recovering)
		header.flags |= RING_BLOCK_RECOVERED;
	/* The last block of an orderly stop: nothing is left behind it. */
	if (seal->last && stage_peek_pos(writer->stage) == batch->end_pos &&
	    stage_used_bytes(writer->stage) <= batch->staged_bytes)
		header.flags |= RING_BLOCK_LAST;
	ring_block_header_pack(&header, writer->pack);
	memset(payload + batch->stored_bytes, 0, RING_PAYLOAD_MAX_BYTES - batch->stored_bytes);
	ring_footer_pack(header.block_no, header.payload_crc32,
			 writer->pack + RING_SLOT_BYTES - RING_FOOTER_BYTES);
}

/* The header last: a reader that finds it finds the rest (and a reader of the block that was there finds that its payload is gone,
 * while the head says that this slot is the next to go). */
static int slot_write(struct ring_writer *writer)
{
	uint64_t offset = ring_slot_offset(writer->ring, writer->next_block_no);
	int r = io_write(writer->io, writer->fd, writer->pack + RING_HEADER_BYTES,
			 RING_SLOT_BYTES - RING_HEADER_BYTES, offset + RING_HEADER_BYTES);

	if (r == 0)
		r = io_write(writer->io, writer->fd, writer->pack, RING_HEADER_BYTES, offset);
	if (r == 0 && writer->durability != RING_DURABILITY_PROCESS)
		r = ring_writer_sync_now(writer);
	return r;
}

/* After a failed fdatasync(2) the kernel calls the pages clean, and a second one "succeeds": so the number and its slot are given
 * up, and the events, which are still staged, go to the next one (FORMAT.md 8, invariant 2). */
static void slot_give_up(struct ring_writer *writer)
{
	/* The head must stay findable: behind so many nothing but trying is left. */
	if (writer->failed_slots < RING_FAILED_SLOTS_MAX) {
		writer->failed_slots++;
		writer->next_block_no++;
	}
	keyframer_failed(&writer->keyframer, writer->next_block_no);
}

static void late_note(struct ring_writer *writer)
{
	if (writer->late_block_no != RING_NO_BLOCK)
		return;
	(void)ring_writer_note(writer, -ETIMEDOUT);
	writer->late_block_no = writer->next_block_no;
}

static void fold(struct ring_writer *writer, const struct batch *batch)
{
	for (size_t i = 0; i < batch->count && !writer->lives_failed; i++) {
		struct life *life;
		bool folded;

		writer->lives_failed =
			lives_apply(writer->lives, &writer->events[i], &life, &folded) < 0;
		if (i % FORGET_EVENTS == 0)
			lives_forget_ended(writer->lives);
	}
	lives_forget_ended(writer->lives);
}

/* Memory ran out while the last blocks were folded: the fold is made again from the ring, so that keyframes go on once there is some. */
static void fold_again(struct ring_writer *writer)
{
	struct lives *lives = NULL;
	struct ring_head head;

	if (ring_recover_head(writer->ring, ring_writer_staging(writer), &head) < 0 ||
	    head.next_block_no != writer->next_block_no ||
	    ring_recover_lives(writer->ring, &head, &lives) < 0)
		return;
	lives_free(writer->lives);
	writer->lives = lives;
	writer->lives_failed = false;
}

int ring_writer_seal(struct ring_writer *writer, const struct ring_seal *seal, bool flush,
		     uint64_t *ret_events)
{
	size_t used = stage_used_bytes(writer->stage);
	struct batch batch = { 0 };
	int r;

	if (used == 0 || (!flush && writer->failed_events == 0 && used < fill_bytes(writer, 0) &&
			  used < writer->super.staging_bytes / 2))
		return RING_WRITER_IDLE;
	if (writer->lives_failed)
		fold_again(writer);
	r = writer->failed_events > 0 ? batch_repeat(writer, &batch) : batch_make(writer, &batch);
	if (r < 0)
		return r;
	if (batch.count == 0)
		return RING_WRITER_IDLE;
	slot_finish(writer, &batch, seal);
	r = ring_writer_note(writer, slot_write(writer));
	if (r == IO_LATE)
		late_note(writer);
	if (r < 0) {
		writer->failed_events = batch.count;
		slot_give_up(writer);
		return r;
	}
	ratio_learn(writer, &batch);
	fold(writer, &batch);
	keyframer_written(&writer->keyframer);
	writer->next_block_no++;
	writer->failed_slots = 0;
	writer->failed_events = 0;
	writer->lost_block = batch.lost_block;
	writer->lost_total = batch.lost_total;
	writer->boot_no = writer->block_boot_no = batch.boot_no;
	/* invariant 3: the slot is on the disk before its staging is free, or there was no time to wait for that */
	stage_release(writer->stage, batch.end_pos, writer->events[batch.count - 1].event_no + 1);
	if (writer->next_block_no % HINT_BLOCKS == 0)
		(void)ring_writer_put_super(writer); /* a hint; nobody relies on it */
	*ret_events = batch.count;
	return 0;
}
