/* test_event.c - kinds of events, and staged records: there and back, any bit flipped, cut short anywhere. */
#include "schema/event.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "schema/bytes.h"
#include "schema/checksum.h"
#include "tests/event_same.h"
#include "tests/tap.h"

enum { SALT = 77, POS = 4096 };

static uint8_t blob[EVENT_DETAIL_MAX_BYTES];
static uint8_t record[EVENT_RECORD_MAX_BYTES + 1]; /* and one behind it */

/* An event of a kind with every field that the kind can have, none of them zero, none equal. */
static struct event make_event(uint8_t kind)
{
	struct event event = {
		.event_no = UINT64_C(0x1122334455667788),
		.timestamp_ns = UINT64_C(0xfedcba9876543210),
		.cpu = EVENT_CPU_NONE,
		.seq = 0xdeadbeef,
		.pid = 0x80000001,
		.tid = 0xfffffffe,
		.kind = kind,
	};

	if (kind == EVENT_COMM) {
		memcpy(event.comm, "a\0b\nc\377\0\0\0\0\0\0\0\0\0z", EVENT_COMM_BYTES);
		return event;
	}
	event.ppid = 0xcafe;
	event.ptid = 0xcaff;
	event.arg[0] = kind < EVENT_OWN_FIRST ? 0xa0a1a2a3 : UINT64_C(0xa0a1a2a3a4a5a6a7);
	event.arg[1] = kind < EVENT_OWN_FIRST ? UINT32_MAX : UINT64_MAX;
	event.arg[2] = kind < EVENT_OWN_FIRST ? 0 : 3;
	return event;
}

static size_t pack(const struct event *event)
{
	size_t bytes = event_record_bytes(event);
	le32 commit = le32_put((uint32_t)bytes);

	memset(record, 0xee, sizeof(record));
	event_record_pack(event, SALT, POS, record);
	memcpy(record, &commit, sizeof(commit));
	return bytes;
}

static int unpack(size_t available, uint64_t event_no, struct event *ret_event)
{
	size_t bytes;

	return event_record_unpack(record, available, SALT, POS, event_no, ret_event, &bytes);
}

static void test_words(void)
{
	int wrong = 0;

#define KIND(NAME, number, what, word, text) \
	wrong += event_kind_parse(word) != (number) || strcmp(event_kind_word(number), (word)) != 0;
#include "schema/event_kinds.h"
#undef KIND
	ok(wrong == 0, "every kind has a word, and the word gives the kind");
	ok(strcmp(event_kind_word(20), "unknown") == 0 &&
		   strcmp(event_kind_word(1000), "unknown") == 0,
	   "a number without a kind is called unknown");
	ok(event_kind_parse("") == -1 && event_kind_parse("FORK") == -1 &&
		   event_kind_parse("forks") == -1,
	   "a word that is none of them gives no kind");
}

static void test_checksum(void)
{
	size_t wrong = 0;

	for (size_t bytes = 0; bytes < 1100; bytes++)
		for (size_t at = 0; at < 3; at++)
			wrong += checksum_crc32(5, blob + at, bytes) !=
				 crc32(5, blob + at, (uInt)bytes);
	ok(wrong == 0, "the CRC is that of zlib for every length and alignment");
}

static void test_back(void)
{
	int wrong = 0, sizes = 0;

	for (unsigned kind = 0; kind < EVENT_KIND_LIMIT; kind++) {
		static const uint32_t lengths[][2] = { { 0, 0 },
						       { 1, 0 },
						       { 0, 1 },
						       { 76, 300 },
						       { EVENT_RAW_MAX_BYTES,
							 EVENT_DETAIL_MAX_BYTES } };

		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct event event = make_event((uint8_t)kind), back;
			size_t bytes;

			event.raw_bytes = lengths[i][0];
			event.raw = lengths[i][0] ? blob : NULL;
			event.detail_bytes = lengths[i][1];
			event.detail = lengths[i][1] ? blob + 5 : NULL;
			if (lengths[i][1] == EVENT_DETAIL_MAX_BYTES)
				event.detail = blob;
			bytes = pack(&event);
			sizes += bytes % 16 != 0 || bytes > EVENT_RECORD_MAX_BYTES ||
				 record[bytes] != 0xee;
			if (unpack(bytes, event.event_no, &back) != 0 ||
			    back.event_no != event.event_no || !event_same(&event, &back))
				wrong++;
		}
	}
	ok(wrong == 0,
	   "a record of any kind gives back every field, raw and detail up to their maxima");
	ok(sizes == 0, "and is a multiple of 16 bytes, of which none is written past the end");
}

