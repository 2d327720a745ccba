/* index_row.h - a row of the index that is written alone: row_make(), its parameters from left to right, row_run().  What fails is told by
 * index_commit(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/index_db.h"

struct row {
	struct index_db *index;
	sqlite3_stmt *statement;
	int column;
};

static inline struct row row_make(struct index_db *index, enum index_statement which)
{
	return (struct row){ .index = index, .statement = index->statement[which] };
}

static inline void row_number(struct row *row, int64_t number)
{
	(void)sqlite3_bind_int64(row->statement, ++row->column, number);
}

static inline void row_u64(struct row *row, uint64_t number)
{
	row_number(row, (int64_t)number);
}

static inline void row_null(struct row *row)
{
	(void)sqlite3_bind_null(row->statement, ++row->column);
}

static inline void row_number_if(struct row *row, bool known, int64_t number)
{
	if (known)
		row_number(row, number);
	else
		row_null(row);
}

/* Raw bytes as TEXT: SQL compares them with literals, and gives them back as they were.  Valid until the row is run. */
static inline void row_text(struct row *row, const void *text, size_t bytes)
{
	(void)sqlite3_bind_text(row->statement, ++row->column, bytes > 0 ? text : "", (int)bytes,
				SQLITE_STATIC);
}

static inline void row_run(struct row *row)
{
	index_step(row->index, row->statement);
}
