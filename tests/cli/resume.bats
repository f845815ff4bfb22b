#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bit-exact results: equal runs, and runs that were killed or interrupted and resumed.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    digits digits.cfg
    # large enough for a signal within an epoch: some tenths of a second each
    sed 's/units = 32;/units = 1024;/
        s/"top5"/"f1", "auc"/
        s/rate = 0.2; },/&\n  { layer = "dense"; units = 1024; activation = "relu"; },/' \
        digits.cfg >large.cfg
    echo 'regularization = { l2 = 1e-4; clip_norm = 1.0; early_stopping = { patience = 5; }; };' \
        >>large.cfg
}

# rows RUN: the number of epochs in its history.
rows() {
    [ -e "$1/history.csv" ] || echo 0
    [ ! -e "$1/history.csv" ] || grep -c '^[0-9]' "$1/history.csv" || true
}

# at_row N SIGNAL ARGUMENT...: starts dltrain, sends the signal soon after epoch N and the first
# checkpoint, and waits. $status is 0 if it was too late.
at_row() {
    local row=$1 signal=$2 pid
    shift 2
    "${interruptible[@]}" "$dltrain" "$@" >.out 2>.err 3>&- &
    pid=$!
    while kill -0 $pid 2>/dev/null &&
        { [ "$(rows run)" -lt "$row" ] || [ ! -e run/last.safetensors ]; }; do sleep 0.005; done
    sleep "0.0$((RANDOM % 10))"
    kill -"$signal" $pid 2>/dev/null || true
    status=0
    wait $pid 2>/dev/null || status=$?
    output=$(cat .out)
    errors=$(cat .err)
}

# interrupted N SIGNAL STATUS ARGUMENT...: repeats that in new runs until the signal was in time.
interrupted() {
    local row=$1 signal=$2 want=$3 try
    shift 3
    for try in 1 2 3 4 5; do
        rm -rf run
        at_row "$row" "$signal" --out run "$@"
        [ "$status" -eq 0 ] || break
    done
    status_is "$want"
}

# The uninterrupted run, one per number of threads.
whole() {
    train --quiet --out whole --threads "$1" large.cfg
    status_is 0
    equal "$(rows whole)" 6
}
as_whole() {
    same_checkpoints whole run
    same_history whole run
    equal "$(ls -A run | tr '\n' ' ')" \
        "best.safetensors config.cfg facts.json history.csv last.safetensors log.txt split.csv "
}

@test "two equal runs are equal to the last byte" {
    for threads in 1 2; do
        for run in a b; do
            train --quiet --out $run$threads --threads $threads large.cfg --epochs 2
            status_is 0
        done
        same_checkpoints a$threads b$threads
        same_history a$threads b$threads
        same a$threads/config.cfg b$threads/config.cfg
    done
    train --quiet --out c --threads 2 large.cfg --epochs 2 --seed 2 # and other seeds differ
    differ a2/last.safetensors c/last.safetensors
}

@test "killed at any moment, a run resumes bit-exactly" {
    local threads moment
    for threads in 1 2; do
        whole $threads
        for moment in 1 $((2 + RANDOM % 3)); do
            [ $threads$moment != 11 ] || continue
            interrupted $moment KILL 137 --quiet --threads $threads large.cfg
            [ "$(rows run)" -lt 6 ] || fail "it was over already"
            exists run/last.safetensors
            train --quiet --resume run --threads $threads
            status_is 0
            silent
            as_whole
        done
        rm -rf whole
    done
}

@test "killed again and again" {
    whole 2
    local epoch
    interrupted 1 KILL 137 --quiet --threads 2 large.cfg
    for epoch in 2 3 4; do
        at_row $epoch KILL --quiet --resume run --threads 2
    done
    train --quiet --resume run --threads 2
    status_is 0
    as_whole
}

