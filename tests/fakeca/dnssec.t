#!/usr/bin/perl
# `fakeca serve --dnssec`: its DNS is signed, as BIND's delv and libunbound find too; and what is not signed as it must
# be is no permission to issue.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Acme;
use Fakeca qw(dir try fakeca slurp spill);
use Serve qw(serve stop home have run calendar dns);
use Test::More;

for my $program (qw(curl dig delv unbound-host)) { have($program) or die "$program is not installed\n" }
my ($clock, $pass) = calendar(time);
my ($port, $show) = Acme->files;
my @settings = ('--clock', $clock, '--validate-http-port', $port, '--names-address', '127.0.0.1');
my $ca = serve(@settings, '--dnssec');
my $client = Acme->new($ca);
$client->register;

sub judged ($name, $type = 'http-01', $how = $show) { return $client->judged($name, $type, $how) }
sub armed ($fault, $code, @how) {
    fakeca('arm', $fault, '--state', home(), @how);
    my @result = $code->();
    fakeca('disarm', $fault, '--state', home());
    return wantarray ? @result : $result[0];
}

# --- what others make of it -----------------------------------------------------------------------

my ($address, $at) = $ca->{dns} =~ /(.*):(\d+)/;
my $key = slurp($ca->{dns_anchor}) =~ /^\.\t\d+\tIN\tDNSKEY\t(257 3 13) (\S+)/ ? [$1, $2] : die 'no anchor';
spill("$ca->{dns_anchor}.delv", qq(trust-anchors { . static-key $key->[0] "$key->[1]"; };\n));
spill(dir() . '/unbound.conf', <<"CONF");
server:
  do-not-query-localhost: no
  local-zone: "test." nodefault
  trust-anchor-file: "$ca->{dns_anchor}"
forward-zone:
  name: "."
  forward-addr: $address\@$at
CONF
sub dig (@query) { return (run({}, 'dig', "\@$address", '-p', $at, @query))[1] }
sub delv (@query) { return (run({}, 'delv', "\@$address", '-p', $at, '-a', "$ca->{dns_anchor}.delv", @query))[1] }
sub unbound ($name, $type) {
    return (run({}, 'unbound-host', '-C', dir() . '/unbound.conf', '-v', '-t', $type, $name))[1];
}

dns('--add', $_) for 'shop.test. A 127.0.0.1', 'www.shop.test. CNAME shop.test.', 'a.b.test. TXT "x"',
    'shop.test. CAA 0 issue "rehearsal.test"', 'long.test. TXT ' . join ' ', ('"' . 'x' x 200 . '"') x 8;
for (['shop.test', 'A', qr/127\.0\.0\.1/], ['shop.test', 'CAA', qr/rehearsal\.test/], ['long.test', 'TXT', qr/x{200}/],
    ['www.shop.test', 'A', qr/CNAME|alias/], ['nobody.test', 'A', qr/127\.0\.0\.1/]) {
    my ($name, $type, $says) = @$_;
    like(delv($name, $type), qr/; fully validated\n.*$says/s, "$type of $name: delv");
    like(unbound($name, $type), qr/$says.*\(secure\)/, '  and libunbound');
}
for (['shop.test', 'TXT'], ['nobody.test', 'AAAA'], ['b.test', 'CAA'], ['www.shop.test', 'TXT']) {
    my ($name, $type) = @$_;
    like(delv($name, $type), qr/ncache nxrrset.*fully validated/s, "there is no $type of $name: delv");
    like(unbound($name, $type), qr/has no .*\(secure\)/, '  and libunbound');
}
for my $name (qw(shop.test b.test new.test x.y.z)) {
    my ($delv, $unbound) = armed('dns-nxdomain', sub { delv($name, 'A'), unbound($name, 'A') }, '--identifier', $name);
    like($delv, qr/ncache nxdomain.*negative response, fully validated/s, "$name does not exist: delv");
    like($unbound, qr/NXDOMAIN.*\(secure\)/, '  and libunbound');
}
for (['dnssec-bogus', qr/RRSIG failed to verify/], ['dnssec-expired', qr/RRSIG has expired/],
    ['dnssec-not-yet-valid', qr/RRSIG validity period has not begun/], ['dnssec-missing', qr/broken trust chain/]) {
    my ($fault, $says) = @$_;
    like(armed($fault, sub { delv('shop.test', 'A') }, '--identifier', 'shop.test'), qr/resolution failed: $says/,
        "$fault, as delv says it");
}
unlike(dig('shop.test', 'A'), qr/RRSIG/, 'who does not ask for signatures gets none');
is((stat home() . '/dns-key.pem')[2] & 0777, 0600, 'the key is nobody else\'s to read');

