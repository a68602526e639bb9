#!/usr/bin/perl
# A signal whose handler was set without SA_RESTART ends a wait with EINTR, as bare: whatever means put the program on a
# clock, and also when the signal comes between two of the slices into which a wait is cut.
#
# Some three thousand signals in `make check`, thirty thousand where REHEARSE_LONG is set.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Temp qw(tempdir);
use Runtime qw($build preloaded fake build_c start finish);
use Test::More;

my $dir = tempdir('signals.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($clock, $bare, $static) = map { "$dir/$_" } qw(clock bare static);
my @rounds = ($ENV{REHEARSE_LONG} ? 700 : 70);
build_c('cc', $dir, 'interrupted', @$_) or BAIL_OUT('no compiler')
    for ['bare', '-D_GNU_SOURCE -pthread'], ['static', '-D_GNU_SOURCE -static -pthread'];
fake('new', $clock) && fake('set', '--mono', $clock, '+1d') or BAIL_OUT('no clock');
fake('rate', $clock, 2) && fake('rate', '--mono', $clock, 2) or BAIL_OUT('no rate');

my @run = ("$build/fakeclock", 'run', $clock, '--');
my %means = (
    bare     => sub { start($bare, @rounds) },
    shim     => sub { start(preloaded($clock, $bare, @rounds)) },
    both     => sub { start(@run, $bare, @rounds) },
    static   => sub { start(@run, $static, @rounds) },
    attached => sub { my $started = start($bare, @rounds); fake('attach', $clock, $started->{pid}); $started },
);

my %started = map { ($_ => $means{$_}->()) } sort keys %means;
for my $process (values %started) {
    readline $process->{from};
    syswrite $process->{to}, "\n";
}
for my $means (sort keys %started) {
    my %unnoticed;
    while (defined(my $line = readline $started{$means}{from})) {
        last if $line eq "end\n";
        $unnoticed{$1} = $2 if $line =~ /^(\S+) (\d+)$/;
    }
    is(keys %unnoticed, 8, "$means: eight kinds of wait");
    is_deeply([map { "$_: $unnoticed{$_}" } grep { $unnoticed{$_} } sort keys %unnoticed], [],
        "  each was ended by each of $rounds[0] signals");
    finish($started{$means});
}
done_testing;
