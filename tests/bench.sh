#!/bin/sh
# What it costs, beside public tools, in one run.  Ratios travel between machines; single
# figures do not.
set -eu
here=$(dirname "$0")/bench
"$here/handshakes.pl" "$1"
echo
"$here/minting.sh" "$1"
echo
"$here/clock.sh" "$1"
echo
"$here/moves.pl" "$1"
echo
"$here/ocsp.pl" "$1"
echo
"$here/orders.pl" "$1"
echo
"$here/years.pl" "$1"
