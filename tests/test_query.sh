#!/bin/bash
# test_query.sh - procledger from the outside: commands, windows, formats, exit codes, on imported captures.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
store=${scratch:?}/zoo
capture_import zoo

# run WANTED_EXIT SENTENCE ARGUMENT...  Leaves stdout in $out, stderr in $err.
run() {
	local wanted=$1 sentence=$2 got
	shift 2
	"$P" --store "$store" "$@" >"$scratch/out" 2>"$scratch/err"
	got=$?
	out=$(cat "$scratch/out")
	err=$(cat "$scratch/err")
	[ $got -eq "$wanted" ]
	ok $? "$sentence (exit $wanted)"
	[ $got -eq "$wanted" ] || note "exit $got; $err"
}

# has WHAT SENTENCE  The output of the last run has this text.
has() {
	grep -qF -- "$1" "$scratch/out"
	ok $? "$2"
}

complains() {
	[ "$(wc -l <"$scratch/err")" -eq 1 ] && grep -qF -- "$1" "$scratch/err" &&
		grep -q '^procledger: ' "$scratch/err"
	ok $? "$2"
}

# --- the command line ---
"$P" --help >"$scratch/out" 2>"$scratch/err"
ok $? "--help is found"
for command in tree ps comm events sql status reindex; do
	has "  $command" "--help tells of $command"
done
for command in tree ps comm show events status; do
	run 0 "$command --help is found" "$command" --help
	has "procledger $command" "with examples"
done
for command in tree ps comm show events sql report status doctor reindex replay export; do
	"$P" "$command" --help >"$scratch/out"
	sed -n 2p "$scratch/out" | grep -q '^[A-Z].*[^.]\.$' && ! grep -q '^Tells [am]\|be: *$' "$scratch/out"
	ok $? "$command --help is in whole sentences"
	is "$(grep -c '^Exit status:' "$scratch/out")" 1 "and tells of the exit status once"
done
"$P" export --help >"$scratch/out"
is "$(sed -n 's/.*--output FORMAT *//p' "$scratch/out" | tr -d , | sed 's/ or / /' | tr ' ' '\n' | sort | tr '\n' ' ')" \
	"$(sed -n '/^FORMAT is one of these/,$p' "$scratch/out" | sed -n 's/^  \([a-z, -]*[a-z]\)   *.*/\1/p' | tr -d , | tr ' ' '\n' | grep . | sort | tr '\n' ' ')" \
	"export names the formats that it has"
for command in tree ps comm 'show 17186' events 'sql VALUES(1)' report status doctor 'replay --speed=max'; do
	# shellcheck disable=SC2086 # words
	listed=$("$P" ${command%% *} --help | sed -n 's/^  -o, --output FORMAT *//p' | tr -d , | sed 's/ or / /')
	taken=
	for format in text json jsonl csv netlink; do
		# shellcheck disable=SC2086 # words
		"$P" --store "$store" $command -o $format >/dev/null 2>&1
		[ $? -eq 2 ] || taken="$taken $format"
	done
	is "$listed" "${taken# }" "${command%% *} --help lists the formats that it takes"
done
for command in '' ps events reindex; do
	# shellcheck disable=SC2086 # words
	"$P" --store "$scratch/nothing" $command --version | grep -Eq '^procledger [0-9]+\.[0-9]+\.[0-9]+$'
	ok $? "$command --version tells the version"
