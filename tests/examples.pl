#!/usr/bin/perl
# examples.pl DONE [--update] FILE...  Runs every example of README and manuals, and compares what comes with what stands there.
#
# An example is a line "$ procledger ..." in an indented block of Markdown or in a literal display of mdoc; its output are the lines behind it,
# to the next "$ ", an empty line or the end of the block.  procledger is asked of the store in $PROCLEDGER_STORE; errors count as output.
# --update writes what comes into the files instead.  Prints TAP, DONE tests being done before.
use strict;
use warnings;

my ($count, $failed) = (shift, 0);
my $update = @ARGV && $ARGV[0] eq '--update' && shift;

# mdoc's escapes for what would be its own.
sub plain {
	my ($line, $mdoc) = @_;
	return $line =~ s/^ {4}//r unless $mdoc;
	$line =~ s/^\\&//;
	return $line =~ s/\\(e|-)/$1 eq 'e' ? '\\' : '-'/ger;
}

sub written {
	my ($line, $mdoc) = @_;
	return $line eq '' ? '' : "    $line" unless $mdoc;
	$line =~ s/\\/\\e/g;
	return $line =~ s/^(?=[.'])/\\&/r;
}

sub answer {
	my $command = shift;
	open my $out, '-|', 'bash', '-c', "{ $command\n} 2>&1" or die "bash: $!\n";
	chomp(my @lines = <$out>);
	close $out;
	return map { s/ +$//r } @lines;
}

# In a file's lines from $at on: the lines of the output of the example at $at.
sub output_end {
	my ($lines, $at, $mdoc) = @_;
	my $end = $at + 1;
	while ($end < @$lines) {
		my $line = $lines->[$end];
		last if $line eq '' || $line =~ /^(    )?\$ / || ($mdoc ? $line =~ /^\.Ed/ : $line !~ /^    /);
		$end++;
	}
	return $end;
}

sub compare {
	my ($name, $command, $wanted, $got) = @_;
	my $same = join("\n", @$wanted) eq join("\n", @$got);
	$count++;
	$failed++ if !$same;
	print $same ? '' : 'not ', "ok $count - $name: $command\n";
	return if $same;
	print "# wanted: $_\n" for @$wanted;
	print "#    got: $_\n" for @$got;
}

for my $path (@ARGV) {
	open my $in, '<', $path or die "$path: $!\n";
	chomp(my @lines = <$in>);
	close $in;
	my $mdoc = $path =~ /\.[1-8]$/;
	my (@out, $literal);
	for (my $at = 0; $at < @lines;) {
		my $line = $lines[$at];
		$literal = $1 eq 'Bd' if $mdoc && $line =~ /^\.(Bd|Ed)/;
		push @out, $line;
		$at++;
		next unless ($mdoc ? $literal : $line =~ /^    /) && plain($line, $mdoc) =~ /^\$ (procledger .*)/;
		my $command = $1;
		my $end = output_end(\@lines, $at - 1, $mdoc);
		my @wanted = map { plain($_, $mdoc) } @lines[$at .. $end - 1];
		my @got = answer($command);
		compare($path, $command, \@wanted, \@got) unless $update;
		push @out, map { written($_, $mdoc) } $update ? @got : @wanted;
		$at = $end;
	}
	next unless $update;
	open my $file, '>', $path or die "$path: $!\n";
	print $file "$_\n" for @out;
	close $file or die "$path: $!\n";
}
print "1..$count\n" unless $update;
exit($failed ? 1 : 0);
