#!/usr/bin/perl
# The responder of `fakeca serve`, asked over the wire: what openssl ocsp, ocsptool and `curl --cert-status`
# make of it in every state, and what openssl verify and certtool make of its CRLs.
use v5.36;
use FindBin qw($Bin);
use IPC::Open2 qw(open2);
use lib $Bin;
use Fakeca qw(dir fakeca slurp spill);
use Serve qw(serve stop home run);
use Test::More;

my $dir = dir();
my $ca = serve();
my ($issuer, $root) = (home() . '/intermediate-1.pem', $ca->{roots}[0]);

# Three certificates: one that nothing is wrong with, one that was revoked, one that the authority has no
# record of, as if somebody had stolen its key.
for my $name (qw(good revoked unknown)) {
    fakeca('issue', '--state', home(), '--out', "$dir/$name", '--name', "$name.test");
    system("openssl x509 -in $dir/$name/chain.pem -out $dir/$name.pem");
}
fakeca('revoke', '--state', home(), '--in', "$dir/revoked", '--reason', 'keyCompromise');
spill(home() . '/issued.jsonl', join '', grep { !/unknown\.test/ } split /(?<=\n)/, slurp(home() . '/issued.jsonl'));

sub says (@command) { return (run({}, @command))[1] }

# Meets a fault while `what` is done.
sub while_armed ($fault, $what) {
    fakeca('arm', $fault, '--state', home());
    my $said = $what->();
    fakeca('disarm', $fault, '--state', home());
    return $said;
}

# --- openssl ocsp, ocsptool -----------------------------------------------------------------------

# The digest, if any, must stand before the certificate.
sub openssl ($name, @digest) {
    return says('openssl', 'ocsp', '-issuer', $issuer, @digest, '-cert', "$dir/$name.pem", '-url', $ca->{ocsp},
        '-CAfile', $root);
}
sub ocsptool ($name, @how) {
    return says('ocsptool', "--ask=$ca->{ocsp}", '--load-issuer', $issuer, '--load-cert', "$dir/$name.pem",
        '--load-trust', $issuer, @how);
}

for my $name (qw(good revoked unknown)) {
    like(openssl($name), qr/Response verify OK\n\S+$name\.pem: $name\n/, "openssl ocsp: what is $name is $name");
    unlike(openssl($name), qr/nonce/i, '  and the nonce comes back');
    like(openssl($name, '-sha256'), qr/verify OK\n\S+: $name\n/, '  by SHA-256, too');
    like(ocsptool($name), qr/Certificate Status: $name\b/, "ocsptool: what is $name is $name");
    like(ocsptool($name, '--nonce'), qr/Verifying OCSP Response: Success/, '  and the answer verifies, with a nonce');
}
like(openssl('revoked'), qr/Reason: keyCompromise\n\s+Revocation Time: /, 'the reason and the time are told');
like(while_armed('ocsp-forged', sub { ocsptool('good') }), qr/Verifying OCSP Response: Failure/,
    'ocsptool finds out a forged one');
like(while_armed('ocsp-try-later', sub { openssl('good') }), qr/Responder Error: trylater/,
    'openssl ocsp is told to try later');

# --- signed by a delegate -------------------------------------------------------------------------

sub signer ($name) {
    my $text = says('openssl', 'ocsp', '-issuer', $issuer, '-cert', "$dir/$name.pem", '-url', $ca->{ocsp}, '-CAfile',
        $root, '-resp_text', '-no_nonce');
    return 'nobody' if $text !~ /Response verify OK/;
    return $text =~ /X509v3 Extended Key Usage:.*\n\s+OCSP Signing\n/ ? 'a delegate' : 'the issuer';
}
is(signer('good'), 'the issuer', 'answers are signed by the issuer');
fakeca('set', 'ocsp-delegated=on', '--state', home());
is(signer('good'), 'a delegate', '  or by a delegate, from the next one on');
like(openssl($_), qr/verify OK\n\S+$_\.pem: $_\n/, "openssl ocsp: what is $_ is $_") for qw(good revoked unknown);
like(ocsptool('good'), qr/Certificate Status: good\b.*Verifying OCSP Response: Success/s, 'ocsptool: so it is');
like(while_armed('ocsp-forged', sub { ocsptool('good') }), qr/OCSP Response: Failure/, '  unless it is forged');
fakeca('set', 'ocsp-delegated=off', '--state', home());
is(signer('good'), 'the issuer', '  and by the issuer again');

# --- curl --cert-status, at a server that staples what our responder says -------------------------

