-- index.sql - index.db, a projection of ledger.ring: what users ask with SQL.
--
-- Each fact is stored once.  A life (task) is one row with its birth and its end; every other event is a row in the table of
-- its kind; the view event puts the numbered stream together again.  The views are the contract, the tables are not.
-- Everywhere: event_no is the number of the event in the ledger; timestamp_ns and *_ns are CLOCK_MONOTONIC of the boot;
-- tid, ptid NULL: the same as pid, ppid.  Applied as one piece; user_version grows with every change of form.
PRAGMA application_id = 0x504c4447;
PRAGMA user_version = 5;

-- ring_uuid, next_event_no and next_block_no (what is projected), first_event_no and first_block_no (where the oldest keyframe is)
CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

CREATE TABLE boot(first_event_no INTEGER PRIMARY KEY, boot INTEGER NOT NULL, boot_id TEXT) STRICT;

CREATE TABLE block(block_no INTEGER PRIMARY KEY, first_event_no INTEGER NOT NULL, event_count INTEGER NOT NULL,
	boot INTEGER NOT NULL, ts_min_ns INTEGER, ts_max_ns INTEGER, raw_bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL,
	keyframe_parts INTEGER NOT NULL, lost_total INTEGER NOT NULL, hash BLOB) STRICT;

-- Events [first_event_no, end_event_no) of the ledger that could not be read, being damaged.  from_ns, to_ns: of the last event before
-- them and of the next one (of another boot: from_ns again); NULL: there is none yet.
CREATE TABLE damage(first_event_no INTEGER PRIMARY KEY, end_event_no INTEGER NOT NULL, from_ns INTEGER, to_ns INTEGER) STRICT;

-- reason: 0 at a start, 1 from time to time, 2 the clock was set, 3 the machine had slept.
CREATE TABLE clock(event_no INTEGER PRIMARY KEY, boot INTEGER NOT NULL, monotonic_ns INTEGER NOT NULL,
	boottime_ns INTEGER NOT NULL, realtime_ns INTEGER NOT NULL, reason INTEGER NOT NULL) STRICT;
CREATE INDEX clock_by_time ON clock(boot, monotonic_ns);

-- id: event_no of the birth; negative where the birth was not seen.  born: 1 fork, 2 snapshot, 0 not seen.
-- parent, process: id - parent's id, id - leader's id (0: a leader); NULL: not known.
-- duration_ns: end - start_ns, or the end itself where start_ns is NULL.  ended: NULL alive; 0 by EXIT; otherwise inferred:
-- 1 exec of another thread, 2 tid given to another, 3 absent from a later snapshot, 4 the machine was started anew.
-- end_ppid NULL, end_ptid NULL: as ppid, as end_ppid.  comm: the newest.  renamed: 0, comm is what it was at birth; else it was set by
-- 1 an exec, 2 a COMM event, 3 a snapshot, and birth_comm is what it was.
-- image, cred: event_no in these tables.
-- Most rows of an index are of this table, and most of such a row would be columns that hold the same: so
-- bits: born, ended + 1 (or 0) << 2, renamed << 5, start_cpu + 1 (or 0) << 7, end_cpu + 1 (or 0) << 21, 16383 meaning that it is in rest;
-- process is NULL of a leader; and rest, a JSON array, has what is not as it mostly is:
-- [ptid, end_ppid (of a thread: 0), end_ptid, exit_signal (17; of a thread: -1), start_cpu, end_cpu].
CREATE TABLE life_row(id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, tid INTEGER, ppid INTEGER, parent INTEGER, process INTEGER,
	bits INTEGER NOT NULL, start_ns INTEGER, duration_ns INTEGER, exit_code INTEGER, comm TEXT, birth_comm TEXT, image INTEGER,
	cred INTEGER, rest TEXT) STRICT;
CREATE VIEW life(id, pid, tid, ppid, ptid, parent, process, born, start_ns, start_cpu, ended, duration_ns, end_cpu, exit_code, exit_signal,
	end_ppid, end_ptid, renamed, comm, birth_comm, image, cred) AS
SELECT id, pid, tid, ppid, rest ->> 0, parent, iif(tid IS NULL, 0, process), bits & 3, start_ns,
	CASE bits >> 7 & 16383 WHEN 0 THEN NULL WHEN 16383 THEN rest ->> 4 ELSE (bits >> 7 & 16383) - 1 END, nullif(bits >> 2 & 7, 0) - 1, duration_ns,
	CASE bits >> 21 & 16383 WHEN 0 THEN NULL WHEN 16383 THEN rest ->> 5 ELSE (bits >> 21 & 16383) - 1 END, exit_code,
	iif(bits >> 2 & 7 = 1, ifnull(rest ->> 3, iif(tid IS NULL, 17, -1)), NULL),
	iif(bits >> 2 & 7 = 1, ifnull(rest ->> 1, iif(tid IS NULL, NULL, 0)), NULL), rest ->> 2, bits >> 5 & 3, comm, birth_comm, image, cred
