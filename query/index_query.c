#include "query/index_query.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "query/escape.h"
#include "query/sql_functions.h"
#include "schema/cleanup.h"
#include "schema/index_db.h"
#include "schema/json.h"
#include "schema/project.h"

enum {
	VALUE_MAX_BYTES = 1000000,
	TIMEOUT_DEFAULT_S = 30,
	STEPS_BETWEEN_LOOKS = 10000, /* of SQLite's machine */
	LOOK_EVERY_MS = 20,          /* at how far the index is */
	LOOKS_MAX = 50,
};
#define MEMORY_DEFAULT_BYTES (INT64_C(256) << 20)
#define MEMORY_MIN_BYTES     (INT64_C(1) << 20)

static void forget_statement(struct index_query *ask)
{
	output_free(ask->output);
	if (ask->columns && ask->statement) {
		for (int i = 0; i < sqlite3_column_count(ask->statement); i++)
			free((void *)(uintptr_t)ask->columns[i].name);
	}
	free(ask->columns);
	(void)sqlite3_finalize(ask->statement);
	ask->output = NULL;
	ask->columns = NULL;
	ask->statement = NULL;
}

void index_query_close(struct index_query *ask)
{
	forget_statement(ask);
	(void)sqlite3_close(ask->db);
	ask->db = NULL;
	query_clear(&ask->query);
}

/* --- what is allowed --- */

/* SELECT, and functions that only compute; the schema's views need no more. */
static int authorize(void *context, int action, const char *one, const char *two, const char *three,
		     const char *four)
{
	static const char *const denied[] = { "load_extension", "readfile", "writefile", "edit",
					      "fts3_tokenizer", "zeroblob", "randomblob" };
	static const char *const told[] = { "table_info", "table_xinfo", "table_list", "index_list",
					    "index_info" };

	(void)context;
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
	case SQLITE_PRAGMA: /* those that tell of tables */
		for (size_t i = 0; one && i < sizeof(told) / sizeof(told[0]); i++) {
			if (sqlite3_stricmp(one, told[i]) == 0)
				return SQLITE_OK;
		}
		return SQLITE_DENY;
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
	struct index_query *ask = context;

	ask->out_of_time = monotonic_ns() > ask->deadline_ns;
	return ask->out_of_time;
}

