#!/bin/sh
# SPDX-License-Identifier: MIT
# learning_curve.sh CONFIG [-k SHARES] [-r REPEATS] [-o FOLDER] [-p PICTURE] [-m METRICS] [-t]
#                   [--last] [--same-epochs] [-- dltrain options]
# Trains on growing shares of the training part (data.train_share), the smaller ones within the
# larger, and draws loss and metrics of training, validation and test over the rows.
#   -k SHARES      "0.01 0.02 0.05 0.1 0.2 0.5 1", as words
#   -o FOLDER      for the runs and curve.csv (runs/NAME-learning)
#   --same-epochs  as many epochs for each share; without it there are as many more as the share is
#                  smaller, so that all nets see equally many rows: the curve is to show what fewer
#                  data do, not what fewer steps do
# Else as capacity_curve.sh, which see: scripts/capacity_curve.sh --help.
set -eu
case ${1:-} in --help) sed -n '3,/^set/s/^# \{0,1\}//p' "$0" && exit ;; esac
for word; do
    case $word in
    --) break ;;
    --key | --values)
        echo "${0##*/}: $word is capacity_curve.sh's: here it is -k SHARES" >&2
        exit 2
        ;;
    esac
done
exec "$(dirname -- "$(readlink -f -- "$0")")/capacity_curve.sh" --learning "$@"
