#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every optimizer and schedule trains and resumes bit-exactly: their state is in the checkpoint.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

# names TOPIC: the names in --help TOPIC.
names() { "$dltrain" --help "$1" | sed -n 's/^  \([a-z_0-9]*\) .*/\1/p'; }

# resumes CONFIG EPOCHS ALL: EPOCHS, resumed up to ALL, equal a run of ALL epochs.
resumes() {
    rm -rf whole parts
    train --quiet --out whole --threads 1 "$1" --epochs "$3"
    status_is 0
    train --quiet --out parts --threads 1 "$1" --epochs "$2"
    status_is 0
    train --quiet --resume parts --threads 1 --epochs "$3"
    status_is 0
    same whole/last.safetensors parts/last.safetensors # the best may be of the first part
    same_history whole parts
}

@test "every optimizer resumes bit-exactly" {
    local name count=0
    for name in $(names optimizers); do
        "$dltrain" --help optimizer "$name" | grep -q '^  learning_rate:' ||
            continue # full batch: second_order.bats
        xor xor.cfg 'regularization = { l2 = 1e-4; clip_norm = 1.0; };'
        sed -i "s/type = \"adam\"; learning_rate = 0.05;/type = \"$name\";/" xor.cfg
        resumes xor.cfg 2 5 || fail "$name"
        count=$((count + 1))
    done
    [ $count -ge 8 ]
}

@test "every form of sgd and rmsprop resumes bit-exactly" {
    local options
    for options in 'type = "sgd"; momentum = 0.9' \
        'type = "sgd"; momentum = 0.9; nesterov = true' \
        'type = "rmsprop"; momentum = 0.5' 'type = "rmsprop"; centered = true' \
        'type = "rmsprop"; centered = true; momentum = 0.5'; do
        xor xor.cfg
        sed -i "s/type = \"adam\"; learning_rate = 0.05/$options/" xor.cfg
        resumes xor.cfg 2 5 || fail "$options"
    done
}

@test "schedules that do not depend on the end resume bit-exactly, by epoch and by step" {
    local by options
    for by in epoch step; do
        for options in 'type = "step"; every = 2' 'type = "inverse_time"' 'type = "exponential"' \
            'type = "sqrt"' 'type = "piecewise"; at = (1, 3); factors = (0.5, 0.1)'; do
            xor xor.cfg
            sed -i "s/learning_rate = 0.05;/& schedule = { $options; by = \"$by\"; warmup = 1; };/
                s/batch_size = \"all\"/batch_size = 2/" xor.cfg
            resumes xor.cfg 2 5 || fail "$options by $by"
        done
    done
}

# With a huge min_delta only the first epoch is an improvement.
@test "plateau reduces the rate; its patience survives resuming" {
    xor xor.cfg
    sed -i 's/learning_rate = 0.05;/& schedule = { type = "plateau"; monitor = "train_loss"; \
        factor = 0.5; patience = 3; min_delta = 1000.0; };/' xor.cfg
    train --quiet --out whole xor.cfg --epochs 8
    status_is 0
    equal "$(history whole | cut -d, -f1,3 | tr '\n' ' ')" \
        "epoch,learning_rate 1,0.05 2,0.05 3,0.05 4,0.05 5,0.025 6,0.025 7,0.025 8,0.0125 "
    equal "$(metadata whole/last.safetensors schedule)" "plateau train_loss"
    for at in 2 3 4 5; do resumes xor.cfg $at 8; done
    # another column starts over: two more reductions, not three
    train --quiet --resume parts --epochs 12 --set optimizer.schedule.monitor=train_accuracy
    status_is 0
    equal "$(history parts | tail -4 | cut -d, -f1,3 | tr '\n' ' ')" \
        "9,0.05 10,0.05 11,0.05 12,0.05 "
}

@test "warm-up and one_cycle end at the right step" {
    xor xor.cfg
    sed -i 's/learning_rate = 0.05;/& schedule = { type = "constant"; warmup = 4; };/' xor.cfg
    train --quiet --out warm xor.cfg --epochs 6
    equal "$(history warm | cut -d, -f3 | tr '\n' ' ')" \
        "learning_rate 0.0125 0.025 0.0375 0.05 0.05 0.05 "
    train --quiet --out cycle xor.cfg --epochs 10 --set optimizer.schedule.type=one_cycle \
        --set optimizer.schedule.warmup=0
    equal "$(column cycle learning_rate)" 2e-07
}

@test "a layer's l1 and l2 replace the global ones" {
    local key
    for key in l1 l2; do
        xor all.cfg "regularization = { $key = 0.01; };"
        xor own.cfg
        sed -i "s/layer = \"dense\";/& $key = 0.01;/" own.cfg
        xor none.cfg
        xor spared.cfg "regularization = { $key = 0.01; };"
        sed -i "s/layer = \"dense\";/& $key = 0;/" spared.cfg
        for run in all own none spared; do
            train --quiet --force --out $run $run.cfg --epochs 20
            status_is 0
        done
        same_history all own
        same_history none spared
        [ "$(history all)" != "$(history none)" ] || fail "$key changes nothing"
    done
}

@test "clipping and noise: each has an effect, and all resume bit-exactly" {
    local limit
    plain() {
        sed -i 's/type = "adam"; learning_rate = 0.05;/type = "sgd"; momentum = 0.5;/
            s/batch_size = "all"/batch_size = 2/' "$1"
    }
    xor none.cfg
    plain none.cfg
    train --quiet --out none --threads 1 none.cfg --epochs 5
    for limit in 'clip_value = 0.01' 'gradient_noise = 0.1' 'max_norm = 0.5' 'clip_weights = 0.2' \
        'clip_norm = 0.01' 'gradient_noise = 1e-6; clip_value = 0.01; clip_norm = 0.005'; do
        xor some.cfg "regularization = { $limit; };"
        plain some.cfg
        resumes some.cfg 2 5
        [ "$(history none)" != "$(history whole)" ] || fail "$limit changes nothing"
    done
}

# Almost no weights, and balanced classes: nothing can be learned.
@test "max_norm and clip_weights hold the weights after every step" {
    local limit
    for limit in max_norm clip_weights; do
        xor none.cfg "regularization = { $limit = 1e-12; };"
        train --quiet --force --out none none.cfg --epochs 300
        status_is 0
        [[ $(column none train_loss) == 0.693* ]] || fail "$limit: $(column none train_loss)"
        train --quiet --force --out none none.cfg --epochs 300 --set "regularization.$limit=0"
        [[ $(column none train_loss) == 0.[0-5]* ]] || fail "none: $(column none train_loss)"
    done
}
