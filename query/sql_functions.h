/* sql_functions.h - functions that questions to index.db are easier with.  The same source is procledger's own and, built as
 * procledger_sqlite.so, an extension for any SQLite.
 *
 *   wall(ns [, boot])      a time stamp as UTC, "2026-11-22T08:18:41.123456789Z"; without boot: of the newest one
 *   wall_ns(ns [, boot])   the same as nanoseconds since 1970
 *   ns(time [, boot])      the time stamp of a point in time, written as -S takes it; without boot: of the one that ran then
 *   comm_at(id, ns)        the name that a life bore at a time stamp
 *   ancestors(id)          a table: id, depth (0: itself), pid, comm, start_ns of the life and of its parents, upwards
 *   descendants(id)        likewise, downwards
 *
 * What is not known is NULL.  The extension knows zones as offsets alone: +01:00, not Europe/Berlin.
 */
#pragma once

struct sqlite3;
struct when_here;

/* The zone in which ns() reads times is that of here, which outlives db; NULL: local time.  A SQLite result code. */
int sql_functions_register(struct sqlite3 *db, const struct when_here *here);
