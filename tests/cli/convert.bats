#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlconvert: ONNX files give the losses that dltest gives. Run with the Python of DLTRAIN_PYTHON
# (default: python3), where it has onnxruntime.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

dlconvert=$programs/dlconvert
python=${DLTRAIN_PYTHON:-python3}

need_onnx() {
    "$dlconvert" --list | grep -q '^onnx' || skip "built without ONNX"
}

need_runtime() {
    need_onnx
    "$python" -c 'import numpy, onnx, onnxruntime' 2>/dev/null ||
        skip "$python has no onnxruntime (DLTRAIN_PYTHON names another Python)"
}

# arrays SHAPE OUTPUTS: x.npy and y.npy of 24 rows, seeded.
arrays() {
    "$python" - "$1" "$2" <<'PYTHON'
import sys
import numpy as np
random = np.random.default_rng(7)
shape, outputs = (tuple(map(int, s.split(","))) for s in sys.argv[1:3])
np.save("x.npy", random.normal(3, 2, (24, *shape)).astype("f4"))
np.save("y.npy", random.normal(0, 1, (24, *outputs)).astype("f4"))
PYTHON
}

# same_loss NAME LAYERS...: a net of these layers has one loss in dltest and in onnxruntime.
same_loss() {
    local name=$1
    shift
    {
        echo 'data = { format = "npy"; normalize = "mean_std";'
        echo '  train = { inputs = "x.npy"; targets = "y.npy"; };'
        echo '  test = { inputs = "x.npy"; targets = "y.npy"; }; };'
        echo "network = ( $* );"
        echo 'loss = { type = "mse"; };'
        echo 'training = { batch_size = 8; epochs = 2; metrics = ("mse"); };'
    } >"$name.cfg"
    "$dltrain" --quiet --force --out "$name" --threads 1 "$name.cfg" || fail "$name: not trained"
    "$dltest" --json "$name" >"$name.json" || fail "$name: not tested"
    "$dlconvert" "$name" "$name.onnx" || fail "$name: not converted"
    "$python" "$root/tests/cli/onnx_loss.py" "$name.onnx" x.npy y.npy >"$name.loss" ||
        fail "$name: onnxruntime"
    awk -v a="$(jq .mse "$name.json")" -v b="$(cat "$name.loss")" -v name="$name" 'BEGIN {
        if ((a - b) ^ 2 > (1e-5 * a) ^ 2) { print name ": " a " and " b; exit 1 } }' ||
        fail "$name: other outputs"
}

dense='{ layer = "dense"; units = 3; }'

