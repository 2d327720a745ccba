/* ring_create.h - makes a new, empty ledger.ring, whole or not at all. */
#pragma once

#include <stdint.h>

#include "schema/io.h"

/* Makes the ring under another name, reserves all of it, and gives it its name when it is whole and on the disk; a crash before
 * that leaves at most a file of that other name, which the next attempt removes.
 * 0: *ret_fd is open for reading and writing and holds the flock; RING_WRITER_NO_SPACE, RING_WRITER_LOCKED; -EEXIST: somebody else has
 * made it meanwhile; -EINVAL: ring_bytes too small; -errno. */
int ring_create(const char *path, uint64_t ring_bytes, const struct io *io, int *ret_fd);
