#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh: installs what the tests need, builds, and runs every check (make check).

set -eu

program=${0##*/}

usage() {
    cat <<USAGE
Usage: $program [--no-deps]

Installs what is missing to build and test (see install_deps.sh --test), builds, and ends with
the exit status of 'make check'. Can be called from any folder. Tests that need a public data
set look for it below \$DLTRAIN_DATA and data/.

Options:
  --no-deps     do not look for missing packages
  -h, --help    show this help
USAGE
}

say() { printf '%s\n' "$*" >&2; }

deps=yes
for argument in "$@"; do
    case $argument in
    -h | --help)
        usage
        exit 0
        ;;
    --no-deps) deps= ;;
    *)
        say "$program: unknown argument '$argument'"
        say "Try '$program --help'."
        exit 2
        ;;
    esac
done

cd -- "$(dirname -- "$0")/.."
[ -z "$deps" ] || scripts/install_deps.sh --test

# Weaker kernels that an environment may ask for are not what users run.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
if [ -z "${DLTRAIN_DATA+set}" ] && [ -d ../shared/data ]; then
    DLTRAIN_DATA=$(cd ../shared/data && pwd)
    export DLTRAIN_DATA
fi

jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
make -j"$jobs"
exec make check
