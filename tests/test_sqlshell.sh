#!/bin/bash
# shellcheck disable=SC2016 # parameters of SQL in single quotes
# test_sqlshell.sh - asking in SQL: parameters, limits, functions, the extension for any SQLite, and the shell on a terminal.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
export XDG_STATE_HOME=${scratch:?}/state
capture_import zoo

# ask ARGUMENT...  stdout in $scratch/out, without the carriage returns of CSV, stderr in $scratch/err.
ask() {
	"$P" --store "$scratch/zoo" sql -o csv "$@" 2>"$scratch/err" | tr -d '\r' >"$scratch/out"
	return "${PIPESTATUS[0]}"
}

# value  The one value of the last answer.
value() {
	sed -n 2p "$scratch/out"
}

# --- parameters and limits ---
ask --param kind=exec --param 'least=1' 'SELECT count(*) FROM event WHERE kind = :kind AND event_no >= $least'
is "$(value)" "$(sqlite3 "$scratch/zoo/index.db" "SELECT count(*) FROM event WHERE kind = 'exec'")" "parameters are bound, numbers as numbers"
ask --param "x=it's" 'SELECT typeof(:x), :x'
is "$(value)" "text,it's" "and what is no number as text, whatever it holds"
ask 'SELECT :missing'
is "$? $(grep -c -- '--param missing=VALUE' "$scratch/err")" '2 1' "a parameter without a value is named"
ask --param nonsense 'SELECT 1'
is $? 2 "a value without a name is refused"
ask --timeout 1 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n'
is "$? $(grep -c 'more than 1 second' "$scratch/err")" '3 1' "a query that takes longer than --timeout is stopped"
ask --memory 2M "SELECT printf('%0900000d', 1), printf('%0900000d', 2), printf('%0900000d', 3), printf('%0900000d', 4)"
is $? 3 "one that wants more than --memory too"
for forbidden in 'DELETE FROM life' 'PRAGMA journal_mode = delete' "ATTACH '$scratch/x' AS x" 'CREATE TABLE x(y)' 'CREATE TEMP TABLE x(y)' \
	'VACUUM' "SELECT load_extension('x')" 'BEGIN' "INSERT INTO meta VALUES ('x', 1)"; do
	ask "$forbidden"
	is "$? $(wc -l <"$scratch/err")" '2 1' "not allowed: ${forbidden//$scratch/...}"
done

# --- functions ---
imported='SELECT wall(1), wall_ns(1)'
ask "$imported"
is "$(value)" ',' "wall times of an import are not known"
# A machine whose clock was set forward by an hour in the middle of a boot, and that was started again.
cp -r "$scratch/zoo" "$scratch/clocks"
sqlite3 "$scratch/clocks/index.db" "DELETE FROM clock; UPDATE boot SET boot = 2; INSERT INTO clock VALUES
	(1, 1, 1000, 1000, 1700000000000001000, 0), (2, 2, 5000, 5000, 1800000000000005000, 0), (3, 2, 9000, 9000, 1800003600000009000, 2)" \
	"PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
clocks() {
	"$P" --store "$scratch/clocks" sql -o csv "SELECT $1" 2>/dev/null | tr -d '\r' | sed -n 2p
}
is "$(clocks 'wall(8999), wall(9000), wall(1)')" '2027-01-15T08:00:00.000008999Z,2027-01-15T09:00:00.000009000Z,2027-01-15T08:00:00.000000001Z' \
	"wall(): the clock record before decides, for the first ones the one behind"
is "$(clocks 'wall(1500, 1), wall_ns(1500, 1), wall(1, 7)')" '2023-11-14T22:13:20.000001500Z,1700000000000001500,' "of a boot that is named, NULL of one that is not there"
is "$(clocks "ns('2027-01-15 08:00:00.000006'), ns('@1700000000.000001200'), ns('@mono:77')")" '6000,1200,77' "ns(): the way back, in the boot that ran then"
is "$(clocks "ns('@1800003600.000009500') = 9500, ns(wall(8000)), ns(NULL)")" '1,8000,' "and out of what wall() gave"
noon="ns('2027-01-15 12:00', 1)"
is "$(TZ=Asia/Tokyo clocks "$noon - ns('2027-01-15 12:00 UTC', 1)")" "$((-9 * 3600))000000000" "in local time"
is "$(TZ=Asia/Tokyo "$P" --store "$scratch/clocks" sql --utc -o csv "SELECT $noon - ns('2027-01-15 12:00 UTC', 1)" 2>/dev/null | tr -d '\r' | sed -n 2p)" 0 "with --utc in UTC"
is "$(clocks "ns('2027-01-15 12:00 Asia/Tokyo', 1) - ns('2027-01-15 03:00 UTC', 1)")" 0 "or in a zone by name"
ask "SELECT ns('whenever')"
is "$? $(grep -c 'ns() wants' "$scratch/err")" '2 1' "what is no time is told"
ask "SELECT count(*) FROM comm_history AS h WHERE from_ns IS NOT NULL AND (to_ns IS NULL OR to_ns > from_ns) AND comm_at(id, from_ns) IS NOT comm"
is "$(value)" 0 "comm_at() gives the name of every interval at its beginning"
ask "SELECT count(*) FROM process AS p WHERE parent_id IN (SELECT id FROM process) AND
	(SELECT id FROM ancestors(p.id) WHERE depth = 1) IS NOT parent_id"
