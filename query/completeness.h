/* completeness.h - what an answer over a window cannot know: events lost, recorder not running, overwritten, unreadable.
 *
 * Every answer ends with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/clocks.h"
#include "query/ledger.h"
#include "query/window.h"

/* The words are part of the JSON output. */
enum missing_reason {
	MISSING_LOST,        /* "lost": the kernel numbered events that did not arrive */
	MISSING_BLIND,       /* "blind": the kernel sent nothing, unnumbered; count is of forks */
	MISSING_DOWN,        /* "down": no recorder ran */
	MISSING_OVERWRITTEN, /* "overwritten": older than the oldest that the ring holds */
	MISSING_NO_KEYFRAME, /* "no keyframe": events are there, but not what lived before them */
	MISSING_DAMAGED,     /* "damaged": in the ring, but not readable */
	MISSING_STALLED,     /* "stalled": a recorder holds the ring and records nothing */
	MISSING_DOUBT,       /* "who lived": events lost before make it uncertain */
	MISSING_FUTURE,      /* "future": it has not happened yet */
	MISSING_ALL,         /* "nothing": the ledger holds no event at all */
	MISSING_CUT, /* "cut short": the file ends before the ring does, as a copy that was broken off */
};

struct missing {
	enum missing_reason reason;
	uint32_t from_boot, to_boot; /* boot_no; 0: not known */
	uint64_t from_ns, to_ns; /* time stamps in those boots; 0 from, UINT64_MAX to: not known */
	uint64_t count;          /* events, where that is known; else 0 */
	uint32_t cpu;            /* EVENT_CPU_NONE where none is meant */
};

struct completeness {
	struct missing *missing;
	size_t count;
};

enum {
	COMPLETENESS_FOLD = 1,
	COMPLETENESS_RUNNING = 2,
	COMPLETENESS_STALLED = 4,
	COMPLETENESS_CUT = 8,
};

/* Looks at all that the window touches, and a little behind it, where losses inside it are told.
 * flags: COMPLETENESS_FOLD: the answer needs to know who lived before the window; COMPLETENESS_RUNNING: a recorder is at work now;
 * COMPLETENESS_STALLED: it should be, but the newest event is not as young as it would be then; COMPLETENESS_CUT: the file is shorter
 * than its superblock says.
 * Call it after the answer was made: what could not be read then is in ledger->damage.  0 or -errno. */
int completeness_init(struct completeness *completeness, struct ledger *ledger,
		      struct clocks *clocks, const struct window *window, unsigned flags);
void completeness_clear(struct completeness *completeness);

/* From when on a boot was recorded: its first start, or where the ring begins.  Events may be older, which came while it started. */
uint64_t completeness_begin_ns(struct ledger *ledger, const struct ledger_boot *boot);

const char *missing_word(enum missing_reason reason);
