#!/usr/bin/perl
# `fakeca serve`: one line, then answers to curl and openssl; faults at the request asked for; hostile
# bytes; and what a client was told outlives a kill.
use v5.36;
use FindBin qw($Bin);
use IO::Socket::INET;
use IO::Socket::IP;
use JSON::PP;
use lib $Bin, "$Bin/..";
use Fakeca qw(dir try fakeca slurp spill);
use Port qw(free_port);
use Serve qw(serve stop web home have run);
use Test::More;

my $dir = dir();
my $state = home();
my $build = $ENV{BUILD} // 'build';

# --- the line, and what stands behind it ----------------------------------------------------------

# Its calendar is a page, far from the real one.
my $now = 1935748800;    # 2031-05-05T12:00:00Z
for my $step ("new $dir/clock", "freeze $dir/clock", "set $dir/clock \@$now") {
    system("'$build/fakeclock' $step >/dev/null") == 0 or die "fakeclock $step";
}
my $ca = serve('--clock', "$dir/clock");
is($ca->{event}, 'listening', 'it says when it listens');
is($ca->{pid}, $ca->{child}, 'and who it is');
is((stat $ca->{manage})[2] & 07777, 0600, 'only its owner may tell it what to do');

sub curl (@arguments) {
    my ($status, $said) = run({}, 'curl', '-s', '--cacert', $ca->{https_root}, @arguments);
    return $said;
}

SKIP: {
    skip 'curl is not installed', 1 if !have('curl');
    my $directory = decode_json(curl($ca->{directory}));
    is_deeply([sort keys %$directory], [qw(keyChange meta newAccount newNonce newOrder renewalInfo revokeCert)],
        'the directory tells what there is');
    like(curl('-I', $directory->{newNonce}), qr{\AHTTP/1\.1 200 .*^Replay-Nonce: [\w-]{22}\r$}ms, 'a nonce by HEAD');
    like(curl('-i', $directory->{newNonce}), qr{\AHTTP/1\.1 204 .*^Cache-Control: no-store\r$}ms, 'and by GET');

    my $dated = qr{^Date: Mon, 05 May 2031 12:00:00 GMT\r$}m;
    like(curl('-i', $_), $dated, "answers are dated by its calendar: $_")
        for $ca->{directory}, "$ca->{crls}/1.crl", "$ca->{crls}/none", $directory->{newOrder};
    like(curl('-i', '-H', 'Host:', $ca->{ocsp}), $dated, '  also those to what is no request');

    # --- revocation, on its calendar --------------------------------------------------------------

    fakeca('issue', '--state', $state, '--out', "$dir/shop", '--name', 'shop.test', '--at', "\@$now");
    curl($ca->{issuers} . '/1.cer', '-o', "$dir/issuer.der");
    system("openssl x509 -inform der -in $dir/issuer.der -out $dir/issuer.pem");
    my @ocsp = ('openssl', 'ocsp', '-issuer', "$dir/issuer.pem", '-cert', "$dir/shop/chain.pem", '-url', $ca->{ocsp},
        '-CAfile', $ca->{roots}[0], '-attime', $now, '-no_nonce');
    # (openssl ocsp itself looks at the real calendar, and says so)
    like((run({}, @ocsp))[1], qr{^good\n\s+This Update: May  5 11:00:00 2031}m, 'OCSP says good');
    fakeca('revoke', '--state', $state, '--in', "$dir/shop", '--at', "\@$now", '--reason', 'keyCompromise');
    like((run({}, @ocsp))[1], qr{^revoked\n.*Reason: keyCompromise}ms,
        'revoked, after another process revoked it');
    curl($ca->{crls} . '/1.crl', '-o', "$dir/crl.der");
    like(`openssl crl -inform der -in $dir/crl.der -noout -text`,
        qr{Last Update: May  5 11:00:00 2031.*Revoked Certificates:\n\s+Serial Number}s, 'so does the CRL');
    is(curl('-o', '/dev/null', '-w', '%{http_code}', "$ca->{crls}/9.crl"), '404', 'nobody has no CRL');

    # --- faults: at the request asked for, and counted --------------------------------------------

    sub arm ($fault, @how) { return fakeca('arm', $fault, '--state', $state, @how) }
    sub statuses ($count, $url) {
        return join ' ', map { curl('-o', '/dev/null', '-w', '%{http_code}', $url) } 1 .. $count;
    }

    arm('retry-later', '--on', 'directory', '--nth', 2, '--times', 1, '--after', 120);
    is(statuses(3, $ca->{directory}), '200 503 200', 'the second request is told to come later, and no other');
    my $armed = decode_json(fakeca('armed', '--state', $state))->{armed}[0];
    is_deeply([@$armed{qw(fault requests fired)}], ['retry-later', 3, 1], 'and that was counted');
    my ($out, $err, $status) = try('arm', 'retry-later', '--state', $state, '--on', 'directory');
    is($status, 2, 'what is armed cannot be armed there again');
    like($err, qr/\Afakeca: retry-later: is armed there already\n\z/, '  and it says so');
    fakeca('disarm', 'retry-later', '--state', $state);
    is((try('disarm', 'retry-later', '--state', $state))[2], 2, 'nor disarmed twice');
}

is(slurp("$Bin/../../docs/authority.md"), fakeca('faults', '--serve', '--markdown'),
   'docs/authority.md is what `fakeca faults --serve --markdown` prints');

# --- hostile bytes --------------------------------------------------------------------------------

