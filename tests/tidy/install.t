#!/usr/bin/perl
# An installed rehearse is whole: it finds its other programs, and the scenarios came along.
use v5.36;
use File::Temp qw(tempdir);
use Test::More;

delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS)};

my $build = $ENV{BUILD} // 'build';
my $prefix = tempdir(CLEANUP => 1);

sub says ($command) {
    my $text = `$command 2>&1`;
    return ($? >> 8, $text);
}

# The programs are built, and must be installed as they are: `-o all` takes them so.
my ($status, $text) = says("make -o all BUILD=$build PREFIX=$prefix install");
is($status, 0, 'make install') or diag $text;

my @typed = map { s{.*/}{}r } sort glob "$prefix/bin/*";
is_deeply(\@typed, [qw(client-gnutls client-openssl client-wolfssl fakeca fakeclock rehearse target-builtin)],
    'bin has what people type');

for my $name (@typed) {
    ($status, $text) = says("$prefix/bin/$name --version");
    like($text, qr/\A$name \d+\.\d+(?: \(\w+ \d[\w.]*\))?\n\z/, "$name tells its version");
    ($status, $text) = says("$prefix/bin/$name --help >/dev/full");
    is($status, 6, '  and help that nobody got is no success');
}

chdir '/' or die;
($status, $text) = says("$prefix/bin/rehearse run --slack 4 $prefix/share/rehearse/scenarios/expiry/leaf-expires.lua");
is($status, 0, 'an installed scenario runs, with all programs it needs') or diag $text;

($status, $text) = says("$prefix/bin/fakeclock --help");
is($status, 0, 'fakeclock') or diag $text;
($status, $text) = says("$prefix/bin/fakeclock new $prefix/clock && "
    . "$prefix/bin/fakeclock set $prefix/clock 2031-05-05T12:00:00Z && "
    . "$prefix/bin/fakeclock run $prefix/clock date -u +%Y");
is($text =~ s/.*\n(?=.)//sr, "2031\n", 'finds its library');

done_testing;
