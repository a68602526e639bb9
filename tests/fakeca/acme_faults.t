#!/usr/bin/perl
# Faults of the ACME server as a real client meets them, and what a killed server still knows.
use v5.36;
use FindBin qw($Bin);
use JSON::PP;
use lib $Bin;
use Fakeca qw(dir fakeca slurp spill);
use Serve qw(serve stop web home have run);
use Test::More;

plan skip_all => 'acme-tiny is not installed' if !have('acme-tiny');

my $dir = dir();
my $challenges = "$dir/www/.well-known/acme-challenge";
mkdir $_ for "$dir/www", "$dir/www/.well-known", $challenges;
my @ports = ('--validate-http-port', web("$dir/www"));
my $ca = serve(@ports);

system("openssl genrsa -out $dir/account.key 2048 2>/dev/null");
system("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $dir/shop.key -subj / "
    . "-addext subjectAltName=DNS:shop.test,DNS:www.shop.test -out $dir/shop.csr 2>/dev/null");

sub client () {
    return ('acme-tiny', '--account-key', "$dir/account.key", '--csr', "$dir/shop.csr", '--acme-dir', $challenges,
        '--disable-check', '--directory-url', $ca->{directory});
}
sub obtain () { return run({SSL_CERT_FILE => $ca->{https_root}}, client()) }
sub arm ($fault, @how) { return fakeca('arm', $fault, '--state', home(), @how) }
sub fired ($fault) {
    my ($one) = grep { $_->{fault} eq $fault } @{decode_json(fakeca('armed', '--state', home()))->{armed}};
    return $one->{fired};
}

# The client obtains nothing, and says why.
sub fails ($fault, $words, @how) {
    arm($fault, @how);
    my ($status, $said) = obtain();
    isnt($status, 0, "$fault: nothing is obtained");
    like($said, $words, "  and that is why");
    cmp_ok(fired($fault), '>', 0, '  and it was counted');
    fakeca('disarm', $fault, '--state', home());
}

my ($status, $said) = obtain();
is($status, 0, 'without a fault the client obtains a certificate') or diag($said);

fails('account-forgotten', qr/accountDoesNotExist/, '--on', 'newOrder');
fails('account-deactivated', qr/the account is deactivated/, '--on', 'newOrder');
fails('eab-required', qr/externalAccountRequired/);
fails('terms-changed', qr/userActionRequired/, '--on', 'newOrder');
fails('profile-withdrawn', qr/invalidProfile/, '--on', 'finalize');
fails('blocked-name', qr/rejectedIdentifier/, '--identifier', 'www.shop.test');
fails('rate-limited', qr/429|rateLimited/, '--on', 'newOrder', '--after', 60);
fails('server-error', qr/serverInternal/, '--on', 'authz', '--identifier', 'shop.test');
fails('retry-later', qr/503/, '--on', 'finalize');
fails('order-invalid', qr/invalid/, '--on', 'order');

# A nonce that is refused once is no failure: the client tries again with the one that came with it.
arm('bad-nonce', '--on', 'newOrder', '--times', 1);
($status, $said) = obtain();
is($status, 0, 'bad-nonce, once: the client tries again') or diag($said);
is(fired('bad-nonce'), 1, '  once');
fakeca('disarm', 'bad-nonce', '--state', home());

# Certificates that are wrong in themselves come as if nothing were.
sub issued ($fault, @how) {
    arm($fault, @how);
    my ($code, $text) = obtain();
    is($code, 0, "$fault @how: the client sees nothing wrong");
    fakeca('disarm', $fault, '--state', home());
    return spill("$dir/wrong.pem", $text =~ s/.*?(?=-----BEGIN)//sr);
}
my $public = `openssl pkey -in $dir/shop.key -pubout`;
my $file = issued('wrong-key');
isnt(scalar `openssl x509 -in $file -noout -pubkey`, $public, 'but the key is another one');
$file = issued('broken-chain', '--chain', 'expired-leaf');
isnt(system("openssl x509 -in $file -noout -checkend 0 >/dev/null"), 0, 'but the certificate is expired');
is(scalar `openssl x509 -in $file -noout -pubkey`, $public, 'for the right key');
$file = issued('broken-chain', '--chain', 'without-intermediate');
is(scalar(() = slurp($file) =~ /BEGIN/g), 1, 'but the leaf comes alone');

# --- killed at any moment -------------------------------------------------------------------------

sub known () { return scalar @{decode_json(fakeca('certificates', '--state', home()))->{certificates}} }

my $told = 0;
for my $try (1 .. 12) {
    my $before = known();
    my $client = fork // die "fork: $!";
    if ($client == 0) {
        open STDOUT, '>', "$dir/out.$try" or die;
        open STDERR, '>', "$dir/err.$try" or die;
        local $ENV{SSL_CERT_FILE} = $ca->{https_root};
        exec client() or die;
    }
    select undef, undef, undef, 0.1 * $try;    # the moment of the kill; nothing waits for it
    is(stop($ca->{child}, 'KILL'), 'signal 9', 'killed');
    waitpid $client, 0;
    my $obtained = slurp("$dir/out.$try") =~ /BEGIN CERTIFICATE/;
    $told += $obtained;
    $ca = serve(@ports);
    cmp_ok(known(), '>=', $before + ($obtained ? 1 : 0), 'whatever a client was told is known');
}
($status, $said) = obtain();
is($status, 0, 'and the client goes on with its account') or diag($said);
is(accounts(), 1, 'which is still the same');

# --- accounts that are forgotten for good, not denied as long as a fault is armed ------------------

sub accounts () { return scalar @{decode_json(fakeca('accounts', '--state', home()))->{accounts}} }

is(decode_json(fakeca('forget-accounts', '--state', home()))->{forgotten}, 1, 'the account is forgotten');
is(accounts(), 0, 'so that there is none');
($status, $said) = obtain();
is($status, 0, 'a client that always asks for an account gets a new one') or diag($said);
is(accounts(), 1, 'which is there');

# --- a token that is a path -----------------------------------------------------------------------

spill("$dir/dehydrated.conf", <<"END");
CA=$ca->{directory}
CURL_OPTS="--cacert $ca->{https_root}"
WELLKNOWN=$challenges
BASEDIR=$dir
END
my @dehydrated = ('dehydrated', '-f', "$dir/dehydrated.conf");
run({}, @dehydrated, '--register', '--accept-terms');
my $climbed = spill("$dir/www/climbed", 'what was there');
arm('token-climbs', '--on', 'authz');
isnt((obtain())[0], 0, 'a token that is a path: nothing is obtained');
is(slurp($climbed), 'what was there', '  and acme-tiny takes it for no path');
isnt((run({}, @dehydrated, '-c', '-d', 'shop.test'))[0], 0, '  nor by dehydrated');
ok(!-e $climbed, '  which writes where it leads, and removes what was there');
fakeca('disarm', 'token-climbs', '--state', home());

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
