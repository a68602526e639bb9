#!/usr/bin/perl
# Real ACME clients, with their stock flags, obtain a certificate and renew it.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Fakeca qw(dir slurp spill);
use Serve qw(serve stop web free_port home have run);
use Test::More;

my $dir = dir();
my $www = "$dir/www";
my $challenges = "$www/.well-known/acme-challenge";
mkdir $_ for $www, "$www/.well-known", $challenges;

# Two authorities' worth of ports: clients with a listener of their own bring it on $own.
my ($files, $own, $own_tls) = (web($www), free_port(), free_port());
my $for_files = serve('--validate-http-port', $files);
my $ca = $for_files->{https_root};

sub serial ($file) { return `openssl x509 -in $file -noout -serial` }

sub verifies ($file) {
    return system("openssl verify -CAfile $for_files->{roots}[0] -untrusted $file $file >/dev/null 2>&1") == 0;
}

# Obtains twice, and looks at what stands in `file` both times.
sub obtains_and_renews ($client, $file, $obtain, $renew = $obtain) {
    SKIP: {
        skip "$client is not installed", 2 if !have($client);
        my ($status, $said) = $obtain->();
        ok($status eq '0' && verifies($file), "$client obtains a certificate") or diag($said);
        my $before = serial($file);
        ($status, $said) = $renew->();
        ok($status eq '0' && verifies($file) && serial($file) ne $before, "$client renews it") or diag($said);
    }
}

# --- acme-tiny ------------------------------------------------------------------------------------

sub acme_tiny () {
    my ($status, $said) = run({SSL_CERT_FILE => $ca}, 'acme-tiny', '--account-key', "$dir/account.key",
        '--csr', "$dir/tiny.csr", '--acme-dir', $challenges, '--disable-check',
        '--directory-url', $for_files->{directory});
    spill("$dir/tiny.pem", $said =~ s/.*?(?=-----BEGIN)//sr);
    return ($status, $said);
}
system("openssl genrsa -out $dir/account.key 2048 2>/dev/null");
system("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $dir/tiny.key -subj / "
    . "-addext subjectAltName=DNS:shop.test,DNS:www.shop.test -out $dir/tiny.csr 2>/dev/null");
obtains_and_renews('acme-tiny', "$dir/tiny.pem", \&acme_tiny);

# --- dehydrated -----------------------------------------------------------------------------------

mkdir "$dir/dehydrated";
spill("$dir/dehydrated/config", <<"END");
CA=$for_files->{directory}
CURL_OPTS="--cacert $ca"
WELLKNOWN=$challenges
BASEDIR=$dir/dehydrated
CONTACT_EMAIL=admin\@shop.test
END
my @dehydrated = ('dehydrated', '-f', "$dir/dehydrated/config");
run({}, @dehydrated, '--register', '--accept-terms') if have('dehydrated');
obtains_and_renews('dehydrated', "$dir/dehydrated/certs/shop.test/fullchain.pem",
    sub { return run({}, @dehydrated, '-c', '-d', 'shop.test') },
    sub { return run({}, @dehydrated, '-c', '-x', '-d', 'shop.test') });

# --- uacme: its 1.7 takes no bundle, so that a mount namespace gives it one -----------------------

spill("$dir/hook", <<"END");
#!/bin/sh
[ "\$2" = http-01 ] || exit 1
case \$1 in
begin) printf %s "\$5" >$challenges/\$4 ;;
*) rm -f $challenges/\$4 ;;
esac
END
chmod 0755, "$dir/hook";

sub uacme (@arguments) {
    my $bundle = '/etc/ssl/certs/ca-certificates.crt';
    return run({}, 'unshare', '-m', 'sh', '-c', 'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh', $ca, $bundle,
        'uacme', '-y', '-a', $for_files->{directory}, '-c', "$dir/uacme", @arguments);
}
SKIP: {
    skip 'uacme needs a mount namespace, which takes root', 2
        if $> != 0 || !-e '/etc/ssl/certs/ca-certificates.crt';
    uacme('new', 'admin@shop.test') if have('uacme');
    obtains_and_renews('uacme', "$dir/uacme/shop.test/cert.pem",
        sub { return uacme('-h', "$dir/hook", 'issue', 'shop.test') },
        sub { return uacme('-f', '-h', "$dir/hook", 'issue', 'shop.test') });
}

# --- those with a listener of their own, at the same authority after a restart --------------------

is(stop($for_files->{child}), 0, 'SIGTERM ends it cleanly');
my $for_own = serve('--validate-http-port', $own, '--validate-tls-port', $own_tls);

my @certbot = ('certbot', '--config-dir', "$dir/certbot", '--work-dir', "$dir/certbot", '--logs-dir', "$dir/certbot",
    '-n', '--server', $for_own->{directory});
my @standalone = ('--standalone', '--http-01-address', '127.0.0.1', '--http-01-port', $own);
obtains_and_renews('certbot', "$dir/certbot/live/shop.test/fullchain.pem",
    sub { return run({REQUESTS_CA_BUNDLE => $ca}, @certbot, 'certonly', @standalone, '--agree-tos',
        '-m', 'admin@shop.test', '-d', 'shop.test') },
    sub { return run({REQUESTS_CA_BUNDLE => $ca}, @certbot, 'renew', '--force-renewal',
        '--no-random-sleep-on-renew') });

for my $way (['http', '--http', '--http.port', "127.0.0.1:$own"],
             ['tls', '--tls', '--tls.port', "127.0.0.1:$own_tls"]) {
    my ($name, @how) = @$way;
    my @lego = ('lego', '--server', $for_own->{directory}, '--accept-tos', '--email', 'admin@shop.test',
        '--domains', 'shop.test', '--path', "$dir/lego-$name", @how);
    obtains_and_renews('lego', "$dir/lego-$name/certificates/shop.test.crt",
        sub { return run({LEGO_CA_CERTIFICATES => $ca}, @lego, 'run') },
        sub { return run({LEGO_CA_CERTIFICATES => $ca}, @lego, 'renew', '--days', '1000', '--no-random-sleep') });
}

is(stop($for_own->{child}), 0, 'and again');
is(slurp("$dir/serve.err"), '', 'it never complained');
done_testing;
