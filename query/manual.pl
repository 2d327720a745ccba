#!/usr/bin/perl
# manual.pl PROCLEDGER FILE  The manual page FILE with the options that the tool's --help tells put in, so that they stand in one place.
#
# A line @OPTIONS FROM TO@: the common options from --FROM to --TO, in the order of --help.  @OPTIONS COMMAND@: what this command alone has.
# @FORMATS COMMAND@: what its help says behind "FORMAT".
use strict;
use warnings;

my ($tool, $path) = @ARGV;

sub help {
	open my $in, '-|', $tool, @_, '--help' or die "$tool: $!\n";
	local $/;
	return scalar <$in>;
}

# [name, whole left side, text] of each option, in order.
sub options {
	return map { /^  ((?:-., |    )--([a-z-]+)\S*(?: \S+)?) +(\S.*)$/ ? [$2, $1, $3] : () } split /\n/, shift;
}

sub mdoc {
	my ($left, $text) = @{$_[0]}[1, 2];
	my ($letter, $name, $rest) = $left =~ /^(?:-(.), |    )--([a-z-]+)(.*)$/ or die "$left\n";
	my $argument = $rest =~ /^\[=(.*)\]$/ ? " Ns Op = Ns Ar \L$1" : $rest =~ /^ (.*)/ ? " Ar \L$1" : '';
	my $short = defined $letter ? "Fl $letter , " : '';
	for my $word ($rest =~ /[A-Z]+/g) {
		$text =~ s/\b$word\b/\L$word/g;
	}
	$text =~ s/\\/\\e/g;
	$text = ucfirst $text unless $text =~ /^\S+,/; # a list of words that are to be typed
	$text =~ s/^(?=[.'])/\\&/;
	return ".It ${short}Fl \\-$name$argument\n$text.\n";
}

my $common = help();
my @all = options($common);
my %own;
for my $command ($common =~ /^  ([a-z]+) +\S/mg) {
	$own{$command} = [options(help($command))];
}

open my $in, '<', $path or die "$path: $!\n";
my (%told, @lines);
while (<$in>) {
	if (/^\@OPTIONS ([a-z-]+) ([a-z-]+)\@$/) {
		my ($from, $to) = ($1, $2);
		my ($first) = grep { $all[$_][0] eq $from } 0 .. $#all;
		my ($last) = grep { $all[$_][0] eq $to && $_ >= ($first // @all) } 0 .. $#all;
		die "$path: no options from $from to $to\n" unless defined $last;
		my @some = @all[$first .. $last];
		$told{$_->[1]} = 1 for @some;
		push @lines, map { mdoc($_) } @some;
	} else {
		push @lines, $_;
	}
}
for (@lines) {
	s/^\@OPTIONS ([a-z]+)\@\n/join '', map { mdoc($_) } grep { !$told{$_->[1]} } @{$own{$1} or die "no command $1\n"}/e;
	print;
}
