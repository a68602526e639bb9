#!/usr/bin/perl
# A target that gets its certificates by itself, while time passes.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

plan skip_all => 'caddy is not installed' if !grep { -x "$_/caddy" } split /:/, $ENV{PATH};

sub play {
    my ($rest) = @_;
    return scenario(<<"PLAY");
scenario "A play"
local house = ca      {}
house:serve { profiles = { classic = "20d" } }
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {} }
local fleet = clients { "openssl", "gnutls", to = shop, rate = "5/s" }
steady "it has obtained a certificate"
fleet:expect { success = "100%", within = "10s" }
inject "time passes"
$rest
PLAY
}

my ($status, $out, $err) = rehearse('run',
    play('fleet:expect { success = "100%", throughout = "40d", left = "5d", rotations = 2 }'));
is $status, 0, 'in forty days it renews twice' or diag $out, $err;
like $out, qr/passed: "40d pass in 160 steps"/, 'in steps that its timers can follow';

($status, $out, $err) = rehearse('run', play(<<'REST'));
house:arm { "server-error" }
fleet:expect { success = "100%", throughout = "25d" }
REST
is $status, 1, 'an authority that is down for longer than a third of its life locks everybody out' or diag $out, $err;
like $out, qr/first wrong at \S+Z: expired/, 'when the certificate has run out';
unlike $out, qr/never fired/, 'and Caddy did ask';

done_testing;
