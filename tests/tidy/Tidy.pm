# Tidy.pm -- what the tests of the repository itself share: its files, and a way to show that a
# rule bites, by holding it against a small bad tree.
package Tidy;
use v5.36;

use Carp qw(croak);
use Cwd qw(getcwd);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Find ();
use File::Path qw(make_path);
use File::Temp ();
use Test::More;

our @EXPORT_OK = qw(files lines without_comments functions clean bites);

# Every file of ours whose path matches: what git knows or would add, and in a tree without git
# everything outside build/.
sub files ($pattern) {
    my @found = -d '.git' ? split /\0/, `git ls-files -z --cached --others --exclude-standard` : all();
    my %seen;
    return sort grep { !$seen{$_}++ && $_ =~ $pattern && -f $_ } @found;
}

sub all () {
    my @found;
    File::Find::find({no_chdir => 1, wanted => sub { push @found, s{^\./}{}r if -f && !m{^\./build/} }}, '.');
    return @found;
}

sub lines ($path) {
    open my $file, '<:raw', $path or croak "$path: $!";
    chomp(my @lines = <$file>);
    return @lines;
}

# The lines of a C file without comments and the insides of strings; as many as before.
sub without_comments ($path) {
    my $text = join "\n", lines($path);
    $text =~ s{(/\*.*?\*/|//[^\n]*)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'}
              {defined $1 ? $1 =~ tr/\n//cdr : substr($&, 0, 1) x 2}gse;
    return split /\n/, $text, -1;
}

# The functions of a C file in our brace style: {name, from, to}, with line numbers from 1 that
# include the signature.
sub functions ($path) {
    my @lines = without_comments($path);
    my ($from, @found);
    for my $i (0 .. $#lines) {
        $from = $i if $lines[$i] =~ /^\w/ && ($i == 0 || $lines[$i - 1] !~ /^\w.*[,(]$/);
        next if $lines[$i] ne '{' || !defined $from;
        my $to = $i;
        $to++ while $to < $#lines && $lines[$to] !~ /^\}/;
        my ($name) = join(' ', @lines[$from .. $i]) =~ /(\w+)\s*\(/;
        push @found, {name => $name // '?', from => $from + 1, to => $to + 1};
    }
    return @found;
}

# A test point: the rule, called in the repository, has nothing to say.
sub clean ($what, $rule) {
    my @findings = $rule->();
    return ok(!@findings, $what) || diag join "\n", @findings;
}

# A test point: the rule, called in a tree of these files, says just this.
sub bites ($what, $rule, $tree, @expected) {
    my $home = getcwd();
    my $dir = File::Temp->newdir('rehearse-test-XXXXXX', TMPDIR => 1);

    for my $path (keys %$tree) {
        make_path(dirname("$dir/$path"));
        open my $file, '>:raw', "$dir/$path" or croak "$path: $!";
        print {$file} $tree->{$path};
        close $file;
    }
    chdir $dir or croak "$dir: $!";
    my @findings = $rule->();
    chdir $home or croak "$home: $!";
    return is_deeply([sort @findings], [sort @expected], $what);
}

1;
