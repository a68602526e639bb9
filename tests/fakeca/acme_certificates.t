#!/usr/bin/perl
# What is issued, and what becomes of it: profiles, revocation (RFC 8555 section 7.6), renewal information and what an
# order replaces (RFC 9773).
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Acme;
use Fakeca qw(dir spill);
use Serve qw(serve stop home have run calendar);
use Test::More;
use Time::Piece;

plan skip_all => 'curl is not installed' if !have('curl');
my $now = 1935748800;    # 2031-05-05T12:00:00Z
my ($clock) = calendar($now);
my ($port, $show) = Acme->files;

my @settings = ('--clock', $clock, '--validate-http-port', $port);
my $ca = serve(@settings, '--profile', 'brief=6h', '--profile', 'blink=9s');
my ($client, $other) = (Acme->new($ca), Acme->new($ca));
$_->register for $client, $other;

sub obtain ($who, $names, %more) { return $who->obtain($names, 'http-01', $show, %more) }
sub when ($text) { return Time::Piece->strptime($text, '%Y-%m-%dT%H:%M:%SZ')->epoch }

# --- profiles -------------------------------------------------------------------------------------

my %lasts = (classic => 90 * 86400, tlsserver => 45 * 86400, shortlived => 160 * 3600, brief => 6 * 3600);
is_deeply([sort keys %{$client->{directory}{meta}{profiles}}], [sort 'blink', keys %lasts],
    'the directory tells the profiles');
is($client->{directory}{meta}{profiles}{shortlived}, '6d16h, no common name', '  and what they are like');
is($client->{directory}{meta}{profiles}{brief}, '6h, with a common name', '  also one of our own');
for my $profile (sort keys %lasts) {
    my $certificate = obtain($client, ['shop.test'], profile => $profile);
    my ($from, $until) = map { Time::Piece->strptime($_, '%b %d %H:%M:%S %Y GMT')->epoch }
        Acme->says($certificate, '-dates') =~ /=(.*)\n.*=(.*)\n/;
    is($until - $from + 1, $lasts{$profile}, "$profile: lasts as long as it says");
    ok($from <= $now && $now < $until, '  and holds now');
    my $named = Acme->says($certificate, '-subject') =~ /CN = shop\.test/;
    is($named ? 'named' : 'nameless', $profile =~ /tlsserver|shortlived/ ? 'nameless' : 'named',
        '  with and without a CN');
    my ($status, $said) = run({}, qw(openssl verify -x509_strict -attime), $now, '-CAfile', $ca->{roots}[0],
        '-untrusted', ($certificate->{file}) x 2);
    is($status, 0, '  and keeps RFC 5280 to the letter') or diag $said;
}
is($client->order(['shop.test'])->{json}{profile}, 'classic', 'who names none is told which it is: classic');
like(Acme->says(obtain($client, ['shop.test']), '-dates'), qr/notAfter=Aug  3 /, '  and gets it');
is(Acme->word($client->order(['shop.test'], profile => 'forever')), '400 invalidProfile', 'an unknown one is refused');
my @none = ('a b.test', '-x.test', '*.127.0.0.1', 'shop.1');
my $rejected = $client->order(['shop.test', @none]);
is(Acme->word($rejected), '400 rejectedIdentifier', 'names that are none are rejected');
is_deeply([map { $_->{identifier}{value} } @{$rejected->{json}{subproblems}}], \@none,
    '  and each of them is told');
$rejected = $client->order(['a b.test', 'shop.test']);
is("$rejected->{json}{identifier}{value} @{$rejected->{json}{subproblems} // []}", 'a b.test ',
    '  one alone by itself');

# --- renewal information --------------------------------------------------------------------------

my $first = obtain($client, ['shop.test', 'www.shop.test']);
my $id = Acme->renewal_id($first);
sub window ($of) {
    my $answer = $client->ask("$client->{directory}{renewalInfo}/$of");
    return $answer if $answer->{status} != 200;
    return {%$answer, map { $_ => when($answer->{json}{suggestedWindow}{$_}) } qw(start end)};
}
my $window = window($id);
is($window->{status}, 200, 'renewal information is had without an account');
is($window->{fields}{'retry-after'}, 21600, '  to be asked for again in six hours');
my $left = $now - 3600 + $lasts{classic} - $window->{start};
ok(abs($left - 30 * 86400) < 10, '  a third of the lifetime before the end');
ok($window->{end} > $window->{start} && $window->{end} < $now + 89 * 86400, '  and over in good time');
is(Acme->word(window('AAAA.BBBB')), '404 malformed', 'of a certificate that is not ours, none');
is(Acme->word(window('../../etc')), '404 malformed', 'nor of anything else');
my $brief = obtain($client, ['shop.test'], profile => 'shortlived');
is(window(Acme->renewal_id($brief))->{start}, $now - 3600 + int((160 * 3600 - 1) / 2),
    'half-way, where it lasts less than ten days');
