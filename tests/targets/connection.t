#!/usr/bin/perl
# Clients as the world has them: silent, slow, shouting garbage, gone, and very many.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Target qw(dir identity slurp run_with fetch);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

my $dir = dir();
my $shop = identity('shop.test');
my $target = Target->start(hosts => [$shop], log => "$dir/log", timeout => '300ms');

sub connect_to ($where) { return IO::Socket::INET->new(PeerAddr => $where->{address}) // die "connect: $@" }
sub is_served ($where, $what) { return like(fetch($where), qr/This is a rehearsal/, $what) }
sub log_lines { return map { decode_json($_) } split /\n/, slurp("$dir/log") }

# What comes until the other side closes; undef where it never does.
sub until_closed ($socket) {
    my $got = '';
    my $ready = IO::Select->new($socket);

    while ($ready->can_read(20)) {
        my $count = sysread $socket, $got, 4096, length $got;
        return $got if !$count;
    }
    return;
}

# --- silent and slow ------------------------------------------------------------------------------

my $began = time;
is(until_closed(connect_to($target)), '', 'who says nothing is hung up on');
cmp_ok(time - $began, '>=', 0.3, '  when the timeout is over');
is((log_lines())[0]{why}, 'the client took too long', '  and the log knows why');

# A hello that promises 512 bytes, and a byte now and then.
my $slow = connect_to($target);
print {$slow} "\x16\x03\x01\x02\x00\x01";
$began = time;
for (1 .. 1000) {
    last if IO::Select->new($slow)->can_read(0.05);
    local $SIG{PIPE} = 'IGNORE';
    syswrite $slow, "\0";
}
cmp_ok(time - $began, '<', 10, 'who drips byte by byte does not gain time by it');

# A handshake, and then no request: s_client with a stdin that stays open.
pipe my $stdin, my $keep or die;
my $pid = fork // die;
if ($pid == 0) {
    close $keep;
    open STDIN, '<&', $stdin;
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    exec 'openssl', 's_client', '-connect', $target->{address};
}
close $stdin;
waitpid $pid, 0;
pass('who shakes hands and asks nothing is hung up on');
is_served($target, 'and everyone else is served');

# --- garbage --------------------------------------------------------------------------------------

my %garbage = (
    'plain HTTP' => "GET / HTTP/1.0\r\n\r\n",
    'zeros' => "\0" x 5000,
    'ones' => "\xff" x 5000,
    'an SSLv2 hello' => "\x80\x2e\x01\x00\x02" . 'x' x 43,
    'a record that is too long' => "\x16\x03\x01\xff\xff" . 'x' x 70000,
    'a hello of another kind' => "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
    'an alert' => "\x15\x03\x01\x00\x02\x02\x2d",
    'half a hello' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
);
local $SIG{PIPE} = 'IGNORE';
for my $what (sort keys %garbage) {
    my $socket = connect_to($target);
    syswrite $socket, $garbage{$what};
    ok(defined until_closed($socket), "$what: hung up on");
}
srand 1;
for (1 .. 200) {
    my $socket = connect_to($target);
    syswrite $socket, "\x16\x03\x01" . pack 'n/a*', join '', map { chr rand 256 } 1 .. 300;
    shutdown $socket, 1;
    until_closed($socket);
}
is_served($target, 'after 200 hellos of random bytes it serves');

# A hello that stops, by a reset and not by an end.
my $rude = connect_to($target);
syswrite $rude, "\x16\x03\x01\x02\x00";
setsockopt $rude, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
close $rude;
is_served($target, 'after a reset it serves');

# --- requests -------------------------------------------------------------------------------------

sub say_to ($target, $text) {
    return (run_with($text, qw(openssl s_client -quiet -ign_eof -connect), $target->{address}))[0];
}
my %requests = (
    'HTTP/1.1' => "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n",
    'bare newlines' => "GET / HTTP/1.0\n\n",
    'a request without end' => 'x' x 40000,
    'a body behind it' => "POST / HTTP/1.0\r\nContent-Length: 9000\r\n\r\n" . 'x' x 9000,
);
for my $what (sort keys %requests) {
    like(say_to($target, $requests{$what}), qr/^This is a rehearsal\.$/m, "$what: answered");
}

is($target->stop, 0, 'and it ends well');

# --- many -----------------------------------------------------------------------------------------

# A process may have 1024 descriptors, the perl of this test too: so the crowd comes in two buses.
sub bus_of ($count, $where) {
    pipe my $arrived, my $say or die;
    pipe my $wait, my $leave or die;
    my $pid = fork // die;
    if ($pid == 0) {
        close $leave;
        my @inside = map { connect_to($where) } 1 .. $count;
        syswrite $say, '.';
        sysread $wait, my $nothing, 1;
        POSIX::_exit(0);
    }
    close $say;
    sysread $arrived, my $dot, 1 or die 'the bus never arrived';
    return {pid => $pid, leave => $leave};
}

my $crowded = Target->start(hosts => [$shop], timeout => '60s');
my @buses = map { bus_of(600, $crowded) } 1 .. 2;
is_served($crowded, '1200 clients that say nothing do not keep the next from being served');
close $_->{leave} for @buses;
waitpid $_->{pid}, 0 for @buses;
is_served($crowded, '  nor when they all leave');
is($crowded->stop, 0, '  and it ends well');

# Where the system gives it few descriptors, clients wait in the queue until there is room.
my $narrow = Target->start_by(['sh', '-c', 'ulimit -n 70; exec "$@"', 'sh'], hosts => [$shop],
                              timeout => '400ms');
my @crowd = map { connect_to($narrow) } 1 .. 200;
is_served($narrow, '200 clients and 70 descriptors: the next waits until the silent ones are out');

@crowd = map { connect_to($narrow) } 1 .. 50;
is($narrow->stop, 0, 'SIGTERM hangs up on all of them');
is(until_closed($crowd[0]) // 'open', '', '  at once');

done_testing;
