/* ring_find.c - where the newest block of a ring is, and the block of a point in time: bounded searches that trust no hint.
 *
 * Blocks are written in the order of their numbers, so along the slots the numbers grow by one up to the newest and then fall by a
 * lap.  Damage and given-up numbers (FORMAT.md 8) make exceptions, so no single slot is believed: the end counts as found when,
 * behind it, enough slots say that the writer has not been there in this lap.
 */
#include <errno.h>

#include "schema/ring_core.h"

enum {
	LOOK_AHEAD = 2 * RING_FAILED_SLOTS_MAX, /* slots looked at behind the newest */
	HINT_STEPS = 256, /* a hint further back than this saves nothing against halving */
	PROBES = 8,       /* slots tried in the place of a damaged one */
};

enum { WALK_LOST = 1 };

/* What the slot of block_no says of it. */
enum slot_age { SLOT_THIS, SLOT_NEWER, SLOT_OLDER, SLOT_DAMAGED };

static enum slot_age slot_age(const struct ring *ring, uint64_t block_no, uint64_t *ret_block_no)
{
	struct ring_block_header header;
	int r = ring_slot_header(ring, block_no, &header);

	/* Never written: only in the first lap is that as it should be. */
	if (r == RING_SLOT_EMPTY)
		return block_no < ring->super.slot_count ? SLOT_OLDER : SLOT_DAMAGED;
	if (r != 0)
		return SLOT_DAMAGED;
	*ret_block_no = header.block_no;
	if (header.block_no == block_no)
		return SLOT_THIS;
	return header.block_no > block_no ? SLOT_NEWER : SLOT_OLDER;
}

/* Goes forward from block `from` to the end.  0: *ret_next is behind the newest; WALK_LOST: too far, or too much damage to tell. */
static int walk_forward(const struct ring *ring, uint64_t from, uint64_t steps_max,
			uint64_t *ret_next)
{
	uint64_t next = from, block_no = from, found = 0;
	uint64_t slot_count = ring->super.slot_count;
	uint64_t ahead_max = slot_count < LOOK_AHEAD ? slot_count : LOOK_AHEAD;
	uint64_t ahead = 0, older = 0;

	for (uint64_t steps = 0; ahead < ahead_max; steps++) {
		if (steps > steps_max)
			return WALK_LOST;
		switch (slot_age(ring, block_no, &found)) {
		case SLOT_THIS:
		case SLOT_NEWER:
			block_no = next = found == block_no ? block_no + 1 : found + 1;
			ahead = older = 0;
			break;
		case SLOT_OLDER:
			older++;
			ahead++;
			block_no++;
			break;
		case SLOT_DAMAGED:
			ahead++;
			block_no++;
			break;
		}
	}
	if (older < ahead_max / 2)
		return WALK_LOST;
	*ret_next = next;
	return 0;
}

/* The hint is where the newest was once; it holds if the block before it is, or was, there. */
static int find_by_hint(const struct ring *ring, uint64_t hint, uint64_t *ret_next)
{
	uint64_t found;

	if (hint > RING_NUMBER_MAX)
		return WALK_LOST;
	if (hint > 0) {
		enum slot_age age = slot_age(ring, hint - 1, &found);

		if (age != SLOT_THIS && age != SLOT_NEWER)
			return WALK_LOST;
	}
	return walk_forward(ring, hint, HINT_STEPS, ret_next);
}

/* The first slot in [slot, slot + PROBES) below limit whose header is whole; *ret_lap_no is the block_no that slot 0 had in its lap. */
static int probe(const struct ring *ring, uint64_t slot, uint64_t limit, uint64_t *ret_slot,
		 uint64_t *ret_lap_no)
{
	for (uint64_t i = slot; i < limit && i < slot + PROBES; i++) {
		struct ring_block_header header;
		int r = ring_slot_header(ring, i, &header);

		if (r < 0)
			continue;
		*ret_slot = i;
		/* Never written counts as older than all. */
		*ret_lap_no = r == RING_SLOT_EMPTY ? RING_NO_BLOCK : header.block_no - i;
		return 0;
	}
	return WALK_LOST;
}

