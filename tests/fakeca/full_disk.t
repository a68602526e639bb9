#!/usr/bin/perl
# A disk that takes no more: who waits for an answer that could not be kept is hung up on, and nobody was told
# anything that is not so.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Acme;
use Fakeca qw(dir fakeca slurp try);
use Serve qw(serve stop home have);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');
plan skip_all => 'prlimit is not installed' if !have('prlimit');
$SIG{XFSZ} = 'IGNORE';    # as on a disk: the write fails
my ($port, $show) = Acme->files;
fakeca('init', '--state', home(), '--intermediates', 1);
my $ca = serve('--validate-http-port', $port);
my $client = Acme->new($ca);
$client->register;
my $order = $client->order(['shop.test']);
sub files_of_at_most ($bytes) {
    return system('prlimit', '--pid', $ca->{child}, "--fsize=$bytes:unlimited") == 0;
}

ok(files_of_at_most(4096), 'the database grows no more; there is room for a word on stderr');
is(eval { $client->order(['www.shop.test'])->{status} }, undef, 'an order that cannot be kept is not answered');
like($@, qr/^curl \S+: 52 /, '  but hung up on');
like(slurp(dir() . '/serve.err'), qr/^fakeca: serve\.db: [^\n]+\n\z/, '  and said in one line');
is(join(' ', (try('set', '--state', home(), 'caa=on'))[2, 1]) =~ s/serve\.db: .*/serve.db/sr, '6 fakeca: serve.db',
    'a command that cannot be kept ends as on any full disk');
$client->{nonce} = undef;
is($client->post($order->{fields}{location})->{json}{status}, 'pending', 'what was told before is still so');

ok(files_of_at_most('unlimited'), 'there is room again');
$client->{nonce} = undef;
like($client->obtain(['shop.test'], 'http-01', $show)->{text}, qr/BEGIN CERTIFICATE/, 'an order comes to its end');
is(scalar(my @orders = fakeca('orders', '--state', home()) =~ /"number"/g), 2,
    'and of the one that nobody was told there is nothing');
is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
