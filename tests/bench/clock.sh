#!/bin/sh
# tests/bench/clock.sh BUILD [ROUNDS]
#
# What a reading of the calendar costs: bare, under Debian's libfaketime, under ours.  All in one
# run, round after round by turns, so that a machine that is busy or slow is so for all of them.
set -eu

build=$(realpath "$1")
rounds=${2:-11}
reads=400000
theirs=/usr/lib/x86_64-linux-gnu/faketime
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

${CC:-cc} -O2 -o "$dir/reads" "$here/programs/reads.c"
${CC:-cc} -O2 -static -o "$dir/static" "$here/programs/reads.c"
"$build/fakeclock" new "$dir/ahead"
"$build/fakeclock" set "$dir/ahead" +100d
"$build/fakeclock" new "$dir/fast"
"$build/fakeclock" rate "$dir/fast" 1000
echo '+100d' >"$dir/faketimerc"

# measure NAME READS COMMAND...: lines of NAME CALL NANOSECONDS
measure() {
    name=$1 count=$2
    shift 2
    "$@" "$dir/${program:-reads}" "$count" | sed "s/^/$name /"
}

round() {
    measure bare "$reads" env
    program=static
    measure static "$reads" env
    measure redirect "$reads" "$build/fakeclock" run "$dir/ahead" --
    measure redirect-rate "$reads" "$build/fakeclock" run "$dir/fast" --
    program=
    measure fakeclock "$reads" env FAKECLOCK="$dir/ahead" LD_LIBRARY_PATH="$build" LD_PRELOAD=libfakeclock.so
    measure fakeclock-rate "$reads" env FAKECLOCK="$dir/fast" LD_LIBRARY_PATH="$build" LD_PRELOAD=libfakeclock.so
    [ -e $theirs/libfaketime.so.1 ] || return 0
    measure libfaketime "$reads" env FAKETIME=+100d LD_PRELOAD=$theirs/libfaketime.so.1
    measure libfaketimeMT $((reads / 5)) env FAKETIME=+100d LD_PRELOAD=$theirs/libfaketimeMT.so.1
    measure libfaketime-live $((reads / 40)) env FAKETIME_TIMESTAMP_FILE="$dir/faketimerc" \
        FAKETIME_NO_CACHE=1 LD_PRELOAD=$theirs/libfaketime.so.1
}

for n in $(seq "$rounds"); do
    [ -t 2 ] && printf '\rround %d of %d ' "$n" "$rounds" >&2
    round
done >"$dir/results"
[ -t 2 ] && printf '\r%20s\r' '' >&2

echo "A clock read, ns of processor time: minimum (median) of $rounds interleaved rounds; x bare"
sort -k1,1 -k2,2 -k3,3n "$dir/results" | awk '
    { key = $1 SUBSEP $2; value[key, ++count[key]] = $3 }
    END {
        split("bare fakeclock fakeclock-rate libfaketime libfaketimeMT libfaketime-live " \
            "static redirect redirect-rate", who, " ")
        split("clock_gettime coarse gettimeofday time", call, " ")
        printf "%-17s", ""
        for (c = 1; c <= 4; c++) printf "%28s", call[c]
        print ""
        for (w = 1; w <= 9; w++) {
            if (!count[who[w], "time"]) continue
            printf "%-17s", who[w]
            for (c = 1; c <= 4; c++) {
                key = who[w] SUBSEP call[c]
                least = value[key, 1]
                bare = who[w] ~ /^(static|redirect)/ ? "static" : "bare"
                printf "%10.1f (%7.1f) %6.2fx", least, value[key, int((count[key] + 1) / 2)],
                    least / value[bare SUBSEP call[c], 1]
            }
            print ""
        }
    }'
[ -e $theirs/libfaketime.so.1 ] || echo 'libfaketime is not installed; apt-get install faketime'
echo 'redirect: a static program, beside itself bare; nothing else moves those'
echo 'libfaketime-live: a file that can change under it, FAKETIME_NO_CACHE=1, which ours always can'