FROM life_row;

-- A process whose end is not its leader's: another thread lived longer, or told of the core that was dumped.  ended: how, as of a life;
-- NULL: it lives on.  end_ns, exit_code: of the task that ended last; NULL: not known.
CREATE TABLE process_end(id INTEGER PRIMARY KEY, ended INTEGER, end_ns INTEGER, exit_code INTEGER) STRICT;

-- What a task runs, as /proc told at an exec or snapshot.  doubt: fields that were not read whole, and why, as a JSON object:
-- gone denied truncated redacted redacted,truncated withheld overload.  pidns: the inode of the pid namespace.  redactions: secrets taken out of argv.
CREATE TABLE image(event_no INTEGER PRIMARY KEY, life INTEGER NOT NULL, comm TEXT, exe TEXT, argv TEXT, argv_bytes BLOB, cwd TEXT,
	cgroup TEXT, loginuid INTEGER, sessionid INTEGER, pidns INTEGER, redactions INTEGER, doubt TEXT) STRICT;
CREATE INDEX image_redacted ON image(redactions) WHERE redactions IS NOT NULL;
-- What the paths of cgroups tell (cgroup.h); those that tell nothing have no row.  last_event_no: the newest image with this path.
CREATE TABLE cgroup(path TEXT PRIMARY KEY, unit TEXT, user_unit TEXT, slice TEXT, container_id TEXT, container_runtime TEXT, pod_uid TEXT,
	last_event_no INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cred(event_no INTEGER PRIMARY KEY, ruid INTEGER, euid INTEGER, rgid INTEGER, egid INTEGER) STRICT;

-- One table a kind.  exit: an EXIT that ended the life it names.  stray_exit: one that did not.  age, of exit, exec and comm: event_no -
-- the life's id.
CREATE TABLE exit(event_no INTEGER PRIMARY KEY, age INTEGER NOT NULL) STRICT;
CREATE TABLE stray_exit(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL,
	tid INTEGER, ppid INTEGER NOT NULL, ptid INTEGER NOT NULL, exit_code INTEGER NOT NULL, exit_signal INTEGER NOT NULL, life INTEGER) STRICT;
CREATE TABLE exec(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER,
	age INTEGER) STRICT;
CREATE TABLE comm(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER,
	comm TEXT NOT NULL, age INTEGER) STRICT;
CREATE TABLE uid(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER,
	ruid INTEGER NOT NULL, euid INTEGER NOT NULL, life INTEGER) STRICT;
CREATE TABLE gid(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER,
	rgid INTEGER NOT NULL, egid INTEGER NOT NULL, life INTEGER) STRICT;
CREATE TABLE sid(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER,
	life INTEGER) STRICT;
CREATE TABLE ptrace(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER,
	tracer_pid INTEGER NOT NULL, tracer_tid INTEGER NOT NULL, life INTEGER) STRICT;
CREATE TABLE coredump(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER,
	ppid INTEGER NOT NULL, ptid INTEGER NOT NULL, life INTEGER) STRICT;
CREATE TABLE snapshot(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER, ppid INTEGER,
	comm TEXT, life INTEGER) STRICT;
CREATE TABLE lost(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER NOT NULL, count INTEGER NOT NULL,
	from_ns INTEGER, reason TEXT NOT NULL) STRICT;
-- The other events: of the kernel (kind none: arg0 error, arg1 ack number; unknown: arg0 what) and of the recorder.  arg0, arg1, arg2 of
-- start: boot, bits (1 an import, 2 the boot of the run before, 4 after a crash, 8 with its sockets), 0; stop: datagrams received, datagrams
-- dropped, signal; snapshot_end: tasks; recovery: staged events and datagrams taken over, slots torn; blind: births missed at least, when all was
-- well last; disk_error: errno, block_no, errors since the last one told; rescan: events lost since the last (0: a run that was killed may have lost some).
CREATE TABLE other(event_no INTEGER PRIMARY KEY, timestamp_ns INTEGER NOT NULL, cpu INTEGER, kind TEXT NOT NULL, arg0 INTEGER NOT NULL,
	arg1 INTEGER NOT NULL, arg2 INTEGER NOT NULL, note TEXT) STRICT;
-- Datagrams out of the ordinary, as they came.
CREATE TABLE datagram(event_no INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

CREATE VIEW event(event_no, boot, timestamp_ns, cpu, kind, pid, tid, ppid, ptid, comm, ruid, euid, rgid, egid, tracer_pid, tracer_tid,
	exit_code, exit_signal) AS
SELECT id, (SELECT boot FROM boot WHERE first_event_no <= id ORDER BY first_event_no DESC LIMIT 1), start_ns, start_cpu, 'fork', pid,
	ifnull(tid, pid), ppid, ifnull(ptid, ppid), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM life WHERE born = 1 AND id >= (SELECT value FROM meta WHERE key = 'first_event_no')
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1),
	ifnull(start_ns, 0) + duration_ns, end_cpu, 'exit', pid, ifnull(tid, pid), ifnull(end_ppid, ppid),
	ifnull(end_ptid, ifnull(end_ppid, ppid)), NULL, NULL, NULL, NULL, NULL, NULL, NULL, exit_code, exit_signal
	FROM exit CROSS JOIN life ON life.id = event_no - age
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'exit', pid,
	ifnull(tid, pid), ppid, ptid, NULL, NULL, NULL, NULL, NULL, NULL, NULL, exit_code, exit_signal FROM stray_exit
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'exec', pid,
	ifnull(tid, pid), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM exec
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'comm', pid,
	ifnull(tid, pid), NULL, NULL, comm, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM comm
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'uid', pid,
	ifnull(tid, pid), NULL, NULL, NULL, ruid, euid, NULL, NULL, NULL, NULL, NULL, NULL FROM uid
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'gid', pid,
	ifnull(tid, pid), NULL, NULL, NULL, NULL, NULL, rgid, egid, NULL, NULL, NULL, NULL FROM gid
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'sid', pid,
	ifnull(tid, pid), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM sid
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'ptrace', pid,
	ifnull(tid, pid), NULL, NULL, NULL, NULL, NULL, NULL, NULL, tracer_pid, tracer_tid, NULL, NULL FROM ptrace
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'coredump', pid,
	ifnull(tid, pid), ppid, ptid, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM coredump
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, NULL, 'snapshot', pid,
	ifnull(tid, pid), ppid, ppid, comm, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM snapshot
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), monotonic_ns, NULL, 'clock', NULL,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM clock WHERE event_no >= (SELECT value FROM meta WHERE key = 'first_event_no')
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, 'lost', NULL,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM lost
UNION ALL
SELECT event_no, (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), timestamp_ns, cpu, kind, NULL,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM other
ORDER BY 1;

