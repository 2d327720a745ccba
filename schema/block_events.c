/* block_events.c - events as columns, each value as the difference to what is predictable, in both directions (FORMAT.md 9). */
#include <string.h>

#include "schema/block_core.h"

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

enum { EXIT_SIGNAL_PROCESS = 17 }; /* SIGCHLD */

/* --- what is predicted --- */

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

/* --- one value --- */

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

/* --- one event --- */

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

/* --- packing --- */

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

int coder_pack(struct coder *c, const struct event *events, size_t count)
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

/* --- unpacking --- */

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

/* Makes room for event `index` behind `kept` others. */
static void event_clear(const struct unpacking *wanted, struct event *events, size_t index,
			size_t kept)
{
	size_t left = wanted->count - index;

	if (wanted->filter)
		memset(&events[kept], 0, sizeof(events[0]));
	else if (index % ZERO_EVENTS == 0)
		memset(&events[index], 0,
		       (left < ZERO_EVENTS ? left : ZERO_EVENTS) * sizeof(events[0]));
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
static void details_place(const struct coder *c, struct event *events, size_t count)
{
	const uint8_t *detail = c->details.data;

	for (size_t i = 0; i < count && c->details.at > 0; i++) {
		events[i].detail = events[i].detail_bytes > 0 ? detail : NULL;
		detail += events[i].detail_bytes;
	}
}

int coder_unpack(struct coder *c, const struct unpacking *wanted, struct event *events,
		 size_t *ret_kept)
{
	size_t kept = 0;
	int r = time_begin(c, wanted->count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < wanted->count; i++) {
		struct event *e = &events[kept];
		size_t details_at = c->details.at;

		event_clear(wanted, events, i, kept);
		e->event_no = wanted->first_event_no + i;
		code_event(c, i, e, false);
		if (c->failed)
			return c->failed;
		if (!wanted->filter || event_filter_passes(wanted->filter, e))
			kept++;
		else
			c->details.at = details_at;
	}
	r = columns_are_used_up(c);
	if (r < 0)
		return r;
	details_place(c, events, kept);
	*ret_kept = kept;
	return 0;
}
