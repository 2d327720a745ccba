#include "recorder/exec_table.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "schema/event.h"

enum { CACHE_LINE_BYTES = 64 };

/* done: the newest number that was put, below this bit; without it there was none. */
#define DONE_KNOWN (UINT64_C(1) << 32)

struct entry {
	uint64_t read_ns;
	uint32_t seq, bytes;
};

/* Positions only grow; position p lies at p % area_bytes. */
struct exec_table {
	/* the reader's */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t head;
	_Atomic uint64_t done;

	/* the stager's */
	_Alignas(CACHE_LINE_BYTES) _Atomic uint64_t tail;

	_Alignas(CACHE_LINE_BYTES) size_t area_bytes;
	uint8_t area[];
};

struct exec_table *exec_table_new(size_t bytes)
{
	const size_t whole = (sizeof(struct exec_table) + bytes + CACHE_LINE_BYTES - 1) /
			     CACHE_LINE_BYTES * CACHE_LINE_BYTES;
	struct exec_table *table = aligned_alloc(CACHE_LINE_BYTES, whole);

	assert(bytes >= sizeof(struct entry) + EVENT_DETAIL_MAX_BYTES);
	if (!table)
		return NULL;
	/* All of it, so that the reader, whom a program waits for, meets no page for the first time. */
	memset(table, 0, whole);
	table->area_bytes = bytes;
	return table;
}

void exec_table_free(struct exec_table *table)
{
	free(table);
}

static void area_write(struct exec_table *table, uint64_t pos, const void *data, size_t bytes)
{
	size_t at = (size_t)(pos % table->area_bytes);
	size_t first = bytes < table->area_bytes - at ? bytes : table->area_bytes - at;

	memcpy(table->area + at, data, first);
	memcpy(table->area, (const uint8_t *)data + first, bytes - first);
}

static void area_read(const struct exec_table *table, uint64_t pos, void *out, size_t bytes)
{
	size_t at = (size_t)(pos % table->area_bytes);
	size_t first = bytes < table->area_bytes - at ? bytes : table->area_bytes - at;

	memcpy(out, table->area + at, first);
	memcpy((uint8_t *)out + first, table->area, bytes - first);
}

void exec_table_put(struct exec_table *table, uint32_t seq, uint64_t read_ns, const uint8_t *packed,
		    size_t bytes)
{
	const struct entry entry = { .read_ns = read_ns, .seq = seq, .bytes = (uint32_t)bytes };
	uint64_t head = atomic_load_explicit(&table->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&table->tail, memory_order_acquire);

	assert(bytes <= EVENT_DETAIL_MAX_BYTES);
	if (bytes > 0 && sizeof(entry) + bytes <= table->area_bytes - (head - tail)) {
		area_write(table, head, &entry, sizeof(entry));
		area_write(table, head + sizeof(entry), packed, bytes);
		atomic_store_explicit(&table->head, head + sizeof(entry) + bytes,
				      memory_order_release);
	}
	atomic_store_explicit(&table->done, DONE_KNOWN | seq, memory_order_release);
}

static int32_t ahead(uint32_t seq, uint32_t of)
{
	return (int32_t)(seq - of);
}

int exec_table_take(struct exec_table *table, uint32_t seq, uint8_t *out, size_t *ret_bytes,
		    uint64_t *ret_read_ns)
{
	/* Before head: what was put up to this number is seen then. */
	const uint64_t done = atomic_load_explicit(&table->done, memory_order_acquire);
	const uint64_t head = atomic_load_explicit(&table->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&table->tail, memory_order_relaxed);
	struct entry entry;
	int r = EXEC_TABLE_NOTHING;

	while (tail < head) {
		area_read(table, tail, &entry, sizeof(entry));
		if (ahead(entry.seq, seq) > 0)
			break;
		if (entry.seq == seq) {
			area_read(table, tail + sizeof(entry), out, entry.bytes);
			*ret_bytes = entry.bytes;
			*ret_read_ns = entry.read_ns;
			r = 0;
		}
		tail += sizeof(entry) + entry.bytes;
	}
	/* Release: our reads come before the reader's thread writes there again. */
	atomic_store_explicit(&table->tail, tail, memory_order_release);
	if (r == 0)
		return 0;
	return (done & DONE_KNOWN) && ahead((uint32_t)done, seq) >= 0 ? EXEC_TABLE_NOTHING
								      : EXEC_TABLE_NOT_YET;
}
