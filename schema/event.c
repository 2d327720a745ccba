#include "schema/event.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "schema/bytes.h"
#include "schema/checksum.h"

/* Where the 64-bit words of a record lie (FORMAT.md 4).  It is written and read by whole words, because the CRC reads it
 * so right behind us, and a load of two stores that are still under way costs more than both. */
enum {
	RECORD_COMMIT = 0, /* le32, and behind it the CRC */
	RECORD_CRC32 = 4,
	RECORD_EVENT_NO = 8, /* the CRC covers everything from here on */
	RECORD_TIMESTAMP = 16,
	RECORD_CPU_SEQ = 24,
	RECORD_KIND_LENGTHS = 32, /* u8 kind, u8 reserved, le16 raw_bytes, le32 detail_bytes */
	RECORD_PID_TID = 40,
	RECORD_COMM = 48,
	RECORD_PARENT = 48,
	RECORD_ARGS = 56,
	RECORD_BYTES = 64,
	RECORD_OWN_BYTES = RECORD_BYTES + EVENT_ARG_COUNT * 8,
	RECORD_ALIGN = 16,
	PAD_BYTES = 16, /* the part of a pad that means something */
};

static uint64_t word_get(const uint8_t *record, size_t offset)
{
	le64 word;

	memcpy(&word, record + offset, sizeof(word));
	return le64_get(word);
}

static void word_put(uint8_t *record, size_t offset, uint64_t word)
{
	le64 bytes = le64_put(word);

	memcpy(record + offset, &bytes, sizeof(bytes));
}

static uint64_t pair(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

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
	return kind < EVENT_OWN_FIRST ? RECORD_BYTES : RECORD_OWN_BYTES;
}

