#!/usr/bin/perl
# The doctor tells what a clock can do for a program, and proves it: a command is tried out without being let run, a
# process is made to read.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($build $ahead fake build_c installed go start ask finish);
use Test::More;

my $dir = tempdir('doctor.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');
chmod 0755, $dir;
build_c('cc', $dir, @$_) or BAIL_OUT("no $_->[1]")
    for ['noptrace', 'noptrace'], ['waits', 'waits', '-pthread'], ['waits', 'static', '-static -pthread'];

sub doctor (@command) {
    open my $from, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die $!;
    my $said = join '', <$from>;
    close $from;
    return ($said, $? >> 8);
}

sub day ($offset) { my @t = gmtime(time + $offset); return sprintf '%d-%02d-%02d', 1900 + $t[5], $t[4] + 1, $t[3] }

# --- a command --------------------------------------------------------------------------------------------

sub tried_out ($name, $command) {
    my @days = (day($ahead - 5), day($ahead + 5)); # at midnight it may be the one or the other
    my ($said, $status) = doctor("$build/fakeclock", 'doctor', $command);
    my $right = grep { $said =~ /^tried out   $_/m } @days;
    ok($status == 0 && $right, "$name is a hundred days ahead") or diag $said;
    return $said;
}

like(tried_out('a dynamic program', "$dir/waits"),
    qr/^waits until .*pthread_cond_timedwait/m, '  whose calls are told');
like(tried_out('a static program', "$dir/static"), qr/^beware      what it starts gains no privileges /m,
    '  which is told the price');
like(tried_out('one that is in the path', 'date'), qr/^reads       clock_gettime/m, '  which is found there');
SKIP: {
    skip 'musl-gcc is not installed', 1 if !installed('musl-gcc');
    build_c('musl-gcc', $dir, 'year', 'musl') or BAIL_OUT('no musl program');
    tried_out('one of another libc', "$dir/musl");
}
SKIP: {
    skip 'go is not installed', 1 if !go($dir, "$Bin/programs/busy.go", 'busygo');
    tried_out('a Go program', "$dir/busygo");
}
open my $script, '>', "$dir/script" or die $!;
print {$script} "#!/bin/sh\ntouch $dir/ran\n";
close $script;
chmod 0755, "$dir/script";
tried_out('a script', "$dir/script");
ok(!-e "$dir/ran", '  and it has not run');
my @left = glob '/tmp/fakeclock.*';
is_deeply(\@left, [], 'nothing is left behind');

my ($said, $status) = doctor("$dir/noptrace", "$build/fakeclock", 'doctor', "$dir/static");
is($status, 6, 'where the kernel refuses ptrace: exit status 6');
like($said, qr/^fakeclock: \S+: cannot trace: [^\n]*$/m, '  and one line');
SKIP: {
    skip 'only root can become nobody', 2 if $> != 0;
    chmod 04755, "$dir/waits";
    ($said, $status) = doctor('setpriv', '--reuid=65534', '--clear-groups', "$build/fakeclock", 'doctor', "$dir/waits");
    is($status, 1, 'one that would keep real time: exit status 1');
    like($said, qr/^by 'run'    none: it would keep real time\nbecause .* setuid/m, '  and why');
    chmod 0755, "$dir/waits";
}

# --- a process ----------------------------------------------------------------------------------------------

sub waiting (@command) {
    my $process = start(@command);
    readline $process->{from};
    return $process;
}

my $static = waiting("$build/fakeclock", 'run', $clock, '--', "$dir/static");
($said, $status) = doctor("$build/fakeclock", 'doctor', $static->{pid});
is($status, 0, 'a static process follows');
like($said, qr/^by          redirecting and trapping waits; /m, '  and its waits do');
unlike($said, qr/^beware/m, '  of which nothing has to be said');
finish($static);
$static = waiting("$dir/static");
my $hangs_perhaps = qr/process $static->{pid}: waits until a time on the clock may hang, for it is linked [^\n]*/;
($said, $status) = doctor("$build/fakeclock", 'attach', $clock, $static->{pid});
is($status, 0, 'one that is only attached is on the clock');
like($said, qr/\Afakeclock: $hangs_perhaps\n\z/, '  and one line tells what may go wrong');
($said) = doctor("$build/fakeclock", 'attach', '--tree', $clock, $static->{pid});
like($said, qr/\Afakeclock: $hangs_perhaps\n\z/, '  in a tree, too');
($said) = doctor("$build/fakeclock", 'doctor', $static->{pid});
like($said, qr/^beware      $hangs_perhaps$/m, '  and so does doctor');
finish($static);

# Its children hang for two seconds, in which a busy machine may not come to look at them: then they hang again.
my $hangs;
for (1 .. 10) {
    my $again = waiting("$dir/static");
    fake('attach', $clock, $again->{pid});
    syswrite $again->{to}, "\n";
    for (1 .. 200) { # until its children have come so far
        ($hangs) = grep { doctor_says($_, qr/^waits now   1 thread until a time that the kernel takes for real$/m) }
            split ' ', `pgrep -P $again->{pid}`;
        last if $hangs;
    }
    finish($again);
    last if $hangs;
}
sub doctor_says ($pid, $what) { return (doctor("$build/fakeclock", 'doctor', $pid))[0] =~ $what }
ok($hangs, '  and one that hangs at it is told of');

my $attached = waiting("$dir/waits");
fake('attach', $clock, $attached->{pid});
ok(!doctor_says($attached->{pid}, qr/^beware/m), 'one that was only attached waits by its clock too');
finish($attached);
SKIP: {
    skip 'musl-gcc is not installed', 1 if !installed('musl-gcc');
    build_c('musl-gcc', $dir, 'inside', 'musl-dynamic') or BAIL_OUT('no musl program');
    my $other = waiting("$dir/musl-dynamic");
    fake('attach', $clock, $other->{pid});
    ok(doctor_says($other->{pid}, qr/^beware      its libc is not one that we know; waits until [^\n]* may hang$/m),
        'one of another libc is warned of');
    finish($other);
}
my $both = waiting("$build/fakeclock", 'run', $clock, '--', "$dir/waits");
($said, $status) = doctor("$build/fakeclock", 'doctor', $both->{pid});
unlike($said, qr/^beware/m, 'one that was preloaded is not warned of');
like($said, qr/^by          redirecting and preloading/m, '  but told of');
finish($both);
done_testing;
