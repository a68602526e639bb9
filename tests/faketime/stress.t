#!/usr/bin/perl
# A program with hot threads and a thousand signals a second, put on a clock and taken off again and again: it
# never reads a wrong time, nor one that goes back, and lives.  300 times where REHEARSE_LONG is set; a Go
# program, whose threads are preempted by signals and whose memory is collected all the time, the same.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($build $ahead fake build_c go start ask finish);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $dir = tempdir('stress.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
my $cycles = $ENV{REHEARSE_LONG} ? 300 : 20;
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');

sub torment ($name, @command) {
    my $process = start(@command);
    my ($done, $began) = (0, clock_gettime(CLOCK_MONOTONIC));
    ok(defined((ask($process))[0]), "$name begins");
    for (1 .. $cycles) {
        last if !fake('attach', $clock, $process->{pid}) || !fake('detach', $process->{pid});
        $done++;
    }
    my ($real, undef, $time, $backward, $wrong, $reads) = ask($process);
    is($done, $cycles, "  $cycles times on and off");
    ok(defined $real && abs($real - time) < 60 && abs($time - time) < 60, '  it lives, on real time');
    is($backward, 0, '  no step back');
    is($wrong, 0, '  nothing wrong');
    ok($reads > 1000, '  and it was busy') and note "$reads readings";
    note sprintf '%.1f ms a change', (clock_gettime(CLOCK_MONOTONIC) - $began) * 500 / $cycles;
    finish($process);
    return;
}

build_c('cc', $dir, 'answers', 'busy', '-pthread') or BAIL_OUT('no compiler');
torment('a C program', "$dir/busy", $ahead, 4);
SKIP: {
    skip 'go is not installed', 6 if !go($dir, "$Bin/programs/busy.go", 'busygo');
    torment('a Go program', "$dir/busygo", $ahead, 4);
}
done_testing;
