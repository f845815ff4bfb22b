#!/usr/bin/env bats
# What is around the optimizers: penalties in the history, averages of the weights, initial weights
# that fit the data, layers that begin late, orthogonal weights.

# The variables that helper.bash sets; each test is a subshell of its own, as it should be.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

# numbers FILE TENSOR: the tensor's numbers, one a line.
numbers() {
    local length from to
    length=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    read -r from to < <(tail -c +9 "$1" | head -c "$length" |
        jq -r ".[\"$2\"].data_offsets | \"\(.[0]) \(.[1])\"")
    od -An -v -w4 -t f4 -j $((8 + length + from)) -N $((to - from)) "$1"
}
# tensors FILE: the names of its tensors.
tensors() {
    local length
    length=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    tail -c +9 "$1" | head -c "$length" | jq -r 'del(.__metadata__) | keys[]'
}
# near A B TOLERANCE
near() {
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d <= t && -d <= t) }' ||
        fail "'$1' is not near '$2'"
}
# goes_on CONFIG EPOCHS ALL: trained for some epochs and then up to ALL, it is as if in one go.
goes_on() {
    rm -rf whole parts
    train --quiet --out whole --threads 1 "$1" --epochs "$3"
    status_is 0
    train --quiet --out parts --threads 1 "$1" --epochs "$2"
    status_is 0
    train --quiet --resume parts --threads 1 --epochs "$3"
    status_is 0
    same_checkpoints whole parts
    same_history whole parts
}

@test "with penalties the history has what is minimized beside the plain loss" {
    local wanted
    xor xor.cfg 'regularization = { l1 = 0.02; l2 = 0.5; };'
    sed -i 's/layer = "dense"; units = 1;/& l1 = 0; l2 = 0.25;/' xor.cfg
    train --json --out run xor.cfg
    status_is 0
    says objective
    wanted=$({
        numbers run/last.safetensors dense_1.weight | sed 's/$/ 0.02 0.5/'
        numbers run/last.safetensors dense_2.weight | sed 's/$/ 0 0.25/'
    } | awk '{ w = $1 < 0 ? -$1 : $1; s += $2 * w + $3 / 2 * w * w } END { printf "%.9g", s }')
    near "$(awk -v a="$(column run train_objective)" -v b="$(column run train_loss)" \
        'BEGIN { printf "%.9g", a - b }')" "$wanted" 1e-6
    equal "$(tail -2 <<<"$output" | head -1 | jq -r '.train_objective * 1e6 | round')" \
        "$(awk -v x="$(column run train_objective)" 'BEGIN { printf "%.0f", x * 1e6 }')"
    xor plain.cfg
    train --json --out plain plain.cfg
    says_not objective
    shows_not objective
    equal "$(column plain train_objective)" "$(tail -1 plain/history.csv)" # there is no such column
}

@test "what is minimized can be watched, and its column stays what it was" {
    xor xor.cfg \
        'regularization = { l2 = 10.0; early_stopping = { monitor = "train_objective"; patience = 2; }; };'
    train --quiet --json --out run xor.cfg --epochs 4
    status_is 0
    equal "$(tail -1 <<<"$output" | jq -r .monitor)" train_objective
    near "$(tail -1 <<<"$output" | jq -r .best)" "$(column run train_objective)" 1e-6
    train --quiet --resume run --epochs 6 --set regularization.l2=0 \
        --set regularization.early_stopping.monitor=train_loss
    status_is 2
    says "has penalties or not (train_objective) as before"
    train --quiet --out other xor.cfg --set regularization.l2=0
    status_is 2
    says 'monitor = "train_objective" is not a column of the history'
}
