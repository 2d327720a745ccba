#include "recorder/live.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "recorder/canary.h"
#include "recorder/clock.h"
#include "recorder/connector.h"
#include "recorder/cpus.h"
#include "recorder/exec_lane.h"
#include "recorder/pulse.h"
#include "recorder/realtime.h"
#include "recorder/reception.h"
#include "recorder/redact_setup.h"
#include "recorder/refusal.h"
#include "recorder/rescan.h"
#include "recorder/session.h"
#include "recorder/snapshot.h"
#include "schema/cleanup.h"
#include "schema/ring_format.h"

/* Being woken for every event is most of what a listener costs.  So the sockets, which hold seconds of a storm, are left alone after they were
 * read empty: for a little, so that what happens is soon seen; for longer where much comes, but not for more than so many events. */
enum { REST_MS = 5, REST_MIN_MS = 2, REST_MAX_MS = 20, FEW_EVENTS = 32, REST_EVENTS = 4096 };

/* Under a storm that never lets the socket run empty signals and clocks have their turn after so long, and the machine its rest from a thread
 * that is before all others (REALTIME_LIMIT_MS). */
#define TURN_NS UINT64_C(20000000)

/* How long what two old sockets still hold may take. */
#define FAREWELL_NS UINT64_C(1000000000)

#define CLOCK_LOOK_NS   UINT64_C(100000000)
#define THREADS_LOOK_NS UINT64_C(1000000000)

/* How long what had happened before a signal may take: all is to be over within a second. */
#define FINISH_NS UINT64_C(400000000)

/* A deaf socket wakes nobody: so often it is looked at without.  No part of CANARY_PERIOD_MS, or each look might fall just behind a canary. */
enum { IDLE_MS = 370 };

/* How often the pulse is felt; and how long a new socket is given when one after the other falls silent. */
#define PULSE_LOOK_NS      UINT64_C(50000000)
#define BLIND_PAUSE_MIN_NS UINT64_C(1000000000)
#define BLIND_PAUSE_MAX_NS UINT64_C(60000000000)

struct live {
	struct session session;
	struct reception reception;
	bool adopted;     /* the sockets are those of a run that ended before its time */
	uint64_t from_ns; /* else: from when on they have everything */
	int step_fd;      /* readable when the wall clock was set; -1: not to be had */
	struct clock_reading clock;
	uint64_t clock_look_ns;        /* not before then */
	struct exec_lanes *exec_lanes; /* NULL: there are none */
	struct realtime receiver, sealer, syncer;
	struct realtime_watch *watch; /* over them; NULL: there is none */
	uint64_t threads_look_ns;     /* not before then */

	ready_fn *ready;
	void *ready_context;

	/* Silence: NULL where no canaries can be sent. */
	struct canary *canary;
	struct pulse *pulse;
	struct cpus held; /* CPUs of which it was said that they hold it */
	uint32_t cpus;
	uint64_t pulse_look_ns, blind_pause_ns;
	uint64_t good_ns; /* when the counts below were equal */
	uint64_t good_kernel_forks, good_staged_forks;

	struct rescan rescan;
};

/* --- clocks --- */

static void suspended_set(struct live *live, const struct clock_reading *now)
{
	intake_set_suspended(live->session.intake, clock_suspended_ns(now));
	if (live->exec_lanes)
		exec_lanes_set_suspended(live->exec_lanes, clock_suspended_ns(now));
}

static int clock_stage(struct live *live, const struct clock_reading *now, unsigned reason)
{
	struct event event = clock_event(now, reason);

	live->clock = *now;
	suspended_set(live, now);
	return session_stage(&live->session, &event);
}

static int clock_look(struct live *live)
{
	bool stepped = live->step_fd >= 0 && clock_step_take(live->step_fd);
	uint64_t now_ns = clock_monotonic_ns();
	struct clock_reading now;
	unsigned reason;

	if (!stepped && now_ns < live->clock_look_ns)
		return 0;
	live->clock_look_ns = now_ns + CLOCK_LOOK_NS;
	clock_read(&now);
	if (!clock_due(&live->clock, &now, stepped, &reason))
		return 0;
	return clock_stage(live, &now, reason);
}

/* --- start --- */

static int snapshot_stage(void *context, struct event *event)
{
	return session_stage(context, event);
}

