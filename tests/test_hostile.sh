#!/bin/bash
# test_hostile.sh - names and arguments that mean harm: no control byte reaches a terminal, JSON and CSV parse and give the bytes back.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
export PROCLEDGER_STORE=${scratch:?}/store LC_ALL=C
perl -MJSON::PP -e 1 2>/dev/null || skip_all "perl has no JSON::PP"
perl tests/hostile.pl >"$scratch/story"
"$BUILD/tests/tell" "$PROCLEDGER_STORE" <"$scratch/story"
ok $? "the hostile are recorded"
life=$("$P" ps -o jsonl -q 2>/dev/null | sed -n '10s/.*"id":\([0-9]*\).*/\1/p')

# Nothing but printable characters and line ends: no C0, DEL, C1, no broken UTF-8, nothing that hides or turns text.
fit() {
	perl -CS -ne 'BEGIN { binmode STDIN, ":raw" } utf8::decode(my $line = $_) or die "broken"; $line =~ s/\r?\n\z//; die if $line =~ /[\x00-\x1f\x7f-\x9f\x{ad}\x{61c}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}]/' \
		<"$1" 2>/dev/null
}
answers=0
unfit=0
check() { # ARGUMENT...
	"$P" "$@" >"$scratch/out" 2>"$scratch/err"
	[ $? -le 1 ] || note "procledger $*: $(head -c 200 "$scratch/err")"
	[ -s "$scratch/out" ] && answers=$((answers + 1))
	fit "$scratch/out" && fit "$scratch/err" && return
	unfit=$((unfit + 1))
	note "unfit: procledger $*"
}
for format in text json jsonl csv; do
	for command in tree ps comm events "sql SELECT*FROM+process"; do
		read -r name query <<<"$command"
		check "$name" ${query:+"${query//+/ }"} -o $format
	done
done
for format in text json; do
	check show "id:$life" -o $format
done
for format in short short-iso verbose cat; do
	check events -o $format
done
check tree -a -c -t -u -A
check ps -f
check ps -o pid,comm,args,exe,cwd,cgroup,unit
check tree $'\x1b[31m*'
check ps --exe $'\xff\xfe'
check tree -S $'\x1b]0;x\a'
check "$(printf '\033[2Jcommand')"
check ps --unit $'\x9b31m'
is "$unfit" 0 "no answer and no complaint has a control byte, hidden or broken character"
[ $answers -ge 28 ]
ok $? "and they were answers ($answers)"

same() { # FIELD FORMAT COMMAND...
	local field=$1 format=$2
	shift 2
	perl tests/hostile.pl raw "$field" | sort >"$scratch/raw"
	"$P" "$@" -o "$format" 2>/dev/null | grep -v '^{"completeness"' | perl tests/hostile.pl "${format%l}" "$field" | sort >"$scratch/back"
	[ -s "$scratch/raw" ] && cmp -s "$scratch/raw" "$scratch/back"
	ok $? "$1 $field comes back byte for byte out of $format"
	diff "$scratch/raw" "$scratch/back" | head -n 4 | cut -c1-100 | sed 's/^/# /'
}
for field in comm exe argv; do
	same $field jsonl ps
done
for field in comm exe; do
	same $field csv ps
done
same comm jsonl tree
same exe jsonl events --kind exec
same argv jsonl events --kind exec

# the index too: any SQLite gives the bytes
sqlite3 "$PROCLEDGER_STORE/index.db" "SELECT lower(hex(comm)) FROM process WHERE pid >= 100" | sort >"$scratch/back"
perl tests/hostile.pl raw comm | sort | cmp -s - "$scratch/back"
ok $? "names in the index are the raw bytes"

# who is found by a name as it was written
missed=0
"$P" ps -o csv -q 2>/dev/null | tail -n +2 >"$scratch/rows"
while IFS= read -r name; do
	"$P" ps -q --comm "$name" >/dev/null 2>&1 || missed=$((missed + 1))
done < <("$P" ps -q -o pid,comm 2>/dev/null | tail -n +3 | sed 's/^ *[0-9]* //')
is "$missed" 0 "every name can be asked for as it is written"
done_testing
