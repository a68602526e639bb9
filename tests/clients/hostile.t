#!/usr/bin/perl
# A worker answers whatever comes, in one line, and goes on; it trusts no line.
use v5.36;
use FindBin qw($Bin);
use lib $Bin, "$Bin/../targets";
use JSON::PP;
use Target qw(dir slurp);
use Test::More;
use Worker qw(@libraries shop serve nobody client);

my $at = '2031-05-05T12:00:00Z';
my $shop = shop($at);
my $target = serve($shop);
my %good = (connect => $target->{address}, name => 'shop.test', trust => $shop->{trust}, at => $at);
my $json = JSON::PP->new->canonical;

# Good, but for its length: no part of it is taken for the whole.
my $huge = dir() . '/huge';
open my $file, '>', $huge or die "$huge: $!";
print $file slurp($shop->{trust});
truncate $file, 16 * 1024 * 1024 + 1 or die "$huge: $!";
close $file;

# What is sent, and what the answer says.  A hash is a probe with these fields changed.
my @bad = (
    ['{'                                                        => qr/^not JSON: /],
    ['nonsense'                                                 => qr/^not JSON: /],
    ['{"id":1,"do":"probe"} and more'                           => qr/^not JSON: /],
    ["{\"id\":1,\0\"do\":\"probe\"}"                            => qr/^not JSON: /],
    ["\xff\xfe"                                                 => qr/^not JSON: /],
    ['{"id":1,"id":2,"do":"probe"}'                             => qr/^not JSON: .*duplicate/],
    ['[' x 30_000                                               => qr/^not JSON: /],
    ['{"a":' x 10_000                                           => qr/^not JSON: /],
    ['[]'                                                       => qr/^expected one JSON object/],
    ['{}'                                                       => qr/^id: expected an integer/],
    ['{"id":"one","do":"probe"}'                                => qr/^id: expected an integer/],
    ['{"id":99999999999999999999999,"do":"probe"}'              => qr/^not JSON: .*too big/],
    ['{"id":1}'                                                 => qr/^do: missing/],
    ['{"id":1,"do":7}'                                          => qr/^do: missing/],
    ['{"id":1,"do":"prob"}'                                     => qr/'prob' is unknown; did you mean 'probe'/],
    ['{"id":1,"do":"' . 'x' x 60_000 . '"}'                     => qr/^do: 'x{60}' is unknown/],
    ['x' x 70_000                                               => qr/longer than 65536 bytes/],
    ['{"id":1,"do":"probe"}'                                    => qr/^connect: missing/],
    [{nmae => 'x'}                => qr/^unknown field 'nmae'; did you mean 'name'\?/],
    [{do_it => 1}                 => qr/^unknown field 'do_it'/],
    [{connect => 'shop.test'}     => qr/^connect: .*expected HOST:PORT/],
    [{connect => 1}               => qr/^connect: expected a string/],
    [{connect => 'no.such.host.invalid:1'} => qr/^connect: no\.such\.host\.invalid: /],
    [{connect => '127.0.0.1:99999'} => qr/^connect: /],
    [{name => ''}                 => qr/^name: is empty/],
    [{name => 'a' x 300}          => qr/^name: is longer/],
    [{trust => dir() . '/none'}   => qr/^trust: .*none: .*No such file/],
    [{trust => $huge}             => qr/^trust: .*huge/],
    [{crl => [$huge]}             => qr/^crl: .*huge/],
    [{trust => $shop->{key}}      => qr/^trust: .*key\.pem: /],
    [{trust => {}}                => qr/^trust: expected a string/],
    [{crl => 7}                   => qr/^crl: expected a list of strings/],
    [{crl => ['a', 7]}            => qr/^crl: expected a list of strings/],
    [{crl => [('a') x 100]}       => qr/^crl: has more than 64/],
    [{crl => [dir() . '/none']}   => qr/^crl: .*none: .*No such file/],
    [{crl => [$shop->{key}]}      => qr/^crl: .*key\.pem: /],
    [{at => 'tomorrow'}           => qr/^at: 'tomorrow' is not a time/],
    [{at => '@9999999999999'}     => qr/^at: /],
    [{clock => dir() . '/none'}   => qr/^at and clock: only one/],
    [{at => undef, clock => dir() . '/none'}  => qr/none/],
    [{at => undef, clock => $shop->{key}}     => qr/key\.pem/],
    [{skew => 10}                 => qr/^skew: expected a duration/],
    [{skew => '10'}               => qr/^skew: '10' is not a duration/],
    [{timeout => '-1s'}           => qr/^timeout: expected one longer than nothing/],
    [{timeout => '0s'}            => qr/^timeout: expected one longer than nothing/],
    [{staple => 'demand'}         => qr/^staple: 'demand' is unknown; expected ignore/],
    [{min_version => '1.4'}       => qr/^min version: '1.4' is unknown/],
    [{min_version => '1.3', max_version => '1.2'} => qr/^min version: 1.3 is newer/],
    [{verify => 'no'}             => qr/^verify: expected true or false/],
    [{groups => 'X25591'}         => qr/^groups: 'X25591' is unknown; did you mean X25519/],
    [{groups => ''}               => qr/^groups: is empty/],
    [{sigalgs => 'ed25518'}       => qr/^sigalgs: 'ed25518' is unknown; did you mean ed25519/],
    [{ciphers => 'NO-SUCH-SUITE'} => qr/^ciphers: /],
    [{alpn => ','}                => qr/^alpn: expected names/],
    [{cert => $shop->{chain}}     => qr/^cert: needs the key/],
    [{key => $shop->{key}}        => qr/^key: needs the cert/],
    [{cert => dir() . '/none', key => dir() . '/none'} => qr/^cert: .*none: .*No such file/],
    [{cert => $shop->{chain}, key => $shop->{trust}}   => qr/^(key|cert, key): /],
    [{rate => '60/s'}             => qr/^unknown field 'rate'/],
    [{do => 'fleet'}                                    => qr/^rate, at_once: expected one/],
    [{do => 'fleet', rate => '60/s', at_once => 3}      => qr/^rate, at_once: expected one/],
    [{do => 'fleet', rate => '60'}                      => qr/^rate: '60' is not a rate/],
    [{do => 'fleet', rate => '-1/s'}                    => qr/^rate: /],
    [{do => 'fleet', rate => '1e9/s'}                   => qr/^rate: .*more than a million/],
    [{do => 'fleet', rate => 'nan/s'}                   => qr/^rate: /],
    [{do => 'fleet', at_once => -1}                     => qr/^at_once: expected a whole number/],
    [{do => 'fleet', at_once => 1.5}                    => qr/^at_once: expected a whole number/],
    [{do => 'fleet', at_once => 3000}                   => qr/^at_once: is more than/],
    [{do => 'fleet', at_once => 1, poisson => JSON::PP::true} => qr/^poisson: needs a rate/],
    [{do => 'fleet', at_once => 1, tick => '1us'}       => qr/^tick: must be/],
    [{do => 'fleet', at_once => 1, trust => '/none'}    => qr/^trust: /],
    ['{"id":1,"do":"mark"}'                             => qr/^fleet: missing; expected the id/],
    ['{"id":1,"do":"set","fleet":null}'                 => qr/^fleet: missing; expected the id/],
    ['{"id":1,"do":"mark","fleet":-1}'                  => qr/^fleet: expected a whole number/],
    ['{"id":1,"do":"mark","fleet":7}'                   => qr/^fleet: there is no fleet 7/],
    ['{"id":1,"do":"mark","fleet":"7"}'                 => qr/^fleet: expected a whole number/],
    ['{"id":1,"do":"set","fleet":7,"skew":"1d"}'        => qr/^fleet: there is no fleet 7/],
    ['{"id":1,"do":"stop","fleet":7}'                   => qr/^fleet: there is no fleet 7/],
    ['{"id":1,"do":"stop","flete":7}'                   => qr/^unknown field 'flete'; did you mean 'fleet'/],
);

