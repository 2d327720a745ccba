/* test_detail.c - packed details: there and back, cut short anywhere, and what a later version may add. */
#include "schema/detail.h"

#include <errno.h>
#include <string.h>

#include "tests/tap.h"

static struct detail make_detail(void)
{
	struct detail detail = { 0 };

	detail.field[DETAIL_EXE] =
		(struct detail_field){ (const uint8_t *)"/bin/\377\n", 7, DETAIL_READ };
	detail.field[DETAIL_ARGV] =
		(struct detail_field){ (const uint8_t *)"a\0\0b\0", 5, DETAIL_TRUNCATED };
	detail.field[DETAIL_CWD].state = DETAIL_GONE;
	detail.field[DETAIL_IDS] =
		(struct detail_field){ (const uint8_t *)"\1\0\0\0\2\0\0\0\3\0\0\0\377\377\377\377",
				       16, DETAIL_READ };
	detail.field[DETAIL_LOGINUID].state = DETAIL_DENIED;
	detail.field[DETAIL_NOTE].state = DETAIL_READ;
	return detail;
}

static bool detail_equal(const struct detail *a, const struct detail *b)
{
	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++) {
		const struct detail_field *x = &a->field[tag], *y = &b->field[tag];

		if (x->state != y->state || x->bytes != y->bytes || !x->data != !y->data ||
		    (x->bytes > 0 && memcmp(x->data, y->data, x->bytes) != 0))
			return false;
	}
	return true;
}

static void test_back(void)
{
	static const uint8_t want[] = "\1\1\7/bin/\377\n"
				      "\2\4\5a\0\0b\0"
				      "\3\2\0"
				      "\5\1\20\1\0\0\0\2\0\0\0\3\0\0\0\377\377\377\377"
				      "\6\3\0"
				      "\11\1";
	struct detail detail = make_detail(), back;
	uint8_t packed[256];
	size_t bytes = 0, wrong = 0, touched = 0;

	ok(detail_pack(&detail, packed, sizeof(packed), &bytes) == 0 && bytes == sizeof(want) &&
		   memcmp(packed, want, bytes) == 0,
	   "details are packed field by field as detail.h says, absent ones left out");
	ok(detail_unpack(packed, bytes, &back) == 0 && detail_equal(&detail, &back),
	   "and come back with state and bytes");
	for (size_t capacity = 0; capacity < bytes; capacity++) {
		size_t kept = 12345;

		wrong += detail_pack(&detail, packed, capacity, &kept) != -ENOSPC;
		touched += kept != 12345;
	}
	ok(wrong == 0 && touched == 0, "too small a buffer is told, whatever its size");
}

static void test_damage(void)
{
	/* in an exact copy on the heap, so that a sanitizer sees a byte too far */
	struct detail detail = make_detail(), back;
	uint8_t packed[256];
	size_t bytes, whole = 0, wrong = 0;

	(void)detail_pack(&detail, packed, sizeof(packed), &bytes);
	for (size_t cut = 0; cut <= bytes; cut++) {
		uint8_t *copy = malloc(cut + 1);
		int r;

		if (!copy)
			return;
		memcpy(copy + 1, packed, cut);
		r = detail_unpack(copy + 1, cut, &back);
		whole += r == 0;
		wrong += r != 0 && r != -EBADMSG;
		free(copy);
	}
	ok(whole == 7 && wrong == 0, "cut short they are refused, but between two fields");
	ok(detail_unpack((const uint8_t *)"\2\1\0\1\1\0", 6, &back) == -EBADMSG,
	   "tags that go back are refused");
	ok(detail_unpack((const uint8_t *)"\2\1\0\2\1\0", 6, &back) == -EBADMSG,
	   "as is a tag that comes twice");
	ok(detail_unpack((const uint8_t *)"\0\1\0", 3, &back) == -EBADMSG, "and tag 0");
	ok(detail_unpack((const uint8_t *)"\1\1\377\377\377\377\377\377\377\377\377\1", 12,
			 &back) == -EBADMSG,
	   "a length that goes past every end is refused");
	ok(detail_unpack((const uint8_t *)"\1\1\200\200\200\200\200\200\200\200\200\200\1", 13,
			 &back) == -EBADMSG,
	   "as is a length that never ends");
}

static void test_later(void)
{
	struct detail back;

	ok(detail_unpack((const uint8_t *)"\1\1\1x\310\1\3abc", 10, &back) == 0 &&
		   back.field[DETAIL_EXE].bytes == 1,
	   "a tag of a later version is skipped");
	ok(detail_unpack((const uint8_t *)"\1\143\1x", 4, &back) == 0 &&
		   back.field[DETAIL_EXE].state == 99,
	   "a state of a later version is kept");
	ok(strcmp(detail_state_word(99), "other") == 0 &&
		   strcmp(detail_state_word(DETAIL_GONE), "gone") == 0 &&
		   strcmp(detail_state_word(DETAIL_TRUNCATED), "truncated") == 0,
	   "and called other, where known ones have their word");
}

static void test_u32(void)
{
	struct detail detail = make_detail();
	uint32_t value = 7;

	ok(detail_u32(&detail, DETAIL_IDS, 1, &value) == 0 && value == 2 &&
		   detail_u32(&detail, DETAIL_IDS, 3, &value) == 0 && value == UINT32_MAX,
	   "the numbers in a field are read by index");
	ok(detail_u32(&detail, DETAIL_IDS, 4, &value) == -ENOENT &&
		   detail_u32(&detail, DETAIL_LOGINUID, 0, &value) == -ENOENT &&
		   detail_u32(&detail, DETAIL_SESSIONID, 0, &value) == -ENOENT &&
		   value == UINT32_MAX,
	   "and not known where the field is too short, was not permitted, or is absent");
	detail.field[DETAIL_IDS].state = DETAIL_TRUNCATED;
	ok(detail_u32(&detail, DETAIL_IDS, 0, &value) == -ENOENT,
	   "nor where it is only the beginning of what there was");
}

int main(void)
{
	test_back();
	test_damage();
	test_later();
	test_u32();
	return done_testing();
}
