/* rescan.h - when to look again who lives, after events were lost: a birth or end among them would else be wrong for ever.  Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What is lost is told by the next number of its CPU, which a canary makes within a second or so; and who looks reads nothing meanwhile, so
 * that it is not done while losses go on, nor often. */
enum { RESCAN_QUIET_MS = 5000, RESCAN_PERIOD_MS = 60000, RESCAN_CALM_EVENTS_A_MS = 20 };

struct rescan {
	uint64_t lost;   /* events, as told last */
	uint64_t looked; /* of these, those that were lost before the last look */
	bool unsure; /* a run before may have ended before it looked; to be set before the first rescan_due() */
	uint64_t quiet_ns, next_ns; /* not before either of them */
};

/* lost: events lost until now_ns, in a count that only grows.  To be told again and again.  Whether it is time to look. */
bool rescan_due(struct rescan *rescan, uint64_t lost, uint64_t now_ns);

/* Whether so many events in a time are few enough to leave the sockets alone for as long as a look at every task takes. */
bool rescan_is_calm(uint64_t events, uint64_t ns);

/* It was looked.  Gives how many events had been lost since the last time; 0: none of this run. */
uint64_t rescan_done(struct rescan *rescan, uint64_t now_ns);
