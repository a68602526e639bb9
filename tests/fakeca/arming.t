#!/usr/bin/perl
# Where and when an armed fault fires, what is refused when it is armed, and what is told of it afterwards.
use v5.36;
use FindBin qw($Bin);
use JSON::PP;
use lib $Bin;
use Fakeca qw(dir try fakeca slurp spill);
use Observer qw(curl openssl text_of);
use Serve qw(serve stop web home);
use Test::More;

my $dir = dir();
my $build = $ENV{BUILD} // 'build';
my $now = time;
my $challenges = "$dir/www/.well-known/acme-challenge";
mkdir $_ for "$dir/www", "$dir/www/.well-known", $challenges;

sub clock ($verb, @words) {
    system("'$build/fakeclock' $verb $dir/clock @words >/dev/null") == 0 or die "fakeclock $verb";
}
clock('new');
clock('freeze');
clock('set', "\@$now");
my @serve = ('--clock', "$dir/clock", '--validate-http-port', web("$dir/www"));
my $ca = serve(@serve);
my ($one, $two) = map { Observer->new($ca) } 1, 2;
$_->register for $one, $two;

sub arm ($fault, @how) { return fakeca('arm', $fault, '--state', home(), @how) }
sub disarm ($fault, @how) { return fakeca('disarm', $fault, '--state', home(), @how) }
sub armed ($list = 'armed') { return decode_json(fakeca('armed', '--state', home()))->{$list} }

# Statuses of some requests for the directory.
sub statuses ($count) {
    return join ' ', map { $one->ask($ca->{directory})->{status} } 1 .. $count;
}

# Arms a fault, and looks at what comes of each thing that is then done.
sub is_met ($what, $fault, $how, $expected, @acts) {
    arm($fault, @$how);
    is(join(' ', map { $_->() } @acts), $expected, $what);
    disarm($fault);
}

# --- when -----------------------------------------------------------------------------------------

is_met('from the nth on', 'retry-later', [qw(--on directory --nth 3)], '200 200 503 503', sub { statuses(4) });
is_met('the next n', 'retry-later', [qw(--on directory --times 2)], '503 503 200', sub { statuses(3) });
is_met('n from the nth on', 'retry-later', [qw(--on directory --nth 2 --times 2)], '200 503 503 200',
    sub { statuses(4) });
is_met('from a point on the calendar, until another', 'retry-later',
    ['--on', 'directory', '--from', '@' . ($now + 60), '--until', '@' . ($now + 120)], '200 503 503 200',
    sub { statuses(1) }, sub { clock('advance', '60s'); statuses(2) }, sub { clock('advance', '60s'); statuses(1) });
is(armed('disarmed')->[-1]{first}, $now + 60, '  and the calendar says when it fired');

# --- where ----------------------------------------------------------------------------------------

my ($number) = $two->{kid} =~ /(\d+)$/;
sub ordered ($client, @names) { return $client->order(\@names)->{status} }
is_met('on an endpoint', 'server-error', [qw(--on newOrder)], '200 500',
    sub { statuses(1) }, sub { ordered($one, 'shop.test') });
is_met('for an account', 'server-error', ['--account', $number], '201 500',
    sub { ordered($one, 'shop.test') }, sub { ordered($two, 'shop.test') });
is_met('for a name, in whatever case', 'blocked-name', ['--identifier', 'WWW.Shop.test'], '201 400 400',
    sub { ordered($one, 'shop.test') }, sub { ordered($one, 'shop.test', 'www.shop.test') },
    sub { ordered($two, 'www.shop.test') });
is_met('for an account and a name', 'blocked-name', ['--account', $number, '--identifier', 'www.shop.test'],
    '201 201 400', sub { ordered($one, 'www.shop.test') }, sub { ordered($two, 'shop.test') },
    sub { ordered($two, 'www.shop.test') });

sub show ($challenge, $text, $) { spill("$challenges/$challenge->{token}", $text) }
my ($first, $second) = map { $one->obtain([$_], 'http-01', \&show) } qw(a.test b.test);
my ($serial) = Acme->says($first, '-serial') =~ /=(\w+)/;
sub downloaded ($certificate) { return $one->post($certificate->{url})->{text} =~ /\r\n-/ ? 'crlf' : 'lf' }
is_met('for a certificate, at its download', 'crlf-chain', ['--serial', $serial], 'crlf lf',
    sub { downloaded($first) }, sub { downloaded($second) });
