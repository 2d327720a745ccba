/* cmd_sql.c - questions to index.db in SQL: one from the command line, those of a file, or a shell on a terminal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query/index_query.h"
#include "query/sql_shell.h"
#include "schema/cleanup.h"

static int read_question(const struct options *options, char **ret_buffer, const char **ret_text)
{
	size_t bytes = 0;

	if (options->argument_count > 0 && strcmp(options->arguments[0], "-") != 0) {
		*ret_text = options->arguments[0];
		return 0;
	}
	*ret_buffer = calloc(1, INDEX_QUERY_MAX_BYTES + 2);
	if (!*ret_buffer)
		return complain(EXIT_ERROR, "out of memory");
	bytes = fread(*ret_buffer, 1, INDEX_QUERY_MAX_BYTES + 1, stdin);
	if (ferror(stdin))
		return complain(EXIT_ERROR, "cannot read standard input: %s", strerror(errno));
	if (bytes > INDEX_QUERY_MAX_BYTES)
		return complain(EXIT_USAGE, "a query has at most %d bytes", INDEX_QUERY_MAX_BYTES);
	*ret_text = *ret_buffer;
	return 0;
}

/* A parameter's value as SQL would read it: a number where it is one. */
static void bind(sqlite3_stmt *statement, int index, const char *value)
{
	char *end;
	long long number;
	double real;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (*value && !*end && errno == 0) {
		(void)sqlite3_bind_int64(statement, index, number);
		return;
	}
	real = strtod(value, &end);
	if (*value && !*end)
		(void)sqlite3_bind_double(statement, index, real);
	else
		(void)sqlite3_bind_text(statement, index, value, -1, SQLITE_TRANSIENT);
}

static const char *param_find(const struct options *options, const char *name)
{
	size_t bytes = strlen(name);

	for (size_t i = 0; i < options->param_count; i++) {
		const char *param = options->params[i];

		if (strncmp(param, name, bytes) == 0 && param[bytes] == '=')
			return param + bytes + 1;
	}
	return NULL;
}

static int bind_all(sqlite3_stmt *statement, const struct options *options)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
		const char *name = sqlite3_bind_parameter_name(statement, i);
		const char *value = name ? param_find(options, name + 1) : NULL;

		if (!name)
			return complain(EXIT_USAGE, "parameters want names: :NAME, not ?");
		if (!value)
			return complain(EXIT_USAGE, "%s wants a value: --param %s=VALUE", name,
					name + 1);
		bind(statement, i, value);
	}
	return 0;
}

static int ask_once(struct index_query *ask, const struct options *options, const char *text)
{
	sqlite3_stmt *second = NULL;
	const char *rest;
	int result, r = index_query_catch_up(ask);

	if (r == 0)
		r = index_query_prepare(ask, text, &rest);
	if (r != 0)
		return r;
	if (!ask->statement)
		return complain(EXIT_USAGE, "the query is empty");
	result = sqlite3_prepare_v2(ask->db, rest, -1, &second, NULL);
	if (result == SQLITE_NOMEM)
		return index_query_failed(ask);
	if (result != SQLITE_OK || second) {
		(void)sqlite3_finalize(second);
		return complain(EXIT_USAGE, "one statement at a time");
	}
	r = bind_all(ask->statement, options);
	if (r == 0)
		r = index_query_run(ask, "rows");
	return r != 0 ? r : index_query_finish(ask);
}

int cmd_sql(const struct options *options)
{
	auto_free char *buffer = NULL;
	struct index_query ask = { 0 };
	const char *text = NULL;
	bool shell = options->argument_count == 0 && isatty(STDIN_FILENO);
	int r = shell ? 0 : read_question(options, &buffer, &text);

	if (r == 0)
		r = index_query_open(&ask, options);
	if (r == 0)
		r = shell ? sql_shell_run(&ask, options, bind_all) : ask_once(&ask, options, text);
	index_query_close(&ask);
	return r;
}

const char help_sql[] =
	"QUERY is one SELECT; - : it is read from standard input, as without QUERY where that is "
	"no\n"
	"terminal; on a terminal a shell begins, with completion and history.  :NAME in it is the\n"
	"value of --param NAME=VALUE.\n"
	"\n"
	"Functions: wall(ns [, boot]) and wall_ns(ns [, boot]), the wall-clock time of a time "
	"stamp;\n"
	"ns(TIME [, boot]), the time stamp of a time; comm_at(id, ns), the name that a life bore "
	"then.\n"
	"Tables: ancestors(id), descendants(id): id, depth, pid, comm, start_ns.\n"
	"procledger_sqlite.so gives them to sqlite3 (.load), Python and Datasette.\n";
