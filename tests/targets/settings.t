#!/usr/bin/perl
# What target-builtin is told, and what it says when it was told wrong: one clear line that
# names the file, the place in it, and what was expected.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Target qw(dir identity spill run config program);
use POSIX ();
use Test::More;

my $dir = dir();
my $shop = identity('shop.test');
my $other = identity('other.test');

sub check ($file) { return run(program(), '--config', $file, '--check') }

# --- good -----------------------------------------------------------------------------------------

my %everything = (
    hosts => [$shop, $other],
    log => "$dir/log",
    min_version => '1.0',
    max_version => '1.3',
    ciphers => 'ECDHE+AESGCM',
    ciphersuites => 'TLS_AES_128_GCM_SHA256',
    groups => 'X25519:P-256',
    alpn => ['h2', 'http/1.1'],
    client_ca => $other->{chain},
    client_auth => 'optional',
    exact => JSON::PP::false,
    timeout => '1m30s',
);
my ($out, $err, $status) = check(config("$dir/good.json", %everything));
is("$status$out$err", 0, 'every setting at once: a start would work, and nothing is said');

($out, $err, $status) =
    check(config("$dir/null.json", hosts => [$shop], map { $_ => undef } qw(log ciphers alpn)));
is("$status$out$err", 0, 'null is the same as absent');

# --- bad ------------------------------------------------------------------------------------------

my $cut = spill("$dir/cut.pem", substr Target::slurp($shop->{chain}), 0, 200);
my $empty = spill("$dir/empty.pem", '');
my %host = %{Target::host($shop)};

