/* test_wire.c - datagrams to events and back: what kernels send, what they might, and what nobody should. */
#include "schema/wire.h"

#include <errno.h>
#include <string.h>

#include "schema/bytes.h"
#include "tests/capture.h"
#include "tests/tap.h"

/* A datagram being made by hand, word by word. */
struct datagram {
	uint8_t data[EVENT_RAW_MAX_BYTES + 64];
	size_t bytes;
};

static void put16(struct datagram *d, size_t at, uint16_t value)
{
	le16 bytes = le16_put(value);

	memcpy(d->data + at, &bytes, sizeof(bytes));
}

static void put32(struct datagram *d, size_t at, uint32_t value)
{
	le32 bytes = le32_put(value);

	memcpy(d->data + at, &bytes, sizeof(bytes));
}

/* What a kernel of today sends, with six words of data. */
static struct datagram make_datagram(uint32_t what, const uint32_t words[6])
{
	struct datagram d = { .bytes = 76 };

	put32(&d, 0, 76);
	put16(&d, 4, 3);
	put32(&d, 8, 0x01020304);
	put32(&d, 16, 1);
	put32(&d, 20, 1);
	put32(&d, 24, 0x01020304);
	put16(&d, 32, 40);
	put32(&d, 36, what);
	put32(&d, 40, 3);
	put32(&d, 44, 0x89abcdef);
	put32(&d, 48, 0x01234567);
	for (size_t i = 0; i < 6; i++)
		put32(&d, 52 + 4 * i, words[i]);
	return d;
}

static struct datagram make_exit(void)
{
	static const uint32_t words[6] = { 11, 10, 0x300, 17, 6, 5 };

	return make_datagram(0x80000000, words);
}

static int decode(const struct datagram *d, struct event *ret_event)
{
	return wire_decode(d->data, d->bytes, ret_event);
}

/* Whether an event gives back the bytes of d. */
static bool encodes_to(const struct event *event, const struct datagram *d)
{
	static uint8_t out[EVENT_RAW_MAX_BYTES];
	size_t bytes;

	return wire_encode(event, out, sizeof(out), &bytes) == 0 && bytes == d->bytes &&
	       memcmp(out, d->data, bytes) == 0;
}

static void test_fields(void)
{
	static const uint32_t words[6] = { 1001, 1002, 1003, 1004, 1005, 1006 };
	struct datagram d = make_datagram(1, words);
	struct event e;

	ok(decode(&d, &e) == 0 && e.kind == EVENT_FORK && e.ptid == 1001 && e.ppid == 1002 &&
		   e.tid == 1003 && e.pid == 1004,
	   "a fork names the parent's thread and process, then the child's");
	ok(e.timestamp_ns == UINT64_C(0x0123456789abcdef) && e.cpu == 3 && e.seq == 0x01020304 &&
		   e.event_no == 0,
	   "clock, CPU and number are the kernel's");
	ok(e.raw == d.data && e.raw_bytes == 76 && encodes_to(&e, &d),
	   "a fork with bytes where none belong is kept raw as well");
	d = make_exit();
	ok(decode(&d, &e) == 0 && e.kind == EVENT_EXIT && e.tid == 11 && e.pid == 10 &&
		   e.arg[0] == 0x300 && e.arg[1] == 17 && e.ptid == 6 && e.ppid == 5 && !e.raw,
	   "an exit has its status, signal and parent, and needs no raw bytes");
	d = make_datagram(0x100, (const uint32_t[6]){ 8, 7, 22, 21 });
	ok(decode(&d, &e) == 0 && e.kind == EVENT_PTRACE && e.tid == 8 && e.pid == 7 &&
		   e.arg[0] == 21 && e.arg[1] == 22 && !e.raw,
	   "a ptrace has the tracer's process first");
	d = make_datagram(4, (const uint32_t[6]){ 8, 7, 0xffffffff, 1 });
	ok(decode(&d, &e) == 0 && e.kind == EVENT_UID && e.arg[0] == 0xffffffff && e.arg[1] == 1,
	   "a uid has the real, then the effective id");
	d = make_datagram(0, (const uint32_t[6]){ 22 });
	put32(&d, 28, 0xfeedface);
	ok(decode(&d, &e) == 0 && e.kind == EVENT_NONE && e.arg[0] == 22 &&
		   e.arg[1] == 0xfeedface && !e.raw && encodes_to(&e, &d),
	   "an answer has its error and the number that was asked with");
}

