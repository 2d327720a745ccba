/* cmd_status.c - what the ledger holds, how far the index is, whether somebody is recording. */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "query/event_text.h"
#include "query/query.h"
#include "schema/index_db.h"

struct status {
	struct query *query;
	uint64_t events, held_blocks, stored_bytes, sealed_events, lost_total;
	uint64_t disk_errors;    /* in what the ring holds */
	struct event disk_error; /* the last one; event_no 0: none */
	uint32_t disk_error_boot;
	struct event start, stop; /* the last ones; event_no 0: none */
	uint32_t start_boot, stop_boot;
	uint64_t start_block_no;
	/* Words of the last start's note: how it reads programs, what becomes of their command lines. */
	char exec_lane[16], argv[16];
	uint64_t index_next_event_no, index_bytes;
	uint64_t redactions;             /* in the index */
	bool index_known, index_foreign; /* of another version */
	int running;                     /* 1, 0, or -errno: not known */
};

/* The last start and stop stand near the end: spans are read from the newest on until both are found. */
static int find_last_facts(struct status *status)
{
	struct ledger *ledger = status->query->ledger;
	const uint64_t bits = UINT64_C(1) << EVENT_START | UINT64_C(1) << EVENT_STOP;

	for (size_t i = ledger->span_count; i-- > 0 && status->start.event_no == 0;) {
		struct ledger_span *span = ledger_span(ledger, i);
		int r;

		if (!(span->kind_bits & bits))
			continue;
		r = ledger_facts(ledger, span);
		if (r < 0)
			return r;
		for (size_t f = span->fact_count; f-- > 0;) {
			const struct event *event = &span->facts[f].event;

			if (event->kind == EVENT_STOP && status->stop.event_no == 0) {
				status->stop = *event;
				status->stop_boot = span->boot_no;
			} else if (event->kind == EVENT_START && status->start.event_no == 0) {
				status->start = *event;
				status->start_boot = span->boot_no;
				status->start_block_no = span->block_no;
			}
		}
	}
	return 0;
}

/* Disk errors are rare: all blocks that have one are read. */
static int add_disk_errors(struct status *status, struct ledger_span *span)
{
	int r = span->kind_bits & UINT64_C(1) << EVENT_DISK_ERROR
			? ledger_facts(status->query->ledger, span)
			: 0;

	for (size_t f = 0; f < span->fact_count && r == 0; f++) {
		const struct event *event = &span->facts[f].event;

		if (event->kind != EVENT_DISK_ERROR)
			continue;
		status->disk_errors += event->arg[2];
		status->disk_error = *event;
		status->disk_error_boot = span->boot_no;
	}
	return r;
}

/* The value of "name=" in a note.  False: there is none, or it does not fit. */
static bool note_value(const struct detail_field *note, const char *name, char *out, size_t bytes)
{
	const size_t name_bytes = strlen(name);
	const uint8_t *at = note->data, *end = at ? at + note->bytes : at;

	while (at < end) {
		const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t line_bytes = (size_t)((line_end ? line_end : end) - at);

		if (line_bytes > name_bytes && memcmp(at, name, name_bytes) == 0 &&
		    at[name_bytes] == '=' && line_bytes - name_bytes <= bytes) {
			memcpy(out, at + name_bytes + 1, line_bytes - name_bytes - 1);
			out[line_bytes - name_bytes - 1] = '\0';
			return true;
		}
		at += line_bytes + 1;
	}
	return false;
}

/* What the last start says of itself.  0, also when it cannot be read any more; -ENOMEM. */
static int ask_start(struct status *status)
{
	struct ring_cursor *cursor =
		ring_cursor_new(status->query->ledger->ring, status->start_block_no);
	struct event_filter only_starts = EVENT_FILTER_ALL;
	const struct event *event;
	struct detail detail;
	uint64_t from, to;
	int r;

	if (!cursor)
		return -ENOMEM;
	only_starts.kinds = UINT64_C(1) << EVENT_START;
	ring_cursor_set_filter(cursor, &only_starts);
	ring_cursor_set_end(cursor, status->start.event_no + 1);
	while ((r = ring_next(cursor, &event, &from, &to)) >= 0 && r != RING_END) {
		const struct detail_field *note = &detail.field[DETAIL_NOTE];

		if (r != 0 || event->event_no != status->start.event_no ||
		    detail_unpack(event->detail, event->detail_bytes, &detail) < 0)
			continue;
		(void)note_value(note, "exec_lane", status->exec_lane, sizeof(status->exec_lane));
		(void)note_value(note, "argv", status->argv, sizeof(status->argv));
	}
	ring_cursor_free(cursor);
	return r == -ENOMEM ? r : 0;
}

