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
#include "schema/cleanup.h"

#define NS_PER_MS UINT64_C(1000000)

/* A projector that has run for so long is not what the growing pauses are for. */
#define STEADY_NS (10000 * NS_PER_MS)

struct supervisor {
	const struct supervise_setup *setup;
	int signal_fd;
	int ready_fd;              /* of the recorder; -1 once it has spoken or ended */
	pid_t recorder, projector; /* 0: not running */
	bool index_begun;          /* the ring is open: a projector is due */
	bool index_last;           /* the projector that runs is the last one */
	int code, index_code;
	unsigned pause_ms;
	uint64_t started_ns, restart_ns; /* restart_ns: when a projector is to be started; 0: not */
};

static void signals_fill(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
}

static void ready_write(void *context)
{
	const int *fd = context;

	(void)!write(*fd, "", 1);
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
	int ready[2];
	pid_t parent = getpid(), pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		(void)close(ready[0]);
		(void)close(ready[1]);
		return -errno;
	}
	if (pid == 0) {
		child_settle(parent);
		(void)close(ready[0]);
		(void)close(supervisor->signal_fd);
		exit(supervisor->setup->record(supervisor->setup->context, ready_write, &ready[1]));
	}
	(void)close(ready[1]);
	supervisor->ready_fd = ready[0];
	supervisor->recorder = pid;
	return 0;
}

static void projector_start(struct supervisor *supervisor)
{
	pid_t parent = getpid(), pid = fork();

	supervisor->restart_ns = 0;
	supervisor->started_ns = clock_monotonic_ns();
	if (pid == 0) {
		child_settle(parent);
		(void)close(supervisor->signal_fd);
		exit(supervisor->setup->index(supervisor->setup->context));
	}
	if (pid < 0) {
		supervisor->setup->say("cannot start the index process: %s", strerror(errno));
		supervisor->restart_ns =
			supervisor->started_ns + SUPERVISE_PAUSE_MAX_MS * NS_PER_MS;
		supervisor->index_code = VERDICT_FAILED;
		return;
	}
	supervisor->projector = pid;
}

static void ready_take(struct supervisor *supervisor)
{
	char byte;

	if (read(supervisor->ready_fd, &byte, 1) == 1 && supervisor->setup->index) {
		supervisor->index_begun = true;
		projector_start(supervisor);
	}
	(void)close(supervisor->ready_fd);
	supervisor->ready_fd = -1;
}

/* The recorder has ended, and with it the stream: the projector, started for this if need be, catches up and ends. */
static void recorder_ended(struct supervisor *supervisor, int status)
{
	supervisor->recorder = 0;
	if (supervisor->ready_fd >= 0)
		ready_take(supervisor);
	if (WIFEXITED(status)) {
		supervisor->code = WEXITSTATUS(status);
	} else {
		supervisor->setup->say("the recorder was ended by signal %d (%s)", WTERMSIG(status),
				       strsignal(WTERMSIG(status)));
		supervisor->code = VERDICT_FAILED;
	}
	if (!supervisor->index_begun)
		return;
	if (supervisor->projector == 0)
		projector_start(supervisor);
	supervisor->restart_ns = 0;
	supervisor->index_last = true;
	if (supervisor->projector > 0)
		(void)kill(supervisor->projector, SIGTERM);
}

static void projector_ended(struct supervisor *supervisor, int status)
{
	const uint64_t now_ns = clock_monotonic_ns();

	supervisor->projector = 0;
	supervisor->index_code = WIFEXITED(status) ? WEXITSTATUS(status) : VERDICT_FAILED;
	if (!WIFEXITED(status))
		supervisor->setup->say("the index process was ended by signal %d (%s)",
				       WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (supervisor->index_last)
		return;
	if (now_ns - supervisor->started_ns > STEADY_NS)
		supervisor->pause_ms = SUPERVISE_PAUSE_MIN_MS;
	supervisor->restart_ns = now_ns + supervisor->pause_ms * NS_PER_MS;
	supervisor->pause_ms *= 2;
	if (supervisor->pause_ms > SUPERVISE_PAUSE_MAX_MS)
		supervisor->pause_ms = SUPERVISE_PAUSE_MAX_MS;
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

static void signal_take(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	if (read(supervisor->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		children_reap(supervisor);
	else if (supervisor->recorder > 0)
		(void)kill(supervisor->recorder, info.ssi_signo == SIGINT ? SIGINT : SIGTERM);
	else if (supervisor->projector > 0)
		(void)kill(supervisor->projector, SIGKILL); /* its last batch is undone */
}

static int wait_ms(const struct supervisor *supervisor)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (supervisor->restart_ns == 0)
		return -1;
	return supervisor->restart_ns <= now_ns
		       ? 0
		       : (int)((supervisor->restart_ns - now_ns) / NS_PER_MS) + 1;
}

static void supervise(struct supervisor *supervisor)
{
	while (supervisor->recorder > 0 || supervisor->projector > 0) {
		struct pollfd waits[] = {
			{ .fd = supervisor->signal_fd, .events = POLLIN },
			{ .fd = supervisor->ready_fd, .events = POLLIN },
		};

		if (poll(waits, 2, wait_ms(supervisor)) > 0) {
			if (waits[1].revents)
				ready_take(supervisor);
			if (waits[0].revents)
				signal_take(supervisor);
		}
		if (supervisor->restart_ns > 0 && clock_monotonic_ns() >= supervisor->restart_ns)
			projector_start(supervisor);
	}
}

int supervise_run(const struct supervise_setup *setup)
{
	struct supervisor supervisor = { .setup = setup,
					 .ready_fd = -1,
					 .pause_ms = SUPERVISE_PAUSE_MIN_MS };
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
	if (supervisor.code == VERDICT_OK && setup->index_counts)
		return supervisor.index_code;
	return supervisor.code;
}
