/* test_project.c - the index equals the ring: live, after being killed in the middle, after wraps, and when rebuilt.
 *
 * Holds invariants 7 (a suffix from a keyframe explains itself) and 8 (live and rebuilt index are the same) of FORMAT.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "recorder/ring_writer.h"
#include "schema/cleanup.h"
#include "schema/detail.h"
#include "schema/project.h"
#include "schema/ring_core.h"
#include "tests/shell.h"
#include "tests/tap.h"

enum { TIDS = 400, STEP_EVENTS = 5000 };

/* A machine that makes events at random, but such as a kernel could send. */
struct machine {
	unsigned random;
	uint64_t now_ns;
	uint32_t seq[2];
	uint32_t pid_of[TIDS + 100]; /* by tid; 0: not alive */
	uint32_t next_tid;
};

static unsigned dice(struct machine *machine, unsigned sides)
{
	machine->random = machine->random * 1103515245u + 12345u;
	return (machine->random >> 8) % sides;
}

static uint32_t anyone(struct machine *machine)
{
	for (unsigned tries = 0; tries < TIDS; tries++) {
		uint32_t tid = 1 + dice(machine, TIDS);

		if (machine->pid_of[tid])
			return tid;
	}
	return 1;
}

static void machine_fork(struct machine *machine, struct event *event)
{
	uint32_t parent = anyone(machine), tid;
	bool thread = dice(machine, 4) == 0 && machine->pid_of[parent];

	do
		tid = 2 + machine->next_tid++ % (TIDS - 2);
	while (tid == parent || (machine->pid_of[tid] &&
				 dice(machine, 50) > 0)); /* now and then a number still in use */
	event->kind = EVENT_FORK;
	event->tid = tid;
	event->pid = thread ? machine->pid_of[parent] : tid;
	event->ppid = thread ? 1 : machine->pid_of[parent] ? machine->pid_of[parent] : 1;
	event->ptid = thread ? 1 : parent;
	machine->pid_of[tid] = event->pid;
}

static void machine_exit(struct machine *machine, struct event *event)
{
	event->kind = EVENT_EXIT;
	event->tid = dice(machine, 200) == 0 ? 1 + dice(machine, TIDS) : anyone(machine);
	event->pid = machine->pid_of[event->tid] ? machine->pid_of[event->tid] : event->tid;
	event->ppid = event->ptid = dice(machine, 3) ? 1 : 0;
	event->arg[0] = dice(machine, 3) ? 0 : 0x100u * dice(machine, 256);
	event->arg[1] = event->pid == event->tid ? 17 : UINT32_MAX;
	machine->pid_of[event->tid] = 0;
}

/* What /proc would say at an exec: mostly new text, so that blocks fill. */
static void machine_exec(struct machine *machine, struct event *event, uint8_t *buffer,
			 size_t capacity)
{
	struct detail detail = { 0 };
	char argv[300], comm[16], cgroup[64];
	uint8_t ids[16] = { 0 };
	size_t bytes;

	for (size_t i = 0; i < sizeof(argv); i++)
		argv[i] = (char)dice(machine, 256);
	(void)snprintf(comm, sizeof(comm), "prog%u", dice(machine, 50));
	ids[0] = (uint8_t)dice(machine, 3);
	(void)snprintf(cgroup, sizeof(cgroup), "/system.slice/unit%u.service",
		       (unsigned)(machine->now_ns >> 24) + dice(machine, 3));
	detail.field[DETAIL_CGROUP] =
		(struct detail_field){ (const uint8_t *)cgroup, (uint32_t)strlen(cgroup),
				       DETAIL_READ };
	detail.field[DETAIL_EXE] =
		(struct detail_field){ (const uint8_t *)"/bin/prog", 9, DETAIL_READ };
	detail.field[DETAIL_ARGV] = (struct detail_field){ (const uint8_t *)argv,
							   20 + dice(machine, 280), DETAIL_READ };
	detail.field[DETAIL_CWD] = (struct detail_field){ NULL, 0, DETAIL_GONE };
	detail.field[DETAIL_IDS] = (struct detail_field){ ids, sizeof(ids), DETAIL_READ };
	detail.field[DETAIL_COMM] =
		(struct detail_field){ (const uint8_t *)comm, (uint32_t)strlen(comm), DETAIL_READ };
	event->kind = EVENT_EXEC;
	event->tid = machine->pid_of[anyone(machine)];
	event->tid = event->tid ? event->tid : 1;
	event->pid = event->tid;
	if (detail_pack(&detail, buffer, capacity, &bytes) == 0) {
		event->detail = buffer;
		event->detail_bytes = (uint32_t)bytes;
	}
}

