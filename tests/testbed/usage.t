#!/usr/bin/perl
# The command line, and what the machine may refuse: one clear line each and the
# exit status that says which kind.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Cwd;
use Fcntl qw(:flock);
use POSIX ();
use Test::More;

my $play = scenario(<<'PLAY');
scenario "A play"
local house = ca     { root = "10y" }
local shop  = target { "builtin", name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", to = shop }
steady "all is well"
fleet:expect { success = "100%", during = "100ms" }
PLAY

sub says {
    my ($name, $status, $expected, @arguments) = @_;
    my ($got, $out, $err) = rehearse(@arguments);
    subtest $name => sub {
        is $got, $status, "exit status $status" or diag $err;
        like $err, $expected, 'says why';
        is scalar(grep { !/journal: \S+$/ } split /\n/, $err), 1, 'in one line' or diag $err;
        unlike $err, qr/traceback/, 'without its innards';
    };
}

says 'an unknown verb', 2, qr/unknown verb 'rnu'; did you mean 'run'\?/, 'rnu';
says 'an unknown option', 2, qr/unknown option '--jurnal'; did you mean --journal\?/, 'run', '--jurnal', 'x';
says 'an option without its value', 2, qr/--target needs a value/, 'run', '--target';
says 'no scenario', 2, qr/no scenario given/, 'run';
says 'a missing file', 2, qr{/nowhere/x\.lua: cannot open: No such file}, 'run', '/nowhere/x.lua';
says 'a directory without scenarios', 2, qr/no \*\.lua file/, 'run', '/proc/self/fdinfo';
mkdir "$DIR/linked";
symlink $play, "$DIR/linked/play.lua";
says 'nothing but links', 2, qr/no \*\.lua file/, 'run', "$DIR/linked";
symlink $play, "$DIR/linked/$_" for 1 .. 20_000;
says 'more than a directory of scenarios', 2,
    qr{/linked: more than 20000 files are below it; expected a directory of scenarios}, 'run', "$DIR/linked";
POSIX::mkfifo("$DIR/fifo.lua", 0600) or die;
says 'a FIFO', 2, qr{fifo\.lua: not a regular file}, 'run', "$DIR/fifo.lua";
says 'a FIFO for a configuration', 2, qr{--config: \S+fifo\.lua: not a regular file},
    'run', '--config', "$DIR/fifo.lua", $play;
says 'a FIFO for a journal, that nobody reads', 6, qr{journal: \S+fifo\.lua: nobody reads from it},
    'run', '--journal', "$DIR/fifo.lua", $play;
says 'a device', 2, qr{/dev/zero: not a regular file}, 'run', '/dev/zero';
says 'an unknown target', 2, qr/unknown target 'ngnix'; did you mean 'nginx'\?/, 'run', '--target', 'ngnix', $play;
says 'a state directory that is something else', 2, qr/is no state directory of rehearse/,
    'run', '--state', $DIR, $play;
says 'a state directory that cannot be', 6, qr/cannot make the state directory/, 'run', '--state', '/proc/x', $play;
says 'a full disk', 6, qr{/dev/full: cannot write: No space left}, 'run', '--journal', '/dev/full', $play;
mkdir "$DIR/left";
{
    local $ENV{TMPDIR} = "$DIR/left";
    says 'a journal that cannot be', 6, qr{/nowhere/j: No such file}, 'run', '--journal', '/nowhere/j', $play;
}
is_deeply [glob "$DIR/left/*"], [], '  for which no state directory is left behind';

says 'a seed that is none', 2, qr/--seed: 'abc' is not a whole number/, 'run', '--seed', 'abc', $play;
says 'a seed below 0', 2, qr/--seed: '-1' is not a whole number, 0 or more/, 'run', '--seed', '-1', $play;
says 'a seed in another notation', 2, qr/--seed: '$_' is not a whole number, 0 or more/, 'run', '--seed', $_, $play
    for qw(1e3 0x10 1.0), '99999999999999999999';
says 'no time at all', 2, qr/--timeout: expected a duration above 0/, 'run', '--timeout', '0s', $play;
says 'an unknown TAP', 2, qr/there is no TAP 15 here/, 'run', '--tap', '15', $play;
says 'nobody to run it', 2, qr/-j: expected 1 or more/, 'run', '-j', '0', $play;
says 'no time at all', 2, qr/--slack: expected 1 or more/, 'run', '--slack', '0', $play;
says 'a word too many', 2, qr/targets: unexpected 'foo'/, 'targets', 'foo';
says 'an nginx.conf without nginx', 2, qr/--config is for nginx/, 'run', '--config', '/etc/passwd', $play;

open my $precious, '>', "$DIR/precious" or die;
print $precious "precious\n";
close $precious;
says 'a journal in the place of something else', 2, qr/precious: exists and is no journal/,
    'run', '--journal', "$DIR/precious", $play;

open my $written, '>', "$DIR/written" or die;
flock $written, LOCK_EX or die;
says 'a journal that another run writes', 6, qr/written: another process is writing it/,
    'run', '--journal', "$DIR/written", $play;
close $written;

mkdir "$DIR/taken";
open my $lock, '>', "$DIR/taken/.rehearse" or die;
flock $lock, LOCK_EX or die;
says 'a state directory that is taken', 6, qr{taken/[.]rehearse: another process has locked it$},
    'run', '--state', "$DIR/taken", $play;
close $lock;

my ($status, $out, $err) = rehearse('run', '--state', "$DIR/mine", $play);
is $status, 0, 'a state directory can be named' or diag $err;
ok -s "$DIR/mine/journal.jsonl", 'and is kept, with the journal in it';
($status, $out, $err) = rehearse('run', '--state', "$DIR/mine", $play);
is $status, 0, 'and used a second time' or diag $err;
($status, $out, $err) = rehearse('run', '-j4', $play, $play);
is $status, 0, '-j4 is -j 4' or diag $err;

{
    my $here = Cwd::getcwd();
    chdir $DIR;
    ($status, $out, $err) = rehearse('run', '--state', 'relative', $play);
    is $status, 0, 'a relative one, too' or diag "$out$err";
    mkdir 'empty';
    ($status, $out, $err) = rehearse('run', '--state', 'empty', $play);
    is $status, 0, 'and an empty directory that is there' or diag "$out$err";
    chdir $here;
}

for my $command ("run $play", 'words', 'faults') {
    my $said = `'$BUILD/rehearse' $command 2>&1 >/dev/full`;
    is $? >> 8, 6, "$command: stdout on a full disk is no success";
    like $said, qr/^rehearse: cannot write to stdout: No space left/, 'and is told';
    `'$BUILD/rehearse' $command 2>&1 >&-`;
    is $? >> 8, 6, 'nor is a stdout that is closed';
}
is system("bash -c 'set -o pipefail; \"$BUILD/rehearse\" words | head -n 1 >/dev/null'"), 0,
    'a reader may have seen enough';

my $nothing = scenario(<<'PLAY');
scenario "Not against nginx"
local house = ca     {}
local shop  = target { "builtin", name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", to = shop }
steady "all is well"
fleet:expect { success = "100%", during = "100ms" }
PLAY
says 'nothing played at all', 6, qr/nothing was played: \S+: does not run against nginx/,
    'run', '--target', 'nginx', '--state', "$DIR/mine", $nothing;

($status, $out) = rehearse('--help');
is $status, 0, 'help is no failure';
like $out, qr/rehearse run FILE\|DIR\.\.\./, 'and lists the verbs';
($status, $out) = rehearse('run', '--help');
like $out, qr/--journal FILE/, 'a verb lists its options';

unlike +(rehearse('validate', '--help'))[1], qr/--(keep|journal|tap) |-j N/, 'and none that mean nothing to it';
says 'an option that means nothing to a verb', 2, qr/unknown option '--journal'/, 'validate', '--journal', 'x', $play;

for my $program (qw(rehearse fakeca fakeclock)) {
    like qx('$BUILD/$program' --version), qr/^$program \d+\.\d+$/, "$program --version";
}

for my $verb (qw(targets faults outcomes)) {
    ($status, $out) = rehearse($verb);
    is $status, 0, "rehearse $verb";
    ok(($out =~ tr/\n//) >= 4, 'lists what there is');
    ($status, $out) = rehearse($verb, '--json');
    like $out, qr/^\[\{/, 'as JSON too';
    ($status, $out) = rehearse($verb, '--markdown');
    like $out, qr/^\| \w+ \|.*\n\| --- \|/, 'and as a table for documents';
}
($status, $out) = rehearse('list', 'scenarios');
like $out, qr{^scenarios/authority/name-gone\.lua +builtin,nginx +}m, 'each kind of target is told once';
like $out, qr{scenarios/expiry/leaf-expires\.lua\s+builtin,nginx,\S+\s+A leaf expires}, 'rehearse list';

# Elsewhere than in the source it lists what was installed, or says what it looked for.
system("mkdir -p $DIR/prefix/lib/rehearse $DIR/prefix/share/rehearse/scenarios"
    . " && find '$BUILD' -maxdepth 1 -type f -perm /111 -exec cp -t $DIR/prefix/lib/rehearse {} +"
    . " && cp $play $DIR/prefix/share/rehearse/scenarios/play.lua") == 0 or die;
like qx(cd /proc && $DIR/prefix/lib/rehearse/rehearse list), qr{^\S+/scenarios/play\.lua\s+builtin\s+A play$}m,
    'and where it is installed';
like qx(cd /proc && '$BUILD/rehearse' list 2>&1), qr{\A.*no folder scenarios/ here; expected files or directories\n\z},
    'and where there is nothing';

SKIP: {
    skip 'only root can become somebody else', 2 if $> != 0;
    mkdir "$DIR/closed", 0700;
    local $ENV{TMPDIR} = "$DIR/closed";
    my $text = `setpriv --reuid 65534 --regid 65534 --clear-groups '$BUILD/rehearse' run $play 2>&1 >/dev/null`;
    my $got = $? >> 8;
    skip 'the build is not readable for others', 2 if $text =~ /setpriv/;
    is $got, 6, 'no permission is a matter of the environment' or diag $text;
    like $text, qr/Permission denied/, 'and says so';
}

done_testing;
