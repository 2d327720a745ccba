#!/usr/bin/perl
# hostile.pl - names and arguments that mean harm, as a story for tests/tell (hostile.pl), and whether an answer gives them back:
#   hostile.pl json FIELD FILE ...  each row's FIELD, or FIELD_hex where it is there, are the raw bytes; printed in hex, one a line
#   hostile.pl csv FIELD FILE       likewise, with \xNN undone
#   hostile.pl raw FIELD            what they were
# It shares no code with procledger; JSON::PP is in perl itself.
use strict;
use warnings;
use JSON::PP;

my @names = map { my $b = $_; join '', map { chr(($b * 15 + $_) % 256 || 1) } 0 .. 14 } 0 .. 17;
push @names, "\e]0;owned\a", "\e[2J\e[1;1H", "\x9b31mred", "a\r\nb: forged", "\xe2\x80\xaegnp.exe", "\xf0\x9f\x92\xa9\xff\xc0\xaf",
  "=cmd|'/C'!A0", '","exe":"x', '<script>', "tab\there", "\xe2\x80\x8bzero", "%s%n%x", '$(reboot)', '`id`', "\\x1b[31m";
$_ = substr $_, 0, 15 for @names;
my @arguments = map { "$_" x 3 } @names;
push @arguments, join('', map { chr($_ % 255 + 1) } 0 .. 4095), "\e[31m" x 800, '', "--", "-n";

my $mode = shift // 'story';
if ($mode eq 'story') {
	my $escape = sub { join '', map { sprintf '\\x%02x', ord } split //, $_[0] };
	print "snapshot pid=1 ppid=0 comm=init argv=init ids=0\nsnapshot_end arg0=1\n";
	my $pid = 100;
	for my $i (0 .. $#arguments) {
		my $name = $names[$i % @names];
		print "fork pid=$pid ppid=1\n";
		printf "exec pid=%d comm=%s exe=%s argv=%s argv=%s cwd=%s cgroup=%s ids=0\n", $pid, map { $escape->($_) } $name,
		  "/$arguments[$i]", $arguments[$i], 'second', "/w/$name", "/system.slice/$name.service";
		printf "comm pid=%d comm=%s\n", $pid, $escape->($name);
		print "exit pid=$pid ppid=1 arg0=0 arg1=17\n" if $i % 2;
		$pid++;
	}
	exit 0;
}

sub show { print unpack('H*', $_[0]), "\n" }
my $field = shift;
if ($mode eq 'raw') {
	for my $i (0 .. $#arguments) {
		show($field eq 'comm' ? $names[$i % @names] : $field eq 'exe' ? "/$arguments[$i]" : "$arguments[$i]\0second\0");
	}
	exit 0;
}
my $text = do { local $/; <STDIN> };
if ($mode eq 'json') {
	for my $line (split /\n/, $text) {
		my $row = JSON::PP->new->utf8->decode($line);
		next if !defined $row->{pid} || $row->{pid} < 100;
		my $value = $row->{$field};
		next if !defined $value;
		if (defined $row->{"${field}_hex"}) { show(pack 'H*', $row->{"${field}_hex"}); next }
		$value = join '', map { "$_\0" } @$value if ref $value;
		utf8::encode($value);
		show($value);
	}
} else { # CSV of RFC 4180, by hand
	my (@rows, @row);
	while ($text =~ /\G(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|$)/g) {
		my ($quoted, $plain, $end) = ($1, $2, $3);
		$quoted =~ s/""/"/g if defined $quoted;
		push @row, defined $quoted ? $quoted : $plain;
		if ($end ne ',') { push @rows, [@row]; @row = (); last if pos($text) >= length $text }
	}
	my $head = shift @rows;
	my ($at) = grep { $head->[$_] eq $field } 0 .. $#$head;
	my ($pid) = grep { $head->[$_] eq 'pid' } 0 .. $#$head;
	for my $row (@rows) {
		die "a row of " . @$row . " fields\n" if @$row != @$head;
		next if $row->[$pid] eq '' || $row->[$pid] < 100 || $row->[$at] eq '';
		my $value = $row->[$at];
		$value =~ s/^'(?=[=+\-@])//;
		$value =~ s/\\(\\|x([0-9a-f]{2}))/defined $2 ? chr hex $2 : '\\'/ge;
		show($value);
	}
}
