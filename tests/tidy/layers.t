#!/usr/bin/perl
# Dependencies run downwards only, between folders as between files, and the orchestrator links
# no TLS library.
use v5.36;
use FindBin qw($Bin);
use lib $Bin;
use File::Basename qw(dirname);
use Tidy qw(files lines clean bites);
use Test::More;

# What a folder may include besides its own files. Programs meet on pipes, sockets and files.
my $wire = qr{^testbed/wire/};
my %below = (
    'testbed/wire' => [],
    'faketime' => [$wire],
    'clients' => [$wire, qr{^faketime/page\.h$}],
    'fakeca' => [$wire, qr{^faketime/page\.h$}],
    'testbed' => [$wire, qr{^faketime/(?:page|clock)\.h$}, qr{^testbed/stage/protocol\.h$}],
    'testbed/stage' => [$wire],
    'testbed/targets' => [$wire],
    'tests/bench/programs' => [$wire, qr{^faketime/(?:page|clock)\.h$}],
    # a test includes what it tests
    'tests/wire' => [$wire],
    'tests/faketime/programs' => [],
    'tests/testbed/programs' => [],
    'tests/faketime' => [$wire, qr{^faketime/}],
    'tests/clients' => [$wire, qr{^clients/}, qr{^faketime/page\.h$}],
    'tests/fakeca' => [$wire, qr{^fakeca/}],
    'tests/fuzz' => [$wire, qr{^fakeca/}],
    'tests/testbed' => [$wire, qr{^testbed/[^/]+$}, qr{^faketime/(?:page|clock)\.h$}],
);

# file => what it includes of ours
sub includes () {
    my %includes;
    for my $path (files(qr/\.[ch]$/)) {
        $includes{$path} = [map { /^\s*#\s*include\s*"([^"]+)"/ ? $1 : () } lines($path)];
    }
    return \%includes;
}

sub folders () {
    my ($includes, @findings) = includes();
    for my $path (sort keys %$includes) {
        my $folder = dirname($path);
        my $allowed = $below{$folder};
        push @findings, "$path: no rule for the folder $folder" if !$allowed;
        for my $included (@{$includes->{$path}}) {
            push @findings, "$path: \"$included\" is not a path from the top" if !-f $included;
            next if dirname($included) eq $folder || !$allowed || !-f $included;
            push @findings, "$path: includes $included, which is not below $folder"
                if !grep { $included =~ $_ } @$allowed;
        }
    }
    return @findings;
}

# A file and its header are one thing here: NAME.c and NAME.h.
sub circles () {
    my ($includes, %uses, %state, @findings) = includes();
    for my $path (keys %$includes) {
        my $thing = $path =~ s/\.[ch]$//r;
        push @{$uses{$thing}}, grep { $_ ne $thing } map { s/\.[ch]$//r } @{$includes->{$path}};
    }
    my $visit;
    $visit = sub ($thing, @way) {
        return if ($state{$thing} // '') eq 'done';
        if (($state{$thing} // '') eq 'open') {
            shift @way while $way[0] ne $thing;
            push @findings, 'a circle: ' . join ' -> ', @way, $thing;
            return;
        }
        $state{$thing} = 'open';
        $visit->($_, @way, $thing) for sort @{$uses{$thing} // []};
        $state{$thing} = 'done';
    };
    $visit->($_) for sort keys %uses;
    return @findings;
}

clean('includes run downwards between folders', \&folders);
bites('  a client that includes the testbed is found', \&folders,
    {'clients/a.c' => qq(#include "testbed/flow.h"\n#include "testbed/wire/error.h"\n),
     'testbed/flow.h' => '', 'testbed/wire/error.h' => ''},
    'clients/a.c: includes testbed/flow.h, which is not below clients');
bites('  so is wire that includes anything', \&folders,
    {'testbed/wire/a.h' => qq(# include "faketime/page.h"\n), 'faketime/page.h' => ''},
    'testbed/wire/a.h: includes faketime/page.h, which is not below testbed/wire');
bites('  and a path from nowhere, and a folder nobody knows', \&folders,
    {'clients/a.c' => qq(#include "a.h"\n), 'clients/a.h' => '', 'attic/b.c' => ''},
    'clients/a.c: "a.h" is not a path from the top', 'attic/b.c: no rule for the folder attic');

clean('no circles between files', \&circles);
bites('  a circle of headers is found', \&circles,
    {'clients/a.h' => qq(#include "clients/b.h"\n), 'clients/b.h' => qq(#include "clients/a.h"\n)},
    'a circle: clients/a -> clients/b -> clients/a');
bites('  also one that runs through a source file', \&circles,
    {'clients/a.c' => qq(#include "clients/b.h"\n), 'clients/b.c' => qq(#include "clients/c.h"\n),
     'clients/b.h' => '', 'clients/c.c' => qq(#include "clients/a.h"\n), 'clients/c.h' => '',
     'clients/a.h' => ''},
    'a circle: clients/a -> clients/b -> clients/c -> clients/a');

# --- what the programs link -----------------------------------------------------------------------

my @tls = qw(libssl libcrypto libgnutls libwolfssl);
my %linked = (
    'rehearse' => [],
    'stage-init' => [],
    'fakeclock' => [],
    'client-openssl' => [qw(libcrypto libssl)],
    'client-gnutls' => [qw(libgnutls)],
    'client-wolfssl' => [qw(libwolfssl)],
    'fakeca' => [qw(libcrypto libssl)],
    'target-builtin' => [qw(libcrypto libssl)],
);
my $build = $ENV{BUILD} // 'build';

# What the program itself asks for; ldd would also tell what a library brings along.
sub needed ($program) {
    my %needed = map { $_ => 1 } `readelf -d $program` =~ /\(NEEDED\).*\[(\w+)\.so/g;
    return [sort grep { $needed{$_} } @tls];
}
for my $program (sort keys %linked) {
    SKIP: {
        skip "$build/$program is not built", 1 if !-e "$build/$program";
        is_deeply(needed("$build/$program"), $linked{$program},
            "$program links " . (join(' and ', @{$linked{$program}}) || 'no TLS library'));
    }
}
for my $program (qw(rehearse stage-init)) {
    SKIP: {
        skip "$build/$program is not built", 1 if !-e "$build/$program";
        unlike(scalar `ldd '$build/$program'`, qr/libssl|libcrypto|libgnutls|libwolfssl/,
            "nor does $program load one by way of another library");
    }
}
isnt("@{needed('/usr/bin/openssl')}", '', 'a program that links a TLS library is seen to');

done_testing;
