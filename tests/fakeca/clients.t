#!/usr/bin/perl
# Real ACME clients, with their stock flags, obtain a certificate from one `fakeca serve` and renew it.
#
# A certificate lasts ten minutes and was good for an hour before: it is in the last third of its life
# at once, so that every client renews as soon as it looks, and none has to be forced to.
# With names of clients as arguments: only those.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/..";
use Fakeca qw(dir slurp spill);
use Port qw(free_port);
use Serve qw(serve stop start web close_web home have run);
use Test::More;

my $dir = dir();
my $www = "$dir/www";
my $challenges = "$www/.well-known/acme-challenge";
mkdir $_ for $www, "$www/.well-known", $challenges;
chmod 0711, $dir;    # Apache's children are not root

# Everybody answers http-01 on one port, one after the other, or tls-alpn-01 on another one.
my ($port, $tls_port) = (web($www), free_port());
my $ca = serve('--validate-http-port', $port, '--validate-tls-port', $tls_port, '--profile', 'classic=70m');
my ($directory, $root) = @$ca{qw(directory https_root)};
my $patience = 120;    # seconds, for those that act by themselves

# --- those that put a file where a web server finds it --------------------------------------------

sub acme_tiny () {
    my $csr = "$dir/tiny.csr";
    system("openssl genrsa -out $dir/account.key 2048 2>/dev/null") if !-e "$dir/account.key";
    system("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $dir/tiny.key -subj / "
        . "-addext subjectAltName=DNS:shop.test,DNS:www.shop.test -out $csr 2>/dev/null") if !-e $csr;
    my ($status, $said) = run({SSL_CERT_FILE => $root}, 'acme-tiny', '--account-key', "$dir/account.key",
        '--csr', $csr, '--acme-dir', $challenges, '--disable-check', '--directory-url', $directory);
    spill("$dir/tiny.pem", $said =~ s/.*?(?=-----BEGIN)//sr);
    return ($status, $said);
}

sub dehydrated () {
    my @command = ('dehydrated', '-f', "$dir/dehydrated/config");
    if (mkdir "$dir/dehydrated") {
        spill("$dir/dehydrated/config", <<"END");
CA=$directory
CURL_OPTS="--cacert $root"
WELLKNOWN=$challenges
BASEDIR=$dir/dehydrated
CONTACT_EMAIL=admin\@shop.test
END
        run({}, @command, '--register', '--accept-terms');
    }
    return run({}, @command, '-c', '-d', 'shop.test');
}

# Its 1.7 takes no bundle, so that a mount namespace gives it one.
sub uacme () {
    my $bundle = '/etc/ssl/certs/ca-certificates.crt';
    my @command = ('unshare', '-m', 'sh', '-c', 'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh', $root, $bundle,
        'uacme', '-y', '-a', $directory, '-c', "$dir/uacme");
    if (!-e "$dir/hook") {
        spill("$dir/hook", <<"END");
#!/bin/sh
[ "\$2" = http-01 ] || exit 1
case \$1 in
begin) printf %s "\$5" >$challenges/\$4 ;;
*) rm -f $challenges/\$4 ;;
esac
END
        chmod 0755, "$dir/hook";
        run({}, @command, 'new', 'admin@shop.test');
    }
    return run({}, @command, '-h', "$dir/hook", 'issue', 'shop.test');
}

# --- those that listen for as long as it takes ----------------------------------------------------

my @certbot = ('certbot', '--config-dir', "$dir/certbot", '--work-dir', "$dir/certbot", '--logs-dir', "$dir/certbot",
    '-n', '--server', $directory);

sub certbot_obtains () {
    return run({REQUESTS_CA_BUNDLE => $root}, @certbot, 'certonly', '--standalone', '--http-01-address', '127.0.0.1',
        '--http-01-port', $port, '--agree-tos', '-m', 'admin@shop.test', '-d', 'shop.test');
}
sub certbot_renews () {
    return run({REQUESTS_CA_BUNDLE => $root}, @certbot, 'renew', '--no-random-sleep-on-renew');
}

sub lego ($name, $how, @verb) {
    return run({LEGO_CA_CERTIFICATES => $root}, 'lego', '--server', $directory, '--accept-tos', '--email',
        'admin@shop.test', '--domains', 'shop.test', '--path', "$dir/lego-$name", @$how, @verb);
}
my @lego_http = ('http', ['--http', '--http.port', "127.0.0.1:$port"]);
my @lego_tls = ('tls', ['--tls', '--tls.port', "127.0.0.1:$tls_port"]);

# --- servers that look after themselves -----------------------------------------------------------

# Waits until it comes true: what was said, or nothing in all that time.
sub comes_true ($what, $log) {
    for (1 .. $patience * 20) {
        return (0, '') if $what->();
        select undef, undef, undef, .05;
    }
    return ('too late', -e $log ? slurp($log) : '');
}

sub serial ($file) { return -e $file ? `openssl x509 -in $file -noout -serial 2>/dev/null` : '' }

my ($running, $first);    # the server that is under test, and its first certificate
END { local $?; stop($running) if $running }    # with TERM, or its children would go on

sub caddy_obtains () {
    mkdir "$dir/caddy";
    spill("$dir/caddy/Caddyfile", <<"END");
{
	admin off
	auto_https disable_redirects
	skip_install_trust
	storage file_system "$dir/caddy"
	email admin\@shop.test
	acme_ca $directory
	acme_ca_root "$root"
	http_port $port
	https_port $tls_port
	renew_interval 1s
}
shop.test {
	bind 127.0.0.1
	respond "rehearsal"
}
END
    $running = start({HOME => "$dir/caddy", XDG_CONFIG_HOME => "$dir/caddy", XDG_DATA_HOME => "$dir/caddy"},
        "$dir/caddy.log", 'caddy', 'run', '--config', "$dir/caddy/Caddyfile", '--adapter', 'caddyfile');
    return served_anew('');
}

