#include "query/ancestors.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS_MAX = 1 << 16 }; /* generations: a forged index may have cycles of fresh ids */

struct index {
	sqlite3 *db;
	sqlite3_stmt *statement;
};

static bool is_of_this_ring(sqlite3 *db, struct query *query)
{
	static const char sql[] = "SELECT value FROM meta WHERE key = 'ring_uuid'";
	sqlite3_stmt *statement = NULL;
	bool same = false;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW &&
	    sqlite3_column_bytes(statement, 0) == RING_UUID_BYTES)
		same = memcmp(sqlite3_column_blob(statement, 0),
			      ring_super(query->ledger->ring)->ring_uuid, RING_UUID_BYTES) == 0;
	(void)sqlite3_finalize(statement);
	return same;
}

static bool index_ready(struct index *index, struct query *query)
{
	static const char sql[] =
		"SELECT pid, ppid, parent_id, start_ns, end_ns, comm, exit_code, uid, "
		"euid, boot, ended FROM process WHERE id = ?1";

	if (query->options->from_ring || access(query->index_path, R_OK) < 0)
		return false;
	return sqlite3_open_v2(query->index_path, &index->db,
			       SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK &&
	       sqlite3_db_config(index->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
	       sqlite3_busy_timeout(index->db, 500) == SQLITE_OK &&
	       is_of_this_ring(index->db, query) &&
	       sqlite3_prepare_v2(index->db, sql, -1, &index->statement, NULL) == SQLITE_OK;
}

static void index_done(struct index *index)
{
	(void)sqlite3_finalize(index->statement);
	(void)sqlite3_close(index->db);
}

static bool is_known(const struct index *index, int column)
{
	return sqlite3_column_type(index->statement, column) == SQLITE_INTEGER;
}

static uint32_t number_of(const struct index *index, int column)
{
	return (uint32_t)sqlite3_column_int64(index->statement, column);
}

/* The life with this id as the index has it.  False: it does not. */
static bool look_up(const struct index *index, int64_t id, struct past_life *ret_life)
{
	sqlite3_stmt *statement = index->statement;
	struct past_life life = { .id = id, .process_id = id };
	const char *ended;
	int bytes;
	bool found;

	(void)sqlite3_reset(statement);
	(void)sqlite3_bind_int64(statement, 1, id);
	found = sqlite3_step(statement) == SQLITE_ROW;
	if (!found)
		return false;
	life.pid = life.tid = number_of(index, 0);
	life.ppid = number_of(index, 1);
	life.parent_id = sqlite3_column_int64(statement, 2);
	life.start_ns = (uint64_t)sqlite3_column_int64(statement, 3);
	life.end_ns = (uint64_t)sqlite3_column_int64(statement, 4);
	life.boot_no = number_of(index, 9);
	bytes = sqlite3_column_bytes(statement, 5);
	life.comm_known =
		sqlite3_column_type(statement, 5) != SQLITE_NULL && bytes < EVENT_COMM_BYTES;
	if (life.comm_known && bytes > 0)
		memcpy(life.comm, sqlite3_column_blob(statement, 5), (size_t)bytes);
	ended = (const char *)sqlite3_column_text(statement, 10);
	life.ended = ended != NULL;
	life.end_how = ended && strcmp(ended, "exit") == 0 ? LIFE_END_EXIT : LIFE_END_ABSENT;
	life.exit_code = number_of(index, 6);
	life.uid_known = is_known(index, 7) && is_known(index, 8);
	life.ruid = number_of(index, 7);
	life.euid = number_of(index, 8);
	(void)sqlite3_reset(statement);
	*ret_life = life;
	return true;
}

/* Gives parents that are known by id, but not to the past, their place in it. */
static int add_from_index(struct past *past, const struct index *index)
{
	int r = 0;

	for (size_t round = 0; r == 0 && round < ROUNDS_MAX; round++) {
		const struct past_life *orphan = past_next_orphan(past);
		struct past_life parent;

		if (!orphan)
			break;
		if (look_up(index, orphan->parent_id, &parent))
			r = past_add(past, &parent);
		else
			past_give_up(past);
	}
	if (r == 0)
		past_relink(past);
	return r;
}

static bool is_orphan(const struct past_life *life)
{
	return !life->parent && life->parent_id != 0 && life->pid == life->tid;
}

/* Whether the ring knows of an ancestor that the past lacks; without an index any may be. */
static bool ring_knows_more(const struct past *past, struct query *query, bool indexed)
{
	size_t count;
	struct past_life *const *lives = past_lives(past, &count);

	for (size_t i = 0; i < count; i++) {
		int64_t id = lives[i]->parent_id;
		uint64_t event_no = (uint64_t)(id < 0 ? -(id / 2) : id); /* lives.h */

		if (is_orphan(lives[i]) &&
		    (!indexed || event_no >= ledger_span(query->ledger, 0)->first_event_no))
			return true;
	}
	return false;
}

static bool asks_families(const struct query *query)
{
	const struct select *select = &query->options->select;

	return select_has(select, SELECT_UNDER) || select_has(select, SELECT_ABOVE);
}

int ancestors_past(struct query *query, const struct window_boot *window, unsigned flags,
		   bool shown, struct past **ret_past)
{
	struct index index = { 0 };
	struct past *past;
	bool indexed = false;
	int r = past_new(query->ledger, window, flags, &past);

	if (r < 0)
		return r;
	if ((shown || asks_families(query)) && past_next_orphan(past)) {
		indexed = index_ready(&index, query);
		r = indexed ? add_from_index(past, &index) : 0;
		index_done(&index);
	}
	if (r == 0 && asks_families(query) && ring_knows_more(past, query, indexed)) {
		past_free(past);
		return past_new(query->ledger, window, flags | PAST_WHOLE, ret_past);
	}
	if (r < 0)
		past_free(past);
	else
		*ret_past = past;
	return r;
}

size_t ancestors_select(struct query *query, const struct window_boot *window, struct past *past)
{
	const struct select *select = &query->options->select;
	size_t count, selected = select_lives(select, query->clocks, past, window);
	struct past_life *const *lives = past_lives(past, &count);

	for (size_t i = 0; i < count; i++) {
		if (is_orphan(lives[i]) &&
		    (lives[i]->above || (select_has(select, SELECT_UNDER) && !lives[i]->under)))
			query->ancestors_unknown = true;
	}
	return selected;
}
