#!/usr/bin/perl
# A client by itself: one handshake, told to a person or to a program, and an exit status.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use JSON::PP;
use Target qw(dir run run_with);
use Test::More;
use Worker qw(@libraries client shop serve nobody);

my $at = '2031-05-05T12:00:00Z';
my $shop = shop($at);
my $target = serve($shop);
my $nobody = nobody();

for my $library (@libraries) {
    my $client = client($library);
    my @good = ('--connect', $target->{address}, '--name', 'shop.test', '--trust', $shop->{trust},
                '--at', $at);

    my ($out, $err, $status) = run($client, @good);
    is($status, 0, "$library: accepted is exit status 0");
    is($err, '', '  with nothing to complain of');
    like($out, qr/\Aok: /, '  the outcome first');
    like($out, qr/^  server         \Q$target->{address}\E as shop\.test$/m, '  then the server');
    like($out, qr/^  agreed on      TLSv1\.3, TLS_\w+, \S+$/m, '  what was agreed on');
    like($out, qr/^  chain          0: serial $shop->{serial}$/m, '  the chain');
    like($out, qr/^  judged at      \Q$at\E$/m, '  and the calendar');

    ($out, $err, $status) = run($client, @good, '--at', '2032-01-01');
    is($status, 1, "$library: refused is exit status 1");
    like($out, qr/\Aexpired: a certificate's last day has passed\n  $library says\s+\S.*\n\s+\S+.*\d\)?.*\n/,
         '  the outcome, the library\'s words and its code');
    like($out, qr/^  certificate    depth 0, the server's own, serial $shop->{serial}$/m,
         '  which certificate');
    like($out, qr/^  alert sent     \w+$/m, '  the alert');

    ($out, $err, $status) = run($client, @good, '--json');
    my $json = decode_json($out);
    is($status, 0, "$library: as JSON");
    is($out =~ tr/\n//, 1, '  on one line');
    is($json->{outcome}, 'ok', '  with the outcome');
    is_deeply($json->{chain}, $shop->{serials}, '  and the chain');

    ($out) = run($client, @good, '--say', "GET / HTTP/1.0\r\n\r\n");
    like($out, qr/^HTTP\/1\.0 200 OK$/m, "$library: what the server replied is shown");

    ($out, $err, $status) = run($client, '--connect', $nobody, '--trust', $shop->{trust});
    is($status, 1, "$library: nobody there is no success");
    like($out, qr/\Arefused: .*\n  tcp says       Connection refused\n/, '  and TCP says so');

    # One line on stderr, and nothing was tried.
    for my $case ([[], qr/connect: missing; expected HOST:PORT/],
                  [[@good, '--trust', '/none'], qr{trust: /none: cannot open: No such file}],
                  [['--connect', 'here', '--trust', $shop->{trust}], qr/connect: .*HOST:PORT/],
                  [[@good, '--at', 'soon'], qr/at: 'soon' is not a time/],
                  [[@good, '--tiemout', '3s'], qr/'--tiemout'; did you mean --timeout/],
                  [[@good, '--timeout', '3'], qr/timeout: '3' is not a duration/],
                  [[@good, 'shop.test'], qr/unexpected 'shop\.test'/],
                  [[@good, '--timeout', '0s'], qr/timeout: expected one longer than nothing, such as 5s/],
                  [[@good, '--staple', 'perhaps'], qr/staple: 'perhaps' is unknown/]) {
        my ($arguments, $said) = @$case;
        ($out, $err, $status) = run($client, @$arguments);
        is($status, 2, "$library: exit status 2") or diag $out;
        like($err, qr/\Aclient-$library: .*\n\z/, '  one line');
        like($err, $said, '  that says what is wrong: ' . $err =~ s/\n//r);
        is($out, '', '  and no more');
    }

    ($out, undef, $status) = run($client, '--help');
    is($status, 0, "$library: help");
    for my $option (qw(connect name trust at crl staple min-version max-version ciphers groups
                       sigalgs alpn cert key timeout json worker)) {
        like($out, qr/^  --$option\b/m, "  knows --$option");
    }

    ($out, undef, $status) = run($client, '--version');
    is($status, 0, "$library: its version");
    like($out, qr/^client-$library \d+\.\d+ \($library \d+\.\d+\.\d+\)$/, "  $out" =~ s/\n//r);

    ($out, undef, $status) = run($client, '--outcomes', '--json');
    my %gloss = map { $_->{outcome} => $_->{gloss} } @{decode_json($out)};
    for my $word (qw(ok refused reset timeout closed protocol-version no-shared-cipher expired
                     not-yet-valid unknown-issuer self-signed bad-signature weak-signature weak-key
                     wrong-name wrong-purpose name-constraint path-length not-a-ca
                     critical-extension revoked revocation-unknown staple-missing malformed not-tls
                     other)) {
        ok(length $gloss{$word}, "$library: knows the outcome $word");
    }
    ($out, $err, $status) = run_with('', 'sh', '-c', "exec $client --help >/dev/full");
    is($status, 6, "$library: a full disk is noticed") if -c '/dev/full';
}

# A client that has no port left to connect from has no verdict on the server.  In a network of its own
# there is but one, which is taken.
my $alone = <<'END';
use IO::Socket::INET;
my $up = pack 'a16 s x22', 'lo', 1;    # IFF_UP
ioctl IO::Socket::INET->new(Proto => 'udp'), 0x8914, $up or die "lo: $!";    # SIOCSIFFLAGS
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "listen: $!";
my $port = $server->sockport;
open my $range, '>', '/proc/sys/net/ipv4/ip_local_port_range' or die "range: $!";
print $range "$port $port\n";
close $range or die "range: $!";
system @ARGV, '--connect', "127.0.0.1:$port";
exit $? >> 8;
END
SKIP: {
    skip 'no networks of one\'s own here', 2 * @libraries if system('unshare -Urn true 2>/dev/null') != 0;
    for my $library (@libraries) {
        my ($out, $err, $status) =
            run('unshare', '-Urn', $^X, '-e', $alone, client($library), '--trust', $shop->{trust});
        is($status, 6, "$library: no port to connect from is trouble of its own") or diag $out;
        is($err, "client-$library: no local port is left to connect from\n", '  and told');
    }
}

done_testing;
