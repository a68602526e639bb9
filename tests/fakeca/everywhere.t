#!/usr/bin/perl
# Every fault that applies at more than one endpoint, seen at each of them by curl: misbehaviour.t looks at one, and
# at its neighbours. A fault that nobody looks at here fails.
# Names of faults as arguments: only those.
use v5.36;
use FindBin qw($Bin);
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use lib $Bin;
use Fakeca qw(dir fakeca slurp spill);
use Observer qw(curl openssl text_of);
use Serve qw(serve stop web home have calendar);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');
my $dir = dir();
my $challenges = "$dir/www/.well-known/acme-challenge";
mkdir $_ for "$dir/www", "$dir/www/.well-known", $challenges;
my $now = time;
my ($clock) = calendar($now);    # which stands still
my $ca = serve('--clock', $clock, '--validate-http-port', web("$dir/www"), '--alternate', 1,
    '--set', 'reuse-authorizations=on');
my $client = Observer->new($ca);
$client->register;
my $directory = $client->{directory};

# What an authority is told, without a process for each word.
my $socket = IO::Socket::UNIX->new(Peer => $ca->{manage}) or die "$ca->{manage}: $!";
sub manage (%request) {
    $socket->print(encode_json(\%request), "\n");
    $socket->flush;
    my $answer = decode_json($socket->getline);
    die $answer->{error} if $answer->{error};
    return $answer;
}

# --- one request to each endpoint -----------------------------------------------------------------

sub show ($challenge, $text, $) { spill("$challenges/$challenge->{token}", $text) }
my @names = qw(shop.test www.shop.test);
my $done = $client->order(\@names);
my $certificate = $client->finish($done, \@names, 'http-01', \&show);
my ($csr) = Acme->csr(@names);
my $proven = $done->{json}{authorizations}[0];
my $challenge = $client->post($proven)->{json}{challenges}[0]{url};
my $orders = $client->post($client->{kid})->{json}{orders};
spill("$dir/issuer.der", curl('-o', '-', "$ca->{issuers}/1.cer")->{text});
openssl('x509', '-inform', 'der', '-in', "$dir/issuer.der", '-out', "$dir/issuer.pem");
openssl('ocsp', '-issuer', "$dir/issuer.pem", '-cert', $certificate->{file}, '-no_nonce', '-reqout', "$dir/ocsp.req");

# With what was issued behind it, as it is encoded.
sub issued () {
    my $answer = $client->post($client->order(\@names)->{json}{finalize}, {csr => $csr});
    my $url = ref $answer->{json} eq 'HASH' ? $answer->{json}{certificate} : undef;
    return $answer if !$url;
    my $pem = spill("$dir/issued.pem", $client->post($url)->{text});
    return {%$answer, all => $answer->{all} . openssl('x509', '-in', $pem, '-outform', 'der')};
}

my %look = (
    directory => sub { $client->ask($ca->{directory}) },
    newNonce => sub { $client->ask($directory->{newNonce}, '-I') },
    newAccount => sub { $client->post($directory->{newAccount}, {onlyReturnExisting => \1}, jwk => 1) },
    newOrder => sub { $client->order(\@names) },
    revokeCert => sub { $client->post($directory->{revokeCert}, {certificate => 'none'}) },
    keyChange => sub { $client->post($directory->{keyChange}, {}) },
    account => sub { $client->post($client->{kid}, {}) },
    orders => sub { $client->post($orders) },
    order => sub { $client->post($done->{fields}{location}) },
    authz => sub { $client->post($proven) },
    challenge => sub { $client->post($challenge) },
    finalize => \&issued,
    certificate => sub { $client->post($certificate->{url}) },
    renewalInfo => sub { $client->ask("$directory->{renewalInfo}/" . Acme->renewal_id($certificate)) },
    terms => sub { $client->ask($directory->{meta}{termsOfService}) },
    ocsp => sub { curl('-i', '-o', '-', '--data-binary', "\@$dir/ocsp.req", $ca->{ocsp}) },
    issuers => sub { curl('-i', '-o', '-', "$ca->{issuers}/1.cer") },
    crls => sub { curl('-i', '-o', '-', "$ca->{crls}/1.crl") },
    acme => sub { curl('-v', '--cacert', $ca->{https_root}, $ca->{directory}) },
    http => sub { curl('-v', '-o', '-', "$ca->{crls}/1.crl") },
);

my %well = map { $_ => text_of($look{$_}->()) } keys %look;

# --- every fault that is for several: its mark, wherever it is ------------------------------------

my ($reset, $silent) = (qr{\Aexit (?:35|52|56)\n}, qr{\Aexit 28\n});
sub problem ($status, $type) { return qr{^HTTP/1\.1 $status .*"urn:ietf:params:acme:error:$type"}ms }
sub answer ($status, $field) { return qr{^HTTP/1\.1 $status .*^\Q$field\E\r$}ms }

