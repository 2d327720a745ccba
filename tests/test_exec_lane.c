/* test_exec_lane.c - lanes on the real kernel: what they read, CPUs that come and go, threads that are told or fail.  Needs root and the
 * kernel's events, else skipped. */
#include "recorder/exec_lane.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "recorder/clock.h"
#include "recorder/exec_table.h"
#include "schema/detail.h"
#include "schema/event.h"
#include "schema/wire.h"
#include "tests/clocks.h"
#include "tests/hog.h"
#include "tests/live_kernel.h"
#include "tests/tap.h"

enum { TRIES = 200, FDS = 256 };

static unsigned said;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	(void)format;
	said++;
}

static uint8_t packed[EVENT_DETAIL_MAX_BYTES];
static uint8_t datagram[256];

/* Runs a program whose only argument is this, waits for its EXEC and takes what the lane has read of it.  As exec_lanes_take(). */
static int run_and_take(struct exec_lanes *lanes, struct connector *main_lane, const char *text,
			struct detail *ret_detail)
{
	struct event event = { 0 };
	size_t bytes = 0;
	uint64_t read_ns;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/true", "true", text, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
	for (int i = 0; i < TRIES; i++) {
		uint32_t length = 0;
		int r;

		if (connector_receive(main_lane, datagram, sizeof(datagram), 0, 1, &length) != 1) {
			rest_ms(5);
			continue;
		}
		if (wire_decode(datagram, length, &event) != 0 || event.kind != EVENT_EXEC ||
		    event.pid != (uint32_t)pid) {
			i--; /* of others there may be many */
			continue;
		}
		while ((r = exec_lanes_take(lanes, event.cpu, event.seq, packed, &bytes,
					    &read_ns)) == EXEC_TABLE_NOT_YET &&
		       i++ < TRIES)
			rest_ms(5);
		if (r == 0 && detail_unpack(packed, bytes, ret_detail) < 0)
			return -1;
		return r;
	}
	return -1;
}

static void test_cpus(struct exec_lanes *lanes)
{
	struct cpus online, more;
	unsigned count = exec_lanes_count(lanes);
	const uint64_t now_ns = clock_monotonic_ns();
	uint32_t absent = 0;

	(void)cpus_online(&online);
	ok(count == (cpus_count(&online) < EXEC_LANES_MAX ? cpus_count(&online) : EXEC_LANES_MAX),
	   "every CPU that is on line has a lane, or shares one (%u)", count);
	while (cpus_has(&online, absent))
		absent++;
	more = online;
	CPU_SET_S(absent, sizeof(more), more.sets);
	exec_lanes_look(lanes, &more, now_ns);
	ok(exec_lanes_count(lanes) == (count < EXEC_LANES_MAX ? count + 1 : count),
	   "a CPU that comes later gets one");
	exec_lanes_look(lanes, &online, now_ns);
	exec_lanes_look(lanes, &more, now_ns);
	ok(exec_lanes_count(lanes) <= count + 1 && said == 0,
	   "it may go and come again, and is known then");
	exec_lanes_look(lanes, &online, now_ns);
}

/* --- what can befall a lane's thread --- */

static const char argument[] = "a lane of its own";

static bool is_read(const struct detail *detail)
{
	static const char wanted[] = "true\0a lane of its own";
	const struct detail_field *argv = &detail->field[DETAIL_ARGV];

	return argv->state == DETAIL_READ && argv->bytes == sizeof(wanted) &&
	       memcmp(argv->data, wanted, sizeof(wanted)) == 0;
}

static void test_told(struct exec_lanes *lanes, struct connector *main_lane)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	const enum realtime_mode mode = exec_lanes_mode(lanes);
	const uint64_t now_ns = clock_monotonic_ns();
	struct detail detail = { 0 };
	struct cpus online;
	unsigned read = 0;

	(void)cpus_online(&online);
	/* Each goes to a thread that does not block it: ours does. */
	for (unsigned i = 0; i < 2 * exec_lanes_count(lanes); i++) {
		(void)kill(getpid(), SIGXCPU);
		(void)nanosleep(&pause, NULL);
	}
	for (int i = 0; i < 8; i++)
		read += run_and_take(lanes, main_lane, argument, &detail) == 0;
	ok(read == 8, "a thread that was told to rest goes on reading (%u of 8)", read);
	exec_lanes_look(lanes, &online, now_ns);
	if (mode == REALTIME_FIFO)
		ok(said > 0 && exec_lanes_mode(lanes) == REALTIME_DEFAULT,
		   "that it is not before all others any more is said, and seen");
	exec_lanes_look(lanes, &online, now_ns + UINT64_C(11000000000));
	ok(exec_lanes_mode(lanes) == mode, "until it is put back");
	said = 0;
}

