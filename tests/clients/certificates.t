#!/usr/bin/perl
# Certificates and CRLs with one thing wrong with them that no tool would write: each is served by a real server,
# and each library has its own word for it.  `fakeca faults` has those that occur in life (every_fault.t).
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use Der qw(der seq set oid integer bits octets utf8 generalized utc name extension general certificate crl key
           public pem);
use JSON::PP;
use Target qw(dir run);
use Test::More;
use Worker qw(@libraries);

my $at = '2031-05-05T12:00:00Z';

# --- a root, an issuer below it, and the server's own; `part` is what is wrong --------------------------------

my $is_ca = extension('2.5.29.19', seq(der(0x01, "\xff")), 1);
my $signs = extension('2.5.29.15', bits("\x06", 1), 1);    # keyCertSign, cRLSign
my $name = extension('2.5.29.17', seq(general(2, 'shop.test')));
my $rsa = seq(oid('1.2.840.113549.1.1.11'), der(0x05));

sub leaf (%part) { return certificate('leaf', 'middle', extensions => [$name], %part) }
sub middle (%part) { return certificate('middle', 'root', extensions => [$is_ca, $signs], %part) }
sub san (@names) { return extension('2.5.29.17', seq(general(2, 'shop.test'), @names)) }
sub constrained ($subtree, @more) {
    return middle(extensions => [$is_ca, $signs, extension('2.5.29.30', seq(der(0xa0, seq($subtree, @more))), 1)]);
}
sub spki ($algorithm, $parameters, $bits) { return seq(seq(oid($algorithm), $parameters), bits($bits)) }
sub ec ($curve, $point) { return spki('1.2.840.10045.2.1', oid($curve), $point) }

# A chain with so many issuers between the root and the leaf.
sub deep ($issuers) {
    my @chain = certificate('leaf', 'leaf', by => 'middle', issuer => name("c$issuers"), extensions => [$name]);

    for my $i (reverse 1 .. $issuers) {
        push @chain, certificate('middle', 'middle', by => $i == 1 ? 'root' : 'middle', subject => name("c$i"),
                                 issuer => name($i == 1 ? 'root' : 'c' . ($i - 1)), extensions => [$is_ca, $signs]);
    }
    return @chain;
}

# A CRL of the issuer's with something wrong with it, beside the root's.
sub lists (%part) { return [pem('X509 CRL', crl('middle', %part)), pem('X509 CRL', crl('root'))] }

my $trust = pem('CERTIFICATE', certificate('root', 'root', extensions => [$is_ca, $signs]));
key('rsa', 'RSA', -pkeyopt => 'rsa_keygen_bits:2048');
key('weak', 'RSA', -pkeyopt => 'rsa_keygen_bits:1024');

sub rejected {
    run(qw(openssl x509 -addreject serverAuth -trustout -in), $trust, -out => dir() . '/rejected.pem');
    return dir() . '/rejected.pem';
}

# --- what is wrong, and what is made of it ---------------------------------------------------------------------

# `serve` is the chain; `key` whose key the server has; `changes` how the client is set up.
my @cases;
sub wrong ($what, %case) { push @cases, {what => $what, serve => [leaf(), middle()], %case} }

wrong 'nothing at all', openssl => 'ok', gnutls => 'ok', wolfssl => 'ok';
wrong 'nothing, and CRLs', changes => {crl => lists()}, openssl => 'ok', gnutls => 'ok', wolfssl => 'ok';

wrong 'a first day that is no date', serve => [leaf(from => utc('30010100000xZ')), middle()],
    openssl => 'malformed X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD (13)',
    gnutls  => 'malformed GNUTLS_E_ASN1_TIME_ERROR (-418)',
    wolfssl => 'not-yet-valid X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD (13), then -150';
wrong 'a first day that is empty', serve => [leaf(from => utc('')), middle()],
    openssl => 'malformed X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD (13)',
    gnutls  => 'malformed GNUTLS_E_ASN1_DER_ERROR (-69)',
    wolfssl => 'not-yet-valid ASN_BEFORE_DATE_E (-150)';
