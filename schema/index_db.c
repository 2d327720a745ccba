/* index_db.c - index.db as a file: opening, making, transactions. */
#include "schema/index_db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "schema/index_pending.h"

static const char index_sql[] =
#include "schema/index_sql.h"
	;

enum { INDEX_APPLICATION_ID = 0x504c4447, INDEX_USER_VERSION = 5 };

static const char *const statement_sql[INDEX_STATEMENT_COUNT] = {
#define STATEMENT(NAME, sql) [INDEX_##NAME] = (sql),
#include "schema/index_statements.h"
#undef STATEMENT
};

/* WAL: readers never wait for the projector.  NORMAL: a power cut may cost the last transactions, never the form, and what it
 * costs comes again from the ring.  The WAL is kept at close so that a group that may only read can open the file. */
static const char setting_sql[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
	"PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=4000; PRAGMA trusted_schema=OFF;"
	"CREATE TEMP TABLE keep(id INTEGER PRIMARY KEY);";

int index_error(int sqlite_result)
{
	switch (sqlite_result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* no such table: not ours, or no longer whole */
		return -EBADMSG;
	default:
		return -EIO;
	}
}

static int pragma_number(sqlite3 *db, const char *sql, int *ret_number)
{
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (result == SQLITE_OK && (result = sqlite3_step(statement)) == SQLITE_ROW)
		*ret_number = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	return index_error(result);
}

int index_check(sqlite3 *db)
{
	int application_id = 0, version = 0;
	int r = pragma_number(db, "PRAGMA application_id", &application_id);

	if (r == 0)
		r = pragma_number(db, "PRAGMA user_version", &version);
	if (r < 0)
		return r;
	if (application_id != INDEX_APPLICATION_ID)
		return -EBADMSG;
	return version == INDEX_USER_VERSION ? 0 : -EPROTONOSUPPORT;
}

/* Makes the tables in an empty file; what is there then has to be of our version, what was just made like all else. */
static int schema_ready(sqlite3 *db)
{
	int objects = 0, result = SQLITE_OK;
	int r = pragma_number(db, "SELECT count(*) FROM sqlite_schema", &objects);

	if (r == 0 && objects == 0) {
		result = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		if (result == SQLITE_OK)
			result = sqlite3_exec(db, index_sql, NULL, NULL, NULL);
		if (result == SQLITE_OK)
			result = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
		r = index_error(result);
	}
	if (r == 0)
		r = index_check(db);
	return r == -EPROTONOSUPPORT ? -EBADMSG : r;
}

static int statements_prepare(struct index_db *index)
{
	for (int i = 0; i < INDEX_STATEMENT_COUNT; i++) {
		int result =
			sqlite3_prepare_v3(index->db, statement_sql[i], -1,
					   SQLITE_PREPARE_PERSISTENT, &index->statement[i], NULL);

		if (result != SQLITE_OK)
			return index_error(result);
	}
	return 0;
}

static int uuid_get(struct index_db *index, uint8_t ret_ring_uuid[RING_UUID_BYTES])
{
	sqlite3_stmt *statement = index->statement[INDEX_META_GET];
	int result = sqlite3_bind_text(statement, 1, "ring_uuid", -1, SQLITE_STATIC);

	memset(ret_ring_uuid, 0, RING_UUID_BYTES);
	if (result == SQLITE_OK)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == RING_UUID_BYTES)
		memcpy(ret_ring_uuid, sqlite3_column_blob(statement, 0), RING_UUID_BYTES);
	(void)sqlite3_reset(statement);
	return index_error(result);
}

int index_open(const char *path, struct index_db *ret_index, uint8_t ret_ring_uuid[RING_UUID_BYTES])
{
	struct index_db index = { .in_memory = strcmp(path, INDEX_IN_MEMORY) == 0 };
	int keep = 1;
	int result = sqlite3_open_v2(path, &index.db,
				     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					     SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX,
				     NULL);
	int r = index_error(result);

	if (r == 0) {
		(void)sqlite3_busy_timeout(index.db, 2000);
		(void)sqlite3_file_control(index.db, NULL, SQLITE_FCNTL_PERSIST_WAL, &keep);
		r = index_error(sqlite3_exec(index.db, setting_sql, NULL, NULL, NULL));
	}
	if (r == 0)
		r = schema_ready(index.db);
	if (r == 0)
		r = index_pending_open(&index);
	if (r == 0)
		r = statements_prepare(&index);
	if (r == 0)
		r = uuid_get(&index, ret_ring_uuid);
	if (r < 0) {
		index_close(&index);
		return r;
	}
	*ret_index = index;
	return 0;
}

