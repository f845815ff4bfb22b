#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Auxiliary heads: output, use in training only, and bit-exact resuming.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    digits digits.cfg
    sed 's/{ layer = "dropout"; rate = 0.2; },/\
        { layer = "aux"; weight = 0.5; body = ( { layer = "dense"; units = 10; } ); },\
        &\
        { layer = "aux"; name = "far"; body = ( { layer = "dense"; units = 8; },\
            { layer = "dropout"; rate = 0.1; }, { layer = "dense"; units = 10; } );\
          loss = { type = "softmax_cross_entropy"; label_smoothing = 0.1; }; },/' \
        digits.cfg >heads.cfg
}

@test "heads are marked; parameters are counted with and without them" {
    train --dry-run heads.cfg
    status_is 0
    says "dense_2        dense       10                      330  aux_1"
    says "dense_4        dense       10                       90  far"
    says "dense_5        dense       10                      330
total                                            3,094
without heads                                    2,410"
    says "heads       aux_1: 0.5 times softmax_cross_entropy,
            far: 0.3 times softmax_cross_entropy (in training only)"
}

@test "their losses are separate columns; train_loss is the net's alone" {
    train --json --epochs 2 --out run heads.cfg
    status_is 0
    equal "$(head -1 run/history.csv | cut -d, -f5-11)" \
        "train_loss,train_accuracy,train_top5,train_aux_1_loss,train_far_loss,val_loss,val_accuracy"
    equal "$(printf %.9g "$(jq 'select(.epoch == 2) | .train_far_loss' .out)")" \
        "$(column run train_far_loss)"
    grep -q "samples/s aux_1 loss   far loss" run/log.txt || fail "not in the log"
    # a net whose output is its head has the same loss twice
    sed '/layer = "dropout"/d; s/{ layer = "dense"; units = 10; }$/{ layer = "aux"; body = (\
        { layer = "dense"; name = "d"; units = 10; } ); },\
        { layer = "dense"; share = "d"; units = 10; }/' digits.cfg >twice.cfg
    train --epochs 1 --out twice twice.cfg
    status_is 0
    equal "$(column twice train_loss)" "$(column twice train_aux_1_loss)"
    says "without heads                                    2,410"
}

@test "dltest and the validation loss ignore them" {
    train --quiet --epochs 2 --out run heads.cfg
    tested run --last --split validation --json
    status_is 0
    equal "$(printf %.9g "$(jq .loss .out)")" "$(column run val_loss)"
}

@test "a run with heads resumes bit-exactly" {
    for threads in 1 2; do
        train --quiet --epochs 4 --threads $threads --out whole$threads heads.cfg
        sed 's/schedule = { type = "cosine"; }/schedule = { type = "constant"; }/' heads.cfg >c.cfg
        train --quiet --epochs 4 --threads $threads --out constant$threads c.cfg
        train --quiet --epochs 2 --threads $threads --out part$threads c.cfg
        train --quiet --epochs 4 --threads $threads --resume part$threads
        status_is 0
        same_checkpoints constant$threads part$threads
        same_history constant$threads part$threads
    done
    train --resume part2 --epochs 5 --set network.1.name=other
    status_is 2
    says "train_aux_1_loss"
}

@test "a head's loss can be monitored" {
    train --epochs 2 --out run heads.cfg \
        --set 'regularization={early_stopping={monitor="train_far_loss";};}'
    status_is 0
    says "best        train_far_loss $(printf %.6g "$(column run train_far_loss)") in epoch 2"
}

@test "a head that diverges is reported with its layer" {
    sed 's/body = ( { layer = "dense"; units = 10; } )/body = ( { layer = "sequence"; repeat = 14;\
        body = ( { layer = "scale"; init = 1000; } ); }, { layer = "dense"; units = 10; } )/' \
        heads.cfg >wild.cfg
    train --out run wild.cfg
    status_is 4
    says "diverged in epoch 1, step 1: the loss of the auxiliary head \"aux_1\" is not finite"
    says "the first bad value is in layer \"scale_1"
}

@test "heads at each position of a text" {
    awk 'BEGIN { for (i = 0; i < 600; i++) printf "%s", substr("abcd\n", i % 5 + 1, 1) }' >text.txt
    cat >text.cfg <<'CONFIG'
data = { format = "text"; train = { file = "text.txt"; }; length = 8; };
network = (
  { layer = "lstm"; units = 8; },
  { layer = "aux"; body = ( { layer = "dense"; units = 5; } ); },
  { layer = "lstm"; units = 8; },
  { layer = "dense"; units = 5; }
);
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.03; };
training = { batch_size = 7; epochs = 20; };
CONFIG
    train --out run text.cfg
    status_is 0
    for column in train_loss train_aux_1_loss; do
        awk -v loss="$(column run $column)" 'BEGIN { exit !(loss < 0.5) }' || fail "$column is large"
    done
    sed -i 's/body = (/& { layer = "global_avg_pool"; },/' text.cfg
    train --out no text.cfg
    status_is 2
    says "text.cfg:4: the last layer of the auxiliary head \"aux_1\" (its loss: text.cfg:8), \"dense_1\", has the output 5, but"
}
