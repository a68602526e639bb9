#!/usr/bin/perl
# Accounts on the wire, RFC 8555 section 7.3: made, found, changed, given another key, deactivated.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Acme;
use Serve qw(serve stop have);
use Test::More;

plan skip_all => 'curl is not installed' if !have('curl');
my $ca = serve();
my $client = Acme->new($ca);
my %mail = (contact => ['mailto:admin@shop.test']);

# --- made and found -------------------------------------------------------------------------------

is(Acme->word($client->register(onlyReturnExisting => JSON::PP::true)), '400 accountDoesNotExist',
    'a key without an account finds none');
my $refused = $client->register(%mail, termsOfServiceAgreed => JSON::PP::false);
is(Acme->word($refused), '403 userActionRequired', 'nobody gets an account who does not agree to the terms');
is_deeply($refused->{links}{'terms-of-service'}, [$client->{directory}{meta}{termsOfService}], '  which are told');
my $made = $client->register(%mail);
is($made->{status}, 201, 'an account is made');
is($made->{json}{status}, 'valid', '  and valid');
is_deeply($made->{json}{contact}, $mail{contact}, '  with its contact');
my $again = $client->register(contact => ['mailto:other@shop.test']);
is("$again->{status} $again->{fields}{location}", "200 $client->{kid}", 'asked for again, it is the same');
is_deeply($again->{json}{contact}, $mail{contact}, '  and is not changed by that');
my $found = $client->register(onlyReturnExisting => JSON::PP::true);
is("$found->{status} $found->{fields}{location}", "200 $client->{kid}", 'it is found by its key alone');

my $terms = $client->{directory}{meta}{termsOfService};
is_deeply([map { $client->ask($_)->{status} } $terms, $terms =~ s/1$/2/r, $terms =~ s/1$/3/r], [200, 200, 404],
    'what is agreed to can be read, and what it may be changed to');

is(Acme->word(Acme->new($ca)->register($_ => 'true')), '400 malformed', "$_ is no text")
    for qw(onlyReturnExisting termsOfServiceAgreed);

# --- POST-as-GET, where GET would do: section 6.3 --------------------------------------------------

is_deeply($client->post($ca->{directory})->{json}, $client->{directory}, 'an account may sign for the directory');
my $nonce = $client->post($client->{directory}{newNonce});
is($nonce->{status}, 204, '  and for a nonce');
ok($nonce->{fields}{'replay-nonce'}, '  which comes');
is(Acme->word($client->post($ca->{directory}, {})), '400 malformed', 'but it has nothing to say to it');
is(Acme->word($client->post($ca->{directory}, undef, jwk => 1)), '400 malformed', '  and a key alone is no account');

# --- changed --------------------------------------------------------------------------------------

my $changed = $client->post($client->{kid}, {contact => ['mailto:a@shop.test', 'mailto:b@shop.test']});
is_deeply($changed->{json}{contact}, ['mailto:a@shop.test', 'mailto:b@shop.test'], 'its contacts are changed');
is_deeply($client->post($client->{kid})->{json}{contact}, $changed->{json}{contact}, '  and stay so');
is(Acme->word($client->post($client->{kid}, {contact => ['tel:+12']})), '400 unsupportedContact',
    'a telephone is refused');
is(Acme->word($client->post($client->{kid}, {contact => ['mailto:nobody']})), '400 invalidContact',
    'and an address that is none');
is_deeply($client->post($client->{kid})->{json}{contact}, $changed->{json}{contact}, '  which changes nothing');
is_deeply($client->post($client->{kid}, {contact => []})->{json}{contact}, [], 'all of them can be taken away');

is(Acme->word($client->post($client->{kid}, {status => 7})), '400 malformed', 'a status is a text');
is($client->post($client->{kid}, {$_->[0], $_->[1]})->{json}{status}, 'valid', "passed over: $_->[0] $_->[1]")
    for [status => 'revoked'], [status => 'valid'], [orders => 'https://evil.test/'], [colour => 'red'];

# --- its orders: section 7.1.2.1 ------------------------------------------------------------------

my @placed = map { $client->order([$_]) } qw(good.test bad.test);
sub listed () { return $client->post($made->{json}{orders})->{json}{orders} }
is_deeply(listed(), [map { $_->{fields}{location} } @placed], 'its orders are listed');
$client->post($placed[1]{json}{authorizations}[0], {status => 'deactivated'});
is($client->post($placed[1]{fields}{location})->{json}{status}, 'invalid', 'one comes to nothing');
is_deeply(listed(), [$placed[0]{fields}{location}], '  and is no longer among them');

# --- another key: section 7.3.5 -------------------------------------------------------------------

# The outer JWS is signed with the account's key, the inner one with the new key.
sub roll ($who, $new, %wrong) {
    my $url = $who->{directory}{keyChange};
    my $inner = Acme->jws($wrong{signer} // $new, {url => $wrong{url} // $url, jwk => $new->{jwk},
        %{$wrong{header} // {}}},
        {account => $wrong{account} // $who->{kid}, oldKey => ($wrong{old} // $who->{key})->{jwk}});
    return $who->post($url, $inner);
}
my ($new, $third, $other) = (Acme->new_key, Acme->new_key, Acme->new($ca));
$other->register;

is(Acme->word(roll($client, $new, signer => $third)), '400 malformed', 'the new key must sign for itself');
is(Acme->word(roll($client, $new, old => $third)), '400 malformed', 'the old key must be told right');
is(Acme->word(roll($client, $new, account => $other->{kid})), '400 malformed', 'and the account');
is(Acme->word(roll($client, $new, url => $client->{directory}{newOrder})), '400 malformed', 'and the URL');
is(Acme->word(roll($client, $new, header => {nonce => 'x'})), '400 malformed', 'the inner JWS has no nonce');
my $taken = roll($client, $other->{key});
is(join(' ', Acme->word($taken), $taken->{json}{status}, $taken->{fields}{location}), "409 malformed 409 $other->{kid}",
    'a key that has an account is refused, and says whose');
is($client->post($client->{kid})->{status}, 200, 'the old key still counts');

my $old = $client->{key};
is(roll($client, $new)->{status}, 200, 'a new key takes the place of the old one');
is(Acme->word($client->post($client->{kid})), '400 malformed', 'the old key counts no longer');
$client->{key} = $new;
is($client->order(['shop.test'])->{status}, 201, 'the new one does');
is($client->register(onlyReturnExisting => JSON::PP::true)->{fields}{location}, $client->{kid},
    'it finds the same account');
is(Acme->word(Acme->new($ca, $old)->register(onlyReturnExisting => JSON::PP::true)), '400 accountDoesNotExist',
    'and the old one finds none');

# --- deactivated: section 7.3.6 -------------------------------------------------------------------

my $order = $client->order(['shop.test']);
is(Acme->word($other->post($client->{kid}, {status => 'deactivated'})), '403 unauthorized',
    'nobody else deactivates it');
is($client->post($client->{kid}, {status => 'deactivated'})->{json}{status}, 'deactivated', 'it is deactivated');
is(Acme->word($client->order(['shop.test'])), '403 unauthorized', 'it orders nothing any more');
is(Acme->word($client->post($order->{fields}{location})), '403 unauthorized', 'and sees nothing of what it ordered');
is(Acme->word($client->register), '403 unauthorized', 'nor is it made again');

is(stop($ca->{child}), 0, 'SIGTERM ends it cleanly');
done_testing;
