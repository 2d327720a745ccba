/* report_sql.h - every report, once: its name, what it tells, and its SQL.  Included with REPORT(name, text, sql) defined.
 *
 * win(boot, from_ns, to_ns, from_no, to_no) is the window: stretches of time of a boot and
 * the numbers of the events of the blocks that hold them; it stands before each of them as WITH win(...) AS (VALUES ...).  :lines is how
 * many rows at most.
 * Times are as stored, nanoseconds of CLOCK_MONOTONIC of the boot (*_ns), or since 1970 (*_wall_ns).
 */
/* clang-format off */
#define UTC(ns) "strftime('%Y-%m-%d %H:%M:%f', " #ns " / 1e9, 'unixepoch')"
#define LIVED_MS "round((p.end_ns - p.start_ns) / 1e6, 3) AS lived_ms"
#define IN_WINDOW(e) #e ".event_no BETWEEN win.from_no AND win.to_no AND " #e ".timestamp_ns BETWEEN win.from_ns AND win.to_ns\n"

/* What is numbered before FIRST came before the window; up to LAST it is in or near it. */
#define FIRST "(SELECT min(from_no) FROM win WHERE to_no >= from_no)"
#define LAST "(SELECT max(to_no) FROM win)"
#define BOOT(no) "(SELECT boot FROM boot WHERE first_event_no <= " #no " ORDER BY first_event_no DESC LIMIT 1)"

/* Processes that ended in the window, from the narrow table that says which events ended whom: with the task that ended last. */
#define ENDED \
	"FROM win JOIN exit ON exit.event_no BETWEEN win.from_no AND win.to_no JOIN life_row AS last ON last.id = exit.event_no - exit.age\n" \
	"	JOIN process AS p ON p.id = last.id - ifnull(last.process, 0) AND p.end_ns = ifnull(last.start_ns, 0) + last.duration_ns\n" \
	"WHERE p.end_ns BETWEEN win.from_ns AND win.to_ns AND p.exit_code IS NOT NULL"

REPORT("summary", "how much happened, by kind",
	"SELECT 'processes started' AS what, count(*) AS count FROM win JOIN life ON life.id BETWEEN win.from_no AND win.to_no\n"
	"	AND life.start_ns BETWEEN win.from_ns AND win.to_ns WHERE born = 1 AND tid IS NULL\n"
	"UNION ALL SELECT 'threads started', count(*) FROM win JOIN life ON life.id BETWEEN win.from_no AND win.to_no\n"
	"	AND life.start_ns BETWEEN win.from_ns AND win.to_ns WHERE born = 1 AND tid IS NOT NULL\n"
	"UNION ALL SELECT 'programs run', count(*) FROM win JOIN exec ON " IN_WINDOW(exec)
	"UNION ALL SELECT 'processes ended', count(*) " ENDED "\n"
	"UNION ALL SELECT '... with a status other than 0', count(*) " ENDED " AND p.exit_code & 127 = 0 AND p.exit_code <> 0\n"
	"UNION ALL SELECT '... by a signal', count(*) " ENDED " AND p.exit_code & 127 <> 0\n"
	"UNION ALL SELECT '... with a core', count(*) " ENDED " AND p.exit_code & 128 <> 0\n"
	"UNION ALL SELECT 'changes of user', count(*) FROM win JOIN uid ON " IN_WINDOW(uid)
	"UNION ALL SELECT 'changes of group', count(*) FROM win JOIN gid ON " IN_WINDOW(gid)
	"UNION ALL SELECT 'sessions begun', count(*) FROM win JOIN sid ON " IN_WINDOW(sid)
	"UNION ALL SELECT 'traces begun or ended', count(*) FROM win JOIN ptrace ON " IN_WINDOW(ptrace)
	"UNION ALL SELECT 'names given', count(*) FROM win JOIN comm ON " IN_WINDOW(comm)
	/* told behind the window, where the next event of that CPU came behind it */
	"UNION ALL SELECT 'events lost', ifnull(sum(count), 0) FROM lost WHERE EXISTS (SELECT 1 FROM win WHERE win.boot = " BOOT(lost.event_no) "\n"
	"	AND ifnull(lost.from_ns, timestamp_ns) <= win.to_ns AND timestamp_ns >= win.from_ns)")

