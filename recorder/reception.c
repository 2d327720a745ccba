#include "recorder/reception.h"

#include <errno.h>
#include <string.h>

#include "recorder/clock.h"
#include "recorder/landing.h"

_Static_assert((int)CONNECTOR_LANES == (int)MERGE_LANES, "an inbox for each lane");

/* How the lanes share the landing zone: a batch of 128 costs little more per event than one of 320, and names are few but in a flood. */
enum { NAMES_SLOTS = 128, MAIN_SLOTS = RING_LANDING_SLOT_COUNT - NAMES_SLOTS };

void reception_init(struct reception *reception, struct session *session, uint8_t *landing)
{
	reception->session = session;
	reception->until_ns = UINT64_MAX;
	inbox_init(&reception->inboxes[CONNECTOR_MAIN], landing, MAIN_SLOTS);
	inbox_init(&reception->inboxes[CONNECTOR_NAMES],
		   landing + (size_t)MAIN_SLOTS * RING_LANDING_SLOT_BYTES, NAMES_SLOTS);
}

size_t reception_adopt(struct reception *reception)
{
	const uint64_t now_ns = clock_monotonic_ns();
	size_t found = 0;

	for (unsigned i = 0; i < CONNECTOR_LANES; i++) {
		struct inbox *inbox = &reception->inboxes[i];

		found += landing_salvage(inbox->slots, inbox->slot_count, reception->session->gaps,
					 inbox->lengths);
		inbox_add(inbox, inbox->slot_count, false, now_ns, now_ns);
	}
	return found;
}

static int pick_stage(struct reception *reception, const struct merge_pick *pick)
{
	struct inbox *inbox = &reception->inboxes[pick->lane];
	const struct inbox_entry *entry = &inbox->entries[pick->at];
	const uint8_t *slot = inbox->slots + (size_t)entry->slot * RING_LANDING_SLOT_BYTES;
	struct overtaken_batch names = inbox_batch(&reception->inboxes[CONNECTOR_NAMES]);
	struct overtaken_batch around = inbox_batch(&reception->inboxes[CONNECTOR_MAIN]);
	int r;

	around.next = &names;
	for (unsigned waits = 0; entry->timestamp_ns >= reception->from_ns; waits++) {
		r = intake_take(reception->session->intake, slot, inbox->lengths[entry->slot],
				&around);
		if (r != INTAKE_FULL && r != INTAKE_EARLY)
			break;
		r = session_wait_room(reception->session, waits);
		if (r < 0)
			return r;
	}
	inbox_remove(inbox, pick->at);
	return 0;
}

enum { HELD = MERGE_WAIT + 1 };

/* An EXEC waits until what its process did while /proc was read must have been received, too; unless nothing can be received meanwhile. */
static bool is_held(const struct reception *reception, const struct merge_pick *pick)
{
	const struct inbox *main = &reception->inboxes[CONNECTOR_MAIN];
	const struct inbox_entry *entry = &reception->inboxes[pick->lane].entries[pick->at];

	return entry->exec && !inbox_full(main) &&
	       !inbox_full(&reception->inboxes[CONNECTOR_NAMES]) &&
	       main->clear_ns < entry->timestamp_ns + OVERTAKEN_SOON_NS;
}

/* Stages what is due up to until_ns.  0: all of it; MERGE_WAIT: up to a hole that may be none; HELD: up to an EXEC that waits; -errno. */
static int due_stage(struct reception *reception, uint64_t until_ns)
{
	struct merge_pick pick;
	int r;

	while ((r = merge_next(reception->inboxes, reception->session->gaps, until_ns, &pick)) ==
	       0) {
		if (is_held(reception, &pick))
			return HELD;
		r = pick_stage(reception, &pick);
		if (r < 0)
			return r;
	}
	return r == MERGE_WAIT ? r : 0;
}

static int lane_receive(struct reception *reception, unsigned lane, uint64_t began_ns)
{
	struct inbox *inbox = &reception->inboxes[lane];
	const size_t room = inbox_room(inbox);
	int n = 0;

	if (room > 0)
		n = connector_receive(reception->connectors[lane], inbox->slots,
				      RING_LANDING_SLOT_BYTES, inbox->next, room,
				      inbox->lengths + inbox->next);
	if (n < 0)
		return n;
	reception->received += (uint64_t)n;
	inbox_add(inbox, (size_t)n, (size_t)n < room, began_ns, clock_monotonic_ns());
	return 0;
}

static bool sockets_empty(const struct reception *reception)
{
	return reception->inboxes[CONNECTOR_MAIN].empty &&
	       reception->inboxes[CONNECTOR_NAMES].empty;
}

/* Receives once from each lane.  0 or -errno, and a time before that. */
static int lanes_receive(struct reception *reception, uint64_t *ret_began_ns)
{
	const uint64_t began_ns = clock_monotonic_ns();
	int r = lane_receive(reception, CONNECTOR_NAMES, began_ns);

	if (r == 0)
		r = lane_receive(reception, CONNECTOR_MAIN, clock_monotonic_ns());
	*ret_began_ns = began_ns;
	return r;
}

int reception_round(struct reception *reception, uint64_t most_ns)
{
	const uint64_t end_ns = clock_monotonic_ns() + most_ns;
	uint64_t until_ns, began_ns;
	bool more;
	int r;

	do {
		r = lanes_receive(reception, &began_ns);
		if (r < 0)
			return r;
		until_ns = merge_until_ns(reception->inboxes, began_ns);
		if (until_ns > reception->until_ns)
			until_ns = reception->until_ns;
		r = due_stage(reception, until_ns);
		if (r < 0)
			return r;
		if (r == 0)
			reception->settled_ns = until_ns;
		more = r == MERGE_WAIT || !sockets_empty(reception);
	} while (more && began_ns < end_ns);
	reception->behind = more;
	reception->drained = sockets_empty(reception) && r == 0;
	return 0;
}

int reception_flush(struct reception *reception)
{
	int r;

	for (unsigned i = 0; i < CONNECTOR_LANES; i++)
		reception->inboxes[i].clear_ns = UINT64_MAX;
	r = due_stage(reception, UINT64_MAX);
	for (unsigned i = 0; i < CONNECTOR_LANES; i++)
		reception->inboxes[i].clear_ns = 0;
	return r;
}

int reception_drops(const struct reception *reception, uint64_t *ret_drops)
{
	struct connector_state state;
	uint64_t drops = 0;

	for (unsigned i = 0; i < CONNECTOR_LANES; i++) {
		int r = connector_read_state(reception->connectors[i], &state);

		if (r < 0)
			return r;
		drops += state.drops;
	}
	*ret_drops = drops;
	return 0;
}
