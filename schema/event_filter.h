/* event_filter.h - which events of a ring are asked for, so that the others need not be made or even read.  No I/O.
 *
 * It looks at one event alone: what a life has become (its name, program, user) takes a fold.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"

struct event_filter {
	uint64_t kinds;          /* bit k: events of kind k pass */
	uint64_t from_ns, to_ns; /* timestamp_ns, inclusive at both ends */
	const uint32_t *pids; /* pid is one of these, in ascending order; NULL: any, and no pid */
	size_t pid_count;
	const uint32_t *tids; /* the same of tid */
	size_t tid_count;
};

/* Lets everything pass. */
#define EVENT_FILTER_ALL ((struct event_filter){ .kinds = UINT64_MAX, .to_ns = UINT64_MAX })

static inline bool event_filter_has(const uint32_t *numbers, size_t count, uint32_t number)
{
	size_t low = 0;

	while (count > 0) {
		size_t half = count / 2;

		if (numbers[low + half] == number)
			return true;
		if (numbers[low + half] < number)
			low += count - half;
		count = half;
	}
	return false;
}

static inline bool event_filter_passes(const struct event_filter *filter, const struct event *event)
{
	return event->kind < EVENT_KIND_LIMIT && filter->kinds >> event->kind & 1 &&
	       event->timestamp_ns >= filter->from_ns && event->timestamp_ns <= filter->to_ns &&
	       (!filter->pids || event_filter_has(filter->pids, filter->pid_count, event->pid)) &&
	       (!filter->tids || event_filter_has(filter->tids, filter->tid_count, event->tid));
}

/* Whether anything of a block may pass, of which the header says this much (FORMAT.md 5). */
static inline bool event_filter_reaches(const struct event_filter *filter, uint64_t kind_bits,
					uint64_t ts_min_ns, uint64_t ts_max_ns)
{
	return (filter->kinds & kind_bits) != 0 && ts_max_ns >= filter->from_ns &&
	       ts_min_ns <= filter->to_ns;
}
