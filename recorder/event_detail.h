/* event_detail.h - what /proc says of the process of an EXEC or FORK, packed as the event carries it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "recorder/procfs.h"
#include "schema/event.h"

/* All write to out, which has room for EVENT_DETAIL_MAX_BYTES, and give how many bytes that are.
 * suspended_ns: clock_suspended_ns(), which may be of before a suspend.  A process that began after the event is another one with its number. */

/* Of an EXEC: every field is DETAIL_GONE where the process is. */
size_t event_detail_exec(struct procfs *procfs, const struct event *exec, uint64_t suspended_ns,
			 uint8_t *out);

/* Of a FORK, if that is a thread of the kernel: it is named without a COMM, and never has an EXEC.  0: it is not, or not any more. */
size_t event_detail_kernel(struct procfs *procfs, const struct event *fork, uint64_t suspended_ns,
			   uint8_t *out);

/* What was packed once more, with the fields of these bits (1 << enum detail_tag) gone: they were read too late to be of that EXEC. */
size_t event_detail_strike(const struct procfs *procfs, uint32_t fields, const uint8_t *in,
			   size_t bytes, uint8_t *out);

/* Every field gone. */
size_t event_detail_gone(const struct procfs *procfs, uint8_t *out);
