#!/bin/sh
# SPDX-License-Identifier: MIT
# make.sh: regenerates the histories by the runs below, in some minutes. Call it from the top folder:
# tests/histories/make.sh. Times are removed. The last runs need the data of scripts/get_data.sh car
# concrete mnist, in data/ or $DLTRAIN_DATA.
set -eu
to=tests/histories
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run NAME EXPECTED-STATUS OPTION...: trains, and keeps the files that a diagnosis reads.
run() {
    name=$1
    expected=$2
    shift 2
    status=0
    ./dltrain --quiet --threads 1 --out "$work/$name" "$@" || status=$?
    [ "$status" -eq "$expected" ] || echo "$name: exit status $status" >&2
    mkdir -p "$to/$name"
    awk -F, -v OFS=, 'NR > 1 { $3 = 0; for (i = NF - 4; i <= NF; i++) $i = 0 } 1' \
        "$work/$name/history.csv" >"$to/$name/history.csv"
    sed "s:$work/::g" "$work/$name/config.cfg" >"$to/$name/config.cfg"
    cp "$work/$name/facts.json" "$to/$name/facts.json"
}
cat >"$work/plain.cfg" <<'CONFIG'
name = "plain";
data = { format = "csv"; header = false; train = { file = "digits.csv.gz"; }; validation = 0.3;
         normalize = "scale"; };
network = ( { layer = "dense"; units = 64; activation = "relu"; },
            { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 1e-3; };
training = { batch_size = 32; epochs = 20; };
CONFIG
sed 's/units = 64; activation = "relu"; }/&, { layer = "dropout"; rate = 0.6; }/' \
    "$work/plain.cfg" >"$work/dropout.cfg"
# One digit in twenty, but all zeros.
zcat data/digits.csv.gz | awk -F, '$65 == 0 || NR % 20 == 0' >"$work/rare.csv"

run still_learning 0 "$work/plain.cfg" --epochs 8 --set optimizer.learning_rate=3e-4
run overfit 0 "$work/plain.cfg" --epochs 120 --set network.0.units=256 --set data.validation=0.8 \
    --set optimizer.learning_rate=3e-3
run rate_too_low 0 "$work/plain.cfg" --epochs 15 --set optimizer.learning_rate=2e-6
run rate_too_high 0 "$work/plain.cfg" --epochs 30 --set optimizer.learning_rate=0.3
run rate_too_high_sgd 0 "$work/plain.cfg" --epochs 30 --set optimizer.type=sgd \
    --set optimizer.learning_rate=3.0
run oscillates 0 configs/xor.cfg --epochs 60 --set optimizer.type=sgd \
    --set optimizer.learning_rate=60.0
run val_easier 0 "$work/dropout.cfg" --epochs 30
run diverged 4 "$work/plain.cfg" --epochs 20 --set optimizer.type=sgd \
    --set optimizer.learning_rate=1e6
run imbalance 0 "$work/plain.cfg" --epochs 20 --set data.train.file="$work/rare.csv" \
    --set optimizer.type=sgd --set optimizer.learning_rate=3e-3
run converged 0 "$work/plain.cfg" --epochs 40 \
    --set 'optimizer.schedule={type="cosine";}' --set regularization.l2=1e-3
run xor_line 0 configs/xor.cfg --epochs 30 --set optimizer.learning_rate=1e-4
run xor_converged 0 configs/xor.cfg --epochs 1500

# Regression with far too long first steps; and 70 rows for a large net, whose validation does not
# suffer from memorizing.
cat >"$work/concrete.cfg" <<'CONFIG'
name = "concrete";
data = { format = "csv"; task = "regression"; train = { file = "concrete/concrete.csv"; };
         validation = 0.2; normalize = "mean_std"; normalize_target = "mean_std"; };
network = ( { layer = "dense"; units = 80; activation = "tanh"; },
            { layer = "dense"; units = 20; activation = "relu"; },
            { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
optimizer = { type = "adam"; learning_rate = 3e-3; };
training = { batch_size = 48; epochs = 30; };
CONFIG
run thrown 0 "$work/concrete.cfg" --set optimizer.learning_rate=0.84
run memorized 0 "$work/concrete.cfg" --epochs 180 --set data.validation=0.93 \
    --set network.0.units=160 --set training.batch_size=16

# Two thousand images for a small convolutional net, rotated, shifted and partly erased.
cat >"$work/mnist.cfg" <<'CONFIG'
name = "mnist";
data = { format = "idx"; normalize = "scale"; validation = 0.8;
  train = { images = "mnist/t10k-images-idx3-ubyte.gz";
            labels = "mnist/t10k-labels-idx1-ubyte.gz"; };
  augment = ( { type = "shift"; horizontal = 0.2; vertical = 0.2; },
              { type = "rotate"; degrees = 30; }, { type = "random_erase"; } ); };
network = (
  { layer = "conv2d"; filters = 8; kernel = 5; stride = 2; activation = "relu"; },
  { layer = "conv2d"; filters = 12; kernel = 3; stride = 2; activation = "relu"; },
  { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 2e-3; };
training = { batch_size = 32; epochs = 20; };
CONFIG
run augmented 0 "$work/mnist.cfg"

# Every validation row is also a training row.
car=data/car/car.csv
[ -e "$car" ] || car=$DLTRAIN_DATA/car/car.csv
awk 'NR == 1 || NR % 5 == 0' "$car" >"$work/held.csv"
cat >"$work/leak.cfg" <<CONFIG
name = "leak";
data = { format = "csv"; train = { file = "car/car.csv"; };
         validation = { file = "$work/held.csv"; }; };
network = ( { layer = "dense"; units = 32; activation = "relu"; },
            { layer = "dense"; units = 24; activation = "relu"; },
            { layer = "dense"; units = 4; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "rmsprop"; learning_rate = 2e-3; };
training = { batch_size = 32; epochs = 60; };
CONFIG
run leak 0 "$work/leak.cfg"
