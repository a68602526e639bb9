#!/usr/bin/perl
# The DNS server's answers as BIND's dig reads them, off a socket of this test's own: each query goes
# through `fakeca answer`.
use v5.36;
use Errno;
use FindBin qw($Bin);
use lib $Bin;
use Fakeca qw(dir try slurp spill);
use IO::Select;
use IO::Socket::INET;
use Test::More;

my $dir = dir();
my @zone = map { ('--record', $_) } (
    'shop.test. A 127.0.0.2',
    'shop.test. AAAA ::1',
    'shop.test. CAA 0 issue "rehearsal.test"',
    'www.shop.test. CNAME shop.test.',
    '_acme-challenge.other.test. TXT "token"',
    'long.test. TXT ' . join(' ', ('"' . 'x' x 200 . '"') x 8),
);
my ($server, $tcp);
until ($tcp) { # the port that one of them was given may be somebody else's in the other protocol
    $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'udp') or die $@;
    $tcp = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $server->sockport, Listen => 5);
    $!{EADDRINUSE} or die $@ if !$tcp;
}

# One packet in, what fakeca answers out; '' where it keeps silent.
sub answer ($packet, @how) {
    spill("$dir/query", $packet);
    my (undef, $err, $status) =
        try('answer', '--to', 'dns', '--in', "$dir/query", '--out', "$dir/reply", @zone, @how);
    die $err if $status ne '0';
    return slurp("$dir/reply");
}

sub serve_one ($socket, @how) {
    if ($socket == $server) {
        my $peer = recv($server, my $packet, 65535, 0) // return;
        my $reply = answer($packet, @how);
        send($server, $reply, 0, $peer) if $reply ne '';
        return;
    }
    my $connection = $tcp->accept;
    sysread($connection, my $packet, 65535);
    my $reply = answer(substr($packet, 2), '--tcp', @how);
    syswrite $connection, pack('n/a*', $reply);
}

# What dig says, while it is being answered in that way.
sub dig ($query, @how) {
    open my $dig, '-|', 'sh', '-c', 'exec dig "$@" 2>&1', 'sh', '@127.0.0.1', '-p', $server->sockport,
        '+tries=1', '+timeout=2', split(/ /, $query) or die;
    my $wait = IO::Select->new($dig, $server, $tcp);
    my $said = '';
    while (my @ready = $wait->can_read(30)) {
        for my $socket (@ready) {
            if ($socket != $dig) { serve_one($socket, @how) }
            elsif (!sysread $dig, $said, 65536, length $said) { close $dig; return $said }
        }
    }
    die 'dig does not end';
}

# --- the truth ------------------------------------------------------------------------------------

my @fallback = ('--fallback', '127.0.0.1');
like(dig('shop.test A'), qr/status: NOERROR.*flags: qr aa rd;.*\nshop\.test\.\s+\d+\s+IN\s+A\s+127\.0\.0\.2\n/s,
    'an address, with authority');
like(dig('ShOp.TEST AAAA'), qr/\nShOp\.TEST\.\s+\d+\s+IN\s+AAAA\s+::1\n/, 'letters come back as they were asked');
like(dig('shop.test CAA'), qr/CAA\s+0 issue "rehearsal\.test"/, 'CAA');
like(dig('www.shop.test A'), qr/CNAME\s+shop\.test\.\nshop\.test\.\s.*127\.0\.0\.2/, 'a CNAME is followed');
like(dig('_acme-challenge.other.test TXT'), qr/TXT\s+"token"/, 'TXT');
like(dig('other.test A'), qr/status: NOERROR.*ANSWER: 0.*SOA/s, 'a name with names below exists');
like(dig('nobody.test A'), qr/status: NXDOMAIN.*SOA/s, 'one without does not');
like(dig('nobody.test A', @fallback), qr/status: NOERROR.*nobody\.test\..*127\.0\.0\.1/s,
    'unless there is a fallback');
like(dig('other.test A', @fallback), qr/127\.0\.0\.1/, 'which names have that hold only a challenge');
like(dig('shop.test A', @fallback), qr/ANSWER: 1.*127\.0\.0\.2/s, 'but not those with an address');
like(dig('nobody.test AAAA', @fallback), qr/status: NOERROR.*ANSWER: 0/s, 'and not of the other family');

