/* index_db.h - index.db as a file: opening, making, transactions, and a row at a time in and out.  What goes into it is project.c's. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "schema/bulk.h"
#include "schema/event.h"
#include "schema/lives.h"
#include "schema/ring_format.h"

/* The statements that project.c runs again and again. */
enum index_statement {
#define STATEMENT(NAME, sql) INDEX_##NAME,
#include "schema/index_statements.h"
#undef STATEMENT
	INDEX_STATEMENT_COUNT
};

/* Rows that wait for the end of the batch: index_pending.h. */
struct index_pending;

struct index_db {
	sqlite3 *db;
	sqlite3_stmt *statement[INDEX_STATEMENT_COUNT];
	struct index_pending *pending;
	bool in_memory;
	int64_t file_bytes; /* the most that the file had: it never shrinks */
	int failed; /* the first SQLite result that was not good since index_begin(); sticky */
};

/* A path that is no file. */
#define INDEX_IN_MEMORY ":memory:"

/* Opens or makes the index at path.  0: *ret_ring_uuid is what it was made from (zero: it is empty);
 * -EBADMSG: this is no index of this version, or it is damaged; -errno. */
int index_open(const char *path, struct index_db *ret_index,
	       uint8_t ret_ring_uuid[RING_UUID_BYTES]);
void index_close(struct index_db *index); /* of a zeroed one does nothing */

/* Whether a database is an index: 0; -EPROTONOSUPPORT: one of another version; -EBADMSG: it is none; -errno. */
int index_check(sqlite3 *db);

/* A copy in memory, free of everything that only the index's own connection has.  0: *ret_db is the caller's to close; -errno. */
int index_copy(struct index_db *index, sqlite3 **ret_db);

/* Removes an index and what belongs to it. */
void index_remove(const char *path);

/* False: somebody has removed, replaced, cut or overwritten the file since it was opened, as far as its size and the first bytes of
 * it and its log tell.  Damage elsewhere is found when SQLite reads it. */
bool index_is_there(struct index_db *index);

/* A transaction.  index_commit(): 0, or -errno of the first thing that failed in it (-ENOSPC, -EIO, -EBADMSG, ...): then it was rolled back. */
int index_begin(struct index_db *index);
int index_commit(struct index_db *index);
void index_rollback(struct index_db *index);

/* Negative errno for a SQLite result code. */
int index_error(int sqlite_result);

uint64_t index_meta(struct index_db *index, const char *key, uint64_t otherwise);
void index_meta_set(struct index_db *index, const char *key, uint64_t value);
void index_uuid_set(struct index_db *index, const uint8_t ring_uuid[RING_UUID_BYTES]);

/* Runs a statement that is bound, and resets it.  Nothing is run once something of the transaction has failed. */
void index_step(struct index_db *index, sqlite3_stmt *statement);

/* Runs a statement with these numbers as its parameters. */
void index_run(struct index_db *index, enum index_statement which, const int64_t *numbers,
	       int count);
#define INDEX_RUN(index, NAME, ...)                                      \
	index_run(index, INDEX_##NAME, (const int64_t[]){ __VA_ARGS__ }, \
		  (int)(sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)))

/* --- rows: index_rows.c, and index_pending.c, whose rows wait for index_pending_flush() --- */

/* The rows of lives, written now.  replace: over those that are there. */
void index_put_lives(struct index_db *index, struct life **lives, size_t count, bool replace);
void index_put_image(struct index_db *index, const struct image *image);
void index_put_cred(struct index_db *index, const struct cred *cred);
void index_put_block(struct index_db *index, const struct ring_block_header *header);
void index_put_clock(struct index_db *index, uint32_t boot_no, const struct lives_clock *clock);
/* The row of an event in the table of its kind; forks are in their life's row.  life: of whom, or NULL.
 * folded: an EXIT that is in its life's row. */
void index_put_event(struct index_db *index, const struct event *event, uint32_t boot_no,
		     const struct life *life, bool folded);
/* The row of a process whose end is not its leader's. */
void index_put_process_end(struct index_db *index, const struct life *leader);
/* The EXIT that was taken for the end of this life becomes one that was not. */
void index_move_exit(struct index_db *index, const struct life *life);

struct ring;

/* Takes out what a rebuild would not have that begins at the keyframe in block_no, whose events are from first_event_no on.
 * 0; RING_HOLE, RING_OVERRUN: the keyframe is not there (any more); -errno. */
int index_prune(struct index_db *index, struct ring *ring, uint64_t block_no,
		uint64_t first_event_no);
