#!/bin/sh
# SPDX-License-Identifier: MIT
# learning_curve.sh CONFIG [-k SHARES] [-r REPEATS] [-o FOLDER] [-p PICTURE] [-m METRICS] [-t]
#                   [--last] [--same-epochs] [-- dltrain options]
# Trains on increasing shares of the training part (data.train_share), each a subset of the next,
# and plots loss and metrics on training, validation and test data over the number of rows.
#   -k SHARES      the shares ("0.01 0.02 0.05 0.1 0.2 0.5 1")
#   -o FOLDER      for the runs and curve.csv (runs/NAME-learning)
#   --same-epochs  train each share for the same number of epochs; by default, smaller shares are
#                  trained for more, so that all nets see the same number of rows and the curve
#                  shows the effect of fewer data, not of fewer steps
# Otherwise like capacity_curve.sh: see scripts/capacity_curve.sh --help.
set -eu
case ${1:-} in --help) sed -n '3,/^set/s/^# \{0,1\}//p' "$0" && exit ;; esac
for word; do
    case $word in
    --) break ;;
    --key | --values)
        echo "${0##*/}: $word is for capacity_curve.sh: use -k SHARES" >&2
        exit 2
        ;;
    esac
done
exec "$(dirname -- "$(readlink -f -- "$0")")/capacity_curve.sh" --learning "$@"
