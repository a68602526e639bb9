#!/usr/bin/perl
# The kinds of target: the user's own nginx.conf, any command, and a server elsewhere.
use strict;
use warnings;
use FindBin;
use JSON::PP;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

sub play {
    my ($target) = @_;
    return scenario(<<"PLAY");
scenario "A leaf expires and is renewed"
local house   = ca      { root = "10y" }
local shop    = target  { $target }
local renewal = renewal { of = shop, from = house, when_left = "30d", every = "100ms" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop }
steady "all is well"
fleet:expect { success = "100%", during = "300ms" }
inject "renewal stops, and the leaf runs out"
renewal:stop()
clock:jump "91d"
fleet:expect { outcome = "expired", within = "5s" }
recover "renewal starts again"
renewal:start()
fleet:expect { success = "100%", within = "10s" }
PLAY
}

my $certificate = 'name = "shop.test", certificate = house:issue {}';

# A server of another making, reloaded by being replaced: openssl s_server behind a shell.
my $server = "$DIR/server";
open my $file, '>', $server or die;
print $file <<'SERVER';
#!/bin/sh
# s_server reads its files once, so SIGHUP starts another
address=$1 chain=$2 key=$3
start() { openssl s_server -accept "$address" -cert_chain "$chain" -cert "$chain" -key "$key" -quiet -www & child=$!; }
trap 'kill $child; wait $child; start' HUP
trap 'kill $child; exit 0' TERM
start
while :; do wait $child; done
SERVER
close $file;
chmod 0755, $server;

my ($status, $out, $err) = rehearse('run', '--state', "$DIR/command", play(
    qq{"command", $certificate, start = "$server {address} {chain} {key}", reload = "HUP"}));
is $status, 0, 'any command can be a target' or diag "$out\n$err";
like $out, qr/cannot be proven: it answers without an HTTP Date/, 'and is asked for its clock in a way that it answers';
ok gone("$DIR/command"), 'and does not outlive the play';

# Programs that nothing can be preloaded into are on the calendar all the same.
my %made = (
    'a static program' => sub {
        return system("cc -static -O1 -o $DIR/https '$FindBin::Bin/programs/https.c' -lssl -lcrypto 2>$DIR/log") == 0;
    },
    'a program in Go' => sub {
        local %ENV = (%ENV, CGO_ENABLED => 0, GOCACHE => "$DIR/gocache", GO111MODULE => 'off');
        return system("go build -o $DIR/https '$FindBin::Bin/programs/https.go' 2>$DIR/log") == 0;
    },
);
for my $name (sort keys %made) {
  SKIP: {
        skip "$name: REHEARSE_LONG is not set", 3 if $name =~ /Go/ && !$ENV{REHEARSE_LONG};
        ok $made{$name}->(), "$name is built" or diag `cat $DIR/log`;
        my ($status, $out, $err) = rehearse('run', '--state', "$DIR/command", play(
            qq{"command", $certificate, start = "$DIR/https {address} {chain} {key}", reload = "HUP"}));
        is $status, 0, "$name can be a target" or diag "$out\n$err";
        unlike $out, qr/cannot be proven/, 'and proves its clock';
    }
}

# A server that is taken off the calendar: its own clock gives it away, and the play proves nothing.
my $off = "$DIR/off-the-calendar";
open $file, '>', $off or die;
print $file <<"SERVER";
#!/bin/sh
printf '{"listen":"%s","hosts":[{"name":"shop.test","chain":"%s","key":"%s"}]}' "\$1" "\$2" "\$3" >off.json
'$BUILD/target-builtin' --config off.json >said & until grep -q listening said; do sleep 0.01; done
'$BUILD/fakeclock' detach \$! && wait
SERVER
close $file;
chmod 0755, $off;
($status, $out, $err) = rehearse('run', '--state', "$DIR/command", play(
    qq{"command", $certificate, start = "$off {address} {chain} {key}", reload = "HUP"}));
is $status, 6, 'a target that is not on the calendar is no pass' or diag "$out\n$err";
like $out, qr/target shop\.test \(command\) does not live on the calendar: it reads/, 'and is told';

# What a server reads from variables comes before its name, as in a shell.
($status, $out, $err) = rehearse('run', '--state', "$DIR/command", play(qq{"command", $certificate, start = }
    . qq{"AT={address} CHAIN={chain} KEY={key} sh -c 'exec $server \$AT \$CHAIN \$KEY'", reload = "HUP"}));