done
"$P" >/dev/null 2>"$scratch/err"
[ $? -eq 2 ] && grep -q '^Usage:' "$scratch/err"
ok $? "without a command the usage is shown"
run 2 "an unknown command is refused" frobnicate
complains "frobnicate" "in one sentence"
run 2 "an unknown option is refused" tree --frobnicate
complains "--frobnicate" "in one sentence"
run 2 "an unknown letter is refused" tree -Z
run 2 "also before others" tree -Zq
complains "no option -Z;" "and named, not what stands behind it"
run 2 "an option without its argument is refused" tree -S
run 2 "an option of another command is refused" comm -A
complains "comm takes no --ascii (-A)" "and named, by the letter too"
run 2 "a store without a name is refused" --store '' tree
complains "--store" "and the option named"
"$P" --from-ring - tree </dev/null >/dev/null 2>"$scratch/err"
is $? 3 "nothing on standard input is no ledger"
complains "standard input is not a ledger" "which is said of it"
run 2 "one argument too many is refused" status 1
run 2 "a bad format is refused" tree -o xml
run 2 "a bad number is refused" events -n -3
run 2 "a name is no number" events -n perl
complains "'perl'" "and not taken for one that is selected"
run 0 "but another option may follow" events -n --kind fork
run 2 "a bad time is refused" tree -S whenever
complains "--since" "and the option named"
run 2 "wall-clock windows of an import are refused" tree -S yesterday
complains "@mono" "and what to ask instead is told"
run 1 "a boot that is not there is not found" tree -b 7
ln -s /usr "$scratch/linked"
run 1 "a program is not found by a path with links in it" ps --exe "$scratch/linked/bin/env"
grep -qxF -- "-- $scratch/linked/bin/env is here, without links, $(realpath /usr/bin/env): programs have that name" "$scratch/err"
ok $? "but its path is told"
run 0 "options may stand before the command" -o jsonl events -n 1
first=$out
run 0 "or behind it" events -n 1 -o jsonl
is "$out" "$first" "with the same answer"
run 0 "-b may stand alone" tree -b
run 0 "-b takes all" events -b all -n 1
"$P" status --store "$scratch/nothing" >/dev/null 2>"$scratch/err"
is $? 3 "a store that is not there is an error"
complains "there is no ledger in" "and told in one sentence"
PROCLEDGER_STORE=$store "$P" events -n 1 -o jsonl >"$scratch/out" 2>/dev/null
is "$(cat "$scratch/out")" "$first" "PROCLEDGER_STORE names the store"

# --- completeness and windows ---
run 0 "the zoo is complete" tree --strict
recorded=$(sqlite3 -separator ' to @mono:' "$store/index.db" "SELECT min(timestamp_ns), max(timestamp_ns) FROM event")
is "$err" "-- complete from @mono:$recorded" "and says so on stderr, with what was recorded of a whole boot"
run 0 "JSON says so too" ps -o json
has '"complete":true,"missing":[]}' "in its last members"
run 0 "JSON lines end with it" comm -o jsonl
is "$(tail -n 1 "$scratch/out")" '{"completeness":{"recorded":{"boot":1,"from_ns":'"${recorded/ to @mono:/,\"from_wall_ns\":null,\"to_ns\":}"',"to_wall_ns":null},"complete":true,"missing":[]}}' \
	"as a line of its own, with what was recorded"
from=$("$P" --store "$store" events -o csv 2>/dev/null | sed -n 100p | cut -d, -f3)
to=$("$P" --store "$store" events -o csv 2>/dev/null | sed -n 150p | cut -d, -f3)
run 0 "a window of raw time stamps" events -S "@mono:$from" -U "@mono:$to" -o csv
is "$(sed -n 2p "$scratch/out" | cut -d, -f3)" "$from" "begins with the event at its begin"
is "$(tail -n 1 "$scratch/out" | cut -d, -f3)" "$to" "and ends with the event at its end"
is "$err" "-- complete" "and is complete"
run 1 "nothing happened between two events" events -S "@mono:1" -U "@mono:2"
run 1 "nobody lived before the recording" ps --at @mono:1

# --- tree, ps, comm ---
run 0 "the tree" tree
! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$scratch/out"
ok $? "has no control character, though the zoo has them in names"
grep -q 'SIGKILL' "$scratch/out" && grep -q 'exit 3' "$scratch/out"
ok $? "tells signals and exit codes"
grep -q '└─' "$scratch/out"
ok $? "is drawn with lines"
run 0 "with -A" tree -A
! LC_ALL=C grep -q $'[\x80-\xff]' "$scratch/out"
ok $? "it is drawn with ASCII"
run 0 "with -t" tree -t
grep -q '{worker-0}' "$scratch/out"
ok $? "threads are shown by name"
lives=$(sqlite3 "$store/index.db" 'SELECT count(*) FROM process')
run 0 "as JSON lines" tree -o jsonl
is "$(($(wc -l <"$scratch/out") - 1))" "$lives" "it has every process of the index"
lives=$(sqlite3 "$store/index.db" 'SELECT count(*) FROM task')
run 0 "with threads" tree -t -o jsonl
is "$(($(wc -l <"$scratch/out") - 1))" "$lives" "it has every task of the index"
run 0 "comm without arguments" comm
has 'daemon\x1b[31mred' "writes an escape sequence as \\x1b"
run 0 "comm finds a name as it is written" comm 'daemon\x1b[31mred'
run 1 "comm does not find another" comm no-such-name
run 0 "comm finds a number" comm 17215
run 2 "comm refuses a number that is no pid" comm 99999999999