void index_close(struct index_db *index)
{
	for (int i = 0; i < INDEX_STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(index->statement[i]);
	(void)sqlite3_close(index->db);
	index_pending_close(index);
	*index = (struct index_db){ 0 };
}

int index_copy(struct index_db *index, sqlite3 **ret_db)
{
	sqlite3 *copy = NULL;
	sqlite3_backup *backup;
	int result = sqlite3_open(INDEX_IN_MEMORY, &copy);

	if (result == SQLITE_OK) {
		backup = sqlite3_backup_init(copy, "main", index->db, "main");
		result = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(copy);
		(void)sqlite3_backup_finish(backup);
	}
	if (result != SQLITE_DONE) {
		(void)sqlite3_close(copy);
		return index_error(result == SQLITE_OK ? SQLITE_NOMEM : result);
	}
	*ret_db = copy;
	return 0;
}

void index_remove(const char *path)
{
	static const char *const suffix[] = { "", "-wal", "-shm", "-journal" };
	char name[4096];

	if (strcmp(path, INDEX_IN_MEMORY) == 0)
		return;
	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++)
		if ((size_t)snprintf(name, sizeof(name), "%s%s", path, suffix[i]) < sizeof(name))
			(void)unlink(name);
}

/* The first bytes of a file that SQLite has open.  Not by another descriptor: closing that would give up SQLite's locks. */
static bool begins_with(sqlite3_file *file, const void *magic, int bytes)
{
	char got[16];

	return file->pMethods->xRead(file, got, bytes, 0) == SQLITE_OK &&
	       memcmp(got, magic, (size_t)bytes) == 0;
}

bool index_is_there(struct index_db *index)
{
	static const char db_magic[16] = "SQLite format 3";
	static const char wal_magic[3] = { 0x37, 0x7f, 0x06 };
	sqlite3_file *file = NULL, *wal = NULL;
	sqlite3_int64 bytes = 0, wal_bytes = 0;
	int moved = 0;

	if (index->in_memory)
		return true;
	(void)sqlite3_file_control(index->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
	(void)sqlite3_file_control(index->db, NULL, SQLITE_FCNTL_FILE_POINTER, &file);
	(void)sqlite3_file_control(index->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (moved || !file || !file->pMethods ||
	    file->pMethods->xFileSize(file, &bytes) != SQLITE_OK || bytes < index->file_bytes ||
	    !begins_with(file, db_magic, sizeof(db_magic)))
		return false;
	index->file_bytes = bytes;
	return !wal || !wal->pMethods || wal->pMethods->xFileSize(wal, &wal_bytes) != SQLITE_OK ||
	       wal_bytes == 0 || begins_with(wal, wal_magic, sizeof(wal_magic));
}

int index_begin(struct index_db *index)
{
	index->failed = SQLITE_OK;
	return index_error(sqlite3_exec(index->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

int index_commit(struct index_db *index)
{
	int result = index->failed;

	if (result == SQLITE_OK)
		result = sqlite3_exec(index->db, "COMMIT", NULL, NULL, NULL);
	if (result != SQLITE_OK)
		index_rollback(index);
	return index_error(result);
}

void index_rollback(struct index_db *index)
{
	index_pending_clear(index);
	(void)sqlite3_exec(index->db, "ROLLBACK", NULL, NULL, NULL);
}

void index_step(struct index_db *index, sqlite3_stmt *statement)
{
	int result;

	/* On some errors SQLite rolls the transaction back by itself; what ran behind that would be committed alone. */
	if (index->failed != SQLITE_OK)
		return;
	result = sqlite3_step(statement);
	if (result != SQLITE_DONE && result != SQLITE_ROW)
		index->failed = result;
	(void)sqlite3_reset(statement);
}

void index_run(struct index_db *index, enum index_statement which, const int64_t *numbers,
	       int count)
{
	sqlite3_stmt *statement = index->statement[which];

	for (int i = 0; i < count; i++)
		(void)sqlite3_bind_int64(statement, i + 1, numbers[i]);
	index_step(index, statement);
}

uint64_t index_meta(struct index_db *index, const char *key, uint64_t otherwise)
{
	sqlite3_stmt *statement = index->statement[INDEX_META_GET];
	uint64_t value = otherwise;
	int result;

	if (index->failed != SQLITE_OK)
		return otherwise;
	(void)sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		value = (uint64_t)sqlite3_column_int64(statement, 0);
	else if (result != SQLITE_DONE)
		index->failed = result;
	(void)sqlite3_reset(statement);
	return value;
}

void index_meta_set(struct index_db *index, const char *key, uint64_t value)
{
	sqlite3_stmt *statement = index->statement[INDEX_META_SET];

	(void)sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, 2, (int64_t)value);
	index_step(index, statement);
}

void index_uuid_set(struct index_db *index, const uint8_t ring_uuid[RING_UUID_BYTES])
{
	sqlite3_stmt *statement = index->statement[INDEX_META_SET];

	(void)sqlite3_bind_text(statement, 1, "ring_uuid", -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(statement, 2, ring_uuid, RING_UUID_BYTES, SQLITE_STATIC);
	index_step(index, statement);
}