is $status, 0, 'a command may have variables' or diag "$out\n$err";

# The same beside the scenario, in directories with spaces: the programs, the scenario, and TMPDIR.  What cannot be
# preloaded, for it has a colon, too, can be where TMPDIR has neither.
my $spaced = "$DIR/with space";
mkdir $spaced;
system('cp', $server, "$spaced/server");
for (['a space', 'build', $spaced, 0], ['a colon', 'a:b', $DIR, 0], ['both', 'a:b', $spaced, 6]) {
    my ($what, $folder, $temporary, $expected) = @$_;
    system('sh', '-c', 'mkdir -p "$1" && cp "$2"/client-* "$2"/rehearse "$2"/stage-init "$2"/fake* "$2"/*.so "$1"',
        'sh', "$spaced/$folder", $BUILD) == 0 or die;
    local ($Rehearse::DIR, $Rehearse::BUILD, $ENV{TMPDIR}) = ($spaced, "$spaced/$folder", $temporary);
    my $beside = play(qq{"command", $certificate, start = "./server {address} {chain} {key}", reload = "HUP"});
    ($status, $out, $err) = rehearse('run', $beside);
    is $status, $expected, "its files are beside the scenario, and paths may hold $what" or diag "$out\n$err";
}
like $out, qr{with space/a:b/libfakeclock.so: cannot be preloaded; expected a path without colons and semicolons, or},
    '  except where nothing can be preloaded';

($status, $out, $err) = rehearse('run', '--state', "$DIR/command", play(qq{"command", $certificate}));
is $status, 2, 'a command without a start is a mistake';
like $err, qr/'start' is missing/, 'and is told';

($status, $out, $err) = rehearse('run', '--state', "$DIR/command", play(
    qq{"command", $certificate, start = "exec false"}));
is $status, 6, 'a command that does not come up is a matter of the environment' or diag "$out\n$err";
like $out, qr/did not start listening/, 'and is told';

# What a server cannot be is told before anything starts; and so is a server that is not here.
my $caddy = qq{"caddy", $certificate};
($status, $out, $err) = rehearse('run', play(qq{$caddy, min_version = "1.1"}));
is $status, 2, 'a configuration that a server does not know is a mistake';
like $err, qr/min_version: caddy has no '1\.1'; .*1\.2/, 'and is told';
($status, $out, $err) = rehearse('run', play(qq{$caddy, ciphers = "ECDHE-ECDSA-AES256-GCM-SHA348"}));
like $err, qr/did you mean 'ECDHE-ECDSA-AES256-GCM-SHA384'\?/, 'with what it could have been';
($status, $out, $err) = rehearse('run', play(qq{$caddy, client_ca = house, client_crl = house}));
like $err, qr/client_crl: caddy looks at no revocation lists/, 'nor is what a server cannot do passed over';
($status, $out, $err) = rehearse('run', play(qq{"nginx", $certificate, client_ca = house}));
like $err, qr/client_ca: nginx refuses clients in HTTP \(400\), after a handshake that succeeds/,
    'nor what no handshake shows';
{
    local $ENV{PATH} = '/nowhere';
    my $needs = play($caddy);
    for my $verb ('run', 'validate') {
        ($status, $out, $err) = rehearse($verb, $verb eq 'run' ? ('--state', "$DIR/never") : (), $needs);
        is $status, 6, "$verb: a server that is not installed is a matter of the environment";
        is $err, "rehearse: $needs:3: target shop.test needs caddy, Debian package caddy\n", '  told in one line';
        is $out, '', '  and nothing was begun';
    }
    ok !-e "$DIR/never", '  nor started';
    ($status, $out, $err) = rehearse('validate', scenario(<<'PLAY'));
scenario "A play"
local house = ca {}
house:serve {}
local shop = target { "builtin", name = "shop.test", certificate = house:issue {} }
renewal { of = shop, from = house, client = "dehydrated" }
steady "all is well"
shop:expect { cold_start = "works" }
PLAY
    is $status, 6, 'the same of an ACME client';
    like $err, qr/:5: renewal needs dehydrated, Debian package dehydrated\n.*:5: renewal needs busybox, Debian package/,
        '  and of all that it needs';
    ($status, $out, $err) = rehearse('list', $needs);
    is $status, 0, 'what is there can be listed all the same' or diag $err;
}

