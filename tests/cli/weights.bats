#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Weights from elsewhere: written in the config, NumPy's, PyTorch's, Keras's.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

dlconvert=$programs/dlconvert

# floats FILE NAME: the tensor's numbers in one line.
floats() {
    tensor "$1" "$2" | od -An -v -t f4 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'
}

# still NAME LAYER: a config whose weights do not change in training.
still() {
    xor xor.cfg
    sed "s/type = \"adam\"; learning_rate = 0.05/type = \"sgd\"; learning_rate = 1e-30/
        s/{ layer = \"dense\"; units = 1; }/$2/" xor.cfg >"$1"
}

@test "init = \"values\": initial weights and biases as the config writes them" {
    still flat.cfg '{ layer = "dense"; units = 1; init = "values"; values = (0.028, -2); bias_values = [-0.189]; }'
    train --quiet --epochs 1 --out flat flat.cfg
    status_is 0
    equal "$(floats flat/last.safetensors dense_2.weight)" "0.028 -2"
    equal "$(floats flat/last.safetensors dense_2.bias)" "-0.189"
    still nested.cfg '{ layer = "dense"; units = 3; init = "values"; values = ((1, 2, 3), (4, 5, 6.5)); }, { layer = "dense"; units = 1; }'
    train --quiet --epochs 1 --out nested nested.cfg
    status_is 0
    equal "$(floats nested/last.safetensors dense_2.weight)" "1 2 3 4 5 6.5"
    # the run's config has them; lsuv leaves them
    tested nested
    status_is 0
    train --quiet --epochs 1 --out lsuv --set training.initialize=lsuv nested.cfg
    status_is 0
    equal "$(floats lsuv/last.safetensors dense_2.weight)" "1 2 3 4 5 6.5"
}

# ---- PyTorch ----

python=${DLTRAIN_PYTHON:-python3}

need_torch() {
    "$python" -c 'import numpy, torch, safetensors' 2>/dev/null ||
        skip "$python has no torch and safetensors (DLTRAIN_PYTHON names another Python)"
}

torch_weights() { "$python" "$root/tests/cli/torch_weights.py" "$@"; }

# layers NAME: the network of torch_weights.py's module, and its input in x.npy.
layers() {
    local shape=6,4
    case $1 in
    dense)
        shape=12
        echo '{ layer = "dense"; name = "a"; units = 8; activation = "tanh"; },
            { layer = "dense"; name = "b"; units = 8; activation = "relu"; },
            { layer = "prelu"; name = "p"; },'
        ;;
    images)
        shape=9,7,4
        echo '{ layer = "conv2d"; name = "a"; filters = 6; kernel = (3, 2); activation = "tanh"; },
            { layer = "batch_norm"; name = "n"; momentum = 0.0; },
            { layer = "depthwise_conv2d"; name = "d"; kernel = 3; multiplier = 2; activation = "tanh"; },
            { layer = "conv2d_transpose"; name = "t"; filters = 5; kernel = 3; stride = 2; activation = "tanh"; },
            { layer = "group_norm"; name = "g"; groups = 5; }, { layer = "flatten"; },
            { layer = "batch_norm"; name = "v"; momentum = 0.0; },'
        ;;
    decoder)
        shape=12
        echo '{ layer = "dense"; name = "a"; units = 36; activation = "tanh"; },
            { layer = "reshape"; shape = (3, 3, 4); },
            { layer = "conv2d"; name = "b"; filters = 2; kernel = 2; }, { layer = "flatten"; },'
        ;;
    conv1d)
        echo '{ layer = "reshape"; shape = (6, 4); },
            { layer = "conv1d"; name = "a"; filters = 5; kernel = 3; activation = "tanh"; },
            { layer = "flatten"; },'
        ;;
    lstm | gru)
        echo "{ layer = \"reshape\"; shape = (6, 4); },
            { layer = \"$1\"; name = \"a\"; units = 5; bidirectional = true; },
            { layer = \"$1\"; name = \"b\"; units = 4; }, { layer = \"flatten\"; },"
        ;;
    rnn)
        echo '{ layer = "reshape"; shape = (6, 4); },
            { layer = "simple_rnn"; name = "a"; units = 5; }, { layer = "flatten"; },'
        ;;
    attention)
        echo '{ layer = "reshape"; shape = (6, 4); }, { layer = "layer_norm"; name = "n"; },
            { layer = "multi_head_attention"; name = "a"; heads = 2; },
            { layer = "rms_norm"; name = "r"; }, { layer = "flatten"; },'
        ;;
    embedding)
        shape=6
        echo '{ layer = "embedding"; name = "a"; vocabulary = 7; units = 5; }, { layer = "flatten"; },'
        ;;
    stacked)
        echo '{ layer = "reshape"; shape = (6, 4); },
            { layer = "lstm"; name = "a"; units = 5; }, { layer = "lstm"; name = "b"; units = 5; },
            { layer = "dense"; name = "c"; units = 2; }, { layer = "flatten"; },'
        ;;
    esac
    "$python" - "$shape" "$1" <<'PYTHON'
