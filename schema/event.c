#include "schema/event.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "schema/bytes.h"

enum {
	RECORD_ALIGN = 16,
	RECORD_CHECKED_OFFSET = 8, /* the CRC covers everything from here on */
	RECORD_ARGS_OFFSET = 64,
	RECORD_OWN_BYTES = RECORD_ARGS_OFFSET + EVENT_ARG_COUNT * 8,
	PAD_BYTES = 16, /* the part of a pad that means something */
};

/* FORMAT.md 4.  Kinds comm, and the others, read the 16 bytes `names` each in their way. */
struct record {
	le32 commit;
	le32 crc32;
	le64 event_no;
	le64 timestamp_ns;
	le32 cpu, seq;
	uint8_t kind;
	uint8_t reserved;
	le16 raw_bytes;
	le32 detail_bytes;
	le32 pid, tid;
	union {
		char comm[EVENT_COMM_BYTES];
		le32 number[4]; /* ppid, ptid, arg 0, arg 1 */
	} u;
};
_Static_assert(sizeof(struct record) == RECORD_ARGS_OFFSET, "FORMAT.md 4");
_Static_assert(_Alignof(struct record) == 1, "a record may lie at any address");
_Static_assert(offsetof(struct record, pid) == 40, "FORMAT.md 4");

static const char *const kind_words[EVENT_KIND_LIMIT] = {
#define KIND(NAME, number, what, word, text) [number] = (word),
#include "schema/event_kinds.h"
#undef KIND
};

const char *event_kind_word(unsigned kind)
{
	if (kind >= EVENT_KIND_LIMIT || !kind_words[kind])
		return kind_words[EVENT_UNKNOWN];
	return kind_words[kind];
}

int event_kind_parse(const char *word)
{
	for (int kind = 0; kind < EVENT_KIND_LIMIT; kind++)
		if (kind_words[kind] && strcmp(kind_words[kind], word) == 0)
			return kind;
	return -1;
}

static size_t fixed_bytes(unsigned kind)
{
	return kind < EVENT_OWN_FIRST ? sizeof(struct record) : RECORD_OWN_BYTES;
}

