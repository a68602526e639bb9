#!/usr/bin/perl
# What the OCSP responder says, as OpenSSL's and GnuTLS's own tools judge it: the truth in every
# state, and each misbehaviour refused for its own reason.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use Client;
use Fakeca qw(dir fakeca try slurp spill);
use Target qw();
use Test::More;

my $dir = dir();
my $ca = "$dir/ca";
my ($issuer, $root) = ("$ca/intermediate-1.pem", "$ca/root.pem");

# These tools know no calendar but the machine's, so the authority lives today.
fakeca('init', '--state', $ca, '--intermediates', 1);
for my $name (qw(good bad)) {
    fakeca('issue', '--state', $ca, '--out', "$dir/$name", '--name', "$name.test");
    openssl('x509', '-in', "$dir/$name/chain.pem", '-out', "$dir/$name.pem");
}
fakeca('revoke', '--state', $ca, '--in', "$dir/bad", '--reason', 'keyCompromise');

sub run (@command) {
    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die;
    my $out = join '', <$pipe>;
    close $pipe;
    return $out;
}
sub openssl (@arguments) { return run('openssl', @arguments) }

# Asks about certificates in one request, lets fakeca answer, and lets `openssl ocsp` judge.
sub ask ($certificates, $how = [], %with) {
    my @about = map { ('-cert', "$dir/$_.pem") } @$certificates;
    my @digest = $with{digest} ? "-$with{digest}" : ();
    my @asks = ('-issuer', $issuer, @digest, @about, $with{nonce} // '-nonce');

    openssl('ocsp', @asks, '-reqout', "$dir/request");
    fakeca('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out', "$dir/answer", @$how);
    # with the request it compares the nonces; with the certificates it tells what is said of each
    my @judge = ('-respin', "$dir/answer", '-CAfile', $root, '-verify_other', $issuer, '-no_nonce');
    return openssl('ocsp', '-reqin', "$dir/request", @judge)
        . openssl('ocsp', '-issuer', $issuer, @digest, @about, @judge);
}

# --- the truth ------------------------------------------------------------------------------------

for my $signed ([], ['--delegated']) {
    my $by = @$signed ? 'by a delegate' : 'by the issuer';
    for my $digest (qw(sha1 sha256)) {
        my $said = ask([qw(good bad)], $signed, digest => $digest);
        like($said, qr/^Response verify OK$/m, "$digest, $by: it verifies");
        like($said, qr{^\S+/good\.pem: good$}m, "$digest, $by: what is good is");
        like($said, qr{^\S+/bad\.pem: revoked\n.*Reason: keyCompromise}ms,
            "$digest, $by: what was revoked is, with the reason, in the same answer");
        unlike($said, qr/nonce/i, "$digest, $by: the nonce came back");
    }
}
like(ask(['good'], [], nonce => '-no_nonce'), qr/verify OK.*good\.pem: good/s, 'without a nonce');

openssl('ocsp', '-issuer', $issuer, '-serial', '0x4444', '-no_nonce', '-reqout', "$dir/request");
fakeca('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out', "$dir/answer");
like(openssl('ocsp', '-respin', "$dir/answer", '-issuer', $issuer, '-serial', '0x4444', '-no_nonce',
        '-CAfile', $root, '-verify_other', $issuer),
    qr/verify OK.*0x4444: unknown/s, 'a certificate that nobody issued is unknown');

openssl('ocsp', '-issuer', $root, '-cert', $issuer, '-reqout', "$dir/request");
fakeca('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out', "$dir/answer");
like(openssl('ocsp', '-respin', "$dir/answer", '-issuer', $root, '-cert', $issuer, '-CAfile', $root,
        '-no_nonce'), qr/verify OK.*intermediate-1\.pem: good/s, 'the intermediate is good, says the root');

# --- by GnuTLS ------------------------------------------------------------------------------------

sub ocsptool ($name, @how) {
    run('ocsptool', '--generate-request', '--load-issuer', $issuer, '--load-cert', "$dir/$name.pem",
        '--outfile', "$dir/request");
    fakeca('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out', "$dir/answer", @how);
    run('ocsptool', '--response-info', '--load-response', "$dir/answer")
        . run('ocsptool', '--verify-response', '--load-response', "$dir/answer", '--load-trust', $issuer);
}
like(ocsptool('good'), qr/Certificate Status: good.*Verifying OCSP Response: Success/s, 'ocsptool: good');
like(ocsptool('bad'), qr/Certificate Status: revoked.*Verifying OCSP Response: Success/s, 'ocsptool: revoked');
like(ocsptool('good', '--delegated'), qr/Verifying OCSP Response: Success/, 'ocsptool: a delegate');
like(ocsptool('good', '--misbehave', 'ocsp-forged'), qr/Verifying OCSP Response: Failure/,
    'ocsptool: a forged one');

# --- misbehaviours --------------------------------------------------------------------------------

my %says = (
    'ocsp-stale' => qr/good\.pem: WARNING: Status times invalid.*status expired/s,
    'ocsp-future' => qr/good\.pem: WARNING: Status times invalid.*status not yet valid/s,
    'ocsp-no-next-update' => qr/verify OK(?!.*Next Update).*good\.pem: good/s,
    'ocsp-try-later' => qr/Responder Error: trylater \(3\)/,
    'ocsp-internal-error' => qr/Responder Error: internalerror \(2\)/,
    'ocsp-unauthorized' => qr/Responder Error: unauthorized \(6\)/,
    'ocsp-unknown' => qr/verify OK.*good\.pem: unknown/s,
    'ocsp-wrongly-revoked' => qr/verify OK.*good\.pem: revoked/s,
    'ocsp-wrongly-good' => qr/verify OK.*good\.pem: good/s,
    'ocsp-wrong-signer' => qr/Response Verify Failure.*(?:certificate verify error|signature failure)/s,
    'ocsp-unentitled-signer' => qr/Response Verify Failure.*missing ocspsigning usage/s,
    'ocsp-forged' => qr/Response Verify Failure.*signature failure/s,
    'ocsp-wrong-serial' => qr/verify OK.*good\.pem: ERROR: No Status found/s,
    'ocsp-nonce-missing' => qr/WARNING: no nonce in response/,
    'ocsp-nonce-wrong' => qr/Nonce Verify error/,
    'ocsp-garbage' => qr/Error reading OCSP response/,
    'ocsp-oversize' => qr/verify OK.*good\.pem: good/s,
);
for my $name (sort keys %says) {
    like(ask(['good'], ['--misbehave', $name]), $says{$name}, "$name: openssl sees it");
}
like(ask(['bad'], ['--misbehave', 'ocsp-wrongly-good']), qr/verify OK.*bad\.pem: good/s,
    'ocsp-wrongly-good: of what was revoked, too');
ask(['good'], ['--misbehave', 'ocsp-oversize']);
cmp_ok(-s "$dir/answer", '>', 1 << 20, 'ocsp-oversize: more than a megabyte');

# --- bad requests ---------------------------------------------------------------------------------

sub answer_to ($bytes) {
    spill("$dir/request", $bytes);
    fakeca('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out', "$dir/answer");
    return openssl('ocsp', '-respin', "$dir/answer", '-noverify');
}
like(answer_to($_->[1]), qr/malformedrequest \(1\)/, "$_->[0]: malformedRequest")
    for ['no octets', ''], ['no DER', 'GET / HTTP/1.0'], ['an empty sequence', "\x30\x00"],
        ['a length that lies', "\x30\x84\xff\xff\xff\xff"], ['70,000 octets', 'x' x 70_000];
ask(['good']);
my $whole = slurp("$dir/request");
like(answer_to($whole . 'x'), qr/malformedrequest \(1\)/, 'an octet too many: malformedRequest');
is(scalar(grep { answer_to(substr $whole, 0, $_) !~ /malformedrequest \(1\)/ } 1, 20, length($whole) - 1),
    0, 'cut requests: malformedRequest');

openssl('ocsp', '-issuer', "$dir/other/chain.pem", '-cert', "$dir/good.pem", '-reqout', "$dir/request")
    if fakeca('init', '--state', "$dir/ca2", '--intermediates', 0)
    && fakeca('issue', '--state', "$dir/ca2", '--out', "$dir/other", '--name', 'other.test');
fakeca('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out', "$dir/answer");
like(openssl('ocsp', '-respin', "$dir/answer", '-noverify'), qr/unauthorized \(6\)/,
    'another CA\'s certificate: unauthorized');

my (undef, $err, $status) = try('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out',
    "$dir/answer", '--misbehave', 'ocsp-stael');
is($status, 2, 'an unknown misbehaviour: status 2');
like($err, qr/\Afakeca: --misbehave: .*did you mean ocsp-stale\?\n\z/, 'and which was meant');

done_testing();