wrong 'a last day in month 13', serve => [leaf(until => utc('401301000000Z')), middle()],
    openssl => 'malformed X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD (14)',
    gnutls  => 'malformed GNUTLS_E_CERTIFICATE_TIME_ERROR (-416)',
    wolfssl => 'ok';
wrong 'no days', serve => [leaf(validity => seq()), middle()],
    openssl => 'malformed error:06800079',
    gnutls  => 'malformed GNUTLS_E_CERTIFICATE_TIME_ERROR (-416)',
    wolfssl => 'expired ASN_AFTER_DATE_E (-151)';

wrong 'bytes that are no certificate', serve => ['garbage', middle()],
    openssl => 'malformed error:0680009B',
    gnutls  => 'malformed GNUTLS_E_ASN1_TAG_ERROR (-73)',
    wolfssl => 'malformed ASN_PARSE_E (-140)';
wrong 'a certificate and two bytes', serve => [leaf() . 'xx', middle()],
    openssl => 'malformed SSL_R_CERT_LENGTH_MISMATCH (135)',
    gnutls  => 'malformed GNUTLS_E_ASN1_DER_ERROR (-69)',
    wolfssl => 'ok';
wrong 'extensions of a certificate that is said to be older', serve => [leaf(version => ''), middle()],
    openssl => 'ok',
    gnutls  => 'malformed GNUTLS_E_CERTIFICATE_ERROR (-43)',
    wolfssl => 'malformed ASN_VERSION_E (-141)';
wrong 'an algorithm without a name', serve => [leaf(algorithm => seq()), middle()],
    openssl => 'malformed error:06800079',
    gnutls  => 'malformed GNUTLS_E_ASN1_ELEMENT_NOT_FOUND (-67)',
    wolfssl => 'malformed ASN_OBJECT_ID_E (-144)';
wrong 'a signature that is no bits', serve => [leaf(signature => octets('x')), middle()],
    openssl => 'malformed error:068000A8',
    gnutls  => 'malformed GNUTLS_E_ASN1_TAG_ERROR (-73)',
    wolfssl => 'malformed ASN_BITSTR_E (-147)';
wrong 'a signature of nine spare bits', serve => [leaf(signature => bits('x', 9)), middle()],
    openssl => 'malformed error:068000DC',
    gnutls  => 'not-a-ca GNUTLS_CERT_SIGNER_NOT_CA (0x82)',
    wolfssl => 'malformed ASN_EXPECT_0_E (-146)';
wrong 'an extension that stands twice', serve => [leaf(extensions => [$name, $name]), middle()],
    openssl => 'unknown-issuer X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY (20)',
    gnutls  => 'malformed GNUTLS_E_X509_DUPLICATE_EXTENSION (-430)',
    wolfssl => 'malformed ASN_OBJECT_ID_E (-144)';
wrong 'addresses of an unknown kind', openssl => 'malformed X509_V_ERR_INVALID_EXTENSION (41)',
    serve   => [leaf(extensions => [$name, extension('1.3.6.1.5.5.7.1.7',
                seq((seq(octets("\0\1"), der(0x05))) x 2), 1)]), middle()],
    gnutls  => 'critical-extension GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS (0x200002)',
    wolfssl => 'critical-extension ASN_CRIT_EXT_E (-160)';

wrong 'a key of an unknown kind', serve => [leaf(public => spki('1.2.3.4', '', 'k')), middle()],
    openssl => 'weak-key X509_V_ERR_EE_KEY_TOO_SMALL (66)',
    gnutls  => 'malformed GNUTLS_E_ASN1_ELEMENT_NOT_FOUND (-67)',
    wolfssl => 'malformed ASN_UNKNOWN_OID_E (-148)';
wrong 'a key on an unknown curve', serve => [leaf(public => ec('1.2.3.4', "\4" . 'k' x 64)), middle()],
    openssl => 'weak-key X509_V_ERR_EE_KEY_TOO_SMALL (66)',
    gnutls  => 'no-shared-cipher GNUTLS_E_ECC_UNSUPPORTED_CURVE (-322)',
    wolfssl => 'no-shared-cipher ECC_CURVE_OID_E (-172)';
