#!/usr/bin/perl
# Every fault of `fakeca faults --serve`, armed for the second request and seen from outside by curl, openssl,
# ocsptool, certtool, dig or delv: at that request, and neither before nor after. A fault that nobody looks at fails.
# Names of faults as arguments: only those.
use v5.36;
use FindBin qw($Bin);
use JSON::PP;
use List::Util qw(first);
use lib $Bin, "$Bin/..";
use Fakeca qw(dir try fakeca slurp spill);
use Observer qw(curl openssl text_of);
use POSIX qw(strftime);
use Port qw(free_port);
use Serve qw(serve stop web home have run);
use Test::More;

my $missing = first { !have($_) } qw(curl openssl ocsptool certtool dig delv);
die "$missing is not installed\n" if $missing;

my $dir = dir();
my $build = $ENV{BUILD} // 'build';
my $now = time;
my $challenges = "$dir/www/.well-known/acme-challenge";
mkdir $_ for "$dir/www", "$dir/www/.well-known", $challenges;

# Its calendar stands still, so that nothing here depends on how long things take.
sub clock (@words) { system("'$build/fakeclock' @words >/dev/null") == 0 or die "fakeclock @words" }
clock('new', "$dir/clock");
clock('freeze', "$dir/clock");
clock('set', "$dir/clock", "\@$now");
fakeca('init', '--state', home(), '--intermediates', 2, '--at', '@' . ($now - 86400));
my $ca = serve('--clock', "$dir/clock", '--validate-http-port', web("$dir/www"), '--validate-tls-port', free_port(),
    '--alternate', 1, '--dnssec');
my $client = Observer->new($ca);
$client->register;
my $directory = $client->{directory};

sub arm ($fault, @how) { return fakeca('arm', $fault, '--state', home(), @how) }
sub disarm ($fault) { return fakeca('disarm', $fault, '--state', home()) }
sub armed ($list = 'armed') { return decode_json(fakeca('armed', '--state', home()))->{$list} }

# --- what there is to look at ---------------------------------------------------------------------

sub show ($challenge, $text, $) { spill("$challenges/$challenge->{token}", $text) }
my @names = qw(shop.test www.shop.test);
my ($done, $order) = map { $client->order(\@names) } 1, 2;
my $valid = $done->{fields}{location};
my $certificate = $client->finish($done, \@names, 'http-01', \&show);
my $wild = $client->order(['*.shop.test'])->{json}{authorizations}[0];
my $authorization = $order->{json}{authorizations}[0];
my $challenge = $client->post($authorization)->{json}{challenges}[0]{url};
my $renewal = "$directory->{renewalInfo}/" . Acme->renewal_id($certificate);

# An order whose names were proven.
sub ready () {
    my $new = $client->order(['shop.test']);
    $client->prove($new->{json}{authorizations}[0], 'http-01', \&show);
    return $new->{json}{finalize};
}

# What is issued now, as openssl reads it, and whether it is for the key that the request has.
sub issued () {
    my ($csr, $key) = Acme->csr('shop.test');
    my $finalized = $client->post(ready(), {csr => $csr});
    return text_of($finalized) if $finalized->{status} != 200;
    my $file = spill("$dir/issued.pem", $client->post($finalized->{json}{certificate})->{text});
    my $own = openssl('x509', '-in', $file, '-noout', '-pubkey') eq openssl('pkey', '-in', $key, '-pubout');
    return text_of($finalized) . openssl('x509', '-in', $file, '-noout', '-text')
        . ($own ? "own key\n" : "another key\n")
        . openssl('verify', '-CAfile', $ca->{roots}[0], '-untrusted', $file, $file);
}

# --- one request each: what came back, as text ----------------------------------------------------

my $issuer = "$dir/issuer.pem";
spill("$dir/issuer.der", curl('-o', '-', "$ca->{issuers}/2.cer")->{text});
openssl('x509', '-inform', 'der', '-in', "$dir/issuer.der", '-out', $issuer);
fakeca('issue', '--state', home(), '--out', "$dir/gone", '--name', 'gone.test', '--at', "\@$now");
fakeca('revoke', '--state', home(), '--in', "$dir/gone", '--at', "\@$now");
my $trust = spill("$dir/trust.pem", join '', map { slurp($_) } $ca->{roots}[0], $certificate->{file});
sub ocsp ($file) {
    return openssl('ocsp', '-issuer', $issuer, '-cert', $file, '-url', $ca->{ocsp}, '-CAfile', $trust, '-resp_text');
}
openssl('ocsp', '-issuer', $issuer, '-cert', $certificate->{file}, '-no_nonce', '-reqout', "$dir/ocsp.req");

