#!/usr/bin/perl
# A real nginx on the calendar: the master starts as root, the workers drop to www-data and go on.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Temp 'tempdir';
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local 'timegm';

my $build = abs_path($ENV{BUILD} // 'build');
my ($nginx) = grep { -x } '/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'
  or plan skip_all => 'nginx is not installed';
my $root   = $> == 0;
my $dir    = tempdir('nginx.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock  = "$dir/clock";
my $day    = 86400;
my %months = do { my $n = 0; map { $_ => $n++ } qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec) };

sub fakeclock { system("$build/fakeclock", @_) == 0 or BAIL_OUT("fakeclock @_ failed") }

# Until `what` is true, or nobody would wait any longer.
sub eventually {
    my ($what) = @_;
    for (my $end = time + 60; time < $end; sleep 0.01) {
        my $result = $what->();
        return $result if $result;
    }
    return;
}

sub connect_nginx { IO::Socket::UNIX->new(Peer => "$dir/socket") }

# The calendar that a worker lives on, in seconds since 1970.
sub served_date {
    my $socket = connect_nginx() or return 0;
    print $socket "GET / HTTP/1.0\r\n\r\n";
    my ($day, $month, $year, $h, $m, $s) =
      join('', <$socket>) =~ /^Date: \w+, (\d+) (\w+) (\d+) (\d+):(\d+):(\d+) GMT/m
      or return 0;
    return timegm($s, $m, $h, $day, $months{$month}, $year);
}

sub ahead_by {
    my ($days, $name) = @_;
    my $ahead = served_date() - CORE::time;
    cmp_ok(abs($ahead - $days * $day), '<', 60, $name);
}

sub workers {
    my ($master) = @_;
    open my $list, '<', "/proc/$master/task/$master/children" or return;
    return split ' ', <$list> // '';
}

sub owner { (stat "/proc/$_[0]")[4] // -1 }

open my $conf, '>', "$dir/nginx.conf" or die $!;
print $conf $root ? "user www-data;\n" : '', <<"END";
worker_processes 2;
pid $dir/pid;
error_log $dir/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    server { listen unix:$dir/socket; return 204; }
}
END
close $conf;
chmod 0755, $dir;

fakeclock('new', $clock);
fakeclock('set', $clock, '+100d');
my $master = fork // die $!;
if ($master == 0) {
    exec "$build/fakeclock", 'run', $clock, '--',
      $nginx, '-p', $dir, '-e', "$dir/error.log", '-c', "$dir/nginx.conf", '-g', 'daemon off;';
    exit 127;
}
END { if ($master) { my $status = $?; kill 'TERM', $master; waitpid $master, 0; $? = $status } }

ok(eventually(\&connect_nginx), 'nginx listens') or BAIL_OUT(`cat $dir/error.log`);
ahead_by(100, 'a worker lives 100 days ahead');

my @before;
ok(eventually(sub { (@before = workers($master)) == 2 }), 'there are two workers');
SKIP: {
    skip 'not root', 1 unless $root;
    my $dropped = getpwnam 'www-data';
    ok(eventually(sub { !grep { owner($_) != $dropped } @before }), 'they drop to www-data');
}

fakeclock('set', $clock, '+400d');
ahead_by(400, "jump $_ reaches the running workers at once") for 1 .. 4;
fakeclock('set', $clock, '-10d');
ahead_by(-10, 'and so does a jump back');

kill 'HUP', $master;
ok(eventually(sub { my %old = map { $_ => 1 } @before; my @now = workers($master);
                    @now == 2 && !grep { $old{$_} } @now }), 'reloaded, with new workers');
ahead_by(-10, 'which live on the same calendar');
fakeclock('rate', $clock, '0');
my $frozen = served_date();
is(served_date(), $frozen, 'and stand still with it');
fakeclock('advance', $clock, '1d');
is(served_date(), $frozen + $day, 'and move with it');

kill 'QUIT', $master;
waitpid $master, 0;
is($?, 0, 'nginx ends as it would have');
undef $master;
done_testing();
