/* reception.h - receives from both lanes and stages what came in one order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "recorder/connector.h"
#include "recorder/inbox.h"
#include "recorder/merge.h"
#include "recorder/session.h"

struct reception {
	struct session *session;
	struct connector *connectors[CONNECTOR_LANES];
	struct inbox inboxes[CONNECTOR_LANES]; /* share the landing zone */
	uint64_t from_ns;                      /* what happened before then is left out */
	uint64_t until_ns; /* what happened later is not staged: UINT64_MAX at first */
	uint64_t received;
	uint64_t settled_ns; /* everything that happened before then is staged */
	bool drained;        /* both sockets were found empty, and nothing waits */
	bool behind;         /* the last round ended before they were */
};

/* landing: RING_LANDING_SLOT_COUNT slots.  Connectors and session stay the caller's. */
void reception_init(struct reception *reception, struct session *session, uint8_t *landing);

/* Takes over what an earlier recorder had received and not staged; the rest of the landing zone is zeroed.  How many that are. */
size_t reception_adopt(struct reception *reception);

/* Receives until both sockets are empty, or for about so long, and at least once, and stages what is due.  What happened since the beginning of
 * the last look waits for the next round.  0; -EINTR or what session_wait_room() gives: the rest stays where it is; -errno. */
int reception_round(struct reception *reception, uint64_t most_ns);

/* Stages all that was received, of a stream that is over. */
int reception_flush(struct reception *reception);

/* Sum of the drops of both sockets since they were opened.  0 or -errno. */
int reception_drops(const struct reception *reception, uint64_t *ret_drops);
