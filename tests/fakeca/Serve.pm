# Serve.pm -- `fakeca serve` in a directory of its own, and a listener for http-01.
package Serve;
use v5.36;

use Carp qw(croak);
use Exporter qw(import);
use FindBin qw($Bin);
use IO::Socket::IP;
use JSON::PP;
use lib $Bin, "$Bin/..";
use Fakeca qw(dir fakeca slurp spill);

our @EXPORT_OK = qw(serve stop start web close_web home have run until_says calendar dns);

$ENV{PATH} .= ':/usr/sbin:/sbin'; # servers are there, where an ordinary user does not look
my $build = $ENV{BUILD} // 'build';
my (%children, %web);

sub home () { return dir() . '/ca' }

# What its DNS is to say.
sub dns (@how) { return fakeca('dns', '--state', home(), @how) }

sub have ($program) {
    return grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

# What it says once it listens.
sub serve (@arguments) {
    pipe my $read, my $write or croak "pipe: $!";
    my $pid = fork // croak "fork: $!";
    if ($pid == 0) {
        open STDOUT, '>&', $write or die;
        open STDERR, '>>', dir() . '/serve.err' or die;
        close $read;
        exec "$build/fakeca", 'serve', '--state', home(), @arguments or die;
    }
    close $write;
    $children{$pid} = 1;
    my $line = <$read> // croak 'fakeca serve: ' . slurp(dir() . '/serve.err');
    return {%{decode_json($line)}, child => $pid};
}

# Its exit status; "signal N" where one killed it.
sub stop ($pid, $signal = 'TERM') {
    kill $signal, $pid;
    waitpid $pid, 0;
    delete $children{$pid};
    return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

# Serves the files under `root` on a port of its own, to whoever asks; its port. Where a file
# NAME.location is there for NAME, it redirects to what that says. Who asked last stands in the file .peer.
sub web ($root, $address = '127.0.0.1', $port = 0) {
    my $listener = IO::Socket::IP->new(Listen => 16, LocalAddr => $address, LocalPort => $port, ReuseAddr => 1)
        or croak "socket: $@";
    my $pid = fork // croak "fork: $!";
    if ($pid) {
        $children{$pid} = 1;
        $web{$listener->sockport} = $pid;
        return $listener->sockport;
    }
    while (my $client = $listener->accept) {
        my ($path) = (<$client> // '') =~ m{^GET (/[\w./-]*) };
        while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n/ }
        spill("$root/.peer", $client->peerhost);
        my $found = defined $path && $path !~ /\.\./ && -f "$root$path";
        my $other = defined $path && $path !~ /\.\./ && -f "$root$path.location";
        my $body = $found ? slurp("$root$path") : 'not here';
        printf {$client} "HTTP/1.1 %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s",
            $other ? '302 Found' : $found ? '200 OK' : '404 Not Found',
            $other ? 'Location: ' . slurp("$root$path.location") . "\r\n" : '', length $body, $body;
        close $client;
    }
    exit;
}

# Starts a command in a directory, and waits until its stdout says what the pattern catches: its pid, and that.
sub until_says ($pattern, $directory, @command) {
    pipe my $read, my $write or croak "pipe: $!";
    my $pid = fork // croak "fork: $!";
    if ($pid == 0) {
        chdir $directory or die;
        open STDIN, '<', '/dev/null' or die;
        open STDOUT, '>&', $write or die;
        open STDERR, '>>', dir() . '/until.err' or die;
        close $read;
        exec @command or die;
    }
    close $write;
    $children{$pid} = 1;
    while (my $line = <$read>) { return ($pid, $1) if $line =~ $pattern }
    croak "@command: " . slurp(dir() . '/until.err');
}

# Nobody listens there any more.
sub close_web ($port) { return stop(delete $web{$port}, 'KILL') }

# A process with this command, in an environment, with all it says in a file that is opened as `$how` says.
sub launch ($environment, $how, $log, @command) {
    my $pid = fork // croak "fork: $!";
    return $pid if $pid != 0;
    local @ENV{keys %$environment} = values %$environment;
    open STDIN, '<', '/dev/null' or die;
    open STDOUT, $how, $log or die;
    open STDERR, '>&', \*STDOUT or die;
    exec @command or die;
}

# Starts a command in an environment, with all it says in a file: its pid, for stop().
sub start ($environment, $log, @command) {
    my $pid = launch($environment, '>>', $log, @command);
    $children{$pid} = 1;
    return $pid;
}

# A calendar that stands still: its file, and a function that lets seconds pass on it and gives the new now.
sub calendar ($now) {
    my $file = dir() . '/clock';
    my $fakeclock = sub (@words) { system("'$build/fakeclock' @words >/dev/null") == 0 or croak "fakeclock @words" };
    $fakeclock->($_, $file) for qw(new freeze);
    my $pass = sub ($seconds) {
        $now += $seconds;
        $fakeclock->('set', $file, "\@$now");
        return $now;
    };
    $pass->(0);
    return ($file, $pass);
}

# Runs a command in an environment: its exit status, and all it said.
sub run ($environment, @command) {
    my $log = dir() . '/.run';
    my $pid = launch($environment, '>', $log, @command);
    waitpid $pid, 0;
    return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, slurp($log));
}

my $parent = $$;
END {
    local $?;
    if ($$ == $parent) {
        kill 'KILL', keys %children;
        waitpid $_, 0 for keys %children;
    }
}

1;
