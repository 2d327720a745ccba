#include "recorder/inbox.h"

#include <assert.h>
#include <string.h>

#include "schema/bytes.h"
#include "schema/wire.h"

enum {
	SEQ_OFFSET = WIRE_NLMSG_BYTES + 8,
	WHAT_OFFSET = WIRE_HEADER_BYTES,
	CPU_OFFSET = WIRE_HEADER_BYTES + 4,
	TIME_OFFSET = WIRE_HEADER_BYTES + 8,
};

void inbox_init(struct inbox *inbox, uint8_t *slots, size_t slot_count)
{
	assert(slot_count <= RING_LANDING_SLOT_COUNT);
	*inbox = (struct inbox){ .slots = slots, .slot_count = slot_count };
}

size_t inbox_room(struct inbox *inbox)
{
	size_t n = 0;

	/* The same few slots again and again, while little comes. */
	if (inbox_pending(inbox) == 0)
		inbox->next = inbox->reach = 0;
	if (inbox->next == inbox->slot_count)
		inbox->next = 0;
	while (inbox->next + n < inbox->slot_count && inbox->lengths[inbox->next + n] == 0)
		n++;
	return n;
}

static uint8_t *slot_at(const struct inbox *inbox, size_t slot)
{
	return inbox->slots + slot * RING_LANDING_SLOT_BYTES;
}

static struct inbox_entry entry_read(const struct inbox *inbox, size_t slot, uint64_t now_ns)
{
	const uint8_t *datagram = slot_at(inbox, slot);
	struct inbox_entry entry = { .received_ns = now_ns, .slot = (uint32_t)slot };
	le32 what, cpu, seq;
	le64 ns;

	memcpy(&seq, datagram + SEQ_OFFSET, sizeof(seq));
	memcpy(&what, datagram + WHAT_OFFSET, sizeof(what));
	memcpy(&cpu, datagram + CPU_OFFSET, sizeof(cpu));
	memcpy(&ns, datagram + TIME_OFFSET, sizeof(ns));
	entry.seq = le32_get(seq);
	entry.cpu = le32_get(cpu);
	entry.exec = le32_get(what) == WIRE_WHAT_EXEC;
	entry.timestamp_ns = le64_get(ns);
	/* Nothing is sent before it happens, and what says so would never have its turn. */
	if (entry.timestamp_ns > now_ns)
		entry.timestamp_ns = now_ns;
	return entry;
}

/* Nearly always at the end: CPUs differ by microseconds. */
static void entry_insert(struct inbox *inbox, const struct inbox_entry *entry)
{
	size_t at = inbox->end++;

	for (; at > inbox->first; at--) {
		const struct inbox_entry *before = &inbox->entries[at - 1];

		if (before->cpu == entry->cpu ? (int32_t)(before->seq - entry->seq) < 0
					      : before->timestamp_ns <= entry->timestamp_ns)
			break;
		inbox->entries[at] = *before;
	}
	inbox->entries[at] = *entry;
}

void inbox_add(struct inbox *inbox, size_t count, bool empty, uint64_t began_ns, uint64_t now_ns)
{
	const size_t to = inbox->next + count;

	/* Entries are as many as slots, but their place moves on as they are taken. */
	memmove(inbox->entries, inbox->entries + inbox->first,
		inbox_pending(inbox) * sizeof(inbox->entries[0]));
	inbox->end -= inbox->first;
	inbox->first = 0;
	for (; inbox->next < to; inbox->next++) {
		struct inbox_entry entry;

		if (inbox->lengths[inbox->next] < WIRE_HEADER_BYTES + WIRE_EVENT_MIN_BYTES) {
			memset(slot_at(inbox, inbox->next), 0, RING_LANDING_SLOT_BYTES);
			inbox->lengths[inbox->next] = 0;
			continue;
		}
		entry = entry_read(inbox, inbox->next, now_ns);
		entry_insert(inbox, &entry);
		if (entry.timestamp_ns > inbox->newest_ns)
			inbox->newest_ns = entry.timestamp_ns;
	}
	if (inbox->next > inbox->reach)
		inbox->reach = inbox->next;
	inbox->empty = empty;
	/* The socket is first in, first out: it was empty at some time since began_ns; or what it still holds came behind the newest. */
	if (empty && began_ns > inbox->clear_ns)
		inbox->clear_ns = began_ns;
	if (inbox->newest_ns > inbox->clear_ns)
		inbox->clear_ns = inbox->newest_ns;
}

void inbox_remove(struct inbox *inbox, size_t at)
{
	const size_t slot = inbox->entries[at].slot;

	memset(slot_at(inbox, slot), 0, inbox->lengths[slot]);
	inbox->lengths[slot] = 0;
	memmove(inbox->entries + inbox->first + 1, inbox->entries + inbox->first,
		(at - inbox->first) * sizeof(inbox->entries[0]));
	inbox->first++;
}

struct overtaken_batch inbox_batch(const struct inbox *inbox)
{
	return (struct overtaken_batch){
		.slots = inbox->slots,
		.slot_bytes = RING_LANDING_SLOT_BYTES,
		.lengths = inbox->lengths,
		.count = inbox->reach,
		.clear_ns = inbox->clear_ns,
		.empty = inbox->empty,
	};
}
