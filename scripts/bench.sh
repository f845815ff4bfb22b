#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bench.sh: times training runs of configs/bench/, alternating with PyTorch if it is installed.

set -euo pipefail
export LC_ALL=C
program=${0##*/}

usage() {
    cat <<USAGE
Usage: $program [-r ROUNDS] [--no-peers] [--save FILE] [--augment | WORKLOAD...]

Trains the workloads of configs/bench/ (default: all), two epochs per round, and prints the medians
of the rounds (default: 5) as Markdown:

  training    samples/s of the second epoch; GFLOP/s (2 per multiply-add of dense, convolution and
              recurrent layers) and their share of the matrix product's peak in the same round;
              time by phase; peak memory; with one and two threads; as built, and without oneDNN
  inference   samples/s of forward passes over batches of 1 and 256
  start-up    seconds from the start of the process to the first loss (--dry-run)
  augment     samples/s of W1 and W2b, and the share of time in which training waits for data:
              plain, with each image rotated, shifted and zoomed, and the same with two workers
              (only if no workload is given; --augment: this alone)

With python3-torch installed each round also trains the same network with PyTorch, tuned
(OpenBLAS's OpenMP build, its widest kernels, AVX-512, tcmalloc if installed, channels last where
that is faster) and, in the first round, as installed ("plain"). With darknet installed the first
round also trains the networks that it supports. --save also writes the tables to a file, with the
machine and the versions.

Needs MNIST and, for W4, tinyshakespeare: scripts/get_data.sh, or \$DLTRAIN_DATA. Run nothing else
at the same time.
USAGE
}

rounds=5 peers=yes save=
augmented=()
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    -r) rounds=$2 && shift 2 ;;
    --no-peers) peers= && shift ;;
    --save) save=$(realpath "$2") && shift 2 ;;
    --augment) augmented=(W1 W2b) && shift ;;
    -*) echo "$program: unknown option $1 (try --help)" >&2 && exit 2 ;;
    *) break ;;
    esac
done

cd -- "$(dirname -- "$0")/.."
# Users do not run the slower kernels that the environment may select.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
if [ $# -gt 0 ] && [ ${#augmented[@]} -gt 0 ]; then
    echo "$program: --augment has its own workloads (try --help)" >&2 && exit 2
elif [ ${#augmented[@]} -gt 0 ]; then
    peers=
elif [ $# -eq 0 ]; then
    set -- W1 W1s W2 W2b W3 W4 W5
    augmented=(W1 W2b)
fi
python=/usr/bin/python3
if [ -n "$peers" ] && ! $python -c 'import torch' 2>/dev/null; then
    echo "$program: python3-torch is not installed: timing dltrain only" >&2
    peers=
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The folders of MNIST and the text, for the other programs.
mnist=data/mnist
[ -d "$mnist" ] || mnist=${DLTRAIN_DATA:-data}/mnist
text=data/tinyshakespeare/input.txt
[ -f "$text" ] || text=${DLTRAIN_DATA:-data}/tinyshakespeare/input.txt

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

# config WORKLOAD: sets ${config[@]} to its config and data options.
config() {
    config=("configs/bench/$1.cfg")
    if [ "$1" = W3 ]; then
        config+=(--set "data.train.images=$images" --set "data.train.labels=$labels")
    fi
}

# train WORKLOAD KIND [OPTION...]: appends the last epoch and the end to WORKLOAD.KIND.
train() {
    local name=$1.$2
    config "$1"
    shift 2
    ./dltrain "${config[@]}" --epochs 2 "$@" --quiet --json --force --out "$folder/run" |
        tail -n 2 >>"$folder/$name"
}

# infer WORKLOAD: times predictions of the net trained last, in batches of 1 and of 256.
infer() {
    local batch
    for batch in 1 256; do
        ./dltest "$folder/run" --split train --speed $batch --json >>"$folder/$1.infer$batch"
    done
}

start_up() {
    config "$1"
    local from=${EPOCHREALTIME/./}
    ./dltrain "${config[@]}" --dry-run >/dev/null 2>&1
    echo "{\"seconds\": $(((${EPOCHREALTIME/./} - from) / 1000))e-3}" >>"$folder/$1.start"
}

# The peak of the matrix product, with a small training.
peak() {
    ./dltrain configs/digits.cfg --epochs 1 --profile --quiet --json --force --out "$folder/run" |
        tail -n 1 >>"$folder/peak"
}

# torch WORKLOAD KIND: appends PyTorch's line to WORKLOAD.KIND.
torch() {
    local x=$mnist/train-images-idx3-ubyte.gz y=$mnist/train-labels-idx1-ubyte.gz options=()
    if [ "$1" = W3 ]; then
        x=$images y=$labels
    fi
    local command=("$python" tests/bench/peer_torch.py "$1" --epochs 1)
    case $1 in
    W4) command+=(--text "$text") ;;
    *) command+=(--images "$x" --labels "$y") ;;
    esac
    if [ "$2" = plain ]; then
        ATEN_CPU_CAPABILITY=avx512 "${command[@]}" >>"$folder/$1.plain"
        return
    fi
    case $1 in W2b | W3 | W5) options=(--channels-last) ;; esac
    local tcmalloc
    tcmalloc=$(ls /usr/lib/*/libtcmalloc_minimal.so.4 2>/dev/null || true)
    ATEN_CPU_CAPABILITY=avx512 OPENBLAS_CORETYPE=SkylakeX LD_PRELOAD=$tcmalloc \
        LD_LIBRARY_PATH=$(echo /usr/lib/*/openblas-openmp) \
        "${command[@]}" "${options[@]}" >>"$folder/$1.tuned"
}

# darknet_peer WORKLOAD: Darknet's line, if it can express the network.
darknet_peer() {
    case $1 in
    W2 | W2b) tests/bench/peer_darknet.sh "$1" "$mnist" >>"$folder/$1.darknet" ;;
    esac
}

