#!/usr/bin/perl
# Whoever asks for a name must hold it: http-01 with its redirects, dns-01, tls-alpn-01, over IPv4 and IPv6, for
# names, wildcards (RFC 8555) and addresses (RFC 8738).
use v5.36;
use Digest::SHA qw(sha256 sha256_hex);
use FindBin qw($Bin);
use IO::Socket::IP;
use MIME::Base64 qw(encode_base64url);
use lib $Bin;
use Acme;
use Fakeca qw(dir try fakeca spill);
use Serve qw(serve stop web home have until_says);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');

# On the same port two servers, one for each family, and behind another port one with TLS that nobody signed.
my ($four, $six, $secure) = map { my $top = dir() . "/$_"; mkdir $top; $top } qw(four six secure);
my $challenges = '.well-known/acme-challenge';
for my $top ($four, $six, $secure) { mkdir "$top/$_" for '.well-known', $challenges }
my $port = web($four);
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $secure/key -out $secure/pem "
    . '-subj /CN=nobody -days 1 2>/dev/null');
sub tls ($on, @more) {
    return until_says(qr/^ACCEPT(?:.*:(\d+))?/, $secure, qw(openssl s_server -accept), "127.0.0.1:$on", @more);
}
# Who is told another server name than that one, ends it; who is told none, does not.
my ($web, $tls_port) = tls(0, qw(-cert pem -key key -WWW -servername shop.test -servername_fatal -cert2 pem),
    qw(-key2 key));

my $ca = serve('--validate-http-port', $port, '--validate-tls-port', $tls_port);
my $client = Acme->new($ca);
$client->register;
sub dns (@records) { fakeca('dns', '--state', home(), '--add', $_) for @records }