for my $library (@libraries) {
    my $worker = Worker->start($library);
    is_deeply([sort keys %{$worker->{hello}}], [qw(features hello library protocol version)],
              "$library: says hello");
    is($worker->{hello}{protocol}, 1, '  with the protocol');

    for my $case (@bad) {
        my ($sent, $said) = @$case;
        $sent = $json->encode({id => 1, do => 'probe', %good, %$sent}) if ref $sent;
        $worker->raw("$sent\n");
        my $answer = $worker->line;
        my $short = length $sent > 60 ? substr($sent, 0, 57) . '...' : $sent;
        $short =~ s/[^ -~]/./g;
        like($answer->{error}, $said, "$library: $short");
    }
    is($worker->probe(%good)->{outcome}, 'ok', "$library: works as before");

    # An id that is being worked on is nobody else's.
    $worker->raw($json->encode({id => 500, do => 'fleet', %good, at_once => 1}) . "\n");
    is($worker->answer(500)->{started}, JSON::PP::true, "$library: a fleet");
    $worker->raw($json->encode({id => 500, do => 'probe', %good}) . "\n");
    my $double = $worker->until(sub ($line) { exists $line->{error} });
    like($double->{error}, qr/^id: 500 is a fleet's/, '  keeps its id to itself');
    for my $change ({skew => 1}, {rate => '1/s'}, {connect => 'x'}, {trust => '/none'}) {
        my $set = $worker->request('set', fleet => 500, %$change);
        like($set->{error}, qr/^(skew|unknown field 'rate'|connect|trust)/, "  and its ways: $set->{error}");
    }
    cmp_ok($worker->tick(500)->{generation}, '==', 0, '  and is not moved by what failed');
    is($worker->request('stop', fleet => 500)->{stopped}, JSON::PP::true, '  until it is stopped');
    like($worker->request('stop', fleet => 500)->{error}, qr/there is no fleet 500/, '  once');

    # A line that never ends, and then the end.
    $worker->raw('x' x 200_000);
    is($worker->end, 0, "$library: ends well in the middle of a line");
}

# The asker goes away: nobody is left behind.
my $worker = Worker->start('openssl');
$worker->ask('fleet', %good, rate => '200/s', tick => '1ms');
$worker->until(sub ($line) { defined $line->{tick} });
close $worker->{out};
my $pid = delete $worker->{pid};
waitpid $pid, 0;
is($? >> 8, 6, 'a worker whose answers nobody reads ends by itself, and says so');

done_testing;
