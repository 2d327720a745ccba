#include "query/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/version.h"

/* What becomes of an option's argument; `at` says where it goes. */
enum effect {
	SETS_FLAG,   /* bool at this offset of struct options */
	SETS_TEXT,   /* const char * at this offset */
	ADDS_SELECT, /* a term of this enum select_field */
	READS_LINES,
	READS_PARAM,
	READS_COLOR,
	READS_END, /* --failed and --killed: the term is the option's name */
	SHOWS_HELP,
	SHOWS_VERSION,
};

#define AT(member) offsetof(struct options, member)

static const struct choice {
	int letter; /* 0: none */
	const char *name, *argument, *description;
	const char *otherwise; /* the argument where none is given; NULL: one must be */
	unsigned takes;        /* 0: every command has it */
	enum effect effect;
	size_t at;
} choices[] = {
	{ 0, "store", "DIR",
	  "the ledger's folder ($PROCLEDGER_STORE, else " OPTIONS_STORE_DEFAULT ")", NULL, 0,
	  SETS_TEXT, AT(store) },
	{ 0, "from-ring", "FILE", "a ring file that lies elsewhere ('-': standard input)", NULL,
	  TAKES_RING, SETS_TEXT, AT(from_ring) },
	{ 'S', "since", "TIME", "the window begins at TIME (inclusive)", NULL, TAKES_WINDOW,
	  SETS_TEXT, AT(window.since) },
	{ 'U', "until", "TIME", "the window ends at TIME (inclusive)", NULL, TAKES_WINDOW,
	  SETS_TEXT, AT(window.until) },
	{ 0, "at", "TIME", "the window is the instant TIME", NULL, TAKES_WINDOW, SETS_TEXT,
	  AT(window.at) },
	{ 'b', "boot", "BOOT", "0 newest, -1 the one before, 1 oldest, an id, or all", "0",
	  TAKES_WINDOW, SETS_TEXT, AT(window.boot) },
	{ 0, "list-boots", NULL, "the boots that -b can name, instead of an answer", NULL,
	  TAKES_WINDOW, SETS_FLAG, AT(list_boots) },
	{ 0, "pid", "PID[@TIME]", "of this process or thread (that lived at TIME)", NULL,
	  TAKES_SELECT, ADDS_SELECT, SELECT_PID },
	{ 0, "ppid", "PID", "children of this process", NULL, TAKES_SELECT, ADDS_SELECT,
	  SELECT_PPID },
	{ 0, "id", "ID", "of the life with this id", NULL, TAKES_SELECT, ADDS_SELECT, SELECT_ID },
	{ 0, "comm", "NAME", "that bore this name (globs: * ? [])", NULL, TAKES_SELECT, ADDS_SELECT,
	  SELECT_COMM },
	{ 0, "exe", "PROGRAM", "that ran this program: file name, glob, or path without links",
	  NULL, TAKES_SELECT, ADDS_SELECT, SELECT_EXE },
	{ 'g', "grep", "REGEX", "whose command line has a match of REGEX", NULL, TAKES_SELECT,
	  ADDS_SELECT, SELECT_GREP },
	{ 0, "uid", "USER", "of this user, real or effective: number or name", NULL, TAKES_SELECT,
	  ADDS_SELECT, SELECT_UID },
	{ 0, "loginuid", "USER", "of whom this user logged in; or 'unset'", NULL, TAKES_SELECT,
	  ADDS_SELECT, SELECT_LOGINUID },
	{ 0, "auid", "USER", "the same", NULL, TAKES_SELECT, ADDS_SELECT, SELECT_LOGINUID },
	{ 0, "unit", "UNIT", "of this systemd unit (globs)", NULL, TAKES_SELECT, ADDS_SELECT,
	  SELECT_UNIT },
	{ 0, "container", "ID", "of this container: its id or the beginning of it", NULL,
	  TAKES_SELECT, ADDS_SELECT, SELECT_CONTAINER },
	{ 0, "kind", "KIND,...", "events of these kinds; lives that they happened to", NULL,
	  TAKES_SELECT, ADDS_SELECT, SELECT_KIND },
	{ 0, "failed", NULL, "that ended other than with 'exit 0'", NULL, TAKES_SELECT, READS_END,
	  0 },
	{ 0, "killed", NULL, "that ended by a signal", NULL, TAKES_SELECT, READS_END, 0 },
	{ 0, "status", "N|SIGNAL", "that ended with this exit status or signal", NULL, TAKES_SELECT,
	  ADDS_SELECT, SELECT_END },
	{ 0, "longer", "SPAN", "that lived so long or longer", NULL, TAKES_SELECT, ADDS_SELECT,
	  SELECT_LONGER },
	{ 0, "shorter", "SPAN", "that ended within so long", NULL, TAKES_SELECT, ADDS_SELECT,
	  SELECT_SHORTER },
	{ 0, "under", "PID|id:ID", "this life and its descendants", NULL, TAKES_SELECT, ADDS_SELECT,
	  SELECT_UNDER },
	{ 0, "above", "PID|id:ID", "this life and its ancestors", NULL, TAKES_SELECT, ADDS_SELECT,
	  SELECT_ABOVE },
	{ 't', "threads", NULL, "threads too", NULL, TAKES_THREADS, SETS_FLAG, AT(threads) },
	{ 'A', "ascii", NULL, "draw with ASCII only", NULL, TAKES_TREE, SETS_FLAG, AT(ascii) },
	{ 'a', "arguments", NULL, "whole command lines: neither cut nor merged", NULL, TAKES_TREE,
	  SETS_FLAG, AT(arguments_whole) },
	{ 'c', "compact-not", NULL, "every child on its own line, not 3*[sleep]", NULL, TAKES_TREE,
	  SETS_FLAG, AT(no_merging) },
	{ 'H', "highlight-pid", "PID", "in bold: this process and its ancestors", NULL, TAKES_TREE,
	  SETS_TEXT, AT(highlight) },
	{ 'l', "long", NULL, "lines are not cut to the terminal's width", NULL, TAKES_TREE,
	  SETS_FLAG, AT(lines_whole) },
	{ 'p', "show-pids", NULL, "the pid behind each name; none are merged", NULL, TAKES_TREE,
	  SETS_FLAG, AT(show_pids) },
	{ 's', "show-parents", NULL, "of PID the ancestors too, not only what is under it", NULL,
	  TAKES_TREE, SETS_FLAG, AT(parents) },
	{ 'u', "uid-changes", NULL, "the user, where another than the parent's", NULL, TAKES_TREE,
	  SETS_FLAG, AT(show_users) },
	{ 'e', "every", NULL, "all processes, as without it", NULL, TAKES_PS, SETS_FLAG,
	  AT(every) },
	{ 'f', "full", NULL, "UID PID PPID STIME CMD; 'ps aux' is understood as well", NULL,
	  TAKES_PS, SETS_FLAG, AT(full_format) },
	{ 'p', "pid", "PID[@TIME]", "of this process or thread (that lived at TIME)", NULL,
	  TAKES_PS, ADDS_SELECT, SELECT_PID },
	{ 'u', "uid", "USER", "of this user, real or effective: number or name", NULL, TAKES_PS,
	  ADDS_SELECT, SELECT_UID },
	{ 'C', "comm", "NAME", "that bore this name (globs: * ? [])", NULL, TAKES_PS, ADDS_SELECT,
	  SELECT_COMM },
	{ 'n', "lines", "N", "only the last N (10), with +N the first; or all", "10", TAKES_EVENTS,
	  READS_LINES, 0 },
	{ 'f', "follow", NULL, "the last ten, then each event as it comes", NULL, TAKES_EVENTS,
	  SETS_FLAG, AT(follow) },
	{ 0, "no-tail", NULL, "with -f: all of the window first", NULL, TAKES_EVENTS, SETS_FLAG,
	  AT(no_tail) },
	{ 'r', "reverse", NULL, "the newest first", NULL, TAKES_EVENTS, SETS_FLAG, AT(reverse) },
	{ 0, "output-fields", "NAME,...", "only these, in JSON, CSV and verbose", NULL,
	  TAKES_EVENTS, SETS_TEXT, AT(output_fields) },
	{ 0, "cursor", "CURSOR", "from this event on", NULL, TAKES_EVENTS, SETS_TEXT, AT(cursor) },
	{ 0, "after-cursor", "CURSOR", "from the one behind it on", NULL, TAKES_EVENTS, SETS_TEXT,
	  AT(after_cursor) },
	{ 0, "show-cursor", NULL, "tells the cursor of the last event at the end", NULL,
	  TAKES_EVENTS, SETS_FLAG, AT(show_cursor) },
	{ 0, "cursor-file", "FILE", "goes on behind the cursor in FILE, then writes the new one",
	  NULL, TAKES_EVENTS, SETS_TEXT, AT(cursor_file) },
	{ 'p', "pid", "PID[@TIME]", "of this process or thread (that lived at TIME)", NULL,
	  TAKES_EVENTS, ADDS_SELECT, SELECT_PID },
	{ 'u', "unit", "UNIT", "of this systemd unit (globs)", NULL, TAKES_EVENTS, ADDS_SELECT,
	  SELECT_UNIT },
	{ 'o', "output", "FORMAT", "text, json, jsonl or csv", NULL, TAKES_FORMAT, SETS_TEXT,
	  AT(output) },
	{ 'o', "output", "FORMAT",
	  "jsonl, csv, netlink, ecs, ocsf, audit, timesketch, timesketch-csv, trace, dot or ring",
	  NULL, TAKES_EXPORT, SETS_TEXT, AT(output) },
	{ 'n', "lines", "N", "at most N rows (20)", NULL, TAKES_REPORT, READS_LINES, 0 },
	{ 0, "sql", NULL, "the SQL behind the report, not its answer", NULL, TAKES_REPORT,
	  SETS_FLAG, AT(show_sql) },
	{ 0, "param", "NAME=VALUE", "the value of :NAME in the query", NULL, TAKES_SQL, READS_PARAM,
	  0 },
	{ 0, "timeout", "SECONDS", "stops a query that takes longer (30)", NULL, TAKES_LIMITS,
	  SETS_TEXT, AT(timeout) },
	{ 0, "memory", "SIZE", "stops a query that wants more memory (256M)", NULL, TAKES_LIMITS,
	  SETS_TEXT, AT(memory) },
	{ 0, "speed", "N", "so many times as fast as it was (1), or max", NULL, TAKES_REPLAY,
	  SETS_TEXT, AT(speed) },
	{ 0, "step", NULL, "a key for each event", NULL, TAKES_REPLAY, SETS_FLAG, AT(step) },
	{ 0, "through-loss", NULL, "goes on where events are missing", NULL, TAKES_REPLAY,
	  SETS_FLAG, AT(through_loss) },
	{ 0, "utc", NULL, "times in UTC", NULL, TAKES_UTC, SETS_FLAG, AT(utc) },
	{ 0, "strict", NULL, "exit with 4 when something is missing", NULL, TAKES_STRICT, SETS_FLAG,
	  AT(strict) },
	{ 'q', "quiet", NULL, "no word on completeness where nothing is missing", NULL,
	  TAKES_STRICT, SETS_FLAG, AT(quiet) },
	{ 0, "color", "WHEN", "auto, always or never; $NO_COLOR turns it off", "always",
	  TAKES_PAGER, READS_COLOR, 0 },
	{ 0, "no-pager", NULL, "straight to the terminal", NULL, TAKES_PAGER, SETS_FLAG,
	  AT(no_pager) },
	{ 'h', "help", NULL, "this text; of a command: its own options", NULL, 0, SHOWS_HELP, 0 },
	{ 0, "version", NULL, "the version", NULL, 0, SHOWS_VERSION, 0 },
};

