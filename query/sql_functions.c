#include "query/sql_functions.h"

#ifdef PROCLEDGER_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1
#else
#include <sqlite3.h>
#endif

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query/when.h"

enum { FAMILY_MAX = 10000000, SEGMENT_GOOD_NS = 1000000000, TIME_TEXT_BYTES = 40 };

/* Time stamps [from_ns, to_ns) of a boot are wall time minus offset_ns; asked of the table clock at asked_ns. */
struct segment {
	int64_t boot, from_ns, to_ns, offset_ns;
	uint64_t asked_ns;
	bool known;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One row of numbers, of a question with at most two numbers.  False: there is none, or it failed. */
static bool ask(sqlite3 *db, const char *sql, const int64_t parameters[2], int64_t *ret_numbers,
		int count)
{
	sqlite3_stmt *statement;
	bool found = false;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return false;
	for (int i = 0; i < 2 && i < sqlite3_bind_parameter_count(statement); i++)
		(void)sqlite3_bind_int64(statement, i + 1, parameters[i]);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		found = true;
		for (int i = 0; i < count; i++) {
			found = found && sqlite3_column_type(statement, i) == SQLITE_INTEGER;
			ret_numbers[i] = sqlite3_column_int64(statement, i);
		}
	}
	(void)sqlite3_finalize(statement);
	return found;
}

/* --- wall, wall_ns --- */

/* From the newest clock record at or before ns; for what is older than all, from the first. */
static bool segment_find(sqlite3 *db, int64_t boot, int64_t ns, struct segment *segment)
{
	const int64_t at[2] = { boot, ns };
	int64_t row[2];

	if (segment->known && segment->boot == boot && ns >= segment->from_ns &&
	    ns < segment->to_ns && clock_ns(CLOCK_MONOTONIC) - segment->asked_ns < SEGMENT_GOOD_NS)
		return true;
	*segment = (struct segment){ .boot = boot,
				     .from_ns = INT64_MIN,
				     .to_ns = INT64_MAX,
				     .asked_ns = clock_ns(CLOCK_MONOTONIC) };
	if (ask(db,
		"SELECT monotonic_ns FROM clock WHERE boot = ?1 AND monotonic_ns > ?2 "
		"ORDER BY monotonic_ns LIMIT 1",
		at, row, 1))
		segment->to_ns = row[0];
	segment->known = true;
	if (ask(db,
		"SELECT monotonic_ns, realtime_ns - monotonic_ns FROM clock WHERE boot = ?1 AND "
		"monotonic_ns <= ?2 ORDER BY monotonic_ns DESC LIMIT 1",
		at, row, 2)) {
		segment->from_ns = row[0];
		segment->offset_ns = row[1];
		return true;
	}
	segment->known = ask(db,
			     "SELECT monotonic_ns, realtime_ns - monotonic_ns FROM clock WHERE "
			     "boot = ?1 ORDER BY monotonic_ns LIMIT 1",
			     at, row, 2);
	segment->offset_ns = segment->known ? row[1] : 0;
	return segment->known;
}

/* The boot that was given as an argument, or the newest. */
static bool boot_of(sqlite3_context *context, int count, sqlite3_value **values, int64_t *ret_boot)
{
	const int64_t none[2] = { 0 };

	if (count > 1) {
		*ret_boot = sqlite3_value_int64(values[1]);
		return sqlite3_value_type(values[1]) != SQLITE_NULL;
	}
	return ask(sqlite3_context_db_handle(context), "SELECT max(boot) FROM boot", none, ret_boot,
		   1);
}

static bool wall_of(sqlite3_context *context, int count, sqlite3_value **values, int64_t *ret_ns)
{
	struct segment *segment = sqlite3_user_data(context);
	int64_t ns = sqlite3_value_int64(values[0]), boot;

	if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
	    !boot_of(context, count, values, &boot) ||
	    !segment_find(sqlite3_context_db_handle(context), boot, ns, segment))
		return false;
	return !__builtin_add_overflow(ns, segment->offset_ns, ret_ns) && *ret_ns >= 0;
}

static void wall_ns(sqlite3_context *context, int count, sqlite3_value **values)
{
	int64_t ns;

	if (wall_of(context, count, values, &ns))
		sqlite3_result_int64(context, ns);
}

static void wall(sqlite3_context *context, int count, sqlite3_value **values)
{
	char text[TIME_TEXT_BYTES];
	struct tm tm;
	time_t seconds;
	size_t at;
	int64_t ns;

	if (!wall_of(context, count, values, &ns))
		return;
	seconds = (time_t)(ns / 1000000000);
	if (!gmtime_r(&seconds, &tm))
		return;
	at = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + at, sizeof(text) - at, ".%09" PRId64 "Z", ns % 1000000000);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* --- ns --- */

