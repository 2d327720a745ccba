/* select.h - which lives, and which events, an answer is about: the selectors of the command line, parsed and matched.
 *
 * Terms of one field are alternatives, terms of different fields must all hold, as journalctl has it: --comm sh --comm make --failed
 * is "(sh or make) and failed".  A life is selected by what was known of it anywhere in the window: any name it bore, any program
 * it ran, any user it was; but not what it only inherited
 * and gave up with its own exec.  What is not known matches nothing.  An event is selected when a life that it is of is: its subject; the
 * parent of a FORK; the tracer of a PTRACE.  Pure but for the user database (--uid NAME).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/clocks.h"
#include "query/past.h"
#include "query/when.h"

enum select_field {
	SELECT_PID, /* "PID" or "PID@TIME": process or thread that bears this number (at that time) */
	SELECT_PPID, /* children of this pid */
	SELECT_ID,   /* the id of a life */
	SELECT_COMM, /* a name: exact, or a glob (* ? [) */
	SELECT_EXE,  /* a program: its path, or without a slash its file name; exact or a glob */
	SELECT_GREP, /* extended regular expression found in the command line; without capitals it ignores case */
	SELECT_UID,      /* number or user name: real or effective */
	SELECT_LOGINUID, /* number, user name, or "unset" */
	SELECT_UNIT, /* systemd unit, exact or glob; ".service" is added where there is no dot */
	SELECT_CONTAINER, /* container id, or the beginning of one (4 digits or more) */
	SELECT_KIND, /* kinds of event, comma-separated; of a life: that such an event happened to it */
	SELECT_END,     /* "failed", "killed", or --status N|SIGNAL */
	SELECT_LONGER,  /* lived at least so long, up to the end of the window */
	SELECT_SHORTER, /* ended within so long */
	SELECT_UNDER,   /* "PID[@TIME]" or "id:ID": it and its descendants */
	SELECT_ABOVE,   /* the same and its ancestors */
	SELECT_FIELDS
};

struct select_term;

struct select {
	struct select_term *terms;
	size_t count;
};

enum { SELECT_MESSAGE_BYTES = 256 };

/* Adds a term.  0; -EINVAL with a sentence in message; -ENOMEM.  select_clear() frees what was added. */
int select_add(struct select *select, enum select_field field, const char *text,
	       char message[SELECT_MESSAGE_BYTES]);
void select_clear(struct select *select);

/* A positional argument: digits are a pid (PID@TIME), what has a slash a program, else a name.  As select_add(). */
enum select_field select_guess(const char *text);

/* Times in PID@TIME are read now.  0, or -EINVAL with a sentence. */
int select_resolve(const struct select *select, const struct when_here *here,
		   char message[SELECT_MESSAGE_BYTES]);

bool select_has(const struct select *select, enum select_field field);

/* A program that is asked for by a path, exact, the i-th of them; NULL: there are no more. */
const char *select_path(const struct select *select, size_t i);

/* Whether every event tells by itself if it is selected: no terms but pids without time, and kinds.  Then select_event() decides, and no
 * fold is needed; else select_lives() does, and of kinds select_kind(). */
bool select_is_plain(const struct select *select);
bool select_event(const struct select *select, const struct event *event);

/* The kinds asked for as bits; all bits when there is no such term. */
uint64_t select_kinds(const struct select *select);
static inline bool select_kind(const struct select *select, uint8_t kind)
{
	return kind < EVENT_KIND_LIMIT && (select_kinds(select) >> kind & 1);
}

/* Which flags past_new() needs so that select_lives() knows enough. */
unsigned select_past_flags(const struct select *select);

/* Whether an event is selected, when its lives were judged by select_lives() in this past. */
bool select_event_of(const struct select *select, const struct past *past,
		     const struct event *event, const struct past_event_lives *lives);

/* Sets selected of every life of the past: in the window, and all terms hold.  Without terms: all that were in the window.
 * Returns how many are. */
size_t select_lives(const struct select *select, struct clocks *clocks, struct past *past,
		    const struct window_boot *window);

/* One life alone; SELECT_UNDER and SELECT_ABOVE are taken as fulfilled.  end_ns: up to when a life that goes on has lived. */
bool select_life(const struct select *select, struct clocks *clocks, const struct past_life *life,
		 uint64_t end_ns);

/* Whether this life is one that --under (or --above) names. */
bool select_names(const struct select *select, enum select_field field, struct clocks *clocks,
		  const struct past_life *life);
