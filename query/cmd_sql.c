/* cmd_sql.c - one SQL question to index.db, by somebody who may ask but not change or reach anything else. */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "query/escape.h"
#include "query/output.h"
#include "query/query.h"
#include "schema/cleanup.h"
#include "schema/json.h"

enum {
	SQL_MAX_BYTES = 100000,
	VALUE_MAX_BYTES = 1000000,
	TIME_LIMIT_S = 30,
	STEPS_BETWEEN_LOOKS = 10000, /* of SQLite's machine */
};
#define HEAP_LIMIT_BYTES (INT64_C(256) << 20)

struct sql {
	struct query query;
	sqlite3 *db;
	sqlite3_stmt *statement;
	struct output *output;
	struct output_column *columns;
	char *text; /* what was read from standard input */
	uint64_t deadline_ns;
	bool out_of_time;
	bool wal_ignored; /* a WAL that is there could not be read */
};

static void clean_up(struct sql *sql)
{
	output_free(sql->output);
	if (sql->columns && sql->statement) {
		for (int i = 0; i < sqlite3_column_count(sql->statement); i++)
			free((void *)(uintptr_t)sql->columns[i].name);
	}
	free(sql->columns);
	(void)sqlite3_finalize(sql->statement);
	(void)sqlite3_close(sql->db);
	free(sql->text);
}

/* --- what is allowed --- */

