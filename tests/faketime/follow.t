#!/usr/bin/perl
# What a program on the clock becomes or starts is on it too, though nothing can be preloaded into it: static, musl
# and Go programs, by every way in which programs are started, with an empty environment as well.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use Runtime qw($build fakeclock fake build_c installed go start ask finish);
use Test::More;

my $dir = tempdir('follow.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
my $this_year = 1900 + (gmtime)[5];
fake('new', $clock) && fake('set', $clock, '2100-06-01') or BAIL_OUT('no clock');
build_c('cc', $dir, 'year', $_->[0], @{$_->[1]}) or BAIL_OUT("no $_->[0]")
    for ['static', ['-static']], ['dynamic', []];
build_c('cc', $dir, $_, $_, '-D_GNU_SOURCE') or BAIL_OUT("no $_") for qw(noptrace become);
chdir $dir or die $!;

# What a command says, on stdout and stderr, and its exit status.
sub says (@command) {
    open my $from, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die $!;
    my $said = join '', <$from>;
    close $from;
    return ($said, $? >> 8);
}

sub on_clock (@command) { return says("$build/fakeclock", 'run', $clock, '--', @command) }

sub follows ($name, $expected, @command) {
    my ($said) = on_clock(@command);
    return is($said, $expected, $name);
}

# --- by every way -----------------------------------------------------------------------------------

follows('a shell starts a static program', "2100 ./static 2\n3\n", 'sh', '-c', './static a b; echo $?');
follows('  becomes it', "2100 ./static 0\n", 'sh', '-c', 'exec ./static');
follows('  finds it in the path', "2100 static 0\n", 'sh', '-c', "PATH=$dir:\$PATH; static");
follows('  under another name', "2100 name 1\n", 'bash', '-c', 'exec -a name ./static x');
is((on_clock('./dynamic', 'exec', './static', 'x'))[1], 3, '  its exit status is its own');
follows('a shell in a shell', "2100 ./static 0\n", 'sh', '-c', "sh -c 'sh -c ./static'");
open my $script, '>', 'script' or die $!;
print {$script} "#!$dir/static\n";
close $script;
chmod 0755, 'script';
follows('a script for a static program', "2100 $dir/static 1\n", 'sh', '-c', './script');
follows('perl starts it', "2100 ./static 1\n", 'perl', '-e', 'system "./static", "x"');
follows('  and becomes it, with a name', "2100 name 1\n", 'perl', '-e', 'exec {"./static"} "name", "x"');
follows('xargs', "2100 ./static 3\n", 'sh', '-c', 'echo a b c | xargs ./static 2>&1; true');
follows('timeout', "2100 ./static 0\n", 'timeout', '30', './static');

follows($_, "2100 name 1\n", './become', $_, './static')
    for qw(execl execlp execle execvpe fexecve execveat execveat-in-folder);
follows('fexecve of a dynamic program, with an empty environment', "2100 name 1\n", './become', 'fexecve', './dynamic');
follows('execveat of nothing', "become: No such file or directory\n", './become', 'execveat-in-folder', './none');

follows('with an empty environment', "2100 ./static 0\n", 'env', '-i', './static');
follows('  a dynamic program too', "2100 ./dynamic 0\n", 'env', '-i', './dynamic');
follows('  and what it starts', "2100 ./static 0\n2100 ./dynamic 0\n",
    'env', '-i', 'sh', '-c', './static; ./dynamic');
follows('with a library of its own preloaded', "2100 ./dynamic 0\n",
    'env', 'LD_PRELOAD=libm.so.6', './dynamic');

SKIP: {
    skip 'python3 is not installed', 4 if !grep { -x "$_/python3" } split /:/, $ENV{PATH};
    follows('python runs it', "2100 ./static 1\n", 'python3', '-c', 'import subprocess as s; s.run(["./static", "x"])');
    follows('  with an environment of its own', "2100 ./static 0\n",
        'python3', '-c', 'import subprocess as s; s.run(["./static"], env={"A": "b"})');
    follows('  by posix_spawn', "2100 n 1\n", 'python3', '-c',
        'import os; os.posix_spawn("./static", ["n", "x"], {}); os.wait()');
    follows('  by the shell', "2100 ./static 0\n", 'python3', '-c', 'import os; os.system("./static")');
}
SKIP: {
    skip 'musl-gcc is not installed', 2 if !installed('musl-gcc');
    build_c('musl-gcc', $dir, 'year', 'musl') or BAIL_OUT('no musl program');
    follows('a shell starts a program of another libc', "2100 ./musl 0\n", 'sh', '-c', './musl');
    follows('  which is no obstacle to others', "2100 ./musl 0\n2100 ./dynamic 0\n", 'sh', '-c', './musl; ./dynamic');
}
SKIP: {
    skip 'go is not installed', 1 if !go($dir, "$Bin/programs/busy.go", 'busygo');
    my $process = start("$build/fakeclock", 'run', $clock, '--', 'sh', '-c', 'exec ./busygo 0 1');
    my ($now) = ask($process);
    is(1900 + (gmtime($now // 0))[5], 2100, 'a shell becomes a Go program');
    finish($process);
}

# --- it is the same process, and what is wrong with a command is what is wrong with it ---------------

{
    my $process = start("$build/fakeclock", 'run', $clock, '--', 'sh', '-c', 'echo $$; exec ./dynamic exec /bin/cat');
    my $pid = readline $process->{from};
    is($pid, "$process->{pid}\n", 'the process id stays');
    my ($tracer) = `cat /proc/$process->{pid}/status` =~ /^TracerPid:\t(\d+)/m;
    is($tracer, 0, '  and nobody stays with it');
    finish($process);
}
follows('no such program', "sh: 1: ./none: not found\n127\n", 'sh', '-c', './none; echo $?');
follows('no program at all', "sh: 1: ./clock: Permission denied\n126\n", 'sh', '-c', './clock; echo $?');
open $script, '>', 'plain' or die $!;
print {$script} "./static\n";
close $script;
chmod 0755, 'plain';
follows('a script that does not say so', "2100 ./static 0\n", 'sh', '-c', './plain');

# --- those that are lost are seen to be ---------------------------------------------------------------

build_c('cc', $dir, 'answers', 'answers', '-static', '-pthread') or BAIL_OUT('no answers');
SKIP: {
    skip 'musl-gcc is not installed', 3 if !-x './musl';
    my $process = start("$build/fakeclock", 'run', $clock, '--', './musl', 'exec', './answers');
    my ($now) = ask($process);
    is(1900 + (gmtime($now // 0))[5], $this_year, 'what a program of another libc becomes is not followed');
    my ($said) = says("$build/fakeclock", 'doctor', $process->{pid});
    like($said, qr/^clock       none: real time$/m, '  and doctor says so');
    ($said) = says("$build/fakeclock", 'ps', $clock);
    unlike($said, qr/^\s*$process->{pid} /m, '  nor does ps count it among those on the clock');
    finish($process);
}
my ($refused) = on_clock('./noptrace', 'sh', '-c', './static');
is($refused =~ s/^fakeclock: real time is kept: cannot trace: [^\n]*\n//r, "$this_year ./static 0\n",
    'where the kernel refuses ptrace it runs, on real time, and one line says so');
copy("$build/libfakeclock.so", "$dir/libfakeclock.so") or die $!;
my ($alone) = says('env', "LD_PRELOAD=$dir/libfakeclock.so", "FAKECLOCK=$clock", 'sh', '-c', './static; ./dynamic');
is($alone, "$this_year ./static 0\n2100 ./dynamic 0\n", 'a library without fakeclock beside it follows its own kind');
{
    my $process = start("$build/fakeclock", 'run', $clock, '--', 'sh', '-c', 'echo; read x; ./static; read y');
    readline $process->{from};
    fake('detach', $process->{pid}) or diag 'not detached';
    syswrite $process->{to}, "\n";
    is(readline $process->{from}, "$this_year ./static 0\n", 'who was taken off the clock puts nobody on it');
    finish($process);
}
my ($status, $text) = fakeclock('follow', $clock);
ok($status == 2 && $text =~ /^fakeclock: expected: fakeclock follow/, 'follow: bad input');
chdir '/';
done_testing;