# A server elsewhere: here it is another target, on the machine's own loopback.
my $bundle = "$DIR/bundle";
system("'$BUILD/fakeca' init --state $DIR/ca >/dev/null") == 0 or die;
system("'$BUILD/fakeca' issue --state $DIR/ca --out $bundle --name shop.test >/dev/null") == 0 or die;
open $file, '>', "$DIR/far.json" or die;
print $file qq({"listen":"127.0.0.1:0","hosts":[{"name":"shop.test",)
    . qq("chain":"$bundle/chain.pem","key":"$bundle/key.pem"}]});
close $file;
my $pid = open my $far, '-|', "$BUILD/target-builtin", '--config', "$DIR/far.json" or die;
my ($address) = readline($far) =~ /"address":\s*"([^"]+)"/;
my $external = scenario(<<"PLAY");
scenario "What works today against a server elsewhere"
local far   = target  { "external", name = "shop.test", address = "$address" }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = far, trust_file = "$bundle/trust.pem" }
steady "every client gets in"
fleet:expect { success = "100%", during = "300ms" }
inject "it is ninety days later for these clients"
fleet:set { skew = "91d" }
fleet:expect { outcome = "expired", within = "5s" }
PLAY
($status, $out, $err) = rehearse('run', '--allow', '127.0.0.1', $external);
is $status, 0, 'a server elsewhere, where it is allowed' or diag "$out\n$err";
($status, $out, $err) = rehearse('run', $external);
is $status, 4, 'is left alone where it is not';
like $err, qr/--allow 127\.0\.0\.1 would allow it/, 'and the way is told';
kill 'TERM', $pid;
close $far;