@test "interrupted: saved within an epoch, with the command that resumes" {
    local signal number threads
    for threads in 1 2; do
        whole $threads
        for signal in INT:130 TERM:143 HUP:129; do
            number=${signal#*:}
            [ $threads = 2 ] || [ "$number" = 130 ] || continue
            interrupted $((1 + RANDOM % 4)) "${signal%:*}" "$number" --threads $threads large.cfg
            says "stopped     saved; resume with: $(quoted "$dltrain") --resume run"
            equal "$(tail -1 run/log.txt)" "stopped     saved; resume with: $(quoted "$dltrain") --resume run"
            equal "$(metadata run/best.safetensors epoch)" \
                "$(metadata run/last.safetensors best_epoch)"
            train --resume run --threads $threads
            status_is 0
            says "resumed     after epoch "
            as_whole
        done
        rm -rf whole
    done
}

@test "an interrupted epoch is resumed at its step" {
    local try
    for try in 1 2 3 4 5 6; do # the signal may arrive at the end of an epoch
        interrupted 1 INT 130 large.cfg
        [ "$(metadata run/last.safetensors epoch_step)" -eq 0 ] || break
    done
    step=$(metadata run/last.safetensors epoch_step)
    [ "$step" -gt 0 ] || fail "it was never amid an epoch"
    equal "$(metadata run/last.safetensors step)" \
        $((40 * $(metadata run/last.safetensors epoch) + step))
    train --resume run
    says "and $step of 40 steps of the next one"
    # but not with other batches
    cp -r run other
    interrupted 1 INT 130 large.cfg
    if [ "$(metadata run/last.safetensors epoch_step)" -gt 0 ]; then
        train --quiet --resume run --set training.batch_size=64
        status_is 2
        says "must be completed with the same batch_size (32)"
    fi
}

@test "an average of the weights resumes within an epoch" {
    local try average
    sed -i 's/{ layer = "dropout"/{ layer = "batch_norm"; }, &/' large.cfg
    for average in 'type = "swa"; from_epoch = 1;' 'type = "ema"; decay = 0.99;'; do
        sed "s/regularization = {/& average = { $average };/" large.cfg >average.cfg
        rm -rf whole
        train --quiet --out whole --threads 1 average.cfg
        for try in 1 2 3 4 5 6; do # the signal may arrive at the end of an epoch
            interrupted 1 INT 130 --threads 1 average.cfg
            [ "$(metadata run/last.safetensors epoch_step)" -eq 0 ] || break
        done
        [ "$(metadata run/last.safetensors epoch_step)" -gt 0 ] || fail "it was never amid an epoch"
        tested run --last
        status_is 0
        train --resume run --threads 1
        status_is 0
        as_whole
    done
}

@test "an epoch of stateful layers resumes with their state" {
    local try
    for _ in $(seq 400); do cat "$root/tests/config/data/letters.txt"; done >letters.txt
    cat >stateful.cfg <<'CONFIG'
data = { format = "text"; train = { file = "letters.txt"; }; length = 16; validation = 0.002; };
network = (
  { layer = "lstm"; units = 96; stateful = true; },
  { layer = "gru"; units = 96; stateful = true; },
  { layer = "simple_rnn"; units = 64; stateful = true; },
  { layer = "dense"; units = 28; }
);
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 9; epochs = 3; shuffle = false; };
CONFIG
    train --quiet --out whole stateful.cfg
    status_is 0
    for try in 1 2 3 4 5 6; do # the signal may arrive at the end of an epoch
        interrupted 1 INT 130 stateful.cfg
        [ "$(metadata run/last.safetensors epoch_step)" -eq 0 ] || break
    done
    [ "$(metadata run/last.safetensors epoch_step)" -gt 0 ] || fail "it was never amid an epoch"
    for name in lstm_1.state lstm_1.memory gru_1.state simple_rnn_1.state; do
        grep -aq "\"$name\"" run/last.safetensors || fail "no $name in the checkpoint"
    done
    tested run --last --json # in smaller batches: there are fewer than nine validation rows
    status_is 0
    jq -e '.rows < 9' .out || fail "as many rows as there are lanes"
    cp -r run other
    train --quiet --resume other --set training.batch_size=8
    status_is 2
    says "must be completed with the same batch_size (9)"
    train --resume run
    status_is 0
    says "resumed     after epoch "
    as_whole
    ! grep -aq "_1.state" run/last.safetensors || fail "an epoch that is whole has a state"
}

