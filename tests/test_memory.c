/* test_memory.c - memory that runs out: test_memory [STRIDE], 0 for a quick choice, 1 for every allocation.
 *
 * Each command of procledger is
 * run with its n-th allocation failing, once, and again with every one from the n-th on failing, until it gets by without.  It has to end with
 * exit 3 and one sentence, or with the right answer.
 */
#include "tests/failing_malloc.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "query/options.h"
#include "tests/shell.h"
#include "tests/tap.h"

enum { OUTPUT_BYTES = 1 << 22, QUICK_FIRST = 60, QUICK_MORE = 60, QUICK_FEW = 3, SHOWN_MAX = 5 };

static char scratch[64], store[96], argument[] = "SELECT count(*), max(comm) FROM process";

static const struct run {
	const char *name;
	int (*command)(const struct options *options);
	enum output_format format;
	bool threads, window;
	size_t argument_count;
	uint64_t points; /* of the quick choice, beside the first */
} runs[] = {
	{ "tree", cmd_tree, OUTPUT_TEXT, true, false, 0, QUICK_MORE },
	{ "tree, JSON, a window", cmd_tree, OUTPUT_JSON, false, true, 0, QUICK_MORE },
	{ "ps", cmd_ps, OUTPUT_CSV, false, false, 0, QUICK_MORE },
	{ "comm", cmd_comm, OUTPUT_TEXT, false, false, 0, QUICK_MORE },
	{ "events", cmd_events, OUTPUT_JSONL, false, true, 0, QUICK_MORE },
	{ "sql", cmd_sql, OUTPUT_TEXT, false, false, 1, QUICK_MORE },
	{ "status", cmd_status, OUTPUT_JSON, false, false, 0, QUICK_MORE },
	{ "reindex", cmd_reindex, OUTPUT_TEXT, false, false, 0, QUICK_FEW },
};

struct answer {
	int code; /* minus a signal */
	uint64_t allocations;
	char *out, err[4096];
	size_t out_bytes;
};

static int file_open(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* In a process of its own. */
static _Noreturn void child_run(const struct run *run, int out, int err, uint64_t *ret_allocations)
{
	static char buffer[1 << 16];
	char *arguments[] = { argument, NULL };
	struct options options = {
		.store = store,
		.format = run->format,
		.threads = run->threads,
		.limit = UINT64_MAX,
		.arguments = arguments,
		.argument_count = run->argument_count,
	};
	int code;

	if (run->window) {
		options.window.since = "@mono:1591000000000";
		options.window.until = "@mono:1592300000000";
	}
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	allocations = 0;
	code = run->command(&options);
	(void)fflush(stdout);
	*ret_allocations = allocations;
	_exit(code);
}

static size_t take(int fd, char *data, size_t bytes)
{
	ssize_t n = pread(fd, data, bytes, 0);

	(void)close(fd);
	return n > 0 ? (size_t)n : 0;
}

static struct answer ask(const struct run *run, uint64_t n, bool on, uint64_t *shared, char *out)
{
	int out_fd = file_open("out"), err_fd = file_open("err"), status = 0;
	struct answer answer = { .out = out };
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fail_at = n;
		fail_on = on;
		(void)alarm(20);
		child_run(run, out_fd, err_fd, shared);
	}
	(void)waitpid(pid, &status, 0);
	answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	answer.allocations = *shared;
	answer.out_bytes = take(out_fd, out, OUTPUT_BYTES);
	answer.err[take(err_fd, answer.err, sizeof(answer.err) - 1)] = '\0';
	return answer;
}

static unsigned sentences(const char *text)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, "procledger: ")); at++)
		count += at == text || at[-1] == '\n';
	return count;
}

static bool is_fine(const struct answer *answer, const struct answer *right)
{
	if (answer->code == right->code)
		return answer->out_bytes == right->out_bytes &&
		       memcmp(answer->out, right->out, right->out_bytes) == 0;
	return answer->code == 3 && sentences(answer->err) == 1;
}

static void run_all(const struct run *run, uint64_t stride, uint64_t *shared)
{
	static char right_out[OUTPUT_BYTES], out[OUTPUT_BYTES];
	struct answer right = ask(run, 0, false, shared, right_out);
	uint64_t every = stride ? stride : 1 + right.allocations / run->points;
	uint64_t first = run->points < QUICK_FIRST ? 0 : QUICK_FIRST;
	unsigned tried = 0, bad = 0, failed = 0;

	ok(right.code == 0 && right.out_bytes > 0, "%s: with memory it answers (%llu allocations)",
	   run->name, (unsigned long long)right.allocations);
	for (uint64_t n = 1; n <= right.allocations; n += !stride && n < first ? 1 : every) {
		for (int on = 0; on < 2; on++) {
			struct answer answer = ask(run, n, on, shared, out);

			tried++;
			failed += answer.code == 3;
			if (is_fine(&answer, &right))
				continue;
			if (bad++ < SHOWN_MAX)
				printf("# allocation %llu%s: exit %d, %zu bytes, %s\n",
				       (unsigned long long)n, on ? " and all behind" : "",
				       answer.code, answer.out_bytes, answer.err);
		}
	}
	ok(bad == 0 && failed > 0,
	   "%s: without it ends in one sentence or with the right answer (%u tried, %u bad, %u "
	   "ended)",
	   run->name, tried, bad, failed);
}

int main(int argc, char **argv)
{
	uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, *shared;
	char folder[256];

#ifdef SANITIZED
	skip_all("a sanitizer has the allocator");
#endif
	(void)snprintf(folder, sizeof(folder), "%s", argv[0]);
	(void)snprintf(scratch, sizeof(scratch), "%s/procledger.test_memory.XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (!mkdtemp(scratch) || shared == MAP_FAILED)
		return 1;
	(void)snprintf(store, sizeof(store), "%s/store", scratch);
	if (shell("xz -dc tests/data/zoo.nl.xz | %s/../procledgerd --store %s --ring-size 4M "
		  "--input -",
		  dirname(folder), store) != 0) {
		(void)shell("rm -rf %s", scratch);
		skip_all("there is no recording to ask (is xz installed?)");
	}
	(void)setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		run_all(&runs[i], stride, shared);
	(void)shell("rm -rf %s", scratch);
	return done_testing();
}
