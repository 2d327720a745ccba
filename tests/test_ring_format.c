/* test_ring_format.c - superblock, staging header, block header and footer: there and back, any bit flipped, nonsense refused. */
#include "schema/ring_format.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "schema/block.h"
#include "tests/tap.h"

static void fill(uint8_t *bytes, size_t count, uint8_t first)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(first + i);
}

static void put64(uint8_t *at, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(n >> (8 * i));
}

static void put_crc(uint8_t *sector, size_t bytes)
{
	uint32_t crc = (uint32_t)crc32_z(0, sector, bytes - 4);

	for (int i = 0; i < 4; i++)
		sector[bytes - 4 + (size_t)i] = (uint8_t)(crc >> (8 * i));
}

static struct ring_superblock super_example(void)
{
	struct ring_superblock super;

	if (ring_layout(RING_DEFAULT_BYTES, &super) != 0)
		abort();
	fill(super.ring_uuid, RING_UUID_BYTES, 1);
	fill(super.machine_id, RING_UUID_BYTES, 33);
	fill(super.boot_id, RING_UUID_BYTES, 65);
	super.feature_compat = 0x8000000000000001u;
	super.feature_ro_compat = 4;
	super.created_realtime_ns = 1234567890123456789u;
	super.generation = 77;
	super.hint_block_no = 1u << 20;
	super.boot_no = 3;
	super.clean = true;
	return super;
}

static void test_layout(void)
{
	struct ring_superblock super = { .slot_count = 7 };

	ok(ring_layout(RING_MIN_BYTES - 1, &super) == -EINVAL && super.slot_count == 7,
	   "a ring below 4 MiB is refused and nothing is touched");
	ok(ring_layout(UINT64_MAX, &super) == -EINVAL, "so is one whose slots cannot be counted");
	ok(ring_layout(RING_MIN_BYTES, &super) == 0 && super.staging_bytes == 1 << 20 &&
		   super.slot_count == 46,
	   "4 MiB give 1 MiB of staging and 46 slots");
	ok(ring_layout(RING_DEFAULT_BYTES + 100, &super) == 0 &&
		   super.file_bytes == RING_DEFAULT_BYTES && super.staging_bytes == 6 << 20 &&
		   super.slots_offset == (6 << 20) + 131072 &&
		   super.slot_count == (RING_DEFAULT_BYTES - super.slots_offset) / 65536,
	   "1 GiB and a little is rounded down to whole slots, staging stays at 6 MiB");
	ok(super.slots_offset % 65536 == 0, "slots are aligned to their size");
}

