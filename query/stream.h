/* stream.h - the events of a window one after the other, each with the lives that it is of where that is asked for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "query/query.h"
#include "schema/event.h"
#include "schema/lives.h"

struct stream_item {
	const struct event *event;
	uint32_t boot_no;
	bool damage_before; /* events before this one cannot be read */

	/* Only with STREAM_LIVES: the fold after this event, valid until the next one. */
	const struct lives *lives;
	const struct life *life;  /* its subject (of a FORK: the child); NULL: not known */
	const struct life *other; /* of a FORK the parent, of a PTRACE the tracer; else NULL */
};

enum { STREAM_LIVES = 1 };

/* What each() may give to end the walk without an error. */
enum { STREAM_ENOUGH = 1 };

/* Calls each() for every event of the window that the options select, in the order of event_no, boot after boot, until it gives something else than 0.
 * 0; what each() gave; -errno. */
int stream_each(struct query *query, unsigned flags,
		int (*each)(void *context, const struct stream_item *item), void *context);
