#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Combinations of features: equal results where expected, messages where not supported.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

same_tensor() { equal "$(numbers "$1/last.safetensors" "$3")" "$(numbers "$2/last.safetensors" "$3")"; }

# normed FILE KEYS [LINE]...: digits.cfg with a batch_norm "bn" of these keys after the first layer.
normed() {
    local file=$1 keys=$2
    shift 2
    digits "$file" "$@"
    sed -i "s/activation = \"relu\"; },/},\n  { layer = \"batch_norm\"; name = \"bn\"; $keys },/" "$file"
}

# skewed FILE: 30, 12 and 6 rows of three classes.
skewed() {
    awk 'BEGIN { print "a,b,class"; srand(1); split("30 12 6", n, " ")
        for (c = 1; c <= 3; c++) for (i = 1; i <= n[c]; i++)
            printf "%.3f,%.3f,%s\n", c + rand(), c * c % 3 + rand(), "k" c }' >skewed.csv
    cat >"$1" <<CONFIG
data = { format = "csv"; train = { file = "skewed.csv"; }; balance = "oversample"; };
network = ( { layer = "dense"; units = 2; activation = "tanh"; }, { layer = "dense"; units = 3; } );
loss = { type = "mse"; };
optimizer = { type = "levenberg_marquardt"; };
training = { batch_size = 16; epochs = 8; };
CONFIG
}

@test "with swa a frozen batch_norm keeps its running statistics" {
    normed bn.cfg ''
    train --quiet --out first --epochs 2 bn.cfg
    status_is 0
    normed swa.cfg 'trainable = false;' \
        'regularization = { average = { type = "swa"; from_epoch = 2; }; };'
    train --quiet --out run swa.cfg --epochs 3 --set 'training.init_from="first"'
    status_is 0
    equal "$(numbers run/last.safetensors bn.mean)" "$(numbers first/best.safetensors bn.mean)"
    equal "$(numbers run/last.safetensors bn.variance)" \
        "$(numbers first/best.safetensors bn.variance)"
    equal "$(numbers run/last.safetensors raw.bn.variance)" \
        "$(numbers first/best.safetensors bn.variance)"
    # also when the run is resumed
    train --quiet --out part swa.cfg --stop-after 2 --epochs 3 --set 'training.init_from="first"'
    train --quiet --resume part
    status_is 0
    same_checkpoints run part
}

@test "a batch_norm is not trained before freeze_until_epoch" {
    normed bn.cfg ''
    train --quiet --out first --epochs 2 bn.cfg
    normed never.cfg 'trainable = false;'
    normed late.cfg 'freeze_until_epoch = 3;'
    for n in never late; do
        train --quiet --out $n $n.cfg --stop-after 2 --epochs 4 --set 'training.init_from="first"'
        status_is 0
    done
    same_history never late
    same_tensor never late bn.mean
    same_tensor never late dense_2.weight
    train --quiet --resume late
    status_is 0
    differ <(numbers never/last.safetensors bn.mean) <(numbers late/last.safetensors bn.mean)
    train --quiet --out whole late.cfg --epochs 4 --set 'training.init_from="first"'
    same_checkpoints whole late
}

# The gradient of the other layer, three numbers of at most 1, has a norm below 1.8.
@test "gradient_noise of frozen layers does not count in clipping" {
    xor xor.cfg 'regularization = { gradient_noise = 100.0; gradient_noise_decay = 10; };'
    sed -i 's/layer = "dense"; units = 2;/& trainable = false;/; s/"adam"/"sgd"/' xor.cfg
    train --quiet --out free --epochs 9 xor.cfg
    train --quiet --out clipped --epochs 9 xor.cfg --set regularization.clip_norm=1.8
    status_is 0
    same_tensor free clipped dense_2.weight
}

@test "a least-squares optimizer uses the balanced rows" {
    skewed a.cfg
    train --quiet --out run a.cfg
    status_is 0
    # its loss never increases
    awk -F, 'NR > 1 { if (NR > 2 && $5 > last + 1e-7) exit 1; last = $5 }' run/history.csv ||
        fail "the loss has grown: $(cut -d, -f1,5 run/history.csv)"
}

@test "batch_size = \"all\" means all balanced rows" {
    skewed a.cfg
    sed -i 's/levenberg_marquardt/rprop/; s/batch_size = 16/batch_size = "all"/' a.cfg
    train --quiet --out run --epochs 3 a.cfg
    status_is 0
    equal "$(column run step)" 3
    train --quiet --out part --epochs 3 --stop-after 1 a.cfg
    train --quiet --resume part
    status_is 0
    same_checkpoints run part
    tested run --split train --json
    status_is 0
    equal "$(jq .rows .out)" 48
}

