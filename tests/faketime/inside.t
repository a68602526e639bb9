#!/usr/bin/perl
# Threads that are inside a wait until a time on the calendar when something happens to it: the calendar moves, the
# process is taken off it, or put on it only then.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($build preloaded fake build_c start finish);
use Test::More;

my $dir = tempdir('inside.XXXXXX', TMPDIR => 1, CLEANUP => 1);
build_c('cc', $dir, 'inside', 'lazy', '-pthread -Wl,-z,lazy') or BAIL_OUT('no compiler');
build_c('cc', $dir, 'inside', 'bound', '-pthread -Wl,-z,now') or BAIL_OUT('no compiler');
my @ways = qw(condition semaphore mutex rwlock sleep descriptor timer older futex);
my $hour = 3600;
my $patience = 60; # seconds, after which something hangs


sub a_clock ($name) {
    fake('new', "$dir/$name") && fake('set', "$dir/$name", '+100d') or BAIL_OUT('no clock');
    return "$dir/$name";
}

sub begin (@command) {
    my $process = start(@command);
    readline $process->{from}; # ready
    return $process;
}

my %means = (
    preloaded => sub ($clock, $length) {
        begin(preloaded($clock, "$dir/lazy", $length));
    },
    map {
        my $program = "$dir/$_";
        ("attached, $_" => sub ($clock, $length) {
            my $process = begin($program, $length);
            fake('attach', $clock, $process->{pid}) or BAIL_OUT('not attached');
            return $process;
        })
    } qw(lazy bound));

sub awake ($thread) {
    open my $stat, '<', "$thread/stat" or return 0;
    return readline($stat) =~ /\) R/;
}

# Sends them to wait, and comes back when all of them do.
sub go_inside ($process) {
    syswrite $process->{to}, "\n";
    my $said = readline $process->{from};
    my $in_a_row = 0;
    $in_a_row = (grep { awake($_) } glob "/proc/$process->{pid}/task/*") ? 0 : $in_a_row + 1 while $in_a_row < 20;
    return $said eq "inside\n";
}

# That each has ended after that many milliseconds, more or less, and how.
sub ended ($what, $process, $from, $to) {
    my %took;
    local $SIG{ALRM} = sub { kill 'KILL', $process->{pid} };
    alarm $patience;
    while (defined(my $line = readline $process->{from})) {
        last if $line eq "end\n";
        $took{$1} = $2 if $line =~ /^(\S+) (\S+)$/;
    }
    alarm 0;
    is(delete $took{cancelled}, 'well', "$what: one that is cancelled has its mutex");
    my @wrong = grep { !defined $took{$_} || $took{$_} < $from || $took{$_} > $to } @ways;
    ok(!@wrong, "$what: nine waits") or diag explain \%took;
    finish($process);
    return;
}

for my $name (sort keys %means) {
    my $clock = a_clock("moved by $name");
    my $process = $means{$name}->($clock, $hour);
    go_inside($process);
    fake('set', $clock, "+101d");
    ended("$name, the calendar moves past the time", $process, 0, 10_000);

    $process = $means{$name}->($clock, 2);
    go_inside($process);
    ok(fake('detach', $process->{pid}), "$name, taken off while it waits");
    ended("$name, and it waits for the rest", $process, 1_800, 10_000);
}

my $clock = a_clock('later');
my $process = begin("$dir/bound", 3);
go_inside($process);
ok(fake('attach', $clock, $process->{pid}), 'put on a clock only while it waits');
ended('the time that it waits for stays a real one', $process, 2_800, 10_000);
done_testing;
