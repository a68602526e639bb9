#!/usr/bin/perl
# Bytes from strangers, on the real ports: each gets a problem document or a closed connection; nobody gets
# a certificate; nothing ends the server, and nothing keeps others from it.
use v5.36;
use FindBin qw($Bin);
use Cwd;
use Digest::SHA qw(hmac_sha256);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use MIME::Base64 qw(encode_base64url decode_base64url);
use lib $Bin;
use Acme;
use Fakeca qw(dir fakeca slurp spill try);
use Serve qw(serve stop home run until_says);
use Test::More;

my $dir = dir();
my $ca = serve();
my $mallory = Acme->new($ca);
my $alice = Acme->new($ca);
$_->register for $mallory, $alice;
my $urls = $mallory->{directory};
my $new_order = $urls->{newOrder};
my %order = (identifiers => [{type => 'dns', value => 'shop.test'}]);

# --- requests made by hand ------------------------------------------------------------------------

# The one that came with the last answer, or a new one.
sub nonce () {
    $mallory->ask($urls->{newNonce}, '-I') if !$mallory->{nonce};
    return delete $mallory->{nonce};
}

sub send_bytes ($url, $bytes, @more) {
    return Acme->word($mallory->ask($url, '-H', 'Content-Type: application/jose+json', '-H', 'Expect:',
        '--data-binary', '@' . spill("$dir/bytes", $bytes), @more));
}

# A JWS of these three parts; `sign` makes the signature of what is signed.
sub envelope ($header, $payload, $sign) {
    my ($head, $body) = map { encode_base64url(ref ? JSON::PP->new->canonical->encode($_) : $_) } $header, $payload;
    return encode_json({protected => $head, payload => $body, signature => encode_base64url($sign->("$head.$body"))});
}

# Signed with Mallory's key, whatever the header says: the account, a fresh nonce and the right URL, unless
# it is told otherwise.
sub signed ($url, $payload, %header) {
    my %whole = (alg => 'ES256', kid => $mallory->{kid}, nonce => nonce(), url => $url, %header);
    delete @whole{grep { !defined $whole{$_} } keys %whole};
    return encode_json(Acme->jws($mallory->{key}, \%whole, $payload));
}
sub says ($url, $payload, %header) { return send_bytes($url, signed($url, $payload, %header)) }

is(says($new_order, \%order), '201', 'an honest request is answered');

# --- algorithms and keys --------------------------------------------------------------------------

# An account with an RSA key, whose public half everybody knows.
system("openssl genrsa -out $dir/rsa.key 2048 2>/dev/null");
system("openssl rsa -in $dir/rsa.key -pubout -out $dir/rsa.pub 2>/dev/null");
my ($modulus) = `openssl rsa -in $dir/rsa.key -noout -modulus` =~ /=(\w+)/;
my %rsa = (kty => 'RSA', n => encode_base64url(pack 'H*', $modulus), e => 'AQAB');
sub by_rsa ($text) { return scalar `openssl dgst -sha256 -sign $dir/rsa.key @{[spill("$dir/input", $text)]}` }
sub rsa_header ($alg, $url, @who) { return {alg => $alg, nonce => nonce(), url => $url, @who} }
my $made = $mallory->ask($urls->{newAccount}, '-H', 'Content-Type: application/jose+json', '--data-binary',
    '@' . spill("$dir/bytes", envelope(rsa_header('RS256', $urls->{newAccount}, jwk => \%rsa),
        {termsOfServiceAgreed => JSON::PP::true}, \&by_rsa)));
is($made->{status}, 201, 'an RSA key can have an account');
my $rsa_kid = $made->{fields}{location};

sub by_nobody ($text) { return '' }
sub by_hmac ($text) { return hmac_sha256($text, slurp("$dir/rsa.pub")) }
for my $case (['none', \&by_nobody], ['None', \&by_nobody], ['', \&by_nobody], ['HS256', \&by_hmac],
              ['HS512', \&by_hmac], ['PS256', \&by_rsa], ['rs256', \&by_rsa], ['ES256K', \&by_rsa]) {
    my ($alg, $sign) = @$case;
    is(send_bytes($new_order, envelope(rsa_header($alg, $new_order, kid => $rsa_kid), \%order, $sign)),
        '400 badSignatureAlgorithm', "alg '$alg' is not accepted");
}
is(send_bytes($new_order, envelope(rsa_header('ES256', $new_order, kid => $rsa_kid), \%order, \&by_rsa)),
    '400 malformed', 'an RSA key is none for ES256');
