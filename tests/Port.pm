# Port.pm -- a port for a program that cannot be told to choose one itself.
package Port;
use v5.36;

use Exporter qw(import);
use IO::Socket::INET ();

use constant UNPRIVILEGED => 1024;

our @EXPORT_OK = qw(free_port);

# It is free now, and none of those that the kernel gives away by itself (ip(7), ip_local_port_range): until the
# program has it nobody else is likely to get it.
sub free_port () {
    my ($first) = do { local (@ARGV, $/) = '/proc/sys/net/ipv4/ip_local_port_range'; <> } =~ /(\d+)/;
    while (1) {
        my $port = UNPRIVILEGED + int rand $first - UNPRIVILEGED;
        return $port if IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => $port);
    }
}

1;
