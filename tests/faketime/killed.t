#!/usr/bin/perl
# fakeclock is killed at every step of what it does to a process, which must live on, on real time until the
# step that counts, and be none the worse for it: the next attach and detach work.
#
# A few steps of every runtime in `make check`, every eleventh of two, and each of a launch that traps; every step of
# all, where REHEARSE_LONG is set.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($build $ahead fake build_c runtimes start ask finish is_ahead is_real);
use Test::More;

my $dir = tempdir('killed.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
my $long = $ENV{REHEARSE_LONG};
fake('new', $clock) && fake('set', $clock, '+100d') or BAIL_OUT('no clock');
build_c('cc', $dir, 'killat', 'killat') or BAIL_OUT('no killat');

my ($most_sent, $never) = (99, 101); # killat's

# How often it had sent the process somewhere when it was killed at that step; undef: it had ended before.
sub killed_at ($step, @arguments) {
    my $status = system("$dir/killat", $step, "$build/fakeclock", @arguments) >> 8;
    die "killat: $status" if $status >= $most_sent && $status != $never;
    return $status == $never ? undef : $status;
}

# How many steps it was killed at, and those after which the process was not as it should be: it is to read
# `first` until it has been sent a certain number of times, and `then` from there on.  It is the main thread that is
# sent; another one may answer before it has gone, and is to read the one or the other.
sub every_step ($by_main, $stride, $first, $then, $prepare, $kill, $mend) {
    my ($steps, $arrived, @bad, @reads_first) = (0, $most_sent);
    for (my $step = 1;; $step += $stride) {
        my $process = $prepare->($step);
        my $sent = $kill->($process, $step);
        my $is_first = $first->($process);
        my $is_then = !$is_first && $then->($process);
        my $at = "$step (sent " . ($sent // 'home') . ')';
        $arrived = $sent if $is_then && defined $sent && $sent < $arrived;
        push @bad, "$at, neither" if !$is_first && !$is_then;
        push @bad, "$at, not mended" if !$mend->($process);
        push @reads_first, [$at, $sent // $most_sent] if $is_first;
        finish($process);
        last if !defined $sent;
        $steps++;
    }
    my $enough = $by_main ? $arrived : $most_sent;
    push @bad, map { "$_->[0], where $enough was enough" } grep { $_->[1] >= $enough } @reads_first;
    return ($steps, @bad);
}

sub mend ($process) {
    return fake('attach', $clock, $process->{pid}) && is_ahead($process)
        && fake('detach', $process->{pid}) && is_real($process);
}

# The same where the helper of a launch is killed.  A program that is preloaded besides may be on the clock by that
# alone, and is on real time where a redirection was begun and the clock has not come.
sub launched ($is_preloaded, $stride, @command) {
    my ($steps, $arrived, @bad, @reads_real) = (0, $most_sent);
    for (my $step = 1;; $step += $stride) {
        my $process = start("$dir/killat", $step, "$build/fakeclock", 'run', $clock, '--', @command);
        my $is_real = is_real($process);
        my $is_ahead = !$is_real && is_ahead($process);
        my ($program) = split ' ', `pgrep -P $process->{pid}`;
        if (defined $program) {
            push @bad, "$step, neither" if !$is_real && !$is_ahead;
            push @bad, "$step, not mended" if !mend({%$process, pid => $program});
            kill 'KILL', $program;
        } else { # before it had said that it was there: the launch was refused
            push @bad, $step if $step > 4;
        }
        close $process->{$_} for 'to', 'from';
        waitpid $process->{pid}, 0;
        my $sent = $? >> 8;
        push @bad, "$step, at home" if $sent == $never && !$is_ahead;
        last if $sent == $never;
        $arrived = $sent if $is_ahead && $sent < $arrived;
        push @reads_real, [$step, $sent] if $is_real;
        $steps++;
    }
    my $enough = $is_preloaded ? $most_sent : $arrived;
    push @bad, map { "$_->[0] (sent $_->[1]), where $enough was enough" } grep { $_->[1] >= $enough } @reads_real;
    return ($steps, @bad);
}

sub says ($what, $steps, @bad) {
    ok($steps > 10 && !@bad, "$what, killed at $steps steps") or diag "not after steps @bad";
    return;
}

# One that does not run meanwhile: it has not come home when the next one comes to put it on the clock.
sub standing ($stride, @command) {
    my ($steps, @bad) = (0);
    for (my $step = 1;; $step += $stride) {
        my $process = start(@command);
        is_real($process);
        kill 'STOP', $process->{pid};
        my $sent = killed_at($step, 'attach', $clock, $process->{pid});
        my $again = fake('attach', $clock, $process->{pid});
        kill 'CONT', $process->{pid};
        push @bad, $step if !$again || !is_ahead($process) || !mend($process);
        finish($process);
        last if !defined $sent;
        $steps++;
    }
    return ($steps, @bad);
}

for (runtimes($dir)) {
    my ($name, @command) = @$_;
    my $by_main = $name !~ /Go|java/;
    my $stride = $long ? 1 : $name =~ / C program/ ? 11 : $name =~ /musl|Go/ ? 17 : 47; # of fewer steps and more
    says("$name: attach while it stands", standing($stride, @command));
    says("$name: attach", every_step($by_main, $stride, \&is_real, \&is_ahead,
        sub { my $process = start(@command); is_real($process); $process },
        sub ($process, $step) { killed_at($step, 'attach', $clock, $process->{pid}) }, \&mend));
    says("$name: detach", every_step($by_main, $stride, \&is_ahead, \&is_real,
        sub { my $process = start(@command); is_real($process); fake('attach', $clock, $process->{pid}); $process },
        sub ($process, $step) { killed_at($step, 'detach', $process->{pid}) }, \&mend));
    my $is_preloaded = $name !~ /static|musl/;
    my $is_trapped = $name =~ /static C/;
    says("$name: launch", launched($is_preloaded, $long || $is_trapped ? 1 : 17, @command));
}
done_testing;