@test "ONNX: layers of images" {
    need_runtime
    arrays 9,7,4 3
    local head="{ layer = \"flatten\"; }, $dense"
    same_loss conv '{ layer = "conv2d"; filters = 6; kernel = (3, 2); stride = 2; padding = "same"; activation = "elu"; },' "$head"
    same_loss groups '{ layer = "conv2d"; filters = 6; kernel = 3; groups = 2; dilation = 2; activation = "leaky_relu"; },' "$head"
    same_loss depthwise '{ layer = "depthwise_conv2d"; kernel = 3; multiplier = 2; activation = "swish"; },' "$head"
    same_loss transpose '{ layer = "conv2d_transpose"; filters = 5; kernel = 3; stride = 2; padding = "same"; activation = "softplus"; },' "$head"
    same_loss pools '{ layer = "max_pool"; size = 2; ceil_mode = true; }, { layer = "avg_pool"; size = 2; stride = 1; padding = "same"; },' "$head"
    same_loss norm '{ layer = "batch_norm"; activation = "relu"; }, { layer = "group_norm"; groups = 2; }, { layer = "instance_norm"; }, { layer = "layer_norm"; },' "$head"
    same_loss rms '{ layer = "rms_norm"; activation = "gelu"; }, { layer = "local_response_norm"; size = 3; },' "$head"
    same_loss shapes '{ layer = "pad"; height = (1, 2); channels = (0, 3); }, { layer = "crop"; height = 6; width = 5; }, { layer = "upsample"; size = (2, 3); method = "bilinear"; }, { layer = "prelu"; }, { layer = "scale"; shift = true; },' "$head"
    same_loss blocks '{ layer = "residual"; body = ( { layer = "conv2d"; filters = 4; kernel = 3; padding = 1; } ); activation = "mish"; }, { layer = "dense_block"; layers = 2; growth = 3; }, { layer = "global_avg_pool"; },' "$dense"
    same_loss filtered '{ layer = "filter"; kind = "gaussian"; size = (3, 4); }, { layer = "local_response_norm"; size = 4; alpha = 0.5; },' "$head"
    same_loss unpooled '{ layer = "max_pool"; name = "p"; size = 2; ceil_mode = true; }, { layer = "conv2d"; filters = 4; kernel = 1; activation = "hard_swish"; }, { layer = "unpool"; inputs = ("conv2d_1", "p"); },' "$head"
    same_loss twice '{ layer = "activation"; name = "a"; activation = "relu6"; inputs = ("input"); }, { layer = "activation"; name = "b"; activation = "relu6"; inputs = ("input"); }, { layer = "activation"; name = "c"; activation = "hard_sigmoid"; inputs = ("a"); }, { layer = "add"; inputs = ("b", "c"); },' "$head"
    same_loss dropped '{ layer = "dropout"; rate = 0.3; }, { layer = "gaussian_noise"; }, { layer = "global_max_pool"; }, { layer = "maxout"; units = 5; pieces = 3; },' "$dense"
}

@test "ONNX: layers of sequences" {
    need_runtime
    arrays 6,4,1 3
    local steps='{ layer = "reshape"; shape = (6, 4); },'
    local head="{ layer = \"flatten\"; }, $dense"
    same_loss lstm "$steps" '{ layer = "lstm"; units = 5; bidirectional = true; }, { layer = "gru"; units = 4; return = "last"; },' "$dense"
    same_loss relu_rnn "$steps" '{ layer = "simple_rnn"; units = 5; activation = "relu"; bidirectional = true; }, { layer = "local_response_norm"; size = 2; },' "$head"
    same_loss rnn "$steps" '{ layer = "simple_rnn"; units = 5; }, { layer = "lstm"; units = 3; bidirectional = true; return = "last"; },' "$dense"
    same_loss attention "$steps" '{ layer = "positional_encoding"; }, { layer = "multi_head_attention"; heads = 2; causal = true; }, { layer = "conv1d"; filters = 5; kernel = 3; padding = "same"; activation = "tanh"; }, { layer = "max_pool1d"; },' "$head"
}

@test "ONNX: classes by name, and what the inputs are" {
    need_runtime
    digits digits.cfg
    train --quiet --epochs 20 --out run digits.cfg
    status_is 0
    "$dlconvert" --probabilities run run.onnx
    "$python" - <<'PYTHON'
import numpy as np, onnx, onnxruntime
model = onnx.load("run.onnx")
assert model.metadata_props[0].value.split("\n") == [str(c) for c in range(10)]
assert model.ir_version == 8 and model.opset_import[0].version == 17
d = np.loadtxt("data/digits.csv.gz", delimiter=",", dtype="f4")
p = onnxruntime.InferenceSession("run.onnx").run(None, {"input": d[:, :64]})[0]
assert abs(p.sum(1) - 1).max() < 1e-5
assert (p.argmax(1) == d[:, 64]).mean() > 0.9
PYTHON
}

