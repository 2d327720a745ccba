/* redact.h - takes secrets out of a command line before it is kept.  Pure; nothing is malloc'ed after redactor_new().
 *
 * A secret is replaced by "[redacted 12 a1b2c3d4e5f6]": its length in bytes, and a keyed hash, the same for the same secret in one
 * store, from which without the key nothing can be learnt.  What is taken for a secret:
 * - the value of an option, variable or header by its name (redact_names.h), as --name=X, --name X, NAME=X, "Name: X", {"name": "X"};
 * - of programs that are known, their own options (redact_programs.h);
 * - by its looks: keys of services, tokens, private keys, passwords in URLs (redact_shapes.h);
 * - what the rules of a file say.
 * An argument with blanks or quotes in it is looked through as the command line or text that it may be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REDACT_KEY_BYTES = 32, REDACT_ARGV_MAX_BYTES = 16384, REDACT_MESSAGE_BYTES = 160 };

struct redactor;

/* rules: the text of a rules file, one a line ('#' begins a comment):
 *
 *   secret NAME              what stands behind --NAME, NAME= or "NAME:" is a secret; case and '_' for '-' do not matter
 *   secret -x PROGRAM...     what stands behind -x of these programs is one
 *   plain NAME               is none, whatever NAME looks like
 *   prefix TEXT MIN          a word that begins with TEXT and goes on for MIN or more letters, digits, '_' or '-' is one
 *
 * 0: *ret_redactor is immutable, and for any number of threads; the caller frees it.  -ENOMEM;
 * -EINVAL: message says what is wrong and in which line, without a full stop. */
int redactor_new(const uint8_t key[REDACT_KEY_BYTES], const char *rules, size_t rules_bytes,
		 struct redactor **ret_redactor, char message[REDACT_MESSAGE_BYTES]);
void redactor_free(struct redactor *redactor); /* NULL does nothing */

struct redact_text {
	const uint8_t *data; /* arguments, each followed by NUL but perhaps the last */
	size_t bytes;        /* at most REDACT_ARGV_MAX_BYTES */
	bool cut;            /* data is the beginning of what there was */
};

/* Writes the arguments to out with markers in the place of secrets.  Gives how many there were; *ret_bytes is what was written;
 * *ret_cut: out was too small for all of it. */
uint32_t redact_argv(const struct redactor *redactor, const struct redact_text *text, uint8_t *out,
		     size_t capacity, size_t *ret_bytes, bool *ret_cut);
