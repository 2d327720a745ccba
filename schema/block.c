#include "schema/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "schema/bytes.h"
#include "schema/detail.h"

/* Every column, once.  Numbers are for ever.  `how` is how it is compressed: MATCH looks for strings that come again; RUNS only for
 * the same byte again, which is much quicker and here mostly smaller; PLANE is RUNS, unless it is noise; STORE.
 * What stands in each: FORMAT.md 9, and the function that walks it in both directions. */
/* clang-format off */
#define COLUMNS(COLUMN)                 \
	COLUMN(KIND,         1, MATCH) \
	COLUMN(MISS,         2, RUNS) \
	COLUMN(CPU,          3, RUNS) \
	COLUMN(TIME_BASE,    4, STORE)   \
	COLUMN(TIME_0,       5, PLANE)   \
	COLUMN(TIME_1,       6, PLANE)   \
	COLUMN(TIME_2,       7, PLANE)   \
	COLUMN(TIME_3,       8, PLANE)   \
	COLUMN(TIME_4,       9, PLANE)   \
	COLUMN(TIME_5,      10, PLANE)   \
	COLUMN(TIME_6,      11, PLANE)   \
	COLUMN(TIME_7,      12, PLANE)   \
	COLUMN(SEQ,         13, MATCH) \
	COLUMN(WHO_FORK,    14, RUNS) \
	COLUMN(WHO_EXEC,    15, RUNS) \
	COLUMN(WHO_EXIT,    16, RUNS) \
	COLUMN(WHO_OTHER,   17, RUNS) \
	COLUMN(TID,         18, MATCH) \
	COLUMN(PID,         19, MATCH) \
	COLUMN(PPID,        20, MATCH) \
	COLUMN(PTID,        21, MATCH) \
	COLUMN(CHILD,       22, MATCH) \
	COLUMN(EXIT_CODE,   23, MATCH) \
	COLUMN(EXIT_SIGNAL, 24, MATCH) \
	COLUMN(ARG,         25, MATCH) \
	COLUMN(COMM_BYTES,  26, MATCH) \
	COLUMN(COMM,        27, MATCH) \
	COLUMN(SHAPE,       28, MATCH) \
	COLUMN(VALUE,       29, MATCH) \
	COLUMN(EXTRA,       30, MATCH) \
	COLUMN(RAW_BYTES,   31, MATCH) \
	COLUMN(RAW,         32, MATCH) \
	COLUMN(DETAIL_TAGS, 33, MATCH) \
	COLUMN(DETAIL_STATE,34, MATCH) \
	COLUMN(DETAIL_BYTES,35, MATCH) \
	COLUMN(DETAIL,      36, MATCH) \
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

enum how { HOW_UNUSED, HOW_MATCH, HOW_RUNS, HOW_PLANE, HOW_STORE };
static const uint8_t column_how[COLUMN_LIMIT] = {
#define COLUMN_HOW(NAME, number, how) [number] = HOW_##how,
	COLUMNS(COLUMN_HOW)
#undef COLUMN_HOW
};

enum codec { CODEC_STORED = 0, CODEC_DEFLATE = 1 };

enum {
	TIME_PLANES = 8,
	BULK_MAX_BYTES = BLOCK_RAW_MAX_BYTES / 2, /* raw and detail of all events of a block */
	DIRECTORY_ENTRY_BYTES = 12,
	PAYLOAD_HEAD_BYTES = 4,
};

/* Bits of the MISS column: what is not as predicted, or is there beside the common fields. */
enum {
	MISS_SEQ = 1,
	MISS_PID = 2, /* of a fork: a thread where the last was a process, or the reverse */
	MISS_TID = 4,
	MISS_PPID = 8,
	MISS_PTID =
		16, /* of exit and coredump: the parent is 0/0 where the table's was expected, or the reverse */
	MISS_ARG = 32,
	MISS_EXTRA = 64,
	MISS_SHAPE = 128, /* fields as the SHAPE column says */
};

/* --- what is predicted: the same state in both directions --- */

enum {
	RECENT_MAX = 64,      /* ranks that can be told */
	RECENT_ROOM = 1024,   /* the list grows upwards and is moved down when it meets the end */
	RECENT_MISSING = 255, /* rank of a tid that is not in the list */
	TASK_SLOTS = 4096,
	CPU_SLOTS = 1024,
	EXIT_SIGNAL_PROCESS = 17, /* SIGCHLD */
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

static void predictor_reset(struct predictor *p)
{
	memset(p, 0, sizeof(*p));
}

static size_t recent_count(const struct predictor *p)
{
	return p->recent_end < RECENT_MAX ? p->recent_end : RECENT_MAX;
}

/* The rank of tid, 0 being the newest; or RECENT_MISSING. */
static unsigned recent_find(const struct predictor *p, uint32_t tid)
{
	size_t count = recent_count(p);

	for (size_t rank = 0; rank < count; rank++)
		if (p->recent[p->recent_end - 1 - rank] == tid)
			return (unsigned)rank;
	return RECENT_MISSING;
}

static void recent_add(struct predictor *p, uint32_t tid)
{
	if (p->recent_end == RECENT_ROOM) {
		memcpy(p->recent, p->recent + RECENT_ROOM - RECENT_MAX,
		       RECENT_MAX * sizeof(p->recent[0]));
		p->recent_end = RECENT_MAX;
	}
	p->recent[p->recent_end++] = tid;
}

static void recent_remove(struct predictor *p, size_t rank)
{
	uint32_t *at = &p->recent[p->recent_end - 1 - rank];

	for (size_t i = 0; i < rank; i++)
		at[i] = at[i + 1];
	p->recent_end--;
}

/* What is known of a task; of one that is not known: a process without parent. */
static struct task task_find(const struct predictor *p, uint32_t tid)
{
	struct task task = p->task[tid % TASK_SLOTS];