static int find_by_halves(const struct ring *ring, uint64_t *ret_next)
{
	uint64_t low, high = ring->super.slot_count, newest_lap, slot, lap;

	if (probe(ring, 0, high, &low, &newest_lap) != 0 || newest_lap == RING_NO_BLOCK)
		return WALK_LOST;
	/* low is of the newest lap (or, damage at slot 0 aside, of the one that fills the ring); high is not, or is the end. */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (probe(ring, middle, high, &slot, &lap) != 0) {
			if (high - middle >= PROBES)
				return WALK_LOST;
			high = middle; /* all of the rest is damaged: the walk looks over it */
		} else if (lap != RING_NO_BLOCK && lap >= newest_lap) {
			low = slot;
			newest_lap = lap;
		} else {
			high = middle;
		}
	}
	/* As far as it takes; a writer faster than we, or a file that lies, has no end. */
	return walk_forward(ring, newest_lap + low + 1, UINT64_C(2) * ring->super.slot_count,
			    ret_next);
}

static uint64_t find_by_scan(const struct ring *ring)
{
	uint64_t next = 0;

	for (uint64_t slot = 0; slot < ring->super.slot_count; slot++) {
		struct ring_block_header header;
		int r = ring_slot_header(ring, slot, &header);

		if (r == -ENODATA)
			break; /* there need not be as many slots as the superblock says */
		if (r == 0 && header.block_no >= next)
			next = header.block_no + 1;
	}
	return next;
}

static bool header_is(const struct ring *ring, uint64_t block_no,
		      struct ring_block_header *ret_header)
{
	struct ring_block_header header;

	if (ring_slot_header(ring, block_no, &header) != 0 || header.block_no != block_no)
		return false;
	*ret_header = header;
	return true;
}

/* The newest whole block of the few before block_no. */
static bool whole_before(struct ring *ring, uint64_t block_no, struct ring_block_header *ret_header)
{
	for (uint64_t back = 1; back <= LOOK_AHEAD && back <= block_no; back++)
		if (header_is(ring, block_no - back, ret_header) &&
		    ring_slot_whole(ring, block_no - back))
			return true;
	return false;
}

static uint64_t block_end_no(const struct ring_block_header *header)
{
	return header->first_event_no + header->event_count;
}

bool ring_is_torn(struct ring *ring, const struct ring_block_header *newest, bool *ret_have_before,
		  struct ring_block_header *ret_before, struct ring_tail *ret_tail)
{
	struct ring_block_header before;
	struct ring_tail tail;
	uint64_t end_no = block_end_no(newest);
	bool have_before;

	if (ring_slot_whole(ring, newest->block_no))
		return false;
	/* Numbers given up after failed writes may stand between, torn as well. */
	have_before = whole_before(ring, newest->block_no, &before);
	if (!have_before && newest->block_no > RING_FAILED_SLOTS_MAX)
		return false;
	if (ring_find_tail(ring, have_before ? &before : NULL, &tail) < 0 ||
	    tail.event_no < newest->first_event_no)
		return false;
	/* Staging that begins behind it, anew after a reboot, says that it was whole: unless the block before has its events as well. */
	if (tail.event_no < end_no ? !ring_is_staged(ring, &tail)
				   : !have_before || block_end_no(&before) < end_no)
		return false;
	*ret_have_before = have_before;
	if (have_before)
		*ret_before = before;
	*ret_tail = tail;
	return true;
}

bool ring_header_before(struct ring *ring, uint64_t block_no, struct ring_block_header *ret_header)
{
	struct ring_block_header header, before;
	struct ring_tail tail;
	bool have_before;

	if (block_no == 0)
		return false;
	if (!header_is(ring, block_no - 1, &header))
		return whole_before(ring, block_no - 1, ret_header);
	if (block_no != ring->whole_next &&
	    ring_is_torn(ring, &header, &have_before, &before, &tail)) {
		if (have_before)
			*ret_header = before;
		return have_before;
	}
	*ret_header = header;
	return true;
}

