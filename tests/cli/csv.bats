#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tables: weights of rows, several targets, dates, merged classes, and all problems in one run.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034

load helper

# Ten rows: two inputs, a weight, targets of three kinds.
set_up() {
    cat >once.csv <<'CSV'
a,b,w,number,p,q,kind
0.5,1,1,0.7,0.25,0.75,no
1.5,-1,2,1.5,0.5,0.5,yes
-0.5,0.25,0,-9,1,0,no
2,0.75,3,2.5,0.1,0.9,yes
-1,-2,1,-1.5,0.9,0.1,no
0.1,0.3,2,0.25,0.6,0.4,yes
CSV
    # the same, with each row as often as its weight says
    awk -F, -v OFS=, 'NR == 1 { print; next } { n = $3; $3 = 1; while (n-- > 0) print }' \
        once.csv >repeated.csv
    sed 's/,[0-9],/,1,/; s/^a,b,w/a,b,w/' once.csv | awk -F, -v OFS=, 'NR > 1 { $3 = 1 } 1' >equal.csv
}

# config TARGET LOSS OUTPUTS [OPTIMIZER]
config() {
    cat >"w.cfg" <<CONFIG
name = "w";
data = {
  format = "csv"; weight = "w"; target = $1; ignore = ($5);
  train = { file = "once.csv"; }; validation = { file = "once.csv"; };
};
network = ( { layer = "dense"; units = $3; init = "glorot_uniform"; ${6:-} } );
loss = { type = "$2"; };
optimizer = { type = "${4:-sgd}"; ${7-learning_rate = 0.1;} };
training = { batch_size = "all"; epochs = 4; shuffle = false; };
CONFIG
}

# scores FILE: train_loss and val_loss of each epoch.
scores() {
    train --quiet --force --out "$1.run" --set "data.train.file=$1.csv" \
        --set "data.validation.file=$1.csv" w.cfg
    status_is 0
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /_loss$/) c[i] }
             NR > 1 { for (i = 1; i <= NF; i++) if (i in c) print $i }' "$1.run/history.csv" >"$1.txt"
    [ "$(wc -l <"$1.txt")" -eq 8 ] || fail "no scores"
}

# near A B: the numbers of two files agree to 2e-6.
near() {
    paste "$1" "$2" | awk '{ d = $1 - $2; d = d < 0 ? -d : d; if (!(d <= 2e-6 * ($1 < 0 ? 1 - $1 : 1 + $1))) exit 1 }'
}

@test "a row of weight k counts as k rows, for every loss" {
    local loss
    for loss in $(sed -n 's/^ *_(\([a-z0-9_]*\)).*/\1/p' "$root/src/losses/registry.c"); do
        case $loss in
        mse | l1 | huber) config '"number"' "$loss" 1 sgd '"p","q","kind"' ;;
        kl_divergence | dice) config '("p","q")' "$loss" 2 sgd '"number","kind"' ;;
        perceptron) config '"kind"' "$loss" 1 sgd '"p","q","number"' 'activation = "step";' ;;
        binary_cross_entropy) config '"kind"' "$loss" 1 sgd '"p","q","number"' ;;
        *) config '"kind"' "$loss" 2 sgd '"p","q","number"' ;;
        esac
        scores once
        scores repeated
        near once.txt repeated.txt || fail "$loss: $(paste once.txt repeated.txt)"
        scores equal
        ! near once.txt equal.txt || fail "$loss: weights have no effect"
    done
}

@test "full-batch optimizers heed weights" {
    local optimizer
    for optimizer in lbfgs gauss_newton levenberg_marquardt; do
        config '"number"' mse 1 "$optimizer" '"p","q","kind"' '' ''
        scores once
        scores repeated
        near once.txt repeated.txt || fail "$optimizer: $(paste once.txt repeated.txt)"
    done
}