static void test_kinds(void)
{
	static const uint32_t whats[] = { 0,    1,     2,     4,          0x40,
					  0x80, 0x100, 0x200, 0x40000000, 0x80000000 };
	static const uint8_t words[] = { 1, 4, 2, 4, 4, 2, 4, 6, 4, 6 };
	size_t wrong = 0, raw = 0;

	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		uint32_t data[6] = { 0 };
		struct datagram d;
		struct event e;

		for (size_t k = 0; k < words[i]; k++)
			data[k] = (uint32_t)(0xf1f2f300 + k);
		d = make_datagram(whats[i], data);
		wrong += decode(&d, &e) != 0 || e.kind == EVENT_UNKNOWN || !encodes_to(&e, &d);
		raw += e.raw != NULL;
		/* the same without the raw bytes: the fields alone give it */
		e.raw = NULL;
		e.raw_bytes = 0;
		wrong += !encodes_to(&e, &d);
	}
	ok(wrong == 0 && raw == 0, "every kind of the kernel comes back from its fields alone");
}

static void test_odd(void)
{
	static const uint32_t words[6] = { 8, 7, 'a', 'b', 'c', 'd' };
	struct datagram d = make_datagram(0x200, words);
	struct event e;

	ok(decode(&d, &e) == 0 && e.kind == EVENT_COMM && memcmp(e.comm, d.data + 60, 16) == 0 &&
		   !e.raw,
	   "a name may have bytes behind its NUL");
	d = make_datagram(0x20000000, words);
	ok(decode(&d, &e) == 0 && e.kind == EVENT_UNKNOWN && e.arg[0] == 0x20000000 && e.pid == 0 &&
		   e.raw == d.data && encodes_to(&e, &d),
	   "a kind that is not known is kept raw");
	d = make_datagram(0xffffffff, words);
	ok(decode(&d, &e) == 0 && e.kind == EVENT_UNKNOWN && encodes_to(&e, &d),
	   "even one of all ones");

	d = make_exit();
	put32(&d, 0, 92);
	put16(&d, 32, 56);
	d.bytes = 92;
	ok(decode(&d, &e) == 0 && e.kind == EVENT_EXIT && e.ppid == 5 && e.raw_bytes == 92 &&
		   encodes_to(&e, &d),
	   "a longer event of a later kernel is read and kept raw");
	d = make_exit();
	put32(&d, 0, 68);
	put16(&d, 32, 32);
	d.bytes = 68;
	ok(decode(&d, &e) == 0 && e.kind == EVENT_EXIT && e.arg[1] == 17 && e.ppid == 0 &&
		   e.ptid == 0 && e.raw_bytes == 68 && encodes_to(&e, &d),
	   "an exit of an old kernel has no parent");
	d = make_exit();
	put16(&d, 32, 32);
	ok(decode(&d, &e) == 0 && e.ppid == 0 && encodes_to(&e, &d),
	   "the connector's length counts, not what lies behind it");
	d = make_exit();
	put32(&d, 12, 99);
	ok(decode(&d, &e) == 0 && e.raw && encodes_to(&e, &d), "an odd header field is kept");
	d = make_exit();
	put32(&d, 24, 5);
	ok(decode(&d, &e) == 0 && e.seq == 5 && e.raw && encodes_to(&e, &d),
	   "the number is the connector's, should netlink's differ");
	d = make_exit();
	put32(&d, 0, 77);
	put16(&d, 32, 41);
	d.bytes = 80;
	ok(decode(&d, &e) == 0 && e.raw_bytes == 80 && encodes_to(&e, &d),
	   "the padding behind an odd length belongs to the datagram");
}

