/* test_reception.c - what is staged when, and in which order.  All around reception.c is played: the sockets, the clock, and who stages.
 */
#include "recorder/reception.h"

#include <string.h>

#include "recorder/clock.h"
#include "schema/wire.h"
#include "tests/tap.h"

enum { CPUS = 2, SOCKET_MAX = 1024, SHELL_PID = 100 };

/* A datagram more than fits, whatever the share of the lane is. */
enum { FLOOD = RING_LANDING_SLOT_COUNT + 1 };

struct connector {
	struct event events[SOCKET_MAX];
	size_t first, end;
};

static struct {
	uint64_t now_ns;
	uint32_t seq[CPUS];
	struct connector sockets[CONNECTOR_LANES];
} kernel;

static struct {
	struct event events[SOCKET_MAX];
	size_t count;
	uint32_t fields[SOCKET_MAX]; /* of an EXEC: what was overtaken, by what was there */
} staged;

static struct session recording;
static struct reception reception;
static uint8_t landing[RING_LANDING_SLOT_COUNT * RING_LANDING_SLOT_BYTES];

/* --- the neighbours --- */

uint64_t clock_monotonic_ns(void)
{
	return kernel.now_ns;
}

int connector_receive(struct connector *connector, uint8_t *slots, size_t slot_bytes, size_t first,
		      size_t count, uint32_t *ret_lengths)
{
	size_t n = 0;

	for (; n < count && connector->first < connector->end; n++) {
		size_t bytes;

		if (wire_encode(&connector->events[connector->first++],
				slots + (first + n) * slot_bytes, slot_bytes, &bytes) < 0)
			abort();
		ret_lengths[n] = (uint32_t)bytes;
	}
	kernel.now_ns += connector == reception.connectors[CONNECTOR_MAIN]; /* it takes a moment */
	return (int)n;
}

int connector_read_state(const struct connector *connector, struct connector_state *ret_state)
{
	(void)connector;
	*ret_state = (struct connector_state){ 0 };
	return 0;
}

int session_wait_room(struct session *session, unsigned waits)
{
	(void)session;
	(void)waits;
	return 0;
}

int intake_take(struct intake *intake, const uint8_t *datagram, size_t bytes,
		const struct overtaken_batch *around)
{
	struct event *event = &staged.events[staged.count], lost;

	(void)intake;
	if (staged.count == SOCKET_MAX || wire_decode(datagram, bytes, event) != 0 ||
	    gaps_feed(recording.gaps, event, &lost) != 0)
		abort();
	staged.fields[staged.count++] = overtaken_fields(around, event, UINT64_MAX);
	return 0;
}

/* --- the machine --- */

/* A process does this now; then a microsecond passes. */
static uint64_t act(enum event_kind kind, uint32_t pid)
{
	const uint32_t cpu = pid % CPUS;
	struct connector *socket =
		&kernel.sockets[kind == EVENT_COMM ? CONNECTOR_NAMES : CONNECTOR_MAIN];
	const uint64_t at_ns = kernel.now_ns;

	if (socket->end == SOCKET_MAX)
		abort();
	socket->events[socket->end++] = (struct event){ .kind = (uint8_t)kind,
							.timestamp_ns = at_ns,
							.cpu = cpu,
							.seq = ++kernel.seq[cpu],
							.pid = pid,
							.tid = pid };
	kernel.now_ns += 1000;
	return at_ns;
}

/* Receives and stages once, at that time. */
static void round_at(uint64_t ns)
{
	kernel.now_ns = ns;
	if (reception_round(&reception, 0) != 0)
		abort();
}

static void begin(void)
{
	memset(&kernel, 0, sizeof(kernel));
	memset(&staged, 0, sizeof(staged));
	memset(&reception, 0, sizeof(reception));
	memset(landing, 0, sizeof(landing));
	gaps_free(recording.gaps);
	recording.gaps = gaps_new();
	if (!recording.gaps)
		abort();
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		gaps_baseline(recording.gaps, cpu, 0, 1);
	reception_init(&reception, &recording, landing);
	for (unsigned i = 0; i < CONNECTOR_LANES; i++)
		reception.connectors[i] = &kernel.sockets[i];
	round_at(1000000);
}

/* Whether these are staged so far, in the order of their time. */
static bool staged_are(size_t count)
{
	for (size_t i = 1; i < staged.count; i++)
		if (staged.events[i].timestamp_ns <= staged.events[i - 1].timestamp_ns)
			return false;
	return staged.count == count;
}

static bool landing_is_zero(void)
{
	for (size_t i = 0; i < sizeof(landing); i++)
		if (landing[i] != 0)
			return false;
	return true;
}

/* --- an EXEC that waits --- */

static void test_held(void)
{
	uint64_t exec_ns;

	begin();
	(void)act(EVENT_FORK, SHELL_PID);
	exec_ns = act(EVENT_EXEC, SHELL_PID);
	(void)act(EVENT_FORK, SHELL_PID + 1);
	(void)act(EVENT_COMM, SHELL_PID + 1);
	round_at(exec_ns + OVERTAKEN_SOON_NS / 2);
	ok(reception.received == 4 && staged_are(1) && staged.events[0].kind == EVENT_FORK,
	   "what was before an EXEC is staged at once");
	ok(!reception.drained && reception.settled_ns < exec_ns,
	   "all behind it waits with it, and is not told as settled");
	round_at(exec_ns + OVERTAKEN_SOON_NS - 1);
	ok(staged_are(1), "until what its process may do soon has been received");
	round_at(exec_ns + OVERTAKEN_SOON_NS);
	ok(staged_are(4) && staged.events[1].kind == EVENT_EXEC,
	   "then all is staged, in the order of time");
	ok(reception.drained && reception.settled_ns == exec_ns + OVERTAKEN_SOON_NS,
	   "and told as settled");
	ok(landing_is_zero(), "invariant 6: where they landed nothing is left of them");
}

