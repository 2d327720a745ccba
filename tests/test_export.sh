#!/bin/bash
# test_export.sh - what procledger export gives to other tools gives the events back, and says what it does not carry.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger

# ask NAME ARGUMENT...  stdout in $scratch/out, stderr in $scratch/err.
ask() {
	local store=$scratch/$1
	shift
	"$P" --store "$store" "$@" >"$scratch/out" 2>"$scratch/err"
}

same() {
	cmp -s "$1" "$2"
	ok $? "$3"
}


# --- datagrams: every capture comes out as it went in ---
for packed in tests/data/*.nl.xz; do
	name=${packed##*/}
	name=${name%.nl.xz}
	capture_import "$name" 8M
	ask "$name" export -b all -o netlink
	same "$scratch/out" "$scratch/$name.nl" "$name: its netlink export is the capture byte for byte"
done
grep -q '^-- 2 events of the recorder.s own are not in this format$' "$scratch/err"
ok $? "what it does not carry is told"
cp "$scratch/out" "$scratch/zoo.nl"
ask zoo export --kind fork -o netlink
perl -0777 -ne 'for (my $at = 0; $at < length; $at += 76) { print substr $_, $at, 76 if unpack("L", substr $_, $at + 36, 4) == 1 }' \
	<"$scratch/zoo.nl" >"$scratch/forks"
same "$scratch/out" "$scratch/forks" "a selection of kinds is those datagrams"

# --- rows ---
ask zoo events -o jsonl
head -n -1 "$scratch/out" >"$scratch/events.jsonl"
ask zoo export
same "$scratch/out" "$scratch/events.jsonl" "jsonl is what events writes, without its last word"
cp "$scratch/out" "$scratch/export.jsonl"
ask zoo export -o csv
cp "$scratch/out" "$scratch/export.csv"
if command -v python3 >/dev/null; then
	python3 - "$scratch" <<-'PYTHON' >"$scratch/differ"
	import csv, json, re, sys
	folder = sys.argv[1]
	plain = lambda text: re.sub(rb'\\(\\|x..)', lambda m: b'\\' if m[1] == b'\\' else bytes([int(m[1][1:], 16)]), text.encode())
	lines = [json.loads(line) for line in open(folder + '/export.jsonl')]
	table = list(csv.DictReader(open(folder + '/export.csv', newline='')))
	print(len(lines) - len(table))
	for line, row in zip(lines, table):
	    for name, cell in row.items():
	        value = line[name]
	        if value is None: wanted = b''
	        elif name + '_hex' in line: wanted = bytes.fromhex(line[name + '_hex'])
	        else: wanted = str(value).encode()
	        got = plain(cell[1:] if cell[:1] == "'" else cell)
	        if got != wanted: print(line['event_no'], name, got, wanted)
	PYTHON
	is "$(cat "$scratch/differ")" 0 "a CSV reader and a JSON reader find the same values in every cell"
fi
perl -ne '/"kind":"(\w+)"/ and $n{$1}++; END { print join " ", map { "$_=$n{$_}" } sort keys %n }' <"$scratch/export.jsonl" >"$scratch/kinds"
sqlite3 "$scratch/zoo/index.db" "SELECT group_concat(kind || '=' || n, ' ') FROM (SELECT kind, count(*) AS n FROM event GROUP BY kind ORDER BY kind)" | tr -d '\n' >"$scratch/wanted"
same "$scratch/kinds" "$scratch/wanted" "it has as many of each kind as the index"

# --- a slice as a store ---
ask build-gzip export -o ring "$scratch/whole"
ok $? "a store is made of a whole ledger"
"$P" --store "$scratch/whole" events -o jsonl >"$scratch/got" 2>/dev/null
ask build-gzip events -o jsonl
same "$scratch/got" "$scratch/out" "its events are the same, program, numbers and all"
from=$(sqlite3 "$scratch/build-gzip/index.db" 'SELECT ts_min_ns + (max(ts_max_ns) - min(ts_min_ns)) / 2 FROM block')
window=(-S "@mono:$from" -U "@mono:$((from + 200000000))")
ask build-gzip export -o ring "$scratch/slice" "${window[@]}"
ok $? "and of a window"
for command in tree comm events; do
	"$P" --store "$scratch/slice" $command "${window[@]}" -o csv >"$scratch/got" 2>/dev/null
	ask build-gzip $command "${window[@]}" -o csv
	same "$scratch/got" "$scratch/out" "$command of that window is the same from it"