# With all weights fixed at 0 the loss is ln(classes) for any weighting.
@test "mixup weights only rows that ignore_label keeps" {
    cat >mixed.cfg <<'CONFIG'
data = { format = "random"; input = (8, 8, 1); classes = 4; train = { rows = 120; };
         augment = ( { type = "mixup"; alpha = 1.0; }, { type = "cutmix"; } ); };
network = ( { layer = "flatten"; }, { layer = "dense"; units = 4; init = "zeros"; } );
loss = { type = "softmax_cross_entropy"; ignore_label = 0; };
optimizer = { type = "sgd"; learning_rate = 0.0; };
training = { batch_size = 16; epochs = 2; };
CONFIG
    for batch in 16 1; do
        train --quiet --out run$batch --set training.batch_size=$batch mixed.cfg
        status_is 0
        awk -v loss="$(column run$batch train_loss)" \
            'BEGIN { d = loss - log(4); exit !(d < 1e-6 && d > -1e-6) }' ||
            fail "the loss is $(column run$batch train_loss)"
    done
}

@test "keys without effect are reported before the first epoch" {
    digits digits.cfg
    sed -i 's/{ layer = "dense"; units = 32;/& name = "late"; freeze_until_epoch = 7;/
        s/type = "cosine";/& warmup = 6;/' digits.cfg
    train --dry-run digits.cfg
    status_is 0
    says 'warning     digits.cfg:11: "late" is frozen until epoch 7, but there are 6 epochs: it is never trained'
    says 'warning     digits.cfg:16: warmup is 6 epochs, but there are 6: the schedule never starts'
    train --dry-run --epochs 7 digits.cfg
    says_not warning
    train --dry-run --epochs 7 digits.cfg --set optimizer.schedule.by=step
    says_not warning
    xor average.cfg 'regularization = { average = { type = "ema"; from_epoch = 2; }; };'
    sed -i 's/units = 2;/& orthogonal = true;/' average.cfg
    train --dry-run average.cfg
    status_is 0
    says 'average.cfg:8: from_epoch has no effect: ema averages from the first step on'
    says 'average.cfg:8: dense_1.weight stays orthogonal in training, but the average of such matrices, which is tested, is not'
    for _ in 1 2 3 4 5 6; do cat "$root/tests/config/data/letters.txt"; done >letters.txt
    cat >lstm.cfg <<'CONFIG'
data = { format = "text"; train = { file = "letters.txt"; }; validation = 0.2; };
network = ( { layer = "lstm"; name = "l"; units = 4; stateful = true; }, { layer = "dense"; units = 28; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = "all"; epochs = 1; shuffle = false; initialize = "lsuv"; };
CONFIG
    train --dry-run lstm.cfg --set data.length=8
    status_is 0
    says 'lstm.cfg:2: "l" is stateful, but the training part is one batch of'
    train --dry-run lstm.cfg --set data.length=8 --set training.batch_size=2
    says_not "warning"
    train --dry-run lstm.cfg --set data.length=8 --set network.1.layer=lstm
    says 'initialize = "lsuv" has no effect: there is no layer to scale'
}

@test "the first and last fold of a text can be stateful; others are refused" {
    for _ in 1 2 3 4 5 6; do cat "$root/tests/config/data/letters.txt"; done >letters.txt
    cat >lstm.cfg <<'CONFIG'
data = { format = "text"; train = { file = "letters.txt"; }; length = 8; };
network = ( { layer = "lstm"; name = "l"; units = 4; stateful = true; }, { layer = "dense"; units = 28; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 4; epochs = 1; shuffle = false; };
CONFIG
    for fold in 1 3; do
        train --quiet --out fold$fold --fold $fold/3 lstm.cfg
        status_is 0
    done
    train --fold 2/3 lstm.cfg
    status_is 2
    says 'lstm.cfg:2: layer "l" is stateful, but fold 2 of 3 splits the text'
    # a run with init_from does not need the states, which epochs start without
    train --dry-run --set 'training.init_from="fold1"' --fold 1/3 lstm.cfg
    status_is 0
    says "loaded      5 of 5 tensors from fold1/best.safetensors"
}

# npy FILE DESCR SHAPE: writes the header; data are appended.
npy() {
    local header="{'descr': '$2', 'fortran_order': False, 'shape': $3, }"
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header" >"$1"
}

@test "an array truncated during training" {
    npy x.npy '<f4' '(8192, 64)'
    seq 1 524288 | awk '{ printf "%c%c%c%c", 65 + $1 % 7, 65 + $1 % 11, 65, 63 }' >>x.npy
    npy y.npy '|u1' '(8192,)'
    seq 1 8192 | awk '{ printf "%c", 1 + $1 % 3 }' >>y.npy
    cat >npy.cfg <<'CONFIG'
data = { format = "npy"; train = { inputs = "x.npy"; targets = "y.npy"; }; workers = 2; };
network = ( { layer = "flatten"; }, { layer = "dense"; units = 4; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "sgd"; learning_rate = 1e-6; };
training = { batch_size = 16; epochs = 1000000; };
CONFIG
    cp x.npy whole.npy
    "$dltrain" --quiet --out run npy.cfg >.out 2>.err 3>&- &
    pid=$!
    for _ in $(seq 600); do
        [ ! -e run/last.safetensors ] || break
        sleep 0.1
    done
    exists run/last.safetensors
    truncate -s 200 x.npy
    status=0
    wait $pid || status=$?
    errors=$(cat .err)
    status_is 3
    says_only "dltrain: x.npy: cannot be read: the file was truncated after it was opened, or the disk failed"
    # the checkpoint is complete
    cp whole.npy x.npy
    train --quiet --resume run --epochs 1
    status_is 0
}

@test "a signal ends dlinspect check at once" {
    digits large.cfg
    sed -i 's/units = 32;/units = 3000;/' large.cfg
    "$dlinspect" check large.cfg >.out 2>.err 3>&- &
    pid=$!
    for _ in $(seq 600); do
        ! grep -q "before training" .err || break
        sleep 0.1
    done
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    status_is 143
}

@test "a resumed run can change class weights, but not the initialization" {
    digits digits.cfg
    train --quiet --out run --epochs 1 digits.cfg
    for key in 'initialize="lsuv"' 'init_from="run"'; do
        train --resume run --epochs 2 --set "training.$key"
        status_is 2
        says "dltrain: --set training.$key: training.${key%%=*} sets the initial weights, so it has no effect with --resume"
    done
    train --quiet --resume run --epochs 2 --set 'loss.class_weights="balanced"'
    status_is 0
    tested run --last --split validation --json
    status_is 0
    train --quiet --resume run --epochs 3 --set 'loss.class_weights="balanced"'
    status_is 0
}

@test "the mean loss of an auxiliary head is over the rows it counts" {
    digits twice.cfg # a net whose output is its head
    sed -i '/layer = "dropout"/d; s/softmax_cross_entropy";/& ignore_label = 3;/
        s/{ layer = "dense"; units = 10; }$/{ layer = "aux"; body = (\
        { layer = "dense"; name = "d"; units = 10; } ); },\
        { layer = "dense"; share = "d"; units = 10; }/' twice.cfg
    train --quiet --epochs 2 --out run twice.cfg
    status_is 0
    equal "$(column run train_aux_1_loss)" "$(column run train_loss)"
}

@test "test_time is for validation: a full-batch optimizer reports its own loss" {
    cat >views.cfg <<'CONFIG'
data = { format = "random"; input = (8, 8, 1); classes = 3; train = { rows = 60; };
         validation = 0.2; };
network = ( { layer = "flatten"; }, { layer = "dense"; units = 3; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "lbfgs"; };
training = { batch_size = 16; epochs = 3; };
CONFIG
    train --quiet --out one views.cfg
    train --quiet --out two --set data.test_time=flip views.cfg
    status_is 0
    equal "$(column one train_loss)" "$(column two train_loss)"
    differ <(column one val_loss) <(column two val_loss)
}

@test "full-batch optimizers accept a frozen batch_norm only" {
    normed bn.cfg ''
    sed -i '/layer = "dropout"/d' bn.cfg
    train --quiet --out first --epochs 2 bn.cfg
    sed 's/name = "bn";/& trainable = false;/; s/optimizer = .*/optimizer = { type = "lbfgs"; };/' \
        bn.cfg >frozen.cfg
    train --quiet --out run --epochs 2 --set 'training.init_from="first"' frozen.cfg
    status_is 0
    equal "$(numbers run/last.safetensors bn.mean)" "$(numbers first/best.safetensors bn.mean)"
    equal "$(numbers run/last.safetensors bn.scale)" "$(numbers first/best.safetensors bn.scale)"
    train --dry-run --set network.1.trainable=true frozen.cfg
    status_is 2
    says 'in training, the output of layer "bn" is random'
}

@test "frozen heads, trunks and output layers, and their combinations" {
    digits heads.cfg
    sed -i '/layer = "dropout"/d
        s/{ layer = "dense"; units = 32; activation = "relu"; },/{ layer = "dense"; name = "trunk"; units = 32; },\
        { layer = "aux"; name = "a"; body = ( { layer = "dense"; name = "head"; units = 10; } ); },/
        s/{ layer = "dense"; units = 10; }$/{ layer = "dense"; name = "end"; units = 10; }/' heads.cfg
    train --quiet --epochs 1 --out none heads.cfg
    status_is 0
    # network.0 is the trunk, 1 the head, 2 the output layer: which are frozen
    for frozen in '0 1' '1 2' '0' '1' '2'; do
        sets=()
        for layer in $frozen; do sets+=(--set "network.$layer.trainable=false"); done
        run="run${frozen// /}"
        for epochs in 1 2; do
            train --quiet --epochs $epochs --out "$run.$epochs" heads.cfg "${sets[@]}"
            status_is 0
        done
        for layer in 0 1 2; do
            name=$(echo trunk head end | cut -d' ' -f$((layer + 1))).weight
            if [[ $frozen == *$layer* ]]; then
                same_tensor "$run.1" "$run.2" "$name"
            else
                differ <(numbers "$run.1/last.safetensors" "$name") \
                    <(numbers "$run.2/last.safetensors" "$name")
            fi
        done
    done
    train --quiet --out all heads.cfg --set network.0.trainable=false --set network.2.trainable=false
    status_is 2
    says "there is nothing to train"
}
