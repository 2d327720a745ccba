#!/bin/bash
# test_inject.sh - test_inject.sh [CASES]: system calls that fail.  300 cases without an argument.
#
# strace makes the n-th call (or that and every later one) of one kind on the store's files fail, or say that nothing was
# read or written, while procledgerd imports a stream into a new store, or into one that holds a recording.  After every
# case: it ended by itself, with one clear sentence where it failed; what was recorded before is there as it was; the store
# opens and takes the stream; and the index equals one that is made anew.  Then a few on the recorder of the live kernel.
# Holds invariants 1 to 4 and 8 of schema/FORMAT.md.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

cases=${1:-300}
D=$BUILD/procledgerd
P=$BUILD/procledger

for program in strace xz sqlite3; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done
! ldd "$D" | grep -qE 'lib[at]san' || skip_all "a sanitizer needs the calls that are to fail"
strace -qqq -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
if [ -w /dev/shm ]; then
	rm -rf "$scratch"
	scratch=$(mktemp -d /dev/shm/procledger.XXXXXX) || exit 1
fi
xz -dc tests/data/zoo.nl.xz >"$scratch/stream"
stream=$scratch/stream

# import STORE  As it should be.
import() {
	"$D" --store "$1" --ring-size 4M --input "$stream"
}

# facts STORE BOOT  What was recorded, without the numbers that another start gives.
facts() {
	"$P" --store "$1" events -b "$2" -o csv 2>/dev/null | cut -d, -f3-
}

events() {
	"$P" --store "$1" status -o json | sed 's/.*"events":\([0-9]*\).*/\1/'
}

import "$scratch/base" 2>"$scratch/log"
ok $? "a stream is imported"
facts "$scratch/base" 1 >"$scratch/facts"
whole=$(events "$scratch/base")
[ "$whole" -gt 1000 ]
ok $? "and has something to lose ($whole events)"

# paths GROUP STORE  The files of a group, as options for strace.
paths() {
	local name
	case $1 in
	ring) for name in ledger.ring ledger.ring.new; do echo "-P $2/$name"; done ;;
	index) for name in index.db index.db-wal index.db-shm index.db-journal; do echo "-P $2/$name"; done ;;
	store) echo "-P $2" ;;
	esac
}

calls="pwrite64 pread64 fdatasync openat mmap fallocate ftruncate fsync renameat2 newfstatat flock unlink mkdir"

# count GROUP START  How often each call is made when nothing fails: lines "COUNT CALL".
count() {
	local store=$scratch/count
	rm -rf "$store"
	[ "$2" = new ] || cp -r "$scratch/base" "$store"
	# shellcheck disable=SC2046 # options
	strace -f --seccomp-bpf -qqq -o "$scratch/calls" -e trace="${calls// /,}" $(paths "$1" "$store") \
		"$D" --store "$store" --ring-size 4M --input "$stream"
	# Per process, as strace counts them too; the largest.
	awk '{ sub(/\(.*/, "", $2); if ($2 !~ /^</) n[$1 " " $2]++ }
		END { for (k in n) { split(k, a, " "); if (n[k] > m[a[2]]) m[a[2]] = n[k] } for (c in m) print m[c], c }' \
		"$scratch/calls"
}

# Every case there is: first one of each call, error and start, then the second of each, and so on; within that in an order
# that is neither sorted nor different each time.
list() {
	local group start count call error n
	for group in ring index store; do
		for start in new again; do
			count $group $start | while read -r count call; do
				for error in error=EIO error=ENOSPC error=EINTR error=EAGAIN error=ENOMEM \
					error=EDQUOT error=EACCES retval=0; do
					case $error-$call in
					retval=0-p*64) ;;
					retval=0-*) continue ;;
					esac
					echo "$group $start $call $error $count"
				done
			done
		done
	done | awk '
		{
			h = NR * 2654435761 % 4294967296
			for (i = 0; i < $5; i++) {
				n = (h + i * 7) % $5 + 1
				for_ever = $4 !~ /EINTR|EAGAIN|=0/ && (i + h) % 3 == 0 ? "+" : ""
				print i, (h + i * 40503) % 65536, $1, $2, $3, $4, n for_ever
			}
		}' | sort -n -k1,1 -k2,2 | cut -d' ' -f3-
}