static void test_superblock(void)
{
	struct ring_superblock super = super_example(), back, untouched;
	uint8_t disk[RING_SUPERBLOCK_BYTES], again[RING_SUPERBLOCK_BYTES];
	size_t missed = 0;

	ring_superblock_pack(&super, disk);
	ok(ring_superblock_unpack(disk, &back) == 0, "a superblock comes back");
	ring_superblock_pack(&back, again);
	ok(memcmp(disk, again, sizeof(disk)) == 0 && back.generation == 77 && back.clean &&
		   memcmp(back.boot_id, super.boot_id, RING_UUID_BYTES) == 0,
	   "with every field");
	ok(memcmp(disk, "\x89PLG\r\n\x1a\n", 8) == 0 && disk[8] == 1 && disk[168] == 3 &&
		   disk[172] == 1 && disk[88 + 2] == 1,
	   "magic, version, slot size, boot number and clean mark lie where FORMAT.md says");
	memset(&back, 0x5a, sizeof(back));
	memcpy(&untouched, &back, sizeof(back));
	for (size_t bit = 0; bit < sizeof(disk) * 8; bit++) {
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		missed += ring_superblock_unpack(disk, &back) != -EBADMSG;
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	ok(missed == 0 && memcmp(&back, &untouched, sizeof(back)) == 0,
	   "any one flipped bit of it is noticed (%zu tried), and nothing is returned",
	   sizeof(disk) * 8);
}

static void test_superblock_versions(void)
{
	struct ring_superblock super = super_example(), back;
	uint8_t disk[RING_SUPERBLOCK_BYTES];

	super.major = 2;
	ring_superblock_pack(&super, disk);
	ok(ring_superblock_unpack(disk, &back) == -EPROTONOSUPPORT, "another major is not read");
	super = super_example();
	super.minor = 9;
	ring_superblock_pack(&super, disk);
	ok(ring_superblock_unpack(disk, &back) == 0 && back.minor == 9, "another minor is");
	super.feature_incompat = UINT64_C(1) << 40;
	ring_superblock_pack(&super, disk);
	ok(ring_superblock_unpack(disk, &back) == -EPROTONOSUPPORT,
	   "an unknown incompatible feature is not read");
}

/* Sets the le64 (or the two le32) at offset, makes the CRC right again: only the check of the layout is left to object. */
static bool refused(size_t offset, uint64_t value)
{
	struct ring_superblock super = super_example(), back;
	uint8_t disk[RING_SUPERBLOCK_BYTES];

	ring_superblock_pack(&super, disk);
	put64(disk + offset, value);
	put_crc(disk, sizeof(disk));
	return ring_superblock_unpack(disk, &back) == -EBADMSG;
}

static void test_superblock_layout(void)
{
	uint64_t slots = (RING_DEFAULT_BYTES - (6 << 20) - 131072) / 65536;

	ok(!refused(88, 65536 | slots << 32), "(the layout as it is passes)");
	ok(refused(80, RING_DEFAULT_BYTES - 65536), "slots over the end of the file are refused");
	ok(refused(80, UINT64_MAX), "so is a file that no file system holds");
	ok(refused(88, 65536 | (slots + 1) << 32), "one slot too many");
	ok(refused(88, 65536), "no slots at all");
	ok(refused(88, 4096 | slots << 32), "slots of another size");
	ok(refused(96, 0), "a landing zone over the superblock");
	ok(refused(96, UINT64_MAX - 4095), "one that overflows");
	ok(refused(104, 256 | UINT64_C(0xffffffff) << 32), "one with too many slots");
	ok(refused(112, 16384), "staging over the landing zone");
	ok(refused(112, UINT64_MAX & ~UINT64_C(4095)), "staging that overflows");
	ok(refused(120, 0) && refused(120, 100) && refused(120, UINT64_MAX & ~UINT64_C(65535)),
	   "staging of no, of an odd, and of an endless length");
	ok(refused(128, 131072), "slots over the staging");
	ok(refused(128, (6 << 20) + 131072 + 16), "slots that are not aligned");
}

static void test_staging_header(void)
{
	struct ring_staging_header header = { .generation = 5,
					      .salt = 0x1122334455667788,
					      .start_pos = 4096,
					      .first_event_no = 99 },
				   back;
	uint8_t disk[RING_STAGING_HEADER_BYTES];
	size_t missed = 0;

	fill(header.boot_id, RING_UUID_BYTES, 7);
	ring_staging_header_pack(&header, disk);
	ok(ring_staging_header_unpack(disk, &back) == 0 &&
		   memcmp(&header, &back, sizeof(back)) == 0,
	   "a staging header comes back");
	for (size_t bit = 0; bit < sizeof(disk) * 8; bit++) {
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		missed += ring_staging_header_unpack(disk, &back) != -EBADMSG;
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	ok(missed == 0, "any one flipped bit of it is noticed");
	header.start_pos = 8;
	ring_staging_header_pack(&header, disk);
	ok(ring_staging_header_unpack(disk, &back) == -EBADMSG,
	   "a position between two records is refused");
}

static struct ring_block_header header_example(void)
{
	struct ring_block_header header = {
		.block_no = 123456789,
		.boot_no = 2,
		.flags = RING_BLOCK_RECOVERED,
		.first_event_no = 1u << 30,
		.event_count = 17000,
		.kind_bits = 0x8000000200000002u,
		.ts_min_ns = 1,
		.ts_max_ns = UINT64_MAX,
		.monotonic_ns = 3,
		.boottime_ns = 4,
		.realtime_ns = 5,
		.lost_total = 6,
		.raw_bytes = 400000,
		.stored_bytes = RING_PAYLOAD_MAX_BYTES,
		.payload_crc32 = 0xdeadbeef,
		.keyframe_part = 2,
		.keyframe_parts = 3,
		.keyframe_block_no = RING_NO_BLOCK,
		.stage_salt = 9,
		.stage_end_pos = 160,
	};

	fill(header.ring_uuid, RING_UUID_BYTES, 1);
	fill(header.boot_id, RING_UUID_BYTES, 100);
	return header;
}

static void test_block_header(void)
{
	struct ring_block_header header = header_example(), back;
	uint8_t disk[RING_HEADER_BYTES], again[RING_HEADER_BYTES];
	size_t missed = 0;

	ring_block_header_pack(&header, disk);
	ok(ring_block_header_unpack(disk, &back) == 0, "a block header comes back");
	ring_block_header_pack(&back, again);
	ok(memcmp(disk, again, sizeof(disk)) == 0 && back.keyframe_block_no == RING_NO_BLOCK &&
		   back.stored_bytes == RING_PAYLOAD_MAX_BYTES && back.stage_end_pos == 160,
	   "with every field");
	for (size_t bit = 0; bit < sizeof(disk) * 8; bit++) {
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		missed += ring_block_header_unpack(disk, &back) != -EBADMSG;
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	ok(missed == 0, "any one flipped bit of it is noticed (%zu tried)", sizeof(disk) * 8);
}

static bool header_refused(const struct ring_block_header *header)
{
	struct ring_block_header back;
	uint8_t disk[RING_HEADER_BYTES];

	ring_block_header_pack(header, disk);
	return ring_block_header_unpack(disk, &back) == -EBADMSG;
}

static void test_block_header_limits(void)
{
	struct ring_block_header header = header_example();

	header.stored_bytes++;
	ok(header_refused(&header), "more payload than a slot holds is refused");
	header = header_example();
	header.event_count = BLOCK_EVENTS_MAX + 1;
	ok(header_refused(&header), "so are more events than a block may have");
	header = header_example();
	header.keyframe_part = 3;
	ok(header_refused(&header), "a keyframe part behind the last");
	header = header_example();
	header.block_no = RING_NUMBER_MAX + 1;
	ok(header_refused(&header), "a block number out of all bounds");
	header = header_example();
	header.first_event_no = UINT64_MAX;
	ok(header_refused(&header), "an event number out of all bounds");
	header = header_example();
	header.stage_end_pos = 8;
	ok(header_refused(&header), "a position between two records");
}

static void test_footer(void)
{
	uint8_t disk[RING_FOOTER_BYTES];
	size_t missed = 0;

	ring_footer_pack(42, 0x12345678, disk);
	ok(ring_footer_check(disk, 42, 0x12345678) == 0, "a footer comes back");
	ok(ring_footer_check(disk, 43, 0x12345678) == -EBADMSG, "it is of one block");
	ok(ring_footer_check(disk, 42, 0x12345679) == -EBADMSG, "and of one payload");
	for (size_t bit = 0; bit < sizeof(disk) * 8; bit++) {
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		missed += ring_footer_check(disk, 42, 0x12345678) != -EBADMSG;
		disk[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	ok(missed == 0, "any one flipped bit of it is noticed");
}

int main(void)
{
	test_layout();
	test_superblock();
	test_superblock_versions();
	test_superblock_layout();
	test_staging_header();
	test_block_header();
	test_block_header_limits();
	test_footer();
	return done_testing();
}