enum { CHOICE_COUNT = sizeof(choices) / sizeof(choices[0]), FIRST_VALUE = 256 };

/* --- help --- */

static int print_version(void)
{
	printf("procledger %s\n", PROCLEDGER_VERSION);
	return OPTIONS_DONE;
}

static void print_choice(const struct choice *choice, const struct command *command)
{
	bool own = command && command->formats && choice->takes == TAKES_FORMAT;
	char left[48], letter[8] = "    ";

	if (choice->letter)
		(void)snprintf(letter, sizeof(letter), "-%c, ", choice->letter);
	(void)snprintf(left, sizeof(left), "%s--%s%s%s%s", letter, choice->name,
		       !choice->argument   ? ""
		       : choice->otherwise ? "[="
					   : " ",
		       choice->argument ? choice->argument : "",
		       choice->argument && choice->otherwise ? "]" : "");
	printf("  %-26s %s\n", left, own ? command->formats : choice->description);
}

/* As completion reads it: on one line. */
static const char kinds_text[] = "KIND:"
#define KIND(NAME, number, what, word, text) " " word
#include "schema/event_kinds.h"
#undef KIND
	;

static void print_help(const struct command *command)
{
	if (command) {
		printf("Usage: procledger %s [OPTION]... %s\n%c%s.\n\nOptions:\n", command->name,
		       command->arguments, toupper((unsigned char)command->description[0]),
		       command->description + 1);
	} else {
		printf("Usage: procledger [--store DIR] COMMAND [OPTION]... [ARGUMENT]...\n"
		       "Answers what ran on this machine, out of the ledger that procledgerd "
		       "keeps.\n\nCommands:\n");
		for (command = commands; command->name; command++)
			printf("  %-10s %s\n", command->name, command->description);
		command = NULL;
		printf("\nOptions (procledger COMMAND --help tells which a command takes):\n");
	}
	for (size_t i = 0; i < CHOICE_COUNT; i++) {
		if (!command || !choices[i].takes || (command->takes & choices[i].takes))
			print_choice(&choices[i], command);
	}
	if (command && command->outputs && *command->outputs)
		printf("\nFORMAT may also be: %s\n", command->outputs);
	if (command && command->help)
		printf("\n%s", command->help);
	if (command && command->takes & TAKES_SELECT)
		printf("\n%s\n", kinds_text);
	if (!command || command->takes & TAKES_WINDOW)
		printf("\nTIME: '2026-11-22 14:03:07.5', '14:03 UTC', '14:03 Europe/Berlin', "
		       "'-10min', "
		       "'2h ago',\nnow, today, yesterday, tomorrow, recent, this-hour, this-week, "
		       "week-ago, this-month,\nthis-year, boot, @SECONDS since 1970, or @mono:NS, "
		       "a raw "
		       "kernel time stamp of the boot.\nA local time that clocks showed twice "
		       "stands for "
		       "both.  Without a window: the whole\nnewest boot.\n");
	if (command && command->help && strstr(command->help, "Exit status:"))
		return; /* it has its own */
	printf("\nExit status: 0 found, 1 nothing found, 2 wrong usage, 3 error, 4 found but not\n"
	       "complete (with --strict).\n");
}

