#!/usr/bin/perl
# Every connection has its own now, in every library: the same server, seen at the same moment by
# clients of one process, is expired, not yet valid, and fine.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use Target qw(dir run);
use Test::More;
use Worker qw(@libraries shop serve);

my $build = $ENV{BUILD} // 'build';
my $issued = 1_900_000_000;    # no real clock has any part in this
my $day = 86_400;
my $shop = shop("\@$issued");
my $target = serve($shop);
my %to = (connect => $target->{address}, name => 'shop.test', trust => $shop->{trust});

sub at ($days) { return '@' . ($issued + $days * $day) }

for my $library (@libraries) {
    my $worker = Worker->start($library);

    my %now = (ok => 1, expired => 100, 'not-yet-valid' => -10);
    my %id = map { $_ => $worker->ask('probe', %to, at => at($now{$_})) } sort keys %now;
    for my $outcome (sort keys %now) {
        my $said = $worker->answer($id{$outcome});
        is($said->{outcome}, $outcome, "$library: at $now{$outcome} d the same server is $outcome");
        is($said->{now}, $issued + $now{$outcome} * $day, '  judged by the second that was asked for');
        is_deeply($said->{chain}, $shop->{serials}, '  by the chain that was served');
        is($said->{depth}, $outcome eq 'ok' ? undef : 0, '  with the leaf to blame') ;
    }

    my $slow = $worker->probe(%to, at => at(1), skew => '-10d');
    is($slow->{outcome}, 'not-yet-valid', "$library: a client whose clock is ten days slow");
    is($slow->{now}, $issued - 9 * $day, '  and its own now');
    cmp_ok(abs($worker->probe(%to)->{now} - time), '<', 30, "$library: else by the real clock");

    # A shared clock, moved while the worker runs.
    my $clock = dir() . "/clock.$library";
    run("$build/fakeclock", 'new', $clock);
    run("$build/fakeclock", 'set', $clock, at(1));
    is($worker->probe(%to, clock => $clock)->{outcome}, 'ok', "$library: by a clock page");
    run("$build/fakeclock", 'set', $clock, at(100));
    is($worker->probe(%to, clock => $clock)->{outcome}, 'expired', '  that is set ahead');
    is($worker->probe(%to, clock => $clock, skew => '-50d')->{outcome}, 'ok',
       '  and a client that has not heard of it');
    is($worker->end, 0, "$library: the worker ends well");

    # The same clock, whose file somebody cuts off under a fleet.
    my $cut = Worker->start($library, 'sh', '-c', "exec \"\$@\" 2>$clock.said", 'sh');
    my $fleet = $cut->ask('fleet', %to, clock => $clock, rate => '100/s', tick => '10ms');
    ok($cut->tick($fleet), "$library: a fleet by the same clock");
    truncate $clock, 0 or die "$clock: $!";
    1 while defined $cut->line;
    is($cut->end, 6, '  which is cut off: exit status 6');
    open my $said, '<', "$clock.said" or die "$clock.said: $!";
    is(do { local $/; readline $said },
        "client-$library: $clock: has been cut off under this program; expected 4096 bytes\n", '  and one line');
}

done_testing;
