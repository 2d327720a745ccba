/* index_query.h - asking index.db, by somebody who may ask but not change or reach anything else; within limits of time and memory. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "query/output.h"
#include "query/query.h"

enum { INDEX_QUERY_MAX_BYTES = 100000 };

struct index_query {
	struct query query;
	sqlite3 *db;
	sqlite3_stmt *statement;
	enum output_format format;
	struct output *output;
	struct output_column *columns;
	unsigned timeout_s;
	int64_t memory_bytes;
	uint64_t deadline_ns;
	bool out_of_time;
	bool wal_ignored; /* a WAL that is there could not be read */
	uint64_t
		next_event_no; /* to where the index reaches, asked before the question was; 0: not known */
};

/* Opens the index of the store, read-only and confined.  0, or an exit code after a sentence.  The caller closes it in any case. */
int index_query_open(struct index_query *ask, const struct options *options);
void index_query_close(struct index_query *ask);

/* Makes the first statement of text the present one (ask->statement, NULL where text holds none) and starts its clock; the one before is
 * forgotten.  0: *ret_rest is what follows it; or an exit code after a sentence. */
int index_query_prepare(struct index_query *ask, const char *text, const char **ret_rest);

/* Opens the ledger, unless the window did, and gives a recorder that runs a moment to bring the index as far as the ledger is, where what
 * it lacks may be in the window.  Before index_query_prepare().  0, or an exit code after a sentence; a ledger that cannot be read is none. */
int index_query_catch_up(struct index_query *ask);

/* Writes the rows of the statement, whose parameters are bound, to standard output; rows_name names them in JSON.  The caller ends
 * ask->output, or lets index_query_finish() do it.  0, or an exit code after a sentence. */
int index_query_run(struct index_query *ask, const char *rows_name);

/* What went wrong with the statement, in a sentence; its exit code. */
int index_query_failed(struct index_query *ask);

/* Notes in the ledger what the index was made without, whatever the ledger says now.  0 or -ENOMEM. */
int index_note_damage(sqlite3 *db, struct ledger *ledger);

/* Ends the answer: how far the index reached, and what it cannot know.  With a window (ask->query.window made): in that; else in all.  An exit
 * code. */
int index_query_finish(struct index_query *ask);