@test "the weighted loss by hand: sum of w l / sum of w" {
    printf 'x,y,w\n1,1.5,1\n2,2,0\n3,4.5,3\n' >t.csv
    cat >t.cfg <<'CONFIG'
name = "t";
data = { format = "csv"; weight = "w"; train = { file = "t.csv"; target = "y"; }; task = "regression";
  test = { file = "t.csv"; target = "y"; }; };
network = ( { layer = "dense"; units = 1; init = "zeros"; } );
loss = { type = "mse"; };
optimizer = { type = "sgd"; learning_rate = 0.01; };
training = { batch_size = 3; epochs = 1; shuffle = false; };
CONFIG
    train --out run t.cfg
    status_is 0
    # (1 * 2.25 + 3 * 20.25) / 4; the gradient is sum of w 2 (0 - y) x / 4 = -(3 + 81) / 4
    says "15.7500 expected before training, 15.7500 observed"
    says '"w": weight, number, 0 to 3'
    numbers run/last.safetensors dense_1.weight >w.txt
    awk '{ exit !($1 > 0.209999 && $1 < 0.210001) }' w.txt || fail "weight $(cat w.txt)"
    # weight 0.21, bias 0.01 * 2 (1.5 + 13.5) / 4 = 0.075: residuals 1.215, 1.505, 3.795
    tested --json --last run
    status_is 0
    jq -e '(.loss - (1.215 * 1.215 + 3 * 3.795 * 3.795) / 4) | fabs < 1e-5' <<<"$output"
    # metrics are not weighted
    jq -e '(.mse - (1.215 * 1.215 + 1.505 * 1.505 + 3.795 * 3.795) / 3) | fabs < 1e-5' <<<"$output"
}