like(dig('+noedns +ignore long.test TXT'), qr/flags: qr aa tc rd;.*ANSWER: 0/s, 'too long for UDP: truncated');
like(dig('+bufsize=4096 +ignore long.test TXT'), qr/flags: qr aa tc rd;/, 'even where more is offered');
like(dig('long.test TXT'), qr/Truncated, retrying in TCP.*flags: qr aa rd;.*ANSWER: 1/s, 'whole over TCP');
like(dig('+edns=1 +noednsneg shop.test A'), qr/status: BADVERS/, 'EDNS version 1: BADVERS');
like(dig('-c CH version.bind TXT'), qr/status: REFUSED/, 'another class: REFUSED');
like(dig('+tcp test AXFR'), qr/Transfer failed/, 'no zone transfers');
like(dig('+opcode=NOTIFY shop.test SOA'), qr/status: NOTIMP/, 'NOTIFY: NOTIMP');

# --- misbehaviours --------------------------------------------------------------------------------

my @wrong = (
    ['dns-servfail', 'shop.test A', qr/status: SERVFAIL/],
    ['dns-nxdomain', 'shop.test A', qr/status: NXDOMAIN/],
    ['dns-refused', 'shop.test A', qr/status: REFUSED/],
    ['dns-empty', 'shop.test A', qr/status: NOERROR.*ANSWER: 0/s],
    ['dns-slow', 'shop.test A', qr/127\.0\.0\.2/],    # how slow is for the server to see to
    ['dns-silent', 'shop.test A', qr/no servers could be reached/],
    ['dns-truncated', 'shop.test A', qr/Truncated, retrying in TCP.*127\.0\.0\.2/s],
    ['dns-cut', 'shop.test A', qr/malformed|bad packet|end of input/i],
    ['dns-wrong-id', 'shop.test A', qr/ID mismatch/],
    ['caa-forbids', 'shop.test CAA', qr/CAA\s+0 issue ";"/],
    ['caa-forbids', 'shop.test A', qr/127\.0\.0\.2/],
    ['dns-wrong-address', 'shop.test A', qr/\b127\.100\.0\.1/],
    ['caa-servfail', 'shop.test CAA', qr/status: SERVFAIL/],
    ['caa-servfail', 'shop.test A', qr/127\.0\.0\.2/],
    ['dns-stale-texts', '_acme-challenge.other.test TXT', qr/Truncated, retrying in TCP.*ANSWER: 31.*"token"/s],
    ['dns-stale-texts', 'other.test TXT', qr/status: NOERROR.*ANSWER: 30/s],
    ['dns-wrong-text', '_acme-challenge.other.test TXT', qr/"not-this-challenge"/],
);
like(dig($_->[1], '--misbehave', $_->[0]), $_->[2], "$_->[0]: dig sees it, asking for $_->[1]") for @wrong;

# --- bad packets ----------------------------------------------------------------------------------

my $query = pack 'n6 C/a C/a C n2', 0x1234, 0x0100, 1, 0, 0, 0, 'shop', 'test', 0, 1, 1;
is(substr(answer($query), 0, 4), "\x12\x34\x85\x00", 'a query is answered');
is(answer(substr $query, 0, 11), '', 'less than a header: no answer');
is(answer("\x12\x34\x81\x80" . substr $query, 4), '', 'an answer: no answer');
my $formerr = pack 'n6', 0x1234, 0x8101, 0, 0, 0, 0;
is(answer($_->[1]), $formerr, "$_->[0]: FORMERR") for
    ['a header alone', substr $query, 0, 12], ['half a name', substr $query, 0, 15],
    ['a name that points at itself', substr($query, 0, 12) . "\xc0\x0c\0\1\0\1"],
    ['two questions', substr($query, 0, 5) . "\2" . substr($query, 6) . "\0\0\1\0\1"],
    ['records that are not there', substr($query, 0, 11) . "\5" . substr($query, 12)],
    ['two OPTs', substr($query, 0, 11) . "\2" . substr($query, 12) . "\0\0\x29\2\0\0\0\0\0\0\0" x 2];

# --- what cannot be -------------------------------------------------------------------------------

sub refuses ($why, $expected, @how) {
    spill("$dir/query", $query);
    my (undef, $err, $status) = try('answer', '--to', 'dns', '--in', "$dir/query", '--out', "$dir/reply", @how);
    is($status, 2, "$why: status 2");
    like($err, qr/\Afakeca: [^\n]*$expected[^\n]*\n\z/, "$why: one line");
}
refuses('no record', "--record: 'shop.test A here' is not a record", '--record', 'shop.test A here');
refuses('no address', "--fallback: 'here' is not an address", '--fallback', 'here');
refuses('an unknown misbehaviour', 'did you mean dns-silent', '--misbehave', 'dns-silnet');

done_testing();