import sys
import numpy as np
random = np.random.default_rng(7)
shape = tuple(map(int, sys.argv[1].split(",")))
x = random.integers(0, 7, (24, *shape)) if sys.argv[2] == "embedding" else random.normal(0, 2, (24, *shape))
np.save("x.npy", x.astype("f4"))
np.save("y.npy", random.normal(0, 1, (24, 3)).astype("f4"))
PYTHON
}

# torch_config NAME: NAME.cfg.
torch_config() {
    {
        echo 'data = { format = "npy"; train = { inputs = "x.npy"; targets = "y.npy"; };'
        echo '  test = { inputs = "x.npy"; targets = "y.npy"; }; };'
        echo "network = ( $(layers "$1")"
        echo '  { layer = "dense"; name = "'"${2:-c}"'"; units = 3; } );'
        echo 'loss = { type = "mse"; }; optimizer = { type = "sgd"; learning_rate = 1e-30; };'
        echo 'training = { batch_size = 24; epochs = 1; metrics = ("mse"); };'
    } >"$1.cfg"
}

# same_loss RUN LOSS
same_loss() {
    "$dltest" --json "$1" >"$1.json" || fail "$1: not tested"
    awk -v a="$(jq .mse "$1.json")" -v b="$2" -v name="$1" 'BEGIN {
        if (!(b > 0) || (a - b) ^ 2 > (1e-5 * a) ^ 2) { print name ": " a " and " b; exit 1 } }' ||
        fail "$1: other outputs"
}

@test "init_from: the state dict of a PyTorch module gives its outputs" {
    need_torch
    local name loss
    for name in dense images decoder conv1d lstm gru rnn attention embedding; do
        torch_config "$name"
        loss=$(torch_weights save "$name" "$name.safetensors")
        train --quiet --out "$name" --set "training.init_from=$name.safetensors" \
            --set training.init_layout=torch "$name.cfg"
        status_is 0
        same_loss "$name" "$loss"
    done
}

@test "init_from: PyTorch's names tell its layout, and one module of two layers is two layers" {
    need_torch
    torch_config stacked head
    loss=$(torch_weights save stacked stacked.safetensors)
    train --out stacked --set training.init_from=stacked.safetensors \
        --set 'training.init_map=("a=r", "b=r_l1")' stacked.cfg
    status_is 0
    says "loaded      10 of 10 tensors from stacked.safetensors, transposed from PyTorch's layout"
    same_loss stacked "$loss"
    train --quiet --dry-run --set training.init_from=stacked.safetensors \
        --set 'training.init_map=("a=r", "b=r_l2")' stacked.cfg
    status_is 2
    says 'init_map: stacked.safetensors has no layer "r_l2"'
}

# converts PROGRAM LAYOUT NAME [OPTIONS]: its weights become a run of NAME.cfg with the same outputs,
# and back.
converts() {
    local loss
    torch_config "$3"
    loss=$("$1" save "$3" "$3.safetensors") || fail "$3: not saved"
    capture "$dlconvert" "$3.safetensors" "$3" --config "$3.cfg" "${@:4}"
    status_is 0
    silent
    same_loss "$3" "$loss"
    capture "$dlconvert" --like "$2" "$3" "$3-back.safetensors"
    status_is 0
    loss=$("$1" load "$3" "$3-back.safetensors") || fail "$3: not loaded by $2"
    same_loss "$3" "$loss"
}

