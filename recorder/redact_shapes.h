/* redact_shapes.h - secrets that are known by their looks, wherever they stand: keys of well-known services, passwords in URLs.  Pure. */
#pragma once

#include <stdint.h>

#include "schema/span.h"

/* Told of each piece of the text that is a secret. */
typedef void redact_found(void *context, struct span secret);

/* A prefix of one's own: so many letters, digits, '_' or '-' behind it make a secret. */
struct redact_prefix {
	const char *text;
	size_t min_bytes;
};

struct redact_shapes {
	const struct redact_prefix *prefixes; /* beside those that are known here */
	size_t prefix_count;
	redact_found *found;
	void *context;
};

/* Looks through one argument.  cut: it is only the beginning of one, and what is at its end may be half a secret. */
void redact_shapes_find(const struct redact_shapes *shapes, struct span text, bool cut);
