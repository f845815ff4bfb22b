#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dltrain: its files, its output, and its options.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

@test "a run's folder: config, history, log, two checkpoints and nothing else" {
    digits digits.cfg
    train digits.cfg
    status_is 0
    equal "$(ls -A runs/digits | tr '\n' ' ')" \
        "best.safetensors config.cfg facts.json history.csv last.safetensors log.txt split.csv "
    equal "$(readlink runs/latest)" digits
    equal "$(wc -l <runs/digits/history.csv)" 7
    equal "$(head -1 runs/digits/history.csv)" "epoch,step,seconds,learning_rate,train_loss,\
train_accuracy,train_top5,val_loss,val_accuracy,val_top5,samples_per_second,data_seconds,\
forward_seconds,backward_seconds,update_seconds"
    equal "$(column runs/digits epoch)" 6
    equal "$(column runs/digits step)" 240
    # the log equals stderr
    same .err runs/digits/log.txt
    [ -z "$output" ] || fail "prints to stdout"
}

@test "output before the first and after the last epoch" {
    digits digits.cfg
    train digits.cfg
    says "data        train 1,258, validation 180, test 359 rows; 64 inputs, 10 classes"
    says "  test        0: 36  1: 36  2: 35  3: 37"
    says 'baseline    always predicting "1" is right for 10.00 % of validation'
    grep -Eq '^dense_1 +dense +32 +2,080$' .err || fail "no row for dense_1"
    grep -Eq '^dropout_1 +dropout +32 +0$' .err || fail "no row for dropout_1"
    grep -Eq '^dense_2 +dense +10 +330$' .err || fail "no row for dense_2"
    grep -Eq '^total +2,410$' .err || fail "no total"
    grep -Eq '^memory +[0-9.]+ [kM]?B (in total|without the data): weights and gradients 19 kB,' .err ||
        fail "no memory plan"
    # ln 10 before training; the observed loss is near it
    grep -Eq '^loss +2\.3026 expected before training, 2\.[0-9]+ observed, in training mode$' .err || fail "no loss"
    equal "$(grep -Ec '^ +[1-6]/6 ' .err)" 6
    grep -Eq '^done +6 epochs in [0-9.]+ m?s, peak memory [0-9.]+ MB$' .err || fail "no end"
    best=$(metadata runs/digits/best.safetensors best)
    says "best        val_loss $(printf %.6g "$best") in epoch"
    says "next        $(quoted "$dltest") runs/digits"
    # and for a regression
    awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) print i "," i / 4 + 0.125 }' >line.csv
    xor line.cfg
    sed -i 's/xor.csv/line.csv/; s/binary_cross_entropy/mse/' line.cfg
    train line.cfg --out line
    status_is 0
    says "data        train 40 rows; 1 input, 1 target number"
    says_not baseline
}

@test "folders are numbered; --out, --force" {
    xor xor.cfg
    for folder in xor xor.2 xor.3; do
        train --quiet xor.cfg
        status_is 0
        exists "runs/$folder/last.safetensors"
        equal "$(readlink runs/latest)" $folder
    done
    same_checkpoints runs/xor runs/xor.3
    train --quiet --out elsewhere/deep xor.cfg
    status_is 0
    exists elsewhere/deep/last.safetensors
    equal "$(readlink -f runs/latest)" "$PWD/elsewhere/deep"
    # an existing run is kept without --force
    cp -r elsewhere/deep before
    train --quiet --out elsewhere/deep --seed 9 xor.cfg
    status_is 1
    says_only "dltrain: elsewhere/deep: exists and is not empty (--force replaces the run in \
it, --resume elsewhere/deep continues it)"
    diff -r before elsewhere/deep
    echo mine >elsewhere/deep/notes.txt
    train --quiet --out elsewhere/deep --seed 9 --force xor.cfg
    status_is 0
    differ before/last.safetensors elsewhere/deep/last.safetensors
    equal "$(cat elsewhere/deep/notes.txt)" mine
    equal "$(wc -l <elsewhere/deep/history.csv)" 4
    train --out "it's mine" xor.cfg # the printed command works
    eval "$(sed -n 's/^next *//p' .err)" >/dev/null
    mkdir empty
    train --quiet --out empty xor.cfg
    status_is 0
    train --quiet --out xor.cfg xor.cfg
    status_is 1
    says "xor.cfg: is a file, not a folder"
    ln -s nowhere dangling
    train --quiet --out dangling xor.cfg
    status_is 1
    says "dangling: is a link to nothing, not a folder"
    mkdir real && ln -s real link # which --force keeps
    for seed in 1 2; do
        train --quiet --out link --force --seed $seed xor.cfg
        status_is 0
    done
    equal "$(readlink link)" real
    equal "$(metadata real/last.safetensors config | grep '^seed = ')" "seed = 2;"
    train --out "" xor.cfg
    status_is 2
}

