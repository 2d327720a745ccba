#!/bin/bash
# bench_follow.sh [TIMES]  How long after a program is run `procledger events -f` shows it, on this machine as it is: median, 95 %, worst
# of TIMES (40), and what following costs while nothing happens.  Needs root.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build/plain}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/procledger.bench.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$scratch"' EXIT
export PROCLEDGER_STORE=$scratch/store

"$BUILD/procledgerd" --ring-size 64M 2>"$scratch/log" &
sleep 2
perl - "$BUILD/procledger" "${1:-40}" <<'E2'
use strict;
use warnings;
use Time::HiRes qw(time sleep);
my ($tool, $times) = @ARGV;
my $pid = open my $lines, '-|', $tool, 'events', '-f', '--kind', 'exec', '-o', 'cat' or die "$tool: $!\n";
sleep 1;
my @ms;
for my $n (1 .. $times) {
	my $mark = "follow-mark-$$-$n";
	my $from = time;
	system '/bin/true', $mark;
	while (defined(my $line = <$lines>)) {
		last if index($line, $mark) >= 0;
	}
	push @ms, (time - $from) * 1e3;
	sleep 0.05 + 0.013 * ($n % 7);
}
@ms = sort { $a <=> $b } @ms;
sub cpu_s { open my $in, '<', "/proc/$pid/schedstat" or die; return (split ' ', <$in>)[0] / 1e9 }
my $before = cpu_s();
sleep 5;
printf "events -f shows a program %.0f ms after it was run (median; 95 %%: %.0f, worst of %d: %.0f); idle it takes %.1f ms of CPU a second\n",
	$ms[$#ms / 2], $ms[0.95 * $#ms], scalar @ms, $ms[-1], (cpu_s() - $before) / 5 * 1e3;
kill 'TERM', $pid;
E2