static void test_layout(void)
{
	static const uint8_t want[] = {
		64,   0,    0,    0,    0,    0,    0,    0,    0x88, 0x77, 0x66, 0x55, 0x44,
		0x33, 0x22, 0x11, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe, 0xff, 0xff,
		0xff, 0xff, 0xef, 0xbe, 0xad, 0xde, 9,    0,    0,    0,    0,    0,    0,
		0,    1,    0,    0,    0x80, 0xfe, 0xff, 0xff, 0xff, 0xfe, 0xca, 0,    0,
		0xff, 0xca, 0,    0,    0xa3, 0xa2, 0xa1, 0xa0, 0xff, 0xff, 0xff, 0xff,
	};
	static const uint8_t front[16] = { SALT, 0, 0, 0, 0, 0, 0, 0, POS & 0xff, POS >> 8 };
	struct event event = make_event(EVENT_EXIT);
	size_t bytes = pack(&event);
	uint32_t crc = (uint32_t)crc32(crc32(0, front, 16), record + 8, (uInt)bytes - 8);
	le32 stored;

	memcpy(&stored, record + 4, sizeof(stored));
	ok(le32_get(stored) == crc, "the CRC is over salt, position and everything behind itself");
	memset(record + 4, 0, 4);
	ok(bytes == sizeof(want) && memcmp(record, want, sizeof(want)) == 0,
	   "a record lies as FORMAT.md says, byte for byte");
	event_record_pack(&event, SALT, POS, record);
	ok(record[0] + record[1] + record[2] + record[3] == 0 &&
		   unpack(sizeof(record), event.event_no, &event) == -EBADMSG,
	   "before its commit word is stored a record does not count");
}

static void test_damage(void)
{
	struct event event = make_event(EVENT_SNAPSHOT), back;
	size_t bytes, missed = 0;

	event.raw = event.detail = blob;
	event.raw_bytes = 76;
	event.detail_bytes = 201;
	bytes = pack(&event);
	for (size_t bit = 0; bit < bytes * 8; bit++) {
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
		missed += unpack(sizeof(record), event.event_no, &back) != -EBADMSG;
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ok(missed == 0, "any one flipped bit is noticed (%zu bits tried)", bytes * 8);
	missed = 0;
	for (size_t available = 0; available < bytes; available++)
		missed += unpack(available, event.event_no, &back) != -EBADMSG;
	ok(missed == 0, "a record cut short anywhere is noticed (%zu lengths tried)", bytes);
	ok(unpack(bytes, event.event_no, &back) == 0, "the same record, whole, counts");
	ok(unpack(bytes, event.event_no + 1, &back) == -EBADMSG,
	   "not as an event of another number");
	ok(event_record_unpack(record, bytes, SALT + 1, POS, event.event_no, &back, &bytes) ==
		   -EBADMSG,
	   "not under another salt");
	ok(event_record_unpack(record, bytes, SALT, POS + 16, event.event_no, &back, &bytes) ==
		   -EBADMSG,
	   "not at another position");
}

/* Mends the CRC of what stands in record, so that only what it says can be refused. */
static int unpack_mended(size_t bytes, uint64_t event_no)
{
	static const uint8_t front[16] = { SALT, 0, 0, 0, 0, 0, 0, 0, POS & 0xff, POS >> 8 };
	le32 crc = le32_put((uint32_t)crc32(crc32(0, front, 16), record + 8, (uInt)bytes - 8));
	struct event back;

	memcpy(record + 4, &crc, sizeof(crc));
	return unpack(bytes, event_no, &back);
}

static void test_lies(void)
{
	struct event event = make_event(EVENT_EXEC);
	size_t bytes = pack(&event);

	ok(unpack_mended(bytes, event.event_no) == 0, "a CRC that was mended counts");
	record[32] = EVENT_KIND_LIMIT;
	ok(unpack_mended(bytes, event.event_no) == -EBADMSG, "a kind that cannot be is refused");
	record[32] = EVENT_START;
	ok(unpack_mended(bytes, event.event_no) == -EBADMSG,
	   "as is one whose fields are not there");
	record[32] = EVENT_EXEC;
	record[34] = 1;
	ok(unpack_mended(bytes, event.event_no) == -EBADMSG, "or a datagram that is not there");
	record[34] = 0;
	memset(record + 36, 0xff, 4);
	ok(unpack_mended(bytes, event.event_no) == -EBADMSG, "or details of 4 GiB");
	memset(record + 36, 0xff, 1);
	memset(record + 37, 0, 3);
	ok(unpack_mended(bytes, event.event_no) == -EBADMSG, "or of 255 bytes");
}

static void test_pad(void)
{
	struct event back = { .event_no = 5 };
	size_t bytes = 0, missed = 0;
	le32 commit = le32_put(EVENT_PAD | 480);

	event_pad_pack(9, SALT, POS, record);
	memcpy(record, &commit, sizeof(commit));
	ok(event_record_unpack(record, 480, SALT, POS, 9, &back, &bytes) == EVENT_RECORD_PAD &&
		   bytes == 480 && back.event_no == 5,
	   "a pad tells its length, and is no event");
	ok(event_record_unpack(record, 479, SALT, POS, 9, &back, &bytes) == -EBADMSG,
	   "a pad that ends past the area is refused");
	for (size_t bit = 32; bit < 16 * 8; bit++) {
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
		missed += unpack(480, 9, &back) != -EBADMSG;
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ok(missed == 0, "any one flipped bit of its sum and number is noticed");
	ok(unpack(480, 8, &back) == -EBADMSG, "a pad before another event is refused");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(blob); i++)
		blob[i] = (uint8_t)(i * 2654435761u >> 13);
	test_words();
	test_checksum();
	test_back();
	test_layout();
	test_damage();
	test_lies();
	test_pad();
	return done_testing();
}
