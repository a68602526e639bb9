# Target.pm -- what the tests of target-builtin share: certificates made by the openssl command,
# a running target that is spoken to through its stdout and its signals, and clients.
package Target;
use v5.36;

use Carp qw(croak);
use Exporter qw(import);
use File::Temp ();
use IO::Select;
use IPC::Open3 qw(open3);
use JSON::PP;
use POSIX qw(WNOHANG);

our @EXPORT_OK = qw(dir identity spill slurp run run_with openssl config program s_client fetch);

my $patience = 120;    # seconds until a test that waits for an event gives up
my $build = $ENV{BUILD} // 'build';
my $dir = File::Temp->newdir('rehearse-test-XXXXXX', TMPDIR => 1);

sub dir     { return "$dir" }
sub program { return "$build/target-builtin" }

sub spill ($path, $bytes) {
    open my $file, '>:raw', $path or croak "$path: $!";
    print {$file} $bytes;
    close $file or croak "$path: $!";
    return $path;
}

sub slurp ($path) {
    open my $file, '<:raw', $path or croak "$path: $!";
    local $/ = undef;
    return scalar <$file>;
}

# Runs a command with `input` on its stdin; its stdout, stderr and exit status.
sub run_with ($input, @command) {
    my ($in, $out, $err) = map { "$dir/$_.$$" } qw(in out err);

    spill($in, $input);
    my $pid = fork // croak "fork: $!";
    if ($pid == 0) {
        open STDIN,  '<', $in  or die;
        open STDOUT, '>', $out or die;
        open STDERR, '>', $err or die;
        exec @command or die "$command[0]: $!\n";
    }
    local $SIG{ALRM} = sub { kill KILL => $pid; croak "@command: still running" };
    alarm $patience;
    waitpid $pid, 0;
    my $status = $?;
    alarm 0;
    my @result = (slurp($out), slurp($err), $status >> 8);
    unlink $in, $out, $err;
    return @result;
}

sub run (@command) { return run_with('', @command) }

sub openssl (@arguments) {
    my ($out, $err, $status) = run('openssl', @arguments);

    croak "openssl @arguments: $err" if $status != 0;
    return $out;
}

# A self-signed certificate for `name` and its key; a new serial each time.
sub identity ($label, $name = $label, @more) {
    my %it = (name => $name, chain => "$dir/$label.chain.pem", key => "$dir/$label.key.pem");

    @more = qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256) if !@more;
    openssl(qw(req -x509 -nodes -days 30), @more, '-subj', "/CN=$name", '-addext',
            "subjectAltName=DNS:$name", '-keyout', $it{key}, '-out', $it{chain});
    openssl('x509', '-in', $it{chain}, qw(-noout -serial)) =~ /serial=(\w+)/ or croak 'no serial';
    $it{serial} = lc $1;
    return \%it;
}

# What a host needs in the settings, and nothing else of an identity.
sub host ($it) {
    my %host = map { $_ => $it->{$_} } grep { exists $it->{$_} } qw(name chain key staple);
    return \%host;
}

# A settings file; `hosts` are identities.
sub config ($path, %settings) {
    $settings{hosts} = [map { host($_) } @{$settings{hosts}}] if ref $settings{hosts} eq 'ARRAY';
    return spill($path, JSON::PP->new->canonical->encode({listen => '127.0.0.1:0', %settings}));
}

# --- a running target -----------------------------------------------------------------------------

my $started = 0;

sub start ($class, %settings) { return $class->start_by([], %settings) }

# The same by way of another command that runs it.
sub start_by ($class, $way, %settings) {
    my $self = bless {settings => \%settings, config => "$dir/target" . ++$started . '.json'}, $class;

    config($self->{config}, %settings);
    $self->{pid} = open3(my $in, $self->{out}, '>&STDERR', @$way, program(), '--config',
                         $self->{config});
    close $in;
    $self->{events} = '';
    my $event = $self->event;
    croak 'expected the event "listening"' if ($event->{event} // '') ne 'listening';
    $self->{listening} = $event;
    $self->{address} = $event->{address};
    return $self;
}

# The next event that it prints; undef at the end of its output.
sub event ($self) {
    my $ready = IO::Select->new($self->{out});

    while ($self->{events} !~ /\n/) {
        croak 'no event came' if !$ready->can_read($patience);
        sysread($self->{out}, $self->{events}, 4096, length $self->{events}) or return;
    }
    (my $line, $self->{events}) = split /\n/, $self->{events}, 2;
    return decode_json($line);
}

# Writes the settings anew with these changes, asks for a reload, and gives the event it answers.
sub reload ($self, %changes) {
    %{$self->{settings}} = (%{$self->{settings}}, %changes);
    config($self->{config}, %{$self->{settings}});
    return $self->hangup;
}

sub hangup ($self) {
    kill HUP => $self->{pid};
    return $self->event;
}

# Ends it; the exit status.
sub stop ($self, $signal = 'TERM') {
    my $pid = delete $self->{pid} or return;

    kill $signal => $pid;
    local $SIG{ALRM} = sub { kill KILL => $pid; croak 'the target did not end' };
    alarm $patience;
    waitpid $pid, 0;
    alarm 0;
    return $? & 127 ? "signal $?" : $? >> 8;
}

sub is_running ($self) { return waitpid($self->{pid}, WNOHANG) == 0 }

sub DESTROY ($self) {
    local ($?, $@);
    return if !$self->{pid};
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}

# --- clients --------------------------------------------------------------------------------------

# One handshake; everything that s_client has to say about it, and its exit status.
sub s_client ($target, @arguments) {
    my ($out, $err, $status) = run(qw(openssl s_client -connect), $target->{address}, @arguments);
    return ("$out$err", $status);
}

# One request and its whole answer.
sub fetch ($target, @arguments) {
    my ($out) = run_with("GET / HTTP/1.0\r\n\r\n", qw(openssl s_client -quiet -ign_eof -connect),
                         $target->{address}, @arguments);
    return $out;
}

1;
