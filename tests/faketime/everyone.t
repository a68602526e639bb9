#!/usr/bin/perl
# Everybody who is there: servers, their workers, and programs in every language, all running on real time, are put
# on a clock that is a hundred days ahead, and taken off again.  They are the same processes afterwards, and not
# a byte of their code, of their read-only data or of their vDSO is another.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/..";
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use IO::Socket::INET ();
use Port qw(free_port);
use Runtime qw($build $ahead fake runtimes start ask finish is_ahead is_real);
use Test::More;

my $dir = tempdir('everyone.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
chmod 0755, $dir;
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');

sub installed ($program) {
    my ($path) = grep { -x } map { "$_/$program" } split /:/, $ENV{PATH} . ':/usr/sbin:/sbin';
    return $path;
}

sub write_file ($path, $text) {
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file;
    return $path;
}

# --- what a process is made of ------------------------------------------------------------------------------

# The file-backed regions that nobody may write to, and the vDSO: address => hash.
sub unwritable ($pid) {
    no warnings qw(portable);
    open my $maps, '<', "/proc/$pid/maps" or return {};
    open my $memory, '<:raw', "/proc/$pid/mem" or return {};
    my %hash;
    while (my $line = <$maps>) {
        my ($from, $to, $mode, $inode, $name) = $line =~ /^(\w+)-(\w+) (\S+) \S+ \S+ (\d+)\s*(.*)$/ or next;
        next if $mode =~ /w/ || $mode !~ /r/ || !($inode || $name eq '[vdso]') || $mode =~ /s$/;
        sysseek $memory, hex $from, 0;
        my ($size, $bytes) = (hex($to) - hex $from, '');
        while (length $bytes < $size) { # a mapping may be longer than its file
            sysread($memory, $bytes, $size - length $bytes, length $bytes) or last;
        }
        $hash{"$from-$to $name"} = sha256_hex($bytes);
    }
    return \%hash;
}

# Only those that were there before: what a program maps meanwhile is its own affair.
sub changed ($before, $after) {
    return grep { exists $after->{$_} && $after->{$_} ne $before->{$_} } sort keys %$before;
}

sub tree_of ($pid) { return ($pid, map { tree_of($_) } split ' ', `pgrep -P $pid`) }

# --- on and off ------------------------------------------------------------------------------------------------

# Every process of the tree; `days` tells how far ahead the program itself says that it is.
sub on_and_off ($name, $pid, $days) {
    is($days->(), 0, "$name is on real time");
    my @pids = tree_of($pid);
    my %before = map { ($_ => unwritable($_)) } @pids;
    ok(fake('attach', '--tree', $clock, $pid), '  it is attached');
    is($days->(), 100, '  and says that it is a hundred days ahead');
    is(scalar(grep { system("'$build/fakeclock' doctor $_ >$dir/doctor 2>&1") == 0 } @pids), scalar @pids,
        '  so read all its processes');
    is(scalar(grep { / \[vdso\]$/ } map { changed($before{$_}, unwritable($_)) } @pids), scalar @pids,
        '  by their vDSOs, which lead elsewhere meanwhile');
    ok(fake('detach', '--tree', $pid), '  it is detached');
    is($days->(), 0, '  and it is on real time');
    my %now = map { $_ => 1 } tree_of($pid);
    is_deeply([grep { !$now{$_} } @pids], [], '  the same processes');
    my @changed = map { my $one = $_; map { "$one: $_" } changed($before{$one}, unwritable($one)) } @pids;
    is_deeply(\@changed, [], '  and nothing that is not to be written has changed');
    cmp_ok(scalar(map { keys %$_ } values %before), '>=', 2 * @pids, '    of what there is');
    return;
}

# --- programs that answer ----------------------------------------------------------------------------------------

for (runtimes($dir)) {
    my ($name, @command) = @$_;
    my $process = start(@command);
    on_and_off($name, $process->{pid}, sub { is_ahead($process) ? 100 : is_real($process) ? 0 : 'neither' });
    finish($process);
}

# --- servers, whose answers are dated ------------------------------------------------------------------------------

sub days_of ($url) {
    my ($date) = `curl -skI --max-time 20 $url` =~ /^Date: (.*?)\r/mi or return 'no date';
    my ($then) = `date -d '$date' +%s`;
    return int(($then - time + 43_200) / 86_400); # a second late is no day
}

sub listens ($port) {
    for (1 .. 2000) {
        return 1 if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
        select undef, undef, undef, 0.01;
    }
    return 0;
}

sub launch (@command) {
    my $pid = fork // die $!;
    return $pid if $pid;
    setpgrp;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', "$dir/said";
    open STDERR, '>&', \*STDOUT;
    exec @command;
    exit 127;
}

my %running;
END { my $status = $?; kill 'KILL', -$_ for keys %running; waitpid $_, 0 for keys %running; $? = $status }

sub server ($name, $program, $port, $url, @command) {
    SKIP: {
        skip "$program is not installed", 1 if !installed($program);
        my $pid = launch(installed($program), @command);
        $running{$pid} = 1;
        listens($port) or diag("$program does not listen"), diag(`cat $dir/said`);
        on_and_off($name, $pid, sub { days_of($url) });
        kill 'KILL', -$pid;
        waitpid $pid, 0;
        delete $running{$pid};
    }
    return;
}

my $user = $> == 0 ? 'user www-data;' : '';
my $port = free_port();
my $temporary = join "\n", map { "${_}_temp_path $dir/$_;" } qw(client_body proxy fastcgi uwsgi scgi);
write_file("$dir/nginx.conf", <<"END");
$user
worker_processes 2;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events { worker_connections 64; }
http { access_log off; $temporary server { listen 127.0.0.1:$port; return 204; } }
END
server('nginx, with its workers,', 'nginx', $port, "http://127.0.0.1:$port/",
    '-p', $dir, '-e', "$dir/nginx.log", '-c', "$dir/nginx.conf", '-g', 'daemon off;');

$port = free_port();
server('caddy', 'caddy', $port, "http://127.0.0.1:$port/", 'respond', '--listen', "127.0.0.1:$port", 'hello');

$port = free_port();
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost "
    . "-keyout $dir/key.pem -out $dir/chain.pem -days 3650 2>/dev/null");
