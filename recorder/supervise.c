#include "recorder/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/handover.h"
#include "recorder/notify.h"
#include "schema/cleanup.h"

#define NS_PER_MS UINT64_C(1000000)

/* A child that has run for so long is not what the growing pauses are for. */
#define STEADY_NS (10000 * NS_PER_MS)

/* When a child that has ended is to be started again. */
struct restart {
	unsigned pause_ms, pause_max_ms; /* pause_ms: the next one */
	uint64_t started_ns, due_ns;     /* due_ns 0: it is not */
};

struct supervisor {
	const struct supervise_setup *setup;
	int signal_fd;
	int channel; /* from the recorder; -1: there is none */
	struct kept
		kept; /* the sockets that outlive the recorder; KEPT_NONE: there are none (yet) */
	pid_t recorder, projector; /* 0: not running */
	bool stopping;             /* a signal to end has come */
	bool recorder_ready;       /* this one */
	bool ready_said;           /* to systemd */
	bool index_begun;          /* the ring is open: a projector is due */
	bool index_last;           /* the projector that runs is the last one */
	int code, index_code;
	struct restart recorder_restart, projector_restart;
};

static void restart_schedule(struct restart *restart)
{
	restart->due_ns = clock_monotonic_ns() + restart->pause_ms * NS_PER_MS;
	restart->pause_ms *= 2;
	if (restart->pause_ms > restart->pause_max_ms)
		restart->pause_ms = restart->pause_max_ms;
}

static void restart_begun(struct restart *restart)
{
	restart->due_ns = 0;
	restart->started_ns = clock_monotonic_ns();
}

static void signals_fill(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
}

static void ready_send(void *context, const struct kept *kept)
{
	const int *channel = context;

	(void)handover_send(*channel,
			    kept); /* when nobody listens any more, the end comes by signal */
}

/* The child's side of fork(): it ends with its parent, and in order. */
static void child_settle(pid_t parent)
{
	sigset_t child_only;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		(void)raise(SIGTERM); /* blocked: it will be found waiting */
	sigemptyset(&child_only);
	sigaddset(&child_only, SIGCHLD);
	(void)sigprocmask(SIG_UNBLOCK, &child_only, NULL);
}

static int recorder_start(struct supervisor *supervisor)
{
	int ends[2], r = handover_open(ends);
	pid_t parent = getpid(), pid;

	if (r < 0)
		return r;
	restart_begun(&supervisor->recorder_restart);
	pid = fork();
	if (pid < 0) {
		r = -errno;
		(void)close(ends[0]);
		(void)close(ends[1]);
		return r;
	}
	if (pid == 0) {
		child_settle(parent);
		(void)close(ends[0]);
		(void)close(supervisor->signal_fd);
		exit(supervisor->setup->record(supervisor->setup->context, &supervisor->kept,
					       ready_send, &ends[1]));
	}
	(void)close(ends[1]);
	supervisor->channel = ends[0];
	supervisor->recorder_ready = false;
	supervisor->recorder = pid;
	return 0;
}

static void recorder_restart(struct supervisor *supervisor)
{
	int r = recorder_start(supervisor);

	if (r < 0) {
		supervisor->setup->say("cannot start the recorder: %s", strerror(-r));
		restart_schedule(&supervisor->recorder_restart);
	}
}

static void projector_start(struct supervisor *supervisor)
{
	pid_t parent = getpid(), pid = fork();

	restart_begun(&supervisor->projector_restart);
	if (pid == 0) {
		child_settle(parent);
		(void)close(supervisor->signal_fd);
		if (supervisor->channel >= 0)
			(void)close(supervisor->channel);
		kept_close(&supervisor->kept);
		exit(supervisor->setup->index(supervisor->setup->context));
	}
	if (pid < 0) {
		supervisor->setup->say("cannot start the index process: %s", strerror(errno));
		supervisor->projector_restart.pause_ms = SUPERVISE_PAUSE_MAX_MS;
		restart_schedule(&supervisor->projector_restart);
		supervisor->index_code = VERDICT_FAILED;
		return;
	}
	supervisor->projector = pid;
}

static void ready_take(struct supervisor *supervisor, const struct kept *kept)
{
	if (kept_any(kept)) {
		kept_close(&supervisor->kept);
		supervisor->kept = *kept;
		(void)notify_store(supervisor->setup->notify_socket, kept);
	}
	if (!supervisor->ready_said)
		(void)notify_send(supervisor->setup->notify_socket, "READY=1");
	supervisor->ready_said = true;
	supervisor->recorder_ready = true;
	if (supervisor->setup->index && !supervisor->index_begun) {
		supervisor->index_begun = true;
		projector_start(supervisor);
	}
}

static void channel_take(struct supervisor *supervisor)
{
	struct kept kept;
	int r;

	while ((r = handover_take(supervisor->channel, &kept)) == 0)
		ready_take(supervisor, &kept);
	if (r == HANDOVER_NONE)
		return;
	(void)close(supervisor->channel);
	supervisor->channel = -1;
}

/* The stream has ended: the projector, started for this if need be, catches up and ends. */
static void recording_over(struct supervisor *supervisor)
{
	supervisor->recorder_restart.due_ns = 0;
	if (!supervisor->index_begun)
		return;
	if (supervisor->projector == 0)
		projector_start(supervisor);
	supervisor->projector_restart.due_ns = 0;
	supervisor->index_last = true;
	if (supervisor->projector > 0)
		(void)kill(supervisor->projector, SIGTERM);
}

