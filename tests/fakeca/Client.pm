# Client.pm -- one worker per TLS library, spoken to in JSON lines as docs/worker-protocol.md has it.
package Client;
use v5.36;

use Carp qw(croak);
use IO::Select;
use IPC::Open2 qw(open2);
use JSON::PP;

my $patience = 120;    # seconds until a test that waits for an answer gives up
my $build = $ENV{BUILD} // 'build';

sub start ($class, $library) {
    my $self = bless {library => $library, heard => '', id => 0}, $class;

    $self->{pid} = open2($self->{out}, $self->{in}, "$build/client-$library", '--worker');
    $self->{hello} = $self->answer;
    return $self;
}

sub answer ($self) {
    my $ready = IO::Select->new($self->{out});

    while ($self->{heard} !~ /\n/) {
        croak "client-$self->{library} does not answer" if !$ready->can_read($patience);
        sysread($self->{out}, $self->{heard}, 65536, length $self->{heard})
            or croak "client-$self->{library} hung up";
    }
    (my $line, $self->{heard}) = split /\n/, $self->{heard}, 2;
    return decode_json($line);
}

# One handshake, and all that the library made of it.
sub probe ($self, %settings) {
    syswrite $self->{in}, encode_json({id => ++$self->{id}, do => 'probe', %settings}) . "\n";
    my $answer = $self->answer;
    croak "client-$self->{library}: $answer->{error}" if $answer->{error};
    return $answer;
}

sub DESTROY ($self) {
    local ($?, $@);
    return if !$self->{pid};
    close $self->{in};
    waitpid $self->{pid}, 0;
}

1;
