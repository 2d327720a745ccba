/* options.h - the command line of procledger as it was understood, and the commands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/output.h"
#include "query/window.h"

#define OPTIONS_STORE_DEFAULT "/var/lib/procledger"

struct options {
	const char *store;
	struct window_request window;
	enum output_format format;
	bool threads, ascii, utc, strict;
	uint64_t limit; /* -n; UINT64_MAX: no limit */
	char *const *arguments;
	size_t argument_count;
};

/* What a command ends with. */
enum exit_code {
	EXIT_FOUND = 0,
	EXIT_NOTHING = 1,
	EXIT_USAGE = 2,
	EXIT_ERROR = 3,
	EXIT_INCOMPLETE = 4, /* found, but not all can be known; only with --strict */
};

int cmd_tree(const struct options *options);
int cmd_ps(const struct options *options);
int cmd_comm(const struct options *options);
int cmd_events(const struct options *options);
int cmd_sql(const struct options *options);
int cmd_status(const struct options *options);
int cmd_reindex(const struct options *options);

/* One sentence on stderr, "procledger: ..."; returns code. */
__attribute__((format(printf, 2, 3))) int complain(int code, const char *format, ...);