is(send_bytes($new_order, envelope(rsa_header('RS256', $new_order, kid => $rsa_kid), \%order, \&by_nobody)),
    '400 malformed', 'a signature that is empty');
is(send_bytes($new_order, envelope({kid => $rsa_kid, nonce => nonce(), url => $new_order}, \%order, \&by_rsa)),
    '400 badSignatureAlgorithm', 'no algorithm at all');
my $unknown = $mallory->ask($new_order, '-H', 'Content-Type: application/jose+json', '--data-binary',
    '@' . spill("$dir/bytes", signed($new_order, \%order, alg => 'HS256')));
is_deeply($unknown->{json}{algorithms}, [qw(ES256 ES384 ES512 RS256 RS384 RS512 EdDSA)],
    '  and those that are, are told');
is(says($new_order, \%order, alg => 256), '400 badSignatureAlgorithm', 'a number for one');
is(says($new_order, \%order, jwk => $mallory->{key}{jwk}), '400 malformed', 'jwk and kid together');
is(says($new_order, \%order, kid => undef), '400 malformed', 'neither of them');
is(says($new_order, \%order, kid => undef, jwk => $mallory->{key}{jwk}), '400 malformed',
    'a jwk where an account is due');
is(says($urls->{newAccount}, {}), '400 malformed', 'a kid where a key is due');
is(says($new_order, \%order, crit => ['exp']), '400 malformed', 'an extension that must be understood');
is(says($new_order, \%order, b64 => JSON::PP::false), '400 malformed', 'a payload that is not base64');

is(says($new_order, \%order, kid => $alice->{kid}), '400 malformed', 'in the name of another account');
(my $base = $mallory->{kid}) =~ s/\d+$//;
for my $kid ("${base}0", "${base}-1", "${base}1e0", "${base}01", "${base}99999999999999999999", "${base}1/../2", $base,
             'https://evil.test/', "${base}1 OR 1=1", "${base}%31", '', "${base}1\0") {
    like(says($new_order, \%order, kid => $kid), qr/^400 (?:accountDoesNotExist|malformed)$/,
        'no account: ' . ($kid =~ s/^\Q$base\E/.../r =~ s/\0/NUL/r));
}
for my $jwk ({}, [], 'key', {kty => 'EC'}, {kty => 'oct', k => 'AAAA'},
             {kty => 'EC', crv => 'P-192', x => 'AA', y => 'AA'},
             {%{$mallory->{key}{jwk}}, y => $mallory->{key}{jwk}{x}}, {%rsa, e => 'AQ'}, {%rsa, n => 'AQAB'},
             {%rsa, n => 'A' x 20_000}) {
    like(says($urls->{newAccount}, {termsOfServiceAgreed => JSON::PP::true}, kid => undef, jwk => $jwk),
        qr/^400 (?:badPublicKey|malformed)$/, 'no key: ' . substr encode_json([$jwk]), 0, 60);
}

# --- nonces and URLs ------------------------------------------------------------------------------

