#!/bin/sh
# SPDX-License-Identifier: MIT
# bagging.sh CONFIG K [dltrain options]: trains K nets on bootstrap samples of the training part
# (data.bagging) with the seeds 1 to K, and prints the scores on the test part of each net and of
# their average.
# The runs are in runs/NAME-bagging/SEED, or below $BAGGING_DIR. Finished nets are skipped and
# stopped ones resumed: to start over, remove the folder.
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
{ cksum <"$config" && printf '%s\n' "$@"; } | record_settings "$folder" "nets of another config"

for seed in $(seq "$nets"); do
    train_net "$folder/$seed" "net $seed of $nets" "$config" "$@" --seed "$seed" \
        --set data.bagging=true
done

set --
for seed in $(seq "$nets"); do
    set -- "$@" "$folder/$seed"
done
exec "$programs/dltest" --average --split test "$@"
