#!/usr/bin/perl
# Programs under sanitizers have terabytes mapped, and are put on a clock and taken off it as fast as others: only what
# their objects call their own is searched for pointers.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($ahead fake build_c start ask finish is_real is_ahead);
use Test::More;

my $dir = tempdir('sanitized.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
my $enough = 3; # seconds of a processor; a search of all that is mapped takes a minute
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');

sub processor_time { my (undef, undef, $user, $system) = times; return $user + $system }

sub costs_little ($what, @arguments) {
    my $before = processor_time();
    ok(fake(@arguments), $what);
    my $took = processor_time() - $before;
    cmp_ok($took, '<', $enough, sprintf '  in %.0f ms of a processor', 1000 * $took);
    return;
}

local $ENV{TSAN_OPTIONS} = "report_bugs=0"; # its counters are read as they stand
for my $sanitizer (qw(thread address)) {
    SKIP: {
        build_c('cc', $dir, 'answers', $sanitizer, "-fsanitize=$sanitizer -pthread")
            or skip "there is no $sanitizer sanitizer here", 6;
        my $process = start("$dir/$sanitizer", $ahead, 2);
        ask($process) or skip "the $sanitizer sanitizer does not run on this kernel", 6;
        costs_little("$sanitizer: attach", 'attach', $clock, $process->{pid});
        ok(is_ahead($process), '  is on the clock');
        costs_little("$sanitizer: detach", 'detach', $process->{pid});
        ok(is_real($process), '  is off it');
        finish($process);
    }
}
done_testing;
