#!/bin/bash
# shellcheck disable=SC2016 # fields of awk in single quotes
# test_report.sh - reports: their SQL runs anywhere, keeps to the window, and counts what is there.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
capture_import zoo
tests/decode.pl "$scratch/zoo.nl" >"$scratch/decoded" # timestamp_ns cpu kind pid tid ... exit_code exit_signal

complete="-- complete from $(sqlite3 -readonly -separator ' to @mono:' "$scratch/zoo/index.db" "SELECT '@mono:' || min(timestamp_ns), max(timestamp_ns) FROM event")"

report() {
	"$P" --store "$scratch/zoo" report "$@" >"$scratch/out" 2>"$scratch/err"
}

# rows  Of the last CSV, without its head.
rows() {
	tail -n +2 "$scratch/out" | grep -c .
}

# decoded AWK-CONDITION  How many events of the stream, as another decoder reads it, fulfil it.
decoded() {
	awk -F '\t' "$1 { n++ } END { print n + 0 }" "$scratch/decoded"
}

"$P" report --help >"$scratch/out"
names=$(sed -n 's/^  \([a-z-]*\): .*/\1/p' "$scratch/out")
[ "$(wc -w <<<"$names")" -ge 14 ]
ok $? "--help tells of $(wc -w <<<"$names") reports"
for name in $names; do
	report "$name" -o csv
	status=$?
	[ $status -le 1 ] && [ "$(cat "$scratch/err")" = "$complete" ]
	ok $? "$name: is answered, and says that it is complete"
	cp "$scratch/out" "$scratch/answer"
	report "$name" --sql
	is "$(sqlite3 -readonly "$scratch/zoo/index.db" "SELECT count(*) FROM ($(cat "$scratch/out"))" 2>&1)" "$(($(wc -l <"$scratch/answer") - 1))" "$name: the SQL that it shows gives a stock sqlite3 as many rows"
done

# --- counts ---
report summary -o csv
value() {
	sed -n "s/^\"\{0,1\}$1\"\{0,1\},\([0-9]*\).*/\1/p" "$scratch/out"
}
is "$(value 'processes started')" "$(decoded '$3 == "fork" && $4 == $5')" "processes started: the FORKs of processes"
is "$(value 'threads started')" "$(decoded '$3 == "fork" && $4 != $5')" "threads started: the FORKs of threads"
is "$(value 'programs run')" "$(decoded '$3 == "exec"')" "programs run: the EXECs"
is "$(value 'changes of user')" "$(decoded '$3 == "uid"')" "changes of user: the UIDs"
is "$(value 'traces begun or ended')" "$(decoded '$3 == "ptrace"')" "traces: the PTRACEs"
failed=$(value '... with a status other than 0')
report failed -n 100000 -o csv
is "$(rows)" "$failed" "failed: as many as the summary says"
is "$(sed 1d "$scratch/out" | awk -F, '$5 == 0' | wc -l)" 0 "failed: none has the status 0"
report killed -n 100000 -o csv
[ "$(rows)" -gt 0 ] && [ "$(rows)" -le "$(decoded '$3 == "exit" && $15 % 128 != 0')" ]
ok $? "killed: some, and no more than EXITs by a signal"
report failed -n 2 -o csv
is "$(rows)" 2 "-n 2 gives two rows"
report ptrace -o json
grep -q '"tracer_pid":' "$scratch/out" && grep -q '"complete":true' "$scratch/out"
ok $? "JSON has the columns' names, and whether it is complete"
report cores -n 100000 -o csv
is "$(rows)" "$(decoded '$3 == "coredump"')" "cores: the COREDUMPs"

# --- windows ---
from=$(awk -F '\t' '$3 == "exec" { print $1 }' "$scratch/decoded" | sort -n | sed -n 3p)
to=$(awk -F '\t' '$3 == "exec" { print $1 }' "$scratch/decoded" | sort -n | sed -n 7p)
report summary -S "@mono:$from" -U "@mono:$to" -o csv
is "$(value 'programs run')" 5 "a window from the third EXEC to the seventh has five"
report summary -S "@mono:1" -U "@mono:2" -o csv
is "$(value 'programs run')" 0 "a window before all has none"
report failed -S "@mono:1" -U "@mono:2" -o csv
is $? 1 "and finds no failure"
holes_import
"$P" --store "$scratch/holes" report losses -o csv >"$scratch/out" 2>"$scratch/err"
is "$(sed 1d "$scratch/out" | awk -F, '{ n += $6 } END { print n }')" 10 "losses: the ten events that were cut out"
grep -q '^-- incomplete: ' "$scratch/err"
ok $? "and every report of that time says that it is not complete"

