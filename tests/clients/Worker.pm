# Worker.pm -- what the tests of the clients share: a worker that is spoken to, certificates from
# fakeca, and peers that do not behave.  Targets come from tests/targets/Target.pm.
package Worker;
use v5.36;

use Carp qw(croak);
use Exporter qw(import);
use IO::Select;
use IO::Socket::INET;
use IPC::Open2 qw(open2);
use IPC::Open3 qw(open3);
use JSON::PP;
use POSIX ();
use Target qw(dir run);

our @EXPORT_OK = qw(@libraries client shop fake staple serve peer flood ticketless nobody);

our @libraries = qw(openssl gnutls wolfssl);
my $build = $ENV{BUILD} // 'build';
my $patience = 120;    # seconds until a test that waits for an event gives up

sub client ($library) { return "$build/client-$library" }

# --- certificates -----------------------------------------------------------------------------------

sub fakeca (@arguments) {
    my ($out, $err, $status) = run("$build/fakeca", @arguments);
    croak "fakeca @arguments: $err" if $status != 0;
    return $out;
}

# The authority of this test: a root and an intermediate, good for years around `at`.
my $authority;

sub authority ($at) {
    $authority //= do { fakeca('init', '--state', dir() . '/ca', '--at', $at); dir() . '/ca' };
    return $authority;
}

sub described ($path, $json) {
    my $about = decode_json($json);
    return {%$about, path => $path, chain => "$path/chain.pem", key => "$path/key.pem",
            trust => "$path/trust.pem", crl => "$path/crl.pem", serials => $about->{chain}};
}

# A fresh bundle for shop.test that is good for 90 days from `at`.
my $issued = 0;

sub shop ($at, @more) {
    my $path = dir() . '/bundle' . ++$issued;
    return described($path, fakeca('issue', '--state', authority($at), '--out', $path, '--at', $at,
                                   '--lifetime', '90d', '--json', @more,
                                   grep({ $_ eq '--name' } @more) ? () : ('--name', 'shop.test')));
}

# The same with one thing wrong with it.
sub fake ($bundle, $at, $fault) {
    my $path = dir() . '/bundle' . ++$issued;
    return described($path, fakeca('break', '--state', authority($at), '--in', $bundle->{path},
                                   '--out', $path, '--at', $at, '--fault', $fault, '--json'));
}

# An OCSP response about the bundle's leaf, beside it; the bundle is then served with it.
sub staple ($bundle, $at, @more) {
    fakeca('staple', '--state', authority($at), '--in', $bundle->{path}, '--at', $at, @more);
    return {%$bundle, staple => JSON::PP::true};
}

# A target that serves the bundle.
sub serve ($bundle, %more) {
    my %host = (name => 'shop.test', chain => $bundle->{chain}, key => $bundle->{key});
    $host{staple} = "$bundle->{path}/staple.der" if $bundle->{staple};
    return Target->start(hosts => [\%host], %more);
}

# --- peers that are no TLS servers -----------------------------------------------------------------

sub listening {
    return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16) // croak "listen: $!";
}

# An address where nobody listens, nor can: it is taken.
my $taken;

sub nobody {
    $taken //= IO::Socket::INET->new(LocalAddr => '127.0.0.1', Type => SOCK_STREAM, Proto => 'tcp')
        // croak "bind: $!";
    return '127.0.0.1:' . $taken->sockport;
}

# A process that does this with every connection; its address.  It is made before any worker is
# started, or it would hold the worker's stdin open.
my @peers;

sub peer ($behaviour) {
    my $socket = listening();
    my $pid = fork // croak "fork: $!";
    if ($pid == 0) {
        while (my $client = $socket->accept) { $behaviour->($client) }
        POSIX::_exit(0);
    }
    push @peers, $pid;
    return '127.0.0.1:' . $socket->sockport;
}

