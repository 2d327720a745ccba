/* procfs_parse.c - the texts of /proc as facts.  No I/O; what a user can put into them (a name with newlines and brackets, a cgroup
 * called "0::/x") must not mislead.
 */
#include <errno.h>
#include <string.h>

#include "recorder/procfs.h"

/* Reads forward through a text; a token that is not there leaves `failed` set. */
struct text {
	const uint8_t *at, *end;
	bool failed;
};

static uint64_t number_next(struct text *t)
{
	const uint8_t *begin;
	uint64_t n = 0;

	while (t->at < t->end && (*t->at == ' ' || *t->at == '\t'))
		t->at++;
	for (begin = t->at; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*t->at - '0'), &n))
			t->failed = true;
	if (t->at == begin)
		t->failed = true;
	return n;
}

static uint32_t number32_next(struct text *t)
{
	uint64_t n = number_next(t);

	if (n > UINT32_MAX)
		t->failed = true;
	return (uint32_t)n;
}

/* Steps over words that are of no use here, negative numbers among them. */
static void words_skip(struct text *t, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		while (t->at < t->end && *t->at == ' ')
			t->at++;
		if (t->at == t->end)
			t->failed = true;
		while (t->at < t->end && *t->at != ' ')
			t->at++;
	}
}

int procfs_parse_u32(const uint8_t *text, size_t bytes, uint32_t *ret_value)
{
	struct text t = { .at = text, .end = text + bytes };
	uint32_t value = number32_next(&t);

	if (t.at < t.end && *t.at == '\n')
		t.at++;
	if (t.failed || t.at != t.end)
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

/* proc_pid_stat(5): "pid (comm) S ppid pgrp session tty tpgid flags ...", threads being field 20 and start time 22.  comm may hold anything, a
 * bracket and a newline too, but nothing behind it does: hence the last ')'. */
int procfs_parse_stat(const uint8_t *text, size_t bytes, struct procfs_stat *ret_stat)
{
	const uint8_t *open = bytes > 0 ? memchr(text, '(', bytes) : NULL;
	const uint8_t *shut = bytes > 0 ? memrchr(text, ')', bytes) : NULL;
	struct procfs_stat stat = { 0 };
	struct text t = { .end = text + bytes };

	if (!open || !shut || shut < open || t.end - shut < 4 || shut[1] != ' ')
		return -EBADMSG;
	stat.comm = open + 1;
	stat.comm_bytes = (uint32_t)(shut - open - 1);
	stat.state = shut[2];
	t.at = shut + 3;
	stat.ppid = number32_next(&t);
	words_skip(&t, 4);
	stat.flags = number32_next(&t);
	words_skip(&t, 10);
	stat.threads = number32_next(&t);
	words_skip(&t, 1);
	stat.start_ticks = number_next(&t);
	if (t.failed)
		return -EBADMSG;
	*ret_stat = stat;
	return 0;
}

/* The line that begins at *at, without its newline; moves *at behind it.  False at the end of the text. */
static bool line_next(const uint8_t **at, const uint8_t *end, struct text *ret_line)
{
	const uint8_t *newline;

	if (*at >= end)
		return false;
	newline = memchr(*at, '\n', (size_t)(end - *at));
	*ret_line = (struct text){ .at = *at, .end = newline ? newline : end };
	*at = newline ? newline + 1 : end;
	return true;
}

static bool line_begins(const struct text *line, const char *with)
{
	size_t bytes = strlen(with);

	return (size_t)(line->end - line->at) >= bytes && memcmp(line->at, with, bytes) == 0;
}

/* proc_pid_status(5): the name stands in the first line with its newlines escaped, so that no line can be forged. */
int procfs_parse_status(const uint8_t *text, size_t bytes, uint32_t ret_ids[4])
{
	const uint8_t *at = text, *end = text + bytes;
	uint32_t ids[4] = { 0 };
	unsigned found = 0;
	struct text line;

	while (found < 2 && line_next(&at, end, &line)) {
		uint32_t *pair = ids + 2 * found;

		if (!line_begins(&line, found == 0 ? "Uid:" : "Gid:"))
			continue;
		line.at += strlen("Uid:");
		pair[0] = number32_next(&line);
		pair[1] = number32_next(&line);
		if (line.failed)
			return -EBADMSG;
		found++;
	}
	if (found < 2)
		return -EBADMSG;
	memcpy(ret_ids, ids, sizeof(ids));
	return 0;
}

/* cgroups(7): "hierarchy:controllers:path", where a path has its newlines escaped by the kernel.  Beside v1 hierarchies that of v2 may be there
 * and empty: everybody is in its root. */
int procfs_parse_cgroup(const uint8_t *text, size_t bytes, const uint8_t **ret_path,
			size_t *ret_bytes)
{
	enum { NONE, FIRST, SYSTEMD, UNIFIED, BELOW_ROOT = UNIFIED };
	int best = NONE;
	const uint8_t *at = text, *end = text + bytes, *path = NULL;
	size_t path_bytes = 0, count = 0;
	struct text line;

	while (line_next(&at, end, &line)) {
		const uint8_t *one = memchr(line.at, ':', (size_t)(line.end - line.at)), *two;
		struct text rest;
		int rank = FIRST;

		if (!one)
			continue;
		rest = (struct text){ .at = one + 1, .end = line.end };
		two = memchr(rest.at, ':', (size_t)(rest.end - rest.at));
		if (!two)
			continue;
		if (line_begins(&line, "0::"))
			rank = UNIFIED;
		else if (line_begins(&rest, "name=systemd:"))
			rank = SYSTEMD;
		rank += line.end - two > 2 ? BELOW_ROOT : 0;
		count++;
		if (rank <= best)
			continue;
		best = rank;
		path = two + 1;
		path_bytes = (size_t)(line.end - path);
	}
	if (!path)
		return -EBADMSG;
	*ret_path = path;
	*ret_bytes = path_bytes;
	return best == BELOW_ROOT + UNIFIED || (best == UNIFIED && count == 1) ? 0
									       : PROCFS_CGROUP_V1;
}
