#!/bin/bash
# test_lanes.sh - the lanes on the real kernel: what short-lived programs were, with and without real-time threads.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

D=$BUILD/procledgerd
P=$BUILD/procledger
store=$scratch/store

[ "$(id -u)" -eq 0 ] || skip_all "not root: the kernel's events are not to be had"

# record COMMAND...  Starts the recorder, by a command that is given its words, and waits until it records.
record() {
	rm -rf "$store"
	: >"$scratch/log"
	"$@" "$D" --store "$store" --ring-size 64M 2>"$scratch/log" &
	recorder=$!
	recording "$recorder" "$scratch/log"
}

# stop  Ends it; $code is how it ended.
stop() {
	kill -TERM "$recorder"
	wait "$recorder"
	code=$?
}

ask() {
	"$P" --store "$store" "$@" 2>/dev/null | tr -d '\r'
}

# known PROGRAM  How many of the storm's programs have this exe and an argument of their own.
known() {
	ask sql -o csv "SELECT count(DISTINCT json_extract(argv, '\$[1]')) FROM process WHERE exe = '$1'
		AND json_extract(argv, '\$[1]') GLOB 'storm-[0-9]-*'" | tail -n 1
}

# ranks  How many threads of the recorder are under SCHED_FIFO, by priority: "N of 1, N of 2".  proc_pid_stat(5): rt_priority, policy.
ranks() {
	sed 's/.*) //' "/proc/$1"/task/*/stat 2>/dev/null |
		awk '$39 == 1 { n[$38]++ } END { printf "%d of 1, %d of 2", n[1], n[2] }'
}

# --- real-time threads ---
record env
kill -0 "$recorder" 2>/dev/null || skip_all "$(sed 's/^procledgerd: //;1q' "$scratch/log")"
fifo=$(ask status | grep -c 'exec details .*SCHED_FIFO')
"$BUILD/tests/storm" exec 300 2 /bin/true >/dev/null
"$BUILD/tests/storm" exec 300 2 "$PWD/$BUILD/tests/tiny" >/dev/null
if [ "$fifo" -eq 1 ]; then
	worker=$(pgrep -o -P "$recorder")
	lanes=$(($(nproc) < 16 ? $(nproc) : 16))
	is "$(ranks "$worker")" "4 of 1, $lanes of 2" "who receives, writes, syncs and sends canaries is before all but who reads programs"
	kill -XCPU "$worker"
	sleep 1.5
	is "$(ranks "$worker")" "4 of 1, $lanes of 2" "a receiver that its guard has stopped once keeps its place"
	kill -XCPU "$worker"
	for _ in $(seq 50); do
		grep -q 'lost its priority' "$scratch/log" && break
		sleep 0.1
	done
	is "$(grep -c 'the thread that receives lost its priority: it did not rest for 100 ms' "$scratch/log")" 1 \
		"that it was stopped again is told"
	is "$(ranks "$worker")" "3 of 1, $lanes of 2" "and is as everybody for a while"
fi
stop
is $code 0 "the recorder ends in order"
true=$(known "$(readlink -f /bin/true)")
tiny=$(known "$(readlink -f "$BUILD/tests/tiny")")
if [ "$fifo" -eq 1 ]; then
	[ "$true" -ge 598 ]
	ok $? "program and arguments of /bin/true are known: $true of 600"
	[ "$tiny" -ge 590 ]
	ok $? "and of a program that only exits: $tiny of 600"
else
	ok 0 "short-lived programs # SKIP no permission for real-time threads"
fi
is "$(ask status -o json | grep -o '"exec_lane":"[a-z]*"')" \
	"\"exec_lane\":\"$([ "$fifo" -eq 1 ] && echo fifo || echo default)\"" "status says how they were read"

# --- without ---
if command -v setpriv >/dev/null; then
	record setpriv --bounding-set -sys_nice
	grep -q 'no permission for real-time threads (CAP_SYS_NICE)' "$scratch/log"
	ok $? "without CAP_SYS_NICE the recorder says what that costs"
	ask status | grep -q 'exec details .*no CAP_SYS_NICE'
	ok $? "and so does status"
	"$BUILD/tests/storm" exec 50 2 /bin/true >/dev/null
	sh -c 'sleep 0.1; : lanes' lanes-slow
	stop
	is $code 0 "it records all the same"
	is "$(ask sql -o csv "SELECT count(*) FROM process WHERE argv LIKE '%lanes-slow%' AND exe IS NOT NULL" |
		tail -n 1)" 1 "programs that live for longer are known"
	is "$(ask sql -o csv 'SELECT min(complete) FROM coverage' | tail -n 1)" 1 "and nothing is lost"
fi

done_testing