	if (task.tid != tid)
		task = (struct task){ .tid = tid, .pid = tid };
	return task;
}

static void task_put(struct predictor *p, struct task task)
{
	p->task[task.tid % TASK_SLOTS] = task;
}

/* --- lanes: a column being written or read --- */

struct lane {
	uint8_t *data;
	size_t at, bytes; /* packing: bytes is the room; unpacking: what there is */
};

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

static void coder_fail(struct coder *c, int error)
{
	if (!c->failed)
		c->failed = error;
}

/* Makes room for `bytes` more.  False: no memory. */
static __attribute__((noinline)) bool lane_grow(struct coder *c, struct lane *lane, size_t bytes)
{
	size_t room = lane->bytes * 2 + bytes + 4096;
	uint8_t *data = realloc(lane->data, room);

	if (!data) {
		coder_fail(c, -ENOMEM);
		return false;
	}
	lane->data = data;
	lane->bytes = room;
	return true;
}

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

static void lane_put_varint(struct coder *c, struct lane *lane, uint64_t value)
{
	struct writer w;

	if (lane->bytes - lane->at < VARINT_MAX_BYTES && !lane_grow(c, lane, VARINT_MAX_BYTES))
		return;
	w = writer_make(lane->data + lane->at, VARINT_MAX_BYTES);
	write_varint(&w, value);
	lane->at += w.bytes;
}

static uint64_t lane_take_varint(struct coder *c, struct lane *lane)
{
	struct reader r = reader_make(lane->data, lane->bytes);
	uint64_t value;

	r.at = lane->at;
	value = read_varint(&r);
	if (r.failed) {
		coder_fail(c, -EBADMSG);
		return 0;
	}
	lane->at = r.at;
	return value;
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

/* A value that should be `predicted`: costs its bit in MISS, and its difference in `column` where it is not. */
BOTH_WAYS uint32_t code_expected(struct coder *c, unsigned column, unsigned miss_bit,
				 uint32_t value, uint32_t predicted, const bool packing)
{
	if (packing) {
		if (value == predicted)
			return value;
		c->miss |= miss_bit;
		lane_put_varint(c, &c->lane[column], zigzag((int32_t)(value - predicted)));
		return value;
	}
	if (!(c->miss & miss_bit))
		return predicted;
	return predicted + (uint32_t)unzigzag(lane_take_varint(c, &c->lane[column]));
}

/* A condition that is a bit of MISS. */
BOTH_WAYS bool code_bit(struct coder *c, unsigned miss_bit, bool value, const bool packing)
{
	if (packing && value)
		c->miss |= miss_bit;
	return c->miss & miss_bit;
}

/* --- the fields --- */

/* The planes above the low ones are zero when packing begins, and hardly ever touched. */
BOTH_WAYS void code_time(struct coder *c, size_t index, uint64_t *timestamp_ns, const bool packing)
{
	struct predictor *p = &c->predictor;
	struct lane *plane = &c->lane[COLUMN_TIME_0];
	uint64_t difference = 0;

	if (packing) {
		difference = zigzag((int64_t)(*timestamp_ns - p->timestamp_ns));
		plane[0].data[index] = (uint8_t)difference;
		plane[1].data[index] = (uint8_t)(difference >> 8);
		plane[2].data[index] = (uint8_t)(difference >> 16);
		for (unsigned i = 3; i < TIME_PLANES && difference >> (8 * i); i++)
			plane[i].data[index] = (uint8_t)(difference >> (8 * i));
	} else {
		for (unsigned i = 0; i < c->plane_count; i++)
			difference |= (uint64_t)plane[i].data[index] << (8 * i);
		*timestamp_ns = p->timestamp_ns + (uint64_t)unzigzag(difference);
	}
	p->timestamp_ns = *timestamp_ns;
}

/* A tid by its rank among the tids named last; it becomes the newest, or (an exit) is taken out. */
BOTH_WAYS uint32_t code_who(struct coder *c, unsigned column, uint32_t tid, bool leaves,
			    const bool packing)
{
	struct predictor *p = &c->predictor;
	unsigned rank = code_u8(c, column, packing ? (uint8_t)recent_find(p, tid) : 0, packing);

	if (rank == RECENT_MISSING) {
		int32_t distance = (int32_t)(tid - p->last_child);

		tid = p->last_child +
		      (uint32_t)unzigzag(code_varint(c, COLUMN_TID, zigzag(distance), packing));
	} else {
		if (rank >= recent_count(p)) {
			coder_fail(c, -EBADMSG);
			return 0;
		}
		tid = p->recent[p->recent_end - 1 - rank];
		recent_remove(p, rank);
	}
	if (!leaves)
		recent_add(p, tid);
	return tid;
}

/* A process is named by its parent's tid; of a thread the kernel names the parent of its process, so the process is named. */
BOTH_WAYS void code_fork(struct coder *c, struct event *e, const bool packing)
{
	struct predictor *p = &c->predictor;
	struct task task;

	e->tid = code_expected(c, COLUMN_CHILD, MISS_TID, e->tid, p->last_child + 1, packing);
	p->last_child = e->tid;
	p->last_thread ^= code_bit(c, MISS_PID, (e->pid != e->tid) != p->last_thread, packing);
	if (p->last_thread) {
		e->pid = code_who(c, COLUMN_WHO_FORK, e->pid, false, packing);
		task = task_find(p, e->pid);
		e->ppid = code_expected(c, COLUMN_PPID, MISS_PPID, e->ppid, task.ppid, packing);
		e->ptid = code_expected(c, COLUMN_PTID, MISS_PTID, e->ptid, task.ptid, packing);
		task_put(p, (struct task){ e->pid, e->pid, e->ppid, e->ptid });
	} else {
		e->pid = e->tid;
		e->ptid = code_who(c, COLUMN_WHO_FORK, e->ptid, false, packing);
		task = task_find(p, e->ptid);
		e->ppid = code_expected(c, COLUMN_PPID, MISS_PPID, e->ppid, task.pid, packing);
	}
	recent_add(p, e->tid);
	task_put(p, (struct task){ e->tid, e->pid, e->ppid, e->ptid });
}

/* The parent of an exit or coredump: that of the birth, or 0/0, which the kernel says of threads and of what is reaped by itself. */
BOTH_WAYS void code_parent(struct coder *c, struct event *e, struct task task, const bool packing)
{
	bool zero = e->pid != e->tid, swapped = false;
	uint32_t ppid, ptid;

	if (packing && zero)
		swapped = (e->ppid | e->ptid) != 0;
	else if (packing)
		swapped = (e->ppid | e->ptid) == 0 && (task.ppid | task.ptid) != 0;
	if (code_bit(c, MISS_PTID, swapped, packing))
		zero = !zero;
	ppid = zero ? 0 : task.ppid;
	ptid = zero ? 0 : task.ptid;
	if (code_bit(c, MISS_PPID, e->ppid != ppid || e->ptid != ptid, packing)) {
		int32_t up = (int32_t)(e->ppid - ppid), aside = (int32_t)(e->ptid - e->ppid);

		ppid += (uint32_t)unzigzag(code_varint(c, COLUMN_PPID, zigzag(up), packing));
		ptid = ppid +
		       (uint32_t)unzigzag(code_varint(c, COLUMN_PTID, zigzag(aside), packing));
	}
	e->ppid = ppid;
	e->ptid = ptid;
}

/* COMM without the NULs behind it. */
BOTH_WAYS void code_comm(struct coder *c, char comm[EVENT_COMM_BYTES], const bool packing)
{
	unsigned bytes = EVENT_COMM_BYTES;

	if (packing) {
		while (bytes > 0 && comm[bytes - 1] == 0)
			bytes--;
		code_u8(c, COLUMN_COMM_BYTES, (uint8_t)bytes, true);
		lane_put(c, &c->lane[COLUMN_COMM], comm, bytes);
	} else {
		const uint8_t *data;

		bytes = code_u8(c, COLUMN_COMM_BYTES, 0, false);
		data = bytes <= EVENT_COMM_BYTES ? lane_take(c, &c->lane[COLUMN_COMM], bytes)
						 : NULL;
		if (data)
			memcpy(comm, data, bytes);
		else
			coder_fail(c, -EBADMSG);
	}
}

BOTH_WAYS void code_exit(struct coder *c, struct event *e, const bool packing)
{
	uint32_t signal;

	e->arg[0] = code_varint(c, COLUMN_EXIT_CODE, e->arg[0], packing);
	signal = e->pid == e->tid ? EXIT_SIGNAL_PROCESS : UINT32_MAX;
	e->arg[1] = code_expected(c, COLUMN_EXIT_SIGNAL, MISS_ARG, (uint32_t)e->arg[1], signal,
				  packing);
}

/* Every kind that is about one task. */
BOTH_WAYS void code_subject(struct coder *c, struct event *e, const bool packing)
{
	struct predictor *p = &c->predictor;
	unsigned column = e->kind == EVENT_EXIT   ? COLUMN_WHO_EXIT
			  : e->kind == EVENT_EXEC ? COLUMN_WHO_EXEC
						  : COLUMN_WHO_OTHER;
	struct task task;

	e->tid = code_who(c, column, e->tid, e->kind == EVENT_EXIT, packing);
	task = task_find(p, e->tid);
	e->pid = code_expected(c, COLUMN_PID, MISS_PID, e->pid, task.pid, packing);
	if (e->kind == EVENT_EXIT || e->kind == EVENT_COREDUMP)
		code_parent(c, e, task, packing);
	if (e->kind == EVENT_EXIT) {
		code_exit(c, e, packing);
		return;
	}
	if (e->kind == EVENT_COMM) {
		code_comm(c, e->comm, packing);
	} else if (e->kind == EVENT_UID || e->kind == EVENT_GID || e->kind == EVENT_PTRACE) {
		e->arg[0] = code_varint(c, COLUMN_ARG, e->arg[0], packing);
		e->arg[1] = code_varint(c, COLUMN_ARG, e->arg[1], packing);
	}
	task.pid = e->pid;
	task_put(p, task);
}

/* Bits of the SHAPE column: the fields that are not zero. */
enum {
	SHAPE_PID = 1,
	SHAPE_TID = 2,
	SHAPE_PPID = 4,
	SHAPE_PTID = 8,
	SHAPE_ARG_0 = 16,
	SHAPE_ARG_1 = 32,
	SHAPE_ARG_2 = 64,
	SHAPE_COMM = 128,
	SHAPE_SEQ = 256,  /* only of kinds whose seq is not predicted */
	SHAPE_WIDE = 512, /* never written: an argument 1 that is no u32 */
};
enum {
	SHAPE_IDS = SHAPE_PID | SHAPE_TID,
	SHAPE_PARENT = SHAPE_PPID | SHAPE_PTID,
	SHAPE_ARGS = SHAPE_ARG_0 | SHAPE_ARG_1,
};

/* The fields that a kind has; 0: it is always coded by shape. */
static const uint16_t kind_shape[EVENT_KIND_LIMIT] = {
	[EVENT_FORK] = SHAPE_IDS | SHAPE_PARENT,
	[EVENT_EXEC] = SHAPE_IDS,
	[EVENT_UID] = SHAPE_IDS | SHAPE_ARGS | SHAPE_WIDE,
	[EVENT_GID] = SHAPE_IDS | SHAPE_ARGS | SHAPE_WIDE,
	[EVENT_SID] = SHAPE_IDS,
	[EVENT_PTRACE] = SHAPE_IDS | SHAPE_ARGS | SHAPE_WIDE,
	[EVENT_COMM] = SHAPE_IDS | SHAPE_COMM,
	[EVENT_COREDUMP] = SHAPE_IDS | SHAPE_PARENT,
	[EVENT_EXIT] = SHAPE_IDS | SHAPE_PARENT | SHAPE_ARGS,
};

static unsigned event_shape(const struct event *e)
{
	uint64_t comm[2];
	unsigned shape = 0;

	memcpy(comm, e->comm, sizeof(comm));
	shape |= e->pid != 0 ? SHAPE_PID : 0;
	shape |= e->tid != 0 ? SHAPE_TID : 0;
	shape |= e->ppid != 0 ? SHAPE_PPID : 0;
	shape |= e->ptid != 0 ? SHAPE_PTID : 0;
	shape |= e->arg[0] != 0 ? SHAPE_ARG_0 : 0;
	shape |= e->arg[1] != 0 ? SHAPE_ARG_1 : 0;
	shape |= e->arg[2] != 0 ? SHAPE_ARG_2 : 0;
	shape |= (comm[0] | comm[1]) != 0 ? SHAPE_COMM : 0;
	shape |= e->arg[1] > UINT32_MAX ? SHAPE_WIDE : 0;
	return shape;
}

BOTH_WAYS uint64_t code_value(struct coder *c, bool there, uint64_t value, const bool packing)
{
	return there ? code_varint(c, COLUMN_VALUE, value, packing) : 0;
}

/* Our own kinds, those without a subject, and whatever has a field that its kind does not have. */
BOTH_WAYS void code_by_shape(struct coder *c, struct event *e, unsigned shape, const bool packing)
{
	shape &= ~(unsigned)SHAPE_WIDE;
	if (e->kind >= EVENT_OWN_FIRST && e->seq != 0)
		shape |= SHAPE_SEQ;
	shape = (unsigned)code_varint(c, COLUMN_SHAPE, shape, packing);
	if (shape & SHAPE_SEQ)
		e->seq = (uint32_t)code_value(c, true, e->seq, packing);
	e->pid = (uint32_t)code_value(c, shape & SHAPE_PID, e->pid, packing);
	e->tid = (uint32_t)code_value(c, shape & SHAPE_TID, e->tid, packing);
	e->ppid = (uint32_t)code_value(c, shape & SHAPE_PPID, e->ppid, packing);
	e->ptid = (uint32_t)code_value(c, shape & SHAPE_PTID, e->ptid, packing);
	for (unsigned i = 0; i < EVENT_ARG_COUNT; i++)
		e->arg[i] = code_value(c, shape & ((unsigned)SHAPE_ARG_0 << i), e->arg[i], packing);
	if (shape & SHAPE_COMM)
		code_comm(c, e->comm, packing);
}

/* --- raw datagrams and details --- */

static void strings_add(struct coder *c, struct strings *strings, const uint8_t *data,
			uint32_t bytes)
{
	if (strings->count == strings->room) {
		size_t room = strings->room * 2 + 64;
		struct string *list = realloc(strings->list, room * sizeof(*list));

		if (!list) {
			coder_fail(c, -ENOMEM);
			return;
		}
		strings->list = list;
		strings->room = room;
	}
	strings->list[strings->count++] = (struct string){ .data = data, .bytes = bytes };
}

static uint32_t string_hash(unsigned tag, const uint8_t *data, size_t bytes)
{
	uint64_t hash = (tag + 1) * UINT64_C(0x9e3779b97f4a7c15) + bytes;

	for (; bytes >= 8; data += 8, bytes -= 8) {
		uint64_t word;

		memcpy(&word, data, 8);
		hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	for (; bytes > 0; data++, bytes--)
		hash = (hash ^ *data) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 29);
}

/* The number of an equal string of this tag in this block, 1 being the first; 0: it is new (or was forgotten) and now the newest. */
static uint32_t string_number(struct coder *c, unsigned tag, const uint8_t *data, uint32_t bytes)
{
	struct string_slot *slot = &c->string_slots[string_hash(tag, data, bytes) % STRING_SLOTS];

	if (slot->number && slot->tag == tag && slot->bytes == bytes &&
	    (bytes == 0 || memcmp(slot->data, data, bytes) == 0))
		return slot->number;
	*slot = (struct string_slot){
		.data = data,
		.bytes = bytes,
		.number = (uint32_t)++c->strings[tag].count,
		.tag = (uint8_t)tag,
	};
	return 0;
}

static unsigned string_column(unsigned tag, unsigned part)
{
	return COLUMN_STRING_FIRST + 4 * tag + part;
}

/* Whether packed details are nothing but the fields of `detail`, so that packing those gives them back. */
static bool detail_is_plain(const struct event *e, struct detail *ret_detail)
{
	uint8_t again[EVENT_DETAIL_MAX_BYTES];
	size_t bytes;

	return detail_unpack(e->detail, e->detail_bytes, ret_detail) == 0 &&
	       detail_pack(ret_detail, again, sizeof(again), &bytes) == 0 &&
	       bytes == e->detail_bytes && memcmp(again, e->detail, bytes) == 0;
}

static void details_pack(struct coder *c, const struct event *e)
{
	struct detail detail;
	unsigned tags = 0;

	if (!detail_is_plain(e, &detail)) {
		code_varint(c, COLUMN_DETAIL_TAGS, 0, true);
		code_varint(c, COLUMN_DETAIL_BYTES, e->detail_bytes, true);
		lane_put(c, &c->lane[COLUMN_DETAIL], e->detail, e->detail_bytes);
		return;
	}
	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++)
		tags |= detail.field[tag].state != DETAIL_ABSENT ? 1u << tag : 0;
	code_varint(c, COLUMN_DETAIL_TAGS, tags, true);
	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++) {
		const struct detail_field *field = &detail.field[tag];
		uint32_t number;

		if (!(tags & 1u << tag))
			continue;
		code_u8(c, COLUMN_DETAIL_STATE, field->state, true);
		number = string_number(c, tag, field->data, field->bytes);
		code_varint(c, string_column(tag, STRING_REF), number, true);
		if (number == 0) {
			code_varint(c, string_column(tag, STRING_BYTES), field->bytes, true);
			lane_put(c, &c->lane[string_column(tag, STRING_DATA)], field->data,
				 field->bytes);
		}
	}
}

