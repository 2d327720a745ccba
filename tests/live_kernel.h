/* live_kernel.h - whether the kernel's events are to be had here. */
#pragma once

#include <unistd.h>

#include "recorder/connector.h"

/* NULL: they are; else why they are not. */
static inline const char *live_kernel_refusal(void)
{
	struct connector *connectors[CONNECTOR_LANES];
	uint64_t from_ns;

	if (geteuid() != 0)
		return "needs root";
	if (connector_open(connectors, &from_ns) != 0)
		return "the kernel gives no process events here";
	for (unsigned i = 0; i < CONNECTOR_LANES; i++)
		connector_close(connectors[i]);
	return NULL;
}
