#!/usr/bin/perl
# Targets that get their certificates by themselves, while time passes.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

sub play {
    my ($kind, $rest, %part) = @_;
    my $challenge = $part{challenge} // 'tls-alpn-01';
    return scenario(<<"PLAY");
scenario "A play"
local house = ca      {}
house:serve { profiles = { classic = "20d" } }
local shop  = target  { "$kind", name = "shop.test", certificate = house:acme { challenge = "$challenge" } }
local fleet = clients { "openssl", "gnutls", to = shop, rate = "5/s" }
steady "it has obtained a certificate"
fleet:expect { success = "100%", within = "10s" }
inject "time passes"
$rest
PLAY
}

# Caddy lives by its timers, Apache by the nightly restart.
my %steps = (caddy => 160, apache => 40);
my ($status, $out, $err);

for my $kind (sort keys %steps) {
    ($status, $out, $err) = rehearse('run',
        play($kind, 'fleet:expect { success = "100%", throughout = "40d", left = "5d", rotations = 2 }'));
    is $status, 0, "$kind renews twice in forty days" or diag $out, $err;
    like $out, qr/passed: "40d pass in $steps{$kind} steps"/, 'in steps that it can follow';

    ($status, $out, $err) = rehearse('run', play($kind, <<'REST', challenge => 'http-01'));
house:arm { "server-error" }
fleet:expect { success = "100%", throughout = "25d" }
REST
    is $status, 1, 'an authority that is down for longer than a third of its life locks everybody out'
        or diag $out, $err;
    like $out, qr/first wrong at \S+Z: expired/, 'when the certificate has run out';
    unlike $out, qr/never fired/, "and $kind did ask";

    ($status, $out, $err) = rehearse('run', play($kind, <<'REST'));
shop:restart()
fleet:expect { success = "100%", within = "10s" }
house:expect { certificates = 1 }
shop:forget()
fleet:expect { success = "100%", within = "10s" }
house:expect { certificates = 2 }
clock:pass "15d"
house:expect { certificates = 3 }
REST
    is $status, 0, "$kind has a certificate yet when it is restarted, and none when its storage is lost"
        or diag $out, $err;
}

# After a failure Caddy tries the directory of tests that it knows of: Let's Encrypt's, unless it has another CA.
my $journal = "$DIR/journal.jsonl";
($status, $out, $err) = rehearse('run', '--journal', $journal, play('caddy', <<'REST'));
house:arm { "order-invalid", on = "finalize", times = 1 }
clock:pass "15d"
fleet:expect { success = "100%", within = "5s" }
REST
is $status, 0, 'a renewal that fails once is tried again' or diag $out, $err;
my $told = do { local (@ARGV, $/) = $journal; <> };
unlike $told, qr/letsencrypt/, 'at the same authority';

done_testing;
