/* block_details.c - what stands beside the fields of an event: a datagram out of the ordinary, and details as references to strings that
 * came before in the block (FORMAT.md 9). */
#include <string.h>

#include "schema/block_core.h"

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

void extra_pack(struct coder *c, const struct event *e)
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

void extra_unpack(struct coder *c, struct event *e)
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