/* The socket that this ring was recorded from is still there: nothing was missed, whatever ended the last run. */
static bool continues(const struct live *live)
{
	return live->adopted && live->session.opened.same_boot;
}

static int recovery_stage(struct live *live)
{
	const struct ring_opened *opened = &live->session.opened;
	struct event event = {
		.kind = EVENT_RECOVERY,
		.timestamp_ns = clock_monotonic_ns(),
		.cpu = EVENT_CPU_NONE,
		.arg = { opened->staged_events, 0, opened->torn_slots },
	};
	int r;

	/* Also behind a STOP in order: what came in its last moment is there. */
	event.arg[1] = reception_adopt(&live->reception);
	r = opened->clean ? 0 : session_stage(&live->session, &event);
	/* What goes on in the sockets is taken with the rest of them; else what follows is another stream. */
	if (r == 0 && !continues(live)) {
		r = reception_flush(&live->reception);
		gaps_baseline_all(live->session.gaps);
		live->reception.from_ns = live->from_ns;
	}
	return r;
}

static int start_stage(struct live *live, const struct clock_reading *now)
{
	struct session *session = &live->session;
	unsigned flags = session->opened.same_boot ? EVENT_START_SAME_BOOT : 0;
	int r;

	if (continues(live)) {
		flags |= EVENT_START_CONTINUED;
		gaps_continue(session->gaps);
	}
	r = session_stage_start(session, now->monotonic_ns, flags);
	suspended_set(live, now);
	if (r == 0)
		r = recovery_stage(live);
	return r == 0 ? clock_stage(live, now, EVENT_CLOCK_AT_START) : r;
}

static int snapshot_stage_all(struct session *session, const struct clock_reading *now)
{
	int why;
	int r = snapshot_take(session->procfs, clock_suspended_ns(now), snapshot_stage, session,
			      &why);

	if (r != SNAPSHOT_PARTIAL)
		return r;
	session->say("cannot read from /proc every task that already runs: %s; who ended unseen "
		     "will be taken for alive",
		     strerror(-why));
	return 0;
}

static void cpus_visit(const struct live *live)
{
	size_t cpus;
	int r = canary_send(&cpus);

	if (r < 0)
		live->session.say("cannot visit every CPU: %s; what is lost before a CPU's first "
				  "event cannot be counted",
				  strerror(-r));
	else if (r == CANARY_HELD)
		live->session.say("cannot visit every CPU: real-time tasks hold some; what is lost "
				  "before a CPU's first event cannot be counted");
}

/* The order matters: the socket is open and every CPU has sent its canary before /proc is looked at, so whatever the snapshot misses is in the
 * socket; and the snapshot is staged before anything is read from it, so that a life is known before its events.
 * A stream that goes on needs neither. */
static int begin(struct live *live)
{
	struct session *session = &live->session;
	struct clock_reading now;
	int r;

	if (!continues(live))
		cpus_visit(live);
	clock_read(&now);
	r = start_stage(live, &now);
	if (r == 0 && !continues(live))
		r = snapshot_stage_all(session, &now);
	return r;
}

/* --- before all others --- */

/* In a storm every CPU has a long queue, and the sockets hold little more than a second of it.  Only what is short is done so: a snapshot is not.
 * Threads made from then on, the canaries, are so, too. */
static void receiver_hurry(struct live *live)
{
	realtime_listen();
	realtime_enter(&live->receiver, gettid(), REALTIME_RECEIVER);
}

static void threads_hurry(struct live *live)
{
	const pid_t others[REALTIME_OTHERS] = { sealer_tid(live->session.sealer),
						syncer_tid(live->session.syncer) };
	int r = realtime_watch_start(others, &live->watch);

	if (r < 0) {
		live->session.say("cannot start the thread that watches over real-time ones: %s; "
				  "in a storm, events may be lost",
				  strerror(-r));
		return;
	}
	receiver_hurry(live);
	realtime_enter(&live->sealer, others[0], REALTIME_RECEIVER);
	realtime_enter(&live->syncer, others[1], REALTIME_RECEIVER);
}

static void threads_rest(struct live *live)
{
	if (!live->watch)
		return;
	realtime_watch_stop(steal_pointer(live->watch));
	realtime_leave(live->receiver.tid);
	if (live->session.sealer)
		realtime_leave(live->sealer.tid);
	realtime_leave(live->syncer.tid);
}