/* The next string of a tag: one that was there, or a new one. */
static struct string string_unpack(struct coder *c, unsigned tag)
{
	struct strings *strings = &c->strings[tag];
	uint64_t number = code_varint(c, string_column(tag, STRING_REF), 0, false), bytes;
	const uint8_t *data;

	if (number > strings->count)
		coder_fail(c, -EBADMSG);
	else if (number > 0)
		return strings->list[number - 1];
	bytes = code_varint(c, string_column(tag, STRING_BYTES), 0, false);
	if (bytes > EVENT_DETAIL_MAX_BYTES)
		coder_fail(c, -EBADMSG);
	if (c->failed)
		return (struct string){ 0 };
	data = bytes > 0 ? lane_take(c, &c->lane[string_column(tag, STRING_DATA)], (size_t)bytes)
			 : NULL;
	if (c->failed)
		return (struct string){ 0 };
	strings_add(c, strings, data, (uint32_t)bytes);
	return (struct string){ .data = data, .bytes = (uint32_t)bytes };
}

/* Appends the details of one event to c->details. */
static void details_unpack(struct coder *c, struct event *e)
{
	uint8_t packed[EVENT_DETAIL_MAX_BYTES];
	struct detail detail = { 0 };
	uint64_t tags = code_varint(c, COLUMN_DETAIL_TAGS, 0, false), opaque;
	const uint8_t *data = packed;
	size_t bytes = 0;

	if (tags == 0) {
		opaque = code_varint(c, COLUMN_DETAIL_BYTES, 0, false);
		bytes = opaque <= EVENT_DETAIL_MAX_BYTES ? (size_t)opaque : 0;
		data = lane_take(c, &c->lane[COLUMN_DETAIL], bytes);
	} else if (tags & 1 || tags >> DETAIL_TAG_LIMIT) {
		coder_fail(c, -EBADMSG);
		return;
	}
	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT && tags != 0; tag++) {
		struct string string;

		if (!(tags & 1u << tag))
			continue;
		detail.field[tag].state = code_u8(c, COLUMN_DETAIL_STATE, 0, false);
		string = string_unpack(c, tag);
		detail.field[tag].data = string.data;
		detail.field[tag].bytes = string.bytes;
	}
	if (!c->failed && tags != 0 && detail_pack(&detail, packed, sizeof(packed), &bytes) < 0)
		bytes = 0;
	if (bytes == 0)
		coder_fail(c, -EBADMSG);
	if (c->failed)
		return;
	lane_put(c, &c->details, data, bytes);
	e->detail_bytes = (uint32_t)bytes;
}

