#!/bin/bash
# bench_recorder.sh [MODE PAIRS]...  What recording costs while a storm runs on two CPUs: the storm's time with and without, CPU of all
# procledgerd processes per event, events lost, and how long SIGTERM takes.  Needs root.  Default: fork 30000 vfork 100000 thread 30000.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C
BUILD=${BUILD:-build/plain}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.bench.XXXXXX")
recorder=''
trap '[ -z "$recorder" ] || kill "$recorder" 2>/dev/null; rm -rf "$scratch"' EXIT

# cpu_ns PID  Of that process, its children and all their threads.
cpu_ns() {
	local pid
	for pid in "$1" $(pgrep -P "$1"); do cat "/proc/$pid"/task/*/schedstat; done |
		awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

storm_s() {
	local from=$EPOCHREALTIME
	"$BUILD/tests/storm" "$1" "$2" 2 >/dev/null
	perl -e 'printf "%.3f", $ARGV[0] - $ARGV[1]' "$EPOCHREALTIME" "$from"
}

# measure MODE PAIRS OPTION...
measure() {
	local mode=$1 pairs=$2 alone with before after from stop events
	shift 2
	alone=$(storm_s "$mode" "$((pairs / 2))")
	rm -rf "$scratch/store"
	"$BUILD/procledgerd" --store "$scratch/store" --ring-size 256M "$@" 2>"$scratch/log" &
	recorder=$!
	sleep 1
	before=$(cpu_ns "$recorder")
	with=$(storm_s "$mode" "$((pairs / 2))")
	sleep 1
	after=$(cpu_ns "$recorder")
	from=$EPOCHREALTIME
	kill "$recorder"
	wait "$recorder"
	stop=$EPOCHREALTIME
	recorder=''
	events=$(sed -n 's/.*: \([0-9]*\) events received.*/\1/p' "$scratch/log")
	perl -e 'my ($mode, $pairs, $what, $alone, $with, $cpu, $events, $stop, $lost) = @ARGV;
		printf "%-6s %6d pairs, %-13s storm %.2f s, %.2f without (%.2f); %.2f us CPU an event; %s; SIGTERM %.0f ms\n",
			$mode, $pairs, $what, $with, $alone, $with / $alone, $cpu / $events / 1e3, $lost, $stop * 1e3' \
		"$mode" "$pairs" "${*:-with index}" "$alone" "$with" "$((after - before))" "$events" \
		"$(perl -e 'print $ARGV[0] - $ARGV[1]' "$stop" "$from")" \
		"$(grep -o '[0-9]* events were lost' "$scratch/log" || echo '0 lost')"
}

[ $# -gt 0 ] || set -- fork 30000 vfork 100000 thread 30000
while [ $# -gt 1 ]; do
	measure "$1" "$2" --ring-only
	measure "$1" "$2"
	shift 2
done
