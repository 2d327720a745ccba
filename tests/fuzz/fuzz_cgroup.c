/* fuzz_cgroup.c - any path gives strings that end within their room, and the same ones again. */
#include <stdlib.h>
#include <string.h>

#include "schema/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void same(const char *a, const char *b, size_t room)
{
	if (strnlen(a, room) == room || strcmp(a, b) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct cgroup one, two;

	memset(&one, 0xff, sizeof(one));
	cgroup_parse(data, bytes, &one);
	cgroup_parse(data, bytes, &two);
	same(one.unit, two.unit, sizeof(one.unit));
	same(one.user_unit, two.user_unit, sizeof(one.user_unit));
	same(one.slice, two.slice, sizeof(one.slice));
	same(one.container_id, two.container_id, sizeof(one.container_id));
	same(one.pod_uid, two.pod_uid, sizeof(one.pod_uid));
	same(one.runtime, two.runtime, 32);
	if (one.container_id[0] == '\0' && one.runtime[0] != '\0')
		abort();
	return 0;
}
