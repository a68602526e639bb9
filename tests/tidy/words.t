#!/usr/bin/perl
# What is left to do is not written into the tree.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Tidy qw(files lines clean bites);
use Test::More;

# Put together here, so that this file does not find itself.
my @words = map { join '', @$_ } ['TO', 'DO'], ['FIX', 'ME'], ['X', 'XX'], ['HA', 'CK'];
my $word = join '|', @words;

sub words () {
    my @findings;
    for my $path (files(qr/./)) {
        my $number = 0;
        for my $line (lines($path)) {
            $number++;
            push @findings, "$path:$number: $1" if $line =~ /\b($word)\b/;
        }
    }
    return @findings;
}

clean('no file puts off what is to be done', \&words);
bites('  one that does is found', \&words,
    {'a.c' => "/* $words[0]: later */\n", 'b.md' => "fine\n$words[1]\n", 'c.lua' => "-- $words[2]\n",
     'd.sh' => "mktemp -d $words[2]$words[2]\n", 'e' => "$words[3]!\n"},
    "a.c:1: $words[0]", "b.md:2: $words[1]", "c.lua:1: $words[2]", "e:1: $words[3]");

done_testing;
