#!/usr/bin/perl
# Where the library lies does not matter: also in a folder with a space in its path, at which ld.so would split
# LD_PRELOAD, programs and what they start are preloaded, and keep what their variables had.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Copy qw(cp);
use File::Temp qw(tempdir);
use Runtime qw($build fake build_c start ask finish);
use Test::More;

my $dir = tempdir('preload.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $clock = "$dir/clock";
fake('new', $clock) && fake('set', $clock, '2100-06-01') or BAIL_OUT('no clock');
build_c('cc', $dir, 'year', $_->[0], $_->[1]) or BAIL_OUT("no $_->[0]") for ['dynamic', ''], ['static', '-static'];
build_c('cc', $dir, 'answers', 'answers', '-pthread') or BAIL_OUT('no compiler');
delete @ENV{qw(LD_LIBRARY_PATH LD_PRELOAD)};

sub installed_in ($name) {
    my $folder = "$dir/$name";
    mkdir $folder or die "$folder: $!";
    cp("$build/$_", "$folder/$_") or die "$folder/$_: $!" for qw(fakeclock libfakeclock.so);
    return $folder;
}

# What a command says from there, on stdout and stderr, and its exit status.
sub says ($folder, @command) {
    open my $from, '-|', 'sh', '-c', 'exec "$0" run "$@" 2>&1', "$folder/fakeclock", $clock, '--', @command or die $!;
    my $said = join '', <$from>;
    close $from;
    return ($said, $? >> 8);
}

my $variables = ['sh', '-c', 'echo "$LD_PRELOAD|$LD_LIBRARY_PATH"'];

# --- a path that can be preloaded -----------------------------------------------------------------------

for my $name ('plain', 'semi;colon') {
    my $folder = installed_in($name);
    is((says($folder, @$variables))[0], "$folder/libfakeclock.so|\n", "$name: by its path, and no more is changed");
}

# --- one that needs another way -------------------------------------------------------------------------

my $folder = installed_in('with a space');

sub follows ($name, $expected, @command) { return is((says($folder, @command))[0], $expected, "a space: $name") }

follows('a program', "2100 $dir/dynamic 0\n", "$dir/dynamic");
follows('what it starts', "2100 $dir/dynamic 0\n2100 $dir/static 0\n", 'sh', '-c', "$dir/dynamic; $dir/static");
follows('with an empty environment', "2100 $dir/dynamic 0\n", 'env', '-i', "$dir/dynamic");
follows('with folders of its own', "2100 $dir/dynamic 0\n", 'env', 'LD_LIBRARY_PATH=/lib', "$dir/dynamic");
follows('  and none of ours', "2100 $dir/dynamic 0\n", 'env', '-u', 'LD_LIBRARY_PATH', "$dir/dynamic");
follows('with another library preloaded', "2100 $dir/dynamic 0\n", 'env', 'LD_PRELOAD=libm.so.6', "$dir/dynamic");
follows('who hands on the one and not the other is put right', "libfakeclock.so|/lib:$folder\n",
    'env', 'LD_LIBRARY_PATH=/lib', @$variables);
follows('from a static program', "2100 $dir/dynamic 0\n", "$dir/static", 'exec', "$dir/dynamic");
follows('one `run` in another', "libfakeclock.so|$folder\n", "$folder/fakeclock", 'run', $clock, '--', @$variables);

follows('the variables', "libfakeclock.so|$folder\n", @$variables);
my @folders = (['/lib', "/lib:$folder"], ['', $folder], ["/lib:$folder", "/lib:$folder"],
    ['/a b:/lib;/c', "/a b:/lib;/c:$folder"]);
for (@folders) {
    local $ENV{LD_LIBRARY_PATH} = $_->[0];
    follows("  keep '$_->[0]'", "libfakeclock.so|$_->[1]\n", @$variables);
}
{
    local $ENV{LD_PRELOAD} = 'libm.so.6';
    follows('  and what else is preloaded', "libfakeclock.so:libm.so.6|$folder\n", @$variables);
}
{
    my $process = start("$folder/fakeclock", 'run', $clock, '--', "$dir/answers", 0, 1);
    ask($process);
    like(`'$folder/fakeclock' doctor $process->{pid}`, qr/^by          redirecting and preloading/m,
        'a space: doctor knows by what means');
    finish($process);
}

# --- and what cannot be -----------------------------------------------------------------------------------

for my $name ('a:colon', 'a space; and more') {
    my ($said, $status) = says(installed_in($name), "$dir/dynamic");
    is($status, 6, "$name: refused");
    is($said, "fakeclock: $dir/$name/libfakeclock.so: cannot be preloaded; "
        . "expected a path without colons and semicolons\n", '  in one line');
}
done_testing;