static int32_t local_offset(void *context, int64_t utc_s)
{
	time_t time = (time_t)utc_s;
	struct tm tm;

	(void)context;
	return localtime_r(&time, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

static void ns(sqlite3_context *context, int count, sqlite3_value **values)
{
	sqlite3 *db = sqlite3_context_db_handle(context);
	const struct when_here *given = sqlite3_user_data(context);
	struct when_here here = given ? *given : (struct when_here){ .utc_offset_s = local_offset };
	const char *text = (const char *)sqlite3_value_text(values[0]);
	int64_t at[2] = { 0 }, offset;
	struct when when;
	bool found;

	if (!text)
		return;
	here.now_ns = clock_ns(CLOCK_REALTIME);
	if (when_parse(text, &here, &when) < 0) {
		sqlite3_result_error(context,
				     "ns() wants a point in time, like '14:03' or '-10min'", -1);
		return;
	}
	if (when.mono) {
		sqlite3_result_int64(context, (int64_t)when.ns);
		return;
	}
	at[0] = (int64_t)when.ns;
	at[1] = count > 1 ? sqlite3_value_int64(values[1]) : 0;
	found = ask(
		db,
		count > 1 ? "SELECT realtime_ns - monotonic_ns FROM clock WHERE boot = ?2 ORDER BY "
			    "realtime_ns > ?1, abs(realtime_ns - ?1) LIMIT 1"
			  : "SELECT realtime_ns - monotonic_ns FROM clock ORDER BY "
			    "realtime_ns > ?1, abs(realtime_ns - ?1) LIMIT 1",
		at, &offset, 1);
	if (found)
		sqlite3_result_int64(context, at[0] - offset);
}

/* --- comm_at --- */

static void comm_at(sqlite3_context *context, int count, sqlite3_value **values)
{
	sqlite3_stmt *statement;

	(void)count;
	if (sqlite3_prepare_v2(
		    sqlite3_context_db_handle(context),
		    "SELECT comm FROM comm_history WHERE id = ?1 AND ifnull(from_ns, 0) <= "
		    "?2 AND (to_ns IS NULL OR to_ns > ?2) ORDER BY from_ns DESC LIMIT 1",
		    -1, &statement, NULL) != SQLITE_OK) {
		sqlite3_result_error(context, "comm_at() wants an index.db of procledger", -1);
		return;
	}
	(void)sqlite3_bind_value(statement, 1, values[0]);
	(void)sqlite3_bind_value(statement, 2, values[1]);
	if (sqlite3_step(statement) == SQLITE_ROW)
		sqlite3_result_value(context, sqlite3_column_value(statement, 0));
	(void)sqlite3_finalize(statement);
}

/* --- ancestors and descendants: tables made when they are asked for --- */

struct family {
	sqlite3_vtab base; /* first */
	sqlite3 *db;
	bool down;
};

struct member {
	int64_t id, depth;
};

struct family_cursor {
	sqlite3_vtab_cursor base; /* first */
	struct member *members;
	uint32_t *slots; /* by hash of the id: one more than the index of a member; 0: free */
	size_t count, capacity, at;
	sqlite3_stmt *row; /* of the present member, made when a column of it is asked for */
};

enum { COLUMN_ID, COLUMN_DEPTH, COLUMN_PID, COLUMN_COMM, COLUMN_START, COLUMN_OF };

static int family_connect(sqlite3 *db, void *down, int argc, const char *const *argv,
			  sqlite3_vtab **ret_table, char **ret_error)
{
	struct family *family = sqlite3_malloc(sizeof(*family));
	int r;

	(void)argc;
	(void)argv;
	(void)ret_error;
	if (!family)
		return SQLITE_NOMEM;
	*family = (struct family){ .db = db, .down = down != NULL };
	r = sqlite3_declare_vtab(
		db, "CREATE TABLE x(id INTEGER, depth INTEGER, pid INTEGER, comm TEXT, start_ns "
		    "INTEGER, of INTEGER HIDDEN)");
	if (r != SQLITE_OK) {
		sqlite3_free(family);
		return r;
	}
	(void)sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	*ret_table = &family->base;
	return SQLITE_OK;
}

static int family_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static int family_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	for (int i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != COLUMN_OF ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!info->aConstraint[i].usable)
			return SQLITE_CONSTRAINT;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->estimatedCost = 1000;
		info->estimatedRows = 100;
		return SQLITE_OK;
	}
	return SQLITE_CONSTRAINT; /* of whom? */
}

static int family_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
	struct family_cursor *cursor = sqlite3_malloc(sizeof(*cursor));

	(void)table;
	if (!cursor)
		return SQLITE_NOMEM;
	*cursor = (struct family_cursor){ 0 };
	*ret_cursor = &cursor->base;
	return SQLITE_OK;
}

