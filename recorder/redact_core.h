/* redact_core.h - what a redactor holds.  For redact.c, which walks, and redact_rules.c, which makes it. */
#pragma once

#include "recorder/redact.h"
#include "recorder/redact_names.h"
#include "recorder/redact_programs.h"
#include "recorder/redact_shapes.h"

struct redact_name_rule {
	struct span name;
	enum name_class class;
};

struct redactor {
	uint8_t key[REDACT_KEY_BYTES];
	char *rules; /* what the spans below point into */
	struct redact_programs *programs;
	const struct redact_program *any_program; /* options of all; NULL: none */
	struct redact_name_rule *names;
	size_t name_count;
	struct redact_prefix *prefixes;
	size_t prefix_count;
};
