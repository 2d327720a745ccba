/* capture.h - the captured streams of tests/data, unpacked by xz, for tests in C. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const capture_names[] = { "apt-install", "build-gzip", "storm-comm",
					     "storm-exec",  "storm-fork", "storm-thread",
					     "storm-vfork", "zoo" };
enum {
	CAPTURE_COUNT = sizeof(capture_names) / sizeof(capture_names[0]),
	CAPTURE_DATAGRAM_BYTES = 76,
	CAPTURE_MAX_BYTES = 8 << 20,
};

/* The datagrams of a capture, back to back; NULL when it could not be read.  The caller frees it. */
static inline uint8_t *capture_read(const char *name, size_t *ret_bytes)
{
	uint8_t *data = malloc(CAPTURE_MAX_BYTES);
	char command[128];
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "xz -dc tests/data/%s.nl.xz", name);
	pipe = popen(command, "r");
	*ret_bytes = data && pipe ? fread(data, 1, CAPTURE_MAX_BYTES, pipe) : 0;
	if (!pipe || pclose(pipe) != 0 || *ret_bytes == 0) {
		free(data);
		return NULL;
	}
	return data;
}