static void test_refused(void)
{
	struct datagram d = make_exit();
	struct event e = { .event_no = 42 };
	int accepted = 0;

	for (size_t bytes = 0; bytes < 76; bytes++)
		accepted += wire_decode(d.data, bytes, &e) != -EBADMSG;
	ok(accepted == 0, "cut short anywhere it is refused");
	accepted = 0;
	for (uint16_t len = 0; len < 32; len++) {
		put16(&d, 32, len);
		accepted += decode(&d, &e) != -EBADMSG;
	}
	ok(accepted == 0, "an exit shorter than what an exit needs is refused");
	put16(&d, 32, 41);
	ok(decode(&d, &e) == -EBADMSG, "a connector message longer than its datagram is refused");
	accepted = 0;
	d = make_exit();
	for (uint32_t len = 0; len < 73; len++) {
		put32(&d, 0, len);
		accepted += decode(&d, &e) != -EBADMSG;
	}
	put32(&d, 0, 77);
	accepted += decode(&d, &e) != -EBADMSG;
	put32(&d, 0, UINT32_MAX);
	accepted += decode(&d, &e) != -EBADMSG;
	ok(accepted == 0, "an nlmsg_len that is not the datagram's is refused");
	accepted = 0;
	d = make_exit();
	for (uint32_t len = 0; len < 36; len++) {
		put32(&d, 0, len);
		accepted += wire_decode(d.data, (len + 3) & ~3u, &e) != -EBADMSG;
	}
	ok(accepted == 0,
	   "a datagram without room for a connector message is refused, whatever that says");
	d = make_exit();
	d.bytes = EVENT_RAW_MAX_BYTES + 4;
	put32(&d, 0, EVENT_RAW_MAX_BYTES + 4);
	ok(decode(&d, &e) == -EBADMSG, "a datagram that is too long to be kept is refused");
	d.bytes = EVENT_RAW_MAX_BYTES;
	put32(&d, 0, EVENT_RAW_MAX_BYTES);
	ok(e.event_no == 42 && decode(&d, &e) == 0,
	   "the longest one is not, and no event was touched before");
	d = make_exit();
	put32(&d, 16, 2);
	ok(decode(&d, &e) == WIRE_FOREIGN, "another connector's message is foreign");
	d = make_exit();
	put16(&d, 4, 2);
	ok(decode(&d, &e) == WIRE_FOREIGN, "as is an error of netlink");
}

static void test_encode(void)
{
	uint8_t out[WIRE_DATAGRAM_BYTES];
	struct event e = { .kind = EVENT_CLOCK };
	size_t bytes = 3;

	ok(wire_encode(&e, out, sizeof(out), &bytes) == -EINVAL, "our own kinds have no datagram");
	e.kind = EVENT_UNKNOWN;
	ok(wire_encode(&e, out, sizeof(out), &bytes) == -EINVAL,
	   "nor has an unknown one without raw bytes");
	e.kind = EVENT_EXEC;
	ok(wire_encode(&e, out, sizeof(out) - 1, &bytes) == -ENOSPC && bytes == 3,
	   "a buffer that is too small is told");
}

static void test_length(void)
{
	struct datagram d = make_exit();
	size_t bytes = 0, wrong = 0;

	for (size_t available = 0; available < 16; available++)
		wrong += wire_length(d.data, available, &bytes) != WIRE_MORE || bytes != 16;
	for (size_t available = 16; available < 76; available++)
		wrong += wire_length(d.data, available, &bytes) != WIRE_MORE || bytes != 76;
	ok(wrong == 0, "a stream is asked for the header, then for the datagram");
	ok(wire_length(d.data, 76, &bytes) == 0 && bytes == 76 &&
		   wire_length(d.data, 500, &bytes) == 0 && bytes == 76,
	   "a whole datagram has its length");
	put32(&d, 0, 77);
	ok(wire_length(d.data, 79, &bytes) == WIRE_MORE && bytes == 80 &&
		   wire_length(d.data, 80, &bytes) == 0 && bytes == 80,
	   "and with it the padding to 4");
	put32(&d, 0, 15);
	wrong = wire_length(d.data, 76, &bytes) != -EBADMSG;
	put32(&d, 0, EVENT_RAW_MAX_BYTES + 1);
	wrong += wire_length(d.data, 76, &bytes) != -EBADMSG;
	ok(wrong == 0, "a length that no datagram has is refused");
}

static void test_captures(void)
{
	for (size_t i = 0; i < CAPTURE_COUNT; i++) {
		size_t bytes, at = 0, step, count = 0, wrong = 0, raw = 0;
		uint8_t *data = capture_read(capture_names[i], &bytes);

		for (; data && at < bytes; at += step, count++) {
			uint8_t out[EVENT_RAW_MAX_BYTES];
			struct event e;
			size_t out_bytes = 0;

			if (wire_length(data + at, bytes - at, &step) != 0 ||
			    wire_decode(data + at, step, &e) != 0)
				break;
			raw += e.raw != NULL;
			wrong += wire_encode(&e, out, sizeof(out), &out_bytes) != 0 ||
				 out_bytes != step || memcmp(out, data + at, step) != 0;
		}
		ok(data && at == bytes && wrong == 0 && raw == 0,
		   "%s comes back byte for byte from its fields (%zu events)", capture_names[i],
		   count);
		free(data);
	}
}

int main(void)
{
	test_fields();
	test_kinds();
	test_odd();
	test_refused();
	test_encode();
	test_length();
	test_captures();
	return done_testing();
}