@test "the default name is that of the config file" {
    xor nameless.cfg
    sed -i /^name/d nameless.cfg
    train --quiet nameless.cfg
    status_is 0
    exists runs/nameless/last.safetensors
    grep -q '^name = "nameless";$' runs/nameless/config.cfg
}

@test "the resolved config has every default, and trains to the same bits" {
    digits digits.cfg 'regularization = { l2 = 1e-4; early_stopping = { patience = 3; }; };'
    train --quiet --out first digits.cfg --set training.batch_size=64 --seed 5
    status_is 0
    for key in seed normalize split_seed init momentum beta2 clip_norm min_delta header; do
        [ $key = momentum ] || grep -q "\b$key = " first/config.cfg || fail "no $key"
    done
    grep -q 'seed = 5;' first/config.cfg || fail "--seed is not in it"
    grep -q 'batch_size = 64;' first/config.cfg || fail "--set is not in it"
    train --quiet --out second first/config.cfg
    status_is 0
    same first/config.cfg second/config.cfg
    same_checkpoints first second
    same_history first second
}

@test "a perceptron learns linearly separable classes only" {
    local table
    for table in and or xor; do
        cat >perceptron.cfg <<CONFIG
data = { format = "csv"; train = { file = "$table.csv"; }; };
network = ( { layer = "dense"; units = 1; activation = "step"; } );
loss = { type = "perceptron"; };
optimizer = { type = "sgd"; learning_rate = 0.2; };
training = { batch_size = 1; epochs = 60; };
CONFIG
        train --quiet --out $table perceptron.cfg
        status_is 0
        tested --json $table
        status_is 0
        if [ $table = xor ]; then
            [ "$(jq .accuracy <<<"$output")" != 1 ] || fail "xor was learned"
        else
            equal "$(jq .accuracy <<<"$output")" 1
            equal "$(jq .loss <<<"$output")" 0
        fi
    done
}

@test "--set, --seed and --epochs override the config" {
    digits digits.cfg
    train --quiet --out a digits.cfg
    train --quiet --out b digits.cfg --set seed=2
    train --quiet --out c digits.cfg --seed 2
    differ a/last.safetensors b/last.safetensors
    same_checkpoints b c
    train --quiet --out d digits.cfg --epochs 2
    equal "$(column d epoch)" 2
    train --quiet --out e digits.cfg --set training.epochs=2
    same_checkpoints d e
    train --quiet --out f digits.cfg --set network.0.units=7 --set 'training.metrics=("top5")' \
        --set loss.type=hinge --set optimizer.learning_rate=1e-2 --epochs 1
    status_is 0
    grep -q 'units = 7;' f/config.cfg
    equal "$(metadata f/last.safetensors 'columns')" train_loss,train_top5,val_loss,val_top5
    train --quiet --out g digits.cfg --seed 1 --seed 2 # the last one is used
    same_checkpoints b g
    train --quiet --out h digits.cfg --epochs 0 # the initial weights alone
    status_is 0
    equal "$(wc -l <h/history.csv)" 1
    tested h
    status_is 0
    train --quiet --out i digits.cfg --seed 5000000000 --epochs 1
    status_is 0
    grep -q 'seed = 5000000000L;' i/config.cfg
}

@test "--json prints one object per line" {
    digits digits.cfg
    train --quiet --json --out run digits.cfg
    status_is 0
    [ -z "$errors" ] || fail "not quiet"
    equal "$(wc -l <.out)" 7
    while read -r line; do
        jq -e . <<<"$line" >/dev/null || fail "not JSON: $line"
    done <.out
    equal "$(jq -rs 'map(.event) | join(" ")' .out)" "epoch epoch epoch epoch epoch epoch end"
    equal "$(jq -rs 'map(.epoch // empty) | join(" ")' .out)" "1 2 3 4 5 6"
    # the same numbers as in the history
    for key in train_loss train_accuracy train_top5 val_loss val_accuracy val_top5 learning_rate; do
        equal "$(printf %.9g "$(jq -r "select(.epoch == 6).$key" .out)")" "$(column run $key)"
    done
    equal "$(jq -rc 'select(.event == "end") | [.run, .epochs, .interrupted, .monitor]' .out)" \
        '["run",6,false,"val_loss"]'
    jq -e 'select(.event == "end") | .best_epoch >= 1 and .best > 0 and .seconds > 0 and
        .peak_memory_bytes > 1e6' .out >/dev/null || fail "the end is not as it should be"
}