write_file("$dir/pebble.json", <<"END");
{"pebble": {"listenAddress": "127.0.0.1:$port", "managementListenAddress": "127.0.0.1:0", "httpPort": 1, "tlsPort": 1,
 "certificate": "$dir/chain.pem", "privateKey": "$dir/key.pem"}}
END
server('pebble', 'pebble', $port, "https://127.0.0.1:$port/dir", '-config', "$dir/pebble.json");

$port = free_port();
my $modules = '/usr/lib/apache2/modules';
my $as = $> == 0 ? "User www-data\nGroup www-data" : '';
write_file("$dir/apache.conf", <<"END");
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
$as
ServerName localhost
ServerRoot $dir
DocumentRoot $dir
PidFile $dir/apache.pid
DefaultRuntimeDir $dir
Mutex file:$dir
ErrorLog $dir/apache.log
Listen 127.0.0.1:$port
StartServers 2
END
server('Apache, with its children,', 'apache2', $port, "http://127.0.0.1:$port/",
    '-f', "$dir/apache.conf", '-DFOREGROUND');

$port = free_port();
write_file("$dir/haproxy.cfg", <<"END");
defaults
    mode http
    timeout client 30s
frontend http
    bind 127.0.0.1:$port
    http-request return status 200 hdr Date "%[date,http_date]"
END
server('haproxy, with its worker,', 'haproxy', $port, "http://127.0.0.1:$port/", '-W', '-db', '-f', "$dir/haproxy.cfg");

# --- and one that is no server: an ACME client whose authority does not answer ---------------------------------------

SKIP: {
    skip 'lego is not installed', 1 if !installed('lego');
    my $silent = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
    my $pid = launch('lego', '--server', 'http://127.0.0.1:' . $silent->sockport . '/dir', '--path', "$dir/lego",
        '--accept-tos', '--email', 'a@shop.test', '--domains', 'shop.test', '--http', 'run');
    $running{$pid} = 1;
    my $held = $silent->accept; # and nothing is said
    on_and_off('lego', $pid, sub {
        my ($day) = `'$build/fakeclock' doctor $pid` =~ /^vDSO reads  (\S+)$/m or return 'nothing';
        return int((`date -d $day +%s` - time + 43_200) / 86_400);
    });
}
done_testing;
