#!/usr/bin/perl
# Time that passes, rather than jumps: who acts by the calendar acts on the way, and clients try on every day.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

sub play {
    my ($rest, %part) = (@_, );
    my $profile = $part{profile} // '20d';
    return scenario(<<"PLAY");
scenario "A play"
local house   = ca      {}
house:serve { profiles = { classic = "$profile" } }
local shop    = target  { "builtin", name = "shop.test", certificate = house:issue { lifetime = "2d" } }
local renewal = renewal { of = shop, from = house, client = "acme-tiny", schedule = "1d", when_left = "5d" }
local fleet   = clients { "openssl", "gnutls", to = shop, rate = "5/s" }
steady "the client obtains a certificate"
renewal:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
inject "time passes"
$rest
PLAY
}

my ($status, $out, $err) = rehearse('run',
    play(<<'REST'));
fleet:expect { success = "100%", throughout = "50d", left = "3d", rotations = 3 }
house:expect { certificates = 4, orders = 4, in_a_week = 1 }
REST
is $status, 0, 'fifty days pass, and three certificates of twenty days are renewed' or diag $out, $err;
like $out, qr/\(success 100%, throughout 50d\)/, 'the point says how long';
like $out, qr/^  openssl: "ok x50"\n  gnutls: "ok x50"\n  passed: "50d pass in 50 steps"\n  rotations: 3\n/m,
    'every class tried on every day';
like $out, qr/^  least_left: "4d\S*, on 20\d\d-\S+Z"/m, 'what was served came so near to its end, on that day';
like $out, qr/^  renewals: "acme-tiny: 47 not due, 3 renewed"/m, 'and the client was started on every day';

($status, $out) = rehearse('run', play(<<'REST'));
clock:pass "14d"
fleet:expect { success = "100%", throughout = "1d", rotations = 1 }
REST
is $status, 0, 'what is replaced in the first step counts, too' or diag $out;

($status, $out) = rehearse('run', play('fleet:expect { success = "100%", throughout = "20d", left = "6d" }'));
is $status, 1, 'less left than was asked for is a failure';
like $out, qr/^  missed: "left: 4d\S*, on \S+Z, expected 6d or more"\n  at: "\S+play-\d+\.lua:11"$/m,
    'that says so, and where';
($status, $out) = rehearse('run', play('fleet:expect { success = "100%", throughout = "20d", rotations = 3 }'));
is $status, 1, 'fewer rotations are, too';
like $out, qr/^  missed: "rotations: 1, expected 3 or more"$/m, 'and are told';

($status, $out) = rehearse('run', play(<<'REST'));
renewal:stop()
fleet:expect { success = "100%", throughout = "25d", by = "12h" }
REST
is $status, 1, 'nobody renews, and the certificate runs out on the way';
like $out, qr/openssl: "ok x\d+; expired x\d+; first wrong at \S+Z: expired: certificate has expired \[/,
    'the day is told, and the words of the library';
like $out, qr/^  missed: "what was served ran out, expected that it would not; openssl: \d+ of \d+, expected 100%; /m,
    'and what of all that was expected to be otherwise';

($status, $out) = rehearse('run', play('fleet:expect { success = "100%", throughout = "3d" }', profile => '20h'));
is $status, 1, 'certificates that last 20 hours and are renewed once a day run out every day';
like $out, qr/openssl: "ok x3"\n/, 'though whoever came got in: right after it was renewed';
like $out, qr/^  ran_out: "\S+ ran out at \S+Z, and was served until/m, 'and that is told';

($status, $out) = rehearse('run', play(<<'REST', profile => '20h'));
house:arm { "server-error", for_ = "1h", may_miss = true }
fleet:expect { outcome = "ok", throughout = "8d", runs_out = true }
house:expect { certificates = 9 }
house:expect { in_a_week = 6 }
REST
is $status, 1, 'unless the scenario is about that; seven certificates in a week are more than six' or diag $out;
like $out, qr/^ok \d+ - \S+ time passes \(the authority: certificates is 9\)/m, 'nine were issued';
like $out, qr/^not ok \d+ - \S+ time passes \(the authority: in a week is 6\)\n  ---\n  found: "7"/m,
    'seven of them in one week';

