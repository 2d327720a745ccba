#include "schema/detail.h"

#include <errno.h>

#include "schema/bytes.h"
#include "schema/event.h"

const char *detail_state_word(unsigned state)
{
	static const char *const words[] = {
		[DETAIL_ABSENT] = "absent",
		[DETAIL_READ] = "read",
		[DETAIL_GONE] = "gone",
		[DETAIL_DENIED] = "denied",
		[DETAIL_TRUNCATED] = "truncated",
		[DETAIL_REDACTED] = "redacted",
		[DETAIL_REDACTED_TRUNCATED] = "redacted,truncated",
		[DETAIL_WITHHELD] = "withheld",
		[DETAIL_OVERLOAD] = "overload",
	};

	return state < sizeof(words) / sizeof(words[0]) ? words[state] : "other";
}

bool detail_cut(const struct detail_field *field)
{
	return field->state == DETAIL_TRUNCATED || field->state == DETAIL_REDACTED_TRUNCATED;
}

bool detail_known(const struct detail_field *field)
{
	return field->state == DETAIL_READ || field->state == DETAIL_REDACTED || detail_cut(field);
}

int detail_pack(const struct detail *detail, uint8_t *out, size_t capacity, size_t *ret_bytes)
{
	struct writer w = writer_make(out, capacity);

	for (unsigned tag = 1; tag < DETAIL_TAG_LIMIT; tag++) {
		const struct detail_field *field = &detail->field[tag];

		if (field->state == DETAIL_ABSENT)
			continue;
		write_u8(&w, (uint8_t)tag);
		write_u8(&w, field->state);
		write_varint(&w, field->bytes);
		write_bytes(&w, field->data, field->bytes);
	}
	if (w.failed)
		return -ENOSPC;
	*ret_bytes = w.bytes;
	return 0;
}

int detail_unpack(const uint8_t *packed, size_t bytes, struct detail *ret_detail)
{
	struct reader r = reader_make(packed, bytes);
	struct detail detail = { 0 };
	unsigned last = 0;

	while (reader_left(&r) > 0) {
		unsigned tag = read_u8(&r);
		uint8_t state = read_u8(&r);
		uint64_t length = read_varint(&r);
		const uint8_t *data = length <= bytes ? read_bytes(&r, (size_t)length) : NULL;

		if (tag <= last || r.failed || !data)
			return -EBADMSG;
		last = tag;
		if (tag < DETAIL_TAG_LIMIT)
			detail.field[tag] = (struct detail_field){
				.data = length > 0 ? data : NULL,
				.bytes = (uint32_t)length,
				.state = state,
			};
	}
	if (r.failed)
		return -EBADMSG;
	*ret_detail = detail;
	return 0;
}

void detail_cut_comm(struct detail *detail)
{
	struct detail_field *comm = &detail->field[DETAIL_COMM];

	if (comm->bytes >= EVENT_COMM_BYTES)
		comm->bytes = EVENT_COMM_BYTES - 1;
}

int detail_u32(const struct detail *detail, enum detail_tag tag, unsigned index,
	       uint32_t *ret_value)
{
	const struct detail_field *field = &detail->field[tag];
	le32 value;

	if (field->state != DETAIL_READ || field->bytes / sizeof(value) <= index)
		return -ENOENT;
	memcpy(&value, field->data + index * sizeof(value), sizeof(value));
	*ret_value = le32_get(value);
	return 0;
}
