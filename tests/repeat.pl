#!/usr/bin/perl
# repeat.pl FILE TIMES  A capture TIMES over as one stream, its clock and its numbers per CPU going on as a machine's would.
use strict;
use warnings;

my ($path, $times) = @ARGV;
my $stream = do { local $/; open my $f, '<:raw', $path or die "$path: $!\n"; <$f> };
my @events = unpack '(a76)*', $stream; # datagrams of 76 bytes, as every kernel from 3.2 to 6.18 sends them
my (%seq_first, %seq_count, @at);
my ($ns_first, $ns_last);

for my $event (@events) {
	my ($seq, $cpu, $ns) = unpack 'x24 L x12 L Q', $event;
	$seq_first{$cpu} //= $seq;
	$seq_count{$cpu} = $seq - $seq_first{$cpu} + 1;
	$ns_first = $ns if !defined $ns_first || $ns < $ns_first;
	$ns_last = $ns if !defined $ns_last || $ns > $ns_last;
	push @at, [$seq, $cpu, $ns];
}
binmode STDOUT;
for my $lap (0 .. $times - 1) {
	my $out = $stream;
	my $later_ns = $lap * ($ns_last - $ns_first + 1_000_000);
	for my $i (0 .. $#at) {
		my ($seq, $cpu, $ns) = @{$at[$i]};
		my $number = pack 'L', ($seq + $lap * $seq_count{$cpu}) & 0xffffffff;
		substr($out, $i * 76 + 8, 4) = $number;
		substr($out, $i * 76 + 24, 4) = $number;
		substr($out, $i * 76 + 44, 8) = pack 'Q', $ns + $later_ns;
	}
	print $out;
}
