#!/usr/bin/perl
# What a run says when expectations are not met: TAP, exit status, journal.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::INET;
use Rehearse;
use Test::More;

sub play {
    my (%part) = (lifetime => '90d', steady => 'success = "100%", during = "200ms"', rest => '', @_);
    return scenario(<<"PLAY");
scenario "A play"
local house = ca      { root = "10y" }
local shop  = target  { "builtin", name = "shop.test", certificate = house:issue { lifetime = "$part{lifetime}" } }
local fleet = clients { "openssl", to = shop }
steady "all is well"
fleet:expect { $part{steady} }
$part{rest}
PLAY
}

my ($status, $out, $err) = rehearse('run', play());
is $status, 0, 'all expectations met' or diag $err;
like $out, qr/\ATAP version 13\n/, 'TAP as prove reads it';
like $out, qr/^ok 1 - steady: all is well \(success 100%, during 200ms\)$/m, 'a point an expectation';
like $out, qr/^  ---\n  openssl: "ok x\d+"\n/m, 'with what was seen';
unlike $out, qr/^  (at|missed):/m, 'and no more';
like $out, qr/^1\.\.1$/m, 'and a plan';
($status, $out) = rehearse('run', '--tap', '14', play());
like $out, qr/\ATAP version 14\n/, 'or the newer TAP on request';

($status, $out) = rehearse('run', play(steady => 'outcome = "expired", within = "300ms"',
    rest => "inject \"x\"\nclock:jump \"91d\"\nfleet:expect { outcome = \"expired\" }"));
is $status, 3, 'no steady state';
like $out, qr/^not ok 1/m, 'is a failure';
like $out, qr/^ok 2 - .* # SKIP not reached$/m, 'and nothing is injected';
unlike $out, qr/advances/, 'not even a calendar moved';

my $inject = "inject \"the leaf runs out\"\nclock:jump \"91d\"\n";
($status, $out, $err) = rehearse('run', play(rest => $inject . 'fleet:expect { success = "100%", within = "300ms" }'));
is $status, 1, 'an expectation that is not met';
like $out, qr/^not ok 2 - inject: the leaf runs out/m, 'says which';
like $out, qr/^  at: "\S+play-\d+\.lua:9"$/m, 'and where it stands in the scenario';
like $out, qr/certificate has expired \[X509_V_ERR_CERT_HAS_EXPIRED \(10\)\] at depth 0, sent certificate_expired/,
    'and what the library said instead';
my ($journal) = $err =~ /journal: (\S+)/;
ok $journal && -s $journal, 'the journal is kept and named';
open my $file, '<', $journal or die;
my @lines = <$file>;
ok !(grep { !/^\{.*\}$/ } @lines), 'it is JSON lines';
like "@lines", qr/"kind":"effect".*the calendar jumps by 91d/, 'with the fault';
like "@lines", qr/"kind":"clock read back"/, 'and every clock that was read back';
like $lines[-1], qr/"kind":"run over".*"status":1/, 'and the verdict';
system 'rm', '-rf', $journal =~ s{/[^/]*$}{}r if $journal;

($status, $out) = rehearse('run', play(rest => $inject . 'fleet:expect { outcome = "expired", within = "2s" }'));
is $status, 0, 'a failure that was expected is a success';

# What was not tried is told.
($status, $out) = rehearse('run', play(rest => <<'PLAY'));
local other = clients { "gnutls", to = shop, at = "1999-01-01T00:00:00Z" }
inject "somebody else is to break it"
fleet:expect { success = "100%", during = "200ms" }
PLAY
is $status, 0, 'a script may leave the fault to others, and clients to themselves' or diag $out;
like $out, qr/^# the script did nothing under inject "somebody else is to break it"$/m, 'and is told that it did';
like $out, qr/^# nothing was expected of these clients: gnutls$/m, 'in both';
($status, $out) = rehearse('run', play(rest => $inject . 'fleet:expect { outcome = "expired", within = "2s" }'));
unlike $out, qr/^# (the script did nothing|nothing was expected)/m, 'and not where there is nothing to tell';

