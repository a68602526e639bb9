#!/usr/bin/perl
# The calendar's file is cut off under a play: rehearse ends with one line, and nobody is left.
use v5.36;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

my $state = "$DIR/state";
my $run = start('run', '--state', $state, long_scenario());

my $clock;
while (my $line = readline $run->{out}) {
    next unless $line =~ /^# inject/;
    ($clock) = glob "$state/*/clock";
    truncate $clock, 0 or die "$clock: $!";
}
my $err = do { local $/; readline $run->{err} };
waitpid $run->{pid}, 0;
is $?, 6 << 8, 'exit status 6';
is $err, "rehearse: $clock: has been cut off under this program; expected 4096 bytes\n", 'one line';
ok gone($state), 'nobody is left';
done_testing;
