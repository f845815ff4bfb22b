#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dltest: its scores match training, and each other.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# near A B: equal to about seven digits.
near() {
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; if (d < 0) d = -d; m = a < 0 ? -a : a
        exit !(d <= 1e-6 * (m > 1 ? m : 1)) }' || fail "$1 is not near $2"
}
value() { jq -r "$1" .out; }

@test "the last checkpoint has the scores of the history's last row" {
    digits digits.cfg
    for threads in 1 2; do
        train --quiet --out run$threads --threads $threads digits.cfg
        tested run$threads --last --split validation --json --threads $threads
        status_is 0
        [ -z "$errors" ] || fail "prints to stderr"
        for name in loss accuracy top5; do
            equal "$(printf %.9g "$(value .$name)")" "$(column run$threads val_$name)"
        done
        equal "$(value .rows)" 180
        equal "$(value .split)" validation
        equal "$(value .checkpoint)" run$threads/last.safetensors
    done
}

@test "a run means its best checkpoint; a file is used itself" {
    digits digits.cfg
    local best=20 seed
    for seed in 1 2 3 4 5; do # a rate so large that the best epoch is rarely the last
        train --quiet --out run --force digits.cfg --seed $seed --epochs 20 \
            --set optimizer.learning_rate=0.1 --set optimizer.schedule.type=constant
        best=$(metadata run/best.safetensors epoch)
        [ "$best" -eq 20 ] || break
    done
    [ "$best" -lt 20 ] || fail "the best epoch is always the last"
    tested run --split validation --json
    equal "$(printf %.9g "$(value .loss)")" \
        "$(awk -F, -v best="$best" '$1 == best { print $8 }' run/history.csv)"
    cp .out best
    tested run/best.safetensors --split validation --json
    same best .out
    tested runs/latest --split validation --json
    equal "$(value .loss)" "$(jq .loss best)"
    rm run/best.safetensors
    tested run --split validation --json
    equal "$(value .checkpoint)" run/last.safetensors
}

@test "--set with an unknown key is an error, in the sections for training too" {
    digits digits.cfg
    train --quiet --out run digits.cfg --epochs 1
    local key
    for key in optimizer.learning_rat training.batchsize regularization.l3 seeed loss.typ \
        regularization.early_stopping.patienc; do
        tested run --set "$key=1"
        status_is 2
        says "dltest: --set $key=1: "; says "has no key \"${key##*.}\" (did you mean"
        predicted run --set "$key=1" --generate 1
        status_is 2
        case $key in
        seeed | loss.*) says "has no key \"${key##*.}\" (did you mean" ;;
        *) says_only "dlpredict: --set $key=1: has no effect on a trained net" ;;
        esac
    done
    tested run --set regularization.l2=0.5 --set training.batch_size=7 --json
    status_is 0
}

@test "only the checkpoint and the data are needed" {
    digits digits.cfg
    train --quiet --out run digits.cfg
    tested run --json --last
    cp .out whole
    cp run/last.safetensors elsewhere.st
    rm -r run runs digits.cfg
    tested elsewhere.st --json
    status_is 0
    equal "$(jq 'del(.checkpoint)' .out)" "$(jq 'del(.checkpoint)' whole)"
    # and nothing is written
    rm .out .err
    equal "$(ls -A | tr '\n' ' ')" "data elsewhere.st whole "
}