-- Every task.  ppid, parent_id: who made the process, though it may have been given to another since.  comm: the 15 bytes that the kernel keeps.
-- *_source: how the field was come by: read, inherited (from the parent: no exec since), gone, denied, truncated, redacted,
-- "redacted,truncated", withheld, overload; of comm also event (told by the kernel).  Where the field is NULL and its source too, nobody asked, or there is none.  Wall times come from the newest clock record before (for what is older than the first: from that one).
CREATE VIEW task(id, boot, pid, tid, ppid, ptid, parent_id, process_id, start_ns, end_ns, start_wall_ns, end_wall_ns, comm, exe, argv, argv_bytes,
	cwd, uid, euid, gid, egid, loginuid, sessionid, cgroup, exit_code, exit_signal, born, ended, inherited, doubt, unit, user_unit, slice,
	container_id, container_runtime, pod_uid, pidns, comm_source, exe_source, argv_source, cwd_source, redactions) AS
SELECT id, boot, pid, tid, ppid, ptid, parent_id, process_id, start_ns, end_ns,
	start_ns + coalesce((SELECT realtime_ns - monotonic_ns FROM clock WHERE clock.boot = l.boot AND monotonic_ns <= start_ns
		ORDER BY monotonic_ns DESC LIMIT 1), (SELECT realtime_ns - monotonic_ns FROM clock WHERE clock.boot = l.boot ORDER BY monotonic_ns LIMIT 1)),
	end_ns + coalesce((SELECT realtime_ns - monotonic_ns FROM clock WHERE clock.boot = l.boot AND monotonic_ns <= end_ns
		ORDER BY monotonic_ns DESC LIMIT 1), (SELECT realtime_ns - monotonic_ns FROM clock WHERE clock.boot = l.boot ORDER BY monotonic_ns LIMIT 1)),
	l.comm, exe, argv, argv_bytes, cwd, ruid, euid, rgid, egid, loginuid, sessionid, cgroup, exit_code, exit_signal, born, ended,
	image.life <> l.id, doubt, unit, user_unit, slice, container_id, container_runtime, pod_uid, pidns,
	CASE WHEN l.comm IS NULL THEN doubt ->> 'comm' WHEN renamed = 2 THEN 'event' WHEN renamed = 0 AND image.life IS NOT l.id THEN 'inherited' ELSE 'read' END,
	CASE WHEN exe IS NOT NULL AND image.life <> l.id THEN 'inherited' ELSE ifnull(doubt ->> 'exe', iif(exe IS NULL, NULL, 'read')) END,
	CASE WHEN argv IS NOT NULL AND image.life <> l.id THEN 'inherited' ELSE ifnull(doubt ->> 'argv', iif(argv IS NULL, NULL, 'read')) END,
	CASE WHEN cwd IS NOT NULL AND image.life <> l.id THEN 'inherited' ELSE ifnull(doubt ->> 'cwd', iif(cwd IS NULL, NULL, 'read')) END,
	redactions
