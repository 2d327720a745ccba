#include "recorder/rescan.h"

#define NS_PER_MS UINT64_C(1000000)

bool rescan_due(struct rescan *rescan, uint64_t lost, uint64_t now_ns)
{
	if (lost != rescan->lost || rescan->quiet_ns == 0) {
		rescan->lost = lost;
		rescan->quiet_ns = now_ns + RESCAN_QUIET_MS * NS_PER_MS;
	}
	return (rescan->unsure || rescan->lost != rescan->looked) && now_ns >= rescan->quiet_ns &&
	       now_ns >= rescan->next_ns;
}

bool rescan_is_calm(uint64_t events, uint64_t ns)
{
	return events * NS_PER_MS <= ns * RESCAN_CALM_EVENTS_A_MS;
}

uint64_t rescan_done(struct rescan *rescan, uint64_t now_ns)
{
	const uint64_t lost = rescan->lost - rescan->looked;

	rescan->looked = rescan->lost;
	rescan->unsure = false;
	rescan->next_ns = now_ns + RESCAN_PERIOD_MS * NS_PER_MS;
	return lost;
}