wrong 'half a key', serve => [leaf(public => ec('1.2.840.10045.3.1.7', "\4abc")), middle()],
    openssl => 'weak-key X509_V_ERR_EE_KEY_TOO_SMALL (66)',
    gnutls  => 'other GNUTLS_E_INVALID_REQUEST (-50)',
    wolfssl => 'malformed PEER_KEY_ERROR (-342)';
wrong 'an issuer with a weak key', openssl => 'weak-key X509_V_ERR_CA_KEY_TOO_SMALL (67)',
    serve   => [certificate('leaf', 'weak', algorithm => $rsa, extensions => [$name]),
                certificate('weak', 'root', extensions => [$is_ca, $signs])],
    gnutls  => 'ok', wolfssl => 'ok';
wrong 'an issuer with a key of 512 bits', openssl => 'unknown-issuer X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY (20)',
    serve   => [leaf(), middle(public => spki('1.2.840.113549.1.1.1', der(0x05),
                seq(der(0x02, "\0" . 'm' x 64), integer(3))))],
    gnutls  => 'weak-signature GNUTLS_CERT_INSECURE_ALGORITHM (0x102)',
    wolfssl => 'weak-key RSA_KEY_SIZE_E (-409), then -188';

wrong 'two algorithms for one signature', serve => [leaf(outer => seq(oid('1.2.840.10045.4.3.3'))), middle()],
    openssl => 'bad-signature X509_V_ERR_CERT_SIGNATURE_FAILURE (7)',
    gnutls  => 'malformed GNUTLS_E_CERTIFICATE_ERROR (-43)',
    wolfssl => 'bad-signature ASN_SIG_OID_E (-152)';
wrong "an algorithm that is not of its issuer's key", serve => [leaf(algorithm => $rsa), middle()],
    openssl => 'unknown-issuer X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY (20)',
    gnutls  => 'bad-signature GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE (0x10002)',
    wolfssl => 'bad-signature X509_V_ERR_CERT_SIGNATURE_FAILURE (7), then -152';
wrong 'the same, of its issuer', serve => [leaf(), middle(algorithm => $rsa)],
    openssl => 'unknown-issuer X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY (20)',
    gnutls  => 'bad-signature GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE (0x10002)',
    wolfssl => 'bad-signature X509_V_ERR_CERT_SIGNATURE_FAILURE (7), then -188';
wrong "a server whose key is of another kind than its certificate's", key => 'rsa',
    openssl => 'no-shared-cipher SSL_R_WRONG_SIGNATURE_TYPE (370)',
    gnutls  => 'no-shared-cipher GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY (-419)',
    wolfssl => 'bad-signature SIG_VERIFY_E (-229)';
wrong 'a key that is not for signatures, in TLS 1.2', changes => {max_version => '1.2'},
    serve   => [leaf(extensions => [$name, extension('2.5.29.15', bits("\x08", 3))]), middle()],
    openssl => 'wrong-purpose SSL_R_ECC_CERT_NOT_FOR_SIGNING (318)',
    gnutls  => 'wrong-purpose GNUTLS_E_KEY_USAGE_VIOLATION (-48)',
    wolfssl => 'wrong-purpose KEYUSE_SIGNATURE_E (-383)';
wrong 'a root that is trusted, but not with servers', changes => {trust => rejected()},
    openssl => 'wrong-purpose X509_V_ERR_CERT_REJECTED (28)';
wrong 'an issuer that is trusted, and its root is not', changes => {trust => pem('CERTIFICATE', middle())},
    openssl => 'unknown-issuer X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT (2)',
    gnutls  => 'ok', wolfssl => 'ok';
wrong 'an issuer that may sign nothing', openssl => 'not-a-ca X509_V_ERR_INVALID_CA (79)',
    serve   => [leaf(), middle(extensions => [$is_ca, extension('2.5.29.15', bits("\x80", 7), 1)])],
    gnutls  => 'not-a-ca GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE (0x10002)',
    wolfssl => 'unknown-issuer X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY (20), then -188';
wrong 'seventeen issuers', serve => [deep(17)],
    openssl => 'ok',
    gnutls  => 'path-length GNUTLS_E_CONSTRAINT_ERROR (-101)';
