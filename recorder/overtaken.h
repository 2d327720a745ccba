/* overtaken.h - what later datagrams of a batch say about details that are about to be read for an EXEC.  Pure.
 *
 * Between an EXEC and the moment when /proc is read its process may have run something else, taken another name or other ids.  /proc
 * tells what is now, not what was then; a later datagram that is already here tells them apart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Datagrams that lie in slots of slot_bytes each, as recvmmsg() left them. */
struct overtaken_batch {
	const uint8_t *slots;
	size_t slot_bytes;
	const uint32_t *lengths; /* 0: nothing to be looked at */
	size_t count;
};

/* A bit (1 << enum detail_tag) for each field that is out of date for the EXEC that is datagram number `at`; 0 when that is no EXEC. */
uint32_t overtaken_fields(const struct overtaken_batch *batch, size_t at);
