#!/usr/bin/perl
# The years that are to pass in a minute: every rotation is done, and nobody was ever served anything expired.  How long
# they took is told and not judged: tests/bench/years.pl measures it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../testbed";
use Rehearse;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'takes minutes; REHEARSE_LONG=1 runs it' if !$ENV{REHEARSE_LONG};

for my $who (qw(caddy lego)) {
    my $began = time;
    my ($status, $out, $err) = rehearse('run', "scenarios/calendar/year-$who.lua");
    is $status, 0, "a year of $who" or diag $out, $err;
    my ($rotations, $left) = $out =~ /^  rotations: (\d+)\n  least_left: "([^"]*)"/m;
    cmp_ok $rotations, '>=', 11, '  with every rotation';
    unlike $out, qr/expired x|ran_out/, '  and nothing expired';
    note sprintf '  in %.1f s, and the least that was left were %s', time - $began, $left;
}

done_testing;
