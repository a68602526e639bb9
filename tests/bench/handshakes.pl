#!/usr/bin/perl
# tests/bench/handshakes.pl BUILD [ROUNDS]
#
# Full TLS 1.3 handshakes a client makes in a second of its own processor time, chain and name
# verified: each worker, eight connections at a time, beside `openssl s_time -new`, which verifies
# the chain but no name.  One server, one run, by turns; ECDSA P-256 leaf and intermediate.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IPC::Open2;

my ($build, $rounds) = (@ARGV, 7);
my $seconds = 2;
my $dir = tempdir(CLEANUP => 1);

sub sh { system(@_) == 0 or die "@_ failed\n" }

sh("$build/fakeca init --state $dir/ca >/dev/null");
sh("$build/fakeca issue --state $dir/ca --out $dir/shop --name shop.test >/dev/null");
open my $file, '>', "$dir/target.json" or die;
print $file qq({"listen":"127.0.0.1:0","hosts":[{"name":"shop.test",)
    . qq("chain":"$dir/shop/chain.pem","key":"$dir/shop/key.pem"}]});
close $file;
my $server = open2(my $said, my $silence, "$build/target-builtin", '--config', "$dir/target.json");
my ($address) = readline($said) =~ /"address":\s*"([^"]+)"/ or die "no server\n";

# Runs a child to its end; handshakes a processor second of the child's.
sub rate_of {
    my ($count_of) = @_;
    my @before = times;
    my $count = $count_of->();
    my @after = times;
    my $cpu = ($after[2] + $after[3]) - ($before[2] + $before[3]);
    return $cpu > 0 ? $count / $cpu : 0;
}

sub s_time {
    my $trust = "-CAfile $dir/shop/trust.pem -verify 3";
    my $text = `openssl s_time -connect $address -new -time $seconds -tls1_3 $trust 2>/dev/null`;
    return $text =~ /^(\d+) connections in .*real seconds/m ? $1 : die "s_time: $text\n";
}

sub worker {
    my ($library) = @_;
    my $pid = open2(my $out, my $in, "$build/client-$library", '--worker');
    readline $out;
    print $in qq({"id":1,"do":"fleet","connect":"$address","name":"shop.test","trust":"$dir/shop/trust.pem",)
        . qq("min_version":"1.3","groups":"X25519","at_once":8,"tick":"100ms"}\n);
    my ($count, $end) = (0, time + $seconds);
    while (my $line = readline $out) {
        $count += $1 if $line =~ /"ok":\s*\{"count":\s*(\d+)/;
        die "client-$library: $line" if $line =~ /"error"/;
        last if time >= $end;
    }
    close $in; # end of input ends the worker
    while (defined(my $rest = readline $out)) { }
    waitpid $pid, 0;
    return $count;
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[$#sorted / 2] }

my %who = ('openssl s_time' => \&s_time,
    map { my $library = $_; ("client-$library" => sub { worker($library) }) } qw(openssl gnutls wolfssl));
my @order = ('openssl s_time', map { "client-$_" } qw(openssl gnutls wolfssl));
my %rates;
for my $round (1 .. $rounds) {
    for my $name (@order) { push @{ $rates{$name} }, rate_of($who{$name}) }
}
kill 'TERM', $server;

print "Full TLS 1.3 handshakes a client processor second:\n"
    . "median (lowest to highest) of $rounds rounds by turns; x s_time\n";
for my $name (@order) {
    my @sorted = sort { $a <=> $b } @{ $rates{$name} };
    my @ratios = map { $rates{$name}[$_] / $rates{'openssl s_time'}[$_] } 0 .. $#sorted;
    printf "%-16s %6.0f (%.0f to %.0f)  x%.2f\n", $name, median(@sorted), $sorted[0], $sorted[-1], median(@ratios);
}
