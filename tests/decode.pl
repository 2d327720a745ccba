#!/usr/bin/perl
# decode.pl [FILE]  Prints every event of a raw proc connector stream as one line of tab-separated columns:
#   timestamp_ns cpu kind pid tid ppid ptid comm ruid euid rgid egid tracer_pid tracer_tid exit_code exit_signal
# comm in hex; a column that the kind does not have is empty.  The tests hold procledger against this, so it shares nothing
# with it: it is written from include/uapi/linux/{netlink,connector,cn_proc}.h alone.
use strict;
use warnings;

my @columns = qw(timestamp_ns cpu kind pid tid ppid ptid comm ruid euid rgid egid tracer_pid tracer_tid
	exit_code exit_signal);

# What the kernel calls pid is the thread, what it calls tgid is the process.  For each `what`: its kind, how its payload is
# laid out, and the column that each of its numbers goes to.
my %kinds = (
	0x00000000 => ['none',     '',             ],
	0x00000001 => ['fork',     'L4',           qw(ptid ppid tid pid)],
	0x00000002 => ['exec',     'L2',           qw(tid pid)],
	0x00000004 => ['uid',      'L4',           qw(tid pid ruid euid)],
	0x00000040 => ['gid',      'L4',           qw(tid pid rgid egid)],
	0x00000080 => ['sid',      'L2',           qw(tid pid)],
	0x00000100 => ['ptrace',   'L4',           qw(tid pid tracer_tid tracer_pid)],
	0x00000200 => ['comm',     'L2 Z16',       qw(tid pid comm)],
	0x40000000 => ['coredump', 'L4',           qw(tid pid ptid ppid)],
	0x80000000 => ['exit',     'L2 L l L2',    qw(tid pid exit_code exit_signal ptid ppid)],
);

binmode STDIN;
binmode STDOUT;
my $stream = do { local $/; @ARGV ? do { open my $f, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n"; <$f> } : <STDIN> };

for (my $at = 0; $at < length $stream;) {
	my ($nlmsg_bytes) = unpack 'L', substr $stream, $at, 4;
	die "offset $at: a datagram of $nlmsg_bytes bytes\n"
		if $nlmsg_bytes < 52 || $at + $nlmsg_bytes > length $stream;
	my $event = substr $stream, $at + 36, $nlmsg_bytes - 36;
	my ($what, $cpu, $timestamp_ns) = unpack 'L L Q', $event;
	my ($kind, $layout, @names) = @{$kinds{$what} // ['unknown', '']};
	my %row;
	@row{@names} = unpack $layout, substr $event, 16 if @names;
	@row{qw(timestamp_ns cpu kind)} = ($timestamp_ns, $cpu, $kind);
	$row{comm} = uc unpack 'H*', $row{comm} if defined $row{comm};
	print join("\t", map { $_ // '' } @row{@columns}), "\n";
	$at += ($nlmsg_bytes + 3) & ~3;
}