static size_t round_up(size_t bytes)
{
	return (bytes + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

size_t event_record_bytes(const struct event *event)
{
	return round_up(fixed_bytes(event->kind) + event->raw_bytes + event->detail_bytes);
}

/* Of what begins at record and is `bytes` long with its commit word.  One run over 72 bytes is the common case, so salt and
 * pos are laid before the beginning of the record instead of being run over on their own. */
static uint32_t record_crc32(const uint8_t *record, size_t bytes, uint64_t salt, uint64_t pos)
{
	uint8_t head[16 + sizeof(struct record) - RECORD_CHECKED_OFFSET];
	size_t head_bytes = (bytes < sizeof(struct record) ? bytes : sizeof(struct record)) -
			    RECORD_CHECKED_OFFSET;
	le64 salt_bytes = le64_put(salt), pos_bytes = le64_put(pos);
	uLong crc;

	memcpy(head, &salt_bytes, 8);
	memcpy(head + 8, &pos_bytes, 8);
	memcpy(head + 16, record + RECORD_CHECKED_OFFSET, head_bytes);
	crc = crc32(0, head, (uInt)(16 + head_bytes));
	if (bytes > sizeof(struct record))
		crc = crc32(crc, record + sizeof(struct record),
			    (uInt)(bytes - sizeof(struct record)));
	return (uint32_t)crc;
}

void event_record_pack(const struct event *event, uint64_t salt, uint64_t pos, uint8_t *record)
{
	struct record r = {
		.event_no = le64_put(event->event_no),
		.timestamp_ns = le64_put(event->timestamp_ns),
		.cpu = le32_put(event->cpu),
		.seq = le32_put(event->seq),
		.kind = event->kind,
		.raw_bytes = le16_put((uint16_t)event->raw_bytes),
		.detail_bytes = le32_put(event->detail_bytes),
		.pid = le32_put(event->pid),
		.tid = le32_put(event->tid),
	};
	size_t bytes = event_record_bytes(event), at = sizeof(r);

	if (event->kind == EVENT_COMM) {
		memcpy(r.u.comm, event->comm, EVENT_COMM_BYTES);
	} else {
		r.u.number[0] = le32_put(event->ppid);
		r.u.number[1] = le32_put(event->ptid);
		r.u.number[2] = le32_put((uint32_t)event->arg[0]);
		r.u.number[3] = le32_put((uint32_t)event->arg[1]);
	}
	memcpy(record, &r, sizeof(r));
	for (int i = 0; event->kind >= EVENT_OWN_FIRST && i < EVENT_ARG_COUNT; i++, at += 8) {
		le64 arg = le64_put(event->arg[i]);

		memcpy(record + at, &arg, sizeof(arg));
	}
	if (event->raw_bytes > 0)
		memcpy(record + at, event->raw, event->raw_bytes);
	at += event->raw_bytes;
	if (event->detail_bytes > 0)
		memcpy(record + at, event->detail, event->detail_bytes);
	at += event->detail_bytes;
	if (at < bytes)
		memset(record + at, 0, bytes - at);
	r.crc32 = le32_put(record_crc32(record, bytes, salt, pos));
	memcpy(record + offsetof(struct record, crc32), &r.crc32, sizeof(r.crc32));
}

void event_pad_pack(uint64_t event_no, uint64_t salt, uint64_t pos, uint8_t *record)
{
	le64 number = le64_put(event_no);
	le32 crc;

	memset(record, 0, 4);
	memcpy(record + RECORD_CHECKED_OFFSET, &number, sizeof(number));
	crc = le32_put(record_crc32(record, PAD_BYTES, salt, pos));
	memcpy(record + 4, &crc, sizeof(crc));
}

/* Whether the CRC in front of a record (or pad) of `bytes` bytes holds and it is that of event_no. */
static bool record_counts(const uint8_t *record, size_t bytes, uint64_t salt, uint64_t pos,
			  uint64_t event_no)
{
	le32 crc;
	le64 number;

	memcpy(&number, record + RECORD_CHECKED_OFFSET, sizeof(number));
	memcpy(&crc, record + 4, sizeof(crc));
	return le64_get(number) == event_no &&
	       le32_get(crc) == record_crc32(record, bytes, salt, pos);
}

static void record_fields(const struct record *r, struct event *event)
{
	memset(event, 0, sizeof(*event));
	event->event_no = le64_get(r->event_no);
	event->timestamp_ns = le64_get(r->timestamp_ns);
	event->cpu = le32_get(r->cpu);
	event->seq = le32_get(r->seq);
	event->kind = r->kind;
	event->raw_bytes = le16_get(r->raw_bytes);
	event->detail_bytes = le32_get(r->detail_bytes);
	event->pid = le32_get(r->pid);
	event->tid = le32_get(r->tid);
	if (r->kind == EVENT_COMM) {
		memcpy(event->comm, r->u.comm, EVENT_COMM_BYTES);
		return;
	}
	event->ppid = le32_get(r->u.number[0]);
	event->ptid = le32_get(r->u.number[1]);
	event->arg[0] = le32_get(r->u.number[2]);
	event->arg[1] = le32_get(r->u.number[3]);
}

int event_record_unpack(const uint8_t *record, size_t available, uint64_t salt, uint64_t pos,
			uint64_t event_no, struct event *ret_event, size_t *ret_bytes)
{
	struct event event;
	struct record r;
	size_t bytes, at;

	if (available < PAD_BYTES)
		return -EBADMSG;
	memcpy(&r.commit, record, sizeof(r.commit));
	bytes = le32_get(r.commit) & ~EVENT_PAD;
	if (bytes < RECORD_ALIGN || bytes % RECORD_ALIGN != 0 || bytes > available)
		return -EBADMSG;
	if (le32_get(r.commit) & EVENT_PAD) {
		if (!record_counts(record, PAD_BYTES, salt, pos, event_no))
			return -EBADMSG;
		*ret_bytes = bytes;
		return EVENT_RECORD_PAD;
	}
	if (bytes < sizeof(r) || bytes > EVENT_RECORD_MAX_BYTES)
		return -EBADMSG;
	if (!record_counts(record, bytes, salt, pos, event_no))
		return -EBADMSG;
	memcpy(&r, record, sizeof(r));
	record_fields(&r, &event);
	if (event.kind >= EVENT_KIND_LIMIT || event.raw_bytes > EVENT_RAW_MAX_BYTES ||
	    event.detail_bytes > EVENT_DETAIL_MAX_BYTES || event_record_bytes(&event) != bytes)
		return -EBADMSG;
	at = sizeof(r);
	for (int i = 0; event.kind >= EVENT_OWN_FIRST && i < EVENT_ARG_COUNT; i++, at += 8) {
		le64 arg;

		memcpy(&arg, record + at, sizeof(arg));
		event.arg[i] = le64_get(arg);
	}
	event.raw = event.raw_bytes > 0 ? record + at : NULL;
	event.detail = event.detail_bytes > 0 ? record + at + event.raw_bytes : NULL;
	*ret_event = event;
	*ret_bytes = bytes;
	return 0;
}