@test "the expected first loss of weighted rows and classes" {
    local weights expected
    printf 'x,y,w\n1,a,1\n2,a,3\n3,b,2\n4,b,1\n5,b,0\n6,c,5\n' >t.csv
    cat >t.cfg <<'CONFIG'
name = "t";
data = { format = "csv"; weight = "w"; train = { file = "t.csv"; target = "y"; }; };
network = ( { layer = "dense"; units = 3; init = "zeros"; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = "all"; epochs = 1; };
CONFIG
    # sum of w class_weight / sum of w, with w 4, 3, 5; balanced: 6 / (3 * rows) = 1, 2/3, 2
    for weights in '[1.0, 2.0, 6.0] 3.66204' '"balanced" 1.46482' '[1.0, 1.0, 1.0] 1.09861'; do
        expected=${weights##* }
        train --dry-run --set "loss.class_weights=${weights% *}" t.cfg
        status_is 0
        train --out run --force --set "loss.class_weights=${weights% *}" t.cfg
        status_is 0
        jq -e "((.expected_loss, .initial_loss) - $expected) | fabs < 1e-4" run/facts.json ||
            fail "$weights: $(jq -c '[.expected_loss, .initial_loss]' run/facts.json)"
    done
}

@test "a part whose weights are all 0 is refused" {
    printf 'x,y,w\n1,1.5,1\n2,2.5,1\n3,4.5,0\n' >t.csv
    cat >t.cfg <<'CONFIG'
name = "t";
data = { format = "csv"; weight = "w"; target = "y"; train = { file = "t.csv"; };
  validation = 0.34; split = "tail"; };
network = ( { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
CONFIG
    train --out run t.cfg
    status_is 3
    says "the weights of all 1 validation rows are 0"
}

@test "several targets keep their names in history, dltest and metrics" {
    sed -i '1s/number/the number/' once.csv
    config '("the number","p")' mse 2 sgd '"q","kind"'
    train --out run w.cfg
    status_is 0
    says '"the number": target, number, -9 to 2.5'
    grep -q ',val_rmse,val_rmse.the_number,val_rmse.p,' run/history.csv || fail "$(head -1 run/history.csv)"
    tested --json run
    status_is 0
    jq -e '(.mse - (."rmse.the_number" * ."rmse.the_number" + ."rmse.p" * ."rmse.p") / 2) | fabs < 1e-6' \
        <<<"$output" || fail "$output"
    train --force --out run --set 'training.metrics=("r2","r2.p")' w.cfg
    status_is 0
    grep -q ',val_r2,val_r2.p,' run/history.csv || fail "$(head -1 run/history.csv)"
    train --force --out run --set 'regularization={early_stopping={patience=1;monitor="val_rmse.p";};}' w.cfg
    status_is 0
    says "best        val_rmse.p"
    train --force --out run --set 'regularization={early_stopping={patience=1;monitor="val_rmse.pp";};}' w.cfg
    status_is 2
    says '"rmse.pp" is not a metric of this run'
    train --force --out run --set 'training.metrics=("r2.pp")' w.cfg
    status_is 2
    says '"r2.pp" is for a numeric target "pp", and there is none (did you mean "p"?)'
}

@test "dates and merged classes train, resume and are tested" {
    printf 'when,y\n' >t.csv
    for i in 1 2 3 4 5 6 7 8 9; do
        printf '2024-0%d-1%dT0%d:00:00Z,%s\n' $i $i $i "$([ $((i % 3)) = 0 ] && echo car || echo "v$((i % 2))")" >>t.csv
    done
    cat >t.cfg <<'CONFIG'
name = "t";
data = { format = "csv"; dates = ("when");
  merge = ( { into = "other"; classes = ("v0", "v1"); } ); normalize = "mean_std";
  train = { file = "t.csv"; }; test = { file = "t.csv"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 4; epochs = 2; };
CONFIG
    train --out run t.cfg
    status_is 0
    says '"when": date, 2024-01-11 to 2024-09-19: 5 inputs, year, month, day, weekday and seconds'
    says '"y": target, 2 classes (car, other); merged: v0 + v1 = other'
    tested --json run
    status_is 0
    jq -e '.rows == 9 and ([.classes[].rows] == [3, 6])' <<<"$output" || fail "$output"
    half_way run
    train --quiet --resume run
    status_is 0
    train --out run2 --set 'data.merge=( { into = "o"; classes = ("v0", "v1"); }, { into = "p"; classes = "v1"; } )' t.cfg
    status_is 2
    says 'class "v1" is already merged'
}

@test "folders of classes are merged, too" {
    local c
    for c in car truck cat; do
        mkdir -p "pics/$c"
        for i in 1 2 3; do printf 'P5\n2 2\n255\n%s' "abc$i" >"pics/$c/$i.pgm"; done
    done
    cat >t.cfg <<'CONFIG'
name = "t";
data = { format = "image_folder"; train = { folder = "pics"; };
  merge = ( { into = "vehicle"; classes = ("car", "truck"); } ); };
network = ( { layer = "flatten"; }, { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 4; epochs = 1; };
CONFIG
    train --out run t.cfg
    status_is 0
    says "cat: 3  vehicle: 6"
    sed -i 's/"car"/"cars"/' t.cfg
    train --out run2 t.cfg
    status_is 3
    says 't.cfg:3: merge: the training data has no class "cars" (did you mean "car"?)'
}

@test "all problems of a training and a test file come in one run" {
    printf 'k,a,y\nu,1,2.5\nv,2,3.5\nu,1\nv,3,4\nu,x,5\n' >t.csv
    for i in 1 2 3 4 5 6 7 8 9; do echo "u,$i.5,$i" >>t.csv; done
    printf 'k,a,y\nu,1,2.5\nz,2,3.5\nu,1\nv,x,2\n' >t2.csv
    cat >t.cfg <<'CONFIG'
name = "t";
data = { format = "csv"; train = { file = "t.csv"; }; test = { file = "t2.csv"; };
  task = "regression"; };
network = ( { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
CONFIG
    train --out run t.cfg
    status_is 3
    says 't.csv:4: has 2 fields'
    says 't.csv:6: column "a": "x" is not a number'
    says 't2.csv:4: has 2 fields'
    says 't2.csv:3: column "k": the training data has no category "z"'
    says 't2.csv:5: column "a": "x" is not a number'
    exists_not run
}

@test "cells that unknown = ignore passes are counted, also by dltest" {
    printf 'k,a,y\nu,1,2.5\nv,2,3.5\n' >t.csv
    printf 'k,a,y\nu,1,2.5\nz,2,3.5\nw,1,1\n' >t2.csv
    cat >t.cfg <<'CONFIG'
name = "t";
data = { format = "csv"; unknown = "ignore"; task = "regression"; train = { file = "t.csv"; };
  test = { file = "t2.csv"; }; };
network = ( { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
training = { epochs = 1; };
CONFIG
    train --out run t.cfg
    status_is 0
    says 't2.csv: column "k": 2 values the training data does not have ("z", line 3): none of its categories'
    tested run
    status_is 0
    says 't2.csv: column "k": 2 values the training data does not have ("z", line 3)'
}

@test "more targets than the history has room for are reported" {
    local names targets
    names=$(seq -s, -f 't%g' 20)
    { echo "x,$names" && for i in 1 2 3 4; do echo "$i,$(seq -s, "$i" "$((i + 19))")"; done; } >wide.csv
    targets=$(seq -s, -f '"t%g"' 20)
    cat >wide.cfg <<CFG
data = { format = "csv"; target = ($targets); train = { file = "wide.csv"; }; };
network = ( { layer = "dense"; units = 20; } );
loss = { type = "mse"; };
optimizer = { type = "sgd"; learning_rate = 0.001; };
training = { epochs = 1; batch_size = "all"; };
CFG
    train --out wide wide.cfg
    status_is 0
    says 'the history has rmse of the first 15 of 20 targets; training.metrics chooses others, by names such as "rmse.t20"'
}
