#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Ensembles, bootstrap samples and folds.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

value() { jq -r "$1" "${2:-.out}"; }
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(d < 1e-5 && d > -1e-5) }' ||
        fail "$1 is not near $2"
}

# constant NAME CLASS_x ROWS_x ROWS_y: trains a net on constant inputs, which predicts the shares of
# the classes; the test rows are all y.
constant() {
    { echo in,class && for i in $(seq "$2"); do echo 0,x; done && for i in $(seq "$3"); do echo 0,y; done
    } >"$1.csv"
    { echo in,class && for i in 1 2 3 4 5; do echo 0,y; done; } >test.csv
    cat >"$1.cfg" <<CONFIG
data = { format = "csv"; train = { file = "$1.csv"; }; test = { file = "test.csv"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.05; };
training = { batch_size = "all"; epochs = 400; };
CONFIG
    train --quiet --out "$1" "$1.cfg"
    status_is 0
}

@test "the mean of the probabilities, and the majority vote" {
    constant a 6 4
    constant b 6 4
    constant c 1 99
    tested --average a b c --json
    status_is 0
    near "$(value .accuracy)" 1 # (0.6 + 0.6 + 0.01) / 3 is less than a half
    jq -e '[.members[].accuracy] == [0, 0, 1]' .out
    near "$(value .log_loss)" "$(jq '[.members[].log_loss | -. | exp] | add / 3 | -log' .out)"
    tested --vote a b c --json
    near "$(value .accuracy)" 0
    equal "$(value .log_loss)" null
    tested --vote a c --json # a tie: the larger probability
    near "$(value .accuracy)" 1
    tested --average a b c
    status_is 0
    shows "averaged, on 5 test rows"
    shows "ensemble"
}

@test "regression: the mean of the outputs, in the units of the data" {
    printf '%s\n' 0,0.25 0,0.25 >test.csv
    for n in 1 3; do
        for i in $(seq 6); do echo "0,$n.25"; done >"n$n.csv"
        cat >"n$n.cfg" <<CONFIG
data = { format = "csv"; header = false; train = { file = "n$n.csv"; }; test = { file = "test.csv"; }; };
network = ( { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
optimizer = { type = "sgd"; learning_rate = 0.1; };
training = { batch_size = "all"; epochs = 100; };
CONFIG
        train --quiet --out "n$n" "n$n.cfg"
        status_is 0
    done
    tested --average n1 n3 --json
    status_is 0
    near "$(value .rmse)" 2
    near "$(value '.members[0].rmse')" 1
    near "$(value '.members[1].rmse')" 3
    tested --vote n1 n3
    status_is 2
    says "--vote is for classes, but n1/best.safetensors predicts numbers (use --average)"
}

@test "a net with itself is itself; nets may differ in all but the target" {
    digits digits.cfg
    sed 's/"scale"/"mean_std"/; s/units = 32/units = 24/; s/batch_size = 32/batch_size = 50/' \
        digits.cfg >other.cfg
    train --quiet --out a digits.cfg
    train --quiet --out b other.cfg --seed 2
    tested a --json
    cp .out alone
    for how in --average --vote; do
        tested $how a a --json
        status_is 0
        for key in rows accuracy f1 confusion; do
            equal "$(jq -c ".$key" .out)" "$(jq -c ".$key" alone)"
        done
        equal "$(value '.members[1].accuracy')" "$(jq .accuracy alone)"
    done
    tested --average a b --json
    status_is 0
    equal "$(value .rows)" 359
    tested b --json
    cp .out alone
    tested --average a b --json --threads 1
    equal "$(value '.members[1].accuracy')" "$(jq .accuracy alone)"
    # the same rows, or none
    train --quiet --out other digits.cfg --epochs 1 --set data.split_seed=5
    tested --average a other
    status_is 3
    says "the test rows of a/best.safetensors and other/best.safetensors differ"
    train --quiet --out less digits.cfg --epochs 1 --set data.test=0.1
    tested --average a less
    status_is 3
    says "a/best.safetensors has 359 test rows, but less/best.safetensors 180"
    # a loss without probabilities can only vote
    train --quiet --out hinge digits.cfg --set loss.type=hinge
    tested --average a hinge
    status_is 2
    says "hinge/best.safetensors has no probabilities to average: its loss is \"hinge\""
    tested --vote a b hinge
    status_is 0
}

@test "nets with other classes are refused" {
    constant a 6 4
    sed -i 's/x/z/' a.csv
    train --quiet --out z a.cfg
    tested --average a z
    status_is 3
    says 'class 0 is "x" in a/best.safetensors, but "y" in z/best.safetensors'
    digits digits.cfg
    train --quiet --out d digits.cfg --epochs 1
    tested --average a d
    status_is 3
    says "a/best.safetensors predicts 2 classes, but d/best.safetensors 10 classes"
}

@test "bagging: a bootstrap sample of the training part by seed; other parts unchanged" {
    digits digits.cfg
    train --dry-run digits.cfg
    grep -E '^(data|  validation|  test)' .err >plain
    grep -A1 '^  train' .err >plain_train
    train --dry-run digits.cfg --set data.bagging=true
    grep -E '^(data|  validation|  test)' .err >bagged
    grep -A1 '^  train' .err >bagged_train
    same plain bagged
    differ plain_train bagged_train
    train --dry-run digits.cfg --set data.bagging=true --seed 2
    grep -A1 '^  train' .err >other_train
    differ bagged_train other_train
    train --quiet --out run digits.cfg --epochs 2 --set data.bagging=true
    tested run --split train --json
    status_is 0
    cp .out train.json
    equal "$(jq -c '[.classes[].rows]' train.json)" \
        "$(grep -oE ': [0-9]+' bagged_train | tr -d ': ' | jq -sc .)"
    tested run --json
    equal "$(value .rows)" 359
}

@test "train_share: a share of the training part by seed; other parts unchanged" {
    digits digits.cfg
    train --dry-run digits.cfg
    grep -E '^  (validation|test)' .err >plain
    train --dry-run digits.cfg --set data.train_share=0.25
    says "train 315, validation 180, test 359 rows" # of 1258: 314.5
    grep -E '^  (validation|test)' .err >some
    same plain some
    train --quiet --out run digits.cfg --epochs 2 --set data.train_share=0.25
    status_is 0
    tested run --split train --json
    equal "$(value .rows)" 315
    # classes in proportion, up to one row
    equal "$(jq -c '[.classes[].rows] | (max - min) <= 3' .out)" true
    loss=$(value .loss)
    tested run --split train --json --set seed=2
    [ "$(value .loss)" != "$loss" ] || fail "another seed, the same rows"
    # tail: the last rows for any seed
    for seed in 1 2; do
        train --dry-run digits.cfg --set data.train_share=0.25 --set data.split=tail --seed $seed
        says "train 315, validation 180, test 359 rows"
        grep -A1 '^  train' .err >tail.$seed
    done
    same tail.1 tail.2
    equal "$(zcat data/digits.csv.gz | sed -n '944,1258s/.*,//p' | sort -n | uniq -c |
        awk '{ printf " %s", $1 }')" "$(grep -oE ': [0-9]+' tail.1 | tr -d '\n:')"
    for wrong in 0 1.5; do
        train --dry-run digits.cfg --set data.train_share=$wrong
        status_is 2
        says "\"train_share\" is $wrong"
    done
    train --dry-run digits.cfg --set data.train_share=0.0005
    status_is 0
    says "there is one row for training"
    # fewer rows than a batch of 32
    train --quiet --out few digits.cfg --epochs 2 --set data.train_share=0.01
    status_is 0
    equal "$(column few step)" 2
}

@test "bagging.sh: trains missing nets and tests the ensemble" {
    digits digits.cfg
    DLTRAIN_PROGRAMS=$programs capture "$root/scripts/bagging.sh" digits.cfg 3 --epochs 3
    status_is 0
    shows "digits: 3 nets, averaged, on 359 test rows"
    shows "runs/digits-bagging/3/best.safetensors"
    says "net 3 of 3"
    equal "$(grep -c bagging.*true runs/digits-bagging/*/config.cfg | grep -c ':1$')" 3
    cp .out first
    same_not=$(cksum <runs/digits-bagging/1/best.safetensors)
    half_way runs/digits-bagging/2
    rm -r runs/digits-bagging/3
    DLTRAIN_PROGRAMS=$programs capture "$root/scripts/bagging.sh" digits.cfg 3 --epochs 3
    status_is 0
    says "net 1 of 3: already finished"
    says "net 2 of 3: resuming"
    same .out first
    equal "$same_not" "$(cksum <runs/digits-bagging/1/best.safetensors)"
    DLTRAIN_PROGRAMS=$programs capture "$root/scripts/bagging.sh" digits.cfg 3 --epochs 4
    status_is 2
    says "has nets of another config or other options"
    capture "$root/scripts/bagging.sh" digits.cfg
    status_is 2
}

@test "--fold is stored in the run's config; dltest uses the same rows" {
    digits digits.cfg
    train --quiet --out run digits.cfg --epochs 2 --fold 2/5
    status_is 0
    grep -q 'fold = 2;' run/config.cfg
    grep -q 'folds = 5;' run/config.cfg
    tested run --last --split validation --json
    equal "$(printf %.9g "$(value .loss)")" "$(column run val_loss)"
    equal "$(value .rows)" 288
    # the test rows are those without folds
    train --quiet --out plain digits.cfg --epochs 2
    tested --average run plain --json
    status_is 0
    # and without a validation share
    train --dry-run digits.cfg --fold 1/5 --set regularization.early_stopping.monitor=val_loss
    status_is 0
    train --resume run --fold 1/5
    status_is 2
    says "--resume and --fold cannot be used together"
    for fold in 0/5 6/5 1/1 2 2/ 2/5x x; do
        train digits.cfg --fold $fold
        status_is 2
        says "dltrain: --fold $fold: must be I/K, fold I from 1 to K of K folds (--fold 2/5)"
    done
}

@test "cross_validate.sh: a table of the folds; resumes where it was stopped" {
    digits digits.cfg
    sed -i '/validation = /d' digits.cfg
    DLTRAIN_PROGRAMS=$programs capture "$root/scripts/cross_validate.sh" digits.cfg 3 --epochs 3
    status_is 0
    equal "$(wc -l <.out)" 6
    cp .out first
    for column in 3:loss 4:accuracy; do
        jq -s "map(.${column#*:}) | (add / length) as \$mean | \$mean,
            (map((. - \$mean) * (. - \$mean)) | add / (length - 1) | sqrt)" \
            runs/digits-folds-3/[123]/validation.json >want
        # rows have no mean
        near "$(awk -v i="${column%:*}" '$1 == "mean" { print $(i - 1) }' first)" "$(sed -n 1p want)"
        near "$(awk -v i="${column%:*}" '$1 == "sd" { print $(i - 1) }' first)" "$(sed -n 2p want)"
    done
    equal "$(jq -s 'map(.rows) | add' runs/digits-folds-3/[123]/validation.json)" 1438
    rm -r runs/digits-folds-3/2
    half_way runs/digits-folds-3/3
    DLTRAIN_PROGRAMS=$programs capture "$root/scripts/cross_validate.sh" digits.cfg 3 --epochs 3
    status_is 0
    says "fold 1/3: already finished"
    says "fold 3/3: resuming"
    same .out first
    DLTRAIN_PROGRAMS=$programs capture "$root/scripts/cross_validate.sh" digits.cfg 1
    status_is 2
}
