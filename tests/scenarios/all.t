#!/usr/bin/perl
# Every scenario in the tree passes, against every target that it names: alone, side by
# side, and in two runs at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../testbed";
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

# What went wrong, with what was seen.
sub red {
    my ($told) = @_;
    return join '', map { /^(# scenario|not ok)/m ? $_ : () } split /^(?=# scenario|(?:not )?ok \d)/m, $told;
}

my ($status, $out, $err) = rehearse('list', 'scenarios');
is $status, 0, 'all scenarios are valid' or diag $err;
my @files = plays();
cmp_ok scalar @files, '>=', 12, 'there are ' . @files . ' of them';

# Against the builtin one and nginx all of them; against the others, those in which servers differ most.  One year
# passes each time.
my @few = map { "scenarios/$_.lua" } qw(expiry/leaf-expires deployment/key-mismatch deployment/key-mismatch-apache
    deployment/client-certificates negotiation/ciphers-hardened revocation/responder-silent-apache
    revocation/wrongly-revoked-apache authority/down-at-reboot authority/challenge-withdrawn);
my @timed = map { "scenarios/$_.lua" } qw(calendar/year-caddy calendar/suspended-caddy clock/timers-caddy
    revocation/wrongly-revoked-caddy);
my %plays = (builtin => \@files, nginx => \@files, apache => \@few, caddy => [@few, @timed], haproxy => \@few);
%plays = map { $_ => \@files } keys %plays if $ENV{REHEARSE_LONG};
$plays{'each-its-own'} = ['scenarios/revocation/mass-revocation.lua'];

# The rows of a table, `| ... |`, as they stand in this text behind `mark`.
sub rows { my ($text, $mark) = @_; return map { $_ => 1 } $text =~ /^\Q$mark\E(\| .*` \|)$/mg }
my %survived;

for my $target (sort keys %plays) {
    my $state = "$DIR/$target";
    my @against = $target eq 'each-its-own' ? () : ('--target', $target);
    ($status, $out, $err) = rehearse('run', '-j', '3', '--state', $state, @against, @{ $plays{$target} });
    is $status, 0, "against $target, every expectation is met" or diag red($out), $err;
    my @titles = $out =~ /^# scenario: /mg;
    is scalar @titles, scalar @{ $plays{$target} }, 'every scenario was told';
    # where clients must show certificates a look ends before it hears the time
    my @unproven = grep { !/alert-certificate-required$/ } $out =~ /^# .*cannot be proven.*/mg;
    is "@unproven", '', 'and proved its clock';
    ok gone($state), 'nobody is left';
    %survived = (%survived, rows($out, '# '));
}

if ($ENV{REHEARSE_LONG}) {
    open my $page, '<', 'docs/survival.md' or die;
    my %told = rows(do { local $/; <$page> }, '');
    is_deeply [sort keys %survived], [sort keys %told], 'docs/survival.md has what was survived (make survival)';
}

my $one = 'scenarios/expiry/leaf-expires.lua';
my @runs = map { start('run', '--state', "$DIR/at-once-$_", $one) } 1, 2;
for my $run (@runs) {
    my $told = do { local $/; readline $run->{out} };
    waitpid $run->{pid}, 0;
    is $? >> 8, 0, 'two runs at once do not meet' or diag red($told);
}

($status, $out) = rehearse('run', $one);
like $out, qr/openssl: "expired x\d+: certificate has expired \[X509_V_ERR_CERT_HAS_EXPIRED/,
    'OpenSSL says it in its words';
like $out, qr/gnutls: "expired x\d+: .*\[GNUTLS_CERT_EXPIRED/, 'GnuTLS in its';
like $out, qr/wolfssl: "expired x\d+: .*-151/, 'wolfSSL in its';
like $out, qr/^# +first failure +order placed +issued +on disk +reloaded +on the wire +first good +well again$/m,
    'the way back is told by its steps';

SKIP: {
    skip 'only root can become somebody else', 1 if $> != 0;
    skip 'the build is not readable for others', 1
        if system('setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'test', '-x', "$BUILD/rehearse");
    local $ENV{TMPDIR} = '/tmp';
    my @nobody = qw(setpriv --reuid 65534 --regid 65534 --clear-groups);
    my $text = `@nobody '$BUILD/rehearse' run --slack $ENV{REHEARSE_SLACK} $one 2>&1`;
    is $? >> 8, 0, 'an ordinary user can do it too' or diag $text;
}

done_testing;
