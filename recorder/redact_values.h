/* redact_values.h - which bytes behind a name are its secret, as an assignment, a header or a list has it; these are marked. */
#pragma once

#include "recorder/redact_core.h"
#include "recorder/redact_marks.h"
#include "recorder/redact_names.h"
#include "recorder/redact_text.h"

struct values {
	const struct redactor *redactor;
	struct marks *marks;
	bool shell_text; /* a shell is to put something in the place of $NAME */
};

/* What is secret of a value with this name, by the redactor's own names and those that are known. */
enum name_class values_class_of(const struct values *values, struct span name);

/* Marks what is secret of a value.  False: nothing is. */
bool values_mark(const struct values *values, enum name_class class, struct span name,
		 struct span value);

/* The same of what stands behind the first `part` of it ('/': behind that of "user/password@database"); part 0: of all. */
bool values_mark_part(const struct values *values, enum name_class class, char part,
		      struct span value);

/* "Name: value" from `from` on; with_blank: there must be one.  False: it is none, or no secret. */
bool values_take_header(const struct values *values, struct text *text, size_t from,
			bool with_blank);

/* Every NAME=value of a word [from, to), and in a flat text what a name with ':' behind it announces. */
void values_take_pairs(const struct values *values, struct text *text, size_t from, size_t to);