sub window ($certificate) {
    return $one->ask("$one->{directory}{renewalInfo}/" . Acme->renewal_id($certificate))->{status};
}
is_met('at its renewal window', 'no-window', ['--serial', lc $serial], '404 200',
    sub { window($first) }, sub { window($second) });
is_met('and by its name there', 'no-window', ['--identifier', 'b.test'], '200 404',
    sub { window($first) }, sub { window($second) });
spill("$dir/issuer.der", curl('-o', '-', "$ca->{issuers}/1.cer")->{text});
openssl('x509', '-inform', 'der', '-in', "$dir/issuer.der", '-out', "$dir/issuer.pem");
sub standing ($certificate) {
    return openssl('ocsp', '-issuer', "$dir/issuer.pem", '-cert', $certificate->{file}, '-url', $ca->{ocsp},
        '-CAfile', $ca->{roots}[0]) =~ /pem: (\w+)/ ? $1 : 'none';
}
is_met('and when its OCSP is asked for', 'ocsp-unknown', ['--serial', $serial], 'unknown good',
    sub { standing($first) }, sub { standing($second) });
sub proven ($name) {
    return $one->prove($one->order([$name])->{json}{authorizations}[0], 'http-01', \&show)->{status};
}
is_met('validation, of a name', 'redirect-loop', ['--identifier', 'c.test'], 'invalid valid',
    map { my $name = $_; sub { proven($name) } } qw(c.test d.test));

# --- connections that are refused -----------------------------------------------------------------

sub tried ($url) { return curl('--cacert', $ca->{https_root}, $url)->{exit} == 7 ? 'refused' : 'taken' }
arm('connection-refused', '--on', 'acme', '--nth', 2);
is(join(' ', map { tried($ca->{directory}) } 1 .. 3), 'taken refused refused', 'a port is closed after one connection');
is(tried("$ca->{crls}/1.crl"), 'taken', '  and the other is not');
is(armed()->[0]{fired}, 1, '  which counts as fired once');
disarm('connection-refused');
is(tried($ca->{directory}), 'taken', '  and is open again at the same place once it is disarmed');

# The calendar is moved by another process, so this takes a moment to be noticed.
sub comes_to_be ($state) {
    for (1 .. 200) { return 1 if tried("$ca->{crls}/1.crl") eq $state }
    return 0;
}
my $then = $now + 200;
arm('connection-refused', '--on', 'http', '--from', '@' . $then, '--until', '@' . ($then + 60));
is(tried("$ca->{crls}/1.crl"), 'taken', 'a port is open until its time has come');
clock('set', "\@$then");
ok(comes_to_be('refused'), '  closes by the calendar');
clock('advance', '60s');
ok(comes_to_be('taken'), '  and opens by it');
disarm('connection-refused');
arm('connection-refused', '--on', 'http', '--nth', 3, '--for', '1h');
is(join(' ', map { tried("$ca->{crls}/1.crl") } 1 .. 3), 'taken taken refused', 'a port is closed from the nth on');
clock('advance', '1h');
ok(comes_to_be('taken'), '  for a while, by the calendar');
is(join(' ', map { tried("$ca->{crls}/1.crl") } 1 .. 3), 'taken taken taken', '  and not again');
disarm('connection-refused');
my $later = $then + 60 + 3600;
is_met('for so long from when it first fires', 'retry-later', [qw(--on directory --nth 2 --for 60s)], '200 503 503 200',
    sub { statuses(1) }, sub { clock('advance', '60s'); statuses(1) }, sub { clock('advance', '59s'); statuses(1) },
    sub { clock('advance', '1s'); statuses(1) });

# --- over a restart -------------------------------------------------------------------------------

