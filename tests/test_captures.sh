#!/bin/bash
# Every capture, through procledgerd and out of its index, against a decoder that shares nothing with it.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

columns='timestamp_ns, cpu, kind, pid, tid, ppid, ptid, hex(comm), ruid, euid, rgid, egid, tracer_pid, tracer_tid,
	exit_code, exit_signal'
kernel_kinds="'none', 'fork', 'exec', 'uid', 'gid', 'sid', 'ptrace', 'comm', 'coredump', 'exit', 'unknown'"

# index_text STORE  What the index holds of the kernel's events, in the columns of decode.pl.
index_text() {
	sqlite3 -readonly -separator $'\t' "$1/index.db" \
		"SELECT $columns FROM event WHERE kind IN ($kernel_kinds) ORDER BY event_no"
}

# tables STORE  Every row of every table, but for the notes that the projector keeps of its own place.
tables() {
	sqlite3 -readonly "$1/index.db" .dump
}

# one STORE SQL
one() {
	sqlite3 -readonly "$1/index.db" "$2"
}

for packed in tests/data/*.nl.xz; do
	name=${packed##*/}
	name=${name%.nl.xz}
	raw=$scratch/$name.nl
	store=$scratch/$name
	mkdir "$store"
	xz -dc "$packed" >"$raw"
	tests/decode.pl "$raw" >"$scratch/$name.wanted"

	"$BUILD/procledgerd" --store "$store" --ring-size 16M --input "$raw" 2>"$store/log"
	ok $? "$name: is recorded" || sed 's/^/# /' "$store/log"
	index_text "$store" >"$scratch/$name.got"
	cmp -s "$scratch/$name.wanted" "$scratch/$name.got"
	ok $? "$name: all $(wc -l <"$scratch/$name.wanted") events come out as the kernel sent them"
	diff "$scratch/$name.wanted" "$scratch/$name.got" | head -n 6 | sed 's/^/# /'

	tables "$store" >"$scratch/live.sql"
	rm -f "$store"/index.db*
	"$BUILD/procledger" --store "$store" reindex >"$store/log" 2>&1
	ok $? "$name: is indexed anew" || sed 's/^/# /' "$store/log"
	tables "$store" >"$scratch/rebuilt.sql"
	cmp -s "$scratch/live.sql" "$scratch/rebuilt.sql"
	ok $? "$name: the rebuilt index is the live one, row for row"
	diff "$scratch/live.sql" "$scratch/rebuilt.sql" | head -n 6 | sed 's/^/# /'

	one "$store" 'PRAGMA integrity_check' >"$store/log"
	is "$(cat "$store/log")" ok "$name: SQLite finds the index sound"
	is "$(one "$store" 'SELECT count(*) FROM coverage WHERE NOT complete')" 0 "$name: is complete"
	note "$name: ring $(one "$store" 'SELECT round(1.0 * sum(stored_bytes) / sum(event_count), 2) FROM block')" \
		"B/event, index $(one "$store" 'SELECT round(1.0 * page_count * page_size /
			(SELECT sum(event_count) FROM block), 1) FROM pragma_page_count, pragma_page_size') B/event"
done

# The comparison above must be able to fail: one bit changed behind procledgerd's back, in each field of each kind.
# mutated WHAT OFFSET  The zoo capture with a bit of the byte at OFFSET changed in its first datagram with this `what`.
mutated() {
	perl -0777 -e 'use strict; my $s = <STDIN>;
		for (my $at = 0; $at < length $s; $at += 76) {
			next if unpack("L", substr $s, $at + 36, 4) != $ARGV[0];
			substr($s, $at + $ARGV[1], 1) ^= "\1";
			last;
		}
		print $s' "$@" <"$scratch/zoo.nl"
}
unnoticed=''
for place in 1:36 1:40 1:44 1:51 1:52 1:56 1:60 1:64 2:52 2:56 4:60 4:64 64:60 64:64 128:52 256:60 256:64 512:60 512:61 \
	1073741824:60 1073741824:64 2147483648:60 2147483648:64 2147483648:68 2147483648:72; do
	mutated "${place%:*}" "${place#*:}" | tests/decode.pl | cmp -s - "$scratch/zoo.got" && unnoticed="$unnoticed $place"
done
is "$unnoticed" '' 'one changed bit in any field of the stream is noticed'

# Datagrams that the kernel numbered and that are not there: every hundredth of CPU 0, and three in a row of CPU 1.
perl -0777 -e 'use strict; my $s = <STDIN>; my %n;
	for (my $at = 0; $at < length $s; $at += 76) {
		my $cpu = unpack "L", substr $s, $at + 40, 4;
		my $n = ++$n{$cpu};
		print substr $s, $at, 76 unless $cpu == 0 ? $n % 100 == 50 && ++$n{cut} <= 20 : $n >= 500 && $n < 503;
	}' <"$scratch/storm-fork.nl" >"$scratch/holes.nl"
"$BUILD/procledgerd" --store "$scratch/holes" --ring-size 16M --input "$scratch/holes.nl" 2>"$scratch/log"
ok $? 'a stream with holes is recorded'
is "$(one "$scratch/holes" 'SELECT cpu, sum(events_lost), count(*) FROM coverage WHERE NOT complete GROUP BY cpu' | xargs)" \
	'0|20|20 1|3|1' 'its holes are told: 20 of one event on CPU 0, one of three on CPU 1'
index_text "$scratch/holes" >"$scratch/got"
tests/decode.pl "$scratch/holes.nl" | cmp -s - "$scratch/got"
ok $? 'everything else of it is there'

# A stream that ends in the middle of a datagram.
head -c 100000 "$scratch/storm-exec.nl" >"$scratch/cut.nl"
"$BUILD/procledgerd" --store "$scratch/cut" --ring-size 16M --input "$scratch/cut.nl" 2>"$scratch/log"
is $? 1 'a stream that ends within a datagram is not taken for a whole one'
index_text "$scratch/cut" >"$scratch/got"
head -c $((100000 / 76 * 76)) "$scratch/cut.nl" | tests/decode.pl | cmp -s - "$scratch/got"
ok $? 'what was whole of it is there'
done_testing