# --- selectors (of lives and events) ---
for command in tree ps comm events; do
	run 1 "$command selects by pid" "$command" 999999
	run 0 "$command takes a pid" "$command" 17215
	run 0 "$command takes a name" "$command" "renamed node"
	run 0 "$command takes a glob and an end" "$command" 'r*' --shorter 1h
	run 0 "$command finds who was killed" "$command" --killed
	run 0 "$command finds who ran into an event" "$command" --kind ptrace
	run 2 "$command refuses a wrong selector" "$command" --status no-signal
	complains "neither an exit status" "with what is wrong"
done
sel() { # WHERE OPTION...  As many processes as the view process has of these.
	local rows where=$1
	shift
	rows=$(sqlite3 "$store/index.db" "SELECT count(*) FROM process WHERE $where")
	"$P" --store "$store" ps -o jsonl "$@" >"$scratch/out" 2>/dev/null
	is "$(grep -vc '^{"completeness"' "$scratch/out")" "$rows" "ps $* tells of the $rows with $where"
}
sel 'exit_code <> 0' --failed
sel 'exit_code & 127 <> 0' --killed
sel 'exit_code = 768' --status 3
sel 'exit_code & 127 = 9' --status SIGKILL
sel 'exit_code & 127 IN (9, 11)' --status kill --status SEGV
sel 'ppid = 17215' --ppid 17215
sel 'end_ns - start_ns >= 100000000 OR end_ns IS NULL AND start_ns IS NOT NULL' --longer 100ms
sel 'end_ns - start_ns <= 2000000' --shorter 2ms
sel "id IN (SELECT id FROM comm_history WHERE comm = 'renamed node')" --comm "renamed node"
sel "id IN (SELECT id FROM comm_history WHERE comm GLOB 'r*')" 'r*'
sel "id IN (SELECT id FROM comm_history WHERE comm = 'renamed node') AND exit_code <> 0" "renamed node" --failed
sel 'id IN (WITH RECURSIVE under(i) AS (VALUES ((SELECT id FROM process WHERE pid = 17215)) UNION SELECT id FROM process JOIN under ON parent_id = i) SELECT i FROM under)' --under 17215
run 0 "kinds of events" events --kind fork,exit -o csv
is "$(tail -n +2 "$scratch/out" | cut -d, -f5 | sort -u | tr '\n' ' ')" "exit fork " "are those asked for"
run 0 "events of a life that is named by what came later" events --failed -o jsonl
is "$(grep -c '"kind":"exit"' "$scratch/out")" "$(sqlite3 "$store/index.db" 'SELECT count(*) FROM task WHERE exit_code <> 0')" "end with their exits"

# --- the same facts, once from the ring and once from the index ---

# same_facts COMMAND ROWS VIEW FIELDS NEEDED  Of rows where NEEDED is known: what the command says in JSON is what the view says.
same_facts() {
	local command=$1 rows=$2 view=$3 pairs="" values="" field

	for field in $4; do
		pairs="$pairs, '$field', $field"
		values="$values, '$field', value ->> '$field'"
	done
	sqlite3 "$store/index.db" "SELECT json_object(${pairs#, }) FROM $view WHERE $5 IS NOT NULL" | sort >"$scratch/index"
	run 0 "$command as JSON" "$command" -o json
	sqlite3 :memory: "SELECT json_object(${values#, }) FROM json_each(readfile('$scratch/out'), '\$.$rows')
		WHERE value ->> '$5' IS NOT NULL" |
		sort >"$scratch/ring"
	[ -s "$scratch/index" ] && cmp -s "$scratch/index" "$scratch/ring"
	ok $? "has the facts of the view $3"
	diff "$scratch/index" "$scratch/ring" | head -n 6 | sed 's/^/# /'
}

