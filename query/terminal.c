#include "query/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schema/cleanup.h"

enum { WIDTH_MIN = 20, WIDTH_MAX = 10000, PROGRESS_AFTER_MS = 1000, PROGRESS_EVERY_MS = 200 };

static pid_t pager_pid; /* 0: there is none */

/* --- width and colour --- */

size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	unsigned long width = 0;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (columns && columns[0] >= '0' && columns[0] <= '9')
		width = strtoul(columns, NULL, 10);
	if ((width < WIDTH_MIN || width > WIDTH_MAX) &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	return width >= WIDTH_MIN && width <= WIDTH_MAX ? width : 0;
}

bool terminal_color(const char *when)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when && strcmp(when, "always") == 0)
		return true;
	if ((when && strcmp(when, "never") == 0) || (no_color && no_color[0]) ||
	    (term && strcmp(term, "dumb") == 0))
		return false;
	return pager_pid > 0 || isatty(STDOUT_FILENO);
}

/* --- the pager --- */

static bool read_truth(const char *text, bool *ret_truth)
{
	static const char *const words[2][5] = { { "0", "no", "n", "false", "off" },
						 { "1", "yes", "y", "true", "on" } };

	for (size_t i = 0; i < 10; i++) {
		if (strcasecmp(text, words[i / 5][i % 5]) == 0) {
			*ret_truth = i / 5 == 1;
			return true;
		}
	}
	return false;
}

/* Whose session it is, as the kernel (the audit login) or sudo knows. */
static bool is_owner(void)
{
	auto_fclose FILE *file = fopen("/proc/self/loginuid", "re");
	const char *sudo = getenv("SUDO_UID");
	unsigned uid;

	if (getuid() != geteuid())
		return false;
	if (sudo && strtoul(sudo, NULL, 10) != geteuid())
		return false;
	return !file || fscanf(file, "%u", &uid) != 1 || uid == (unsigned)-1 || uid == geteuid();
}

/* NULL: none; "": the built-in ones. */
static const char *pager_wanted(bool *ret_secure)
{
	const char *secure = getenv("PROCLEDGER_PAGERSECURE");
	const char *pager = getenv("PROCLEDGER_PAGER");
	bool said = secure && read_truth(secure, ret_secure);

	if (secure && !said)
		*ret_secure = true; /* what cannot be understood must not open a door */
	else if (!secure)
		*ret_secure = !is_owner();
	if (!pager)
		pager = getenv("PAGER");
	if (pager && (!pager[0] || strcmp(pager, "cat") == 0))
		return NULL;
	return pager && (said || !*ret_secure) ? pager : "";
}

static void pager_environment(bool secure)
{
	const char *less = getenv("PROCLEDGER_LESS");

	(void)setenv("LESS", less ? less : "FRSXMK", 1);
	(void)setenv("LESSCHARSET", "utf-8", 0);
	if (secure)
		(void)setenv("LESSSECURE", "1", 1);
	else
		(void)unsetenv("LESSSECURE");
}

static void pager_run(const char *pager, bool secure)
{
	pager_environment(secure);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)signal(SIGPIPE, SIG_DFL);
	if (pager[0])
		(void)execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
	(void)execlp("less", "less", (char *)NULL);
	if (!secure)
		(void)execlp("more", "more", (char *)NULL);
	(void)execlp("cat", "cat", (char *)NULL);
	_exit(127);
}

void terminal_pager_begin(void)
{
	bool secure;
	const char *pager = pager_wanted(&secure);
	int ends[2];

	if (!pager || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || pager_pid > 0)
		return;
	if (pipe(ends) < 0)
		return;
	pager_pid = fork();
	if (pager_pid == 0) {
		(void)dup2(ends[0], STDIN_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		pager_run(pager, secure);
	}
	if (pager_pid > 0) {
		/* What is said at the end of an answer belongs under it. */
		if (isatty(STDERR_FILENO))
			(void)dup2(ends[1], STDERR_FILENO);
		(void)dup2(ends[1], STDOUT_FILENO);
	} else {
		pager_pid = 0;
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

void terminal_pager_end(void)
{
	if (pager_pid == 0)
		return;
	(void)fflush(stdout);
	(void)close(STDOUT_FILENO);
	(void)close(STDERR_FILENO);
	while (waitpid(pager_pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	pager_pid = 0;
}

/* --- progress --- */

static unsigned long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

void progress_show(struct progress *progress, unsigned long long done, unsigned long long total)
{
	unsigned long long now;

	if (!progress->asked) {
		progress->asked = true;
		progress->on = pager_pid == 0 && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
		progress->begun_ms = now_ms();
	}
	if (!progress->on || total == 0)
		return;
	now = now_ms();
	if (now < progress->begun_ms + PROGRESS_AFTER_MS ||
	    now < progress->shown_ms + PROGRESS_EVERY_MS)
		return;
	progress->shown_ms = now;
	progress->shown = true;
	(void)fprintf(stderr, "\rprocledger: reading, %llu %%", done * 100 / total);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		(void)fprintf(stderr, "\r%30s\r", "");
	progress->shown = false;
}
