/* block_core.h - the inside of blocks: what their columns are, a column being written or read, and the coder that walks them.
 *
 * block_events.c makes columns of events and events of columns, block_details.c the strings among them, block_columns.c compresses
 * columns; block.c puts them together.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include <libdeflate.h>

#include "schema/block.h"
#include "schema/bytes.h"
#include "schema/detail.h"

/* Every column, once.  Numbers are for ever.  `how`: deflate it; PLANE: unless it is noise; STORE it.
 * What stands in each: FORMAT.md 9, and the function that walks it in both directions. */
/* clang-format off */
#define COLUMNS(COLUMN)                 \
	COLUMN(KIND,         1, DEFLATE) \
	COLUMN(MISS,         2, DEFLATE) \
	COLUMN(CPU,          3, DEFLATE) \
	COLUMN(TIME_BASE,    4, STORE)   \
	COLUMN(TIME_0,       5, PLANE)   \
	COLUMN(TIME_1,       6, PLANE)   \
	COLUMN(TIME_2,       7, PLANE)   \
	COLUMN(TIME_3,       8, PLANE)   \
	COLUMN(TIME_4,       9, PLANE)   \
	COLUMN(TIME_5,      10, PLANE)   \
	COLUMN(TIME_6,      11, PLANE)   \
	COLUMN(TIME_7,      12, PLANE)   \
	COLUMN(SEQ,         13, DEFLATE) \
	COLUMN(WHO_FORK,    14, DEFLATE) \
	COLUMN(WHO_EXEC,    15, DEFLATE) \
	COLUMN(WHO_EXIT,    16, DEFLATE) \
	COLUMN(WHO_OTHER,   17, DEFLATE) \
	COLUMN(TID,         18, DEFLATE) \
	COLUMN(PID,         19, DEFLATE) \
	COLUMN(PPID,        20, DEFLATE) \
	COLUMN(PTID,        21, DEFLATE) \
	COLUMN(CHILD,       22, DEFLATE) \
	COLUMN(EXIT_CODE,   23, DEFLATE) \
	COLUMN(EXIT_SIGNAL, 24, DEFLATE) \
	COLUMN(ARG,         25, DEFLATE) \
	COLUMN(COMM_BYTES,  26, DEFLATE) \
	COLUMN(COMM,        27, DEFLATE) \
	COLUMN(SHAPE,       28, DEFLATE) \
	COLUMN(VALUE,       29, DEFLATE) \
	COLUMN(EXTRA,       30, DEFLATE) \
	COLUMN(RAW_BYTES,   31, DEFLATE) \
	COLUMN(RAW,         32, DEFLATE) \
	COLUMN(DETAIL_TAGS, 33, DEFLATE) \
	COLUMN(DETAIL_STATE,34, DEFLATE) \
	COLUMN(DETAIL_BYTES,35, DEFLATE) \
	COLUMN(DETAIL,      36, DEFLATE) \
	COLUMN(KEYFRAME,    37, STORE)
/* clang-format on */

enum column {
#define COLUMN_NUMBER(NAME, number, how) COLUMN_##NAME = (number),
	COLUMNS(COLUMN_NUMBER)
#undef COLUMN_NUMBER
	/* three for each detail tag: 128 + 4 * tag + part */
	COLUMN_STRING_FIRST = 128,
	COLUMN_LIMIT = COLUMN_STRING_FIRST + 4 * DETAIL_TAG_LIMIT,
};
_Static_assert(COLUMN_LIMIT <= 256, "a column number is one byte");
enum { STRING_REF = 0, STRING_BYTES = 1, STRING_DATA = 2 };

enum {
	TIME_PLANES = 8,
	BULK_MAX_BYTES = BLOCK_RAW_MAX_BYTES / 2, /* raw and detail of all events of a block */
};

/* --- a column being written or read --- */

struct lane {
	uint8_t *data;
	size_t at, bytes; /* packing: bytes is the room; unpacking: what there is */
};

/* --- what is predicted: the same state in both directions --- */

enum {
	RECENT_MAX = 64,      /* ranks that can be told */
	RECENT_ROOM = 1024,   /* the list grows upwards and is moved down when it meets the end */
	RECENT_MISSING = 255, /* rank of a tid that is not in the list */
	TASK_SLOTS = 4096,
	CPU_SLOTS = 1024,
};

struct task {
	uint32_t tid, pid, ppid, ptid;
};

struct predictor {
	uint64_t timestamp_ns;
	uint32_t last_child;
	bool last_thread;  /* the last child was a thread */
	size_t recent_end; /* the newest is recent[recent_end - 1] */
	uint32_t recent[RECENT_ROOM];
	uint32_t seq[CPU_SLOTS];
	struct task task[TASK_SLOTS];
};

/* --- strings of details --- */

/* The new strings of one detail tag, in the order of their first use. */
struct strings {
	struct string {
		const uint8_t *data;
		uint32_t bytes;
	} * list;
	size_t count, room;
};

enum { STRING_SLOTS = 8192 };

