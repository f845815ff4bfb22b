#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# make_deb.sh [ARCH]: builds a Debian package of the programs, manual pages, scripts, configs and
# small data sets below build/ (make deb). ARCH: the value of gcc's -march (x86-64-v3 on amd64, the
# baseline elsewhere). Dependencies are the library versions of this system. Needs dpkg-dev.
set -euo pipefail
export LC_ALL=C
cd -- "$(dirname -- "$0")/.."

case ${1:-} in --help) sed -n '3,/^set/s/^# \{0,1\}//p' "$0" && exit ;; esac
command -v dpkg-shlibdeps >/dev/null || {
    echo "make_deb.sh: needs dpkg-shlibdeps (apt-get install dpkg-dev)" >&2
    exit 1
}
version=$(sed -n 's/^.define DL_VERSION "\(.*\)"/\1/p' src/base/version.h)
machine=$(dpkg --print-architecture)
arch=${1-x86-64-v3}
[ "$machine" = amd64 ] || arch=${1:-}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

# list_elf FILE...: prints those that are compiled programs.
list_elf() {
    for file in "$@"; do
        [ "$(head -c 4 "$file" | od -An -tx1 | tr -d ' ')" != 7f454c46 ] || echo "$file"
    done
}

work=build/deb
root=$work/root
jobs=$(nproc 2>/dev/null || echo 1)
rm -rf "$work"
mkdir -p "$root/DEBIAN" "$root/usr/share/doc/dltrain" "$work/debian" "$work/source"
# A copy, so that the programs in the top folder are not replaced.
tar --exclude=./build --exclude=./runs --exclude=./.git --exclude=./dltrain --exclude=./dltest \
    -c . | tar -x -C "$work/source"
export CFLAGS="-ffile-prefix-map=$PWD/$work/source=. -D_FORTIFY_SOURCE=2 -fstack-protector-strong"
export LDFLAGS='-Wl,-z,relro -Wl,-z,now'
make -C "$work/source" -j"$jobs" ARCH="$arch" PREFIX=/usr all lib
make -C "$work/source" ARCH="$arch" PREFIX=/usr DESTDIR="$PWD/$root" install

# As Debian requires: compressed manual pages, completion of zsh in vendor-completions.
find "$root/usr/share/man" -type f -exec gzip -9n {} +
if [ -d "$root/usr/share/zsh/site-functions" ]; then
    mkdir -p "$root/usr/share/zsh/vendor-completions"
    mv "$root"/usr/share/zsh/site-functions/* "$root/usr/share/zsh/vendor-completions/"
    rmdir "$root/usr/share/zsh/site-functions"
fi
list_elf "$root"/usr/bin/* | xargs strip --strip-unneeded --remove-section=.comment
strip --strip-unneeded --remove-section=.comment "$root"/usr/lib/libdltrain.so.*.*
strip --strip-debug --enable-deterministic-archives "$root/usr/lib/libdltrain.a"
chmod 644 "$root"/usr/lib/libdltrain.so.*.*
echo 'activate-noawait ldconfig' >"$root/DEBIAN/triggers"
echo "libdltrain ${version%%.*} dltrain (>= $version)" >"$root/DEBIAN/shlibs"

maintainer='the dltrain authors <authors@dltrain.invalid>'
{
    cat <<'COPYRIGHT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: dltrain

Files: *
Copyright: 2026 the dltrain authors
License: Expat

License: Expat
COPYRIGHT
    sed '1,4d; s/^$/./; s/^/ /' LICENSE
} >"$root/usr/share/doc/dltrain/copyright"
date=$(date -u -R -d "@$SOURCE_DATE_EPOCH")
printf 'dltrain (%s) unstable; urgency=medium\n\n  * See README.md, "Changes".\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$date" | gzip -9n >"$root/usr/share/doc/dltrain/changelog.gz"
cp README.md "$root/usr/share/doc/dltrain/"
chmod 644 "$root"/usr/share/doc/dltrain/*

# dpkg-shlibdeps reads debian/control.
printf 'Source: dltrain\n\nPackage: dltrain\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && list_elf root/usr/bin/* |
    xargs dpkg-shlibdeps -O 2>/dev/null |
    sed 's/^shlibs:Depends=//; s/libopenblas0\b/libopenblas0-openmp/')
cat >"$root/DEBIAN/control" <<CONTROL
Package: dltrain
Version: $version
Architecture: $machine
Maintainer: $maintainer
Installed-Size: $(du -ks "$root/usr" | cut -f 1)
Depends: $depends
Recommends: jq
Suggests: gnuplot-nox
Section: science
Priority: optional
Description: train neural networks from a config file, on the CPU
 Command-line programs that train, score, apply and inspect neural networks
 described by a config file, without Python and without a GPU: dense,
 convolutional, recurrent and attention layers; data as CSV, IDX, NumPy, text
 and images; learning curves, checkpoints and reproducible runs.
CONTROL
[ -z "$arch" ] || printf ' .\n Requires a processor of level %s or newer.\n' "$arch" \
    >>"$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
find "$root" -type d -exec chmod 755 {} +
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -print0 |
    xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
package=build/dltrain_${version}_$machine.deb
dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
echo "$package"
