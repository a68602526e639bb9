#!/usr/bin/perl
# Tests mirror the tree: a C test stands where its source does, and every script can be run.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Tidy qw(files lines clean bites);
use Test::More;

my %mirrored = (wire => 'testbed/wire', targets => 'testbed/targets', stage => 'testbed/stage', fuzz => 'fakeca');

sub strays () {
    return map {
        my ($folder, $name) = m{^tests/([^/]+)/([^/]+)\.c$};
        my $source = ($mirrored{$folder} // $folder) . "/$name";
        my $family = $source =~ s/_[^_]*$//r; # shim_waits.c is a test of the shim
        -f "$source.c" || -f "$source.h" || -f "$family.h" ? () : "$_: there is no $source.c"
    } files(qr{^tests/[^/]+/[^/]+\.c$});
}

sub scripts () {
    return map {
        my ($first) = lines($_);
        !-x $_ ? "$_: is not executable" : ($first // '') !~ m{^#!/} ? "$_: has no #! line" : ()
    } files(qr{^tests/[^/]+/[^/]+\.t$});
}

clean('every C test has the source it is named for', \&strays);
bites('  one that has lost it is found', \&strays,
    {'tests/wire/a.c' => '', 'testbed/wire/a.c' => '', 'tests/clients/b.c' => ''},
    'tests/clients/b.c: there is no clients/b.c');
clean('every script can be run', \&scripts);
bites('  one that cannot is found', \&scripts, {'tests/wire/a.t' => "#!/bin/sh\n"},
    'tests/wire/a.t: is not executable');

done_testing;
