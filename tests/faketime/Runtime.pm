# Runtime.pm -- programs of many kinds that answer a line on stdin with the time they read.
package Runtime;
use v5.36;

use Cwd qw(abs_path);
use Exporter qw(import);
use FindBin qw($Bin);
use IO::Select ();
use IPC::Open2 qw(open2);
use Test::More;

our @EXPORT_OK = qw($build $ahead %preload preloaded fakeclock fake build_c installed go runtimes start ask finish
    is_ahead is_real);

our $build = abs_path($ENV{BUILD} // 'build');
our $ahead = 100 * 86400;
# By its name, for there may be a space in its path.
our %preload = (LD_LIBRARY_PATH => $build, LD_PRELOAD => 'libfakeclock.so');
my $patience = 120; # seconds, after which something hangs
my @headers_of_linux = ('/usr/include/' . (`cc -print-multiarch` =~ s/\n//r), '/usr/include');

# The command, on a clock by preloading alone.
sub preloaded ($clock, @command) {
    return ('env', "FAKECLOCK=$clock", (map { "$_=$preload{$_}" } sort keys %preload), @command);
}

# Its exit status and what it said on stderr.
sub fakeclock (@arguments) {
    open my $said, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1 >/dev/null', "$build/fakeclock", @arguments or die $!;
    my $text = join '', <$said>;
    close $said;
    return ($? >> 8, $text);
}

# The same, and it must work; that a static program's waits stay real is no failure.
sub fake (@arguments) {
    my ($status, $said) = fakeclock(@arguments);
    $said =~ s/^fakeclock: process \d+: waits until a time on the clock may hang, for [^\n]*\n//mg;
    return $status == 0 && $said eq '' ? 1 : do { diag "fakeclock @arguments: $said"; 0 };
}

# tests/faketime/programs/$program.c as $dir/$name; where the compiler cannot do that it says why.
sub build_c ($compiler, $dir, $program, $name, @options) {
    push @options, map { "-idirafter $_" } @headers_of_linux if $compiler eq 'musl-gcc';
    my $said = `$compiler -I'$Bin/../..' -O2 -o '$dir/$name' '$Bin/programs/$program.c' @options 2>&1`;
    return $? == 0 || !diag $said;
}

sub installed ($program) { return grep { -x "$_/$program" } split /:/, $ENV{PATH} . ':/usr/sbin:/sbin' }

sub write_file ($path, $text) {
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file;
}

my $java = <<'END';
class Answers {
    public static void main(String[] unused) throws java.io.IOException {
        while (System.in.read() >= 0)
            System.out.println(System.currentTimeMillis() / 1000);
    }
}
END
# A static Go program; false where there is no Go.
sub go ($dir, $source, $name) {
    return 0 if !installed('go');
    local %ENV = (%ENV, CGO_ENABLED => 0, GOCACHE => "$dir/gocache", GO111MODULE => 'off');
    return system("go build -o $dir/$name '$source' >$dir/go.log 2>&1") == 0;
}

sub java ($dir) {
    write_file("$dir/Answers.java", $java);
    return system("cd $dir && javac Answers.java >java.log 2>&1") == 0;
}

# Name, what makes it or undef, and the command.  All that can be had here; the others are reported as skipped.
sub runtimes ($dir) {
    my @busy = ($ahead, 2);
    my $c = sub ($compiler, $name, @options) {
        return [sub { build_c($compiler, $dir, 'answers', $name, @options) }, "$dir/$name", @busy];
    };
    my @all = (
        ['a dynamic C program', @{$c->('cc', 'dynamic', '-pthread')}],
        ['a static C program', @{$c->('cc', 'static', '-static -pthread')}],
        ['a static musl program', @{$c->('musl-gcc', 'musl', '-static')}],
        ['a dynamic musl program', @{$c->('musl-gcc', 'musl-dynamic')}],
        ['perl', undef, 'perl', '-e', '$| = 1; while (<>) { print time, "\n" }'],
        ['python3', undef, 'python3', '-uc', "import sys, time\nfor _ in sys.stdin: print(int(time.time()))"],
        ['node', undef, 'node', '-e',
            'process.stdin.on("data", () => console.log(Math.floor(Date.now() / 1000)))'],
        ['java', sub { java($dir) }, 'java', '-cp', $dir, 'Answers'],
        ['a static Go program', sub { go($dir, "$Bin/programs/busy.go", 'go') }, "$dir/go", @busy],
    );
    my @here;
    for my $runtime (@all) {
        my ($name, $make, @command) = @$runtime;
        if ($make ? $make->() : installed($command[0])) {
            push @here, [$name, @command];
        } else {
            SKIP: { skip "$name cannot be made here", 1 }
        }
    }
    return @here;
}

# A process that answers; under a command of its own, if one is given.
sub start (@command) {
    my $pid = open2(my $from, my $to, @command);
    return {pid => $pid, from => $from, to => $to};
}

# The numbers that it answers; none where it does not.
sub ask ($process) {
    local $SIG{PIPE} = 'IGNORE';
    syswrite $process->{to}, "\n" or return;
    IO::Select->new($process->{from})->can_read($patience) or return;
    my $line = '';
    while (substr($line, -1) ne "\n") {
        sysread $process->{from}, $line, 200, length $line or return;
    }
    return split ' ', $line;
}

sub finish ($process) {
    kill 'KILL', $process->{pid};
    close $process->{$_} for 'to', 'from';
    waitpid $process->{pid}, 0;
    return;
}

# What it answers: every reading of the calendar, and that nothing has gone wrong in its threads.
sub reads ($process, $offset) {
    my ($one, @rest) = ask($process);
    return 0 if !defined $one;
    my ($backward, $wrong) = @rest > 3 ? @rest[2, 3] : (0, 0);
    my @times = ($one, @rest > 1 ? @rest[0, 1] : ());
    return !(grep { abs($_ - time - $offset) > 60 } @times) && !$backward && !$wrong;
}

sub is_ahead ($process) { return reads($process, $ahead) }
sub is_real ($process) { return reads($process, 0) }

1;
