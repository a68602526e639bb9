#!/usr/bin/perl
# What an authority asks DNS besides the challenge: who may issue (CAA, RFC 8659), whether all perspectives see the
# same (Baseline Requirements 3.2.2.9), and what does not fit into a datagram.
use v5.36;
use FindBin qw($Bin);
use IO::Socket::INET;
use lib $Bin;
use Acme;
use Fakeca qw(try fakeca);
use Serve qw(serve stop home have run calendar dns);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');
my $now = 1935748800;    # 2031-05-05T12:00:00Z
my ($clock, $pass) = calendar($now);
my ($port, $show) = Acme->files;
sub pass_time ($seconds) { return $now = $pass->($seconds) }
my @settings = ('--clock', $clock, '--validate-http-port', $port, '--perspectives');
my $ca = serve(@settings, 1);
my $client = Acme->new($ca);
$client->register;

sub judged ($name, $type = 'http-01', $how = $show) { return $client->judged($name, $type, $how) }

# --- CAA ------------------------------------------------------------------------------------------

dns('--add', $_) for 'no.test. CAA 0 issue ";"', 'ours.no.test. CAA 0 issue "rehearsal.test"',
    'wild.test. CAA 0 issuewild "ca.test"', 'alias.test. CNAME target.test.', 'target.test. CAA 0 issue "ca.test"',
    'critical.test. CAA 128 tbs "x"', 'mine.test. CAA 0 issue "rehearsal.test; accounturi=' . $client->{kid} . '"',
    'method.test. CAA 0 issue "rehearsal.test; validationmethods=dns-01"';
is(judged('no.test'), 'valid', 'CAA is not asked, unless that is set');
fakeca('set', 'caa=on', '--state', home());
is_deeply($client->{directory}{meta}{caaIdentities}, ['rehearsal.test'], 'the directory tells by which name');
is(judged('shop.test'), 'valid', 'without a record everybody may issue');
like(judged('no.test'), qr/^invalid caa .*CAA forbids rehearsal\.test to issue, at no\.test: 0 issue ;/, 'nobody may');
like(judged('deep.below.no.test'), qr/^invalid caa .*, at no\.test/, '  nor for any name below');
is(judged('ours.no.test'), 'valid', 'the record that is nearest counts');
is(judged('a.ours.no.test'), 'valid', '  also from below');
like(judged('alias.test'), qr/^invalid caa/, 'along a CNAME');
like(judged('critical.test'), qr/^invalid caa/, 'what is critical and unknown forbids');
is(judged('wild.test'), 'valid', 'a record for wildcards is none for the name');
like(judged('*.wild.test', 'dns-01', \&Acme::in_dns), qr/^invalid caa/, '  but for the wildcard');
is(judged('mine.test'), 'valid', 'this account may');
my $first = $client;
$client = Acme->new($ca);
$client->register;
like(judged('mine.test'), qr/^invalid caa/, '  and no other');
$client = $first;
like(judged('method.test'), qr/^invalid caa/, 'not by http-01');
is(judged('method.test', 'dns-01', \&Acme::in_dns), 'valid', '  but by dns-01');
fakeca('arm', 'dns-servfail', '--identifier', 'dark.test', '--state', home());
like(judged('a.dark.test'), qr/^invalid dns .*looking up CAA of dark\.test: SERVFAIL/, 'a server that fails forbids');
is(judged('127.0.0.1'), 'valid', 'addresses have no CAA');

# --- CAA again, before issuance -------------------------------------------------------------------

# An order whose names were proven now.
sub proven (@names) {
    my $order = $client->order(\@names);
    $client->prove($_, 'http-01', $show) for @{$order->{json}{authorizations}};
    return $order;
}
sub finalized ($order, @names) { return $client->post($order->{json}{finalize}, {csr => (Acme->csr(@names))[0]}) }
sub comes_of ($order) {
    my $told = $client->settled($order->{fields}{location});
    my $error = $told->{error} // {type => '', detail => ''};
    return join ' ', $told->{status}, $error->{type} =~ s/.*://r, $error->{detail};
}

my @both = qw(shop.test www.shop.test);
my @orders = map { proven('shop.test') } 1 .. 4;
my $two = proven(@both);
pass_time(8 * 3600);
dns('--add', "$_. CAA 0 issue \";\"") for @both;
is(finalized($orders[0], 'shop.test')->{json}{status}, 'valid', 'what was looked up counts for eight hours');
pass_time(3600);
my $answer = finalized($orders[1], 'shop.test');
is("$answer->{status} $answer->{json}{status}", '200 processing', 'after nine it is looked up once more');
ok($answer->{fields}{'retry-after'}, '  which takes a moment');
like(comes_of($orders[1]), qr/^invalid caa Rechecking CAA: CAA of shop\.test: CAA forbids /, '  and forbids by now');
finalized($two, @both);
like(comes_of($two), qr/^invalid caa Rechecking CAA for "\S+" and 1 more identifiers failed\./,
    'so it does of two names');
