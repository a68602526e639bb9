#!/usr/bin/perl
# What an authority demands, remembers and offers besides: external account binding, a second chain, authorizations
# and orders that are used again. Switched while it serves.
use v5.36;
use Digest::SHA qw(hmac_sha256 hmac_sha384 hmac_sha512);
use FindBin qw($Bin);
use JSON::PP;
use MIME::Base64 qw(decode_base64url encode_base64url);
use lib $Bin, "$Bin/..";
use Acme;
use Fakeca qw(dir try fakeca slurp spill);
use Port qw(free_port);
use Serve qw(serve stop home have run calendar);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');
my $now = 1935748800;    # 2031-05-05T12:00:00Z
my ($clock, $pass) = calendar($now);
my ($port, $show) = Acme->files;
sub pass_time ($seconds) { return $now = $pass->($seconds) }
my @settings = ('--clock', $clock, '--validate-http-port', $port, '--alternate', 1);
my $ca = serve(@settings);

sub told (@words) { return decode_json(fakeca($words[0], '--state', home(), @words[1 .. $#words])) }
sub set (@settings) { return told('set', @settings)->{settings} }

# --- settings -------------------------------------------------------------------------------------

is(told('settings')->{settings}{'reuse-orders'}, 'off', 'settings are listed');
is(set('reuse-orders=on')->{'reuse-orders'}, 'on', 'and set');
for my $case (['reuse-order=on', qr/did you mean reuse-orders\?/], ['caa=maybe', qr/neither on nor off/],
    ['caa', qr/expected one like caa=on/], ['orders-per-account=0/3h', qr{expected one like 5/7d}]) {
    my ($out, $err, $status) = try('set', 'reuse-orders=off', $case->[0], '--state', home());
    is($status, 2, "$case->[0] is refused");
    like($err, $case->[1], '  and why is said');
}
is(told('settings')->{settings}{'reuse-orders'}, 'on', 'which sets nothing, not even what was right beside it');
set('orders-per-account=7/1h');
stop($ca->{child}, 'KILL');
$ca = serve(@settings);
is_deeply([@{told('settings')->{settings}}{qw(reuse-orders orders-per-account)}], [qw(on 7/1h)],
    'what was set holds over a kill -9');
stop($ca->{child});
$ca = serve(@settings, '--set', 'reuse-orders=off');
is_deeply([@{told('settings')->{settings}}{qw(reuse-orders orders-per-account)}], [qw(off 7/1h)],
    '  but for what the next start sets by itself');
set('reuse-orders=off', 'orders-per-account=300/3h');

# --- external account binding ---------------------------------------------------------------------

my $key = told('eab', '--kid', 'customer-1');
is($key->{kid}, 'customer-1', 'a key is made');
is(length decode_base64url($key->{hmac}), 32, '  with a secret of 32 octets');
ok(length told('eab')->{kid}, 'an id is made up where none is given');
is((try('eab', '--kid', 'customer-1', '--state', home()))[2], 2, 'the same id is not given twice');
is(scalar @{told('eab', '--list')->{keys}}, 2, 'keys are listed');

my %mac = (HS256 => \&hmac_sha256, HS384 => \&hmac_sha384, HS512 => \&hmac_sha512);
sub binding ($client, $alg = 'HS256', %wrong) {
    my $url = $client->{directory}{newAccount};
    my %header = (alg => $alg, kid => $wrong{kid} // 'customer-1', url => $wrong{url} // $url);
    my $head = encode_base64url(encode_json(\%header));
    my $body = encode_base64url(encode_json(($wrong{key} // $client->{key})->{jwk}));
    my $secret = $wrong{secret} // decode_base64url($key->{hmac});
    my $mac = ($mac{$alg} // sub { 'none' })->("$head.$body", $secret);
    return {protected => $head, payload => $body, signature => encode_base64url($mac)};
}
my $client = Acme->new($ca);
is($client->{directory}{meta}{externalAccountRequired}, JSON::PP::false, 'a binding is not required');
is($client->register->{status}, 201, '  so that an account is had without');
set('eab-required=on');
$client = Acme->new($ca);
is($client->{directory}{meta}{externalAccountRequired}, JSON::PP::true, 'now it is, as the directory tells');
sub registers ($client, @binding) { return Acme->word($client->register(externalAccountBinding => binding($client,
    @binding))) }
is(Acme->word($client->register), '403 externalAccountRequired', 'without one there is no account');
is(registers($client, 'HS256', kid => 'customer-9'), '403 unauthorized', 'nor with an unknown id');
is(registers($client, 'HS256', secret => 'guessed'), '403 unauthorized', 'nor with another secret');
is(registers($client, 'HS256', key => Acme->new_key), '400 malformed', 'nor for another key');
is(registers($client, 'HS256', url => 'https://elsewhere'), '400 malformed', 'nor for another URL');
is(registers($client, 'none'), '400 badSignatureAlgorithm', 'nor without a MAC');
is(registers($client, 'ES256'), '400 badSignatureAlgorithm', 'nor with a signature');
is(Acme->word($client->register(externalAccountBinding => 'x')), '400 malformed', 'nor with anything else');
is(Acme->word($client->register(onlyReturnExisting => JSON::PP::true)), '400 accountDoesNotExist', '(none was made)');
for my $alg (sort keys %mac) {
    my $one = Acme->new($ca);
    my $bound = $one->register(externalAccountBinding => binding($one, $alg));
    is("$bound->{status} " . ($bound->{json}{externalAccountBinding} ? 'bound' : ''), '201 bound',
        "$alg binds an account");
    is($one->register->{status}, 200, '  which is found again without');
}

# --- a second chain -------------------------------------------------------------------------------

my $one = Acme->new($ca);
$one->register(externalAccountBinding => binding($one));
my $certificate = $one->obtain(['shop.test'], 'http-01', $show);
is(scalar @{$certificate->{links}{alternate}}, 1, 'a certificate has an alternate');
my $other = $one->post($certificate->{links}{alternate}[0]);
is($other->{links}{alternate}[0], $certificate->{url}, '  which has the first as its own');
my $file = spill(dir() . '/other.pem', $other->{text});
is(scalar(() = $other->{text} =~ /BEGIN/g), 3, '  and ends one higher');
sub verifies ($root, $chain) {
    return (run({}, qw(openssl verify -attime), $now, '-partial_chain', '-CAfile', $root, '-untrusted', $chain,
        $chain))[0];
}
my ($root, $second) = @{$ca->{roots}};
is(verifies($second, $file), 0, '  for whoever trusts the other root alone');
isnt(verifies($second, $certificate->{file}), 0, '  where the first is not trusted');
is(verifies($root, $certificate->{file}), 0, '  but by the others');
is(Acme->word($one->post("$certificate->{url}/2")), '404 malformed', 'there is no third');
my $third_state = dir() . '/third';
fakeca('init', '--state', $third_state, '--at', "\@$now");
fakeca('cross-sign', '--state', home(), '--from', $third_state, '--at', "\@$now") for 1, 2;
my $offered = $one->post($certificate->{url})->{links}{alternate};
is_deeply($offered, [map { "$certificate->{url}/$_" } 1, 2], 'another root that signs ours makes a third, once');
my $third_chain = $one->post($offered->[1]);
is_deeply($third_chain->{links}{alternate}, [$certificate->{url}, $offered->[0]], '  which offers the two others');
is(verifies("$third_state/root.pem", spill(dir() . '/third.pem', $third_chain->{text})), 0,
    '  for whoever trusts that root alone');
is(Acme->word($one->post("$certificate->{url}/$_")), '404 malformed', "there is no chain $_") for qw(0 3 2x -1);

SKIP: {
    skip 'certbot is not installed', 11 if !have('certbot');
    my $own = free_port();
    stop($ca->{child});
    $ca = serve('--validate-http-port', $own, '--alternate', 3, '--set', 'eab-required=on');
           # certbot's calendar is real
    ok(defined slurp("@{[home()]}/alternate/root.pem"), 'the second root stays');
    is(scalar @{$ca->{roots}}, 4, '  and so does the third, beside which one more is made');
    my @names = map { /CN = (.*)/ } map { scalar `openssl x509 -in $_ -noout -subject` } @{$ca->{roots}};
    my @certbot = ('certbot', 'certonly', '--non-interactive', '--agree-tos', '--register-unsafely-without-email',
        '--standalone', '--http-01-port', $own, '--http-01-address', '127.0.0.1', '--server', $ca->{directory},
        (map { ("--$_-dir", dir() . "/certbot-$_") } qw(config work logs)), '-d', 'shop.test');
    my ($status, $said) = run({REQUESTS_CA_BUNDLE => $ca->{https_root}}, @certbot);
    isnt($status, 0, 'certbot without a key gets nothing');
    for my $i (0 .. 3) {
        ($status, $said) = run({REQUESTS_CA_BUNDLE => $ca->{https_root}}, @certbot, '--eab-kid', $key->{kid},
            '--eab-hmac-key', $key->{hmac}, '--force-renewal', '--preferred-chain', $names[$i]);
        is($status, 0, "certbot with --eab-kid, --eab-hmac-key and --preferred-chain '$names[$i]'") or diag($said);
        my @chain = slurp(dir() . '/certbot-config/live/shop.test/chain.pem') =~ /(-----BEGIN.*?END[^\n]*\n)/sg;
        my $top = spill(dir() . '/top.pem', $chain[-1]);
        like(scalar `openssl x509 -in $top -noout -issuer`, qr/CN = \Q$names[$i]\E$/, '  has its chain');
    }
    stop($ca->{child});
    $ca = serve(@settings);
}

# --- what was proven once -------------------------------------------------------------------------

set('eab-required=off', 'reuse-authorizations=on');
my $again = Acme->new($ca);
$again->register;
my @names = ('shop.test', 'www.shop.test');
is($again->obtain(\@names, 'http-01', $show, profile => 'tlsserver')->{status}, 200, 'names are proven');
my $order = $again->order(['shop.test'], profile => 'tlsserver');
is("$order->{status} $order->{json}{status}", '201 ready', 'ordered again, the order is ready at once');
is($again->finish($order, ['shop.test'])->{status}, 200, '  and a certificate is had');
is($again->order([@names, 'mail.test'])->{json}{status}, 'pending', 'not with a name that was never proven');
is($again->order(['*.shop.test'])->{json}{status}, 'pending', '  of which the wildcard is one');
my $stranger = Acme->new($ca);
$stranger->register;
is($stranger->order(['shop.test'])->{json}{status}, 'pending', 'nor for another account');
pass_time(7 * 3600);
is($again->order(['shop.test'])->{json}{status}, 'pending', 'nor after the seven hours that tlsserver has');
is($again->obtain(['shop.test'], 'http-01', $show)->{status}, 200, 'proven again, for a classic order');
pass_time(29 * 86400);
my $late = $again->order(['shop.test']);
is($late->{json}{status}, 'ready', '  it counts for 29 days');
is($again->post($order->{json}{authorizations}[0])->{json}{status}, 'expired', '  and the one of before has expired');
$again->post($late->{json}{authorizations}[0], {status => 'deactivated'});
is($again->order(['shop.test'])->{json}{status}, 'pending', 'what was deactivated does not count');
is($again->obtain(['shop.test'], 'http-01', $show)->{status}, 200, 'proven once more');
set('reuse-authorizations=off');
is($again->order(['shop.test'])->{json}{status}, 'pending', 'switched off, each order is proven anew');

# Whoever has shown to hold all the names may revoke, RFC 8555 section 7.6.
my $theirs = $stranger->obtain(['shop.test'], 'http-01', $show);
my %revocation = (certificate => $theirs->{der});
my $third = Acme->new($ca);
$third->register;
is(Acme->word($third->post($third->{directory}{revokeCert}, \%revocation)), '403 unauthorized',
    'not anybody may revoke');
is($again->post($again->{directory}{revokeCert}, \%revocation)->{status}, 200, 'but who holds the name');

set('reuse-orders=on');
my @both = map { $again->order($_) } [@names], [reverse @names];
is($both[0]{fields}{location}, $both[1]{fields}{location}, 'the same order again is the same order');
isnt($again->order(\@names, profile => 'tlsserver')->{fields}{location}, $both[0]{fields}{location},
    '  but not for another profile');
$again->prove($both[0]{json}{authorizations}[0], 'http-01', sub { });
isnt($again->order(\@names)->{fields}{location}, $both[0]{fields}{location}, '  nor once it has failed');

is($again->order([map { "n$_.test" } 1 .. 26], profile => 'tlsserver')->{status}, 400,
    'tlsserver has 25 names at most');

# --- profiles -------------------------------------------------------------------------------------

sub offered () { return $again->ask($ca->{directory})->{json}{meta}{profiles} }
is(Acme->word($again->order(['shop.test'], profile => 'brief')), '400 invalidProfile', 'a profile that there is not');
told('profile', 'brief=6h');
is(offered()->{brief}, '6h, with a common name', '  is made while it serves');
my $brief = $again->obtain(['shop.test'], 'http-01', $show, profile => 'brief');
my ($until) = map { `date -d "$_" +%s` + 0 } Acme->says($brief, '-enddate') =~ /=(.*)/;
is($until, $now - 3600 + 6 * 3600 - 1, '  and lasts as long as was said');
my $open = $again->order(['shop.test'], profile => 'brief');
told('profile', '--withdraw', 'brief');
is(offered()->{brief}, undef, 'withdrawn, it is no longer offered');
is(Acme->word($again->finish($open, ['shop.test'], 'http-01', $show)), '400 invalidProfile', '  nor to older orders');
is(Acme->word($again->order(['shop.test'], profile => 'brief')), '400 invalidProfile', '  nor to new ones');
told('profile', '--withdraw', 'classic');
my $usual = $again->obtain(['shop.test'], 'http-01', $show);
unlike(Acme->says($usual, '-subject'), qr/CN/, 'who names no profile has the first that there is: tlsserver');
for my $case (['--withdraw', 'brief', qr/there is no profile 'brief'/], ['Brief=6h', qr/is no name of a profile/],
    ['brief', qr/expected one like brief=6h/], [qr/expected NAME=T, such as classic=45d, or --withdraw NAME/]) {
    my $why = pop @$case;
    my ($out, $err, $status) = try('profile', @$case, '--state', home());
    is($status, 2, "@$case is refused");
    like($err, $why, '  and why is said');
}

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
