#!/bin/bash
# bench_lanes.sh [PART...]  What is recorded of short lives, and what recording costs those who are recorded.  Needs root.
# Parts: exec (programs known with their arguments); storms (STORM_S seconds of each by STORM_WORKERS, one a CPU: what is lost); fork, loop (of
# execs), build (time of the workload with a listener to that without, and CPU of the listener; ROUNDS interleaved rounds, medians), beside
# those of a bare listener that throws everything away, forkstat, extrace and auditd, where they are installed and can run;
# LISTENERS="none ..." for fewer.
set -eu -o pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
BUILD=${BUILD:-build/plain}
ROUNDS=${ROUNDS:-5}
STORM_S=${STORM_S:-10}
STORM_WORKERS=${STORM_WORKERS:-$(nproc)}
LISTENERS=${LISTENERS:-none ring index bare forkstat extrace auditd}
cpus=$(nproc)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.bench.XXXXXX")
listener=''
audit_free=0

clean_up() {
	[ -z "$listener" ] || kill "$listener" 2>/dev/null || true
	[ "$audit_free" -eq 0 ] || audit_off
	wait
	rm -rf "$scratch"
}
trap clean_up EXIT

# Whoever has rules or a daemon keeps them.
if command -v auditctl >/dev/null && auditctl -s 2>/dev/null | grep -qx 'enabled 0' &&
	auditctl -l 2>/dev/null | grep -qx 'No rules'; then
	audit_free=1
	# Once audit has been on, every call of every program is slower, until a rule says that none is to be watched.
	auditctl -a never,task >/dev/null
fi

[ "$(id -u)" -eq 0 ] || { echo "bench_lanes.sh: the kernel's events need root" >&2; exit 1; }

# --- listeners: start_NAME makes $listener; missing_NAME says why it cannot be had ---

record() {
	rm -rf "$scratch/store"
	"$BUILD/procledgerd" --store "$scratch/store" --ring-size 256M "$@" 2>"$scratch/log" &
	listener=$!
	for _ in $(seq 200); do
		grep -q 'recording into' "$scratch/log" && break
		sleep 0.02
	done
}

start_none() { listener=''; }
start_ring() { record --ring-only; }
start_index() { record; }
start_bare() {
	"$BUILD/tests/bench_listener" 20 >"$scratch/out" &
	listener=$!
}
start_forkstat() {
	forkstat >"$scratch/out" 2>&1 &
	listener=$!
}
start_extrace() {
	extrace >"$scratch/out" 2>&1 &
	listener=$!
}
start_auditd() {
	mkdir -p "$scratch/audit"
	sed -E "s|^log_file *=.*|log_file = $scratch/audit/log|; s|^flush *=.*|flush = NONE|; s|^max_log_file *=.*|max_log_file = 1000|" \
		/etc/audit/auditd.conf >"$scratch/audit/auditd.conf"
	auditd -n -c "$scratch/audit" >"$scratch/out" 2>&1 &
	listener=$!
	sleep 0.3
	auditctl -D >/dev/null
	auditctl -b 65536 >/dev/null
	auditctl -a always,exit -F arch=b64 -S clone,clone3,fork,vfork,execve,execveat,exit,exit_group >/dev/null
}
audit_off() {
	auditctl -D >/dev/null 2>&1 || true
	auditctl -e 0 >/dev/null 2>&1 || true
}
stop_auditd() {
	audit_off
	auditctl -a never,task >/dev/null
}

missing() {
	case $1 in
	forkstat | extrace) command -v "$1" >/dev/null || echo "not installed" ;;
	auditd)
		command -v auditd >/dev/null || { echo "not installed"; return 0; }
		[ "$audit_free" -eq 1 ] || echo "audit is in use, or not to be had, here"
		;;
	esac
}

stop() {
	[ -n "$listener" ] || return 0
	[ "$1" != auditd ] || stop_auditd
	kill "$listener" 2>/dev/null || true
	wait "$listener" || true
	listener=''
}

