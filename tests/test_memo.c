/* test_memo.c - what is kept behind an audit session and a cgroup: as unit, and that what is read of processes that change theirs is what
 * their files in /proc say, each time.
 */
#include "recorder/memo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/procfs.h"
#include "tests/tap.h"

static bool path_is(const struct memo *memo, uint64_t id, const char *expected)
{
	size_t bytes = 0;
	const uint8_t *path = memo_cgroup(memo, id, &bytes);

	if (!expected)
		return path == NULL;
	return path && bytes == strlen(expected) && memcmp(path, expected, bytes) == 0;
}

static void note(struct memo *memo, uint64_t id, const char *path)
{
	memo_cgroup_note(memo, id, (const uint8_t *)path, strlen(path));
}

static void test_unit(void)
{
	static struct memo memo;
	char text[MEMO_PATH_MAX_BYTES + 2] = "/";
	uint32_t loginuid = 0;

	ok(!memo_login(&memo, 0, &loginuid) && path_is(&memo, 0, NULL),
	   "nothing is known at first");
	memo_login_note(&memo, 10, 7, 1000);
	memo_login_note(&memo, 10, 7, 1000);
	ok(!memo_login(&memo, 7, &loginuid), "one process alone is not believed");
	memo_login_note(&memo, 11, 7, 1000);
	ok(memo_login(&memo, 7, &loginuid) && loginuid == 1000, "two are");
	ok(!memo_login(&memo, 7 + MEMO_PLACES, &loginuid),
	   "another session in its place is not it");
	memo_login_note(&memo, 12, 8, 1);
	memo_login_note(&memo, 13, 8, 2);
	ok(!memo_login(&memo, 8, &loginuid), "two that differ are not");
	memo_login_note(&memo, 14, 7 + MEMO_PLACES, 5);
	ok(!memo_login(&memo, 7, &loginuid), "the newer session takes the place");
	note(&memo, 5, "/a");
	note(&memo, 5 + MEMO_PLACES, "/b (deleted)");
	note(&memo, 0, "/c");
	note(&memo, 5 + MEMO_PLACES, "");
	ok(path_is(&memo, 5, "/a") && path_is(&memo, 5 + MEMO_PLACES, NULL) &&
		   path_is(&memo, 0, NULL),
	   "the path of a cgroup is kept, but not of one that is deleted or not known");
	memset(text + 1, 'x', MEMO_PATH_MAX_BYTES);
	note(&memo, 6, text);
	text[MEMO_PATH_MAX_BYTES] = '\0';
	note(&memo, 70, text);
	ok(path_is(&memo, 6, NULL) && path_is(&memo, 70, text), "nor one that does not fit");
}

/* --- real processes --- */

enum { CHILDREN = 3 };

struct child {
	pid_t pid;
	int in[2], out[2];
};

/* A child that gives itself the loginuid of each line that it is sent, and answers. */
static void child_begin(struct child *child)
{
	char line[16];
	ssize_t n;

	if (pipe(child->in) < 0 || pipe(child->out) < 0)
		abort();
	child->pid = fork();
	if (child->pid != 0)
		return;
	(void)close(child->in[1]);
	while ((n = read(child->in[0], line, sizeof(line))) > 0) {
		int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
		char done = fd >= 0 && write(fd, line, (size_t)n) == n ? '+' : '-';

		(void)close(fd);
		if (write(child->out[1], &done, 1) != 1)
			break;
	}
	_exit(0);
}

static void child_end(struct child *child)
{
	(void)kill(child->pid, SIGKILL);
	(void)waitpid(child->pid, NULL, 0);
	for (int i = 0; i < 2; i++) {
		(void)close(child->in[i]);
		(void)close(child->out[i]);
	}
}

static bool child_login(const struct child *child, const char *loginuid)
{
	char done = '-';

	return write(child->in[1], loginuid, strlen(loginuid)) == (ssize_t)strlen(loginuid) &&
	       read(child->out[0], &done, 1) == 1 && done == '+';
}

