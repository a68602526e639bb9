#!/usr/bin/perl
# The table of faults: docs/faults.md is made from it, and a row that is wrong is found out.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Fakeca qw(dir fakeca slurp spill);
use JSON::PP;
use Test::More;

my $build = $ENV{BUILD} // 'build';
my $dir = dir();
my @faults = @{decode_json(fakeca('faults', '--json'))};

is(slurp("$Bin/../../docs/faults.md"), fakeca('faults', '--markdown'),
   'docs/faults.md is what `fakeca faults --markdown` prints');

my %seen;
is_deeply([grep { $seen{$_}++ } map { $_->{name} } @faults], [], 'no name twice');
is_deeply([grep { !/\A[a-z0-9]+(-[a-z0-9]+)*\z/ } map { $_->{name} } @faults], [],
          'every name is in kebab-case');
is_deeply([grep { !length $_->{what} || !length $_->{breaks} } @faults], [],
          'every row says what it does and what it breaks');

# The words are those that the clients use.
open my $list, '-|', "$build/client-openssl", '--outcomes', '--json' or die;
my $outcomes = decode_json(join '', <$list>);
my %outcome = map { (ref $_ ? $_->{outcome} // $_->{word} // $_->{name} : $_) => 1 }
    ref $outcomes eq 'ARRAY' ? @$outcomes : keys %$outcomes;
for my $fault (@faults) {
    my @unknown = grep { !$outcome{$_} } values %{$fault->{says}};
    is_deeply(\@unknown, [], "$fault->{name} speaks the clients' words");
}

# One false word in the table, and the test that asks the libraries must fail because of it.
for my $library (qw(openssl gnutls wolfssl)) {
    my $lie = spill("$dir/fakeca-$library", <<~"END");
        #!/bin/sh
        if [ "\$1" = faults ]; then
            '$build/fakeca' "\$@" | sed 's/"$library":"expired"/"$library":"revoked"/'
        else
            exec '$build/fakeca' "\$@"
        fi
        END
    chmod 0755, $lie;
    my $said = qx(FAKECA=$lie '$Bin/every_fault.t' expired-leaf 2>&1);
    isnt($?, 0, "a false word about $library makes every_fault.t fail");
    is(scalar(() = $said =~ /^not ok .*expired-leaf.*: $library$/mg), 2, 'at that word');
    is(scalar(() = $said =~ /^not ok/mg), 2, 'and nowhere else');
}

done_testing();
