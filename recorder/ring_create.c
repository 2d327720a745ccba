/* ring_create.c - see ring_create.h. */
#include "recorder/ring_create.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "recorder/ring_writer.h"
#include "schema/cleanup.h"

enum { RING_MODE = 0640, ZEROS_BYTES = 1 << 20 };

/* Opens the file under its first name.  What is there of a crash is removed; what somebody else is making now is not. */
static int temporary_open(const char *path, int *ret_fd)
{
	for (int try = 0; try < 2; try++) {
		auto_close int fd =
			open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, RING_MODE);
		bool made = fd >= 0;

		if (!made && errno == EEXIST)
			fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? RING_WRITER_LOCKED : -errno;
		if (made) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
	}
	return -EEXIST;
}

static int write_zeros(const struct io *io, int fd, uint64_t bytes)
{
	auto_free uint8_t *zeros = calloc(1, ZEROS_BYTES);

	if (!zeros)
		return -ENOMEM;
	for (uint64_t at = 0; at < bytes; at += ZEROS_BYTES) {
		size_t part = bytes - at < ZEROS_BYTES ? (size_t)(bytes - at) : ZEROS_BYTES;
		int r = io_write(io, fd, zeros, part, at);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Every byte has its place on the disk from now on: staging is mapped, and a page without one would be a SIGBUS. */
static int reserve(const struct io *io, int fd, uint64_t bytes)
{
	int r;

	do
		r = fallocate(fd, 0, 0, (off_t)bytes) < 0 ? -errno : 0;
	while (r == -EINTR);
	if (r == -EOPNOTSUPP || r == -ENOSYS)
		r = write_zeros(io, fd, bytes);
	return r == -ENOSPC || r == -EDQUOT ? RING_WRITER_NO_SPACE : r;
}

/* machine-id(5): 32 hexadecimal digits.  Zero when there is none. */
static void read_machine_id(uint8_t ret_id[RING_UUID_BYTES])
{
	auto_fclose FILE *file = fopen("/etc/machine-id", "re");
	uint8_t id[RING_UUID_BYTES];

	for (size_t i = 0; file && i < sizeof(id); i++)
		if (fscanf(file, "%2hhx", &id[i]) != 1)
			return;
	if (file)
		memcpy(ret_id, id, sizeof(id));
}

static int fill_super(uint64_t ring_bytes, struct ring_superblock *ret_super)
{
	struct timespec now;
	int r = ring_layout(ring_bytes, ret_super);

	if (r < 0)
		return r;
	if (getrandom(ret_super->ring_uuid, RING_UUID_BYTES, 0) != RING_UUID_BYTES)
		return -EIO;
	/* A random UUID (RFC 4122, 4.4). */
	ret_super->ring_uuid[6] = (uint8_t)((ret_super->ring_uuid[6] & 0x0f) | 0x40);
	ret_super->ring_uuid[8] = (uint8_t)((ret_super->ring_uuid[8] & 0x3f) | 0x80);
	read_machine_id(ret_super->machine_id);
	clock_gettime(CLOCK_REALTIME, &now);
	ret_super->created_realtime_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	ret_super->clean = true; /* nothing was ever recorded that could be missing */
	return 0;
}

static int write_headers(const struct io *io, int fd, struct ring_superblock *super)
{
	struct ring_staging_header header = { .first_event_no = 1 };
	int r = 0;

	if (getrandom(&header.salt, sizeof(header.salt), 0) != sizeof(header.salt))
		return -EIO;
	for (size_t i = 0; r == 0 && i < 2; i++) {
		uint8_t disk[RING_SUPERBLOCK_BYTES];

		super->generation = header.generation = 2 - i; /* an even one is in copy A */
		ring_superblock_pack(super, disk);
		r = io_write(io, fd, disk, sizeof(disk), i * RING_SUPERBLOCK_BYTES);
		if (r < 0)
			break;
		ring_staging_header_pack(&header, disk);
		r = io_write(io, fd, disk, sizeof(disk),
			     RING_STAGING_HEADER_OFFSET + i * RING_STAGING_HEADER_BYTES);
	}
	return r;
}

static int directory_sync(const char *path)
{
	char copy[PATH_MAX];
	auto_close int fd = -1;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Not every file system can. */
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

/* Never over a file that is there. */
static int publish(const char *temporary, const char *path)
{
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return directory_sync(path);
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (link(temporary, path) < 0)
		return -errno;
	(void)unlink(temporary);
	return directory_sync(path);
}

int ring_create(const char *path, uint64_t ring_bytes, const struct io *io, int *ret_fd)
{
	char temporary[PATH_MAX];
	auto_close int fd = -1;
	struct ring_superblock super;
	int r = fill_super(ring_bytes, &super);

	if (r < 0)
		return r;
	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	r = temporary_open(temporary, &fd);
	if (r != 0)
		return r;
	r = reserve(io, fd, super.file_bytes);
	if (r == 0)
		r = write_headers(io, fd, &super);
	if (r == 0)
		r = io_sync(io, fd);
	if (r == 0)
		r = publish(temporary, path);
	if (r != 0) {
		(void)unlink(temporary);
		return r;
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}
