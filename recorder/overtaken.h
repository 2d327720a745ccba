/* overtaken.h - what later datagrams of a batch say about details that were read for an EXEC.  Pure.
 *
 * Between an EXEC and the moment when /proc is read its process may have run something else, taken another name or other ids.  /proc
 * tells what is now, not what was then; a later datagram that is already here tells them apart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"

/* Datagrams that lie in slots of slot_bytes each, as recvmmsg() left them. */
struct overtaken_batch {
	const uint8_t *slots;
	size_t slot_bytes;
	const uint32_t *lengths; /* 0: nothing to be looked at */
	size_t count;
	const struct overtaken_batch *next; /* more of them, or NULL */
};

/* A bit (1 << enum detail_tag) for each field that was out of date for this EXEC when it was read at read_ns (UINT64_MAX: it is not read yet), by
 * what the batches hold of its process with a time between the two.  batch NULL: 0. */
uint32_t overtaken_fields(const struct overtaken_batch *batch, const struct event *exec,
			  uint64_t read_ns);
