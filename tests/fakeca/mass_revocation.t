#!/usr/bin/perl
# An authority that serves is told to revoke, at once or in a day, and to issue from another intermediate. Whoever asks
# for renewal information hears of it in time.
use v5.36;
use FindBin qw($Bin);
use JSON::PP;
use lib $Bin;
use Acme;
use Fakeca qw(dir try fakeca slurp spill);
use Serve qw(serve stop home have run calendar);
use Test::More;
use Time::Piece;

plan skip_all => 'curl is not installed' if !have('curl');
my $now = 1935748800;    # 2031-05-05T12:00:00Z
my ($clock, $pass) = calendar($now);
my ($port, $show) = Acme->files;
sub pass_time ($seconds) { return $now = $pass->($seconds) }
my $ca = serve('--clock', $clock, '--validate-http-port', $port);
my $client = Acme->new($ca);
$client->register;

sub obtain ($name, %more) { return $client->obtain([$name], 'http-01', $show, %more) }
sub serial ($certificate) { return lc((Acme->says($certificate, '-serial') =~ /=([0-9A-F]+)/)[0]) }
sub told (@words) { return decode_json(fakeca($words[0], '--state', home(), @words[1 .. $#words])) }
sub says_no (@words) {
    my ($out, $err, $status) = try($words[0], '--state', home(), @words[1 .. $#words]);
    return "$status $err";
}

# What OCSP and the CRL say, at the addresses that stand in the certificate.
sub fetched ($url) {
    my $file = spill(dir() . '/fetched', $client->ask($url)->{text});
    my $kind = $url =~ /crl$/ ? 'crl' : 'x509';
    system("openssl $kind -inform der -in $file -out $file.$kind") == 0 or die "$url: no $kind";
    return "$file.$kind";
}
sub standing ($certificate) {
    my $access = Acme->says($certificate, '-ext', 'authorityInfoAccess');
    my ($issuer) = $access =~ /CA Issuers - URI:(\S+)/;
    my ($status, $said) = run({}, 'openssl', 'ocsp', '-issuer', fetched($issuer), '-cert', $certificate->{file},
        '-url', $access =~ /OCSP - URI:(\S+)/, '-CAfile', $ca->{roots}[0], '-attime', $now, '-no_nonce');
    my ($url) = Acme->says($certificate, '-ext', 'crlDistributionPoints') =~ /URI:(\S+)/;
    my $crl = fetched($url);
    my ($listed) = `openssl crl -in $crl -noout -text` =~ /Serial Number: (\Q${\ uc serial($certificate)}\E)/;
    return join ' ', $said =~ m{^(?:\S+: )?(good|revoked|unknown)$}m, $said =~ /Reason: (\w+)/, $listed ? 'listed' : ();
}
sub window ($certificate) {
    my $answer = $client->ask("$client->{directory}{renewalInfo}/" . Acme->renewal_id($certificate));
    my $window = $answer->{json}{suggestedWindow};
    return (again => $answer->{fields}{'retry-after'}, why => $answer->{json}{explanationURL},
        map { $_ => Time::Piece->strptime($window->{$_}, '%Y-%m-%dT%H:%M:%SZ')->epoch } qw(start end));
}

# --- these certificates, for this reason, in a day ------------------------------------------------

my ($one, $two, $spared) = map { obtain("$_.test") } qw(one two three);
my %usual = window($one);
my @as_printed = (uc serial($one), join ':', serial($two) =~ /../g);
my $told = told('revoke', map({ ('--serial', $_) } @as_printed), '--reason', 'superseded', '--after', '24h',
    '--explanation', 'https://ca.test/incident?id=7');
is_deeply($told->{revoked}, [serial($one), serial($two)], 'revoked are those that were named, however that is written');
is($told->{at}, '2031-05-06T12:00:00Z', '  in a day of its calendar');
my %window = window($one);
ok($usual{start} > $now + 50 * 86400, 'renewal had been for later');
is_deeply(\%window, {start => $now, end => $now + 43200, again => 21600, why => 'https://ca.test/incident?id=7'},
    '  now it is for the next twelve hours, and why is to be read there');
like(says_no('revoke', '--name', 'three.test', '--explanation', 'ask us'), qr/^2 fakeca: .*'ask us' is no URL/,
    '  which must be a URL');
is({window($spared)}->{why}, undef, '  and nowhere, where nothing has happened');
is({window($spared)}->{again}, $usual{again}, 'for the others nothing has changed');
cmp_ok({window($spared)}->{start}, '>', $now + 50 * 86400, '  at all');
is(standing($_), 'good', 'nothing is revoked yet') for $one, $two;

my %listed = map { $_->{serial} => $_->{revoked} } @{told('certificates')->{certificates}};
is_deeply([@listed{map { serial($_) } $one, $spared}], [$now + 86400, undef], 'but it is known to whoever serves');

# A client as RFC 9773 has it: asks as often as it is told to, draws a moment of the window (here the last one, which
# is the worst), and renews when it has come.
my ($renewed, $asked) = (undef, 0);
while (!$renewed) {
    my %hint = window($two);
    $asked++;
    $renewed = obtain('two.test', replaces => Acme->renewal_id($two)) if $hint{end} <= $now;
    pass_time($hint{again}) if !$renewed;
}
cmp_ok($now, '<', 1935748800 + 86400, "a client that asks ($asked times) renews before it is too late");
is(standing($two), 'good', '  while the old certificate still holds');
pass_time(1935748800 + 86400 - 1 - $now);
is(standing($one), 'good', 'a second before, it still does');
pass_time(1);
is(standing($_), 'revoked superseded listed', 'then it is revoked') for $one, $two;
is(standing($_), 'good', '  and no other is') for $renewed, $spared;
ok({window($one)}->{end} < $now, 'renewal is overdue for who did not ask');

# --- other ways to say which ----------------------------------------------------------------------

is_deeply(told('revoke', '--name', 'Three.test')->{revoked}, [serial($spared)], 'all for a name');
is(standing($spared), 'revoked listed', '  at once');
is_deeply(told('revoke', '--all', '--after', '5d')->{revoked}, [serial($renewed)], 'all that are left');
my %revocation = (certificate => $renewed->{der}, reason => 1);
is($client->post($client->{directory}{revokeCert}, \%revocation)->{status}, 200, 'who is not willing to wait');
is(standing($renewed), 'revoked keyCompromise listed', '  does not have to');
is(Acme->word($client->post($client->{directory}{revokeCert}, \%revocation)), '400 alreadyRevoked', '  once');
like(says_no('revoke', '--serial', '0011'), qr/^2 fakeca: no certificate with the serial number '0011'/,
    'none of ours');
like(says_no('revoke', '--name', 'nobody.test'),
    qr/^2 fakeca: no certificate for nobody\.test to revoke: none holds that is not revoked yet/, 'no such name');
like(says_no('revoke', '--name', 'one.test', '--reason', 'boredom'), qr/^2 fakeca: .*boredom/, 'no such reason');

# --- another issuer -------------------------------------------------------------------------------

my $before = obtain('old.test');
is(told('rotate-issuer')->{issuer}, 2, 'a new intermediate');
my $after = obtain('new.test');
isnt(Acme->says($after, '-issuer'), Acme->says($before, '-issuer'), '  issues from now on');
sub verifies ($one) {
    return (run({}, qw(openssl verify -attime), $now, '-CAfile', $ca->{roots}[0], '-untrusted', ($one->{file}) x 2))[0];
}
is(verifies($_), 0, 'its chain is whole') for $before, $after;
is(standing($_), 'good', 'OCSP and the CRL answer for the old one as for the new') for $before, $after;
told('revoke', '--serial', serial($before));
is(standing($before), 'revoked listed', '  the old issuer still revokes');
is(standing($after), 'good', '  what is its own');

# --- what is issued wrongly is known all the same -------------------------------------------------

for my $fault (qw(expired-leaf not-yet-valid-leaf wrong-name)) {
    my ($known) = grep { $_->{name} eq $fault } @{decode_json(fakeca('faults', '--json'))};
    next if !$known;
    fakeca('arm', 'broken-chain', '--state', home(), '--chain', $fault);
    is(standing(obtain('wrong.test')), 'good', "$fault, remade: OCSP knows it");
    fakeca('disarm', 'broken-chain', '--state', home());
}

# --- an issuer that ends before what it is to sign ------------------------------------------------

pass_time((20 * 365 - 30) * 86400);
my $order = $client->order(['late.test']);
my $refused = $client->finish($order, ['late.test'], 'http-01', $show);
is(Acme->word($refused), '500 serverInternal', 'a month before its issuer ends, nothing is issued for ninety days');
like($refused->{json}{detail}, qr/\Aa certificate until 2051-06\S+ would outlive its issuer, which ends at 2051-05/,
    '  and the answer says why');
told('rotate-issuer');
is(verifies($client->finish($order, ['late.test'], 'http-01', $show)), 0,
    '  but the same order gets one from the next');

my %times;
$times{$_->{serial}}++ for map { decode_json($_) } split /\n/, slurp(home() . '/issued.jsonl');
is_deeply([grep { $_ > 1 } values %times], [], 'nothing is written down twice');
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
