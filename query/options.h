/* options.h - the command line of procledger as it was understood, and the commands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/output.h"
#include "query/select.h"
#include "query/window.h"

#define OPTIONS_STORE_DEFAULT "/var/lib/procledger"

enum { OPTIONS_PARAM_MAX = 64 };

struct options {
	const char *store, *from_ring; /* from_ring: this file instead of the store's; NULL */
	struct window_request window;
	struct select select; /* with the positional arguments of commands that select by them */
	const char *
		output; /* -o as it was given, or NULL; format is set where it is one of the tables' */
	enum output_format format;
	bool threads, ascii, utc, strict, no_pager, quiet;
	const char *color; /* --color: auto, always, never; NULL */
	uint64_t limit;    /* -n; UINT64_MAX: no limit */
	bool list_boots;
	bool parents, show_pids, show_users, arguments_whole, lines_whole, no_merging; /* tree */
	const char *highlight;
	bool every, full_format, user_format; /* ps: -e (as it is anyway), -f, aux */
	bool oldest;                          /* -n +N: the first N */
	bool follow, no_tail, reverse, show_cursor;
	const char *output_fields, *cursor, *after_cursor, *cursor_file;
	const char *speed; /* replay */
	bool step, through_loss;
	bool show_sql;                         /* report */
	const char *timeout, *memory;          /* sql, report: as they were given */
	const char *params[OPTIONS_PARAM_MAX]; /* sql: NAME=VALUE */
	size_t param_count;
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

/* Groups of options; a command names those that it takes.  A letter or name may stand for two options that no command takes both of. */
enum {
	TAKES_WINDOW = 1,
	TAKES_SELECT = 1 << 1,
	TAKES_FORMAT = 1 << 2,
	TAKES_STRICT = 1 << 3,
	TAKES_UTC = 1 << 4,
	TAKES_THREADS = 1 << 5,
	TAKES_TREE = 1 << 6,
	TAKES_EVENTS = 1 << 7,
	TAKES_REPLAY = 1 << 8,
	TAKES_RING = 1 << 9,   /* answers from a ring: also from another file */
	TAKES_PAGER = 1 << 10, /* its text is shown page by page, in colours */
	TAKES_SQL = 1 << 11,
	TAKES_LIMITS = 1 << 12, /* of time and memory */
	TAKES_REPORT = 1 << 13,
	TAKES_PS = 1 << 14,
	TAKES_EXPORT = 1 << 15,
};

struct command {
	const char *name;
	int (*function)(const struct options *options);
	const char *arguments;
	unsigned argument_max; /* SELECT_ARGUMENTS: any number, each selects */
	unsigned takes;
	const char *
		outputs; /* words that -o takes beside the tables' formats, for the help; "": it takes more; NULL: none */
	const char *description;
	const char *help;    /* what --help says behind the options, or NULL */
	const char *formats; /* what -o takes, where that is not what tables do; else NULL */
};
enum { SELECT_ARGUMENTS = UINT16_MAX };

/* All commands; the last has no name. */
extern const struct command commands[];

/* Reads the command line.
 * 0: *ret_command is to be run with *ret_options, which the caller clears; OPTIONS_DONE: --help or --version was all; or EXIT_USAGE
 * after a sentence. */
enum { OPTIONS_DONE = -1 };
int options_read(int argc, char **argv, struct options *ret_options,
		 const struct command **ret_command);
void options_clear(struct options *options);

int cmd_tree(const struct options *options);
int cmd_ps(const struct options *options);
int cmd_comm(const struct options *options);
int cmd_show(const struct options *options);
int cmd_events(const struct options *options);
int cmd_sql(const struct options *options);
int cmd_boots(const struct options *options);
int cmd_status(const struct options *options);
int cmd_reindex(const struct options *options);
int cmd_replay(const struct options *options);
int cmd_export(const struct options *options);
int cmd_report(const struct options *options);
int cmd_doctor(const struct options *options);

/* What --help of these commands says behind their options. */
extern const char help_tree[], help_ps[], help_comm[], help_show[], help_events[], help_status[];
extern const char help_replay[], help_export[], help_report[], help_sql[], help_doctor[];

/* One sentence on stderr, "procledger: ..."; returns code. */
__attribute__((format(printf, 2, 3))) int complain(int code, const char *format, ...);
