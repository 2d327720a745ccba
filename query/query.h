/* query.h - what every question needs: the ledger, the window, the clock on the wall, and how an answer ends. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "query/clocks.h"
#include "query/completeness.h"
#include "query/ledger.h"
#include "query/options.h"
#include "query/terminal.h"
#include "query/when.h"
#include "query/window.h"

struct query {
	const struct options *options;
	struct when_here here;
	int64_t offset_bucket; /* the quarter of an hour that offset_s is of; zones change at no other time */
	int32_t offset_s;
	char ring_path[PATH_MAX], index_path[PATH_MAX];
	struct ledger *ledger;
	struct clocks *clocks;
	struct window window;
	struct completeness completeness;
	bool completeness_known;
	int ring_fd; /* of a ring that came through a pipe, in memory; -1 */
	struct progress progress;
	uint64_t index_lag;     /* events that the index behind the answer does not have yet */
	bool ancestors_unknown; /* of families that were asked for: more may belong to them */
	const char *cursor;     /* for JSON: where the answer ends; NULL: nobody asked */
};

/* The paths in the store, the time and the zone: nothing that can fail but a path too long.  0 or EXIT_USAGE, said on stderr. */
int query_init(struct query *query, const struct options *options);

/* query_init(), then opens the ledger.  0, or an exit code after a sentence on stderr.  The caller clears it in any case. */
int query_open(struct query *query, const struct options *options);

/* query_open(), then makes the window out of the options. */
int query_open_window(struct query *query, const struct options *options);

/* After query_open_window(): the ledger as it is now, and the same window over it.  0; -errno: everything is as it was. */
int query_reopen(struct query *query);

/* After query_open(): the window is all boots, whole.  0 or an exit code. */
int query_window_all(struct query *query);
void query_clear(struct query *query);

/* A time stamp to read: in wall time with `digits` of the fraction, or @mono:NS where there is no wall time. */
void query_time(struct query *query, uint32_t boot_no, uint64_t timestamp_ns, unsigned digits,
		char out[WHEN_TEXT_BYTES]);

/* Whether a recorder holds the ring: 1 yes, 0 no, -errno: cannot be known. */
int query_recorder_runs(const struct query *query);

/* By how much the ring's file is shorter than its superblock says: 0, but where a copy was broken off. */
uint64_t query_bytes_missing(const struct query *query);

/* The process that holds it: its pid, 0: nobody, -errno. */
int query_recorder_pid(const struct query *query);

/* Ends an answer: what is missing (on stderr for text and CSV, in the JSON otherwise), write errors, the exit code.  output may be NULL
 * (text that a command wrote itself).  flags: COMPLETENESS_FOLD or 0. */
int query_end(struct query *query, struct output *output, size_t found, unsigned flags);

/* The exit code for an -errno of the ledger, after a sentence on stderr; a closed pipe is EXIT_FOUND and silent. */
int query_failed(const struct query *query, int error, const char *doing);
