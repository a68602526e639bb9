#!/usr/bin/perl
# Reloads: what is good is swapped in while clients come and go, what is bad changes nothing.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Target qw(dir identity spill slurp run_with s_client fetch);
use IPC::Open2 qw(open2);
use POSIX ();
use Test::More;

my $dir = dir();
my $old = identity('old', 'shop.test');
my $new = identity('new', 'shop.test');
my ($chain, $key) = ("$dir/shop.chain.pem", "$dir/shop.key.pem");

sub install ($it) {
    spill($chain, slurp($it->{chain}));
    spill($key, slurp($it->{key}));
}

sub serial_of ($target) {
    my ($said) = s_client($target);
    my ($pem) = $said =~ /(-----BEGIN CERTIFICATE.*END CERTIFICATE-----\n)/s or return $said;
    my ($serial) = run_with($pem, qw(openssl x509 -noout -serial));
    return lc $serial =~ s/serial=(\w+)\n/$1/r;
}

install($old);
my $target = Target->start(hosts => [{name => 'shop.test', chain => $chain, key => $key}],
                           log => "$dir/log");
is(serial_of($target), $old->{serial}, 'the old certificate is served');

# --- bad ------------------------------------------------------------------------------------------

my %bad = (
    'the key is still the old one' =>
        [sub { spill($chain, slurp($new->{chain})) }, qr/certificate 1: is not for the key/],
    'the chain is still the old one' =>
        [sub { spill($key, slurp($new->{key})) }, qr/certificate 1: is not for the key/],
    'the chain was cut' =>
        [sub { spill($chain, substr slurp($new->{chain}), 0, 300) }, qr/has no END line/],
    'the chain is empty' => [sub { spill($chain, '') }, qr/no certificate in it/],
    'the chain is gone' => [sub { unlink $chain }, qr/\Q$chain\E: cannot open: No such file/],
    'the key is gone' => [sub { unlink $key }, qr/\Q$key\E: cannot open: No such file/],
    'the settings are broken' => [sub { spill($target->{config}, '{') }, qr/json:1: /],
    'the settings are gone' => [sub { unlink $target->{config} }, qr/No such file/],
    'the address is another' =>
        [sub { Target::config($target->{config}, %{$target->{settings}}, listen => '127.0.0.2:0') },
         qr/a reload cannot change it from 127\.0\.0\.1:0/],
    'the log cannot be opened' =>
        [sub { Target::config($target->{config}, %{$target->{settings}}, log => "$dir/no/log") },
         qr/log: .*cannot open/],
);
for my $what (sort keys %bad) {
    my ($spoil, $why) = @{$bad{$what}};

    install($old);
    Target::config($target->{config}, %{$target->{settings}});
    $spoil->();
    my $event = $target->hangup;
    is($event->{event}, 'refused', "$what: refused");
    like($event->{why}, $why, '  and it says why');
    is(serial_of($target), $old->{serial}, '  and the old one keeps serving');
}

# --- good, under load -----------------------------------------------------------------------------

# A client after the other, until told to stop; one letter in the pipe for each answer.
sub customer ($stop) {
    pipe my $report, my $to or die;
    my $pid = fork // die;
    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        $to->autoflush;
        while (!-e $stop) {
            my $answer = fetch($target, qw(-no_ticket));
            print {$to} $answer =~ /This is a rehearsal/ ? '+' : '-';
        }
        POSIX::_exit(0);
    }
    close $to;
    return {pid => $pid, report => $report, answers => ''};
}

Target::config($target->{config}, %{$target->{settings}});
install($old);
my @customers = map { customer("$dir/enough") } 1 .. 2;

# Every reload meets clients at work: the next one waits until a customer has had another answer.
my $swapped = 0;
for my $round (1 .. 50) {
    my $it = $round % 2 ? $new : $old;

    install($it);
    my $event = $target->hangup;
    $swapped++ if $event->{event} eq 'reloaded' && $event->{serial} eq $it->{serial};
    my $customer = $customers[$round % @customers];
    sysread $customer->{report}, $customer->{answers}, 1, length $customer->{answers};
}
is($swapped, 50, '50 reloads under load: each took, and says the serial it serves');
is(serial_of($target), $old->{serial}, 'and the last of them is on the wire');
spill("$dir/enough", '');
for my $customer (@customers) {
    my $answers = $customer->{answers};
    0 while sysread $customer->{report}, $answers, 4096, length $answers;
    waitpid $customer->{pid}, 0;
    is($answers =~ tr/-//, 0, '0 failed requests of ' . length $answers);
    cmp_ok(length $answers, '>=', 25, '  and there were requests all along');
}

# --- a connection in progress ---------------------------------------------------------------------

my $pid = open2(my $from, my $to,
                "exec openssl s_client -ign_eof -connect $target->{address} 2>&1");
while (my $line = <$from>) { last if $line =~ /^\s*Verify return code/ }
install($new);
is($target->hangup->{serial}, $new->{serial}, 'a reload between a handshake and its request');
print {$to} "GET / HTTP/1.0\r\n\r\n";
close $to;
like(do { local $/ = undef; <$from> }, qr/This is a rehearsal/, '  and the request is answered');
waitpid $pid, 0;
is($target->stop, 0, 'it ends well');

done_testing;
