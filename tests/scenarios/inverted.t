#!/usr/bin/perl
# A test of the tests: with the fault's expectation turned round, every scenario goes red,
# at that very point.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../testbed";
use Rehearse;
use Test::More;

$ENV{REHEARSE_SLACK} //= 4;

# The first expectation after the fault that says how handshakes, a reload or a client's run end.
sub inverted {
    my ($text) = @_;
    my $says = qr/outcome|reload|last|throughout/;
    my ($before, $line, $after) =
        $text =~ /\A(.*?^inject .*?)(^ *[\w.]+:expect[^\n]*(?:$says) =[^\n]*\n)(.*)\z/ms or return;
    my $never = $before =~ /last = "not due"/ ? 'renewed' : 'not due';    # a word that was not true before, either
    my $other = $line =~ /"revoked"/ ? 'expired' : 'revoked';
    $line =~ s/outcome = (\{[^}]*\}|(?:\w+ and "[^"]*" or )?"[^"]*"|\w+)/outcome = "$other"/
        or $line =~ s/success = "100%", throughout = "[^"]*"/outcome = "revoked", throughout = "1d"/
        or $line =~ s/reload = "refused"/reload = "done"/
        or $line =~ s/last = "failed"/last = "$never"/ or return;
    return $before . $line . $after if $line =~ /during|throughout/;
    $line =~ s/within = "[^"]*"/within = "300ms"/ or $line =~ s/\}$/, within = "300ms" }/;
    return $before . $line . $after;
}

my @plays;
for my $file (plays()) {
    open my $handle, '<', $file or die;
    my $text = inverted(do { local $/; <$handle> });
    ok defined $text, "$file has a fault with an expectation" or next;
    push @plays, [$file, scenario($text)];
}

my ($status, $out, $err) = rehearse('run', '-j', '3', '--state', "$DIR/state", map { $_->[1] } @plays);
is $status, 1, 'inverted, they fail, and nothing graver' or diag $err;
my %told = map { /^# scenario: .* \[(\S+)\]$/m ? ($1 => $_) : () } split /^(?=# scenario: )/m, $out;
for my $play (@plays) {
    my ($file, $path) = @$play;
    my $red = () = ($told{$path} // '') =~ /^not ok/mg;
    is $red, 1, "$file, inverted, fails once" or diag $told{$path} // $out;
    like $told{$path} // '', qr/^not ok \d+ - inject: /m, 'at its fault';
}

done_testing;
