#!/usr/bin/perl
# The years that are to pass in a minute: three times each, with every rotation, and in time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../testbed";
use Rehearse;
use Test::More;
use Time::HiRes qw(time);

$ENV{REHEARSE_SLACK} //= 4;

plan skip_all => 'takes five minutes; REHEARSE_LONG=1 runs it' if !$ENV{REHEARSE_LONG};

my %seconds = (caddy => 90, lego => 45); # of real time, on two cores of its own
my $busy = 2;                            # others may be there

for my $who (sort keys %seconds) {
    for my $run (1 .. 3) {
        my $began = time;
        my ($status, $out, $err) = rehearse('run', "scenarios/calendar/year-$who.lua");
        my $took = time - $began;
        is $status, 0, "a year of $who, run $run" or diag $out, $err;
        my ($left) = $out =~ /^  least_left: "([^"]*)"/m;
        cmp_ok $took, '<', $seconds{$who} * $busy,
            sprintf '  passed in %.1f s, and the least that was left were %s', $took, $left // '?';
    }
}

done_testing;
