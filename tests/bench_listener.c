/* bench_listener.c - bench_listener REST_MS: the least that a listener can do, for comparison: receives both lanes in batches, throws
 * everything away, rests.  Until SIGTERM; then prints how many events came and what CPU each cost.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "recorder/connector.h"
#include "schema/ring_format.h"
#include "tests/clocks.h"

static uint8_t slots[CONNECTOR_LANES][RING_LANDING_SLOT_COUNT * RING_LANDING_SLOT_BYTES];
static uint32_t lengths[RING_LANDING_SLOT_COUNT];

static uint64_t drain(struct connector *connectors[CONNECTOR_LANES])
{
	uint64_t events = 0;

	for (unsigned i = 0; i < CONNECTOR_LANES; i++) {
		int n;

		do {
			n = connector_receive(connectors[i], slots[i], RING_LANDING_SLOT_BYTES, 0,
					      RING_LANDING_SLOT_COUNT, lengths);
			events += n > 0 ? (uint64_t)n : 0;
		} while (n == RING_LANDING_SLOT_COUNT);
	}
	return events;
}

int main(int argc, char **argv)
{
	struct connector *connectors[CONNECTOR_LANES];
	const long rest_ms = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	const struct timespec rest = { .tv_nsec = rest_ms * 1000000 };
	uint64_t from_ns, events = 0;
	sigset_t term;

	if (rest_ms < 1 || rest_ms > 999) {
		(void)fprintf(stderr, "usage: bench_listener REST_MS\n");
		return 2;
	}
	if (connector_open(connectors, &from_ns) != 0) {
		(void)fprintf(stderr, "bench_listener: the kernel gives no events here\n");
		return 1;
	}
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	do {
		events += drain(connectors);
	} while (sigtimedwait(&term, NULL, &rest) < 0);
	events += drain(connectors);
	printf("%" PRIu64 " %.3f\n", events,
	       events ? (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / (double)events / 1000 : 0);
	return 0;
}
