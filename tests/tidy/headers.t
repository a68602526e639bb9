#!/usr/bin/perl
# A header opens with what it is for, and is guarded by its own name.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Basename qw(basename dirname);
use Tidy qw(files lines clean bites);
use Test::More;

sub openings () {
    return map {
        my ($name, @lines) = (basename($_), lines($_));
        ($lines[0] // '') =~ m{^/\* \Q$name\E -- \S} ? () : "$_: does not open with /* $name -- what it is for"
    } files(qr/\.h$/);
}

sub guards () {
    return map {
        my $full = uc($_) =~ s/\W/_/gr;    # a/b/c.h: A_B_C_H, or in short B_C_H
        my $short = uc(basename(dirname($_)) . '_' . basename($_)) =~ s/\W/_/gr;
        my @lines = grep { /^#/ } lines($_);
        my ($guard) = ($lines[0] // '') =~ /^#ifndef ($full|$short)$/;
        my $fits = defined $guard && ($lines[1] // '') eq "#define $guard" && $lines[-1] eq '#endif';
        $fits ? () : "$_: is not guarded by $short";
    } files(qr/\.h$/);
}

my $good = "/* flow.h -- what flows.\n */\n#ifndef TESTBED_FLOW_H\n#define TESTBED_FLOW_H\n\n#endif\n";
clean('every header opens with a comment on what it is for', \&openings);
bites('  one without is found', \&openings,
    {'testbed/flow.h' => $good, 'a/b.h' => "#pragma once\n", 'a/c.h' => "/* d.h -- not c */\n", 'a/e.h' => ''},
    map { "a/$_.h: does not open with /* $_.h -- what it is for" } qw(b c e));
clean('every header is guarded by folder and name', \&guards);
bites('  another guard is found', \&guards,
    {'testbed/flow.h' => $good, 'a/flow.h' => $good, 'a/two-words.h' => "#ifndef A_TWO_WORDS_H\n"},
    'a/flow.h: is not guarded by A_FLOW_H', 'a/two-words.h: is not guarded by A_TWO_WORDS_H');

done_testing;
