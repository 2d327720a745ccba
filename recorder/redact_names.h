/* redact_names.h - whether a name is that of a secret ("--db-password", "API_KEY"), and whether what stands behind it is one.  Pure. */
#pragma once

#include "schema/span.h"

enum name_class {
	NAME_PLAIN = 0,
	NAME_KEY, /* "key", "signature": names of much else too; the value must look like a secret */
	NAME_COOKIE, /* a file, or the cookie itself: "name=value" */
	NAME_SECRET,
};

/* The class of an option's name (without its dashes), a variable's or a header's: by its last words, whatever joins them ('-', '_', '.', aB). */
enum name_class redact_name_class(struct span name);

/* Whether an option of this name has its value in the next argument: not --no-password, --ask-pass, --list-key. */
bool redact_name_takes_value(struct span name);

/* Whether two names are the same but for case, and '_' for '-'. */
bool redact_name_is(struct span name, struct span other);

/* What of a value is the secret: without quotes, without "pass:" of openssl.  No bytes: it is none, but a flag ("true", "2"), a path,
 * a reference ("env:NAME", "id=npm"), a placeholder.  cut: the value may go on. */
struct span redact_value(enum name_class class, struct span name, struct span value, bool cut);
