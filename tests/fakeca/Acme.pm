# Acme.pm -- an ACME client that does nothing by itself: curl carries each request, openssl signs it.
package Acme;
use v5.36;

use Carp qw(croak);
use Digest::SHA qw(sha256);
use JSON::PP;
use MIME::Base64 qw(encode_base64url);
use Fakeca qw(dir slurp spill);
use Serve qw(run web dns);

my $files = 0;

# --- keys -----------------------------------------------------------------------------------------

sub _file ($suffix) { return dir() . '/acme-' . ++$files . ".$suffix" }

# A P-256 key: its file, and its public half as a JWK.
sub new_key ($class, $file = _file('key')) {
    system("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $file 2>/dev/null") if !-e $file;
    my $point = substr `openssl pkey -in $file -pubout -outform DER`, -64;
    return {file => $file, jwk => {kty => 'EC', crv => 'P-256', x => encode_base64url(substr $point, 0, 32),
        y => encode_base64url(substr $point, 32)}};
}

sub _json ($thing) { return JSON::PP->new->canonical->encode($thing) }

sub thumbprint ($class, $key) { return encode_base64url(sha256(_json($key->{jwk}))) }

# ES256: r and s side by side, out of the DER that openssl makes.
sub _signature ($key, $text) {
    my $der = `openssl dgst -sha256 -sign $key->{file} @{[spill(_file('txt'), $text)]}`;
    my (undef, undef, $r, $s) = unpack 'C C x C/a x C/a', $der;
    return join '', map { substr "\0" x 32 . $_, -32 } $r, $s;
}

# A flattened JWS; `payload` undef is an empty one.
sub jws ($class, $key, $header, $payload) {
    my $head = encode_base64url(_json({alg => 'ES256', %$header}));
    my $body = defined $payload ? encode_base64url(ref $payload ? _json($payload) : $payload) : '';
    return {protected => $head, payload => $body, signature => encode_base64url(_signature($key, "$head.$body"))};
}

# A server of files for http-01: its port, and what shows a key authorization there.
sub files ($class) {
    my $top = dir() . '/www-' . ++$files;
    my $challenges = "$top/.well-known/acme-challenge";
    mkdir $_ for $top, "$top/.well-known", $challenges;
    return (web($top), sub ($challenge, $text, $) { spill("$challenges/$challenge->{token}", $text) });
}

# What shows a key authorization in the authority's own DNS, for dns-01.
sub in_dns ($challenge, $text, $name) {
    return dns('--add', "_acme-challenge.$name. TXT " . encode_base64url(sha256($text)));
}

# --- requests -------------------------------------------------------------------------------------

# `ca` is what Serve::serve gave.
sub new ($class, $ca, $key = $class->new_key) {
    my $self = bless {ca => $ca, key => $key, kid => undef, nonce => undef}, $class;
    $self->{directory} = $self->ask($ca->{directory})->{json};
    return $self;
}

# One request by curl: {status, fields, links, text, json}.
sub ask ($self, $url, @how) {
    my ($status, $said) = run({}, 'curl', '-s', '-i', '--cacert', $self->{ca}{https_root}, @how, $url);
    croak "curl $url: $status" if $status;
    my ($head, $text) = split /\r\n\r\n/, $said, 2;
    my ($first, @lines) = split /\r\n/, $head;
    my %answer = (status => (split / /, $first)[1], text => $text, links => {});
    for (@lines) {
        my ($name, $value) = /^([\w-]+): (.*)$/ or croak "not a field: $_";
        $answer{fields}{lc $name} = $value;
        push @{$answer{links}{$2}}, $1 if lc $name eq 'link' && $value =~ /<([^>]+)>;rel="([^"]+)"/;
    }
    $answer{json} = decode_json($text) if ($answer{fields}{'content-type'} // '') =~ /json/;
    $self->{nonce} = $answer{fields}{'replay-nonce'};
    return \%answer;
}

# Signed, with the account's URL where there is one; %how: key, jwk => 1 for the key itself.
sub post ($self, $url, $payload = undef, %how) {
    my $key = $how{key} // $self->{key};
    $self->ask($self->{directory}{newNonce}, '-I') if !$self->{nonce};
    my %who = $self->{kid} && !$how{jwk} ? (kid => $self->{kid}) : (jwk => $key->{jwk});
    my $jws = Acme->jws($key, {url => $url, nonce => $self->{nonce}, %who}, $payload);
    return $self->ask($url, '-H', 'Content-Type: application/jose+json', '-H', 'Expect:',
        '--data-binary', '@' . spill(_file('jws'), encode_json($jws)));
}

