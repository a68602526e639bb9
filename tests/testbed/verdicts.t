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
like $out, qr/^1\.\.1$/m, 'and a plan';
($status, $out) = rehearse('run', '--tap', '14', play());
like $out, qr/\ATAP version 14\n/, 'or the newer TAP on request';

($status, $out) = rehearse('run', play(steady => 'outcome = "expired", within = "300ms"',
    rest => "inject \"x\"\nclock:advance \"91d\"\nfleet:expect { outcome = \"expired\" }"));
is $status, 3, 'no steady state';
like $out, qr/^not ok 1/m, 'is a failure';
like $out, qr/^ok 2 - .* # SKIP not reached$/m, 'and nothing is injected';
unlike $out, qr/advances/, 'not even a calendar moved';

my $inject = "inject \"the leaf runs out\"\nclock:advance \"91d\"\n";
($status, $out, $err) = rehearse('run', play(rest => $inject . 'fleet:expect { success = "100%", within = "300ms" }'));
is $status, 1, 'an expectation that is not met';
like $out, qr/^not ok 2 - inject: the leaf runs out/m, 'says which';
like $out, qr/certificate has expired \[X509_V_ERR_CERT_HAS_EXPIRED \(10\)\] at depth 0, sent certificate_expired/,
    'and what the library said instead';
my ($journal) = $err =~ /journal: (\S+)/;
ok $journal && -s $journal, 'the journal is kept and named';
open my $file, '<', $journal or die;
my @lines = <$file>;
ok !(grep { !/^\{.*\}$/ } @lines), 'it is JSON lines';
like "@lines", qr/"kind":"effect".*the calendar advances by 91d/, 'with the fault';
like "@lines", qr/"kind":"clock read back"/, 'and every clock that was read back';
like $lines[-1], qr/"kind":"run over".*"status":1/, 'and the verdict';
system 'rm', '-rf', $journal =~ s{/[^/]*$}{}r if $journal;

($status, $out) = rehearse('run', play(rest => $inject . 'fleet:expect { outcome = "expired", within = "2s" }'));
is $status, 0, 'a failure that was expected is a success';

# What the wrong expectation says is what really happens, for every kind of it.
for my $wrong ('success = "100%", during = "200ms"', 'outcome = "not-yet-valid", within = "300ms"',
    'outcome = { openssl = "wrong-name" }, within = "300ms"') {
    ($status) = rehearse('run', '--state', "$DIR/wrong", play(rest => $inject . "fleet:expect { $wrong }"));
    is $status, 1, "inverted: $wrong goes red";
}

# Nobody there is no success.  The port was free a moment ago, and nobody was told of it.
my $nobody = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
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
