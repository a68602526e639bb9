#!/usr/bin/perl
# `fakeca serve` is killed at random moments, with orders in flight at every stage.  After each restart
# the clients find their account, their orders and their certificates as they were told, and finish what they
# had begun; they look for themselves (tests/bench/programs/orders.c).
#
# Fifteen kills; two hundred where REHEARSE_LONG is set.  SEED repeats the moments of another run.
use v5.36;
use FindBin qw($Bin);
use Fcntl qw(F_SETFD);
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(WNOHANG);
use lib $Bin;
use Fakeca qw(dir fakeca slurp spill);
use Serve qw(serve stop home);
use Test::More;

my $kills = $ENV{REHEARSE_LONG} ? 200 : 15;
my $clients = 8;
my $dir = dir();
my $seed = $ENV{SEED} // time % 1_000_000;
srand $seed;
note("SEED=$seed: the moments of these kills");

my $programs = "$Bin/../bench/programs";
system(($ENV{CC} // 'cc') . " -I'$Bin/../..' -D_GNU_SOURCE -O2 -o $dir/orders '$programs/orders.c' '$programs/acme.c'"
    . ' -lcurl -lcrypto -ljansson -lpthread') == 0 or BAIL_OUT('the clients cannot be built');

my $answers = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1') or die "socket: $!";
fcntl $answers, F_SETFD, 0;    # the clients inherit it

# A server on ports of its own; where it is stands in a file, for the clients, before anything else happens.
sub begin () {
    my $ca = serve('--validate-http-port', $answers->sockport);
    spill("$dir/directory.new", "$ca->{directory}\n");
    rename "$dir/directory.new", "$dir/directory" or die "rename: $!";
    return $ca;
}


my $ca = begin();
my $pid = fork // die "fork: $!";
if ($pid == 0) {
    open STDOUT, '>', "$dir/orders.out" or die;
    open STDERR, '>', "$dir/orders.err" or die;
    exec "$dir/orders", "$dir/directory", $ca->{https_root}, fileno $answers, $clients, 3600 or die;
}
END { local $?; kill 'KILL', $pid if $pid }

my $killed = 0;
for (1 .. $kills) {
    select undef, undef, undef, rand .3;    # the moment of the kill; nothing waits for it
    last if waitpid($pid, WNOHANG) != 0;    # the clients have found something
    $killed++ if stop($ca->{child}, 'KILL') eq 'signal 9';
    $ca = begin();
}
is($killed, $kills, "killed $kills times, and it came back each time");
kill 'TERM', $pid;
waitpid $pid, 0;
is($?, 0, 'nothing that a client was told was forgotten, and all orders were finished')
    or diag("SEED=$seed\n" . slurp("$dir/orders.err"));
undef $pid;

my ($orders, undef, $recoveries) = (split(' ', slurp("$dir/orders.out")), 0, 0, 0);
cmp_ok($orders, '>', 0, "it worked: $orders orders");
cmp_ok($recoveries, '>', $kills, "and the clients felt it: $recoveries connections were lost");

is(scalar @{decode_json(fakeca('accounts', '--state', home()))->{accounts}}, 1, 'they still have one account');
my $known = @{decode_json(fakeca('certificates', '--state', home()))->{certificates}};
cmp_ok($known, '>=', $orders, 'every certificate that was told is known');
my %times;
$times{$_}++ for slurp(home() . '/issued.jsonl') =~ /"serial": ?"(\w+)"/g;
is_deeply([grep { $times{$_} > 1 } sort keys %times], [], 'no serial number was given twice');
cmp_ok(scalar keys %times, '>=', $known, 'and what is known was written down');

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
is(slurp("$dir/serve.err"), '', 'it never complained');
done_testing;
