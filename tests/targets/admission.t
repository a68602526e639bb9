#!/usr/bin/perl
# Client certificates: none asked, optional, required; and revoked ones.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Target qw(dir identity spill slurp openssl s_client fetch);
use JSON::PP;
use Test::More;

my $dir = dir();
my $shop = identity('shop.test');

# --- a CA that issues to clients ------------------------------------------------------------------

mkdir "$dir/ca";
spill("$dir/ca/index", '');
spill("$dir/ca/serial", "0A01\n");
my $settings = spill("$dir/ca/openssl.cnf", <<"END");
[ca]
default_ca = it
[it]
database = $dir/ca/index
serial = $dir/ca/serial
new_certs_dir = $dir/ca
certificate = $dir/ca.chain.pem
private_key = $dir/ca.key.pem
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
END
my $ca = identity('ca', 'Client CA');

sub client ($name, @dates) {
    my %it = (cert => "$dir/$name.pem", key => "$dir/$name.key");

    openssl(qw(req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj), "/CN=$name",
            '-keyout', $it{key}, '-out', "$dir/$name.csr");
    openssl('ca', '-config', $settings, qw(-batch -notext -in), "$dir/$name.csr", '-out', $it{cert},
            @dates ? @dates : qw(-days 30));
    return \%it;
}

sub crl {
    openssl('ca', '-config', $settings, '-gencrl', '-out', "$dir/crl.pem");
    return "$dir/crl.pem";
}

my $good = client('good');
my $expired = client('expired', qw(-startdate 20200101000000Z -enddate 20200201000000Z));
my $revoked = client('revoked');
my $stranger = identity('stranger');
$stranger->{cert} = $stranger->{chain};

# --- who comes in ---------------------------------------------------------------------------------

my $target = Target->start(hosts => [$shop], log => "$dir/log");

# In TLS 1.3 a client learns only after its own handshake that it was refused: so it asks, and
# counts as let in when it was answered. The server's side is in its log.
sub visit ($version, $it) {
    unlink "$dir/log";
    $target->hangup;    # the log is opened anew
    my $answer = fetch($target, $version, $it ? (-cert => $it->{cert}, -key => $it->{key}) : ());
    my $line = decode_json(slurp("$dir/log"));
    my $in = $answer =~ /This is a rehearsal/;
    return !$in == !$line->{ok} ? ($in ? 'in' : $line->{alert_sent}, $line) : "they disagree: $answer";
}

my %expected = (
    none =>     [('in') x 5],
    optional => ['in', 'in', 'unknown_ca', 'certificate_expired', 'certificate_revoked'],
    require =>  [undef, 'in', 'unknown_ca', 'certificate_expired', 'certificate_revoked'],
);
my @visitors = (['nobody', undef], ['a good one', $good], ['a stranger', $stranger],
                ['an expired one', $expired], ['a revoked one', $revoked]);

openssl('ca', '-config', $settings, '-revoke', $revoked->{cert});
$target->reload(client_ca => $ca->{chain}, client_crl => crl());
for my $auth (qw(none optional require)) {
    is($target->reload(client_auth => $auth)->{event}, 'reloaded', "client_auth is $auth");
    for my $version (qw(-tls1_2 -tls1_3)) {
        for my $i (0 .. $#visitors) {
            my ($who, $it) = @{$visitors[$i]};
            my $missing = $version eq '-tls1_3' ? 'certificate_required' : 'handshake_failure';
            my ($outcome) = visit($version, $it);
            is($outcome, $expected{$auth}[$i] // $missing, "  $version, $who: $outcome");
        }
    }
}

my (undef, $line) = visit('-tls1_3', $good);
is($line->{client}, '0a01', 'the log knows the client by its serial');
is($line->{host}, 'shop.test', '  and the host it came to');
(undef, $line) = visit('-tls1_3', $revoked);
is($line->{why}, 'certificate revoked', 'and why one was refused');

# --- reloads --------------------------------------------------------------------------------------

is((visit('-tls1_2', $good))[0], 'in', 'before its revocation a client gets in');
openssl('ca', '-config', $settings, '-revoke', $good->{cert});
crl();
is((visit('-tls1_2', $good))[0], 'certificate_revoked', '  and after a reload of the CRL it does not');

my $event = $target->reload(client_crl => $ca->{chain});
is($event->{event}, 'refused', 'a CRL that is none is refused');
like($event->{why}, qr/client_crl: .*expected a PEM block X509 CRL/, '  with why');
$event = $target->reload(client_crl => undef, client_ca => spill("$dir/cut.pem", substr slurp($ca->{chain}), 0, 99));
like($event->{why}, qr/client_ca: .*has no END line/, 'and so is a CA that was cut');

my $session = "$dir/session";
$target->reload(client_ca => $ca->{chain}, client_auth => 'require');
my @identity = (-cert => $good->{cert}, -key => $good->{key});
fetch($target, @identity, -sess_out => $session);
my ($said) = s_client($target, @identity, -sess_in => $session);
like($said, qr/^Reused, TLS/m, 'a session with a client certificate is resumed');
is($target->stop, 0, 'it ends well');

done_testing;
