/* test_supervise.c - the first process: what it does with its children's ends and with signals. */
#include "recorder/supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/connector.h"
#include "recorder/notify.h"
#include "recorder/refusal.h"
#include "tests/clocks.h"
#include "tests/tap.h"

/* Shared with the children. */
struct play {
	_Atomic int recorders, projectors, terms; /* started; projectors that got SIGTERM */
	_Atomic int recorder_pid, projector_pid;
	int record_code, index_code, crashes, record_ms;
	/* With a socket to be handed over: how many recorders die before the one that ends well, of what, and what each found. */
	int keeps, deaths, signal, found[8];
	bool before_ready;
	uint64_t began_ns[8];
};
static struct play *play;
static int said;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	(void)format;
	said++;
}

/* The signal that ends a child, waited for at most ms; 0: none came. */
static int signal_wait(int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	r = sigtimedwait(&set, NULL, &t);
	return r > 0 ? r : 0;
}

/* Two descriptors of one file, in the place of two sockets. */
static struct kept kept_of(int fd)
{
	return (struct kept){ .fds = { fd, dup(fd) } };
}

/* A recorder whose sockets are a file: each writes one byte more, and says how many it found. */
static int record_kept(const struct kept *kept, ready_fn *ready, void *ready_context)
{
	const int nth = play->recorders++;
	const bool first = !kept_any(kept);
	const struct kept own = first ? kept_of(memfd_create("socket", MFD_CLOEXEC)) : *kept;
	const int fd = own.fds[1];

	play->recorder_pid = getpid();
	play->began_ns[nth] = clock_monotonic_ns();
	play->found[nth] = first ? -1 : (int)lseek(fd, 0, SEEK_END);
	if (write(fd, "", 1) != 1)
		return 9;
	if (nth == 0 || !play->before_ready)
		ready(ready_context, first ? &own : &KEPT_NONE);
	if (nth < play->deaths) {
		if (play->signal)
			(void)raise(play->signal);
		return 1;
	}
	return signal_wait(play->record_ms) == SIGINT ? 42 : 0;
}

static int record(void *context, const struct kept *kept, ready_fn *ready, void *ready_context)
{
	(void)context;
	if (play->keeps)
		return record_kept(kept, ready, ready_context);
	play->recorders++;
	play->recorder_pid = getpid();
	if (play->record_code != 7)
		ready(ready_context, &KEPT_NONE);
	if (signal_wait(play->record_ms) == SIGINT)
		return 42;
	if (play->record_code == -1)
		(void)raise(SIGKILL);
	return play->record_code;
}

static int keep(void *context)
{
	(void)context;
	play->projector_pid = getpid();
	if (play->projectors++ < play->crashes)
		abort();
	play->terms += signal_wait(3000) == SIGTERM;
	return play->index_code;
}

static int run(const struct play *as, bool index, bool index_counts)
{
	*play = *as;
	said = 0;
	return supervise_run(&(struct supervise_setup){
		.record = record,
		.index = index ? keep : NULL,
		.index_counts = index_counts,
		.kept = KEPT_NONE,
		.say = say,
	});
}

static void test_ends(void)
{
	ok(run(&(struct play){ .record_ms = 50 }, true, false) == 0 && play->projectors == 1 &&
		   play->terms == 1 && said == 0,
	   "when the recorder has ended the projector is told, once, and all is well");
	ok(run(&(struct play){ .record_ms = 10, .record_code = 6 }, true, false) == 6,
	   "the recorder's exit code is the program's");
	ok(run(&(struct play){ .record_ms = 10, .record_code = 7 }, true, false) == 7 &&
		   play->projectors == 0,
	   "before the ring is open no projector is started");
	ok(run(&(struct play){ .record_ms = 10 }, false, false) == 0 && play->projectors == 0,
	   "--ring-only needs none");
	ok(run(&(struct play){ .record_ms = 10, .record_code = -1 }, true, false) == 1 && said == 1,
	   "a recorder that is killed is a failure, and is said");
	ok(run(&(struct play){ .record_ms = 10, .index_code = 1 }, true, true) == 1 &&
		   run(&(struct play){ .record_ms = 10, .index_code = 1 }, true, false) == 0,
	   "a projector that fails counts only where all must be in the index");
}

static void test_crashes(void)
{
	ok(run(&(struct play){ .record_ms = 900, .crashes = 2 }, true, true) == 0 &&
		   play->recorders == 1 && play->projectors == 3 && play->terms == 1,
	   "a projector that crashes is started again, and the recorder runs on");
	ok(run(&(struct play){ .record_ms = 70, .crashes = 1 }, true, true) == 0 &&
		   play->projectors == 2 && play->terms == 1,
	   "one that has crashed just before the end gets a last chance");
}

