#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Metrics: training and test agree, also with the confusion matrix; early stopping and the best
# checkpoint by any metric.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

value() { jq -r "$1" .out; }
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(d < 1e-6 && d > -1e-6) }' ||
        fail "$1 is not near $2"
}
all='training.metrics=("accuracy", "top3", "precision", "recall", "f1", "log_loss", "auc", "iou")'

@test "the history has the scores of dltest, and no columns unknown in training" {
    digits digits.cfg
    train --quiet --out run digits.cfg --set "$all"
    status_is 0
    tested run --last --split validation --json
    for name in loss accuracy top3 precision recall f1 log_loss auc iou; do
        equal "$(printf %.9g "$(value .$name)")" "$(column run val_$name)"
    done
    near "$(value .loss)" "$(value .log_loss)"
    head -1 run/history.csv | grep -q train_f1 || fail "no train_f1"
    head -1 run/history.csv | grep -q train_auc && fail "train_auc is there"
    train --quiet --out short --json digits.cfg --epochs 1 --set "$all"
    jq -se '.[0] | has("val_auc") and has("train_iou") and (has("train_auc") | not)' .out
}

@test "macro precision, recall, F1 and IoU are those of the confusion matrix" {
    digits digits.cfg
    train --quiet --out run digits.cfg --epochs 1 --set "$all"
    tested run --json
    jq -e 'def mean: add / length;
        def near($a; $b): $a - $b | fabs < 1e-12;
        . as $o | .confusion as $m | [range(10)] as $c |
        [$c[] as $i | $m[$i][$i]] as $right |
        [$c[] as $i | $m[$i] | add] as $rows |
        [$c[] as $j | [$m[][$j]] | add] as $said |
        near($o.precision; [$c[] | if $said[.] == 0 then 0 else $right[.] / $said[.] end] | mean)
        and near($o.recall; [$c[] | $right[.] / $rows[.]] | mean)
        and near($o.f1; [$c[] | 2 * $right[.] / ($rows[.] + $said[.])] | mean)
        and near($o.iou; [$c[] | $right[.] / ($rows[.] + $said[.] - $right[.])] | mean)
        and near($o.auc; [$o.classes[].auc] | mean)
        and near($o.iou; [$o.classes[].iou] | mean)' .out || fail "not the same"
    tested run
    status_is 0
    grep -Eq '^class +rows +precision +recall +F1 +IoU +AUC$' .out || fail "no such columns"
}

@test "with two classes precision, recall and F1 are those of the second" {
    xor xor.cfg
    train --quiet --out run xor.cfg --epochs 300 --set 'training.metrics=("f1", "log_loss")'
    status_is 0
    tested run --json --last
    near "$(value .loss)" "$(value .log_loss)"
    near "$(value .f1)" "$(value '.classes[1].f1')"
    near "$(value .precision)" "$(value '.classes[1].precision')"
    equal "$(printf %.9g "$(value .f1)")" "$(column run train_f1)"
}

@test "perplexity and bits per character of a language model" {
    for _ in 1 2 3 4 5; do cat "$root/tests/config/data/letters.txt"; done >letters.txt
    cat >letters.cfg <<'CONFIG'
data = { format = "text"; train = { file = "letters.txt"; }; length = 15; validation = 0.2; };
network = ( { layer = "lstm"; units = 8; }, { layer = "dense"; units = 28; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 8; epochs = 2; metrics = ("perplexity", "bits_per_character"); };
CONFIG
    train --quiet --out run letters.cfg
    status_is 0
    tested run --last --split validation --json
    near "$(jq '.loss | exp' .out)" "$(value .perplexity)"
    near "$(jq '.loss / (2 | log)' .out)" "$(value .bits_per_character)"
}

# best RUN COLUMN max|min: the first epoch where the column is best.
best() {
    awk -F, -v name="$2" -v mode="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        NR == 2 || (mode == "max" ? $at > best : $at < best) { best = $at; epoch = $1 }
        END { print epoch }' "$1/history.csv"
}

@test "the best checkpoint by any metric, and the mode" {
    digits digits.cfg
    for stop in 'val_auc auto max' 'val_f1 auto max' 'val_log_loss auto min' 'val_accuracy min min' \
        'val_loss max max'; do
        read -r monitor mode way <<<"$stop"
        train --quiet --force --out run digits.cfg --epochs 8 --set "$all" \
            --set "regularization.early_stopping.monitor=$monitor" \
            --set "regularization.early_stopping.mode=$mode" \
            --set 'regularization.early_stopping.patience=never'
        status_is 0
        equal "$(tail -1 run/history.csv | cut -d, -f1)" 8
        equal "$(metadata run/best.safetensors epoch)" "$(best run "$monitor" "$way")"
    done
    # a decreasing loss is no improvement with mode max
    train --quiet --force --out run digits.cfg --epochs 8 \
        --set regularization.early_stopping.mode=max --set regularization.early_stopping.patience=2
    equal "$(tail -1 run/history.csv | cut -d, -f1)" 3
    # and another mode starts over
    train --quiet --resume run --set regularization.early_stopping.mode=min --epochs 6
    status_is 0
    equal "$(tail -1 run/history.csv | cut -d, -f1)" 6
}

@test "auc of very many scores is omitted with a message, unless requested" {
    cat >large.cfg <<'C'
data = { format = "random"; input = (2); classes = 4000; train = { rows = 64; }; validation = { rows = 8; };
    test = { rows = 2600; }; };
network = ( { layer = "dense"; units = 4000; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 0; };
C
    train --quiet --out run large.cfg
    tested run
    status_is 0
    shows "auc        omitted: rows x classes exceed 10000000"
    train --quiet --force --out run large.cfg --set 'training.metrics=("auc")'
    tested run
    status_is 0
    shows_not "left out"
    shows "auc "
}

# Boxes of sides near 5e7, of which float merges whole numbers: their mean is subtracted in double.
@test "box_iou of coordinates and sides that are too large for float" {
    printf '%s\n' a,x,y,w,h 1,1e9,3e9,50000001,50000002 2,1010000000,3e9,50000002,50000003 \
        3,1020000000,3e9,50000003,50000001 4,1030000000,3e9,50000006,50000006 >boxes.csv
    cat >boxes.cfg <<'CONFIG'
name = "boxes";
data = { format = "csv"; train = { file = "boxes.csv"; }; target = ("x", "y", "w", "h");
  task = "regression"; normalize_target = "mean_std"; };
network = ( { layer = "dense"; units = 4; init = "zeros"; } );
loss = { type = "mse"; };
training = { epochs = 0; metrics = ("box_iou", "rmse"); };
CONFIG
    train --quiet --out run boxes.cfg
    status_is 0
    # the means are predicted: x is wrong by 15, 5, 5 and 15 million of 50 million
    tested --json --split train run
    status_is 0
    jq -e '(.box_iou - (35 / 65 + 45 / 55) / 2) | fabs < 1e-6' <<<"$output" || fail "box_iou"
    jq -e '(.rmse - 5590169.944) | fabs < 1' <<<"$output" || fail "rmse"
    tested --json --average --split train run run
    jq -e '(.box_iou - (35 / 65 + 45 / 55) / 2) | fabs < 1e-6' <<<"$output" || fail "of two nets"
}
