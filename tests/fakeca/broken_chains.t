#!/usr/bin/perl
# Every chain fault of `fakeca faults`, at the second order of three, in what an ACME client is given, and in what the
# ACME server shows of itself: openssl reads another chain than before and after. Those that would not show are
# refused. Six of them; all where REHEARSE_LONG is set.
use v5.36;
use FindBin qw($Bin);
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use lib $Bin;
use Fakeca qw(dir try fakeca slurp spill);
use Observer qw(openssl);
use Serve qw(serve stop web home);
use Test::More;

my $dir = dir();
my $build = $ENV{BUILD} // 'build';
my $challenges = "$dir/www/.well-known/acme-challenge";
mkdir $_ for "$dir/www", "$dir/www/.well-known", $challenges;

# The calendar stands still, so that two chains of the same kind have the same dates.
for my $step ("new $dir/clock", "freeze $dir/clock") {
    system("'$build/fakeclock' $step >/dev/null") == 0 or die "fakeclock $step";
}
fakeca('init', '--state', home(), '--intermediates', 2);
my $ca = serve('--clock', "$dir/clock", '--validate-http-port', web("$dir/www"));
my $client = Observer->new($ca);
$client->register;

# A chain as openssl reads it, without what differs from one to the next: numbers, keys, signatures.
sub look_of ($pem, $root) {
    my $file = spill("$dir/chain.pem", $pem);
    my $look = openssl('verify', '-CAfile', $root, '-untrusted', $file, $file);
    for my $block ($pem =~ /(-----BEGIN .*?(?:-----END [^\n]*\n|\z))/gs) {
        my $text = openssl('x509', '-noout', '-text', '-in', spill("$dir/one.pem", $block));
        $text =~ s/^\s+(?:[0-9a-f]{2}:?)+\n//gm;
        $text =~ s/(?:[0-9A-Fa-f]{2}:){3,}[0-9A-Fa-f]{2}/'hex ' . length $&/ge;
        $text =~ s/^(\s+Serial Number: )(?!0 \()(-?).*/$1$2/gm;
        my $der = decode_base64($block =~ s/-----[^\n]*\n//gr);
        my ($hl) = openssl('asn1parse', '-in', "$dir/one.pem") =~ /hl=(\d+) +l= *(\d+|inf)/;
        my $rest = defined $hl && $2 ne 'inf' ? length($der) - $hl - $2 : 'open';
        $look .= "$text\nhead " . ($hl // 'none') . ", after it $rest\n";
    }
    return $look =~ s/[0-9A-F]{12}:error/error/gr =~ s/ [0-9a-f]{8}$/ ID/gmr;
}

sub issued () {
    my $certificate = $client->obtain(['shop.test'], 'http-01',
        sub ($challenge, $text, $) { spill("$challenges/$challenge->{token}", $text) });
    return $certificate->{file} ? look_of(slurp($certificate->{file}), $ca->{roots}[0]) : Acme->word($certificate);
}

my ($api) = $ca->{directory} =~ m{https://([^/]+)};
sub shown () {
    my @blocks = openssl('s_client', '-connect', $api, '-showcerts') =~ /(-----BEGIN.*?-----END[^\n]*\n)/gs;
    return look_of(join('', @blocks), $ca->{https_root});
}

my ($well, $well_shown) = (issued(), shown());
is(issued(), $well, 'what is issued looks the same twice');
is(shown(), $well_shown, 'and so does what is shown');

# Whether it could be armed.
sub is_seen ($fault, $chain, $look, $usual) {
    my ($out, $err, $status) = try('arm', $fault, '--state', home(), '--chain', $chain, '--nth', 2, '--times', 1);
    if ($status) {
        like($err, qr/\Afakeca: $fault: '$chain' (?:is|takes) [^\n]+\n\z/, "$fault $chain: is refused");
        return 0;
    }
    is($look->(), $usual, "$fault $chain: not yet");
    isnt($look->(), $usual, '  but at the second');
    is($look->(), $usual, '  and not at the third');
    fakeca('disarm', $fault, '--state', home());
    return 1;
}

my @short = qw(expired-intermediate shuffled-chain truncated-leaf self-signed-leaf revoked no-aki);
my @chains = $ENV{REHEARSE_LONG} ? map { $_->{name} } @{decode_json(fakeca('faults', '--json'))} : @short;
my (@issued, @shown);
for my $chain (@chains) {
    push @issued, $chain if is_seen('broken-chain', $chain, \&issued, $well);
    push @shown, $chain if is_seen('api-broken-chain', $chain, \&shown, $well_shown);
}
cmp_ok(scalar @issued, '>', @chains / 2, 'most can be issued: ' . @issued . ' of ' . @chains);
cmp_ok(scalar @shown, '>', @chains / 3, 'and many be shown: ' . @shown);
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'and it never complained');
done_testing;
