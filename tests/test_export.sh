#!/bin/bash
# test_export.sh - what procledger export gives to other tools gives the events back, and says what it does not carry.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
export TZ=UTC
unset PROCLEDGER_STORE
command -v xz >/dev/null || skip_all "xz is not installed"

# import NAME  A capture as a store: $scratch/NAME, and its stream beside it.
import() {
	xz -dc "tests/data/$1.nl.xz" >"${scratch:?}/$1.nl"
	"$BUILD/procledgerd" --store "$scratch/$1" --ring-size 8M --input "$scratch/$1.nl" 2>"$scratch/log"
	ok $? "$1 is imported"
}

# ask NAME ARGUMENT...  stdout in $scratch/out, stderr in $scratch/err.
ask() {
	local store=$scratch/$1
	shift
	"$P" --store "$store" "$@" >"$scratch/out" 2>"$scratch/err"
}

same() {
	cmp -s "$1" "$2"
	ok $? "$3"
}


# --- datagrams: every capture comes out as it went in ---
for packed in tests/data/*.nl.xz; do
	name=${packed##*/}
	name=${name%.nl.xz}
	import "$name"
	ask "$name" export -b all -o netlink
	same "$scratch/out" "$scratch/$name.nl" "$name: its netlink export is the capture byte for byte"
done
grep -q '^-- 2 events of the recorder.s own are not in this format$' "$scratch/err"
ok $? "what it does not carry is told"
cp "$scratch/out" "$scratch/zoo.nl"
ask zoo export --kind fork -o netlink
perl -0777 -ne 'for (my $at = 0; $at < length; $at += 76) { print substr $_, $at, 76 if unpack("L", substr $_, $at + 36, 4) == 1 }' \
	<"$scratch/zoo.nl" >"$scratch/forks"
same "$scratch/out" "$scratch/forks" "a selection of kinds is those datagrams"

# --- rows ---
ask zoo events -o jsonl
head -n -1 "$scratch/out" >"$scratch/events.jsonl"
ask zoo export
same "$scratch/out" "$scratch/events.jsonl" "jsonl is what events writes, without its last word"
cp "$scratch/out" "$scratch/export.jsonl"
ask zoo export -o csv
cp "$scratch/out" "$scratch/export.csv"
if command -v python3 >/dev/null; then
	python3 - "$scratch" <<-'PYTHON' >"$scratch/differ"
	import csv, json, re, sys
	folder = sys.argv[1]
	plain = lambda text: re.sub(rb'\\(\\|x..)', lambda m: b'\\' if m[1] == b'\\' else bytes([int(m[1][1:], 16)]), text.encode())
	lines = [json.loads(line) for line in open(folder + '/export.jsonl')]
	table = list(csv.DictReader(open(folder + '/export.csv', newline='')))
	print(len(lines) - len(table))
	for line, row in zip(lines, table):
	    for name, cell in row.items():
	        value = line[name]
	        if value is None: wanted = b''
	        elif name + '_hex' in line: wanted = bytes.fromhex(line[name + '_hex'])
	        else: wanted = str(value).encode()
	        got = plain(cell[1:] if cell[:1] == "'" else cell)
	        if got != wanted: print(line['event_no'], name, got, wanted)
	PYTHON
	is "$(cat "$scratch/differ")" 0 "a CSV reader and a JSON reader find the same values in every cell"
fi
perl -ne '/"kind":"(\w+)"/ and $n{$1}++; END { print join " ", map { "$_=$n{$_}" } sort keys %n }' <"$scratch/export.jsonl" >"$scratch/kinds"
sqlite3 "$scratch/zoo/index.db" "SELECT group_concat(kind || '=' || n, ' ') FROM (SELECT kind, count(*) AS n FROM event GROUP BY kind ORDER BY kind)" | tr -d '\n' >"$scratch/wanted"
same "$scratch/kinds" "$scratch/wanted" "it has as many of each kind as the index"

# --- a slice as a store ---
ask build-gzip export -o ring "$scratch/whole"
ok $? "a store is made of a whole ledger"
"$P" --store "$scratch/whole" events -o jsonl >"$scratch/got" 2>/dev/null
ask build-gzip events -o jsonl
same "$scratch/got" "$scratch/out" "its events are the same, program, numbers and all"
from=$(sqlite3 "$scratch/build-gzip/index.db" 'SELECT ts_min_ns + (max(ts_max_ns) - min(ts_min_ns)) / 2 FROM block')
window=(-S "@mono:$from" -U "@mono:$((from + 200000000))")
ask build-gzip export -o ring "$scratch/slice" "${window[@]}"
ok $? "and of a window"
for command in tree comm events; do
	"$P" --store "$scratch/slice" $command "${window[@]}" -o csv >"$scratch/got" 2>/dev/null
	ask build-gzip $command "${window[@]}" -o csv
	same "$scratch/got" "$scratch/out" "$command of that window is the same from it"
done
"$P" --store "$scratch/slice" reindex >/dev/null 2>&1 && "$P" --store "$scratch/slice" sql 'SELECT count(*) FROM event' >/dev/null 2>&1
ok $? "it can be given an index"
"$BUILD/procledgerd" --store "$scratch/slice" --input "$scratch/zoo.nl" 2>"$scratch/log"
is "$? $(grep -c 'slice' "$scratch/log")" '6 1' "nothing is recorded into it"
ask zoo export -o ring "$scratch/slice"
is "$? $(grep -c 'there is a ledger' "$scratch/err")" '3 1' "a ledger that is there is left alone"

# --- wrong usage ---
ask zoo export -o xml
is "$? $(wc -l <"$scratch/err")" '2 1' "an unknown format is refused in one sentence"
ask zoo export -o ring
is $? 2 "ring wants a folder"
ask zoo export folder
is $? 2 "the others want none"
ask zoo export -o csv -S @mono:1 -U @mono:2
is "$? $(wc -l <"$scratch/out")" '1 1' "of nothing the head of the table is left, and exit status 1"
"$P" --store "$scratch/build-gzip" export 2>"$scratch/err" | head -n 1 >/dev/null
is "${PIPESTATUS[0]}" 0 "a reader that has enough is no error"
done_testing