enum { EXTRA_RAW = 1, EXTRA_DETAIL = 2 };

static void extra_pack(struct coder *c, const struct event *e)
{
	unsigned extra =
		(e->raw_bytes > 0 ? EXTRA_RAW : 0) | (e->detail_bytes > 0 ? EXTRA_DETAIL : 0);

	code_u8(c, COLUMN_EXTRA, (uint8_t)extra, true);
	if (extra & EXTRA_RAW) {
		code_varint(c, COLUMN_RAW_BYTES, e->raw_bytes, true);
		lane_put(c, &c->lane[COLUMN_RAW], e->raw, e->raw_bytes);
	}
	if (extra & EXTRA_DETAIL)
		details_pack(c, e);
}

static void extra_unpack(struct coder *c, struct event *e)
{
	unsigned extra = code_u8(c, COLUMN_EXTRA, 0, false);

	if (extra & EXTRA_RAW) {
		uint64_t bytes = code_varint(c, COLUMN_RAW_BYTES, 0, false);

		if (bytes == 0 || bytes > EVENT_RAW_MAX_BYTES) {
			coder_fail(c, -EBADMSG);
			return;
		}
		e->raw = lane_take(c, &c->lane[COLUMN_RAW], (size_t)bytes);
		e->raw_bytes = (uint32_t)bytes;
	}
	if (extra & EXTRA_DETAIL)
		details_unpack(c, e);
	c->bulk_bytes += e->raw_bytes + e->detail_bytes;
	if (c->bulk_bytes > BULK_MAX_BYTES)
		coder_fail(c, -EBADMSG);
}

