#!/bin/bash
# bench_peers.sh [EVENTS]  The same question asked of the same events in procledger's ledger and in what other tools keep: auditd's log with
# ausearch, JSON lines with DuckDB or grep, a plain table in SQLite.  Tools that are not installed are passed over with a word.  Also how
# quickly export writes each format.  Default: 400000 events.
set -eu -o pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C TZ=UTC
BUILD=${BUILD:-build/plain}
EVENTS=${1:-400000}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
store=$scratch/store
year_2023=1700000000

# took COMMAND...  Three runs on one core; $wall_ms and $cpu_ms are the medians.  The output of the last is in $scratch/out.
took() {
	local TIMEFORMAT='%R %U %S'
	: >"$scratch/times"
	for _ in 1 2 3; do
		{ time taskset -c 0 "$@" >"$scratch/out" 2>"$scratch/err" || [ $? -eq 1 ]; } 2>>"$scratch/times" || cat "$scratch/err" >&2
	done
	wall_ms=$(sort -g "$scratch/times" | awk 'NR == 2 { print $1 * 1000 }')
	cpu_ms=$(awk '{ print ($2 + $3) * 1000 }' "$scratch/times" | sort -g | sed -n 2p)
}

figure() {
	printf '%-64s %12s %s\n' "$1" "$2" "${3:-}"
}

# asked NAME PATTERN COMMAND...  How long, and how many answers (lines with PATTERN).
asked() {
	local name=$1 pattern=$2
	shift 2
	took "$@"
	figure "  $name" "$wall_ms ms" "CPU $cpu_ms ms, $(grep -c -- "$pattern" "$scratch/out") found"
}

have() {
	command -v "$1" >/dev/null || { figure "  $1 is not installed" '-'; return 1; }
}

xz -dc tests/data/build-gzip.nl.xz >"$scratch/once"
events=$(($(stat -c %s "$scratch/once") / 76))
tests/repeat.pl "$scratch/once" $((EVENTS / events + 1)) >"$scratch/stream"
"$BUILD/procledgerd" --store "$store" --ring-size 256M --input "$scratch/stream" 2>"$scratch/log"
events=$(($(stat -c %s "$scratch/stream") / 76))
echo "build-gzip again and again: $events events"

echo "export of all of them, one core:"
for format in jsonl csv netlink ecs ocsf audit timesketch trace dot; do
	took "$BUILD/procledger" --store "$store" export -o "$format"
	figure "  export -o $format" "CPU $cpu_ms ms" "$(perl -e 'printf "%.2f M/s, %.0f bytes/event", $ARGV[0] / $ARGV[1] / 1000, $ARGV[2] / $ARGV[0]' \
		"$events" "$cpu_ms" "$(stat -c %s "$scratch/out")")"
done

# One second in the middle.  The import has no wall-clock times: for ausearch, which takes no time in 1970, it was 2023.
from=$(sqlite3 -readonly "$store/index.db" 'SELECT (min(ts_min_ns) + max(ts_max_ns)) / 2 FROM block')
to=$((from + 1000000000))
day() {
	date -u -d "@$(($1 / 1000000000 + year_2023))" '+%m/%d/%y %H:%M:%S'
}

echo "every program run in one second in the middle, process and all:"
asked 'procledger events --kind exec' '"kind":"exec"' "$BUILD/procledger" --store "$store" events --kind exec -S "@mono:$from" -U "@mono:$to" -o jsonl
asked 'procledger sql, view event' exec "$BUILD/procledger" --store "$store" sql -o csv \
	"SELECT event_no, kind, pid FROM event WHERE kind = 'exec' AND timestamp_ns BETWEEN $from AND $to"
if have ausearch; then
	"$BUILD/procledger" --store "$store" export -o audit 2>"$scratch/err" |
		perl -pe 's/(?<=audit\()(\d+)/$1 + '$year_2023'/e' >"$scratch/audit.log"
	read -r from_day from_time <<<"$(day "$from")"
	read -r to_day to_time <<<"$(day "$to")"
	asked "ausearch, $(($(stat -c %s "$scratch/audit.log") / events)) bytes/event" 'type=SYSCALL' \
		ausearch -if "$scratch/audit.log" --raw -sc execve -ts "$from_day" "$from_time" -te "$to_day" "$to_time"
fi
"$BUILD/procledger" --store "$store" export -o jsonl >"$scratch/events.jsonl" 2>"$scratch/err"
asked "grep in JSON lines, $(($(stat -c %s "$scratch/events.jsonl") / events)) bytes/event (all of them)" . grep '"kind":"exec"' "$scratch/events.jsonl"
if have duckdb; then
	asked 'DuckDB in JSON lines' exec duckdb -csv -c \
		"SELECT event_no, kind, pid FROM read_json_auto('$scratch/events.jsonl') WHERE kind = 'exec' AND timestamp_ns BETWEEN $from AND $to"
fi
"$BUILD/procledger" --store "$store" export -o csv >"$scratch/events.csv" 2>"$scratch/err"
sqlite3 "$scratch/plain.db" '.mode csv' ".import $scratch/events.csv event" 'CREATE TABLE e AS SELECT CAST(event_no AS INTEGER) AS event_no,
	CAST(timestamp_ns AS INTEGER) AS timestamp_ns, CAST(cpu AS INTEGER) AS cpu, kind, CAST(pid AS INTEGER) AS pid, CAST(tid AS INTEGER) AS tid,
	CAST(ppid AS INTEGER) AS ppid, comm, CAST(exit_code AS INTEGER) AS exit_code FROM event' 'DROP TABLE event' VACUUM
asked "SQLite, a plain row an event, $(($(stat -c %s "$scratch/plain.db") / events)) bytes/event" exec sqlite3 -readonly "$scratch/plain.db" \
	"SELECT event_no, kind, pid FROM e WHERE kind = 'exec' AND timestamp_ns BETWEEN $from AND $to"

pid=$(sqlite3 -readonly "$store/index.db" "SELECT pid FROM event WHERE kind = 'exec' AND timestamp_ns >= $from LIMIT 1")
echo "every EXEC of one pid at any time, process and all:"
asked 'procledger events --pid' '"kind":"exec"' "$BUILD/procledger" --store "$store" events --kind exec --pid "$pid" -o jsonl
asked 'procledger sql, view event' exec "$BUILD/procledger" --store "$store" sql -o csv "SELECT event_no, kind, pid FROM event WHERE kind = 'exec' AND pid = $pid"
if have ausearch; then
	asked 'ausearch' 'type=SYSCALL' ausearch -if "$scratch/audit.log" --raw -sc execve -p "$pid"
fi
asked 'grep in JSON lines' . grep "\"kind\":\"exec\",\"pid\":$pid," "$scratch/events.jsonl"
asked 'SQLite, a plain row an event' exec sqlite3 -readonly "$scratch/plain.db" "SELECT event_no, kind, pid FROM e WHERE kind = 'exec' AND pid = $pid"