# The authorization that comes of one challenge for one name; `show` puts things where they are looked for.
sub judged ($name, $type, $show) {
    my $order = $client->order([$name]);
    return $client->prove($order->{json}{authorizations}[0], $type, $show);
}
sub is_judged ($name, $type, $expected, $what, $show) {
    my $judged = judged($name, $type, $show);
    my ($challenge) = @{$judged->{challenges}};
    my $error = $challenge->{error} // {type => '', detail => ''};
    like("$judged->{status} " . ($error->{type} =~ s/.*://r) . " $error->{detail}", $expected, $what);
}
sub in_file ($top) { return sub ($challenge, $text, $) { spill("$top/$challenges/$challenge->{token}", $text) } }
my $good = qr/^valid /;

# --- http-01 --------------------------------------------------------------------------------------

is_judged('shop.test', 'http-01', $good, 'http-01', in_file($four));
is_judged('shop.test', 'http-01', qr/^invalid unauthorized .*status 404/, 'nothing there', sub { });
my $failed = $client->order(['shop.test']);
my $url = $failed->{json}{authorizations}[0];
is($client->prove($url, 'http-01', sub { })->{status}, 'invalid', '  again');
is(Acme->word($client->post($url, {status => 'deactivated'})), '400 malformed', '  and cannot be given up any more');
is($client->post($url)->{json}{status}, 'invalid', '  but stays invalid');
is_judged('shop.test', 'http-01', qr/^invalid unauthorized .*the answer was 'x'/, 'something else there',
    sub ($challenge, @) { spill("$four/$challenges/$challenge->{token}", 'x') });
is_judged('shop.test', 'http-01', $good, 'white space at the end does no harm',
    sub ($challenge, $text, $) { spill("$four/$challenges/$challenge->{token}", "$text \r\n") });
dns('six.test. AAAA ::1', 'both.test. A 127.0.0.1', 'both.test. AAAA ::1', 'other.test. CNAME six.test.');
is_judged('both.test', 'http-01', $good, 'where nobody listens on IPv6, IPv4 is next', in_file($four));
web($six, '::1', $port);
is_judged('six.test', 'http-01', $good, 'over IPv6', in_file($six));
is_judged('other.test', 'http-01', $good, 'along a CNAME', in_file($six));
is_judged('both.test', 'http-01', $good, 'where there is both, IPv6 goes first', in_file($six));
is_judged('both.test', 'http-01', qr/^invalid unauthorized/, '  and its answer counts', in_file($four));

sub redirected ($to) {
    return sub ($challenge, $text, $) {
        spill("$four/elsewhere", $text);
        spill("$secure/elsewhere", $text);
        spill("$four/$challenges/$challenge->{token}.location", $to);
    };
}
is_judged('shop.test', 'http-01', $good, 'a redirect is followed', redirected('/elsewhere'));
is_judged('shop.test', 'http-01', $good, '  to another name', redirected('http://www.shop.test/elsewhere'));
is_judged('shop.test', 'http-01', $good, '  to https, where the certificate does not matter',
    redirected('https://shop.test/elsewhere'));
is_judged('shop.test', 'http-01', $good, '  also at an address', redirected('https://127.0.0.1/elsewhere'));
is_judged('shop.test', 'http-01', qr/^invalid connection .*a redirect to 'ftp:/, '  to http and https only',
    redirected('ftp://shop.test/elsewhere'));
is_judged('shop.test', 'http-01', qr/^invalid connection .*a redirect to/, '  on the usual ports only',
    redirected('http://shop.test:53/elsewhere'));
spill("$four/loop.location", '/loop');
is_judged('shop.test', 'http-01', qr/^invalid connection .*more than 10 redirects/, '  and ten times at most',
    redirected('/loop'));
spill("$four/ten$_.location", '/ten' . ($_ + 1)) for 1 .. 9;
spill("$four/ten10.location", '/elsewhere');
is_judged('shop.test', 'http-01', $good, '  ten are not too many', redirected('/ten2'));
is_judged('shop.test', 'http-01', qr/^invalid connection .*more than 10/, '  eleven are', redirected('/ten1'));

# --- dns-01 and wildcards -------------------------------------------------------------------------

sub digest ($text) { return encode_base64url(sha256($text)) }
sub in_dns ($name) { return sub ($challenge, $text, $) { dns("$name. TXT " . digest($text)) } }

is_judged('shop.test', 'dns-01', qr/^invalid dns .*TXT of _acme-challenge.shop.test/, 'dns-01: no record', sub { });
dns('_acme-challenge.shop.test. TXT wrong');
is_judged('shop.test', 'dns-01', qr/^invalid unauthorized .*is 'wrong'/, '  the wrong one', sub { });
is_judged('shop.test', 'dns-01', $good, '  the right one beside it', in_dns('_acme-challenge.shop.test'));
fakeca('arm', 'dns-stale-texts', '--state', home());
is_judged('shop.test', 'dns-01', $good, '  among so many that it takes TCP', in_dns('_acme-challenge.shop.test'));
fakeca('disarm', 'dns-stale-texts', '--state', home());
dns('_acme-challenge.far.test. CNAME keys.elsewhere.test.');
is_judged('far.test', 'dns-01', $good, '  and one elsewhere, along a CNAME', in_dns('keys.elsewhere.test'));

my $order = $client->order(['*.shop.test']);
my $authorization = $client->post($order->{json}{authorizations}[0])->{json};
is_deeply([map { $_->{type} } @{$authorization->{challenges}}], ['dns-01'], 'a wildcard is for dns-01 alone');
is("$authorization->{identifier}{value} $authorization->{wildcard}", 'shop.test 1', '  under the name itself');
my $both = $client->obtain(['shop.test', '*.shop.test'], 'dns-01', in_dns('_acme-challenge.shop.test'));
like(Acme->says($both, '-ext', 'subjectAltName'), qr/DNS:shop\.test, DNS:\*\.shop\.test/,
    'a name and its wildcard in one');

# --- tls-alpn-01: RFC 8737 ------------------------------------------------------------------------

stop($web);

# Shows a certificate for the name, that holds the digest, critical, in an OCTET STRING.
sub shown ($alternative, $critical = 'critical,', $protocol = 'acme-tls/1') {
    return sub ($challenge, $text, $) {
        system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $secure/alpn.key "
            . "-out $secure/alpn.pem -subj / -days 1 -addext subjectAltName=$alternative "
            . "-addext 1.3.6.1.5.5.7.1.31=${critical}DER:0420" . sha256_hex($text) . ' 2>/dev/null');
        stop($web);
        ($web) = tls($tls_port, qw(-www -cert alpn.pem -key alpn.key -alpn), $protocol);
    };
}
is_judged('shop.test', 'tls-alpn-01', qr/^invalid connection/, 'tls-alpn-01: nobody listens', sub { });
is_judged('shop.test', 'tls-alpn-01', $good, '  a good answer', shown('DNS:shop.test'));
is_judged('shop.test', 'tls-alpn-01', qr/^invalid unauthorized .*not for this name alone/, '  for two names',
    shown('DNS:shop.test,DNS:www.shop.test'));
is_judged('shop.test', 'tls-alpn-01', qr/^invalid unauthorized .*right digest/, '  not critical',
    shown('DNS:shop.test', ''));
is_judged('shop.test', 'tls-alpn-01', qr/^invalid (?:tls|unauthorized)/, '  for another protocol',
    shown('DNS:shop.test', 'critical,', 'h2'));

# --- addresses: RFC 8738 --------------------------------------------------------------------------

for my $case (['127.0.0.1', $four], ['::1', $six]) {
    my ($address, $top) = @$case;
    my $ip = $client->order([$address]);
    my @types = map { $_->{type} } @{$client->post($ip->{json}{authorizations}[0])->{json}{challenges}};
    is_deeply(\@types, ['http-01', 'tls-alpn-01'], "$address: nothing is looked up for an address");
    my $certificate = $client->obtain([$address], 'http-01', in_file($top));
    my $written = $address eq '::1' ? '0:0:0:0:0:0:0:1' : $address;
    like(Acme->says($certificate, '-ext', 'subjectAltName'), qr/^\s+IP Address:\Q$written\E$/m,
        '  and a certificate is had');
}
is($client->order(['0:0:0:0:0:0:0:1'])->{json}{identifiers}[0]{value}, '::1', 'an address has one spelling');
is_judged('127.0.0.1', 'tls-alpn-01', $good, 'tls-alpn-01 for an address', shown('IP:127.0.0.1'));
is_judged('127.0.0.1', 'tls-alpn-01', qr/^invalid unauthorized/, '  not by a name', shown('DNS:127.0.0.1'));

# --- packets that vanish --------------------------------------------------------------------------

sub arm ($fault) { return try('arm', $fault, '--state', home()) }
# What becomes of a connection.
sub tried ($address, $to = $port) {
    my $made = IO::Socket::IP->new(PeerAddr => $address, PeerPort => $to, Timeout => 1);
    return $made ? 'is answered' : $!{ECONNREFUSED} ? 'is refused' : $!{ETIMEDOUT} ? 'is not answered' : "$!";
}
is(tried('127.100.0.1'), 'is refused', 'at an address without a listener a connection is refused');
arm('dns-silent-ipv6');
is(tried('::ffff:127.100.0.1'), 'is not answered', '  and where dns-silent-ipv6 leads it is not answered');
is(tried('127.100.0.1', $tls_port), 'is not answered', '  on the other port, either');
my $began = time;
is_judged('silent.test', 'http-01', $good, '  so that the validator takes the IPv4 address', in_file($four));
cmp_ok(time - $began, '>=', 2, '  after a while');
my ($acme) = $ca->{directory} =~ m{//([^/]+)};
stop($ca->{child}, 'KILL');
is(tried('127.100.0.1'), 'is refused', 'it ends with a kill -9');
$ca = serve('--validate-http-port', $port, '--validate-tls-port', $tls_port, '--acme', $acme);
is(tried('127.100.0.1'), 'is not answered', '  and the next start has it, as it has the fault');
arm('dns-wrong-address');
fakeca('disarm', 'dns-silent-ipv6', '--state', home());
is(tried('127.100.0.1'), 'is not answered', 'dns-wrong-address has it, too');
fakeca('disarm', 'dns-wrong-address', '--state', home());
is(tried('127.100.0.1'), 'is refused', '  and nobody where neither is armed');
stop($ca->{child});
my $everywhere = web($four, '0.0.0.0');
$ca = serve('--validate-http-port', $everywhere);
my (undef, $err, $status) = arm('dns-silent-ipv6');
is("$status $err", "6 fakeca: dns-silent-ipv6: packets cannot be swallowed: 127.100.0.1:$everywhere: cannot listen: "
    . "Address already in use\n", 'where somebody listens on all addresses, it is refused');
is(tried('127.100.0.1', $everywhere), 'is answered', '  as he would be asked');

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