/* --- getopt --- */

static const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

static bool taken(const struct choice *choice, const struct command *command)
{
	return !command || !choice->takes || (choice->takes & command->takes);
}

struct letters {
	struct option option[CHOICE_COUNT + 1];
	char text[2 * CHOICE_COUNT + 4];
	size_t choice[FIRST_VALUE]; /* of a letter: one more than its index; 0: none */
};

static void add_long(struct letters *letters, size_t index, size_t *at)
{
	const struct choice *choice = &choices[index];

	for (size_t i = 0; i < *at; i++) { /* another of this name comes first */
		if (strcmp(letters->option[i].name, choice->name) == 0)
			return;
	}
	letters->option[(*at)++] =
		(struct option){ .name = choice->name,
				 .has_arg = !choice->argument   ? no_argument
					    : choice->otherwise ? optional_argument
								: required_argument,
				 .val = (int)index + FIRST_VALUE };
}

static void add_letter(struct letters *letters, size_t index, size_t *used)
{
	const struct choice *choice = &choices[index];

	if (!choice->letter || letters->choice[choice->letter])
		return;
	letters->choice[choice->letter] = index + 1;
	letters->text[(*used)++] = (char)choice->letter;
	if (choice->argument)
		letters->text[(*used)++] = ':';
	if (choice->otherwise)
		letters->text[(*used)++] = ':';
}

