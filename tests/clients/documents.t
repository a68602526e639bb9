#!/usr/bin/perl
# What docs/ says of the clients is what the clients do: the table of outcomes, and every field of the
# worker protocol.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use Target qw(run slurp);
use Test::More;
use Worker qw(@libraries client);

my $outcomes = slurp('docs/outcomes.md');
my $protocol = slurp('docs/worker-protocol.md');

for my $library (@libraries) {
    my ($table) = run(client($library), '--outcomes', '--markdown');
    ok(length $table && index($outcomes, $table) >= 0,
       "docs/outcomes.md has the table of client-$library");
}

my ($help) = run(client('openssl'), '--help');
my @options = grep { !/^(json|worker|outcomes|markdown|version|help)$/ } $help =~ /^  --([\w-]+)/mg;
cmp_ok(scalar @options, '>', 15, 'the options of a connection');
for my $option (@options) {
    my $field = $option =~ s/^no-//r =~ tr/-/_/r;
    like($protocol, qr/^\|.*`$field`.*\|/m, "docs/worker-protocol.md has the field $field");
}

done_testing;
