#!/usr/bin/perl
# Rate limits with the shape of Let's Encrypt's: each bucket is emptied, refuses, and fills again on the calendar.
use v5.36;
use FindBin qw($Bin);
use JSON::PP;
use lib $Bin;
use Acme;
use Fakeca qw(fakeca);
use Serve qw(serve stop home have calendar);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');
my $now = 1935748800;    # 2031-05-05T12:00:00Z
my ($clock, $pass) = calendar($now);
my ($port, $show) = Acme->files;
sub pass_time ($seconds) { return $now = $pass->($seconds) }
my @settings = ('--clock', $clock, '--validate-http-port', $port);
my $ca = serve(@settings);

sub obtain ($who, @names) { return $who->obtain(\@names, 'http-01', $show)->{status} }
sub set (@settings) { return decode_json(fakeca('set', @settings, '--state', home()))->{settings} }

# Refused by a limit, with these words, until so many seconds from now.
sub is_limited ($answer, $words, $seconds, $what) {
    is(Acme->word($answer), '429 rateLimited', $what);
    is($answer->{fields}{'retry-after'}, $seconds, "  for $seconds s");
    like($answer->{json}{detail}, qr/\A$words in the last \d+h\d+m\d+s, retry after [-\d]+ [:\d]+ UTC: see https:/,
        '  in Let\'s Encrypt\'s words');
}

# --- accounts -------------------------------------------------------------------------------------

sub registered () {
    my $client = Acme->new($ca);
    return ($client->register, $client);
}
is(join(' ', map { (registered())[0]{status} } 1 .. 11), join(' ', (201) x 11), 'there is no limit, unless it is set');
set('rate-limits=on');
is(join(' ', map { (registered())[0]{status} } 1 .. 10), join(' ', (201) x 10), 'ten accounts from an address');
my $limited = (registered())[0];
is_limited($limited, qr/too many new registrations \(10\) from this IP address/, 1080, 'an eleventh is refused');
like($limited->{json}{detail}, qr/retry after 2031-05-05 12:18:00 UTC/, '  until a moment on its calendar');
pass_time(1079);
is((registered())[0]{status}, 429, 'a second too early');
pass_time(1);
is((registered())[0]{status}, 201, 'one more, when one token is back');
is((registered())[0]{status}, 429, '  and no second');
stop($ca->{child}, 'KILL');
$ca = serve(@settings, '--set', 'rate-limits=on');
is((registered())[0]{status}, 429, 'a restart gives nothing back');
pass_time(3 * 3600);
my ($client, $other) = map { (registered())[1] } 1 .. 2;

# --- orders ---------------------------------------------------------------------------------------

set('orders-per-account=3/3h');
is($client->order(["o$_.test"])->{status}, 201, "order $_") for 1 .. 3;
is_limited($client->order(['o4.test']), qr/too many new orders \(3\) from this account/, 3600, 'a fourth is refused');
is($other->order(['o4.test'])->{status}, 201, '  but not another account\'s');
pass_time(3600);
is($client->order(['o4.test'])->{status}, 201, 'one an hour');
is($client->order(['o5.test'])->{status}, 429, '  and no more');
pass_time(10 * 3600);
is(join(' ', map { $client->order(["o$_.test"])->{status} } 1 .. 4), '201 201 201 429',
    'a full bucket does not run over');
set('orders-per-account=300/3h');
pass_time(3 * 3600);

# --- certificates for a registered domain ---------------------------------------------------------

set('certificates-per-domain=2/7d');
is(obtain($client, 'a.shop.co.uk'), 200, 'a certificate');
is(obtain($client, 'b.shop.co.uk', 'c.shop.co.uk'), 200, 'a second, with two names, counts once');
is_limited($client->order(['d.shop.co.uk']), qr/too many certificates \(2\) already issued for "shop\.co\.uk"/,
    302400, 'a third is refused');
