#include "query/sql_shell.h"

#include <ctype.h>
#include <editline/readline.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "query/life_text.h"
#include "schema/cleanup.h"

enum { HISTORY_LINES = 1000, NAME_BYTES = 64 };

struct shell {
	struct index_query *ask;
	const struct options *options;
	sql_shell_bind *bind;
	char **words; /* that can be completed */
	size_t word_count, word_capacity;
	char history[PATH_MAX]; /* "": it is not kept */
	bool quit;
};

/* --- completion --- */

/* readline's callbacks have no argument for it; only the shell that runs sets it. */
static const struct shell *completing;

static const char *const fixed_words[] = {
	"SELECT",  "FROM",      "WHERE",    "GROUP BY", "ORDER BY", "HAVING",     "LIMIT",
	"JOIN",    "LEFT JOIN", "DISTINCT", "COUNT(*)", "BETWEEN",  "AND",        "OR",
	"NOT",     "NULL",      "IS",       "LIKE",     "GLOB",     "DESC",       "UNION ALL",
	"WITH",    "wall(",     "wall_ns(", "ns(",      "comm_at(", "ancestors(", "descendants(",
	".tables", ".schema",   ".mode",    ".param",   ".help",    ".quit",
};

enum { FIXED_WORDS = sizeof(fixed_words) / sizeof(fixed_words[0]) };

static void word_add(struct shell *shell, const char *word)
{
	if (shell->word_count == shell->word_capacity) {
		size_t capacity = shell->word_capacity ? shell->word_capacity * 2 : 128;
		char **grown = reallocarray(shell->words, capacity, sizeof(*grown));

		if (!grown)
			return;
		shell->words = grown;
		shell->word_capacity = capacity;
	}
	shell->words[shell->word_count] = strdup(word);
	if (shell->words[shell->word_count])
		shell->word_count++;
}

/* The names of tables and columns. */
static void words_read(struct shell *shell)
{
	sqlite3_stmt *names = NULL;

	for (size_t i = 0; i < FIXED_WORDS; i++)
		word_add(shell, fixed_words[i]);
	(void)sqlite3_prepare_v2(
		shell->ask->db,
		"SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') UNION "
		"SELECT c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c "
		"WHERE t.type IN ('table', 'view')",
		-1, &names, NULL);
	while (names && sqlite3_step(names) == SQLITE_ROW)
		word_add(shell, (const char *)sqlite3_column_text(names, 0));
	(void)sqlite3_finalize(names);
}

static char *next_match(const char *begin, int state)
{
	static size_t at; /* where the last call stopped, as readline has it */
	size_t bytes = strlen(begin);

	if (state == 0)
		at = 0;
	while (at < completing->word_count) {
		const char *word = completing->words[at++];

		if (strncasecmp(word, begin, bytes) == 0)
			return strdup(word);
	}
	return NULL;
}

static char **complete(const char *begin, int from, int to)
{
	(void)from;
	(void)to;
	rl_attempted_completion_over = 1; /* no names of files */
	return rl_completion_matches(begin, next_match);
}

/* --- history --- */

/* $XDG_STATE_HOME/procledger/sql_history */
static void history_open(struct shell *shell)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char folder[PATH_MAX - 32];
	int bytes;

	if (state && state[0] == '/')
		bytes = snprintf(folder, sizeof(folder), "%s/procledger", state);
	else if (home && home[0] == '/')
		bytes = snprintf(folder, sizeof(folder), "%s/.local/state/procledger", home);
	else
		return;
	if (bytes < 0 || (size_t)bytes >= sizeof(folder))
		return;
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(folder, 0700);
		*slash = '/';
	}
	(void)mkdir(folder, 0700);
	(void)snprintf(shell->history, sizeof(shell->history), "%s/sql_history", folder);
	(void)read_history(shell->history);
}

static void history_close(const struct shell *shell)
{
	if (!shell->history[0])
		return;
	stifle_history(HISTORY_LINES);
	(void)write_history(shell->history);
}

/* --- what is typed --- */

/* One statement and its rows; a mistake is told, and the shell goes on. */
static void ask_all(struct shell *shell, const char *text)
{
	struct index_query *ask = shell->ask;

	while (*text) {
		const char *rest;

		if (index_query_prepare(ask, text, &rest) != 0)
			return;
		text = rest;
		if (!ask->statement)
			continue;
		if (shell->bind(ask->statement, shell->options) != 0 ||
		    index_query_run(ask, "rows") != 0)
			return;
		output_end(ask->output);
		if (ask->format == OUTPUT_JSON)
			printf("}\n");
		(void)fflush(stdout);
	}
}

static void ask_with(struct shell *shell, const char *sql, const char *name)
{
	char *text = sqlite3_mprintf(sql, name);

	if (text)
		ask_all(shell, text);
	sqlite3_free(text);
}