my $apache_dir = "$dir/apache";
sub apache_obtains () {
    mkdir $apache_dir;
    spill("$apache_dir/root.pem", slurp($root));    # www-data reads it, at each request
    my $modules = join "\n", map { "LoadModule ${_}_module /usr/lib/apache2/modules/mod_$_.so" }
        qw(mpm_event authz_core socache_shmcb ssl md);
    spill("$apache_dir/httpd.conf", <<"END");
ServerRoot "$apache_dir"
ServerName shop.test
PidFile "$apache_dir/pid"
DefaultRuntimeDir "$apache_dir"
ErrorLog "$dir/apache.log"
LogLevel notice
@{[$> == 0 ? "User www-data\nGroup www-data" : '']}
$modules
Listen 127.0.0.1:$port
Listen 127.0.0.1:$tls_port
MDStoreDir "$apache_dir/md"
MDCertificateAuthority $directory
MDCACertificateFile "$apache_dir/root.pem"
MDCertificateAgreement accepted
MDContactEmail admin\@shop.test
MDPortMap http:$port https:$tls_port
MDCheckInterval 1s
MDomain shop.test
<VirtualHost 127.0.0.1:$port>
    ServerName shop.test
</VirtualHost>
<VirtualHost 127.0.0.1:$tls_port>
    ServerName shop.test
    SSLEngine on
</VirtualHost>
END
    $running = start({}, "$dir/apache.log", 'apache2', '-f', "$apache_dir/httpd.conf", '-D', 'FOREGROUND');
    return apache_goes_on();
}

# What mod_md has obtained waits for a graceful restart, which its manual leaves to the administrator.
my $obtained = 0;
sub apache_goes_on () {
    my $before = served();
    my ($status, $said) = comes_true(sub {
        my $so_far = () = (-e "$dir/apache.log" ? slurp("$dir/apache.log") : '') =~ /will be activated on next/g;
        return $so_far > $obtained;
    }, "$dir/apache.log");
    return ($status, $said) if $status;
    $obtained++;
    kill 'USR1', $running;
    return served_anew($before);
}

# The certificate that the server under test shows, in `served.pem`; its serial number.
sub served () {
    my $shown = `openssl s_client -connect 127.0.0.1:$tls_port -servername shop.test -showcerts </dev/null 2>/dev/null`;
    my @chain = $shown =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)/gs;
    return '' if !@chain;
    spill("$dir/served.pem", join '', @chain);
    return verifies("$dir/served.pem") ? serial("$dir/served.pem") : '';
}

sub served_anew ($before) {
    return comes_true(sub { my $is = served(); return $is ne '' && $is ne $before }, "$dir/serve.err");
}

# --- all of them ----------------------------------------------------------------------------------

sub verifies ($file) {
    return system("openssl verify -CAfile $ca->{roots}[0] -untrusted $file $file >/dev/null 2>&1") == 0;
}

# name, program, where its certificate is, how it obtains, how it renews (the same where there is
# one command for both); `files`: a web server answers for it; `daemon`: it goes on until it is stopped
my @clients = (
    {name => 'acme-tiny', file => "$dir/tiny.pem", obtains => \&acme_tiny, files => 1},
    {name => 'dehydrated', file => "$dir/dehydrated/certs/shop.test/fullchain.pem", obtains => \&dehydrated, files => 1},
    {name => 'uacme', file => "$dir/uacme/shop.test/cert.pem", obtains => \&uacme, files => 1,
        cannot => $> != 0 && 'uacme needs a mount namespace, which takes root'},
    {name => 'certbot', file => "$dir/certbot/live/shop.test/fullchain.pem",
        obtains => \&certbot_obtains, renews => \&certbot_renews},
    {name => 'lego', how => 'http-01', file => "$dir/lego-http/certificates/shop.test.crt",
        obtains => sub { return lego(@lego_http, 'run') },
        renews => sub { return lego(@lego_http, 'renew', '--no-random-sleep') }},
    {name => 'lego', how => 'tls-alpn-01', file => "$dir/lego-tls/certificates/shop.test.crt",
        obtains => sub { return lego(@lego_tls, 'run') },
        renews => sub { return lego(@lego_tls, 'renew', '--no-random-sleep') }},
    {name => 'caddy', file => "$dir/served.pem", obtains => \&caddy_obtains,
        renews => sub { return served_anew($first) }, daemon => 1},
    {name => 'apache2', how => 'mod_md', file => "$dir/served.pem", obtains => \&apache_obtains,
        renews => \&apache_goes_on, daemon => 1},
);

my %wanted = map { $_ => 1 } @ARGV;
my @todo = grep { !%wanted || $wanted{$_->{name}} } @clients;

my $closed = 0;    # the web server is, and leaves its port to those that listen themselves
for my $client (@todo) {
    my ($name, $file) = ($client->{name} . ($client->{how} ? " ($client->{how})" : ''), $client->{file});
    SKIP: {
        skip $client->{cannot}, 2 if $client->{cannot};
        close_web($port) if !$client->{files} && !$closed++;
        my ($status, $said) = $client->{obtains}->();
        ok($status eq '0' && verifies($file), "$name obtains a certificate") or diag("$status: $said");
        $first = serial($file);
        ($status, $said) = ($client->{renews} // $client->{obtains})->();
        ok($status eq '0' && verifies($file) && serial($file) ne $first, "$name renews it") or diag("$status: $said");
        stop($running) if $client->{daemon};
        undef $running;
    }
}

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'it never complained');
done_testing;
