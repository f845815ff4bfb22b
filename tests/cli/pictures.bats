#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Image targets: masks, and the input itself.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# The digits with noise, and masks of the ink, as IDX files.
noisy_digits() {
    gzip -dc data/digits.csv.gz | LC_ALL=C awk -F, '
        function number(n, file) { printf "%c%c%c%c", 0, 0, int(n / 256), n % 256 >file }
        BEGIN {
            srand(1)
            printf "%c%c%c%c", 0, 0, 8, 3 >"noisy"
            printf "%c%c%c%c", 0, 0, 8, 3 >"ink"
            number(1797, "noisy"); number(8, "noisy"); number(8, "noisy")
            number(1797, "ink"); number(8, "ink"); number(8, "ink")
        }
        {
            for (i = 1; i <= 64; i++) {
                grey = 5 * $i + 80 + 120 * (rand() - 0.5)
                printf "%c", int(grey) >"noisy"
                printf "%c", ($i >= 8) >"ink"
            }
        }'
}

@test "a small U-Net segments digits under noise" {
    noisy_digits
    cat >unet.cfg <<'CONFIG'
data = { format = "idx"; train = { images = "noisy"; labels = "ink"; }; normalize = "mean_std";
         validation = 0.1; test = 0.2; };
network = (
  { layer = "conv2d"; name = "fine"; filters = 8; kernel = 3; padding = "same"; activation = "relu"; },
  { layer = "max_pool"; size = 2; },
  { layer = "conv2d"; filters = 16; kernel = 3; padding = "same"; activation = "relu"; },
  { layer = "conv2d_transpose"; name = "up"; filters = 8; kernel = 2; stride = 2; },
  { layer = "concat"; inputs = ["fine", "up"]; },
  { layer = "conv2d"; filters = 8; kernel = 3; padding = "same"; activation = "relu"; },
  { layer = "conv2d"; filters = 2; kernel = 1; }
);
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.01; };
training = { batch_size = 32; epochs = 10; };
CONFIG
    train unet.cfg
    status_is 0
    says "8x8x1 inputs,"
    says "2 classes at 64 positions"
    says "loss        0.6931 expected before training"
    tested runs/unet --json
    status_is 0
    # 68 % of the pixels are background; the best threshold on single pixels is right for 82 %
    jq -e '.accuracy > 0.87' .out >/dev/null || fail "not learned"
    jq -e '[.classes[].rows] | add == 359 * 64' .out >/dev/null || fail "not all pixels"
    inspect predictions runs/unet -o answers.png
    status_is 0
    says "24 samples, each as input, prediction and target: answers.png"
    equal "$(head -c 4 answers.png | tail -c 3)" PNG
}

@test "masks that do not match the network's output" {
    noisy_digits
    cat >unet.cfg <<'CONFIG'
data = { format = "idx"; train = { images = "noisy"; labels = "ink"; }; };
network = ( { layer = "conv2d"; filters = 2; kernel = 3; } );
loss = { type = "softmax_cross_entropy"; };
CONFIG
    train unet.cfg
    status_is 2
    says "unet.cfg:2: the last layer, \"conv2d_1\", has the output 6x6x2"
    says "a class at each of 64 positions"
}

@test "an autoencoder's errors are in the units of the data" {
    cat >auto.cfg <<'CONFIG'
data = { format = "csv"; header = false; train = { file = "digits.csv.gz"; }; validation = 0.1;
         test = 0.2; predict = "input"; normalize = "scale"; normalize_by = "global"; };
network = (
  { layer = "dense"; units = 32; activation = "relu"; },
  { layer = "dense"; name = "code"; units = 10; },
  { layer = "dense"; units = 32; activation = "relu"; },
  { layer = "dense"; units = 64; }
);
loss = { type = "binary_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.005; };
training = { batch_size = 32; epochs = 30; metrics = ("rmse", "r2"); };
CONFIG
    train auto.cfg
    status_is 0
    says "64 target numbers"
    tested runs/auto --json
    status_is 0
    inspect predictions runs/auto -o answers.png
    status_is 2 # rows of numbers are not images
    says "this is for nets whose target is an image or has a class at each pixel"
    tested runs/auto --json
    # the error of the mean image is 4.33 of 16 gray values, of ten principal components 2.22; their
    # r2, a mean over the pixels that vary, is 0.53
    jq -e '.rmse > 1 and .rmse < 2.22 and .r2 > 0.53' .out >/dev/null || fail "not learned"
}

@test "a siamese net compares pairs of digits" {
    cat >pairs.cfg <<'CONFIG'
data = { format = "csv"; header = false; train = { file = "digits.csv.gz"; }; validation = 0.1;
         test = 0.2; predict = "same"; normalize = "scale"; normalize_by = "global"; };
network = (
  { layer = "reshape"; name = "both"; shape = [2, 64, 1]; },
  { layer = "crop"; height = 1; top = 0; },
  { layer = "flatten"; },
  { layer = "dense"; name = "hidden"; units = 64; activation = "relu"; },
  { layer = "dense"; name = "code"; units = 32; activation = "tanh"; },
  { layer = "crop"; inputs = ["both"]; height = 1; top = 1; },
  { layer = "flatten"; },
  { layer = "dense"; share = "hidden"; units = 64; activation = "relu"; },
  { layer = "dense"; name = "other"; share = "code"; units = 32; activation = "tanh"; },
  { layer = "multiply"; inputs = ["code", "other"]; },
  { layer = "dense"; units = 1; }
);
loss = { type = "binary_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.005; };
training = { batch_size = 32; epochs = 30; };
CONFIG
    train pairs.cfg
    status_is 0
    says "128 inputs, 2 classes"
    tested runs/pairs --json
    status_is 0
    jq -e '.accuracy > 0.9 and .classes[1].class == "same"' .out >/dev/null || fail "not learned"
}