@test "--split: every part; by default test, else validation, else train" {
    digits digits.cfg
    train --quiet --out run digits.cfg
    for part in train:1258 validation:180 test:359; do
        tested run --split ${part%:*} --json
        status_is 0
        equal "$(value .rows)" ${part#*:}
        equal "$(value .split)" ${part%:*}
    done
    tested run --json
    equal "$(value .split)" test
    sed -i '/test = /d' digits.cfg
    train --quiet --out two digits.cfg
    tested two --json
    equal "$(value .split)" validation
    tested two --split test
    status_is 2
    says_only "dltest: two/best.safetensors: its config has no test data"
    xor xor.cfg
    train --quiet xor.cfg
    tested runs/xor --json
    equal "$(value .split)" train
    tested run --split tset
    status_is 2
    says '--split tset: must be train, validation or test (did you mean test?)'
}

@test "confusion, precision, recall and F1 are consistent" {
    digits digits.cfg
    train --quiet --out run digits.cfg
    tested run --split test --json
    jq -e '
        def sum: add;
        def near(a; b): (a - b) | fabs < 1e-12;
        . as $all | .confusion as $m | (.classes | length) as $n | [range($n)]
        | ($n == 10)
        and ($m | length == 10) and all($m[]; length == 10)
        and ([$m[][]] | sum) == $all.rows and $all.rows == 359
        and near([.[] | $m[.][.]] | sum / 359; $all.accuracy)
        and all(.[]; . as $c | $all.classes[$c] as $s
            | $s.class == ($c | tostring)
            and $s.rows == ($m[$c] | sum)
            and near($s.recall; $m[$c][$c] / ($m[$c] | sum))
            and near($s.precision; $m[$c][$c] / ([$m[][$c]] | sum))
            and near($s.f1; 2 * $s.precision * $s.recall / ($s.precision + $s.recall)))
    ' .out >/dev/null || fail "they do not"
    # the same as text
    cp .out json
    tested run --split test
    status_is 0
    shows "digits on 359 test rows (run/best.safetensors)"
    shows "accuracy   $(jq -r '.accuracy * 10000 | round / 100' json | xargs printf '%.2f') %"
    for class in 0 1 2 3 4 5 6 7 8 9; do
        equal "$(awk -v class=$class '/^confusion/ { on = 1 }
            on && $1 == class && NF == 11 { $1 = ""; print }' .out | xargs)" \
            "$(jq -r ".confusion[$class] | join(\" \")" json)"
    done
    # the most frequent error is the largest number off the diagonal
    equal "$(awk '/^most frequent/ { getline; print $1 }' .out)" \
        "$(jq '[.confusion | to_entries[] | .key as $row | .value | to_entries[]
            | select(.key != $row) | .value] | max' json)"
}

@test "class names; undefined scores are null" {
    awk 'BEGIN { print "x,who"; for (i = 0; i < 30; i++)
        print i % 10 "," (i % 10 < 5 ? "Ada" : i % 10 < 9 ? "Emmy" : "Grace Hopper") }' >who.csv
    xor who.cfg
    sed -i 's/xor.csv/who.csv/; s/units = 1;/units = 3;/; s/binary/softmax/' who.cfg
    train --quiet --out run who.cfg --epochs 1 --set optimizer.learning_rate=0.0
    tested run --json
    status_is 0
    equal "$(value '[.classes[].class] | join(",")')" "Ada,Emmy,Grace Hopper"
    equal "$(value '[.classes[].rows] | join(",")')" "15,12,3"
    value '.classes[].precision' | grep -q null || fail "every class is predicted"
    tested run
    status_is 0
    shows "Grace Hopper          3"
    grep -Eq "^(Ada|Emmy|Grace Hopper) +[0-9]+ +- " .out || fail "no dash for it"
}

@test "regression: RMSE, MAE and R2 in the units of the data" {
    # like concrete: strength from three ingredients
    awk 'BEGIN { srand(4); print "cement,water,age,strength"; for (i = 0; i < 150; i++) {
        c = 100 + 400 * rand(); w = 120 + 120 * rand(); a = 1 + int(90 * rand())
        printf "%.1f,%.1f,%d,%.3f\n", c, w, a, 0.1 * c - 0.12 * w + 8 * log(a) + 20 + rand() } }' \
        >mix.csv
    cat >mix.cfg <<'CONFIG'