@test "--json: NaN is null" {
    # R2 of constant targets is 0/0
    awk 'BEGIN { print "x,y"; for (i = 0; i < 8; i++) print i ",2.5" }' >flat.csv
    xor flat.cfg
    sed -i 's/xor.csv/flat.csv/; s/binary_cross_entropy/mse/
        s/epochs = 3;/epochs = 1; metrics = ("r2");/' flat.cfg
    train --quiet --json flat.cfg
    status_is 0
    equal "$(jq -s '.[0].train_r2' .out)" null
    tested runs/latest --json
    status_is 0
    equal "$(jq '.r2' .out)" null
}

@test "--quiet prints errors only" {
    xor xor.cfg
    train --quiet xor.cfg
    status_is 0
    silent
    train --quiet nothing.cfg
    status_is 2
    says_only "dltrain: nothing.cfg: No such file or directory"
}

@test "--dry-run prints everything and writes nothing" {
    digits digits.cfg
    before=$(ls -AR)
    train --dry-run digits.cfg
    status_is 0
    says "64 inputs, 10 classes"
    says "2.3026 expected before training"
    says_not "1/6"
    rm .out .err
    equal "$(ls -AR)" "$before"
    train --dry-run --out run digits.cfg
    exists_not run
}

@test "--threads: any number works; the same number gives the same bits" {
    digits digits.cfg
    for threads in 1 2; do
        train --out a$threads --threads $threads digits.cfg
        status_is 0
        says ", $threads thread"
        train --quiet --out b$threads --threads $threads digits.cfg
        same_checkpoints a$threads b$threads
        same_history a$threads b$threads
    done
}

@test "--backend: all work, with nearly the same results" {
    digits digits.cfg
    train --quiet --out auto digits.cfg
    local loss name
    loss=$(column auto val_loss)
    for name in openblas onednn; do
        train --quiet --out $name --backend $name digits.cfg
        if [ $name = onednn ] && [ "$status" -eq 2 ]; then
            says "this dltrain was built without oneDNN"
            continue
        fi
        status_is 0
        awk -v a="$loss" -v b="$(column $name val_loss)" \
            'BEGIN { exit !(a / b < 1.05 && b / a < 1.05) }' ||
            fail "another loss: $(column $name val_loss), not $loss"
    done
}

@test "training.shuffle = false keeps the order of the file" {
    cat >order.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "order.csv"; }; };
network = ( { layer = "dense"; units = 1; init = "zeros"; } );
loss = { type = "binary_cross_entropy"; };
optimizer = { type = "sgd"; learning_rate = 0.5; };
training = { batch_size = 1; epochs = 2; };
CONFIG
    awk 'BEGIN { print "x,y"; for (i = 0; i < 20; i++) print i / 20 "," (i % 3 ? "a" : "b") }' >order.csv
    for seed in 1 2; do # only the order depends on the seed
        train --quiet --out shuffled$seed --seed $seed order.cfg
        status_is 0
        train --quiet --out stored$seed --seed $seed order.cfg --set training.shuffle=false
        status_is 0
    done
    same_history stored1 stored2
    [ "$(history shuffled1)" != "$(history shuffled2)" ] || fail "the order is always the same"
    # and the order is the file's: reversed rows give another result
    { head -1 order.csv && tail -n +2 order.csv | tac; } >other.csv
    train --quiet --out other order.cfg --set training.shuffle=false --set data.train.file=other.csv
    [ "$(history other)" != "$(history stored1)" ] || fail "the file's order does not count"
}

@test "training.bf16 trains where supported, and reports where not" {
    digits digits.cfg
    train --quiet --out run --backend openblas --set training.bf16=true digits.cfg
    status_is 2
    says "bf16 is not available: "
    exists_not run
    train --quiet --out float digits.cfg
    train --quiet --out run --set training.bf16=true digits.cfg
    [ "$status" -eq 2 ] && skip "this machine cannot"
    status_is 0
    grep -q 'factors as bfloat16' run/log.txt || fail "the log does not say so"
    awk -v a="$(column float val_loss)" -v b="$(column run val_loss)" \
        'BEGIN { exit !(a != b && a / b < 1.1 && b / a < 1.1) }' ||
        fail "losses $(column float val_loss) and $(column run val_loss)"
}