struct string_slot {
	const uint8_t *data;
	uint32_t bytes, number; /* number 0: the slot is free */
	uint8_t tag;
};

struct coder {
	struct predictor predictor;
	struct lane lane[COLUMN_LIMIT];
	struct lane details; /* unpacking: the details put together again, one after the other */
	struct strings strings[DETAIL_TAG_LIMIT];
	struct string_slot *string_slots; /* packing only */
	size_t bulk_bytes;
	unsigned plane_count; /* unpacking: time planes that are there */
	unsigned miss;
	int failed; /* 0 or -errno */
};

/* Written once for both directions: `packing` is a constant in each of the two copies that the compiler makes. */
#define BOTH_WAYS static inline __attribute__((always_inline))

static inline void coder_fail(struct coder *c, int error)
{
	if (!c->failed)
		c->failed = error;
}

/* Makes room for `bytes` more.  False: no memory, and failed. */
bool lane_grow(struct coder *c, struct lane *lane, size_t bytes);

void lane_put_varint(struct coder *c, struct lane *lane, uint64_t value);
uint64_t lane_take_varint(struct coder *c, struct lane *lane);

static inline void lane_put(struct coder *c, struct lane *lane, const void *data, size_t bytes)
{
	if (bytes > lane->bytes - lane->at && !lane_grow(c, lane, bytes))
		return;
	if (bytes > 0)
		memcpy(lane->data + lane->at, data, bytes);
	lane->at += bytes;
}

/* The next bytes of a column, never NULL where none are asked for; or NULL and failed: they are not there. */
static inline const uint8_t *lane_take(struct coder *c, struct lane *lane, size_t bytes)
{
	static const uint8_t nothing[1];

	if (bytes == 0)
		return nothing;
	if (bytes > lane->bytes - lane->at) {
		coder_fail(c, -EBADMSG);
		return NULL;
	}
	lane->at += bytes;
	return lane->data + lane->at - bytes;
}

BOTH_WAYS uint8_t code_u8(struct coder *c, unsigned column, uint8_t value, const bool packing)
{
	struct lane *lane = &c->lane[column];

	if (packing) {
		if (lane->at < lane->bytes || lane_grow(c, lane, 1))
			lane->data[lane->at++] = value;
		return value;
	}
	if (lane->at < lane->bytes)
		return lane->data[lane->at++];
	coder_fail(c, -EBADMSG);
	return 0;
}

BOTH_WAYS uint64_t code_varint(struct coder *c, unsigned column, uint64_t value, const bool packing)
{
	struct lane *lane = &c->lane[column];

	if (packing) {
		if (value < 0x80 && lane->at < lane->bytes)
			lane->data[lane->at++] = (uint8_t)value;
		else
			lane_put_varint(c, lane, value);
		return value;
	}
	if (lane->at < lane->bytes && lane->data[lane->at] < 0x80)
		return lane->data[lane->at++];
	return lane_take_varint(c, lane);
}

/* Forgets everything of the block before; packing and unpacking begin with it. */
void coder_reset(struct coder *c);

/* --- block_events.c --- */

/* Events to columns.  0, BLOCK_FULL, -EINVAL or -ENOMEM. */
int coder_pack(struct coder *c, const struct event *events, size_t count);

/* What to make of columns: count events from first_event_no on, of which those that pass the filter (NULL: all) are kept. */
struct unpacking {
	uint64_t first_event_no;
	size_t count;
	const struct event_filter *filter;
};

/* Columns to events, at most `count` of them.  0: *ret_kept were kept; -EBADMSG; -ENOMEM. */
int coder_unpack(struct coder *c, const struct unpacking *wanted, struct event *events,
		 size_t *ret_kept);

/* --- block_details.c --- */

/* The datagram and the details of an event. */
void extra_pack(struct coder *c, const struct event *e);
void extra_unpack(struct coder *c, struct event *e);

/* --- block_columns.c --- */

/* The columns that are not empty as a payload.  0, or BLOCK_FULL: more than capacity, or BLOCK_RAW_MAX_BYTES. */
int columns_pack(struct libdeflate_compressor *deflater, const struct lane lanes[COLUMN_LIMIT],
		 uint8_t *out, size_t capacity, size_t *ret_bytes, size_t *ret_raw_bytes);

struct columns_unpacker {
	struct libdeflate_decompressor *inflater;
	uint8_t *data; /* the columns, which the lanes point into */
	size_t room;
};

/* Which columns of a payload are asked for. */
struct columns_wanted {
	uint64_t kinds; /* when the column KIND has none of these, it is all that is unpacked */
	unsigned only;  /* not 0: this column alone */
};

/* Gives the lanes, which are empty, the columns of a payload.  0, -EBADMSG, -EPROTONOSUPPORT or -ENOMEM. */
int columns_unpack(struct columns_unpacker *unpacker, const struct columns_wanted *wanted,
		   const uint8_t *payload, size_t bytes, struct lane lanes[COLUMN_LIMIT]);

/* Whether a column KIND names any of these kinds. */
bool kinds_are_among(const struct lane *kind, uint64_t kinds);
