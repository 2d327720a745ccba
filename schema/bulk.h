/* bulk.h - rows in memory as a table that SQLite can read: INSERT INTO t SELECT * FROM source writes them all with one statement, in half
 * the time that binding and stepping takes row by row. */
#pragma once

#include <sqlite3.h>
#include <stddef.h>

struct bulk_source {
	const char *name; /* of the table, for SELECT * FROM name */
	int columns;
	/* Gives the result of one column: sqlite3_result_...(); text may point into the row, which stays as it is while the statement runs. */
	void (*column)(sqlite3_context *result, const struct bulk_source *source, size_t row,
		       int column);
	const void *rows; /* column()'s own; the caller changes rows and count between statements */
	size_t count;
};

/* Makes the table known to this connection; the source outlives it.  A SQLite result code. */
int bulk_register(sqlite3 *db, struct bulk_source *source);
