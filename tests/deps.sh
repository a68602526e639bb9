#!/bin/sh
# Installs the Debian packages that are not here yet, and says which. No service
# is left running: policy-rc.d refuses every start while packages are unpacked.
set -u

missing=
for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    command -v sudo >/dev/null || {
        echo "missing Debian packages:$missing (neither root nor sudo here: install them first)" >&2
        exit 6
    }
fi
echo "installing Debian packages:$missing" >&2

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 755 $policy
    trap '$as_root rm -f $policy' EXIT
fi
install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"
# shellcheck disable=SC2086
$install $missing >/dev/null 2>&1 || {
    $as_root apt-get update -qq && $install $missing >/dev/null
} || {
    echo "could not install:$missing" >&2
    exit 6
}
