/* redact_names.h - whether a name is that of a secret ("--db-password", "API_KEY"), and whether what stands behind it is one.  Pure. */
#pragma once

#include "schema/span.h"

enum name_class {
	NAME_PLAIN = 0,
	NAME_KEY, /* "key", "signature": names of much else too; the value must look like a secret */
	NAME_COOKIE,   /* a file, or the cookie itself: "name=value" */
	NAME_SEVERAL,  /* "tokens": a list, a file of them, or how many */
	NAME_SECRET,   /* "token", "secret": or the path of one */
	NAME_MOUNT,    /* the same, or what docker is to make of one: "id=npm,src=.npmrc" */
	NAME_PASSWORD, /* a path is none other than a password */
	NAME_CERTAIN,  /* of an option that is known: whatever it is */
};

/* The class of an option's name (without its dashes), a variable's or a header's: by its last words, whatever joins them ('-', '_', '.', aB). */
enum name_class redact_name_class(struct span name);

/* Whether an option of this name has its value in the next argument: not --no-password, --ask-pass, --list-key. */
bool redact_name_takes_value(struct span name);

/* Whether two names are the same but for case, and '_' for '-'. */
bool redact_name_is(struct span name, struct span other);

/* What of a value is the secret: without quotes, without "pass:" of openssl.  No bytes: it is none, but a flag ("true", "2"), a path,
 * a reference ("env:NAME"), a placeholder, as far as one may stand behind a name of this class.  cut: the value may go on. */
struct span redact_value(enum name_class class, struct span name, struct span value, bool cut);

/* Without the quotes around it; the one at its end need not be there. */
struct span redact_unquoted(struct span value);