@test "ONNX: the state of a stateful layer is an input and an output" {
    need_runtime
    for i in 1 2 3 4 5 6 7 8 9; do printf 'abcacbbacabcbacb'; done >text
    cat >carry.cfg <<'CONFIG'
data = { format = "text"; train = { file = "text"; }; length = 4; };
network = ( { layer = "lstm"; units = 5; stateful = true; }, { layer = "dense"; units = 3; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 1; batch_size = 4; shuffle = false; };
CONFIG
    train --quiet --out carry carry.cfg
    status_is 0
    "$dlconvert" carry carry.onnx
    "$python" - <<'PYTHON'
import numpy as np, onnx, onnxruntime
onnx.checker.check_model(onnx.load("carry.onnx"), full_check=True)
net = onnxruntime.InferenceSession("carry.onnx")
assert [o.name for o in net.get_outputs()][0] == "output"
x = np.random.default_rng(1).normal(size=(1, 4, 3)).astype("f4")
zeros = np.zeros((1, 5), "f4")
first = net.run(None, {"input": x, "lstm_1.state": zeros, "lstm_1.memory": zeros})
named = dict(zip([o.name for o in net.get_outputs()], first))
second = net.run(None, {"input": x, "lstm_1.state": named["lstm_1.next_state"],
                        "lstm_1.memory": named["lstm_1.next_memory"]})
assert abs(first[0] - second[0]).max() > 1e-5
PYTHON
}

@test "ONNX in: a folder like a run's, to test, to train from, and to edit" {
    need_onnx
    digits digits.cfg
    train --quiet --epochs 8 --out run digits.cfg
    status_is 0
    "$dlconvert" run run.onnx
    "$dlconvert" run.onnx back
    [ "$(ls back)" = "$(printf 'best.safetensors\nconfig.cfg')" ]
    grep -q 'layer = "dense"; name = "dense_1";.*// MatMul dense_1' back/config.cfg
    # same weights under the same names: nothing is left to learn from the start
    train --quiet --out again --set training.init_from=back --set training.epochs=0 digits.cfg
    status_is 0
    capture "$dltest" --json run
    local was=$output
    capture "$dltest" --json again
    [ "$(jq -n --argjson a "$was" --argjson b "$output" '$a.accuracy == $b.accuracy')" = true ]
    capture "$dlconvert" run.onnx back
    status_is 2
    says "back: exists, and is not an empty folder"
    capture "$dlconvert" run.onnx new --set loss.type=nonsense
    status_is 2
    [ ! -e new ]
    # a config of their own format, for images
    "$dlconvert" run.onnx numbers --set loss.type=mse
    grep -q 'type = "mse"' numbers/config.cfg
}

@test "ONNX in: what has no layer is named, all at once, and nothing is left" {
    need_onnx
    cat >attention.cfg <<'CONFIG'
data = { format = "random"; input = (4, 6); classes = 2; rows = 8; train = {}; };
network = ( { layer = "multi_head_attention"; heads = 2; }, { layer = "multi_head_attention"; heads = 2; },
            { layer = "flatten"; }, { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 1; };
CONFIG
    train --quiet --out attention attention.cfg
    status_is 0
    "$dlconvert" attention attention.onnx
    capture "$dlconvert" attention.onnx back
    status_is 2
    says 'attention.onnx: node "'
    says '(MatMul): it must be of rows or a sequence and a constant matrix'
    [ ! -e back ]
    [ "$(find . -maxdepth 1 -name 'back*' | wc -l)" = 0 ]
    printf 'not an ONNX file' >bad.onnx
    capture "$dlconvert" bad.onnx back
    status_is 3
    says "bad.onnx: is not an ONNX file, or damaged"
    head -c 3000 attention.onnx >cut.onnx
    capture "$dlconvert" cut.onnx back
    status_is 3
    capture "$dlconvert" none.onnx back
    status_is 3
    [ "$(find . -maxdepth 1 -name 'back*' | wc -l)" = 0 ]
}

@test "what ONNX has not, and wrong files, are refused" {
    need_onnx
    digits digits.cfg
    train --quiet --epochs 1 --out run digits.cfg
    status_is 0
    capture "$dlconvert" run net.tflite
    status_is 2
    says "net.tflite: unknown format"
    mkdir folder.onnx
    capture "$dlconvert" run folder.onnx
    status_is 1
    capture "$dlconvert" run
    status_is 2
    capture "$dlconvert" nowhere net.onnx
    status_is 3
    [ ! -e net.onnx ]
}