($status, $out) = rehearse('run', play(<<'REST'));
house:arm { "server-error", for_ = "17d" }
fleet:expect { success = "100%", throughout = "30d" }
REST
is $status, 0, 'a client that fails and comes again is no failure' or diag $out;
like $out, qr/^  renewals: "acme-tiny: \d+ failed, \d+ not due, \d+ renewed"/m, 'but is told of';

($status, $out) = rehearse('run', play('fleet:expect { success = "100%", throughout = "4d", by = "30d" }'));
like $out, qr/passed: "4d pass in 4 steps"/, 'no step is longer than a day, whatever is asked for';

($status, $out) = rehearse('run', play(<<'REST'));
clock:pass "30d"
renewal:expect { renewed = 3 }
house:profiles { tlsserver = "6d" }
house:withdraw_profile "classic"
clock:pass { "20d", by = "6h" }
fleet:expect { success = "100%", within = "5s" }
REST
is $status, 0, 'time passes without a look, too' or diag $out;
like $out, qr/^# 30d pass in 30 steps: it is now /m, 'a day at a time, as often as the client is started';
like $out, qr/^# 20d pass in 80 steps: it is now /m, 'or as the scenario says';
like $out, qr/^# acme-tiny: certificate \S+, valid for 5d22h/m,
    'an authority can shorten lifetimes, and withdraw a profile';

my @mistakes = (
    ['fleet:expect { success = "100%", within = "1s", left = "2d" }', qr/'left' goes with throughout alone/],
    ['fleet:expect { success = "100%", within = "1s", throughout = "2d" }', qr/either during or within or throughout/],
    ['clock:pass { by = "1d" }', qr/clock:pass: how long\?/],
    ['clock:pass "-1d"', qr/time does not pass backwards; expected clock:jump/],
    ['clock:pass(5)', qr/clock:pass: 'entry 1' is 5; expected a duration in quotes/],
    ['clock:rate "fast"', qr/clock:rate: 'entry 1' is "fast"; expected a number above 0, 1000000 at most/],
    ['clock:rate(0)', qr/clock:rate: 'entry 1' is 0; expected a number above 0/],
    ['clock:rate { 1e7, mono = true }', qr/clock:rate: .*expected a number above 0, 1000000 at most/],
    ['clock:rate { mono = true }', qr/clock:rate: how fast\? expected a number, such as 1000/],
    ['clock:rate { 1000, mono = "yes" }', qr/clock:rate: 'mono' is "yes"; expected true or false/],
    ['clock:rate { 1000, momo = true }', qr/clock:rate: unknown key 'momo'; did you mean 'mono'\?/],
    ['clock:freeze(true)', qr/clock:freeze takes a table/],
    ['clock:freeze { mono = 1 }', qr/clock:freeze: 'mono' is 1; expected true or false/],
    ['clock:pass { "1d", by = "0s" }', qr/'by' is "0s"; expected a duration above 0/],
    ['clock:suspend "-1d"', qr/clock:suspend: got "-1d"; expected a duration above 0/],
    ['fleet:expect { success = "100%", throughout = "0s" }', qr/'throughout' is "0s"; expected a duration above 0/],
    ['fleet:expect { success = "100%", within = "1s", runs_out = true }', qr/'runs_out' goes with throughout alone/],
    ['local slow = ca { skew = "1d" } slow:serve {}', qr/one that serves lives on the calendar/],
    ['timeout "0s"', qr/timeout: got "0s"; expected a duration above 0/],
    ['house:profiles { classic = "soon" }', qr/profiles: .*expected durations by name/],
    ['house:withdraw_profile(7)', qr/withdraw_profile: got 7; expected text in quotes/],
);
for my $mistake (@mistakes) {
    my ($line, $says) = @$mistake;
    ($status, $out, $err) = rehearse('validate', play("$line\nfleet:expect { success = \"100%\" }"));
    is $status, 2, $line;
    like $err, $says, '  is refused';
}

done_testing;