static int family_close(sqlite3_vtab_cursor *base)
{
	struct family_cursor *cursor = (struct family_cursor *)base;

	(void)sqlite3_finalize(cursor->row);
	sqlite3_free(cursor->members);
	sqlite3_free(cursor->slots);
	sqlite3_free(cursor);
	return SQLITE_OK;
}

static size_t member_hash(int64_t id)
{
	return (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* Where an id is among the members, or SIZE_MAX.  The table of slots is twice as large as the array, a power of two. */
static size_t member_find(const struct family_cursor *cursor, int64_t id)
{
	size_t mask = cursor->capacity * 2 - 1;

	if (!cursor->slots)
		return SIZE_MAX;
	for (size_t at = member_hash(id) & mask; cursor->slots[at] > 0; at = (at + 1) & mask) {
		if (cursor->members[cursor->slots[at] - 1].id == id)
			return cursor->slots[at] - 1;
	}
	return SIZE_MAX;
}

static void slot_set(struct family_cursor *cursor, size_t member)
{
	size_t mask = cursor->capacity * 2 - 1, at = member_hash(cursor->members[member].id) & mask;

	while (cursor->slots && cursor->slots[at] > 0)
		at = (at + 1) & mask;
	if (cursor->slots)
		cursor->slots[at] = (uint32_t)member + 1;
}

static int members_grow(struct family_cursor *cursor)
{
	size_t capacity = cursor->capacity ? cursor->capacity * 2 : 64;
	struct member *members = sqlite3_realloc64(cursor->members, capacity * sizeof(*members));
	uint32_t *slots;

	if (!members)
		return SQLITE_NOMEM;
	cursor->members = members;
	slots = sqlite3_malloc64(capacity * 2 * sizeof(*slots));
	if (!slots)
		return SQLITE_NOMEM;
	memset(slots, 0, capacity * 2 * sizeof(*slots));
	sqlite3_free(cursor->slots);
	cursor->slots = slots;
	cursor->capacity = capacity;
	for (size_t i = 0; i < cursor->count; i++)
		slot_set(cursor, i);
	return SQLITE_OK;
}

static int member_add(struct family_cursor *cursor, int64_t id, int64_t depth)
{
	int r = SQLITE_OK;

	if (cursor->count == FAMILY_MAX)
		return SQLITE_TOOBIG;
	if (cursor->count == cursor->capacity)
		r = members_grow(cursor);
	if (r != SQLITE_OK)
		return r;
	cursor->members[cursor->count] = (struct member){ id, depth };
	slot_set(cursor, cursor->count++);
	return SQLITE_OK;
}

/* Parents, until none is known; a ledger that lies may have cycles. */
static int find_ancestors(sqlite3 *db, struct family_cursor *cursor, int64_t id)
{
	int r = SQLITE_OK;
	int64_t at[2] = { id, 0 }, row[2];

	for (int64_t depth = 0; r == SQLITE_OK; depth++) {
		if (member_find(cursor, at[0]) != SIZE_MAX ||
		    !ask(db, "SELECT id, ifnull(id - parent, 0) FROM life WHERE id = ?1", at, row,
			 2))
			return r;
		r = member_add(cursor, row[0], depth);
		if (row[1] == 0)
			return r;
		at[0] = row[1];
	}
	return r;
}

/* Those whose parent is a member become members. */
static int children_add(sqlite3_stmt *statement, struct family_cursor *cursor)
{
	int r;

	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(statement, 0);
		size_t parent = member_find(cursor, sqlite3_column_int64(statement, 1));

		if (parent == SIZE_MAX || member_find(cursor, id) != SIZE_MAX)
			continue;
		r = member_add(cursor, id, cursor->members[parent].depth + 1);
		if (r != SQLITE_OK)
			return r;
	}
	(void)sqlite3_reset(statement);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* A parent's id is nearly always the smaller one, so that one walk over all lives finds nearly all; snapshots take another. */
static int find_descendants(sqlite3 *db, struct family_cursor *cursor, int64_t id)
{
	int64_t at[2] = { id, 0 }, row;
	sqlite3_stmt *statement;
	size_t before;
	int r;

	if (!ask(db, "SELECT id FROM life WHERE id = ?1", at, &row, 1))
		return SQLITE_OK;
	r = sqlite3_prepare_v2(db,
			       "SELECT id, id - parent FROM life WHERE tid IS NULL AND parent <> 0 "
			       "ORDER BY id",
			       -1, &statement, NULL);
	if (r == SQLITE_OK)
		r = member_add(cursor, id, 0);
	do {
		before = cursor->count;
		if (r == SQLITE_OK)
			r = children_add(statement, cursor);
	} while (r == SQLITE_OK && cursor->count > before);
	(void)sqlite3_finalize(statement);
	return r;
}

static int family_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
			 sqlite3_value **argv)
{
	struct family_cursor *cursor = (struct family_cursor *)base;
	const struct family *family = (struct family *)base->pVtab;

	(void)number;
	(void)text;
	cursor->count = cursor->at = 0;
	if (cursor->slots)
		memset(cursor->slots, 0, cursor->capacity * 2 * sizeof(*cursor->slots));
	(void)sqlite3_finalize(cursor->row);
	cursor->row = NULL;
	if (argc < 1 || sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return SQLITE_OK;
	if (family->down)
		return find_descendants(family->db, cursor, sqlite3_value_int64(argv[0]));
	return find_ancestors(family->db, cursor, sqlite3_value_int64(argv[0]));
}

static int family_next(sqlite3_vtab_cursor *base)
{
	struct family_cursor *cursor = (struct family_cursor *)base;

	cursor->at++;
	if (cursor->row)
		(void)sqlite3_reset(cursor->row);
	return SQLITE_OK;
}

static int family_eof(sqlite3_vtab_cursor *base)
{
	const struct family_cursor *cursor = (struct family_cursor *)base;

	return cursor->at >= cursor->count;
}

static int family_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct family_cursor *cursor = (struct family_cursor *)base;
	const struct member *member = &cursor->members[cursor->at];
	int r;

	if (column == COLUMN_ID || column == COLUMN_DEPTH) {
		sqlite3_result_int64(context, column == COLUMN_ID ? member->id : member->depth);
		return SQLITE_OK;
	}
	if (column == COLUMN_OF)
		return SQLITE_OK;
	if (!cursor->row) {
		r = sqlite3_prepare_v2(((struct family *)base->pVtab)->db,
				       "SELECT pid, comm, start_ns FROM life WHERE id = ?1", -1,
				       &cursor->row, NULL);
		if (r != SQLITE_OK)
			return r;
	}
	if (!sqlite3_stmt_busy(cursor->row)) {
		(void)sqlite3_bind_int64(cursor->row, 1, member->id);
		if (sqlite3_step(cursor->row) != SQLITE_ROW)
			return SQLITE_OK;
	}
	sqlite3_result_value(context, sqlite3_column_value(cursor->row, column - COLUMN_PID));
	return SQLITE_OK;
}

static int family_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
	*ret_rowid = (sqlite3_int64)((struct family_cursor *)base)->at;
	return SQLITE_OK;
}

