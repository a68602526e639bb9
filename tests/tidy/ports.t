#!/usr/bin/perl
# Whoever listens binds port 0 and says what it got. A number in the code would be another
# program's some day. 53, 80 and 443 are names, inside a stage's own network.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Tidy qw(files lines clean bites);
use Test::More;

my %may = map { $_ => 1 } 0, 53, 80, 443;

# These speak about addresses, and open none.
my %parses = map { $_ => 1 } qw(tests/wire/address.c tests/tidy/ports.t);

my @places = (
    qr/(?:\d+\.\d+\.\d+\.\d+|localhost|\[[\da-f:]*::[\da-f:]*\]|\w\.test|\w\.example)["']?:(\d+)\b/,
    qr/\b(?:htons|Port|port)\s*(?:\(|=>?|:|==)\s*["']?(\d+)\b/,
    qr/\bPeerPort\s*=>\s*["']?(\d+)\b/,
    qr/\bLocalPort\s*=>\s*["']?(\d+)\b/,
    qr/\blisten\s+(\d+)\b(?![.%])/,
    qr/(?:^|\s)-{1,2}(?:port|accept)[= ](\d+)\b/,
);

# Comments go, but only those that are surely comments: a line number must stay a line number.
sub code ($path, $text) {
    return $text if $path !~ /\.(?:c|h|lua)$/;
    my $keep_lines = sub ($comment) { $comment =~ tr/\n//cdr };
    $text =~ s{(/\*.*?\*/)}{$keep_lines->($1)}gse if $path =~ /\.[ch]$/;
    $text =~ s{(^|\s)--[^\n]*}{$1}g if $path =~ /\.lua$/;
    return $text;
}

sub ports () {
    my @findings;
    for my $path (files(qr{(?:\.(?:c|h|lua|t|pm|pl|sh)|^Makefile|^\.ci/run)$})) {
        next if $parses{$path};
        my $number = 0;
        for my $line (split /\n/, code($path, join "\n", lines($path))) {
            $number++;
            for my $place (@places) {
                push @findings, "$path:$number: port $1"
                    while $line =~ /$place/g && !$may{$1} && $1 < 65536;
            }
        }
    }
    return @findings;
}

clean('no fixed port numbers but 0, 53, 80 and 443', \&ports);
my %bad = (
    'a.c' => qq(/* such as 127.0.0.1:43211 */\nconnect_to("127.0.0.1:8443");\naddress.sin_port = htons(9000);\n),
    'b.lua' => qq(local x = "shop.test:4433" -- not 1.2.3.4:5\n),
    'c.t' => qq(PeerPort => 4433\nlisten 8080 ssl; listen 127.0.0.1:0;\n--port 5000\n[::1]:7\n),
    'd.c' => qq("127.0.0.1:0" "shop.test:443" "localhost:80" port(0) "localhost:99999"\n),
);
bites('  those that are there are found', \&ports, \%bad,
    'a.c:2: port 8443', 'a.c:3: port 9000', 'b.lua:1: port 4433', 'c.t:1: port 4433', 'c.t:2: port 8080',
    'c.t:3: port 5000', 'c.t:4: port 7');

done_testing;
