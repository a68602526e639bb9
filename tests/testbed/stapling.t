#!/usr/bin/perl
# Servers that ask the OCSP responder themselves, and staple what it says.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

sub play {
    my ($kind, $key, $rest) = @_;
    return scenario(<<"PLAY");
scenario "A play"
local house = ca      {}
house:serve {}
local shop  = target  { "$kind", name = "shop.test", certificate = house:issue {}, $key }
local fleet = clients { "openssl", "gnutls", "wolfssl", to = shop, staple = "require" }
$rest
PLAY
}

for my $kind (qw(nginx apache caddy)) {
    my ($status, $out, $err) = rehearse('run', play($kind, 'stapling = true', <<'REST'));
steady "every client gets a staple"
fleet:expect { success = "100%", within = "5s" }
REST
    is $status, 0, "$kind staples" or diag $out, $err;
    ($status, $out, $err) = rehearse('run', play($kind, '', <<'REST'));
steady "no client gets a staple"
fleet:expect { outcome = "staple-missing", within = "5s" }
REST
    is $status, 0, 'and does not where it was not told to' or diag $out, $err;
}

# The responder falls silent, and its last answer runs out.  nginx leaves the staple out, Apache asks while the client
# waits, and Caddy goes on with the old one; it asks from time to time, so time has to pass for it.
my %fails = (nginx => 'staple-missing', apache => 'timeout', caddy => 'revocation-unknown');
my %later = (nginx => 'clock:jump "10d"', apache => 'fleet:set { timeout = "1s" } clock:jump "10d"',
    caddy => 'clock:pass "10d"');
for my $kind (sort keys %fails) {
    my ($status, $out, $err) = rehearse('run', play($kind, 'stapling = true', <<"REST"));
steady "every client gets a staple"
fleet:expect { success = "100%", within = "5s" }
inject "the responder falls silent"
house:arm { "silence", on = "ocsp" }
$later{$kind}
fleet:expect { outcome = "$fails{$kind}", within = "5s" }
REST
    is $status, 0, "under $kind: $fails{$kind}" or diag $out, $err;
}

# A worker that waits for the responder does not end by itself for a minute, and is stopped all the same.
my ($status, $out, $err) = rehearse('run', '--timeout', '50s', play('nginx', 'stapling = true', <<'REST'));
steady "every client gets a staple"
fleet:expect { success = "100%", within = "5s" }
inject "the responder falls silent, and nginx, which has got another certificate, asks it"
house:arm { "silence", on = "ocsp" }
shop:install(house:issue {})
fleet:expect { outcome = "staple-missing", within = "5s" }
shop:restart()
fleet:expect { outcome = "staple-missing", within = "5s" }
REST
is $status, 0, 'nginx is restarted while it waits for the responder' or diag $out, $err;

# Caddy asks for a staple while it loads its certificates, and sets itself no limit.
($status, $out, $err) = rehearse('run', play('caddy', 'stapling = true', <<'REST'));
steady "every client gets a staple"
fleet:expect { success = "100%", within = "5s" }
inject "the responder falls silent, and Caddy is told to reload"
house:arm { "silence", on = "ocsp" }
shop:install(house:issue {})
shop:expect { reload = "refused" }
fleet:expect { success = "100%", during = "300ms" }
REST
is $status, 0, 'a reload hangs with the responder' or diag $out, $err;
like $out, qr/why: "caddy reload had not ended after 10 s"/, 'and is given up';

done_testing;
