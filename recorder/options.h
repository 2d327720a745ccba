/* options.h - the command line of procledgerd.  No I/O: what is wrong comes back as a sentence. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_STORE_DEFAULT "/var/lib/procledger"

/* What a failure may cost.  kill -9 costs nothing of what was staged with any of them. */
enum durability {
	DURABILITY_INTERVAL = 0, /* a power cut: the last second */
	DURABILITY_PROCESS = 1,  /* a power cut: what is not sealed in a block yet */
	DURABILITY_BATCH = 2,    /* a power cut: some 20 ms */
};

/* What becomes of command lines. */
enum argv_mode {
	ARGV_REDACT = 0, /* markers stand in the place of secrets */
	ARGV_FULL = 1,
	ARGV_NONE = 2, /* they are not read */
};

struct options {
	const char *store;     /* the folder */
	const char *input;     /* a file, "-" for standard input, NULL for the kernel */
	uint64_t ring_bytes;   /* 0: not given */
	size_t argv_max_bytes; /* of each argv; what is beyond is cut off */
	enum argv_mode argv;
	const char *redact_rules; /* a file; NULL: not given */
	enum durability durability;
	bool ring_only;
};

enum { OPTIONS_HELP = 1, OPTIONS_VERSION = 2 };

/* Reads argv; store_default (may be NULL or "") is what $PROCLEDGER_STORE says.  The strings stay the caller's.
 * 0; OPTIONS_HELP, OPTIONS_VERSION: that was asked for; -EINVAL: message says what is wrong, without a full stop. */
int options_parse(int argc, char **argv, const char *store_default, struct options *ret_options,
		  char *message, size_t message_bytes);

/* A size: digits, then K, M, G or T (base 1024; small letters too; "iB" or "B" may follow) or nothing.
 * 0; -EINVAL: not a size; -ERANGE: over 2^63. */
int options_size(const char *text, uint64_t *ret_bytes);

/* Text for --help; static. */
const char *options_help(void);

/* The word for a durability, for a mode; static. */
const char *durability_word(enum durability durability);
const char *argv_mode_word(enum argv_mode mode);
