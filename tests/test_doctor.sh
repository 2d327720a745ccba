#!/bin/bash
# test_doctor.sh - doctor: what it looks at, what it finds wrong where something is, and its exit status.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
capture_import zoo

# doctor STORE WRAPPER...  Its JSON lines in $scratch/out, its exit status in $status.
doctor() {
	local store=$scratch/$1
	shift
	"$@" "$P" --store "$store" doctor -o jsonl >"$scratch/out" 2>"$scratch/err"
	status=$?
}

# state CHECK  ok, warn or fail.
state() {
	sed -n "s/^{\"check\":\"$1\",\"state\":\"\([a-z]*\)\".*/\1/p" "$scratch/out"
}

doctor zoo
for check in versions namespaces privileges recorder buffer listeners clock space ledger losses index programs; do
	[ -n "$(state $check)" ]
	ok $? "it looks at $check: $(state $check)"
done
is "$(state ledger) $(state losses) $(state index)" 'ok ok ok' "a good ledger, complete, with its index, is ok"
is "$(state recorder)" warn "that nobody records is worth a word"
is $status 1 "which makes the exit status 1"
grep '"state":"warn"' "$scratch/out" | grep -vq '"advice":"..*"'
is $? 1 "with each warning goes what to do"
"$P" --store "$scratch/zoo" doctor -o json | tr -d '\n' >"$scratch/json"
is "$(sqlite3 :memory: "SELECT json_array_length(readfile('$scratch/json'), '\$.checks') = $(wc -l <"$scratch/out")")" 1 "as JSON it is one document with the same checks"
"$P" --store "$scratch/zoo" doctor >"$scratch/text"
grep -q '^ok    ledger ' "$scratch/text" && grep -q '^ *-> start procledgerd$' "$scratch/text"
ok $? "as text each check is a line, advice behind it"

# --- where something is wrong ---
rm "$scratch/zoo"/index.db*
doctor zoo
is "$(state index)" warn "a missing index is told"
mkdir "$scratch/broken"
head -c 5000000 /dev/urandom >"$scratch/broken/ledger.ring"
doctor broken
is "$(state ledger) $status" 'fail 3' "what is no ring fails, with exit status 3"
doctor nothing
is "$(state ledger)" warn "no store at all is not there yet"
grep -q '"check":"recorder","state":"warn","found":"not running"' "$scratch/out"
ok $? "so that nobody records into it"
"$BUILD/procledgerd" --store "$scratch/empty" --ring-size 4M --input /dev/null 2>/dev/null
doctor empty
is "$(state ledger) $(state losses)" 'warn warn' "a ledger that holds nothing is not called good"
mkdir "$scratch/cut"
head -c 100000 "$scratch/zoo/ledger.ring" >"$scratch/cut/ledger.ring"
doctor cut
is "$(state ledger) $(state losses) $status" 'fail warn 3' "nor is a copy that was broken off"
grep -q '"found":"the file is cut short: 4094304 of its 4194304 bytes are not there"' "$scratch/out"
ok $? "it says how much is not there"
for second in 1 2 3 4; do
	printf 'fork pid=%d ppid=1 t=%d000\nseal\n' $((10 + second)) "$second"
done | "$BUILD/tests/tell" "$scratch/hurt"
slots=$(od -An -tu8 -j128 -N8 "$scratch/hurt/ledger.ring" | tr -d ' ')
printf '\377\377\377\377' | dd of="$scratch/hurt/ledger.ring" bs=1 seek=$((slots + 65536 * 2 + 130)) conv=notrunc status=none
doctor hurt
is "$(state ledger) $(state losses)" 'warn warn' "a block that cannot be read is found, whatever is in it"
grep -q '"found":"1 event cannot be read (damaged)"' "$scratch/out"
ok $? "with how many events it has"
holes_import
doctor holes
is "$(state losses)" warn "losses are told"
if [ "$(id -u)" -eq 0 ] && unshare --net true 2>/dev/null; then
	doctor zoo unshare --net
	is "$(state namespaces) $status" 'fail 3' "in another network namespace recording cannot work"
	doctor zoo unshare --fork --pid --mount-proc
	is "$(state namespaces)" fail "nor in another pid namespace"
	doctor zoo setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice
	is "$(state privileges)" warn "without CAP_SYS_NICE programs are not read in time"
	doctor zoo setpriv --bounding-set=-net_admin --inh-caps=-net_admin
	if [ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.6 ]; then
		is "$(state privileges)" warn "without CAP_NET_ADMIN the buffer is small"
		doctor zoo setpriv --bounding-set=-all --inh-caps=-all
		grep -q '"found":"who starts it like this has no CAP_NET_ADMIN (.*), CAP_SYS_PTRACE (.*), CAP_SYS_NICE (.*)"' "$scratch/out"
		ok $? "without any all that is lost is told"
	else
		is "$(state privileges)" fail "without CAP_NET_ADMIN nothing is heard before Linux 6.6"
	fi
else
	note "no other namespaces can be made here: not tested in them"
fi
# --- beside another recorder ---
"$BUILD/procledgerd" --store "$scratch/one" --ring-size 4M --ring-only 2>"$scratch/one.log" &
one=$!
"$BUILD/procledgerd" --store "$scratch/two" --ring-size 4M --ring-only 2>"$scratch/two.log" &
two=$!
if recording $one "$scratch/one.log" && recording $two "$scratch/two.log"; then
	doctor one
	grep -q '"check":"listeners","state":"warn","found":"[0-9]* other sockets* for the same events, of .*procledgerd' "$scratch/out"
	ok $? "another recorder is another listener"
	if setpriv --reuid=65534 --clear-groups true 2>/dev/null; then
		chmod 755 "$scratch" "$scratch/one"
		doctor one setpriv --reuid=65534 --regid=65534 --clear-groups
		grep -q '"check":"listeners","state":"warn","found":"[0-9]* whose owner is not known"' "$scratch/out"
		ok $? "who may not see whose they are says so"
	fi
else
	note "no recorder can run here: none is looked at beside another"
fi
kill $one $two 2>/dev/null
wait
done_testing