static uint64_t pause_ms(int nth)
{
	return (play->began_ns[nth] - play->began_ns[nth - 1]) / 1000000;
}

static void test_goes_on(void)
{
	const struct play killed = { .keeps = 1, .deaths = 4, .signal = SIGKILL, .record_ms = 50 };
	const struct play stuck = {
		.keeps = 1, .deaths = 3, .before_ready = true, .record_ms = 50
	};
	const struct play fails = { .keeps = 1, .deaths = 2, .record_ms = 50 };
	uint64_t most = 0;
	int code;

	ok(run(&killed, true, false) == 0 && play->recorders == 5 && said == 4,
	   "a recorder that is killed is followed by another, each time");
	ok(play->found[0] == -1 && play->found[1] == 1 && play->found[2] == 2 &&
		   play->found[3] == 3 && play->found[4] == 4,
	   "which is given the socket of the first");
	for (int nth = 1; nth < 5; nth++)
		most = pause_ms(nth) > most ? pause_ms(nth) : most;
	ok(most < SUPERVISE_PAUSE_MIN_MS, "at once (%llu ms at most)", (unsigned long long)most);
	ok(play->projectors == 1 && play->terms == 1, "and the projector does not notice");
	code = run(&stuck, true, false);
	ok(code == 0 && play->recorders == 4 && pause_ms(2) >= 100 && pause_ms(3) >= 200 &&
		   play->found[3] == 3,
	   "one that never becomes ready is followed after a pause, which grows (%llu, %llu ms)",
	   (unsigned long long)pause_ms(2), (unsigned long long)pause_ms(3));
	ok(run(&fails, false, false) == 0 && play->recorders == 3 && pause_ms(1) >= 100,
	   "one that fails at once is not followed at once");
}

