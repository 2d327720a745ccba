/* event_same.h - for tests: two events compared. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "schema/event.h"

/* The same bytes, or both not there: none is another thing than nothing. */
static inline bool bytes_same(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	if (!a || !b)
		return !a && !b;
	return memcmp(a, b, bytes) == 0;
}

/* Every field but event_no, which a block tells by the place. */
static inline bool event_same(const struct event *a, const struct event *b)
{
	return a->timestamp_ns == b->timestamp_ns && a->cpu == b->cpu && a->seq == b->seq &&
	       a->pid == b->pid && a->tid == b->tid && a->ppid == b->ppid && a->ptid == b->ptid &&
	       memcmp(a->arg, b->arg, sizeof(a->arg)) == 0 &&
	       memcmp(a->comm, b->comm, sizeof(a->comm)) == 0 && a->kind == b->kind &&
	       a->raw_bytes == b->raw_bytes && a->detail_bytes == b->detail_bytes &&
	       bytes_same(a->raw, b->raw, a->raw_bytes) &&
	       bytes_same(a->detail, b->detail, a->detail_bytes);
}