my $subproblems = $client->settled($two->{fields}{location})->{error}{subproblems};
is_deeply([sort map { "$_->{identifier}{value} $_->{type}" } @$subproblems],
    [map { "$_ urn:ietf:params:acme:error:caa" } @both], '  and tells of each');
dns('--remove', $_, '--type', 'CAA') for @both;
fakeca('arm', 'dns-servfail', '--identifier', 'shop.test', '--state', home());
finalized($orders[2], 'shop.test');
like(comes_of($orders[2]), qr/^invalid dns Rechecking CAA: .*SERVFAIL/, 'nor without an answer');
fakeca('disarm', 'dns-servfail', '--state', home());
finalized($orders[3], 'shop.test');
like(comes_of($orders[3]), qr/^valid /, 'where nothing forbids, the certificate is issued');

# What is under way when the authority is killed is taken up by the next.
my $last = proven('shop.test');
pass_time(9 * 3600);
fakeca('arm', 'dns-slow', '--identifier', 'shop.test', '--state', home());
is(finalized($last, 'shop.test')->{json}{status}, 'processing', 'a name server takes its time');
my ($acme) = $ca->{directory} =~ m{//([^/]+)};
stop($ca->{child}, 'KILL');
$ca = serve(@settings, 1, '--acme', $acme, '--set', 'caa=on');
$client->{nonce} = undef;
like(comes_of($last), qr/^valid /, '  and the authority that was killed meanwhile goes on from there');
fakeca('disarm', 'dns-slow', '--state', home());

# --- more than a datagram holds -------------------------------------------------------------------

Acme::in_dns(undef, $_, 'full.test') for 1 .. 30;
is(judged('full.test', 'dns-01', \&Acme::in_dns), 'valid', 'thirty old records: the answer is had over TCP');
fakeca('arm', 'dns-truncated', '--state', home());
is(judged('shop.test'), 'valid', 'when every datagram is truncated, all is asked over TCP');
fakeca('disarm', 'dns-truncated', '--state', home());
my ($host, $at) = $ca->{dns} =~ /^(.*):(\d+)$/;
SKIP: {
    skip 'dig is not installed', 3 if !have('dig');
    my @dig = ('dig', "\@$host", '-p', $at, '_acme-challenge.full.test', 'TXT', '+bufsize=1232');
    like((run({}, @dig, '+ignore'))[1], qr/flags: qr aa tc/, 'dig is told that there is more');
    like((run({}, @dig))[1], qr/ANSWER: 31,.*\(TCP\)/s, '  and has it over TCP');
    like((run({}, @dig, '+tcp', 'shop.test', 'A', '+keepopen'))[1], qr/ANSWER: 31,.*ANSWER: 1,/s, '  two in a row');
}
sub says ($bytes) {
    my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $at, Timeout => 5) or return 'refused';
    syswrite $socket, $bytes;
    shutdown $socket, 1;
    return sysread($socket, my $answer, 65537) // 'reset';
}
is(says("\0\x0cGARBAGE"), 0, 'half a message gets nothing');
is(says("\0\0"), 0, 'nor one without an octet');
is(says("\xff\xff" . "\xff" x 65535), 0, 'nor one that is none');
is(judged('shop.test'), 'valid', 'and the server goes on');

# --- perspectives ---------------------------------------------------------------------------------

is((try('dns', '--state', home(), '--add', 'x.test. A 127.0.0.1', '--perspective', 2))[2], 2,
    'there is one perspective');
stop($ca->{child});
$ca = serve(@settings, 4);
$client = Acme->new($ca, $client->{key});
$client->register;
sub hijack ($perspective) { return dns('--add', 'shop.test. A 127.0.0.66', '--perspective', $perspective) }
is(judged('shop.test'), 'valid', 'four perspectives agree');
hijack(3);
is(judged('shop.test'), 'valid', 'one of the three remote ones may be lost');
hijack(4);
like(judged('shop.test'), qr/^invalid connection During secondary validation: /, 'two may not: somebody lies nearby');
dns('--remove', 'shop.test');
is(judged('shop.test'), 'valid', 'until that is over');
hijack(1);
like(judged('shop.test'), qr/^invalid connection http-01/, 'the first must agree in any case');
dns('--remove', 'shop.test', '--perspective', 1);
sub strays (@how) {
    fakeca('arm', 'perspectives-disagree', '--state', home(), @how);
    my $judged = judged('shop.test');
    fakeca('disarm', 'perspectives-disagree', '--state', home());
    return $judged;
}
is(strays('--perspectives', 1), 'valid', 'one that asks a name server without the name may be lost');
like(strays('--perspectives', 2), qr/^invalid dns During secondary validation: .*NXDOMAIN/, '  two may not');
like(strays(), qr/^invalid dns During secondary validation: /, '  nor all three');
fakeca('set', 'caa=on', '--state', home());
dns('--add', 'shop.test. CAA 0 issue ";"', '--perspective', $_) for 2, 3;
like(judged('shop.test'), qr/^invalid caa During secondary validation: /, 'CAA is looked up by each');
is((try('serve', '--state', home(), '--perspectives', 9))[2], 2, 'eight perspectives are the most');

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
