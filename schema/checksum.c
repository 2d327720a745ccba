#include "schema/checksum.h"

#include <zlib.h>

#include "schema/bytes.h"

enum {
	STEP_BYTES = 16,
	LONG_BYTES = 1024, /* from here on zlib's five interleaved sums are ahead */
};

/* table[k][b]: what byte b adds when k bytes come behind it.  Filled before main(), constant then. */
static uint32_t table[STEP_BYTES][256];

__attribute__((constructor)) static void table_fill(void)
{
	const z_crc_t *step = get_crc_table();

	for (unsigned b = 0; b < 256; b++) {
		table[0][b] = step[b];
		for (unsigned k = 1; k < STEP_BYTES; k++)
			table[k][b] = table[k - 1][b] >> 8 ^ step[table[k - 1][b] & 0xff];
	}
}

/* What the eight bytes of `word` add when `behind` bytes come after them. */
static inline uint32_t word_sum(uint64_t word, unsigned behind)
{
	uint32_t sum = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < 8; i++)
		sum ^= table[behind + 7 - i][word >> (8 * i) & 0xff];
	return sum;
}

static inline uint64_t word_read(const uint8_t *data)
{
	le64 word;

	memcpy(&word, data, sizeof(word));
	return le64_get(word);
}

uint32_t checksum_crc32(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	if (bytes >= LONG_BYTES)
		return (uint32_t)crc32_z(crc, p, bytes);
	crc = ~crc;
	for (; bytes >= STEP_BYTES; p += STEP_BYTES, bytes -= STEP_BYTES)
		crc = word_sum(word_read(p) ^ crc, 8) ^ word_sum(word_read(p + 8), 0);
	if (bytes >= 8) {
		crc = word_sum(word_read(p) ^ crc, 0);
		p += 8;
		bytes -= 8;
	}
	for (; bytes > 0; p++, bytes--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}
