#!/bin/sh
# tests/fuzz.sh BUILD SECONDS
#
# Runs each of BUILD/fuzz-* for that long, one after another, from the seeds in the tree and from
# what earlier runs have found.  What breaks one is left in BUILD, to be given to it again.
set -eu
build=$1
for program in "$build"/fuzz-*; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    name=${program##*/fuzz-}
    mkdir -p "$build/corpus/$name"
    echo "$name: $2 s"
    "$program" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="$build/$name-" "$build/corpus/$name" "tests/fuzz/seeds/$name"
done
