#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pretrain_autoencoder.sh: greedy layer-wise pretraining. A deep net is trained layer by layer
# without labels, then fine-tuned with a few of them, and compared with the same net trained from
# random weights. Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural
# networks", Science 2006; Bengio et al., "Greedy layer-wise training of deep networks", NIPS 2006.
set -euo pipefail
export LC_ALL=C

# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

program=${0##*/}
usage() {
    cat <<USAGE
Usage: $program [options]

Trains an autoencoder of the digits in data/ layer by layer, without labels, then a classifier
initialized with its layers on a few labeled rows, and the same classifier from random weights.
Prints the accuracies of both on the test rows.

Options:
  --labels SHARE   share of the rows with a label in training (default: 0.05)
  --pretrain N     epochs of each autoencoder (default: 60)
  --epochs N       epochs of the classifiers (default: 200)
  --seed N         of the initial weights and of the order (default: 1)
  --out DIR        folder for the runs, which are replaced (default: runs/pretrain_autoencoder)
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

# layer NAME UNITS KEYS: prints a layer of the network.
layer() { printf '  { layer = "dense"; name = "%s"; units = %d; %s },\n' "$1" "$2" "$3"; }
# All configs have the same test rows: split = "random" ignores the labels.
data() {
    cat <<CONFIG
data = { format = "csv"; header = false; train = { file = "digits.csv.gz"; };
         split = "random"; test = 0.2; normalize = "scale"; $1 };
CONFIG
}

# autoencoder DEPTH: of that many layers per half; the innermost layer of each half is new.
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

# classifier KEYS: the encoder and an output layer. Pretrained layers are frozen at first.
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

# run NAME: trains the config on stdin.
run() {
    cat >"$out/$1.cfg"
    "$programs/dltrain" --quiet --seed "$seed" --force --out "$out/$1" "$out/$1.cfg"
}

# test_accuracy NAME: on the test rows after the last epoch; the best epoch would use the labels of
# the validation rows.
test_accuracy() {
    "$programs/dltest" --last "$out/$1" | awk '$1 == "accuracy" { print $2 }'
}

for ((depth = 1; depth <= ${#units[@]}; depth++)); do
    autoencoder "$depth" | run "autoencoder_$depth"
    printf 'autoencoder of %d layer%s   loss %s\n' "$depth" "$([ "$depth" = 1 ] || echo s)" \
        "$(awk -F, 'END { print $5 }' "$out/autoencoder_$depth/history.csv")"
done
classifier '' | run random
classifier "init_from = \"$out/autoencoder_${#units[@]}\";" | run pretrained
printf 'test accuracy with %s of the rows labeled:\n' "$labels"
printf '  from random weights       %s %%\n' "$(test_accuracy random)"
printf '  pretrained without labels %s %%\n' "$(test_accuracy pretrained)"