sub crl () {
    my $file = spill("$dir/crl.der", curl('-o', '-', "$ca->{crls}/2.crl")->{text});
    my $pem = "$dir/crl.pem";
    unlink $pem;
    return openssl('crl', '-inform', 'der', '-in', $file, '-noout', '-text', '-CAfile', $issuer)
        . openssl('crl', '-inform', 'der', '-in', $file, '-out', $pem)
        . (run({}, 'certtool', '--verify-crl', '--load-ca-certificate', $issuer, '--infile', $pem))[1];
}

my ($address, $port) = $ca->{dns} =~ /(.*):(\d+)/;
sub dig (@query) { return (run({}, 'dig', "\@$address", '-p', $port, '+tries=1', '+noedns', @query))[1] }

# As of RRSIG records that are made so many days later: from when, and until when.
sub signed ($days) {
    my ($until, $from) = map { strftime('%Y%m%d%H%M%S', gmtime $now + $days * 86400 + $_) } 14 * 86400, -3600;
    return qr{\s127\.0\.0\.1\n.*\sRRSIG\s+A 13 2 1 $until $from }s;
}
spill("$dir/delv.conf", slurp($ca->{dns_anchor}) =~ /DNSKEY\s+(\d+ \d+ \d+) (\S+)/
        ? qq(trust-anchors { . static-key $1 "$2"; };\n) : die 'no DNSKEY');
sub delv (@query) { return (run({}, 'delv', "\@$address", '-p', $port, '-a', "$dir/delv.conf", @query))[1] }

sub https (@more) { return text_of(curl('-v', '--cacert', $ca->{https_root}, @more, $ca->{directory})) }

my %seen;    # orders
my %look = (
    directory => sub { text_of($client->ask($ca->{directory})) },
    newNonce => sub { text_of($client->ask($directory->{newNonce}, '-I')) },
    newAccount => sub { text_of($client->post($directory->{newAccount}, {onlyReturnExisting => \1}, jwk => 1)) },
    newOrder => sub { text_of($client->order(\@names)) },
    newOrder_again => sub {
        my $new = $client->order(\@names);
        return ($seen{$new->{fields}{location}}++ ? "seen before\n" : '') . text_of($new);
    },
    newOrder_replacing => sub {
        my $old = $client->finish($client->order(['shop.test']), ['shop.test'], 'http-01', \&show);
        return text_of($client->order(['shop.test'], replaces => Acme->renewal_id($old)));
    },
    order => sub { text_of($client->post($valid)) },
    authz => sub { text_of($client->post($authorization)) },
    wildcard => sub { text_of($client->post($wild)) },
    challenge => sub { text_of($client->post($challenge)) },
    finalize => \&issued,
    certificate => sub { text_of($client->post($certificate->{url})) },
    keyChange => sub { text_of($client->change_key) },
    renewalInfo => sub { text_of($client->ask($renewal)) },
    validation => sub {
        my $new = $client->order(['shop.test'])->{json}{authorizations}[0];
        my $began = time;
        my $judged = JSON::PP->new->canonical->encode($client->prove($new, 'http-01', \&show));
        return "$judged after @{[time - $began]} s, to " . slurp("$dir/www/.peer");
    },
    ocsp => sub { ocsp($certificate->{file}) },
    ocsp_revoked => sub { ocsp("$dir/gone/chain.pem") },
    ocsp_octets => sub { length(curl('--data-binary', "\@$dir/ocsp.req", $ca->{ocsp})->{text}) . " octets\n" },
    ocsptool => sub {
        (run({}, 'ocsptool', '--ask=' . $ca->{ocsp}, '--load-issuer', $issuer, '--load-cert', $certificate->{file},
            '--load-trust', $issuer, '--no-nonce'))[1];
    },
    crls => \&crl,
    crl_octets => sub { length(curl('-o', '-', "$ca->{crls}/2.crl")->{text}) . " octets\n" },
    issuers_der => sub {
        my $der = spill("$dir/fetched.der", curl('-o', '-', "$ca->{issuers}/2.cer")->{text});
        openssl('x509', '-inform', 'der', '-in', $der, '-noout', '-subject');
    },
    issuers => sub { text_of(curl('-i', "$ca->{issuers}/2.p7c")) },
    dns_a => sub { dig('shop.test', 'A', '+time=7') },
    dns_aaaa => sub { dig('shop.test', 'AAAA', '+time=2') },
    dns_once => sub { dig('shop.test', 'A', '+time=2') },
    dns_bare => sub { dig('shop.test', 'A', '+time=2', '+ignore') },
    dns_caa => sub { dig('shop.test', 'CAA', '+time=2') },
    dns_texts => sub { dig('_acme-challenge.shop.test', 'TXT', '+tcp', '+time=2') },
    dns_signed => sub { dig('shop.test', 'A', '+time=2', '+dnssec') },
    dns_delv => sub { delv('shop.test', 'A') },
    dns_txt => sub { dig('_acme-challenge.shop.test', 'TXT', '+time=2') },
    acme => \&https,
    http => sub { text_of(curl('-v', '-o', '-', "$ca->{crls}/2.crl")) },
);

