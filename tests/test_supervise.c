/* test_supervise.c - the first process: what it does with its children's ends and with signals. */
#include "recorder/supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recorder/connector.h"
#include "recorder/refusal.h"
#include "tests/tap.h"

/* Shared with the children. */
struct play {
	_Atomic int recorders, projectors, terms; /* started; projectors that got SIGTERM */
	_Atomic int recorder_pid, projector_pid;
	int record_code, index_code, crashes, record_ms;
};
static struct play *play;
static int said;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	(void)format;
	said++;
}

static void rest_ms(int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	(void)nanosleep(&t, NULL);
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

static int record(void *context, ready_fn *ready, void *ready_context)
{
	(void)context;
	play->recorders++;
	play->recorder_pid = getpid();
	if (play->record_code != 7)
		ready(ready_context);
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
	ok(run(&(struct play){ .record_ms = 30, .crashes = 1 }, true, true) == 0 &&
		   play->projectors == 2 && play->terms == 1,
	   "one that has crashed just before the end gets a last chance");
}

/* A process that runs the supervisor, so that it can be sent signals. */
static int signalled(int signal, int second, bool recorder_lives)
{
	pid_t pid;
	int status;

	*play = (struct play){ 0 };
	pid = fork();
	if (pid == 0)
		_exit(run(&(struct play){ .record_ms = recorder_lives ? 3000 : 10 }, true, true));
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

static void test_signals(void)
{
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
	test_signals();
	test_refusal();
	return done_testing();
}
