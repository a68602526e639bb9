#!/usr/bin/perl
# Node.js that runs already, put on a clock: what of it follows the calendar, and what of it the monotonic clock, by
# itself or when it is poked.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use IO::Select ();
use Runtime qw(fake start finish);
use Test::More;

grep { -x "$_/node" } split /:/, $ENV{PATH} or plan skip_all => 'node is not installed';

my $dir = tempdir('node.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
fake('new', $clock) or BAIL_OUT('no clock');

# Answers a line with its calendar, its monotonic clock, and how many of each kind of wait for an hour are over; tells
# by itself when one is.
my $script = <<'END';
const { Worker } = require("worker_threads");
const hour = 3600000, over = { timer: 0, interval: 0, atomics: 0 };
const tell = (...what) => console.log(Math.floor(Date.now() / 1000), Number(process.hrtime.bigint() / 1000000000n),
    over.timer, over.interval, over.atomics, ...what);
const ends = (what) => { over[what]++; tell(what); };
const arm = () => setTimeout(() => { ends("timer"); arm(); }, hour);
arm();
setInterval(() => ends("interval"), hour);
const wait = () => new Worker(`
    const { parentPort } = require("worker_threads"), never = new Int32Array(new SharedArrayBuffer(4));
    parentPort.postMessage("waits"); Atomics.wait(never, 0, 0, ${hour}); parentPort.postMessage("over");`,
    { eval: true }).on("message", (said) => said === "over" ? ends("atomics") : tell("waits"));
wait();
process.stdin.on("data", (order) => order.toString() === "wait\n" ? wait() : tell("asked"))
    .on("end", () => process.exit());
END
my $node = start('node', '-e', $script);

my $buffer = '';
sub heard ($patience) {
    until ($buffer =~ /\n/) {
        IO::Select->new($node->{from})->can_read($patience) or return;
        sysread $node->{from}, $buffer, 1000, length $buffer or return;
    }
    (my $line, $buffer) = split /\n/, $buffer, 2;
    return split ' ', $line;
}

# The next thing that it tells of that kind; what else it tells meanwhile is passed over.
sub await ($what, $patience = 120) {
    my @told;
    do { @told = heard($patience) or return } until $told[-1] eq $what;
    return @told;
}

# Twice, for what is due ends at the latest when the loop comes by again.
sub asked () {
    my @told;
    for (1, 2) {
        syswrite $node->{to}, "\n";
        @told = await('asked');
    }
    return @told;
}

sub hours ($seconds) { return int(($seconds + 1800) / 3600) }

await('waits') or BAIL_OUT('node does not run');
my @before = asked();
ok(fake('attach', $clock, $node->{pid}), 'a node that runs is put on a clock');

fake('advance', $clock, '5h');
my @jumped = asked();
is(hours($jumped[0] - $before[0]), 5, 'the calendar jumps: Date follows');
is(hours($jumped[1] - $before[1]), 0, '  process.hrtime does not');
is("@jumped[2 .. 4]", '0 0 0', '  and no timer, no interval, no Atomics.wait');
ok(fake('detach', $node->{pid}), 'it is taken off the clock');
is(hours((asked())[0] - $before[0]), 0, '  Date is real again');
fake('attach', $clock, $node->{pid});

fake('advance', '--mono', $clock, '2h');
my @passed = asked();
is(hours($passed[0] - $before[0]), 7, 'time passes: Date follows');
is(hours($passed[1] - $before[1]), 2, '  process.hrtime too');
is("@passed[2 .. 3]", '1 1', '  and timers and intervals, when something wakes it');
fake('poke', $node->{pid});
is((asked())[4], 0, '  but not an Atomics.wait that began before time had ever passed, though it be poked');

# It tells that it waits just before it does, so that the first move may come too early for it.
syswrite $node->{to}, "wait\n";
await('waits');
my $ended;
for (1 .. 60) {
    fake('advance', '--mono', $clock, '2h');
    last if $ended = await('atomics', 2);
}
ok($ended, 'an Atomics.wait that began later ends by itself');
asked();
fake('advance', '--mono', $clock, '2h');
fake('poke', $node->{pid});
ok(await('timer'), 'a timer needs nothing but to be poked');

finish($node);
done_testing;