done
"$P" --store "$scratch/slice" reindex >/dev/null 2>&1 && "$P" --store "$scratch/slice" sql 'SELECT count(*) FROM event' >/dev/null 2>&1
ok $? "it can be given an index"
"$BUILD/procledgerd" --store "$scratch/slice" --input "$scratch/zoo.nl" 2>"$scratch/log"
is "$? $(grep -c 'slice' "$scratch/log")" '6 1' "nothing is recorded into it"
ask zoo export -o ring "$scratch/slice"
is "$? $(grep -c 'there is a ledger' "$scratch/err")" '3 1' "a ledger that is there is left alone"

# --- documents ---
# docs NAME SQL  Asks the documents of the last answer, read by SQLite's JSON: table doc(j), beside the index of NAME.
docs() {
	{
		printf '%s\n' 'CREATE TEMP TABLE doc(j);' '.mode ascii' '.separator "\001" "\n"' ".import $scratch/out doc" '.mode list' '.separator " "'
		printf '%s;\n' "$2"
	} | sqlite3 "$scratch/$1/index.db" 2>&1
}
ask zoo export -o ecs
grep -q '^-- times are seconds since' "$scratch/err"
ok $? "that an import has no wall-clock times is told"
is "$(docs zoo "SELECT count(*), sum(j->>'\$.event.sequence' = rowid), min(json_valid(j)) FROM doc")" \
	"$(docs zoo 'SELECT count(*), count(*), 1 FROM event')" "ecs: each event is a document, numbered as in the ledger"
is "$(docs zoo "SELECT count(*) FROM doc JOIN event ON event_no = j->>'\$.event.sequence' WHERE (kind IN ('exec', 'exit', 'coredump', 'fork') AND
	j->>'\$.event.action' <> iif(kind = 'fork' AND pid <> tid, 'thread_create', kind)) OR j->>'\$.process.pid' <> iif(kind = 'ptrace' AND tracer_pid, tracer_pid, pid)")" \
	0 "ecs: actions are the kinds, pids those of the index"
is "$(docs zoo "SELECT count(DISTINCT j->>'\$.process.entity_id'), count(*) FROM doc WHERE j->>'\$.event.action' = 'fork'")" \
	"$(docs zoo "SELECT count(*), count(*) FROM event WHERE kind = 'fork' AND pid = tid")" "ecs: each process has an entity_id of its own"
is "$(docs zoo "SELECT count(*) FROM doc AS b JOIN doc AS e ON b.j->>'\$.process.entity_id' = e.j->>'\$.process.entity_id'
	WHERE b.j->>'\$.event.action' = 'fork' AND e.j->>'\$.event.action' = 'exit' AND e.j->>'\$.process.thread' IS NULL")" \
	"$(docs zoo "SELECT count(*) FROM process WHERE born = 'fork' AND ended = 'exit'")" "ecs: and bears it until its end"
is "$(docs zoo "SELECT count(*) FROM doc JOIN event ON event_no = j->>'\$.event.sequence' WHERE kind = 'exit' AND
	j->>'\$.process.exit_code' <> iif(exit_code & 127, 128 + (exit_code & 127), exit_code >> 8)")" 0 "ecs: a death by signal n has the exit code 128 + n"
is "$(docs zoo "SELECT DISTINCT j->>'\$.event.category[0]', j->>'\$.event.type[0]' FROM doc WHERE j->>'\$.event.type[0]' NOT IN ('access', 'change', 'info')
	AND NOT (j->>'\$.event.category[0]' IN ('process', 'host') AND j->>'\$.event.type[0]' IN ('start', 'end'))
	AND NOT (j->>'\$.event.category[0]' = 'configuration' AND j->>'\$.event.type[0]' IN ('creation', 'deletion'))")" "" "ecs: types are those of their category"
ask zoo export -o ocsf
is "$(docs zoo "SELECT count(*) FROM doc WHERE j->>'\$.type_uid' = (j->>'\$.class_uid') * 100 + (j->>'\$.activity_id') AND j->>'\$.class_uid' IN (1007, 1008)
	AND j->>'\$.time' > 0 AND j->>'\$.severity_id' > 0 AND j->>'\$.category_uid' = 1 AND j->'\$.metadata.product' IS NOT NULL AND j->'\$.device' IS NOT NULL
	AND (j->>'\$.class_uid' = 1008 OR j->>'\$.actor.process.pid' > 0 AND j->>'\$.process.pid' > 0)")" \
	"$(docs zoo 'SELECT count(*) FROM event')" "ocsf: each event has what its class requires"