static void threads_look(struct live *live)
{
	const uint64_t now_ns = clock_monotonic_ns();
	struct cpus online;

	if (now_ns < live->threads_look_ns)
		return;
	live->threads_look_ns = now_ns + THREADS_LOOK_NS;
	if (live->exec_lanes && cpus_online(&online) == 0)
		exec_lanes_look(live->exec_lanes, &online, now_ns);
	if (!live->watch)
		return;
	if (realtime_look(&live->receiver, now_ns))
		live->session.say(
			"the thread that receives lost its priority: it did not rest for "
			"%d ms again and again, or real-time tasks hold every CPU; in a storm, "
			"events may be lost",
			REALTIME_LIMIT_MS);
	/* A keyframe of tens of thousands of processes takes the sealer longer than the guard allows: that is no running away. */
	if (realtime_mode_of(&live->receiver) == REALTIME_FIFO) {
		realtime_again(&live->sealer);
		realtime_again(&live->syncer);
	}
}

/* --- silence --- */

static void pulse_begin(struct live *live)
{
	const long cpus = sysconf(_SC_NPROCESSORS_CONF);
	uint64_t from_ns = 0;
	int r;

	live->cpus = cpus < 1 ? 1 : cpus > GAPS_CPU_LIMIT ? GAPS_CPU_LIMIT : (uint32_t)cpus;
	/* A socket that was taken over may have been deaf already. */
	for (uint32_t cpu = 0; continues(live) && cpu < live->cpus; cpu++) {
		uint64_t last_ns = gaps_last_ns(live->session.gaps, cpu);

		from_ns = last_ns > from_ns ? last_ns : from_ns;
	}
	live->pulse = pulse_new(live->cpus, from_ns ? from_ns : clock_monotonic_ns());
	r = live->pulse ? canary_start(&live->canary) : -ENOMEM;
	if (r < 0)
		live->session.say("cannot start the thread that sends canaries: %s; silence of the "
				  "kernel will not be noticed",
				  strerror(-r));
	live->blind_pause_ns = BLIND_PAUSE_MIN_NS;
}

static void pulse_end(struct live *live)
{
	canary_stop(live->canary);
	pulse_free(live->pulse);
	live->canary = NULL;
	live->pulse = NULL;
}

/* Says once of every CPU that canaries do not get through there. */
static void canary_look(struct live *live, uint64_t now_ns)
{
	uint32_t cpu;

	if (!canary_held(live->canary, now_ns, &cpu) || cpus_has(&live->held, cpu))
		return;
	CPU_SET_S(cpu, sizeof(live->held), live->held.sets);
	live->session.say("CPU %u is held by a real-time task: silence of the kernel cannot be "
			  "noticed there",
			  cpu);
}

/* Births that the kernel has counted and we have not since all was well: at least so many were missed. */
static uint64_t forks_missed(const struct live *live)
{
	uint64_t kernel_forks,
		staged = intake_forks(live->session.intake) - live->good_staged_forks;

	if (live->good_ns == 0 || procfs_read_forks(live->session.procfs, &kernel_forks) < 0)
		return 0;
	kernel_forks -= live->good_kernel_forks;
	return kernel_forks > staged ? kernel_forks - staged : 0;
}

/* As begin(), on another socket. */
static int blind_stage(struct live *live, uint64_t missed)
{
	struct session *session = &live->session;
	struct event event = {
		.kind = EVENT_BLIND,
		.cpu = EVENT_CPU_NONE,
		.arg = { missed, pulse_good_ns(live->pulse) },
	};
	struct clock_reading now;
	int r;

	cpus_visit(live);
	clock_read(&now);
	event.timestamp_ns = now.monotonic_ns;
	r = session_stage(session, &event);
	if (r == 0)
		r = snapshot_stage_all(session, &now);
	session->say("the kernel had fallen silent for %.1f s: listening on a new socket, %" PRIu64
		     " fork%s missed",
		     (double)(event.timestamp_ns - event.arg[1]) / 1e9, missed,
		     missed == 1 ? " was" : "s were");
	pulse_restart(live->pulse, event.timestamp_ns);
	return r;
}

static void connectors_close(struct reception *reception)
{
	for (unsigned i = 0; i < CONNECTOR_LANES; i++) {
		connector_close(reception->connectors[i]);
		reception->connectors[i] = NULL;
	}
}

static struct kept connectors_kept(const struct live *live)
{
	struct kept kept;