@test "--profile prints the time by layer" {
    digits digits.cfg
    train --profile --out run digits.cfg
    status_is 0
    says "profile "
    grep -Eq '^dense_1 +forward ' .err || fail "no row for dense_1"
    train --quiet --out plain digits.cfg
    same_checkpoints plain run # and it changes nothing else
}

@test "the history has the learning rate of each epoch" {
    digits digits.cfg
    sed -i 's/schedule = .*; };/schedule = { type = "step"; every = 2; factor = 0.5; }; };/' \
        digits.cfg
    train --quiet --out run digits.cfg
    equal "$(awk -F, 'NR > 1 { print $4 }' run/history.csv | xargs)" \
        "0.003 0.003 0.0015 0.0015 0.00075 0.00075"
}

@test "early stopping stops and keeps the best checkpoint" {
    digits digits.cfg \
        'regularization = { early_stopping = { monitor = "val_accuracy"; patience = 1; }; };'
    train digits.cfg --epochs 200 --set 'optimizer.schedule.type=constant'
    status_is 0
    says "stopped early after"
    local epochs best
    epochs=$(column runs/digits epoch)
    best=$(metadata runs/digits/best.safetensors epoch)
    [ "$epochs" -lt 200 ] || fail "it did not stop"
    equal "$((epochs - best))" 1
    # the best one is the first with the highest val_accuracy
    equal "$best" "$(awk -F, 'NR > 1 && $9 > most { most = $9; at = $1 } END { print at }' \
        runs/digits/history.csv)"
    grep -E "^ *$best/200 .*best" .err
    says "best        val_accuracy"
}

@test "l1, l2 and clip_norm have an effect unless they are 0" {
    digits digits.cfg
    train --quiet --out plain digits.cfg
    for key in l1 l2 clip_norm; do
        train --quiet --out $key digits.cfg --set regularization.$key=0.01
        status_is 0
        differ plain/last.safetensors $key/last.safetensors
        train --quiet --out $key.0 digits.cfg --set regularization.$key=0
        equal "$(column plain val_loss)" "$(column $key.0 val_loss)"
    done
}

