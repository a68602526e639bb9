#!/usr/bin/perl
# The contract of driver.h: every way in which a connection can end, on all three libraries, told in
# the same words where they mean the same, and with the same things beside the word.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use IO::Select;
use Socket qw(SOL_SOCKET SO_LINGER);
use Target qw(dir run slurp);
use Test::More;
use Time::HiRes qw(time);
use Worker qw(@libraries shop fake staple serve peer flood ticketless nobody);

my $at = '2031-05-05T12:00:00Z';
my $shop = shop($at);
my $me = shop($at, '--name', 'me.test', '--eku', 'clientAuth');
my $log = dir() . '/log';
my $target = serve($shop, log => $log, alpn => ['http/1.1']);

# What there may be in an answer, and always is.
my @fields = sort qw(id outcome depth code words alert_sent alert_received version cipher group alpn
    resumed staple chain now began ended times_ms until heard);

my $http = peer(sub ($socket) { sysread $socket, my $hello, 4096;
                                print $socket "HTTP/1.1 400 Bad Request\r\n\r\n" });
my $ssh = peer(sub ($socket) { print $socket "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
                               sysread $socket, my $hello, 4096 });
my $hangs_up = peer(sub ($socket) { sysread $socket, my $hello, 4096 });
my $resets = peer(sub ($socket) { reset_at_end($socket); sysread $socket, my $hello, 4096 });
my @held;
my $silent = peer(sub ($socket) { push @held, $socket });
my $alert = peer(sub ($socket) { sysread $socket, my $hello, 4096;
                                 print $socket "\x15\x03\x03\x00\x02\x02\x70" });

my $flood = flood($shop);
my $untrusted = fake($shop, $at, 'untrusted-root');
my $wrong_name = fake($shop, $at, 'wrong-name');
my $revoked = fake($shop, $at, 'revoked');
my $middle = fake($shop, $at, 'expired-intermediate');
my %served = map { $_->{path} => serve($_) } $untrusted, $wrong_name, $revoked, $middle;

# This one judges, too, and by the same calendar.
my $clock = dir() . '/clock';
my $build = $ENV{BUILD} // 'build';
run("$build/fakeclock", 'new', $clock);
run("$build/fakeclock", 'set', $clock, $at);
my $strict = Target->start_by(["$build/fakeclock", 'run', $clock, '--'], client_auth => 'require',
                              client_ca => $shop->{trust}, hosts => [{name => 'shop.test',
                              chain => $shop->{chain}, key => $shop->{key}}]);

# Between a client and a server: when the client speaks once more than it may, or when the server has
# said its last, it ends in this way.  The server may be slow to hear it for the second time, and something may
# be said before it says its first.
sub reset_at_end ($socket) { setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('II', 1, 0) }

sub between ($address, $times, $end, $pause = 0, $first = '') {
    return peer(sub ($client) {
        syswrite $client, $first;
        my $server = IO::Socket::INET->new(PeerAddr => $address) // die "$address: $!";
        my $both = IO::Select->new($client, $server);
        my $spoken = 0;

        local $SIG{PIPE} = 'IGNORE';
        while (my @ready = $both->can_read) {
            for my $from (@ready) {
                return $end->($client, $server) if $from == $client && ++$spoken > $times;
                my $got = sysread $from, my $bytes, 65536;
                select undef, undef, undef, $pause if $spoken == 2;
                return $end->($client, $server) if !$got && $from == $server;
                $got ? syswrite $from == $client ? $server : $client, $bytes : $both->remove($from);
            }
        }
    });
}
sub resetting ($client, $server) { reset_at_end($client) }
sub hanging_up ($client, $server) { shutdown $client, 1; 1 while sysread $client, my $rest, 4096 }
sub falling_silent (@both) { push @held, @both }

my $unanswered = between($target->{address}, 1, \&resetting);
my $dies = between($target->{address}, 1, \&hanging_up);
my $freezes = between($target->{address}, 1, \&falling_silent);
my $last_words = between($strict->{address}, 'inf', \&resetting);
my $warns = between($target->{address}, 'inf', \&resetting, 0, "\x15\x03\x03\x00\x02\x01\x70");
my $slow = between($strict->{address}, 'inf', \&resetting, 0.5);
my $ticketless = ticketless($shop);

my $stapled = serve(staple(shop($at), $at));
my $owns_up = serve(staple(shop($at), $at, '--status', 'revoked'));
my $old = serve($shop, max_version => '1.2', ciphers => 'ECDHE-ECDSA-AES256-GCM-SHA384');
my $new = serve($shop, min_version => '1.3', groups => 'X25519');

sub last_record {
    my @lines = split /\n/, slurp($log);
    return JSON::PP::decode_json($lines[-1]);
}

