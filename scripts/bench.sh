#!/usr/bin/env bash
# bench.sh: whole training runs of configs/bench/, timed in turns with PyTorch if it is installed.

set -euo pipefail
program=${0##*/}

usage() {
    cat <<USAGE
Usage: $program [-r ROUNDS] [--no-peers] [WORKLOAD...]

Trains the workloads of configs/bench/ (default: all of them), two epochs a round, and prints as
Markdown the medians over the rounds (default 5) of the second epoch's samples/s, the share of the
time spent waiting for data, forward, backward and updating, GFLOP/s (2 a multiply-add of the dense
and convolution layers), and the peak memory. With python3-torch installed each round also trains
the same network with PyTorch, as installed ("plain") and tuned (OpenBLAS's OpenMP build, its
widest kernels, AVX-512, tcmalloc if installed, channels last where that is faster), and the ratio
to the tuned one is printed.

MNIST must be there: scripts/get_data.sh mnist, or \$DLTRAIN_DATA. Let nothing else run beside it.
USAGE
}

rounds=5 peers=yes
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    -r) rounds=$2 && shift 2 ;;
    --no-peers) peers= && shift ;;
    -*) echo "$program: unknown option $1 (try --help)" >&2 && exit 2 ;;
    *) break ;;
    esac
done

cd -- "$(dirname -- "$0")/.."
# Weaker kernels that an environment may ask for are not what users run.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
if [ $# -eq 0 ]; then
    set -- W1 W1s W2 W2b W3
fi
python=/usr/bin/python3
if [ -n "$peers" ] && ! $python -c 'import torch' 2>/dev/null; then
    echo "$program: python3-torch is not installed: dltrain alone is timed" >&2
    peers=
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Where MNIST is, for PyTorch; dltrain finds it by itself.
mnist=data/mnist
[ -d "$mnist" ] || mnist=${DLTRAIN_DATA:-data}/mnist

# Random images for W3: 10,240 of 32x32 pixels and three channels, in ten classes.
images=$folder/images.idx labels=$folder/labels.idx
{
    printf '\0\0\10\4\0\0\50\0\0\0\0\40\0\0\0\40\0\0\0\3'
    head -c $((10240 * 3072)) /dev/urandom
} >"$images"
{
    printf '\0\0\10\1\0\0\50\0'
    head -c 1000000 /dev/urandom | LC_ALL=C tr -dc '\000-\011' | head -c 10240
} >"$labels" || [ "$(stat -c %s "$labels")" -eq 10248 ]

# train WORKLOAD: appends the second epoch and the end to WORKLOAD.json.
train() {
    local set=()
    if [ "$1" = W3 ]; then
        set=(--set "data.train.images=$images" --set "data.train.labels=$labels")
    fi
    ./dltrain "configs/bench/$1.cfg" "${set[@]}" --epochs 2 --quiet --json --force \
        --out "$folder/run" | tail -n 2 >>"$folder/$1.json"
}

# torch WORKLOAD KIND: appends PyTorch's line to WORKLOAD.KIND.
torch() {
    local x=$mnist/train-images-idx3-ubyte.gz y=$mnist/train-labels-idx1-ubyte.gz options=()
    if [ "$1" = W3 ]; then
        x=$images y=$labels
    fi
    local command=("$python" tests/bench/peer_torch.py "$1" --images "$x" --labels "$y" --epochs 1)
    if [ "$2" = plain ]; then
        ATEN_CPU_CAPABILITY=avx512 "${command[@]}" >>"$folder/$1.plain"
        return
    fi
    case $1 in W2b | W3) options=(--channels-last) ;; esac
    local tcmalloc
    tcmalloc=$(ls /usr/lib/*/libtcmalloc_minimal.so.4 2>/dev/null || true)
    ATEN_CPU_CAPABILITY=avx512 OPENBLAS_CORETYPE=SkylakeX LD_PRELOAD=$tcmalloc \
        LD_LIBRARY_PATH=$(echo /usr/lib/*/openblas-openmp) \
        "${command[@]}" "${options[@]}" >>"$folder/$1.tuned"
}

for ((round = 1; round <= rounds; round++)); do
    for workload; do
        train "$workload"
        if [ -n "$peers" ]; then
            torch "$workload" tuned
            torch "$workload" plain
        fi
    done
done

median='def median: sort | .[length / 2 | floor];'
rate_of() {
    if [ -s "$1" ]; then
        jq -s "$median [.[].samples_per_second] | median" "$1"
    else
        echo null
    fi
}

echo "| workload | samples/s | PyTorch tuned | ratio | PyTorch plain | data | forward | backward |\
 update | GFLOP/s | peak memory | PyTorch's |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for workload; do
    memory=null
    if [ -s "$folder/$workload.tuned" ]; then
        memory=$(jq -s 'map(.peak_memory_bytes) | max' "$folder/$workload.tuned")
    fi
    jq -rs --arg name "$workload" --argjson tuned "$(rate_of "$folder/$workload.tuned")" \
        --argjson plain "$(rate_of "$folder/$workload.plain")" \
        --argjson memory "$memory" "$median"'
        def percent: "\(100 * . + 0.5 | floor) %";
        def whole: if . == null then "" else floor end;
        map(select(.event == "epoch")) as $rows | map(select(.event == "end")) as $ends |
        def share(key): [$rows[] | key / (.data_seconds + .forward_seconds
            + .backward_seconds + .update_seconds)] | median | percent;
        ([$rows[].samples_per_second] | median) as $rate |
        "| \($name) | \($rate | whole) | \($tuned | whole) "
        + "| \(if $tuned then $rate / $tuned * 100 | round / 100 else "" end) | \($plain | whole) "
        + "| \(share(.data_seconds)) | \(share(.forward_seconds)) | \(share(.backward_seconds)) "
        + "| \(share(.update_seconds)) "
        + "| \($rate * $ends[0].operations_per_sample / 1e9 | whole) "
        + "| \([$ends[].peak_memory_bytes] | max / 1e6 | whole) MB "
        + "| \(if $memory then "\($memory / 1e6 | whole) MB" else "" end) |"' \
        "$folder/$workload.json"
done