data = {
  format = "csv";
  train = { file = "mix.csv"; };
  normalize = "mean_std";
  normalize_target = "mean_std";
};
network = (
  { layer = "dense"; units = 16; activation = "relu"; },
  { layer = "dense"; units = 1; }
);
loss = { type = "mse"; };
optimizer = { type = "adam"; learning_rate = 0.02; };
training = { batch_size = 16; epochs = 30; metrics = ("rmse", "mae"); };
CONFIG
    train --quiet mix.cfg
    status_is 0
    tested runs/mix --split train --json --last
    status_is 0
    # computed from all rows
    variance=$(awk -F, 'NR > 1 { s += $4; q += $4 * $4; n++ }
        END { print q / n - s / n * (s / n) }' mix.csv)
    near "$(value .mse)" "$(jq '.rmse * .rmse' .out)"
    awk -v a="$(value .r2)" -v b="$(jq --argjson v "$variance" '1 - .mse / $v' .out)" \
        'BEGIN { exit !(a - b < 1e-4 && b - a < 1e-4) }' || fail "R2 is not 1 - mse / variance"
    awk -v a="$(value .loss)" -v b="$(jq --argjson v "$variance" '.mse / $v' .out)" \
        'BEGIN { exit !(a / b < 1.001 && b / a < 1.001) }' || fail "the loss is not in its own unit"
    jq -e '.mae <= .rmse and .mae > 0 and .r2 > 0.9 and .rmse < 6 and (has("confusion") | not)' \
        .out >/dev/null || fail "strange numbers"
    rmse=$(jq .rmse .out)
    tested runs/mix --split train --last
    shows "$(printf 'rmse       %.4g' "$rmse")"
    shows_not confusion
}

@test "--set: other data, without training" {
    digits digits.cfg
    train --quiet --out run digits.cfg
    gzip -dc "$root/data/digits.csv.gz" | tail -50 >tail.csv
    tested run --set data.test.file=tail.csv --json
    status_is 0
    equal "$(value .rows)" 50
    tested run --set data.test.file=none.csv
    status_is 3
    says "none.csv: not found"
    gzip -dc "$root/data/digits.csv.gz" | head -3 | cut -d, -f2- >narrow.csv
    tested run --set data.test.file=narrow.csv
    status_is 3
    says narrow.csv
    tested run --set loss.type=hing
    status_is 2
    says 'did you mean "hinge"?'
}

@test "usage" {
    tested --help
    status_is 0
    for option in split last set threads average vote json help version; do shows "--$option"; done
    [ "$(wc -L <.out)" -le 80 ] || fail "wider than 80 columns"
    tested --version
    [[ $output =~ ^dltest\ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "no version"
    while IFS='|' read -r arguments message; do
        # shellcheck disable=SC2086
        tested $arguments
        status_is 2
        says_only "dltest: $message
Try dltest --help."
    done <<'CASES'
|no run or checkpoint was given
a b|one checkpoint at a time, not also b (--average or --vote combines several)
--vote a|--vote needs several checkpoints
--vote --average a b|--average and --vote cannot be used together
--average --speed 5 a b|--average and --speed cannot be used together
--write 5 a|option --write was removed: use dlpredict RUN --generate N
--report a.html a|option --report was removed: use dlinspect report RUN -o FILE
--jsn a|unknown option --jsn (did you mean --json?)
--split|--split needs a value: --split NAME
--json=yes a|--json takes no value
--threads 0 a|--threads 0: must be an integer from 1 to 1024
CASES
    xor xor.cfg
    train --quiet --out run xor.cfg
    for arguments in run "run --json" --help --version; do
        status=0
        # shellcheck disable=SC2086
        errors=$("$dltest" $arguments 2>&1 >/dev/full) || status=$?
        status_is 1
        says_only "dltest: standard output: No space left on device"
    done
}

@test "--speed: times of a batch, with every backend" {
    digits digits.cfg
    train --quiet --epochs 1 --out run digits.cfg
    tested run --speed 1
    status_is 0
    grep -Eq '^digits, batches of 1: [0-9.e-]+ ms per forward pass .*, [0-9,]+ rows per second$' .out ||
        fail "no line"
    tested run --speed 256 --split train --json --backend openblas
    status_is 0
    equal "$(value .batch)" 256
    jq -e '.fastest > 0 and .fastest <= .seconds_per_batch and .seconds_per_batch <= .slowest' .out ||
        fail "times out of order"
    tested run --speed 0
    status_is 2
    says "--speed 0: must be an integer from 1 to 1048576"
}