static size_t round_up(size_t bytes)
{
	return (bytes + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

size_t event_record_bytes(const struct event *event)
{
	return round_up(fixed_bytes(event->kind) + event->raw_bytes + event->detail_bytes);
}

/* Of what begins at record and is `bytes` long with its commit word. */
static uint32_t record_crc32(const uint8_t *record, size_t bytes, uint64_t salt, uint64_t pos)
{
	struct {
		le64 salt, pos;
	} head = { le64_put(salt), le64_put(pos) };
	uint32_t crc = checksum_crc32(0, &head, sizeof(head));

	return checksum_crc32(crc, record + RECORD_EVENT_NO, bytes - RECORD_EVENT_NO);
}

void event_record_pack(const struct event *event, uint64_t salt, uint64_t pos, uint8_t *record)
{
	size_t bytes = event_record_bytes(event), at = RECORD_BYTES;
	uint32_t kind_raw = event->kind | event->raw_bytes << 16;

	word_put(record, RECORD_EVENT_NO, event->event_no);
	word_put(record, RECORD_TIMESTAMP, event->timestamp_ns);
	word_put(record, RECORD_CPU_SEQ, pair(event->cpu, event->seq));
	word_put(record, RECORD_KIND_LENGTHS, pair(kind_raw, event->detail_bytes));
	word_put(record, RECORD_PID_TID, pair(event->pid, event->tid));
	if (event->kind == EVENT_COMM) {
		memcpy(record + RECORD_COMM, event->comm, EVENT_COMM_BYTES);
	} else {
		word_put(record, RECORD_PARENT, pair(event->ppid, event->ptid));
		word_put(record, RECORD_ARGS,
			 pair((uint32_t)event->arg[0], (uint32_t)event->arg[1]));
	}
	for (int i = 0; event->kind >= EVENT_OWN_FIRST && i < EVENT_ARG_COUNT; i++, at += 8)
		word_put(record, at, event->arg[i]);
	if (event->raw_bytes > 0)
		memcpy(record + at, event->raw, event->raw_bytes);
	at += event->raw_bytes;
	if (event->detail_bytes > 0)
		memcpy(record + at, event->detail, event->detail_bytes);
	at += event->detail_bytes;
	if (at < bytes)
		memset(record + at, 0, bytes - at);
	word_put(record, RECORD_COMMIT, pair(0, record_crc32(record, bytes, salt, pos)));
}

void event_pad_pack(uint64_t event_no, uint64_t salt, uint64_t pos, uint8_t *record)
{
	word_put(record, RECORD_EVENT_NO, event_no);
	word_put(record, RECORD_COMMIT, pair(0, record_crc32(record, PAD_BYTES, salt, pos)));
}

/* Whether the CRC in front of a record (or pad) of `bytes` bytes holds. */
static bool record_counts(const uint8_t *record, size_t bytes, uint64_t salt, uint64_t pos)
{
	return word_get(record, RECORD_COMMIT) >> 32 == record_crc32(record, bytes, salt, pos);
}

/* The fields of a record whose lengths are checked.  One by one: clearing the whole event first takes longer than the rest. */
static void record_read(const uint8_t *record, struct event *event)
{
	uint64_t cpu_seq = word_get(record, RECORD_CPU_SEQ);
	uint64_t lengths = word_get(record, RECORD_KIND_LENGTHS);
	uint64_t pid_tid = word_get(record, RECORD_PID_TID);
	uint64_t parent = word_get(record, RECORD_PARENT), args = word_get(record, RECORD_ARGS);
	bool comm = (uint8_t)lengths == EVENT_COMM, own = (uint8_t)lengths >= EVENT_OWN_FIRST;
	const uint8_t *behind = record + fixed_bytes((uint8_t)lengths);

	event->event_no = word_get(record, RECORD_EVENT_NO);
	event->timestamp_ns = word_get(record, RECORD_TIMESTAMP);
	event->cpu = (uint32_t)cpu_seq;
	event->seq = (uint32_t)(cpu_seq >> 32);
	event->pid = (uint32_t)pid_tid;
	event->tid = (uint32_t)(pid_tid >> 32);
	event->kind = (uint8_t)lengths;
	event->raw_bytes = (uint16_t)(lengths >> 16);
	event->detail_bytes = (uint32_t)(lengths >> 32);
	event->raw = event->raw_bytes > 0 ? behind : NULL;
	event->detail = event->detail_bytes > 0 ? behind + event->raw_bytes : NULL;
	event->ppid = comm ? 0 : (uint32_t)parent;
	event->ptid = comm ? 0 : (uint32_t)(parent >> 32);
	event->arg[0] = comm ? 0 : (uint32_t)args;
	event->arg[1] = comm ? 0 : args >> 32;
	event->arg[2] = 0;
	memset(event->comm, 0, EVENT_COMM_BYTES);
	if (comm)
		memcpy(event->comm, record + RECORD_COMM, EVENT_COMM_BYTES);
	for (size_t i = 0; own && i < EVENT_ARG_COUNT; i++)
		event->arg[i] = word_get(record, RECORD_BYTES + 8 * i);
}

/* Whether kind and lengths are such as pack writes into a record of `bytes` bytes. */
static bool lengths_are_right(const uint8_t *record, size_t bytes)
{
	uint64_t lengths = word_get(record, RECORD_KIND_LENGTHS);
	uint8_t kind = (uint8_t)lengths;
	uint16_t raw_bytes = (uint16_t)(lengths >> 16);
	uint32_t detail_bytes = (uint32_t)(lengths >> 32);

	return kind < EVENT_KIND_LIMIT && raw_bytes <= EVENT_RAW_MAX_BYTES &&
	       detail_bytes <= EVENT_DETAIL_MAX_BYTES &&
	       round_up(fixed_bytes(kind) + raw_bytes + detail_bytes) == bytes;
}

/* Everything about a record but its CRC, which covers *ret_checked_bytes.  0, EVENT_RECORD_PAD or -EBADMSG. */
static int record_look(const uint8_t *record, size_t available, uint64_t event_no,
		       size_t *ret_bytes, size_t *ret_checked_bytes)
{
	uint32_t commit;
	size_t bytes;

	if (available < PAD_BYTES)
		return -EBADMSG;
	commit = (uint32_t)word_get(record, RECORD_COMMIT);
	bytes = commit & ~EVENT_PAD;
	if (bytes < RECORD_ALIGN || bytes % RECORD_ALIGN != 0 || bytes > available ||
	    word_get(record, RECORD_EVENT_NO) != event_no)
		return -EBADMSG;
	*ret_bytes = bytes;
	*ret_checked_bytes = commit & EVENT_PAD ? PAD_BYTES : bytes;
	if (commit & EVENT_PAD)
		return EVENT_RECORD_PAD;
	return bytes < RECORD_BYTES || bytes > EVENT_RECORD_MAX_BYTES ||
			       !lengths_are_right(record, bytes)
		       ? -EBADMSG
		       : 0;
}

int event_record_unpack(const uint8_t *record, size_t available, uint64_t salt, uint64_t pos,
			uint64_t event_no, struct event *ret_event, size_t *ret_bytes)
{
	size_t bytes, checked_bytes;
	int r = record_look(record, available, event_no, &bytes, &checked_bytes);

	if (r < 0 || !record_counts(record, checked_bytes, salt, pos))
		return -EBADMSG;
	if (r == 0)
		record_read(record, ret_event);
	*ret_bytes = bytes;
	return r;
}

int event_record_unpack_own(const uint8_t *record, size_t available, uint64_t event_no,
			    struct event *ret_event, size_t *ret_bytes)
{
	size_t checked_bytes;
	int r = record_look(record, available, event_no, ret_bytes, &checked_bytes);

	if (r == 0)
		record_read(record, ret_event);
	return r;
}