/* What the command takes comes before what only others do, which is there to be refused by name. */
static void make_letters(struct letters *letters, const struct command *command, bool stop_at_word)
{
	size_t used = 0, at = 0;

	*letters = (struct letters){ 0 };
	if (stop_at_word)
		letters->text[used++] = '+';
	letters->text[used++] = ':'; /* a missing argument is told apart */
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < CHOICE_COUNT; i++) {
			if (taken(&choices[i], command) == (others == 0)) {
				add_long(letters, i, &at);
				add_letter(letters, i, &used);
			}
		}
	}
}

/* Options whose argument may be left out take the next word where it can be one, as in -b -1 and -n 20. */
static bool is_argument_of(const struct choice *choice, const char *word)
{
	if (choice->letter == 'b')
		return window_is_boot(word);
	return choice->letter == 'n' &&
	       (strcmp(word, "all") == 0 || isdigit((unsigned char)word[0]) ||
		(word[0] == '+' && isdigit((unsigned char)word[1])));
}

/* " (-A)", behind the name of an option of another command: it may be the letter that was typed. */
static const char *letter_of(const struct choice *choice, char out[8])
{
	out[0] = '\0';
	if (choice->letter)
		(void)snprintf(out, 8, " (-%c)", choice->letter);
	return out;
}

