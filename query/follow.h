/* follow.h - events as they come, for `events -f`: out of the slots and out of what is only staged, across restarts of the recorder. */
#pragma once

#include "query/listing.h"

/* Shows selected events from event_no on, until a signal ends it (SIGINT, SIGTERM) or nobody reads any more.  Never looks at what is older,
 * except, where lives decide what is selected, from the newest keyframe on.  0 or -errno. */
int follow(struct listing *listing, uint64_t event_no);
