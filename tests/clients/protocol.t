#!/usr/bin/perl
# A server that breaks the protocol: one peer says the wrong bytes, and each library has its own word
# for it.  What we make of that word is the same where the libraries say the same.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use MIME::Base64 qw(decode_base64);
use Peer qw(record older message alert extension renegotiation server_hello certificate ecdhe dhe
            key_exchange client_hello HELLO_DONE);
use Target qw(slurp);
use Test::More;
use Worker qw(@libraries shop peer);

my $at = '2031-05-05T12:00:00Z';
my %shop = map { $_ => shop($at, '--key', $_) } qw(p256 rsa2048);

sub served ($bundle) {
    return certificate(map { decode_base64($_) } slurp($bundle->{chain}) =~ /BEGIN CERTIFICATE-----(.*?)-----END/sg);
}
my %certificate = map { $_ => served($shop{$_}) } keys %shop;

# --- what the peer says ---------------------------------------------------------------------------------

my %rsa = (key => 'rsa2048', suite => 0xc02f, algorithm => 0x0401);
my $retry = pack 'H*', 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';    # RFC 8446, 4.1.3

# TLS 1.2, as far as the certificate, or as far as the end of the server's first flight.
sub as_far_as_certificate ($hello, %more) { return server_hello($hello, %more) . $certificate{$more{key} // 'p256'} }
sub flight ($hello, $offer = ecdhe(), %more) {
    return as_far_as_certificate($hello, %more)
        . key_exchange($shop{$more{key} // 'p256'}{key}, $hello, $offer, %more) . HELLO_DONE;
}

# TLS 1.3: a ServerHello, or one that asks for another; `more` has a key share, and what else differs.
sub hello13 ($hello, %more) {
    my @share = defined $more{share} ? extension(51, $more{share}) : ();
    return server_hello($hello, session => $hello->{session}, suite => 0x1301,
                        extensions => [extension(43, "\3\4"), @share], %more);
}
sub share ($group, $key) { return pack 'n n/a', $group, $key }

# --- what is wrong, who says it, and what is made of it ---------------------------------------------------

# `then` is what follows the client's second flight; `changes` is how the client is set up.
my @cases;
sub wrong ($what, $says, %rest) { push @cases, {what => $what, says => $says, %rest} }

wrong 'a version older than any offered', sub ($h) { server_hello($h, version => 0x0300) },
    openssl => 'protocol-version SSL_R_UNSUPPORTED_PROTOCOL (258)',
    gnutls  => 'protocol-version GNUTLS_E_UNSUPPORTED_VERSION_PACKET (-8)',
    wolfssl => 'protocol-version VERSION_ERROR (-326)';
wrong 'an older version, where the extension says it', sub ($h) { hello13($h, extensions => [extension(43, "\3\2")]) },
    openssl => 'protocol-version SSL_R_BAD_PROTOCOL_VERSION_NUMBER (116)',
    gnutls  => 'other GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER (-55)',
    wolfssl => 'protocol-version VERSION_ERROR (-326)';
wrong 'a downgrade that somebody forced', sub ($h) { server_hello($h, random => 'r' x 24 . "DOWNGRD\1") },
    openssl => 'protocol-version SSL_R_INAPPROPRIATE_FALLBACK (373)',
    gnutls  => 'other GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER (-55)',
    wolfssl => 'protocol-version VERSION_ERROR (-326)';
wrong 'a record of another version', sub ($h) { server_hello($h) . older(0x0301, message(11, "\0\0\0")) },
    openssl => 'protocol-version SSL_R_WRONG_VERSION_NUMBER (267)',
    gnutls  => 'protocol-version GNUTLS_E_UNSUPPORTED_VERSION_PACKET (-8)';
wrong 'a retry in TLS 1.3, and then TLS 1.2', sub ($h) { hello13($h, random => $retry, share => "\0\x18") },
    then    => sub ($h) { server_hello($h) },
    openssl => 'protocol-version SSL_R_WRONG_SSL_VERSION (266)';

wrong 'a cipher suite nobody has', sub ($h) { server_hello($h, suite => 0xfafa) },
    openssl => 'no-shared-cipher SSL_R_UNKNOWN_CIPHER_RETURNED (248)',
    gnutls  => 'no-shared-cipher GNUTLS_E_UNKNOWN_CIPHER_SUITE (-21)',
    wolfssl => 'no-shared-cipher UNSUPPORTED_SUITE (-500)';
wrong 'a cipher suite that was not offered', sub ($h) { server_hello($h, suite => 0x0002) },
    openssl => 'no-shared-cipher SSL_R_WRONG_CIPHER_RETURNED (261)',
    gnutls  => 'no-shared-cipher GNUTLS_E_UNKNOWN_CIPHER_SUITE (-21)',
    wolfssl => 'no-shared-cipher UNSUPPORTED_SUITE (-500)';
wrong 'a retry with another suite', sub ($h) { hello13($h, suite => 0x1399, random => $retry, share => "\0\x18") },
    openssl => 'no-shared-cipher SSL_R_UNKNOWN_CIPHER_RETURNED (248)',
    gnutls  => 'no-shared-cipher GNUTLS_E_UNKNOWN_CIPHER_SUITE (-21)',
    wolfssl => 'no-shared-cipher MATCH_SUITE_ERROR (-501)';
wrong 'a key share of a group that was not offered', sub ($h) { hello13($h, share => share(0x0101, 'k' x 32)) },
    openssl => 'no-shared-cipher SSL_R_BAD_KEY_SHARE (108)',
    gnutls  => 'other GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER (-55)',
    wolfssl => 'no-shared-cipher BAD_KEY_SHARE_DATA (-421)';
wrong 'no key share', sub ($h) { hello13($h) },
    openssl => 'no-shared-cipher SSL_R_NO_SUITABLE_KEY_SHARE (101)',
    gnutls  => 'other GNUTLS_E_ILLEGAL_PARAMETER (-325)',
    wolfssl => 'other wolfSSL (-428)';
wrong 'a curve nobody has', sub ($h) { flight($h, ecdhe(curve => 0xfafa)) },
    openssl => 'no-shared-cipher SSL_R_WRONG_CURVE (378)',
    gnutls  => 'other GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER (-55)',
    wolfssl => 'no-shared-cipher ECC_CURVE_ERROR (-351)';
wrong 'a curve told by its equation', sub ($h) { flight($h, ecdhe(kind => 1)) },
    openssl => 'no-shared-cipher SSL_R_WRONG_CURVE (378)',
    gnutls  => 'no-shared-cipher GNUTLS_E_ECC_NO_SUPPORTED_CURVES (-321)',
    wolfssl => 'no-shared-cipher ECC_CURVETYPE_ERROR (-350)';
wrong 'a signature algorithm nobody has', sub ($h) { flight($h, ecdhe(), algorithm => 0xfafa) },
    openssl => 'no-shared-cipher SSL_R_WRONG_SIGNATURE_TYPE (370)',
    gnutls  => 'no-shared-cipher GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM (-106)',
    wolfssl => 'no-shared-cipher ALGO_ID_E (-133)';
wrong 'a signature algorithm of another kind of key', sub ($h) { flight($h, ecdhe(), algorithm => 0x0401) },
    openssl => 'no-shared-cipher SSL_R_WRONG_SIGNATURE_TYPE (370)',
    gnutls  => 'no-shared-cipher GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY (-419)',
    wolfssl => 'no-shared-cipher ALGO_ID_E (-133)';
wrong 'a signature that is SHA-1 by its version', sub ($h) {
        older(0x0301, flight($h, ecdhe(), version => 0x0301, suite => 0xc009)) },
    changes => {min_version => '1.0', max_version => '1.0'},
    openssl => 'weak-signature SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED (333)';
wrong 'a Diffie-Hellman group of 512 bits', sub ($h) {
        flight($h, dhe("\xff" x 63 . "\xc5", "\2", "\3" x 63), %rsa, suite => 0x009e) },
    openssl => 'weak-key SSL_R_DH_KEY_TOO_SMALL (394)',
    gnutls  => 'weak-key GNUTLS_E_DH_PRIME_UNACCEPTABLE (-63)',
    wolfssl => 'weak-key DH_KEY_SIZE_E (-401)';
wrong 'a signature that is not its own', sub ($h) { flight($h, ecdhe(), forged => 1) },
    openssl => 'bad-signature SSL_R_BAD_SIGNATURE (123)',
    gnutls  => 'bad-signature GNUTLS_E_PK_SIG_VERIFY_FAILED (-89)',
    wolfssl => 'bad-signature VERIFY_SIGN_ERROR (-330)';
wrong 'an RSA signature that is not its own', sub ($h) {
        flight($h, ecdhe(), %rsa, forged => 1) },
    openssl => 'bad-signature SSL_R_BAD_SIGNATURE (123)',
    gnutls  => 'bad-signature GNUTLS_E_PK_SIG_VERIFY_FAILED (-89)',
    wolfssl => 'bad-signature RSA_PAD_E (-201)';

wrong 'half a ServerHello', sub ($h) { message(2, "\3\3abc") },
    openssl => 'malformed SSL_R_LENGTH_MISMATCH (159)',
    gnutls  => 'malformed GNUTLS_E_UNEXPECTED_PACKET_LENGTH (-9)',
    wolfssl => 'malformed BUFFER_ERROR (-328)';
wrong 'a header in two records, which is allowed, and then an alert', sub ($h) {
        my (undef, $hello) = unpack 'a5 a*', server_hello($h);
        record(22, substr $hello, 0, 2) . record(22, substr $hello, 2) . alert(80) },
    openssl => 'alert-internal-error SSL_R (1080)',
    gnutls  => 'alert-internal-error GNUTLS_E_FATAL_ALERT_RECEIVED (-12)',
    wolfssl => 'malformed PARSE_ERROR (-306)';
wrong 'an extension longer than its message', sub ($h) { server_hello($h, extensions => ["\0\x0b\0\xff\1"]) },
    openssl => 'malformed SSL_R_BAD_EXTENSION (110)',
    gnutls  => 'malformed GNUTLS_E_UNEXPECTED_EXTENSIONS_LENGTH (-350)',
    wolfssl => 'malformed BUFFER_ERROR (-328)';
wrong 'a record longer than records may be', sub ($h) { record(22, 'x' x 20_000) },
    openssl => 'malformed SSL_R_PACKET_LENGTH_TOO_LONG (198)',
    gnutls  => 'malformed GNUTLS_E_RECORD_OVERFLOW (-417)',
    wolfssl => 'malformed LENGTH_ERROR (-341)';
wrong 'a message longer than anybody reads', sub ($h) { server_hello($h) . message(11, 'x' x 140_000) },
    openssl => 'malformed SSL_R_EXCESSIVE_MESSAGE_SIZE (152)',
    gnutls  => 'malformed GNUTLS_E_HANDSHAKE_TOO_LARGE (-210)',
    wolfssl => 'malformed HANDSHAKE_SIZE_ERROR (-404)';
wrong 'no certificate in the certificate message', sub ($h) { server_hello($h) . certificate() . HELLO_DONE },
    openssl => 'malformed SSL_R_LENGTH_MISMATCH (159)',
    gnutls  => 'malformed GNUTLS_E_NO_CERTIFICATE_FOUND (-49)',
    wolfssl => 'other wolfSSL (-373)';
wrong 'a certificate longer than its message', sub ($h) { server_hello($h) . message(11, "\0\0\6\0\0\xffabc") },
    openssl => 'malformed SSL_R_CERT_LENGTH_MISMATCH (135)',
    gnutls  => 'malformed GNUTLS_E_UNEXPECTED_PACKET_LENGTH (-9)',
    wolfssl => 'malformed BUFFER_ERROR (-328)';
wrong 'half a ServerKeyExchange', sub ($h) { as_far_as_certificate($h) . message(12, "\3\0") . HELLO_DONE },
    openssl => 'malformed SSL_R_LENGTH_TOO_SHORT (160)',
    gnutls  => 'malformed GNUTLS_E_UNEXPECTED_PACKET_LENGTH (-9)',
    wolfssl => 'malformed BUFFER_ERROR (-328)';
wrong 'a point that is on no curve', sub ($h) { flight($h, ecdhe(point => "\4" . 'p' x 64)) },
    openssl => 'malformed SSL_R_BAD_ECPOINT (306)',
    gnutls  => 'malformed GNUTLS_E_PK_INVALID_PUBKEY (-409)';
wrong 'half a point', sub ($h) { flight($h, ecdhe(point => "\4abc")) },
    openssl => 'malformed SSL_R_BAD_ECPOINT (306)',
    gnutls  => 'other GNUTLS_E_INVALID_REQUEST (-50)',
    wolfssl => 'malformed ECC_PEERKEY_ERROR (-352)';
wrong 'a key share that is too short', sub ($h) { hello13($h, share => share(29, 'short')) },
    openssl => 'malformed SSL_R_BAD_ECPOINT (306)',
    gnutls  => 'other GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER (-55)';
wrong 'more in a message than belongs there', sub ($h) { substr(flight($h), 0, -9) . message(14, 'abc') },
    openssl => 'malformed SSL_R_EXCESSIVE_MESSAGE_SIZE (152)',
    gnutls  => 'malformed GNUTLS_E_UNEXPECTED_PACKET_LENGTH (-9)',
    wolfssl => 'malformed DECODE_E (-416)';
wrong 'half an alert', sub ($h) { record(21, "\2") },
    openssl => 'malformed SSL_R_INVALID_ALERT (205)',
    gnutls  => 'other GNUTLS_E_UNEXPECTED_PACKET (-15)',
    wolfssl => 'malformed BUFFER_E (-132)';
wrong 'a staple that is none', sub ($h) {
        server_hello($h, extensions => [renegotiation($h), extension(5, '')]) . $certificate{p256}
        . message(22, "\1\0\0\4abcd") . key_exchange($shop{p256}{key}, $h, ecdhe()) . HELLO_DONE },
    changes => {staple => 'check'},
    openssl => 'revocation-unknown d2i_OCSP_RESPONSE',
    gnutls  => 'revocation-unknown GNUTLS_CERT_INVALID_OCSP_STATUS (0x100002)',
    wolfssl => 'revocation-unknown BAD_CERTIFICATE_STATUS_ERROR (-406)';

# A warning is no reason: that is what comes after it.
wrong 'a warning, and half a ServerHello', sub ($h) { alert(112, 1) . message(2, "\3\3abc") },
    openssl => 'malformed SSL_R_LENGTH_MISMATCH (159)',
    gnutls  => 'malformed GNUTLS_E_UNEXPECTED_PACKET_LENGTH (-9)',
    wolfssl => 'malformed BUFFER_ERROR (-328)';
wrong 'a warning, and the end', sub ($h) { alert(112, 1) },
    openssl => 'closed SSL_R (294)',
    gnutls  => 'closed GNUTLS_E_PREMATURE_TERMINATION (-110)',
    wolfssl => 'closed SOCKET_ERROR_E (-308)';

# There is no outcome for a server that says the right things at the wrong time; nobody calls it anything else.
wrong 'a message in the wrong place', sub ($h) { server_hello($h) . HELLO_DONE },
    openssl => 'other SSL_R (244)',
    gnutls  => 'other GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET (-19)',
    wolfssl => 'other wolfSSL (-373)';
wrong 'a kind of record nobody knows', sub ($h) { record(24, 'abc') },
    openssl => 'other SSL_R (244)',
    gnutls  => 'other GNUTLS_E_UNEXPECTED_PACKET (-15)',
    wolfssl => 'other UNKNOWN_RECORD_TYPE (-311)';
wrong 'a Finished that is not encrypted', sub ($h) { flight($h) },
    then    => record(20, "\1") . record(22, 'f' x 40),
    openssl => 'other error:1C800066',
    gnutls  => 'other GNUTLS_E_DECRYPTION_FAILED (-24)',
    wolfssl => 'other wolfSSL (-305)';

wrong 'a close_notify for an answer', sub ($h) { alert(0, 1) },
    openssl => 'closed SSL_ERROR_ZERO_RETURN (6)',
    gnutls  => 'closed GNUTLS_E_SESSION_EOF (-328)',
    wolfssl => 'closed WOLFSSL_ERROR_ZERO_RETURN (6)';
wrong 'a record that is cut off', sub ($h) { substr server_hello($h), 0, 20 },
    openssl => 'closed SSL_R (294)',
    gnutls  => 'closed GNUTLS_E_UNEXPECTED_PACKET_LENGTH (-9)',
    wolfssl => 'closed SOCKET_ERROR_E (-308)';

# The client finds that it has nothing to offer.
wrong 'no suite of ours for a version of ours', sub ($h) { '' },
    changes => {max_version => '1.2', sigalgs => 'ed25519', ciphers => 'ECDHE-RSA-AES128-GCM-SHA256'},
    openssl => 'no-shared-cipher SSL_R_NO_CIPHERS_AVAILABLE (181)';
wrong 'no version of ours for a suite of ours', sub ($h) { '' },
    changes => {max_version => '1.2', ciphers => 'TLS_AES_128_GCM_SHA256'},
    openssl => 'protocol-version SSL_R_NO_PROTOCOLS_AVAILABLE (191)';
# --- and every alert there is ---------------------------------------------------------------------------

# What is made of an alert by its number, and of those that mean something else once a ServerHello has come.
my %alert = (
    10 => 'unexpected-message', 40 => 'no-shared-cipher', 41 => 'certificate-required', 42 => 'bad-certificate',
    43 => 'unsupported-certificate', 44 => 'certificate-revoked', 45 => 'certificate-expired',
    46 => 'certificate-unknown', 47 => 'illegal-parameter', 48 => 'unknown-ca', 49 => 'access-denied',
    50 => 'decode-error', 51 => 'decrypt-error', 70 => 'protocol-version', 71 => 'no-shared-cipher',
    80 => 'internal-error', 86 => 'protocol-version', 90 => 'user-canceled', 109 => 'missing-extension',
    112 => 'unrecognized-name', 116 => 'certificate-required', 120 => 'no-application-protocol',
    map { $_ => 'other' } 20, 21, 22, 30, 60, 77, 100, 110, 111, 113, 114, 115, 255,
);
my %late = (%alert, 40 => 'handshake-failure', 71 => 'handshake-failure');
sub of_alert ($word) { return $word =~ /^(no-shared-cipher|protocol-version)$/ ? $word : "alert-$word" }

# The name that is asked for says which alert it is to be, and when.
my $alerting = peer(sub ($socket) {
    my $hello = client_hello($socket) or return;
    my ($when, $number) = $hello->{extensions}{0} =~ /(at-once|late)-(\d+)/ or return;

    print $socket $when eq 'late' ? server_hello($hello) : '', alert($number);
    $socket->flush;
    shutdown $socket, 1;
    1 while sysread $socket, my $rest, 65536;
});

# --- the peer, and who asks it ----------------------------------------------------------------------------

sub peer_that ($case) {
    return peer(sub ($socket) {
        my $hello = client_hello($socket) or return;
        local $SIG{PIPE} = 'IGNORE';

        syswrite $socket, $case->{says}->($hello);
        if (ref $case->{then}) {
            my $second = client_hello($socket) or return;
            syswrite $socket, $case->{then}->($second);
        } elsif ($case->{then}) {
            sysread $socket, my $flight, 65536 or return;
            syswrite $socket, $case->{then};
        }
        shutdown $socket, 1;
        1 while sysread $socket, my $rest, 65536;
    });
}

for my $case (@cases) { $case->{address} = peer_that($case) }
my %ask = (name => 'shop.test', trust => $shop{p256}{trust}, at => $at, timeout => '60s');
my %received = (openssl => 'SSL_R (NUMBER)', gnutls => 'GNUTLS_E_FATAL_ALERT_RECEIVED (-12)',
                wolfssl => 'FATAL_ERROR (-313)');
my %only = map { $_ => 1 } @ARGV;

for my $library (@libraries) {
    my $worker = Worker->start($library);

    for my $case (grep { $_->{$library} && (!%only || $only{$_->{what}}) } @cases) {
        my $said = $worker->probe(%ask, connect => $case->{address}, %{$case->{changes} // {}});

        is(join(' ', map { $_ // '-' } @$said{qw(outcome code)}), $case->{$library}, "$library: $case->{what}")
            or diag explain $said;
    }
    for my $when ('at-once', 'late') {
        my $means = $when eq 'late' ? \%late : \%alert;

        for my $number (sort { $a <=> $b } %only ? () : keys %$means) {
            my $said = $worker->probe(%ask, connect => $alerting, name => "$when-$number.test");
            is($said->{outcome}, of_alert($means->{$number}),
               "$library: alert $number, $when: " . ($said->{alert_received} // '-')) or diag explain $said;
            is($said->{cipher}, $when eq 'late' ? 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256' : undef,
               '  with what was agreed on');
            is($said->{code}, $received{$library} =~ s/NUMBER/1000 + $number/er, '  in its own words');
        }
    }
    is($worker->end, 0, "$library: the worker is well");
}

done_testing;