my %mark = (
    'connection-reset' => [qr{reset by peer|$reset}], 'connection-silent' => [$silent], 'reset' => [$reset],
    'silence' => [$silent], 'slow' => [$silent], 'cut' => [qr{\Aexit 18\n}],
    'chunked' => [answer('\d+', 'Transfer-Encoding: chunked')], 'http-1.0' => [qr{^HTTP/1\.0 \d+ }m],
    'unasked-continue' => [qr{^HTTP/1\.1 100 Continue\r\n\r\nHTTP/1\.1 }m],
    'huge-header' => [qr{^X-Padding: x{60000}x{10000}\r$}m],
    'retry-later' => [answer(503, 'Retry-After: 120'), after => '120'],
    'server-error' => [qr{^HTTP/1\.1 500 .*problem\+json}ms], 'not-found' => [answer(404, 'Content-Type: text/html')],
    'empty' => [answer('\d+', 'Content-Length: 0')], 'html' => [answer(200, 'Content-Type: text/html')],
    'wrong-type' => [answer('\d+', 'Content-Type: text/html')], 'gzip' => [answer('\d+', 'Content-Encoding: gzip')],
    'retry-after' => [answer('\d+', 'Retry-After: -1')], 'no-nonce' => [qr{^HTTP/1\.1 \d+ (?!.*Replay-Nonce)}ms],
    'spent-nonce' => [qr{^Replay-Nonce: cmVo}m], 'no-location' => [qr{^HTTP/1\.1 20\d (?!.*Location:).*"status"}ms],
    'no-link' => [qr{^HTTP/1\.1 \d+ (?!.*^Link:)}ms],
    'bad-nonce' => [problem(400, 'badNonce')], 'rate-limited' => [problem(429, 'rateLimited')],
    'account-forgotten' => [problem(400, 'accountDoesNotExist')],
    'account-deactivated' => [problem(403, 'unauthorized')], 'terms-changed' => [problem(403, 'userActionRequired')],
    'profile-withdrawn' => [problem(400, 'invalidProfile')], 'stuck-processing' => [qr{"status":"processing"}],
    'stuck-pending' => [qr{"status":"pending"}], 'order-invalid' => [qr{"status":"invalid".*error:caa}s],
    'token-climbs' => [qr{"token":"\.\./\.\./climbed"}],
    'clock-wrong' => [qr{@{[POSIX::strftime('%y%m%d%H%M%SZ', gmtime $now + 86400 - 3600)]}}],
    'no-certificate-url' => [qr{"status":"valid"(?!.*"certificate")}],
    'expires-past' => [qr{"expires":"@{[Observer::date($now - 86400)]}}],
    'identifiers-reversed' => [qr{"www\.shop\.test".*"shop\.test"}], 'identifiers-upper' => [qr{"SHOP\.TEST"}],
    'identifier-dropped' => [qr{"identifiers":\[\{"type":"dns","value":"shop\.test"\}\]}],
);

# Where nothing comes, patience costs: little of it at first, and another try with more where it did not last until the
# fault was met, or where one that was given up before met it.
sub looked_at ($fault, $endpoint, $mark, %how) {
    my $text;
    for my $try (1 .. 20) {
        Observer::patience($mark == $silent ? .2 * $try : 120);
        $text = text_of($look{$endpoint}->());
        my ($one) = @{manage(do => 'armed')->{armed}};
        next if $one->{fired} == 0;
        return $text if $mark != $silent || $text =~ $mark;
        manage(do => 'disarm', fault => $fault);
        manage(do => 'arm', fault => $fault, on => $endpoint, times => 1, %how);
    }
    return $text;
}

sub is_seen_everywhere ($fault, $on, $mark, %how) {
    my @missed;
    for my $endpoint (@$on) {
        manage(do => 'arm', fault => $fault, on => $endpoint, times => 1, %how);
        my $text = looked_at($fault, $endpoint, $mark, %how);
        push @missed, "$endpoint: " . substr $text, 0, 1500 if $text !~ $mark || $well{$endpoint} =~ $mark;
        manage(do => 'disarm', fault => $fault);
    }
    is(join("\n", @missed), '', "$fault: seen at each of " . @$on);
}

my @everywhere = grep { !/^(?:acme|http)$/ } sort keys %look;
my %wanted = map { $_ => 1 } @ARGV;
for my $fault (@{decode_json(fakeca('faults', '--serve', '--json'))}) {
    my ($name, @on) = ($fault->{name}, $fault->{on} eq '*' ? @everywhere : split / /, $fault->{on});
    next if @on == 1 || $name eq 'connection-refused' || (%wanted && !$wanted{$name});    # arming.t has that at both
    my $how = delete $mark{$name};
    if ($how) { is_seen_everywhere($name, \@on, @$how) }
    else { fail("$name: nobody looks at it") }
}
is_deeply([sort keys %mark], [], 'and there is no other') if !%wanted;
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'and it never complained');
done_testing;