# cpu_ns  Of the listener, its children and all their threads.
cpu_ns() {
	local pid
	[ -n "$listener" ] || { echo 0; return; }
	for pid in "$listener" $(pgrep -P "$listener"); do cat "/proc/$pid"/task/*/schedstat; done 2>/dev/null |
		awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

median() {
	sort -g | awk '{ n[NR] = $1 } END { if (NR) print n[int((NR + 1) / 2)] }'
}

# --- workloads ---

run_fork() { "$BUILD/tests/storm" fork 8000 "$cpus" >/dev/null; }
run_exec() { "$BUILD/tests/storm" exec 800 "$cpus" >/dev/null; }
# As a configure and a make do: many short shells and tools, then a compiler.
run_build() {
	local i
	for i in $(seq 150); do
		sh -c 'expr "$1" : ".*[02468]$" >/dev/null || echo "$1" | sed s/1/one/ | grep -q one || test -d /usr' sh "$i" || true
	done
	rm -rf "$scratch/build"
	make -s -j"$cpus" B="$scratch/build" CFLAGS=-O1 "$scratch/build/libschema.a" >/dev/null
}

# measure LISTENER WORKLOAD  One run: appends seconds and CPU ns to $scratch/times.LISTENER.
measure() {
	local before after from
	"start_$1"
	sleep 0.3
	before=$(cpu_ns)
	from=$EPOCHREALTIME
	"run_$2"
	perl -e 'printf "%.4f", $ARGV[1] - $ARGV[0]' "$from" "$EPOCHREALTIME" >>"$scratch/times.$1"
	sleep 0.3
	after=$(cpu_ns)
	echo " $((after - before))" >>"$scratch/times.$1"
	stop "$1"
}

# cost WORKLOAD EVENTS
cost() {
	local name why round
	rm -f "$scratch"/times.*
	for round in $(seq "$ROUNDS"); do
		for name in $LISTENERS; do
			[ -n "$(missing "$name")" ] || measure "$name" "$1"
		done
	done
	: "$round"
	for name in $LISTENERS; do
		why=$(missing "$name")
		if [ -n "$why" ]; then
			printf '%-6s %-9s skipped: %s\n' "$1" "$name" "$why"
			continue
		fi
		# The ratio is of each round's own pair: what else runs here changes from minute to minute.
		paste -d ' ' "$scratch/times.none" "$scratch/times.$name" | awk '{ print $3 / $1 }' | median >"$scratch/ratio"
		awk '{ print $2 }' "$scratch/times.$name" | median >"$scratch/cpu"
		perl -e 'printf "%-6s %-9s time %.2f s, ratio %.3f; CPU of the listener %.2f us %s\n", @ARGV[0, 1], $ARGV[2], $ARGV[3],
			$ARGV[4] / 1e3 / $ARGV[5], $ARGV[6]' "$1" "$name" "$(awk '{ print $1 }' "$scratch/times.$name" | median)" \
			"$(cat "$scratch/ratio")" "$(cat "$scratch/cpu")" "$2" "$3"
	done
}

# --- parts ---

ask() {
	"$BUILD/procledger" --store "$scratch/store" sql -o csv "$1" 2>/dev/null | tr -d '\r' | tail -n 1
}

# known NAME PROGRAM WORKERS COUNT
known() {
	local got
	start_index
	"$BUILD/tests/storm" exec "$4" "$3" "$2" >/dev/null
	stop index
	got=$(ask "SELECT count(DISTINCT json_extract(argv, '\$[1]')) FROM process
		WHERE exe = '$(readlink -f "$2")' AND json_extract(argv, '\$[0]') = '$2' AND json_extract(argv, '\$[1]') GLOB 'storm-*-*'")
	perl -e 'printf "%-22s %d workers: exe and argv right of %d in %d: %.2f %%\n", @ARGV[0 .. 3], 100 * $ARGV[2] / $ARGV[3]' \
		"$1" "$3" "$got" "$(($3 * $4))"
}

part_exec() {
	known /bin/true /bin/true "$cpus" 2000
	known /bin/true /bin/true 8 500
	known 'a program that exits' "$PWD/$BUILD/tests/tiny" "$cpus" 2000
	known 'a program that exits' "$PWD/$BUILD/tests/tiny" 8 500
}

part_storms() {
	local mode storm
	for mode in fork thread exec comm; do
		start_index
		setsid "$BUILD/tests/storm" $mode 100000000 "$STORM_WORKERS" >/dev/null 2>&1 &
		storm=$!
		sleep "$STORM_S"
		kill -KILL -- "-$storm"
		wait "$storm" 2>/dev/null || true
		sleep 1
		stop index
		printf '%-6s storm of %s s, %s workers on %s CPUs: %s, %s\n' $mode "$STORM_S" "$STORM_WORKERS" "$cpus" \
			"$(grep -o '[0-9]* events received' "$scratch/log")" \
			"$(grep -o '[0-9]* events were lost' "$scratch/log" || echo '0 lost')"
	done
}

part_fork() { cost fork "$((8000 * 2 * cpus))" 'an event'; }
part_loop() { cost exec "$((800 * cpus))" 'an exec'; }
part_build() { cost build 1 'in all'; }

[ $# -gt 0 ] || set -- exec storms fork loop build
for part; do
	"part_$part"
done