/* --- one event, in either direction --- */

BOTH_WAYS void code_event(struct coder *c, size_t index, struct event *e, const bool packing)
{
	struct predictor *p = &c->predictor;
	unsigned shape = packing ? event_shape(e) : 0;
	bool extra = packing && (e->raw_bytes > 0 || e->detail_bytes > 0);

	e->kind = code_u8(c, COLUMN_KIND, e->kind, packing);
	if (!packing && e->kind >= EVENT_KIND_LIMIT) {
		coder_fail(c, -EBADMSG);
		return;
	}
	c->miss = packing ? 0 : code_u8(c, COLUMN_MISS, 0, false);
	code_time(c, index, &e->timestamp_ns, packing);
	/* + 1 brings EVENT_CPU_NONE into one byte */
	e->cpu = (uint32_t)code_varint(c, COLUMN_CPU, (uint32_t)(e->cpu + 1), packing) - 1;
	if (e->kind < EVENT_OWN_FIRST) {
		uint32_t *seq = &p->seq[e->cpu % CPU_SLOTS];

		e->seq = *seq = code_expected(c, COLUMN_SEQ, MISS_SEQ, e->seq, *seq + 1, packing);
	}
	if (code_bit(c, MISS_SHAPE,
		     (shape & ~(unsigned)kind_shape[e->kind]) || !kind_shape[e->kind], packing))
		code_by_shape(c, e, shape, packing);
	else if (e->kind == EVENT_FORK)
		code_fork(c, e, packing);
	else if (kind_shape[e->kind])
		code_subject(c, e, packing);
	else
		coder_fail(c, -EBADMSG);
	if (code_bit(c, MISS_EXTRA, extra, packing)) {
		if (packing)
			extra_pack(c, e);
		else
			extra_unpack(c, e);
	}
	if (packing)
		code_u8(c, COLUMN_MISS, (uint8_t)c->miss, true);
}

static void coder_reset(struct coder *c)
{
	predictor_reset(&c->predictor);
	for (unsigned i = 0; i < COLUMN_LIMIT; i++)
		c->lane[i].at = 0;
	for (unsigned tag = 0; tag < DETAIL_TAG_LIMIT; tag++)
		c->strings[tag].count = 0;
	c->details.at = 0;
	c->bulk_bytes = 0;
	c->failed = 0;
}

