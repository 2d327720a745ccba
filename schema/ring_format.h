/* ring_format.h - superblock, staging header, slot header and footer as bytes and as structs (FORMAT.md 1-5).  No I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RING_SUPERBLOCK_BYTES = 4096,
	RING_STAGING_HEADER_OFFSET = 8192,
	RING_STAGING_HEADER_BYTES = 4096,
	RING_LANDING_OFFSET = 16384,
	RING_LANDING_SLOT_BYTES = 256,
	RING_LANDING_SLOT_COUNT = 448,
	RING_STAGING_OFFSET = 131072,
	RING_STAGING_MAX_BYTES = 6 << 20,
	RING_SLOT_BYTES = 65536,
	RING_HEADER_BYTES = 512,
	RING_FOOTER_BYTES = 16,
	RING_PAYLOAD_MAX_BYTES = RING_SLOT_BYTES - RING_HEADER_BYTES - RING_FOOTER_BYTES,
	RING_UUID_BYTES = 16,
};

#define RING_MIN_BYTES     (UINT64_C(4) << 20)
#define RING_MAX_BYTES     (UINT64_C(255) << 40) /* slots have 32-bit numbers */
#define RING_DEFAULT_BYTES (UINT64_C(1) << 30)
#define RING_NO_BLOCK      UINT64_MAX
#define RING_NUMBER_MAX    (UINT64_C(1) << 62) /* no block_no, event_no or position is beyond */

enum {
	RING_RO_SLICE = 1
}; /* feature_ro_compat: a copy of a part of a ring; its recorder writes elsewhere */

struct ring_superblock {
	uint16_t major, minor;
	uint64_t feature_compat, feature_ro_compat, feature_incompat;
	uint8_t ring_uuid[RING_UUID_BYTES], machine_id[RING_UUID_BYTES];
	uint64_t created_realtime_ns;
	uint64_t file_bytes;
	uint32_t slot_bytes, slot_count;
	uint64_t landing_offset;
	uint32_t landing_slot_bytes, landing_slot_count;
	uint64_t staging_offset, staging_bytes;
	uint64_t slots_offset;
	uint64_t generation;
	uint64_t hint_block_no;
	uint8_t boot_id[RING_UUID_BYTES];
	uint32_t boot_no;
	bool clean;
};

struct ring_staging_header {
	uint64_t generation, salt, start_pos, first_event_no;
	uint8_t boot_id[RING_UUID_BYTES];
};

enum {
	RING_BLOCK_FIRST_OF_BOOT = 1,
	RING_BLOCK_RECOVERED = 2,
	RING_BLOCK_LAST = 4,
	RING_BLOCK_CLOCK_STEP = 8, /* a CLOCK event inside has the reason EVENT_CLOCK_STEP */
};

struct ring_block_header {
	uint64_t block_no;
	uint8_t ring_uuid[RING_UUID_BYTES], boot_id[RING_UUID_BYTES];
	uint32_t boot_no, flags;
	uint64_t first_event_no;
	uint32_t event_count;
	uint64_t kind_bits, ts_min_ns, ts_max_ns;
	uint64_t monotonic_ns, boottime_ns, realtime_ns;
	uint64_t lost_total;
	uint32_t raw_bytes, stored_bytes, payload_crc32;
	uint16_t keyframe_part, keyframe_parts;
	uint64_t keyframe_block_no;
	uint64_t stage_salt, stage_end_pos;
	/* 1 + the number of the newest block at or before this one that tells of events LOST or BLIND; RING_NO_BLOCK: none does;
	 * 0: not known. */
	uint64_t lost_block;
};

/* Fills in the layout for a file of file_bytes (rounded down to whole slots).  0, or -EINVAL: smaller than RING_MIN_BYTES, larger than RING_MAX_BYTES. */
int ring_layout(uint64_t file_bytes, struct ring_superblock *ret_super);

void ring_superblock_pack(const struct ring_superblock *super, uint8_t out[RING_SUPERBLOCK_BYTES]);
/* 0; -EBADMSG: not a superblock, damaged, or its layout does not hold together (every offset and count is checked against
 * file_bytes in it); -EPROTONOSUPPORT: another major version or an unknown incompatible feature. */
int ring_superblock_unpack(const uint8_t in[RING_SUPERBLOCK_BYTES],
			   struct ring_superblock *ret_super);

void ring_staging_header_pack(const struct ring_staging_header *header,
			      uint8_t out[RING_STAGING_HEADER_BYTES]);
/* 0 or -EBADMSG. */
int ring_staging_header_unpack(const uint8_t in[RING_STAGING_HEADER_BYTES],
			       struct ring_staging_header *ret_header);

void ring_block_header_pack(const struct ring_block_header *header, uint8_t out[RING_HEADER_BYTES]);
/* 0 or -EBADMSG: damaged, or stored_bytes over RING_PAYLOAD_MAX_BYTES, or event_count over BLOCK_EVENTS_MAX.
 * Whether it is the block looked for is the caller's question. */
int ring_block_header_unpack(const uint8_t in[RING_HEADER_BYTES],
			     struct ring_block_header *ret_header);

void ring_footer_pack(uint64_t block_no, uint32_t payload_crc32, uint8_t out[RING_FOOTER_BYTES]);
/* 0, or -EBADMSG: not the footer of this block and payload. */
int ring_footer_check(const uint8_t in[RING_FOOTER_BYTES], uint64_t block_no,
		      uint32_t payload_crc32);