is(Acme->word($other->order(['d.shop.co.uk'])), '429 rateLimited', '  whoever asks');
is(obtain($client, 'a.other.co.uk'), 200, '  another domain is another: the public suffix list says so');
is(obtain($client, 'c.shop.co.uk', 'b.shop.co.uk'), 200, 'the same names once more are a renewal, which is exempt');
pass_time(3600);
set('orders-per-account=1/6h');
is($client->order(['e.test'])->{status}, 201, 'the last order');
is($client->order(['f.test'])->{status}, 429, '  was that');
is($client->order(['a.shop.co.uk'])->{status}, 201, '  but renewals are exempt from this limit, too');
set('orders-per-account=300/3h');
pass_time(302400);
is($client->order(['d.shop.co.uk'])->{status}, 201, 'half a week later there is one more');
set('certificates-per-domain=50/7d');

# --- certificates for the same names --------------------------------------------------------------

pass_time(7 * 86400);
is(obtain($client, 'www.crash.test', 'crash.test'), 200, "certificate $_ of the same names") for 1 .. 4;
my $last = $client->obtain(['crash.test', 'www.crash.test'], 'http-01', $show);
is_limited($client->order(['www.crash.test', 'crash.test']),
    qr/too many certificates \(5\) already issued for this exact set of identifiers/, 120960, 'a sixth is refused');
is($client->order(['crash.test'])->{status}, 201, '  other names are not');
is($client->obtain(['crash.test', 'www.crash.test'], 'http-01', $show,
    replaces => Acme->renewal_id($last))->{status}, 200,
    'a renewal that says what it replaces is exempt from all');
pass_time(120960);
is(obtain($client, 'crash.test', 'www.crash.test'), 200, 'and one more, when a fifth of the week is over');
is($client->order(['crash.test', 'www.crash.test'])->{status}, 429, '  and no second');

# --- failures -------------------------------------------------------------------------------------

sub fails ($who, $name) {
    my $order = $who->order([$name]);
    return $who->prove($order->{json}{authorizations}[0], 'http-01', sub { })->{status};
}
is(join(' ', map { fails($client, 'away.test') } 1 .. 5), join(' ', ('invalid') x 5), 'five failures');
is_limited($client->order(['here.test', 'away.test']), qr/too many failed authorizations \(5\) for "away\.test"/, 720,
    'after which the name is refused, in whatever order');
is($client->order(['here.test'])->{status}, 201, '  other names are not');
is($other->order(['away.test'])->{status}, 201, '  nor other accounts');
pass_time(720);
is(fails($client, 'away.test'), 'invalid', 'one try more in twelve minutes');
is($client->order(['away.test'])->{status}, 429, '  and no second');

set('consecutive-failures=3/3d', 'failures-per-identifier=100/1h');
is(fails($client, 'zombie.test'), 'invalid', 'a failure') for 1 .. 2;
is(obtain($client, 'zombie.test'), 200, 'one that succeeds');
is(fails($client, 'zombie.test'), 'invalid', 'lets it begin anew') for 1 .. 3;
my $paused = $client->order(['zombie.test']);
is(Acme->word($paused), '429 rateLimited', 'after three in a row account and name are paused');
like($paused->{json}{detail}, qr/\AYour account is temporarily prevented from requesting certificates for zombie\.test/,
    '  in Let\'s Encrypt\'s words');
pass_time(30 * 86400);
is($client->order(['zombie.test'])->{status}, 429, '  for good');
my ($account) = $client->{kid} =~ m{/(\d+)$};
is(decode_json(fakeca('unpause', '--account', $account, '--state', home()))->{unpaused}, 1, 'until somebody acts');
is($client->order(['zombie.test'])->{status}, 201, '  then it may order again');

# --- accounts of an IPv6 network ------------------------------------------------------------------

stop($ca->{child});
$ca = serve(@settings, '--acme', '[::1]:0', map { ('--set', $_) } 'rate-limits=on', 'accounts-per-range=2/3h');
is(join(' ', map { (registered())[0]{status} } 1 .. 2), '201 201', 'two accounts from an IPv6 network');
is_limited((registered())[0], qr{too many new registrations \(2\) from this /48 subnet of IPv6 addresses}, 5400,
    'a third is refused');
pass_time(5400);
is((registered())[0]{status}, 201, 'until there is one again');

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