same_facts ps processes process 'id boot pid ppid parent_id start_ns end_ns comm exit_code exit_signal born ended' id
same_facts events events event 'event_no boot timestamp_ns cpu kind pid tid ppid ptid comm ruid euid rgid egid tracer_pid tracer_tid exit_code exit_signal' event_no
same_facts comm comm_history comm_history 'id pid tid comm from_ns to_ns source' comm

# --- events -n ---
events=$(sqlite3 "$store/index.db" 'SELECT count(*) FROM event')
run 0 "all events" events -o jsonl
is "$(($(wc -l <"$scratch/out") - 1))" "$events" "are as many as in the index"
tail -n 6 "$scratch/out" | head -n 5 >"$scratch/last"
run 0 "the last five" events -n 5 -o jsonl
head -n 5 "$scratch/out" | cmp -s - "$scratch/last"
ok $? "are the last five of all"
run 1 "the last none" events -n 0
run 0 "more than there are" events -n 1000000 -o jsonl
is "$(($(wc -l <"$scratch/out") - 1))" "$events" "are all"

# --- sql ---
run 0 "a query" sql 'SELECT count(*) AS n FROM event' -o csv
is "$(sed -n 2p "$scratch/out" | tr -d '\r')" "$events" "is answered"
echo 'SELECT 1 AS one' | "$P" --store "$store" sql -o csv 2>/dev/null | grep -q one
ok $? "a query comes from standard input too"
run 1 "no rows are nothing found" sql 'SELECT 1 WHERE 0'
run 2 "wrong SQL is wrong usage" sql 'SELEC 1'
for bad in 'INSERT INTO meta VALUES (1, 2)' 'DELETE FROM life' 'CREATE TABLE x(y)' 'CREATE TEMP TABLE x(y)' 'DROP TABLE life' \
	"ATTACH '$scratch/other.db' AS other" 'PRAGMA writable_schema = 1' 'PRAGMA journal_mode = DELETE' 'VACUUM' "VACUUM INTO '$scratch/copy.db'" \
	"SELECT load_extension('x')" "SELECT writefile('$scratch/x', 'y')" 'BEGIN' 'SELECT randomblob(100000000)' 'SELECT 1; SELECT 2' ''; do
	"$P" --store "$store" sql "$bad" >/dev/null 2>"$scratch/err" </dev/null
	status=$?
	[ $status -eq 2 ] || [ $status -eq 3 ]
	ok $? "refused: $bad"
