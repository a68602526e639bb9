#!/usr/bin/perl
# Time passes, in steps: timers fire that would have fired, what they set off is waited for, and what is not waited
# for, or not poked, shows that it had to be.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use IO::Select ();
use IPC::Open2 qw(open2);
use JSON::PP qw(decode_json);
use Runtime qw($build fakeclock fake build_c);
use Test::More;

my $dir = tempdir('step.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
my $patience = 120;
fake('new', $clock) or BAIL_OUT('no clock');
build_c('cc', $dir, 'ticker', 'ticker', '-static') or BAIL_OUT('no ticker');
build_c('cc', $dir, 'vforks', 'vforks') or BAIL_OUT('no vforks');

# A process on the clock, and what it has said lately.
sub start (@command) {
    my $pid = open2(my $from, my $to, "$build/fakeclock", 'run', $clock, '--', @command);
    return {pid => $pid, from => $from, to => $to, said => ''};
}

sub finish ($process) {
    kill 'KILL', $process->{pid};
    waitpid $process->{pid}, 0;
    return;
}

# What it has said until now, and nothing more is waited for.
sub said ($process) {
    while (IO::Select->new($process->{from})->can_read(0)) {
        sysread $process->{from}, $process->{said}, 4096, length $process->{said} or last;
    }
    my $said = $process->{said} =~ s/\n/ /gr;
    $process->{said} = '';
    return $said =~ s/ \z//r;
}

sub await_said ($process, $word) {
    while ($process->{said} !~ /^\Q$word\E$/m) {
        IO::Select->new($process->{from})->can_read($patience) or return 0;
        sysread $process->{from}, $process->{said}, 4096, length $process->{said} or return 0;
    }
    return said($process) || 1;
}

sub ticker (@arguments) {
    my $process = start("$dir/ticker", @arguments);
    await_said($process, 'ready') or BAIL_OUT('the ticker does not tick');
    return $process;
}

# All lines of `fakeclock step`, and its exit status.
sub steps (@arguments) {
    open my $from, '-|', "$build/fakeclock", 'step', $clock, @arguments or die $!;
    my @lines = map { decode_json($_) } <$from>;
    close $from;
    return ($? >> 8, @lines);
}

sub shown () { return decode_json(`'$build/fakeclock' show --json $clock`) }

# --- steps -----------------------------------------------------------------------------------------

my $hourly = ticker(3600);
my $before = shown()->{offset};
my ($status, @lines) = steps('--by', '1h', '--for', '5h', '--mono', '--tree', $hourly->{pid}, '--silence', '100ms');
is($status, 0, 'five hours pass');
is(scalar @lines, 5, '  in five steps');
is(said($hourly), 'tick 1 tick 2 tick 3 tick 4 tick 5', '  in which an hourly timer fires five times');
is(shown()->{offset} - $before, 5 * 3600, '  the calendar shows it');
is_deeply([map { $_->{moved} } @lines], [(3600) x 5], '  and so do the lines');
is_deeply([map { $_->{step} } @lines], [1 .. 5], '  which are numbered');
ok(!(grep { $_->{settled_ms} < 10 || $_->{poked} < 1 || !$_->{settled} } @lines),
    '  and tell how long it took, and who was poked');
ok(!(grep { $_->{long} } @lines), '  a tick is not much to do');

steps('--by', '1h', '--for', '2h', '--mono', '--watch', $hourly->{pid}, '--silence', '100ms');
is(said($hourly), '', 'one that is not poked does not look');
is(fake('poke', $hourly->{pid}), 1, 'poke');
is(await_said($hourly, 'tick 7'), 'tick 6 tick 7', '  and it looks');
steps('--by', '1h', '--tree', $hourly->{pid}, '--silence', '100ms');
is(said($hourly), '', 'where only the calendar moves no timer fires');
finish($hourly);

# --- what a step sets off ----------------------------------------------------------------------------

my $orders = ticker(3600, 4);
($status, @lines) = steps('--by', '1h', '--for', '4h', '--mono', '--tree', $orders->{pid});
is(said($orders), 'tick 1 tick 2 tick 3 tick 4 done', 'an order that a step sets off is waited for');
is_deeply([map { $_->{long} ? 1 : 0 } @lines], [0, 0, 0, 1], '  as long as it takes, and only then');
cmp_ok($lines[3]{settled_ms}, '>', 1300, '  and then for silence');
finish($orders);
my $hasty = ticker(3600, 1);
steps('--by', '1h', '--mono', '--tree', $hasty->{pid}, '--quiet', '10ms', '--silence', '11ms', '--soon', '0s');
is(said($hasty), 'tick 1', 'an impatient rule would have cut it off');
finish($hasty);

my $busy = start('sh', '-c', 'echo ready; while :; do :; done');
await_said($busy, 'ready');
my @patience = ('--quiet', '10ms', '--silence', '200ms', '--patience', '1s');
(undef, @lines) = steps('--by', '1h', '--for', '10h', '--tree', $busy->{pid}, @patience);
# how busy it can be changes with what others do here; after a step that was given up more is known
ok((grep { $_->{settled} } @lines), 'one that is busy always is at rest when it is as busy as ever');
finish($busy);

# --- checks --------------------------------------------------------------------------------------------

open my $file, '>', "$dir/count" or die $!;
close $file;
($status, @lines) = steps('--by', '1d', '--for', '3d', '--check', "echo x >>$dir/count; exit \$(wc -l <$dir/count)");
is_deeply([map { $_->{check} } @lines], [1, 2, 3], 'a check after each step');
is($status, 1, '  that fails shows in the exit status');

# --- orders --------------------------------------------------------------------------------------------

my $served = ticker(3600);
my @serve = ("$build/fakeclock", 'step', $clock, '--mono', '--serve');
my $stepper = open2(my $answers, my $asked, @serve, '--silence', '100ms');
$asked->autoflush;
is_deeply(decode_json(scalar <$answers>), {hello => 'fakeclock-step', protocol => 1}, 'it says hello');

sub order ($line) {
    print {$asked} "$line\n";
    return decode_json(scalar <$answers>);
}
is_deeply(order("tree $served->{pid}"), {ok => JSON::PP::true()}, 'a tree');
like(order("tree $served->{pid}")->{error}, qr/^process $served->{pid}: is waited for already$/, '  is known then');
my $answer = order('step 2h');
is($answer->{moved}, 7200, 'a step');
is(said($served), 'tick 1 tick 2', '  is a step');
is(scalar @{$answer->{done}}, 1, '  and tells what each tree has done');
is(order('rest')->{moved}, 0, 'a rest moves nothing');
finish($served);
is_deeply(order('step 1h')->{gone}, [$served->{pid}], 'one that has ended');
is_deeply(order('step 1h')->{gone}, [], '  is told of once');

for (["tree $served->{pid}", qr/^process $served->{pid}: there is none$/],
    ["leave $served->{pid}", qr/^process $served->{pid}: is not waited for$/],
    ['tree x', qr/^'x' is not a process/], ['step', qr/^'step' is no order; expected 'step DURATION'/],
    ['step 5', qr/unit/], ['step -1h', qr/^the monotonic clocks never go back/], ['"', qr/^'"' is no order/],
    ['step 290y', qr/beyond the calendar|less than 272 years/]) {
    my ($line, $error) = @$_;
    like(order($line)->{error} // '', $error, "'$line' is answered with an error");
}
close $asked;
waitpid $stepper, 0;
is($?, 0, 'end of input ends it');

# --- nobody stays traced -------------------------------------------------------------------------------

my $orphan = ticker(3600);
$stepper = open2($answers, $asked, @serve);
$asked->autoflush;
<$answers>;
order("tree $orphan->{pid}");
print {$asked} "step 1h\n";
await_said($orphan, 'tick 1');
kill 'KILL', $stepper;
waitpid $stepper, 0;
is(join('', grep { /TracerPid/ } do { open my $in, '<', "/proc/$orphan->{pid}/status" or die $!; <$in> }),
    "TracerPid:\t0\n", 'killed in a step, it leaves nobody traced');
steps('--by', '1h', '--mono', '--tree', $orphan->{pid}, '--silence', '100ms');
is(said($orphan), 'tick 2', '  and the next one goes on');
finish($orphan);

my $vforks = start("$dir/vforks");
await_said($vforks, 'vforks');
my $child;
do { ($child) = split ' ', `pgrep -P $vforks->{pid}` } until $child;
$stepper = open2($answers, $asked, @serve);
$asked->autoflush;
<$answers>;
order("tree $vforks->{pid}");
ok(order('step 1h')->{moved}, 'one that does not stop when it is poked');
syswrite $vforks->{to}, "\n";
ok(await_said($vforks, 'back'), '  goes on when it can');
is(order('step 1h')->{poked}, 0, '  and the steps do');
close $asked;
waitpid $stepper, 0;
finish($vforks);

# --- what moves and what does not ------------------------------------------------------------------------

sub clocks () {
    my $clocks = 'use Time::HiRes qw(clock_gettime); print clock_gettime(1), " ", time';
    my ($mono, $real) = split ' ', `'$build/fakeclock' run $clock -- perl -e '$clocks'`;
    return ($mono, $real);
}
for (['suspend', $clock, '8h'], ['advance', $clock, '8h'], ['advance', '--mono', $clock, '8h']) {
    my ($mono, $real) = clocks();
    is(fake(@$_), 1, "@$_[0 .. $#$_ - 2] 8h");
    my ($mono_after, $real_after) = clocks();
    is(int(($real_after - $real) / 3600), 8, '  the calendar moves');
    my $passes = grep { $_ eq '--mono' } @$_;
    is(int(($mono_after - $mono) / 3600), $passes ? 8 : 0, '  the monotonic clock ' . ($passes ? 'too' : 'does not'));
}
is(fake('set', '--mono', $clock, '+4000d'), 1, 'time passes up to a date');
is(int(shown()->{offset} / 86_400 + 0.5), 4000, '  which it is then');

# --- bad input -----------------------------------------------------------------------------------------

for ([['step', $clock], qr/--by: expected how far/], [['step', '--by', '1h'], qr/expected: fakeclock step FILE/],
    [['step', "$dir/none", '--by', '1h'], qr/none: cannot open the clock/],
    [['step', $clock, '--by', '2h', '--for', '1h'], qr/--for: expected at least one step/],
    [['step', $clock, '--serve', '--by', '1h'], qr/--serve takes its orders from stdin/],
    [['step', $clock, '--by', '1h', '--quiet', '1s'], qr/expected --quiet up to --silence/],
    [['suspend', $clock, '-8h'], qr/is not how long a machine was suspended/],
    [['advance', '--mono', $clock, '-8h'], qr/the monotonic clocks never go back/],
    [['set', '--mono', $clock, '2020-01-01'], qr/the monotonic clocks never go back/],
    [['step', $clock, '--by', '1h', '--tree', 'x'], qr/--tree: 'x' is not a process/],
    [['step', $clock, '--by', '1h', '--watch', '0'], qr/--watch: '0' is not a process/],
    [['poke', 'x'], qr/'x' is not a process/], [['poke'], qr/expected: fakeclock poke/]) {
    my ($arguments, $error) = @$_;
    my ($exit, $text) = fakeclock(@$arguments);
    ok($exit == 2 && $text =~ /\Afakeclock: [^\n]*$error[^\n]*\n\z/, "@$arguments: one line") or diag "$exit $text";
}
for (['poke', $orphan->{pid}], ['step', $clock, '--by', '1h', '--tree', $orphan->{pid}]) {
    my ($exit, $text) = fakeclock(@$_);
    ok($exit == 6 && $text =~ /\Afakeclock: process $orphan->{pid}: there is none\n\z/, "$_->[0]: one that has ended")
        or diag $text;
}
done_testing;
