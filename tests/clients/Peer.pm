# Peer.pm -- a TLS server made of bytes: it says whatever a test wants said, and knows no cryptography
# but the one signature of a ServerKeyExchange, which openssl makes.  RFC 5246 and 8446 have the messages.
package Peer;
use v5.36;

use Exporter qw(import);
use IPC::Open2 qw(open2);

our @EXPORT_OK = qw(record older message alert extension renegotiation server_hello certificate ecdhe dhe
                    key_exchange client_hello HELLO_DONE);

# A length in so many bytes, and what it is the length of.
sub counted ($bytes, $content) { return substr(pack('N', length $content), 4 - $bytes) . $content }

sub record ($type, $content, $version = 0x0303) { return pack('Cn', $type, $version) . counted(2, $content) }

# A handshake message, in as many records as it takes.
sub message ($type, $content) {
    return join '', map { record(22, $_) } unpack '(a16384)*', chr($type) . counted(3, $content);
}

# The same records, of another version.
sub older ($version, $flight) {
    my $out = '';

    while (length $flight) {
        my ($type, $content) = unpack 'C x2 n/a', $flight;
        $out .= record($type, $content, $version);
        substr($flight, 0, 5 + length $content) = '';
    }
    return $out;
}

sub alert ($number, $level = 2) { return record(21, chr($level) . chr $number) }
sub extension ($type, $content) { return pack('n', $type) . counted(2, $content) }

# Without it OpenSSL goes no further; with it unasked wolfSSL does not.
sub renegotiation ($hello) { return exists $hello->{extensions}{0xff01} ? extension(0xff01, "\0") : '' }

# What the peer answers a ClientHello with; `more` has what differs from a sound one of TLS 1.2.
sub server_hello ($hello, %more) {
    return message(2, pack('n', $more{version} // 0x0303) . ($more{random} // 'r' x 32)
                      . counted(1, $more{session} // '') . pack('nC', $more{suite} // 0xc02b, $more{compression} // 0)
                      . counted(2, join '', @{$more{extensions} // [renegotiation($hello)]}));
}

sub certificate (@chain) { return message(11, counted(3, join '', map { counted(3, $_) } @chain)) }

# What a ServerKeyExchange offers: a point on a curve (RFC 8422), or a prime, a generator and a power of it.
my $generator = "\x04" . pack 'H*', '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'
                                    . '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';

sub ecdhe (%more) {
    return pack 'Cn C/a', $more{kind} // 3, $more{curve} // 23, $more{point} // $generator;
}
sub dhe (@numbers) { return pack '(n/a)*', @numbers }

# It is signed with a key file, by SHA-256.
sub key_exchange ($key, $hello, $offer, %more) {
    my $pid = open2(my $out, my $in, qw(openssl dgst -sha256 -sign), $key);

    print $in $hello->{random}, 'r' x 32, $offer;
    close $in;
    my $signature = do { local $/; <$out> };
    waitpid $pid, 0;
    substr($signature, -1) ^.= "\1" if $more{forged};
    return message(12, $offer . pack 'n n/a', $more{algorithm} // 0x0403, $signature);
}

use constant HELLO_DONE => message(14, '');

# Reads a ClientHello: its random, its session id, and the extensions it has, by number.
sub client_hello ($socket) {
    my $bytes = '';

    while (length $bytes < 5 || length $bytes < 5 + unpack 'x3 n', $bytes) {
        sysread($socket, $bytes, 65536, length $bytes) or return;
        $bytes =~ s/\A\x14\x03\x03\x00\x01\x01//;    # what a client sends for middleboxes before its second
    }
    return if ord $bytes != 22;
    my ($random, $session, $suites, undef, $extensions) = unpack 'x5 x4 x2 a32 C/a n/a C/a n/a', $bytes;
    my %offered = unpack '(n n/a)*', $extensions;
    $offered{0xff01} //= '' if grep { $_ == 0x00ff } unpack 'n*', $suites;
    return {random => $random, session => $session, extensions => \%offered};
}

1;
