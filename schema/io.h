/* io.h - the three calls with which a ring file is read, written and made durable, so that a test can put another disk under them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { IO_PAGE_BYTES = 4096 }; /* in which the kernel reads, writes and maps files */

struct io {
	void *context;
	/* As pread(2), pwrite(2) and fdatasync(2), but that a failure is the negative errno. */
	ssize_t (*pread)(void *context, int fd, void *data, size_t bytes, off_t offset);
	ssize_t (*pwrite)(void *context, int fd, const void *data, size_t bytes, off_t offset);
	int (*sync)(void *context, int fd); /* or IO_LATE */
	/* For tests that decide which page of a mapping reaches the disk; NULL: the file itself is mapped.
	 * Gives memory, which stays the context's, in place of a mapping of [offset, offset + bytes) of the file. */
	uint8_t *(*map)(void *context, uint64_t offset, size_t bytes);
	/* Told of mapped bytes that were made dirty without being changed; NULL: nobody is. */
	void (*touched)(void *context, const uint8_t *data, size_t bytes);
};

/* The system calls themselves. */
extern const struct io io_direct;

/* Reads all bytes, going on after short reads and EINTR.  0; -ENODATA: the file ends before; -errno. */
int io_read(const struct io *io, int fd, void *data, size_t bytes, uint64_t offset);

/* Writes all bytes, going on after short writes and EINTR.  0 or -errno. */
int io_write(const struct io *io, int fd, const void *data, size_t bytes, uint64_t offset);

/* 0 or -errno; IO_LATE, of an io that may give that: it is not done, and the next one tells how it ended. */
enum { IO_LATE = 1 };
int io_sync(const struct io *io, int fd);

/* Makes every page of mapped, writable bytes dirty, so that it is written again by the next sync.  Nobody else writes them meanwhile. */
void io_touch(const struct io *io, uint8_t *data, size_t bytes);
