#!/usr/bin/env bash
# bench.sh: whole training runs of configs/bench/, timed by the program itself.

set -euo pipefail
program=${0##*/}

usage() {
    cat <<USAGE
Usage: $program [-e EPOCHS] [WORKLOAD...]

Trains the workloads of configs/bench/ (default: all of them) and prints, as a Markdown table, the
median over the epochs of samples/s, the share of the time spent waiting for data, forward,
backward and updating, GFLOP/s (2 a multiply-add of the dense and convolution layers), and the peak
memory.

MNIST must be there: scripts/get_data.sh mnist, or \$DLTRAIN_DATA.
Let nothing else run beside it.
USAGE
}

epochs=5
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    -e) epochs=$2 && shift 2 ;;
    -*) echo "$program: unknown option $1 (try --help)" >&2 && exit 2 ;;
    *) break ;;
    esac
done

cd -- "$(dirname -- "$0")/.."
# Weaker kernels that an environment may ask for are not what users run.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
if [ $# -eq 0 ]; then
    set -- configs/bench/*.cfg
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo "| workload | samples/s | data | forward | backward | update | GFLOP/s | peak memory |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for workload; do
    name=$(basename "$workload" .cfg)
    ./dltrain "configs/bench/$name.cfg" --epochs "$epochs" --quiet --json --out "$folder/$name" \
        >"$folder/$name.json"
    jq -rs --arg name "$name" '
        def median: sort | .[length / 2 | floor];
        def percent: "\(100 * . + 0.5 | floor) %";
        map(select(.event == "epoch")) as $rows | last as $final |
        def share(key): [$rows[] | .[key] / (.data_seconds + .forward_seconds
            + .backward_seconds + .update_seconds)] | median | percent;
        ([$rows[].samples_per_second] | median) as $rate |
        "| \($name) | \($rate | floor) | \(share("data_seconds")) | \(share("forward_seconds")) "
        + "| \(share("backward_seconds")) | \(share("update_seconds")) "
        + "| \($rate * $final.operations_per_sample / 1e9 | floor) "
        + "| \($final.peak_memory_bytes / 1e6 | floor) MB |"' "$folder/$name.json"
done
