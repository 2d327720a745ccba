#!/bin/bash
# try.sh  Records this machine while a small workload runs, then shows what the ledger has of it.
cd "$(dirname "$0")/.." || exit 1
set -u -o pipefail
export BUILD=${BUILD:-build/plain}

fail() {
	echo "try: $*" >&2
	exit 1
}

# workload  A shell with children: one that fails, one that leaves its child behind, a program with threads which renames
# itself and is killed, and a session of its own with another name.
workload() {
	sh -c 'ls / >/dev/null; sleep 0.1; exit 3'
	sh -c 'date >/dev/null & (sleep 0.1; true) & wait; false'
	"$BUILD/tests/workload" 2>/dev/null
	setsid sh -c 'printf a-new-name >/proc/$$/comm; sleep 0.05'
} >/dev/null 2>&1

if [ "${1:-}" = workload ]; then
	workload
	exit 0
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.try.XXXXXX") || exit 1
export PROCLEDGER_STORE=$scratch/store
recorder=''
trap '[ -z "$recorder" ] || kill "$recorder" 2>/dev/null; rm -rf "$scratch"' EXIT

# heading TEXT ARGUMENT...  What is shown, and the command as one would type it.
heading() {
	local argument
	printf '\n== %s\n$ procledger' "$1"
	shift
	for argument; do
		case $argument in
		*[!a-zA-Z0-9@._=/-]*) printf ' "%s"' "$argument" ;;
		*) printf ' %s' "$argument" ;;
		esac
	done
	printf '\n'
}

# show TEXT ARGUMENT...  An answer of procledger; there must be one.
show() {
	heading "$@"
	shift
	"$BUILD/procledger" "$@" >"$scratch/answer" 2>"$scratch/words" ||
		fail "procledger $1: exit status $?: $(cat "$scratch/words")"
	[ -s "$scratch/answer" ] || fail "procledger $1 had no answer"
	cat "$scratch/answer" "$scratch/words"
}

# below PID  Of a tree on standard input the heading, and what is PID or below it, moved to the left.
below() {
	perl -CS -e '
		my ($pid, $at, $depth) = shift;
		while (<STDIN>) {
			$at = index $_, "COMMAND" if $. == 1;
			my ($lead) = substr($_, $at) =~ /^([\x{2500}-\x{257f} ]*)/;
			undef $depth if defined $depth && length $lead <= $depth;
			$depth = length $lead if /^ *$pid /;
			chomp;
			print substr(substr($_, 0, $at) . substr($_, $at + ($depth // 0)), 0, 140), "\n"
				if $. == 1 || defined $depth;
		}' "$1"
}

[ "$(id -u)" -eq 0 ] ||
	fail 'recording needs root, for the kernel'\''s events and for /proc of other users; as root, run: make try'

"$BUILD/procledgerd" --ring-size 16M 2>"$scratch/log" &
recorder=$!
for _ in $(seq 100); do
	grep -q recording "$scratch/log" && break
	kill -0 "$recorder" 2>/dev/null || break
	sleep 0.1
done
grep -q recording "$scratch/log" || fail "the recorder did not start: $(cat "$scratch/log")"
sleep 1
echo "Recording this machine into $PROCLEDGER_STORE ..."
since=@$EPOCHREALTIME
"$0" workload &
shell=$!
wait "$shell"
until=@$EPOCHREALTIME
sleep 1
kill -TERM "$recorder"
wait "$recorder" || fail "the recorder ended with exit status $?: $(cat "$scratch/log")"
recorder=''
sed 's/^/    /' "$scratch/log"

heading "who started whom, and what became of them (all of the machine; here what the workload did)" tree -S "$since" -U "$until"
"$BUILD/procledger" tree -S "$since" -U "$until" 2>"$scratch/words" | below "$shell" >"$scratch/answer" ||
	fail "procledger tree: $(cat "$scratch/words")"
[ "$(wc -l <"$scratch/answer")" -gt 8 ] || fail 'the tree does not have the workload'
cat "$scratch/answer" "$scratch/words"
show 'the names that a task had, and where each came from' comm -S "$since" -U "$until" renamed
show 'SQL: every event that the kernel sent, by kind' sql \
	"SELECT kind, count(*) AS events, count(DISTINCT pid) AS processes FROM event WHERE pid IS NOT NULL AND kind <> 'snapshot' GROUP BY kind ORDER BY events DESC"
show 'SQL: who ended badly' sql \
	"SELECT pid, ppid, comm, exit_code >> 8 AS status, exit_code & 127 AS signal, (end_ns - start_ns) / 1000 AS us, argv FROM process WHERE exit_code <> 0 ORDER BY start_ns DESC LIMIT 5"
show 'SQL: is that all there was?' sql 'SELECT * FROM coverage'
printf '\nThe ledger is removed now.  To keep one: %s/procledgerd --store DIR\n' "$BUILD"
