#!/usr/bin/perl
# An nginx that was started on real time, with TLS and under load, is put on a clock, moved and taken off again and
# again, its workers as www-data: not one handshake fails.  12,000 of them where REHEARSE_LONG is set.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/..";
use File::Temp qw(tempdir);
use IO::Socket::INET ();
use IPC::Open2 qw(open2);
use JSON::PP qw(decode_json);
use Port qw(free_port);
use Runtime qw($build fake);
use Test::More;

my ($nginx) = grep { -x } '/usr/sbin/nginx', '/usr/bin/nginx' or plan skip_all => 'nginx is not installed';
my ($cycles, $requests) = $ENV{REHEARSE_LONG} ? (40, 12_000) : (4, 600);
my $dir = tempdir('attached.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
chmod 0755, $dir;
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=shop.test "
    . "-keyout $dir/key.pem -out $dir/chain.pem -days 3650 2>/dev/null") == 0 or BAIL_OUT('no certificate');

my $address = '127.0.0.1:' . free_port();
open my $conf, '>', "$dir/nginx.conf" or die $!;
print {$conf} $> == 0 ? "user www-data;\n" : '', <<"END";
worker_processes 2;
worker_rlimit_nofile 9000;
pid $dir/pid;
error_log $dir/error.log;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    server { listen $address ssl; ssl_certificate $dir/chain.pem; ssl_certificate_key $dir/key.pem; return 204; }
}
END
close $conf;

my $master = fork // die $!;
exec $nginx, '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf", '-g', 'daemon off;' if $master == 0;
END { if ($master) { my $status = $?; kill 'TERM', $master; waitpid $master, 0; $? = $status } }
for (1 .. 2000) {
    last if IO::Socket::INET->new(PeerAddr => $address);
    select undef, undef, undef, 0.01;
}

my $client = open2(my $answers, my $orders, "$build/client-openssl", "--worker");
$orders->autoflush;
<$answers>; # hello

sub order ($text) { print {$orders} "$text\n"; return }
my $where = qq("connect":"$address","verify":false,"timeout":"20s");

# How many days ahead of us the server says that it is.
my $id = 10;
sub days_ahead () {
    $id++;
    order(qq({"id":$id,"do":"probe",$where,"say":"GET / HTTP/1.0\\r\\n\\r\\n"}));
    my $answer;
    do { $answer = decode_json(scalar <$answers>); tally($answer) } while $answer->{id} != $id;
    my ($date) = ($answer->{heard} // '') =~ /^Date: (.*?)\r/m or return 'no date';
    return int((`date -d '$date' +%s` - time + 43_200) / 86_400); # a second late is no day
}

my (%outcomes, $done);
sub tally ($answer) {
    $done = 1 if ($answer->{id} // 0) == 2 && !$answer->{tick};
    $outcomes{$_} += $answer->{outcomes}{$_}{count} for keys %{$answer->{outcomes} // {}};
    return;
}

my $rate = $ENV{REHEARSE_LONG} ? 300 : 200;
order(qq({"id":1,"do":"fleet","rate":"$rate/s","tick":"50ms","seed":1,$where}));
my @pids = ($master, split ' ', `pgrep -P $master`);
is(scalar @pids, 3, 'a master and two workers');
is(days_ahead(), 0, 'they are on real time');
my (@wrong, $served);
for my $cycle (1 .. 100_000) {
    fake('set', $clock, '+100d') && fake('attach', '--tree', $clock, $master) or push @wrong, "attach $cycle";
    push @wrong, "+100 in $cycle" if days_ahead() ne '100';
    fake('set', $clock, '+400d');
    push @wrong, "+400 in $cycle" if days_ahead() ne '400';
    for my $pid (@pids) { fake('detach', $pid) or push @wrong, "detach $cycle" }
    push @wrong, "+0 in $cycle" if days_ahead() ne '0';
    $served = 0;
    $served += $_ for values %outcomes;
    last if @wrong || $cycle >= $cycles && $served >= $requests;
}
is_deeply(\@wrong, [], "on, moved and off again, at least $cycles times");
order(qq({"id":2,"do":"stop","fleet":1}));
while (!$done) { tally(decode_json(scalar <$answers>)) }
close $orders;
waitpid $client, 0;
is_deeply([keys %outcomes], ['ok'], 'no handshake has failed') or diag explain \%outcomes;
cmp_ok($outcomes{ok} // 0, '>=', $requests, "  of $requests and more");
is(join(' ', sort split ' ', `pgrep -P $master`), join(' ', sort @pids[1, 2]), 'the same workers');
kill 'QUIT', $master;
waitpid $master, 0;
is($?, 0, 'nginx ends as it would have');
undef $master;
done_testing;
