#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Augmentation, worker threads, test-time views, and the image of a batch.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# images FILE DATA: a small config for random images; DATA: further keys of data.
images() {
    cat >"$1" <<CONFIG
data = { format = "random"; input = (12, 10, 3); classes = 3; validation = 0.2; test = 0.2;
         train = { rows = 200; }; normalize = "mean_std"; $2 };
network = (
  { layer = "conv2d"; filters = 4; kernel = 3; activation = "relu"; },
  { layer = "global_avg_pool"; }, { layer = "dense"; units = 3; }
);
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 16; epochs = 3; };
CONFIG
}

everything='augment = ( { type = "flip_horizontal"; }, { type = "rotate"; }, { type = "elastic"; },
  { type = "brightness"; }, { type = "noise"; }, { type = "random_erase"; },
  { type = "mixup"; probability = 0.5; }, { type = "cutmix"; } );'

@test "the history is the same for any number of workers, and when resumed" {
    images a.cfg "$everything"
    train --quiet --out one a.cfg
    status_is 0
    train --quiet --out four --set data.workers=4 a.cfg
    status_is 0
    same_history one four
    train --quiet --out broken --epochs 1 a.cfg
    status_is 0
    train --quiet --resume broken --epochs 3
    status_is 0
    same_history one broken
    images plain.cfg ""
    train --quiet --out plain plain.cfg
    [ "$(history one)" != "$(history plain)" ] || fail "augmentation does nothing"
}

@test "neither validation nor test is augmented" {
    images plain.cfg ""
    train --quiet --out plain --epochs 1 plain.cfg
    status_is 0
    for split in test validation train; do
        tested --split $split --json plain
        local plain=$output
        tested --split $split --json --set 'data.augment=( { type = "noise"; stddev = 3.0; } )' plain
        status_is 0
        equal "$output" "$plain"
    done
}

@test "test_time views change the prediction; only images have them" {
    images a.cfg ""
    train --quiet --out a a.cfg
    status_is 0
    tested --json a
    local plain=$output
    for views in flip five_crop; do
        tested --json --set data.test_time=$views a
        status_is 0
        [ "$output" != "$plain" ] || fail "$views does nothing"
    done
    images b.cfg 'test_time = "flip";'
    train --quiet --out b b.cfg
    status_is 0
    equal "$(column a train_loss)" "$(column b train_loss)"
    [ "$(column a val_loss)" != "$(column b val_loss)" ] || fail "validation has one view"
}

@test "dlinspect batch writes an image and nothing else" {
    images a.cfg "$everything"
    inspect batch -o batch.png a.cfg
    status_is 0
    says "16 images of the first batch: batch.png"
    equal "$(head -c 4 batch.png | od -An -c | tr -d ' ')" '211PNG'
    # 8 columns of 10 * 8 pixels and 4 between, two rows with two lines of text
    equal "$(head -c 24 batch.png | tail -c 8 | od -An -t u1 | tr -s ' ')" ' 0 0 2 164 0 0 0 252'
    exists_not runs
    cp batch.png before.png
    inspect batch -o batch.png --set data.workers=3 a.cfg
    same batch.png before.png
    inspect batch -o batch.png --seed 2 a.cfg
    differ batch.png before.png
}

@test "dlinspect batch refuses what it cannot draw" {
    digits rows.cfg
    inspect batch -o batch.png rows.cfg
    status_is 2
    says "dlinspect batch is for images"
    exists_not batch.png
    images a.cfg ""
    inspect batch -o nowhere/batch.png a.cfg
    status_is 1
    says "nowhere/batch.png"
    inspect batch -o "" a.cfg
    status_is 2
    inspect batch -o batch.png --resume a
    status_is 2
}

@test "help lists the augmentations" {
    train --help augmentations
    status_is 0
    shows "cutmix"
    train --help augmentation rotate
    status_is 0
    shows "degrees"
}