# The last word of a problem's URN, with its status: "403 unauthorized"; else the status alone.
sub word ($class, $answer) {
    my $type = ref $answer->{json} eq 'HASH' ? $answer->{json}{type} // '' : '';
    return $type =~ /urn:ietf:params:acme:error:(\w+)/ ? "$answer->{status} $1" : $answer->{status};
}

# --- the flow of RFC 8555, section 7 --------------------------------------------------------------

sub register ($self, %more) {
    my $answer = $self->post($self->{directory}{newAccount}, {termsOfServiceAgreed => JSON::PP::true, %more}, jwk => 1);
    $self->{kid} = $answer->{fields}{location} if $answer->{status} =~ /^20/;
    return $answer;
}

sub _identifier ($name) { return {type => $name =~ /^[\d.]+$|:/ ? 'ip' : 'dns', value => $name} }

sub order ($self, $names, %more) {
    return $self->post($self->{directory}{newOrder}, {identifiers => [map { _identifier($_) } @$names], %more});
}

# Answers one challenge of an authorization, and waits for what comes of it: the authorization.  `show`
# is called with the challenge, the key authorization and the identifier's value before it is answered.
sub prove ($self, $url, $type, $show) {
    my $authorization = $self->post($url)->{json};
    my ($challenge) = grep { $_->{type} eq $type } @{$authorization->{challenges}} or croak "no $type";
    $show->($challenge, "$challenge->{token}." . Acme->thumbprint($self->{key}), $authorization->{identifier}{value});
    $self->post($challenge->{url}, {});
    return $self->settled($url);
}

# What becomes of a new order's one authorization: its status, and where there is one the error.
sub judged ($self, $name, $type, $show) {
    my $order = $self->order([$name]);
    my $judged = $self->prove($order->{json}{authorizations}[0], $type, $show);
    my $error = $judged->{challenges}[0]{error};
    return join ' ', $judged->{status}, $error ? ($error->{type} =~ s/.*://r, $error->{detail}) : ();
}

# What stands at a URL once it is no longer pending or processing.
sub settled ($self, $url) {
    while (1) {
        my $json = $self->post($url)->{json};
        return $json if $json->{status} !~ /^(?:pending|processing)$/;
    }
}

# A request for the names, base64url of DER, and the file of its key.
sub csr ($class, @names) {
    my ($key, $der) = (_file('key'), _file('der'));
    my $names = join ',', map { ($_->{type} eq 'ip' ? 'IP:' : 'DNS:') . $_->{value} } map { _identifier($_) } @names;
    system("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $key -subj / "
        . "-addext subjectAltName=$names -outform DER -out $der 2>/dev/null") == 0 or croak 'req';
    return (encode_base64url(slurp($der)), $key);
}

# From an order's answer to the certificate: {file, key, der, url, links}, or the answer that was none.
sub finish ($self, $order, $names, $type = 'http-01', $show = sub { }) {
    for my $url (@{$order->{json}{authorizations}}) {
        my $done = $self->post($url)->{json};
        $done = $self->prove($url, $type, $show) if $done->{status} eq 'pending';
        return {%$order, json => $done} if $done->{status} ne 'valid';
    }
    my ($csr, $key) = Acme->csr(@$names);
    my $answer = $self->post($order->{json}{finalize}, {csr => $csr});
    return $answer if $answer->{status} != 200;
    my $done = $answer->{json};
    $done = $self->settled($order->{fields}{location}) if $done->{status} eq 'processing';
    return {%$answer, json => $done} if !$done->{certificate};
    my $chain = $self->post($done->{certificate});
    my $file = spill(_file('pem'), $chain->{text});
    my $der = encode_base64url(scalar `openssl x509 -in $file -outform DER`);
    return {%$chain, file => $file, key => $key, der => $der, url => $done->{certificate}};
}

sub obtain ($self, $names, $type, $show, %more) {
    my $order = $self->order($names, %more);
    return $order->{status} == 201 ? $self->finish($order, $names, $type, $show) : $order;
}

# What openssl says of a certificate: "-serial", "-dates", "-ext subjectAltName" ...
sub says ($class, $certificate, @what) {
    return scalar `openssl x509 -in $certificate->{file} -noout @what`;
}

# RFC 9773 section 4.1: what the certificate goes by.
sub renewal_id ($class, $certificate) {
    my ($issuer) = $class->says($certificate, '-ext', 'authorityKeyIdentifier') =~ /([0-9A-F]{2}(?::[0-9A-F]{2}){19})/;
    my ($serial) = $class->says($certificate, '-serial') =~ /=([0-9A-F]+)/;
    return join '.', map { encode_base64url(pack 'H*', $_ =~ tr/://dr) } $issuer, $serial;
}

1;