wrong 'a hundred and one issuers', serve => [deep(101)],
    openssl => 'path-length X509_V_ERR_CERT_CHAIN_TOO_LONG (22)',
    gnutls  => 'path-length GNUTLS_E_CONSTRAINT_ERROR (-101)',
    wolfssl => 'malformed HANDSHAKE_SIZE_ERROR (-404)';

wrong 'a name constraint with a minimum', serve => [leaf(), constrained(general(2, 'shop.test'), der(0x80, "\1"))],
    openssl => 'name-constraint X509_V_ERR_SUBTREE_MINMAX (49)',
    gnutls  => 'ok';
wrong 'a name constraint of a kind nobody knows',
    serve   => [leaf(extensions => [san(general(8, "\x2a\3"))]), constrained(general(8, "\x2a\3"))],
    openssl => 'name-constraint X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE (51)',
    gnutls  => 'name-constraint GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE (0x10002)';
wrong 'a mail address that is none, under a constraint',
    serve   => [leaf(extensions => [san(general(1, 'nobody'))]), constrained(general(1, 'shop.test'))],
    openssl => 'name-constraint X509_V_ERR_UNSUPPORTED_NAME_SYNTAX (53)',
    gnutls  => 'name-constraint GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE (0x10002)',
    wolfssl => 'name-constraint ASN_NAME_INVALID_E (-198)';

# GnuTLS passes over a CRL that it cannot use, and wolfSSL knows only that it has none.
my %crl = (gnutls => 'ok', wolfssl => 'revocation-unknown CRL_MISSING (-362)');
wrong 'a CRL with a signature that is none', %crl,
    changes => {crl => lists(signature => bits(seq(integer(1), integer(1))))},
    openssl => 'revocation-unknown X509_V_ERR_CRL_SIGNATURE_FAILURE (8)';
wrong 'a CRL by an issuer that may sign none', %crl, changes => {crl => lists()},
    serve   => [leaf(), middle(extensions => [$is_ca, extension('2.5.29.15', bits("\x04", 2), 1)])],
    openssl => 'revocation-unknown X509_V_ERR_KEYUSAGE_NO_CRL_SIGN (35)';
wrong 'a CRL with a critical extension', changes => {crl => lists(extensions => [extension('1.2.3.4', 'x', 1)])},
    openssl => 'revocation-unknown X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION (36)';
wrong 'a CRL that is about issuers alone', openssl => 'revocation-unknown X509_V_ERR_DIFFERENT_CRL_SCOPE (44)',
    changes => {crl => lists(extensions => [extension('2.5.29.28', seq(der(0x82, "\xff")), 1)])};
wrong 'a CRL from a day that is none', changes => {crl => lists(from => utc('31010100000xZ'))},
    openssl => 'revocation-unknown X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD (15)';
wrong 'a CRL until a day that is none', changes => {crl => lists(until => utc('33010100000xZ'))},
    openssl => 'revocation-unknown X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD (16)',
    wolfssl => 'revocation-unknown CRL_MISSING (-362)';

# --- the server, and who asks it --------------------------------------------------------------------------------

sub host ($case) {
    return [{name => 'shop.test', chain => pem('CERTIFICATE', @{$case->{serve}}), key => key($case->{key} // 'leaf')}];
}

my %only = map { $_ => 1 } @ARGV;
my %worker = map { $_ => Worker->start($_) } @libraries;
my $target = Target->start(hosts => host($cases[0]));

for my $case (grep { !%only || $only{$_->{what}} } @cases) {
    my $event = $target->reload(hosts => host($case), exact => JSON::PP::true);
    is($event->{event}, 'reloaded', "$case->{what} is served") or diag explain $event;

    for my $library (grep { $case->{$_} } @libraries) {
        my $said = $worker{$library}->probe(connect => $target->{address}, name => 'shop.test', trust => $trust,
                                            at => $at, timeout => '60s', %{$case->{changes} // {}});

        is(join(' ', grep { defined } @$said{qw(outcome code)}), $case->{$library}, "  $library") or diag explain $said;
    }
}
is($worker{$_}->end, 0, "$_: the worker is well") for @libraries;
is($target->stop, 0, 'the target outlived all that');

done_testing;