# judge STORE CODE START  Nothing, or what is wrong.  The log of the run is STORE.log.
judge() {
	local store=$1 code=$2 start=$3 lines wanted got
	case $code in
	0 | 1 | 4 | 6) ;;
	*) echo "exit $code" ;;
	esac
	lines=$(grep -c '^procledgerd: ' "$store.log")
	[ "$lines" = "$(wc -l <"$store.log")" ] || echo "other words: $(grep -v '^procledgerd: ' "$store.log" | head -n 1)"
	[ "$code" -eq 0 ] || [ "$lines" -gt 0 ] || echo "failed without a word"
	[ "$lines" -le 4 ] || echo "$lines sentences: $(tail -n 2 "$store.log" | tr '\n' ' ')"
	if [ "$start" = again ]; then
		facts "$store" 1 | cmp -s - "$scratch/facts" || echo "what was recorded before is not as it was"
	fi
	import "$store" 2>"$store.again" || echo "does not open again: $(head -n 1 "$store.again")"
	wanted=$whole
	[ "$start" = new ] || wanted=$((wanted + whole))
	[ "$code" -ne 0 ] || wanted=$((wanted + whole))
	got=$("$P" --store "$store" status -o json)
	case $got in *'"index_lag":0,'*) ;; *) echo "the index lags" ;; esac
	got=${got#*'"events":'}
	got=${got%%,*}
	[ "$got" -ge "$wanted" ] || echo "$got events of $wanted"
	sqlite3 -readonly "$store/index.db" .dump >"$store.live"
	"$P" --store "$store" reindex >/dev/null 2>"$store.again" || echo "no reindex: $(cat "$store.again")"
	sqlite3 -readonly "$store/index.db" .dump | cmp -s - "$store.live" || echo "the index is another when made anew"
}

# work WORKER  Its share of the cases.
work() {
	local store=$scratch/$1 group start call error n code bad
	while read -r group start call error n; do
		rm -rf "$store"
		[ "$start" = new ] || cp -r "$scratch/base" "$store"
		# shellcheck disable=SC2046
		timeout 30 strace -f --seccomp-bpf -qqq -o "$store.calls" -e trace="$call" -e signal=none \
			-e inject="$call:$error:when=$n" $(paths "$group" "$store") \
			"$D" --store "$store" --ring-size 4M --input "$stream" 2>"$store.log"
		code=$?
		hit=$(grep -c INJECTED "$store.calls")
		bad=$(judge "$store" $code "$start" 2>&1 | tr '\n' ';')
		echo "$((hit > 0)) $code $group $start $call $error $n: ${bad:-fine}"
	done
}

list >"$scratch/list"
all=$(wc -l <"$scratch/list")
[ "$cases" -lt "$all" ] || cases=$all
# Most of a case is waiting.
for worker in 0 1 2 3; do
	head -n "$cases" "$scratch/list" | awk -v w=$worker 'NR % 4 == w' | work $worker >"$scratch/done.$worker" &
done
wait
cat "$scratch"/done.* >"$scratch/done"
grep -v ': fine$' "$scratch/done" | head -n 20 | sed 's/^[0-9]* /# exit /'
is "$(wc -l <"$scratch/done")" "$cases" "$cases of $all cases of a failing system call were tried"
[ "$(awk '{ n += $1 } END { print n + 0 }' "$scratch/done")" -gt $((cases * 9 / 10)) ]
ok $? "nearly all of them made a call fail ($(awk '{ n += $1 } END { print n + 0 }' "$scratch/done"))"
[ "$(awk '$2 == 0' "$scratch/done" | wc -l)" -gt 0 ] && [ "$(awk '$2 != 0' "$scratch/done" | wc -l)" -gt 0 ]
ok $? "some were overcome ($(awk '$2 == 0' "$scratch/done" | wc -l)), the others ended the import"
is "$(grep -vc ': fine$' "$scratch/done")" 0 "none crashed, lost what was there, or left a store or an index that is not whole"

