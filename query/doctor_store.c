/* doctor_store.c - see doctor.h: whether what was recorded is well. */
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "query/doctor.h"
#include "query/index_query.h"
#include "schema/detail.h"
#include "schema/index_db.h"

enum {
	EXECS_MIN = 20, /* fewer tell nothing of how well programs are read */
	EXECS_GOOD_PERCENT = 95,
	LAG_WARN_EVENTS = 200000, /* a second of a storm */
	SPACE_WARN_PERCENT = 5,
	READ_AT_MOST_S = 5, /* of the ledger: some gibibytes */
};
#define SPACE_WARN_BYTES (UINT64_C(256) << 20)

static void check_space(struct doctor *doctor)
{
	const char *store = doctor->query.options->store;
	struct statvfs space;
	uint64_t free_bytes, all_bytes;

	if (statvfs(store, &space) < 0) {
		doctor_tell(doctor, "space", VERDICT_WARN,
			    "make the folder, or choose another with --store", "%s: %s", store,
			    strerror(errno));
		return;
	}
	free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	all_bytes = (uint64_t)space.f_blocks * space.f_frsize;
	if (free_bytes < SPACE_WARN_BYTES || free_bytes / SPACE_WARN_PERCENT * 100 < all_bytes)
		doctor_tell(doctor, "space", VERDICT_WARN,
			    "the ring has its room already; the index stops when there is none: "
			    "make some",
			    "%" PRIu64 " MiB free beside the ring", free_bytes >> 20);
	else
		doctor_tell(doctor, "space", VERDICT_OK, NULL,
			    "%" PRIu64 " MiB free beside the ring", free_bytes >> 20);
}

