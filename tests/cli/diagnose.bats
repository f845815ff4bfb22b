#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlinspect diagnose: the histories of tests/histories, each of a run with a known problem.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

# is KIND HISTORY: the first diagnosis is of this kind, with advice.
is() {
    inspect diagnose "$root/tests/histories/$2"
    status_is 0
    equal "$(head -n 1 <<<"$output" | cut -d ' ' -f 1)" "$1"
    [ "$(wc -l <<<"$output")" -ge 2 ]
}

@test "overfitting, and since when" {
    is overfit overfit
    since=$(sed -n 's/.*overfit since about epoch \([0-9]*\):.*/\1/p' <<<"$output")
    [ "$since" -ge 15 ] && [ "$since" -le 60 ] || fail "not where val_loss is least"
    shows "a smaller network, more regularization (regularization.l2), more data or"
    is overfit memorized
}
@test "rate too low" {
    is rate_too_low rate_too_low
    is rate_too_low xor_line
    is rate_too_low still_learning # the loss falls steadily by half
    shows "10 times higher"
}
@test "rate too high: the first steps increase the loss" {
    is rate_too_high thrown
    shows "the first steps have made the loss worse: 1.121 before training, 2431"
}
@test "rate too high: the losses oscillate" {
    is rate_too_high oscillates
    shows "the losses oscillate"
    shows "times lower"
}
@test "a fast fall to a plateau is inconclusive" {
    is cannot_tell rate_too_high
    shows "fell fast and stays at a high level"
    is cannot_tell rate_too_high_sgd
    shows "--prove"
}
@test "validation easier than training, with reasons" {
    inspect diagnose "$root/tests/histories/val_easier"
    shows "validation is easier"
    shows "dropout acts in training only"
    cp -r "$root/tests/histories/val_easier" plain
    sed -i 's/dropout"/dense"/' plain/config.cfg
    inspect diagnose plain
    shows "look for rows that are in both parts"
    inspect diagnose "$root/tests/histories/augmented"
    shows "augmentation acts in training only"
    is val_easier leak
    shows "look for rows that are in both parts"
}
@test "divergence, with step and layer" {
    is diverged diverged
    shows "in epoch 1, step 40"
    shows 'layer "dense_1"'
}
@test "imbalance" {
    is imbalance imbalance
    shows data.balance
}
@test "no problem" {
    is converged converged
    is converged xor_converged
}
@test "diagnose --json" {
    inspect diagnose --json "$root/tests/histories/overfit"
    status_is 0
    equal "$(jq -r '.diagnoses[0].kind' <<<"$output")" overfit
    equal "$(jq .epochs <<<"$output")" 120
}
@test "diagnose: only a history, a short one, none, no run" {
    inspect diagnose "$root/tests/histories/overfit/history.csv"
    status_is 0
    shows "overfit since"
    head -n 4 "$root/tests/histories/overfit/history.csv" >short.csv
    inspect diagnose short.csv
    status_is 0
    shows "3 epochs are too few to diagnose"
    echo "a,b" >other.csv
    inspect diagnose other.csv
    status_is 3
    says "other.csv: is not the history of a run"
    printf 'epoch,train_loss\n1,x\n' >bad.csv
    inspect diagnose bad.csv
    status_is 3
    says "bad.csv:2: must be a row of 2 numbers"
    inspect diagnose nowhere
    status_is 3
    inspect diagnose nowhere a.cfg
    status_is 2
    says "one run at a time, not also a.cfg"
}
@test "a run ends with a diagnosis" {
    xor xor.cfg
    train --out run --epochs 300 xor.cfg
    status_is 0
    says "diagnosis   still learning" || says "diagnosis   converged" ||
        says "diagnosis   the training loss falls slowly"
    grep -q '^diagnosis ' run/log.txt
    train --out short --epochs 2 xor.cfg
    says_not diagnosis
}

# fact KEY: the value in run/facts.json.
fact() {
    python3 -c 'import json, sys; print(json.load(open("run/facts.json"))[sys.argv[1]])' "$1"
}

@test "facts.json: first loss, baseline, rows, and how a run ended" {
    digits digits.cfg
    train --out run --epochs 1 digits.cfg
    status_is 0
    equal "$(fact ended)" completed
    says "$(printf 'loss        %.4f expected before training, %.4f observed' \
        "$(fact expected_loss)" "$(fact initial_loss)")"
    says "is right for $(python3 -c "print('%.2f' % (100 * $(fact baseline)))") %"
    before=$(fact initial_loss)
    train --resume run --epochs 3 --stop-after 2
    equal "$(fact ended)" stopped
    equal "$(fact initial_loss)" "$before"
    train --resume run --set 'regularization.early_stopping={patience=1;min_delta=1000.0;}'
    equal "$(fact ended)" early_stopping
    rm -rf run
    train --out run --set optimizer.type=sgd --set optimizer.learning_rate=1e9 digits.cfg
    status_is 4
    equal "$(fact ended)" diverged
    equal "dltrain: $(fact message)" "$(tail -1 run/log.txt)"
}

# Found in layers and blocks, not in names; log.txt is not read.
@test "a diagnosis reads dropout from the config and does not read log.txt" {
    cp -r "$root/tests/histories/val_easier" run
    echo 'dltrain: diverged in epoch 1' >run/log.txt
    inspect diagnose run
    shows "dropout acts in training only"
    sed -i 's/rate = 0.6/rate = 0.0/; s/^name = .*/name = "no-dropout";/' run/config.cfg
    inspect diagnose run
    shows_not "dropout acts in training only"
    sed -i 's/layer = "dropout"/layer = "dense_block"; dropout = 0.2/' run/config.cfg
    inspect diagnose run
    shows "dropout acts in training only"
}
@test "diagnose --prove tries other rates and reports what is confirmed" {
    digits digits.cfg
    for rate in 1e-6:rate_too_low 0.3:rate_too_high; do
        train --quiet --force --out run --epochs 6 --set network.1.rate=0.0 \
            --set optimizer.learning_rate=${rate%:*} digits.cfg
        status_is 0
        inspect diagnose --json --prove run
        status_is 0
        equal "$(jq -r '.diagnoses[0].kind' <<<"$output")" "${rate#*:}"
        equal "$(jq -r '[.diagnoses[].kind | select(. == "cannot_tell")] | length' <<<"$output")" 0
    done
    train --quiet --force --out run --epochs 6 digits.cfg
    inspect diagnose --prove run
    shows "tried for 6 epochs: train_loss"
    inspect diagnose --prove "$root/tests/histories/overfit/history.csv"
    status_is 3
}
