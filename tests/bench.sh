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

# seconds COMMAND...  How long it took, on one core.
seconds() {
	local from=$EPOCHREALTIME
	taskset -c 0 "$@" >/dev/null 2>"$scratch/log" || { cat "$scratch/log" >&2; return 1; }
	calc "%.4f" "$EPOCHREALTIME - $from"
}

# calc FORMAT EXPRESSION
calc() {
	perl -e 'printf "$ARGV[0]\n", eval $ARGV[1]' -- "$@"
}

# median COMMAND...  Of the three numbers that it prints.
median() {
	for _ in 1 2 3; do "$@"; done | sort -g | sed -n 2p
}

figure() {
	printf '%-72s %s\n' "$1" "$2"
}

one() {
	sqlite3 -readonly "$scratch/store/index.db" "$1"
}

# import OPTION...  Into an empty store.
import() {
	rm -rf "$scratch/store"
	seconds "$BUILD/procledgerd" --store "$scratch/store" --ring-size 256M --input "$scratch/stream" "$@"
}

# ask COMMAND...
ask() {
	seconds "$BUILD/procledger" --store "$scratch/store" "$@"
}

part_import() {
	local events took middle_ns end_ns
	xz -dc tests/data/build-gzip.nl.xz >"$scratch/once"
	events=$(($(stat -c %s "$scratch/once") / 76))
	for _ in $(seq $((EVENTS / events + 1))); do cat "$scratch/once"; done >"$scratch/stream"
	events=$(($(stat -c %s "$scratch/stream") / 76))
	figure "build-gzip again and again, one core: events" "$events"

	took=$(median import --ring-only)
	figure "  --input --ring-only: events/s" "$(calc '%.2f M' "$events / $took / 1e6")"
	took=$(median import)
	figure "  --input: events/s" "$(calc '%.2f M' "$events / $took / 1e6")"
	figure "  ring: bytes/event (sum(stored_bytes))" "$(one 'SELECT printf("%.2f", 1.0 * sum(stored_bytes) / sum(event_count)) FROM block')"
	sqlite3 "$scratch/store/index.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	figure "  index after a checkpoint: bytes/event" "$(calc '%.1f' "$(stat -c %s "$scratch/store/index.db") / $events")"

	middle_ns=$(one 'SELECT ts_min_ns FROM block WHERE boot = (SELECT max(boot) FROM boot) ORDER BY block_no LIMIT 1 OFFSET 1')
	end_ns=$((middle_ns + 1000000000))
	figure "  tree of one second ($(ask_rows tree -S "@mono:$middle_ns" -U "@mono:$end_ns") lines), whole process: ms" \
		"$(calc '%.1f' "1000 * $(median ask tree -S "@mono:$middle_ns" -U "@mono:$end_ns")")"
	end_ns=$((middle_ns + 60000000000))
	figure "  tree of one minute ($(ask_rows tree -S "@mono:$middle_ns" -U "@mono:$end_ns") lines), whole process: ms" \
		"$(calc '%.1f' "1000 * $(median ask tree -S "@mono:$middle_ns" -U "@mono:$end_ns")")"
	figure "  comm of one name in that minute, whole process: ms" \
		"$(calc '%.1f' "1000 * $(median ask comm -S "@mono:$middle_ns" -U "@mono:$end_ns" make)")"
	rm -f "$scratch/stream"
}

ask_rows() {
	"$BUILD/procledger" --store "$scratch/store" "$@" 2>/dev/null | wc -l
}

[ $# -gt 0 ] || set -- import storm
for part in "$@"; do
	"part_$part"
done
