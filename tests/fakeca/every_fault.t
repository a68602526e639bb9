#!/usr/bin/perl
# Every fault that `fakeca faults` knows is made, served, and judged by the three TLS libraries;
# each must say what the table says it says.  Names of faults as arguments: only those.
# FAKECA names another fakeca, which is how table.t proves that this test can fail.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use Client;
use JSON::PP;
use Target qw(dir run);
use Test::More;

my $build = $ENV{BUILD} // 'build';
my $fakeca = $ENV{FAKECA} // "$build/fakeca";
my $dir = dir();
my $at = '2031-05-05T12:00:00Z';    # no real clock has any part in this
my @libraries = qw(openssl gnutls wolfssl);

sub fakeca (@arguments) {
    my ($out, $err, $status) = run($fakeca, @arguments);
    BAIL_OUT("fakeca @arguments: $err") if $status != 0;
    return $out;
}

sub host ($bundle, $about) {
    my %host = (name => $about->{name}, chain => "$bundle/chain.pem", key => "$bundle/key.pem");
    $host{staple} = "$bundle/staple.der" if $about->{staple};
    return \%host;
}

sub ask ($client, $target, $bundle, $about, $fault) {
    my %settings = (connect => $target->{address}, name => $about->{client_name}, at => $at,
                    trust => "$bundle/trust.pem", staple => $fault->{staple} // 'ignore');
    $settings{crl} = ["$bundle/crl.pem"] if $fault->{crl};
    return $client->probe(%settings);
}

my %client = map { $_ => Client->start($_) } @libraries;
my %wanted = map { $_ => 1 } @ARGV;
my @faults = grep { !%wanted || $wanted{$_->{name}} } @{decode_json(fakeca('faults', '--json'))};

# Below one intermediate, and below two: what a library says must not hang on that.
for my $intermediates (1, 2) {
    my $ca = "$dir/ca-$intermediates";
    my $good = "$dir/good-$intermediates";

    fakeca('init', '--state', $ca, '--at', $at, '--intermediates', $intermediates);
    my $about = decode_json(fakeca('issue', '--state', $ca, '--out', $good, '--at', $at,
                                   '--name', 'shop.test', '--json'));
    my $target = Target->start(hosts => [host($good, $about)]);

    for my $library (@libraries) {
        is(ask($client{$library}, $target, $good, $about, {})->{outcome}, 'ok',
           "$library accepts a chain with $intermediates intermediates that nothing is wrong with");
    }

    for my $fault (grep { $_->{intermediates} <= $intermediates } @faults) {
        my $bundle = "$dir/$fault->{name}-$intermediates";
        my $broken = decode_json(fakeca('break', '--state', $ca, '--in', $good, '--out', $bundle,
                                        '--at', $at, '--fault', $fault->{name}, '--json'));
        my $event = $target->reload(hosts => [host($bundle, $broken)],
                                    exact => $broken->{exact} ? JSON::PP::true : JSON::PP::false);
        is($event->{event}, 'reloaded', "$fault->{name} is served") or diag($event->{why});

        for my $library (@libraries) {
            my $said = ask($client{$library}, $target, $bundle, $broken, $fault);
            is($said->{outcome}, $fault->{says}{$library},
               "$fault->{name} under $intermediates: $library")
                or diag(join ' ', map { "$_: " . ($said->{$_} // '-') . ';' } qw(code words depth));
        }
    }
    is($target->stop, 0, 'the target outlived all that');
}
done_testing();
