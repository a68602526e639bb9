#!/bin/sh
# tests/bench/minting.sh BUILD [ROUNDS]
#
# Leaves minted in a processor second, from a template (what `fakeca serve` does for an order), by the
# library and by the command, beside the raw P-256 signatures that `openssl speed` makes.  By turns, in
# one run.
set -eu

build=$(realpath "$1")
rounds=${2:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$build/fakeca" init --state "$dir/ca" >/dev/null

sign() { openssl speed -seconds 1 ecdsap256 2>/dev/null | awk '/nistp256/ { print $(NF - 1) }'; }
# "mint RATE" and "template RATE"
mint() {
    "$build/fakeca" bench --json |
        sed 's/.*"leaves_per_second":\([0-9]*\).*"template_per_second":\([0-9]*\).*/mint \1\ntemplate \2/'
}
# a hundred processes, each a whole `fakeca issue` with its files
command_line() {
    perl -e '
        my ($program, $dir) = @ARGV;
        for (1 .. 100) {
            system("$program issue --state $dir/ca --out $dir/leaf --name shop.test >/dev/null") == 0 or die;
        }
        my @t = times;
        printf "%.0f\n", 100 / ($t[2] + $t[3]);' "$build/fakeca" "$dir"
}

for n in $(seq "$rounds"); do
    echo "sign $(sign)"
    mint
    echo "command $(command_line)"
done >"$dir/results"

echo "P-256 leaves minted a processor second: median of $rounds rounds by turns; x raw signing"
sort -k1,1 -k2,2n "$dir/results" | awk '
    { value[$1, ++count[$1]] = $2 }
    function median(who) { return value[who, int((count[who] + 1) / 2)] }
    function row(words, who) { printf "%-40s %8.0f  x%.3f\n", words, median(who), median(who) / median("sign") }
    END {
        row("openssl speed ecdsap256, signatures", "sign")
        row("fakeca bench, from a template", "template")
        row("fakeca bench, a new key for each", "mint")
        row("fakeca issue, one process each", "command")
    }'
