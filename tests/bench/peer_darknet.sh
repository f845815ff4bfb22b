#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# peer_darknet.sh WORKLOAD MNIST: Darknet (Debian's package) on a workload of configs/bench/.
#
# Trains on 2,048 images of the MNIST folder, written as PNM files, and prints one JSON line: samples
# per second of training steps, as timed by Darknet (without loading images). Its loader converts every
# image to three channels; networks without convolutions would differ, so they are not run.

set -euo pipefail
workload=$1 mnist=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

count=2048
mkdir images
gzip -dc "$mnist/train-images-idx3-ubyte.gz" 2>/dev/null | tail -c +17 |
    head -c $((count * 784)) >pixels || true
gzip -dc "$mnist/train-labels-idx1-ubyte.gz" 2>/dev/null | tail -c +9 |
    head -c $count | od -An -v -tu1 -w1 >labels || true
n=0
while read -r label; do
    # Darknet finds the class by its name in the path.
    name=images/${n}_class$label.pnm
    {
        printf 'P5\n28 28\n255\n'
        dd if=pixels bs=784 skip=$n count=1 status=none
    } >"$name"
    echo "$folder/$name" >>train.list
    n=$((n + 1))
done <labels
for label in 0 1 2 3 4 5 6 7 8 9; do
    echo "class$label" >>names
done
mkdir backup
printf 'classes=10\ntrain=%s\nvalid=%s\nlabels=names\nbackup=backup\ntop=1\n' \
    train.list train.list >data

dense() {
    printf '[connected]\noutput=%s\nactivation=%s\n' "$1" "$2"
}
convolution() { # filters size pad activation
    printf '[convolutional]\nfilters=%s\nsize=%s\nstride=1\npadding=%s\nactivation=%s\n' "$@"
}
batch=128
case $workload in
W2) # it has only global average pooling: max pooling instead
    batch=64
    layers() {
        convolution 6 5 2 tanh && printf '[maxpool]\nsize=2\nstride=2\n'
        convolution 16 5 0 tanh && printf '[maxpool]\nsize=2\nstride=2\n'
        dense 120 tanh && dense 84 tanh
    }
    ;;
W2b)
    layers() {
        convolution 32 3 1 relu && convolution 64 3 1 relu
        printf '[maxpool]\nsize=2\nstride=2\n[dropout]\nprobability=.25\n'
        dense 128 relu && printf '[dropout]\nprobability=.5\n'
    }
    ;;
*) echo "peer_darknet.sh: $workload is not for Darknet" >&2 && exit 2 ;;
esac
steps=10
{
    printf '[net]\nbatch=%s\nsubdivisions=1\nheight=28\nwidth=28\nchannels=3\n' $batch
    printf 'learning_rate=0.001\nmomentum=0.9\ndecay=0\nmax_batches=%s\n' $steps
    layers
    dense 10 linear
    printf '[softmax]\n'
} >net.cfg
# It crashes when it frees its memory at the end; the preceding output is valid.
(stdbuf -oL darknet classifier train data net.cfg ) >log 2>&1 || grep -q " rate, " log || { tail -n 5 log >&2 && exit 1; }
# "3, 0.123: 2.30, 2.30 avg, 0.001 rate, 0.056789 seconds, 384 images"
sed -n 's/.* rate, \([0-9.]*\) seconds,.*/\1/p' log | tail -n +3 | sort -n |
    awk -v batch=$batch '{ s[NR] = $1 } END {
        printf "{\"samples_per_second\": %.1f}\n", batch / s[int((NR + 1) / 2)] }'