is "$(value)" 0 "ancestors(): the first above each is its parent"
ask "SELECT (SELECT count(*) FROM process AS p, ancestors(p.id) AS a) = (SELECT count(*) FROM process AS p, descendants(p.id) AS d),
	(SELECT count(*) FROM process AS p, ancestors(p.id) AS a WHERE (SELECT depth FROM descendants(a.id) AS d WHERE d.id = p.id) IS NOT a.depth)"
is "$(value)" '1,0' "descendants(): each is below each of its ancestors, as deep"
ask 'SELECT * FROM ancestors'
is $? 2 "of nobody there are none"
ask "SELECT count(*) FROM process, json_each(argv)"
ok $? "functions of JSON that make tables may be used"

# --- the extension ---
extension=$BUILD/procledger_sqlite
stock=$(sqlite3 -readonly "$scratch/clocks/index.db" ".load $extension" \
	"SELECT wall(9000), ns('@mono:5'), (SELECT group_concat(depth) FROM ancestors((SELECT max(id) FROM process WHERE parent_id IS NOT NULL)))" 2>&1)
is "${stock:0:33}" '2027-01-15T09:00:00.000009000Z|5|' "a stock sqlite3 loads the extension"
if command -v python3 >/dev/null && python3 -c 'import sqlite3; sqlite3.connect(":memory:").enable_load_extension(True)' 2>/dev/null; then
	python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.enable_load_extension(True); db.load_extension(sys.argv[2]); print(db.execute("SELECT wall(9000)").fetchone()[0])' \
		"$scratch/clocks/index.db" "$extension" >"$scratch/out" 2>&1
	is "$(cat "$scratch/out")" 2027-01-15T09:00:00.000009000Z "so does Python"
fi

# --- the shell ---
if ! has_terminal; then
	done_testing
fi
# shell LINES...  What a terminal shows of a session.
shell() {
	printf '%b' "$1" | script -qec "$P --store $scratch/zoo sql --param x=5" /dev/null | tr -d '\r' >"$scratch/out"
}
shell '.tables comm*\n.mode csv\nSELECT :x * 2 AS\n double;\nSELECT nonsuch;\nSELECT 3 AS three;\n.frobnicate\n.schema sid\n.quit\n'
grep -q '^comm_history view' "$scratch/out"
ok $? ".tables lists tables and views"
[ "$(grep -A 1 '^double$' "$scratch/out" | tail -n 1)" = 10 ]
ok $? "a statement of two lines is answered, with a parameter, as .mode says"
grep -q 'no such column: nonsuch' "$scratch/out" && [ "$(grep -A 1 '^three$' "$scratch/out" | tail -n 1)" = 3 ]
ok $? "a mistake is told, and the shell goes on"
grep -q 'there is no .frobnicate' "$scratch/out" && grep -q '^CREATE TABLE sid(event_no' "$scratch/out"
ok $? "unknown commands are refused; .schema shows how a table was made"
shell 'SELECT count(*) AS n FROM comm_hist\t;\n.quit\n'
grep -Eq '^ *[0-9]+$' "$scratch/out"
ok $? "Tab completes the name of a view"
grep -q 'AS.*double' "$scratch/state/procledger/sql_history" || grep -q 'double' "$scratch/state/procledger/sql_history"
ok $? "what was typed is kept for the next time"
is "$(stat -c %a "$scratch/state/procledger")" 700 "where only its user reads it"
printf 'SELECT 1;' | "$P" --store "$scratch/zoo" sql >"$scratch/out" 2>/dev/null
is "$(grep -c procledger "$scratch/out")" 0 "without a terminal there is no shell"
done_testing