is "$(docs zoo "SELECT count(*) FROM doc WHERE j->>'\$.type_uid' = 100701 AND j->>'\$.launch_type_id' = 2")" \
	"$(docs zoo "SELECT count(*) FROM event WHERE kind = 'fork' AND pid = tid")" "ocsf: a fork is a launch"
is "$(docs zoo "SELECT count(*), group_concat(DISTINCT json_type(j, '\$.process.session.uid')) FROM doc WHERE j->'\$.process.session' IS NOT NULL")" \
	"$(docs zoo "SELECT count(*), 'text' FROM event WHERE kind = 'sid'")" "ocsf: a session has its number as a word"
ask zoo export -o timesketch
is "$(docs zoo "SELECT count(*) FROM doc WHERE length(j->>'\$.message') > 0 AND j->>'\$.datetime' GLOB '????-??-??T??:??:??.?????????Z'
	AND j->>'\$.timestamp' > 0 AND j->>'\$.timestamp_desc' IS NOT NULL")" "$(docs zoo 'SELECT count(*) FROM event')" "timesketch: each event has what a timeline needs"
ask zoo export -o timesketch-csv
is "$(head -n 1 "$scratch/out" | cut -d, -f1-4)" 'message,datetime,timestamp,timestamp_desc' "timesketch-csv: as a table too"
holes_import
ask holes export -o ecs
is "$(docs holes "SELECT sum(j->>'\$.procledger.lost.count') FROM doc WHERE j->>'\$.event.kind' = 'pipeline_error'")" 10 "ecs: losses are there, counted"
ask holes export -o ocsf
is "$(docs holes "SELECT sum(j->>'\$.unmapped.lost_count') FROM doc WHERE j->>'\$.class_uid' = 1008 AND j->>'\$.activity_name' = 'Events Lost'")" 10 "ocsf: and there"
ask holes export -o audit
is "$(sed -n 's/^type=DAEMON_ERR .* lost=\([0-9]*\) .*/\1/p' "$scratch/out" | awk '{ n += $1 } END { print n }')" 10 "audit: and there"

# --- pictures ---
ask zoo export -o trace
tr -d '\n' <"$scratch/out" >"$scratch/one" && mv "$scratch/one" "$scratch/out"
is "$(docs zoo "WITH t AS (SELECT value AS e FROM doc, json_each(j, '\$.traceEvents')) SELECT sum(e->>'\$.ph' = 'X' AND e->>'\$.cat' <> 'comm'),
	sum(e->>'\$.ph' = 's'), sum(e->>'\$.ph' = 'f'), count(DISTINCT iif(e->>'\$.cat' = 'fork', e->>'\$.id', NULL)) FROM t")" \
	"$(docs zoo "SELECT (SELECT count(*) FROM task), count(*), count(*), count(*) FROM event WHERE kind = 'fork'")" \
	"trace: a slice for each life, a flow with both ends for each fork"
ask zoo export -o dot
is "$(grep -c -- '->' "$scratch/out")" "$(sqlite3 "$scratch/zoo/index.db" 'SELECT count(*) FROM process WHERE parent_id IN (SELECT id FROM process)')" \
	"dot: an edge for each child whose parent is there"
if command -v dot >/dev/null; then
	dot -Tplain "$scratch/out" >/dev/null 2>"$scratch/log"
	is "$? $(cat "$scratch/log")" '0 ' "dot: Graphviz reads it"
fi

# --- audit.log ---
# calls NAME WORD  ausearch finds as many of this system call as there are events: by number, as the machine of an import is not known.
calls() {
	is "$(ausearch -if "$scratch/audit.log" -sc "$(ausyscall "$1" --exact)" --raw 2>/dev/null | grep -c '^type=SYSCALL')" \
		"$(sqlite3 "$scratch/zoo/index.db" "SELECT count(*) FROM event WHERE $2")" "audit: ausearch finds every $1"
}
ask zoo export -o audit
cp "$scratch/out" "$scratch/audit.log"
is "$(sed -n 's/^-- \([0-9]*\) ends by a signal are .*/\1/p' "$scratch/err") $(grep -c ANOM_ABEND "$scratch/out")" \
	"$(sqlite3 "$scratch/zoo/index.db" "SELECT sum(NOT core) || ' ' || sum(core) FROM (SELECT pid = tid AND exit_code & 127 IN (3, 4, 5, 6, 7, 8, 11, 24, 25, 31) AS core
		FROM event WHERE kind = 'exit' AND exit_code & 127)")" "audit: ends by other signals are not there, which is told"
