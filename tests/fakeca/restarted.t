#!/usr/bin/perl
# What an authority was told besides certificates, and what was under way, outlive a kill -9: faults and what they do
# to a validation that was not over, DNS, lifetimes, and what was disarmed.
use v5.36;
use FindBin qw($Bin);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use lib $Bin;
use Acme;
use Fakeca qw(dir try fakeca slurp spill);
use Serve qw(serve stop home have run calendar);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');
plan skip_all => 'dig is not installed' if !have('dig');
my $now = 1935748800;    # 2031-05-05T12:00:00Z
my ($clock, $pass) = calendar($now);
my ($port, $show) = Acme->files;
fakeca('init', '--state', home(), '--at', "\@$now", '--intermediates', 2);
my @settings = ('--clock', $clock, '--validate-http-port', $port, '--perspectives');
my $ca = serve(@settings, 2);
my @address = ('--acme', $ca->{directory} =~ m{//([^/]+)});
my $client = Acme->new($ca);
$client->register;

sub told (@words) { return decode_json(fakeca($words[0], '--state', home(), @words[1 .. $#words])) }
sub killed ($perspectives = 2, @more) {
    is(stop($ca->{child}, 'KILL'), 'signal 9', 'killed');
    spill(dir() . '/serve.err', '');
    $ca = serve(@settings, $perspectives, @address, @more);
    $client->{nonce} = undef;
}
sub complaint () { return slurp(dir() . '/serve.err') }

# A name server that hears and does not answer: what asks it is under way until it is killed.
sub deaf () { return IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1') // die "socket: $!" }
sub resolver ($socket) { return ('--resolver', '127.0.0.1:' . $socket->sockport) }
sub hears ($socket) { return IO::Select->new($socket)->can_read(30) ? 1 : 0 }

# --- what a validation has met --------------------------------------------------------------------

my $deaf = deaf();
killed(1, resolver($deaf));
told('arm', 'redirect-loop', '--times', 1);
my $authorization = $client->order(['shop.test'])->{json}{authorizations}[0];
my ($challenge) = grep { $_->{type} eq 'http-01' } @{$client->post($authorization)->{json}{challenges}};
$show->($challenge, "$challenge->{token}." . Acme->thumbprint($client->{key}), 'shop.test');
my $under_way = $client->post($challenge->{url}, {})->{json};
is($under_way->{status}, 'processing', 'a validation is under way');
is($under_way->{met}, undef, '  and does not tell what it has met');
ok(hears($deaf), '  and asks for an address');
killed(1);
my $judged = $client->settled($authorization);
like($judged->{challenges}[0]{error}{detail}, qr/redirect/, '  the next goes round in circles, too');
my ($armed) = @{told('armed')->{armed}};
is("$armed->{requests} $armed->{fired}", '1 1', '  and that is one validation, which the fault has hit once');
told('disarm', 'redirect-loop');
is($client->prove($client->order(['shop.test'])->{json}{authorizations}[0], 'http-01', $show)->{status}, 'valid',
    '  the next is well');

# --- what a request for a certificate has met -------------------------------------------------------

my $order = $client->order(['shop.test']);
$client->prove($order->{json}{authorizations}[0], 'http-01', $show);
$now = $pass->(9 * 3600);
$deaf = deaf();
killed(1, resolver($deaf), '--set', 'caa=on');
told('arm', 'wrong-key', '--times', 1);
my ($csr, $key) = Acme->csr('shop.test');
is($client->post($order->{json}{finalize}, {csr => $csr})->{json}{status}, 'processing', 'CAA is looked up once more');
ok(hears($deaf), '  which is under way');
killed(1, '--set', 'caa=on');
my $chain = $client->post($client->settled($order->{fields}{location})->{certificate});
my $public = (run({}, 'openssl', 'x509', '-noout', '-pubkey', '-in', spill(dir() . '/chain.pem', $chain->{text})))[1];
isnt($public, (run({}, 'openssl', 'pkey', '-pubout', '-in', $key))[1], '  and its certificate is for another key');
told('disarm', '--all');

# --- a profile that went away while an order waited -------------------------------------------------

told('profile', 'brief=6h');
$order = $client->order(['shop.test'], profile => 'brief');
$client->prove($order->{json}{authorizations}[0], 'http-01', $show);
$now = $pass->(9 * 3600);
$deaf = deaf();
killed(1, resolver($deaf), '--set', 'caa=on');
is($client->post($order->{json}{finalize}, {csr => $csr})->{json}{status}, 'processing',
    'a profile that was made while it served is there; CAA is looked up once more');
ok(hears($deaf), '  which is under way');
told('profile', '--withdraw', 'brief');
killed(1, '--set', 'caa=on');
like($client->settled($order->{fields}{location})->{error}{type}, qr/:invalidProfile$/,
    '  and the profile is withdrawn meanwhile, and stays so: nothing is issued');
sub offered () { return join ' ', sort keys %{$client->ask($ca->{directory})->{json}{meta}{profiles}} }
is(offered(), 'classic shortlived tlsserver', '  it is not among those that are left');
told('profile', '--withdraw', 'shortlived');
killed(2);
is(offered(), 'classic tlsserver', '  nor is a usual one that was withdrawn');
killed(2, '--profile', 'shortlived=1d');
is(offered(), 'classic shortlived tlsserver', '  until a start names it');
killed(2);

# --- what was disarmed ----------------------------------------------------------------------------

my $past = told('armed')->{disarmed};
is(join(' ', map { "$_->{fault}=$_->{fired}" } @$past), 'redirect-loop=1 wrong-key=1', 'what was disarmed is told');
told('arm', 'reset', '--on', 'newOrder');
killed(2);
is_deeply(told('armed')->{disarmed}, $past, '  also after a kill -9');
told('arm', 'slow', '--on', 'newOrder');
is_deeply([map { $_->{number} } @{told('armed')->{armed}}], [3, 4], '  and no number is given twice');
told('disarm', '--all');

# --- lifetimes ------------------------------------------------------------------------------------

sub lasts () {
    my $got = $client->obtain(['shop.test'], 'http-01', $show);
    my ($from, $until) = Acme->says($got, '-dates') =~ /notBefore=(.*)\nnotAfter=(.*)/;
    return (map { `date -d "$_" +%s` } $until)[0] - $now;
}
told('profile', 'classic=6d');
killed(2);
cmp_ok(abs(lasts() - 6 * 86400), '<', 7200, 'a lifetime that was set holds over a kill -9');
killed(2, '--profile', 'classic=3d');
cmp_ok(abs(lasts() - 3 * 86400), '<', 7200, '  but for what the next start says by itself');

# --- DNS ------------------------------------------------------------------------------------------

# What the first perspective knows of a name: the ports of the others are told to nobody.
sub in_dns ($name, $type) {
    my ($host, $dns_port) = $ca->{dns} =~ /^(.*):(\d+)$/;
    my $said = (run({}, 'dig', "\@$host", '-p', $dns_port, $name, $type, '+short'))[1];
    return join ' ', sort split /\n/, $said;
}
sub dns (@words) { return told('dns', @words) }

dns('--add', 'Shop.test. A 127.0.0.2');
dns('--add', 'shop.test. A 127.0.0.3');
dns('--add', 'shop.test. TXT "a word"');
dns('--add', 'gone.test. A 127.0.0.4');
dns('--remove', 'GONE.test');
dns('--add', 'shop.test. TXT "b"');
dns('--remove', 'shop.test', '--type', 'txt');
dns('--add', 'shop.test. TXT "c d"');
dns('--add', 'split.test. A 127.0.0.1');
dns('--add', 'split.test. TXT x');
dns('--remove', 'split.test', '--type', 'A', '--perspective', 1);
dns('--add', 'split.test. A 127.0.0.9', '--perspective', 1);
dns('--add', 'first.test. A 127.0.0.5', '--perspective', 2);
my @seen = (['shop.test', 'A', '127.0.0.2 127.0.0.3'], ['shop.test', 'TXT', '"c d"'], ['gone.test', 'A', '127.0.0.1'],
    ['split.test', 'A', '127.0.0.9'], ['split.test', 'TXT', '"x"'], ['first.test', 'A', '127.0.0.1']);
for my $times (0 .. 2) {
    is(in_dns($_->[0], $_->[1]), $_->[2], "$_->[0] $_->[1], killed $times times") for @seen;
    killed(2) if $times < 2;
}
is(complaint(), '', 'nothing was complained of');
killed(1);
like(complaint(), qr/^fakeca: DNS was told of it, and is not now: there is no perspective 2, expected 1 to 1\n$/,
    'one perspective less: what only it was told is said');
is(in_dns('split.test', 'A'), '127.0.0.9', '  and the rest is told');
dns('--remove', $_) for qw(first.test split.test shop.test);
killed(1);
is(complaint() . in_dns('shop.test', 'A'), '127.0.0.1', 'what was removed is forgotten for good');

# --- what can be armed no longer ------------------------------------------------------------------

told('arm', 'broken-chain', '--chain', 'shuffled-chain', '--identifier', 'shop.test');
told('arm', 'html', '--on', 'directory');
told('arm', 'broken-chain', '--chain', 'shuffled-chain', '--identifier', 'www.shop.test');
stop($ca->{child});
rename home(), home() . '.two' or die;
fakeca('init', '--state', home(), '--at', "\@$now", '--intermediates', 1);
rename home() . '.two/serve.db', home() . '/serve.db' or die;
spill(dir() . '/serve.err', '');
$ca = serve(@settings, 1, @address);
my $why = "broken-chain: 'shuffled-chain' takes 2 intermediates, and there is 1";
is(complaint(), "fakeca: was armed, and cannot be now: $why; `fakeca disarm broken-chain` forgets it\n" x 2
    . "fakeca: faults armed from before: 1; `fakeca armed` lists them\n",
    'an authority with another chain than before: what can be armed no longer is said, a line each');
is_deeply([map { "$_->{fault} $_->{identifier}: $_->{why}" } @{told('armed')->{lapsed}}],
    ["broken-chain shop.test: $why", "broken-chain www.shop.test: $why"], '  and told');
killed(1);
is(scalar @{told('armed')->{lapsed}}, 2, '  again after each restart');
is(told('disarm', 'broken-chain')->{disarmed}, 2, '  until it is disarmed');
is((try('disarm', 'broken-chain', '--state', home()))[2], 2, '  which is done once');
killed(1);
is(complaint(), "fakeca: faults armed from before: 1; `fakeca armed` lists them\n", '  and is for good');
is_deeply([map { $_->{fault} } @{told('armed')->{armed}}], ['html'], '  and of no other');
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