# openssl s_server with the bundle, and with what it says read from a handle; its address.
sub s_server ($bundle, $says, @more) {
    my $server = open3('<&' . fileno $says, my $said, undef, qw(openssl s_server), -accept => '127.0.0.1:0',
                       -cert => $bundle->{chain}, -cert_chain => $bundle->{chain},
                       -key => $bundle->{key}, @more);
    push @peers, $server;
    while (my $line = <$said>) {
        return "127.0.0.1:$1" if $line =~ /^ACCEPT \S+:(\d+)/;
    }
    croak 'openssl s_server does not listen';
}

# A TLS server that never stops talking; its address.
sub flood ($bundle) {
    pipe my $from, my $to or croak "pipe: $!";
    my $yes = fork // croak "fork: $!";
    if ($yes == 0) {
        open STDOUT, '>&', $to or POSIX::_exit(1);
        exec 'yes', 'and another thing' or POSIX::_exit(1);
    }
    push @peers, $yes;
    return s_server($bundle, $from);
}

# One that hands out no tickets; its address.
sub ticketless ($bundle) {
    open my $nothing, '<', '/dev/null' or croak "/dev/null: $!";
    return s_server($bundle, $nothing, qw(-www -num_tickets 0));
}

END {
    my $status = $?;
    for my $pid (@peers) { kill KILL => $pid; waitpid $pid, 0 }
    $? = $status;
}

# --- workers ----------------------------------------------------------------------------------------

sub start ($class, $library, @way) {
    my $self = bless {library => $library, heard => '', id => 0, kept => []}, $class;

    $self->{pid} = open2($self->{out}, $self->{in}, @way, client($library), '--worker');
    $self->{hello} = $self->line;
    return $self;
}

# The next line, whatever it answers; undef at the end.
sub line ($self) {
    my $ready = IO::Select->new($self->{out});

    while ($self->{heard} !~ /\n/) {
        croak "client-$self->{library} does not answer" if !$ready->can_read($patience);
        sysread($self->{out}, $self->{heard}, 65536, length $self->{heard}) or return;
    }
    (my $line, $self->{heard}) = split /\n/, $self->{heard}, 2;
    return decode_json($line);
}

# Sends bytes as they are.
sub raw ($self, $bytes) {
    while (length $bytes) {
        my $put = syswrite($self->{in}, $bytes) // croak "client-$self->{library}: $!";
        substr($bytes, 0, $put) = '';
    }
}

# Sends a request; its id.
sub ask ($self, $verb, %fields) {
    $self->raw(encode_json({id => ++$self->{id}, do => $verb, %fields}) . "\n");
    return $self->{id};
}

# The next line for which `wanted` is true; the others are kept for those who want them.
sub until ($self, $wanted) {
    for my $i (0 .. $#{$self->{kept}}) {
        return splice(@{$self->{kept}}, $i, 1) if $wanted->(local $_ = $self->{kept}[$i]);
    }
    while (defined(my $line = $self->line)) {
        return $line if $wanted->(local $_ = $line);
        push @{$self->{kept}}, $line;
    }
    croak "client-$self->{library} hung up";
}

# The answer to a request that is answered once.
sub answer ($self, $id) { return $self->until(sub ($line) { ($line->{id} // -1) == $id }) }
sub request ($self, $verb, %fields) { return $self->answer($self->ask($verb, %fields)) }
sub probe ($self, %fields) { return $self->request('probe', %fields) }

# The next tick of a fleet.
sub tick ($self, $fleet) {
    return $self->until(sub ($line) { ($line->{id} // -1) == $fleet && defined $line->{tick} });
}

# Ends its input; the exit status.
sub end ($self) {
    my $pid = delete $self->{pid} or return;

    close $self->{in};
    local $SIG{ALRM} = sub { kill KILL => $pid; croak "client-$self->{library} did not end" };
    alarm $patience;
    1 while defined $self->line;
    waitpid $pid, 0;
    alarm 0;
    return $? & 127 ? "signal $?" : $? >> 8;
}

sub DESTROY ($self) {
    local ($?, $@);
    eval { $self->end };
}

1;
