/* child.h - for tests of the whole program: the processes that its first one has started. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "schema/cleanup.h"

/* The children of a process, oldest first: the recorder, then the projector.  How many there are, two at most. */
static inline int children_of(pid_t pid, pid_t ret_children[2])
{
	char path[64], text[64] = { 0 };
	auto_close int fd = -1;
	int count;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	count = sscanf(text, "%d %d", &ret_children[0], &ret_children[1]);
	return count > 0 ? count : 0;
}
