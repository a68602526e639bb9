#!/usr/bin/perl
# fakeca at the command line: what it answers, and one clear line for everything it cannot do.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Fakeca qw(dir try fakeca slurp spill);
use JSON::PP;
use Test::More;

my $dir = dir();
my ($ca, $shop) = ("$dir/ca", "$dir/shop");
my @at = qw(--at 2031-05-05T12:00:00Z);
my $now = 1935748800;

fakeca('init', '--state', $ca, @at);
my $bundle = decode_json(fakeca('issue', '--state', $ca, '--out', $shop, '--name', 'shop.test', @at,
                                '--lifetime', '30d', '--json'));
is($bundle->{not_after}, $now + 30 * 86400, 'a leaf lasts as long as it was told to, from now');
is($bundle->{not_before}, $now - 3600, 'and begins an hour ago, as those of real CAs do');
is_deeply($bundle, decode_json(slurp("$shop/bundle.json")), '--json says what bundle.json says');

# --- bad command lines ----------------------------------------------------------------------------

sub refuses ($why, $expected, @arguments) {
    my ($out, $err, $status) = try(@arguments);
    is($status, 2, "$why: status 2");
    like($err, qr/\Afakeca: [^\n]+\n\z/, "$why: one line");
    like($err, $expected, "$why: and it says so");
    is($out, '', "$why: nothing on stdout");
}

my @issue = ('issue', '--state', $ca, '--out', "$dir/none");
my @break = ('break', '--state', $ca, '--in', $shop, '--out', "$dir/none");

refuses('an unknown verb', qr/unknown verb 'isue'; did you mean 'issue'/, 'isue');
refuses('an unknown option', qr/unknown option '--stat'; did you mean --state/, 'init', '--stat', 'x');
refuses('an option without its value', qr/--state needs a value/, 'init', '--state');
refuses('a word too many', qr/unexpected 'extra'/, 'init', '--state', "$dir/x", 'extra');
refuses('no state directory', qr/--state is needed/, 'init');
refuses('no name', qr/--name is needed: NAME, /, @issue);
refuses("$_ things to revoke", qr/expected one of --in BUNDLE, or where it serves --serial HEX, --name NAME or --all/,
    'revoke', '--state', $ca, ('--in', $shop, '--all') x ($_ / 2)) for 0, 2;
refuses('the DNS of nobody', qr/dns: --perspective counts from 1/,
    'dns', '--state', $ca, '--add', 'a.test. A 127.0.0.1', '--perspective', 0);
refuses('no fault to arm', qr/expected the name of a fault, as `fakeca faults --serve` lists them/,
    'arm', '--state', $ca);
refuses('no fault to disarm', qr/lists them, or --all/, 'disarm', '--state', $ca);
refuses('both one fault and all of them', qr/lists them, or --all/, 'disarm', 'reset', '--all', '--state', $ca);
refuses('nothing to set', qr/expected NAME=VALUE, such as caa=on/, 'set', '--state', $ca);
refuses('an unknown kind of key', qr/'p265'.*did you mean p256/, @issue, '--name', 'a.test', '--key', 'p265');
refuses('a time that is none', qr/--at: 'tomorrow' is not a time/, @issue, '--name', 'a.test', '--at', 'tomorrow');
refuses('a duration that is none', qr/--lifetime: '90' is not a duration/,
    @issue, '--name', 'a.test', '--lifetime', '90');
refuses('a name that is none', qr/--name: 'shop test' is not a name/, @issue, '--name', 'shop test');
refuses('a purpose that is none', qr/--eku: 'serverauth' is not a purpose/,
    @issue, '--name', 'a.test', '--eku', 'serverauth');
refuses('a key usage that is none', qr/--ku: .*expected digitalSignature/,
    @issue, '--name', 'a.test', '--ku', 'digitalsignature');
refuses('a date after the year 9999', qr/years 0000 to 9999/,
    @issue, '--name', 'a.test', '--from', '9999-12-01', '--lifetime', '1y');
refuses('an unknown fault', qr/unknown fault 'expired-leav'; did you mean expired-leaf\?/,
    @break, '--fault', 'expired-leav');
refuses('a chain too short', qr/shuffled-chain: .*expected at least 2/, @break, '--fault', 'shuffled-chain');
refuses('no such authority', qr{/nowhere}, 'issue', '--state', '/nowhere', '--out', "$dir/none", '--name', 'a.test');
refuses('no such bundle', qr{/nowhere},
    'break', '--state', $ca, '--in', '/nowhere', '--out', "$dir/none", '--fault', 'no-san');
refuses('an authority that is taken', qr/exists already/, 'init', '--state', $ca);
refuses('a place that is taken', qr/not part of a bundle/, 'issue', '--state', $ca, '--out', $dir, '--name', 'a.test');
my $letter = spill("$dir/letter", "Dear Alice,\n");
symlink 'nowhere', "$dir/dangling";
for my $place ($letter, "$dir/dangling") {
    refuses('a place that is no directory', qr/\Q$place\E: not overwritten, for it is no bundle: /,
        'issue', '--state', $ca, '--out', $place, '--name', 'a.test');
}
is(slurp($letter), "Dear Alice,\n", 'a letter is not replaced with a bundle');
is(readlink "$dir/dangling", 'nowhere', 'nor is a link that leads nowhere');
refuses('a cross-sign by itself', qr/cannot cross-sign itself/, 'cross-sign', '--state', $ca, '--from', $ca);
refuses('a cross-sign that is not there', qr/no cross-sign here yet/, @issue, '--name', 'a.test', '--cross');
refuses('an unknown status', qr/'godo' is not a status/, 'staple', '--state', $ca, '--in', $shop, '--status', 'godo');
refuses('CRLs for nobody', qr/--in BUNDLE or --out FILE/, 'crl', '--state', $ca);
refuses('nothing to show', qr/a FILE or BUNDLE is needed/, 'show');
refuses('a bench of no time', qr/--for: .*expected 10ms to 60s/, 'bench', '--for', '0s');
refuses('too many intermediates', qr/--intermediates: 33 is more than 32/,
    'init', '--state', "$dir/x", '--intermediates', 33);