my $blink = window(Acme->renewal_id(obtain($client, ['shop.test'], profile => 'blink')));
cmp_ok($blink->{end}, '>', $blink->{start}, 'be it ever so short, it is a window');

# --- what an order replaces -----------------------------------------------------------------------

is(Acme->word($client->order(['shop.test'], replaces => 'AAAA.BBBB')), '400 malformed',
    'an unknown one is not replaced');
is(Acme->word($other->order(['shop.test'], replaces => $id)), '403 unauthorized', 'nor is another account\'s');
is(Acme->word($client->order(['mail.test'], replaces => $id)), '400 malformed', 'nor one for other names');
my $failing = $client->order(['shop.test', 'www.shop.test'], replaces => $id);
is("$failing->{status} $failing->{json}{replaces}", "201 $id", 'an order says what it replaces');
is(Acme->word($client->order(['shop.test'], replaces => $id)), '409 alreadyReplaced', 'and no other does');
$client->prove($failing->{json}{authorizations}[0], 'http-01', sub { });
is($client->post($failing->{fields}{location})->{json}{status}, 'invalid', 'until it comes to nothing');
my $second = obtain($client, ['shop.test', 'www.shop.test'], replaces => $id);
is($second->{status}, 200, '  when another may');
is(Acme->word($client->order(['shop.test'], replaces => $id)), '409 alreadyReplaced', 'what was replaced, stays so');

# --- revocation -----------------------------------------------------------------------------------

my $issuer = spill(dir() . '/issuer.der', $client->ask("$ca->{issuers}/1.cer")->{text});
system("openssl x509 -inform der -in $issuer -out $issuer.pem") == 0 or die 'issuer';
sub standing ($certificate) {
    my ($status, $said) = run({}, 'openssl', 'ocsp', '-issuer', "$issuer.pem", '-cert', $certificate->{file}, '-url',
        $ca->{ocsp}, '-CAfile', $ca->{roots}[0], '-attime', $now, '-no_nonce');
    return join ' ', $said =~ m{^(?:\S+: )?(good|revoked|unknown)$}m, $said =~ /Reason: (\w+)/;
}
sub revoke ($who, $certificate, %how) {
    my %reason = exists $how{reason} ? (reason => delete $how{reason}) : ();
    return Acme->word($who->post($who->{directory}{revokeCert}, {certificate => $certificate->{der}, %reason}, %how));
}
for my $reason (2, 7, 8, 11, -1, 'keyCompromise') {
    is(revoke($client, $second, reason => $reason), '400 badRevocationReason', "no reason: $reason");
}
is(revoke($other, $second), '403 unauthorized', 'not by another account');
is(revoke($other, $second, jwk => 1), '403 unauthorized', 'nor by another key');
is(standing($second), 'good', '  so it is still good');
is(revoke($client, $second, reason => 4), '200', 'by the account that ordered it');
is(standing($second), 'revoked superseded', '  it is revoked, for the reason given');
is(revoke($client, $second, reason => 1), '400 alreadyRevoked', '  once');
is(standing($second), 'revoked superseded', '  and the reason stays');
ok(window(Acme->renewal_id($second))->{end} < $now, '  renewal information says: now');

my $third = obtain($client, ['shop.test']);
is(revoke(Acme->new($ca), $third, key => Acme->new_key($third->{key}), jwk => 1, reason => 1), '200',
    'by the certificate\'s own key, without an account');
is(standing($third), 'revoked keyCompromise', '  it is revoked');
my $forged = {der => $first->{der} =~ s/.{8}\K.{4}/AAAA/r};
like(revoke($client, $forged), qr/^40[04] malformed$/, 'what is not ours is not revoked');

# --- a profile withdrawn --------------------------------------------------------------------------

my $order = $client->order(['shop.test'], profile => 'brief');
stop($ca->{child});
my %old = %$ca;
$ca = serve(@settings);
my $again = Acme->new($ca, $client->{key});
$again->register(onlyReturnExisting => JSON::PP::true);
my $base = $ca->{directory} =~ s{/directory}{}r;
for my $part (qw(json fields)) {    # the port is another one now
    $order->{$part} = JSON::PP::decode_json(JSON::PP::encode_json($order->{$part}) =~ s{https://[^/]+}{$base}gr);
}
is(Acme->word($again->finish($order, ['shop.test'], 'http-01', $show)), '400 invalidProfile',
    'a profile that went away after the order is refused at the end');
is(Acme->word($again->order(['shop.test'], profile => 'brief')), '400 invalidProfile', '  and not offered again');

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