# --- within one block, so that only times tell what is in the window ---
run() { # PID NAME T...
	printf 'fork pid=%d ppid=10 t=%d\nexec pid=%d comm=%s exe=/bin/%s t=%d\n' "$1" "$3" "$1" "$2" "$2" "$3"
}
{
	printf 'snapshot pid=1 ppid=0 comm=init ids=0\nsnapshot pid=10 ppid=1 comm=sh exe=/bin/sh ids=1000\nsnapshot_end arg0=2\n'
	run 21 before 1000
	run 22 before 2000
	run 23 inside 2000
	run 24 inside 2100
	run 25 inside 3000
	run 26 behind 3000
	printf 'lost cpu=0 arg0=7 arg1=1002400000000 t=3100\nlost cpu=1 arg0=5 arg1=1002600000000 t=3200\n'
} | "$BUILD/tests/tell" "$scratch/told"
told() { # REPORT ARGUMENT...  Of the second second; CSV without its head.
	"$P" --store "$scratch/told" report "$@" -S @mono:1001500000000 -U @mono:1002500000000 -o csv 2>"$scratch/err" | sed 1d | tr -d '\r'
}
is "$(told first-seen | cut -d, -f1,3)" "/bin/inside,2" "first-seen: not what ran before the window, nor what ran behind it"
is "$(told first-pairs | cut -d, -f1,2,4)" "sh,inside,2" "first-pairs likewise"

is "$(told summary | tail -n 1)" "events lost,7" "events lost: also those that were told behind the window, of a stretch that reaches into it"
grep -q '^-- incomplete: 7 events lost on cpu 0 ' "$scratch/err"
ok $? "as many as the answer says to be missing"

# --- who became root ---
printf '%s\n' 'snapshot pid=1 ppid=0 comm=init ids=0' 'snapshot pid=10 ppid=1 comm=sh ids=1000' 'snapshot_end arg0=2' \
	'fork pid=20 ppid=10' 'uid pid=20 arg0=1000 arg1=0' 'exec pid=20 comm=sudo ids=1000,0,1000,1000' 'uid pid=20 arg0=0 arg1=0' \
	'fork pid=21 ppid=1' 'uid pid=21 arg0=1000 arg1=1000' 'fork pid=22 ppid=1' 'uid pid=22 arg0=0 arg1=0' |
	"$BUILD/tests/tell" "$scratch/root"
"$P" --store "$scratch/root" report ids -o csv >"$scratch/out" 2>"$scratch/err"
is "$(sed 1d "$scratch/out" | tr -d '\r' | awk -F, '{ print $4 ":" $9 ":" $10 ":" $11 }' | tac | tr '\n' ' ')" \
	"20:1000:0:1 20:0:0:0 21:1000:1000:0 22:0:0:0 " "ids: the first change of a life's user may make it root"

# --- wrong usage ---
report frobnicate
is "$? $(wc -l <"$scratch/err")" '2 1' "an unknown report is refused in one sentence"
report failed --timeout 0
is $? 2 "a time limit of nothing is refused"
report failed --memory 1K
is $? 2 "and too little memory"

# --- a signal that dumps core ---
printf 'fork pid=10 ppid=1\nfork pid=10 tid=11 ppid=1\ncoredump pid=10\ncoredump pid=10 tid=11\n' | "$BUILD/tests/tell" "$scratch/cores"
is "$("$P" report cores --store "$scratch/cores" -q -o csv | cut -d , -f 3,4 | tr -d '\r')" $'pid,tid\n10,11\n10,10' "cores: with the tid, of a leader too"

# --- a block that cannot be read ---
store=$scratch/damaged
{
	for t in 1000 2000 3000; do
		printf 'fork pid=%d ppid=1 t=%d\nexit pid=%d ppid=1\nseal\n' $t $t $t
	done
} | "$BUILD/tests/tell" "$store"
slots=$(od -An -tu8 -j128 -N8 "$store/ledger.ring" | tr -d ' ')
dd if=/dev/zero of="$store/ledger.ring" bs=1 seek=$((slots + 65536 + 512)) count=64 conv=notrunc status=none
"$P" reindex --store "$store" >/dev/null 2>&1
said='-- incomplete: 2 events cannot be read (damaged) between 2026-11-22 12:00:01.001000+00:00 and 2026-11-22 12:00:03.000000+00:00'
is "$("$P" sql --store "$store" --strict -o csv 'SELECT count(*) FROM event' 2>&1; echo $?)" $'count(*)\r\n6\r\n'"$said"$'\n4' "sql says how many events are damaged, and between when"
is "$("$P" report losses --store "$store" -b all -o csv 2>&1 | tr -d '\r')" "boot,from_ns,to_ns,reason,cpu,events_lost
1,1001001000000,1003000000000,damaged,,2
$said" "so does the report of losses"
"$P" report summary --store "$store" -U '2026-11-22 12:00:01' -q >/dev/null 2>"$scratch/err"
! grep -q damaged "$scratch/err"
ok $? "but not of a window before"
done_testing