my @mistakes = (
    ['an unknown key', {cyphers => 'ALL'}, qr/unknown key "cyphers"; did you mean "ciphers"\?/],
    ['a key nothing is like', {zzz => 1}, qr/unknown key "zzz"$/],
    ['no hosts', {hosts => undef}, qr/"hosts" is missing/],
    ['an empty list of hosts', {hosts => []}, qr/hosts: expected an array of at least one host/],
    ['a host that is no object', {hosts => {}}, qr/hosts: expected an array/],
    ['a number for a text', {log => 5}, qr/log: expected a string/],
    ['an empty text', {ciphers => ''}, qr/ciphers: expected a string that is not empty/],
    ['a text for a flag', {exact => 'yes'}, qr/exact: expected true or false/],
    ['a version', {min_version => 'TLSv1.2'}, qr/min_version: expected "1.0", "1.1", "1.2" or "1.3"/],
    ['versions the wrong way', {min_version => '1.3', max_version => '1.2'}, qr/above max_version/],
    ['an address', {listen => '127.0.0.1'}, qr/listen: '127.0.0.1' is not an address/],
    ['ALPN as a text', {alpn => 'h2'}, qr/alpn: expected an array of names/],
    ['an empty protocol name', {alpn => ['']}, qr/alpn: a protocol name is a string of 1 to 255/],
    ['client_auth', {client_auth => 'maybe'}, qr/client_auth: expected "none", "optional" or/],
    ['client_auth without CA', {client_auth => 'require'}, qr/client_auth needs a client_ca/],
    ['a CRL without CA', {client_crl => '/x'}, qr/client_crl needs a client_ca/],
    ['a timeout without unit', {timeout => '10'}, qr/timeout: '10' is not a duration/],
    ['a timeout of nothing', {timeout => '0s'}, qr/timeout: expected a duration longer than/],
);
for my $mistake (@mistakes) {
    my ($what, $change, $line) = @$mistake;
    my $file = config("$dir/bad.json", hosts => [$shop], %$change);

    (undef, $err, $status) = run(program(), '--config', $file);
    like($err, qr/\Atarget-builtin: \Q$file\E: [^\n]*\n\z/, "$what: one line that names the file");
    like($err =~ s/\n\z//r, $line, "$what: and says what was expected");
    is($status, 2, "$what: exit status 2");
    is((check($file))[2], 1, "$what: a check answers with 1");
}

# What the settings name can be wrong too: the file is named, and the host it was for.
my $fifo = "$dir/fifo";
POSIX::mkfifo($fifo, 0600) or die "mkfifo: $!";
my @troubles = (
    ['a chain that is not there', {chain => "$dir/no.pem"}, qr/no.pem: cannot open: No such file/],
    ['a key that is not there', {key => "$dir/no.pem"}, qr/no.pem: cannot open: No such file/],
    ['a chain that was cut', {chain => $cut}, qr/certificate 1: the PEM block has no END line/],
    ['an empty chain', {chain => $empty}, qr/empty.pem: no certificate in it; expected a PEM block/],
    ['a directory', {chain => $dir}, qr/not a regular file/],
    ['a pipe nobody writes to', {chain => $fifo}, qr/fifo: not a regular file/],
    ['the key of another', {key => $other->{key}}, qr/certificate 1: is not for the key: key values/],
    ['a key that is a certificate', {key => $shop->{chain}}, qr/no private key in PEM/],
    ['a staple that is none', {staple => $shop->{chain}}, qr/not an OCSP response in DER/],
);
for my $trouble (@troubles) {
    my ($what, $change, $line) = @$trouble;
    my $file = spill("$dir/bad.json", JSON::PP->new->encode(
        {listen => '127.0.0.1:0', hosts => [{%host, %$change}]}));

    (undef, $err, $status) = run(program(), '--config', $file);
    like($err, qr/\Atarget-builtin: shop.test: [^\n]*\n\z/, "$what: one line that names the host");
    like($err, $line, "$what: and says what was wrong");
    is($status, 1, "$what: exit status 1");
    is_deeply([check($file)], ['', $err, 1], "$what: a check says the same");
}

my @algorithms = (
    [{ciphers => 'NO-SUCH'}, qr/ciphers: 'NO-SUCH': no cipher match/],
    [{ciphersuites => 'TLS_NO_SUCH'}, qr/ciphersuites: 'TLS_NO_SUCH': no cipher match/],
    [{groups => 'P-1'}, qr/groups: 'P-1': expected names such as X25519:P-256/],
    [{client_ca => "$dir/no.pem"}, qr/client_ca: .*no.pem: cannot open/],
    [{client_ca => $shop->{key}}, qr/client_ca: .*expected a PEM block CERTIFICATE/],
    [{client_ca => $other->{chain}, client_crl => $cut}, qr/client_crl: .*expected .* X509 CRL/],
    [{log => "$dir/no/log"}, qr/log: .*cannot open: No such file/],
);
for my $algorithm (@algorithms) {
    my ($change, $line) = @$algorithm;

    (undef, $err, $status) = check(config("$dir/bad.json", hosts => [$shop], %$change));
    like($err, qr/\Atarget-builtin: [^\n]*\n\z/, (keys %$change)[-1] . ': one line');
    like($err, $line, '  that says what was wrong');
    is($status, 1, '  and exit status 1');
}

# --- no JSON, no file, no arguments ---------------------------------------------------------------

my $host = JSON::PP->new->encode(\%host);
my %texts = (
    'nothing' => ['', qr/bad.json:\d+: /],
    'half an object' => ['{"listen":', qr/bad.json:1: /],
    'a key twice' => ['{"log":"a","log":"b"}', qr/bad.json:1: duplicate object key/],
    'a host twice' => [qq({"listen":"127.0.0.1:0","hosts":[$host,$host]}), qr/"shop.test" is there twice/],
    'an array' => ['[]', qr/expected an object/],
    'bytes' => ["\xff\xfe\0\0", qr/bad.json:1: /],
);
for my $what (sort keys %texts) {
    my ($text, $line) = @{$texts{$what}};

    (undef, $err, $status) = run(program(), '--config', spill("$dir/bad.json", $text));
    like($err, qr/\Atarget-builtin: [^\n]*\n\z/, "settings that are $what: one line");
    like($err, $line, '  that says where');
    is($status, 2, '  and exit status 2');
}

(undef, $err, $status) = run(program(), '--config', "$dir/none.json");
is($err, "target-builtin: $dir/none.json: cannot open: No such file or directory\n", 'no such file');
is($status, 2, '  is exit status 2');

my @lines = (
    [[], qr/--config FILE is missing/],
    [['--confg', 'x'], qr/unknown option '--confg'; did you mean --config\?/],
    [['--config'], qr/--config needs a value/],
    [['--config', 'x', 'more'], qr/'more' is not an option/],
);
for my $line (@lines) {
    (undef, $err, $status) = run(program(), @{$line->[0]});
    like($err, qr/\Atarget-builtin: [^\n]*\n\z/, "arguments '@{$line->[0]}': one line");
    like($err, $line->[1], '  that says what was expected');
    is($status, 2, '  and exit status 2');
}
($out, $err, $status) = run(program(), '--help');
like($out, qr/usage: target-builtin --config FILE/, '--help says how');
like($out, qr/^exit status\n  0 .*^  1 .*^  2 .*^  6 /ms, '  and what a status means');
is("$status$err", 0, '  and is no mistake');

done_testing;
