#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check.sh: installs what the tests need, builds, and runs the tests.

set -eu
export LC_ALL=C

program=${0##*/}

usage() {
    cat <<USAGE
Usage: $program [--no-deps] [TEST]...

Installs what is missing to build and test (see install_deps.sh --test), builds, and runs all
tests (make check), or only the given ones: unit tests (test_csv) or files of tests/cli (config).
Can be called from any folder. Tests that need a public data set look for it below \$DLTRAIN_DATA
and data/. With CI=true, runs 'make lint' as well, and compiler warnings are errors.

Options:
  --no-deps     do not look for missing packages
  -h, --help    show this help
USAGE
}

say() { printf '%s\n' "$*" >&2; }

deps=yes tests=()
for argument in "$@"; do
    case $argument in
    -h | --help)
        usage
        exit 0
        ;;
    --no-deps) deps= ;;
    -*)
        say "$program: unknown argument '$argument'"
        say "Try '$program --help'."
        exit 2
        ;;
    *) tests+=("$argument") ;;
    esac
done

cd -- "$(dirname -- "$0")/.."
[ -z "$deps" ] || scripts/install_deps.sh --test

# Users do not run the slower kernels that the environment may select.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
if [ -z "${DLTRAIN_DATA+set}" ] && [ -d ../shared/data ]; then
    DLTRAIN_DATA=$(cd ../shared/data && pwd)
    export DLTRAIN_DATA
fi

jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
if [ ${#tests[@]} -gt 0 ]; then
    make -j"$jobs"
    exec make -j"$jobs" test T="${tests[*]}"
fi
make -j"$jobs"
if [ -n "${CI:-}" ]; then
    make lint
fi
make -j"$jobs" tests
exec make check
