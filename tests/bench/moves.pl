#!/usr/bin/perl
# tests/bench/moves.pl BUILD [ROUNDS]
#
# How long what moves a clock takes, as those see it who are moved: a jump in another process, a sleeper's waking,
# the pause of an attach, what a launch adds.  Each round has one of everything, so that a machine that is busy is
# so for all.
use v5.36;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);

my $build = abs_path($ARGV[0] // 'build');
my $rounds = $ARGV[1] // 15;
my $here = dirname(abs_path($0));
my $dir = tempdir('moves.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
my $fakeclock = "$build/fakeclock";
my $root = dirname(dirname($here));

sub must (@command) { system(@command) == 0 or die "@command: $?\n"; return }
my @sources = map { "$root/$_" } 'faketime/clock.c', 'faketime/page.c', 'faketime/vdso.c',
    map { "testbed/wire/$_.c" } qw(error moment);
my @compiler = ($ENV{CC} // 'cc', '-O2');
must(@compiler, '-D_GNU_SOURCE', "-I$root", '-o', "$dir/moves", "$here/programs/moves.c", @sources, '-lm');
open my $source, '>', "$dir/true.c" or die $!;
print {$source} "int main(void) { return 0; }\n"; # as static as a Go program
close $source;
must(@compiler, '-static', '-o', "$dir/static", "$dir/true.c");
must(@compiler, '-o', "$dir/dynamic", "$dir/true.c");
must($fakeclock, 'new', $clock);

open my $java, '>', "$dir/Gaps.java" or die $!;
print {$java} <<'END';
class Gaps {
    public static void main(String[] unused) throws Exception {
        long end, before = System.nanoTime(), longest = 0;
        for (end = before + 500_000_000L; before < end; before = System.nanoTime()) {} // until it is compiled
        System.out.println("ready");
        long now;
        for (end = before + 400_000_000L; before < end; before = now) {
            now = System.nanoTime();
            longest = Math.max(longest, now - before);
        }
        System.out.println(longest);
        System.exit(0);
    }
}
END
close $java;
my $has_java = system("cd $dir && javac Gaps.java >/dev/null 2>&1") == 0;

# A process that has said that it is ready.
sub started (@command) {
    my $pid = open2(my $from, my $to, @command);
    readline $from;
    return ($pid, $from);
}

sub answer ($pid, $from) {
    my $line = readline $from;
    waitpid $pid, 0;
    return $line + 0;
}

sub seen ($mode) {
    my ($pid, $from) = started($fakeclock, 'run', $clock, '--', "$dir/moves", $mode);
    select undef, undef, undef, 0.02; # until it spins, or sleeps
    my $began = `$dir/moves jump $clock`;
    return answer($pid, $from) - $began;
}

# The longest gap in a process that is attached meanwhile, or in which nothing happens.
sub gap ($attach) {
    my ($pid, $from) = started("$dir/moves", 'gaps');
    select undef, undef, undef, 0.01;
    must($fakeclock, 'attach', $clock, $pid) if $attach;
    kill 'TERM', $pid;
    return answer($pid, $from);
}

sub java_gap ($attach) {
    my ($pid, $from) = started('java', '-cp', $dir, 'Gaps');
    must($fakeclock, 'attach', $clock, $pid) if $attach;
    return answer($pid, $from);
}

sub launch ($program, @before) { return `$dir/moves launch 40 @before $dir/$program` }

# Without anything to measure: what the row before takes more than the one before that.
my @rows = (
    ['a jump is seen by another process', 'us', 5, sub { seen('watch') / 1e3 }],
    ['a sleeper is woken', 'us', 1000, sub { seen('sleep') / 1e3 }],
    ['a gap where nothing happens', 'ms', undef, sub { gap(0) / 1e6 }],
    ['  where it is attached', 'ms', 10, sub { gap(1) / 1e6 }],
    $has_java ? (['a gap in Java where nothing happens', 'ms', undef, sub { java_gap(0) / 1e6 }],
        ['  where it is attached', 'ms', 30, sub { java_gap(1) / 1e6 }]) : (),
    map {
        my $program = $_;
        ["a launch, bare, of a $program program", 'ms', undef, sub { launch($program) / 1e6 }],
            ['  on a clock', 'ms', undef, sub { launch($program, $fakeclock, 'run', $clock, '--') / 1e6 }],
            ['  which adds', 'ms', 1]
    } qw(static dynamic),
);
my %values;
for (1 .. $rounds) {
    for my $i (0 .. $#rows) { push @{$values{$i}}, $rows[$i][3]->() if $rows[$i][3] }
}

say "Moving a clock, as those see it who are moved: minimum (median) of $rounds interleaved rounds";
my @before;
for my $i (0 .. $#rows) {
    my ($name, $unit, $limit) = @{$rows[$i]};
    my @sorted = sort { $a <=> $b } @{$values{$i} // []};
    @sorted = map { $before[-1][$_] - $before[-2][$_] } 0 .. $rounds - 1 if !@sorted;
    push @before, \@sorted;
    printf "%-40s %8.2f (%8.2f) %s%s\n", $name, $sorted[0], $sorted[@sorted / 2], $unit,
        $limit ? ", at most $limit wanted" : '';
}
