#!/bin/bash
# try.sh  Records this machine while a small workload runs, then shows what the ledger has of it.
cd "$(dirname "$0")/.." || exit 1
set -u
BUILD=${BUILD:-build/plain}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.try.XXXXXX") || exit 1
store=$scratch/store
recorder=''
trap '[ -z "$recorder" ] || kill "$recorder" 2>/dev/null; rm -rf "$scratch"' EXIT

fail() {
	echo "try: $*" >&2
	exit 1
}

# show HEADING COMMAND...  The command as a user would type it, and its answer, which must not be empty.
show() {
	local heading=$1
	shift
	printf '\n--- %s\n$ %s\n' "$heading" "$(printf ' %q' "${@##*/procledger}" | sed 's/^ //')"
	"$@" >"$scratch/answer" || fail "\"$*\" ended with exit status $?"
	[ -s "$scratch/answer" ] || fail "\"$*\" had no answer"
	cat "$scratch/answer"
}

workload() {
	sh -c 'ls / >/dev/null; sleep 0.1; exit 3'
	sh -c 'date >/dev/null & (sleep 0.1; true) & wait; false'
	"$BUILD/tests/workload" 2>/dev/null
	setsid sh -c 'echo a-new-name >/proc/$$/comm; sleep 0.05'
} >/dev/null 2>&1

if [ "$(id -u)" -ne 0 ]; then
	echo "try: recording needs root (CAP_NET_ADMIN for the kernel's events, and /proc of others); run: sudo make try" >&2
	exit 1
fi

"$BUILD/procledgerd" --store "$store" --ring-size 16M 2>"$scratch/log" &
recorder=$!
for _ in $(seq 100); do
	[ -s "$store/index.db" ] && break
	kill -0 "$recorder" 2>/dev/null || break
	sleep 0.05
done
if ! kill -0 "$recorder" 2>/dev/null; then
	cat "$scratch/log" >&2
	fail "the recorder did not start; its own words are above"
fi
sleep 1
echo "recording this machine (every fork, exec, exit, id, session, trace, name and core) into $store"
since=$(date '+%F %T.%N')
(exec bash -c "$(declare -f workload); BUILD=$BUILD; workload; true")
until=$(date '+%F %T.%N')
sleep 1
kill -TERM "$recorder"
wait "$recorder" || fail "the recorder ended with exit status $?: $(tail -n 1 "$scratch/log")"
recorder=''

ledger=("$BUILD/procledger" --store "$store")
show 'who started whom, what became of them' "${ledger[@]}" tree -S "$since" -U "$until"
show 'the names that a task had' "${ledger[@]}" comm -S "$since" -U "$until" renamed
show 'SQL: the events of that time, by kind' "${ledger[@]}" sql \
	"SELECT kind, count(*) AS events, count(DISTINCT pid) AS processes FROM event GROUP BY kind ORDER BY events DESC"
show 'SQL: programs that ended badly' "${ledger[@]}" sql \
	"SELECT pid, ppid, comm, argv, exit_code >> 8 AS status, exit_code & 127 AS signal,
	(end_ns - start_ns) / 1000 AS microseconds FROM process WHERE exit_code <> 0 ORDER BY start_ns DESC LIMIT 10"
show 'is that all there was?' "${ledger[@]}" sql "SELECT * FROM coverage"
printf '\nThe ledger was %s; it is removed now. To keep one: procledgerd --store DIR\n' "$store"
