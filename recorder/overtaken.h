/* overtaken.h - what later datagrams of a batch say about details that were read for an EXEC.  Pure.
 *
 * Between an EXEC and the moment when /proc is read its process may have run something else, taken another name or other ids, or have ended and
 * its number been given to another.  /proc tells what is now, not what was then; a later datagram that is already here tells them apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"

/* Datagrams that lie in slots of slot_bytes each, as recvmmsg() left them. */
struct overtaken_batch {
	const uint8_t *slots;
	size_t slot_bytes;
	const uint32_t *lengths; /* 0: nothing to be looked at */
	size_t count;
	const struct overtaken_batch *next; /* more of them, of the other lane, or NULL */
	uint64_t clear_ns; /* everything that was sent before then has been received */
	bool empty;        /* and nothing more was there at the last look */
};

/* How soon after an EXEC its program is taken for not having had the time to run another: its lane reads before it runs at all. */
#define OVERTAKEN_SOON_NS UINT64_C(2000000)

/* Whether what was read at read_ns can be trusted but for overtaken_fields(): what was sent by then has been received, or it was read at once.
 * read_ns UINT64_MAX, not read yet: nothing more may be waiting to be received. */
bool overtaken_known(const struct overtaken_batch *batch, const struct event *exec,
		     uint64_t read_ns);

/* A bit (1 << enum detail_tag) for each field that was out of date for this EXEC when it was read at read_ns (UINT64_MAX: it is not read yet), by
 * what the batches hold of its process with a time between the two.  batch NULL: 0. */
uint32_t overtaken_fields(const struct overtaken_batch *batch, const struct event *exec,
			  uint64_t read_ns);
