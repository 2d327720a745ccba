/* ring_format.c - see ring_format.h.  The tables of FORMAT.md 2, 3 and 5 as structs of bytes. */
#include "schema/ring_format.h"

#include <errno.h>
#include <string.h>

#include "schema/block.h"
#include "schema/bytes.h"
#include "schema/checksum.h"

enum {
	SUPERBLOCK_HEADER_BYTES = 256, /* of the table of FORMAT.md 2 */
	RING_MAJOR = 1,
	RING_MINOR = 0,
	PAYLOAD_VERSION = 1,
	PAGE_BYTES = 4096,
};

/* The PNG trick: a transfer as text, with or without the eighth bit, shows in the first eight bytes. */
static const uint8_t superblock_magic[8] = { 0x89, 0x50, 0x4c, 0x47, 0x0d, 0x0a, 0x1a, 0x0a };
static const uint8_t staging_magic[8] = { 'P', 'L', 'G', 'S', 'T', 'A', 'G', 'E' };
static const uint8_t block_magic[4] = { 'P', 'L', 'B', '1' };

struct disk_superblock {
	uint8_t magic[8];
	le16 major, minor;
	le32 header_bytes;
	le64 feature_compat, feature_ro_compat, feature_incompat;
	uint8_t ring_uuid[RING_UUID_BYTES], machine_id[RING_UUID_BYTES];
	le64 created_realtime_ns;
	le64 file_bytes;
	le32 slot_bytes, slot_count;
	le64 landing_offset;
	le32 landing_slot_bytes, landing_slot_count;
	le64 staging_offset, staging_bytes;
	le64 slots_offset;
	le64 generation;
	le64 hint_block_no;
	uint8_t boot_id[RING_UUID_BYTES];
	le32 boot_no;
	uint8_t clean;
	uint8_t reserved[3919];
	le32 crc32;
};
_Static_assert(sizeof(struct disk_superblock) == RING_SUPERBLOCK_BYTES, "a superblock is 4 KiB");
_Static_assert(_Alignof(struct disk_superblock) == 1, "a superblock may lie at any address");
_Static_assert(offsetof(struct disk_superblock, ring_uuid) == 40, "FORMAT.md says 40");
_Static_assert(offsetof(struct disk_superblock, file_bytes) == 80, "FORMAT.md says 80");
_Static_assert(offsetof(struct disk_superblock, staging_offset) == 112, "FORMAT.md says 112");
_Static_assert(offsetof(struct disk_superblock, generation) == 136, "FORMAT.md says 136");
_Static_assert(offsetof(struct disk_superblock, clean) == 172, "FORMAT.md says 172");
_Static_assert(offsetof(struct disk_superblock, crc32) == 4092, "FORMAT.md says 4092");

struct disk_staging_header {
	uint8_t magic[8];
	le64 generation, salt, start_pos, first_event_no;
	uint8_t boot_id[RING_UUID_BYTES];
	uint8_t reserved[4036];
	le32 crc32;
};
_Static_assert(sizeof(struct disk_staging_header) == RING_STAGING_HEADER_BYTES, "4 KiB");
_Static_assert(offsetof(struct disk_staging_header, boot_id) == 40, "FORMAT.md says 40");
_Static_assert(offsetof(struct disk_staging_header, crc32) == 4092, "FORMAT.md says 4092");