/* SELECT, and functions that only compute; the schema's views need no more. */
static int authorize(void *context, int action, const char *one, const char *two, const char *three,
		     const char *four)
{
	static const char *const denied[] = { "load_extension", "readfile", "writefile", "edit",
					      "fts3_tokenizer", "zeroblob", "randomblob" };

	(void)context;
	(void)one;
	(void)three;
	(void)four;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		for (size_t i = 0; two && i < sizeof(denied) / sizeof(denied[0]); i++) {
			if (sqlite3_stricmp(two, denied[i]) == 0)
				return SQLITE_DENY;
		}
		return SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int look_at_clock(void *context)
{
	struct sql *sql = context;

	sql->out_of_time = monotonic_ns() > sql->deadline_ns;
	return sql->out_of_time;
}

static void confine(struct sql *sql)
{
	static const struct {
		int limit, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES },
		{ SQLITE_LIMIT_SQL_LENGTH, SQL_MAX_BYTES },
		{ SQLITE_LIMIT_EXPR_DEPTH, 100 },
		{ SQLITE_LIMIT_VDBE_OP, 25000 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	(void)sqlite3_exec(sql->db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;", NULL, NULL,
			   NULL);
	(void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* The views of index.sql use functions of JSON, which SQLite 3.40 does not count as harmless; the authorizer has the last word on any. */
	(void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
	(void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(sql->db, limits[i].limit, limits[i].value);
	(void)sqlite3_hard_heap_limit64(HEAP_LIMIT_BYTES);
	(void)sqlite3_busy_timeout(sql->db, 2000);
	(void)sqlite3_set_authorizer(sql->db, authorize, NULL);
	sql->deadline_ns = monotonic_ns() + TIME_LIMIT_S * UINT64_C(1000000000);
	sqlite3_progress_handler(sql->db, STEPS_BETWEEN_LOOKS, look_at_clock, sql);
}

/* --- opening --- */

/* file:PATH?immutable=1 with what has a meaning in a URI as %NN; NULL: no memory. */
static char *immutable_uri(const char *path)
{
	char *uri = malloc(strlen(path) * 3 + 32), *out = uri;

	if (!uri)
		return NULL;
	out = stpcpy(out, "file:");
	for (; *path; path++) {
		if (*path == '%' || *path == '?' || *path == '#')
			out += sprintf(out, "%%%02X", (unsigned)(unsigned char)*path);
		else
			*out++ = *path;
	}
	(void)memcpy(out, "?immutable=1", sizeof("?immutable=1"));
	return uri;
}

static int open_one(struct sql *sql, const char *name, int flags)
{
	sqlite3_stmt *probe = NULL;
	int r;

	(void)sqlite3_close(sql->db);
	sql->db = NULL;
	r = sqlite3_open_v2(
		name, &sql->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE | flags, NULL);
	if (r == SQLITE_OK) /* nothing is read before this */
		r = sqlite3_prepare_v2(sql->db, "SELECT count(*) FROM sqlite_schema", -1, &probe,
				       NULL);
	if (r == SQLITE_OK && sqlite3_step(probe) != SQLITE_ROW)
		r = sqlite3_extended_errcode(sql->db);
	(void)sqlite3_finalize(probe);
	return r;
}

/* A WAL database wants to make its -shm file even to be read: where the folder is not ours to write and nobody has it open, it is read as
 * it lies, which is right as long as there is no WAL beside it. */
static int open_index(struct sql *sql, const char *path)
{
	char wal[PATH_MAX + 8];
	auto_free char *uri = NULL;
	struct stat status;
	int r = open_one(sql, path, 0), primary = r & 0xff;

	if (primary != SQLITE_CANTOPEN && primary != SQLITE_READONLY && primary != SQLITE_PERM)
		return r;
	if (access(path, R_OK) < 0)
		return r;
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	sql->wal_ignored = stat(wal, &status) == 0 && status.st_size > 0;
	uri = immutable_uri(path);
	return uri ? open_one(sql, uri, SQLITE_OPEN_URI) : SQLITE_NOMEM;
}

/* The store may be reached over a symbolic link, the index itself may not be one. */
static int resolve(const struct options *options, char path[PATH_MAX])
{
	char folder[PATH_MAX];

	if (!realpath(options->store, folder))
		return complain(EXIT_ERROR, "there is no store %s: %s", options->store,
				strerror(errno));
	if (snprintf(path, PATH_MAX, "%s/index.db", folder) >= PATH_MAX)
		return complain(EXIT_USAGE, "the path of the store is too long");
	return 0;
}

static int open_for_query(struct sql *sql, const struct options *options)
{
	char path[PATH_MAX];
	int r = resolve(options, path);

	if (r != 0)
		return r;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return complain(EXIT_ERROR,
				"there is no index in %s: 'procledger reindex' makes it from the "
				"ledger",
				options->store);
	r = open_index(sql, path);
	if (r != SQLITE_OK)
		return complain(EXIT_ERROR, "cannot open %s: %s", path,
				sql->db ? sqlite3_errmsg(sql->db) : sqlite3_errstr(r));
	confine(sql);
	return 0;
}

/* --- the question --- */

static int read_question(struct sql *sql, const struct options *options, const char **ret_text)
{
	size_t bytes = 0;

	if (options->argument_count > 0 && strcmp(options->arguments[0], "-") != 0) {
		*ret_text = options->arguments[0];
		return 0;
	}
	if (options->argument_count == 0 && isatty(STDIN_FILENO))
		return complain(EXIT_USAGE, "sql wants a query, or one on standard input");
	sql->text = calloc(1, SQL_MAX_BYTES + 2);
	if (!sql->text)
		return complain(EXIT_ERROR, "out of memory");
	bytes = fread(sql->text, 1, SQL_MAX_BYTES + 1, stdin);
	if (ferror(stdin))
		return complain(EXIT_ERROR, "cannot read standard input: %s", strerror(errno));
	if (bytes > SQL_MAX_BYTES)
		return complain(EXIT_USAGE, "a query has at most %d bytes", SQL_MAX_BYTES);
	*ret_text = sql->text;
	return 0;
}

static int sql_failed(struct sql *sql)
{
	int code = sqlite3_errcode(sql->db) & 0xff;

	if (sql->out_of_time)
		return complain(EXIT_ERROR, "the query took more than %d seconds and was stopped",
				TIME_LIMIT_S);
	if (code == SQLITE_AUTH)
		return complain(EXIT_USAGE, "only SELECT is allowed here: %s",
				sqlite3_errmsg(sql->db));
	return complain(code == SQLITE_ERROR ? EXIT_USAGE : EXIT_ERROR, "%s",
			sqlite3_errmsg(sql->db));
}

static int prepare(struct sql *sql, const char *text)
{
	sqlite3_stmt *second = NULL;
	const char *rest;

	if (sqlite3_prepare_v2(sql->db, text, -1, &sql->statement, &rest) != SQLITE_OK)
		return sql_failed(sql);
	if (!sql->statement)
		return complain(EXIT_USAGE, "the query is empty");
	if (sqlite3_prepare_v2(sql->db, rest, -1, &second, NULL) != SQLITE_OK || second) {
		(void)sqlite3_finalize(second);
		return complain(EXIT_USAGE, "one statement at a time");
	}
	return 0;
}

/* A name that may stand in a header: the user chose it, and may have chosen anything. */
static char *column_name(enum output_format format, const char *name)
{
	size_t bytes = strlen(name), used;
	char *out = malloc(bytes * 12 + 8);
	bool clean;

	if (!out)
		return NULL;
	switch (format) {
	case OUTPUT_JSON:
	case OUTPUT_JSONL:
		used = json_escape(name, bytes, out, &clean);
		break;
	case OUTPUT_CSV:
		used = escape_csv(name, bytes, out);
		break;
	case OUTPUT_TEXT:
	default:
		used = escape_text(name, bytes, out);
		break;
	}
	out[used] = '\0';
	return out;
}

static int make_output(struct sql *sql, const struct options *options)
{
	int count = sqlite3_column_count(sql->statement);

	sql->columns = calloc((size_t)count + 1, sizeof(*sql->columns));
	for (int i = 0; i < count && sql->columns; i++) {
		const char *name = sqlite3_column_name(sql->statement, i);

		sql->columns[i].name = column_name(options->format, name ? name : "?");
		if (!sql->columns[i].name)
			return -ENOMEM;
	}
	if (!sql->columns)
		return -ENOMEM;
	return 0;
}

static void put_row(struct sql *sql)
{
	sqlite3_stmt *statement = sql->statement;

	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const void *data;

		switch (sqlite3_column_type(statement, i)) {
		case SQLITE_INTEGER:
			output_signed(sql->output, sqlite3_column_int64(statement, i));
			break;
		case SQLITE_FLOAT:
			output_real(sql->output, sqlite3_column_double(statement, i));
			break;
		case SQLITE_NULL:
			output_null(sql->output);
			break;
		default: /* text may hold any bytes, like a blob */
			data = sqlite3_column_blob(statement, i);
			output_bytes(sql->output, data, (size_t)sqlite3_column_bytes(statement, i));
			break;
		}
	}
	output_row_end(sql->output);
}

static int run(struct sql *sql, const struct options *options)
{
	int r = make_output(sql, options), step;

	if (r < 0)
		return complain(EXIT_ERROR, "out of memory");
	step = sqlite3_step(sql->statement);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return sql_failed(sql); /* before anything is written */
	sql->output = output_new(stdout, options->format, "rows", sql->columns,
				 (size_t)sqlite3_column_count(sql->statement), "NULL");
	if (!sql->output)
		return complain(EXIT_ERROR, "out of memory");
	output_guess_numbers(sql->output);
	for (; step == SQLITE_ROW; step = sqlite3_step(sql->statement)) {
		put_row(sql);
		if (output_error(sql->output) < 0)
			return 0;
	}
	if (step != SQLITE_DONE) {
		output_end(sql->output);
		return sql_failed(sql);
	}
	return 0;
}

/* --- how far the index reaches, and what it cannot know --- */

static int64_t ask_number(struct sql *sql, const char *question)
{
	sqlite3_stmt *statement;
	int64_t number = -1;

	if (sqlite3_prepare_v2(sql->db, question, -1, &statement, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return number;
}

static int finish(struct sql *sql, const struct options *options)
{
	int64_t next_event_no =
		ask_number(sql, "SELECT value FROM meta WHERE key = 'next_event_no'");
	int r;

	/* The ledger tells what is missing; an index without its ledger still answers. */
	if (ledger_open(sql->query.ring_path, &sql->query.ledger) < 0) {
		output_end(sql->output);
		if (options->format == OUTPUT_JSON)
			printf(",\"complete\":null,\"missing\":[]}\n");
		else if (options->format == OUTPUT_JSONL)
			printf("{\"completeness\":{\"complete\":null,\"missing\":[]}}\n");
		(void)fflush(stdout);
		(void)fprintf(stderr,
			      "-- the ledger cannot be read: what is missing is not known\n");
		return output_row_count(sql->output) > 0 ? EXIT_FOUND : EXIT_NOTHING;
	}
	sql->query.clocks = clocks_new(sql->query.ledger);
	if (!sql->query.clocks)
		return query_failed(&sql->query, -ENOMEM, "read");
	sql->query.index_lag = 0;
	if (next_event_no > 0 && (uint64_t)next_event_no < sql->query.ledger->end_event_no)
		sql->query.index_lag = sql->query.ledger->end_event_no - (uint64_t)next_event_no;
	r = query_window_all(&sql->query);
	if (r != 0)
		return r;
	r = query_end(&sql->query, sql->output, output_row_count(sql->output), 0);
	if (sql->wal_ignored)
		(void)fprintf(stderr, "-- the newest rows are in %s-wal, which you may not use\n",
			      sql->query.index_path);
	return r;
}

int cmd_sql(const struct options *options)
{
	struct sql sql = { 0 };
	const char *text = NULL;
	int r = query_init(&sql.query, options);

	if (r == 0)
		r = read_question(&sql, options, &text);
	if (r == 0)
		r = open_for_query(&sql, options);
	if (r == 0)
		r = prepare(&sql, text);
	if (r == 0)
		r = run(&sql, options);
	if (r == 0)
		r = finish(&sql, options);
	clean_up(&sql);
	query_clear(&sql.query);
	return r;
}
