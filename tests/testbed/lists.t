#!/usr/bin/perl
# Revocation lists of an authority that serves come over HTTP, as it gives them out: what cannot be fetched or read
# leaves those that there are, and a target that is to begin with it does not begin.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

plan skip_all => 'curl is not installed' if system 'curl --version >/dev/null 2>&1';
$ENV{REHEARSE_SLACK} //= 4;

my $mutual = <<'PLAY';
scenario "lists"
local house  = ca {}
local badges = ca {}
badges:serve()
EARLIER
local shop  = target  { "builtin", name = "shop.test", certificate = house:issue {},
                        client_ca = badges, client_crl = badges }
local timer = fetcher { of = shop, when_left = "1d" }
local badge = badges:issue { name = "till.test", client = true }
local tills = clients { "openssl", to = shop, certificate = badge, rate = "10/s" }
steady "every till gets in"
tills:expect { success = "100%", within = "5s" }
inject "the next lists are not to be had"
badges:arm { "FAULT", on = "crls", begins = "6d", for_ = "2d" }
clock:jump "6d12h"
tills:expect { success = "100%", during = "1s" }
recover "they are"
clock:jump "2d"
tills:expect { success = "100%", within = "5s" }
PLAY

sub play {
    my ($fault, $earlier) = @_;
    my $text = $mutual =~ s/FAULT/$fault/r =~ s/EARLIER/$earlier/r;
    return scenario($text);
}

for my $case (['not-found', qr/curl: \(22\) .*404/], ['crl-garbage', qr/what came is no revocation list/]) {
    my ($fault, $why) = @$case;
    my ($status, $out, $err) = rehearse('run', play($fault, ''));
    is $status, 0, "$fault: the lists of before stay until it is over" or diag $out, $err;
    my @told = $out =~ m{^# fetcher: (http://\S+/0\.crl: .*)$}mg;
    is scalar @told, 1, '  which is told once';
    like $told[0], $why, '  with its reason';
    like $out, qr/^# fetcher: revocation lists that are good for 6d2[23]h/m, '  and then there are newer ones';
}

my ($status, $out, $err) = rehearse('run', play('crl-garbage', 'badges:arm { "not-found", on = "crls" }'));
is $status, 6, 'a target without its lists does not begin';
like "$out$err", qr{client_crl: http://\S+/0\.crl: curl: \(22\)}, '  and why is said';

done_testing;
