/* io.h - the three calls with which a ring file is read, written and made durable, so that a test can put another disk under them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct io {
	void *context;
	/* As pread(2), pwrite(2) and fdatasync(2), but that a failure is the negative errno. */
	ssize_t (*pread)(void *context, int fd, void *data, size_t bytes, off_t offset);
	ssize_t (*pwrite)(void *context, int fd, const void *data, size_t bytes, off_t offset);
	int (*sync)(void *context, int fd);
};

/* The system calls themselves. */
extern const struct io io_direct;

/* Reads all bytes, going on after short reads and EINTR.  0; -ENODATA: the file ends before; -errno. */
int io_read(const struct io *io, int fd, void *data, size_t bytes, uint64_t offset);

/* Writes all bytes, going on after short writes and EINTR.  0 or -errno. */
int io_write(const struct io *io, int fd, const void *data, size_t bytes, uint64_t offset);

/* 0 or -errno. */
int io_sync(const struct io *io, int fd);
