/* fuzz_procfs.c - the parsers of /proc: what they find lies within the text, whatever the text is. */
#include <stdlib.h>

#include "recorder/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void within(const uint8_t *data, size_t bytes, const uint8_t *part, size_t part_bytes)
{
	if (part < data || part_bytes > bytes || part > data + (bytes - part_bytes))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct procfs_stat stat;
	const uint8_t *path;
	size_t path_bytes;
	uint32_t ids[4], value;

	if (procfs_parse_stat(data, bytes, &stat) == 0)
		within(data, bytes, stat.comm, stat.comm_bytes);
	if (procfs_parse_cgroup(data, bytes, &path, &path_bytes) >= 0)
		within(data, bytes, path, path_bytes);
	(void)procfs_parse_status(data, bytes, ids);
	(void)procfs_parse_u32(data, bytes, &value);
	return 0;
}
