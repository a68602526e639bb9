#!/usr/bin/perl
# Small is readable: functions, files and lines have a limit, and so has cleverness.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use Tidy qw(files lines without_comments functions clean bites);
use Test::More;

my $code = qr{(?:\.(?:c|h|lua|t|pm|pl|sh)|^Makefile)$};
my %limit = (function => 70, file => 600, line => 120, row => 160, goto_file => 2, goto_all => 6);

sub long_functions () {
    my @findings;
    for my $path (files(qr/\.[ch]$/)) {
        for my $function (functions($path)) {
            my $length = $function->{to} - $function->{from} + 1;
            push @findings, "$path:$function->{from}: $function->{name} has $length lines"
                if $length > $limit{function};
        }
    }
    return @findings;
}

sub long_files () {
    return map { my $count = lines($_); $count > $limit{file} ? "$_: $count lines" : () } files($code);
}

# A row of a table may be longer, for the sake of its columns.
sub limit_of ($line) { return $line =~ /^\s*\{["\w]/ ? $limit{row} : $limit{line} }

sub long_lines () {
    my @findings;
    for my $path (files($code)) {
        my $number = 0;
        for my $line (lines($path)) {
            $line =~ s/\s*\\$//;                 # what continues a macro says nothing
            $line =~ s/[\x80-\xbf]//g;          # a character of UTF-8 is one column
            my $columns = length $line;
            $number++;
            push @findings, "$path:$number: $columns columns" if $columns > limit_of($line);
        }
    }
    return @findings;
}

sub conditionals () {
    my @findings;
    for my $path (files(qr/\.[ch]$/)) {
        my @lines = without_comments($path);
        for my $function (functions($path)) {
            push @findings, map { "$path:$_: a conditional inside $function->{name}" }
                grep { $lines[$_ - 1] =~ /^\s*#\s*(?:if|el|endif)/ } $function->{from} .. $function->{to};
        }
    }
    return @findings;
}

sub gotos () {
    my ($all, @findings) = (0);
    for my $path (files(qr/\.[ch]$/)) {
        my $count = grep { /\bgoto\b/ } without_comments($path);
        $all += $count;
        push @findings, "$path: $count gotos" if $count > $limit{goto_file};
    }
    push @findings, "$all gotos in all" if $all > $limit{goto_all};
    return @findings;
}

sub function ($name, $count, $line = '    call();') {
    return "static int $name(int a,\n    int b)\n{\n" . "$line\n" x ($count - 4) . "}\n";
}

clean("functions have at most $limit{function} lines", \&long_functions);
bites('  a longer one is found', \&long_functions,
    {'a.c' => "/* not this:\n{\n*/\n" . function('fits', 70) . "\n" . function('grew', 71)},
    'a.c:75: grew has 71 lines');
clean("files have at most $limit{file} lines", \&long_files);
bites('  a longer one is found', \&long_files, {'a.lua' => "\n" x 601, 'b.sh' => "\n" x 600},
    'a.lua: 601 lines');
clean("lines have at most $limit{line} columns", \&long_lines);
bites('  a longer one is found', \&long_lines,
    {'a.h' => 'x' x 121 . "\n", 'b.t' => 'é' x 120 . "\n", 'c.md' => 'x' x 500,
     'd.c' => '    {"' . 'x' x 154 . "\n    {" . 'x' x 156 . "\n", 'e.c' => 'x' x 110 . ' ' x 20 . "\\\n"},
    'a.h:1: 121 columns', 'd.c:2: 161 columns');
clean('no conditional compilation inside a function', \&conditionals);
bites('  one that is there is found', \&conditionals,
    {'a.c' => "#if A\n" . function('f', 5, '#ifdef DEBUG') . "#endif\n" . function('g', 5, '/* #if */')},
    'a.c:5: a conditional inside f');
clean("no more than $limit{goto_file} gotos a file, $limit{goto_all} in all", \&gotos);
bites('  more are found, those in comments and strings are none', \&gotos,
    {'a.c' => "goto a;\ngoto b;\ngoto c;\n", 'b.c' => qq(/* goto x */ "goto y"\ngoto z;\n),
     map { ("c$_.c" => "goto a;\n") } 1 .. 3},
    'a.c: 3 gotos', '7 gotos in all');

done_testing;
