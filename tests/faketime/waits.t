#!/usr/bin/perl
# Eleven kinds of wait, by four means of being on a clock, on five clocks: how long a wait of 300 ms takes.
#
# Where the calendar runs ten times as fast, a wait until a time on it takes a tenth; one for a while does not.  The
# same goes for the monotonic clocks, where they were asked to.
# Attaching to a static program translates no waits until a time, which doctor says; to a dynamic one it does.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use IO::Select ();
use IPC::Open2 qw(open2);
use Runtime qw($build preloaded fake build_c);
use Test::More;

my $dir = tempdir('waits.XXXXXX', TMPDIR => 1, CLEANUP => 1);
build_c('cc', $dir, 'waits', 'waits', '-pthread') or BAIL_OUT('no compiler');
build_c('cc', $dir, @$_) or BAIL_OUT('no static libc')
    for ['waits', 'static', '-static -pthread'], ['year', 'becomes', '-static'];

# --- the clocks ----------------------------------------------------------------------------------------

my %clock = map { ($_ => "$dir/$_") } qw(real jumped mono rate pace);
fake('new', $_) or BAIL_OUT('no clock') for values %clock;
fake('set', $clock{jumped}, '+100d');
fake('set', '--mono', $clock{mono}, '+1d');
fake('set', $clock{rate}, '+1d') && fake('rate', $clock{rate}, '10');
fake('set', '--mono', $clock{pace}, '+1d') && fake('rate', '--mono', $clock{pace}, '10');

# --- the means -----------------------------------------------------------------------------------------

my $plain = "$dir/waits";
my %means = (
    bare     => sub ($clock) { start($plain) },
    shim     => sub ($clock) { start(preloaded($clock, $plain)) },
    both     => sub ($clock) { start("$build/fakeclock", 'run', $clock, '--', $plain) },
    static   => sub ($clock) { start("$build/fakeclock", 'run', $clock, '--', "$dir/static") },
    child    => sub ($clock) { start("$build/fakeclock", 'run', $clock, '--', "$dir/becomes", 'exec', $plain) },
    attached => sub ($clock) { my $started = start($plain); fake('attach', $clock, $started->{pid}); $started },
    rescued  => sub ($clock) {
        my $started = start(preloaded($clock{real}, $plain));
        fake('detach', $started->{pid}) && fake('attach', $clock, $started->{pid});
        $started;
    },
);

sub start (@command) {
    my $pid = open2(my $from, my $to, @command);
    my $process = {pid => $pid, from => $from, to => $to};
    readline $from;
    return $process;
}

# --- the table -----------------------------------------------------------------------------------------

# What a wait takes: `.` 300 ms, as in the bare program; `f` 30 ms; `h` it hangs.
# The child is a dynamic program that a static one has become, whose filter it inherits.
my @kinds = qw(cond_timedwait sem_timedwait mutex_timedlock sleep_until timerfd cond_monotonic nanosleep poll
    select epoll_wait timer_for);
my %length = ('.' => [290, 900], f => [20, 280], h => 'hang');
my %expected = (
    #                      real            jumped          mono            rate            pace
    bare     => [qw(..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...)],
    shim     => [qw(..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ff|ff|f.|..|...  ff|ff|ff|ff|ff.)],
    both     => [qw(..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ff|ff|f.|..|...  ff|ff|ff|ff|ff.)],
    rescued  => [qw(..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ff|ff|f.|..|...  ff|ff|ff|ff|ff.)],
    static   => [qw(..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ff|ff|f.|..|...  ff|ff|ff|..|...)],
    child    => [qw(..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ff|ff|f.|..|...  ff|ff|ff|ff|ff.)],
    attached => [qw(..|..|..|..|...  ..|..|..|..|...  ..|..|..|..|...  ff|ff|f.|..|...  ff|ff|ff|ff|ff.)],
);

sub took ($process) {
    my %took;
    while (defined(my $line = readline $process->{from})) {
        last if $line eq "end\n";
        $took{$1} = $2 if $line =~ /^(\S+) (\S+)$/;
    }
    kill 'KILL', $process->{pid};
    waitpid $process->{pid}, 0;
    return \%took;
}

sub as_expected ($took, $mark) {
    my $expected = $length{$mark};
    return defined $took && $took eq $expected if !ref $expected;
    return defined $took && $took ne 'hang' && $took >= $expected->[0] && $took <= $expected->[1];
}

my @clocks = qw(real jumped mono rate pace);
my @cells = map { my $means = $_; map { [$means, $_] } 0 .. $#clocks } sort keys %means;
push @$_, $means{$_->[0]}->($clock{$clocks[$_->[1]]}) for @cells;
syswrite $_->[2]{to}, "\n" for @cells; # all at once, for those that hang take long to do so
for my $cell (@cells) {
    my ($means, $i, $process) = @$cell;
    my $took = took($process);
    my @marks = split //, $expected{$means}[$i] =~ s/\|//gr;
    my @wrong = grep { !as_expected($took->{$kinds[$_]}, $marks[$_]) } 0 .. $#kinds;
    ok(!@wrong, "$means, $clocks[$i]: eleven waits")
        or diag map { "$kinds[$_] took " . ($took->{$kinds[$_]} // 'nothing') . ", expected $marks[$_]\n" } @wrong;
}
done_testing;
