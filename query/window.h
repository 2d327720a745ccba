/* window.h - which stretch of which boots a question is about: -S, -U, --at and -b made into intervals of time stamps. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/clocks.h"
#include "query/ledger.h"
#include "query/when.h"

/* As the user wrote it; NULL: not given. */
struct window_request {
	const char *since, *until, *at, *boot;
};

struct window_boot {
	const struct ledger_boot *boot;
	struct interval *intervals; /* ascending, apart; at least one */
	size_t count;
	bool recorded;      /* some block may hold events of it */
	bool lived;         /* who lived in it is known: also where nothing happened in it */
	size_t first, last; /* the spans of its events; or, where there are none, the one before */
	uint64_t seen_ns;   /* to where it was watched: its newest event, or now */
};

struct window {
	struct window_boot *boots; /* oldest first; those that the window touches */
	size_t boot_count;
	bool since_given, until_given;
	bool future;    /* a bound is later than when the ledger was opened */
	bool ambiguous; /* a bound is a local time that clocks showed twice: both are in the window */
	bool wall;      /* a bound is a wall-clock time: */
	uint64_t since_wall_ns, until_wall_ns;
	size_t imported_skipped; /* boots left out because they have no wall-clock times */
	uint64_t from_no;        /* events of smaller numbers are not asked for; 0: all are */
};

enum {
	WINDOW_USAGE = 1,   /* the request makes no sense, or cannot be asked of this ledger */
	WINDOW_NO_BOOT = 2, /* no such boot */
};

enum { WINDOW_MESSAGE_BYTES = 256 };

/* running: a recorder is at work, so that nothing happened since the newest event.
 * 0; WINDOW_USAGE or WINDOW_NO_BOOT with a sentence in message; -errno.  A ledger without events gives a window without boots. */
int window_init(struct window *window, struct ledger *ledger, struct clocks *clocks,
		const struct window_request *request, const struct when_here *here, bool running,
		char message[WINDOW_MESSAGE_BYTES]);
void window_clear(struct window *window);

/* Finds the spans of a window whose intervals are set. */
void window_place(struct window_boot *boot, const struct ledger *ledger, bool running);

/* The last time stamp of a window of which anything is known: for ages at its end. */
uint64_t window_end_ns(const struct window_boot *boot);

bool window_has(const struct window_boot *boot, uint64_t timestamp_ns);

/* Whether something that was there from from_ns to to_ns reaches into the window. */
bool window_overlaps(const struct window_boot *boot, uint64_t from_ns, uint64_t to_ns);

/* Whether text could be meant as the value of -b: "", 0, -1, 3, +1, all, 32 hex digits. */
bool window_is_boot(const char *text);
