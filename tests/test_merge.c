/* test_merge.c - one order out of two lanes, against a kernel that is played: CPUs that race, sockets that overrun, a reader that comes when it
 * comes.
 */
#include "recorder/merge.h"

#include <string.h>

#include "recorder/gaps.h"
#include "schema/wire.h"
#include "tests/tap.h"

enum { CPUS = 3, SOCKET_MAX = 4096, TASKS = 64, MAIN_SLOTS = 48, NAMES_SLOTS = 16, STEPS = 60000 };
enum { LANE_MAIN, LANE_NAMES };

/* A task's life, in this order. */
enum { UNBORN, BORN, NAMED };

struct socket {
	struct event events[SOCKET_MAX];
	size_t first, end, limit;
	uint64_t drops;
};

static struct {
	uint64_t now_ns, random;
	struct socket sockets[MERGE_LANES];
	uint32_t seq[CPUS];
	uint64_t cpu_ns[CPUS];
	struct {
		int state;
		uint64_t after_ns; /* when its last event was in the socket */
	} tasks[TASKS];
	uint64_t sent;
	unsigned name_percent;
	bool inverted; /* times of one CPU may step back */
} kernel;

static struct {
	uint8_t slots[MERGE_LANES][MAIN_SLOTS * RING_LANDING_SLOT_BYTES];
	struct inbox lanes[MERGE_LANES];
	struct gaps *gaps;
	uint64_t taken, lost, late, misplaced;
	int states[TASKS]; /* of the lives as they were taken; losses excuse */
} reader;

static unsigned draw(unsigned below)
{
	kernel.random = kernel.random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(kernel.random >> 33) % below;
}

/* --- the kernel --- */

static void kernel_send(uint8_t kind, uint32_t task, uint64_t not_before_ns)
{
	const uint32_t cpu = draw(CPUS);
	struct socket *socket = &kernel.sockets[kind == EVENT_COMM ? LANE_NAMES : LANE_MAIN];
	uint64_t stamp_ns = kernel.now_ns - draw(kernel.inverted ? 60 : 8);

	if (stamp_ns <= not_before_ns)
		stamp_ns = not_before_ns + 1;
	if (!kernel.inverted && stamp_ns < kernel.cpu_ns[cpu])
		stamp_ns = kernel.cpu_ns[cpu];
	kernel.cpu_ns[cpu] = stamp_ns;
	kernel.seq[cpu]++;
	kernel.sent++;
	if (socket->end - socket->first >= socket->limit) {
		socket->drops++;
		return;
	}
	socket->events[socket->end++ % SOCKET_MAX] = (struct event){ .kind = kind,
								     .pid = task,
								     .tid = task,
								     .cpu = cpu,
								     .seq = kernel.seq[cpu],
								     .timestamp_ns = stamp_ns };
}

static void kernel_step(void)
{
	const uint32_t task = draw(TASKS);

	kernel.now_ns += 1 + draw(10);
	if (draw(100) < kernel.name_percent && kernel.tasks[task].state == BORN) {
		kernel_send(EVENT_COMM, task, kernel.tasks[task].after_ns);
		kernel.tasks[task].state = NAMED;
	} else if (kernel.tasks[task].state == UNBORN) {
		kernel_send(EVENT_FORK, task, kernel.tasks[task].after_ns);
		kernel.tasks[task].state = BORN;
	} else if (kernel.tasks[task].state == NAMED) {
		kernel_send(EVENT_EXIT, task, kernel.tasks[task].after_ns);
		kernel.tasks[task].state = UNBORN;
	}
	kernel.now_ns++;
	kernel.tasks[task].after_ns = kernel.now_ns;
	kernel.now_ns++;
}

static void kernel_steps(unsigned most)
{
	for (unsigned i = draw(most + 1); i > 0; i--)
		kernel_step();
}

/* --- the reader --- */

static void lane_receive(unsigned lane, uint64_t began_ns)
{
	struct inbox *inbox = &reader.lanes[lane];
	struct socket *socket = &kernel.sockets[lane];
	const size_t room = inbox_room(inbox);
	size_t n = 0;

	for (; n < room && socket->first < socket->end; n++, socket->first++) {
		size_t bytes = 0;

		if (wire_encode(&socket->events[socket->first % SOCKET_MAX],
				inbox->slots + (inbox->next + n) * RING_LANDING_SLOT_BYTES,
				RING_LANDING_SLOT_BYTES, &bytes) < 0)
			abort();
		inbox->lengths[inbox->next + n] = (uint32_t)bytes;
	}
	inbox_add(inbox, n, n < room, began_ns, ++kernel.now_ns);
	kernel.now_ns++;
}

