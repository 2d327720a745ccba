/* storm.c - storm MODE COUNT WORKERS [PROGRAM]: tasks as fast as this machine makes them; a helper of tests and benches.
 *
 * WORKERS processes, pinned to the CPUs in turn, make COUNT tasks each: fork (ends at once), name (takes one, then ends), vfork, thread, exec (PROGRAM or /bin/true, with
 * the argument storm-WORKER-NUMBER), or comm (names set).  Prints on standard output, as a u32 each, the tids that were made (comm: of the workers, COUNT times).
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, BATCH = 256 };

struct sink {
	uint32_t tids[BATCH];
	size_t count;
};

static void sink_flush(struct sink *sink)
{
	size_t bytes = sink->count * sizeof(sink->tids[0]);

	if (write(STDOUT_FILENO, sink->tids, bytes) != (ssize_t)bytes)
		_exit(3);
	sink->count = 0;
}

static void sink_add(struct sink *sink, pid_t tid)
{
	sink->tids[sink->count++] = (uint32_t)tid;
	if (sink->count == BATCH)
		sink_flush(sink);
}

static void *thread_main(void *context)
{
	*(pid_t *)context = gettid();
	return NULL;
}

static pid_t thread_once(void)
{
	pthread_t thread;
	pid_t tid = 0;

	if (pthread_create(&thread, NULL, thread_main, &tid) != 0)
		_exit(4);
	(void)pthread_join(thread, NULL);
	return tid;
}

static pid_t vfork_once(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(5);
	return pid;
}

static pid_t fork_once(bool name)
{
	pid_t pid = fork();

	if (pid == 0 && name)
		(void)prctl(PR_SET_NAME, "named");
	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(5);
	return pid;
}

static pid_t exec_once(const char *program, unsigned worker, long i)
{
	char argument[48];
	pid_t pid;

	(void)snprintf(argument, sizeof(argument), "storm-%u-%ld", worker, i);
	pid = vfork();
	if (pid == 0) {
		(void)execl(program, program, argument, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(5);
	return pid;
}

static pid_t comm_once(long i)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "storm %ld", i % 1000);
	if (prctl(PR_SET_NAME, name) < 0)
		_exit(6);
	return getpid();
}

static _Noreturn void work(char mode, const char *program, long count, unsigned worker)
{
	struct sink sink = { .count = 0 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(worker % (unsigned long)cpus, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
	for (long i = 0; i < count; i++) {
		if (mode == 't')
			sink_add(&sink, thread_once());
		else if (mode == 'c')
			sink_add(&sink, comm_once(i));
		else if (mode == 'v')
			sink_add(&sink, vfork_once());
		else if (mode == 'e')
			sink_add(&sink, exec_once(program, worker, i));
		else
			sink_add(&sink, fork_once(mode == 'n'));
	}
	sink_flush(&sink);
	_exit(0);
}

int main(int argc, char **argv)
{
	long count = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
	long workers = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
	int bad = 0, status;

	if (count <= 0 || workers <= 0 || workers > WORKERS_MAX || !strchr("fnvtec", argv[1][0])) {
		(void)fprintf(
			stderr,
			"usage: storm fork|name|vfork|thread|exec|comm COUNT WORKERS [PROGRAM]\n");
		return 2;
	}
	for (unsigned worker = 0; worker < workers; worker++) {
		pid_t pid = fork();

		if (pid == 0)
			work(argv[1][0], argc > 4 ? argv[4] : "/bin/true", count, worker);
		if (pid < 0)
			return 1;
	}
	while (wait(&status) > 0 || errno == EINTR)
		bad |= status;
	return bad != 0;
}