	_Static_assert((int)CONNECTOR_LANES == (int)KEPT_FDS, "every lane's socket is kept");
	for (unsigned i = 0; i < CONNECTOR_LANES; i++)
		kept.fds[i] = connector_fd(live->reception.connectors[i]);
	return kept;
}

static int sockets_renew(struct live *live)
{
	struct connector *fresh[CONNECTOR_LANES];
	struct kept kept;
	const uint64_t missed = forks_missed(live);
	int r = connector_open(fresh, &live->from_ns);

	live->pulse_look_ns = clock_monotonic_ns() + live->blind_pause_ns;
	if (live->watch)
		realtime_leave(live->receiver.tid);
	if (r != 0) {
		if (live->blind_pause_ns == BLIND_PAUSE_MIN_NS)
			live->session.say(
				"the kernel has fallen silent, and there is no new socket "
				"to be had; it will be tried again");
	} else {
		/* What the old ones got after all is older than what the new ones get. */
		r = reception_round(&live->reception, FAREWELL_NS);
		if (r == 0)
			r = reception_flush(&live->reception);
		gaps_base_all(live->session.gaps);
		connectors_close(&live->reception);
		memcpy(live->reception.connectors, fresh, sizeof(fresh));
		live->reception.from_ns = live->from_ns;
		if (r == 0)
			r = blind_stage(live, missed);
		live->good_ns = 0;
		kept = connectors_kept(live);
		if (r == 0)
			live->ready(live->ready_context, &kept);
	}
	if (live->watch)
		receiver_hurry(live);
	live->blind_pause_ns *= 2;
	if (live->blind_pause_ns > BLIND_PAUSE_MAX_NS)
		live->blind_pause_ns = BLIND_PAUSE_MAX_NS;
	return r < 0 ? r : 0;
}

/* Feels the pulse.  Everything that had come has been taken: only then is nothing having come a sign. */
static int pulse_look(struct live *live)
{
	const uint64_t now_ns = clock_monotonic_ns();
	uint64_t good_ns;

	if (live->canary)
		canary_look(live, now_ns);
	if (!live->canary || !live->reception.drained || now_ns < live->pulse_look_ns)
		return 0;
	live->pulse_look_ns = now_ns + PULSE_LOOK_NS;
	for (uint32_t cpu = 0; cpu < live->cpus; cpu++)
		pulse_note(live->pulse, cpu, canary_sent_ns(live->canary, cpu),
			   gaps_last_ns(live->session.gaps, cpu));
	if (pulse_silent(live->pulse, now_ns))
		return sockets_renew(live);
	good_ns = pulse_good_ns(live->pulse);
	if (good_ns < live->good_ns + BLIND_PAUSE_MIN_NS / 2)
		return 0;
	live->blind_pause_ns = BLIND_PAUSE_MIN_NS;
	if (procfs_read_forks(live->session.procfs, &live->good_kernel_forks) == 0) {
		live->good_staged_forks = intake_forks(live->session.intake);
		live->good_ns = good_ns;
	}
	return 0;
}

/* --- loss --- */

/* What the snapshot misses waits in the sockets. */
static int rescan_look(struct live *live)
{
	struct session *session = &live->session;
	struct event event = { .kind = EVENT_RESCAN, .cpu = EVENT_CPU_NONE };
	struct clock_reading now;
	int r;

	clock_read(&now);
	event.timestamp_ns = now.monotonic_ns;
	event.arg[0] = rescan_done(&live->rescan, now.monotonic_ns);
	if (live->watch)
		realtime_leave(live->receiver.tid);
	r = session_stage(session, &event);
	if (r == 0)
		r = snapshot_stage_all(session, &now);
	if (live->watch)
		receiver_hurry(live);
	if (event.arg[0] > 0)
		session->say("%" PRIu64 " event%s lost: who lives was looked up in /proc again",
			     event.arg[0], event.arg[0] == 1 ? " was" : "s were");
	return r;
}

/* --- the exec lanes --- */

static void lanes_open(struct live *live, const struct procfs_setup *procfs, say_fn *say)
{
	int r = exec_lanes_open(procfs, say, &live->exec_lanes);

	if (r != 0)
		say("cannot read programs the moment they are run: %s; short-lived ones may stay "
		    "without arguments",
		    r < 0 ? strerror(-r) : "the kernel gives no second socket");
	else if (exec_lanes_mode(live->exec_lanes) != REALTIME_FIFO)
		say("no permission for real-time threads (CAP_SYS_NICE): programs that live for "
		    "less than some milliseconds may stay without arguments");
}