static void take(const struct merge_pick *pick)
{
	struct inbox *inbox = &reader.lanes[pick->lane];
	const uint32_t slot = inbox->entries[pick->at].slot;
	struct event event, lost;
	int r;

	if (wire_decode(inbox->slots + slot * RING_LANDING_SLOT_BYTES, inbox->lengths[slot],
			&event) != 0)
		abort();
	r = gaps_feed(reader.gaps, &event, &lost);
	reader.lost += r == GAPS_LOST ? lost.arg[0] : 0;
	reader.late += r == GAPS_BACK;
	reader.taken++;
	if (event.pid < TASKS) {
		int *state = &reader.states[event.pid];

		reader.misplaced += (event.kind == EVENT_FORK && *state != UNBORN) ||
				    (event.kind == EVENT_COMM && *state != BORN) ||
				    (event.kind == EVENT_EXIT && *state != NAMED);
		*state = event.kind == EVENT_FORK   ? BORN
			 : event.kind == EVENT_COMM ? NAMED
						    : UNBORN;
	}
	inbox_remove(inbox, pick->at);
}

static void round_once(unsigned busy)
{
	const uint64_t began_ns = ++kernel.now_ns;
	struct merge_pick pick;
	uint64_t second_ns;

	kernel_steps(busy);
	lane_receive(LANE_NAMES, began_ns);
	kernel_steps(busy);
	second_ns = ++kernel.now_ns;
	kernel_steps(busy);
	lane_receive(LANE_MAIN, second_ns);
	kernel_steps(busy);
	while (merge_next(reader.lanes, reader.gaps, merge_until_ns(reader.lanes, began_ns),
			  &pick) == 0)
		take(&pick);
}

/* Plays with sockets of these sizes; then an event of each CPU closes all holes. */
static void play(uint64_t seed, size_t main_limit, size_t names_limit)
{
	kernel.random = seed;
	kernel.now_ns = 1000;
	kernel.sockets[LANE_MAIN].limit = main_limit;
	kernel.sockets[LANE_NAMES].limit = names_limit;
	reader.gaps = gaps_new();
	inbox_init(&reader.lanes[LANE_MAIN], reader.slots[LANE_MAIN], MAIN_SLOTS);
	inbox_init(&reader.lanes[LANE_NAMES], reader.slots[LANE_NAMES], NAMES_SLOTS);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		kernel.seq[cpu] = 0 - 1000 * (cpu + 1); /* soon they go round */
		gaps_baseline(reader.gaps, cpu, kernel.seq[cpu], 1);
	}
	for (unsigned steps = 0; steps < STEPS;) {
		const uint64_t before = kernel.sent;

		kernel_steps(draw(8) == 0 ? 200 : 10);
		round_once(draw(4));
		steps += (unsigned)(kernel.sent - before) + 1;
	}
	for (int i = 0; i < SOCKET_MAX; i++)
		round_once(0);
	for (unsigned sent[CPUS] = { 0 }, all = 0; all < CPUS;) {
		const uint32_t cpu_seq[CPUS] = { kernel.seq[0], kernel.seq[1], kernel.seq[2] };

		kernel.now_ns += 10;
		kernel_send(EVENT_EXIT, TASKS, kernel.now_ns);
		for (uint32_t cpu = 0; cpu < CPUS; cpu++)
			all += kernel.seq[cpu] != cpu_seq[cpu] && sent[cpu]++ == 0;
	}
	for (int i = 0; i < 10; i++)
		round_once(0);
	gaps_free(reader.gaps);
}

static uint64_t drops(void)
{
	return kernel.sockets[0].drops + kernel.sockets[1].drops;
}

static void begin(unsigned name_percent, bool inverted)
{
	memset(&kernel, 0, sizeof(kernel));
	memset(&reader, 0, sizeof(reader));
	kernel.name_percent = name_percent;
	kernel.inverted = inverted;
}

static void test_whole(uint64_t seed)
{
	begin(80, false);
	play(seed, SOCKET_MAX, SOCKET_MAX);
	ok(drops() == 0 && reader.lost == 0 && reader.late == 0 && reader.taken == kernel.sent,
	   "nothing overruns: every event is taken once, by number (%llu)",
	   (unsigned long long)reader.taken);
	ok(reader.misplaced == 0, "every task is born, then named, then ends (%llu not)",
	   (unsigned long long)reader.misplaced);
}

static void test_inverted(uint64_t seed)
{
	begin(80, true);
	play(seed, SOCKET_MAX, SOCKET_MAX);
	ok(reader.taken == kernel.sent && reader.lost == 0 && reader.late == 0,
	   "where times of a CPU step back, too (%llu of %llu late)",
	   (unsigned long long)reader.late, (unsigned long long)kernel.sent);
}

static void test_overrun(uint64_t seed, size_t main_limit, size_t names_limit, const char *what)
{
	begin(80, false);
	play(seed, main_limit, names_limit);
	ok(drops() > 100 && reader.lost == drops() && reader.late == 0 &&
		   reader.taken + drops() == kernel.sent,
	   "%s: what is lost is what did not fit, to the event (%llu of %llu; %llu late, %llu "
	   "counted)",
	   what, (unsigned long long)drops(), (unsigned long long)kernel.sent,
	   (unsigned long long)reader.late, (unsigned long long)reader.lost);
}

int main(int argc, char **argv)
{
	const uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 3;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		test_whole(seed);
		test_inverted(seed);
		test_overrun(seed, SOCKET_MAX, 12, "the lane of names overruns");
		test_overrun(seed, 20, SOCKET_MAX, "the main lane overruns");
		test_overrun(seed, 20, 12, "both overrun");
	}
	return done_testing();
}