REPORT("programs", "the programs run most often",
	"SELECT ifnull(image.exe, '[' || ifnull(image.comm, '?') || ']') AS program, count(*) AS runs, count(DISTINCT exec.pid) AS pids\n"
	"FROM win JOIN exec ON " IN_WINDOW(exec)
	"LEFT JOIN image ON image.event_no = exec.event_no GROUP BY 1 ORDER BY runs DESC, program LIMIT :lines")

REPORT("spawners", "the processes that started most others",
	"SELECT p.pid, p.id, p.comm, p.exe, count(*) AS children, min(life.start_ns) AS first_ns, max(life.start_ns) AS last_ns\n"
	"FROM win JOIN life ON life.id BETWEEN win.from_no AND win.to_no AND life.start_ns BETWEEN win.from_ns AND win.to_ns\n"
	"JOIN process AS p ON p.id = life.id - life.parent WHERE life.born = 1 AND life.tid IS NULL\n"
	"GROUP BY p.id ORDER BY children DESC, p.id LIMIT :lines")

REPORT("failed", "processes that ended with a status other than 0, newest first",
	"SELECT " UTC(p.end_wall_ns) " AS ended_utc, p.end_ns, p.pid, p.comm, p.exit_code >> 8 AS status, p.uid, " LIVED_MS ", p.argv\n"
	ENDED " AND p.exit_code & 127 = 0 AND p.exit_code <> 0 ORDER BY exit.event_no DESC LIMIT :lines")

REPORT("killed", "processes that ended by a signal, newest first",
	"SELECT " UTC(p.end_wall_ns) " AS ended_utc, p.end_ns, p.pid, p.comm, p.exit_code & 127 AS signal, p.exit_code >> 7 & 1 AS core, p.uid,\n"
	"	" LIVED_MS ", p.argv\n"
	ENDED " AND p.exit_code & 127 <> 0 ORDER BY exit.event_no DESC LIMIT :lines")

REPORT("cores", "signals that dump core, newest first",
	"SELECT win.boot, coredump.timestamp_ns, coredump.pid, ifnull(coredump.tid, coredump.pid) AS tid, coredump.ppid, p.comm, p.exe, p.exit_code & 127 AS signal\n"
	"FROM win JOIN coredump ON " IN_WINDOW(coredump)
	"LEFT JOIN task AS p ON p.id = coredump.life ORDER BY coredump.event_no DESC LIMIT :lines")

REPORT("shortest", "the processes that lived shortest",
	"SELECT " LIVED_MS ", p.pid, p.ppid, p.comm, p.exit_code, p.start_ns, p.argv\n"
	ENDED " AND p.born = 'fork' AND p.start_ns IS NOT NULL ORDER BY lived_ms, p.id LIMIT :lines")

REPORT("ids", "changes of user and group; root: 1 where somebody else became root",
	"SELECT event_no, c.boot, timestamp_ns, c.pid, p.comm, p.exe, p.loginuid, kind, real, effective,\n"
	"	kind = 'uid' AND effective = 0 AND ifnull(before, real) <> 0 AS root\n"
	"FROM (SELECT uid.event_no, win.boot, uid.timestamp_ns, uid.pid, uid.life, 'uid' AS kind, uid.ruid AS real, uid.euid AS effective,\n"
	"		(SELECT u.euid FROM uid AS u WHERE u.life = uid.life AND u.event_no < uid.event_no ORDER BY u.event_no DESC LIMIT 1) AS before\n"
	"	FROM win JOIN uid ON " IN_WINDOW(uid)
	"	UNION ALL SELECT gid.event_no, win.boot, gid.timestamp_ns, gid.pid, gid.life, 'gid', gid.rgid, gid.egid, NULL FROM win JOIN gid ON "
	IN_WINDOW(gid) ") AS c LEFT JOIN task AS p ON p.id = c.life ORDER BY event_no DESC LIMIT :lines")

REPORT("setuid", "processes whose effective user is not their real one",
	"SELECT p.pid, p.id, p.comm, p.exe, p.uid, p.euid, p.gid, p.egid, p.loginuid, " UTC(p.start_wall_ns) " AS started_utc, p.start_ns\n"
	"FROM win JOIN life ON life.id BETWEEN win.from_no AND win.to_no AND life.start_ns BETWEEN win.from_ns AND win.to_ns\n"
	"JOIN process AS p ON p.id = life.id WHERE p.uid <> p.euid OR p.gid <> p.egid ORDER BY p.id DESC LIMIT :lines")

