# shellcheck shell=bash
# tap.sh - the Test Anything Protocol for test scripts; tap.h is its twin for C.  Source it; end with done_testing.
# A folder of its own for each test is $scratch; it is removed at the end.

set -u
BUILD=${BUILD:-build/plain}
# Nothing of whoever runs the tests.
export TZ=UTC
unset PROCLEDGER_STORE
tap_count=0
tap_failed=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT

# ok STATUS SENTENCE  STATUS is that of the command before: some_command; ok $? "does this".
ok() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=1
	fi
}

# is GOT WANTED SENTENCE
is() {
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '#      got: %s\n#   wanted: %s\n' "$1" "$2"
}

# note TEXT  A word beside the tests.
note() {
	printf '# %s\n' "$*"
}

# skip_all REASON  Ends the whole test as skipped.
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# has_terminal  Whether script(1) can make one here.
has_terminal() {
	script -qec true /dev/null </dev/null >/dev/null 2>&1 && return 0
	note 'no terminal can be made here: what needs one is skipped'
	return 1
}

# capture_import NAME [RING_SIZE]  A captured stream of tests/data as a store: $scratch/NAME, with $scratch/NAME.nl beside it.  What
# the recorder said is in $scratch/log.  Without xz the whole test is skipped.
capture_import() {
	command -v xz >/dev/null || skip_all "xz is not installed"
	xz -dc "tests/data/$1.nl.xz" >"$scratch/$1.nl"
	"$BUILD/procledgerd" --store "$scratch/$1" --ring-size "${2:-4M}" --input "$scratch/$1.nl" 2>"$scratch/log"
	ok $? "$1 is imported"
}

# holes_import  The zoo, imported before, once more without ten of its datagrams: $scratch/holes, with $scratch/holes.nl beside it.
holes_import() {
	head -c $((76 * 300)) "$scratch/zoo.nl" >"$scratch/holes.nl"
	tail -c +$((76 * 310 + 1)) "$scratch/zoo.nl" >>"$scratch/holes.nl"
	"$BUILD/procledgerd" --store "$scratch/holes" --ring-size 4M --input "$scratch/holes.nl" 2>"$scratch/log"
}

# recording PID LOG  Waits until a recorder that writes to LOG records.  Fails where it ends before, or has not begun within five seconds.
recording() {
	for _ in $(seq 250); do
		grep -q 'recording into' "$2" && return
		kill -0 "$1" 2>/dev/null || break
		sleep 0.02
	done
	return 1
}

done_testing() {
	echo "1..$tap_count"
	exit $tap_failed
}
