#!/usr/bin/perl
# The log: one JSON line for every handshake that ended, well or not, as the server saw it.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Target qw(dir identity slurp s_client fetch run);
use IO::Socket::INET;
use JSON::PP;
use Test::More;

my $dir = dir();
my $shop = identity('shop.test');
my $other = identity('other.test');
my $target = Target->start(hosts => [$shop, $other], log => "$dir/log", alpn => ['http/1.1']);

sub lines { return map { decode_json($_) } split /\n/, slurp("$dir/log") }

fetch($target, qw(-tls1_3 -servername other.test -alpn http/1.1));
my ($line) = lines();
my ($now, $ended) = delete @$line{qw(now ended)};
cmp_ok(abs($now - time), '<', 60, 'a handshake has the time of the target\'s calendar');
cmp_ok($ended, '>', 0, '  and a monotonic one');
is_deeply($line, {
    ok => JSON::PP::true,
    host => 'other.test',
    sni => 'other.test',
    version => 'TLSv1.3',
    cipher => 'TLS_AES_256_GCM_SHA384',
    alpn => 'http/1.1',
    resumed => JSON::PP::false,
    client => undef,
    alert_received => undef,
    alert_sent => undef,
    why => undef,
}, 'and everything that was agreed on');

s_client($target, qw(-tls1_2 -noservername -verify_return_error -CAfile), $other->{chain});
(undef, $line) = lines();
ok(!$line->{ok}, 'a client that does not trust the certificate ends the handshake');
is($line->{alert_received}, 'unknown_ca', '  and the alert it sent is there');
is($line->{host}, 'shop.test', '  with the host that answered');
is($line->{sni}, undef, '  and no name, for it gave none');
is($line->{version}, undef, '  nor a version, for none was agreed on to the end');
ok(length $line->{why}, "  but why: $line->{why}");

s_client($target, qw(-alpn spdy/1));
is((lines())[2]{alert_sent}, 'no_application_protocol', 'an alert of ours is there, too');

# Names that are not text, and those who say nothing, are logged all the same.
my $nobody = IO::Socket::INET->new(PeerAddr => $target->{address}) or die;
close $nobody;
s_client($target, -servername => "\xff\xfe\"\n");
$target->hangup;    # by its answer, the hang-up before it has been seen
is_deeply([sort map { $_->{why} // $_->{sni} } (lines())[3, 4]], ['(not UTF-8)', 'the client hung up'],
    'a name that is no text, and a client that said nothing');

# Log rotation: the file is opened anew by a reload, and elsewhere if told so.
$target->reload(log => "$dir/second");
fetch($target);
is(scalar(() = lines()), 5, 'after a reload nothing more goes to the old log');
like(slurp("$dir/second"), qr/\A\{"ok":true,.*\}\n\z/, '  but to the new one');
is($target->reload(log => undef)->{event}, 'reloaded', 'and without a log');
like(fetch($target), qr/This is a rehearsal/, '  it serves as before');

SKIP: {
    skip 'no /dev/full here', 4 if !-c '/dev/full';
    is($target->reload(log => '/dev/full')->{event}, 'reloaded', 'a disk that is full');
    like(fetch($target), qr/This is a rehearsal/, '  does not keep it from serving');
    fetch($target);
    is_deeply($target->event, {event => 'unlogged', why => 'No space left on device'}, '  but is told');
    is($target->reload(log => undef)->{event}, 'reloaded', '  once');
}
is($target->stop, 0, 'it ends well');

done_testing;