struct disk_block_header {
	uint8_t magic[4];
	le16 header_bytes, payload_version;
	le64 block_no;
	uint8_t ring_uuid[RING_UUID_BYTES], boot_id[RING_UUID_BYTES];
	le32 boot_no, flags;
	le64 first_event_no;
	le32 event_count;
	uint8_t reserved1[4];
	le64 kind_bits, ts_min_ns, ts_max_ns;
	le64 monotonic_ns, boottime_ns, realtime_ns;
	le64 lost_total;
	uint8_t reserved2[8];
	le32 raw_bytes, stored_bytes, payload_crc32;
	le16 keyframe_part, keyframe_parts;
	le64 keyframe_block_no;
	le64 stage_salt, stage_end_pos;
	uint8_t prev_hash[32], block_hash[32], seal_mac[32];
	uint8_t seal_index[8];
	le64 lost_block;
	uint8_t reserved3[220];
	le32 crc32;
};
_Static_assert(sizeof(struct disk_block_header) == RING_HEADER_BYTES, "a header is one sector");
_Static_assert(_Alignof(struct disk_block_header) == 1, "a header may lie at any address");
_Static_assert(offsetof(struct disk_block_header, boot_no) == 48, "FORMAT.md says 48");
_Static_assert(offsetof(struct disk_block_header, kind_bits) == 72, "FORMAT.md says 72");
_Static_assert(offsetof(struct disk_block_header, lost_total) == 120, "FORMAT.md says 120");
_Static_assert(offsetof(struct disk_block_header, payload_crc32) == 144, "FORMAT.md says 144");
_Static_assert(offsetof(struct disk_block_header, keyframe_block_no) == 152, "FORMAT.md says 152");
_Static_assert(offsetof(struct disk_block_header, prev_hash) == 176, "FORMAT.md says 176");
_Static_assert(offsetof(struct disk_block_header, seal_index) == 272, "FORMAT.md says 272");
_Static_assert(offsetof(struct disk_block_header, lost_block) == 280, "FORMAT.md says 280");
_Static_assert(offsetof(struct disk_block_header, crc32) == 508, "FORMAT.md says 508");

struct disk_footer {
	le64 block_no;
	le32 payload_crc32, crc32;
};
_Static_assert(sizeof(struct disk_footer) == RING_FOOTER_BYTES, "a footer is 16 bytes");

static le32 crc_of(const void *data, size_t bytes)
{
	return le32_put(checksum_crc32(0, data, bytes));
}

static bool crc_is(const void *data, size_t bytes, le32 crc)
{
	return checksum_crc32(0, data, bytes) == le32_get(crc);
}

int ring_layout(uint64_t file_bytes, struct ring_superblock *ret_super)
{
	uint64_t slot_count;

	file_bytes -= file_bytes % RING_SLOT_BYTES;
	if (file_bytes < RING_MIN_BYTES || file_bytes > RING_MAX_BYTES)
		return -EINVAL;
	*ret_super = (struct ring_superblock){
		.major = RING_MAJOR,
		.minor = RING_MINOR,
		.file_bytes = file_bytes,
		.slot_bytes = RING_SLOT_BYTES,
		.landing_offset = RING_LANDING_OFFSET,
		.landing_slot_bytes = RING_LANDING_SLOT_BYTES,
		.landing_slot_count = RING_LANDING_SLOT_COUNT,
		.staging_offset = RING_STAGING_OFFSET,
		.staging_bytes = file_bytes / 4,
	};
	if (ret_super->staging_bytes > RING_STAGING_MAX_BYTES)
		ret_super->staging_bytes = RING_STAGING_MAX_BYTES;
	ret_super->staging_bytes -= ret_super->staging_bytes % RING_SLOT_BYTES;
	ret_super->slots_offset = ret_super->staging_offset + ret_super->staging_bytes;
	slot_count = (file_bytes - ret_super->slots_offset) / RING_SLOT_BYTES;
	ret_super->slot_count = (uint32_t)slot_count;
	return 0;
}

/* The parts lie in order, do not overlap and end within the file; no sum overflows, for each is compared before it is used. */
static bool layout_holds(const struct ring_superblock *super)
{
	uint64_t landing_bytes = (uint64_t)super->landing_slot_bytes * super->landing_slot_count;
	uint64_t left = super->file_bytes;

	if (super->slot_bytes != RING_SLOT_BYTES || super->slot_count < 2 ||
	    super->landing_slot_bytes != RING_LANDING_SLOT_BYTES ||
	    super->landing_slot_count != RING_LANDING_SLOT_COUNT)
		return false;
	if (left > INT64_MAX || super->landing_offset < RING_LANDING_OFFSET ||
	    super->landing_offset > left || landing_bytes > left - super->landing_offset)
		return false;
	if (super->staging_offset < super->landing_offset + landing_bytes ||
	    super->staging_offset > left || super->staging_bytes > left - super->staging_offset)
		return false;
	if (super->staging_bytes < RING_SLOT_BYTES || super->staging_bytes % RING_SLOT_BYTES != 0 ||
	    super->slots_offset < super->staging_offset + super->staging_bytes ||
	    super->slots_offset > left)
		return false;
	if ((super->landing_offset | super->staging_offset | super->slots_offset) % PAGE_BYTES != 0)
		return false;
	return super->slot_count <= (left - super->slots_offset) / RING_SLOT_BYTES;
}