static void machine_named(struct machine *machine, struct event *event)
{
	static const uint8_t kinds[] = { EVENT_COMM, EVENT_UID,    EVENT_GID,
					 EVENT_SID,  EVENT_PTRACE, EVENT_COREDUMP };

	event->kind = kinds[dice(machine, sizeof(kinds))];
	event->tid = anyone(machine);
	event->pid = machine->pid_of[event->tid] ? machine->pid_of[event->tid] : event->tid;
	if (event->kind == EVENT_COMM)
		(void)snprintf(event->comm, sizeof(event->comm), "name%u", dice(machine, 20));
	else if (event->kind == EVENT_COREDUMP)
		event->ppid = event->ptid = 1;
	else if (event->kind != EVENT_SID)
		event->arg[0] = event->arg[1] = dice(machine, 5);
}

static void machine_next(struct machine *machine, struct event *event, uint8_t *buffer,
			 size_t capacity)
{
	unsigned what = dice(machine, 1000);

	*event = (struct event){ .cpu = dice(machine, 2) };
	machine->now_ns += 1 + dice(machine, 100000);
	event->timestamp_ns = machine->now_ns;
	event->seq = ++machine->seq[event->cpu];
	if (what < 350)
		machine_fork(machine, event);
	else if (what < 680)
		machine_exit(machine, event);
	else if (what < 850)
		machine_exec(machine, event, buffer, capacity);
	else if (what < 995)
		machine_named(machine, event);
	else if (what < 998)
		*event = (struct event){ .kind = EVENT_LOST,
					 .cpu = event->cpu,
					 .timestamp_ns = machine->now_ns,
					 .arg = { 3, machine->now_ns - 5 } };
	else
		*event = (struct event){ .kind = EVENT_CLOCK,
					 .cpu = EVENT_CPU_NONE,
					 .timestamp_ns = machine->now_ns,
					 .arg = { machine->now_ns, machine->now_ns + 1000000,
						  EVENT_CLOCK_PERIODIC } };
}

/* --- ledger and index --- */

struct ledger {
	char folder[64], ring[128], index[128], rebuilt[128];
	struct ring_writer *writer;
	struct projector *projector;
	struct machine machine;
	uint64_t appended;
};

static void ledger_append(struct ledger *ledger, struct event *event)
{
	const struct ring_seal seal = { 0 };
	uint64_t events;

	while (stage_append(ring_writer_stage(ledger->writer), event) == STAGE_FULL)
		if (ring_writer_seal(ledger->writer, &seal, true, &events) != 0)
			abort();
	ledger->appended++;
	if (ledger->appended % 64 == 0)
		(void)ring_writer_seal(ledger->writer, &seal, false, &events);
}

static void ledger_start(struct ledger *ledger, uint8_t boot)
{
	const uint8_t boot_id[RING_UUID_BYTES] = { boot };
	struct event start = { .kind = EVENT_START,
			       .cpu = EVENT_CPU_NONE,
			       .timestamp_ns = ledger->machine.now_ns };
	struct ring_opened opened;
	int r = ring_writer_open(ledger->ring, UINT64_C(4) << 20, boot_id, &ledger->writer,
				 &opened);

	if (r != 0) {
		printf("Bail out! ring_writer_open: %d\n", r);
		exit(1);
	}
	ring_writer_set_durability(ledger->writer, RING_DURABILITY_PROCESS);
	start.arg[0] = opened.boot_no;
	ledger_append(ledger, &start);
}