static int add_up(struct status *status)
{
	struct ledger *ledger = status->query->ledger;
	int r = 0;

	for (size_t i = 0; i < ledger->span_count && r == 0; i++) {
		struct ledger_span *span = ledger_span(ledger, i);

		r = add_disk_errors(status, span);
		status->events += span->event_count;
		if (!span->tail) {
			status->held_blocks += !span->hole;
			status->sealed_events += span->event_count;
			status->stored_bytes += span->stored_bytes;
			status->lost_total = span->lost_total;
			continue;
		}
		for (size_t f = 0; f < span->fact_count; f++) {
			if (span->facts[f].event.kind == EVENT_LOST)
				status->lost_total += span->facts[f].event.arg[0];
		}
	}
	return r < 0 ? r : find_last_facts(status);
}

/* The index's own word on how far it is.  0, also when there is none or it cannot be read; -ENOMEM. */
static int ask_index(struct status *status)
{
	struct stat file;
	char path[PATH_MAX + 128];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int result;

	if (stat(status->query->index_path, &file) < 0)
		return 0;
	status->index_bytes = (uint64_t)file.st_size;
	(void)snprintf(path, sizeof(path), "%s-wal", status->query->index_path);
	if (stat(path, &file) == 0)
		status->index_bytes += (uint64_t)file.st_size;
	result = sqlite3_open_v2(status->query->index_path, &db, SQLITE_OPEN_READONLY, NULL);
	status->index_foreign = result == SQLITE_OK && index_check(db) == -EPROTONOSUPPORT;
	if (result == SQLITE_OK && !status->index_foreign)
		result = sqlite3_prepare_v2(
			db,
			"SELECT value, (SELECT ifnull(sum(redactions), 0) FROM image "
			"WHERE redactions IS NOT NULL) "
			"FROM meta WHERE key = 'next_event_no'",
			-1, &statement, NULL);
	if (statement)
		result = sqlite3_step(statement);
	if (result == SQLITE_ROW) {
		status->index_next_event_no = (uint64_t)sqlite3_column_int64(statement, 0);
		status->redactions = (uint64_t)sqlite3_column_int64(statement, 1);
		status->index_known = true;
	}
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(db);
	/* SQLite calls it an I/O error as well when memory runs out in opening a file. */
	return result == SQLITE_NOMEM || result == SQLITE_IOERR_NOMEM ? -ENOMEM : 0;
}

static uint64_t index_lag(const struct status *status)
{
	uint64_t end = status->query->ledger->end_event_no;

	return status->index_next_event_no < end ? end - status->index_next_event_no : 0;
}

static double bytes_per_event(const struct status *status)
{
	return status->sealed_events > 0
		       ? (double)status->stored_bytes / (double)status->sealed_events
		       : 0;
}

/* --- text --- */

static void say_time(struct status *status, const char *label, uint32_t boot_no, uint64_t ns)
{
	char time[WHEN_TEXT_BYTES];

	query_time(status->query, boot_no, ns, 6, time);
	printf("%-14s %s\n", label, time);
}

static void say_fact(struct status *status, const char *label, const struct event *event,
		     uint32_t boot_no)
{
	if (event->event_no == 0)
		printf("%-14s none\n", label);
	else
		say_time(status, label, boot_no, event->timestamp_ns);
}

static void say_disk_errors(struct status *status)
{
	char time[WHEN_TEXT_BYTES];

	if (status->disk_errors == 0)
		return;
	query_time(status->query, status->disk_error_boot, status->disk_error.timestamp_ns, 6,
		   time);
	printf("%-14s %" PRIu64 ", the last one %s: %s\n", "disk errors", status->disk_errors, time,
	       disk_error_words(status->disk_error.arg[0]));
}

static void say_size(const char *label, uint64_t bytes, const char *note)
{
	static const char units[] = "BKMGTPE";
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 1024 && units[unit + 1]) {
		size /= 1024;
		unit++;
	}
	if (unit == 0)
		printf("%-14s %" PRIu64 " bytes%s\n", label, bytes, note);
	else
		printf("%-14s %.1f %ciB%s\n", label, size, units[unit], note);
}

