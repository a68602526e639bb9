#!/usr/bin/perl
# The responder's answers as staples, in the hands of the three libraries: which misbehaviour they
# notice, each of them.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use Client;
use Fakeca qw(fakeca);
use JSON::PP;
use Target qw(dir);
use Test::More;

my $dir = dir();
my @at = ('--at', '2031-05-05T12:00:00Z');
my ($ca, $shop) = ("$dir/ca", "$dir/shop");
my @libraries = qw(openssl gnutls wolfssl);
my %client = map { $_ => Client->start($_) } @libraries;

fakeca('init', '--state', $ca, @at, '--intermediates', 1);
fakeca('issue', '--state', $ca, '--out', $shop, '--name', 'shop.test', @at);
system('openssl', 'ocsp', '-issuer', "$ca/intermediate-1.pem", '-cert', "$shop/chain.pem", '-no_nonce',
    '-reqout', "$dir/request") == 0 or die;

my %host = (name => 'shop.test', chain => "$shop/chain.pem", key => "$shop/key.pem");
my $target = Target->start(hosts => [\%host]);

sub staple (@how) {
    fakeca('answer', '--to', 'ocsp', '--state', $ca, '--in', "$dir/request", '--out', "$shop/staple.der",
        @at, @how);
    $target->reload(hosts => [{%host, staple => "$shop/staple.der"}]);
}

sub say_each ($what, @expected) {
    for my $library (@libraries) {
        my $said = $client{$library}->probe(connect => $target->{address}, name => 'shop.test',
            trust => "$shop/trust.pem", at => $at[1], staple => 'require', timeout => '20s');
        my $expected = shift @expected;
        is($said->{outcome}, $expected, "$what: $library") or diag(encode_json($said));
    }
}

my $no = 'revocation-unknown';
my @rows = (
    ['ocsp-stale', $no, $no, $no],
    ['ocsp-future', $no, 'ok', $no],                # GnuTLS does not look at thisUpdate
    ['ocsp-no-next-update', 'ok', 'ok', 'ok'],
    ['ocsp-try-later', $no, 'ok', $no],             # GnuTLS passes over what is no success,
    ['ocsp-unknown', $no, 'ok', $no],               # and over a certificate nobody knows
    ['ocsp-wrongly-revoked', 'revoked', 'revoked', 'revoked'],
    ['ocsp-wrong-signer', $no, $no, $no],
    ['ocsp-unentitled-signer', $no, $no, 'ok'],     # wolfSSL takes any certificate of the issuer's
    ['ocsp-forged', $no, $no, $no],
    ['ocsp-wrong-serial', $no, $no, $no],
    ['ocsp-garbage', $no, $no, $no],
    # more than a TLS server can send: OpenSSL in the target gives up
    ['ocsp-oversize', ('alert-internal-error') x 3],
);

staple();
say_each('the truth', 'ok', 'ok', 'ok');
staple('--delegated');
say_each('the truth, by a delegate', 'ok', 'ok', 'ok');
for my $row (@rows) {
    my ($name, @expected) = @$row;    # of openssl, gnutls, wolfssl
    staple('--misbehave', $name);
    say_each($name, @expected);
}

done_testing();
