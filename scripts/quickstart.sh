#!/bin/sh
# SPDX-License-Identifier: MIT
# quickstart.sh: from a fresh checkout to a trained network.

set -eu

program=${0##*/}

usage() {
    cat <<USAGE
Usage: $program [--no-deps]

Installs what is missing to build (see install_deps.sh), builds, trains a network on the
handwritten digits in data/ (a few seconds) and scores it. Can be called from any folder.

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

# step COMMAND...: prints and runs the command; exits with its status if it fails.
step() {
    say ""
    say "\$ $*"
    "$@" || {
        status=$?
        say "$program: '$*' failed (exit status $status)"
        exit "$status"
    }
}

cd -- "$(dirname -- "$0")/.."
if [ -n "$deps" ] && ! scripts/install_deps.sh; then
    say "$program: install what is missing and start again; if it is there under other names,"
    say "use $program --no-deps"
    exit 1
fi
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
step make -j"$jobs"
step ./dltrain configs/digits.cfg
step ./dltest runs/latest

cat >&2 <<NEXT

Done. What to try next, in $(pwd):
  scripts/get_data.sh mnist       download a larger data set (--list: all of them)
  ./dltrain configs/mnist.cfg     train on it
  ./dltrain --help                all options
NEXT