static void test_overtaken(void)
{
	uint64_t exec_ns;

	begin();
	exec_ns = act(EVENT_EXEC, SHELL_PID);
	round_at(exec_ns + OVERTAKEN_SOON_NS / 4);
	kernel.now_ns = exec_ns + OVERTAKEN_SOON_NS / 2;
	(void)act(EVENT_EXEC, SHELL_PID);
	round_at(exec_ns + OVERTAKEN_SOON_NS);
	ok(staged_are(1) && staged.fields[0] != 0,
	   "a program that was run soon after another is there when that one is staged");
	round_at(exec_ns + 2 * OVERTAKEN_SOON_NS);
	ok(staged_are(2) && staged.fields[1] == 0, "and has its turn when its own time is over");
}

/* Two EXECs and then so many others that the lane is full. */
static void flood(enum event_kind kind)
{
	begin();
	(void)act(EVENT_EXEC, SHELL_PID);
	(void)act(EVENT_EXEC, SHELL_PID + 1);
	for (unsigned i = 0; i < FLOOD; i++)
		(void)act(kind, SHELL_PID + 2);
}

static void test_full(enum event_kind kind, const char *what)
{
	uint64_t now_ns;

	flood(kind);
	now_ns = kernel.now_ns;
	round_at(now_ns);
	ok(now_ns < 1000000 + OVERTAKEN_SOON_NS && staged.count > 0 &&
		   staged.events[0].kind == EVENT_EXEC,
	   "an EXEC does not wait while %s", what);
	ok(!reception.drained && reception.behind, "that more is there is told");
	if (kind == EVENT_FORK)
		ok(staged_are(1), "the next one does, for there is room again");
	for (unsigned i = 0; i < FLOOD; i++)
		round_at(now_ns + OVERTAKEN_SOON_NS);
	ok(staged_are(FLOOD + 2) && reception.drained, "and all comes in the order of time");
}

static void test_flush(void)
{
	uint64_t exec_ns;

	begin();
	exec_ns = act(EVENT_EXEC, SHELL_PID);
	(void)act(EVENT_FORK, SHELL_PID);
	round_at(exec_ns + OVERTAKEN_SOON_NS / 2);
	ok(staged_are(0) && reception_flush(&reception) == 0 && staged_are(2),
	   "of a stream that is over nothing waits");
	exec_ns = act(EVENT_EXEC, SHELL_PID);
	round_at(exec_ns + OVERTAKEN_SOON_NS / 2);
	ok(staged_are(2), "in the next one an EXEC waits again");
}

/* --- a number that is missing --- */

static void test_hole(void)
{
	struct connector *names = &kernel.sockets[CONNECTOR_NAMES];
	uint64_t named_ns;

	begin();
	named_ns = act(EVENT_COMM, SHELL_PID);
	names->end--; /* it comes when that lane has just been received */
	(void)act(EVENT_FORK, SHELL_PID);
	round_at(kernel.now_ns);
	ok(staged_are(0) && reception.behind && !reception.drained &&
		   reception.settled_ns < named_ns,
	   "while a number may still come nothing behind it is staged, nor told as settled");
	names->end++;
	round_at(kernel.now_ns + 1000);
	ok(staged_are(2) && staged.events[0].kind == EVENT_COMM && reception.drained &&
		   reception.settled_ns > named_ns,
	   "then it is, behind it");
}

/* A time that has not come would never be due. */
static void test_future(void)
{
	begin();
	(void)act(EVENT_FORK, SHELL_PID);
	kernel.sockets[CONNECTOR_MAIN].events[0].timestamp_ns = UINT64_MAX;
	(void)act(EVENT_FORK, SHELL_PID + 1);
	round_at(kernel.now_ns);
	round_at(kernel.now_ns + 1000);
	ok(staged.count == 2, "an event that says to be of the future is staged all the same");
}

/* --- an end --- */

static void test_until(void)
{
	uint64_t until_ns;

	begin();
	(void)act(EVENT_FORK, SHELL_PID);
	until_ns = reception.until_ns = kernel.now_ns + 1;
	kernel.now_ns = until_ns + 1;
	(void)act(EVENT_FORK, SHELL_PID);
	round_at(until_ns + 2000);
	ok(reception.received == 2 && staged_are(1) && reception.settled_ns == until_ns,
	   "what happens behind the end is not staged");
	kernel.now_ns = until_ns - 1;
	(void)act(EVENT_FORK, SHELL_PID + 1);
	round_at(until_ns + 3000);
	ok(reception.received == 3 && staged_are(2), "and what comes late and was before it, is");
}

int main(void)
{
	test_held();
	test_overtaken();
	test_full(EVENT_FORK, "its own lane is full");
	test_full(EVENT_COMM, "the lane of names is full");
	test_flush();
	test_hole();
	test_future();
	test_until();
	gaps_free(recording.gaps);
	return done_testing();
}