# --- the recorder of the live kernel ---

# live STORE SECONDS [STRACE-OPTION]...  Records a storm of 600 forks.  The exit code; STORE.log has the words.
live() {
	local store=$1 seconds=$2 pid
	shift 2
	strace -D -f --seccomp-bpf -qqq -o "$store.calls" -e signal=none "$@" \
		"$D" --store "$store" --ring-size 4M 2>"$store.log" &
	pid=$!
	recording $pid "$store.log"
	"$BUILD/tests/storm" fork 300 2 >/dev/null
	sleep "$seconds"
	kill -TERM $pid 2>/dev/null
	wait $pid
}

store=$scratch/live
live "$store" 0 -e trace=none
code=$?
if [ $code -eq 4 ] || [ $code -eq 5 ]; then
	ok 0 "the live kernel # SKIP $(head -n 1 "$store.log")"
	done_testing
fi
is $code 0 "the live kernel is recorded under strace"
# strace counts in each thread, and one makes all the syncs.  start "again": on a store that is there, so that of few syncs at the start the n-th is one while recording.
while read -r call error n group start seconds; do
	rm -rf "$store"
	[ "$start" = new ] || live "$store" 0 -e trace=none
	# shellcheck disable=SC2046
	live "$store" "$seconds" -e trace="$call" -e inject="$call:$error:when=$n" $(paths "$group" "$store")
	code=$?
	forks=$("$P" --store "$store" events -o csv 2>/dev/null | grep -c ',fork,')
	bad=$(grep -v '^procledgerd: ' "$store.log")
	grep -q INJECTED "$store.calls" && [ $code -eq 0 ] && [ "$forks" -ge 600 ] && [ -z "$bad" ]
	ok $? "live, $call, $error, call $n: goes on, and has every fork ($forks)"
	[ $code -eq 0 ] || sed 's/^/# /' "$store.log"
	if [ "$group" = ring ]; then
		"$P" --store "$store" events -o csv 2>/dev/null | awk -F, '$5 == "disk_error" && $20 == 5 && $22 > 0' | grep -q . &&
			"$P" --store "$store" status 2>/dev/null | grep -q '^disk errors .*Input/output error$'
		ok $? "the failures are in the ledger, and status tells of them"
	fi
	"$P" --store "$store" reindex >/dev/null 2>&1 && import "$store" 2>"$store.log"
	ok $? "and the store is whole"
done <<END
recvmmsg error=EINTR 3 - new 0.2
recvmmsg error=EAGAIN 2 - new 0.2
recvmmsg error=ENOBUFS 4 - new 0.2
recvmmsg error=ENOMEM 3 - new 0.2
poll error=EINTR 3 - new 0.2
fdatasync error=EIO 5+ index new 0.2
pwrite64 error=ENOSPC 5 index new 0.2
pwrite64 error=EIO 9+ index new 0.2
fdatasync error=EIO 3 ring again 3.6
END

# From the fifth on each sync takes longer than staging, which is 1 MiB, has room for this storm.
rm -rf "$store"
strace -D -f --seccomp-bpf -qqq -o "$store.calls" -e signal=none -e trace=fdatasync \
	-e inject=fdatasync:delay_enter=2000000:when=5+ "$D" --store "$store" --ring-size 4M --ring-only 2>"$store.log" &
pid=$!
recording $pid "$store.log"
"$BUILD/tests/storm" comm 15000 2 >/dev/null
sleep 1
"$BUILD/tests/storm" comm 15000 2 >/dev/null
kill -TERM $pid
wait $pid
is $? 0 "a disk whose syncs take seconds is recorded on"
"$P" --store "$store" status -o json 2>/dev/null | grep -q '"lost_total":0,'
ok $? "nothing is lost for it"
grep -q 'takes too long to sync' "$store.log" &&
	"$P" --store "$store" status 2>/dev/null | grep -q '^disk errors .*syncing took too long to be waited for$'
ok $? "and that nobody waited for it is told"

done_testing
