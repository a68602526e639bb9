#!/usr/bin/perl
# A mistake in a scenario is one line: file, line, what was expected, the nearest
# right word.  Nothing has been started.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Rehearse;
use Test::More;

my $good = <<'PLAY';
scenario "A play"
local house = ca     { root = "10y" }
local shop  = target { "builtin", name = "shop.test", certificate = house:issue {} }
local fleet = clients { "openssl", to = shop }
steady "all is well"
fleet:expect { success = "100%", during = "100ms" }
PLAY

# name, what is changed in the good text, what the line must say, in which line
my @mistakes = (
    ['a syntax error', sub { s/"A play"/"A play/ }, qr/unfinished string/, 1],
    ['an unknown word', sub { s/steady/stedy/ }, qr/unknown word 'stedy'; did you mean 'steady'\?/, 5],
    ['an unknown key', sub { s/root =/rot =/ }, qr/ca: unknown key 'rot'; did you mean 'root'\?/, 2],
    ['an unknown method', sub { s/:expect/:expct/ }, qr/clients has no 'expct'; did you mean 'expect'\?/, 6],
    ['a duration without a unit', sub { s/"10y"/"10"/ }, qr/ca: 'root': '10' is not a duration/, 2],
    ['a number for a duration', sub { s/"10y"/10/ }, qr/'root' is 10; expected a duration in quotes/, 2],
    ['an unknown library', sub { s/"openssl"/"opensl"/ }, qr/expected one of "openssl", "gnutls", "wolfssl"/, 4],
    ['a certificate that was never good', sub { s/issue \{\}/issue { lifetime = "-3d" }/ },
        qr/'lifetime' is "-3d"; expected a duration above 0/, 3],
    ['a heading that is none', sub { s/"all is well"/(3)/ }, qr/steady: got 3; expected text in quotes/, 5],
    ['a title that says nothing', sub { s/"A play"/""/ }, qr/scenario: got ""; expected text .* not empty/, 1],
    ['a heading that says nothing', sub { s/"all is well"/" "/ }, qr/steady: got " "; expected text .* not empty/, 5],
    ['a name with a hole in it', sub { s/shop\.test/shop..test/ }, qr/expected a DNS name or an IP address/, 3],
    ['an unknown target', sub { s/"builtin"/"apach"/ }, qr/expected one of "builtin", "nginx"/, 3],
    ['a fetcher of nothing', sub { s/^local fleet/local f = fetcher { of = shop }\n$&/m },
        qr/fetcher: this target has no client_crl/, 4],
    ['something missing', sub { s/, to = shop// }, qr/clients: 'to' is missing/, 4],
    ['an unknown fault', sub { s/issue \{\}/issue {}:broken "expired-lef"/ },
        qr/unknown fault 'expired-lef'; did you mean 'expired-leaf'\?/, 3],
    ['an unknown outcome', sub { s/success = "100%"/outcome = "expird"/ },
        qr/unknown outcome 'expird'; did you mean 'expired'\?/, 6],
    ['an outcome for a library that is not there', sub { s/success = "100%"/outcome = { "ok", gnutls = "expired" }/ },
        qr/no clients of 'gnutls' here/, 6],
    ['nothing to expect', sub { s/success = "100%", // }, qr/either success or outcome/, 6],
    ['a bad share', sub { s/100%/100/ }, qr/'success' is "100"; expected a share in quotes/, 6],
    ['no time at all', sub { s/100ms/-1s/ }, qr/expect: 'during' is "-1s"; expected a duration above 0/, 6],
    ['during and within', sub { s/100ms"/100ms", within = "1s"/ }, qr/either during or within/, 6],
    ['a fault without a steady state', sub { s/^steady/inject/m }, qr/inject without a steady state/, 5],
    ['a way back from nothing', sub { $_ .= "recover \"x\"\n" }, qr/recover without a fault/, 7],
    ['a heading with nothing under it', sub { $_ .= "inject \"nothing\"\n" },
        qr/nothing was expected under inject/, undef],
    ['a global', sub { s/local house/house/ }, qr/'house' is not declared: write local house/, 2],
    ['the operating system', sub { $_ .= "os.remove(\"x\")\n" }, qr/unknown word 'os'/, 7],
    ['files', sub { $_ .= "io.open(\"x\")\n" }, qr/unknown word 'io'/, 7],
    ['code from elsewhere', sub { $_ .= "require \"host\"\n" }, qr/unknown word 'require'/, 7],
    ['an error of its own', sub { $_ .= "error(\"enough\")\n" }, qr/enough/, 7],
    ['  that is a table', sub { $_ .= "error({})\n" }, qr/error: expected a text, not a table/, 7],
    ['  that is nothing', sub { $_ .= "\nerror(nil)\n" }, qr/error: expected a text, not nothing/, 8],
    ['  of an assertion', sub { $_ .= "assert(nil, 7)\n" }, qr/error: expected a text, not a number/, 7],
    ['a call of nothing', sub { $_ .= "local nothing\nnothing()\n" }, qr/attempt to call a nil value/, 8],
    ['a script that never ends', sub { $_ .= "while true do end\n" }, qr/without waiting/, 7],
    ['a script that eats memory', sub { $_ .= "local t = {} while true do t[#t + 1] = (\"x\"):rep(1e7) .. #t end\n" },
        qr/needs more memory than a scenario may have, which is 1 GiB/, undef],
    ['a second scenario', sub { $_ .= "scenario \"Another\"\n" }, qr/one file, one scenario/, 7],
    ['a noun before the scenario', sub { s/^scenario.*\n// }, qr/ca before scenario/, 1],
    ['an empty file', sub { $_ = "" }, qr/no scenario/, undef],
    ['a binary chunk', sub { $_ = "\x1bLua\x54\x00" }, qr/attempt to load a binary chunk/, undef],
    ['an expectation of nothing', sub { $_ .= "shop:expect { within = \"1s\" }\n" }, qr/expect: of what\?/, 7],
    ['a dot for a colon', sub { $_ .= "shop.reload()\n" }, qr/write a colon/, 7],
    ['what is inside', sub { $_ .= "shop._play:start_process { \"true\" }\n" }, qr/a target has no '_play'/, 7],
    ['a chain without a name', sub { $_ .= "clients { \"openssl\", to = shop, certificate = house:issue {} }\n" },
        qr/this chain has no name yet/, 7],
    ['a command with an unknown word', sub { s/"builtin"/"command", start = "x {adress}"/ },
        qr/unknown word '\{adress\}'; did you mean 'address'\?/, 3],
    ['a signal that is none', sub { s/"builtin"/"command", start = "x", reload = "USR9"/ },
        qr/SIGUSR9 is none of HUP, USR1 and USR2/, 3],
    ['a name that is none', sub { s/shop\.test/shop test/ }, qr/expected a DNS name or an IP address/, 3],
    ['a trust file that is not there', sub { s/to = shop/to = shop, trust_file = "none.pem"/ },
        qr/trust_file: .*none\.pem: cannot open: No such file/, 4],
    ['an address that nobody allowed', sub { s/"builtin"/"command", start = "x", listens = "192.0.2.2:443"/ },
        qr/192\.0\.2\.2:443 is outside the stage and not allowed/, undef, 4],
    ['a share that cannot fail', sub { s/100%/0%/ }, qr/above "0%"/, 6],
    ['a trust file without a root', sub { s/to = shop/to = shop, trust_file = "$FindBin::Bin\/mistakes.t"/ },
        qr/trust_file: \S+mistakes\.t: no certificate in it; expected roots in PEM/, 4],
    ['two ways to trust', sub { s/to = shop/to = shop, trust = house, trust_file = "x"/ },
        qr/either trust or trust_file/, 4],
    ['a configuration that is not ours', sub { s/"builtin"/"command", start = "x", min_version = "1.3"/ },
        qr/a target of kind command is configured elsewhere: no 'min_version'/, 3],
    ['a fault of an authority that does not serve', sub { $_ .= "house:arm { \"reset\" }\n" },
        qr/arm: this ca does not serve; expected house:serve\(\) before/, 7],
    ['a setting of an authority that is no text', sub { $_ .= "house:serve { settings = { caa = true } }\n" },
        qr/settings.*expected texts by name, such as \{ \["rate-limits"\] = "on" \}/, 7],
    ['accounts of an authority that does not serve', sub { $_ .= "house:forget_accounts()\n" },
        qr/forget_accounts: this ca does not serve; expected house:serve\(\) before/, 7],
    ['what an authority that does not serve has issued', sub { $_ .= "house:revoke {}\n" },
        qr/revoke: this ca does not serve; expected house:serve\(\) before/, 7],
    ['a reason that is none', sub { $_ .= "house:serve()\nhouse:revoke { reason = \"superceded\" }\n" },
        qr/revoke: 'reason' is "superceded"; expected one of .*; did you mean "superseded"\?/, 8],
    ['an explanation nowhere', sub { $_ .= "house:serve()\nhouse:revoke { explanation = \"ask us\" }\n" },
        qr{revoke: 'explanation' is "ask us"; expected a URL in quotes, such as "https://status\.test/"}, 8],
    ['nobody to look at a name', sub { $_ .= "house:serve { perspectives = 0 }\n" },
        qr/serve: 'perspectives' is 0; expected a whole number from 1 to 8/, 7],
    ['a signature by nobody', sub { s/root = "10y"/cross_signed_for = "3y"/ },
        qr/ca: cross_signed_for what\? expected cross_signed_by/, 2],
    ['a staple that nobody asks for', sub { $_ .= "renewal { of = shop, from = house, must_staple = true }" },
        qr/must_staple is asked for by a client; expected client = \.\.\./, 7],
    ['a schedule that nobody goes by', sub { $_ .= "renewal { of = shop, from = house, schedule = \"1d\" }" },
        qr/renewal: 'schedule' is for a client; expected client = \.\.\./, 7],
    ['a lifetime that an ACME client does not decide on',
        sub { $_ .= "house:serve()\nrenewal { of = shop, from = house, client = \"lego\", lifetime = \"6d\" }" },
        qr/'lifetime' is not for a client to say; expected house:serve \{ profiles = \{ classic = "6d" \} \}/, 8],
    ['half a day, for a client that counts in days',
        sub { $_ .= "house:serve()\nrenewal { of = shop, from = house, client = \"lego\", when_left = \"36h\" }" },
        qr/'when_left': a client counts in days; expected whole ones, such as "30d"/, 8],
    ['a renewal that has nothing to forget', sub { $_ .= "local r = renewal { of = shop, from = house }\nr:forget()" },
        qr/forget: without a client it remembers nothing; expected client = \.\.\./, 8],
    ['an unknown fault of an authority', sub { $_ .= "house:serve()\nhouse:arm { \"retry-latr\" }\n" },
        qr/arm: 'entry 1' is "retry-latr"; expected a fault of docs\/authority\.md; did you mean 'retry-later'\?/, 8],
    ['an unknown setting of an authority', sub { $_ .= "house:serve { settings = { [\"rate-limit\"] = \"on\" } }\n" },
        qr/serve: unknown setting 'rate-limit'; did you mean rate-limits\?/, 7],
    ['a setting that is no such thing', sub { $_ .= "house:serve { settings = { caa = \"yes\" } }\n" },
        qr/serve: caa: 'yes' is neither on nor off/, 7],
    ['a fault where it cannot be', sub { $_ .= "house:serve()\nhouse:arm { \"wrong-key\", on = \"finalise\" }\n" },
        qr/arm: wrong-key: not on 'finalise'; did you mean finalize\?/, 8],
    ['a fault that takes no such thing', sub { $_ .= "house:serve()\nhouse:arm { \"wrong-key\", status = 400 }\n" },
        qr/arm: wrong-key: takes no "status"/, 8],
    ['an authority that serves twice', sub { $_ .= "house:serve()\nhouse:serve {}\n" }, qr/this ca serves already/, 8],
    ['a target that cannot get certificates by itself', sub { s/certificate = house:issue/certificate = house:acme/;
        s/^(local shop)/house:serve()\n$1/m }, qr/a target of kind builtin gets no certificates by itself/, 4],
    ['a certificate for a target that gets its own', sub { s/certificate = house:issue/certificate = house:acme/;
        s/"builtin"/"caddy"/; s/^(local shop)/house:serve()\n$1/m; $_ .= "shop:install(house:issue {})\n" },
        qr/install: shop\.test gets its certificates by itself/, 8],
    ['a target that has nothing to forget', sub { $_ .= "shop:forget()\n" },
        qr/forget: shop\.test is given its certificates; expected certificate = house:acme \{\}/, 7],
    ['a renewal by two', sub { $_ .= "renewal { of = shop, from = house, client = \"lego\", command = \"x\" }\n" },
        qr/either client or command/, 7],
    ['a renewal command with an unknown word',
        sub { $_ .= "renewal { of = shop, from = house, command = \"x {dri}\" }\n" },
        qr/renewal: command: unknown word '\{dri\}'; did you mean 'dir'\?/, 7],
    ['an ACME client without an authority', sub { $_ .= "renewal { of = shop, from = house, client = \"lego\" }\n" },
        qr/renewal: client: this ca does not serve/, 7],
    ['an external target that nobody allowed', sub { s/"builtin"/"external", address = "192.0.2.1:443"/ },
        qr/192\.0\.2\.1:443 is outside the stage and not allowed/, undef, 4],
);

for my $mistake (@mistakes) {
    my ($name, $change, $expected, $line, $status) = @$mistake;
    my $text = $good;
    $change->() for $text;
    my $path = scenario($text);
    my ($got, $out, $err) = rehearse('run', '--state', "$DIR/state", $path);
    my $where = defined $line ? qr/^rehearse: \Q$path\E:$line: / : qr/^rehearse: \Q$path\E/;
    subtest $name => sub {
        is $got, $status // 2, 'the exit status says which kind';
        is scalar(split /\n/, $err), 1, 'one line' or diag $err;
        like $err, $where, 'it says where';
        like $err, $expected, 'and what';
        is $out, $got == 4 ? "TAP version 13\nBail out! " . substr($err, 10) : '', 'no test was begun';
        ok !-e "$DIR/state", 'nothing was started';
    };
}

my ($status, $out, $err) = rehearse('validate', scenario($good));
is $status, 0, 'a good scenario is valid' or diag $err;
like $out, qr/A play: 1 expectation$/m, 'and says what it expects';

my ($bad1, $bad2) = (scenario("x"), scenario("y"));
($status, $out, $err) = rehearse('validate', $bad1, $bad2);
like $err, qr/\Q$bad1\E.*\n.*\Q$bad2\E/, 'all files are checked, each has its line';

done_testing;