/* A process that runs the supervisor, so that it can be sent signals. */
static int signalled_as(const struct play *as, int signal, int second)
{
	pid_t pid;
	int status;

	*play = (struct play){ 0 };
	pid = fork();
	if (pid == 0)
		_exit(run(as, true, true));
	for (int i = 0; i < 300 && (!play->recorder_pid || !play->projector_pid); i++)
		rest_ms(10);
	(void)kill(pid, signal);
	if (second) {
		rest_ms(100);
		(void)kill(pid, second);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int signalled(int signal, int second, bool recorder_lives)
{
	return signalled_as(&(struct play){ .record_ms = recorder_lives ? 3000 : 10 }, signal,
			    second);
}

static void test_signals(void)
{
	const struct play after = { .keeps = 1, .deaths = 1, .signal = SIGKILL, .record_ms = 3000 };
	const struct play pausing = { .keeps = 1, .deaths = 7, .before_ready = true };
	uint64_t began_ns;

	ok(signalled_as(&after, SIGTERM, 0) == 0 && play->recorders == 2 && play->terms == 1,
	   "SIGTERM ends the recorder that has followed a killed one, for good");
	began_ns = clock_monotonic_ns();
	ok(signalled_as(&pausing, SIGTERM, SIGTERM) == 1 && play->recorders < 7 &&
		   clock_monotonic_ns() - began_ns < UINT64_C(1500000000),
	   "SIGTERM ends a program whose recorder fails and fails");
	ok(signalled(SIGTERM, 0, true) == 0 && play->terms == 1,
	   "SIGTERM goes to the recorder, and then to the projector");
	ok(signalled(SIGINT, 0, true) == 42, "SIGINT goes to the recorder as such");
	ok(signalled(SIGKILL, 0, true) == -SIGKILL, "a killed supervisor is gone");
	for (int i = 0;
	     i < 300 && (kill(play->recorder_pid, 0) == 0 || kill(play->projector_pid, 0) == 0);
	     i++)
		rest_ms(10);
	ok(kill(play->recorder_pid, 0) < 0 && kill(play->projector_pid, 0) < 0 && play->terms == 1,
	   "and its children end with it, in order");
}

static char got_text[256];

/* What came to the fake service manager; the descriptor with it, or -1. */
static int manager_take(int manager)
{
	struct iovec vector = { .iov_base = got_text, .iov_len = sizeof(got_text) - 1 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(manager, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd = -1;

	got_text[n > 0 ? n : 0] = '\0';
	if (n > 0 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static bool manager_gets(int manager, const char *text)
{
	return manager_take(manager) < 0 && strcmp(got_text, text) == 0;
}

static void test_notify(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static const char *const names[KEPT_FDS] = NOTIFY_FD_NAMES;
	char name[64], self[16], text[96];
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), first, second, third;
	struct kept stored = KEPT_NONE, kept;

	(void)snprintf(name, sizeof(name), "@procledger-test-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	if (bind(manager, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))) < 0)
		abort();
	*play = (struct play){ .keeps = 1, .deaths = 1, .signal = SIGKILL, .record_ms = 20 };
	(void)supervise_run(&(struct supervise_setup){
		.record = record, .kept = KEPT_NONE, .notify_socket = name, .say = say });
	for (unsigned i = 0; i < KEPT_FDS; i++) {
		(void)snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", names[i]);
		ok(manager_gets(manager, text),
		   "%s: a socket that is to be kept takes the place of another", names[i]);
		stored.fds[i] = manager_take(manager);
		(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", names[i]);
		ok(stored.fds[i] >= 0 && strcmp(got_text, text) == 0 &&
			   lseek(stored.fds[i], 0, SEEK_END) == 2,
		   "systemd is given the socket to keep, unwatched");
	}
	ok(manager_gets(manager, "READY=1"), "and told that recording has begun");
	ok(manager_gets(manager, ""), "once: what recorder it is is nobody's business");

	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	first = fcntl(stored.fds[0], F_DUPFD, 100);
	second = fcntl(stored.fds[0], F_DUPFD, first + 1);
	third = fcntl(stored.fds[1], F_DUPFD, first + 2);
	kept = notify_take("1", "3", "x:connector-names:connector", getpid(), first);
	ok(!kept_any(&kept) && fcntl(third, F_GETFD) >= 0,
	   "descriptors that were passed to another process are let alone");
	kept = notify_take(self, "3x", "x:connector-names:connector", getpid(), first);
	ok(!kept_any(&kept) && fcntl(third, F_GETFD) >= 0, "as are those whose count is no number");
	kept = notify_take(self, "3", "x:connector-names:connector", getpid(), first);
	ok(kept.fds[0] == third && kept.fds[1] == second && fcntl(first, F_GETFD) < 0 &&
		   (fcntl(third, F_GETFD) & FD_CLOEXEC),
	   "the kept sockets are found by their names, the others are closed");
	*play = (struct play){ .keeps = 1, .record_ms = 20 };
	ok(supervise_run(&(struct supervise_setup){ .record = record, .kept = kept, .say = say }) ==
			   0 &&
		   play->found[0] == 2,
	   "and the first recorder goes on with them");
	first = fcntl(stored.fds[0], F_DUPFD, 100);
	kept = notify_take(self, "1", "connector", getpid(), first);
	ok(!kept_any(&kept) && fcntl(first, F_GETFD) < 0, "one alone is of no use");
	ok(notify_send(NULL, "READY=1") == 0 && notify_send("", "READY=1") == 0,
	   "without systemd nothing is said");
	(void)close(manager);
	kept_close(&stored);
}

static void test_refusal(void)
{
	struct refusal_facts facts = { .release = "6.1.0", .initial_pid = 1, .initial_user = 1 };
	struct verdict verdict = { 0 };

	ok(refusal_explain(CONNECTOR_NO_PERMISSION, &facts, &verdict) == 4 &&
		   strstr(verdict.sentence, "CAP_NET_ADMIN"),
	   "no permission: %s", verdict.sentence);
	ok(refusal_explain(CONNECTOR_NO_PROTOCOL, &facts, &verdict) == 5 &&
		   strstr(verdict.sentence, "CONFIG_PROC_EVENTS"),
	   "no protocol: %s", verdict.sentence);
	ok(refusal_explain(CONNECTOR_NO_LISTENER, &facts, &verdict) == 5 &&
		   strstr(verdict.sentence, "network namespace"),
	   "no listener: %s", verdict.sentence);
	ok(refusal_explain(CONNECTOR_NO_ACK, &facts, &verdict) == 5 &&
		   strstr(verdict.sentence, "CONFIG_PROC_EVENTS"),
	   "no answer: %s", verdict.sentence);
	facts.initial_pid = 0;
	ok(refusal_explain(CONNECTOR_NO_ACK, &facts, &verdict) == 5 &&
		   strstr(verdict.sentence, "from a pid namespace"),
	   "no answer in a pid namespace: %s", verdict.sentence);
	facts.initial_user = 0;
	ok(refusal_explain(CONNECTOR_NO_ACK, &facts, &verdict) == 5 &&
		   strstr(verdict.sentence, "from a user namespace"),
	   "no answer in a user namespace: %s", verdict.sentence);
	ok(refusal_explain(-12, &facts, &verdict) == 1 && strstr(verdict.sentence, "memory"),
	   "anything else: %s", verdict.sentence);
}

int main(void)
{
	play = mmap(NULL, sizeof(*play), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (play == MAP_FAILED)
		return 1;
	test_ends();
	test_crashes();
	test_goes_on();
	test_signals();
	test_notify();
	test_refusal();
	return done_testing();
}