# What the wrong expectation says is what really happens, for every kind of it.
for my $wrong ('success = "100%", during = "200ms"', 'outcome = "not-yet-valid", within = "300ms"',
    'outcome = { openssl = "wrong-name" }, within = "300ms"') {
    ($status) = rehearse('run', '--state', "$DIR/wrong", play(rest => $inject . "fleet:expect { $wrong }"));
    is $status, 1, "inverted: $wrong goes red";
}

# A reload that is refused is neither a fault nor a way back.
($status, $out) = rehearse('run', '--state', "$DIR/wrong", play(rest => "inject \"a typing error\"\n"
    . 'shop:configure { ciphers = "NO-SUCH-SUITE" }' . "\n" . 'fleet:expect { success = "100%", during = "200ms" }'));
is $status, 1, 'a fault that did not bite is a failure';
like $out, qr/^not ok 2 - .*refused what it was given/m, 'and is told';

# A server that answers every other connection only: what hangs counts.
my $every_other = "$DIR/every-other";
open my $script, '>', $every_other or die;
print $script <<'SERVER';
#!/usr/bin/perl
use strict;
use warnings;
use IO::Socket::INET;
my ($address, $chain, $key) = @ARGV;
my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => $address, ReuseAddr => 1) or die "$address: $!";
open my $said, '-|', 'openssl', 's_server', '-accept', '127.0.0.1:0', '-cert', $chain, '-cert_chain', $chain,
    '-key', $key, '-www' or die;
my ($behind) = map { /^ACCEPT \S+:(\d+)/ ? $1 : () } scalar readline $said;
my ($count, @kept);
$SIG{CHLD} = 'IGNORE';
while (my $client = $listener->accept) {
    if ($count++ % 2) { push @kept, $client; next } # taken, and never answered
    next if fork;
    my $server = IO::Socket::INET->new("127.0.0.1:$behind") or die;
    my $bits = '';
    vec($bits, fileno $_, 1) = 1 for $client, $server;
    while (select(my $ready = $bits, undef, undef, 30)) {
        for ([$client, $server], [$server, $client]) {
            my ($from, $to) = @$_;
            next unless vec($ready, fileno $from, 1);
            sysread($from, my $bytes, 65536) or exit;
            syswrite $to, $bytes;
        }
    }
    exit;
}
SERVER
close $script;
chmod 0755, $every_other;
($status, $out) = rehearse('run', '--state', "$DIR/wrong", scenario(<<"PLAY"));
scenario "Half of the clients hang"
local house = ca      {}
local shop  = target  { "command", name = "shop.test", certificate = house:issue {},
                        start = "$every_other {address} {chain} {key}" }
local fleet = clients { "openssl", to = shop, timeout = "1s" }
steady "all is well, it seems"
fleet:expect { success = "100%", during = "500ms" }
PLAY
is $status, 3, 'clients that hang are no success' or diag $out;
like $out, qr/timeout x\d/, 'they time out';
like $out, qr/^# the clock of shop\.test cannot be proven: /m,
    'and a clock that cannot be read is told';

# A worker that is killed in the middle.
my $killed = play(steady => 'success = "100%", during = "20s"');
my $run = start('run', '--state', "$DIR/killed", $killed);
while (my $line = readline $run->{out}) {
    next unless $line =~ /^# steady/;
    for my $process (survivors("$DIR/killed")) {
        kill 'KILL', $1 if $process =~ m{^/proc/(\d+): .*?client-openssl};
    }
    last;
}
my $told = do { local $/; readline $run->{out} };
waitpid $run->{pid}, 0;
is $? >> 8, 6, 'a worker that is killed is a matter of the environment';
like $told, qr/client-openssl ended \(killed by signal 9\)/, 'and is told';

