#!/usr/bin/perl
# target-builtin as its starter meets it: it says where it listens, answers over TLS with the
# date it believes in, and ends when told.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Target qw(dir identity spill run config program s_client fetch openssl);
use IO::Socket::IP;
use POSIX qw(strftime);
use Test::More;

my $shop = identity('shop.test');
my $other = identity('other.test');
my $any = identity('wildcard', '*.any.test');

# --- a life ---------------------------------------------------------------------------------------

my $target = Target->start(hosts => [$shop, $other, $any]);
like($target->{address}, qr/^127\.0\.0\.1:[1-9]\d*$/, 'it says where it listens, with the real port');
is($target->{listening}{pid}, $target->{pid}, '  and its process id');
is($target->{listening}{serial}, $shop->{serial}, '  and the serial of the first host');
is_deeply($target->{listening}{names}, ['shop.test', 'other.test', '*.any.test'], '  and its names');

my $before = time;
my $answer = fetch($target);
my $after = time;
like($answer, qr{\AHTTP/1\.0 200 OK\r\n}, 'a request over TLS is answered');
my ($date) = $answer =~ /^Date: (.*)\r$/m;
ok((grep { $date eq strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $_) } $before .. $after),
    "  with the date it believes in: $date");
my ($length, $body) = $answer =~ /^Content-Length: (\d+)\r\n.*?\r\n\r\n(.*)\z/ms;
is(length $body, $length, '  and a body as long as it says');

# --- names ----------------------------------------------------------------------------------------

sub served ($name) {
    my ($said) = s_client($target, defined $name ? (-servername => $name) : '-noservername');
    return $said =~ /^subject=CN = (\S+)/m ? $1 : $said;
}
is(served('shop.test'), 'shop.test', 'SNI chooses the host');
is(served('other.test'), 'other.test', '  each of them');
is(served('OTHER.Test'), 'other.test', '  in any case of letters');
is(served('a.any.test'), '*.any.test', '  a wildcard stands for one label');
is(served('a.b.any.test'), 'shop.test', '  and not for two');
is(served('any.test'), 'shop.test', '  nor for none');
is(served('unknown.test'), 'shop.test', 'a name that is nobody\'s gets the first host');
is(served(undef), 'shop.test', '  and so does no name');

is($target->stop, 0, 'SIGTERM ends it with exit status 0');
ok(!defined $target->event, '  and it said nothing more');
my $interrupted = Target->start(hosts => [$shop]);
is($interrupted->stop('INT'), 0, 'so does SIGINT');

# --- versions, each alone -------------------------------------------------------------------------

my $versions = Target->start(hosts => [$shop], min_version => '1.0');
my %flag = ('1.0' => '-tls1', '1.1' => '-tls1_1', '1.2' => '-tls1_2', '1.3' => '-tls1_3');
my %name = ('1.0' => 'TLSv1', '1.1' => 'TLSv1.1', '1.2' => 'TLSv1.2', '1.3' => 'TLSv1.3');
my @old = qw(-cipher ALL:@SECLEVEL=0);

# What server and client agree on. A client that is too old is refused by the server; one that is
# too new refuses the server's hello itself.
sub version ($client) {
    my ($said) = s_client($versions, $flag{$client}, @old, '-brief');
    return 'none' if $said =~ /alert protocol version|ssl_choose_client_version:unsupported protocol/;
    return $said =~ /^Protocol version: (\S+)/m ? $1 : $said;
}
for my $only (sort keys %flag) {
    is($versions->reload(min_version => $only, max_version => $only)->{event}, 'reloaded',
        "a reload narrows it to TLS $only");
    for my $client (sort keys %flag) {
        my $expected = $client eq $only ? $name{$only} : 'none';
        is(version($client), $expected, "  version agreed on with a client of TLS $client: $expected");
    }
}
is($versions->reload(min_version => undef, max_version => undef)->{event}, 'reloaded',
    'with no version named');
is(version('1.1'), 'none', '  TLS 1.1 is too old, as for any careful server');
is(version('1.2'), 'TLSv1.2', '  and TLS 1.2 is not');

# --- algorithms -----------------------------------------------------------------------------------

sub offer (@arguments) { return (s_client($versions, @arguments))[0] }

$versions->reload(ciphers => 'ECDHE-ECDSA-AES128-GCM-SHA256', ciphersuites => 'TLS_CHACHA20_POLY1305_SHA256',
                  groups => 'P-384', alpn => ['h2', 'http/1.1']);
like(offer('-tls1_2'), qr/Cipher is ECDHE-ECDSA-AES128-GCM-SHA256$/m, 'ciphers are the ones told');
like(offer('-tls1_3'), qr/Cipher is TLS_CHACHA20_POLY1305_SHA256$/m, '  and for TLS 1.3 too');
like(offer('-tls1_2', -cipher => 'ECDHE-ECDSA-AES256-GCM-SHA384'), qr/alert handshake failure/,
    '  and a client without them is refused');