/* --- the loop --- */

/* Whether all that has come is staged, and nothing has come in the last round, which began with `before` received. */
static bool is_quiet(const struct live *live, uint64_t before)
{
	const struct reception *reception = &live->reception;

	return reception->received == before &&
	       inbox_pending(&reception->inboxes[CONNECTOR_MAIN]) == 0 &&
	       inbox_pending(&reception->inboxes[CONNECTOR_NAMES]) == 0;
}

/* How long to rest after `events` have come within a time. */
static unsigned rest_ms(uint64_t events, uint64_t ns)
{
	uint64_t ms;

	if (events < FEW_EVENTS)
		return REST_MS;
	ms = REST_EVENTS * (ns / 1000) / events / 1000;
	return ms < REST_MIN_MS ? REST_MIN_MS : ms > REST_MAX_MS ? REST_MAX_MS : (unsigned)ms;
}

/* Sleeps: when all is quiet, until something comes; and in any case a little, so that more comes with it. */
static void idle(struct live *live, bool quiet, unsigned ms)
{
	struct pollfd waits[] = {
		{ .fd = live->step_fd, .events = POLLIN },
		{ .fd = live->session.signal_fd, .events = POLLIN },
		{ .fd = connector_fd(live->reception.connectors[CONNECTOR_MAIN]),
		  .events = POLLIN },
		{ .fd = connector_fd(live->reception.connectors[CONNECTOR_NAMES]),
		  .events = POLLIN },
	};

	if (quiet)
		(void)poll(waits, sizeof(waits) / sizeof(waits[0]), IDLE_MS);
	(void)session_rest(&live->session, ms);
}

static int loop(struct live *live)
{
	const struct ring_opened *opened = &live->session.opened;
	uint64_t round_ns = clock_monotonic_ns();

	live->rescan.unsure = continues(live) && !opened->clean && opened->lost_total > 0;
	while (!live->session.signal) {
		const uint64_t before = live->reception.received, before_ns = round_ns;
		int r = reception_round(&live->reception, TURN_NS);

		if (r == 0)
			r = clock_look(live);
		if (r == 0)
			r = pulse_look(live);
		if (r == 0)
			r = session_stage_errors(&live->session);
		round_ns = clock_monotonic_ns();
		if (r == 0 &&
		    rescan_due(&live->rescan, gaps_lost_recording(live->session.gaps), round_ns) &&
		    live->reception.drained &&
		    rescan_is_calm(live->reception.received - before, round_ns - before_ns))
			r = rescan_look(live);
		if (r < 0)
			return r;
		threads_look(live);
		idle(live, is_quiet(live, before),
		     live->reception.behind
			     ? REST_MIN_MS
			     : rest_ms(live->reception.received - before, round_ns - before_ns));
	}
	return 0;
}

/* What had happened when the signal came is taken, and a last event of every CPU, behind which nothing of before can be missing; not what a
 * storm sends meanwhile. */
static int finish(struct live *live)
{
	uint64_t drops = 0, stop_ns, rest_ns = 0;
	size_t cpus;
	int r;

	(void)canary_send(&cpus);
	live->reception.until_ns = stop_ns = clock_monotonic_ns();
	do {
		/* Between its time and the socket an event takes a moment, and longer where we came before its task. */
		if (clock_monotonic_ns() >= rest_ns) {
			(void)session_rest(&live->session, REST_MIN_MS);
			rest_ns = clock_monotonic_ns() + TURN_NS;
		}
		r = reception_round(&live->reception, 0);
	} while (r == 0 && live->reception.settled_ns < stop_ns &&
		 clock_monotonic_ns() < stop_ns + FINISH_NS);
	(void)reception_drops(&live->reception, &drops);
	/* The ledger is complete until then, and no longer. */
	stop_ns = live->reception.settled_ns;
	if (stop_ns < intake_last_ns(live->session.intake))
		stop_ns = intake_last_ns(live->session.intake);
	if (stop_ns == 0)
		stop_ns = live->clock.monotonic_ns; /* nothing ever came */
	if (r == 0)
		r = session_stage_stop(&live->session, stop_ns, live->reception.received, drops);
	return r < 0 ? r : session_end(&live->session);
}