/* What to expect of program and arguments where they are read so (recorder/exec_lane.h). */
static const char *exec_lane_sentence(const char *word)
{
	static const struct {
		const char *word, *sentence;
	} lanes[] = {
		{ "fifo", "read before a program's first instruction (SCHED_FIFO)" },
		{ "nice", "read soon (nice -20, no CAP_SYS_NICE): programs that live for less than "
			  "a millisecond may miss them" },
		{ "default", "read soon (no CAP_SYS_NICE): programs that live for less than some "
			     "milliseconds may miss them" },
		{ "none", "read late: programs that live for less than some milliseconds mostly "
			  "miss them" },
	};

	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		if (strcmp(word, lanes[i].word) == 0)
			return lanes[i].sentence;
	return word;
}

static void say_command_lines(const struct status *status)
{
	if (strcmp(status->argv, "none") == 0)
		printf("%-14s not recorded (--argv none)\n", "command lines");
	else if (strcmp(status->argv, "full") == 0)
		printf("%-14s recorded with the secrets in them (--argv full)\n", "command lines");
	else if (status->argv[0])
		printf("%-14s recorded without secrets\n", "command lines");
	if (status->redactions > 0)
		printf("%-14s %" PRIu64 " taken out of command lines\n", "secrets",
		       status->redactions);
}

/* Words from the command line or the ring. */
static void say_escaped(const char *label, const char *words)
{
	printf("%-14s ", label);
	output_escaped(stdout, words, strlen(words));
	printf("\n");
}

static void say_ring(struct status *status)
{
	const struct ledger *ledger = status->query->ledger;
	const struct ring_superblock *super = ring_super(ledger->ring);
	uint64_t missing = query_bytes_missing(status->query);
	char note[64] = "";

	if (status->query->options->from_ring)
		say_escaped("ring file", status->query->options->from_ring);
	else
		say_escaped("store", status->query->options->store);
	printf("%-14s %s\n", "recorder",
	       status->running == 1   ? "running"
	       : status->running == 0 ? "not running"
				      : "not known");
	if (missing > 0)
		(void)snprintf(note, sizeof(note), ", of which %" PRIu64 " bytes are not there",
			       missing);
	say_size("ring", super->file_bytes, note);
	printf("%-14s %" PRIu64 " of %" PRIu32 "\n", "blocks", status->held_blocks,
	       super->slot_count);
	if (ledger->span_count == 0) {
		printf("%-14s none\n", "events");
		return;
	}
	printf("%-14s %" PRIu64 ", numbers %" PRIu64 " to %" PRIu64 ", %" PRIu64
	       " of them staged\n",
	       "events", status->events, ledger_span(ledger, 0)->first_event_no,
	       ledger->end_event_no - 1, status->events - status->sealed_events);
	printf("%-14s %.2f in blocks\n", "bytes an event", bytes_per_event(status));
	printf("%-14s %zu, numbers %" PRIu32 " to %" PRIu32 "\n", "boots", ledger->boot_count,
	       ledger->boots[0].boot_no, ledger->boots[ledger->boot_count - 1].boot_no);
	say_time(status, "oldest event", ledger->boots[0].boot_no, ledger->boots[0].ts_min_ns);
	say_time(status, "newest event", ledger->boots[ledger->boot_count - 1].boot_no,
		 ledger->boots[ledger->boot_count - 1].ts_max_ns);
	printf("%-14s %" PRIu64 "\n", "lost events", status->lost_total);
	say_disk_errors(status);
	say_fact(status, "last start", &status->start, status->start_boot);
	say_fact(status, "last stop", &status->stop, status->stop_boot);
	if (status->exec_lane[0])
		say_escaped("exec details", exec_lane_sentence(status->exec_lane));
	say_command_lines(status);
}

static void say_index(const struct status *status)
{
	char note[96];

	if (status->query->options->from_ring)
		return; /* an index beside a ring from elsewhere says nothing */
	if (!status->index_known) {
		printf("%-14s %s\n", "index",
		       status->index_foreign
			       ? "of another version: 'procledger reindex' makes it anew"
		       : status->index_bytes > 0 ? "cannot be read"
						 : "none: 'procledger reindex' makes it");
		return;
	}
	if (index_lag(status) > 0)
		(void)snprintf(note, sizeof(note), ", %" PRIu64 " events behind",
			       index_lag(status));
	else
		(void)snprintf(note, sizeof(note), ", up to date");
	say_size("index", status->index_bytes, note);
}

