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
my @libraries = $ENV{LIBS} ? split(" ",$ENV{LIBS}) : qw(openssl gnutls wolfssl);

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

fakeca('init', '--state', "$dir/ca", '--at', $at, '--intermediates', 2);
my $good = decode_json(fakeca('issue', '--state', "$dir/ca", '--out', "$dir/good", '--at', $at,
                              '--name', 'shop.test', '--json'));
my $target = Target->start(hosts => [host("$dir/good", $good)]);
my %client = map { $_ => Client->start($_) } @libraries;

for my $library (@libraries) {
    is(ask($client{$library}, $target, "$dir/good", $good, {})->{outcome}, 'ok',
       "$library accepts the chain that nothing is wrong with");
}

my %wanted = map { $_ => 1 } @ARGV;
for my $fault (@{decode_json(fakeca('faults', '--json'))}) {
    next if %wanted && !$wanted{$fault->{name}};
    my $bundle = "$dir/$fault->{name}";
    my $about = decode_json(fakeca('break', '--state', "$dir/ca", '--in', "$dir/good", '--at', $at,
                                   '--out', $bundle, '--fault', $fault->{name}, '--json'));
    my $event = $target->reload(hosts => [host($bundle, $about)],
                                exact => $about->{exact} ? JSON::PP::true : JSON::PP::false);
    is($event->{event}, 'reloaded', "$fault->{name} is served") or diag($event->{why});

    for my $library (@libraries) {
        my $said = ask($client{$library}, $target, $bundle, $about, $fault);
        is($said->{outcome}, $fault->{says}{$library}, "$fault->{name}: $library")
            or diag(join ' ', map { "$_: " . ($said->{$_} // '-') . ';' } qw(code words depth));
    }
}
done_testing();
