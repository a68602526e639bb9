#!/usr/bin/perl
# What documents say of words, verbs and exit statuses is what the code says.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

sub slurp { my ($path) = @_; local (@ARGV, $/) = ($path); return scalar <> }

my ($status, $out) = rehearse('words', '--markdown');
is slurp('docs/scenarios.md'), $out, 'docs/scenarios.md is what `rehearse words --markdown` prints (make docs)';

my $readme = slurp('README.md');
my (undef, $help) = rehearse('--help');

# What a program's --help says of its exit statuses: number => gloss.
sub statuses { my ($text) = @_; return $text =~ /^  (\d)  (.+)$/mg }

my %means = statuses($help);
is join(' ', sort keys %means), '0 1 2 3 4 6', 'there are six exit statuses';
like $readme, qr/^\| $_ \| \Q$means{$_}\E \|$/m, "the README says what $_ means" for sort keys %means;
for my $program (qw(client-openssl client-gnutls client-wolfssl fakeca fakeclock target-builtin)) {
    my %its = statuses(scalar `$Rehearse::BUILD/$program --help`);
    my $name = $program =~ s/-(?!builtin).*/-*/r;
    my $row = join ' |', "`$name`", map { defined $its{$_} ? " $its{$_}" : '' } 0, 1, 2, 6;
    like $readme, qr/^\| \Q$row\E \|$/m, "and what they mean of $program";
}

# The scenario that the README explains is the one that is played.
my $play = slurp('scenarios/expiry/leaf-expires.lua');
my @blocks = grep { /leaf expires|local house   =|^steady|^inject|^recover/ } $readme =~ /```lua\n(.*?)```/sg;
is index($play, $blocks[$_]) >= 0, 1, "block $_ of the README is in the scenario" for 0 .. 4;

# The other whole scenarios in it are valid.
for my $whole (grep { /^scenario / && !/leaf expires/ } $readme =~ /```lua\n(.*?)```/sg) {
    my ($title) = $whole =~ /^scenario "(.*)"/;
    my ($valid, undef, $why) = rehearse('validate', '--allow', 'staging.example', scenario($whole));
    is $valid, 0, "$title: valid" or diag $why;
}

# Every command that the README tells is a verb or an option of the program it names.
for my $command ($readme =~ /`(rehearse [a-z]+)/g) {
    my ($verb) = $command =~ /(\w+)$/;
    like $help, qr/^  rehearse $verb /m, "`$command` exists";
}
my (undef, $options) = rehearse('run', '--help');
my %seen = map { $_ => 1 } $readme =~ /(?:rehearse run|with) `?.*?(--[a-z]+)/g;
like $options, qr/^  \Q$_\E /m, "run has $_" for sort keys %seen;

# Every setting of target-builtin is in its manual.
my $manual = slurp('docs/target-builtin.md');
my @settings = slurp('testbed/targets/settings.c') =~ /^    \{"(\w+)", +take_/mg;
cmp_ok scalar @settings, '>=', 18, 'it has its settings';
like $manual, qr/`$_`/, "$_ is told" for @settings;

# Links lead somewhere.
for my $link ($readme =~ /\]\(([^)]+)\)/g) { ok -e $link, "$link is there" }

done_testing;