/* A letter, which may stand in the midst of others, is in optopt; of a long one getopt leaves 0 there. */
static int unknown_option(char **argv)
{
	char letter[3] = { '-', (char)optopt, '\0' };

	return complain(EXIT_USAGE, "there is no option %s; see procledger --help",
			optopt ? letter : argv[optind - 1]);
}

/* 0: *ret_choice is the next option, NULL at the end of them; or EXIT_USAGE. */
static int next_option(int argc, char **argv, const struct letters *letters,
		       const struct choice **ret_choice, const char **ret_argument)
{
	int value = getopt_long(argc, argv, letters->text, letters->option, NULL);
	const struct choice *choice;

	*ret_choice = NULL;
	if (value == -1)
		return 0;
	if (value == ':')
		return complain(EXIT_USAGE, "%s wants an argument; see procledger --help",
				argv[optind - 1]);
	if (value == '?' && optopt >= FIRST_VALUE)
		return complain(EXIT_USAGE, "--%s takes no argument; see procledger --help",
				choices[optopt - FIRST_VALUE].name);
	if (value == '?')
		return unknown_option(argv);
	choice = &choices[value < FIRST_VALUE ? letters->choice[value] - 1
					      : (size_t)value - FIRST_VALUE];
	*ret_argument = optarg;
	if (choice->otherwise && !optarg) {
		*ret_argument = choice->otherwise;
		if (optind < argc && is_argument_of(choice, argv[optind]))
			*ret_argument = argv[optind++];
		else if (optind < argc && choice->letter == 'n' && argv[optind][0] != '-')
			return complain(EXIT_USAGE,
					"-n wants a number, +N or all, not '%s': a name goes "
					"before it, or behind -n10",
					argv[optind]);
	}
	*ret_choice = choice;
	return 0;
}

/* --- values --- */

static int read_lines(const char *text, struct options *options)
{
	const char *digits = text + (text[0] == '+');
	char *end = NULL;

	options->oldest = text[0] == '+';
	options->limit = UINT64_MAX;
	if (strcmp(text, "all") == 0)
		return 0;
	errno = 0;
	if (isdigit((unsigned char)digits[0]))
		options->limit = strtoull(digits, &end, 10);
	if (!end || *end || errno != 0)
		return complain(EXIT_USAGE, "-n wants a number, not '%s'", text);
	return 0;
}

static int take_select(struct options *options, enum select_field field, const char *text)
{
	char message[SELECT_MESSAGE_BYTES];
	int r = select_add(&options->select, field, text, message);

	if (r == -EINVAL)
		return complain(EXIT_USAGE, "%s", message);
	return r < 0 ? complain(EXIT_ERROR, "out of memory") : 0;
}

static int take_param(struct options *options, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return complain(EXIT_USAGE, "--param wants NAME=VALUE, not '%s'", text);
	if (options->param_count == OPTIONS_PARAM_MAX)
		return complain(EXIT_USAGE, "at most %d parameters", OPTIONS_PARAM_MAX);
	options->params[options->param_count++] = text;
	return 0;
}

static int take_option(struct options *options, const struct choice *choice, const char *argument)
{
	char *at = (char *)options + choice->at;

	switch (choice->effect) {
	case SETS_FLAG:
		*(bool *)at = true;
		return 0;
	case SETS_TEXT:
		memcpy(at, &argument, sizeof(argument));
		return 0;
	case ADDS_SELECT:
		return take_select(options, (enum select_field)choice->at, argument);
	case READS_END:
		return take_select(options, SELECT_END, choice->name);
	case READS_PARAM:
		return take_param(options, argument);
	case READS_LINES:
		return read_lines(argument, options);
	case READS_COLOR:
		if (strcmp(argument, "auto") != 0 && strcmp(argument, "always") != 0 &&
		    strcmp(argument, "never") != 0)
			return complain(EXIT_USAGE, "--color is auto, always or never, not '%s'",
					argument);
		options->color = argument;
		return 0;
	case SHOWS_HELP:
	case SHOWS_VERSION:
		break;
	}
	return 0;
}

/* --- the whole line --- */

