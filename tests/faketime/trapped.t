#!/usr/bin/perl
# A program that is linked statically waits on the calendar, because its waits become signals; and does not notice
# it otherwise, nor does what it starts.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($build fakeclock fake build_c installed go start ask finish);
use Test::More;
use Time::HiRes qw(time);

my $dir = tempdir('trapped.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;
my $clock = "$dir/clock";
my $this_year = 1900 + (gmtime)[5];
fake('new', $clock) && fake('set', $clock, '2100-06-01') or BAIL_OUT('no clock');
build_c('cc', $dir, @$_) or BAIL_OUT("no $_->[1]")
    for ['year', 'static', '-static'], ['year', 'dynamic'], ['answers', 'answers', '-static -pthread'],
    ['trapped', 'trapped', '-static -pthread -D_GNU_SOURCE'], ['until', 'until', '-static'],
    ['trapped', 'pie', '-static-pie -pthread -D_GNU_SOURCE'], ['noptrace', 'noptrace'],
    ['noptrace', 'noseccomp', '-DREFUSED=SYS_seccomp'];
chdir $dir or die $!;

# What a command says, on stdout and stderr.
sub says (@command) {
    open my $from, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die $!;
    my $said = join '', <$from>;
    close $from;
    return $said;
}

my @run = ("$build/fakeclock", 'run', $clock, '--');

# --- as if nobody were there ----------------------------------------------------------------------------

my $expected = <<'END';
all signals blocked: Connection timed out
all actions reset: Connection timed out
interrupted: Interrupted system call
a sleep interrupted: Interrupted system call
cancelled: ended
malformed: Invalid argument
a queue: Connection timed out
a timer: gone off
a monotonic timer: gone off
out of sigsuspend: Connection timed out
out of ppoll: Connection timed out
out of pselect: Connection timed out
YEAR ./static 1
spawned: status 3
YEAR ./static 1
spawned with all blocked: status 3
spawned what does not exist: No such file or directory
YEAR ./static 3
by a shell: status 4
YEAR vforked 0
vforked: status 3
YEAR fexecve 0
by descriptor: status 3
itself: status 5
END

sub as_bare ($name, $year, @command) {
    return is(says(@command, './static'), $expected =~ s/YEAR/$year/gr, $name);
}

as_bare('bare', $this_year, './trapped');
as_bare('on a clock', 2100, @run, './trapped');
as_bare('on a clock, position independent', 2100, @run, './pie');
as_bare('started by one that is trapped', 2100, @run, './static', 'exec', './trapped');
SKIP: {
    skip 'only root can become nobody', 2 if $> != 0;
    my @nobody = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');
    as_bare('without privileges', 2100, @nobody, @run, './trapped');
    skip 'no user namespaces here', 1 if system("@nobody unshare -Ur true 2>/dev/null") != 0;
    as_bare('in a user namespace', 2100, @nobody, 'unshare', '-Ur', @run, './trapped');
}

# --- the calendar moves meanwhile -----------------------------------------------------------------------

for my $kind (qw(futex sleep)) {
    my $process = start(@run, './until', $kind, 3600);
    readline $process->{from};
    my $began = time;
    fake('advance', $clock, '2h');
    is(readline $process->{from}, "over\n", "$kind: an hour is over when the calendar moves by two");
    cmp_ok(time - $began, '<', 5, '  at once');
    finish($process);
}

# --- one after the other ----------------------------------------------------------------------------------

sub chain ($name, $expected, @command) { return is(says(@run, @command), $expected, $name) }

chain('a static program becomes a static one', "2100 ./static 1\n", qw(./static exec ./static x));
chain('  and a dynamic one', "2100 ./dynamic 0\n", qw(./static exec ./dynamic));
chain('  which becomes a static one', "2100 ./static 0\n", qw(./static exec ./dynamic exec ./static));
chain('  time and again', "2100 ./static 0\n", (qw(./static exec)) x 9, './static');
chain('a shell in between', "2100 ./static 0\n2100 ./dynamic 0\n",
    qw(./static exec /bin/sh -c), './static; ./dynamic');
chain('an empty environment', "2100 ./static 0\n", qw(./static exec /usr/bin/env -i ./static));
SKIP: {
    skip 'musl-gcc is not installed', 1 if !installed('musl-gcc');
    build_c('musl-gcc', $dir, 'year', 'musl', '-static') or BAIL_OUT('no musl program');
    chain('a program of another libc in between', "2100 ./static 0\n", qw(./static exec ./musl exec ./static));
}
SKIP: {
    skip 'go is not installed', 1 if !go($dir, "$Bin/programs/busy.go", 'busygo');
    my $process = start(@run, qw(./static exec ./busygo 0 2));
    my ($now) = ask($process);
    is(1900 + (gmtime($now // 0))[5], 2100, 'a static program becomes one in Go');
    finish($process);
}
like(says(@run, './static', 'exec', './noptrace', './static'),
    qr{\Afakeclock: ./static: cannot be run with the filter that it inherits: cannot trace: [^\n]*\n\z},
    'one that cannot be given a handler is not run');
is($? >> 8, 126, '  and the exit status says so');
SKIP: {
    skip 'only root takes one off the clock that has inherited a filter', 2 if $> != 0;
    my $process = start(@run, qw(./static exec /bin/sh -c), 'echo; read x; ./static; ./trapped ./static');
    readline $process->{from};
    fake('detach', $process->{pid});
    syswrite $process->{to}, "\n";
    is(readline $process->{from}, "$this_year ./static 0\n", 'who was taken off the clock puts nobody on it');
    is(readline $process->{from}, "all signals blocked: Connection timed out\n", '  and all live');
    finish($process);
}
{
    my $process = start(@run, './answers');
    my @detached = (ask($process), fake('detach', $process->{pid}), ask($process));
    is(1900 + (gmtime $detached[-6])[5], $this_year, 'one that is trapped can be taken off the clock');
    fake('attach', $clock, $process->{pid});
    is(1900 + (gmtime((ask($process))[0]))[5], 2100, '  and be put on it again');
    finish($process);
}

# --- where the kernel refuses -----------------------------------------------------------------------------

my $refused = says('./noseccomp', @run, './static');
my $why = qr/process \d+: cannot filter system calls: [^\n]*/;
like($refused, qr/\Afakeclock: waits until a time on the clock may hang: $why\n/,
    'without seccomp(2): one line');
like($refused, qr/^2100 \.\/static 0\n\z/m, '  and it runs on the clock');
unlike(says(@run, './static'), qr/fakeclock/, '  with it: none');
chdir '/';
done_testing;