@test "dlconvert: PyTorch's state dicts become runs, and runs become state dicts" {
    need_torch
    local name
    for name in dense images decoder conv1d lstm gru rnn attention embedding; do
        converts torch_weights torch "$name" --like torch
    done
}

@test "dlconvert: layers with other names are matched by order and shapes, or by --map" {
    need_torch
    local loss
    torch_config stacked head
    loss=$(torch_weights save stacked stacked.safetensors)
    "$python" - <<'PYTHON'
from safetensors.numpy import load_file, save_file
d = load_file("stacked.safetensors")
save_file({"net.2" + k[1:] if k[0] == "c" else "net.10" + k[4:] if k[0] == "h" else k: v
           for k, v in d.items()} | {"extra": d["c.bias"]}, "named.safetensors")
PYTHON
    capture "$dlconvert" named.safetensors guessed --config stacked.cfg
    status_is 0
    says 'layers were matched by the order of their names and by shapes'
    says '
a=r
b=r_l1
c=net.2
head=net.10
1 tensor of the file is not used, as extra'
    same_loss guessed "$loss"
    printf '# names\nc=net.2\nhead=net.10\na=r\nb=r_l1\n' >map
    # a run instead of a config: its data are not needed
    mv x.npy x.off
    capture "$dlconvert" named.safetensors mapped.safetensors --config guessed --map map
    status_is 0
    says_only 'dlconvert: named.safetensors: 1 tensor of the file is not used, as extra'
    mv x.off x.npy
    same_loss mapped.safetensors "$loss"
    capture "$dlconvert" --like torch --map map guessed back.safetensors
    status_is 0
    "$python" - <<'PYTHON'
from safetensors.numpy import load_file
a, b = load_file("named.safetensors"), load_file("back.safetensors")
for k in b:
    if not k.startswith("r.bias"):
        assert (a[k] == b[k]).all(), k
assert set(a) == set(b) | {"extra"}, set(a) ^ set(b)
PYTHON
}

@test "dlconvert: weights that do not match leave nothing behind" {
    still still.cfg '{ layer = "dense"; units = 1; }'
    local one='\0\0\200\077'
    put bad.safetensors '{"dense_1.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' "$one$one$one$one"
    capture "$dlconvert" bad.safetensors out --config still.cfg
    status_is 2
    says 'bad.safetensors: its weights, as dense_1.weight fit as [in][out] and as PyTorch'
    capture "$dlconvert" bad.safetensors out --config still.cfg --like torch
    status_is 2
    says 'bad.safetensors: dense_1.bias: missing (is --like right?)'
    says 'bad.safetensors: dense_2.weight: missing'
    exists_not out
    printf '# names\n\ndense_3=x\n' >map
    capture "$dlconvert" bad.safetensors out --config still.cfg --like torch --map map
    status_is 2
    says 'map:3: "dense_3=x" is not "layer=its name there"'
    mkdir full && touch full/file
    train --quiet --epochs 1 --out run still.cfg
    "$dlconvert" run good.safetensors
    capture "$dlconvert" good.safetensors full --config still.cfg --like dltrain
    status_is 2
    says 'full: exists, and is not an empty folder'
    capture "$dlconvert" nowhere.safetensors out --config still.cfg
    status_is 3
    capture "$dlconvert" good.safetensors out --config still.cfg --from what
    status_is 2
    says 'unknown format "what" (known:'
    exists_not out
}

