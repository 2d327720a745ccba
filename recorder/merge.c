#include "recorder/merge.h"

#include <stdbool.h>

uint64_t merge_until_ns(const struct inbox lanes[MERGE_LANES], uint64_t began_ns)
{
	uint64_t until_ns = began_ns;

	/* What a socket still holds came into it behind all that was received, so it can only be caused by later things than these. */
	for (unsigned i = 0; i < MERGE_LANES; i++)
		if (!lanes[i].empty && lanes[i].newest_ns < until_ns)
			until_ns = lanes[i].newest_ns;
	return until_ns;
}

/* The lowest number of a CPU that waits, if it is below seq. */
static bool find_lower(const struct inbox lanes[MERGE_LANES], uint32_t cpu, uint32_t seq,
		       struct merge_pick *ret_pick)
{
	bool found = false;

	for (unsigned i = 0; i < MERGE_LANES; i++) {
		for (size_t at = lanes[i].first; at < lanes[i].end; at++) {
			const struct inbox_entry *entry = &lanes[i].entries[at];

			if (entry->cpu != cpu || (int32_t)(entry->seq - seq) >= 0)
				continue;
			seq = entry->seq;
			*ret_pick = (struct merge_pick){ i, at };
			found = true;
			break; /* the others of this lane and CPU are behind it */
		}
	}
	return found;
}

int merge_next(const struct inbox lanes[MERGE_LANES], const struct gaps *gaps, uint64_t until_ns,
	       struct merge_pick *ret_pick)
{
	const struct inbox_entry *entry = NULL;
	const struct inbox *other;
	struct merge_pick pick = { 0 };

	for (unsigned i = 0; i < MERGE_LANES; i++) {
		const struct inbox_entry *of = &lanes[i].entries[lanes[i].first];

		if (inbox_pending(&lanes[i]) > 0 &&
		    (!entry || of->timestamp_ns < entry->timestamp_ns)) {
			entry = of;
			pick = (struct merge_pick){ i, lanes[i].first };
		}
	}
	if (!entry || entry->timestamp_ns > until_ns)
		return MERGE_NONE;
	other = &lanes[1 - pick.lane];
	/* A lane that is full cannot be received from before something is taken. */
	if (!gaps_follows(gaps, entry->cpu, entry->seq) &&
	    !find_lower(lanes, entry->cpu, entry->seq, &pick) &&
	    other->clear_ns < entry->received_ns && !inbox_full(other))
		return MERGE_WAIT;
	*ret_pick = pick;
	return 0;
}