static void ledger_run(struct ledger *ledger, size_t count)
{
	uint8_t buffer[1024];
	struct event event;

	for (size_t i = 0; i < count; i++) {
		machine_next(&ledger->machine, &event, buffer, sizeof(buffer));
		ledger_append(ledger, &event);
	}
}

static void ledger_project(struct ledger *ledger, bool to_the_end)
{
	const char *message = "";
	size_t events = 1;

	if (!ledger->projector &&
	    projector_open(ledger->ring, ledger->index, &ledger->projector, &message) < 0) {
		printf("Bail out! %s\n", message);
		exit(1);
	}
	for (int i = 0; events > 0 && (to_the_end || i < 2); i++) {
		if (projector_step(ledger->projector, STEP_EVENTS, &events) < 0) {
			printf("Bail out! %s\n", projector_message(ledger->projector));
			exit(1);
		}
	}
}

static void ledger_forget(struct ledger *ledger)
{
	projector_close(ledger->projector);
	ledger->projector = NULL;
}

/* --- comparing --- */

static int64_t number_of(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	else
		printf("# %s: %s\n", sql, sqlite3_errmsg(db));
	(void)sqlite3_finalize(statement);
	return number;
}

static int row_show(void *context, int columns, char **value, char **name)
{
	(void)name;
	printf("# %s:", (const char *)context);
	for (int i = 0; i < columns; i++)
		printf(" %s", value[i] ? value[i] : "NULL");
	printf("\n");
	return 0;
}

/* Rows of a table that one side has and the other has not. */
static int64_t table_differences(sqlite3 *db, const char *table)
{
	static const char *const order[2][2] = { { "main", "other" }, { "other", "main" } };
	int64_t differences = 0;
	char sql[512];

	for (int i = 0; i < 2; i++) {
		int64_t count;

		(void)snprintf(
			sql, sizeof(sql),
			"SELECT count(*) FROM (SELECT * FROM %s.%s EXCEPT SELECT * FROM %s.%s)",
			order[i][0], table, order[i][1], table);
		count = number_of(db, sql);
		differences += count < 0 ? 1 : count;
		(void)snprintf(sql, sizeof(sql),
			       "SELECT * FROM %s.%s EXCEPT SELECT * FROM %s.%s LIMIT 3",
			       order[i][0], table, order[i][1], table);
		if (count > 0) {
			char label[64];

			(void)snprintf(label, sizeof(label), "only %s %s", i ? "rebuilt" : "live",
				       table);
			(void)sqlite3_exec(db, sql, row_show, label, NULL);
		}
	}
	return differences;
}

static int64_t index_differences(const char *a, const char *b)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *tables = NULL;
	int64_t differences = 0;
	char sql[256];

	if (sqlite3_open(a, &db) != SQLITE_OK)
		return -1;
	(void)snprintf(sql, sizeof(sql), "ATTACH '%s' AS other", b);
	(void)sqlite3_exec(db, sql, NULL, NULL, NULL);
	(void)sqlite3_prepare_v2(
		db,
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
		-1, &tables, NULL);
	while (sqlite3_step(tables) == SQLITE_ROW)
		differences += table_differences(db, (const char *)sqlite3_column_text(tables, 0));
	(void)sqlite3_finalize(tables);
	(void)sqlite3_close(db);
	return differences;
}

static void same_as_rebuilt(struct ledger *ledger, const char *when)
{
	const char *message = "";
	uint64_t events = 0;
	int r;

	ledger_project(ledger, true);
	r = projector_rebuild(ledger->ring, ledger->rebuilt, &events, &message);
	ok(r == 0, "%s: the index is rebuilt from %" PRIu64 " events %s", when, events, message);
	ok(index_differences(ledger->index, ledger->rebuilt) == 0,
	   "%s: live and rebuilt index are the same, row for row (invariant 8)", when);
}