/* A crash while the newest block was written may have left its header without its payload.  Its events are still staged then
 * (invariant 3), its number will be written again, and it does not count. */
static bool newest_is_torn(struct ring *ring, uint64_t next)
{
	struct ring_block_header newest, before;
	struct ring_tail tail;
	bool have_before;

	if (next == 0 || next == ring->whole_next)
		return false;
	if (ring_slot_whole(ring, next - 1)) {
		ring->whole_next = next;
		return false;
	}
	return header_is(ring, next - 1, &newest) &&
	       ring_is_torn(ring, &newest, &have_before, &before, &tail);
}

int ring_refresh(struct ring *ring, uint64_t *ret_first, uint64_t *ret_next)
{
	uint64_t slot_count = ring->super.slot_count;
	uint64_t hint = ring->found ? ring->next_block_no : ring->super.hint_block_no, next = 0;

	if (find_by_hint(ring, hint, &next) != 0 && find_by_halves(ring, &next) != 0)
		next = find_by_scan(ring);
	if (newest_is_torn(ring, next))
		next--;
	ring->found = true;
	ring->next_block_no = next;
	*ret_first = next > slot_count ? next - slot_count : 0;
	*ret_next = next;
	return 0;
}

/* The first readable header at or behind *block_no and before end; *block_no is moved to it.  As ring_read_header(), RING_END: none. */
static int next_header(struct ring *ring, uint64_t *block_no, uint64_t end,
		       struct ring_block_header *ret_header)
{
	for (; *block_no < end; ++*block_no) {
		int r = ring_read_header(ring, *block_no, ret_header);

		if (r <= 0)
			return r;
	}
	return RING_END;
}

struct moment {
	uint32_t boot_no;
	uint64_t timestamp_ns;
};

/* Whether a block reaches up to the moment. */
static bool reaches(const struct ring_block_header *header, const struct moment *moment)
{
	if (header->boot_no != moment->boot_no)
		return header->boot_no > moment->boot_no;
	return header->event_count > 0 && header->ts_max_ns >= moment->timestamp_ns;
}

/* The first block in [low, high) that reaches the moment; high: none. */
static int find_reaching(struct ring *ring, uint64_t low, uint64_t high,
			 const struct moment *moment, uint64_t *ret_block_no)
{
	uint64_t floor = low;
	struct ring_block_header header;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2, at = middle;
		int r = next_header(ring, &at, high, &header);

		if (r < 0)
			return r;
		if (r == RING_END || reaches(&header, moment))
			high = middle;
		else
			low = at + 1;
	}
	/* Time stamps of several CPUs are not quite in order: a block or two before may reach it as well. */
	for (uint64_t back = 1, at = low; back <= PROBES && at >= floor + back; back++)
		if (ring_read_header(ring, at - back, &header) == 0 && reaches(&header, moment))
			low = at - back;
	*ret_block_no = low;
	return 0;
}

int ring_find_time(struct ring *ring, uint32_t boot_no, uint64_t timestamp_ns,
		   uint64_t *ret_block_no)
{
	struct moment begin = { .boot_no = boot_no }, end = { .boot_no = boot_no + 1 };
	struct moment moment = { .boot_no = boot_no, .timestamp_ns = timestamp_ns };
	struct ring_superblock super;
	uint64_t first, next, begin_no, end_no, block_no;
	int r = ring_refresh(ring, &first, &next);

	if (r < 0)
		return r;
	if ((r = find_reaching(ring, first, next, &begin, &begin_no)) < 0 ||
	    (r = find_reaching(ring, begin_no, next, &end, &end_no)) < 0)
		return r;
	/* Of the newest boot there may be events in staging alone. */
	if (begin_no == end_no &&
	    (end_no < next || ring_read_super(ring, &super) < 0 || super.boot_no != boot_no))
		return RING_END;
	r = find_reaching(ring, begin_no, end_no, &moment, &block_no);
	if (r < 0)
		return r;
	*ret_block_no = block_no;
	return 0;
}
