#!/usr/bin/perl
# tests/bench/ocsp.pl BUILD [ROUNDS]
#
# OCSP responses in a second of the responder's processor time, over HTTP with a connection for
# each: `fakeca serve` beside `openssl ocsp`, with the same certificates, a P-256 key and the same
# client.  With a nonce every answer has to be signed; without one, `fakeca serve` gives out what it
# signed within the last minute, as RFC 6960 section 2.5 allows, and `openssl ocsp` signs again.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IPC::Open2;
use POSIX qw(sysconf _SC_CLK_TCK strftime);

my ($build, $rounds) = (@ARGV, 5);
my $requests = 3000;
my $dir = tempdir(CLEANUP => 1);
my ($issuer, $leaf) = ("$dir/ca/intermediate-1.pem", "$dir/shop/chain.pem");
my @children;
END { local $?; kill 'TERM', @children; waitpid $_, 0 for @children }

sub sh { system(@_) == 0 or die "@_ failed\n" }
sub slurp { local (@ARGV, $/) = @_; return scalar readline }

sh("$build/fakeca init --state $dir/ca --intermediates 1 >/dev/null");
sh("$build/fakeca issue --state $dir/ca --out $dir/shop --name shop.test >/dev/null");
sh("openssl ocsp -issuer $issuer -cert $leaf -nonce -reqout $dir/with-nonce");
sh("openssl ocsp -issuer $issuer -cert $leaf -no_nonce -reqout $dir/without-nonce");

sub start_fakeca {
    my $pid = open2(my $said, my $silence, "$build/fakeca", 'serve', '--state', "$dir/ca");
    push @children, $pid;
    my ($address) = readline($said) =~ m{"ocsp":\s*"http://([^/"]+)} or die "fakeca serve: no address\n";
    return {pid => $pid, address => $address, keep => [$said, $silence]};
}

sub start_openssl {
    my ($serial) = `openssl x509 -in $leaf -noout -serial` =~ /=(\w+)/ or die;
    open my $index, '>', "$dir/index.txt" or die;
    print $index join("\t", 'V', strftime('%y%m%d%H%M%SZ', gmtime(time + 86400 * 90)), '', $serial, 'unknown',
        '/CN=shop.test'), "\n";
    close $index;
    my $pid = open2(my $said, my $silence, "exec openssl ocsp -port 0 -index $dir/index.txt -CA $issuer"
        . " -rsigner $issuer -rkey $dir/ca/intermediate-1.key -ndays 7 -resp_no_certs 2>/dev/null");
    push @children, $pid;
    while (defined(my $line = readline $said)) {
        return {pid => $pid, address => "127.0.0.1:$1", keep => [$said, $silence]} if $line =~ /ACCEPT.*?:(\d+)/;
    }
    die "openssl ocsp: no address\n";
}

sub cpu_of {
    my @fields = split / /, slurp("/proc/$_[0]/stat") =~ s/.*\) //sr;
    return ($fields[11] + $fields[12]) / sysconf(_SC_CLK_TCK);
}

sub ask {
    my ($address, $request) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $address) or die "$address: $@\n";
    syswrite $socket, "POST /ocsp HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: "
        . length($request) . "\r\n\r\n$request";
    my $answer = '';
    while (sysread $socket, $answer, 65536, length $answer) { }
    return $answer =~ s/.*?\r\n\r\n//sr;
}

# Responses a processor second; the last one has to verify.
sub rate_of {
    my ($server, $request) = @_;
    my $before = cpu_of($server->{pid});
    my $answer;
    $answer = ask($server->{address}, $request) for 1 .. $requests;
    my $cpu = cpu_of($server->{pid}) - $before;
    open my $file, '>:raw', "$dir/answer" or die;
    print $file $answer;
    close $file;
    my $said = `openssl ocsp -respin $dir/answer -issuer $issuer -cert $leaf -no_nonce \\
        -CAfile $dir/ca/root.pem -verify_other $issuer 2>&1`;
    $said =~ /verify OK.*: good/s or die "not good: $said\n";
    return $cpu > 0 ? $requests / $cpu : 0;
}

my %server = (fakeca => start_fakeca(), openssl => start_openssl());
my %request = map { $_ => slurp("$dir/$_") } qw(with-nonce without-nonce);
my %rates;
for (1 .. $rounds) {
    for my $kind (sort keys %request) {
        push @{$rates{"$_ $kind"}}, rate_of($server{$_}, $request{$kind}) for sort keys %server;
    }
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[$#sorted / 2] }
printf "OCSP responses a processor second of the responder: median of %d rounds by turns; x openssl ocsp\n", $rounds;
for my $kind (qw(with-nonce without-nonce)) {
    my $base = median(@{$rates{"openssl $kind"}});
    for my $who (qw(openssl fakeca)) {
        my $median = median(@{$rates{"$who $kind"}});
        printf "%-40s %8.0f  x%.2f\n", ($who eq 'fakeca' ? 'fakeca serve' : 'openssl ocsp') . ', '
            . $kind =~ tr/-/ /r, $median, $median / $base;
    }
}