/* --- packing --- */

struct block_packer {
	struct coder coder;
	z_stream match, runs;
	struct string_slot string_slots[STRING_SLOTS];
};

enum { DEFLATE_LEVEL = 5, DEFLATE_WINDOW_BITS = -15, DEFLATE_MEMORY_LEVEL = 9 };

struct block_packer *block_packer_new(void)
{
	struct block_packer *packer = calloc(1, sizeof(*packer));

	if (!packer)
		return NULL;
	packer->coder.string_slots = packer->string_slots;
	if (deflateInit2(&packer->match, DEFLATE_LEVEL, Z_DEFLATED, DEFLATE_WINDOW_BITS,
			 DEFLATE_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflateInit2(&packer->runs, DEFLATE_LEVEL, Z_DEFLATED, DEFLATE_WINDOW_BITS,
			 DEFLATE_MEMORY_LEVEL, Z_RLE) != Z_OK) {
		block_packer_free(packer);
		return NULL;
	}
	return packer;
}

void block_packer_free(struct block_packer *packer)
{
	if (!packer)
		return;
	(void)deflateEnd(&packer->match);
	(void)deflateEnd(&packer->runs);
	for (unsigned i = 0; i < COLUMN_LIMIT; i++)
		free(packer->coder.lane[i].data);
	free(packer);
}

/* Whether a byte plane of time stamps is too even to be made smaller: no byte is twice as frequent as it would be in noise. */
static bool plane_is_noise(const struct lane *lane)
{
	uint32_t count[256] = { 0 };
	uint32_t most = 0;

	for (size_t i = 0; i < lane->at; i++)
		count[lane->data[i]]++;
	for (unsigned i = 0; i < 256; i++)
		most = count[i] > most ? count[i] : most;
	return most < lane->at / 128;
}

/* HOW_MATCH, HOW_RUNS or HOW_STORE. */
static enum how column_choose(unsigned column, const struct lane *lane)
{
	enum how how = column >= COLUMN_STRING_FIRST ? HOW_MATCH : column_how[column];

	if (how != HOW_PLANE)
		return how;
	return plane_is_noise(lane) ? HOW_STORE : HOW_RUNS;
}

/* Compresses a column to `room` bytes at out.  Returns how many it took, or 0 when that does not make it smaller or does not fit. */
static size_t column_deflate(z_stream *z, const struct lane *lane, uint8_t *out, size_t room)
{
	if (deflateReset(z) != Z_OK)
		return 0;
	if (room >= lane->at)
		room = lane->at - 1;
	z->next_in = lane->data;
	z->avail_in = (uInt)lane->at;
	z->next_out = out;
	z->avail_out = (uInt)room;
	return deflate(z, Z_FINISH) == Z_STREAM_END ? room - z->avail_out : 0;
}

/* Writes one column behind `w`, and its entry to `directory`. */
static void column_pack(struct block_packer *packer, unsigned column, struct writer *directory,
			struct writer *w)
{
	struct lane *lane = &packer->coder.lane[column];
	enum how how = column_choose(column, lane);
	enum codec codec = CODEC_STORED;
	size_t stored = 0;