/* Whether it got nowhere: then the next one is not to be started at once.  Killed from outside it is, however often. */
static bool recorder_hopeless(const struct supervisor *supervisor, int status)
{
	const uint64_t lived_ns = clock_monotonic_ns() - supervisor->recorder_restart.started_ns;

	if (!supervisor->recorder_ready)
		return true;
	return lived_ns < STEADY_NS && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void recorder_ended(struct supervisor *supervisor, int status)
{
	bool goes_on;

	supervisor->recorder = 0;
	if (supervisor->channel >= 0)
		channel_take(supervisor);
	supervisor->code = WIFEXITED(status) ? WEXITSTATUS(status) : VERDICT_FAILED;
	goes_on = kept_any(&supervisor->kept) && !supervisor->stopping &&
		  supervisor->code != VERDICT_OK;
	if (!WIFEXITED(status))
		supervisor->setup->say("the recorder was ended by signal %d (%s)%s",
				       WTERMSIG(status), strsignal(WTERMSIG(status)),
				       goes_on ? "; the next one goes on with its sockets" : "");
	if (!goes_on) {
		recording_over(supervisor);
	} else if (recorder_hopeless(supervisor, status)) {
		restart_schedule(&supervisor->recorder_restart);
	} else {
		supervisor->recorder_restart.pause_ms = SUPERVISE_PAUSE_MIN_MS;
		recorder_restart(supervisor);
	}
}

static void projector_ended(struct supervisor *supervisor, int status)
{
	struct restart *restart = &supervisor->projector_restart;

	supervisor->projector = 0;
	supervisor->index_code = WIFEXITED(status) ? WEXITSTATUS(status) : VERDICT_FAILED;
	if (!WIFEXITED(status))
		supervisor->setup->say("the index process was ended by signal %d (%s)",
				       WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (supervisor->index_last)
		return;
	if (clock_monotonic_ns() - restart->started_ns > STEADY_NS)
		restart->pause_ms = SUPERVISE_PAUSE_MIN_MS;
	restart_schedule(restart);
}

static void children_reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == supervisor->recorder)
			recorder_ended(supervisor, status);
		else if (pid == supervisor->projector)
			projector_ended(supervisor, status);
	}
}

static void stop_take(struct supervisor *supervisor, uint32_t signal)
{
	if (!supervisor->stopping)
		(void)notify_send(supervisor->setup->notify_socket, "STOPPING=1");
	supervisor->stopping = true;
	if (supervisor->recorder > 0)
		(void)kill(supervisor->recorder, signal == SIGINT ? SIGINT : SIGTERM);
	else if (supervisor->recorder_restart.due_ns > 0)
		recording_over(supervisor);
	else if (supervisor->projector > 0)
		(void)kill(supervisor->projector, SIGKILL); /* its last batch is undone */
}

static void signal_take(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	if (read(supervisor->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		children_reap(supervisor);
	else
		stop_take(supervisor, info.ssi_signo);
}

/* The sooner of what is due, in ms from now; -1: nothing is. */
static int wait_ms(const struct supervisor *supervisor)
{
	uint64_t now_ns = clock_monotonic_ns(), due_ns = supervisor->recorder_restart.due_ns;
	const uint64_t other_ns = supervisor->projector_restart.due_ns;

	if (due_ns == 0 || (other_ns > 0 && other_ns < due_ns))
		due_ns = other_ns;
	if (due_ns == 0)
		return -1;
	return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns) / NS_PER_MS) + 1;
}

static bool restart_due(const struct restart *restart)
{
	return restart->due_ns > 0 && clock_monotonic_ns() >= restart->due_ns;
}

static void supervise(struct supervisor *supervisor)
{
	while (supervisor->recorder > 0 || supervisor->projector > 0 ||
	       supervisor->recorder_restart.due_ns > 0) {
		struct pollfd waits[] = {
			{ .fd = supervisor->signal_fd, .events = POLLIN },
			{ .fd = supervisor->channel, .events = POLLIN },
		};

		if (poll(waits, 2, wait_ms(supervisor)) > 0) {
			if (waits[1].revents)
				channel_take(supervisor);
			if (waits[0].revents)
				signal_take(supervisor);
		}
		if (restart_due(&supervisor->recorder_restart))
			recorder_restart(supervisor);
		if (restart_due(&supervisor->projector_restart))
			projector_start(supervisor);
	}
}

int supervise_run(const struct supervise_setup *setup)
{
	struct supervisor supervisor = {
		.setup = setup,
		.channel = -1,
		.kept = setup->kept,
		.recorder_restart = { .pause_ms = SUPERVISE_PAUSE_MIN_MS,
				      .pause_max_ms = SUPERVISE_RECORDER_PAUSE_MAX_MS },
		.projector_restart = { .pause_ms = SUPERVISE_PAUSE_MIN_MS,
				       .pause_max_ms = SUPERVISE_PAUSE_MAX_MS },
	};
	auto_close int signal_fd = -1;
	sigset_t set;
	int r = 0;

	signals_fill(&set);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		r = -errno;
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	supervisor.signal_fd = signal_fd;
	if (r == 0 && signal_fd < 0)
		r = -errno;
	if (r == 0)
		r = recorder_start(&supervisor);
	if (r < 0) {
		setup->say("cannot start the recorder: %s", strerror(-r));
		return VERDICT_FAILED;
	}
	supervise(&supervisor);
	if (supervisor.channel >= 0)
		(void)close(supervisor.channel);
	kept_close(&supervisor.kept);
	if (supervisor.code == VERDICT_OK && setup->index_counts)
		return supervisor.index_code;
	return supervisor.code;
}