static const sqlite3_module family_module = {
	.xConnect = family_connect,
	.xBestIndex = family_best_index,
	.xDisconnect = family_disconnect,
	.xOpen = family_open,
	.xClose = family_close,
	.xFilter = family_filter,
	.xNext = family_next,
	.xEof = family_eof,
	.xColumn = family_column,
	.xRowid = family_rowid,
};

/* --- */

static int wall_register(sqlite3 *db, const char *name,
			 void (*function)(sqlite3_context *, int, sqlite3_value **))
{
	int r = SQLITE_OK;

	for (int count = 1; count <= 2 && r == SQLITE_OK; count++) {
		struct segment *segment = sqlite3_malloc(sizeof(*segment));

		if (!segment)
			return SQLITE_NOMEM;
		*segment = (struct segment){ 0 };
		r = sqlite3_create_function_v2(db, name, count, SQLITE_UTF8, segment, function,
					       NULL, NULL, sqlite3_free);
	}
	return r;
}

int sql_functions_register(struct sqlite3 *db, const struct when_here *here)
{
	static const char down[] = "down";
	int r = wall_register(db, "wall", wall);

	if (r == SQLITE_OK)
		r = wall_register(db, "wall_ns", wall_ns);
	for (int count = 1; count <= 2 && r == SQLITE_OK; count++)
		r = sqlite3_create_function_v2(db, "ns", count, SQLITE_UTF8,
					       (void *)(uintptr_t)here, ns, NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_create_function_v2(db, "comm_at", 2, SQLITE_UTF8, NULL, comm_at, NULL,
					       NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_create_module_v2(db, "ancestors", &family_module, NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_create_module_v2(db, "descendants", &family_module,
					     (void *)(uintptr_t)down, NULL);
	return r;
}

#ifdef PROCLEDGER_EXTENSION
/* The name that SQLite makes of procledger_sqlite.so. */
int sqlite3_procledgersqlite_init(sqlite3 *db, char **ret_error, const sqlite3_api_routines *api);
int sqlite3_procledgersqlite_init(sqlite3 *db, char **ret_error, const sqlite3_api_routines *api)
{
	(void)ret_error;
	SQLITE_EXTENSION_INIT2(api);
	return sql_functions_register(db, NULL);
}
#endif
