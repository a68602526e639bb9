#!/usr/bin/perl
# tests/bench/orders.pl BUILD [ROUNDS [SECONDS [KIND]]]
#
# Complete ACME orders, from newOrder to the certificate, in a second and in a second of the server's
# processor time: `fakeca serve` beside Debian's pebble, by turns, asked by the same client with 1 and with
# 32 orders in flight.  http-01 is really looked at, each time, on a listener of the client's, and names are asked
# of the DNS of an authority that is not measured.  The account's key is of KIND: p256, which is lego's and Caddy's,
# or rsa2048, which is certbot's; without it there is a table for each.
#
# Pebble signs with an RSA key of 2048 bits and cannot be told otherwise, so that fakeca is measured with
# such a key too.  It keeps everything in memory; fakeca has each answer in its database first.
#
# Pebble 2.4.0 sometimes hangs with many orders in flight: it goes on to answer GET, and no POST any more.  It is
# then started again, the measurement repeated, and the end says how often that was.
#
# Where the processor time of an order goes in fakeca, with a key of RSA for the account and one on P-256 for the
# authority, sampled with 32 in flight on a busy machine: of a hundred parts about 15 verify the signatures of seven
# requests, 14 read and verify the CSR, 4 sign the certificate, 18 are TLS, its system calls and the waiting for
# them, 13 the database, 7 JSON, 10 the look-up and the connection of http-01.  With one in flight, what wakes and is
# woken is more.
use strict;
use warnings;
use Fcntl;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IPC::Open2;
use POSIX qw(sysconf _SC_CLK_TCK);
use lib dirname(__FILE__) . '/..';
use Port qw(free_port);

my ($build, $rounds, $seconds) = ($ARGV[0], $ARGV[1] // 5, $ARGV[2] // 3);
my @accounts = $ARGV[3] // qw(p256 rsa2048);
my $here = dirname($0);
my $dir = tempdir(CLEANUP => 1);
my @children;
$SIG{$_} = sub { exit 1 } for qw(INT TERM);
END { local $?; kill 'TERM', @children; waitpid $_, 0 for @children }

sub sh { system(@_) == 0 or die "@_ failed\n" }
sub spill { open my $file, '>', $_[0] or die; print $file $_[1]; close $file; return $_[0] }

my $compiler = $ENV{CC} // 'cc';
sh("$compiler -I$here/../.. -D_GNU_SOURCE -O2 -o $dir/orders $here/programs/orders.c $here/programs/acme.c"
    . ' -lcurl -lcrypto -ljansson -lpthread');
my $answers = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1') or die;
fcntl $answers, F_SETFD, 0;    # the client inherits it

sub start_fakeca {
    my ($name, $kind, @more) = @_;
    sh("$build/fakeca init --state $dir/$name --intermediates 1 --key $kind >/dev/null");
    my $pid = open2(my $said, my $silence, "$build/fakeca", 'serve', '--state', "$dir/$name",
        '--validate-http-port', $answers->sockport, @more);
    push @children, $pid;
    my $line = readline $said;
    my ($directory, $root, $dns) = map { $line =~ /"$_":\s*"([^"]+)"/ } qw(directory https_root dns);
    return {pid => $pid, file => spill("$dir/$name.url", "$directory\n"), root => $root, dns => $dns,
        keep => [$said, $silence]};
}

# It cannot be told to choose a port itself.
sub start_pebble {
    my ($dns) = @_;
    my ($port, $management) = (free_port(), free_port());
    if (!-e "$dir/pebble") {
        sh("$build/fakeca init --state $dir/for-pebble --intermediates 0 >/dev/null");
        sh("$build/fakeca issue --state $dir/for-pebble --out $dir/pebble --name localhost --name 127.0.0.1"
            . ' >/dev/null');
    }
    spill("$dir/pebble.json", <<"END");
{"pebble": {"listenAddress": "127.0.0.1:$port", "managementListenAddress": "127.0.0.1:$management",
 "certificate": "$dir/pebble/chain.pem", "privateKey": "$dir/pebble/key.pem",
 "httpPort": ${\ $answers->sockport}, "tlsPort": 1, "ocspResponderURL": "", "externalAccountBindingRequired": false}}
END
    my $pid = fork // die;
    if ($pid == 0) {
        @ENV{qw(PEBBLE_VA_NOSLEEP PEBBLE_WFE_NONCEREJECT PEBBLE_AUTHZREUSE)} = (1, 0, 0);
        open STDOUT, '>', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        exec 'pebble', '-config', "$dir/pebble.json", '-dnsserver', $dns or die;
    }
    push @children, $pid;
    return {pid => $pid, file => spill("$dir/pebble.url", "https://127.0.0.1:$port/dir\n"),
        root => "$dir/pebble/trust.pem"};
}

sub stop {
    my ($server) = @_;
    kill 'KILL', $server->{pid};
    waitpid $server->{pid}, 0;
    @children = grep { $_ != $server->{pid} } @children;
}

sub cpu_of {
    open my $file, '<', "/proc/$_[0]/stat" or die;
    my @fields = split / /, readline($file) =~ s/.*\) //sr;
    return ($fields[11] + $fields[12]) / sysconf(_SC_CLK_TCK);
}

my $idle = start_fakeca('idle', 'p256');
my @resolver = ('--resolver', $idle->{dns});
my @servers = (['pebble', start_pebble($idle->{dns})], ['fakeca, rsa2048', start_fakeca('rsa', 'rsa2048', @resolver)],
    ['fakeca, p256', start_fakeca('ec', 'p256', @resolver)]);
# What the clients say of some seconds with that many orders in flight, and the server's time before.
sub measure {
    my ($server, $in_flight, $account) = @_;
    my $before = cpu_of($server->{pid});
    return (scalar `$dir/orders $server->{file} $server->{root} ${\ fileno $answers} $in_flight $seconds $account`,
        $before);
}

my (%rates, $hung);
$hung = 0;
sub turn {
    my ($name, $server, @how) = @_;
    my ($said, $before) = measure($server, @how);
    for (; $? != 0 && $name eq 'pebble' && $hung < 10; ($said, $before) = measure($server, @how)) {
        $hung++;
        stop($server);
        %$server = %{start_pebble($idle->{dns})};
    }
    die "$name: no orders\n" if $? != 0;
    my ($orders, $took) = split / /, $said;
    push @{$rates{"@how"}{$name}{second}}, $orders / $took;
    push @{$rates{"@how"}{$name}{cpu}}, $orders / (cpu_of($server->{pid}) - $before);
}
for (1 .. $rounds) {
    for my $account (@accounts) {
        for my $in_flight (1, 32) {
            turn(@$_, $in_flight, $account) for @servers;
        }
    }
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[$#sorted / 2] }

my @units = (['second', 'a second'], ['cpu', "a second of the server's processor time"]);
for my $account (@accounts) {
    print "complete ACME orders, account key $account: median of $rounds rounds of $seconds s by turns; x pebble\n";
    for my $in_flight (1, 32) {
        my $of = $rates{"$in_flight $account"};
        for my $unit (@units) {
            for (map { $_->[0] } @servers) {
                my ($rate, $pebble) = map { median(@{$of->{$_}{$unit->[0]}}) } $_, 'pebble';
                printf "%-16s %2d in flight %8.1f %s  x%.1f\n", $_, $in_flight, $rate, $unit->[1], $rate / $pebble;
            }
        }
    }
}
print "pebble hung $hung times, and was started again\n" if $hung;
