/* bulk.c - rows in memory as an eponymous virtual table (sqlite.org/vtab.html). */
#include "schema/bulk.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 64 };

struct bulk_table {
	sqlite3_vtab base;
	const struct bulk_source *source;
};

struct bulk_cursor {
	sqlite3_vtab_cursor base;
	const struct bulk_source *source;
	size_t row;
};

static int bulk_connect(sqlite3 *db, void *source, int argc, const char *const *argv,
			sqlite3_vtab **ret_table, char **ret_error)
{
	struct bulk_table *table;
	char sql[16 + COLUMNS_MAX * 8] = "CREATE TABLE x(";
	size_t bytes = 15;
	int result;

	(void)argc;
	(void)argv;
	(void)ret_error;
	for (int i = 0; i < ((struct bulk_source *)source)->columns; i++)
		bytes += (size_t)snprintf(sql + bytes, sizeof(sql) - bytes, i > 0 ? ",c%d" : "c%d",
					  i);
	(void)snprintf(sql + bytes, sizeof(sql) - bytes, ")");
	result = sqlite3_declare_vtab(db, sql);
	if (result != SQLITE_OK)
		return result;
	table = calloc(1, sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	table->source = source;
	*ret_table = &table->base;
	return SQLITE_OK;
}

static int bulk_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

static int bulk_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = 1000;
	return SQLITE_OK;
}

static int bulk_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
	struct bulk_cursor *cursor = calloc(1, sizeof(*cursor));

	if (!cursor)
		return SQLITE_NOMEM;
	cursor->source = ((struct bulk_table *)table)->source;
	*ret_cursor = &cursor->base;
	return SQLITE_OK;
}

static int bulk_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int bulk_filter(sqlite3_vtab_cursor *cursor, int plan, const char *plan_text, int argc,
		       sqlite3_value **argv)
{
	(void)plan;
	(void)plan_text;
	(void)argc;
	(void)argv;
	((struct bulk_cursor *)cursor)->row = 0;
	return SQLITE_OK;
}

static int bulk_next(sqlite3_vtab_cursor *cursor)
{
	((struct bulk_cursor *)cursor)->row++;
	return SQLITE_OK;
}

static int bulk_eof(sqlite3_vtab_cursor *cursor)
{
	const struct bulk_cursor *at = (struct bulk_cursor *)cursor;

	return at->row >= at->source->count;
}

static int bulk_column(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
	const struct bulk_cursor *at = (struct bulk_cursor *)cursor;

	at->source->column(result, at->source, at->row, column);
	return SQLITE_OK;
}

static int bulk_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret_rowid)
{
	*ret_rowid = (sqlite3_int64)((struct bulk_cursor *)cursor)->row;
	return SQLITE_OK;
}

int bulk_register(sqlite3 *db, struct bulk_source *source)
{
	static const sqlite3_module module = {
		.xConnect = bulk_connect, /* and no xCreate: the table is there by its name alone */
		.xBestIndex = bulk_best_index,
		.xDisconnect = bulk_disconnect,
		.xOpen = bulk_open,
		.xClose = bulk_close,
		.xFilter = bulk_filter,
		.xNext = bulk_next,
		.xEof = bulk_eof,
		.xColumn = bulk_column,
		.xRowid = bulk_rowid,
	};

	return sqlite3_create_module(db, source->name, &module, source);
}
