/* canary.h - makes the kernel send one event from every CPU, so that the numbers of all CPUs are known. */
#pragma once

#include <stddef.h>

/* Visits every CPU that this thread may be moved to and sets its name there to what it is already: one COMM event a CPU, and no name
 * changes.  The CPUs that the thread may run on are put back.
 * 0 and how many CPUs were visited; -errno: the set of CPUs could not be read, set or put back. */
int canary_send(size_t *ret_cpus);