void ring_superblock_pack(const struct ring_superblock *super, uint8_t out[RING_SUPERBLOCK_BYTES])
{
	struct disk_superblock disk = {
		.major = le16_put(super->major),
		.minor = le16_put(super->minor),
		.header_bytes = le32_put(SUPERBLOCK_HEADER_BYTES),
		.feature_compat = le64_put(super->feature_compat),
		.feature_ro_compat = le64_put(super->feature_ro_compat),
		.feature_incompat = le64_put(super->feature_incompat),
		.created_realtime_ns = le64_put(super->created_realtime_ns),
		.file_bytes = le64_put(super->file_bytes),
		.slot_bytes = le32_put(super->slot_bytes),
		.slot_count = le32_put(super->slot_count),
		.landing_offset = le64_put(super->landing_offset),
		.landing_slot_bytes = le32_put(super->landing_slot_bytes),
		.landing_slot_count = le32_put(super->landing_slot_count),
		.staging_offset = le64_put(super->staging_offset),
		.staging_bytes = le64_put(super->staging_bytes),
		.slots_offset = le64_put(super->slots_offset),
		.generation = le64_put(super->generation),
		.hint_block_no = le64_put(super->hint_block_no),
		.boot_no = le32_put(super->boot_no),
		.clean = super->clean,
	};

	memcpy(disk.magic, superblock_magic, sizeof(disk.magic));
	memcpy(disk.ring_uuid, super->ring_uuid, sizeof(disk.ring_uuid));
	memcpy(disk.machine_id, super->machine_id, sizeof(disk.machine_id));
	memcpy(disk.boot_id, super->boot_id, sizeof(disk.boot_id));
	disk.crc32 = crc_of(&disk, offsetof(struct disk_superblock, crc32));
	memcpy(out, &disk, sizeof(disk));
}

static void superblock_take(const struct disk_superblock *disk, struct ring_superblock *ret_super)
{
	*ret_super = (struct ring_superblock){
		.major = le16_get(disk->major),
		.minor = le16_get(disk->minor),
		.feature_compat = le64_get(disk->feature_compat),
		.feature_ro_compat = le64_get(disk->feature_ro_compat),
		.feature_incompat = le64_get(disk->feature_incompat),
		.created_realtime_ns = le64_get(disk->created_realtime_ns),
		.file_bytes = le64_get(disk->file_bytes),
		.slot_bytes = le32_get(disk->slot_bytes),
		.slot_count = le32_get(disk->slot_count),
		.landing_offset = le64_get(disk->landing_offset),
		.landing_slot_bytes = le32_get(disk->landing_slot_bytes),
		.landing_slot_count = le32_get(disk->landing_slot_count),
		.staging_offset = le64_get(disk->staging_offset),
		.staging_bytes = le64_get(disk->staging_bytes),
		.slots_offset = le64_get(disk->slots_offset),
		.generation = le64_get(disk->generation),
		.hint_block_no = le64_get(disk->hint_block_no),
		.boot_no = le32_get(disk->boot_no),
		.clean = disk->clean == 1,
	};
	memcpy(ret_super->ring_uuid, disk->ring_uuid, sizeof(disk->ring_uuid));
	memcpy(ret_super->machine_id, disk->machine_id, sizeof(disk->machine_id));
	memcpy(ret_super->boot_id, disk->boot_id, sizeof(disk->boot_id));
}

int ring_superblock_unpack(const uint8_t in[RING_SUPERBLOCK_BYTES],
			   struct ring_superblock *ret_super)
{
	struct disk_superblock disk;
	struct ring_superblock super;