for my $library (@libraries) {
    my $worker = Worker->start($library);
    my %good = (connect => $target->{address}, name => 'shop.test', trust => $shop->{trust},
                at => $at);
    my $probe = sub (%changes) { return $worker->probe(%good, %changes) };
    my $outcome = sub ($want, $what, %changes) {
        my $said = $probe->(%changes);
        is($said->{outcome}, $want, "$library: $what") or diag explain $said;
        is_deeply([sort keys %$said], \@fields, '  with every field');
        return $said;
    };

    my $begun;

    # accepted
    my $ok = $outcome->('ok', 'a good server', alpn => 'h2,http/1.1', say => "GET / HTTP/1.0\r\n\r\n");
    is($ok->{version}, 'TLSv1.3', '  what was agreed on: the version');
    like($ok->{cipher}, qr/^TLS_AES_/, '  the suite');
    like($ok->{group}, qr/^(X25519|P-256)$/, '  the group');
    is($ok->{alpn}, 'http/1.1', '  the application protocol');
    like($ok->{heard}, qr{^HTTP/1\.0 200 OK\r\n}, '  and what it said');
    is_deeply($ok->{chain}, $shop->{serials}, '  the chain, leaf first');
    is_deeply([@$ok{qw(code words alert_sent alert_received depth)}], [(undef) x 5],
              '  and nothing to complain of');
    cmp_ok($ok->{times_ms}{connect} + $ok->{times_ms}{handshake}, '<=',
           ($ok->{ended} - $ok->{began}) * 1000 + 0.01, '  in times that add up');

    # refused by the client, and the server is told why
    my %alert = (openssl => 'certificate_expired', gnutls => 'bad_certificate',
                 wolfssl => 'certificate_expired');
    my $expired = $outcome->('expired', 'an expired leaf', at => '2032-01-01');
    is($expired->{alert_sent}, $alert{$library}, '  sends its alert');
    is(last_record()->{alert_received}, $alert{$library}, '  which arrives');
    is($expired->{depth}, 0, '  blames the leaf');
    my $above = $outcome->('expired', 'an expired intermediate', connect => $served{$middle->{path}}{address});
    is($above->{depth}, 1, '  blames the intermediate');
    # an alert can be lost in the kernel if a client closes before it has read all that was sent
    my $told = () = slurp($log) =~ /"alert_received": ?"$alert{$library}"/g;
    $probe->(at => '2032-01-01') for 1 .. 25;
    is(() = slurp($log) =~ /"alert_received": ?"$alert{$library}"/g, $told + 25, '  every alert arrives');
    ok(length $expired->{code} && length $expired->{words}, "  in its own words: $expired->{code}");
    is_deeply($expired->{chain}, $shop->{serials}, '  and has the chain that it refused');
    $outcome->('unknown-issuer', 'a root it does not trust',
               connect => $served{$untrusted->{path}}{address});
    $outcome->('wrong-name', 'a certificate for another name',
               connect => $served{$wrong_name->{path}}{address});
    $outcome->('wrong-name', 'a name that is not there', name => 'other.test');
    $outcome->('wrong-name', 'an address that is not there', name => '127.0.0.1');
    $outcome->('revoked', 'a revoked leaf', connect => $served{$revoked->{path}}{address},
               trust => $revoked->{trust}, crl => [$revoked->{crl}]);
    $outcome->('staple-missing', 'no staple where one is required', staple => 'require');
    is($outcome->('ok', 'a good staple', connect => $stapled->{address},
                  staple => 'require')->{staple}, 'good', '  is taken for good');
    is($outcome->('revoked', 'a staple that says revoked', connect => $owns_up->{address},
                  staple => 'check')->{staple}, 'revoked', '  and says so');
    is($outcome->('revocation-unknown', 'a staple that is out of date', at => '2031-06-05',
                  connect => $stapled->{address}, staple => 'check')->{staple}, 'bad',
       '  is not believed');
    is($outcome->('ok', 'the same, not asked for', connect => $owns_up->{address},
                  staple => 'ignore')->{staple}, 'ignored', '  is not seen');
    is($outcome->('ok', 'anything, where nothing is verified', name => 'other.test',
                  at => '2032-01-01', verify => JSON::PP::false)->{chain}[0], $shop->{serial},
       '  and what is served');

    # refused by the server
    my $version = $outcome->('protocol-version', 'no version in common',
                             connect => $new->{address}, max_version => '1.2');
    is($version->{alert_received}, 'protocol_version', '  by its alert');
    $outcome->('no-shared-cipher', 'no suite in common', connect => $old->{address},
               max_version => '1.2', ciphers => 'ECDHE-ECDSA-AES128-GCM-SHA256');
    $outcome->('no-shared-cipher', 'no group in common', connect => $new->{address},
               groups => 'P-384');
    $outcome->('alert-unrecognized-name', 'an alert of another kind', connect => $alert);
    is($outcome->('alert-certificate-required', 'no client certificate, in TLS 1.3',
                  connect => $strict->{address})->{version}, 'TLSv1.3', '  after the handshake');
    $outcome->('alert-unknown-ca', 'a client certificate of nobody\'s, in TLS 1.3',
               connect => $strict->{address}, cert => $untrusted->{chain}, key => $untrusted->{key});

    $outcome->('reset', "a reset in place of an answer, in TLS $_", connect => $unanswered,
               max_version => $_) for '1.2', '1.3';
    # in TLS 1.3 the library thinks that all is well, and so does one who does not ask for more
    $outcome->('closed', "a hang-up in place of an answer, in TLS $_", connect => $dies,
               max_version => $_) for '1.2', '1.3';
    $outcome->('closed', '  the same, spoken to', connect => $dies, say => "hm\n");
    $outcome->('timeout', "silence in place of an answer, in TLS $_", connect => $freezes,
               max_version => $_, timeout => '600ms') for '1.2', '1.3';
    $outcome->('timeout', '  the same, spoken to', connect => $freezes, say => "hm\n", timeout => '600ms');
    $outcome->('ok', 'a server that has nothing to say', connect => $ticketless);
    my $tries = 0;    # on a busy machine the handshake alone can take as long
    1 while $probe->(connect => $ticketless, timeout => '250ms')->{outcome} ne 'ok' && ++$tries < 50;
    cmp_ok($tries, '<', 50, '  has as little time for it as the client has');
    # what is reset is what the client says after it was refused: the reason came before
    my %said = ('1.2' => 'alert-unknown-ca', '1.3' => 'alert-certificate-required');
    for my $newest (sort keys %said) {
        my %mine = $newest eq '1.2' ? (cert => $untrusted->{chain}, key => $untrusted->{key}) : ();
        my %got;
        $got{$probe->(connect => $last_words, max_version => $newest, %mine)->{outcome}}++ for 1 .. 25;
        is_deeply(\%got, {$said{$newest} => 25}, "$library: an alert, and then a reset, in TLS $newest")
            or diag explain \%got;
    }

    $outcome->('alert-certificate-required', 'a server that takes its time to refuse', connect => $slow);

    $outcome->('ok', 'a warning, and a good server', connect => $warns, max_version => '1.2');
    is($outcome->('expired', 'a warning, and a leaf that expired', connect => $warns, max_version => '1.2',
                  at => '2032-01-01')->{alert_sent}, $alert{$library}, '  is told of it');

    # what was asked for is what is done
    for my $newest ('1.2', '1.3') {
        $outcome->('ok', "a client certificate, in TLS $newest", connect => $strict->{address},
                   cert => $me->{chain}, key => $me->{key}, max_version => $newest);
    }
    is($outcome->('ok', 'an older version', max_version => '1.2')->{version}, 'TLSv1.2', '  is taken');
    is($outcome->('ok', 'one suite', ciphers => 'TLS_AES_256_GCM_SHA384')->{cipher},
       'TLS_AES_256_GCM_SHA384', '  is taken');
    is($outcome->('ok', 'one older suite', connect => $old->{address},
                  ciphers => 'ECDHE-ECDSA-AES256-GCM-SHA384')->{cipher},
       'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', '  is taken');
    is($outcome->('ok', 'one group', groups => 'P-384')->{group}, 'P-384', '  is taken');
    $outcome->('no-shared-cipher', 'one signature algorithm', sigalgs => 'rsa_pss_rsae_sha256');
    $outcome->('ok', 'another', sigalgs => 'ecdsa_secp256r1_sha256');

    # a server that never stops talking is left
    $begun = time;
    $outcome->('ok', 'a server that never stops talking', connect => $flood);
    is(length $outcome->('ok', 'the same, spoken to', connect => $flood, say => "hm\n")->{heard}, 4096,
       '  is heard to the limit');
    cmp_ok(time - $begun, '<', 10, '  and left');

    # not even a handshake
    $outcome->('refused', 'nobody there', connect => nobody());
    $outcome->('not-tls', 'plain HTTP', connect => $http);
    $outcome->('not-tls', 'an SSH banner', connect => $ssh);
    $outcome->('closed', 'a peer that hangs up', connect => $hangs_up);
    $outcome->('reset', 'a peer that resets', connect => $resets);
    $begun = time;
    my $late = $outcome->('timeout', 'a peer that says nothing', connect => $silent,
                          timeout => '300ms', at => '2040-01-01');
    cmp_ok(time - $begun, '>=', 0.3, '  in real time, whatever the client\'s calendar');
    cmp_ok(time - $begun, '<', 10, '  and no more of it than that');
    cmp_ok($late->{times_ms}{total}, '>=', 299, '  which is told');
    is($worker->end, 0, "$library: the worker is well");
}

done_testing;