# Such a server: openssl's own asks the responder at each handshake.  Its port.
my ($anywhere, @servers) = ('127.0.0.1:0');
sub stapling ($name) {
    my $pid = open2(my $said, my $silence, "exec openssl s_server -accept $anywhere -www -status_timeout 2 "
        . "-cert $dir/$name/chain.pem -cert_chain $dir/$name/chain.pem -key $dir/$name/key.pem -CAfile $issuer "
        . "-status_url $ca->{ocsp} 2>$dir/stapling.err");
    push @servers, [$pid, $said, $silence];
    while (defined(my $line = readline $said)) {
        return $1 if $line =~ /ACCEPT\s+\S*:(\d+)/;
    }
    die slurp("$dir/stapling.err");
}
END { local $?; kill 'KILL', map { $_->[0] } @servers }

my %port = map { $_ => stapling($_) } qw(good revoked unknown);

# What curl makes of it: its exit status, and its words.
sub curl ($name) {
    my ($status, $said) = run({}, 'curl', '-sS', '-o', '/dev/null', '--cert-status', '--cacert', $root,
        '--resolve', "$name.test:$port{$name}:127.0.0.1", "https://$name.test:$port{$name}/");
    return "$status $said";
}

is(curl('good'), '0 ', 'curl --cert-status: good');
like(curl('revoked'), qr/^91 .*revocation reason: keyCompromise/, 'curl --cert-status: revoked');
like(curl('unknown'), qr/^91 .*status verification FAILED/, 'curl --cert-status: unknown');
my %says = (
    'ocsp-stale' => qr/^91 .*OCSP response has expired/,
    'ocsp-future' => qr/^91 .*OCSP response has expired/,          # so it calls whatever is out of its time
    'ocsp-unknown' => qr/^91 .*status verification FAILED/,
    'ocsp-wrongly-revoked' => qr/^91 .*revocation reason: /,
    'ocsp-wrong-signer' => qr/^91 .*OCSP response verification failed/,
    'ocsp-unentitled-signer' => qr/^91 .*OCSP response verification failed/,
    'ocsp-forged' => qr/^91 .*OCSP response verification failed/,
    'ocsp-wrong-serial' => qr/^91 .*(?:Could not find certificate ID|verification failed)/i,
    'ocsp-try-later' => qr/^91 .*Invalid OCSP response status: trylater/,
    'ocsp-garbage' => qr/^91 .*No OCSP response received/,         # the server staples nothing
);
for my $fault (sort keys %says) {
    like(while_armed($fault, sub { curl('good') }), $says{$fault}, "curl --cert-status: $fault");
}
is(while_armed('ocsp-wrongly-good', sub { curl('revoked') }), '0 ',
    'curl --cert-status: ocsp-wrongly-good is believed');
is(curl('good'), '0 ', 'and good again');

# --- CRLs -----------------------------------------------------------------------------------------

sub fetch_crl () {
    says('curl', '-s', '-o', "$dir/crl.der", "$ca->{crls}/1.crl");
    return says('openssl', 'crl', '-inform', 'DER', '-in', "$dir/crl.der", '-out', "$dir/crl.pem");
}
sub verify ($name) {
    return says('openssl', 'verify', '-crl_check', '-CAfile', $root, '-untrusted', $issuer, '-CRLfile',
        "$dir/crl.pem", "$dir/$name.pem");
}
sub certtool () {
    return says('certtool', '--verify-crl', '--load-ca-certificate', $issuer, '--infile', "$dir/crl.pem");
}

is(fetch_crl(), '', 'the CRL is one');
like(verify('good'), qr/: OK$/, 'openssl verify -crl_check: good');
like(verify('revoked'), qr/certificate revoked/, 'openssl verify -crl_check: revoked');
like(certtool(), qr/output: Verified\./, 'certtool --verify-crl');
for my $case (['crl-expired', qr/CRL has expired/], ['crl-future', qr/CRL is not yet valid/],
              ['crl-of-another', qr/unable to get certificate CRL/], ['crl-forged', qr/CRL signature failure/]) {
    my ($fault, $words) = @$case;
    like(while_armed($fault, sub { fetch_crl(); verify('good') }), $words, "openssl verify -crl_check: $fault");
}
like(while_armed('crl-forged', sub { fetch_crl(); certtool() }), qr/output: Not verified\./,
    'certtool --verify-crl: crl-forged');
like(while_armed('crl-garbage', \&fetch_crl), qr/unable to load|could not read/i, 'openssl crl: crl-garbage');

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'it never complained');
done_testing;
