#!/bin/bash
# bench.sh [PART...]  Measures the figures of the README on this machine and prints them; nothing here can fail for being slow.
# Parts: import (5 million events through --input, and what asking that ledger costs), storm (bench_recorder.sh),
# lanes (bench_lanes.sh), recovery (of a full ring of 1 GiB: what opening it costs, with its hint and with a wrong one).
# Each time is the median of three.  EVENTS=N makes the import smaller or larger.
set -eu -o pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
export BUILD=${BUILD:-build/plain}
EVENTS=${EVENTS:-5000000}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

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
		"$(measure "$BUILD/procledger" --store "$scratch/store" "$@" && printf '%.0f ms, CPU %.0f ms' "$(calc %f "1000 * $wall_s")" "$(calc %f "1000 * $cpu_s")")"
}

part_import() {
	local middle_ns
	xz -dc tests/data/build-gzip.nl.xz >"$scratch/once"
	events=$(($(stat -c %s "$scratch/once") / 76))
	tests/repeat.pl "$scratch/once" $((EVENTS / events + 1)) >"$scratch/stream"
	events=$(($(stat -c %s "$scratch/stream") / 76))
	figure "build-gzip again and again, one core: events" "$events"

	import '--input --ring-only' --ring-only
	import '--input'
	figure "  ring: bytes/event (sum(stored_bytes))" "$(one 'SELECT printf("%.2f", 1.0 * sum(stored_bytes) / sum(event_count)) FROM block')"
	sqlite3 "$scratch/store/index.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	figure "  index after a checkpoint: bytes/event" "$(calc '%.1f' "$(stat -c %s "$scratch/store/index.db") / $events")"

	middle_ns=$(one 'SELECT (min(ts_min_ns) + max(ts_max_ns)) / 2 FROM block')
	ask 'tree of one second' tree -S "@mono:$middle_ns" -U "@mono:$((middle_ns + 1000000000))"
	ask 'tree of one minute' tree -S "@mono:$middle_ns" -U "@mono:$((middle_ns + 60000000000))"
	ask 'names in that minute' comm -S "@mono:$middle_ns" -U "@mono:$((middle_ns + 60000000000))"
	rm -f "$scratch/stream"
}

part_storm() {
	[ "$(id -u)" -eq 0 ] || { echo 'the storms need root'; return 0; }
	tests/bench_recorder.sh
}

part_lanes() {
	[ "$(id -u)" -eq 0 ] || { echo 'the lanes need root'; return 0; }
	tests/bench_lanes.sh
}

part_recovery() {
	xz -dc tests/data/build-gzip.nl.xz >"$scratch/once"
	"$BUILD/tests/bench_ring" "$scratch" 340 "$scratch/once" | grep '^head\|^open\|^the same\|^with a wrong'
}

[ $# -gt 0 ] || set -- import storm lanes recovery
for part in "$@"; do
	"part_$part"
done
