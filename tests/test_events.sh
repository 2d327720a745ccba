#!/bin/bash
# test_events.sh - procledger events: its ways of writing, the last and the first, backwards, cursors; and live, beside a recorder.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
export PROCLEDGER_STORE=${scratch:?}/zoo
capture_import zoo

events() {
	"$P" events -q "$@" >"$scratch/out" 2>"$scratch/err"
	status=$?
}

numbers() { # the event numbers of an answer in CSV
	tail -n +2 "$scratch/out" | tr -d '\r' | cut -d, -f1
}

# --- ways of writing ---
total=$(sqlite3 "$PROCLEDGER_STORE/index.db" 'SELECT count(*) FROM event')
for style in text short short-full short-iso short-precise short-iso-precise short-monotonic short-unix cat; do
	events -o $style
	is "$(wc -l <"$scratch/out")" "$total" "-o $style has a line for each event"
	! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$scratch/out"
	ok $? "and no control character"
done
events -o verbose -n 2
is "$(grep -c '^    event_no=' "$scratch/out")" 2 "-o verbose tells each with its fields"
events -o json-pretty -n 2
is "$(sqlite3 :memory: "SELECT group_concat(value ->> 'kind') FROM json_each('[' || replace(readfile('$scratch/out'), '}
{', '},{') || ']')")" "$(sqlite3 "$PROCLEDGER_STORE/index.db" 'SELECT group_concat(kind) FROM (SELECT kind FROM (SELECT * FROM event ORDER BY event_no DESC LIMIT 2) ORDER BY event_no)')" \
	"-o json-pretty is JSON"
events -o xml
is $status 2 "another way is refused"
events -o csv --output-fields event_no,kind -n 1
is "$(head -n 1 "$scratch/out" | tr -d '\r')" "event_no,kind" "--output-fields chooses columns"
events -o jsonl --output-fields kind,pid -n 1
head -n 1 "$scratch/out" | grep -Eq '^\{"kind":"[a-z]+","pid":(null|[0-9]+)\}$'
ok $? "also in JSON"
events -o csv --output-fields kind,no_such
is $status 2 "a column that is not there is refused"

# --- which ---
events -o csv
numbers >"$scratch/all"
events -o csv -n +7
numbers | cmp -s - <(head -n 7 "$scratch/all")
ok $? "-n +7 gives the first seven"
events -o csv -n
numbers | cmp -s - <(tail -n 10 "$scratch/all")
ok $? "-n alone gives the last ten"
events -o csv -n all
numbers | cmp -s - "$scratch/all"
ok $? "-n all gives all"
events -o csv -r
numbers | cmp -s - <(tac "$scratch/all")
ok $? "-r gives them backwards"
events -o csv --failed
numbers >"$scratch/failed"
events -o csv -r -n 5 --failed
numbers | cmp -s - <(tac "$scratch/failed" | head -n 5)
ok $? "also of lives that are chosen by their end"
events -o csv -n 5 --failed
numbers | cmp -s - <(tail -n 5 "$scratch/failed")
ok $? "of which the last can be had as well"

# --- cursors ---
events -o csv -n +100 --show-cursor
cursor=$(sed -n 's/^-- cursor: //p' "$scratch/out")
[ -n "$cursor" ]
ok $? "--show-cursor tells where the answer ended"
events -o csv --after-cursor "$cursor"
numbers | cmp -s - <(tail -n +101 "$scratch/all")
ok $? "--after-cursor goes on behind it"
events -o csv --cursor "$cursor"
numbers | cmp -s - <(tail -n +100 "$scratch/all")
ok $? "--cursor with it"
events --cursor "0${cursor#?}x"
is $status 2 "what is no cursor is refused"
for part in +150 +150 all; do
	events -o csv -n "$part" --cursor-file "$scratch/cursor"
	numbers >>"$scratch/pieces"
done
cmp -s "$scratch/pieces" "$scratch/all"
ok $? "--cursor-file gives every event once, piece by piece"
events --cursor-file "$scratch/cursor"
is $status 1 "and then nothing until there is more"

events -o json -n +2 --show-cursor
is "$(sqlite3 :memory: "SELECT v ->> '$.cursor' = '${cursor%-*}-' || (v ->> '$.events[1].event_no') FROM (SELECT readfile('$scratch/out') AS v)")" 1 \
	"in JSON the cursor is a member of the document"
events -o jsonl -n +2 --show-cursor
is "$(tail -n 1 "$scratch/out" | sed 's/"recorded":{[^}]*},//')" "{\"completeness\":{\"complete\":true,\"missing\":[]},\"cursor\":\"${cursor%-*}-$(sed -n 2p "$scratch/all")\"}" \
	"in JSON lines of the last"
events -o json-pretty -n +2 --show-cursor
is "$(sqlite3 :memory: "SELECT json_array_length('[' || replace(readfile('$scratch/out'), '}
{', '},{') || ']')")" 3 "with -o json-pretty an object of its own"
events -o csv -n +100 --cursor-file "$scratch/unread"
cp "$scratch/unread" "$scratch/cursor"
{
	sleep 0.3
	"$P" events -q --cursor-file "$scratch/unread"
} | true
cmp -s "$scratch/unread" "$scratch/cursor"
ok $? "of what went into a closed pipe the cursor file knows nothing"
[ -w /dev/full ] && {
	"$P" events -q --cursor-file "$scratch/unread" >/dev/full 2>"$scratch/err"
	cmp -s "$scratch/unread" "$scratch/cursor"
	ok $? "nor of what went on a full disk"
}

# --- cursors in a ledger of many blocks ---
for second in $(seq 40); do
	printf 'fork pid=%d ppid=1 t=%d000\nexit pid=%d ppid=1 arg0=0 arg1=17\nseal\n' $((100 + second)) "$second" $((100 + second))
done | "$BUILD/tests/tell" "$scratch/blocks"
ok $? "a ledger of forty blocks is told"
events --store "$scratch/blocks" -o csv
numbers >"$scratch/all"
events --store "$scratch/blocks" -o csv -n +1 --show-cursor
first=$(sed -n 's/^-- cursor: //p' "$scratch/out")
for number in 2 27 32 51 71; do
	events --store "$scratch/blocks" -o csv --after-cursor "${first%-*}-$number"
	numbers | cmp -s - <(tail -n +$((number + 1)) "$scratch/all")
	ok $? "--after-cursor gives all behind event $number"
	events --store "$scratch/blocks" -o csv -r --after-cursor "${first%-*}-$number"
	numbers | cmp -s - <(tail -n +$((number + 1)) "$scratch/all" | tac)
	ok $? "also backwards"
done
for count in 1 30 41 70; do
	events --store "$scratch/blocks" -o csv -n $count
	numbers | cmp -s - <(tail -n $count "$scratch/all")
	ok $? "-n $count gives the last of them"
done

# --- cursors in a ledger whose oldest events are overwritten ---
for second in $(seq 80); do
	printf 'fork pid=%d ppid=1 t=%d000\nexit pid=%d ppid=1 arg0=0 arg1=17\nseal\n' $((100 + second)) "$second" $((100 + second))
done | "$BUILD/tests/tell" "$scratch/wrapped"
"$P" events --store "$scratch/wrapped" --strict -o jsonl --output-fields event_no --cursor-file "$scratch/wrapped-cursor" >"$scratch/out" 2>&1
is $? 4 "what was overwritten is missing"
oldest=$(sed -n '1s/[^0-9]//gp' "$scratch/out")
"$P" events --store "$scratch/wrapped" --strict -o json --after-cursor "$(sed 's/-.*//' "$scratch/wrapped-cursor")-100" >"$scratch/out" 2>&1
is $? 0 "but not behind a cursor that is newer"
grep -q '"complete":true' "$scratch/out"
ok $? "whose answer is complete"
"$P" events --store "$scratch/wrapped" --strict --after-cursor "$(sed 's/-.*//' "$scratch/wrapped-cursor")-$((oldest - 4))" >/dev/null 2>"$scratch/err"
is "$? $(sed 's/ before.*//' "$scratch/err")" "4 -- incomplete: 3 older events overwritten" "and behind an older one as many as are between"

# --- live ---
if [ "$(id -u)" -ne 0 ]; then
	note "not root: no recorder of the live kernel"
	done_testing
fi
store=$scratch/live
record() {
	"$BUILD/procledgerd" --store "$store" --ring-size 4M 2>>"$scratch/log" &
	recorder=$!
	for _ in $(seq 100); do
		grep -q recording "$scratch/log" 2>/dev/null && "$P" status --store "$store" 2>/dev/null | grep -q 'recorder *running' && return
		sleep 0.05
	done
}
record
if ! kill -0 $recorder 2>/dev/null || grep -q 'no events' "$scratch/log"; then
	note "the kernel gives no events here"
	done_testing
fi
wait_for() { # FILE TEXT  At most 5 s.
	for _ in $(seq 250); do
		grep -q -- "$2" "$1" && return 0
		sleep 0.02
	done
	return 1
}
"$P" events --store "$store" -f -n 0 -o cat --comm procledger-one >"$scratch/by-name" 2>/dev/null &
named=$!
"$P" events --store "$store" -f -o jsonl --output-fields event_no,kind,comm --cursor-file "$scratch/live-cursor" >"$scratch/live-out" 2>"$scratch/live-err" &
follower=$!
sleep 0.3
bash -c 'printf procledger-one >/proc/$$/comm; true; sleep 0.01; true'
wait_for "$scratch/live-out" procledger-one
ok $? "-f shows what happens now, before it is sealed"
wait_for "$scratch/by-name" 'exit'
ok $? "-f follows lives by name to their end"
! grep -q '^fork *[0-9]*  of 1$' "$scratch/by-name"
ok $? "and no others"
kill $recorder
wait $recorder 2>/dev/null
: >"$scratch/log"
record
bash -c 'printf procledger-two >/proc/$$/comm; true; sleep 0.01; true'
wait_for "$scratch/live-out" procledger-two
ok $? "-f goes on when the recorder was restarted"
kill -INT $follower
wait $follower
is $? 0 "a signal ends it in order"
last=$(grep -o '"event_no":[0-9]*' "$scratch/live-out" | tail -n 1 | cut -d: -f2)
is "$(sed 's/.*-//' "$scratch/live-cursor")" "$last" "and the cursor file has the last event shown"
is "$(grep -o '"event_no":[0-9]*' "$scratch/live-out" | sort | uniq -d | wc -l)" 0 "no event was shown twice"
kill $named $recorder
wait 2>/dev/null
done_testing
