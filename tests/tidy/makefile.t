#!/usr/bin/perl
# The Makefile on a copy of the tree: what is deleted does not live on in a program, and jobs are
# counted once.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Cwd qw(getcwd);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Tidy qw(files);
use Test::More;

# The make that runs this test must not count the jobs of those it starts.
delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};

my $top = getcwd();
my $copy = tempdir(CLEANUP => 1);
for my $path (files(qr/./)) {
    make_path(dirname("$copy/$path"));
    copy($path, "$copy/$path") or die "$path: $!";
}
chdir $copy or die;
END { chdir $top if $top }

# What `make` says, both streams; it must succeed unless asked otherwise.
sub make (@words) {
    my $text = `make BUILD=build @words 2>&1`;
    is($? >> 8, 0, "make @words") or diag $text;
    return $text;
}

sub slurp ($path) {
    open my $file, '<', $path or die "$path: $!";
    return join '', <$file>;
}

make('build/vocabulary.S');
like(slurp('build/vocabulary.S'), qr{testbed/lua/journal\.lua}, 'the vocabulary has what is there');
unlink 'testbed/lua/journal.lua';
make('build/vocabulary.S');
unlike(slurp('build/vocabulary.S'), qr{testbed/lua/journal\.lua}, 'and no longer what is deleted');

my $object = 'build/obj/testbed/wire/error.o';
make($object);
unlike(make($object), qr/-o $object/, 'what every program has is made once');
unlink 'testbed/host.c';
like(make($object), qr/-o $object/, 'and again when a source is deleted: all are linked anew');

unlike(make('-j3', '-n', 'check'), qr/warning/, 'make -j3 check has no quarrel with its own -j2');

make('clean');
ok(!-e 'build', 'make clean leaves nothing');

done_testing;