/* --- JSON --- */

static void json_fact(struct status *status, const char *name, const struct event *event,
		      uint32_t boot_no)
{
	uint64_t wall_ns;

	if (event->event_no == 0) {
		printf(",\"%s\":null", name);
		return;
	}
	printf(",\"%s\":{\"event_no\":%" PRIu64 ",\"boot\":%" PRIu32 ",\"timestamp_ns\":%" PRIu64
	       ",\"wall_ns\":",
	       name, event->event_no, boot_no, event->timestamp_ns);
	if (clocks_wall(status->query->clocks, boot_no, event->timestamp_ns, &wall_ns) == 0)
		printf("%" PRIu64 "}", wall_ns);
	else
		printf("null}");
}

/* "": null. */
static void json_word(const char *name, const char *word)
{
	printf(",\"%s\":", name);
	if (word[0])
		(void)output_json_string(stdout, word, strlen(word));
	else
		printf("null");
}

static void json_status(struct status *status)
{
	const struct ledger *ledger = status->query->ledger;
	const struct ring_superblock *super = ring_super(ledger->ring);
	uint64_t first = ledger->span_count ? ledger_span(ledger, 0)->first_event_no : 0;

	printf("{\"store\":");
	(void)output_json_string(stdout, status->query->options->store,
				 strlen(status->query->options->store));
	printf(",\"recorder_running\":%s", status->running == 1   ? "true"
					   : status->running == 0 ? "false"
								  : "null");
	printf(",\"ring_bytes\":%" PRIu64 ",\"ring_bytes_missing\":%" PRIu64
	       ",\"slot_count\":%" PRIu32 ",\"blocks\":%" PRIu64,
	       super->file_bytes, query_bytes_missing(status->query), super->slot_count,
	       status->held_blocks);
	printf(",\"events\":%" PRIu64 ",\"staged_events\":%" PRIu64 ",\"first_event_no\":%" PRIu64
	       ",\"next_event_no\":%" PRIu64,
	       status->events, status->events - status->sealed_events, first, ledger->end_event_no);
	printf(",\"stored_bytes\":%" PRIu64 ",\"bytes_per_event\":%.3f,\"lost_total\":%" PRIu64,
	       status->stored_bytes, bytes_per_event(status), status->lost_total);
	printf(",\"disk_errors\":%" PRIu64, status->disk_errors);
	json_fact(status, "last_disk_error", &status->disk_error, status->disk_error_boot);
	json_fact(status, "last_start", &status->start, status->start_boot);
	json_fact(status, "last_stop", &status->stop, status->stop_boot);
	json_word("exec_lane", status->exec_lane);
	json_word("argv", status->argv);
	if (status->index_known)
		printf(",\"index_next_event_no\":%" PRIu64 ",\"index_lag\":%" PRIu64
		       ",\"index_bytes\":%" PRIu64 ",\"redactions\":%" PRIu64,
		       status->index_next_event_no, index_lag(status), status->index_bytes,
		       status->redactions);
	else
		printf(",\"index_next_event_no\":null,\"index_lag\":null,\"index_bytes\":null"
		       ",\"redactions\":null");
	if (status->query->options->format == OUTPUT_JSONL)
		printf("}\n");
}

int cmd_status(const struct options *options)
{
	struct query query;
	struct status status = { .query = &query };
	int r = query_open(&query, options);

	if (r == 0 && options->format == OUTPUT_CSV)
		r = complain(EXIT_USAGE, "status is no table: -o text, json or jsonl");
	if (r == 0)
		r = query_window_all(&query);
	if (r == 0) {
		int error = add_up(&status);

		if (error == 0 && status.start.event_no != 0)
			error = ask_start(&status);
		if (error == 0)
			error = ask_index(&status);
		if (error < 0)
			r = query_failed(&query, error, "read");
	}
	if (r == 0) {
		status.running = query_recorder_runs(&query);
		if (status.running == -ENOMEM)
			r = query_failed(&query, -ENOMEM, "read");
	}
	if (r == 0) {
		if (options->format == OUTPUT_TEXT) {
			say_ring(&status);
			say_index(&status);
		} else {
			json_status(&status);
		}
		r = query_end(&query, NULL, 1, 0);
	}
	query_clear(&query);
	return r;
}

const char help_status[] = "  procledger status -o json | jq .lost_total\n";
