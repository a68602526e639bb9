# Der.pm -- certificates and CRLs, byte by byte: every part can be replaced by any other bytes, and what comes
# of it is signed all the same.  RFC 5280 has the shapes.
package Der;
use v5.36;

use Exporter qw(import);
use IPC::Open2 qw(open2);
use MIME::Base64 qw(encode_base64);
use Target qw(dir run);

our @EXPORT_OK = qw(der seq set oid integer bits octets utf8 generalized utc name extension general certificate
                    crl key public pem);

sub der ($tag, @content) {
    my $content = join '', @content;
    my $length = length $content;
    my $size = $length < 128 ? chr $length : $length < 256 ? "\x81" . chr $length : "\x82" . pack 'n', $length;

    return chr($tag) . $size . $content;
}

sub seq (@content) { return der(0x30, @content) }
sub set (@content) { return der(0x31, @content) }
sub integer ($number) { return der(0x02, pack 'C', $number) }
sub bits ($bytes, $unused = 0) { return der(0x03, chr $unused, $bytes) }
sub octets (@content) { return der(0x04, @content) }
sub utf8 ($text) { return der(0x0c, $text) }
sub utc ($text) { return der(0x17, $text) }
sub generalized ($text) { return der(0x18, $text) }

sub oid ($dotted) {
    my ($first, $second, @rest) = split /\./, $dotted;
    return der(0x06, pack 'w*', $first * 40 + $second, @rest);
}

sub name ($common) { return seq(set(seq(oid('2.5.4.3'), utf8($common)))) }
sub extension ($oid, $value, $critical = 0) {
    return seq(oid($oid), $critical ? der(0x01, "\xff") : (), octets($value));
}

# A GeneralName by its number: 1 a mail address, 2 a DNS name, 7 an IP address ...
sub general ($number, $bytes) { return der(0x80 | $number, $bytes) }

# --- keys, made once each -----------------------------------------------------------------------------------

my %public;

sub key ($who, @kind) {
    my $path = dir() . "/$who.key";
    @kind = qw(EC -pkeyopt ec_paramgen_curve:P-256) if !@kind;
    run(qw(openssl genpkey -algorithm), @kind, -out => $path) if !-e $path;
    return $path;
}

sub public ($who) { return $public{$who} //= (run(qw(openssl pkey -pubout -outform DER -in), key($who)))[0] }

sub sign ($who, $bytes) {
    my $pid = open2(my $out, my $in, qw(openssl dgst -sha256 -sign), key($who));

    print $in $bytes;
    close $in;
    my $signature = do { local $/; <$out> };
    waitpid $pid, 0;
    return $signature;
}

# --- what is signed -----------------------------------------------------------------------------------------

my $ecdsa = seq(oid('1.2.840.10045.4.3.2'));

sub signed ($body, %part) {
    return seq($body, $part{outer} // $part{algorithm} // $ecdsa, $part{signature} // bits(sign($part{by}, $body)));
}

# A certificate of version 3 for `of`, by `by`; each part can be other bytes, and '' leaves it out.
sub certificate ($of, $by, %part) {
    my $extensions = join '', @{$part{extensions} // []};

    return signed(seq($part{version} // der(0xa0, integer(2)), $part{serial} // integer(7), $part{algorithm} // $ecdsa,
                      $part{issuer} // name($by),
                      $part{validity} // seq($part{from} // utc('300101000000Z'), $part{until} // utc('400101000000Z')),
                      $part{subject} // name($of), $part{public} // public($of), $part{more} // '',
                      $extensions eq '' ? '' : der(0xa3, seq($extensions))), by => $by, %part);
}

# A CRL of version 2 by `by` that revokes nobody.
sub crl ($by, %part) {
    my $extensions = join '', @{$part{extensions} // []};

    return signed(seq(integer(1), $ecdsa, $part{issuer} // name($by), $part{from} // utc('310101000000Z'),
                      $part{until} // utc('330101000000Z'),
                      $extensions eq '' ? '' : der(0xa0, seq($extensions))), by => $by, %part);
}

# A file of PEM blocks; its path.
my $files = 0;

sub pem ($what, @blocks) {
    my $path = dir() . '/der' . ++$files . '.pem';

    open my $file, '>', $path or die "$path: $!";
    print $file "-----BEGIN $what-----\n", encode_base64($_), "-----END $what-----\n" for @blocks;
    close $file or die "$path: $!";
    return $path;
}

1;