@test "epochs of milliseconds: an interrupt writes the pending checkpoint" {
    sed -i 's/schedule = .*; };/schedule = { type = "constant"; }; };/' digits.cfg
    interrupted 20 INT 130 digits.cfg --epochs 1000000
    local best last
    best=$(metadata run/best.safetensors epoch)
    last=$(metadata run/last.safetensors epoch)
    equal "$best" "$(metadata run/last.safetensors best_epoch)"
    equal "$last" "$(rows run)"
    # the printed command works
    eval "$(sed -n 's/^stopped .* resume with: //p' .err) --epochs $last --quiet"
    [ "$best" -gt 1 ] || fail "nothing was better than the first epoch"
    tested run --split validation --json
    equal "$(printf %.9g "$(jq .loss .out)")" \
        "$(awk -F, -v best="$best" '$1 == best { print $8 }' run/history.csv)"
}

# twice SECONDS: interrupts a run at its first step, and again after that time.
twice() {
    local pid
    rm -rf run
    : >.err
    "$dltrain" --out run --threads 1 large.cfg >.out 2>.err 3>&- &
    pid=$!
    while kill -0 $pid 2>/dev/null && ! grep -q '^ *epoch' .err; do sleep 0.01; done
    sleep 0.1
    kill -INT $pid
    sleep "$1"
    kill -INT $pid 2>/dev/null || true
    status=0
    wait $pid 2>/dev/null || status=$?
    errors=$(cat .err)
    status_is 130
}

@test "a second interrupt exits at once, without saving" {
    # steps of about a second
    sed -i 's/batch_size = 32/batch_size = "all"/; s/units = 1024/units = 4096/g' large.cfg
    local try
    for try in 1 2 3 4 5; do
        twice 0.4
        [[ $errors == *stopped* ]] || break # else the step ended before the second signal
    done
    says_not stopped
    exists_not run/last.safetensors
    # two within a tenth of a second count as one: timeout(1) sends two
    twice 0.02
    says stopped
    exists run/last.safetensors
}

@test "--epochs extends a run bit-exactly" {
    sed -i 's/schedule = .*; };/schedule = { type = "step"; every = 2; }; };/' digits.cfg
    train --quiet --out whole digits.cfg --epochs 5
    status_is 0
    train --quiet --out run digits.cfg --epochs 2
    train --resume run --epochs 5
    status_is 0
    says "resumed     after epoch 2 of 5"
    says "done        5 epochs, 3 of them since resuming, in"
    same_checkpoints whole run
    same_history whole run
    train --resume run
    status_is 0
    says "done        5 epochs: nothing left to train (--epochs N continues)"
    same_history whole run
    same_checkpoints whole run
}

@test "a run that stopped early continues only with a larger patience" {
    echo 'regularization = { early_stopping = { monitor = "val_accuracy"; patience = 1; }; };' \
        >>digits.cfg
    sed -i 's/; schedule = { type = "cosine"; }//; s/epochs = 6/epochs = 60/' digits.cfg
    train --quiet --out run digits.cfg
    local epochs
    epochs=$(rows run)
    [ "$epochs" -lt 60 ] || fail "it did not stop"
    train --resume run
    status_is 0
    says "nothing left to train (a larger early_stopping.patience continues)"
    equal "$(rows run)" "$epochs"
    train --quiet --resume run --set regularization.early_stopping.patience=4
    status_is 0
    [ "$(rows run)" -gt "$epochs" ] || fail "it did not go on"
    train --quiet --out whole digits.cfg --set regularization.early_stopping.patience=4
    same_checkpoints whole run
    same_history whole run
}

@test "a resumed run refuses changes it cannot make, and changes nothing" {
    train --quiet --out run digits.cfg --epochs 2
    cp -r run before
    while IFS='|' read -r want set message; do
        train --quiet --resume run --epochs 3 --set "$set"
        status_is "$want"
        says "$message"
        diff -r before run
    done <<'CASES'
2|training.metrics=("accuracy")|a resumed run must keep its metrics, its validation data
2|data.validation=0|"validation" must be a fraction between 0 and 1
3|network.0.units=31|its tensor "dense_1.weight" has shape 64x32, but the network's has 64x31
2|optimizer={type="sgd";momentum=0.9;}|the run's optimizer is adam, which cannot become sgd
3|data.train.file=other.csv|other.csv: not found
2|training.epoch=3|did you mean "epochs"?
CASES
}