my ($plain) = $ca->{ocsp} =~ m{http://([^/]+)};

sub says ($bytes) {
    my $socket = IO::Socket::INET->new(PeerAddr => $plain, Timeout => 5) or return 'refused';
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, $bytes;
    shutdown $socket, 1;
    local $/ = undef;
    return (split /\r\n/, <$socket> // '')[0] // '';
}
is(says("GARBAGE\r\n\r\n"), 'HTTP/1.1 400 Bad Request', 'what is no HTTP is refused');
is(says('GET /' . 'a' x 20000), 'HTTP/1.1 431 Request Header Fields Too Large', 'a head without end, too');
is(says("POST /ocsp HTTP/1.1\r\nHost: ca.test\r\nContent-Length: 999999999\r\n\r\n"), 'HTTP/1.1 413 Content Too Large',
    'a body too long');
is(says("GET /../../etc/passwd HTTP/1.1\r\nHost: ca.test\r\n\r\n"), 'HTTP/1.1 404 Not Found', 'a way out of nowhere');
is(says("GET /ocsp/" . 'A' x 2000 . " HTTP/1.1\r\nHost: ca.test\r\n\r\n"), 'HTTP/1.1 200 OK',
    'an OCSP request that is none is answered as such');
is(says('GET / HTTP/1.1'), '', 'half a request gets nothing');
my @idle = map { IO::Socket::INET->new(PeerAddr => $plain, Timeout => 5) } 1 .. 600;
is(says("GET /nothing HTTP/1.1\r\nHost: ca.test\r\n\r\n"), 'HTTP/1.1 404 Not Found',
    'hundreds who say nothing do not keep others out');
@idle = ();

sub refuses ($why, $expected, $wanted, @words) {
    my (undef, $err, $status) = try(@words, '--state', $state);
    is($status, $expected, "$why: its status");
    like($err, qr/\Afakeca: $wanted.*\n\z/, '  and one line');
}
my ($acme) = $ca->{directory} =~ m{https://([^/]+)/};
refuses('served already', 2, qr/\Q$state\E: serve\.db: another process serves from it/, 'serve');
refuses('nobody to unpause', 2, qr/unpause: expected --account N/, 'unpause');
refuses('an account that is not there', 2, qr/there is no account 77/, 'unpause', '--account', 77);
refuses('a profile of no time', 2, qr/classic: expected a lifetime of a second or more/, 'profile', 'classic=0s');
refuses('a lifetime that is none', 2, qr/classic=soon: 'soon' is not a duration/, 'profile', 'classic=soon');
refuses('an offset for a point in time', 2, qr/--from: '\+1d' is an offset/, 'arm', 'slow', '--from', '+1d');
refuses('a point in time that is none', 2, qr/--until: 'soon' is not a time/, 'arm', 'slow', '--until', 'soon');
refuses("$_ counts from one", 2, qr/slow: "$_" counts from 1/, 'arm', 'slow', "--$_", 0) for qw(account nth times);
my (undef, $taken, $refused) = try('serve', '--state', "$dir/other", '--acme', $acme);
is($refused, 6, 'a port in use: its status');
like($taken, qr/\Afakeca: --acme: \Q$acme\E: cannot listen: Address already in use\n\z/, '  and one line');

for my $what ('shop', 'serve.err') {
    my (undef, $said, $ended) = try('serve', '--state', "$dir/$what");
    is("$ended $said", "2 fakeca: $dir/$what: is no authority; expected one as `fakeca init` makes it, or nothing\n",
        "a state that is $what: one line");
}
SKIP: {
    skip 'only root can become somebody else', 1 if $> != 0;
    skip 'the build is not readable for others', 1
        if system('setpriv', '--reuid', '65534', '--clear-groups', 'test', '-x', "$build/fakeca");
    my $said = `setpriv --reuid 65534 --clear-groups '$build/fakeca' serve --state $state 2>&1`;
    is(join(' ', $? >> 8, $said), "6 fakeca: $state: cannot look into it: Permission denied\n",
        'the state of somebody else');
}

SKIP: {
    skip 'no /dev/full here', 2 if !-c '/dev/full';
    my $said = `'$build/fakeca' serve --state $dir/unheard 2>&1 >/dev/full`;
    is($? >> 8, 6, 'nobody can be told where it listens: its status');
    like($said, qr/\Afakeca: cannot write to stdout: No space left on device\n\z/, '  and one line');
}

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
ok(!-e $ca->{manage}, 'and its socket is gone');
my ($out, $err, $status) = try('armed', '--state', $state);
is($status, 2, 'nobody to ask');
like($err, qr/nobody serves there/, '  is said');

# --- its calendar is cut off under it --------------------------------------------------------------

$ca = serve('--clock', "$dir/clock");
($plain) = $ca->{ocsp} =~ m{http://([^/]+)};
truncate "$dir/clock", 0;
says("GET /nothing HTTP/1.1\r\nHost: ca.test\r\n\r\n");
is(stop($ca->{child}, 0), 6, 'the file of its clock is cut off: exit status 6');
like(slurp("$dir/serve.err"), qr{^fakeca: \Q$dir\E/clock: has been cut off under this program; expected 4096 bytes$}m,
    'and one line');
# --- on all addresses it tells one that can be connected to --------------------------------------------

for (['0.0.0.0:0', '127.0.0.1'], ['[::]:0', '[::1]']) {
  SKIP: {
        my ($all, $one) = @$_;
        skip 'no IPv6 here', 2 if $all =~ /::/ && !IO::Socket::IP->new(Listen => 1, LocalHost => '::1');
        my $served = serve(map { ("--$_", $all) } qw(acme http dns));
        my @told = map { m{^(?:https?://)?(.*):\d+} } @$served{qw(directory ocsp dns)};
        is_deeply(\@told, [($one) x 3], "$all: $one is told");
        like(curl('-g', $served->{directory}), qr/newOrder/, '  and certified') if have('curl');
        stop($served->{child});
    }
}
done_testing;