@test "dlconvert: npz and CSV, and back, without a bit lost" {
    digits digits.cfg
    sed -i 's/{ layer = "dense"; units = 10; }/{ layer = "batch_norm"; },\n  &/' digits.cfg
    train --quiet --epochs 1 --out run digits.cfg
    status_is 0
    local ending
    for ending in npz csv safetensors; do
        "$dlconvert" run "weights.$ending"
        capture "$dlconvert" --config run "weights.$ending" "$ending" --like dltrain
        status_is 0
        silent
        for name in dense_1.weight dense_2.bias batch_norm_1.variance; do
            cmp <(tensor run/best.safetensors "$name") <(tensor "$ending/best.safetensors" "$name")
        done
        tested "$ending"
        status_is 0
    done
    if "$python" -c "import numpy" 2>/dev/null; then
        "$python" -c 'import numpy as np; w = np.load("weights.npz")
assert w["dense_1.weight"].shape == (64, 32), w["dense_1.weight"].shape
assert "normalization.input.shift" in w
np.savez("counted.npz", **w, **{"batch_norm_1.num_batches_tracked": np.int64(3)})'
        # a number without dimensions, as in the state dicts of PyTorch
        capture "$dlconvert" --config run counted.npz counted --like dltrain
        status_is 0
        silent
        cmp <(tensor run/best.safetensors dense_2.bias) <(tensor counted/best.safetensors dense_2.bias)
    fi
    equal "$(sed -n 1p weights.csv)" tensor,i,j,k,l,value
    equal "$(sed -n 3p weights.csv | cut -d, -f1-5)" dense_1.weight,0,1,,
    "$dlconvert" --to csv run - | cmp - weights.csv
    for edit in 's/^tensor/tenser/' '5d' '5p' '5s/,0,/,x,/' '5s/,0,/,-1,/' '5s/$/,1/' '5s/[^,]*$//' '5s/,0,3,/,0,999999,/'; do
        sed "$edit" weights.csv >bad.csv
        capture "$dlconvert" --config run bad.csv bad --like dltrain
        status_is 3
        [[ $errors == "dlconvert: bad.csv: "* || $errors == "dlconvert: bad.csv:1: "* ]] || fail "$edit"
        exists_not bad
    done
    head -c 3000 weights.npz >bad.npz
    capture "$dlconvert" --config run bad.npz bad --like dltrain
    status_is 3
    exists_not bad
}

@test "a GRU of Keras without biases: reset_after is assumed, and the note says so" {
    printf 'abcacbbacabcbacb%.0s' 1 2 3 4 5 6 7 8 9 >text
    cat >gru.cfg <<'CONFIG'
data = { format = "text"; train = { file = "text"; }; length = 4; };
network = ( { layer = "gru"; name = "g"; units = 2; bias = false; },
            { layer = "dense"; name = "d"; units = 3; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 1; batch_size = 4; };
CONFIG
    train --quiet --out run gru.cfg
    status_is 0
    "$dlconvert" --like keras run gru.safetensors
    capture "$dlconvert" --config run gru.safetensors back
    status_is 0
    says_only 'dlconvert: gru.safetensors: without biases the file does not say whether the GRU "g" has reset_after: it is read as true, Keras'"'"'s default'
    train --dry-run --set training.init_from=gru.safetensors gru.cfg
    status_is 0
    says 'gru.safetensors does not say whether the GRU "g", without biases, has reset_after'
    # PyTorch's has one formula
    "$dlconvert" --like torch run gru.safetensors
    capture "$dlconvert" --config run gru.safetensors torch --like torch
    status_is 0
    silent
}

# Run with the Python of DLTRAIN_KERAS (default: python3), where it has Keras 3.
keras() { KERAS_BACKEND=${KERAS_BACKEND:-jax} "${DLTRAIN_KERAS:-python3}" "$root/tests/cli/keras_weights.py" "$@" 2>/dev/null; }

@test "dlconvert: Keras's variables become runs, and runs become variables" {
    KERAS_BACKEND=${KERAS_BACKEND:-jax} "${DLTRAIN_KERAS:-python3}" -c 'import keras, safetensors' 2>/dev/null ||
        skip "${DLTRAIN_KERAS:-python3} has no keras (DLTRAIN_KERAS names another Python)"
    python=${DLTRAIN_KERAS:-python3}
    local name
    for name in dense images conv1d lstm gru rnn embedding attention; do
        converts keras keras "$name"
    done
}