@test "changed data are refused" {
    awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) print i "," (i % 3 ? "a" : "b") }' >mine.csv
    xor mine.cfg
    sed -i 's/xor.csv/mine.csv/' mine.cfg
    train --quiet --out run mine.cfg
    status_is 0
    sed -i 's/,b/,c/' mine.csv
    train --quiet --resume run --epochs 5
    status_is 3
    says "run/last.safetensors: the data differ from those that the run started with"
}

@test "what --resume accepts as a run" {
    train --quiet --out run digits.cfg --epochs 1
    train --resume nowhere
    status_is 3
    says_only "dltrain: nowhere: No such file or directory"
    mkdir empty
    train --resume empty
    status_is 3
    says_only "dltrain: empty: has no checkpoint yet"
    train --resume run/last.safetensors
    status_is 3
    says_only "dltrain: run/last.safetensors: is a file; --resume takes the run's folder (run)"
    rm run/best.safetensors run/history.csv run/config.cfg run/log.txt # the last one suffices
    train --quiet --resume run --epochs 3
    status_is 0
    equal "$(rows run)" 3
}

@test "two runs cannot use the same folder" {
    "$dltrain" --quiet --out run large.cfg --epochs 100 3>&- &
    pid=$!
    while [ ! -e run/last.safetensors ]; do sleep 0.01; done
    train --quiet --resume run --epochs 200
    status_is 1
    says_only "dltrain: run: in use by another dltrain"
    train --quiet --out run --force digits.cfg
    status_is 1
    says_only "dltrain: run: in use by another dltrain"
    kill -INT $pid
    wait $pid || status=$?
    status_is 130
    tested run --last
    status_is 0
}

@test "config.cfg is that of the resumed run; an edited one is reported" {
    digits digits.cfg
    train --out run --epochs 1 digits.cfg
    train --resume run --epochs 2 --set optimizer.learning_rate=0.5
    status_is 0
    says_not "config.cfg differs"
    grep -q 'epochs = 2;' run/config.cfg && grep -q 'learning_rate = 0.5;' run/config.cfg
    sed -i '/learning_rate = 0.5/s/0.5/0.25/; /^network/,/units/s/units = [0-9]*;/&\n    l2 = 0.125;/' \
        run/config.cfg
    train --resume run --epochs 3
    status_is 0
    says "warning     run/config.cfg differs from the checkpoint, whose values are used:"
    says "optimizer.learning_rate = 0.25 (not 0.5)"
    says "network.0.l2 = 0.125 (not "
    says_not "training.epochs"
    grep -q 'learning_rate = 0.5;' run/config.cfg || fail "the checkpoint's is not in use"
}

@test "SIGTERM during a long validation saves the epoch without it" {
    local rows=3000000 pid try
    # arrays of bytes: x of two columns, all zero but for the first; classes
    array() {
        printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
            "{'descr': '|u1', 'fortran_order': False, 'shape': $2, }"
        printf '\x01\x00\x01\x01'
        head -c $(($1 - 4)) /dev/zero
    }
    array 64 "(32, 2)" >x.npy
    array 32 "(32,)" >y.npy
    array $((2 * rows)) "($rows, 2)" >vx.npy
    array $rows "($rows,)" >vy.npy
    cat >long.cfg <<'CONFIG'
data = { format = "npy"; train = { inputs = "x.npy"; targets = "y.npy"; };
  validation = { inputs = "vx.npy"; targets = "vy.npy"; }; };
network = ( { layer = "batch_norm"; }, { layer = "dense"; units = 1; } );
loss = { type = "binary_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.01; };
training = { batch_size = 16; epochs = 2; metrics = ("auc"); };
regularization = { average = { type = "ema"; }; };
CONFIG
    train --quiet --threads 1 --out whole long.cfg
    status_is 0
    for try in 1 2 3; do # unless the validation was faster
        rm -rf run
        "$dltrain" --quiet --threads 1 --out run long.cfg >.out 2>.err 3>&- &
        pid=$!
        while kill -0 $pid 2>/dev/null && ! grep -qs '^  epoch' run/log.txt; do sleep 0.01; done
        sleep 0.2
        kill -TERM $pid
        status=0
        wait $pid || status=$?
        status_is 143
        [ "$(rows run)" != 0 ] || break
    done
    equal "$(rows run)" 0
    equal "$(metadata run/last.safetensors epoch_step)" 2
    train --quiet --threads 1 --resume run
    status_is 0
    same_history whole run
    same_checkpoints whole run
}