/* Puts a file that is no socket in the place of every socket of the connector from this descriptor on. */
static void sockets_spoil(int first)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int fd = first; fd < FDS; fd++) {
		int protocol = -1;
		socklen_t bytes = sizeof(protocol);

		if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &bytes) == 0 &&
		    protocol == NETLINK_CONNECTOR)
			(void)dup3(null, fd, O_CLOEXEC);
	}
	(void)close(null);
}

static void test_failed(struct exec_lanes *lanes, struct connector *main_lane, int first_fd)
{
	const enum realtime_mode mode = exec_lanes_mode(lanes);
	struct detail detail = { 0 };
	struct cpus online;
	unsigned nothing = 0;

	(void)cpus_online(&online);
	sockets_spoil(first_fd);
	for (uint32_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++) {
		const struct cpus one = cpus_range(cpu, cpu);

		if (cpus_has(&online, cpu) && sched_setaffinity(0, sizeof(one), one.sets) == 0)
			nothing += run_and_take(lanes, main_lane, argument, &detail) ==
				   EXEC_TABLE_NOTHING;
	}
	(void)sched_setaffinity(0, sizeof(online), online.sets);
	ok(exec_lanes_mode(lanes) == REALTIME_DEFAULT && nothing > 0,
	   "a lane whose socket fails has nothing, and nobody waits for it");
	exec_lanes_look(lanes, &online, clock_monotonic_ns());
	ok(said > 0 && said <= exec_lanes_count(lanes), "that is said once");
	ok(exec_lanes_mode(lanes) == mode &&
		   run_and_take(lanes, main_lane, argument, &detail) == 0 &&
		   (mode != REALTIME_FIFO || is_read(&detail)),
	   "and it begins anew");
	said = 0;
}

static void test_hog(const struct procfs_setup *setup)
{
	struct exec_lanes *lanes = NULL;
	uint64_t begin_ms = now_ms(), opened_ms, closed_ms;
	uint32_t cpu;
	pid_t hog = hog_begin(1500, &cpu);
	int r;

	if (hog == 0) {
		ok(true, "a real-time task that spins # SKIP it takes two CPUs, and permission");
		return;
	}
	r = exec_lanes_open(setup, say, &lanes);
	opened_ms = now_ms() - begin_ms;
	exec_lanes_close(lanes);
	closed_ms = now_ms() - begin_ms;
	ok(hog_end(hog) && r == 0,
	   "lanes open and close while a real-time task spins on a CPU (%llu, %llu ms)",
	   (unsigned long long)opened_ms, (unsigned long long)closed_ms);
}

int main(void)
{
	const struct procfs_setup setup = { .path = "/proc", .argv_max_bytes = 4096 };
	const char *refusal = live_kernel_refusal();
	struct connector *connectors[CONNECTOR_LANES];
	struct exec_lanes *lanes = NULL;
	struct detail detail = { 0 };
	uint64_t from_ns;
	int r;

	if (refusal)
		skip_all("%s", refusal);
	if (connector_open(connectors, &from_ns) != 0)
		return 1;
	(void)realtime_guard();
	r = exec_lanes_open(&setup, say, &lanes);
	ok(r == 0, "lanes are opened");
	if (r != 0)
		return done_testing();
	test_cpus(lanes);
	r = run_and_take(lanes, connectors[CONNECTOR_MAIN], argument, &detail);
	if (exec_lanes_mode(lanes) == REALTIME_FIFO)
		ok(r == 0 && is_read(&detail),
		   "what a program was given is read, and found by the number of its EXEC");
	else
		ok(r >= 0, "what a program was given # SKIP no permission for real-time threads");
	ok(said == 0, "nothing is to be said");
	test_told(lanes, connectors[CONNECTOR_MAIN]);
	test_failed(lanes, connectors[CONNECTOR_MAIN],
		    connector_fd(connectors[CONNECTOR_NAMES]) + 1);
	exec_lanes_close(lanes);
	ok(said == 0, "closing says nothing");
	test_hog(&setup);
	for (unsigned i = 0; i < CONNECTOR_LANES; i++)
		connector_close(connectors[i]);
	return done_testing();
}