sub again (@how) {
    stop($ca->{child}, 'KILL');
    $ca = serve(@serve, @how);
    $one->{nonce} = undef;
}
my @ports = map { ("--$_->[0]", $_->[1] =~ m{//([^/]+)}) } ['acme', $ca->{directory}], ['http', $ca->{ocsp}];
arm('retry-later', '--on', 'directory', '--nth', 3);
arm('connection-refused', '--on', 'http');
is(statuses(2), '200 200', 'two requests go by');
again(@ports);
is($ca->{armed}, 2, 'after a kill -9 both faults are armed still');
is(slurp("$dir/serve.err"), "fakeca: faults armed from before: 2; `fakeca armed` lists them\n", '  as is said');
is(statuses(2), '503 503', '  the third request is the third');
is(tried("$ca->{crls}/1.crl"), 'refused', '  and the port is closed');
is_deeply([map { "$_->{fault} $_->{requests} $_->{fired}" } @{armed()}], ['retry-later 4 2', 'connection-refused 0 1'],
    '  as they are counted');
is(decode_json(fakeca('disarm', '--all', '--state', home()))->{disarmed}, 2, 'all are disarmed at once');
again(@ports);
is("$ca->{armed} " . statuses(1), '0 200', '  for good');
is(decode_json(fakeca('disarm', '--all', '--state', home()))->{disarmed}, 0, '  and where nothing is, nothing is');
spill("$dir/serve.err", '');

# --- several at once ------------------------------------------------------------------------------

arm('html', '--on', 'directory', '--nth', 2);
arm('retry-later', '--on', 'directory');
is(statuses(3), '503 200 200', 'one fault hits a request: of those that are due, the first that was armed');
is_deeply([map { "$_->{fault} $_->{requests} $_->{fired}" } @{armed()}], ['html 3 2', 'retry-later 3 1'],
    '  and both have counted the requests');
arm('html', '--on', 'newNonce');
disarm('html', '--on', 'directory');
is_deeply([map { "$_->{fault} $_->{on}" } @{armed()}], ['retry-later directory', 'html newNonce'],
    'one place can be disarmed, and the others stay');
disarm($_) for qw(html retry-later);

# --- every kind of Retry-After --------------------------------------------------------------------

my $here = $later + 120;
my %kinds = ('' => undef, '--after 120' => '120', '--after -1' => '-1', '--after 999999999999' => '999999999999',
    '--after-date 120s' => Observer::http_date($here + 120), '--after-date -1h' => Observer::http_date($here - 3600));
for my $fault (['retry-later', 503], ['retry-later', 502, '--status', 502], ['server-error', 500],
               ['retry-later', 429, '--status', 429], ['rate-limited', 429]) {
    my ($name, $status, @how) = @$fault;
    my $on = $name eq 'rate-limited' ? 'newOrder' : 'directory';
    my %seen = map {
        arm($name, '--on', $on, @how, split ' ');
        my $answer = $on eq 'newOrder' ? $one->order(['shop.test']) : $one->ask($ca->{directory});
        disarm($name);
        ($_ => $answer->{status} == $status ? $answer->{fields}{'retry-after'} : $answer->{status});
    } keys %kinds;
    is_deeply(\%seen, \%kinds, "$name $status: with every kind of Retry-After");
}

# --- what is refused ------------------------------------------------------------------------------

arm('reset', '--on', 'orders');
for my $wrong (
    ['resett', 'unknown fault \'resett\'; did you mean reset?'],
    ['reset --on newOdrer', "reset: not on 'newOdrer'; did you mean newOrder?"],
    ['eab-required --on directory', "eab-required: not on 'directory', expected one of: newAccount"],
    ['reset --on orders', 'reset: is armed there already'],
    ['ocsp-stale --identifier shop.test',
        'ocsp-stale: no request there tells its "identifier", so it would never fire'],
    ['no-nonce --on newNonce --account 1', 'no-nonce: no request there tells its "account", so it would never fire'],
    ['crlf-chain --serial xyz', "crlf-chain: 'xyz' is no serial number, expected hexadecimal digits"],
    ['reset --after 5', 'reset: takes no "after"'],
    ['retry-later --status 99', 'retry-later: a "status" is 200 to 599'],
    ['retry-later --after 5 --after-date 5s', 'retry-later: takes "after" or "after_date", not both'],
    ['reset --share 0%', "--share: '0%' is not a share; expected more than 0% and at most 100%"],
    ['reset --from 2031-01-02 --until 2031-01-01', 'reset: "until" is not after "from"'],
    ['broken-chain', 'broken-chain: needs a "chain", the name of what is wrong with it, such as expired-leaf; '
        . '`fakeca faults` lists them'],
    ['broken-chain --chain expired-leav', "broken-chain: unknown fault 'expired-leav'; did you mean expired-leaf?"],
    ['broken-chain --chain revoked', "broken-chain: 'revoked' is not in the chain, and nothing else is sent"],
    ['retry-later --times 0', 'retry-later: "times" counts from 1'],
    ['retry-later --account 0', 'retry-later: "account" counts from 1'],
    ['directory-key-missing --key newOrders',
        "directory-key-missing: 'newOrders' is no \"key\", expected one of: newNonce newAccount newOrder revokeCert"
        . ' keyChange renewalInfo meta'],
    ['challenge-gone --key http-02',
        "challenge-gone: 'http-02' is no \"key\", expected one of: http-01 dns-01 tls-alpn-01"],
    ['retry-later --for 0s', 'retry-later: a "for" is a second or more'],
    ['connection-refused --times 1', 'connection-refused: takes no "times" and no "share": nobody sees connections that'
        . ' are refused; say "for" or "until", or disarm it']) {
    my ($words, $said) = @$wrong;
    my ($out, $err, $status) = try('arm', split(/ /, $words), '--state', home());
    is("$status $err", "2 fakeca: $said\n", "arm $words: is refused");
}
like((try('arm', 'reset', '--until', "\@$now", '--state', home()))[1],
    qr/\Afakeca: "until" is over already: it is \S+Z on its calendar\n\z/, 'nor what is over');
for my $tried (['arm', 'reset', '--on', 'directory'], ['set', 'caa=on']) {
    is(join(' ', (try(@$tried, '--check'))[2, 0, 1]), '0  ', "$$tried[0]: what could be is told though nobody serves");
}
is(join(' ', (try('arm', 'reset', '--on', 'director', '--check'))[2, 1]),
    "2 fakeca: reset: not on 'director'; did you mean directory?\n", '  and what could not be');
is(join(' ', (try('set', 'caa=yes', '--check'))[2, 1]), "2 fakeca: caa: 'yes' is neither on nor off\n", '  likewise');
is((try('arm', 'blocked-name', '--identifier', '', '--state', home()))[1],
    qq{fakeca: blocked-name: an "identifier" is a name or an address\n}, 'nor is a name that is none');
my (undef, $err, $status) = try('disarm', 'reset', '--on', 'finalize', '--state', home());
is("$status $err", "2 fakeca: reset: is not armed on finalize\n", 'what is not armed there cannot be disarmed');
(undef, $err, $status) = try('disarm', 'resett', '--state', home());
is("$status $err", "2 fakeca: unknown fault 'resett'; did you mean reset?\n", 'nor what there is not');

# --- what is told afterwards ----------------------------------------------------------------------

my @lines = map { decode_json($_) } split /\n/, slurp(home() . '/fired.jsonl');
my ($blocked) = grep { $_->{fault} eq 'blocked-name' } @lines;
is_deeply($blocked, {at => $now + 120, fault => 'blocked-name', number => $blocked->{number}, on => 'newOrder',
    request => 1, fired => 1, account => 1, names => ['shop.test', 'www.shop.test']},
    'fired.jsonl tells whom a fault hit');
is((stat home() . '/fired.jsonl')[2] & 07777, 0600, '  and only its owner');
my %lines;
$lines{decode_json($_)->{number}}++ for split /\n/, slurp(home() . '/fired.jsonl');
my @past = (@{armed('disarmed')}, @{armed()});
is_deeply(\%lines, {map { $_->{fired} ? ($_->{number} => $_->{fired}) : () } @past},
    '  as often as `fakeca armed` tells of those that are armed, and of those that were');
my ($never) = grep { $_->{fault} eq 'reset' } @{armed()};
is_deeply([@$never{qw(fired first last)}], [0, undef, undef], 'what never fired is told, too');

# --- a share, drawn by the seed -------------------------------------------------------------------

sub drawn ($seed) {
    fakeca('disarm', '--all', '--state', home());
    stop($ca->{child});
    $ca = serve(@serve, '--seed', $seed);
    arm('retry-later', '--on', 'directory', '--share', '50%');
    return statuses(16);
}
my $drawn = drawn(7);
like($drawn, qr/200.*503|503.*200/, 'a share is neither all nor none');
is(drawn(7), $drawn, '  the same for the same seed');
isnt(drawn(8), $drawn, '  and another for another');
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'and it never complained');
done_testing;