# --- what the authority makes of it ---------------------------------------------------------------

is(judged('shop.test'), 'valid', 'http-01');
is(judged('www.shop.test'), 'valid', '  along a CNAME');
is(judged('dns.test', 'dns-01', \&Acme::in_dns), 'valid', 'dns-01');
for (['dnssec-bogus', 'Bogus'], ['dnssec-expired', 'Signature Expired'],
    ['dnssec-not-yet-valid', 'Signature Not Yet Valid'], ['dnssec-missing', 'RRSIGs Missing']) {
    my ($fault, $word) = @$_;
    like(armed($fault, sub { judged('shop.test') }),
        qr/^invalid dns .*shop\.test: DNSSEC: $word: validation failure <shop\.test\. A(?:AAA)? IN>$/,
        "$fault: http-01");
    like(armed($fault, sub { judged('dns.test', 'dns-01', \&Acme::in_dns) }),
        qr/^invalid dns .*dns\.test: DNSSEC: $word: validation failure <_acme-challenge\.dns\.test\. TXT IN>$/,
        '  dns-01');
}
like(armed('dnssec-missing', sub { judged('none.test', 'dns-01', sub { }) }), qr/invalid dns .* DNSSEC: /,
    'nor is it believed that there is nothing');
like(armed('dns-nxdomain', sub { judged('shop.test') }), qr/^invalid dns .*shop\.test: NXDOMAIN$/, 'NXDOMAIN, signed');
like(armed('dns-servfail', sub { judged('shop.test') }), qr/^invalid dns .*shop\.test: SERVFAIL$/,
    'SERVFAIL is what it was');
like(armed('dns-truncated', sub { judged('shop.test') }), qr/^valid/, 'over TCP too');
fakeca('set', 'caa=on', '--state', home());
is(judged('www.shop.test'), 'valid', 'CAA: there is one that permits');
is(judged('other.test'), 'valid', '  and none');
like(armed('dnssec-bogus', sub { judged('other.test') }, '--identifier', 'test'),
    qr/^invalid dns .*looking up CAA of test: DNSSEC: Bogus/,
    'without signatures that fit nobody knows that there is none');
like(armed('caa-forbids', sub { judged('shop.test') }), qr/^invalid caa/, 'who forbids signs that');
$pass->(90 * 86400);
is(judged('shop.test'), 'valid', 'signatures are as fresh as the calendar');

# --- when it cannot be ----------------------------------------------------------------------------

fakeca('arm', 'dnssec-bogus', '--identifier', 'else.test', '--state', home());
my $before = slurp($ca->{dns_anchor});
is(stop($ca->{child}), 0, 'SIGTERM ends it');
$ca = serve(@settings, '--dnssec');
is(slurp($ca->{dns_anchor}), $before, 'the key outlives a restart');
is($ca->{armed}, 1, '  and so do faults');
stop($ca->{child});
$ca = serve(@settings);
ok(!exists $ca->{dns_anchor}, 'without --dnssec there is no anchor');
is($ca->{armed}, 0, '  and no fault of it');
like(slurp(dir() . '/serve.err'), qr/was armed, and cannot be now: dnssec-bogus: its DNS signs nothing/,
    '  which is told');
($address, $at) = $ca->{dns} =~ /(.*):(\d+)/;
unlike(dig('+dnssec', 'shop.test', 'A'), qr/RRSIG/, '  and no signature');
like((try('arm', 'dnssec-expired', '--state', home()))[1],
    qr/dnssec-expired: its DNS signs nothing, so it would never fire; expected `fakeca serve --dnssec`/,
    'its faults are refused');
stop($ca->{child});
done_testing;
