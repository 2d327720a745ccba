/* ring_slice.c - see ring_slice.h.
 *
 * A block lies in the slot of its number modulo the number of slots, so any run of blocks fills a ring that has as many slots.
 */
#include "schema/ring_slice.h"

#include <errno.h>
#include <stdlib.h>

#include "schema/cleanup.h"
#include "schema/ring_core.h"

enum { SLOTS_MIN = 2, COPY_BYTES = 1 << 16 };

static int copy_range(const struct ring *ring, uint64_t from, uint64_t to, uint64_t bytes, int fd)
{
	auto_free uint8_t *buffer = malloc(COPY_BYTES);

	for (uint64_t at = 0; at < bytes;) {
		size_t piece = bytes - at < COPY_BYTES ? (size_t)(bytes - at) : COPY_BYTES;
		int r = buffer ? io_read(ring->io, ring->fd, buffer, piece, from + at) : -ENOMEM;

		if (r == 0)
			r = io_write(&io_direct, fd, buffer, piece, to + at);
		if (r < 0)
			return r;
		at += piece;
	}
	return 0;
}

/* Byte for byte: what is damaged stays so, and a number that was given up has in its slot what it had. */
static int copy_blocks(struct ring *ring, const struct ring_superblock *slice, uint64_t first_block,
		       uint64_t next_block, int fd)
{
	for (uint64_t block_no = first_block; block_no < next_block; block_no++) {
		uint64_t slot = block_no % slice->slot_count;
		struct ring_block_header header;
		int r = ring_read_header(ring, block_no, &header);

		if (r < 0 || r == RING_OVERRUN)
			return r;
		r = copy_range(ring, ring_slot_offset(ring, block_no),
			       slice->slots_offset + slot * RING_SLOT_BYTES, RING_SLOT_BYTES, fd);
		if (r == 0 && ring_read_header(ring, block_no, &header) == RING_OVERRUN)
			r = RING_OVERRUN;
		if (r != 0)
			return r;
	}
	return 0;
}

/* As it lies.  RING_OVERRUN: the writer has made a block of it meanwhile. */
static int copy_staging(struct ring *ring, uint64_t next_block, int fd)
{
	const struct ring_superblock *super = &ring->super;
	int r = copy_range(ring, RING_STAGING_HEADER_OFFSET, RING_STAGING_HEADER_OFFSET,
			   UINT64_C(2) * RING_STAGING_HEADER_BYTES, fd);
	uint64_t first = 0, next = 0;

	if (r == 0)
		r = copy_range(ring, super->staging_offset, super->staging_offset,
			       super->staging_bytes, fd);
	if (r == 0)
		r = ring_refresh(ring, &first, &next);
	if (r < 0)
		return r;
	return next == next_block ? 0 : RING_OVERRUN;
}

int ring_slice(struct ring *ring, uint64_t first_block, uint64_t next_block, bool staged, int fd)
{
	struct ring_superblock slice = ring->super;
	uint8_t super[RING_SUPERBLOCK_BYTES];
	uint64_t count = next_block - first_block;
	int r;

	if (next_block < first_block || count > ring->super.slot_count)
		return -EINVAL;
	slice.slot_count = count < SLOTS_MIN ? SLOTS_MIN : (uint32_t)count;
	slice.file_bytes = slice.slots_offset + (uint64_t)slice.slot_count * RING_SLOT_BYTES;
	slice.hint_block_no = next_block;
	slice.feature_ro_compat |= RING_RO_SLICE;
	slice.clean = true;
	if (ftruncate(fd, (off_t)slice.file_bytes) < 0)
		return -errno;
	r = copy_blocks(ring, &slice, first_block, next_block, fd);
	if (r == 0 && staged)
		r = copy_staging(ring, next_block, fd);
	if (r != 0)
		return r;
	ring_superblock_pack(&slice, super);
	r = io_write(&io_direct, fd, super, sizeof(super), 0);
	if (r == 0)
		r = io_write(&io_direct, fd, super, sizeof(super), RING_SUPERBLOCK_BYTES);
	return r < 0 ? r : io_sync(&io_direct, fd);
}