	memcpy(&disk, in, sizeof(disk));
	/* The CRC comes before the version: a flipped bit in `major` is damage, not a newer version. */
	if (memcmp(disk.magic, superblock_magic, sizeof(disk.magic)) != 0 ||
	    !crc_is(&disk, offsetof(struct disk_superblock, crc32), disk.crc32))
		return -EBADMSG;
	superblock_take(&disk, &super);
	if (super.major != RING_MAJOR || super.feature_incompat != 0)
		return -EPROTONOSUPPORT;
	if (!layout_holds(&super))
		return -EBADMSG;
	*ret_super = super;
	return 0;
}

void ring_staging_header_pack(const struct ring_staging_header *header,
			      uint8_t out[RING_STAGING_HEADER_BYTES])
{
	struct disk_staging_header disk = {
		.generation = le64_put(header->generation),
		.salt = le64_put(header->salt),
		.start_pos = le64_put(header->start_pos),
		.first_event_no = le64_put(header->first_event_no),
	};

	memcpy(disk.magic, staging_magic, sizeof(disk.magic));
	memcpy(disk.boot_id, header->boot_id, sizeof(disk.boot_id));
	disk.crc32 = crc_of(&disk, offsetof(struct disk_staging_header, crc32));
	memcpy(out, &disk, sizeof(disk));
}

int ring_staging_header_unpack(const uint8_t in[RING_STAGING_HEADER_BYTES],
			       struct ring_staging_header *ret_header)
{
	struct disk_staging_header disk;

	memcpy(&disk, in, sizeof(disk));
	if (memcmp(disk.magic, staging_magic, sizeof(disk.magic)) != 0 ||
	    !crc_is(&disk, offsetof(struct disk_staging_header, crc32), disk.crc32))
		return -EBADMSG;
	if (le64_get(disk.start_pos) > RING_NUMBER_MAX || le64_get(disk.start_pos) % 16 != 0 ||
	    le64_get(disk.first_event_no) > RING_NUMBER_MAX)
		return -EBADMSG;
	*ret_header = (struct ring_staging_header){
		.generation = le64_get(disk.generation),
		.salt = le64_get(disk.salt),
		.start_pos = le64_get(disk.start_pos),
		.first_event_no = le64_get(disk.first_event_no),
	};
	memcpy(ret_header->boot_id, disk.boot_id, sizeof(disk.boot_id));
	return 0;
}

void ring_block_header_pack(const struct ring_block_header *header, uint8_t out[RING_HEADER_BYTES])
{
	struct disk_block_header disk = {
		.header_bytes = le16_put(RING_HEADER_BYTES),
		.payload_version = le16_put(PAYLOAD_VERSION),
		.block_no = le64_put(header->block_no),
		.boot_no = le32_put(header->boot_no),
		.flags = le32_put(header->flags),
		.first_event_no = le64_put(header->first_event_no),
		.event_count = le32_put(header->event_count),
		.kind_bits = le64_put(header->kind_bits),
		.ts_min_ns = le64_put(header->ts_min_ns),
		.ts_max_ns = le64_put(header->ts_max_ns),
		.monotonic_ns = le64_put(header->monotonic_ns),
		.boottime_ns = le64_put(header->boottime_ns),
		.realtime_ns = le64_put(header->realtime_ns),
		.lost_total = le64_put(header->lost_total),
		.raw_bytes = le32_put(header->raw_bytes),
		.stored_bytes = le32_put(header->stored_bytes),
		.payload_crc32 = le32_put(header->payload_crc32),
		.keyframe_part = le16_put(header->keyframe_part),
		.keyframe_parts = le16_put(header->keyframe_parts),
		.keyframe_block_no = le64_put(header->keyframe_block_no),
		.stage_salt = le64_put(header->stage_salt),
		.stage_end_pos = le64_put(header->stage_end_pos),
		.lost_block = le64_put(header->lost_block),
	};

	memcpy(disk.magic, block_magic, sizeof(disk.magic));
	memcpy(disk.ring_uuid, header->ring_uuid, sizeof(disk.ring_uuid));
	memcpy(disk.boot_id, header->boot_id, sizeof(disk.boot_id));
	disk.crc32 = crc_of(&disk, offsetof(struct disk_block_header, crc32));
	memcpy(out, &disk, sizeof(disk));
}