/* Where the index is, or -1: there is none of this version, or it cannot be read. */
static int64_t index_next(const struct doctor *doctor)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t next = -1;

	if (sqlite3_open_v2(doctor->query.index_path, &db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(db, 1000) == SQLITE_OK && index_check(db) == 0 &&
	    sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = 'next_event_no'", -1,
			       &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		next = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(db);
	return next;
}

static void check_index(struct doctor *doctor)
{
	int64_t next = index_next(doctor);
	uint64_t end = doctor->query.ledger->end_event_no, lag;

	if (next < 0) {
		doctor_tell(doctor, "index", VERDICT_WARN,
			    "'procledger reindex' makes it from the ledger",
			    "there is none of this version that can be read: sql and report cannot "
			    "answer");
		return;
	}
	lag = (uint64_t)next < end ? end - (uint64_t)next : 0;
	if (lag > LAG_WARN_EVENTS || (lag > 0 && doctor->recorder == 0))
		doctor_tell(doctor, "index", VERDICT_WARN,
			    doctor->recorder == 0
				    ? "'procledger reindex' makes it anew"
				    : "wait; or see its last error in the recorder's log",
			    "it lacks the newest %" PRIu64 " events", lag);
	else
		doctor_tell(doctor, "index", VERDICT_OK, NULL, "it lacks %" PRIu64 " events", lag);
}

/* Of the newest blocks' EXECs: how many came with the program. */
static void check_programs(struct doctor *doctor)
{
	struct ledger *ledger = doctor->query.ledger;
	const struct event_filter filter = { .kinds = UINT64_C(1) << EVENT_EXEC,
					     .to_ns = UINT64_MAX };
	size_t last = ledger->span_count - 1, first = last > 1 ? last - 1 : 0;
	uint64_t execs = 0, with_program = 0;
	const struct event *event;
	struct ledger_walk walk;
	struct detail detail;
	int r = ledger_walk_init(&walk, ledger, first, last);

	if (r == 0)
		ledger_walk_set_filter(&walk, &filter);
	while (r == 0 && (r = ledger_walk_next(&walk, &event)) == 0) {
		execs++;
		with_program += event->detail_bytes > 0 &&
				detail_unpack(event->detail, event->detail_bytes, &detail) == 0 &&
				detail_known(&detail.field[DETAIL_EXE]);
	}
	ledger_walk_clear(&walk);
	if (execs < EXECS_MIN)
		doctor_tell(doctor, "programs", VERDICT_OK, NULL,
			    "too few programs were run lately to tell how many are read in time");
	else if (with_program * 100 < execs * EXECS_GOOD_PERCENT)
		doctor_tell(
			doctor, "programs", VERDICT_WARN,
			"give the recorder CAP_SYS_NICE, so that it reads them the moment they run",
			"of the last %" PRIu64 " programs run %" PRIu64 " %% were read in time",
			execs, with_program * 100 / execs);
	else
		doctor_tell(doctor, "programs", VERDICT_OK, NULL,
			    "of the last %" PRIu64 " programs run %" PRIu64 " %% were read in time",
			    execs, with_program * 100 / execs);
}

/* What the index was made without, at whatever time that was. */
static int note_index_damage(struct doctor *doctor)
{
	sqlite3 *db = NULL;
	int r = 0;

	if (sqlite3_open_v2(doctor->query.index_path, &db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK)
		r = index_note_damage(db, doctor->query.ledger);
	(void)sqlite3_close(db);
	return r;
}

/* Reads blocks whole, the newest first, for as long as anybody likes to wait: what is damaged is in ledger->damage then.
 * 0: *ret_count of them were read; -errno. */
static int read_blocks(struct ledger *ledger, size_t *ret_count)
{
	struct timespec begin, now;
	size_t i = ledger->span_count;
	int r = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	now = begin;
	while (i > 0 && r == 0 && now.tv_sec - begin.tv_sec < READ_AT_MOST_S) {
		r = ledger_read_span(ledger, ledger_span(ledger, --i));
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	}
	*ret_count = ledger->span_count - i;
	return r;
}

static int find_damage(struct doctor *doctor, size_t *ret_read)
{
	struct query *query = &doctor->query;
	int r;

	query->clocks = clocks_new(query->ledger);
	r = query->clocks ? read_blocks(query->ledger, ret_read) : -ENOMEM;
	if (r == 0)
		r = note_index_damage(doctor);
	if (r == 0 && query_window_all(query) != 0)
		r = -ENOMEM;
	if (r == 0)
		r = completeness_init(&query->completeness, query->ledger, query->clocks,
				      &query->window, 0);
	query->completeness_known = r == 0;
	return r;
}

static void tell_ledger(struct doctor *doctor, size_t read)
{
	const struct ledger *ledger = doctor->query.ledger;
	uint64_t cut_bytes = query_bytes_missing(&doctor->query), damaged = 0;

	for (size_t i = 0; i < ledger->damage_count; i++)
		damaged += ledger->damage[i].to_no - ledger->damage[i].from_no;
	if (cut_bytes > 0)
		doctor_tell(doctor, "ledger", VERDICT_FAIL,
			    "copy it once more; a recorder needs it moved away",
			    "the file is cut short: %" PRIu64 " of its %" PRIu64
			    " bytes are not there",
			    cut_bytes, ring_super(ledger->ring)->file_bytes);
	else if (damaged > 0)
		doctor_tell(doctor, "ledger", VERDICT_WARN, "look after the disk",
			    "%" PRIu64 " event%s cannot be read (damaged)", damaged,
			    damaged == 1 ? "" : "s");
	else if (ledger->span_count == 0)
		doctor_tell(doctor, "ledger", VERDICT_WARN, "start procledgerd",
			    "it holds nothing");
	else if (read < ledger->span_count)
		doctor_tell(doctor, "ledger", VERDICT_OK, NULL,
			    "%zu blocks, the newest %zu were read: none damaged",
			    ledger->span_count, read);
	else
		doctor_tell(doctor, "ledger", VERDICT_OK, NULL, "%zu blocks, none damaged", read);
}

/* Behind a damaged block more may have been told of. */
static void tell_losses(struct doctor *doctor)
{
	const struct completeness *completeness = &doctor->query.completeness;
	bool whole =
		query_bytes_missing(&doctor->query) == 0 && doctor->query.ledger->damage_count == 0;
	uint64_t lost = 0;

	for (size_t i = 0; i < completeness->count; i++) {
		if (completeness->missing[i].reason == MISSING_LOST)
			lost += completeness->missing[i].count;
	}
	if (lost > 0)
		doctor_tell(doctor, "losses", VERDICT_WARN, "'procledger report losses' tells when",
			    "%" PRIu64 " events of what it holds were lost", lost);
	else if (doctor->query.ledger->span_count == 0)
		doctor_tell(doctor, "losses", VERDICT_WARN, NULL,
			    "not known: nothing was recorded");
	else if (!whole)
		doctor_tell(doctor, "losses", VERDICT_WARN, NULL,
			    "no event was lost of what can be read of it");
	else
		doctor_tell(doctor, "losses", VERDICT_OK, NULL,
			    "no event of what it holds was lost");
}

static void check_losses(struct doctor *doctor)
{
	size_t read = 0;
	int r = find_damage(doctor, &read);

	if (r < 0) {
		doctor_tell(doctor, "ledger", VERDICT_WARN, "ask once more",
			    "it cannot be read: %s", strerror(-r));
		return;
	}
	tell_ledger(doctor, read);
	tell_losses(doctor);
}

void doctor_check_store(struct doctor *doctor)
{
	const char *path = doctor->query.ring_path;
	int r;

	check_space(doctor);
	r = ledger_open(path, &doctor->query.ledger);
	if (r == -ENOENT) {
		doctor_tell(doctor, "ledger", VERDICT_WARN,
			    "procledgerd makes it when it is started", "there is none in %s",
			    doctor->query.options->store);
		return;
	}
	if (r < 0) {
		doctor_tell(doctor, "ledger", r == -EACCES ? VERDICT_WARN : VERDICT_FAIL,
			    r == -EACCES ? "ask as its owner or as one of its group"
					 : "move it away: procledgerd makes another",
			    "%s: %s", path,
			    r == -EBADMSG ? "not a ring, or damaged beyond use" : strerror(-r));
		return;
	}
	check_losses(doctor);
	check_index(doctor);
	if (doctor->query.ledger->span_count > 0)
		check_programs(doctor);
}