FROM (SELECT id, (SELECT boot FROM boot WHERE first_event_no <= iif(id < 0, -id / 2, id) ORDER BY first_event_no DESC LIMIT 1) AS boot,
		pid, ifnull(tid, pid) AS tid, ppid, ifnull(ptid, ppid) AS ptid, id - parent AS parent_id, id - process AS process_id,
		start_ns, ifnull(start_ns, 0) + duration_ns AS end_ns, comm, renamed, image, cred, exit_code, exit_signal,
		CASE born WHEN 1 THEN 'fork' WHEN 2 THEN 'snapshot' ELSE 'unseen' END AS born,
		CASE ended WHEN 0 THEN 'exit' WHEN 1 THEN 'exec' WHEN 2 THEN 'reused' WHEN 3 THEN 'absent' WHEN 4 THEN 'boot' END AS ended
	FROM life) AS l
	LEFT JOIN image ON image.event_no = l.image LEFT JOIN cgroup ON cgroup.path = image.cgroup LEFT JOIN cred ON cred.event_no = l.cred;

-- Every process: its leader's row, but it ends with its last thread, and its exit_code is what its parent was given.
CREATE VIEW process(id, boot, pid, ppid, parent_id, start_ns, end_ns, start_wall_ns, end_wall_ns, comm, exe, argv, cwd, uid, gid, loginuid, cgroup,
	exit_code, argv_bytes, euid, egid, sessionid, exit_signal, born, ended, inherited, doubt, unit, user_unit, slice, container_id,
	container_runtime, pod_uid, pidns, comm_source, exe_source, argv_source, cwd_source, redactions) AS
SELECT task.id, boot, pid, ppid, parent_id, start_ns, iif(p.id IS NULL, task.end_ns, p.end_ns), start_wall_ns,
	iif(p.id IS NULL, end_wall_ns, end_wall_ns + p.end_ns - task.end_ns), comm, exe, argv, cwd, uid, gid, loginuid, cgroup,
	iif(p.id IS NULL, task.exit_code, p.exit_code), argv_bytes, euid, egid, sessionid, iif(p.id IS NULL OR p.ended = 0, exit_signal, NULL), born,
	CASE WHEN p.id IS NULL THEN task.ended ELSE CASE p.ended WHEN 0 THEN 'exit' WHEN 1 THEN 'exec' WHEN 2 THEN 'reused' WHEN 3 THEN 'absent'
		WHEN 4 THEN 'boot' END END, inherited, doubt,
	unit, user_unit, slice, container_id, container_runtime, pod_uid, pidns, comm_source, exe_source, argv_source, cwd_source, redactions
FROM task LEFT JOIN process_end AS p ON p.id = task.id WHERE pid = tid;

-- The names of every task as intervals; comm NULL: not known; to_ns NULL: to the end of what is recorded.
CREATE VIEW comm_history(id, pid, tid, comm, from_ns, to_ns, source) AS
SELECT id, pid, tid, comm, from_ns, ifnull(lead(from_ns) OVER (PARTITION BY id ORDER BY no), end_ns), source
FROM (
	SELECT id, pid, ifnull(tid, pid) AS tid, iif(renamed, birth_comm, comm) AS comm, start_ns AS from_ns,
		ifnull(start_ns, 0) + duration_ns AS end_ns, 'fork' AS source, 0 AS no FROM life WHERE born = 1
	UNION ALL
	SELECT life.id, life.pid, ifnull(life.tid, life.pid), comm.comm, timestamp_ns, ifnull(start_ns, 0) + duration_ns, 'comm', event_no
		FROM comm JOIN life ON life.id = event_no - age
	UNION ALL
	SELECT life.id, life.pid, ifnull(life.tid, life.pid), image.comm, timestamp_ns, ifnull(start_ns, 0) + duration_ns, 'exec', exec.event_no
		FROM exec JOIN life ON life.id = exec.event_no - age LEFT JOIN image ON image.event_no = exec.event_no
	UNION ALL
	SELECT life.id, life.pid, ifnull(life.tid, life.pid), snapshot.comm, timestamp_ns, ifnull(start_ns, 0) + duration_ns, 'snapshot', event_no
		FROM snapshot JOIN life ON life.id = snapshot.life WHERE snapshot.comm IS NOT NULL
);

