/* main.c - procledger: the command line, and which command it is for. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/options.h"
#include "schema/version.h"

enum { STDOUT_BYTES = 1 << 16 };

/* Which options a command takes. */
enum {
	TAKES_WINDOW = 1,
	TAKES_THREADS = 2,
	TAKES_ASCII = 4,
	TAKES_LIMIT = 8,
	TAKES_FORMAT = 16,
	TAKES_STRICT = 32,
	TAKES_UTC = 64,
};

static const struct command {
	const char *name;
	int (*function)(const struct options *options);
	const char *arguments;
	unsigned argument_max;
	unsigned takes;
	const char *description;
} commands[] = {
	{ "tree", cmd_tree, "", 0,
	  TAKES_WINDOW | TAKES_THREADS | TAKES_ASCII | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC,
	  "the tree of all processes that lived in the window" },
	{ "ps", cmd_ps, "", 0,
	  TAKES_WINDOW | TAKES_THREADS | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC,
	  "the processes alive in the window, one a line" },
	{ "comm", cmd_comm, "[PID|NAME]", 1, TAKES_WINDOW | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC,
	  "the names of tasks, from when to when" },
	{ "events", cmd_events, "", 0,
	  TAKES_WINDOW | TAKES_LIMIT | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC,
	  "every event in the window, in order" },
	{ "sql", cmd_sql, "[QUERY]", 1, TAKES_FORMAT | TAKES_STRICT | TAKES_UTC,
	  "asks the index in SQL (without QUERY: standard input)" },
	{ "status", cmd_status, "", 0, TAKES_FORMAT | TAKES_STRICT | TAKES_UTC,
	  "what the ledger holds, and who writes it" },
	{ "reindex", cmd_reindex, "", 0, 0, "makes the index anew from the ledger" },
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

enum { OPTION_STORE = 256, OPTION_AT, OPTION_UTC, OPTION_STRICT, OPTION_HELP, OPTION_VERSION };

static const struct choice {
	int value; /* the letter, if it is one */
	const char *name, *argument, *description;
	unsigned takes; /* 0: every command has it */
} choices[] = {
	{ OPTION_STORE, "store", "DIR",
	  "the ledger's folder ($PROCLEDGER_STORE, else " OPTIONS_STORE_DEFAULT ")", 0 },
	{ 'S', "since", "TIME", "the window begins at TIME (inclusive)", TAKES_WINDOW },
	{ 'U', "until", "TIME", "the window ends at TIME (inclusive)", TAKES_WINDOW },
	{ OPTION_AT, "at", "TIME", "the window is the instant TIME", TAKES_WINDOW },
	{ 'b', "boot", "BOOT", "0 newest, -1 the one before, 1 oldest, an id, or all",
	  TAKES_WINDOW },
	{ 't', "threads", NULL, "threads too", TAKES_THREADS },
	{ 'A', "ascii", NULL, "draw with ASCII only", TAKES_ASCII },
	{ 'n', "lines", "N", "only the last N", TAKES_LIMIT },
	{ 'o', "output", "FORMAT", "text, json, jsonl or csv", TAKES_FORMAT },
	{ OPTION_UTC, "utc", NULL, "times in UTC", TAKES_UTC },
	{ OPTION_STRICT, "strict", NULL, "exit with 4 when something is missing", TAKES_STRICT },
	{ OPTION_HELP, "help", NULL, "this text", 0 },
	{ OPTION_VERSION, "version", NULL, "the version", 0 },
};

enum { CHOICE_COUNT = sizeof(choices) / sizeof(choices[0]) };

static void print_usage(FILE *file)
{
	(void)fprintf(file, "Usage: procledger [--store DIR] COMMAND [OPTION]...\n"
			    "Answers what ran on this machine, out of the ledger that procledgerd "
			    "keeps.\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char left[32];

		(void)snprintf(left, sizeof(left), "%s %s", commands[i].name,
			       commands[i].arguments);
		(void)fprintf(file, "  %-20s %s\n", left, commands[i].description);
	}
	(void)fprintf(file, "\nOptions:\n");
	for (size_t i = 0; i < CHOICE_COUNT; i++) {
		const struct choice *choice = &choices[i];
		char left[40], letter[8] = "    ";

		if (choice->value < 256)
			(void)snprintf(letter, sizeof(letter), "-%c, ", choice->value);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, choice->name,
			       choice->argument ? " " : "",
			       choice->argument ? choice->argument : "");
		(void)fprintf(file, "  %-20s %s\n", left, choice->description);
	}
	(void)fprintf(
		file,
		"\nTIME: '2026-11-22 14:03:07.5', '14:03', today, yesterday, now, -10min, '2h "
		"ago',\n"
		"@SECONDS since 1970, or @mono:NS, a raw kernel time stamp of the boot.\n"
		"Without a window: the whole newest boot.\n"
		"Exit status: 0 found, 1 nothing found, 2 wrong usage, 3 error, 4 found but not\n"
		"complete (with --strict).\n");
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static void make_getopt(struct option long_options[CHOICE_COUNT + 1],
			char letters[2 * CHOICE_COUNT + 4])
{
	size_t at = 0;

	letters[at++] = ':'; /* a missing argument is told apart */
	for (size_t i = 0; i < CHOICE_COUNT; i++) {
		const struct choice *choice = &choices[i];

		long_options[i] = (struct option){ .name = choice->name,
						   .has_arg = choice->argument ? required_argument
									       : no_argument,
						   .val = choice->value };
		if (choice->value < 256) {
			letters[at++] = (char)choice->value;
			if (choice->argument)
				letters[at++] = ':';
		}
	}
	long_options[CHOICE_COUNT] = (struct option){ 0 };
	letters[at] = '\0';
}

static int read_limit(const char *text, uint64_t *ret_limit)
{
	char *end = NULL;
	uint64_t limit = 0;

	errno = 0;
	if (text && isdigit((unsigned char)text[0]))
		limit = strtoull(text, &end, 10);
	*ret_limit = limit;
	if (!end || *end || errno != 0)
		return complain(EXIT_USAGE, "-n wants a number, not '%s'", text);
	return 0;
}

/* What is left to be said when the options were read. */
struct command_line {
	struct options options;
	unsigned used; /* TAKES_* of the options that were given */
	bool help, version;
};

static int take_option(struct command_line *line, int value, const char *argument)
{
	struct options *options = &line->options;

	switch (value) {
	case OPTION_STORE:
		options->store = argument;
		return 0;
	case 'S':
		options->window.since = argument;
		return 0;
	case 'U':
		options->window.until = argument;
		return 0;
	case OPTION_AT:
		options->window.at = argument;
		return 0;
	case 'b':
		options->window.boot = argument;
		return 0;
	case 't':
		options->threads = true;
		return 0;
	case 'A':
		options->ascii = true;
		return 0;
	case 'n':
		return read_limit(argument, &options->limit);
	case 'o':
		if (output_format_parse(argument, &options->format) < 0)
			return complain(EXIT_USAGE, "-o is text, json, jsonl or csv, not '%s'",
					argument);
		return 0;
	case OPTION_UTC:
		options->utc = true;
		return 0;
	case OPTION_STRICT:
		options->strict = true;
		return 0;
	case OPTION_HELP:
		line->help = true;
		return 0;
	default:
		line->version = true;
		return 0;
	}
}

static int read_options(int argc, char **argv, struct command_line *line)
{
	struct option long_options[CHOICE_COUNT + 1];
	char letters[2 * CHOICE_COUNT + 4];
	int value;

	make_getopt(long_options, letters);
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		int r;

		/* journalctl's -b stands well alone */
		if (value == ':' && optopt == 'b') {
			line->options.window.boot = "0";
			line->used |= TAKES_WINDOW;
			continue;
		}
		if (value == 'b' && optarg == argv[optind - 1] && !window_is_boot(optarg)) {
			optarg = NULL; /* the next argument is another one */
			optind--;
		}
		if (value == ':')
			return complain(EXIT_USAGE, "%s wants an argument; see procledger --help",
					argv[optind - 1]);
		if (value == '?')
			return complain(EXIT_USAGE, "there is no option %s; see procledger --help",
					argv[optind - 1]);
		r = take_option(line, value, optarg ? optarg : value == 'b' ? "0" : NULL);
		if (r != 0)
			return r;
		for (size_t i = 0; i < CHOICE_COUNT; i++)
			line->used |= choices[i].value == value ? choices[i].takes : 0;
	}
	return 0;
}