static size_t file_text(pid_t pid, const char *name, char *out, size_t capacity)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, out, capacity - 1);
	(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Whether what procfs reads of each child, several times, is what stands in its files. */
static bool all_agree(struct procfs *procfs, const struct child children[CHILDREN])
{
	bool agree = true;

	for (int i = 0; i < 4 * CHILDREN; i++) {
		const pid_t pid = children[i % CHILDREN].pid;
		struct procfs_task task;
		uint32_t loginuid = 0, sessionid = 0;
		const uint8_t *path;
		size_t bytes;
		char login[32], session[32], cgroup[8192];
		const struct detail_field *field = &task.detail.field[DETAIL_CGROUP];

		procfs_read_process(procfs, (uint32_t)pid, &task);
		(void)file_text(pid, "loginuid", login, sizeof(login));
		(void)file_text(pid, "sessionid", session, sizeof(session));
		bytes = file_text(pid, "cgroup", cgroup, sizeof(cgroup));
		if (procfs_parse_cgroup((const uint8_t *)cgroup, bytes, &path, &bytes) < 0)
			bytes = 0;
		agree &= field->bytes == bytes && memcmp(field->data, path, bytes) == 0;
		if (task.detail.field[DETAIL_LOGINUID].state == DETAIL_ABSENT)
			continue;
		agree &= detail_u32(&task.detail, DETAIL_LOGINUID, 0, &loginuid) == 0 &&
			 detail_u32(&task.detail, DETAIL_SESSIONID, 0, &sessionid) == 0 &&
			 loginuid == strtoul(login, NULL, 10) &&
			 sessionid == strtoul(session, NULL, 10);
	}
	return agree;
}

static bool move(const char *folder, pid_t pid)
{
	char path[256], text[16];
	int fd, n = snprintf(text, sizeof(text), "%d", pid);
	bool moved;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	moved = fd >= 0 && write(fd, text, (size_t)n) == n;
	(void)close(fd);
	return moved;
}

static void test_cgroups(struct procfs *procfs, const struct child children[CHILDREN])
{
	char home[] = "/tmp/test_memo.XXXXXX", one[128], two[128];

	if (!mkdtemp(home))
		abort();
	if (mount("none", home, "cgroup2", 0, NULL) < 0) {
		printf("ok %d - # SKIP no cgroups of the v2 hierarchy here: %s\n", ++tap_count,
		       strerror(errno));
		(void)rmdir(home);
		return;
	}
	(void)snprintf(one, sizeof(one), "%s/test_memo.%d.one", home, getpid());
	(void)snprintf(two, sizeof(two), "%s/test_memo.%d.two", home, getpid());
	if (mkdir(one, 0755) < 0 || mkdir(two, 0755) < 0) {
		printf("ok %d - # SKIP cgroups cannot be made here: %s\n", ++tap_count,
		       strerror(errno));
	} else {
		bool agree = true;

		for (int i = 0; i < 2 * CHILDREN; i++)
			agree &= move(i % 2 ? one : two, children[i % CHILDREN].pid) &&
				 all_agree(procfs, children);
		ok(agree, "of processes that move among cgroups, theirs is read");
		for (int i = 0; i < CHILDREN; i++)
			(void)move(home, children[i].pid);
	}
	(void)rmdir(one);
	(void)rmdir(two);
	(void)umount(home);
	(void)rmdir(home);
}

int main(void)
{
	const struct procfs_setup setup = { .path = "/proc",
					    .argv_max_bytes = PROCFS_ARGV_DEFAULT_BYTES };
	struct child children[CHILDREN];
	struct procfs *procfs;

	test_unit();
	if (procfs_open(&setup, &procfs) < 0)
		return 1;
	for (int i = 0; i < CHILDREN; i++)
		child_begin(&children[i]);
	ok(all_agree(procfs, children), "session, login uid and cgroup are those of the files");
	if (child_login(&children[1], "4242") && child_login(&children[2], "4243"))
		ok(all_agree(procfs, children) && child_login(&children[1], "4244") &&
			   all_agree(procfs, children),
		   "also of processes that log in, and again");
	else
		printf("ok %d - # SKIP nobody can log in here\n", ++tap_count);
	test_cgroups(procfs, children);
	for (int i = 0; i < CHILDREN; i++)
		child_end(&children[i]);
	procfs_close(procfs);
	return done_testing();
}
