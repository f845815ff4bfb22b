#!/bin/sh
# SPDX-License-Identifier: MIT
# bagging.sh CONFIG K [dltrain options]: trains K nets, each on a bootstrap sample of the training
# part (data.bagging) with another seed, 1 to K, and prints what they reach on the test part, each
# alone and together by the mean of their answers.
# Each run's folder is runs/NAME-bagging/SEED, or below $BAGGING_DIR. Nets that are finished are
# not trained again, and one that was stopped is gone on with: to begin anew remove the folder.
set -eu
# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

usage() {
    echo "usage: $0 CONFIG K [dltrain options]" >&2
    exit 2
}
if [ "${1:-}" = --help ]; then
    print_help
    exit 0
fi
[ $# -ge 2 ] || usage
config=$1 nets=$2
shift 2
{ is_count "$nets" && [ "$nets" -gt 1 ]; } || usage
folder=${BAGGING_DIR:-runs/$(basename -- "$config" .cfg)-bagging}
{ cksum <"$config" && printf '%s\n' "$@"; } | remember "$folder" "nets of another config"

for seed in $(seq "$nets"); do
    train_net "$folder/$seed" "net $seed of $nets" "$config" "$@" --seed "$seed" \
        --set data.bagging=true
done

set --
for seed in $(seq "$nets"); do
    set -- "$@" "$folder/$seed"
done
exec "$programs/dltest" --average --split test "$@"