static void block_header_take(const struct disk_block_header *disk,
			      struct ring_block_header *ret_header)
{
	*ret_header = (struct ring_block_header){
		.block_no = le64_get(disk->block_no),
		.boot_no = le32_get(disk->boot_no),
		.flags = le32_get(disk->flags),
		.first_event_no = le64_get(disk->first_event_no),
		.event_count = le32_get(disk->event_count),
		.kind_bits = le64_get(disk->kind_bits),
		.ts_min_ns = le64_get(disk->ts_min_ns),
		.ts_max_ns = le64_get(disk->ts_max_ns),
		.monotonic_ns = le64_get(disk->monotonic_ns),
		.boottime_ns = le64_get(disk->boottime_ns),
		.realtime_ns = le64_get(disk->realtime_ns),
		.lost_total = le64_get(disk->lost_total),
		.raw_bytes = le32_get(disk->raw_bytes),
		.stored_bytes = le32_get(disk->stored_bytes),
		.payload_crc32 = le32_get(disk->payload_crc32),
		.keyframe_part = le16_get(disk->keyframe_part),
		.keyframe_parts = le16_get(disk->keyframe_parts),
		.keyframe_block_no = le64_get(disk->keyframe_block_no),
		.stage_salt = le64_get(disk->stage_salt),
		.stage_end_pos = le64_get(disk->stage_end_pos),
		.lost_block = le64_get(disk->lost_block),
	};
	memcpy(ret_header->ring_uuid, disk->ring_uuid, sizeof(disk->ring_uuid));
	memcpy(ret_header->boot_id, disk->boot_id, sizeof(disk->boot_id));
}

int ring_block_header_unpack(const uint8_t in[RING_HEADER_BYTES],
			     struct ring_block_header *ret_header)
{
	struct disk_block_header disk;
	struct ring_block_header header;

	memcpy(&disk, in, sizeof(disk));
	if (memcmp(disk.magic, block_magic, sizeof(disk.magic)) != 0 ||
	    !crc_is(&disk, offsetof(struct disk_block_header, crc32), disk.crc32))
		return -EBADMSG;
	block_header_take(&disk, &header);
	if (le16_get(disk.header_bytes) != RING_HEADER_BYTES ||
	    le16_get(disk.payload_version) != PAYLOAD_VERSION ||
	    header.stored_bytes > RING_PAYLOAD_MAX_BYTES || header.event_count > BLOCK_EVENTS_MAX)
		return -EBADMSG;
	/* Numbers beyond these are never written; without them no sum below overflows. */
	if (header.block_no > RING_NUMBER_MAX || header.first_event_no > RING_NUMBER_MAX ||
	    header.first_event_no == 0 || header.stage_end_pos > RING_NUMBER_MAX ||
	    header.stage_end_pos % 16 != 0 ||
	    (header.keyframe_parts > 0 && header.keyframe_part >= header.keyframe_parts))
		return -EBADMSG;
	*ret_header = header;
	return 0;
}

void ring_footer_pack(uint64_t block_no, uint32_t payload_crc32, uint8_t out[RING_FOOTER_BYTES])
{
	struct disk_footer disk = {
		.block_no = le64_put(block_no),
		.payload_crc32 = le32_put(payload_crc32),
	};

	disk.crc32 = crc_of(&disk, offsetof(struct disk_footer, crc32));
	memcpy(out, &disk, sizeof(disk));
}

int ring_footer_check(const uint8_t in[RING_FOOTER_BYTES], uint64_t block_no,
		      uint32_t payload_crc32)
{
	struct disk_footer disk;

	memcpy(&disk, in, sizeof(disk));
	if (!crc_is(&disk, offsetof(struct disk_footer, crc32), disk.crc32) ||
	    le64_get(disk.block_no) != block_no || le32_get(disk.payload_crc32) != payload_crc32)
		return -EBADMSG;
	return 0;
}