# The main process is killed, and its workers may be left and hold its port: a restart copes with that.
sub main_process {
    my ($state, $program) = @_;
    my %parent;
    for my $proc (map { /^(\S+):/ } survivors($state)) {
        next if (readlink("$proc/exe") // '') !~ m{/\Q$program\E$};
        my $status = do { local (@ARGV, $/) = "$proc/status"; <> };
        my ($pid) = $proc =~ /(\d+)/;
        ($parent{$pid}) = $status =~ /^PPid:\s+(\d+)/m;
    }
    return grep { !exists $parent{ $parent{$_} } } keys %parent;
}

for my $server ([builtin => 'target-builtin'], [nginx => 'nginx'], [apache => 'apache2'], [caddy => 'caddy'],
    [haproxy => 'haproxy']) {
    my ($kind, $program) = @$server;
    my $run = start('run', '--state', "$DIR/killed", '--target', $kind, scenario(<<"PLAY"));
scenario "A server is killed and started again"
local house = ca      {}
local shop  = target  { "builtin", "nginx", "apache", "caddy", "haproxy", $certificate }
local fleet = clients { "openssl", to = shop }
steady "all is well"
fleet:expect { success = "100%", during = "300ms" }
inject "it is killed"
fleet:expect { outcome = { "ok", "refused", "reset", "closed" }, during = "1s" }
recover "it is started again"
shop:restart()
fleet:expect { success = "100%", within = "5s" }
PLAY
    my ($out, @killed) = ('');
    while (my $line = readline $run->{out}) {
        $out .= $line;
        next if $line !~ /^ok 1 /;
        @killed = main_process("$DIR/killed", $program);
        kill 'KILL', @killed;
    }
    waitpid $run->{pid}, 0;
    is scalar @killed, 1, "the main process of $kind is killed";
    is $? >> 8, 0, 'a restart puts another in its place' or diag $out;
}

SKIP: {
    skip 'nginx is not installed', 15 unless -x '/usr/sbin/nginx';
    open $file, '>', "$DIR/nginx.conf" or die;
    print $file <<'CONF';
user nobody;
worker_processes auto;
pid /run/nginx.pid;
include modules-enabled/*.conf;
events { worker_connections 768; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1.2 TLSv1.3;
    access_log /var/log/nginx/access.log;
    error_log /var/log/nginx/error.log;
    server { listen 80 default_server; return 301 https://$host$request_uri; }
    server {
        listen 443 ssl http2;
        listen [::]:443 ssl http2;
        server_name shop.test www.shop.test;
        ssl_certificate /etc/letsencrypt/live/shop.test/fullchain.pem;
        ssl_certificate_key /etc/letsencrypt/live/shop.test/privkey.pem;
        add_header Strict-Transport-Security "max-age=63072000" always;
        location / { root /var/www/html; index index.html; }
    }
}
CONF
    close $file;
    my $own = play(qq{"nginx", $certificate});
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/own", '--config', "$DIR/nginx.conf", $own);
    is $status, 0, 'your own nginx.conf is rehearsed' or diag "$out\n$err";
    my ($conf) = glob "$DIR/own/01-*/target-1/nginx.conf";
    my $text = do { local (@ARGV, $/) = ($conf); <> };
    like $text, qr/Strict-Transport-Security "max-age=63072000" always;/, 'what you configured is in it';
    unlike $text, qr{/etc/letsencrypt|/var/log/nginx}, 'your certificates and logs are not';
    like $out, qr/^# left out of .*nginx\.conf: access_log, error_log, pid, server on 80, user$/m,
        'and what is left out is told';

    # an old worker still accepts, with the old certificate, until it says that it shuts down
    my (%accepts, %old, $reloads, $early);
    for my $said (map { decode_json($_) } do { local @ARGV = "$DIR/own/journal.jsonl"; <> }) {
        my $words = $said->{text} // '';
        $accepts{$1} = 1 if $words =~ /start worker process (\d+)/;
        delete $accepts{$1}, delete $old{$1} if $words =~ /(\d+)#\d+: gracefully shutting down/;
        %old = %accepts if $words =~ /: reconfiguring/;
        $reloads++, $early += %old ? 1 : 0 if $said->{kind} eq 'reload';
    }
    cmp_ok $reloads, '>=', 1, 'it was reloaded';
    is $early, 0, 'which is done when no old worker accepts any more';
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/own", '--config', "$DIR/nowhere.conf", $own);
    is $status, 2, 'a configuration that is not there';
    like $err, qr/--config: .*nowhere\.conf: cannot open: No such file/, 'is told before anything starts';
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/own", '--config', '/dev/urandom', $own);
    is $status, 2, 'nor is one without an end';
    like $err, qr{--config: /dev/urandom: not a regular file$}, 'which is not read at all';

    # what clients are told in HTTP alone is no verdict of theirs, and the report says so
    unlike $out, qr/ssl_verify_client/, 'nothing is said of client certificates where none are asked for';
    (my $asks = do { local (@ARGV, $/) = ("$DIR/nginx.conf"); <> })
        =~ s{listen 443 ssl http2;}{$& ssl_client_certificate $bundle/trust.pem; ssl_verify_client  on;};
    open $file, '>', "$DIR/asks.conf" or die;
    print $file $asks;
    close $file;
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/own", '--config', "$DIR/asks.conf", $own);
    like $out, qr/^# \S+asks\.conf: whom ssl_verify_client turns away is told in HTTP \(400\), and counts as ok/m,
        'a configuration that asks for client certificates';

    # nginx reads another file than the user wrote, and is not to be quoted with the lines of that one
    mkdir "$DIR/sites" or die;
    open $file, '>', "$DIR/sites/odd.conf" or die;
    print $file "# a limit\n\nclient_max_boody_size 1m;\n";
    close $file;
    (my $odd = do { local (@ARGV, $/) = ("$DIR/nginx.conf"); <> }) =~ s{http \{}{$&\n    include sites/*.conf;};
    open $file, '>', "$DIR/odd.conf" or die;
    print $file $odd;
    close $file;
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/own", '--config', "$DIR/odd.conf", $own);
    is $status, 6, 'a directive that nginx does not know';
    like $out, qr{did not start: unknown directive "client_max_boody_size" in \S+/sites/odd\.conf:3$}m,
        'is told once, with the place where the user has it';

    # the user's own limits are what is rehearsed
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/own", '--config', "$DIR/nginx.conf", scenario(<<'PLAY'));
scenario "Who gets in with this configuration?"
local house = ca      { root = "10y" }
local shop  = target  { "nginx", name = "shop.test", certificate = house:issue {} }
local old   = clients { "gnutls", to = shop, min_version = "1.0", max_version = "1.1" }
steady "TLS 1.1 does not"
old:expect { outcome = "protocol-version", within = "5s" }
PLAY
    is $status, 0, 'its protocols decide who gets in' or diag "$out\n$err";

    system("mkdir -p $DIR/broken && printf '#!/bin/sh\necho out of order >&2; exit 1\n' >$DIR/broken/nginx"
        . " && chmod +x $DIR/broken/nginx") == 0 or die;
    local $ENV{PATH} = "$DIR/broken:$ENV{PATH}";
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/own", $own);
    is $status, 6, 'an nginx that does not start';
    like $out, qr/did not start: .*out of order/, 'is told with its own words';
}

done_testing;