static void confine(struct index_query *ask)
{
	static const struct {
		int limit, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES },
		{ SQLITE_LIMIT_SQL_LENGTH, INDEX_QUERY_MAX_BYTES },
		{ SQLITE_LIMIT_EXPR_DEPTH, 100 },
		{ SQLITE_LIMIT_VDBE_OP, 25000 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	(void)sqlite3_exec(ask->db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;", NULL, NULL,
			   NULL);
	(void)sqlite3_db_config(ask->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* The views of index.sql use functions of JSON, which SQLite 3.40 does not count as harmless; the authorizer has the last word on any. */
	(void)sqlite3_db_config(ask->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
	(void)sqlite3_db_config(ask->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(ask->db, limits[i].limit, limits[i].value);
	(void)sqlite3_hard_heap_limit64(ask->memory_bytes);
	(void)sqlite3_busy_timeout(ask->db, 2000);
	(void)sqlite3_set_authorizer(ask->db, authorize, NULL);
	sqlite3_progress_handler(ask->db, STEPS_BETWEEN_LOOKS, look_at_clock, ask);
}

/* --- opening --- */

/* A number with a unit of two choices: '10' 's', '64M'. */
static int read_limits(struct index_query *ask, const struct options *options)
{
	static const char units[] = "KMG";
	char *end = NULL;
	uint64_t number;

	ask->timeout_s = TIMEOUT_DEFAULT_S;
	ask->memory_bytes = MEMORY_DEFAULT_BYTES;
	if (options->timeout) {
		number = strtoull(options->timeout, &end, 10);
		if (end == options->timeout || (*end && strcmp(end, "s") != 0) || number == 0 ||
		    number > 86400 || options->timeout[0] == '-')
			return complain(EXIT_USAGE,
					"--timeout is seconds, from 1 to 86400, not '%s'",
					options->timeout);
		ask->timeout_s = (unsigned)number;
	}
	if (options->memory) {
		const char *unit;

		number = strtoull(options->memory, &end, 10);
		unit = *end ? strchr(units, *end) : NULL;
		if (unit && !end[1] && number < UINT64_C(1) << 30)
			number <<= 10 * (unit - units + 1);
		if (end == options->memory || (*end && (!unit || end[1])) ||
		    options->memory[0] == '-' || number < MEMORY_MIN_BYTES || number > INT64_MAX)
			return complain(EXIT_USAGE, "--memory is a size of 1M or more, not '%s'",
					options->memory);
		ask->memory_bytes = (int64_t)number;
	}
	return 0;
}

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

static int open_one(struct index_query *ask, const char *name, int flags)
{
	sqlite3_stmt *probe = NULL;
	int r;

	(void)sqlite3_close(ask->db);
	ask->db = NULL;
	r = sqlite3_open_v2(
		name, &ask->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE | flags, NULL);
	if (r == SQLITE_OK) /* nothing is read before this */
		r = sqlite3_prepare_v2(ask->db, "SELECT count(*) FROM sqlite_schema", -1, &probe,
				       NULL);
	if (r == SQLITE_OK && sqlite3_step(probe) != SQLITE_ROW)
		r = sqlite3_extended_errcode(ask->db);
	(void)sqlite3_finalize(probe);
	return r;
}

/* A WAL database wants to make its -shm file even to be read: where the folder is not ours to write and nobody has it open, it is read as
 * it lies, which is right as long as there is no WAL beside it. */
static int open_index(struct index_query *ask, const char *path)
{
	char wal[PATH_MAX + 8];
	auto_free char *uri = NULL;
	struct stat status;
	int r = open_one(ask, path, 0), primary = r & 0xff;

	if (primary != SQLITE_CANTOPEN && primary != SQLITE_READONLY && primary != SQLITE_PERM)
		return r;
	if (access(path, R_OK) < 0)
		return r;
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	ask->wal_ignored = stat(wal, &status) == 0 && status.st_size > 0;
	uri = immutable_uri(path);
	return uri ? open_one(ask, uri, SQLITE_OPEN_URI) : SQLITE_NOMEM;
}

/* A ring from elsewhere has no index that could be trusted: one is made of it, in memory, which does not count as the question's. */
static int open_ring(struct index_query *ask)
{
	const char *message = "";
	int r = projector_in_memory(ask->query.ring_path, &ask->db, &message);

	if (r == -ENOENT || r == -EACCES || r == -EBADMSG || r == -EPROTONOSUPPORT)
		return query_failed(&ask->query, r, "open");
	if (r < 0)
		return complain(EXIT_ERROR, "cannot make an index of %s: %s", ask->query.ring_path,
				message);
	ask->memory_bytes += sqlite3_memory_used();
	return 0;
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

/* Tables that functions make declare themselves when they are first named, in words that the authorizer would not let pass. */
static int functions_make(sqlite3 *db, const struct when_here *here)
{
	sqlite3_stmt *first = NULL;
	int r = sql_functions_register(db, here);

	if (r == SQLITE_OK)
		r = sqlite3_prepare_v2(
			db,
			"SELECT 1 FROM ancestors(0), descendants(0), json_each('[]'), "
			"json_tree('[]'), pragma_table_info(''), pragma_table_list",
			-1, &first, NULL);
	(void)sqlite3_finalize(first);
	return r;
}

static bool is_damage(int result)
{
	return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

static int damaged(const struct index_query *ask)
{
	return complain(
		EXIT_ERROR,
		"the index %s is damaged: 'procledger reindex' makes it anew from the ledger",
		ask->query.index_path);
}

/* What another version wrote would be asked through that version's views, and answer otherwise than the ledger. */
static int check_version(const struct index_query *ask)
{
	int r = index_check(ask->db);

	if (r == -EPROTONOSUPPORT)
		return complain(EXIT_ERROR,
				"the index %s is of another version of procledger: 'procledger "
				"reindex' makes it anew from the ledger",
				ask->query.index_path);
	return r == -EBADMSG ? damaged(ask) : 0; /* what else is wrong the question finds again */
}

int index_query_open(struct index_query *ask, const struct options *options)
{
	char path[PATH_MAX];
	int r;

	*ask = (struct index_query){ .format = options->format };
	r = query_init(&ask->query, options);
	if (r == 0)
		r = read_limits(ask, options);
	if (r == 0)
		r = options->from_ring ? open_ring(ask) : resolve(options, path);
	if (r != 0)
		return r;
	if (!ask->db && access(path, F_OK) < 0 && errno == ENOENT)
		return complain(EXIT_ERROR,
				"there is no index in %s: 'procledger reindex' makes it from the "
				"ledger",
				options->store);
	if (!ask->db && access(path, R_OK) < 0 && errno == EACCES)
		return query_failed(&ask->query, -EACCES, "open");
	r = ask->db ? SQLITE_OK : open_index(ask, path);
	if (is_damage(r))
		return damaged(ask);
	if (r != SQLITE_OK)
		return complain(EXIT_ERROR, "cannot open %s: %s", path,
				ask->db ? sqlite3_errmsg(ask->db) : sqlite3_errstr(r));
	r = check_version(ask);
	if (r != 0)
		return r;
	r = functions_make(ask->db, &ask->query.here);
	if (is_damage(r))
		return damaged(ask);
	if (r != SQLITE_OK)
		return complain(EXIT_ERROR, "cannot make the functions: %s", sqlite3_errstr(r));
	confine(ask);
	return 0;
}

/* --- the question --- */

int index_query_failed(struct index_query *ask)
{
	int code = sqlite3_errcode(ask->db) & 0xff;

	if (is_damage(code) && !ask->query.options->from_ring)
		return damaged(ask);
	if (ask->out_of_time)
		return complain(EXIT_ERROR, "the query took more than %u seconds and was stopped",
				ask->timeout_s);
	if (code == SQLITE_AUTH)
		return complain(EXIT_USAGE, "only SELECT is allowed here: %s",
				sqlite3_errmsg(ask->db));
	return complain(code == SQLITE_ERROR ? EXIT_USAGE : EXIT_ERROR, "%s",
			sqlite3_errmsg(ask->db));
}

int index_query_prepare(struct index_query *ask, const char *text, const char **ret_rest)
{
	forget_statement(ask);
	ask->out_of_time = false;
	ask->deadline_ns = monotonic_ns() + ask->timeout_s * UINT64_C(1000000000);
	if (sqlite3_prepare_v2(ask->db, text, -1, &ask->statement, ret_rest) != SQLITE_OK)
		return index_query_failed(ask);
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

static int make_output(struct index_query *ask)
{
	int count = sqlite3_column_count(ask->statement);

	ask->columns = calloc((size_t)count + 1, sizeof(*ask->columns));
	for (int i = 0; i < count && ask->columns; i++) {
		const char *name = sqlite3_column_name(ask->statement, i);

		ask->columns[i].name = column_name(ask->format, name ? name : "?");
		if (!ask->columns[i].name)
			return -ENOMEM;
	}
	if (!ask->columns)
		return -ENOMEM;
	return 0;
}

static void put_row(struct index_query *ask)
{
	sqlite3_stmt *statement = ask->statement;

	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const void *data;

		switch (sqlite3_column_type(statement, i)) {
		case SQLITE_INTEGER:
			output_signed(ask->output, sqlite3_column_int64(statement, i));
			break;
		case SQLITE_FLOAT:
			output_real(ask->output, sqlite3_column_double(statement, i));
			break;
		case SQLITE_NULL:
			output_null(ask->output);
			break;
		default: /* text may hold any bytes, like a blob */
			data = sqlite3_column_blob(statement, i);
			output_bytes(ask->output, data, (size_t)sqlite3_column_bytes(statement, i));
			break;
		}
	}
	output_row_end(ask->output);
}

int index_query_run(struct index_query *ask, const char *rows_name)
{
	int r = make_output(ask), step;

	if (r < 0)
		return complain(EXIT_ERROR, "out of memory");
	step = sqlite3_step(ask->statement);
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		return index_query_failed(ask); /* before anything is written */
	ask->output = output_new(stdout, ask->format, rows_name, ask->columns,
				 (size_t)sqlite3_column_count(ask->statement), "NULL");
	if (!ask->output)
		return complain(EXIT_ERROR, "out of memory");
	output_guess_numbers(ask->output);
	for (; step == SQLITE_ROW; step = sqlite3_step(ask->statement)) {
		put_row(ask);
		if (output_error(ask->output) < 0)
			return 0;
	}
	if (step != SQLITE_DONE) {
		output_end(ask->output);
		return index_query_failed(ask);
	}
	return 0;
}

/* --- how far the index reaches, and what it cannot know --- */

static int64_t ask_number(struct index_query *ask, const char *question)
{
	sqlite3_stmt *statement;
	int64_t number = -1;

	if (sqlite3_prepare_v2(ask->db, question, -1, &statement, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return number;
}

int index_note_damage(sqlite3 *db, struct ledger *ledger)
{
	sqlite3_stmt *rows = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(
		    db,
		    "SELECT (SELECT boot FROM boot WHERE first_event_no <= d.first_event_no "
		    "ORDER BY first_event_no DESC LIMIT 1), first_event_no, end_event_no, "
		    "coalesce(from_ns, to_ns), coalesce(to_ns, from_ns) FROM damage AS d",
		    -1, &rows, NULL) != SQLITE_OK)
		return 0; /* of an older version */
	while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
		struct ledger_damage damage = {
			.boot_no = (uint32_t)sqlite3_column_int64(rows, 0),
			.from_no = (uint64_t)sqlite3_column_int64(rows, 1),
			.to_no = (uint64_t)sqlite3_column_int64(rows, 2),
			.from_ns = (uint64_t)sqlite3_column_int64(rows, 3),
			.to_ns = (uint64_t)sqlite3_column_int64(rows, 4),
		};

		r = ledger_note_damage(ledger, &damage);
	}
	(void)sqlite3_finalize(rows);
	return r;
}

/* How many events that may be in the window the index lacks. */
static uint64_t index_lag(const struct index_query *ask)
{
	const struct ledger *ledger = ask->query.ledger;
	const struct window *window = &ask->query.window;
	uint64_t next = ask->next_event_no;

	for (size_t i = ledger->span_count; i-- > 0 && next > 0;) {
		const struct ledger_span *span = ledger_span(ledger, i);

		if (span->first_event_no + span->event_count <= next)
			break;
		if (!window->boots)
			return ledger->end_event_no - next;
		for (size_t b = 0; b < window->boot_count; b++) {
			const struct window_boot *boot = &window->boots[b];

			if (boot->boot->boot_no == span->boot_no &&
			    window_overlaps(boot, span->ts_min_ns, span->ts_max_ns))
				return ledger->end_event_no - next;
		}
	}
	return 0;
}

int index_query_catch_up(struct index_query *ask)
{
	static const struct timespec pause = { .tv_nsec = LOOK_EVERY_MS * 1000000L };
	int r = ask->query.ledger ? 0 : ledger_open(ask->query.ring_path, &ask->query.ledger);

	if (r == -ENOMEM)
		return query_failed(&ask->query, r, "read");
	for (unsigned looks = 0; ask->query.ledger; looks++) {
		int64_t next =
			ask_number(ask, "SELECT value FROM meta WHERE key = 'next_event_no'");

		ask->next_event_no = next > 0 ? (uint64_t)next : 0;
		ask->query.index_lag = index_lag(ask);
		if (ask->query.index_lag == 0 || looks == LOOKS_MAX ||
		    ask->query.options->from_ring || query_recorder_runs(&ask->query) != 1)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int index_query_finish(struct index_query *ask)
{
	int r = 0;

	/* The ledger tells what is missing; an index without its ledger still answers. */
	if (!ask->query.ledger) {
		output_end(ask->output);
		if (ask->format == OUTPUT_JSON)
			printf(",\"complete\":null,\"missing\":[]}\n");
		else if (ask->format == OUTPUT_JSONL)
			printf("{\"completeness\":{\"complete\":null,\"missing\":[]}}\n");
		(void)fflush(stdout);
		(void)fprintf(stderr,
			      "-- the ledger cannot be read: what is missing is not known\n");
		return output_row_count(ask->output) > 0 ? EXIT_FOUND : EXIT_NOTHING;
	}
	if (!ask->query.clocks)
		ask->query.clocks = clocks_new(ask->query.ledger);
	if (!ask->query.clocks)
		return query_failed(&ask->query, -ENOMEM, "read");
	r = index_note_damage(ask->db, ask->query.ledger);
	if (r < 0)
		return query_failed(&ask->query, r, "read");
	r = ask->query.window.boots ? 0 : query_window_all(&ask->query);
	if (r != 0)
		return r;
	r = query_end(&ask->query, ask->output, output_row_count(ask->output), 0);
	if (ask->wal_ignored)
		(void)fprintf(stderr, "-- the newest rows are in %s-wal, which you may not use\n",
			      ask->query.index_path);
	return r;
}