refuses('a path length that is none', qr/--path-length: 'two' is not a whole number/,
    'init', '--state', "$dir/x", '--path-length', 'two');
ok(!-e "$dir/none" && !-e "$dir/x", 'and nothing was made');

my ($out, $err, $status) = try();
is($status, 2, 'no verb: status 2');
like($err, qr/fakeca issue/, 'no verb: the verbs');
($out, undef, $status) = try('--help');
like("$status$out", qr/\A0.*exit status\n  0  done\n  2  /s, '--help tells what a status means');
for my $verb (qw(init issue break faults show rotate cross-sign revoke staple crl bench)) {
    ($out, $err, $status) = try($verb, '--help');
    is($status, 0, "$verb --help: status 0");
    like($out, qr/\Ausage: fakeca $verb /, "$verb --help: its usage");
}

# --- what the machine refuses ---------------------------------------------------------------------

# Through the shell, so that what it says goes down a pipe and not into a file.
sub refused ($why, $command) {
    my $said = qx($command 2>&1);
    is($? >> 8, 6, "$why: status 6");
    like($said, qr/\Afakeca: [^\n]+\n\z/, "$why: one line");
    return $said;
}

my $program = $ENV{FAKECA} // ($ENV{BUILD} // 'build') . '/fakeca';
refused('a disk that takes no more',
        "sh -c 'trap \"\" XFSZ; ulimit -f 0; exec $program issue --state $ca --out $dir/none --name a.test'");
ok(!-e "$dir/none" && !glob("$dir/none.*"), 'and nothing is left behind');
for my $verb ("init --state $dir/none", "rotate --state $ca", "revoke --state $ca --in $shop") {
    like(refused("such a disk, and $verb", "sh -c 'trap \"\" XFSZ; ulimit -f 0; exec $program $verb'"),
        qr{\Afakeca: \Q$dir\E/(?:none|ca): \w+\.jsonl?: }, '  with the place');
}

# A copy, for where this was built may be closed to others.
chmod 0755, $dir;
system 'cp', $program, "$dir/copy";
my $nobody = $> == 0 ? 'setpriv --reuid 65534 --clear-groups' : '';
refused('no permission', "$nobody $dir/copy init --state /rehearse-test");

# --- where it writes ------------------------------------------------------------------------------

SKIP: {
    skip 'no mknod(1) for us here', 1 if system("mknod -m 666 $dir/null c 1 3 2>$dir/.mknod") != 0;
    fakeca('crl', '--state', $ca, '--out', "$dir/null");
    ok(-c "$dir/null", 'a device is written to, and stays one');
}
spill("$dir/linked.crl", 'an old one');
symlink 'linked.crl', "$dir/link.crl";
fakeca('crl', '--state', $ca, '--out', "$dir/link.crl");
is(readlink "$dir/link.crl", 'linked.crl', 'a link stays a link');
fakeca('answer', '--to', 'crl', '--state', $ca, '--out', "$dir/link.crl");
like(slurp("$dir/linked.crl"), qr/\A\x30/, 'and what it leads to is written');
like(qx($program crl --state $ca --out /dev/stdout | cat), qr/\A-----BEGIN X509 CRL-----/, 'a pipe is written to');

# --- bench ----------------------------------------------------------------------------------------

my $rate = decode_json(fakeca('bench', '--for', '50ms', '--json'));
cmp_ok($rate->{leaves_per_second}, '>', 0, 'bench: leaves with a new key each');
cmp_ok($rate->{same_key_per_second}, '>', 0, 'bench: and with one for all');
cmp_ok($rate->{template_per_second}, '>', $rate->{same_key_per_second}, 'bench: and faster from a template');

# --- show -----------------------------------------------------------------------------------------

my $shown = decode_json(fakeca('show', '--json', $shop));
is($shown->[0]{serial}, $bundle->{serial}, 'show: the leaf first');
is($shown->[0]{issuer}, $shown->[1]{subject}, 'show: then its issuer');
like(fakeca('show', $shop), qr/^  not_after +2031-06-04T12:00:00Z$/m, 'show: dates for people');

fakeca(@break[0 .. 4], '--out', "$dir/cut", '--fault', 'truncated-pem', @at);
is(decode_json(fakeca('show', '--json', "$dir/cut"))->[0]{kind}, 'damaged', 'show: what is damaged is said to be');

my $pem = slurp("$shop/chain.pem");
srand 20310505;
for my $round (1 .. 200) {
    my $bytes = $pem;
    substr($bytes, int(rand length $bytes), 1) = chr int(rand 256) for 1 .. 1 + $round % 5;
    (undef, $err, $status) = try('show', spill("$dir/fuzz", $bytes));
    next if $status eq '0' || ($status eq '2' && $err =~ /\Afakeca: [^\n]+\n\z/);
    fail("show: a file with wrong bytes in it, round $round: status $status, $err");
    last;
}
pass('show: files with wrong bytes in them are borne');

done_testing();