like(offer('-tls1_3'), qr/Server Temp Key: ECDH, .*384/, 'groups are the ones told');
like(offer('-tls1_3', -groups => 'X25519'), qr/alert handshake failure/, '  and no others');
like(offer(-alpn => 'http/1.1'), qr/^ALPN protocol: http\/1\.1$/m, 'ALPN: the one both know');
like(offer(-alpn => 'http/1.1,h2'), qr/^ALPN protocol: h2$/m, '  the server\'s first, of several');
like(offer(-alpn => 'spdy/1'), qr/alert no application protocol/, '  none: refused, by its name');
like(offer(), qr/^No ALPN negotiated$/m, '  and who does not ask gets in without');

# --- the staple -----------------------------------------------------------------------------------

my $request = dir() . '/request.der';
my $staple = dir() . '/staple.der';
my $index = spill(dir() . '/index.txt', "V\t491231235959Z\t\t" . uc($shop->{serial}) . "\tunknown\t/CN=shop.test\n");
openssl('ocsp', '-index', $index, '-CA', $shop->{chain}, '-rsigner', $shop->{chain}, '-rkey', $shop->{key},
        '-issuer', $shop->{chain}, '-cert', $shop->{chain}, '-respout', $staple, qw(-ndays 7 -noverify));
my $stapling = Target->start(hosts => [{%$shop, staple => $staple}, $other]);
my ($said) = s_client($stapling, qw(-status -servername shop.test));
like($said, qr/OCSP Response Status: successful.*Cert Status: good/s, 'a staple from its file is served');
($said) = s_client($stapling, qw(-status -servername other.test));
like($said, qr/OCSP response: no response sent/, '  to those who ask its host, and not to others');
is($stapling->reload(hosts => [$shop])->{event}, 'reloaded', 'a reload takes it away');
($said) = s_client($stapling, qw(-status -servername shop.test));
like($said, qr/OCSP response: no response sent/, '  and it is gone');

# --- sessions -------------------------------------------------------------------------------------

my $session = dir() . '/session';
for my $client (qw(-tls1_2 -tls1_3)) {
    fetch($stapling, $client, -sess_out => $session);
    ($said) = s_client($stapling, $client, -sess_in => $session);
    like($said, qr/^Reused, TLS/m, "$client: a session is resumed");
    $stapling->hangup;
    ($said) = s_client($stapling, $client, -sess_in => $session);
    like($said, qr/^New, TLS/m, '  and never across a reload');
}

# --- another calendar -----------------------------------------------------------------------------

SKIP: {
    my $clock = ($ENV{BUILD} // 'build') . '/fakeclock';
    skip "$clock is not built", 3 if !-x $clock;

    my $page = dir() . '/calendar';
    run($clock, 'new', $page);
    run($clock, 'set', $page, '2031-05-01T12:00:00Z');
    my $moved = Target->start_by([$clock, 'run', $page, '--'], hosts => [$shop], log => dir() . '/log');
    like(fetch($moved), qr/^Date: Thu, 01 May 2031 12:0\d:\d\d GMT\r$/m, 'on a calendar of its own');
    run($clock, 'set', $page, '2001-01-01T00:00:00Z');
    like(fetch($moved), qr/^Date: Mon, 01 Jan 2001 00:0\d:\d\d GMT\r$/m, '  also when that is moved');
    like(Target::slurp(dir() . '/log'), qr/"now":1935403\d\d\d.*\n.*"now":978307\d\d\d,/, '  and in its log');
}

# --- where it listens -----------------------------------------------------------------------------

SKIP: {
    my $loopback = IO::Socket::IP->new(LocalHost => '::1', Listen => 1) or skip 'no IPv6 here', 2;
    my $six = Target->start(hosts => [$shop], listen => '[::1]:0');
    like($six->{address}, qr/^\[::1\]:[1-9]\d*$/, 'IPv6, with brackets');
    like(fetch($six), qr/This is a rehearsal/, '  and it serves there');
}

# --- where it cannot listen -----------------------------------------------------------------------

my $taken = config(dir() . '/taken.json', hosts => [$shop], listen => $stapling->{address});
my ($out, $err, $status) = run(program(), '--config', $taken);
like($err, qr/\Atarget-builtin: listen: \Q$stapling->{address}\E: Address already in use\n\z/,
    'an address that is taken: one line');
is("$out$status", 6, '  and exit status 6');
($out, $err, $status) = run(program(), '--check', '--config', $taken);
is("$out$err$status", '0', 'a check does not bind: it works beside the server it checks for');

is($_->stop, 0, 'it ends well') for $versions, $stapling;

done_testing;
