# Observer.pm -- Acme.pm for who wants to see what goes wrong: nothing that comes back makes it give up.
package Observer;
use v5.36;
use parent 'Acme';

use Exporter qw(import);
use JSON::PP;
use POSIX qw(strftime);
use Fakeca qw(dir slurp spill);
use Serve qw(run);

our @EXPORT_OK = qw(curl openssl text_of);

my $patience = 120;    # seconds that curl waits; those who keep silent cost as much

sub patience ($seconds) { $patience = $seconds }

# One run of curl: {exit, text}, stdout and stderr together.
sub curl (@how) {
    my ($exit, $text) = run({}, 'curl', '-s', '-m', $patience, @how);
    return {exit => $exit, text => $text};
}

# What openssl says, on both streams.
sub openssl (@words) { return (run({}, 'openssl', @words))[1] }

# An answer as one text: curl's exit status, the head, the body.
sub text_of ($answer) { return "exit $answer->{exit}\n" . ($answer->{all} // $answer->{text}) }

# As ACME writes dates, as openssl does, and as HTTP does.
sub date ($seconds) { return strftime '%Y-%m-%dT%H:%M:%SZ', gmtime $seconds }
sub openssl_date ($seconds) { return strftime '%b %e %H:%M:%S %Y GMT', gmtime $seconds }

sub http_date ($seconds) { return strftime '%a, %d %b %Y %H:%M:%S GMT', gmtime $seconds }

sub ask ($self, $url, @how) {
    my $answer = curl('-i', '--cacert', $self->{ca}{https_root}, @how, $url);
    my ($head, $body) = split /\r\n\r\n(?!HTTP)/, $answer->{text}, 2;
    my ($status) = ($head // '') =~ m{.*^HTTP/1\.\d (\d+)}ms;
    my %fields = map { /^([\w-]+): (.*)$/ ? (lc $1 => $2) : () } split /\r\n/, $head // '';
    $self->{nonce} = $fields{'replay-nonce'};
    return {%$answer, all => $answer->{text}, status => $status // 0, fields => \%fields, text => $body // '',
        json => scalar eval { decode_json($body) }};
}

# RFC 8555 section 7.3.5: from now on the account has another key.
sub change_key ($self) {
    my $new = Acme->new_key;
    my $url = $self->{directory}{keyChange};
    my $inner = Acme->jws($new, {url => $url, jwk => $new->{jwk}},
        {account => $self->{kid}, oldKey => $self->{key}{jwk}});
    my $answer = $self->post($url, $inner);
    $self->{key} = $new if $answer->{status} == 200;
    return $answer;
}

1;
