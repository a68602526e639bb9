#!/usr/bin/perl
# Programs of every kind, put on the calendar as they start: those that move, those that cannot and are
# refused, and what happens where there is no calendar.
use strict;
use warnings;
use FindBin '$Bin';
use lib $Bin;
use File::Temp 'tempdir';
use Runtime qw($build %preload);
use Test::More;

my $dir   = tempdir('programs.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
my $cc    = $ENV{CC} // 'cc';

sub run { # stdout and stderr as one, and the exit status
    my $said = '';
    my $pid = open(my $from, '-|') // die $!;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec @_;
        exit 127;
    }
    $said .= $_ while <$from>;
    close $from;
    return ($said, $? >> 8);
}

sub installed { grep { -x "$_/$_[0]" } split /:/, $ENV{PATH} . ':/usr/sbin:/sbin' }

sub build_c {
    my ($name, $source, @options) = @_;
    open my $file, '>', "$dir/$name.c" or die $!;
    print $file $source;
    close $file;
    my ($said, $status) = run($cc, '-o', "$dir/$name", "$dir/$name.c", @options);
    diag $said if $status;
    return $status == 0;
}

my $prints_year = <<'END';
#include <stdio.h>
#include <time.h>
int main(void) { time_t now = time(NULL); printf("%d\n", 1900 + gmtime(&now)->tm_year); return 0; }
END

system("$build/fakeclock", 'new', $clock) == 0 or BAIL_OUT('no clock');
system("$build/fakeclock", 'set', $clock, '2100-06-01T00:00:00Z') == 0 or BAIL_OUT('not set');

# --- those that move ----------------------------------------------------------------------------

my @move = (
    [date    => '-u', '+%Y'],
    [bash    => '-c', 'echo $(( EPOCHSECONDS / 31557600 + 1970 ))'],
    [perl    => '-e', 'print 1900 + (gmtime)[5], "\n"'],
    [python3 => '-c', 'import datetime; print(datetime.datetime.utcnow().year)'],
    [env     => 'sh', '-c', 'date -u +%Y | cat'],
    [openssl => 'ts', '-query', '-digest', 'aa' x 32, '-sha256', '-no_nonce', '-out', '/dev/null'],
    [curl    => '--version'],
);
for (@move) {
    my ($program, @arguments) = @$_;
  SKIP: {
        skip "$program is not installed", 1 unless installed($program);
        my ($said, $status) = run("$build/fakeclock", 'run', $clock, '--', $program, @arguments);
        my $year = "@arguments" =~ /[Yy]ear|%Y|197|1900/ ? qr/^2100$/m : qr//;
        ok($status == 0 && $said =~ $year, "$program") or diag $said;
    }
}

SKIP: {
    skip 'openssl is not installed', 1 unless installed('openssl');
    # a certificate made on the calendar begins there: libcrypto reads it by time()
    my ($said) = run('sh', '-c', "'$build/fakeclock' run $clock -- openssl req -x509 -newkey ec " .
          "-pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout /dev/null -days 1 2>/dev/null |" .
          'openssl x509 -noout -startdate');
    like($said, qr/notBefore=Jun  1 .* 2100 GMT/, 'openssl issues on the calendar');
}

ok(build_c('dynamic', $prints_year), 'a dynamic program of one\'s own');
is((run("$build/fakeclock", 'run', $clock, '--', "$dir/dynamic"))[0], "2100\n", 'moves');

sub moves {
    my ($name, @command) = @_;
    is((run("$build/fakeclock", 'run', $clock, '--', @command))[0], "2100\n", "$name moves");
}

SKIP: {
    skip 'no static libc here', 2 unless build_c('static', $prints_year, '-static');
    moves('a static program', "$dir/static");
    open my $script, '>', "$dir/script" or die $!;
    print $script "#!$dir/static\n";
    close $script;
    chmod 0755, "$dir/script";
    moves('a script for a static program', "$dir/script");
}
SKIP: {
    skip 'musl-gcc is not installed', 3 unless installed('musl-gcc');
    for my $options ([], ['-static']) {
        my ($said, $status) = run('musl-gcc', '-o', "$dir/musl", "$dir/dynamic.c", @$options);
        diag $said if $status;
        moves("a program of another libc @$options", "$dir/musl");
        moves('the same, from a shell on the clock', 'sh', '-c', "exec '$build/fakeclock' run $clock -- $dir/musl")
            if !@$options;
    }
}
SKIP: {
    skip 'no static libc here', 1 unless -x "$dir/static";
    my $pid = open(my $from, '-|') // die $!;
    exec "$build/fakeclock", 'run', $clock, '--', 'sh', '-c', 'echo $$; grep TracerPid /proc/$$/status' if !$pid;
    is(join('', <$from>), "$pid\nTracerPid:\t0\n", 'it has the process id, and nobody stays with it');
}

