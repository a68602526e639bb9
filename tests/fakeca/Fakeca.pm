# Fakeca.pm -- the fakeca command in a directory of its own.
package Fakeca;
use v5.36;

use Carp qw(croak);
use Exporter qw(import);
use File::Temp ();

our @EXPORT_OK = qw(dir try fakeca slurp spill);

my $build = $ENV{BUILD} // 'build';
my $dir = File::Temp->newdir('rehearse-test-XXXXXX', TMPDIR => 1);

sub dir { return "$dir" }

sub slurp ($path) {
    open my $file, '<:raw', $path or croak "$path: $!";
    local $/ = undef;
    return scalar <$file>;
}

sub spill ($path, $bytes) {
    open my $file, '>:raw', $path or croak "$path: $!";
    print {$file} $bytes;
    close $file or croak "$path: $!";
    return $path;
}

# Runs it: stdout, stderr, exit status; "signal N" where one killed it.
sub try (@arguments) {
    my ($out, $err) = ("$dir/.out", "$dir/.err");
    my $pid = fork // croak "fork: $!";

    if ($pid == 0) {
        open STDIN,  '<', '/dev/null' or die;
        open STDOUT, '>', $out        or die;
        open STDERR, '>', $err        or die;
        exec $ENV{FAKECA} // "$build/fakeca", @arguments or die;
    }
    waitpid $pid, 0;
    return (slurp($out), slurp($err), $? & 127 ? 'signal ' . ($? & 127) : $? >> 8);
}

# The same, where it must succeed; its stdout.
sub fakeca (@arguments) {
    my ($out, $err, $status) = try(@arguments);
    croak "fakeca @arguments: $err" if $status ne '0';
    return $out;
}

1;
