/* ring.c - see ring.h: opening, and reading one slot. */
#include "schema/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "schema/checksum.h"
#include "schema/cleanup.h"
#include "schema/ring_core.h"

enum { READ_TRIES = 3 };

int ring_read_super(const struct ring *ring, struct ring_superblock *ret_super)
{
	struct ring_superblock super[2];
	int result[2];

	for (size_t i = 0; i < 2; i++) {
		uint8_t disk[RING_SUPERBLOCK_BYTES];

		result[i] =
			io_read(ring->io, ring->fd, disk, sizeof(disk), i * RING_SUPERBLOCK_BYTES);
		if (result[i] == 0)
			result[i] = ring_superblock_unpack(disk, &super[i]);
		/* One copy of a newer version is enough to keep hands off. */
		if (result[i] == -EPROTONOSUPPORT)
			return result[i];
	}
	if (result[0] != 0 && result[1] != 0)
		return result[0] == -ENODATA ? -EBADMSG : result[0];
	if (result[0] != 0 || (result[1] == 0 && super[1].generation > super[0].generation))
		*ret_super = super[1];
	else
		*ret_super = super[0];
	return 0;
}

int ring_open_fd(int fd, const struct io *io, struct ring **ret_ring)
{
	auto_free struct ring *ring = calloc(1, sizeof(*ring));
	int r;

	if (!ring)
		return -ENOMEM;
	ring->fd = fd;
	ring->io = io;
	r = ring_read_super(ring, &ring->super);
	if (r < 0)
		return r;
	*ret_ring = steal_pointer(ring);
	return 0;
}

int ring_open(const char *path, struct ring **ret_ring)
{
	/* O_NONBLOCK: a FIFO in its place must not make us wait. */
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat stat;
	int r;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EBADMSG;
	r = ring_open_fd(fd, &io_direct, ret_ring);
	if (r < 0)
		return r;
	(void)steal_fd(&fd);
	(*ret_ring)->owns_fd = true;
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->owns_fd)
		(void)close(ring->fd);
	free(ring);
}

const struct ring_superblock *ring_super(const struct ring *ring)
{
	return &ring->super;
}

uint64_t ring_slot_offset(const struct ring *ring, uint64_t block_no)
{
	return ring->super.slots_offset +
	       block_no % ring->super.slot_count * (uint64_t)RING_SLOT_BYTES;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

/* Invariant 1, as far as the header tells: of this ring, in its place. */
static int header_check(const struct ring *ring, const uint8_t *disk, uint64_t block_no,
			struct ring_block_header *ret_header)
{
	struct ring_block_header header;
	uint32_t slot_count = ring->super.slot_count;
	int r = ring_block_header_unpack(disk, &header);

	if (r < 0)
		return is_zero(disk, RING_HEADER_BYTES) ? RING_SLOT_EMPTY : r;
	if (memcmp(header.ring_uuid, ring->super.ring_uuid, RING_UUID_BYTES) != 0 ||
	    header.block_no % slot_count != block_no % slot_count)
		return -EBADMSG;
	*ret_header = header;
	return 0;
}

int ring_slot_header(const struct ring *ring, uint64_t block_no,
		     struct ring_block_header *ret_header)
{
	uint8_t disk[RING_HEADER_BYTES];
	int r = io_read(ring->io, ring->fd, disk, sizeof(disk), ring_slot_offset(ring, block_no));

	/* A sector that cannot be read is damage like any other. */
	if (r < 0)
		return r == -ENODATA ? r : -EBADMSG;
	return header_check(ring, disk, block_no, ret_header);
}

/* One attempt at reading a header, or the whole slot.  0: it is there; RING_OVERRUN; -EBADMSG: another block, or damage. */
static int slot_try(struct ring *ring, uint64_t block_no, bool whole,
		    struct ring_block_header *ret_header)
{
	const uint8_t *payload = ring->slot + RING_HEADER_BYTES;
	struct ring_block_header header;
	int r;

	if (!whole) {
		r = ring_slot_header(ring, block_no, &header);
	} else {
		if (io_read(ring->io, ring->fd, ring->slot, sizeof(ring->slot),
			    ring_slot_offset(ring, block_no)) < 0)
			return -EBADMSG;
		r = header_check(ring, ring->slot, block_no, &header);
	}
	if (r != 0 || header.block_no < block_no)
		return -EBADMSG;
	if (header.block_no > block_no)
		return RING_OVERRUN;
	if (whole && (ring_footer_check(ring->slot + RING_SLOT_BYTES - RING_FOOTER_BYTES, block_no,
					header.payload_crc32) < 0 ||
		      checksum_crc32(0, payload, header.stored_bytes) != header.payload_crc32))
		return -EBADMSG;
	*ret_header = header;
	return 0;
}

bool ring_slot_whole(struct ring *ring, uint64_t block_no)
{
	struct ring_block_header header;

	return slot_try(ring, block_no, true, &header) == 0;
}

/* Why block_no is not whole in its slot, as far as can be said now. */
static int slot_verdict(struct ring *ring, uint64_t block_no)
{
	uint64_t first, next;
	int r = ring_refresh(ring, &first, &next);

	if (r < 0)
		return r;
	if (block_no >= next)
		return RING_END;
	/* The oldest slot is the one that the writer fills next, or is filling now. */
	if (block_no + ring->super.slot_count <= next)
		return RING_OVERRUN;
	return RING_HOLE;
}

/* Invariant 9: what was copied does not hold together while the writer is at it; so a few more looks before it is called damage. */
static int slot_read(struct ring *ring, uint64_t block_no, bool whole,
		     struct ring_block_header *ret_header)
{
	int r = RING_END;

	if (block_no > RING_NUMBER_MAX)
		return RING_END;
	for (int try = 0; try < READ_TRIES; try++) {
		r = slot_try(ring, block_no, whole, ret_header);
		if (r >= 0)
			return r;
		r = slot_verdict(ring, block_no);
		if (r != RING_HOLE)
			return r;
	}
	return r;
}

int ring_read_header(struct ring *ring, uint64_t block_no, struct ring_block_header *ret_header)
{
	return slot_read(ring, block_no, false, ret_header);
}

int ring_load_slot(struct ring *ring, uint64_t block_no, struct ring_block_header *ret_header)
{
	return slot_read(ring, block_no, true, ret_header);
}

int ring_read_block(struct ring *ring, uint64_t block_no, struct block *block,
		    struct ring_block_header *ret_header)
{
	struct ring_block_header header;
	int r = ring_load_slot(ring, block_no, &header);

	if (r != 0)
		return r;
	r = block_unpack(block, ring->slot + RING_HEADER_BYTES, header.stored_bytes,
			 header.first_event_no, header.event_count);
	/* The CRC held, so that trying again would not help; and a reader that stopped for ever at a block of a later version would be
	 * worse off than one that says what it could not read. */
	if (r == -EBADMSG || r == -EPROTONOSUPPORT)
		return RING_HOLE;
	if (r < 0)
		return r;
	*ret_header = header;
	return 0;
}