static int refuse_option(const struct command *command, unsigned unwanted)
{
	for (size_t i = 0; i < CHOICE_COUNT; i++) {
		if (choices[i].takes & unwanted)
			return complain(EXIT_USAGE, "%s takes no --%s; see procledger --help",
					command->name, choices[i].name);
	}
	return EXIT_USAGE;
}

static int run(struct command_line *line, int argc, char **argv)
{
	const struct command *command;

	if (optind >= argc || !argv[optind]) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	command = command_find(argv[optind]);
	if (!command)
		return complain(EXIT_USAGE, "there is no command '%s'; see procledger --help",
				argv[optind]);
	line->options.arguments = argv + optind + 1;
	line->options.argument_count = (size_t)(argc - optind - 1);
	if (line->options.argument_count > command->argument_max)
		return complain(EXIT_USAGE,
				"%s does not know what '%s' is for; see procledger --help",
				command->name, argv[optind + 1 + (int)command->argument_max]);
	if (line->used & ~command->takes)
		return refuse_option(command, line->used & ~command->takes);
	return command->function(&line->options);
}

int main(int argc, char **argv)
{
	static char buffer[STDOUT_BYTES];
	const char *store = getenv("PROCLEDGER_STORE");
	struct command_line line = {
		.options = { .store = store && store[0] ? store : OPTIONS_STORE_DEFAULT,
			     .limit = UINT64_MAX },
	};
	int r;

	(void)signal(SIGPIPE, SIG_IGN); /* a pager that was left is no error */
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	r = read_options(argc, argv, &line);
	if (r != 0)
		return r;
	if (line.help) {
		print_usage(stdout);
		return EXIT_FOUND;
	}
	if (line.version) {
		printf("procledger %s\n", PROCLEDGER_VERSION);
		return EXIT_FOUND;
	}
	return run(&line, argc, argv);
}