# What each of them looks like where all is well.
my $fine = qr{^exit 0\n.*^HTTP/1\.1 20[014] }ms;
my %well = (
    (map { $_ => $fine } qw(directory newNonce newAccount newOrder newOrder_again newOrder_replacing order authz
        wildcard challenge certificate keyChange renewalInfo issuers)),
    finalize => qr{\Aexit 0\n.*"status":"valid".*DNS:shop\.test.*own key\n.*: OK\n\z}s,
    validation => qr{"status":"valid"}s,
    ocsp => qr{Response verify OK.*: good\n}s, ocsp_revoked => qr{: revoked\n}, ocsp_octets => qr{\A\d{3} octets\n},
    crl_octets => qr{\A\d{3} octets\n},
    ocsptool => qr{Certificate Status: good.*Verifying OCSP Response: Success}s,
    crls => qr{verify OK.*Verification output: Verified}s,
    (map { $_ => qr{status: NOERROR.*\s127\.0\.0\.1\n}s } qw(dns_a dns_once dns_bare)),
    (map { $_ => qr{status: (?:NOERROR|NXDOMAIN).*ANSWER: 0}s } qw(dns_aaaa dns_caa
        dns_txt dns_texts)),
    dns_signed => signed(0), dns_delv => qr{; fully validated\n},
    issuers_der => qr{Intermediate 2},
    acme => qr{\Aexit 0\n.*SSL certificate verify ok.*newOrder}s,
    http => qr{\Aexit 0\n.*200 OK}s,
);

# --- every fault: where it is looked at, and its mark ---------------------------------------------

my ($reset, $silent, $html) = (qr{\Aexit (?:35|56)\n}, qr{\Aexit 28\n}, qr{^HTTP/1\.1 200 .*<html>}ms);
sub problem ($status, $type) { return qr{^HTTP/1\.1 $status .*"urn:ietf:params:acme:error:$type".*"status":$status}ms }
my $began = sub ($seconds) { return join '', (split /\s+/, scalar gmtime $seconds)[1, 2] };

