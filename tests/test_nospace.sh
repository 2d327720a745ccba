#!/bin/bash
# test_nospace.sh - no room on the disk, and an index that is destroyed, while the live kernel is recorded.
#
# On a small tmpfs and on a small ext4 in a loop-mounted image: the ring has its room and goes on without a loss; the index
# stops with one sentence, status tells, the queries answer from the ring; with room again the index catches up, and
# equals one that is made anew.  Then the index is deleted, overwritten, cut short: noticed, and made from the ring.
# Holds invariant 8 of schema/FORMAT.md.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
# shellcheck disable=SC2317 # called by name

D=$BUILD/procledgerd
P=$BUILD/procledger

[ "$(id -u)" -eq 0 ] || skip_all "mounting needs root"
command -v sqlite3 >/dev/null || skip_all "sqlite3 is not installed"
disk=${scratch:?}/disk
log=$scratch/log
store=$disk/store
recorder=
mkdir "$disk"

clean_up() {
	[ -z "$recorder" ] || kill -TERM "$recorder" 2>/dev/null
	wait
	umount "$disk" 2>/dev/null
	[ -z "${image:-}" ] || rm -f "$image"
	rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

# until SECONDS COMMAND...  Tries until it succeeds.
until_true() {
	local end=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.05
	done
}

status() {
	"$P" --store "$store" status -o json 2>/dev/null | grep -o "\"$1\":[^,}]*" | cut -d: -f2
}

# start  Records; leaves the process in $recorder.
start() {
	: >"$log"
	"$D" --store "$store" --ring-size 16M 2>"$log" &
	recorder=$!
	until_true 10 grep -q 'recording into' "$log"
}

stop() {
	kill -TERM "$recorder"
	wait "$recorder"
	local code=$?
	recorder=
	return $code
}

storm() {
	"$BUILD/tests/storm" fork "$1" 2 >"$scratch/tids"
}

up_to_date() {
	[ "$(status index_lag)" = 0 ]
}

behind() {
	[ "$(status index_lag)" -gt "$1" ] 2>/dev/null
}

# said WORDS  How many sentences of the log have these words.
said() {
	grep -c -- "$1" "$log"
}

# recorded SENTENCE  Every fork of the last storm is in the ring, nothing was lost, and the numbers have no hole.
recorded() {
	local missing
	"$P" --store "$store" events -o csv 2>/dev/null >"$scratch/events"
	missing=$(od -An -v -tu4 -w4 "$scratch/tids" | tr -d ' ' | sort |
		comm -23 - <(awk -F, '$5 == "fork" { print $7 }' "$scratch/events" | sort) | wc -l)
	is "$missing lost $(status lost_total)" "0 lost 0" "$1"
}

# same SENTENCE  The index equals one made anew.  The recorder does not run.
same() {
	sqlite3 -readonly "$store/index.db" .dump >"$scratch/live.sql"
	"$P" --store "$store" reindex >"$scratch/out" 2>&1
	ok $? "the index can be made anew"
	sqlite3 -readonly "$store/index.db" .dump | cmp -s - "$scratch/live.sql"
	ok $? "$1"
	rm -f "$scratch/live.sql"
}

fill() {
	head -c 1G /dev/zero >"$disk/filler" 2>/dev/null
	return 0
}

full_disk() {
	local where=$1 before
	start
	ok $? "$where: the recorder starts"
	storm 500
	until_true 10 up_to_date
	ok $? "$where: the index follows"
	fill
	storm 8000
	until_true 10 behind 1000
	ok $? "$where: without room the index falls behind ($(status index_lag) events)"
	recorded "$where: the ring has every fork all the same"
	sleep 1
	is "$(said 'falls behind')" 1 "$where: it is said once"
	note "$(grep 'falls behind' "$log")"
	grep 'falls behind' "$log" | grep -q 'full\|No space\|no room'
	ok $? "$where: and why"
	"$P" --store "$store" status 2>&1 | grep -q '^index.*events behind'
	ok $? "$where: status tells"
	"$P" --store "$store" tree -S -20s 2>"$scratch/err" | grep -q storm
	ok $? "$where: a tree is made from the ring"
	"$P" --store "$store" events -n 3 2>/dev/null | grep -q .
	ok $? "$where: and events are found there"
	before=$(status next_event_no)
	rm -f "$disk/filler"
	until_true 40 up_to_date
	ok $? "$where: with room again the index catches up, while recording"
	is "$(said 'can be written again')" 1 "$where: and that is said"
	storm 500
	[ "$(status next_event_no)" -gt "$before" ]
	ok $? "$where: recording never stopped"
	kill -0 $recorder && stop
	ok $? "$where: the recorder ends in order"
	same "$where: the index equals one that is made anew"
	rm -rf "$store"
}

# --- a full disk ---

start_refused() {
	"$D" --store "$store" --ring-size 16M 2>"$log" &
	recorder=$!
	until_true 10 grep -q 'recording into\|procledgerd:' "$log"
	if grep -q 'recording into' "$log"; then
		stop
		return 1
	fi
	wait $recorder
	recorder=
}

mount -t tmpfs -o size=64M none "$disk" 2>/dev/null || skip_all "nothing can be mounted here"
start_refused && skip_all "the kernel cannot be recorded here: $(head -n 1 "$log")"
rm -rf "$store"
full_disk tmpfs

# --- an index that is destroyed, while recording ---

damage() {
	local what=$1
	shift
	"$@"
	storm 2000
	until_true 20 up_to_date
	ok $? "an index that is $what is made from the ring, while recording"
	kill -0 "$recorder"
	ok $? "and recording goes on"
	recorded "without a loss"
}

garbage() {
	head -c 200000 /dev/urandom | dd of="$store/index.db" conv=notrunc status=none
}
garbage_wal() {
	head -c 100000 /dev/urandom | dd of="$store/index.db-wal" conv=notrunc status=none
}
cut_short() {
	truncate -s 5000 "$store/index.db"
}
empty_all() {
	truncate -s 0 "$store/index.db" "$store/index.db-wal"
}

start
storm 3000
until_true 10 up_to_date
damage "deleted" rm -f "$store/index.db"
damage "deleted with its log" rm -f "$store/index.db" "$store/index.db-wal" "$store/index.db-shm"
damage "overwritten" garbage
damage "overwritten in its log" garbage_wal
damage "cut short" cut_short
damage "emptied" empty_all
stop
ok $? "the recorder ends in order"
same "after all of this the index equals one that is made anew"
umount "$disk"

# --- ext4 ---

image=$(mktemp -p /dev/shm procledger.XXXXXX 2>/dev/null) || image=$scratch/image
truncate -s 64M "$image"
if mkfs.ext4 -q -F "$image" >/dev/null 2>&1 && mount -o loop "$image" "$disk" 2>/dev/null; then
	full_disk ext4
	umount "$disk"
else
	ok 0 "ext4 # SKIP no image can be made or mounted here"
fi
done_testing
