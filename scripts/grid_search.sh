#!/bin/sh
# SPDX-License-Identifier: MIT
# grid_search.sh SPACE.cfg [options of random_search.sh except -n] [-- dltrain options]
# Trains a net for each point of the grid of a search space: every value of each choice, combined
# with `steps` points of each range ({ search = "log"; low = 1e-5; high = 1e-1; steps = 5; }). Trial
# N is dltrain --point N; dlinspect space SPACE.cfg prints the number of points. Otherwise like
# random_search.sh: see scripts/random_search.sh --help.
set -eu
case ${1:-} in --help) sed -n '3,/^set/s/^# //p' "$0" && exit ;; esac
for word; do
    case $word in
    --) break ;;
    -n) echo "${0##*/}: -n is for random_search.sh: the grid determines the number of trials" >&2 &&
        exit 2 ;;
    esac
done
exec "$(dirname -- "$(readlink -f -- "$0")")/random_search.sh" --grid "$@"
