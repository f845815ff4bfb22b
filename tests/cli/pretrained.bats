#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Nets that others trained: converted from ONNX, with the outputs of their own framework on
# photographs, and fine-tuned. Needs packages of PyPI, which the Python of DLTRAIN_PYTHON may have
# (pretrained.py names them), and skips without.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

dlconvert=$programs/dlconvert
python=${DLTRAIN_PYTHON:-python3}

# prepare NET: its files in the folder NET, or skip.
prepare() {
    "$dlconvert" --list | grep -q '^onnx' || skip "built without ONNX"
    local status=0 said
    said=$("$python" -W ignore "$root/tests/cli/pretrained.py" "$1" "$1") || status=$?
    [ "$status" != 77 ] || skip "$python: $said"
    [ "$status" = 0 ] || fail "$1: not prepared"
}

# same_outputs NET: dlpredict and the net's own framework agree to 1e-4.
same_outputs() {
    "$dlpredict" "$1.run" "$1/x.npy" --format npy -o "$1.npy" || fail "$1: not predicted"
    "$python" - "$1.npy" "$1/y.npy" <<'PYTHON'
import sys
import numpy as np
ours, theirs = (np.load(path) for path in sys.argv[1:])
assert ours.shape == theirs.shape and theirs.std() > 0.1
assert abs(ours - theirs).max() < 1e-4, abs(ours - theirs).max()
PYTHON
}

@test "EfficientNet-Lite0 of ImageNet: outputs, and fine-tuning of its last layer" {
    prepare efficientnet
    "$dlconvert" --data npy efficientnet/net.onnx efficientnet.run
    same_outputs efficientnet
    prepare textures
    # the body as it is, and a new last layer for three classes
    awk '/layer = "dense"/ {
            sub(/},/, "}", before)
            $0 = "  ); },\n  { layer = \"dense\"; name = \"head\"; units = 3; }" }
        { print before; before = $0 }
        $0 == "(" { before = "(\n  { layer = \"sequence\"; trainable = false; body = (" }
        END { print before }' efficientnet.run/config.cfg |
        sed -e '/^loss/d' -e 's/"\(train\|test\)-inputs/"textures\/\1-x/' \
            -e 's/"\(train\|test\)-targets/"textures\/\1-y/' >tuned.cfg
    cat >>tuned.cfg <<'CONFIG'
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.01; };
training = { init_from = "efficientnet.run"; epochs = 4; batch_size = 8; };
CONFIG
    train --quiet --out tuned tuned.cfg
    status_is 0
    capture "$dltest" --json tuned
    status_is 0
    [ "$(jq '.accuracy > 0.9' <<<"$output")" = true ]
}

@test "the direction of text, of an OCR package" {
    prepare direction
    "$dlconvert" --data npy --shape 3x48x192 direction/net.onnx direction.run
    same_outputs direction
}