/* A power cut takes what the ring had not synced, while the index had been written back by chance: it knows events that the ring gives
 * other numbers now. */
static void power_cut(struct ledger *ledger)
{
	ok(shell("cp %s %s.cut", ledger->ring, ledger->ring) == 0,
	   "the ring is as at its last sync");
	ledger_run(ledger, 700);
	ledger_project(ledger, true);
	ledger_forget(ledger);
	ring_writer_close(ledger->writer);
	(void)shell("mv %s.cut %s", ledger->ring, ledger->ring);
	ledger->appended -= 700;
	ledger_start(ledger, 2);
	ledger_run(ledger, 2000);
	same_as_rebuilt(ledger, "after a power cut that took more of the ring than of the index");
}

/* Takes the header of a block that the projector has not come to. */
static void block_wipe(struct ledger *ledger)
{
	uint8_t zeros[RING_HEADER_BYTES] = { 0 };
	auto_close int fd = open(ledger->ring, O_RDWR | O_CLOEXEC);
	uint64_t first = 0, next = 0;
	struct ring *ring;

	if (ring_open(ledger->ring, &ring) != 0 || ring_refresh(ring, &first, &next) != 0 ||
	    pwrite(fd, zeros, sizeof(zeros), (off_t)ring_slot_offset(ring, next - 2)) < 0)
		abort();
	ring_close(ring);
}

static void damage_is_told(struct ledger *ledger)
{
	sqlite3 *db = NULL;
	int64_t first, next, missing;

	ledger_project(ledger, true);
	ledger_forget(ledger); /* a cursor that stands in staging would not see it */
	ledger_run(ledger, 9000);
	block_wipe(ledger);
	same_as_rebuilt(ledger, "after a block was damaged");
	(void)sqlite3_open(ledger->index, &db);
	first = number_of(db, "SELECT value FROM meta WHERE key = 'first_event_no'");
	next = number_of(db, "SELECT value FROM meta WHERE key = 'next_event_no'");
	missing = next - first - number_of(db, "SELECT count(*) FROM event");
	ok(missing > 0 &&
		   number_of(db, "SELECT sum(end_event_no - first_event_no) FROM damage") ==
			   missing &&
		   number_of(db, "SELECT sum(events_lost) FROM coverage WHERE reason = 'damaged' "
				 "AND NOT complete") == missing,
	   "damage and coverage tell of the %d events that are missing", (int)missing);
	ok(number_of(db,
		     "SELECT count(*) FROM damage WHERE (SELECT max(timestamp_ns) FROM event "
		     "WHERE event_no = first_event_no - 1) = from_ns AND (SELECT "
		     "max(timestamp_ns) FROM event WHERE event_no = end_event_no) = to_ns") == 1,
	   "between the times of their neighbours");
	(void)sqlite3_close(db);
	for (int i = 0; i < 20; i++) {
		ledger_run(ledger, 6000);
		ledger_project(ledger, true);
	}
	same_as_rebuilt(ledger, "after a lap more");
	(void)sqlite3_open(ledger->index, &db);
	ok(number_of(db, "SELECT count(*) FROM damage") == 0, "nothing tells of it any more");
	(void)sqlite3_close(db);
}

static void event_view_is_whole(struct ledger *ledger)
{
	sqlite3 *db = NULL;
	int64_t first, next;

	(void)sqlite3_open(ledger->index, &db);
	first = number_of(db, "SELECT value FROM meta WHERE key = 'first_event_no'");
	next = number_of(db, "SELECT value FROM meta WHERE key = 'next_event_no'");
	ok(next == (int64_t)ledger->appended + 1, "every event that was appended is in the index");
	ok(number_of(db, "SELECT count(*) FROM event") == next - first,
	   "the view event has one row for each event that the ring holds");
	ok(number_of(db, "SELECT count(DISTINCT event_no) FROM event") == next - first,
	   "none of them twice");
	ok(number_of(db, "SELECT count(*) FROM (SELECT event_no, lag(event_no) OVER () AS before "
			 "FROM event) WHERE event_no <= before") == 0,
	   "in the order of event_no");
	ok(number_of(db, "SELECT count(*) FROM process WHERE end_ns < start_ns") == 0,
	   "no process ends before it starts");
	ok(number_of(db, "SELECT count(*) FROM coverage") > 0, "coverage has something to say");
	(void)sqlite3_close(db);
}

