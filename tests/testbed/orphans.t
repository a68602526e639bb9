#!/usr/bin/perl
# kill -9 of `rehearse` at any moment leaves no process behind: with namespaces, and
# where the kernel refuses them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Time::HiRes qw(sleep);
use Test::More;

my $kills = $ENV{KILLS} // 50; # of each kind

my $play = scenario(<<'PLAY');
scenario "A play with everything in it"
local house   = ca      { root = "10y" }
local shop    = target  { "builtin", "nginx", name = "shop.test", certificate = house:issue {} }
local renewal = renewal { of = shop, from = house, when_left = "300d", every = "20ms" }
local fleet   = clients { "openssl", "gnutls", "wolfssl", to = shop }
steady "all is well"
fleet:expect { success = "1%", during = "20s" }
PLAY

sub kill_at_random {
    my ($name, @options) = @_;
    my @left;
    for my $round (1 .. $kills) {
        my $state = "$DIR/$name-$round";
        my $run = start('run', '--state', $state, @options, $play);
        sleep rand 0.8; # the moment is the subject of this test
        kill 'KILL', $run->{pid};
        waitpid $run->{pid}, 0;
        push @left, survivors($state) unless gone($state);
    }
    is_deeply \@left, [], "$kills kills, $name: nobody is left";
}

kill_at_random('isolated', '--target', 'builtin');
kill_at_random('nginx', '--target', 'nginx') if -x '/usr/sbin/nginx';
{
    local $ENV{REHEARSE_NO_NAMESPACES} = 1;
    kill_at_random('shared', '--target', 'builtin');
}

# The test itself can see: a live run has processes.
my $run = start('run', '--state', "$DIR/live", $play);
my $seen = 0;
for (1 .. 500) { last if $seen = grep { /target-builtin/ } survivors("$DIR/live"); sleep 0.01 }
ok $seen, 'while it runs, its processes are seen';
kill 'KILL', $run->{pid};
waitpid $run->{pid}, 0;
ok gone("$DIR/live"), 'and then no more';

done_testing;
