#!/usr/bin/perl
# Programs of every kind, put on a clock as they start and while they run, and taken off it again.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Digest::MD5 qw(md5_hex);
use File::Temp qw(tempdir);
use Runtime qw($build $ahead %preload fakeclock fake build_c runtimes start ask finish is_ahead is_real);
use Test::More;

my $dir = tempdir('redirect.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
chmod 0755, $dir;
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');

# Addresses are more than perl's hex likes.
sub number ($hexadecimal) { return unpack 'Q>', pack 'H16', substr "0" x 16 . $hexadecimal, -16 }

# What may not be written to, text and tables, of files and of the kernel: name and offset => hash.
sub hashes ($pid) {
    my %hash;
    open my $maps, '<', "/proc/$pid/maps" or return {};
    open my $memory, '<:raw', "/proc/$pid/mem" or return {};
    while (<$maps>) {
        my ($from, $to, $mode, $offset, $name) = /^(\w+)-(\w+) (\S+) (\w+) \S+ \d+ +(\S+)/ or next;
        next if $mode !~ /^r-.p/ || $name =~ /^\[vvar/;
        sysseek $memory, number($from), 0;
        sysread $memory, my $bytes, number($to) - number($from);
        $hash{"$name $offset"} = md5_hex($bytes // '');
    }
    return \%hash;
}

# Code that is no file's.
sub blobs ($pid) { return scalar(() = `cat /proc/$pid/maps` =~ /^\S+ r-xp \S+ 00:00 0 *$/mg) }

sub tracer ($pid) {
    open my $status, '<', "/proc/$pid/status" or return 'none';
    return (map { /^TracerPid:\s+(\d+)/ ? $1 : () } <$status>)[0];
}

for (runtimes($dir)) {
    my ($name, @command) = @$_;
    my $process = start("$build/fakeclock", 'run', $clock, '--', @command);
    ok(is_ahead($process), "$name, launched on the clock, reads +100 d");
    is(tracer($process->{pid}), 0, '  nobody stays with it');
    ok(fake('detach', $process->{pid}) && is_real($process), '  taken off, it reads real time');
    ok(fake('attach', $clock, $process->{pid}) && is_ahead($process), '  and back on, +100 d');
    finish($process);

    $process = start(@command);
    ok(is_real($process), "$name, started bare, reads real time");
    my $before = hashes($process->{pid});
    ok(fake('attach', $clock, $process->{pid}) && is_ahead($process), '  attached, it reads +100 d');
    ok(fake('attach', $clock, $process->{pid}) && is_ahead($process), '  twice is the same as once');
    ok(fake('detach', $process->{pid}) && is_real($process), '  detached, it reads real time');
    is_deeply(hashes($process->{pid}), $before, '  and not a byte of its text and tables is another');
    my $ours = blobs($process->{pid});
    fake('attach', $clock, $process->{pid}) && fake('detach', $process->{pid}) for 1 .. 5;
    is(blobs($process->{pid}), $ours, '  five times more, and it has no more code than after one');
    finish($process);
}

SKIP: {
    my ($pebble) = grep { -x } '/usr/bin/pebble' or skip 'pebble is not installed', 1;
    my ($date) = `'$build/fakeclock' show $clock` =~ /^now +([-\d]+)T/m;
    my ($stamp) = `'$build/fakeclock' run $clock -- $pebble -config $dir/none 2>&1` =~ m{^Pebble ([\d/]+)};
    is($stamp, $date =~ tr{-}{/}r, 'Debian\'s pebble, a Go program that is linked with libc, logs +100 d');
}

# --- the shim, without and with ------------------------------------------------------------------

{
    local %ENV = (%ENV, %preload, FAKECLOCK => $clock);
    my $process = start("$dir/dynamic", $ahead, 2);
    ok(is_ahead($process), 'a preloaded program reads +100 d');
    my $other = start("$dir/dynamic", $ahead, 2);
    delete @ENV{'FAKECLOCK', keys %preload};
    is_ahead($other); # it has begun
    ok(fake('detach', $other->{pid}) && is_real($other), '  detached, real time');
    ok(fake('attach', $clock, $other->{pid}) && is_ahead($other), '  and attached again, +100 d');
    finish($other);
    ok(is_ahead($process), 'another one');
    ok(fake('attach', $clock, $process->{pid}) && is_ahead($process), '  attached too, never +200 d');
    ok(fake('detach', $process->{pid}) && is_real($process), '  detached, also its preloaded half is');
    ok(fake('attach', $clock, $process->{pid}) && is_ahead($process), '  and attached again');
    fake('new', "$dir/other");
    my ($status, $said) = fakeclock('attach', "$dir/other", $process->{pid});
    is($status, 6, '  another clock is refused');
    like($said, qr/\Afakeclock: process \d+: is on the clock \S+; expected one that is on none\n\z/, '  in one line');
    ok(is_ahead($process), '  and it stays where it was');
    finish($process);
}

# --- who is there, and what they read ---------------------------------------------------------------

{
    my $process = start("$build/fakeclock", 'run', $clock, '--', "$dir/static", $ahead, 0);
    is_ahead($process);
    like(`'$build/fakeclock' ps $clock`, qr/^ *$process->{pid}  trap      yes  +static  +\Q$clock\E$/m,
        'ps lists it, and that it has read its clock');
    my $said = `'$build/fakeclock' doctor $process->{pid}`;
    is($?, 0, 'doctor has nothing to say against it');
    my ($date) = `'$build/fakeclock' show $clock` =~ /^now +([-\d]+)T/m;
    like($said, qr/^vDSO reads  \Q$date\E/m, '  and it reads what the clock tells');
    my $idle = start('cat'); # sleep(1) reads the time as it begins
    fake('attach', $clock, $idle->{pid});
    like(`'$build/fakeclock' ps $clock`, qr/^ *$idle->{pid}  redirect  no /m,
        'one that never asks has not been seen to follow') for 1 .. 2; # nor does it count that we have looked
    finish($idle);
    fake('detach', $process->{pid});
    unlike(`'$build/fakeclock' ps`, qr/^ *$process->{pid} /m, 'one that was taken off is not listed');
    like(`'$build/fakeclock' doctor $process->{pid}`, qr/^clock       none: real time$/m, '  and doctor says so');
    finish($process);
    like(`'$build/fakeclock' doctor $dir/static`,
        qr/^by 'run'    redirected and its waits trapped: .*\nbecause .*statically linked$/m,
        'a static program before it runs');
    my $reads = qr/^reads       clock_gettime, gettimeofday, time$/m;
    like(`'$build/fakeclock' doctor $dir/dynamic`, qr/^by 'run'    redirected and preloaded: .*\n$reads/m,
        'a dynamic one');
}

# --- a tree ---------------------------------------------------------------------------------------

{
    my $process = start('sh', '-c', "exec 3<&0; $dir/static $ahead 0 <&3 & wait");
    ok(is_real($process), 'a child of a shell');
    ok(fake('attach', '--tree', $clock, $process->{pid}) && is_ahead($process), '  is attached with its parent');
    fake('detach', $process->{pid});
    ok(is_ahead($process), '  stays on the clock when that is taken off it');
    ok(fake('detach', '--tree', $process->{pid}) && is_real($process), '  and is taken off it with the tree');
    my ($status, $said) = fakeclock('detach', '--tree', $process->{pid});
    is($status, 6, '  nobody in it is on a clock: exit status 6');
    like($said, qr/\Afakeclock: process \d+: is on no clock, nor is any of its descendants\n\z/, '  in one line');
    my ($child) = split ' ', `pgrep -P $process->{pid}`;
    kill 'KILL', $child;
    finish($process);
}

# --- those that cannot ------------------------------------------------------------------------------

sub refuses ($what, $with, $line, @arguments) {
    my ($status, $said) = fakeclock(@arguments);
    is($status, $with, "$what: exit status $with");
    like($said, qr/\Afakeclock: [^\n]*$line[^\n]*\n\z/, '  and one line that says so');
    return;
}

my $target = start("$dir/dynamic");
my $pid = $target->{pid};
refuses('no number', 2, qr/'nginx' is not a process/, 'attach', $clock, 'nginx');
refuses('nothing to examine', 2, qr/command not found/, 'doctor', 'no-such-command');
refuses('nobody to examine', 6, qr/there is none/, 'doctor', 4194303);
refuses('no process', 6, qr/there is none/, 'attach', $clock, 4194303);
refuses('no clock', 2, qr/cannot open the clock/, 'attach', "$dir/none", $pid);
refuses('a file that is no clock', 2, qr/not a clock/, 'attach', "$dir/dynamic", $pid);
refuses('a process on no clock', 6, qr/is on no clock/, 'detach', $pid);
refuses('the kernel\'s own', 6, qr/no memory of its own|may not be traced/, 'attach', $clock, 2) if -e '/proc/2/stat';

my $dead = fork // die $!;
exec 'true' if $dead == 0;
1 while `cat /proc/$dead/stat` !~ /\) Z/;
refuses('a zombie', 6, qr/has ended already/, 'attach', $clock, $dead);
waitpid $dead, 0;

SKIP: {
    skip 'nobody to become', 3 if $> != 0;
    my @as = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');
    my $said = `@as '$build/fakeclock' attach $clock $pid 2>&1`;
    is($? >> 8, 6, 'a process of somebody else: exit status 6');
    like($said, qr/\Afakeclock: process $pid: may not be traced[^\n]*\n\z/, '  and one line that says so');
    my $process = start(@as, "$build/fakeclock", 'run', $clock, '--', "$dir/static", $ahead, 2);
    ok(is_ahead($process), 'and yet nobody can launch a static program on a clock');
    finish($process);
}
SKIP: {
    skip 'no tracer here', 2 if !build_c('cc', $dir, 'killat', 'killat');
    my $tracer = start("$dir/killat", 1000000, "$dir/static"); # traces it until it ends
    is_real($tracer);
    my ($traced) = split ' ', `pgrep -P $tracer->{pid}`;
    refuses('one that is traced already', 6, qr/is being traced by process $tracer->{pid};/,
        'attach', $clock, $traced);
    finish($tracer);
}
SKIP: {
    my $in = 'unshare -Ur true 2>/dev/null';
    skip 'no user namespaces here', 1 if system($in) != 0;
    my $process = start('unshare', '-Ur', "$build/fakeclock", 'run', $clock, '--', "$dir/static", $ahead, 2);
    ok(is_ahead($process), 'inside a user namespace too');
    finish($process);
}
{
    my $answers = q(perl -e '$| = 1; while (<>) { print time, qq(\n) }');
    my $process = start('unshare', '-m', 'sh', '-c', "mount -t tmpfs none $dir && exec $answers");
    SKIP: {
        skip 'no mount namespaces here', 3 if !is_real($process);
        refuses('one that cannot see the clock', 6, qr/cannot open the clock: No such file/,
            'attach', $clock, $process->{pid});
        ok(is_real($process), '  it lives, on real time');
    }
    finish($process);
}
ok(is_real($target), 'and the one that was not to be touched was not');
finish($target);
done_testing;
