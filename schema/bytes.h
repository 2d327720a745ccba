/* bytes.h - numbers as bytes: little-endian types, a writer and a reader with sticky failure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
	uint8_t b[2];
} le16;
typedef struct {
	uint8_t b[4];
} le32;
typedef struct {
	uint8_t b[8];
} le64;

static inline uint16_t le16_get(le16 v)
{
	return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t le32_get(le32 v)
{
	return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16 |
	       (uint32_t)v.b[3] << 24;
}

/* Spelled out, because gcc 12 -O2 makes one load or store of this, and a loop over bytes of a loop. */
static inline uint64_t le64_get(le64 v)
{
	return (uint64_t)v.b[0] | (uint64_t)v.b[1] << 8 | (uint64_t)v.b[2] << 16 |
	       (uint64_t)v.b[3] << 24 | (uint64_t)v.b[4] << 32 | (uint64_t)v.b[5] << 40 |
	       (uint64_t)v.b[6] << 48 | (uint64_t)v.b[7] << 56;
}

static inline le16 le16_put(uint16_t n)
{
	return (le16){ { (uint8_t)n, (uint8_t)(n >> 8) } };
}

static inline le32 le32_put(uint32_t n)
{
	return (le32){ { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24) } };
}

static inline le64 le64_put(uint64_t n)
{
	return (le64){ { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24),
			 (uint8_t)(n >> 32), (uint8_t)(n >> 40), (uint8_t)(n >> 48),
			 (uint8_t)(n >> 56) } };
}

/* A signed number as an unsigned one that is small when it is near zero, and back. */
static inline uint64_t zigzag(int64_t n)
{
	return ((uint64_t)n << 1) ^ (uint64_t)(n >> 63);
}

static inline int64_t unzigzag(uint64_t n)
{
	return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

enum { VARINT_MAX_BYTES = 10 };

/* Writes into a caller's buffer; once something does not fit nothing more is written and `failed` stays set. */
struct writer {
	uint8_t *data;
	size_t capacity, bytes;
	bool failed;
};

static inline struct writer writer_make(void *data, size_t capacity)
{
	return (struct writer){ .data = data, .capacity = capacity };
}

static inline void write_bytes(struct writer *w, const void *data, size_t bytes)
{
	if (w->failed || bytes > w->capacity - w->bytes) {
		w->failed = true;
		return;
	}
	if (bytes > 0)
		memcpy(w->data + w->bytes, data, bytes);
	w->bytes += bytes;
}

static inline void write_u8(struct writer *w, uint8_t n)
{
	write_bytes(w, &n, 1);
}

static inline void write_u16(struct writer *w, uint16_t n)
{
	le16 v = le16_put(n);

	write_bytes(w, &v, sizeof(v));
}

static inline void write_u32(struct writer *w, uint32_t n)
{
	le32 v = le32_put(n);

	write_bytes(w, &v, sizeof(v));
}

static inline void write_u64(struct writer *w, uint64_t n)
{
	le64 v = le64_put(n);

	write_bytes(w, &v, sizeof(v));
}

/* LEB128: seven bits a byte, the lowest first. */
static inline void write_varint(struct writer *w, uint64_t n)
{
	if (w->failed || w->capacity - w->bytes < VARINT_MAX_BYTES) {
		uint8_t buffer[VARINT_MAX_BYTES];
		size_t used = 0;

		for (; n >= 0x80; n >>= 7)
			buffer[used++] = (uint8_t)(n | 0x80);
		buffer[used++] = (uint8_t)n;
		write_bytes(w, buffer, used);
		return;
	}
	for (; n >= 0x80; n >>= 7)
		w->data[w->bytes++] = (uint8_t)(n | 0x80);
	w->data[w->bytes++] = (uint8_t)n;
}

/* Reads a caller's buffer; past the end every read gives 0 (or NULL) and `failed` stays set: ask once, at the end. */
struct reader {
	const uint8_t *data;
	size_t bytes, at;
	bool failed;
};

static inline struct reader reader_make(const void *data, size_t bytes)
{
	return (struct reader){ .data = data, .bytes = bytes };
}

static inline size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->bytes - r->at;
}

/* The next `bytes` bytes, inside the buffer; NULL when so many are not left. */
static inline const uint8_t *read_bytes(struct reader *r, size_t bytes)
{
	if (r->failed || bytes > r->bytes - r->at) {
		r->failed = true;
		return NULL;
	}
	r->at += bytes;
	return r->data + r->at - bytes;
}

static inline uint8_t read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);

	return p ? *p : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, sizeof(le16));
	le16 v = { { 0 } };

	if (p)
		memcpy(&v, p, sizeof(v));
	return le16_get(v);
}

static inline uint32_t read_u32(struct reader *r)
{
	const uint8_t *p = read_bytes(r, sizeof(le32));
	le32 v = { { 0 } };

	if (p)
		memcpy(&v, p, sizeof(v));
	return le32_get(v);
}

static inline uint64_t read_u64(struct reader *r)
{
	const uint8_t *p = read_bytes(r, sizeof(le64));
	le64 v = { { 0 } };

	if (p)
		memcpy(&v, p, sizeof(v));
	return le64_get(v);
}

static inline uint64_t read_varint(struct reader *r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = read_u8(r);

		n |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return n;
	}
	r->failed = true;
	return 0;
}
