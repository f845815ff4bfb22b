#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlinspect filters, patches, maximize, saliency, activations: pictures of what a net has learned.

# shellcheck disable=SC2154,SC2030,SC2031

load helper

# bar FILE LINE up|across: an 8x8 picture with one bright line.
bar() {
    local x y value
    printf 'P5 8 8 255\n' >"$1"
    for y in 0 1 2 3 4 5 6 7; do
        for x in 0 1 2 3 4 5 6 7; do
            value=$(((x * 7 + y * 5) % 60))
            if [ "$3" = up ] && [ "$x" = "$2" ]; then value=250; fi
            if [ "$3" = across ] && [ "$y" = "$2" ]; then value=250; fi
            # shellcheck disable=SC2059
            printf "\\$(printf %o $value)" >>"$1"
        done
    done
}

# One run for all tests: upright and horizontal bars.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    mkdir -p bars/up bars/across
    local i
    for i in 0 1 2 3 4 5 6 7; do
        bar bars/up/$i.pgm $i up
        bar bars/across/$i.pgm $i across
    done
    cat >bars.cfg <<'CONFIG'
data = { format = "image_folder"; size = 8; channels = "gray"; train = { folder = "bars"; }; normalize = "mean_std"; };
network = ( { layer = "conv2d"; filters = 8; kernel = 3; activation = "relu"; },
            { layer = "batch_norm"; activation = "relu"; },
            { layer = "conv2d"; filters = 4; kernel = 3; stride = 2; activation = "relu"; },
            { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.01; };
training = { epochs = 30; batch_size = 4; };
CONFIG
    "${DLTRAIN_PROGRAMS:-$BATS_TEST_DIRNAME/../..}/dltrain" bars.cfg --quiet --threads 1 -o run
}
set_up() {
    cp -r "$BATS_FILE_TMPDIR/run" "$BATS_FILE_TMPDIR/bars" .
}

@test "filters of the first layer, and of another one" {
    inspect filters run
    status_is 0
    shows 'conv2d_1: weights of 8 units'
    png look/filters_conv2d_1.png
    equal "$(wc -l <look/filters_conv2d_1.csv)" 9
    inspect filters run conv2d_2:1-2 -o deep
    status_is 0
    png deep/filters_conv2d_2.png
    inspect filters run batch_norm_1
    status_is 0
    says 'no kernels to draw'
    [ ! -e look/filters_batch_norm_1.png ] || fail "a picture of nothing"
}

@test "patches are the receptive field of the pixels with the largest outputs" {
    inspect patches run conv2d_2:0,3 --best 2
    status_is 0
    png look/patches_conv2d_2.png
    equal "$(wc -l <look/patches_conv2d_2.csv)" 5
    # 3x3 of stride 2 on 3x3: rows 2y to 2y + 4
    awk -F, 'NR > 1 && ($6 != 2 * $4 || $7 != 2 * $4 + 4 || $8 != 2 * $5 || $9 != 2 * $5 + 4) { exit 1 }' \
        look/patches_conv2d_2.csv || fail "$(cat look/patches_conv2d_2.csv)"
    # of a class all that the strides reach, and pictures of that class
    inspect patches run dense_1:up --best 4
    status_is 0
    # rows are sorted by class: across is 0 to 7, up 8 to 15
    awk -F, 'NR > 1 && ($1 != "up" || $3 < 8 || $7 != 6 || $9 != 6) { exit 1 }' \
        look/patches_dense_1.csv || fail "$(cat look/patches_dense_1.csv)"
    # the largest come first, whatever the batches
    inspect patches run dense_1 --best 16 --threads 2
    status_is 0
    awk -F, 'NR > 2 && $1 == unit && $2 > value { exit 1 } { unit = $1; value = $2 }' \
        look/patches_dense_1.csv || fail "$(cat look/patches_dense_1.csv)"
    equal "$(wc -l <look/patches_dense_1.csv)" 33
}

