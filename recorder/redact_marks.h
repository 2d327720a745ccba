/* redact_marks.h - what of a command line is secret, marked byte by byte so that what is found may overlap; each run of marks becomes one marker. */
#pragma once

#include "recorder/redact.h"
#include "schema/span.h"

struct marks {
	struct span argv;
	bool cut;
	uint8_t mark[REDACT_ARGV_MAX_BYTES];
};

/* text stays the caller's, and is of use as long as the marks. */
void marks_begin(struct marks *marks, const struct redact_text *text);

/* Marks a piece of argv.  context: the marks; it is a redact_found(). */
void marks_add(void *context, struct span secret);

/* Whether a piece ends where argv was cut off. */
bool marks_is_cut(const struct marks *marks, struct span piece);

/* Writes argv with "[redacted 12 a1b2c3d4e5f6]" in the place of every run of marks.  How many there were; *ret_bytes are in out, *ret_cut: not all of it
 * has room. */
uint32_t marks_write(const struct marks *marks, const uint8_t key[REDACT_KEY_BYTES], uint8_t *out,
		     size_t capacity, size_t *ret_bytes, bool *ret_cut);
