#!/usr/bin/perl
# A fleet comes as it was asked to, tells what it saw in ticks, and cuts its story where it is marked:
# a generation counts only those who began after it did.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use List::Util qw(max min sum0);
use Test::More;
use Worker qw(@libraries shop serve nobody peer);

my $at = '2031-05-05T12:00:00Z';
my $shop = shop($at);
my $target = serve($shop);
my %good = (connect => $target->{address}, name => 'shop.test', trust => $shop->{trust}, at => $at);

my @held;
my $silent = peer(sub ($socket) { push @held, $socket });

sub count ($tick) { return sum0(map { $_->{count} } values %{$tick->{outcomes}}) }

# The outcomes in some ticks.
sub endings (@ticks) { return [sort(keys %{{map { %{$_->{outcomes}} } @ticks}})] }

# Ticks of one generation until it has counted so many; all of them.
sub ticks ($worker, $fleet, $generation, $wanted) {
    my @ticks;
    until (sum0(map { count($_) } @ticks) >= $wanted) {
        my $tick = $worker->tick($fleet);
        push @ticks, $tick if $tick->{generation} == $generation;
    }
    return @ticks;
}

for my $library (@libraries) {
    my $worker = Worker->start($library);
    my $fleet = $worker->ask('fleet', %good, rate => '100/s', tick => '20ms', samples => 2);
    is($worker->answer($fleet)->{started}, JSON::PP::true, "$library: a fleet starts");

    # Arrivals by the clock.
    my @ticks = ticks($worker, $fleet, 0, 50);
    my $seconds = $ticks[-1]{to} - $ticks[0]{from};
    my $begun = sum0(map { count($_) } @ticks) + $ticks[-1]{in_flight};
    cmp_ok($begun, '<=', $seconds * 100 + 2, "  $begun in $seconds s: never more than asked for");
    cmp_ok($begun + sum0(map { $_->{skipped} } @ticks), '>=', $seconds * 50, '  nor much less');
    is_deeply(endings(@ticks), ['ok'], '  all let in');

    my ($some) = grep { count($_) } @ticks;
    is_deeply([keys %{$some->{serials}}], [$shop->{serial}], '  by the certificate that is served');
    my $ok = $some->{outcomes}{ok};
    cmp_ok($ok->{first}, '<=', $ok->{last}, '  first and last in order');
    cmp_ok($ok->{last}, '<=', $some->{to}, '  and in the past');
    my $latency = $some->{latency_us};
    is($latency->{count}, count($some), '  a latency for each');
    is(sum0(map { $_->[1] } @{$latency->{buckets}}), $latency->{count}, '  in a bucket');
    cmp_ok($latency->{min}, '<=', $latency->{buckets}[0][0], '  that holds it');
    cmp_ok($latency->{max}, '<=', $latency->{buckets}[-1][0], '  to the last');
    is_deeply($some->{samples}, [], '  and no sample of success');
    is_deeply([map { $_->{tick} } @ticks], [$ticks[0]{tick} .. $ticks[-1]{tick}], '  no tick is lost');

    # Another calendar: nothing of before is counted.
    my $set = $worker->request('set', fleet => $fleet, skew => '200d');
    is($set->{generation}, 1, "$library: set begins a generation");
    @ticks = ticks($worker, $fleet, 1, 10);
    is_deeply(endings(@ticks), ['expired'],
              '  in which everyone is refused');
    my @samples = map { @{$_->{samples}} } @ticks;
    is(scalar @samples, 2, '  with the samples asked for, and no more');
    is($samples[0]{outcome}, 'expired', '  which are whole records');
    is_deeply($samples[0]{chain}, $shop->{serials}, '  with the chain');

    is($worker->request('mark', fleet => $fleet)->{generation}, 2, "$library: mark begins another");
    is(scalar(map { @{$_->{samples}} } ticks($worker, $fleet, 2, 5)), 2, '  with samples of its own');

    is($worker->request('set', fleet => $fleet, skew => undef)->{generation}, 3,
       "$library: and back again");
    @ticks = ticks($worker, $fleet, 3, 5);
    is_deeply(endings(@ticks), ['ok'], '  all are let in');

    my $stop = $worker->request('stop', fleet => $fleet);
    is($stop->{stopped}, JSON::PP::true, "$library: it stops");
    is($worker->{kept}[-1]{id} == $fleet ? $worker->{kept}[-1]{in_flight} : 0, 0,
       '  when the last has gone');

    # So many at once, and no more.
    my $closed = $worker->ask('fleet', %good, at_once => 7, tick => '10ms');
    @ticks = ticks($worker, $closed, 0, 30);
    cmp_ok(max(map { $_->{in_flight} } @ticks), '<=', 7, "$library: seven at once, never more");
    cmp_ok(max(map { $_->{in_flight} } @ticks), '>=', 1, '  but some');
    $worker->request('stop', fleet => $closed);
    is($worker->end, 0, "$library: the worker ends well");
}