-- What is complete and what is not: per boot, in order.  A start that goes on with the last run's socket (arg1 & 8) begins no new run.  complete 0: why (lost, down,
-- blind, damaged), and how many events at least (NULL: not known).
CREATE VIEW coverage(boot, from_ns, to_ns, complete, reason, cpu, events_lost) AS
WITH run(boot, start_no, from_ns, to_ns) AS (
	SELECT (SELECT boot FROM boot WHERE first_event_no <= s.event_no ORDER BY first_event_no DESC LIMIT 1), s.event_no, s.timestamp_ns,
		coalesce((SELECT timestamp_ns FROM other WHERE kind = 'stop' AND event_no > s.event_no AND event_no < ifnull(s.next_no, 9e18) ORDER BY event_no DESC LIMIT 1),
			(SELECT max(timestamp_ns) FROM event WHERE event_no > s.event_no - 1 AND event_no < ifnull(s.next_no, 9223372036854775807)
				AND event_no > ifnull(s.next_no, (SELECT value FROM meta WHERE key = 'next_event_no')) - 1000))
	FROM (SELECT event_no, timestamp_ns, lead(event_no) OVER (ORDER BY event_no) AS next_no FROM
		(SELECT event_no, timestamp_ns FROM other WHERE kind = 'start' AND NOT arg1 & 8
		UNION ALL
		SELECT first_event_no, (SELECT ts_min_ns FROM block WHERE block.first_event_no = boot.first_event_no) FROM boot
			WHERE first_event_no = (SELECT value FROM meta WHERE key = 'first_event_no')
			AND first_event_no NOT IN (SELECT event_no FROM other WHERE kind = 'start' AND NOT arg1 & 8))) AS s
), gap(boot, from_ns, to_ns, reason, cpu, events_lost) AS (
	SELECT (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), ifnull(from_ns, timestamp_ns), timestamp_ns,
		reason, cpu, count FROM lost
	UNION ALL
	SELECT (SELECT boot FROM boot WHERE first_event_no <= event_no ORDER BY first_event_no DESC LIMIT 1), arg1, timestamp_ns,
		'blind', NULL, nullif(arg0, 0) FROM other WHERE kind = 'blind'
	UNION ALL
	SELECT (SELECT boot FROM boot WHERE first_event_no <= damage.first_event_no ORDER BY first_event_no DESC LIMIT 1),
		coalesce(from_ns, to_ns, 0), coalesce(to_ns, from_ns, 0), 'damaged', NULL, end_event_no - damage.first_event_no FROM damage
	UNION ALL
	SELECT boot, to_ns, next_ns, 'down', NULL, NULL FROM
		(SELECT boot, to_ns, lead(from_ns) OVER (PARTITION BY boot ORDER BY start_no) AS next_ns FROM run) WHERE next_ns IS NOT NULL
), edge(boot, at_ns, reach_ns) AS (
	SELECT boot, from_ns, max(to_ns) OVER (PARTITION BY boot ORDER BY from_ns, to_ns ROWS UNBOUNDED PRECEDING) FROM gap
), span(boot, from_ns, to_ns) AS (
	SELECT boot, min(from_ns), max(to_ns) FROM run GROUP BY boot
)
SELECT boot, from_ns, to_ns, 0 AS complete, reason, cpu, events_lost FROM gap
UNION ALL
SELECT boot, reach_ns, next_ns, 1, NULL, NULL, NULL FROM
	(SELECT boot, reach_ns, lead(at_ns, 1, (SELECT to_ns FROM span WHERE span.boot = edge.boot)) OVER (PARTITION BY boot ORDER BY at_ns, reach_ns) AS next_ns FROM edge)
	WHERE next_ns > reach_ns
UNION ALL
SELECT boot, from_ns, ifnull((SELECT min(at_ns) FROM edge WHERE edge.boot = span.boot), to_ns), 1, NULL, NULL, NULL FROM span
	WHERE from_ns < ifnull((SELECT min(at_ns) FROM edge WHERE edge.boot = span.boot), to_ns + 1)
ORDER BY 1, 2, 4;