my $spent = nonce();
is(says($new_order, \%order, nonce => $spent), '201', 'a nonce is good');
is(says($new_order, \%order, nonce => $spent), '400 badNonce', '  once');
my $twice = signed($new_order, \%order);
is(send_bytes($new_order, $twice), '201', 'a request is good');
is(send_bytes($new_order, $twice), '400 badNonce', '  once');
is(says($new_order, \%order, nonce => $_), '400 badNonce', 'no nonce of ours: ' . ($_ // 'none'))
    for undef, '', 'A' x 32, '-' x 5000, 7, nonce() =~ s/\A(.)/$1 eq 'A' ? 'B' : 'A'/er;
is(says($new_order, \%order, nonce => $_), '400 malformed', "a nonce that is not base64url: $_")
    for nonce() . '=', '***', ' ';
is(says($new_order, \%order, url => $_), '403 unauthorized', 'signed for another place: ' . ($_ // 'none'))
    for undef, $urls->{newAccount}, $new_order =~ s/127/128/r, "$new_order?x", 'newOrder';

# --- what belongs to others -----------------------------------------------------------------------

my $placed = $alice->order(['alice.test']);
my $hers = $placed->{fields}{location};
my $authorization = $placed->{json}{authorizations}[0];
my ($challenge) = @{$alice->post($authorization)->{json}{challenges}};
is(says($_->[1], $_->[2]), '403 unauthorized', "somebody else's $_->[0]")
    for ['account', $alice->{kid}, ''],
        ['list of orders', $alice->{kid} =~ s/account/orders/r, ''], ['order', $hers, ''],
        ['authorization', $authorization, ''],
        ['authorization, to deactivate it', $authorization, {status => 'deactivated'}],
        ['challenge', $challenge->{url}, {}], ['account, to deactivate it', $alice->{kid}, {status => 'deactivated'}],
        ['order, to finalize it', $placed->{json}{finalize}, {csr => (Acme->csr('alice.test'))[0]}];
is($alice->post($hers)->{json}{status}, 'pending', 'which is as it was');

# --- paths and methods ----------------------------------------------------------------------------

my ($top) = $ca->{directory} =~ m{^(https://[^/]+)};
for my $path ('/', '//directory', '/directory/', '/%64irectory', '/directory%00', '/acme/order/', '/acme/order/0',
              '/acme/order/-1', '/acme/order/01', '/acme/order/99999999999999999999', '/acme/order/1e0',
              '/acme/order/%31',
              '/acme/order/1;x', '/acme/order/../account/1', '/acme/order/..%2faccount%2f1', '/acme/order/1%2f..',
              '/acme/../../../etc/passwd',
              '/acme/certificate/..', '/authority.json', '/serve.db', '/root.key', '/acme/order/' . '1' x 1500) {
    like(send_bytes("$top$path", '{}', '--path-as-is'), qr/^40[0-5]/, 'nothing there: ' . substr $path, 0, 40);
}
is(Acme->word($mallory->ask($_->[1], '-X', $_->[0])), '405 malformed',
    "$_->[0] is no method for " . $_->[1] =~ s/.*\///r)
    for ['GET', $new_order], ['DELETE', $new_order], ['PUT', $hers], ['PUT', $ca->{directory}], ['TRACE', $new_order];
is($mallory->ask(@$_[1 .. $#$_])->{fields}{allow}, $_->[0], "what there is, is told: $_->[0]")
    for ['POST', $new_order], ['GET, HEAD, POST', $ca->{directory}, '-XPUT'], ['GET, HEAD, POST', $ca->{ocsp}, '-XPUT'],
        ['GET, HEAD', "$ca->{crls}/1.crl", '-XPUT'];
is(Acme->word($mallory->ask($new_order, '-H', "Content-Type: $_", '-d', '{}')), '415 malformed', "no JOSE: $_")
    for 'application/json', 'text/html', 'application/jose', '';

# --- JSON that is none ----------------------------------------------------------------------------

my $deep = '[' x 60_000;
like(send_bytes($new_order, $_->[1]), qr/^400 (?:malformed|badSignatureAlgorithm)$/, "no request: $_->[0]")
    for ['nothing', ''], ['null', 'null'], ['a list', '[]'], ['a number', '7'], ['half of one', '{"protected":"'],
        ['garbage', join '', map { chr } 128 .. 255], ['nested deeply', $deep],
        ['nested deeply, in an object', '{"a":' x 20_000],
        ['two of them', signed($new_order, \%order) . '{}'], ['no UTF-8', "{\"protected\":\"\xff\xfe\"}"],
        ['a header nested deeply', encode_json({protected => encode_base64url($deep), payload => '', signature => ''})],
        ['a header that is a list', encode_json({protected => encode_base64url('[]'), payload => '', signature => ''})],
        ['several signatures', encode_json({payload => '', signatures => [{protected => 'e30', signature => ''}]})],
        ['an unprotected header',
            encode_json({%{decode_json(signed($new_order, \%order))}, header => {alg => 'none'}})],
        ['a key twice', signed($new_order, \%order) =~ s/^\{/{"payload":"",/r];
is(says($new_order, $_->[1]), '400 malformed', "no payload: $_->[0]")
    for ['nested deeply', '{"identifiers":' . $deep], ['a string', '"identifiers"'], ['a list', '[]'],
        ['a key twice', '{"a":1,"a":2}'];
like(says($new_order, {identifiers => $_}), qr/^400 (?:malformed|rejectedIdentifier|unsupportedIdentifier)$/,
    'no identifiers: ' . substr JSON::PP->new->allow_nonref->encode($_), 0, 60)
    for undef, 7, 'shop.test', {}, [], [undef], [7], [[]], [{}], [{type => 'dns'}], [{type => 'dns', value => 7}],
        [{type => 'dns', value => ''}], [{type => 'email', value => 'a@shop.test'}],
        [{type => 'ip', value => 'shop.test'}],
        (map { [{type => 'dns', value => $_}] } '../etc', "a\0b.test", '-', '-a.test', 'a-.test', '*', '*.*.test',
            'a..test', '.test', 'a.test.', "caf\x{e9}.test",
            'a' x 64 . '.test', ('a.' x 127) . 'toolong', '127.0.0.1', "a.test\r\nX: y", '<script>'),
        [map { {type => 'dns', value => "n$_.test"} } 1 .. 101];
is(says($new_order, {%order, $_ => 7}), '400 malformed', "no text: $_") for qw(profile replaces);
is(send_bytes($new_order, 'x' x 140_000), '413 malformed', 'a body too long');
is(send_bytes($new_order, 'x' x 140_000, '-H', 'Transfer-Encoding: chunked'), '413 malformed', 'also in chunks');
is(Acme->word($mallory->ask($new_order, '-H', 'X: ' . 'y' x 20_000, '-d', '')), '431 malformed', 'a head too long');
is(Acme->word($mallory->ask($new_order, '-H', 'Host:', '-d', '')), '400 malformed', 'no Host');
ok($mallory->{nonce}, '  and a nonce comes with each refusal');

# --- connections ----------------------------------------------------------------------------------

my %port = (https => $top =~ s{https://}{}r, http => $ca->{ocsp} =~ s{http://([^/]+).*}{$1}r);

sub connection ($which) { return IO::Socket::INET->new(PeerAddr => $port{$which}, Timeout => 5) }

# What comes back to bytes that are sent at once, until the connection ends.
sub answer ($which, $bytes) {
    my $socket = connection($which) or return 'refused';
    local $SIG{PIPE} = 'IGNORE';
    syswrite $socket, $bytes;
    shutdown $socket, 1;
    local $/ = undef;
    return <$socket> // '';
}
my $hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'r' x 32;
unlike(answer('https', $_->[1]), qr/HTTP/, "to the TLS port: $_->[0]")
    for ['plain HTTP', "GET /directory HTTP/1.1\r\n\r\n"], ['nothing', ''], ['half a ClientHello', $hello],
        ['a record too long', "\x16\x03\x01\xff\xff" . 'x' x 70_000],
        ['noise', join '', map { chr(($_ * 7919) % 256) } 1 .. 5000];
like(`openssl s_client -tls1_1 -connect $port{https} </dev/null 2>&1`, qr/alert protocol version/,
    'to the TLS port: a client that knows no TLS 1.2 is told so');
is((split /\r\n/, answer('http', $_->[1]))[0] // '', $_->[2], "to the HTTP port: $_->[0]")
    for ['a ClientHello', $hello . "\r\n\r\n", 'HTTP/1.1 400 Bad Request'],
        ['two lengths', "POST /ocsp HTTP/1.1\r\nHost: ca.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            'HTTP/1.1 400 Bad Request'],
        ['a length and chunks', "POST /ocsp HTTP/1.1\r\nHost: ca.test\r\nContent-Length: 1\r\n"
            . "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            'HTTP/1.1 400 Bad Request'],
        ['a bare line feed', "GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", 'HTTP/1.1 400 Bad Request'],
        ['no Host', "GET /ocsp/ HTTP/1.1\r\n\r\n", 'HTTP/1.1 400 Bad Request'],
        ['a NUL', "GET /\0 HTTP/1.1\r\nHost: ca.test\r\n\r\n", 'HTTP/1.1 400 Bad Request'],
        ['an empty line', "\r\n\r\n", 'HTTP/1.1 400 Bad Request'];

sub served () { return $mallory->ask($ca->{directory}, '-m', 10)->{status} }

# Two thousand, of whom some say nothing, some half of something; the oldest go when there are too many.
system('prlimit', "--pid=$$", '--nofile=4096:') if 4096 > `sh -c 'ulimit -n'`;
my @idle = map { connection($_ % 2 ? 'https' : 'http') // () } 1 .. 2000;
cmp_ok(scalar @idle, '>', 1500, 'thousands are there and say nothing');
syswrite $idle[$_], $_ % 2 ? substr($hello, 0, 20) : 'GET / HT' for grep { $_ % 3 } 1500 .. $#idle;
is(served(), 200, '  and others are served');

# Each says one byte more, again and again.
my @slow = map { connection('http') // () } 1 .. 100;
my $request = "POST /ocsp HTTP/1.1\r\nHost: ca.test\r\nContent-Length: 100000\r\n\r\n" . 'x' x 60;
for my $at (0 .. length($request) - 1) {
    syswrite $_, substr $request, $at, 1 for @slow;
    is(served(), 200, "others are served, after $at bytes of the slow ones") if $at % 40 == 0;
}
my ($memory) = slurp("/proc/$ca->{pid}/status") =~ /^VmRSS:\s+(\d+)/m;
cmp_ok($memory, '<', 200_000, "it takes little memory for all that: $memory kB");
@idle = ();
SKIP: {
    skip 'slow senders are waited for in check-long', 1 if !$ENV{REHEARSE_LONG};
    my $ready = IO::Select->new(@slow);
    is(scalar grep({ sysread($_, my $bytes, 1) == 0 } $ready->can_read(40)), 100,
        'slow ones are hung up on after half a minute');
}

# The same where there are few descriptors: others are served, and whoever serves has some left for itself.
my ($poor, $said) = until_says(qr/^(\{.*\})/, $dir, 'prlimit', '--nofile=256:256',
    Cwd::abs_path($ENV{BUILD} // 'build') . '/fakeca', 'serve', '--state', "$dir/poor");
my $few = decode_json($said);
@port{qw(https http)} = map { m{//([^/]+)} } @$few{qw(directory crls)};
@idle = map { connection($_ % 2 ? 'https' : 'http') // () } 1 .. 1000;
is(Acme->new($few)->register->{status}, 201,
    'a thousand are there, with 256 descriptors for all, and others are served');
is($mallory->ask("$few->{crls}/1.crl", '-m', 10)->{status}, 200, '  on the other port, too');
@idle = ();
is(stop($poor), 0, '  until it is told to end');

# Who asks for names, and does not.
my @mute = map { IO::Socket::INET->new(PeerAddr => $ca->{dns}) // () } 1 .. 200;
my $asker = IO::Socket::INET->new(PeerAddr => $ca->{dns});
syswrite $asker, pack 'n/a*', pack('n6', 7, 0x100, 1, 0, 0, 0) . "\4shop\4test\0" . pack 'n2', 1, 1;
is(sysread($asker, my $name, 2), 2, 'those who say nothing over TCP go, and names are told to who asks');

# Who gives commands, and has none.
my @silent = map { IO::Socket::UNIX->new(Peer => $ca->{manage}) // () } 1 .. 32;
is_deeply([(try('armed', '--state', home()))[1, 2]],
    ["fakeca: 32 are connected already, and more are not heard\n", 2], 'too many who say nothing: the next is told so');
@silent = ();
my $tries = 100;
1 while (try('armed', '--state', home()))[2] != 0 && $tries--;
cmp_ok($tries, '>', 0, '  and is heard once they have gone');

# --- and after all that ---------------------------------------------------------------------------

is(served(), 200, 'it still serves');
is(scalar @{decode_json(fakeca('certificates', '--state', home()))->{certificates}}, 0, 'nobody got a certificate');
ok(!-e home() . '/issued.jsonl', 'and none was made');
is(scalar @{decode_json(fakeca('accounts', '--state', home()))->{accounts}}, 3,
    'there are as many accounts as were made honestly');
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'it never complained');
done_testing;