/* Ends the run and says how it went. */
static int outcome(struct live *live, int r, struct verdict *ret_verdict)
{
	const struct session *session = &live->session;

	if (r == -EINTR)
		return verdict_set(ret_verdict, VERDICT_FAILED,
				   "the ring could not take everything before the end: what is "
				   "missing will be counted at the next start");
	if (r < 0)
		return verdict_set(ret_verdict, VERDICT_FAILED, "recording failed: %s",
				   strerror(-r));
	if (gaps_lost_recording(session->gaps) > 0)
		session->say("%" PRIu64 " events were lost while recording; the ledger says when",
			     gaps_lost_recording(session->gaps));
	session->say("ended by %s: %" PRIu64 " events received",
		     session->signal == SIGINT   ? "SIGINT"
		     : session->signal == SIGHUP ? "SIGHUP"
						 : "SIGTERM",
		     live->reception.received);
	return verdict_set(ret_verdict, VERDICT_OK, "%s", "");
}

static void begin_say(const struct live *live)
{
	const struct session *session = &live->session;

	session->say("recording into %s, boot %u, from event %" PRIu64 " on%s%s",
		     session->options->store, session->boot_no, session->opened.next_event_no,
		     session->opened.clean ? "" : "; the last run did not end in order",
		     continues(live) ? "; its sockets are still there" : "");
	if (gaps_lost_down(session->gaps) > 0)
		session->say("%" PRIu64 " events were missed since the last run",
			     gaps_lost_down(session->gaps));
}

static int run(struct live *live)
{
	int r = begin(live);

	const struct kept kept = live->adopted ? KEPT_NONE : connectors_kept(live);

	/* Only now: who goes on with the sockets takes for granted that the snapshot is whole. */
	if (r == 0)
		live->ready(live->ready_context, &kept);
	if (r == 0) {
		threads_hurry(live);
		pulse_begin(live);
		r = loop(live);
		pulse_end(live);
		if (r == 0)
			r = finish(live);
		threads_rest(live);
	}
	return r;
}

/* Takes all of them over, also on failure. */
static bool connectors_adopt(struct reception *reception, const struct kept *kept)
{
	bool all = true;

	for (unsigned i = 0; i < CONNECTOR_LANES; i++)
		all = connector_adopt(kept->fds[i], &reception->connectors[i]) == 0 && all;
	if (!all)
		connectors_close(reception);
	return all;
}

static int connect_to_kernel(struct live *live, const struct kept *kept,
			     struct verdict *ret_verdict)
{
	struct refusal_facts facts;
	int r;

	live->adopted = kept_any(kept) && connectors_adopt(&live->reception, kept);
	r = live->adopted ? 0 : connector_open(live->reception.connectors, &live->from_ns);
	if (r == 0)
		return 0;
	refusal_read(&facts);
	return refusal_explain(r, &facts, ret_verdict);
}

int live_run(const struct options *options, const struct kept *kept, say_fn *say, ready_fn *ready,
	     void *context, struct verdict *ret_verdict)
{
	struct live live = { .step_fd = clock_step_open(),
			     .ready = ready,
			     .ready_context = context };
	struct redactor *redactor = NULL;
	int r = connect_to_kernel(&live, kept, ret_verdict);

	if (r == 0)
		r = session_store_make(options, ret_verdict);
	if (r == 0)
		r = redact_setup(options, &redactor, ret_verdict);
	if (r == 0) {
		const struct procfs_setup procfs = session_procfs_setup(options, redactor);

		/* What else keeps threads from being real-time lanes_open() tells. */
		if (realtime_guard() == -ERANGE)
			say("RLIMIT_RTTIME would have real-time threads killed within %d ms: there "
			    "are none",
			    REALTIME_LIMIT_MS);
		lanes_open(&live, &procfs, say);
		r = session_open(&live.session, options, &procfs, live.exec_lanes, say,
				 ret_verdict);
		if (r == 0) {
			reception_init(&live.reception, &live.session,
				       ring_writer_landing(live.session.writer));
			begin_say(&live);
			r = outcome(&live, run(&live), ret_verdict);
		}
		session_close(&live.session);
		exec_lanes_close(live.exec_lanes);
	}
	redactor_free(redactor);
	connectors_close(&live.reception);
	if (live.step_fd >= 0)
		(void)close(live.step_fd);
	return r;
}