	if (how != HOW_STORE)
		stored = column_deflate(how == HOW_MATCH ? &packer->match : &packer->runs, lane,
					w->data + w->bytes, w->capacity - w->bytes);
	if (stored > 0) {
		codec = CODEC_DEFLATE;
		w->bytes += stored;
	} else {
		stored = lane->at;
		write_bytes(w, lane->data, lane->at);
	}
	write_u8(directory, (uint8_t)column);
	write_u8(directory, (uint8_t)codec);
	write_u16(directory, 0);
	write_u32(directory, (uint32_t)lane->at);
	write_u32(directory, (uint32_t)stored);
}

static int columns_pack(struct block_packer *packer, uint8_t *out, size_t capacity,
			size_t *ret_bytes, size_t *ret_raw_bytes)
{
	const struct lane *lane = packer->coder.lane;
	struct writer directory = writer_make(out, capacity), w = writer_make(out, capacity);
	unsigned count = 0;
	size_t raw_bytes = 0;

	for (unsigned i = 0; i < COLUMN_LIMIT; i++) {
		count += lane[i].at > 0;
		raw_bytes += lane[i].at;
	}
	w.bytes = PAYLOAD_HEAD_BYTES + count * DIRECTORY_ENTRY_BYTES;
	if (raw_bytes > BLOCK_RAW_MAX_BYTES || w.bytes > capacity)
		return BLOCK_FULL;
	write_u16(&directory, (uint16_t)count);
	write_u16(&directory, 0);
	for (unsigned i = 0; i < COLUMN_LIMIT && !w.failed; i++)
		if (lane[i].at > 0)
			column_pack(packer, i, &directory, &w);
	if (w.failed)
		return BLOCK_FULL;
	*ret_bytes = w.bytes;
	*ret_raw_bytes = raw_bytes;
	return 0;
}

/* Leaves out the planes that are zero from some plane upwards. */
static void planes_finish(struct coder *c, size_t count)
{
	bool zero = true;

	for (unsigned i = TIME_PLANES; i-- > 0;) {
		struct lane *lane = &c->lane[COLUMN_TIME_0 + i];

		for (size_t k = 0; k < count && zero; k++)
			zero = lane->data[k] == 0;
		lane->at = zero ? 0 : count;
	}
}

static bool planes_begin(struct coder *c, size_t count)
{
	for (unsigned i = 0; i < TIME_PLANES; i++) {
		struct lane *lane = &c->lane[COLUMN_TIME_0 + i];

		if (lane->bytes < count && !lane_grow(c, lane, count - lane->bytes))
			return false;
		if (count > 0)
			memset(lane->data, 0, count);
	}
	return true;
}

/* Event by event into the lanes.  0, BLOCK_FULL, -EINVAL or -ENOMEM. */
static int events_pack(struct coder *c, const struct event *events, size_t count)
{
	if (!planes_begin(c, count))
		return -ENOMEM;
	if (count > 0) {
		le64 base = le64_put(events[0].timestamp_ns);

		c->predictor.timestamp_ns = events[0].timestamp_ns;
		lane_put(c, &c->lane[COLUMN_TIME_BASE], &base, sizeof(base));
	}
	for (size_t i = 0; i < count && !c->failed; i++) {
		struct event e = events[i];

		if (e.kind >= EVENT_KIND_LIMIT || e.raw_bytes > EVENT_RAW_MAX_BYTES ||
		    e.detail_bytes > EVENT_DETAIL_MAX_BYTES)
			return -EINVAL;
		c->bulk_bytes += e.raw_bytes + e.detail_bytes;
		if (c->bulk_bytes > BULK_MAX_BYTES)
			return BLOCK_FULL;
		code_event(c, i, &e, true);
	}
	planes_finish(c, count);
	return c->failed;
}

/* NOLINTNEXTLINE(readability-function-size): two inputs, a buffer and two results take nine parameters */
int block_pack(struct block_packer *packer, const struct event *events, size_t count,
	       const uint8_t *keyframe, size_t keyframe_bytes, uint8_t *out, size_t capacity,
	       size_t *ret_bytes, size_t *ret_raw_bytes)
{
	struct coder *c = &packer->coder;
	int r;

	if (count > BLOCK_EVENTS_MAX)
		return -EINVAL;
	if (keyframe_bytes > capacity)
		return BLOCK_FULL;
	coder_reset(c);
	memset(packer->string_slots, 0, sizeof(packer->string_slots));
	lane_put(c, &c->lane[COLUMN_KEYFRAME], keyframe, keyframe_bytes);
	r = events_pack(c, events, count);
	if (r != 0)
		return r;
	return columns_pack(packer, out, capacity, ret_bytes, ret_raw_bytes);
}

/* --- unpacking --- */

struct block {
	struct coder coder;
	z_stream inflater;
	uint8_t *columns; /* what was inflated; the lanes point into it */
	size_t columns_room;
	struct event *events;
	size_t event_count, event_room;
	bool filtered;
	struct event_filter filter;
};

struct block *block_new(void)
{
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		return NULL;
	if (inflateInit2(&block->inflater, DEFLATE_WINDOW_BITS) != Z_OK) {
		free(block);
		return NULL;
	}
	return block;
}

void block_free(struct block *block)
{
	if (!block)
		return;
	(void)inflateEnd(&block->inflater);
	for (unsigned tag = 0; tag < DETAIL_TAG_LIMIT; tag++)
		free(block->coder.strings[tag].list);
	free(block->coder.details.data);
	free(block->columns);
	free(block->events);
	free(block);
}

void block_set_filter(struct block *block, const struct event_filter *filter)
{
	block->filtered = filter != NULL;
	if (filter)
		block->filter = *filter;
}

static int column_inflate(z_stream *z, const uint8_t *in, size_t stored, uint8_t *out, size_t bytes)
{
	if (inflateReset(z) != Z_OK)
		return -EBADMSG;
	z->next_in = (uint8_t *)(uintptr_t)in; /* zlib's next_in is not const without ZLIB_CONST */
	z->avail_in = (uInt)stored;
	z->next_out = out;
	z->avail_out = (uInt)bytes;
	if (inflate(z, Z_FINISH) != Z_STREAM_END || z->avail_out != 0 || z->avail_in != 0)
		return -EBADMSG;
	return 0;
}

struct column_entry {
	uint8_t column, codec;
	uint32_t raw_bytes, stored_bytes;
};

static struct column_entry entry_read(struct reader *r)
{
	struct column_entry entry;

	entry.column = read_u8(r);
	entry.codec = read_u8(r);
	(void)read_u16(r);
	entry.raw_bytes = read_u32(r);
	entry.stored_bytes = read_u32(r);
	return entry;
}

static bool column_is_known(unsigned column)
{
	if (column >= COLUMN_LIMIT)
		return false;
	return column_how[column] != HOW_UNUSED ||
	       (column >= COLUMN_STRING_FIRST + 4 && column % 4 <= STRING_DATA);
}

/* Gives the lane of a column its bytes, which begin at *used in block->columns. */
static int column_unpack(struct block *block, const struct column_entry *entry,
			 const uint8_t *stored, size_t *used)
{
	struct lane *lane = &block->coder.lane[entry->column];
	uint8_t *data = block->columns + *used;

	if (lane->data || entry->raw_bytes == 0)
		return -EBADMSG;
	if (entry->codec > CODEC_DEFLATE)
		return -EPROTONOSUPPORT;
	if (entry->codec == CODEC_STORED) {
		if (entry->raw_bytes != entry->stored_bytes)
			return -EBADMSG;
		memcpy(data, stored, entry->raw_bytes);
	} else if (column_inflate(&block->inflater, stored, entry->stored_bytes, data,
				  entry->raw_bytes) < 0) {
		return -EBADMSG;
	}
	lane->data = data;
	lane->bytes = entry->raw_bytes;
	*used += entry->raw_bytes;
	return 0;
}

/* Checks that the directory adds up to the payload before anything is inflated. */
static int directory_check(struct reader r, unsigned count, size_t *ret_raw_bytes)
{
	uint64_t raw_bytes = 0, stored_bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		struct column_entry entry = entry_read(&r);

		raw_bytes += column_is_known(entry.column) ? entry.raw_bytes : 0;
		stored_bytes += entry.stored_bytes;
	}
	if (r.failed || reader_left(&r) != stored_bytes || raw_bytes > BLOCK_RAW_MAX_BYTES)
		return -EBADMSG;
	*ret_raw_bytes = (size_t)raw_bytes;
	return 0;
}

