/* workload.c - a small life to watch: a program with a few named threads, which renames itself, then ends by a signal. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *worker(void *argument)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "worker-%d", *(const int *)argument);
	(void)prctl(PR_SET_NAME, name);
	(void)usleep(50000);
	return NULL;
}

int main(void)
{
	enum { WORKERS = 3 };
	pthread_t threads[WORKERS];
	int numbers[WORKERS];
	int started = 0;

	for (int i = 0; i < WORKERS; i++) {
		numbers[i] = i;
		started += pthread_create(&threads[started], NULL, worker, &numbers[i]) == 0;
	}
	for (int i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	(void)prctl(PR_SET_NAME, "renamed");
	(void)usleep(50000);
	(void)raise(SIGTERM);
	return 0;
}
