#!/usr/bin/perl
# "exact": true -- what stands in chain.pem is what goes over the wire, byte for byte, however
# broken it is. The bytes are taken from the client's own dump of the Certificate message, and
# compared with the file's.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Target qw(dir identity spill slurp s_client openssl);
use MIME::Base64 qw(encode_base64 decode_base64);
use Test::More;

my $dir = dir();
my $shop = identity('shop', 'shop.test');
my $other = identity('other', 'other.test');

sub pem ($der) { return "-----BEGIN CERTIFICATE-----\n" . encode_base64($der) . "-----END CERTIFICATE-----\n" }
sub der ($file) { return openssl('x509', '-in', $file, qw(-outform DER)) }

# The certificates in a Certificate message, as s_client -msg dumps it.
sub on_the_wire ($target, $version) {
    my ($said) = s_client($target, $version, '-msg');
    my ($dump) = $said =~ /^<<< TLS [\d.]+, Handshake \[length \w+\], Certificate\n((?: {4}[ \da-f]+\n)+)/m
        or return "no Certificate message: $said";
    my $message = pack 'H*', $dump =~ s/\s//gr;
    my $list = $version eq '-tls1_3'
        ? unpack 'x4 C/x x3 a*', $message       # RFC 8446 section 4.4.2
        : unpack 'x7 a*', $message;             # RFC 5246 section 7.4.2
    my @found;
    while (length $list) {
        my $length = unpack 'N', "\0" . substr $list, 0, 3, '';
        push @found, substr $list, 0, $length, '';
        substr $list, 0, 2 + unpack('n', $list), '' if $version eq '-tls1_3'; # its extensions
    }
    return \@found;
}

my ($leaf, $stranger) = (der($shop->{chain}), der($other->{chain}));
my $flipped = $leaf;
substr($flipped, -1) ^.= "\x01";

my %chains = (
    'a good certificate' => [$leaf],
    'the certificate of another key' => [$stranger],
    'a chain in any order' => [$stranger, $leaf, $stranger],
    'a bad signature' => [$flipped],
    'a certificate with bytes behind it' => [$leaf . "\0\xffmore"],
    'half a certificate' => [substr $leaf, 0, length($leaf) / 2],
    'bytes that are no DER at all' => ["\xde\xad\xbe\xef" x 50],
    'a single byte' => ['!'],
    'a chain of 100' => [$leaf, map { "certificate $_ " x $_ } 1 .. 99],
);
my $chain = spill("$dir/exact.pem", pem($leaf));
my $target = Target->start(hosts => [{%$shop, chain => $chain}], exact => JSON::PP::true);
for my $what (sort keys %chains) {
    my @bodies = @{$chains{$what}};

    spill($chain, "text between the blocks\n" . join "and more\n", map { pem($_) } @bodies);
    is($target->hangup->{event}, 'reloaded', "$what is taken");
    is_deeply(on_the_wire($target, $_), \@bodies, "  and is on the wire, $_") for qw(-tls1_2 -tls1_3);
}

# A file that was cut in its last block: the bytes that its base64 still determines.
my $text = pem($leaf) . pem($stranger);
my $cut = substr $text, 0, length(pem($leaf)) + 28 + 77 * 3 + 10;
my $left = substr $stranger, 0, 3 * 57 + 7;    # 10 digits of base64 are 7 whole bytes
spill($chain, $cut);
is($target->hangup->{event}, 'reloaded', 'a file that was cut is taken');
is_deeply(on_the_wire($target, '-tls1_2'), [$leaf, $left], '  and what is left of it is on the wire');

# Every kind of key can stand behind foreign bytes.
my %keys = (
    'RSA-2048' => [qw(-newkey rsa:2048)],
    'RSA-1024' => [qw(-newkey rsa:1024)],
    'P-384' => [qw(-newkey ec -pkeyopt ec_paramgen_curve:P-384)],
    'Ed25519' => [qw(-newkey ed25519)],
);
for my $kind (sort keys %keys) {
    my $it = identity($kind, 'key.test', @{$keys{$kind}});

    my $event = $target->reload(hosts => [{%$it, chain => $shop->{chain}}]);
    is($event->{event}, 'reloaded', "$kind is taken") or diag $event->{why};
    is_deeply(on_the_wire($target, '-tls1_2'), [$leaf], "$kind: any certificate with it");
}

# What even this cannot serve.
spill($chain, "no block at all\n");
my $event = $target->reload(hosts => [{%$shop, chain => $chain}]);
is($event->{event}, 'refused', 'a file without a block is refused');
like($event->{why}, qr/exact.pem: no certificate in it; expected a PEM block CERTIFICATE/, '  with why');
is_deeply(on_the_wire($target, '-tls1_2'), [$leaf], '  and the old one keeps serving');
$event = $target->reload(hosts => [{%$shop, key => "$dir/none"}]);
is($event->{event}, 'refused', 'and so is a missing key');

# The switch thrown back: the careful reading again.
spill($chain, pem($flipped . 'x'));
$event = $target->reload(hosts => [{%$shop, chain => $chain}], exact => JSON::PP::false);
like($event->{why}, qr/certificate 1: is followed by bytes that are not part of it/,
    'without "exact" the same bytes are refused');
is($target->stop, 0, 'it ends well');

done_testing;
