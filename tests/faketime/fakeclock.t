#!/usr/bin/perl
# The command line of fakeclock, good and bad.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Temp 'tempdir';
use Test::More;

our $build = abs_path($ENV{BUILD} // 'build');
my $dir   = tempdir('fakeclock.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";

# What it says on stdout and on stderr, and its exit status.
sub fakeclock {
    my @arguments = @_;
    my $pid = fork // die $!;
    if ($pid == 0) {
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec {"$build/fakeclock"} "$build/fakeclock", @arguments;
        exit 127;
    }
    waitpid $pid, 0;
    my $status = $? >> 8;
    my @said = map { open my $file, '<', "$dir/$_" or die $!; join '', <$file> } 'out', 'err';
    return (@said, $status);
}

sub works {
    my ($name, $says, @arguments) = @_;
    my ($out, $err, $status) = fakeclock(@arguments);
    is($status, 0, "$name: works");
    is($err, '', "$name: has nothing to complain of");
    like($out, $says, "$name: says what it should");
}

# One line, with our name, and with what is wrong.
sub refuses {
    my ($name, $with, $line, @arguments) = @_;
    my ($out, $err, $status) = fakeclock(@arguments);
    is($status, $with, "$name: exit status $with");
    is($out, '', "$name: nothing on stdout");
    like($err, qr/\Afakeclock: [^\n]*$line[^\n]*\n\z/, "$name: one line that says so");
}

my $silent = qr/\A\z/;
works('new',             $silent, 'new', $clock);
works('show',            qr/^ahead 0s$/m, 'show', $clock);
works('set ahead',       $silent, 'set', $clock, '+90d');
works('show',            qr/^ahead 90d\nrate  1, real speed$/m, 'show', $clock);
works('advance',         $silent, 'advance', $clock, '-30d');
works('show',            qr/^ahead 60d$/m, 'show', $clock);
works('set back',        $silent, 'set', $clock, '-10d');
works('show',            qr/^ahead -10d$/m, 'show', $clock);
works('set in the past', $silent, 'set', $clock, '1969-07-20T20:17:40Z');
works('freeze',          $silent, 'freeze', $clock);
works('set while frozen', $silent, 'set', $clock, '2027-03-01T00:00:00Z');
works('show',            qr/^now   2027-03-01T00:00:00Z\n.*^rate  0, frozen$/ms, 'show', $clock);
works('show --json',     qr/^\{"now":1803859200\.000000000,"offset":[^,]+,"rate":0,"mono":1,"generation":6\}$/,
    'show', '--json', $clock);
works('rate',            $silent, 'rate', $clock, '1000');
works('show',            qr/^rate  1000$/m, 'show', $clock);
works('rate --mono',     $silent, 'rate', '--mono', $clock, '2.5');
works('show',            qr/^rate  2\.5\nmono  2\.5$/m, 'show', $clock);
works('freeze --mono',   $silent, 'freeze', $clock, '--mono');
works('show',            qr/^rate  0, frozen\nmono  0, frozen$/m, 'show', $clock);
works('show --json',     qr/"rate":0,"mono":0,/, 'show', '--json', $clock);
works('back to 1',       $silent, 'rate', $clock, '1');
works('show',            qr/^rate  1, real speed\n\z/m, 'show', $clock);
works('Unix seconds',    $silent, 'set', $clock, '@4102444800');
works('show',            qr/^now   2100-01-01T00:00:0/, 'show', $clock);
works('run',             qr/^2100-01-01/, 'run', $clock, '--', 'date', '-u', '+%F');
works('run without --',  qr/^2100-01-01/, 'run', $clock, 'date', '-u', '+%F');
works('run a script',    qr/^2100-01-01/, 'run', $clock, '--', 'sh', '-c', 'cd / && date -u +%F');
open my $nameless, '>', "$dir/nameless" or die $!; # no first line that says whose it is
print {$nameless} "date -u +%F\necho \"\$1 of \$#\"\n";
close $nameless;
chmod 0755, "$dir/nameless";
works("run the shell's", qr/^2100-01-01\none of 2$/, 'run', $clock, '--', "$dir/nameless", 'one', 'two');

# As bare: a launch takes place on one processor, and gives back the others.
my @processors = ('grep', '^Cpus_allowed:', '/proc/self/status');
my $all = `@processors`;
works('run on all processors', qr/\A\Q$all\E\z/, 'run', $clock, '--', @processors);
works('--help',          qr/^  fakeclock new FILE/m, '--help');
works('--help, too',     qr/^  1  step: not settled/m, '--help');
works('set --help',      qr/^usage: fakeclock set \[options\] FILE TIME/, 'set', '--help');

my ($out, $err, $status) = fakeclock();
is($status, 2, 'no verb at all: exit status 2');
like($err, qr/^  fakeclock new FILE/m, 'and the verbs on stderr');

refuses('an unknown verb',       2, qr/did you mean 'set'\?/,               'sett', $clock);
refuses('no file',               2, qr/expected: fakeclock freeze FILE/,    'freeze');
refuses('an option for a file',  2, qr/expected: fakeclock new FILE/,       'new', '--force');
refuses('one argument more',     2, qr/expected: fakeclock set FILE TIME/,  'set', $clock, '+1d', '2d');
refuses('an unknown option',     2, qr/did you mean --json\?/,              'show', '--jsn', $clock);
refuses('to overwrite',          2, qr/\Q$clock\E: exists already/,         'new', $clock);
refuses('a missing clock',       2, qr/none: cannot open the clock: No such file/, 'set', "$dir/none", '+1d');
refuses('a missing folder',      2, qr/cannot create the clock: No such file/, 'new', "$dir/no/clock");
refuses('what is not a clock',   2, qr/out: not a clock; expected/,         'set', "$dir/out", '+1d');
refuses('a folder',              2, qr/cannot open the clock|not a clock/,  'freeze', $dir);
refuses('a device',              2, qr/not a clock/,                        'show', '/dev/null');
refuses('a bad time',            2, qr/'tomorrow' is not a time/,           'set', $clock, 'tomorrow');
refuses('a bad date',            2, qr/'2027-02-30' is not a time/,         'set', $clock, '2027-02-30');
refuses('a bad duration',        2, qr/'7' is not a duration/,              'advance', $clock, '7');
refuses('the year 3000',         2, qr/beyond the calendar/,                'set', $clock, '3000-01-01');
refuses('centuries',             2, qr/beyond the calendar/,                'advance', $clock, '250y');
refuses('a bad rate',            2, qr/'fast' is not a rate/,               'rate', $clock, 'fast');
refuses('a negative rate',       2, qr/-1 is not a rate/,                   'rate', $clock, '-1');
refuses('no command',            2, qr/expected: fakeclock run FILE -- COMMAND/, 'run', $clock, '--');
refuses('no clock to run on',    2, qr/none: cannot open the clock/,        'run', "$dir/none", '--', 'date');
refuses('an unknown command',    2, qr/no-such-command: command not found/, 'run', $clock, '--', 'no-such-command');
refuses('what cannot be run',    2, qr/not an executable file/,             'run', $clock, '--', $clock);

works('show', qr/^now   2100-01-01T00:00:/, 'show', $clock); # none of which moved it

# --- where it may not write ---------------------------------------------------------------------

SKIP: {
    my ($nobody) = (getpwnam 'nobody')[2];
    skip 'only root can become somebody else', 6 unless $> == 0;
    chmod 0755, $dir;
    chmod 0777, "$dir/out", "$dir/err";
    my $open = tempdir(CLEANUP => 1); # the build may stand where nobody may go
    system('cp', "$build/fakeclock", $open);
    chmod 0755, $open;
    local $build = $open;
    local ($<, $>) = ($nobody, $nobody);
    refuses('a read-only folder', 6, qr/cannot create the clock: Permission denied/, 'new', "$dir/mine");
    refuses('a clock of others',  2, qr/cannot open the clock: Permission denied/, 'set', $clock, '+1d');
}

SKIP: {
    skip 'prlimit is not installed', 2 if system('prlimit --version >/dev/null 2>&1') != 0;
    local $SIG{XFSZ} = 'IGNORE';    # as on a full disk: not all is written
    my $said = `prlimit --fsize=2048 '$build/fakeclock' new $dir/half 2>&1`;
    is($? >> 8, 6, 'a full disk: exit status 6');
    like($said, qr{\Afakeclock: \S+/half: cannot write the clock: No space left on device\n\z},
        'a full disk: one line');
}

is_deeply([grep { !m{/(clock|out|err|nameless)$} } glob "$dir/*"], [], 'no draft is left behind');
done_testing();