# --- those that cannot --------------------------------------------------------------------------

sub stays {
    my ($name, $why, @command) = @_;
    my ($said, $status) = run("$build/fakeclock", 'run', $clock, '--', @command);
    is($status, 6, "$name: exit status 6");
    like($said, qr/\Afakeclock: \S+: cannot be put on a clock: it $why[^\n]*\n\z/, "$name: one line");
}

my $elf = do { local (@ARGV, $/) = "$dir/dynamic"; <> };
substr($elf, 4, 1) = "\1"; # ELFCLASS32
open my $file, '>', "$dir/small" or die $!;
print $file $elf;
close $file;
chmod 0755, "$dir/small";
stays('a 32-bit program', 'is not a 64-bit x86 program', "$dir/small");

SKIP: {
    skip 'only root can give a program away', 2 unless $> == 0;
    chown 65534, 65534, "$dir/dynamic";
    chmod 04755, "$dir/dynamic";
    stays('a setuid program', 'is setuid, setgid or has capabilities', "$dir/dynamic");
}

open $file, '>', "$dir/damaged" or die $!;
print $file "\177ELF\2\1\1";
close $file;
chmod 0755, "$dir/damaged";
my ($said, $status) = run("$build/fakeclock", 'run', $clock, '--', "$dir/damaged");
is($status, 2, 'a damaged program: exit status 2');
like($said, qr/\Afakeclock: \S+: a damaged program\n\z/, 'a damaged program: one line');

# --- no calendar there: real time, and one line that says so -------------------------------------

sub stays_real {
    my ($name, $line, %environment) = @_;
    local %ENV = (%ENV, %preload, %environment);
    delete $ENV{FAKECLOCK} unless defined $ENV{FAKECLOCK};
    my ($said) = run('/bin/date', '-u', '+%Y');
    my $year = 1900 + (gmtime)[5];
    like($said, qr/\Alibfakeclock: real time is kept: [^\n]*$line[^\n]*\n$year\n\z/, $name);
}

open $file, '>', "$dir/short" or die $!;
print $file 'x' x 100;
close $file;
open $file, '>', "$dir/other" or die $!;
print $file 'x' x 4096;
close $file;
stays_real('no variable',      qr/FAKECLOCK is not set/,                FAKECLOCK => undef);
stays_real('no file',          qr/none: cannot open the clock/,         FAKECLOCK => "$dir/none");
stays_real('too short a file', qr/expected a file of 4096 bytes/,       FAKECLOCK => "$dir/short");
stays_real('another file',     qr/expected a file made by/,             FAKECLOCK => "$dir/other");
stays_real('a folder',         qr/not a clock/,                         FAKECLOCK => $dir);
stays_real('a device',         qr/not a clock/,                         FAKECLOCK => '/dev/zero');

# --- and a calendar that goes away under a running program ---------------------------------------

my $shell = "date -u +%Y; rm $clock; echo \$(( EPOCHSECONDS / 31557600 + 1970 ))";
($said) = run("$build/fakeclock", 'run', $clock, '--', 'bash', '-c', $shell);
is($said, "2100\n2100\n", 'a running program stays on a calendar whose file was removed');

# --- what leaves the library ----------------------------------------------------------------------

my @symbols = map { (split)[2] } grep { / [TW] / } split /\n/,
    (run('nm', '-D', '--defined-only', "$build/libfakeclock.so"))[0];
my $libcs = qr/^(clock_|time|gettimeofday|settimeofday|ftime|pthread_|sem_|mq_|mtx_|cnd_|thrd_|syscall|f?exec
    |posix_spawn|(?:nano|u)?sleep$|p?poll$|__p?poll_chk$|p?select$|epoll_)/x;
is_deeply([grep { !/$libcs/ } @symbols], [], 'nothing but libc\'s own names is defined for others');
done_testing();