# What has no end is given up.
($status, $out) = rehearse('run', '--state', "$DIR/wrong", '--timeout', '500ms',
    play(steady => 'success = "100%", during = "20s"'));
is $status, 6, 'a scenario that takes too long is given up';
like $out, qr/gave up after 500ms; expected timeout "20m" in the scenario, or --timeout/, 'and the limit is named';

# Nobody there is no success.  The port is taken, and nobody listens.
my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Type => SOCK_STREAM, Proto => 'tcp') or die $@;
my $nobody = $taken->sockport;
($status, $out) = rehearse('run', '--state', "$DIR/wrong", '--allow', '127.0.0.1', scenario(<<"PLAY"));
scenario "Nobody is there"
local far   = target  { "external", name = "localhost", address = "127.0.0.1:$nobody" }
local fleet = clients { "openssl", to = far }
steady "somebody answers"
fleet:expect { success = "100%", within = "300ms" }
PLAY
is $status, 3, 'an unreachable target is no steady state';
like $out, qr/openssl: "refused x\d+/, 'and the reason is said';

my @two = (play(), play());
($status, $out) = rehearse('run', '-j', '2', @two);
is $status, 0, 'two side by side';
like $out, qr/^ok 1 .*^ok 2 /ms, 'are told one after the other';
($status, $out) = rehearse('run', '--state', "$DIR/wrong", '-j', '2',
    play(steady => 'outcome = "expired", within = "200ms"'), play());
is $status, 3, 'the graver of two endings is the status';

# Of two endings the graver is the status: failed, unsteady, environment.
my %ending = (
    1 => play(rest => $inject . 'fleet:expect { success = "100%", within = "300ms" }'),
    3 => play(steady => 'outcome = "expired", within = "200ms"'),
    6 => play(steady => 'success = "100%", during = "20s"'),
);
for my $pair ([1, 3], [3, 6], [1, 6]) {
    my ($lesser, $graver) = @$pair;
    my @limit = $graver == 6 ? ('--timeout', '5s') : ();    # which is what ends that one
    ($status) = rehearse('run', '--state', "$DIR/wrong", @limit, @ending{$graver, $lesser});
    is $status, $graver, "$graver is graver than $lesser";
}

# What a run was is in its journal: it can be played again.
my $seeded = "$DIR/seeded.jsonl";
($status) = rehearse('run', '--seed', '7', '--journal', $seeded, play());
like do { open my $lines, '<', $seeded or die; local $/; <$lines> },
    qr/"class":"openssl","kind":"clients",.*"seed":7/, 'clients arrive by the seed of the run';

# A key that a target serves is for its owner alone.
($status) = rehearse('run', '--keep', '--state', "$DIR/kept", play());
my @keys = split /\n/, `find $DIR/kept -name '*key.pem' -o -name '*.key' -o -name combined.pem`;
cmp_ok scalar @keys, '>=', 5, 'keys were kept';
is_deeply [grep { (stat)[2] & 077 } @keys], [], 'and nobody else may read one';

# Patience: a detector that waits for longer than the scenario lasts does not act.
($status, $out) = rehearse('run', play(rest => <<'PLAY'));
local watch = detector { of = shop, patience = "1m" }
inject "a certificate is put on disk, and nobody is told"
shop:place(house:issue {})
shop:expect { wire = "old" }
watch:expect { tripped = 0, within = "2s" }
PLAY
is $status, 0, 'a detector acts when its patience is at an end, and no sooner' or diag $out;

{
    local $ENV{REHEARSE_NO_NAMESPACES} = 1;
    ($status, $out, $err) = rehearse('run', play());
    is $status, 0, 'without namespaces it works on plain loopback' or diag $err;
    like $err, qr/no namespaces here/, 'and says so';
}

# stdout is TAP and nothing else.
my @odd = grep { !/^(TAP version|(not )?ok \d|1\.\.|#|  )/ } split /\n/, $out;
is_deeply \@odd, [], 'every line is TAP';

done_testing;
