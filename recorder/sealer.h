/* sealer.h - the thread between staging and disk: seals blocks, syncs, and goes on trying when the disk fails.
 *
 * It shares with the receiving side the two positions of staging, atomic, and no lock.  Once started, the ring_writer
 * is its alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "recorder/options.h"
#include "recorder/ring_writer.h"
#include "recorder/say.h"

struct sealer_setup {
	struct ring_writer *writer;
	size_t stage_bytes; /* of the staging area */
	enum durability durability;
	bool import; /* blocks carry no clocks */
	say_fn *say; /* a failure once, and its end */
};

struct sealer;

/* Errors of the disk, for the appender to put into the stream as DISK_ERROR. */
struct sealer_error {
	uint64_t at_ns;              /* CLOCK_MONOTONIC */
	struct ring_failure failure; /* count: errors that this stands for */
};

/* Starts the thread.  0 or -errno. */
int sealer_start(const struct sealer_setup *setup, struct sealer **ret_sealer);

/* Its thread, which rests between turns of some 20 ms unless it imports, and may have realtime.h's signal. */
pid_t sealer_tid(const struct sealer *sealer);

/* 0, or -errno of the failure that it is trying to get over. */
int sealer_failure(const struct sealer *sealer);

/* The oldest error that was not taken yet, or NULL; valid until it is taken.  For the appender. */
const struct sealer_error *sealer_error_peek(const struct sealer *sealer);
void sealer_error_take(struct sealer *sealer);

/* Seals all that is staged, then begins a new boot (ring_writer_next_boot()); waits for that.  To be called by the appender, which stages
 * nothing meanwhile.  0, or -errno when the disk fails. */
int sealer_next_boot(struct sealer *sealer, uint32_t *ret_boot_no);

/* Ends the thread and frees.  When orderly, all that is staged is sealed and the ring marked clean; a disk that fails is given up after
 * one more try, and what is staged then stays in the ring's staging for the next start.  NULL does nothing.  0 or -errno. */
int sealer_stop(struct sealer *sealer, bool orderly);
