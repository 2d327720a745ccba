/* redact_setup.h - the redactor of a run: its key out of the store, its rules out of a file.
 *
 * The key is 32 random bytes in the file redact.key of the store, which is made once and for nobody but its owner to read.  Who has it can
 * find out whether a secret that he guesses is the one behind a marker; without it, markers tell nothing but which are of the same secret.
 */
#pragma once

#include "recorder/options.h"
#include "recorder/redact.h"
#include "recorder/say.h"

#define REDACT_RULES_DEFAULT "/etc/procledger/redact.conf"

/* Rules: the file of --redact-rules, else REDACT_RULES_DEFAULT where that is there.  The store is there.
 * 0: *ret_redactor is the caller's to free, NULL where the options want none; else the code of *ret_verdict. */
int redact_setup(const struct options *options, struct redactor **ret_redactor,
		 struct verdict *ret_verdict);