is "$(grep -c '^type=SYSCALL .* arch=? ' "$scratch/out") $(grep -c 'which architecture' "$scratch/err")" "$(grep -c '^type=SYSCALL' "$scratch/out") 1" \
	"audit: the architecture of an import is not known"
if command -v ausearch >/dev/null && command -v aureport >/dev/null; then
	ausearch -if "$scratch/audit.log" --raw >"$scratch/got" 2>/dev/null
	same "$scratch/got" "$scratch/audit.log" "audit: ausearch reads every record"
	calls clone "kind = 'fork'"
	calls execve "kind = 'exec'"
	calls setsid "kind = 'sid'"
	calls setresuid "kind = 'uid'"
	calls ptrace "kind = 'ptrace'"
	is "$(ausearch -if "$scratch/audit.log" -m ANOM_ABEND --raw 2>/dev/null | wc -l)" \
		"$(sqlite3 "$scratch/zoo/index.db" "SELECT count(*) FROM event WHERE kind = 'exit' AND pid = tid AND exit_code & 127 IN (3, 4, 5, 6, 7, 8, 11, 24, 25, 31)")" "audit: and every death of a process by a signal that dumps core"
	aureport -if "$scratch/audit.log" --summary >"$scratch/got" 2>/dev/null
	is "$(sed -n 's/^Number of anomaly events: //p' "$scratch/got")" "$(grep -c ANOM_ABEND "$scratch/audit.log")" "audit: aureport counts them"
else
	note "ausearch and aureport (Debian: auditd) are not here: that they read the audit format is not tested"
fi

# --- the live kernel: what programs are called and given ---
"$BUILD/procledgerd" --store "$scratch/live" --ring-size 4M --argv-max 12K 2>"$scratch/log" >/dev/null &
recorder=$!
for _ in $(seq 50); do
	{ grep -q '^procledgerd: recording' "$scratch/log" || ! kill -0 "$recorder" 2>/dev/null; } && break
	sleep 0.1
done
if grep -q '^procledgerd: recording' "$scratch/log"; then
	long=$(printf 'x%.0s' $(seq 9000))
	sh -c 'sleep 0.2 & wait' 'a "b"' $'\xff\n' "$long"
	sleep 0.3
	kill "$recorder"
	wait "$recorder"
	ask live export -o ecs --comm sh --kind exec
	is "$(docs live "SELECT count(*) FROM doc WHERE j->>'\$.process.args_count' = 6 AND j->>'\$.process.args[3]' = 'a \"b\"'
		AND j->>'\$.process.args_hex' IS NOT NULL AND length(j->>'\$.process.command_line') > 9000")" 1 \
		"ecs: arguments of any bytes are there, as text and as they were"
	ask live export -o audit --comm sh --kind exec
	grep -q '^type=EXECVE .* argc=6 a0="sh" .* a3=6120226222 a4=FF0A$' "$scratch/out" && grep -q '^type=EXECVE .*: a5_len=9002 a5\[0\]="x*"$' "$scratch/out" && grep -q ' a5\[1\]="x*"$' "$scratch/out"
	ok $? "audit: they are encoded as auditd does, long ones in pieces"
	[ "$(awk '{ print length }' "$scratch/out" | sort -n | tail -n 1)" -le 8900 ]
	ok $? "audit: no record is longer than its readers take"
	[ "$(uname -m)" != x86_64 ] || { grep -q '^type=SYSCALL .* arch=c000003e ' "$scratch/out" && ! grep -q 'which architecture' "$scratch/err"; }
	ok $? "audit: that of this machine is"
else
	note "the live kernel is not recorded here: $(tail -n 1 "$scratch/log")"
fi

# --- wrong usage ---
ask zoo export -o xml
is "$? $(wc -l <"$scratch/err")" '2 1' "an unknown format is refused in one sentence"
ask zoo export -o ring
is $? 2 "ring wants a folder"
ask zoo export folder
is $? 2 "the others want none"
ask zoo export -o csv -S @mono:1 -U @mono:2
is "$? $(wc -l <"$scratch/out")" '1 1' "of nothing the head of the table is left, and exit status 1"
"$P" --store "$scratch/build-gzip" export 2>"$scratch/err" | head -n 1 >/dev/null
is "${PIPESTATUS[0]}" 0 "a reader that has enough is no error"
done_testing
