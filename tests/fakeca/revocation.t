#!/usr/bin/perl
# Staples and CRLs in the clients' hands: what holds is accepted, what was revoked is not.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use Client;
use Fakeca qw(fakeca);
use JSON::PP;
use Target qw(dir);
use Test::More;

my $dir = dir();
my $at = '2031-05-05T12:00:00Z';
my @at = ('--at', $at);
my ($ca, $shop) = ("$dir/ca", "$dir/shop");
my @libraries = qw(openssl gnutls wolfssl);
my %client = map { $_ => Client->start($_) } @libraries;

# The root issues: wolfSSL takes the CRL of an intermediate only where it is told to trust that.
fakeca('init', '--state', $ca, @at, '--intermediates', 0);
fakeca('issue', '--state', $ca, '--out', $shop, '--name', 'shop.test', @at);

sub say_all ($target, $expected, $what, %settings) {
    for my $library (@libraries) {
        my $said = $client{$library}->probe(connect => $target->{address}, name => 'shop.test',
                                            trust => "$shop/trust.pem", at => $at, %settings);
        is($said->{outcome}, $expected, "$what: $library") or diag(encode_json($said));
    }
}

my %host = (name => 'shop.test', chain => "$shop/chain.pem", key => "$shop/key.pem");
my $target = Target->start(hosts => [\%host]);

say_all($target, 'staple-missing', 'no staple where one is required', staple => 'require');

fakeca('staple', '--state', $ca, '--in', $shop, @at);
$target->reload(hosts => [{%host, staple => "$shop/staple.der"}]);
say_all($target, 'ok', 'a good staple', staple => 'require');
say_all($target, 'revocation-unknown', 'the same staple, eight days later', staple => 'require',
        at => '2031-05-13T12:00:01Z');

fakeca('crl', '--state', $ca, '--in', $shop, @at);
say_all($target, 'ok', 'a CRL that does not list the leaf', crl => ["$shop/crl.pem"]);

fakeca('revoke', '--state', $ca, '--in', $shop, @at, '--reason', 'keyCompromise');
fakeca('crl', '--state', $ca, '--in', $shop, @at);
say_all($target, 'revoked', 'a CRL that lists it', crl => ["$shop/crl.pem"]);

fakeca('staple', '--state', $ca, '--in', $shop, @at);
$target->hangup;
say_all($target, 'revoked', 'a staple that says so', staple => 'require');

fakeca('issue', '--state', $ca, '--out', $shop, '--name', 'shop.test', @at);
fakeca('staple', '--state', $ca, '--in', $shop, @at);
fakeca('crl', '--state', $ca, '--in', $shop, @at);
$target->hangup;
say_all($target, 'ok', 'the leaf after it is good again', staple => 'require',
        crl => ["$shop/crl.pem"]);

done_testing();