# augment WORKLOAD: without and with the augmentation of configs/mnist-augmented.cfg.
augment() {
    local list='( { type = "rotate"; degrees = 10; },
        { type = "shift"; horizontal = 0.1; vertical = 0.1; },
        { type = "zoom"; least = 0.9; most = 1.1; } )'
    train "$1" still
    train "$1" moved --set "data.augment=$list"
    train "$1" moved2 --set "data.augment=$list" --set data.workers=2
}

for ((round = 1; round <= rounds; round++)); do
    [ $# -eq 0 ] || peak
    for workload in "${augmented[@]}"; do
        augment "$workload"
    done
    for workload; do
        if [ "$round" -eq 1 ]; then
            train "$workload" one --threads 1
        fi
        train "$workload" openblas --backend openblas
        train "$workload" auto
        infer "$workload"
        start_up "$workload"
        [ -n "$peers" ] || continue
        torch "$workload" tuned
        if [ "$round" -eq 1 ]; then
            torch "$workload" plain
            if command -v darknet >/dev/null; then
                darknet_peer "$workload"
            fi
        fi
    done
    echo "$program: round $round of $rounds is done" >&2
done

# median FILE FILTER: the median of FILTER over the file's objects; null without a file.
median() {
    if [ -s "$folder/$1" ]; then
        jq -s "[.[] | $2] | map(select(. != null)) | sort | .[length / 2 | floor]" "$folder/$1"
    else
        echo null
    fi
}

# row FORMAT NAME=FILE:FILTER...: prints a row of a table, computed by jq from the medians.
row() {
    local format=$1 arguments=() item file
    shift
    for item; do
        file=${item#*=}
        arguments+=(--argjson "${item%%=*}" "$(median "${file%%:*}" "${file#*:}")")
    done
    jq -nr "${arguments[@]}" '
        def whole: if . == null then "" else floor end;
        def ratio($b): if . == null or $b == null then "" else . / $b * 100 | round / 100 end;
        def percent: "\(100 * . | round) %";
        def megabytes: if . == null then "" else "\(. / 1e6 | round) MB" end;
        '"$format"
}

phases='(.data_seconds + .forward_seconds + .backward_seconds + .update_seconds)'

augment_table() {
    echo "Augmentation (rotate, shift and zoom), samples/s and the share of time in which" \
        "training waits for data:"
    echo
    echo "| workload | plain | waits | augmented | waits | ratio | 2 workers | waits |\
 ratio |"
    echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    local w rate='samples_per_second' items=() kind wait
    wait="select(.$rate) | .data_seconds / $phases"
    for w in "${augmented[@]}"; do
        items=()
        for kind in still moved moved2; do
            items+=("$kind=$w.$kind:.$rate" "${kind}_waits=$w.$kind:$wait")
        done
        row "\"| $w | \(\$still | whole) | \(\$still_waits | percent) \
| \(\$moved | whole) | \(\$moved_waits | percent) | \(\$moved | ratio(\$still)) \
| \(\$moved2 | whole) | \(\$moved2_waits | percent) | \(\$moved2 | ratio(\$still)) |\"" \
            "${items[@]}"
    done
}

tables() {
    if [ $# -gt 0 ]; then
        workload_tables "$@"
        [ ${#augmented[@]} -eq 0 ] || echo
    fi
    [ ${#augmented[@]} -eq 0 ] || augment_table
}

workload_tables() {
    echo "Training, samples/s:"
    echo
    echo "| workload | dltrain | PyTorch tuned | ratio | PyTorch plain | Darknet |\
 OpenBLAS alone | ratio | 1 thread | speed-up |"
    echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    local w rate='samples_per_second'
    for w; do
        row "\"| $w | \(\$a | whole) | \(\$t | whole) | \(\$a | ratio(\$t)) \
| \(\$p | whole) | \(\$d | whole) | \(\$b | whole) | \(\$b | ratio(\$t)) \
| \(\$o | whole) | \(\$a | ratio(\$o)) |\"" \
            "a=$w.auto:.$rate" "t=$w.tuned:.$rate" "p=$w.plain:.$rate" "d=$w.darknet:.$rate" \
            "b=$w.openblas:.$rate" "o=$w.one:.$rate"
    done
    echo
    local high
    high=$(row "\$p / 1e9 | round" "p=peak:.peak_operations_per_second")
    echo "Time by phase, and GFLOP/s relative to the matrix product's peak ($high GFLOP/s," \
        "the median of the rounds), peak memory:"
    echo
    echo "| workload | data | forward | backward | update | GFLOP/s | of peak | memory |\
 PyTorch's |"
    echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for w; do
        row "(\$a * \$n) as \$speed | \"| $w | \(\$x | percent) | \(\$f | percent) \
| \(\$b | percent) | \(\$u | percent) | \(\$speed / 1e9 | round) | \(\$speed / \$p | percent) \
| \(\$m | megabytes) | \(\$t | megabytes) |\"" \
            "a=$w.auto:.$rate" "n=$w.auto:.operations_per_sample" \
            "x=$w.auto:select(.$rate) | .data_seconds / $phases" \
            "f=$w.auto:select(.$rate) | .forward_seconds / $phases" \
            "b=$w.auto:select(.$rate) | .backward_seconds / $phases" \
            "u=$w.auto:select(.$rate) | .update_seconds / $phases" \
            "p=peak:.peak_operations_per_second" "m=$w.auto:.peak_memory_bytes" \
            "t=$w.tuned:.peak_memory_bytes"
    done
    echo
    echo "Inference, samples/s over batches of 1 and of 256, and start-up to the first loss:"
    echo
    echo "| workload | batch 1 | µs | PyTorch tuned | batch 256 | PyTorch tuned | start-up |"
    echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for w; do
        row "\"| $w | \(\$a | whole) | \(1e6 / \$a | round) | \(\$t | whole) | \(\$b | whole) \
| \(\$u | whole) | \(\$s * 100 | round / 100) s |\"" \
            "a=$w.infer1:.$rate" "t=$w.tuned:.inference_1" "b=$w.infer256:.$rate" \
            "u=$w.tuned:.inference_256" "s=$w.start:.seconds"
    done
}

if [ -n "$save" ]; then
    {
        echo "# Benchmarks"
        echo
        echo "Made by \`scripts/bench.sh -r $rounds\` on $(date +%F): $(nproc) processors" \
            "($(lscpu | sed -n 's/^Model name: *//p' | head -n 1)), $(./dltrain --version)."
        if [ -n "$peers" ]; then
            echo "PyTorch $($python -c 'import torch; print(torch.__version__)')."
        fi
        echo "Medians of $rounds rounds, alternating."
        echo
        tables "$@"
    } | tee "$save"
else
    tables "$@"
fi
