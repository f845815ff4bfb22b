#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Weights from elsewhere: written in the config, NumPy's, PyTorch's, Keras's.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

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
