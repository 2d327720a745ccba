/* test_stop.c - what the time of a STOP says, under a storm on the real kernel: all before it is in the ledger, against a witness with sockets
 * of its own.  Needs root and the kernel's events, else skipped.
 */
#include <signal.h>
#include <stdint.h>

#include "tests/live_kernel.h"
#include "tests/recorder_fixture.h"
#include "tests/tap.h"

enum { SEEN_MAX = 1 << 19, SLOT_BYTES = 256 };

/* A machine that is so slow may make the recorder give up. */
#define BUSY_NS UINT64_C(400000000)

/* What the kernel has sent since the witness began. */
static struct {
	struct {
		uint64_t timestamp_ns;
		uint32_t cpu, seq;
	} seen[SEEN_MAX];
	size_t count;
} witness;

static void lane_read(struct connector *connector)
{
	static uint8_t slots[CONNECTOR_BATCH_MAX * SLOT_BYTES];
	uint32_t lengths[CONNECTOR_BATCH_MAX];
	struct event event;
	int n;

	while ((n = connector_receive(connector, slots, SLOT_BYTES, 0, CONNECTOR_BATCH_MAX,
				      lengths)) > 0)
		for (int i = 0; i < n && witness.count < SEEN_MAX; i++) {
			if (wire_decode(slots + (size_t)i * SLOT_BYTES, lengths[i], &event) != 0 ||
			    event.kind == EVENT_NONE)
				continue;
			witness.seen[witness.count].timestamp_ns = event.timestamp_ns;
			witness.seen[witness.count].cpu = event.cpu;
			witness.seen[witness.count++].seq = event.seq;
		}
}

/* How many of what was seen happened before then and is not in the ring that was walked. */
static size_t missing_before(uint64_t ns)
{
	size_t count = 0;

	for (size_t i = 0; i < witness.count; i++) {
		const uint32_t cpu = witness.seen[i].cpu;

		count += cpu < 64 && witness.seen[i].timestamp_ns < ns &&
			 (int32_t)(witness.seen[i].seq - next_seq[cpu]) >= 0;
	}
	return count;
}

/* Stops a recorder in the middle of a storm.  When that was asked for and when it was over. */
struct stopping {
	uint64_t asked_ns, ended_ns;
};

static struct stopping stop_once(const char *mode)
{
	struct connector *sockets[CONNECTOR_LANES];
	struct stopping times;
	uint64_t from_ns;
	pid_t pid, load;
	int code;

	store_new();
	pid = live_start("--ring-size 16M");
	load = storm_begin(mode, 3);
	rest_ms(100);
	if (connector_open(sockets, &from_ns) != 0)
		abort();
	times.asked_ns = clock_ns(CLOCK_MONOTONIC);
	(void)kill(pid, SIGTERM);
	rest_ms(100); /* it is over by then, or nearly */
	storm_end(load);
	code = program_wait(pid);
	times.ended_ns = clock_ns(CLOCK_MONOTONIC);
	witness.count = 0;
	for (int i = 0; i < CONNECTOR_LANES; i++) {
		lane_read(sockets[i]);
		connector_close(sockets[i]);
	}
	ok(code == 0 && ring_walk(NULL, 0) && walk.lost == 0 && walk.unaccounted == 0 &&
		   walk.last.kind == EVENT_STOP && witness.count > 0,
	   "a recorder is stopped in a storm (%s)", mode);
	return times;
}

static void test_stop(void)
{
	static const char *const storms[] = { "fork", "exec", "fork", "fork" };
	enum { PLAYS = sizeof(storms) / sizeof(storms[0]) };
	size_t missing = 0;
	int taken = 0;

	for (int i = 0; i < PLAYS; i++) {
		const struct stopping times = stop_once(storms[i]);
		const uint64_t stop_ns = walk.last.timestamp_ns;

		ok(stop_ns >= walk.newest_ns && stop_ns <= times.ended_ns,
		   "its STOP is not before anything in the ledger");
		ok(shell("test \"$(sqlite3 -readonly %s/index.db 'SELECT max(to_ns) FROM coverage "
			 "WHERE complete')\" = %llu",
			 store, (unsigned long long)stop_ns) == 0,
		   "which is complete up to then, and no longer");
		taken += stop_ns >= times.asked_ns || times.ended_ns - times.asked_ns > BUSY_NS;
		missing += missing_before(stop_ns);
	}
	ok(taken == PLAYS, "what had happened when it was asked to stop is there (%d of %d)", taken,
	   PLAYS);
	/* A task that has a time for its event and then no CPU for long is rare. */
	ok(missing <= 1, "and all that happened before the STOP (%zu are not)", missing);
}

int main(int argc, char **argv)
{
	const char *refusal = live_kernel_refusal();

	(void)argc;
	if (refusal)
		skip_all("%s", refusal);
	if (!fixture_begin(argv[0], "test_stop"))
		return 1;
	test_stop();
	fixture_end();
	return done_testing();
}