done
[ ! -e "$scratch/other.db" ] && [ ! -e "$scratch/copy.db" ] && [ ! -e "$scratch/x" ]
ok $? "none of them made a file"
run 0 "a name from outside" sql "SELECT char(27) || '[2J' AS \"a\"\"b\", x'00ff' AS b, NULL AS n, 1e999 AS i" -o jsonl
is "$(head -n 1 "$scratch/out")" '{"a\"b":"\u001b[2J","b":"\u0000�","b_hex":"00ff","n":null,"i":"Infinity"}' "is harmless and valid JSON"
run 0 "the same as text" sql "SELECT char(27) || '[2J' AS a"
has '\x1b[2J' "is escaped"
[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && {
	chmod 755 "$scratch" "$store"
	chmod 644 "$store/index.db" "$store/ledger.ring"
	rm -f "$store"/index.db-wal "$store"/index.db-shm
	setpriv --reuid 65534 --clear-groups "$P" --store "$store" sql 'SELECT count(*) AS n FROM event' -o csv 2>/dev/null | grep -q "^$events"
	ok $? "somebody who may read but not write the store can ask"
}

# --- status, reindex ---
run 0 "status" status
grep -q '^recorder *not running' "$scratch/out" && grep -q '^index.*up to date' "$scratch/out"
ok $? "tells who runs and how far the index is"
run 0 "status as JSON" status -o json
is "$(sqlite3 :memory: "SELECT value ->> 'events' || ' ' || (value ->> 'index_lag') || ' ' || (value ->> 'complete') FROM (SELECT readfile('$scratch/out') AS value)")" \
	"$events 0 1" "is valid JSON"
sqlite3 "$store/index.db" .dump >"$scratch/before"
rm -f "$store"/index.db*
run 0 "without an index the tree is the same" tree -o jsonl
run 3 "but SQL cannot be asked" sql 'SELECT 1'
complains "reindex" "and what helps is told"
run 0 "status without an index" status
has "none: 'procledger reindex' makes it" "tells what helps"
exec 8<"$store"
flock -x 8
run 3 "while somebody else writes the index, a recorder or another reindex, it is not made anew" reindex
complains "stop that first" "and that is said"
exec 8<&-
run 0 "reindex" reindex
is "$out" "$events events indexed" "tells how many events went in"
sqlite3 "$store/index.db" .dump | cmp -s - "$scratch/before"
ok $? "the index is the same as before"

# --- a ring that lies elsewhere, terminals ---
cp "$store/ledger.ring" "$scratch/foreign.ring"
run 0 "a tree of the store" tree -o jsonl
for command in tree ps comm events; do
	"$P" --store "$store" "$command" -o jsonl >"$scratch/before" 2>/dev/null
	"$P" "$command" -o jsonl --from-ring "$scratch/foreign.ring" >"$scratch/out" 2>/dev/null
	cmp -s "$scratch/before" "$scratch/out"
	ok $? "$command of a ring that lies elsewhere is the same"
	"$P" "$command" -o jsonl --from-ring - <"$scratch/foreign.ring" 2>/dev/null | cmp -s - "$scratch/before"
	ok $? "also when it comes through a pipe"
done
for ask in 'SELECT * FROM event' 'SELECT * FROM process' 'SELECT * FROM comm_history'; do
	"$P" --store "$store" sql "$ask" -o csv >"$scratch/before" 2>/dev/null
	"$P" sql "$ask" -o csv --from-ring "$scratch/foreign.ring" 2>/dev/null | cmp -s - "$scratch/before"
	ok $? "$ask of a ring that lies elsewhere is the same"
done
is "$(find "$scratch" -maxdepth 1 -name '*.db*')" "" "and no index was left beside it"
run 3 "a file that is not there is an error" ps --from-ring "$scratch/nothing"
complains "there is no file" "and told"
head -c 30000 "$scratch/foreign.ring" >"$scratch/cut.ring"
"$P" tree --from-ring "$scratch/cut.ring" >/dev/null 2>&1
[ $? -le 3 ]
ok $? "a ring that is cut short gives an answer or an error"
has_terminal && {
	tty() { # ENVIRONMENT... -- ARGUMENT...  What a terminal of 40 columns is given.
		local environment=()
		while [ "$1" != -- ]; do
			environment+=("$1")
			shift
		done
		shift
		env PAGER=cat TERM=xterm COLUMNS=40 "${environment[@]}" timeout 10 script -qec "$P --store $store $*" /dev/null </dev/null 2>/dev/null |
			tr -d '\r' >"$scratch/out"
	}
	tty NO_COLOR=1 -- tree -q -A
	[ -s "$scratch/out" ] && [ "$(LC_ALL=C wc -L <"$scratch/out")" -le 40 ]
	ok $? "lines are cut to a terminal's width"
	tty NO_COLOR=1 -- ps -q --no-pager
	[ -s "$scratch/out" ] && [ "$(LC_ALL=C.UTF-8 wc -L <"$scratch/out")" -le 40 ]
	ok $? "also those of ps"
	is "$(grep -vc '…$' "$scratch/out")" 0 "each of which ends with a mark"
	run 0 "in a pipe" tree -q -A
	[ "$(LC_ALL=C wc -L <"$scratch/out")" -gt 40 ]
	ok $? "they are not"
	tty PROCLEDGER_PAGER="sed s/^/paged:/" PROCLEDGER_PAGERSECURE=0 -- ps -q
	has "paged:" "a terminal has a pager before it"
	tty PROCLEDGER_PAGER="sed s/^/paged:/" PROCLEDGER_PAGERSECURE=0 -- ps -q --no-pager
	! grep -q paged: "$scratch/out"
	ok $? "but not with --no-pager"
	tty PAGER="sed s/^/paged:/" SUDO_UID=4711 -- ps -q
	! grep -q paged: "$scratch/out"
	ok $? "under sudo \$PAGER is not run"
}

# --- pipes and errors ---
"$P" --store "$store" events -o jsonl 2>"$scratch/err" | head -n 1 >/dev/null
is "${PIPESTATUS[0]}" 0 "a closed pipe is no error"
[ ! -s "$scratch/err" ]
ok $? "and not spoken of"
[ -w /dev/full ] && {
	"$P" --store "$store" events >/dev/full 2>"$scratch/err"
	is $? 3 "a full disk under the answer is an error"
	complains "cannot write" "and told"
	for argument in --help --version 'events --help' 'report --sql'; do
		# shellcheck disable=SC2086 # words
		"$P" --store "$store" $argument >/dev/full 2>"$scratch/err"
		is $? 3 "so it is under $argument"
	done
	timeout 10 "$P" --store "$store" events -f >/dev/full 2>"$scratch/err"
	is "$? $(tail -n 1 "$scratch/err")" '3 procledger: cannot write the answer: No space left on device' "who follows is not told that the ledger cannot be read"
}
head -c 100000 /dev/zero >"$scratch/junk.ring"
mkdir "$scratch/junk" && cp "$scratch/junk.ring" "$scratch/junk/ledger.ring"
"$P" --store "$scratch/junk" tree >/dev/null 2>"$scratch/err"
is $? 3 "what is not a ledger is an error"
complains "is not a ledger" "and told"

# --- loss ---
holes_import
"$P" --store "$scratch/holes" tree --strict >/dev/null 2>"$scratch/err"
is $? 4 "with --strict a loss gives exit code 4"
grep -Eq '^-- incomplete: [0-9]+ events? lost on cpu [01] between @mono:[0-9]+ and @mono:[0-9]+' "$scratch/err"
ok $? "and what was lost on which CPU and when is told"
"$P" --store "$scratch/holes" tree -o json 2>/dev/null >"$scratch/out"
is $? 0 "without --strict it is an answer"
is "$(sqlite3 :memory: "SELECT sum(value ->> 'count') FROM json_each(readfile('$scratch/out'), '\$.missing')")" 10 "the ten that were cut out are missing"
# --- a ledger of nothing, and half a copy of one ---
"$BUILD/procledgerd" --store "$scratch/empty" --ring-size 4M --input /dev/null 2>/dev/null
store=$scratch/empty
run 4 "of a ledger without events nothing is complete" ps -S 00:41 -U 00:45 --strict
grep -qx -- '-- incomplete: nothing was recorded' "$scratch/err"
ok $? "and it is said why"
run 1 "nor as JSON" events -o json
has '"complete":false,"missing":[{"reason":"nothing"' "where it is said, too"
run 0 "its status is told" status
grep -qx -- '-- incomplete: nothing was recorded' "$scratch/err"
ok $? "with the same word"
for bytes in 4096 100000; do
	mkdir "$scratch/cut$bytes"
	head -c $bytes "$scratch/zoo/ledger.ring" >"$scratch/cut$bytes/ledger.ring"
	store=$scratch/cut$bytes
	run 4 "a copy broken off after $bytes bytes is not complete" events --strict
	grep -q -- "^-- incomplete: the ledger's file is cut short: nothing is known" "$scratch/err"
	ok $? "because it is cut short"
	run 0 "its status is told" status
	has "of which $((4194304 - bytes)) bytes are not there" "with what is not there"
done
# --- a pid that was used again ---
"$BUILD/tests/tell" "$scratch/again" <<'END'
fork pid=30 ppid=1 t=10
fork pid=30 tid=31 ppid=1 t=20
exit pid=30 tid=31 arg0=0 arg1=4294967295 t=30
exit pid=30 arg0=0 t=40
fork pid=30 ppid=1 t=50
fork pid=30 tid=32 ppid=1 t=60
END
ok $? "a pid used again is told"
store=$scratch/again
run 0 "its newest life is shown" show 30
has "Process 30 " "the process, not its thread"
grep -qx -- '-- 1 other was that too: id:3; this is the last' "$scratch/err"
ok $? "and the other is named, without threads"
# --- an index that is behind ---
printf 'fork pid=10 ppid=1 t=1000\nexit pid=10 arg0=256 t=2000\nseal\n' >"$scratch/first"
"$BUILD/tests/tell" "$scratch/behind" <"$scratch/first"
cp "$scratch/behind/index.db" "$scratch/old.db"
rm -r "$scratch/behind"
{
	cat "$scratch/first"
	printf 'fork pid=11 ppid=1 t=10000\nfork pid=12 ppid=1 t=11000\nseal\n'
} | "$BUILD/tests/tell" "$scratch/behind"
cp "$scratch/old.db" "$scratch/behind/index.db"
store=$scratch/behind
begin='2026-11-22 12:00:01'
run 0 "what the index lacks does not matter where it is not asked for" report failed --strict -S "$begin" -U '2026-11-22 12:00:05'
run 4 "it does where it is" report failed --strict -S "$begin" -U '2026-11-22 12:00:10'
grep -qx -- '-- incomplete: the index lacks the newest 2 events' "$scratch/err"
ok $? "and is counted"
run 4 "SQL has no window: all of it may be meant" sql --strict 'SELECT count(*) FROM process'
exec 9<"$store/ledger.ring"
flock -x 9
(
	sleep 0.3
	sqlite3 "$store/index.db" "UPDATE meta SET value = value + 2 WHERE key = 'next_event_no'"
) 9<&- &
run 0 "a recorder is given a moment to bring it up to date" sql --strict 'SELECT count(*) FROM process'
wait $!
sqlite3 "$store/index.db" "UPDATE meta SET value = value - 2 WHERE key = 'next_event_no'"
run 4 "and no more than that" sql --strict 'SELECT count(*) FROM process'
exec 9<&-
# --- events that came while the recorder started ---
printf 'fork pid=10 ppid=1 t=0\nfork pid=11 ppid=1 t=1000\nseal\n' | "$BUILD/tests/tell" "$scratch/early" 5
store=$scratch/early
run 0 "a boot is complete from its start on" ps
grep -qx -- '-- complete from 2026-11-22 12:00:00.005000+00:00 to 2026-11-22 12:00:01.000000+00:00' "$scratch/err"
ok $? "also where events are older"
run 0 "as a window has it that begins there" ps --strict -S '2026-11-22 12:00:00.005' -U '2026-11-22 12:00:01'
run 4 "and no earlier" ps --strict -S '2026-11-22 12:00:00.004' -U '2026-11-22 12:00:01'
is "$("$P" --store "$store" sql -o csv 'SELECT from_ns FROM coverage' 2>/dev/null | tail -n 1 | tr -d '\r')" 1000005000000 "coverage has it, too"
# --- an index of another version ---
sqlite3 "$store/index.db" 'PRAGMA user_version = 4'
for command in report sql; do
	run 3 "an index of another version is not asked" "$command"
	complains "the index $store/index.db is of another version of procledger: 'procledger reindex' makes it anew" "which is said, with the cure"
done
run 0 "status goes on" status
has "of another version: 'procledger reindex' makes it anew" "and says so, too"
"$P" --store "$store" doctor 2>/dev/null | grep -q '^warn  index .*of this version'
ok $? "as does doctor"
run 0 "reindex helps" reindex
run 0 "and it is asked again" sql 'SELECT count(*) FROM process'
# --- an index that cannot be read ---
store=$scratch/early
head -c $(($(stat -c %s "$store/index.db") - 4096)) /dev/urandom | dd of="$store/index.db" bs=4096 seek=1 conv=notrunc status=none
run 3 "a damaged index is an error" sql 'SELECT count(*) FROM process'
complains "the index $store/index.db is damaged: 'procledger reindex' makes it anew" "the file and the cure are named"
head -c 20000 /dev/urandom >"$store/index.db"
run 3 "as is one that is none" report
complains "the index $store/index.db is damaged: 'procledger reindex' makes it anew" "in the same words"
if [ "$(id -u)" -eq 0 ] && setpriv --reuid=65534 --clear-groups true 2>/dev/null; then
	chmod 755 "$scratch"
	chmod 750 "$store"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$P" --store "$store" sql 'SELECT 1' >"$scratch/out" 2>"$scratch/err"
	is $? 3 "who may not read the store may not ask in SQL"
	complains "you may not read the ledger in $store" "and is told as by the other commands"
fi
done_testing
