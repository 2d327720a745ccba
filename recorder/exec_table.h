/* exec_table.h - hands what was read at an EXEC from the thread that reads to the one that stages, by the kernel's number.
 *
 * One table a CPU, one thread that puts and one that takes: they share atomic positions and no lock.  Nothing is malloc'ed after
 * exec_table_new().  What finds no room is left out: it costs details, never events.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	EXEC_TABLE_BYTES = 128 << 10,     /* some 300 execs */
	EXEC_TABLE_LESS_BYTES = 32 << 10, /* of a CPU that shares its reader with others */
};

struct exec_table;

/* One of so many bytes, all of which it takes at once, and which have room for EVENT_DETAIL_MAX_BYTES.  NULL when memory ran out. */
struct exec_table *exec_table_new(size_t bytes);
void exec_table_free(struct exec_table *table); /* NULL does nothing */

/* The reader's: the details of the EXEC with this number, of which every field was read before read_ns (CLOCK_MONOTONIC).  Numbers only grow.
 * bytes, at most EVENT_DETAIL_MAX_BYTES, may be 0: there are none. */
void exec_table_put(struct exec_table *table, uint32_t seq, uint64_t read_ns, const uint8_t *packed,
		    size_t bytes);

/* The stager's: forgets what was put for lower numbers.
 * 0: out (room for EVENT_DETAIL_MAX_BYTES) has the details; EXEC_TABLE_NOTHING: there are none and will be none; EXEC_TABLE_NOT_YET: the reader
 * has not come to that number. */
enum { EXEC_TABLE_NOTHING = 1, EXEC_TABLE_NOT_YET = 2 };
int exec_table_take(struct exec_table *table, uint32_t seq, uint8_t *out, size_t *ret_bytes,
		    uint64_t *ret_read_ns);
