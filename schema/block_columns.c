/* block_columns.c - columns as a payload and back: each compressed or not, behind a directory (FORMAT.md 6). */
#include <string.h>

#include "schema/block_core.h"

enum how { HOW_UNUSED, HOW_DEFLATE, HOW_PLANE, HOW_STORE };
static const uint8_t column_how[COLUMN_LIMIT] = {
#define COLUMN_HOW(NAME, number, how) [number] = HOW_##how,
	COLUMNS(COLUMN_HOW)
#undef COLUMN_HOW
};

enum codec { CODEC_STORED = 0, CODEC_DEFLATE = 1 };

enum { DIRECTORY_ENTRY_BYTES = 12, PAYLOAD_HEAD_BYTES = 4 };

/* --- packing --- */

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

/* HOW_DEFLATE or HOW_STORE. */
static enum how column_choose(unsigned column, const struct lane *lane)
{
	enum how how = column >= COLUMN_STRING_FIRST ? HOW_DEFLATE : column_how[column];

	if (how != HOW_PLANE)
		return how;
	return plane_is_noise(lane) ? HOW_STORE : HOW_DEFLATE;
}

/* Writes one column behind `w`, and its entry to `directory`. */
static void column_pack(struct libdeflate_compressor *deflater, const struct lane *lane,
			unsigned column, struct writer *directory, struct writer *w)
{
	enum how how = column_choose(column, lane);
	enum codec codec = CODEC_STORED;
	size_t stored = 0, room = w->capacity - w->bytes;

	/* One byte less than it is: what does not make it smaller does not fit. */
	if (how == HOW_DEFLATE)
		stored = libdeflate_deflate_compress(deflater, lane->data, lane->at,
						     w->data + w->bytes,
						     room < lane->at ? room : lane->at - 1);
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

/* NOLINTNEXTLINE(readability-function-size): two inputs, a buffer and two results take six parameters */
int columns_pack(struct libdeflate_compressor *deflater, const struct lane lane[COLUMN_LIMIT],
		 uint8_t *out, size_t capacity, size_t *ret_bytes, size_t *ret_raw_bytes)
{
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
			column_pack(deflater, &lane[i], i, &directory, &w);
	if (w.failed)
		return BLOCK_FULL;
	*ret_bytes = w.bytes;
	*ret_raw_bytes = raw_bytes;
	return 0;
}

/* --- unpacking --- */

static int column_inflate(struct libdeflate_decompressor *inflater, const uint8_t *in,
			  size_t stored, uint8_t *out, size_t bytes)
{
	size_t taken, given;

	if (libdeflate_deflate_decompress_ex(inflater, in, stored, out, bytes, &taken, &given) !=
		    LIBDEFLATE_SUCCESS ||
	    taken != stored || given != bytes)
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

/* Gives the lane of a column its bytes, which begin at *used of the unpacker's. */
static int column_unpack(struct columns_unpacker *unpacker, const struct column_entry *entry,
			 const uint8_t *stored, struct lane *lane, size_t *used)
{
	uint8_t *data = unpacker->data + *used;

	if (lane->data || entry->raw_bytes == 0)
		return -EBADMSG;
	if (entry->codec > CODEC_DEFLATE)
		return -EPROTONOSUPPORT;
	if (entry->codec == CODEC_STORED) {
		if (entry->raw_bytes != entry->stored_bytes)
			return -EBADMSG;
		memcpy(data, stored, entry->raw_bytes);
	} else if (column_inflate(unpacker->inflater, stored, entry->stored_bytes, data,
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

	for (unsigned i = 0; i < count && !r.failed; i++) {
		struct column_entry entry = entry_read(&r);

		raw_bytes += column_is_known(entry.column) ? entry.raw_bytes : 0;
		stored_bytes += entry.stored_bytes;
	}
	if (r.failed || reader_left(&r) != stored_bytes || raw_bytes > BLOCK_RAW_MAX_BYTES)
		return -EBADMSG;
	*ret_raw_bytes = (size_t)raw_bytes;
	return 0;
}

bool kinds_are_among(const struct lane *kind, uint64_t kinds)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < kind->bytes && kinds != UINT64_MAX; i++)
		seen |= UINT64_C(1) << (kind->data[i] % EVENT_KIND_LIMIT);
	return kinds == UINT64_MAX || (seen & kinds) != 0;
}

static int room_make(struct columns_unpacker *unpacker, size_t bytes)
{
	uint8_t *data;

	if (!unpacker->inflater) {
		unpacker->inflater = libdeflate_alloc_decompressor();
		if (!unpacker->inflater)
			return -ENOMEM;
	}
	if (bytes <= unpacker->room)
		return 0;
	data = realloc(unpacker->data, bytes);
	if (!data)
		return -ENOMEM;
	unpacker->data = data;
	unpacker->room = bytes;
	return 0;
}

int columns_unpack(struct columns_unpacker *unpacker, const struct columns_wanted *wanted,
		   const uint8_t *payload, size_t bytes, struct lane lane[COLUMN_LIMIT])
{
	struct reader directory = reader_make(payload, bytes), data;
	unsigned count = read_u16(&directory);
	size_t raw_bytes, used = 0;
	int r;

	(void)read_u16(&directory);
	r = directory_check(directory, count, &raw_bytes);
	if (r == 0)
		r = room_make(unpacker, raw_bytes);
	data = directory;
	(void)read_bytes(&data, count * DIRECTORY_ENTRY_BYTES);
	for (unsigned i = 0; i < count && r == 0; i++) {
		struct column_entry entry = entry_read(&directory);
		const uint8_t *stored = read_bytes(&data, entry.stored_bytes);

		if (!column_is_known(entry.column) ||
		    (wanted->only != 0 && wanted->only != entry.column))
			continue;
		r = column_unpack(unpacker, &entry, stored, &lane[entry.column], &used);
		if (r == 0 && entry.column == COLUMN_KIND &&
		    !kinds_are_among(&lane[COLUMN_KIND], wanted->kinds))
			break;
	}
	return r;
}
