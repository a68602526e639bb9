# How tests run `rehearse`: in a directory of their own, with what it said and how it ended.
package Rehearse;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Temp qw(tempdir);
use IPC::Open3;
use JSON::PP;
use Time::HiRes qw(time sleep);
use Symbol qw(gensym);

our @EXPORT = qw($BUILD $DIR plays rehearse scenario long_scenario start survivors gone);

our $BUILD = abs_path($ENV{BUILD} // 'build');
our $DIR = tempdir(CLEANUP => 1);
chmod 0755, $DIR;
$ENV{TMPDIR} = $DIR; # what is kept of a run that fails goes with the test

my $number = 0;

# A file with this text; its path.
sub scenario {
    my ($text) = @_;
    my $path = sprintf '%s/play-%d.lua', $DIR, ++$number;
    open my $file, '>', $path or die "$path: $!";
    print $file $text;
    close $file;
    return $path;
}

# One that is well, and then has nothing to do for so long that whoever breaks in finds it at that.
sub long_scenario {
    return scenario(<<'PLAY');
scenario "A long play"
local house = ca      { root = "10y" }
local shop  = target  { "builtin", name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", to = shop }
steady "all is well"
fleet:expect { success = "100%", during = "100ms" }
inject "a long wait"
fleet:expect { success = "100%", during = "100s" }
recover "never reached"
fleet:expect { success = "100%", during = "1s" }
PLAY
}

# Starts it; a hash of pid, and handles out and err.  REHEARSE_SLACK is for plays that are expected to end well,
# on a machine that others use too.
sub start {
    my (@arguments) = @_;
    splice @arguments, 1, 0, '--slack', $ENV{REHEARSE_SLACK} if $ENV{REHEARSE_SLACK} && $arguments[0] eq 'run';
    my $err = gensym;
    my $pid = open3(my $in, my $out, $err, "$BUILD/rehearse", @arguments);
    close $in;
    return { pid => $pid, out => $out, err => $err };
}

sub slurp_both {
    my ($run) = @_;
    my %text = (out => '', err => '');
    my %open = (out => 1, err => 1);
    while (%open) {
        my $bits = '';
        vec($bits, fileno($run->{$_}), 1) = 1 for keys %open;
        select($bits, undef, undef, undef);
        for my $name (keys %open) {
            next unless vec($bits, fileno($run->{$name}), 1);
            sysread($run->{$name}, $text{$name}, 65536, length $text{$name}) or delete $open{$name};
        }
    }
    return ($text{out}, $text{err});
}

# Runs it to its end: (exit status or "signal N", stdout, stderr).
sub rehearse {
    my $run = start(@_);
    my ($out, $err) = slurp_both($run);
    waitpid $run->{pid}, 0;
    return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $out, $err);
}

# The files of the scenarios in the tree; those with the tag "long" only where there is time for them.
sub plays {
    my ($status, $out, $err) = rehearse('list', 'scenarios', '--json');
    die $err if $status;
    my @all = @{ decode_json($out) };
    @all = grep { !grep { $_ eq 'long' } @{ $_->{tags} } } @all unless $ENV{REHEARSE_LONG};
    return map { $_->{file} } @all;
}

# Processes that belong to a state directory: they name it, or live in it.
sub survivors {
    my ($state) = @_;
    my @found;
    for my $proc (glob '/proc/[0-9]*') {
        next if $proc eq "/proc/$$";
        my $cwd = readlink("$proc/cwd") // '';
        my $line = '';
        if (open my $file, '<', "$proc/cmdline") { local $/; $line = <$file> // ''; }
        next unless length $line; # a zombie holds nothing
        push @found, "$proc: " . ($line =~ tr/\0/ /r)
            if index($line, $state) >= 0 || index($cwd, $state) == 0;
    }
    return @found;
}

# Waits until nothing of it is left: true if that came to pass within a minute.
sub gone {
    my ($state) = @_;
    my $deadline = time + 60;
    while (time < $deadline) {
        return 1 unless survivors($state);
        sleep 0.005; # a process that was killed has no event for its stranger
    }
    return 0;
}

1;
