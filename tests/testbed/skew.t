#!/usr/bin/perl
# A server whose own clock is off the calendar: by so much, wherever the calendar goes.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

sub play {
    my ($part, $rest) = @_;
    return scenario(<<"PLAY");
scenario "A play"
local house = ca      {}
local shop  = target  { $part, name = "shop.test" }
local fleet = clients { "openssl", to = shop, rate = "5/s", trust = house }
steady "every client gets in, whatever the server's clock is"
fleet:expect { success = "100%", within = "5s" }
$rest
PLAY
}

# How far the server's clock was off the calendar each time that it was read back, in minutes: a calendar that runs
# fast is some seconds further when that is written down.
sub minutes {
    my ($journal) = @_;
    open my $file, '<', $journal or die "$journal: $!";
    my @notes = map { decode_json($_) } <$file>;
    my @read = grep { $_->{kind} eq 'clock read back' && $_->{who} =~ /^target shop/ } @notes;
    return map { sprintf '%.0f', ($_->{reads} - $_->{virtual}) / 60 } @read;
}

my $journal = "$DIR/journal.jsonl";
for my $kind (qw(builtin nginx apache haproxy caddy)) {
    my ($status, $out, $err) = rehearse('run', '--journal', $journal,
        play(qq{"$kind", certificate = house:issue { lifetime = "200d" }, skew = "+1d"}, <<'REST'));
inject "the calendar is moved in every way, and the server's clock"
clock:jump "10d"
clock:pass { "2d", by = "1d" }
clock:rate(100)
clock:freeze()
clock:thaw()
clock:set "2030-01-01T00:00:00Z"
shop:set { skew = "-1h" }
clock:jump "10d"
shop:restart()
clock:jump "1d"
fleet:expect { outcome = { "ok", "expired" }, within = "5s" }
REST
    is $status, 0, "a $kind whose clock is off" or diag $out, $err;
    is_deeply [minutes($journal)], [(1440) x 7, (-60) x 3], '  is off by that, and by nothing else';
}

# One that renews by itself is poked and waited for on the clock that it lives on.
my ($status, $out, $err) = rehearse('run', '--journal', $journal, scenario(<<'PLAY'));
scenario "A play"
local house = ca      {}
house:serve { profiles = { classic = "20d" } }
local shop  = target  { "caddy", name = "shop.test", certificate = house:acme {}, skew = "1d" }
local fleet = clients { "openssl", to = shop, rate = "5/s" }
steady "it renews"
fleet:expect { success = "100%", throughout = "20d", left = "5d", rotations = 1 }
PLAY
is $status, 0, 'a Caddy that is a day ahead renews' or diag $out, $err;
is_deeply [grep { $_ != 1440 } minutes($journal)], [], 'and stays a day ahead while time passes';

my @mistakes = (
    ['"builtin", certificate = house:issue {}, skew = 5', '', qr/target: 'skew' is 5; expected a duration/],
    ['"builtin", certificate = house:issue {}', 'shop:set { skew = "5m" }',
        qr/set: this target has no clock of its own; expected skew = "0s" where it is declared/],
    ['"builtin", certificate = house:issue {}, skew = "5m"', 'shop:set {}', qr/set: 'skew' is missing/],
    ['"external", address = "127.0.0.1:443", skew = "5m"', '', qr/skew: an external target is never changed/],
);
for my $mistake (@mistakes) {
    my ($part, $act, $says) = @$mistake;
    ($status, $out, $err) = rehearse('validate', '--allow', '127.0.0.1', play($part, $act));
    is $status, 2, $act || $part;
    like $err, $says, '  is refused';
}

done_testing;
