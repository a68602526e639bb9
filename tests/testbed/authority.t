#!/usr/bin/perl
# A ca that serves: real ACME clients renew from it, it misbehaves as it is told, and a fault that never
# met a request fails the play.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

sub play {
    my ($rest) = @_;
    return scenario(<<"PLAY");
scenario "A play"
local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", name = "shop.test", certificate = house:issue { lifetime = "2d" } }
local renewal = renewal { of = shop, from = house, client = "acme-tiny" }
local fleet   = clients { "openssl", to = shop }
steady "the client obtains a certificate"
renewal:expect { renewed = 1, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
$rest
PLAY
}

# What the journal holds of a kind.
sub journal {
    my ($path, $kind) = @_;
    open my $file, '<', $path or die "$path: $!";
    return grep { $_->{kind} eq $kind } map { decode_json($_) } <$file>;
}

my $journal = "$DIR/journal.jsonl";

my ($status, $out, $err) = rehearse('run', '--journal', $journal, play(<<'REST'));
inject "sixty-one days pass, and the authority is busy when renewal is due"
house:arm { "retry-later", on = "newOrder", status = 503, after_date = "2m", times = 1 }
clock:jump "61d"
renewal:expect { last = "failed", within = "30s" }
recover "the next run, half a day later, gets through"
clock:jump "12h"
renewal:expect { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
REST
is $status, 0, 'a client obtains, is turned away, and renews at its next run' or diag $out, $err;
like $out, qr/^# acme-tiny: failed \(1\): \S/m, 'its failure is told in its own words';
my ($fault) = journal($journal, 'fault');
is $fault->{fault}, 'retry-later', 'the journal holds the fault';
is $fault->{fired}, 1, 'and how often it fired';
is $fault->{after_date}, 120, 'what it said of coming back';
ok $fault->{first} && $fault->{first} == $fault->{last}, 'and when that was, on the calendar';
is_deeply [map { $_->{result} } journal($journal, 'renewal ran')], [qw(renewed failed renewed)],
    'and how each run of the client ended';

# What a client ends with is not always what went wrong.
for (['certbot', 'newAccount', qr/Unable to register an account/], ['certbot', 'validation', qr/During secondary/],
    ['dehydrated', 'newOrder', qr/An error occurred .*500/], ['dehydrated', 'validation', qr/During secondary/],
    ['uacme', 'validation', qr/During secondary/]) {
    my ($client, $where, $words) = @$_;
    my $fault = $where eq 'validation' ? 'perspectives-disagree' : 'server-error';
    ($status, $out, $err) = rehearse('run', '--state', "$DIR/turned", scenario(<<"PLAY"));
scenario "A client is turned away"
local house   = ca      {}
house:serve {}
local shop    = target  { "builtin", name = "shop.test", certificate = house:issue {} }
house:arm { "$fault", on = "$where" }
local renewal = renewal { of = shop, from = house, client = "$client" }
steady "it obtains nothing"
renewal:expect { last = "failed", within = "30s" }
PLAY
    is $status, 0, "$client is turned away" or diag $out, $err;
    like $out, qr/^# $client: failed \(\d+\): $words/m, 'and what it says of that is told, not its advice';
}

($status, $out) = rehearse('run', '--journal', $journal, play(<<'REST'));
inject "nothing is due, so nobody meets the fault"
house:arm { "retry-later", on = "newOrder" }
fleet:expect { success = "100%", during = "200ms" }
REST
is $status, 1, 'a fault that never fired fails the play';
like $out, qr/^not ok 4 - A play: \S+play-\d+\.lua:11: the fault retry-later on newOrder never fired/m, 'and is named';

($status, $out) = rehearse('run', '--journal', $journal, play(<<'REST'));
inject "the fault is armed, and taken back before anybody came"
house:arm { "server-error", on = "finalize" }
house:disarm("server-error", "finalize")
fleet:expect { success = "100%", during = "200ms" }
REST
is $status, 1, 'so does one that was disarmed before it fired';
like $out, qr/the fault server-error on finalize never fired/, 'and is named, too';

($status, $out) = rehearse('run', '--journal', $journal, play(<<'REST'));
inject "one may miss, and the next of its name may not"
house:arm { "server-error", on = "finalize", may_miss = true }
house:disarm "server-error"
house:arm { "server-error", on = "finalize" }
fleet:expect { success = "100%", during = "200ms" }
REST
is $status, 1, 'that one may miss is no excuse for another' or diag $out;
like $out, qr/play-\d+\.lua:13: the fault server-error on finalize never fired/, 'which is told with its line';

($status, $out, $err) = rehearse('run', '--journal', $journal, play(<<'REST'));
inject "the same fault twice"
house:arm { "server-error", on = "finalize" }
house:arm { "server-error", on = "finalize" }
fleet:expect { success = "100%", during = "200ms" }
REST
is $status, 2, 'arming twice is a mistake';
like $out, qr/^not ok 3 - .*play-\d+\.lua:12: arm: .*already/m, 'told with its line';

($status, $out) = rehearse('run', '--journal', $journal, play(<<'REST'));
inject "the client is stopped; its certificate runs out"
renewal:stop()
clock:jump "91d"
fleet:expect { outcome = "expired", within = "5s" }
recover "it is started again, by its timer"
renewal:start()
renewal:expect { renewed = 2, within = "30s" }
fleet:expect { success = "100%", within = "5s" }
REST
is $status, 0, 'a client that was stopped does not run; started again, it runs at once' or diag $out;
like $out, qr/renewal began/, 'and the way back knows when it began';

# Anybody's own tooling: here a script that asks acme-tiny, and has a space in its name.
my $script = "$DIR/my renewal.sh";
open my $file, '>', $script or die;
print $file <<'SCRIPT';
set -eu
dir=$1 directory=$2 webroot=$3 name=$4
[ -e $dir/key.pem ] || openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / \
    -addext subjectAltName=DNS:$name -keyout $dir/key.pem -out $dir/csr.pem 2>/dev/null
[ -e $dir/account.key ] || openssl genrsa -out $dir/account.key 2048 2>/dev/null
acme-tiny --quiet --account-key $dir/account.key --csr $dir/csr.pem --directory-url $directory --disable-check \
    --acme-dir $webroot/.well-known/acme-challenge >$dir/new.pem
mv $dir/new.pem $dir/chain.pem
SCRIPT
close $file;
my $text = do { open my $play, '<', play('') or die; local $/; <$play> };
$text =~ s/client = "acme-tiny"/command = "SSL_CERT_FILE={trust} sh '$script' {dir} {directory} {webroot} {name}"/;
($status, $out) = rehearse('run', scenario($text));
is $status, 0, 'a command of one\'s own renews as well' or diag $out;
like $out, qr/^# command: certificate \S+, valid for 89d22h$/m, 'and what it brought is told';

# Whatever asks on the stage is told by the authority's own DNS, the machine's resolver never.
$text =~ s/command = "[^"]*"/command = "dig +short www.shop.test A; dig +short +tries=1 shop.test CAA; exit 3"/;
$text =~ s/client obtains a certificate"\n.*/client has asked"\nrenewal:expect { last = "failed", within = "30s" }\n/s;
($status, $out) = rehearse('run', '--journal', $journal, scenario($text));
is $status, 0, 'a program on the stage asks DNS' or diag $out;
my @told = map { $_->{text} } grep { $_->{who} eq 'command' } journal($journal, 'said');
is_deeply \@told, ['127.0.0.1'], 'and hears of an address for any name, and of no other record';

done_testing;
