/* ring_recover.c - see ring_recover.h.
 *
 * A slot at the head that is not whole is either a write of ours that a crash cut short, or damage.  Staging tells: its events are freed
 * only when the slot is synced (invariant 3), so a torn write still has its events there, and its number is written again.
 */
#include "recorder/ring_recover.h"

#include <errno.h>
#include <string.h>

#include "schema/bytes.h"
#include "schema/cleanup.h"

enum {
	FOLD_BLOCKS_MAX = 256, /* folded when there is no keyframe at all */
	STAGED_STEP = 16,
};

/* As ring_header_before(), but where much is damaged any readable header within the ring will do, unless all of it is staged. */
static bool header_before(struct ring *ring, uint64_t block_no,
			  struct ring_block_header *ret_header)
{
	struct ring_block_header header, before;
	struct ring_tail tail;
	bool have_before;

	if (ring_header_before(ring, block_no, ret_header))
		return true;
	for (uint64_t back = 1; back <= block_no && back < ring->super.slot_count; back++) {
		if (ring_slot_header(ring, block_no - back, &header) != 0 ||
		    header.block_no != block_no - back)
			continue;
		if (ring_is_torn(ring, &header, &have_before, &before, &tail)) {
			if (have_before)
				*ret_header = before;
			return have_before;
		}
		*ret_header = header;
		return true;
	}
	return false;
}

/* Sets newest and tail for a head at next_block_no. */
static int head_set(struct ring *ring, struct ring_head *head, uint64_t next_block_no)
{
	head->next_block_no = next_block_no;
	head->have_newest = header_before(ring, next_block_no, &head->newest);
	return ring_find_tail(ring, head->have_newest ? &head->newest : NULL, &head->tail);
}

/* Whether the footer in the slot of block_no says that this block was written. */
static bool footer_says(const struct ring *ring, uint64_t block_no)
{
	uint8_t disk[RING_FOOTER_BYTES];
	le32 crc;

	if (io_read(ring->io, ring->fd, disk, sizeof(disk),
		    ring_slot_offset(ring, block_no) + RING_SLOT_BYTES - RING_FOOTER_BYTES) < 0)
		return false;
	memcpy(&crc, disk + sizeof(le64), sizeof(crc));
	return ring_footer_check(disk, block_no, le32_get(crc)) == 0;
}

/* The first record behind the tail that counts by itself, whatever is missing before it. */
static bool find_staged(const struct ring *ring, const uint8_t *staging, struct ring_tail *tail)
{
	uint64_t area = ring->super.staging_bytes;

	for (uint64_t pos = tail->pos; pos < tail->pos + area; pos += STAGED_STEP) {
		uint64_t offset = pos % area, event_no;
		struct event event;
		size_t bytes;
		le64 number;

		memcpy(&number, staging + offset + 8, sizeof(number));
		event_no = le64_get(number);
		if (event_no < tail->event_no || event_no - tail->event_no > BLOCK_EVENTS_MAX ||
		    event_record_unpack(staging + offset, (size_t)(area - offset), tail->salt, pos,
					event_no, &event, &bytes) != 0)
			continue;
		*tail = (struct ring_tail){ .salt = tail->salt, .pos = pos, .event_no = event_no };
		return true;
	}
	return false;
}

/* The slot behind the newest: torn in its header, or a whole block whose header was damaged later. */
static void look_behind(struct ring *ring, const uint8_t *staging, struct ring_head *head)
{
	struct ring_block_header header;
	int r = ring_slot_header(ring, head->next_block_no, &header);

	if (r == RING_SLOT_EMPTY || (r == 0 && header.block_no < head->next_block_no))
		return;
	head->torn_slots = 1;
	if (r == 0 || !footer_says(ring, head->next_block_no) || ring_is_staged(ring, &head->tail))
		return;
	/* Its events are gone, but their numbers must not be given again. */
	head->next_block_no++;
	head->needs_salt = true;
	if (!find_staged(ring, staging, &head->tail))
		head->tail.event_no += BLOCK_EVENTS_MAX;
}

int ring_recover_head(struct ring *ring, const uint8_t *staging, struct ring_head *ret_head)
{
	struct ring_head head = { 0 };
	uint64_t first, next;
	int r = ring_refresh(ring, &first, &next);

	if (r == 0)
		r = head_set(ring, &head, next);
	if (r < 0)
		return r;
	look_behind(ring, staging, &head);
	*ret_head = head;
	return 0;
}

static int apply_block(struct lives *lives, const struct block *block)
{
	size_t count;
	const struct event *events = block_events(block, &count);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct life *life;
		bool folded;

		/* A block whose number was given up says what the next one says. */
		if (events[i].event_no > lives_event_no(lives))
			r = lives_apply(lives, &events[i], &life, &folded);
	}
	lives_forget_ended(lives);
	return r;
}

/* Begins with the newest keyframe that can be used.  *ret_block_no: fold from here. */
static int begin_lives(struct ring *ring, const struct ring_head *head, struct lives **ret_lives,
		       uint64_t *ret_block_no)
{
	uint64_t block_no = head->newest.block_no, slot_count = ring->super.slot_count;
	int r;

	for (;;) {
		auto_free uint8_t *data = NULL;
		size_t bytes;

		*ret_lives = lives_new(NULL);
		if (!*ret_lives)
			return -ENOMEM;
		r = ring_find_keyframe(ring, block_no, ret_block_no);
		if (r != 0)
			break;
		r = ring_read_keyframe(ring, *ret_block_no, &data, &bytes);
		if (r == 0)
			r = lives_unpack(*ret_lives, data, bytes);
		if (r == 0 || r == -ENOMEM)
			return r;
		lives_free(*ret_lives);
		*ret_lives = NULL;
		if (*ret_block_no == 0) {
			*ret_lives = lives_new(NULL);
			break;
		}
		block_no = *ret_block_no - 1;
	}
	if (r < 0 && r != -EBADMSG && r != -EPROTONOSUPPORT)
		return r;
	if (!*ret_lives)
		return -ENOMEM;
	/* None: what the last blocks say must do. */
	*ret_block_no = head->next_block_no > slot_count ? head->next_block_no - slot_count : 0;
	if (head->next_block_no - *ret_block_no > FOLD_BLOCKS_MAX)
		*ret_block_no = head->next_block_no - FOLD_BLOCKS_MAX;
	return 0;
}

int ring_recover_lives(struct ring *ring, const struct ring_head *head, struct lives **ret_lives)
{
	struct block *block = block_new();
	struct ring_block_header header;
	struct lives *lives = NULL;
	uint64_t block_no;
	int r = -ENOMEM;

	if (block)
		r = begin_lives(ring, head, &lives, &block_no);
	for (; r == 0 && block_no < head->next_block_no; block_no++) {
		r = ring_read_block(ring, block_no, block, &header);
		if (r == 0)
			r = apply_block(lives, block);
		else if (r > 0)
			r = 0; /* a hole in the ring is one in what is known */
	}
	block_free(block);
	if (r < 0) {
		lives_free(lives);
		return r;
	}
	*ret_lives = lives;
	return 0;
}
