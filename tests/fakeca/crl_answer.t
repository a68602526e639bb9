#!/usr/bin/perl
# CRLs and issuers' certificates as HTTP would give them out, judged by OpenSSL's and GnuTLS's tools.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Fakeca qw(dir fakeca try);
use Math::BigInt;
use Test::More;

my $dir = dir();
my $ca = "$dir/ca";
my $now = time;    # certtool knows no other
my @at = ('--at', "\@$now");
my %number = (root => 0, 'intermediate-1' => 1);

fakeca('init', '--state', $ca, @at, '--intermediates', 1);
for my $name (qw(good bad)) {
    fakeca('issue', '--state', $ca, '--out', "$dir/$name", '--name', "$name.test", @at);
}
fakeca('revoke', '--state', $ca, '--in', "$dir/bad", '--reason', 'keyCompromise', @at);

sub run (@command) {
    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die;
    my $out = join '', <$pipe>;
    close $pipe;
    return $out;
}

# The CRL of an issuer, as PEM too.
sub crl ($issuer, @how) {
    fakeca('answer', '--to', 'crl', '--state', $ca, '--issuer', $number{$issuer}, '--out', "$dir/$issuer.crl",
        @at, @how);
    return run('openssl', 'crl', '-inform', 'DER', '-in', "$dir/$issuer.crl", '-out', "$dir/$issuer.crl.pem");
}

# What OpenSSL makes of a leaf with the intermediate's CRL; the day may be another.
sub verify ($name, $day = 0) {
    return run('openssl', 'verify', '-crl_check', '-attime', $now + 86400 * $day,
        '-CAfile', "$dir/$name/trust.pem", '-untrusted', "$ca/intermediate-1.pem",
        '-CRLfile', "$dir/intermediate-1.crl.pem", "$dir/$name/chain.pem");
}

sub certtool ($issuer) {
    return run('certtool', '--verify-crl', '--load-ca-certificate', "$ca/$issuer.pem",
        '--infile', "$dir/$issuer.crl.pem");
}

# --- the truth ------------------------------------------------------------------------------------

is(crl($_), '', "$_: a CRL that OpenSSL reads") for sort keys %number;
like(verify('good'), qr/: OK$/, 'what is good verifies');
like(verify('bad'), qr/error 23 at 0 depth lookup: certificate revoked/, 'what was revoked does not');
like(verify('good', 6.9), qr/: OK$/, 'still on the last day of the CRL');
like(verify('good', 7.1), qr/error 12 at 0 depth lookup: CRL has expired/, 'and then no more');
like(certtool($_), qr/output: Verified\./, "certtool: the CRL of $_") for sort keys %number;

# What was revoked for no reason is listed without one, and the number tells which CRL is newer.
sub says ($what) { return run(qw(openssl crl -noout), $what, '-in', "$dir/intermediate-1.crl.pem") }
sub crl_number () { return Math::BigInt->from_hex((says('-crlnumber') =~ /=(?:0x)?(\w+)$/)[0]) }
my $before = crl_number();
fakeca('issue', '--state', $ca, '--out', "$dir/worse", '--name', 'worse.test', @at);
fakeca('revoke', '--state', $ca, '--in', "$dir/worse", '--reason', 'unspecified', @at);
crl('intermediate-1');
my @lists = says('-text') =~ /Serial Number/g;
is(scalar @lists, 2, 'one more is listed');
unlike(says('-text'), qr/Unspecified/, '  without a reason that says nothing: RFC 5280 section 5.3.1');
my $after = crl_number();
cmp_ok($after, '>', $before, '  under a higher number, in the same second, too');
crl('intermediate-1', '--at', '@' . ($now + 1));
cmp_ok(crl_number(), '>', $after, '  and so is what comes a second later');

# --- misbehaviours --------------------------------------------------------------------------------

my %says = (
    'crl-expired' => qr/error 12 at 0 depth lookup: CRL has expired/,
    'crl-future' => qr/error 11 at 0 depth lookup: CRL is not yet valid/,
    'crl-of-another' => qr/error 3 at 0 depth lookup: unable to get certificate CRL/,
    'crl-forged' => qr/error 8 at 0 depth lookup: CRL signature failure/,
    'crl-forgetful' => qr/: OK$/,
    'crl-huge' => qr/: OK$/,
);
for my $name (sort keys %says) {
    crl('intermediate-1', '--misbehave', $name);
    like(verify('good'), $says{$name}, "$name: openssl sees it");
}
cmp_ok(-s "$dir/intermediate-1.crl", '>', 2 << 20, 'crl-huge: megabytes') if crl('intermediate-1', '--misbehave',
    'crl-huge') eq '';
like(verify('bad'), qr/certificate revoked/, 'crl-huge: and what was revoked is among them');
crl('intermediate-1', '--misbehave', 'crl-forgetful');
like(verify('bad'), qr/: OK$/, 'crl-forgetful: what was revoked is not');
like(crl('intermediate-1', '--misbehave', 'crl-garbage'), qr/unable to load CRL|Could not read CRL/i,
    'crl-garbage: openssl cannot read it');
crl('intermediate-1', '--misbehave', 'crl-forged');
like(certtool('intermediate-1'), qr/output: Not verified\./, 'crl-forged: certtool sees it');

# --- issuers --------------------------------------------------------------------------------------

for my $issuer (sort keys %number) {
    my @aia = ('answer', '--to', 'aia', '--state', $ca, '--issuer', $number{$issuer}, '--out', "$dir/aia");
    my $pem = run('openssl', 'x509', '-in', "$ca/$issuer.pem");

    fakeca(@aia);
    is(run('openssl', 'x509', '-inform', 'DER', '-in', "$dir/aia"), $pem, "$issuer: as DER");
    fakeca(@aia, '--pkcs7');
    my $all = run('openssl', 'pkcs7', '-inform', 'DER', '-in', "$dir/aia", '-print_certs');
    is(join('', $all =~ /(-----BEGIN.*?-----END CERTIFICATE-----\n)/gs), $pem, "$issuer: as PKCS#7, alone in it");
}

# --- what cannot be -------------------------------------------------------------------------------

sub refuses ($why, $expected, @arguments) {
    my (undef, $err, $status) = try('answer', '--state', $ca, '--out', "$dir/none", @arguments);
    is($status, 2, "$why: status 2");
    like($err, qr/\Afakeca: [^\n]*$expected[^\n]*\n\z/, "$why: one line");
}
refuses('an issuer that is not there', 'has no issuer number 9', '--to', $_, '--issuer', 9) for qw(crl aia);
refuses('an unknown service', q(--to: 'smtp'; expected ocsp, crl, aia or dns), '--to', 'smtp');
refuses('an unknown misbehaviour', 'did you mean crl-expired', '--to', 'crl', '--misbehave', 'crl-exipred');

fakeca('init', '--state', "$dir/lone", @at, '--intermediates', 0);
my (undef, $err) = try('answer', '--state', "$dir/lone", '--out', "$dir/none", '--to', 'crl', '--misbehave',
    'crl-of-another');
like($err, qr/has no second issuer/, 'an only issuer has no other whose CRL it could give');

done_testing();
