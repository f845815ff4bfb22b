#!/bin/sh
# SPDX-License-Identifier: MIT
# grid_search.sh SPACE.cfg [options of random_search.sh but -n] [-- dltrain options]
# Trains a net for each point of a space's grid: every value of each choice, combined with `steps`
# points of each range ({ search = "log"; low = 1e-5; high = 1e-1; steps = 5; }). Trial N is
# dltrain --point N; dlinspect space SPACE.cfg says how many there are. Else as random_search.sh,
# which see: scripts/random_search.sh --help.
set -eu
case ${1:-} in --help) sed -n '3,/^set/s/^# //p' "$0" && exit ;; esac
for word; do
    case $word in
    --) break ;;
    -n) echo "${0##*/}: -n is random_search.sh's: the grid says how many trials there are" >&2 &&
        exit 2 ;;
    esac
done
exec "$(dirname -- "$(readlink -f -- "$0")")/random_search.sh" --grid "$@"