my $worker = Worker->start('openssl');

# Two fleets in one process do not mix, nor do their calendars.
my $now = $worker->ask('fleet', %good, rate => '50/s');
my $then = $worker->ask('fleet', %good, rate => '50/s', skew => '-10d');
is_deeply(endings(ticks($worker, $now, 0, 10)), ['ok'], 'one fleet is in');
is_deeply(endings(ticks($worker, $then, 0, 10)), ['not-yet-valid'],
          'and another, elsewhen, is not');
$worker->request('stop', fleet => $_) for $now, $then;

# Poisson: uneven gaps.
my $poisson = $worker->ask('fleet', %good, rate => '400/s', poisson => JSON::PP::true, seed => 7,
                           tick => '10ms');
my %counts = map { count($_) => 1 } ticks($worker, $poisson, 0, 120);
cmp_ok(scalar keys %counts, '>=', 4, 'Poisson arrivals are uneven');
$worker->request('stop', fleet => $poisson);

# The gaps are the seed's: after the first arrival 32 ms for one seed, and four seconds for another.
my ($hasty, $slow) = map { $worker->ask('fleet', %good, rate => '1/s', poisson => JSON::PP::true, seed => $_,
                                        tick => '20ms') } 45, 48;
my $second = (ticks($worker, $hasty, 0, 2))[-1];
my @slow;
push @slow, $worker->tick($slow) until @slow && $slow[-1]{to} >= $second->{to};
is(sum0(map { count($_) } @slow) + $slow[-1]{in_flight}, 1, 'arrivals are drawn by the seed');
$worker->request('stop', fleet => $_) for $hasty, $slow;

# A worker that had no turn for a second: of those who should have come meanwhile one does, and the rest are told, all
# in one tick.  On a busy machine there are others who are late, never as many.
my $late = $worker->ask('fleet', %good, rate => '50/s', tick => '20ms');
ticks($worker, $late, 0, 1);
my $other = Worker->start('openssl');
my $elsewhere = $other->ask('fleet', %good, rate => '1/s', tick => '100ms');
kill STOP => $worker->{pid};
$other->tick($elsewhere) for 1 .. 10;
kill CONT => $worker->{pid};
my $caught_up = $worker->until(sub ($line) { ($line->{id} // -1) == $late && ($line->{skipped} // 0) >= 30 });
pass('who is late skips those who are late');
cmp_ok($caught_up->{behind}, '>=', 1, '  but one');
cmp_ok(count($caught_up) + $caught_up->{in_flight}, '<', $caught_up->{skipped}, '  and does not come all at once');
$worker->request('stop', fleet => $late);
$other->end;

# A peer that never answers: the fleet does not pile up, and says what it left out.
my $stuck = $worker->ask('fleet', %good, connect => $silent, rate => '500/s', max_in_flight => 20,
                         timeout => '60s');
my $skipped = $worker->until(sub ($line) { $line->{id} == $stuck && ($line->{skipped} // 0) > 0 });
is($skipped->{in_flight}, 20, 'at most so many are in flight');
cmp_ok($skipped->{skipped}, '>', 0, 'and those who did not fit are told');

# Nobody there: clients that come again do not spin.
my $refused = $worker->ask('fleet', %good, connect => nobody(), at_once => 2, tick => '50ms');
my @ticks = ticks($worker, $refused, 0, 10);
is_deeply([keys %{$ticks[-1]{outcomes}}], ['refused'], 'nobody there');
cmp_ok(sum0(map { count($_) } @ticks) / ($ticks[-1]{to} - $ticks[0]{from}), '<=', 2 * 110,
       'is asked again after a pause');

# The end of input is the end, with connections still open.
is($worker->end, 0, 'end of input ends all of it');

done_testing;