@test "a layer or a unit that is not there, data that are gone" {
    inspect filters run conv2d2
    status_is 2
    says_only 'dlinspect: the net has no layer "conv2d2": did you mean "conv2d_2"?'
    inspect patches run conv2d_2:4
    status_is 2
    says_only 'dlinspect: layer "conv2d_2" has no unit "4": its units are 0 to 3'
    inspect patches run dense_1:acros
    status_is 2
    says 'did you mean "across"?'
    inspect filters run dropout_9
    status_is 2
    inspect patches run conv2d_2 --set data.train.folder=moved/bars
    status_is 3
    says 'moved/bars'
    [ ! -e look ] || fail "something is left: $(ls look)"
    inspect filters run --set data.train.folder=moved/bars # needs no data
    status_is 0
}

@test "maximize: a picture for each class, the same with the same seed" {
    inspect maximize run --steps 40 --jitter 0 --blur 0 --variation 0 --decay 0 -o a
    status_is 0
    png a/maximize_dense_1.png
    shows 'dense_1:up'
    # the output rises
    awk '{ if ($NF <= $2) exit 1 }' <<<"$output" || fail "not a maximum"
    inspect maximize run --steps 40 --jitter 0 --blur 0 --variation 0 --decay 0 -o b --threads 2
    cmp a/maximize_dense_1.npy b/maximize_dense_1.npy
    inspect maximize run --steps 40 --jitter 0 --blur 0 --variation 0 --decay 0 -o b --seed 2
    ! cmp -s a/maximize_dense_1.npy b/maximize_dense_1.npy || fail "the seed has no effect"
    inspect maximize run conv2d_2:1 --from bars/up/3.pgm --dream --steps 9 -o dream
    status_is 0
    png dream/maximize_conv2d_2.png
    inspect maximize run --from nothing.png
    status_is 3
    says nothing.png
    inspect maximize run --dream
    status_is 2
    says '--from'
}

@test "saliency: one method, all of them, and those without meaning" {
    inspect saliency run --method all --rows 0,8,1,9,2
    status_is 0
    png look/saliency_dense_1.png
    for method in gradient guided integrated grad_cam occlusion; do
        # 5 rows of 8x8 floats after 128 bytes of header
        equal "$(stat -c %s look/saliency_${method}_dense_1.npy)" $((128 + 5 * 64 * 4))
    done
    # integrated gradients sum to the score
    awk -F, '$4 == "integrated" && $6 >= 0.01 { exit 1 }' look/saliency_dense_1.csv ||
        fail "$(cat look/saliency_dense_1.csv)"
    # a bar is what is occluded: its row has the largest drop
    inspect saliency run conv2d_2:1 --rows 3,12 --method occlusion -o unit
    status_is 0
    equal "$(cut -d, -f1,2 unit/saliency_conv2d_2.csv | tail -n 2 | tr '\n' ' ')" '3,1 12,1 '
    inspect saliency run conv2d_2:0,1
    status_is 2
    says 'saliency is of one unit, but "0,1" names 2'
    inspect saliency run --method guide
    status_is 2
    says 'did you mean "guided"?'
    inspect saliency run --rows 16
    status_is 2
    says '"16" is not a row of the train data, which has 16: 0 to 15'
    inspect saliency run --method grad_cam --cam-layer dense_1
    status_is 2
    says 'grad_cam has no meaning for layer "dense_1"'
}

@test "saliency of a table: no pictures, no maps of a layer" {
    cat >rows.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "xor.csv"; }; };
network = ( { layer = "dense"; units = 4; activation = "tanh"; }, { layer = "dense"; units = 1; } );
loss = { type = "binary_cross_entropy"; };
training = { epochs = 3; };
CONFIG
    train rows.cfg --quiet -o rows
    status_is 0
    inspect saliency rows --method all
    status_is 0
    says 'left out: guided backpropagation has no meaning for this net'
    says 'left out: grad_cam has no meaning for this net'
    [ ! -e look/saliency_dense_2.png ] || fail "a picture"
    inspect saliency rows --method guided
    status_is 2
    shows_not 'nan'
    inspect patches rows dense_1:2 --best 1
    status_is 0
    inspect maximize rows
    status_is 0
}

@test "activations of each layer" {
    inspect activations run --rows 9
    status_is 0
    for layer in conv2d_1 batch_norm_1 conv2d_2 dense_1; do
        png look/activations_$layer.png
    done
    shows 'outputs over 16 rows'
    grep -qE '^conv2d_2 .* of 4$' <<<"$output" || fail "no dead units"
}