/* The command is the first word that is neither an option nor the argument of one.  Of options before it only the names count, as
 * a letter may have another meaning there. */
static int find_command(int argc, char **argv, const struct command **ret_command)
{
	struct letters letters;

	make_letters(&letters, NULL, true);
	optind = 0;
	opterr = 0;
	for (;;) {
		const struct choice *choice;
		const char *argument;
		int r = next_option(argc, argv, &letters, &choice, &argument);

		if (r != 0)
			return r;
		if (!choice)
			break;
		if (choice->effect == SHOWS_VERSION)
			return print_version();
		if (choice->effect == SHOWS_HELP) {
			print_help(NULL);
			return OPTIONS_DONE;
		}
	}
	if (optind >= argc) {
		(void)fprintf(stderr, "Usage: procledger [--store DIR] COMMAND [OPTION]... "
				      "[ARGUMENT]...\nprocledger --help lists the commands.\n");
		return EXIT_USAGE;
	}
	*ret_command = command_find(argv[optind]);
	if (!*ret_command)
		return complain(EXIT_USAGE, "there is no command '%s'; see procledger --help",
				argv[optind]);
	return 0;
}

static int read_command(int argc, char **argv, struct options *options,
			const struct command *command)
{
	struct letters letters;

	make_letters(&letters, command, false);
	optind = 0;
	for (;;) {
		const struct choice *choice;
		const char *argument;
		char letter[8];
		int r = next_option(argc, argv, &letters, &choice, &argument);

		if (r != 0)
			return r;
		if (!choice)
			return 0;
		if (choice->effect == SHOWS_HELP) {
			print_help(command);
			return OPTIONS_DONE;
		}
		if (choice->effect == SHOWS_VERSION)
			return print_version();
		if (!taken(choice, command))
			return complain(EXIT_USAGE, "%s takes no --%s%s; see procledger %s --help",
					command->name, choice->name, letter_of(choice, letter),
					command->name);
		r = take_option(options, choice, argument);
		if (r != 0)
			return r;
	}
}

/* ps aux */
static bool take_bsd_options(struct options *options, const char *text)
{
	static const char *const words[] = { "aux", "axu", "auxw", "auxww", "ax", "axw" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			options->user_format = strchr(text, 'u') != NULL;
			return true;
		}
	}
	return false;
}

static int take_arguments(struct options *options, const struct command *command)
{
	for (size_t i = 0; i < options->argument_count; i++) {
		const char *text = options->arguments[i];

		if (i == 0 && command->takes & TAKES_PS && take_bsd_options(options, text))
			continue;
		if (command->argument_max == SELECT_ARGUMENTS) {
			enum select_field field = select_guess(text);
			int r;

			/* pstree PID shows what is under it */
			if (field == SELECT_PID && command->takes & TAKES_TREE)
				field = SELECT_UNDER;
			r = take_select(options, field, text);

			if (r != 0)
				return r;
		} else if (i >= command->argument_max) {
			return complain(
				EXIT_USAGE,
				"%s does not know what '%s' is for; see procledger %s --help",
				command->name, text, command->name);
		}
	}
	return 0;
}

int options_read(int argc, char **argv, struct options *ret_options,
		 const struct command **ret_command)
{
	const char *store = getenv("PROCLEDGER_STORE");
	struct options options = {
		.store = store && store[0] ? store : OPTIONS_STORE_DEFAULT,
		.limit = UINT64_MAX,
	};
	const struct command *command = NULL;
	int r;

	*ret_options = options;
	r = find_command(argc, argv, &command);
	if (r == 0)
		r = read_command(argc, argv, &options, command);
	if (r == 0) {
		options.arguments = argv + optind + 1;
		options.argument_count = (size_t)(argc - optind - 1);
		r = take_arguments(&options, command);
	}
	if (r == 0 && (!options.store[0] || (options.from_ring && !options.from_ring[0])))
		r = complain(EXIT_USAGE, "--%s is given an empty name; see procledger --help",
			     options.store[0] ? "from-ring" : "store");
	if (r == 0 && options.output && output_format_parse(options.output, &options.format) < 0 &&
	    !command->outputs)
		r = complain(EXIT_USAGE, "-o is text, json, jsonl or csv, not '%s'",
			     options.output);
	*ret_options = options;
	*ret_command = command;
	return r;
}

void options_clear(struct options *options)
{
	select_clear(&options->select);
}
