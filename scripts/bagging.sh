#!/bin/sh
# bagging.sh CONFIG K [dltrain options]: trains K nets, each on a bootstrap sample of the training
# part (data.bagging) with another seed, 1 to K, and prints what they reach on the test part, each
# alone and together by the mean of their answers.
# Each run's folder is runs/NAME-bagging/SEED, or below $BAGGING_DIR. Nets that are finished are
# not trained again, and one that was stopped is gone on with: to begin anew remove the folder.
set -eu

usage() {
    echo "usage: $0 CONFIG K [dltrain options]" >&2
    exit 2
}
if [ "${1:-}" = --help ]; then
    sed -n '2,/^set/s/^# //p' "$0"
    exit 0
fi
[ $# -ge 2 ] || usage
config=$1 nets=$2
shift 2
case $nets in '' | *[!0-9]* | 0* | 1) usage ;; esac
programs=${DLTRAIN_PROGRAMS:-$(dirname -- "$0")/..}
name=$(basename -- "$config" .cfg)
folder=${BAGGING_DIR:-runs/$name-bagging}
mkdir -p "$folder"

# What a net was trained with: other options would be another experiment.
asked=$(cksum <"$config" && printf '%s\n' "$@")
if [ -e "$folder/asked" ] && [ "$(cat "$folder/asked")" != "$asked" ]; then
    echo "$0: $folder has nets of another config or other options: remove it" >&2
    exit 2
fi
printf '%s\n' "$asked" >"$folder/asked"

seed=1
while [ "$seed" -le "$nets" ]; do
    run=$folder/$seed
    if [ -e "$run/done" ]; then
        echo "net $seed of $nets: is there already" >&2
    elif [ -e "$run/last.safetensors" ]; then
        echo "net $seed of $nets: goes on" >&2
        "$programs/dltrain" --quiet "$@" --resume "$run"
    else
        echo "net $seed of $nets" >&2
        "$programs/dltrain" --quiet "$@" --force --out "$run" --seed "$seed" \
            --set data.bagging=true "$config"
    fi
    : >"$run/done"
    seed=$((seed + 1))
done

set --
seed=1
while [ "$seed" -le "$nets" ]; do
    set -- "$@" "$folder/$seed"
    seed=$((seed + 1))
done
exec "$programs/dltest" --average --split test "$@"
