#!/bin/bash
# test_replay.sh - a window again: the same events, at the pace asked for, up to where something is missing.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
capture_import zoo

replay() {
	"$P" --store "$scratch/$1" replay "${@:2}" >"$scratch/out" 2>"$scratch/err"
}

same() {
	cmp -s "$1" "$2"
	ok $? "$3"
}

# events_of STORE  What the kernel said, as the index has it, without the numbers that this ledger gave.
events_of() {
	sqlite3 -readonly "$1/index.db" "SELECT timestamp_ns, cpu, kind, pid, tid, ppid, ptid, hex(comm), ruid, euid, rgid, egid,
		tracer_pid, tracer_tid, exit_code, exit_signal FROM event WHERE kind NOT IN ('start', 'stop') ORDER BY event_no"
}

# --- what ---
replay zoo --speed max
"$P" --store "$scratch/zoo" events >"$scratch/wanted" 2>/dev/null
same "$scratch/out" "$scratch/wanted" "as text it is what events tells"
replay zoo --speed max -o jsonl
"$P" --store "$scratch/zoo" events -o jsonl >"$scratch/wanted" 2>/dev/null
same "$scratch/out" "$scratch/wanted" "as JSON lines too"
replay zoo --speed max -o netlink
same "$scratch/out" "$scratch/zoo.nl" "as datagrams it is the capture, byte for byte"
"$P" --store "$scratch/zoo" replay --speed max -o netlink 2>/dev/null |
	"$BUILD/procledgerd" --store "$scratch/again" --ring-size 4M --input - 2>"$scratch/log"
ok $? "procledgerd reads it from a pipe"
events_of "$scratch/zoo" >"$scratch/wanted"
events_of "$scratch/again" >"$scratch/got"
same "$scratch/got" "$scratch/wanted" "and its ledger has the same events"
for table in process comm_history coverage; do
	one="SELECT * FROM $table"
	is "$(sqlite3 "$scratch/again/index.db" "$one" | sha256sum)" "$(sqlite3 "$scratch/zoo/index.db" "$one" | sha256sum)" \
		"$table is the same"
done

# --- when ---
from=$(sqlite3 "$scratch/zoo/index.db" "SELECT min(timestamp_ns) FROM event WHERE kind = 'fork'")
window=(-S "@mono:$from" -U "@mono:$((from + 400000000))")
replay zoo --speed max -o csv
is $? 2 "it does not write CSV"
span_ms=$("$P" --store "$scratch/zoo" events "${window[@]}" -o csv 2>/dev/null |
	awk -F, 'NR == 2 { a = $3 } { b = $3 } END { print int((b - a) / 1000000) }')
took_ms() {
	local begin end
	begin=$(date +%s%N)
	replay zoo "$@" "${window[@]}"
	end=$(date +%s%N)
	echo $(((end - begin) / 1000000))
}
slow=$(took_ms)
[ "$span_ms" -gt 100 ] && [ "$slow" -ge "$span_ms" ]
ok $? "at its own pace the window of $span_ms ms takes no less ($slow ms)"
fast=$(took_ms --speed 10)
[ "$fast" -ge $((span_ms / 10)) ] && [ "$fast" -lt "$slow" ]
ok $? "at --speed 10 it takes a tenth of it or more, and less than before ($fast ms)"
for wrong in 0 -1 fast 1y ''; do
	replay zoo --speed "$wrong"
	is $? 2 "--speed '$wrong' is refused"
done
replay zoo --step --speed 1
is $? 2 "--step has no speed"

# --- a key for each event ---
if has_terminal; then
	printf '   q' | script -qec "$P --store $scratch/zoo replay --step >$scratch/out" /dev/null >/dev/null 2>&1
	is "$(wc -l <"$scratch/out")" 3 "with --step a key shows an event, and q ends it"
	printf ' g' | script -qec "$P --store $scratch/zoo replay --step >$scratch/out --kind start" /dev/null >/dev/null 2>&1
	is "$(wc -l <"$scratch/out")" 1 "g goes on without keys"
fi
setsid "$P" --store "$scratch/zoo" replay --step >/dev/null 2>"$scratch/err" </dev/null
is "$? $(wc -l <"$scratch/err")" '2 1' "without a terminal --step is refused"

# --- losses ---
holes_import
replay holes --speed max -o netlink
is $? 4 "it stops where events are missing, with exit status 4"
bytes=$(stat -c %s "$scratch/out")
[ "$bytes" -ge $((76 * 300)) ] && [ "$bytes" -lt "$(stat -c %s "$scratch/holes.nl")" ] && cmp -s -n "$bytes" "$scratch/out" "$scratch/holes.nl"
ok $? "what came before is whole"
grep -q 'lost event.* of cpu .*stopped (--through-loss goes on)' "$scratch/err"
ok $? "and it says why"
replay holes --speed max -o netlink --through-loss
is $? 0 "--through-loss goes on"
same "$scratch/out" "$scratch/holes.nl" "to the end"
# --- where the answer cannot be written ---
[ ! -w /dev/full ] || for arguments in '' '-o jsonl' '-o netlink' '--kind stop'; do
	# shellcheck disable=SC2086 # words
	"$P" --store "$scratch/zoo" replay $arguments --speed max >/dev/full 2>"$scratch/err"
	is "$? $(cat "$scratch/err")" '3 procledger: cannot write the answer: No space left on device' "replay${arguments:+ $arguments} says that the disk is full"
done
done_testing