@test "--help topics and --version" {
    train --help
    status_is 0
    for option in out force resume set seed epochs threads dry-run quiet json help version; do
        shows "--$option"
    done
    [ "$(wc -L <.out)" -le 80 ] || fail "wider than 80 columns"
    train --version
    status_is 0
    [[ $output =~ ^dltrain\ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "no version"
    for topic in config layers losses optimizers schedules formats metrics; do
        train --help $topic
        status_is 0
        [ "$(wc -l <.out)" -gt 2 ] || fail "little help on $topic"
        [ "$(wc -L <.out)" -le 80 ] || fail "wider than 80 columns"
        [ -z "$errors" ] || fail "prints to stderr"
    done
    train --help layer dense
    shows 'units: integer, at least 1; required'
    cp .out dense
    train --help dense
    same .out dense
    for topic in layers losses optimizers schedules formats; do
        train --help $topic
        for name in $(sed -n 's/^  \([a-z_0-9]\+\)  .*/\1/p' .out); do
            capture "$dltrain" --help "${topic%s}" "$name"
            [ $topic != losses ] || capture "$dltrain" --help loss "$name"
            status_is 0
            shows "= \"$name\""
        done
    done
    train --help layer dens
    status_is 2
    says 'there is no layer "dens" (did you mean "dense"?)'
    train --help everything
    status_is 2
    says 'there is no help on "everything"'
}

@test "usage errors" {
    xor xor.cfg
    while IFS='|' read -r arguments message; do
        # shellcheck disable=SC2086
        train $arguments
        status_is 2
        says_only "dltrain: $message
Try dltrain --help."
    done <<'CASES'
|no config was given (try: dltrain digits)
xor.cfg other.cfg|one config at a time, not also other.cfg
--treads 2 xor.cfg|unknown option --treads (did you mean --threads?)
--frobnicate=3 xor.cfg|unknown option --frobnicate
--ouy=there xor.cfg|unknown option --ouy (did you mean --out?)
--quiet=yes xor.cfg|--quiet takes no value
-x xor.cfg|unknown option -x
xor.cfg --out|--out needs a value: --out DIR
--threads 0 xor.cfg|--threads 0: must be an integer from 1 to 1024
--threads two xor.cfg|--threads two: must be an integer from 1 to 1024
--epochs -1 xor.cfg|--epochs -1: must be an integer from 0 to 1000000000
--epochs 1.5 xor.cfg|--epochs 1.5: must be an integer from 0 to 1000000000
--backend opnblas xor.cfg|--backend opnblas: must be auto, openblas or onednn (did you mean openblas?)
--seed x xor.cfg|--seed x: must be an integer from 0 to 9000000000000000
--resume runs/xor xor.cfg|--resume reads the config from the run: omit xor.cfg
--resume runs/xor --out there|--resume and --out cannot be used together
CASES
    exists_not runs
}

@test "full or closed stdout and stderr" {
    xor xor.cfg
    for arguments in --help --version "--help config" "--json --quiet --out a xor.cfg"; do
        status=0
        # shellcheck disable=SC2086
        errors=$("$dltrain" $arguments 2>&1 >/dev/full) || status=$?
        status_is 1
        says_only "dltrain: standard output: No space left on device"
    done
    "$dltrain" --out b xor.cfg >&- 2>&-
    "$dltrain" --json --out c xor.cfg 2>/dev/full >/dev/null
    "$dltrain" --out d xor.cfg <&-
    for run in b c d; do
        tested $run # every file is complete: none was opened as stdout or stderr
        status_is 0
        same_history a $run
    done
}

@test "a bias that a batch_norm removes is reported once" {
    local warning
    warning='warning     norm.cfg:4: the bias of "dense_1" has no effect: the batch_norm after it '`
        `'removes it (bias = false)'
    # norm KEYS [NETWORK]: xor with a batch_norm after its first layer, which has these keys
    norm() {
        local layers='{ layer = "batch_norm"; }'
        xor norm.cfg
        sed -i "s/activation = \"tanh\";/$1/; s/{ layer = \"dense\"; units = 1; }/${2:-$layers},\n&/" \
            norm.cfg
        train --epochs 1 --out run --force norm.cfg
        status_is 0
    }
    norm ''
    equal "$(grep 'the bias of' .err)" "$warning"
    equal "$(grep 'the bias of' run/log.txt)" "$warning"
    train --resume run --epochs 2
    says_not 'the bias of'
    norm 'bias = false;'
    says_not 'the bias of'
    norm 'activation = "relu";' # the activation is between them
    says_not 'the bias of'
    norm '' '{ layer = "batch_norm"; name = "n"; }, { layer = "concat"; inputs = ("n", "dense_1"); }'
    says_not 'the bias of' # another reader
    norm '' '{ layer = "batch_norm"; }, { layer = "dense"; units = 2; share = "dense_1"; }'
    says_not 'the bias of' # another layer shares the bias
    norm '' '{ layer = "layer_norm"; }'
    says_not 'the bias of'
    norm '' '{ layer = "batch_norm"; }, { layer = "dense"; units = 3; }, { layer = "batch_norm"; }'
    equal "$(grep 'the bias of' .err)" "$warning; likewise for 1 more layer"
    sed -i 's/{ layer = "dense"; units = 2;/{ layer = "reshape"; shape = (1, 1, 2); },\
{ layer = "conv2d"; filters = 2; kernel = 1; }, { layer = "batch_norm"; },\n&/' norm.cfg
    train --dry-run norm.cfg
    says 'warning     norm.cfg:5: the bias of "conv2d_1" has no effect'
    says 'likewise for 2 more layers'
}

@test "a net of filters only is saved and tested without training" {
    cat >filters.cfg <<'C'
data = { format = "random"; train = { input = (5, 5, 1); outputs = 25; rows = 8; };
    test = { input = (5, 5, 1); outputs = 25; rows = 8; }; };
network = ( { layer = "filter"; kind = "sharpen"; }, { layer = "flatten"; } );
loss = { type = "mse"; };
training = { batch_size = 8; };
C
    train --out run filters.cfg
    status_is 2
    says "filters.cfg:3: the network has no weights: there is nothing to train"
    exists_not run
    train --dry-run filters.cfg
    status_is 2
    train --dry-run --epochs 0 filters.cfg
    status_is 0
    says "filter_1    filter      5x5x1"
    train --quiet --out run --epochs 0 filters.cfg
    status_is 0
    tested run
    status_is 0
    shows "mse "
}