/* Whether any event is of a kind that is asked for. */
static bool kinds_pass(const struct block *block)
{
	const struct lane *kinds = &block->coder.lane[COLUMN_KIND];
	uint64_t seen = 0;

	for (size_t i = 0; i < kinds->bytes; i++)
		seen |= UINT64_C(1) << (kinds->data[i] % EVENT_KIND_LIMIT);
	return (seen & block->filter.kinds) != 0;
}

static int columns_unpack(struct block *block, const uint8_t *payload, size_t bytes)
{
	struct reader directory = reader_make(payload, bytes), data;
	unsigned count = read_u16(&directory);
	size_t raw_bytes, used = 0;
	int r;

	(void)read_u16(&directory);
	r = directory_check(directory, count, &raw_bytes);
	if (r < 0)
		return r;
	if (raw_bytes > block->columns_room) {
		uint8_t *columns = realloc(block->columns, raw_bytes);

		if (!columns)
			return -ENOMEM;
		block->columns = columns;
		block->columns_room = raw_bytes;
	}
	data = directory;
	(void)read_bytes(&data, count * DIRECTORY_ENTRY_BYTES);
	for (unsigned i = 0; i < count; i++) {
		struct column_entry entry = entry_read(&directory);
		const uint8_t *stored = read_bytes(&data, entry.stored_bytes);

		if (!column_is_known(entry.column))
			continue;
		r = column_unpack(block, &entry, stored, &used);
		if (r < 0)
			return r;
		if (entry.column == COLUMN_KIND && block->filtered && !kinds_pass(block))
			break;
	}
	return 0;
}

/* Time planes: present up to some plane, each a byte for every event. */
static int time_begin(struct coder *c, size_t count)
{
	const uint8_t *base = NULL;
	le64 base_ns;

	c->plane_count = 0;
	for (unsigned i = 0; i < TIME_PLANES; i++) {
		struct lane *lane = &c->lane[COLUMN_TIME_0 + i];

		if (!lane->data)
			continue;
		if (c->plane_count != i || lane->bytes != count)
			return -EBADMSG;
		c->plane_count++;
		lane->at = lane->bytes;
	}
	if (count == 0)
		return 0;
	base = lane_take(c, &c->lane[COLUMN_TIME_BASE], sizeof(base_ns));
	if (!base)
		return -EBADMSG;
	memcpy(&base_ns, base, sizeof(base_ns));
	c->predictor.timestamp_ns = le64_get(base_ns);
	return 0;
}

enum {
	ZERO_EVENTS = 16
}; /* zeroed at once: quicker than each, and still in the cache when filled */

/* Where event `index` goes, behind `kept` others. */
static struct event *event_place(struct block *block, size_t index, size_t count, size_t kept)
{
	struct event *event = &block->events[kept];

	if (block->filtered)
		memset(event, 0, sizeof(*event));
	else if (index % ZERO_EVENTS == 0)
		memset(event, 0,
		       (count - index < ZERO_EVENTS ? count - index : ZERO_EVENTS) *
			       sizeof(*event));
	return event;
}

static int columns_are_used_up(struct coder *c)
{
	c->lane[COLUMN_KEYFRAME].at = c->lane[COLUMN_KEYFRAME].bytes;
	for (unsigned i = 0; i < COLUMN_LIMIT; i++)
		if (c->lane[i].at != c->lane[i].bytes)
			return -EBADMSG;
	return 0;
}

/* Once all are there, because until then the details move. */
static void details_place(struct block *block)
{
	const uint8_t *detail = block->coder.details.data;

	for (size_t i = 0; i < block->event_count && block->coder.details.at > 0; i++) {
		struct event *e = &block->events[i];

		e->detail = e->detail_bytes > 0 ? detail : NULL;
		detail += e->detail_bytes;
	}
}

static int events_unpack(struct block *block, uint64_t first_event_no, size_t count)
{
	struct coder *c = &block->coder;
	size_t kept = 0;
	int r;

	for (size_t i = 0; i < count; i++) {
		struct event *e = event_place(block, i, count, kept);
		size_t details_at = c->details.at;

		e->event_no = first_event_no + i;
		code_event(c, i, e, false);
		if (c->failed)
			return c->failed;
		if (!block->filtered || event_filter_passes(&block->filter, e))
			kept++;
		else
			c->details.at = details_at;
	}
	r = columns_are_used_up(c);
	if (r < 0)
		return r;
	block->event_count = kept;
	details_place(block);
	return 0;
}

static int payload_unpack(struct block *block, const uint8_t *payload, size_t bytes,
			  uint64_t first_event_no, size_t count)
{
	int r;

	if (count > BLOCK_EVENTS_MAX)
		return -EBADMSG;
	r = columns_unpack(block, payload, bytes);
	if (r < 0)
		return r;
	/* every event takes a byte of KIND, so this cannot be a lie */
	if (block->coder.lane[COLUMN_KIND].bytes != count)
		return -EBADMSG;
	if (block->filtered && !kinds_pass(block))
		return 0;
	r = time_begin(&block->coder, count);
	if (r < 0)
		return r;
	if (count > block->event_room) {
		struct event *events = realloc(block->events, count * sizeof(*events));

		if (!events)
			return -ENOMEM;
		block->events = events;
		block->event_room = count;
	}
	return events_unpack(block, first_event_no, count);
}

int block_unpack(struct block *block, const uint8_t *payload, size_t bytes, uint64_t first_event_no,
		 size_t count)
{
	int r;

	coder_reset(&block->coder);
	memset(block->coder.lane, 0, sizeof(block->coder.lane));
	block->event_count = 0;
	r = payload_unpack(block, payload, bytes, first_event_no, count);
	if (r < 0) {
		memset(block->coder.lane, 0, sizeof(block->coder.lane));
		block->event_count = 0;
	}
	return r;
}

const struct event *block_events(const struct block *block, size_t *ret_count)
{
	*ret_count = block->event_count;
	return block->events;
}

const uint8_t *block_keyframe(const struct block *block, size_t *ret_bytes)
{
	const struct lane *lane = &block->coder.lane[COLUMN_KEYFRAME];

	*ret_bytes = lane->bytes;
	return lane->data;
}
