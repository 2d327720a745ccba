/* select_term.h - one selector of the command line, from its word to what select.c compares with.  Pure but for the user database. */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/select.h"
#include "query/when.h"

/* What SELECT_END asks for: see select.h. */
enum end_wanted { END_FAILED, END_KILLED, END_EXIT, END_SIGNAL };

struct select_term {
	enum select_field field;
	bool glob;  /* text is a pattern */
	bool timed; /* PID@TIME */
	bool by_id; /* id stands for number */
	enum end_wanted end;
	uint64_t number; /* a pid, a uid, a status or signal, nanoseconds, bits of kinds */
	int64_t id;
	char *text; /* a name, path, unit, container, or "@TIME" of PID@TIME; raw, with a NUL behind */
	size_t bytes;
	struct when when; /* of a timed one, once it is resolved */
	regex_t *regex;   /* of SELECT_GREP */
};

/* Reads a term of this field from its word.  0: select_term_clear() lets go of it; -EINVAL with a sentence in message; -ENOMEM.  Where it
 * fails there is nothing to be cleared. */
int select_term_init(struct select_term *term, enum select_field field, const char *text,
		     char message[SELECT_MESSAGE_BYTES]);
void select_term_clear(struct select_term *term);

/* Reads the time of PID@TIME, as seen from here; other terms have none.  0, or -EINVAL with a sentence. */
int select_term_resolve(struct select_term *term, const struct when_here *here,
			char message[SELECT_MESSAGE_BYTES]);
