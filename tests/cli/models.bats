#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The architectures of configs/models have the parameter counts of their papers (or of common
# implementations), and the large ones can be trained.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    cd "$root" || return 1
}

@test "parameters, as published" {
    local name count
    while read -r name count; do
        capture "$dltrain" --dry-run --set data.train.rows=2 "configs/models/$name.cfg"
        status_is 0
        # published counts exclude auxiliary heads
        [[ $errors != *"without heads"* ]] || errors=${errors/total/in all}
        grep -Eq "^(total|without heads) +$count\$" <<<"$errors" ||
            fail "$name does not have $count parameters"
    done <<'COUNTS'
resnet18 11,689,512
resnet50 25,557,032
resnet152 60,192,808
vgg16 138,357,544
densenet121 7,978,856
mobilenet 4,231,976
xception 22,855,952
googlenet 6,998,552
alexnet 60,965,224
unet 31,030,658
fcn 134,489,759
COUNTS
}

@test "Shake-Shake: parameters as in PyTorch, and an epoch" {
    sed '/^data/,/^};/c data = { format = "random"; input = (32, 32, 3); classes = 10; train = { rows = 4; }; };' \
        configs/models/shake-shake-cifar.cfg >"$BATS_TEST_TMPDIR/model.cfg"
    capture "$dltrain" --epochs 1 --set training.batch_size=2 --out "$BATS_TEST_TMPDIR/run" \
        "$BATS_TEST_TMPDIR/model.cfg"
    status_is 0
    grep -Eq '^total +2,923,162$' "$BATS_TEST_TMPDIR/.err" ||
        fail "has not 2,923,162 parameters: $(grep ^total "$BATS_TEST_TMPDIR/.err")"
}

@test "the perceptron learns linearly separable classes" {
    capture "$dltrain" --quiet --out "$BATS_TEST_TMPDIR/and" configs/models/perceptron.cfg
    status_is 0
    capture "$dltest" --json "$BATS_TEST_TMPDIR/and"
    status_is 0
    [ "$(jq .accuracy <<<"$output")" = 1 ] || fail "$output"
}

@test "a step of MobileNet and of GoogLeNet with its heads, within the planned memory" {
    local name said peak
    for name in mobilenet googlenet; do
        capture "$dltrain" --epochs 1 --set data.train.rows=2 --set training.batch_size=2 \
            --out "$BATS_TEST_TMPDIR/$name" "configs/models/$name.cfg"
        status_is 0
        said=$(sed -n 's/^memory *\([0-9]*\) MB in total.*/\1/p' "$BATS_TEST_TMPDIR/.err")
        peak=$(sed -n 's/^done.*peak memory \([0-9]*\) MB$/\1/p' "$BATS_TEST_TMPDIR/.err")
        is_sanitized || { [ "$peak" -le $((said * 105 / 100)) ] &&
            [ "$peak" -ge $((said * 95 / 100)) ]; } ||
            fail "$name: $said MB were planned, $peak MB needed"
    done
}

@test "GoogLeNet's two auxiliary classifiers: the parameters of the paper, and a step" {
    capture "$dltrain" --epochs 1 --set data.train.rows=2 --out "$BATS_TEST_TMPDIR/run" \
        configs/models/googlenet.cfg
    status_is 0
    # 1x1 convolution to 128, 2048 to 1024, 1024 to 1000: 3,188,840 and 3,190,888
    grep -Eq '^total +13,378,280$' <<<"$errors" || fail "another total"
    says "aux1: 0.3 times softmax_cross_entropy"
    [ "$(awk -F, 'NR == 2 { print ($7 > 0 && $8 > 0) }' "$BATS_TEST_TMPDIR/run/history.csv")" = 1 ] ||
        fail "the classifiers have no loss"
}