my %observed = (
    'connection-reset' => [acme => qr{\Aexit \d+\n.*reset by peer}s], 'connection-silent' => [http => $silent],
    'api-expired' => [acme => qr{certificate has expired}],
    'api-self-signed' => [acme => qr{self-signed certificate\n}],
    'api-wrong-name' => [acme => qr{\Aexit 60\n.*does not match}s],
    'api-broken-chain' => [acme => qr{unable to get local issuer}, '--chain', 'without-intermediate'],
    'handshake-failure' => [acme => qr{handshake failure}],
    'reset' => [newOrder => $reset], 'silence' => [renewalInfo => $silent], 'slow' => [newNonce => $silent],
    'cut' => [certificate => qr{\Aexit 18\n.*BEGIN CERTIFICATE}s],
    'chunked' => [directory => qr{^Transfer-Encoding: chunked.*newOrder}ms],
    'http-1.0' => [authz => qr{^HTTP/1\.0 200 (?!.*Content-Length).*"identifier"}ms],
    'unasked-continue' => [order => qr{^HTTP/1\.1 100 Continue\r\n\r\nHTTP/1\.1 200 }m],
    'huge-header' => [challenge => qr{^X-Padding: x{60000}x{10000}\r$}m],
    'retry-later' => [newOrder => qr{^HTTP/1\.1 503 .*^Retry-After: 120\r.*<html>}ms, '--after', 120],
    'server-error' => [finalize => problem(500, 'serverInternal')],
    'not-found' => [issuers => qr{^HTTP/1\.1 404 }m],
    'redirect' => [directory => qr{^HTTP/1\.1 302 .*^Location: /directory\r$}ms],
    'empty' => [newAccount => qr{^HTTP/1\.1 200 .*^Content-Length: 0\r.*\r\n\r\n\z}ms],
    'html' => [order => $html], 'wrong-type' => [authz => qr{^Content-Type: text/html\r.*"identifier"}ms],
    'gzip' => [directory => qr{^Content-Encoding: gzip\r.*\r\n\r\n\x1f\x8b}ms],
    'retry-after' => [renewalInfo => qr{^Retry-After: -1\r.*suggestedWindow}ms],
    'no-nonce' => [newOrder => qr{^HTTP/1\.1 201 (?!.*Replay-Nonce).*identifiers}ms],
    'spent-nonce' => [newNonce => qr{^Replay-Nonce: cmVo}m],
    'no-location' => [newAccount => qr{^HTTP/1\.1 200 (?!.*Location:).*"status"}ms],
    'no-link' => [directory => qr{^HTTP/1\.1 200 (?!.*Link:)}ms],
    'directory-key-missing' => [directory => qr{^HTTP/1\.1 200 (?!.*keyChange).*newOrder}ms, '--key', 'keyChange'],
    'directory-moved' => [directory => qr{"newOrder":"https://[\d.:]+/moved-1/acme/new-order"}],
    'meta-null' => [directory => qr{"termsOfService":null}],
    'profiles-unlisted' => [directory => qr{"meta":\{(?!.*"profiles")}],
    'bad-nonce' => [challenge => problem(400, 'badNonce')],
    'rate-limited' => [newOrder => problem(429, 'rateLimited')],
    'account-forgotten' => [order => problem(400, 'accountDoesNotExist')],
    'account-deactivated' => [newOrder => problem(403, 'unauthorized')],
    'eab-required' => [newAccount => problem(403, 'externalAccountRequired')],
    'terms-changed' => [newOrder =>
        qr{^HTTP/1\.1 403 .*^Link: </terms/2>;rel="terms-of-service".*userAction.*"instance":"/terms/2"}ms],
    'key-change-refused' => [keyChange => problem(409, 'malformed')],
    'already-replaced' => [newOrder_replacing => problem(409, 'alreadyReplaced')],
    'profile-withdrawn' => [newOrder => problem(400, 'invalidProfile')],
    'blocked-name' => [newOrder => problem(400, 'rejectedIdentifier')],
    'request-refused' => [finalize => problem(400, 'badCSR')],
    'stuck-processing' => [order => qr{"status":"processing"}],
    'stuck-challenge' => [challenge => qr{"status":"processing"}], 'stuck-pending' => [order => qr{"status":"pending"}],
    'order-invalid' => [order => qr{"status":"invalid".*error:caa"}s],
    'no-certificate-url' => [order => qr{"status":"valid"(?!.*"certificate")}],
    'order-reused' => [newOrder_again => qr{^seen before\n}m],
    'expires-past' => [newOrder => qr{"expires":"@{[Observer::date($now - 86400)]}}],
    'identifiers-reversed' => [newOrder => qr{"www\.shop\.test".*"shop\.test"}],
    'identifiers-upper' => [authz => qr{"SHOP\.TEST"}],
    'identifier-dropped' => [newOrder => qr{\[\{"type":"dns","value":"shop\.test"\}\]}],
    'wildcard-unmarked' => [wildcard => qr{"challenges"(?!.*"wildcard")}],
    'no-challenges' => [authz => qr{"challenges":\[\]}],
    'unknown-challenges' => [authz => qr{"type":"rehearsal-01"(?!.*"http-01")}],
    'challenge-gone' => [authz => qr{"challenges":\[\{(?!.*"http-01")}],
    'token-climbs' => [challenge => qr{"token":"\.\./\.\./climbed"}],
    'perspectives-disagree' => [validation => qr{During secondary validation: .*shop\.test: NXDOMAIN".*error:dns"}],
    'perspectives-late' => [validation => qr{"status":"valid".* after (?:[4-9]|\d\d) s}],
    'redirect-loop' => [validation => qr{more than 10 redirects".*error:connection"}],
    'other-source' => [validation => qr{"status":"valid".* to 127\.0\.0\.66\z}],
    'broken-chain' => [finalize => qr{DNS:elsewhere\.test.*own key}s, '--chain', 'wrong-name'],
    'wrong-key' => [finalize => qr{DNS:shop\.test.*another key}s],
    'no-lifetime' => [finalize => qr{Not Before: (.*)\n\s+Not After : \1\n.*own key}s],
    'no-ocsp-url' => [finalize => qr{\A(?!.*OCSP - URI:).*CA Issuers - URI:}s],
    'no-urls' => [finalize => qr{\A(?!.*URI:).*own key}s],
    'dead-ocsp-url' => [finalize => qr{OCSP - URI:http://127\.0\.0\.1:0/}],
    'dead-issuer-url' => [finalize => qr{CA Issuers - URI:http://127\.0\.0\.1:0/}],
    'dead-crl-url' => [finalize => qr{Full Name:\s+URI:http://127\.0\.0\.1:0/}],
    'clock-wrong' => [finalize => qr{Not Before: @{[Observer::openssl_date($now - 3600 + 2 * 86400)]}\n},
        '--skew', '2d'],
    'issuer-of-another' => [issuers_der => qr{subject=(?!.*Intermediate 2)}],
    'no-alternates' => [certificate => qr{^HTTP/1\.1 200 (?!.*rel="alternate").*-----BEGIN}ms],
    'chains-turned' => [certificate => qr{(?:-----BEGIN.*){4}}s],
    'crlf-chain' => [certificate => qr{-----BEGIN CERTIFICATE-----\r\n}],
    'bom-chain' => [certificate => qr{\r\n\r\n\xef\xbb\xbf-----BEGIN}],
    'text-before-chain' => [certificate => qr{\r\n\r\nsubject=.*\n-----BEGIN}],
    'huge-chain' => [certificate => qr{^Content-Length: 10\d{4}\r}m],
    'window-past' => [renewalInfo => qr{"end":"@{[Observer::date($now - 86400)]}}],
    'window-storm' => [renewalInfo => qr{"start":"@{[Observer::date($now)]}.*"end":"@{[Observer::date($now + 1)]}}],
    'window-inverted' => [renewalInfo => qr{"start":"@{[Observer::date($now + 86400)]}}],
    'window-absurd' => [renewalInfo => qr{"start":"@{[Observer::date($now + 90 * 365 * 86400)]}}],
    'window-malformed' => [renewalInfo => qr{"start":"soon","end":\z}],
    'no-window' => [renewalInfo => qr{^HTTP/1\.1 404 }m],
    # OCSP
    'ocsp-stale' => [ocsp => qr{status expired}], 'ocsp-future' => [ocsp => qr{not yet valid}],
    'ocsp-no-next-update' => [ocsp => qr{This Update(?!.*Next Update)}s],
    'ocsp-try-later' => [ocsp => qr{trylater}i], 'ocsp-internal-error' => [ocsp => qr{internalerror}i],
    'ocsp-unauthorized' => [ocsp => qr{unauthorized}i], 'ocsp-unknown' => [ocsp => qr{: unknown\n}],
    'ocsp-wrongly-revoked' => [ocsptool => qr{Status: revoked}i], 'ocsp-wrongly-good' => [ocsp_revoked => qr{: good\n}],
    'ocsp-wrong-signer' => [ocsptool => qr{Verifying OCSP Response: (?!Success)}],
    'ocsp-unentitled-signer' => [ocsp => qr{Response Verify Failure.*missing ocspsigning usage}s],
    'ocsp-forged' => [ocsp => qr{Response Verify Failure.*:signature failure}s],
    'ocsp-wrong-serial' => [ocsp => qr{No Status found}],
    'ocsp-nonce-missing' => [ocsp => qr{no nonce in response}], 'ocsp-nonce-wrong' => [ocsp => qr{Nonce Verify error}],
    'ocsp-garbage' => [ocsp => qr{Error querying}], 'ocsp-oversize' => [ocsp_octets => qr{\A10\d{5} octets\n}],
    # CRLs
    'crl-expired' => [crls => qr{Next Update: @{[Observer::openssl_date($now - 86400)]}}],
    'crl-future' => [crls => qr{Last Update: @{[Observer::openssl_date($now + 86400)]}}],
    'crl-of-another' => [crls => qr{verify failure|error getting CRL issuer}i],
    'crl-forged' => [crls => qr{verify failure.*Verification output: Not verified}s],
    'crl-forgetful' => [crls => qr{No Revoked Certificates}],
    'crl-huge' => [crl_octets => qr{\A\d{7} octets\n}],
    'crl-garbage' => [crls => qr{unable to load CRL|Could not read CRL}i],
    # DNS
    'dns-servfail' => [dns_a => qr{status: SERVFAIL}], 'dns-nxdomain' => [dns_a => qr{status: NXDOMAIN}],
    'dns-refused' => [dns_a => qr{status: REFUSED}], 'dns-empty' => [dns_a => qr{status: NOERROR.*ANSWER: 0}s],
    'dns-slow' => [dns_a => qr{127\.0\.0\.1\n.*Query time: 5\d{3} msec}s], 'dns-silent' => [dns_once => qr{timed out}],
    'dns-truncated' => [dns_bare => qr{flags:[^;]* tc}], 'dns-cut' => [dns_once => qr{bad packet|malformed|timed out}i],
    'dns-wrong-id' => [dns_once => qr{ID mismatch}], 'caa-forbids' => [dns_caa => qr{CAA\s+0 issue ";"}],
    'caa-servfail' => [dns_caa => qr{status: SERVFAIL}],
    'dns-stale-texts' => [dns_texts => qr{ANSWER: 30}],
    'dns-wrong-address' => [dns_a => qr{\s127\.100\.0\.1\n}],
    'dns-silent-ipv6' => [dns_aaaa => qr{\s::ffff:127\.100\.0\.1\n}],
    'dnssec-bogus' => [dns_delv => qr{RRSIG failed to verify}, '--identifier', 'shop.test'],
    'dnssec-expired' => [dns_signed => signed(-16)], 'dnssec-not-yet-valid' => [dns_signed => signed(2)],
    'dnssec-missing' => [dns_signed => qr{ANSWER: 1,.*\s127\.0\.0\.1\n}s],
    'dns-wrong-text' => [dns_txt => qr{"not-this-challenge"}],
);

# Where in the table of endpoints a look is.
sub endpoint ($look) {
    return {wildcard => 'authz', ocsptool => 'ocsp', crl_octets => 'crls'}->{$look} // $look =~ s/_.*//r;
}

sub fired_lines () { return scalar(() = slurp(home() . '/fired.jsonl') =~ /\n/g) }

sub is_seen_once ($fault, $look, $mark, @how) {
    my $before = -e home() . '/fired.jsonl' ? fired_lines() : 0;
    arm($fault, '--on', endpoint($look), '--nth', 2, '--times', 1, @how);
    my @seen;
    for my $nth (1 .. 3) {
        Observer::patience($nth == 2 && $mark == $silent ? 8 : 120);
        push @seen, $look{$look}->();
    }
    my $told = join ' ', map { ($_ =~ $mark ? 'faulty' : '') . ($_ =~ $well{$look} ? 'well' : '') } @seen;
    like($told, qr/\Awell faulty(?:well)? well\z/, "$fault: seen on $look at the second request, and only there")
        or diag(join "\n----\n", map { substr $_, 0, 3000 } @seen);
    my ($one) = @{armed()};
    is_deeply([@$one{qw(fault requests fired first last)}], [$fault, 3, 1, $now, $now], '  and that was counted');
    is(fired_lines(), $before + 1, '  and written down');
    disarm($fault);
}

# A connection that is refused is seen by nobody: the fault goes on until it is disarmed.
sub is_refused () {
    arm('connection-refused', '--on', 'acme', '--nth', 2);
    my @seen = map { $look{acme}->() } 1, 2;
    my ($one) = @{armed()};
    disarm('connection-refused');
    my $told = join ' ', map { $_ =~ $well{acme} ? 'well' : $_ =~ qr{Connection refused} ? 'refused' : $_ }
        @seen, $look{acme}->();
    is($told, 'well refused well', 'connection-refused: seen on acme at the second connection, until disarmed');
    is_deeply([@$one{qw(requests fired first last)}], [1, 1, $now, $now], '  and that was counted');
}

my %wanted = map { $_ => 1 } @ARGV;
my @all = map { $_->{name} } @{decode_json(fakeca('faults', '--serve', '--json'))};
for my $fault (grep { !%wanted || $wanted{$_} } @all) {
    my $how = delete $observed{$fault};
    if ($fault eq 'connection-refused') { is_refused() }
    elsif ($how) { is_seen_once($fault, @$how) }
    else { fail("$fault: nobody looks at it") }
}
is_deeply([sort keys %observed], [], 'and there is no other') if !%wanted;
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'and it never complained');
done_testing;