/* How tables were made, line by line as it was written. */
static void say_schema(struct shell *shell, const char *name)
{
	sqlite3_stmt *statement = NULL;

	(void)sqlite3_prepare_v2(
		shell->ask->db,
		"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name GLOB "
		"ifnull(nullif(?1, ''), '*') ORDER BY rowid",
		-1, &statement, NULL);
	(void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_TRANSIENT);
	while (statement && sqlite3_step(statement) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(statement, 0);
		const char *line = text ? text : "";

		while (*line) {
			size_t bytes = strcspn(line, "\n"), blank = strspn(line, "\t");

			for (size_t i = 0; i < blank; i++)
				(void)fputs("    ", stdout);
			output_escaped(stdout, line + blank, bytes - blank);
			line += bytes + (line[bytes] == '\n');
			(void)fputs(*line ? "\n" : ";\n", stdout);
		}
	}
	(void)sqlite3_finalize(statement);
}

static void say_help(void)
{
	printf(".tables            the tables and views\n"
	       ".schema [NAME]     how they were made\n"
	       ".mode FORMAT       text, json, jsonl or csv\n"
	       ".help              this\n"
	       ".quit              ends; so does Ctrl-D\n"
	       "A statement ends with a semicolon and may have many lines.  Tab completes names.\n"
	       "Functions: wall(ns), wall_ns(ns), ns('14:03'), comm_at(id, ns); tables: "
	       "ancestors(id), "
	       "descendants(id).\n");
}

static void dot_command(struct shell *shell, const char *line)
{
	char name[NAME_BYTES] = "", argument[NAME_BYTES] = "";

	(void)sscanf(line, "%63s %63s", name, argument);
	if (strcmp(name, ".quit") == 0 || strcmp(name, ".exit") == 0 || strcmp(name, ".q") == 0) {
		shell->quit = true;
	} else if (strcmp(name, ".tables") == 0) {
		ask_with(shell,
			 "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND "
			 "name "
			 "GLOB ifnull(nullif(%Q, ''), '*') ORDER BY type DESC, name",
			 argument);
	} else if (strcmp(name, ".schema") == 0) {
		say_schema(shell, argument);
	} else if (strcmp(name, ".mode") == 0) {
		if (output_format_parse(argument, &shell->ask->format) < 0)
			(void)complain(EXIT_USAGE, ".mode is text, json, jsonl or csv, not '%s'",
				       argument);
	} else if (strcmp(name, ".help") == 0) {
		say_help();
	} else {
		(void)complain(EXIT_USAGE, "there is no %s; .help tells what there is", name);
	}
	(void)fflush(stdout);
}

/* What was typed so far and one line more; NULL: no memory. */
static char *joined(char *text, const char *line)
{
	size_t bytes = text ? strlen(text) : 0;
	char *grown = realloc(text, bytes + strlen(line) + 2);

	if (!grown) {
		free(text);
		return NULL;
	}
	(void)sprintf(grown + bytes, "%s%s", bytes > 0 ? "\n" : "", line);
	return grown;
}

static bool is_blank(const char *line)
{
	while (isspace((unsigned char)*line))
		line++;
	return *line == '\0';
}

static void read_lines(struct shell *shell)
{
	auto_free char *text = NULL;

	while (!shell->quit) {
		auto_free char *line = readline(text ? "       ...> " : "procledger> ");

		if (!line)
			break;
		if (!text && is_blank(line))
			continue;
		(void)add_history(line);
		if (!text && line[0] == '.') {
			dot_command(shell, line);
			continue;
		}
		text = joined(text, line);
		if (!text || strlen(text) > INDEX_QUERY_MAX_BYTES) {
			(void)complain(EXIT_USAGE, "a query has at most %d bytes",
				       INDEX_QUERY_MAX_BYTES);
		} else if (!sqlite3_complete(text)) {
			continue;
		} else {
			ask_all(shell, text);
		}
		free(text);
		text = NULL;
	}
}

int sql_shell_run(struct index_query *ask, const struct options *options, sql_shell_bind *bind)
{
	struct shell shell = { .ask = ask, .options = options, .bind = bind };

	words_read(&shell);
	completing = &shell;
	rl_readline_name = "procledger";
	rl_attempted_completion_function = complete;
	using_history();
	history_open(&shell);
	printf("index.db of %s; .help tells what can be typed, .quit ends.\n", options->store);
	(void)fflush(stdout);
	read_lines(&shell);
	history_close(&shell);
	completing = NULL;
	for (size_t i = 0; i < shell.word_count; i++)
		free(shell.words[i]);
	free(shell.words);
	return EXIT_FOUND;
}