/* A row that no projector would write is still there behind the next one. */
static void index_is_taken_up(struct ledger *ledger)
{
	sqlite3 *db = NULL;

	ledger_project(ledger, true);
	ledger_forget(ledger);
	(void)sqlite3_open(ledger->index, &db);
	(void)sqlite3_exec(db, "INSERT INTO meta VALUES ('mark', 1)", NULL, NULL, NULL);
	(void)sqlite3_close(db);
	ledger_run(ledger, 100);
	ledger_project(ledger, true);
	ledger_forget(ledger);
	(void)sqlite3_open(ledger->index, &db);
	ok(number_of(db, "SELECT count(*) FROM meta WHERE key = 'mark'") == 1,
	   "an index that is there is gone on with, not made anew");
	(void)sqlite3_exec(db, "DELETE FROM meta WHERE key = 'mark'", NULL, NULL, NULL);
	(void)sqlite3_close(db);
}

int main(void)
{
	struct ledger ledger = { .folder = "/tmp/test_project.XXXXXX",
				 .machine = { .random = 7, .now_ns = 1000000000 } };

	if (!mkdtemp(ledger.folder))
		skip_all("no folder for a ring can be made in /tmp");
	(void)snprintf(ledger.ring, sizeof(ledger.ring), "%s/ledger.ring", ledger.folder);
	(void)snprintf(ledger.index, sizeof(ledger.index), "%s/index.db", ledger.folder);
	(void)snprintf(ledger.rebuilt, sizeof(ledger.rebuilt), "%s/rebuilt.db", ledger.folder);
	for (uint32_t tid = 1; tid < 20; tid++)
		ledger.machine.pid_of[tid] = tid;

	ledger_start(&ledger, 1);
	ledger_run(&ledger, 300);
	same_as_rebuilt(&ledger, "all of it still staged");
	ledger_run(&ledger, 20000);
	same_as_rebuilt(&ledger, "a few blocks");
	event_view_is_whole(&ledger);
	for (int i = 0; i < 6; i++) {
		ledger_run(&ledger, 3000);
		ledger_project(&ledger, false);
		ledger_forget(&ledger); /* as when it is killed between two transactions */
	}
	index_is_taken_up(&ledger);
	same_as_rebuilt(&ledger, "after six restarts of the projector");
	ring_writer_close(ledger.writer);
	ledger_start(&ledger, 1);
	ledger_run(&ledger, 5000);
	same_as_rebuilt(&ledger, "after the recorder was killed and started again");
	ring_writer_close(ledger.writer);
	ledger_start(&ledger, 2);
	ledger_run(&ledger, 5000);
	same_as_rebuilt(&ledger, "after another boot");
	for (int i = 0; i < 12; i++) {
		ledger_run(&ledger, 6000);
		ledger_project(&ledger, true);
	}
	same_as_rebuilt(&ledger, "after the ring has wrapped");
	event_view_is_whole(&ledger);
	ledger_forget(&ledger);
	ledger_run(&ledger, 90000);
	same_as_rebuilt(&ledger, "after the projector was away for a whole lap");
	event_view_is_whole(&ledger);
	power_cut(&ledger);
	event_view_is_whole(&ledger);
	damage_is_told(&ledger);
	event_view_is_whole(&ledger);
	ledger_forget(&ledger);
	ring_writer_close(ledger.writer);
	if (getenv("KEEP") == NULL) {
		ok(shell("rm -rf %s", ledger.folder) == 0, "the folder is removed again");
	}
	return done_testing();
}
