#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pretrain_autoencoder.sh: the recipe of 2006 with dltrain alone. A deep net is trained layer by
# layer without labels, then fine-tuned with a few of them, and beside it the same net from random
# weights. Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks",
# Science 2006; Bengio et al., "Greedy layer-wise training of deep networks", NIPS 2006.
set -euo pipefail
export LC_ALL=C

# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

program=${0##*/}
usage() {
    cat <<USAGE
Usage: $program [options]

Trains an autoencoder of the handwritten digits in data/ layer by layer, without labels, then a
classifier that begins with its layers, on a few labelled rows; and the same classifier without it.
Prints both accuracies on the test rows.

Options:
  --labels SHARE   of all rows that have a label in training (default: 0.05)
  --pretrain N     epochs of each autoencoder (default: 60)
  --epochs N       epochs of the classifiers (default: 200)
  --seed N         of the initial weights and of the order (default: 1)
  --out DIR        where the runs go (default: runs/pretrain_autoencoder; what is there is
                   replaced)
  -h, --help       show this help
USAGE
}

labels=0.05 pretrain=60 epochs=200 seed=1 out=runs/pretrain_autoencoder
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --labels | --pretrain | --epochs | --seed | --out) [ $# -gt 1 ] || fail "$1 needs a value" ;;
    *) fail "unknown argument '$1' (try '$program --help')" ;;
    esac
    declare "${1#--}=$2"
    shift 2
done
awk -v x="$labels" 'BEGIN { exit !(x > 0 && x < 0.8) }' ||
    fail "--labels must be between 0 and 0.8"
case $out in /*) ;; *) out=$PWD/$out ;; esac
mkdir -p "$out"

units=(100 60 30) # of the encoder's layers

# layer NAME UNITS MORE: one line of a network.
layer() { printf '  { layer = "dense"; name = "%s"; units = %d; %s },\n' "$1" "$2" "$3"; }
# The test rows are the same in all of the configs: split = "random" does not look at the labels.
data() {
    cat <<CONFIG
data = { format = "csv"; header = false; train = { file = "digits.csv.gz"; };
         split = "random"; test = 0.2; normalize = "scale"; $1 };
CONFIG
}

# autoencoder DEPTH: of that many layers, of which the innermost ones of either half are new.
autoencoder() {
    local depth=$1 k fixed from=
    data 'predict = "input";'
    echo 'network = ('
    echo '  { layer = "dropout"; rate = 0.2; },'
    for ((k = 1; k <= depth; k++)); do
        fixed=$([ "$k" = "$depth" ] || echo 'trainable = false;')
        layer "encoder_$k" "${units[k - 1]}" "activation = \"sigmoid\"; $fixed"
    done
    for ((k = depth; k > 1; k--)); do
        fixed=$([ "$k" = "$depth" ] || echo 'trainable = false;')
        layer "decoder_$k" "${units[k - 2]}" "activation = \"sigmoid\"; $fixed"
    done
    fixed=$([ "$depth" = 1 ] || echo 'trainable = false;')
    layer decoder_1 64 "$fixed" | sed 's/,$//'
    [ "$depth" = 1 ] || from="init_from = \"$out/autoencoder_$((depth - 1))\";"
    cat <<CONFIG
);
loss = { type = "binary_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 3e-3; };
training = { batch_size = 32; epochs = $pretrain; $from };
CONFIG
}

# classifier MORE: the encoder and a layer of classes. The layers that were pretrained wait until
# the new one has learnt something.
classifier() {
    local k frozen=
    [ -z "$1" ] || frozen="freeze_until_epoch = $((epochs / 10 + 1));"
    data "validation = $(awk -v x="$labels" 'BEGIN { printf "%.4f", 0.8 - x }');"
    echo 'network = ('
    for ((k = 1; k <= ${#units[@]}; k++)); do
        layer "encoder_$k" "${units[k - 1]}" "activation = \"sigmoid\"; $frozen"
    done
    layer classes 10 '' | sed 's/,$//'
    cat <<CONFIG
);
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 3e-3; };
training = { batch_size = 16; epochs = $epochs; $1 };
CONFIG
}

# run NAME: trains the config that comes in.
run() {
    cat >"$out/$1.cfg"
    "$programs/dltrain" --quiet --seed "$seed" --force --out "$out/$1" "$out/$1.cfg"
}

# test_of NAME: the accuracy on the test rows, of the last epoch: the validation rows, which are
# most of those that were left without labels, choose nothing.
test_of() {
    "$programs/dltest" --last "$out/$1" | awk '$1 == "accuracy" { print $2 }'
}

for ((depth = 1; depth <= ${#units[@]}; depth++)); do
    autoencoder "$depth" | run "autoencoder_$depth"
    printf 'autoencoder of %d layer%s   loss %s\n' "$depth" "$([ "$depth" = 1 ] || echo s)" \
        "$(awk -F, 'END { print $5 }' "$out/autoencoder_$depth/history.csv")"
done
classifier '' | run random
classifier "init_from = \"$out/autoencoder_${#units[@]}\";" | run pretrained
printf 'accuracy with %s of the rows labelled, on the test rows:\n' "$labels"
printf '  from random weights       %s %%\n' "$(test_of random)"
printf '  pretrained without labels %s %%\n' "$(test_of pretrained)"
