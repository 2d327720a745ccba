#!/bin/bash
# bench.sh [PART...]  Measures the figures of the README on this machine and prints them; nothing here can fail for being slow.
# Parts: import (5 million events through --input, and what asking that ledger costs), storm (needs root: the live kernel).
# Each time is the median of three.  EVENTS=N makes the import smaller or larger.
set -eu -o pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
BUILD=${BUILD:-build/plain}
EVENTS=${EVENTS:-5000000}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.bench.XXXXXX")
recorder=''
trap '[ -z "$recorder" ] || kill "$recorder" 2>/dev/null; rm -rf "$scratch"' EXIT

# measure COMMAND...  Three runs on one core, the output thrown away; then $wall_s and $cpu_s are the medians.
measure() {
	local TIMEFORMAT='%R %U %S'
	: >"$scratch/times"
	for _ in 1 2 3; do
		[ -z "$before_each" ] || $before_each
		{ time taskset -c 0 "$@" >/dev/null 2>"$scratch/log"; } 2>>"$scratch/times" ||
			{ cat "$scratch/log" >&2; return 1; }
	done
	wall_s=$(awk '{ print $1 }' "$scratch/times" | median)
	cpu_s=$(awk '{ print $2 + $3 }' "$scratch/times" | median)
}
before_each=''

# median  Of the numbers on standard input.
median() {
	sort -g | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

# calc FORMAT EXPRESSION
calc() {
	perl -e 'printf "$ARGV[0]\n", eval $ARGV[1]' -- "$@"
}

figure() {
	printf '%-72s %s\n' "$1" "$2"
}

one() {
	sqlite3 -readonly "$scratch/store/index.db" "$1"
}

empty_store() {
	rm -rf "$scratch/store"
}

# import NAME OPTION...
import() {
	local name=$1
	shift
	before_each=empty_store
	measure "$BUILD/procledgerd" --store "$scratch/store" --ring-size 256M --input "$scratch/stream" "$@"
	before_each=''
	figure "  $name: events/s" "$(calc '%.2f M' "$events / $wall_s / 1e6")"
	figure "  $name: CPU per event" "$(calc '%.2f us' "1e6 * $cpu_s / $events")"
}

# ask NAME COMMAND...
ask() {
	local name=$1
	shift
	figure "  $name, $("$BUILD/procledger" --store "$scratch/store" "$@" 2>/dev/null | wc -l) lines" \
		"$(measure "$BUILD/procledger" --store "$scratch/store" "$@" && calc '%.0f ms' "1000 * $wall_s")"
}

part_import() {
	local middle_ns
	xz -dc tests/data/build-gzip.nl.xz >"$scratch/once"
	events=$(($(stat -c %s "$scratch/once") / 76))
	for _ in $(seq $((EVENTS / events + 1))); do cat "$scratch/once"; done >"$scratch/stream"
	events=$(($(stat -c %s "$scratch/stream") / 76))
	figure "build-gzip again and again, one core: events" "$events"

	import '--input --ring-only' --ring-only
	import '--input'
	figure "  ring: bytes/event (sum(stored_bytes))" "$(one 'SELECT printf("%.2f", 1.0 * sum(stored_bytes) / sum(event_count)) FROM block')"
	sqlite3 "$scratch/store/index.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	figure "  index after a checkpoint: bytes/event" "$(calc '%.1f' "$(stat -c %s "$scratch/store/index.db") / $events")"

	middle_ns=$(one 'SELECT ts_min_ns FROM block WHERE boot = (SELECT max(boot) FROM boot) ORDER BY block_no LIMIT 1 OFFSET 1')
	ask 'tree of one second' tree -S "@mono:$middle_ns" -U "@mono:$((middle_ns + 1000000000))"
	ask 'tree of one minute' tree -S "@mono:$middle_ns" -U "@mono:$((middle_ns + 60000000000))"
	ask 'comm make in that minute' comm -S "@mono:$middle_ns" -U "@mono:$((middle_ns + 60000000000))" make
	rm -f "$scratch/stream"
}

# storm  One fork storm on both CPUs; how long it took.
storm() {
	local from=$EPOCHREALTIME
	"$BUILD/tests/storm" fork 30000 2 >/dev/null
	calc '%.4f' "$EPOCHREALTIME - $from"
}

# recorder_start, recorder_stop  The recorder on the live kernel; what it cost is then the last line of $scratch/cpu.
recorder_start() {
	empty_store
	{ TIMEFORMAT='%U %S'; time "$BUILD/procledgerd" --store "$scratch/store" --ring-size 256M 2>"$scratch/log"; } 2>>"$scratch/cpu" &
	recorder=$!
	for _ in $(seq 100); do
		grep -q recording "$scratch/log" 2>/dev/null && break
		sleep 0.05
	done
	sleep 0.5
}

recorder_stop() {
	sleep 0.5
	pkill -TERM -P "$recorder" -x procledgerd
	wait "$recorder"
	recorder=''
	one "SELECT count(*) FROM event WHERE kind IN ('fork', 'exec', 'exit', 'comm', 'uid', 'gid', 'sid', 'ptrace', 'coredump')" >>"$scratch/events"
	one 'SELECT ifnull(sum(events_lost), 0) FROM coverage' >>"$scratch/lost"
}

part_storm() {
	[ "$(id -u)" -eq 0 ] || { echo 'the storm needs root'; return 0; }
	for _ in 1 2 3 4 5; do
		storm >>"$scratch/without"
		recorder_start
		storm >>"$scratch/with"
		recorder_stop
	done
	figure "fork storm, 60,000 pairs on 2 CPUs, five times: events recorded" "$(median <"$scratch/events")"
	figure "  events lost, in all" "$(awk '{ n += $1 } END { print n }' "$scratch/lost")"
	figure "  time with the recorder, ratio to without" \
		"$(calc '%.2f' "$(median <"$scratch/with") / $(median <"$scratch/without")")"
	figure "  CPU of all recorder processes per event, with index" \
		"$(calc '%.2f us' "1e6 * $(awk '{ print $1 + $2 }' "$scratch/cpu" | median) / $(median <"$scratch/events")")"
}

[ $# -gt 0 ] || set -- import storm
for part in "$@"; do
	"part_$part"
done
