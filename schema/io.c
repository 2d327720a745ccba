/* io.c - see io.h. */
#include "schema/io.h"

#include <errno.h>
#include <unistd.h>

static ssize_t direct_pread(void *context, int fd, void *data, size_t bytes, off_t offset)
{
	ssize_t r = pread(fd, data, bytes, offset);

	(void)context;
	return r < 0 ? -errno : r;
}

static ssize_t direct_pwrite(void *context, int fd, const void *data, size_t bytes, off_t offset)
{
	ssize_t r = pwrite(fd, data, bytes, offset);

	(void)context;
	return r < 0 ? -errno : r;
}

static int direct_sync(void *context, int fd)
{
	(void)context;
	return fdatasync(fd) < 0 ? -errno : 0;
}

const struct io io_direct = { .pread = direct_pread, .pwrite = direct_pwrite, .sync = direct_sync };

int io_read(const struct io *io, int fd, void *data, size_t bytes, uint64_t offset)
{
	uint8_t *at = data;

	while (bytes > 0) {
		ssize_t r = io->pread(io->context, fd, at, bytes, (off_t)offset);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return (int)r;
		if (r == 0)
			return -ENODATA;
		at += r;
		bytes -= (size_t)r;
		offset += (uint64_t)r;
	}
	return 0;
}

int io_write(const struct io *io, int fd, const void *data, size_t bytes, uint64_t offset)
{
	const uint8_t *at = data;

	while (bytes > 0) {
		ssize_t r = io->pwrite(io->context, fd, at, bytes, (off_t)offset);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return (int)r;
		if (r == 0)
			return -EIO; /* would go on for ever */
		at += r;
		bytes -= (size_t)r;
		offset += (uint64_t)r;
	}
	return 0;
}

int io_sync(const struct io *io, int fd)
{
	int r;

	do
		r = io->sync(io->context, fd);
	while (r == -EINTR);
	return r;
}

void io_touch(const struct io *io, uint8_t *data, size_t bytes)
{
	for (size_t at = 0; at < bytes;) {
		/* volatile: a store of what is there already is the point. */
		volatile uint8_t *byte = data + at;
		const uint8_t same = *byte;

		*byte = same;
		at += IO_PAGE_BYTES - (size_t)((uintptr_t)(data + at) % IO_PAGE_BYTES);
	}
	if (io->touched && bytes > 0)
		io->touched(io->context, data, bytes);
}
