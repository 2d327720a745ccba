/* procfs.h - what /proc says of one task, field by field with how each was come by.  Reading and parsing are apart.
 *
 * A process is read under one descriptor of its /proc/PID folder, so that all fields are of the same process whatever becomes of its
 * number.  Nothing is malloc'ed after procfs_open().  A struct procfs is one thread's at a time; several may be open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/redact.h"
#include "schema/detail.h"

enum {
	PROCFS_ARGV_DEFAULT_BYTES = 4096,
	PROCFS_ARGV_MAX_BYTES = 12288, /* the most that may be asked for */
	PROCFS_PATH_MAX_BYTES = 4000,  /* of exe and cwd */
	PROCFS_CGROUP_MAX_BYTES = 2048,
	PROCFS_COMM_MAX_BYTES = 64,    /* what the kernel writes into stat, at most */
	PROCFS_TEXT_MAX_BYTES = 16384, /* of a file that is parsed */
};

/* --- parsing: any bytes may come; what is found points into the text --- */

struct procfs_stat {
	const uint8_t *comm; /* what stands between the first '(' and the last ')' */
	uint32_t comm_bytes;
	uint8_t state; /* 'R', 'S' ... */
	uint32_t ppid;
	uint32_t flags;   /* PF_* of the kernel */
	uint32_t threads; /* of its process, that have not been reaped */
	uint64_t start_ticks;
};

/* The line of /proc/PID/stat.  0 or -EBADMSG. */
int procfs_parse_stat(const uint8_t *text, size_t bytes, struct procfs_stat *ret_stat);

/* ruid, euid, rgid, egid from /proc/PID/status.  0 or -EBADMSG. */
int procfs_parse_status(const uint8_t *text, size_t bytes, uint32_t ret_ids[4]);

/* From /proc/PID/cgroup: the path of the v2 hierarchy, else of name=systemd, else that of the first line, of those that are not "/" if there are
 * any.  0, PROCFS_CGROUP_V1 when others of the same cgroup of the v2 hierarchy may have another, or -EBADMSG. */
enum { PROCFS_CGROUP_V1 = 1 };
int procfs_parse_cgroup(const uint8_t *text, size_t bytes, const uint8_t **ret_path,
			size_t *ret_bytes);

/* A decimal number that fills the text but for a newline behind it.  0 or -EBADMSG. */
int procfs_parse_u32(const uint8_t *text, size_t bytes, uint32_t *ret_value);

/* --- reading --- */

struct procfs;

struct procfs_setup {
	const char *path;      /* of the proc file system: "/proc" */
	size_t argv_max_bytes; /* more is cut off; at most PROCFS_ARGV_MAX_BYTES; 0: argv is withheld */
	const struct redactor
		*redactor; /* the caller's, outlives it; NULL: argv is given as it is */
};

/* Opens a proc file system, and finds out what this kernel can tell.  0 or -errno. */
int procfs_open(const struct procfs_setup *setup, struct procfs **ret_procfs);
void procfs_close(struct procfs *procfs); /* NULL does nothing */

/* The descriptor of the folder; procfs's own. */
int procfs_fd(const struct procfs *procfs);

struct procfs_task {
	struct detail detail; /* fields point into procfs, until the next read */
	bool stat_known;      /* what follows error is */
	int error; /* else: -ENOENT or -ESRCH where there is no such task any more, or what kept us from reading it */
	bool kernel;      /* a thread of the kernel: it has no program and no arguments */
	bool ended;       /* a zombie, or about to go */
	uint32_t threads; /* of its process: of an ended leader more than 1 if others live on */
	uint32_t ppid;
	uint64_t start_ticks; /* since boot, CLOCK_BOOTTIME, in 1/CLK_TCK s */
};

/* Reads a process.  Where there is no such process any more, every field is DETAIL_GONE.  All fields together fit into
 * EVENT_DETAIL_MAX_BYTES: argv is cut where they would not. */
void procfs_read_process(struct procfs *procfs, uint32_t pid, struct procfs_task *ret_task);

/* The same of a process that runs a program, without what stat tells beside comm (stat_known is false). */
void procfs_read_program(struct procfs *procfs, uint32_t pid, struct procfs_task *ret_task);

/* Reads a thread: comm, start and parent alone. */
void procfs_read_thread(struct procfs *procfs, uint32_t pid, uint32_t tid,
			struct procfs_task *ret_task);

/* How many tasks the kernel has made since boot, threads too: "processes" in /proc/stat.  0, -EBADMSG or -errno. */
int procfs_read_forks(const struct procfs *procfs, uint64_t *ret_forks);

/* Every field that procfs_read_process() would give as DETAIL_GONE. */
struct detail procfs_gone(const struct procfs *procfs);

/* When a task began on CLOCK_MONOTONIC, to 10 ms; 0 where that was before it began.  suspended_ns: clock_suspended_ns(). */
uint64_t procfs_start_ns(const struct procfs *procfs, uint64_t start_ticks, uint64_t suspended_ns);
