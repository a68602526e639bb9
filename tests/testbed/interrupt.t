#!/usr/bin/perl
# Ctrl-C tears everything down, prints what was seen so far, and exits.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

my $play = long_scenario();

for my $signal (['INT', 130], ['TERM', 143], ['HUP', 129]) {
    my ($name, $status) = @$signal;
    my $state = "$DIR/state-$name";
    my $run = start('run', '--state', $state, $play);
    my $out = '';
    while (my $line = readline $run->{out}) {
        $out .= $line;
        kill $name, $run->{pid} if $line =~ /^# inject/;
    }
    my $err = do { local $/; readline $run->{err} };
    waitpid $run->{pid}, 0;
    is $? >> 8, $status, "SIG$name: the exit status says so";
    like $out, qr/^ok 1 - steady/m, 'what was seen is told';
    like $out, qr/^ok 2 - .* # SKIP interrupted$/m, 'what was not is skipped';
    like $out, qr/^Bail out! interrupted$/m, 'nobody takes it for a pass';
    like $out, qr/^1\.\.3$/m, 'the plan is whole';
    like $err, qr/interrupted; tearing down/, 'people are told';
    ok gone($state), 'nobody is left';
}

my $run = start('run', '--state', "$DIR/twice", $play);
while (my $line = readline $run->{out}) {
    next unless $line =~ /^# inject/;
    kill 'INT', $run->{pid};
    readline $run->{err}; # it has heard the first
    kill 'INT', $run->{pid};
}
waitpid $run->{pid}, 0;
is $? >> 8, 130, 'asked twice it ends at once';
ok gone("$DIR/twice"), 'and still nobody is left';

done_testing;