REPORT("ptrace", "who traced whom",
	"SELECT ptrace.tracer_pid, tracer.comm AS tracer, ptrace.pid, traced.comm AS traced, count(*) AS times, min(ptrace.timestamp_ns) AS first_ns\n"
	"FROM win JOIN ptrace ON " IN_WINDOW(ptrace)
	"LEFT JOIN task AS traced ON traced.id = ptrace.life\n"
	"LEFT JOIN process AS tracer ON tracer.id = (SELECT max(id) FROM life WHERE life.pid = ptrace.tracer_pid AND life.tid IS NULL\n"
	"	AND abs(life.id) < ptrace.event_no)\n"
	"WHERE ptrace.tracer_pid <> 0 GROUP BY 1, 2, 3, 4 ORDER BY first_ns LIMIT :lines")

REPORT("first-seen", "programs that the ledger knows from this window on, and not from before it",
	", run AS (SELECT event_no, exe, argv, " BOOT(image.event_no) " AS boot,\n"
	"	coalesce((SELECT timestamp_ns FROM exec WHERE exec.event_no = image.event_no),\n"
	"		(SELECT timestamp_ns FROM snapshot WHERE snapshot.event_no = image.event_no)) AS at\n"
	"	FROM image WHERE exe IS NOT NULL AND event_no BETWEEN " FIRST " AND " LAST "\n"
	"), ordered AS (SELECT run.event_no, exe, argv, win.boot IS NOT NULL AS inside,\n"
	"	row_number() OVER (PARTITION BY exe ORDER BY run.boot, at, run.event_no) AS nth\n"
	"	FROM run LEFT JOIN win ON win.boot = run.boot AND at BETWEEN win.from_ns AND win.to_ns)\n"
	"SELECT exe, max(iif(nth = 1, event_no, NULL)) AS first_event_no, sum(inside) AS runs, max(iif(nth = 1, argv, NULL)) AS first_argv\n"
	"FROM ordered GROUP BY exe HAVING max(nth = 1 AND inside)\n"
	"	AND exe NOT IN (SELECT exe FROM image WHERE exe IS NOT NULL AND event_no < " FIRST ")\n"
	"ORDER BY first_event_no LIMIT :lines")

REPORT("first-pairs", "pairs of parent and child program, likewise",
	", pair AS (SELECT life.id, parent.comm AS parent, life.comm AS child, " BOOT(life.id) " AS boot, life.start_ns AS at\n"
	"	FROM life JOIN life AS parent ON parent.id = life.id - life.parent\n"
	"	WHERE life.tid IS NULL AND life.born = 1 AND life.id BETWEEN " FIRST " AND " LAST "\n"
	"), ordered AS (SELECT id, parent, child, win.boot IS NOT NULL AS inside,\n"
	"	row_number() OVER (PARTITION BY parent, child ORDER BY pair.boot, at, id) AS nth\n"
	"	FROM pair LEFT JOIN win ON win.boot = pair.boot AND at BETWEEN win.from_ns AND win.to_ns)\n"
	"SELECT parent, child, max(iif(nth = 1, id, NULL)) AS first_id, sum(inside) AS times\n"
	"FROM ordered GROUP BY parent, child HAVING max(nth = 1 AND inside) AND (ifnull(parent, x''), ifnull(child, x'')) NOT IN\n"
	"	(SELECT ifnull(parent.comm, x''), ifnull(life.comm, x'') FROM life JOIN life AS parent ON parent.id = life.id - life.parent\n"
	"	WHERE life.tid IS NULL AND life.born = 1 AND life.id < " FIRST ")\n"
	"ORDER BY first_id LIMIT :lines")

REPORT("sessions", "sessions begun, newest first",
	"SELECT win.boot, sid.timestamp_ns, sid.pid AS session, p.comm, p.exe, p.uid, p.loginuid, p.end_ns\n"
	"FROM win JOIN sid ON " IN_WINDOW(sid)
	"LEFT JOIN process AS p ON p.id = sid.life ORDER BY sid.event_no DESC LIMIT :lines")

REPORT("losses", "stretches of time that are not complete",
	"SELECT DISTINCT c.boot, c.from_ns, c.to_ns, c.reason, c.cpu, c.events_lost FROM coverage AS c JOIN win ON win.boot = c.boot\n"
	"WHERE NOT c.complete AND c.from_ns <= win.to_ns AND c.to_ns >= win.from_ns ORDER BY c.boot, c.from_ns LIMIT :lines")
#undef IN_WINDOW
#undef FIRST
#undef LAST
#undef BOOT
#undef ENDED
#undef UTC
#undef LIVED_MS
/* clang-format on */
