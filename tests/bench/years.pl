#!/usr/bin/perl
# tests/bench/years.pl BUILD [ROUNDS]
#
# How long a year takes in which certificates of 47 days are renewed, by Caddy and by lego for nginx, by turns: the
# wall time of the scenario, from its start to its last line.  Beside it what makes it a year: how often what
# was served changed, how many looks found it expired, and how near to its end it came.
#
# It goes as fast as two processors go that have nothing else to do: most of it is waiting for programs to come to rest.
use v5.36;
use File::Basename qw(dirname);
use Time::HiRes qw(time);

my ($build, $rounds) = ($ARGV[0] // 'build', $ARGV[1] // 3);
my $scenarios = dirname($0) . '/../../scenarios/calendar';
my @years = (['caddy', 90], ['lego', 45]);
my (%best, $bad);

sub year ($who) {
    my $began = time;
    my $told = `$build/rehearse run $scenarios/year-$who.lua 2>&1`;
    my ($status, $took) = ($? >> 8, time - $began);
    my ($passed) = $told =~ /^((?:not )?ok \d+ - inject: a year passes .*?^  \.\.\.)$/ms;
    my ($rotations) = ($passed // '') =~ /^  rotations: (\d+)/m;
    my ($left) = ($passed // '') =~ /^  least_left: "([^"]*)"/m;
    my $expired = 0;
    $expired += $_ for ($passed // '') =~ /expired x(\d+)/g;
    printf "%-6s %7.1f s  %9s  %7d  %-34s %s\n", $who, $took, $rotations // '-', $expired, $left // '-',
        $status ? "exit status $status" : 'met';
    print $told if $status;
    return $status ? undef : $took;
}

printf "a year of 47-day certificates, %d rounds\n%-6s %9s  %9s  %7s  %-34s %s\n", $rounds, '', 'wall', 'rotations',
    'expired', 'least left', 'expectations';
for (1 .. $rounds) {
    for (map { $_->[0] } @years) {
        my $took = year($_);
        $bad ||= !defined $took;
        $best{$_} = $took if defined $took && $took < ($best{$_} // $took + 1);
    }
}
printf "%-6s at best %.1f s; the goal is %d s\n", $_->[0], $best{ $_->[0] } // 'inf', $_->[1] for @years;
exit($bad ? 1 : 0);
