#!/usr/bin/perl
# What cannot be put on a clock, and clocks that are none: one clear line each, an exit status that says which kind,
# and whoever was to be put there goes on as he was.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($build $ahead preloaded fakeclock fake build_c start ask finish is_real is_ahead);
use Test::More;
use Time::HiRes qw(usleep);

my $dir = tempdir('refused.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
chmod 0755, $dir;
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');
for (['answers', 'target', '-pthread'], ['answers', 'static', '-static -pthread'], ['noptrace', 'noptrace'],
    ['restless', 'restless', '-pthread'], ['sandboxed', 'sandboxed'], ['vforks', 'vforks']) {
    build_c('cc', $dir, @$_) or BAIL_OUT("no $_->[1]");
}
my @nobody = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');

# Its exit status and all that it says.
sub tries (@command) {
    open my $said, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die $!;
    my $text = join '', <$said>;
    close $said;
    return ($? & 127 ? "signal " . ($? & 127) : $? >> 8, $text);
}

sub refuses ($what, $with, $line, @command) {
    my ($status, $said) = tries(@command);
    ok($status eq $with && $said =~ /\A(?:fakeclock|libfakeclock): [^\n]*$line[^\n]*\n\z/,
        "$what: exit status $with, and one line") or diag "$status: $said";
    return;
}

sub write_file ($path, $bytes, $mode = 0644) {
    open my $file, '>:raw', $path or die $!;
    print {$file} $bytes;
    close $file;
    chmod $mode, $path;
    return $path;
}

my $target = start("$dir/target");
my $pid = $target->{pid};
is_real($target) or BAIL_OUT('the target does not answer');
my @attach = ("$build/fakeclock", 'attach');
my @run = ("$build/fakeclock", 'run');

# --- files that are no clocks -----------------------------------------------------------------------------

my %bad = (
    'a short one' => [write_file("$dir/short", 'x' x 100), qr/expected a file of 4096 bytes/],
    'an empty one' => [write_file("$dir/empty", ''), qr/expected a file of 4096 bytes/],
    'a long one' => [write_file("$dir/long", "\0" x 8192), qr/expected a file of 4096 bytes/],
    'a foreign one' => [write_file("$dir/foreign", 'x' x 4096), qr/expected a file made by 'fakeclock new'/],
    'none' => ["$dir/none", qr/cannot open the clock: No such file/],
    'a folder' => [$dir, qr/not a clock|Is a directory/],
    'a device' => ['/dev/null', qr/not a clock/],
);
for my $what (sort keys %bad) {
    my ($path, $line) = @{$bad{$what}};
    refuses("a clock file that is $what", 2, $line, @attach, $path, $pid);
    refuses('  for run', 2, $line, @run, $path, '--', 'true');
    refuses('  for set', 2, $line, "$build/fakeclock", 'set', $path, '+1d');
    refuses('  for step', 2, $line, "$build/fakeclock", 'step', $path, '--by', '1h');
}
fake('new', "$dir/gone");
unlink "$dir/gone";
refuses('one that was removed', 2, qr/cannot open the clock/, @attach, "$dir/gone", $pid);
SKIP: {
    skip 'only root can become nobody', 2 if $> != 0;
    mkdir "$dir/closed";
    chmod 0555, "$dir/closed";
    refuses('a folder that is read-only', 6, qr/cannot create the clock: Permission denied/,
        @nobody, "$build/fakeclock", 'new', "$dir/closed/clock");
    refuses('somebody else\'s clock', 2, qr/cannot open the clock: Permission denied/,
        @nobody, "$build/fakeclock", 'set', $clock, '+1d');
}

# --- a clock file that is spoilt under a process that has not looked yet: taken off it, it is saved -----------

my %spoilt = (
    'cut off' => [sub ($file) { truncate $file, 0 }, qr/expected a file of 4096 bytes/,
        qr/cut off.*detach \d+' saves it/],
    'overwritten' => [sub ($file) { write_over($file) }, qr/expected a file made by/,
        qr/overwritten.*detach \d+' saves it/],
);

# In its place: the process still has it.
sub write_over ($file) {
    open my $handle, '+<:raw', $file or die $!;
    syswrite $handle, 'x' x 4096;
    close $handle;
    return;
}

for my $how (sort keys %spoilt) {
    my ($spoil, $no_clock, $doctor) = @{$spoilt{$how}};
    my $file = "$dir/spoilt-$how" =~ s/ /-/r;
    fake('new', $file) && fake('set', $file, '+100d');
    my $process = start("$dir/target");
    is_real($process);
    fake('attach', $file, $process->{pid});
    ok(is_ahead($process), 'a process on a clock');
    $spoil->($file);
    refuses("  which is $how", 2, $no_clock, "$build/fakeclock", 'set', $file, '+1d');
    refuses('    for ps', 2, $no_clock, "$build/fakeclock", 'ps', $file);
    like(`'$build/fakeclock' ps`, qr/^ *$process->{pid}  redirect .*  \Q$file: $how\E$/m, '    which says so of it');
    refuses('    for attach', 2, $no_clock, @attach, $file, $process->{pid});
    refuses('    for doctor', 6, $doctor, "$build/fakeclock", 'doctor', $process->{pid});
    is(fake('poke', $process->{pid}), 1, '    is no matter for poke');
    is(fake('detach', $process->{pid}), 1, '  is taken off it');
    ok(is_real($process), '  and lives, on real time');
    finish($process);
}
for my $how ('removed', sort keys %spoilt) {
    my $file = "$dir/preloaded-$how" =~ s/ /-/r;
    fake('new', $file) && fake('set', $file, '+100d');
    my $process = start(preloaded($file, 'perl', '-e', 'readline'));
    usleep 1000 while `grep -c libfakeclock.so /proc/$process->{pid}/maps` == 0;
    usleep 1000 while `'$build/fakeclock' ps` !~ /^ *$process->{pid} .* \Q$file\E$/m && kill 0, $process->{pid};
    $how eq 'removed' ? unlink $file : $spoilt{$how}[0]->($file);
    like(`'$build/fakeclock' ps`, qr/^ *$process->{pid}  preload .*  \Q$file: $how\E$/m,
        "one that is $how under a process that is preloaded: ps says so");
    finish($process);
}
{
    my $file = "$dir/unlinked";
    fake('new', $file) && fake('set', $file, '+100d');
    my $process = start("$dir/target");
    is_real($process);
    fake('attach', $file, $process->{pid});
    unlink $file;
    like(`'$build/fakeclock' ps`, qr/^ *$process->{pid}  redirect  no .*  \Q$file: removed\E$/m,
        'one that is removed under a process: ps says so, and has not looked for it');
    ok(is_ahead($process), '  which stays on it');
    like(`'$build/fakeclock' doctor $process->{pid}`, qr/^clock  *\Q$file: removed\E$/m, '  doctor says so, too');
    ok(fake('detach', $process->{pid}) && is_real($process), '  and can be taken off it');
    finish($process);
}
{
    my $cut = "$dir/cut";
    fake('new', $cut);
    my $step = start('sh', '-c', 'exec "$@" 2>&1', 'sh', "$build/fakeclock", 'step', $cut, '--serve');
    readline $step->{from}; # its greeting: it has opened the clock
    truncate $cut, 0;
    syswrite $step->{to}, "step 1d\n";
    my @said = readline $step->{from};
    waitpid $step->{pid}, 0;
    is($? >> 8, 6, 'one that is cut off under fakeclock itself: exit status 6');
    is($said[-1], "fakeclock: $cut: has been cut off under this program; expected 4096 bytes\n", '  and one line');
}

# --- processes -------------------------------------------------------------------------------------------------

refuses('a process that is gone', 6, qr/there is none/, @attach, $clock, 4194303);
refuses('no process', 2, qr/'0' is not a process/, @attach, $clock, 0);
refuses('the first of all', 6, qr/may not be traced/, @nobody, @attach, $clock, 1) if $> == 0;

my $zombie = fork // die $!;
exec 'true' if $zombie == 0;
1 while `cat /proc/$zombie/stat` !~ /\) Z/;
refuses('a zombie', 6, qr/has ended already/, @attach, $clock, $zombie);
refuses('  for poke', 6, qr/has ended already/, "$build/fakeclock", 'poke', $zombie);
refuses('  for doctor', 6, qr/has ended already/, "$build/fakeclock", 'doctor', $zombie);
waitpid $zombie, 0;

my $vforks = start("$dir/vforks");
readline $vforks->{from};
1 until `pgrep -P $vforks->{pid}`;
refuses('one in vfork(2)', 6, qr/process (\d+): thread \g1 waits in the kernel, and could not be stopped for 2 s/,
    @attach, $clock, $vforks->{pid});
syswrite $vforks->{to}, "\n";
is(readline $vforks->{from}, "back\n", '  goes on when it can');
finish($vforks);

# ELF headers as the kernel reads them, and `pause` for ever: no compiler for 32 bits is needed
my $small = pack('A4 C5 x7 v2 V5 v6', "\x7fELF", 1, 1, 1, 0, 0, 2, 3, 1, 0x08048054, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    . pack('V8', 1, 0, 0x08048000, 0x08048000, 0x5d, 0x5d, 5, 0x1000)
    . "\xb8\x1d\0\0\0\xcd\x80\xeb\xf7";
write_file("$dir/small", $small, 0755);
refuses('a 32-bit program', 6, qr/is not a 64-bit x86 program/, @run, $clock, '--', "$dir/small");
SKIP: {
    my $child = fork // die $!;
    exec {"$dir/small"} "$dir/small" or exit 1 if $child == 0;
    usleep 1000 while (readlink("/proc/$child/exe") // '') !~ /small|^$/ && kill 0, $child;
    my $runs = (readlink("/proc/$child/exe") // '') =~ /small/;
    refuses('a 32-bit process', 6, qr/is a 32-bit program/, @attach, $clock, $child) if $runs;
    is(waitpid($child, 1), 0, '  which lives') if $runs;
    kill 'KILL', $child;
    waitpid $child, 0;
    skip 'this kernel runs no 32-bit programs', 2 if !$runs;
}
my $elf = do { local (@ARGV, $/) = "$dir/target"; <> };
write_file("$dir/arm", substr($elf, 0, 18) . pack('v', 183) . substr($elf, 20), 0755);
refuses('a program for another machine', 6, qr/is not a 64-bit x86 program/, @run, $clock, '--', "$dir/arm");
refuses('  for doctor too', 1, qr/none: it would keep real time/, 'sh', '-c',
    "'$build/fakeclock' doctor $dir/arm | sed -n 's/^by .run. */fakeclock: /p';"
        . "'$build/fakeclock' doctor $dir/arm >/dev/null");

SKIP: {
    skip 'only root can become nobody', 5 if $> != 0;
    refuses('a process of somebody else', 6, qr/may not be traced; expected one of your own/,
        @nobody, @attach, $clock, $pid);
    refuses('  for poke', 6, qr/may not be traced/, @nobody, "$build/fakeclock", 'poke', $pid);
    system("cp $dir/target $dir/setuid && chmod 4755 $dir/setuid");
    refuses('a setuid program', 6, qr/is setuid, setgid or has capabilities/,
        @nobody, @run, $clock, '--', "$dir/setuid");
    my $process = start(@nobody, "$dir/setuid");
    is_real($process);
    refuses('a setuid process', 6, qr/may not be traced/, @nobody, @attach, $clock, $process->{pid});
    ok(is_real($process), '  which lives');
    finish($process);
}
my $forbidden = qr/may not be traced, though it is yours; expected [^\n]* a kernel and a container that allow ptrace/;
refuses('where the kernel refuses ptrace', 6, $forbidden, "$dir/noptrace", @attach, $clock, $pid);
refuses('  for poke', 6, qr/may not be traced/, "$dir/noptrace", "$build/fakeclock", 'poke', $pid);
refuses('  for doctor', 6, $forbidden, "$dir/noptrace", "$build/fakeclock", 'doctor', $pid);
for my $scope (1 .. 3) { # as Yama says it; the refusal is the filter's, for few kernels have Yama
    SKIP: {
        my $sysctl = '/proc/sys/kernel';
        my @yama = ('unshare', '-Urm', 'sh', '-c', "mount -t tmpfs none $sysctl && mkdir $sysctl/yama && "
            . "echo $scope >$sysctl/yama/ptrace_scope && exec \"\$@\"", 'sh');
        skip 'no mount namespaces here', 1 if system("unshare -Urm mount -t tmpfs none $sysctl 2>/dev/null") != 0;
        refuses("  by Yama, $scope", 6, qr/may not be traced, for kernel.yama.ptrace_scope is $scope; expected 0/,
            @yama, "$dir/noptrace", @attach, $clock, $pid);
    }
}
refuses('  for a static program', 6, qr/cannot trace/, "$dir/noptrace", @run, $clock, '--', "$dir/static");
my @processors = ('grep', '^Cpus_allowed:', '/proc/self/status');
is((tries("$dir/noptrace", @run, $clock, '--', @processors))[1], (tries(@processors))[1],
    '  a dynamic one is only preloaded, and runs on all processors');

# --- those that their own filter would kill for what attach has them do ------------------------------------------

for my $kind (qw(strict filter)) {
    my $line = qr/has a filter of system calls \(seccomp\) that could kill it; expected root/;
    my $process = start("$dir/sandboxed", $kind);
    is_real($process);
    SKIP: {
        skip 'only root can suspend filters, or become nobody', 6 if $> != 0;
        my $nobodys = start(@nobody, "$dir/sandboxed", $kind);
        is_real($nobodys);
        refuses("a process in a sandbox ($kind)", 6, $line, @nobody, @attach, $clock, $nobodys->{pid});
        refuses('  for doctor', 6, $line, @nobody, "$build/fakeclock", 'doctor', $nobodys->{pid});
        ok(is_real($nobodys), '  which lives');
        finish($nobodys);
        ok(fake('attach', $clock, $process->{pid}) && is_ahead($process), '  root can put it on a clock');
        ok(fake('detach', $process->{pid}) && is_real($process), '  and take it off');
        like(`cat /proc/$process->{pid}/status`, qr/^Seccomp:\t[12]$/m, '  and it is in its sandbox still');
    }
    finish($process);
}

SKIP: {
    my @apart = ('unshare', '-Ur', '-p', '-f', '--mount-proc');
    skip 'no PID namespaces here', 2 if system("@apart true 2>/dev/null") != 0;
    my $process = start(@apart, "$dir/target");
    ok(is_real($process), 'a process in another PID namespace');
    my ($inside) = split ' ', `pgrep -P $process->{pid}`;
    ok(fake('attach', $clock, $inside) && is_ahead($process) && fake('detach', $inside) && is_real($process),
        '  can be put on a clock, and taken off');
    kill 'KILL', $inside;
    finish($process);
}
SKIP: {
    my $process = start('unshare', '-Urm', 'sh', '-c', "mount -t tmpfs none $dir && exec cat") if -x '/usr/bin/unshare';
    skip 'no mount namespaces here', 1 if !$process;
    usleep 1000 while (readlink("/proc/$process->{pid}/exe") // '') !~ m{/cat$} && !waitpid $process->{pid}, 1;
    refuses('one that cannot see the clock', 6, qr/cannot open the clock: No such file|is another file there/,
        @attach, $clock, $process->{pid});
    finish($process);
}

# --- those that do not stand still -------------------------------------------------------------------------------

# Whatever the moment, `attach` has done it, or says in one line why it has not.
sub clear ($status, $said) {
    return 1 if $status eq '0' && $said eq '';
    return $status eq '6' && $said =~ /\Afakeclock: [^\n]+\n\z/;
}

my (@unclear, %how);
for my $delay (map { $_ * 40 } 0 .. 99) {
    my $process = start("$dir/target");
    is_real($process);
    my $killer = fork // die $!;
    if ($killer == 0) { usleep $delay; kill 'KILL', $process->{pid}; exec 'true' }
    my ($status, $said) = tries(@attach, $clock, $process->{pid});
    push @unclear, "$status: $said" if !clear($status, $said);
    $how{$status}++;
    waitpid $killer, 0;
    finish($process);
}
is_deeply(\@unclear, [], 'a process that is killed while it is attached, a hundred times');
note join ', ', map { "exit status $_: $how{$_} times" } sort keys %how;

(@unclear, %how) = ();
for (1 .. 20) {
    my $process = start("$dir/restless", 100);
    my ($status, $said) = tries(@attach, $clock, $process->{pid});
    push @unclear, "$status: $said" if !clear($status, $said);
    push @unclear, 'it does not live' if !is_real($process) && !is_ahead($process);
    $how{$status}++;
    finish($process);
}
is_deeply(\@unclear, [], 'one that becomes another program meanwhile, twenty times');
note join ', ', map { "exit status $_: $how{$_} times" } sort keys %how;

ok(is_real($target), 'and the one that was not to be touched was not');
finish($target);
done_testing;
