#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check_long.sh: trains the shipped configs and compares the results with the marks below
# (make check-long). Takes more than an hour on two cores; not part of `make check`.
set -euo pipefail
export LC_ALL=C
cd -- "$(dirname -- "$0")/.."
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
echo "| config | part | result | mark | epochs | seconds |"
echo "| --- | --- | ---: | ---: | ---: | ---: |"

# check CONFIG METRIC OPERATOR MARK: METRIC of dltest must be OPERATOR (ge or le) MARK.
check() {
    mkdir -p "$(dirname "$folder/$1")"
    ./dltrain "configs/$1.cfg" --quiet --json --out "$folder/$1" >"$folder/$1.json"
    ./dltest --json "$folder/$1" >"$folder/$1.test.json"
    verdict=$(jq --arg op "$3" --argjson mark "$4" \
        "if \$op == \"ge\" then .$2 >= \$mark else .$2 <= \$mark end" "$folder/$1.test.json")
    [ "$verdict" = true ] || failed=1
    jq -rs --arg config "$1" --arg metric "$2" --arg op "$3" --arg mark "$4" \
        --arg verdict "$verdict" '
        .[0] as $test | last as $final |
        "| \($config) | \($test.split) | \($metric) \($test[$metric] * 10000 | round / 10000) "
        + "| \(if $op == "ge" then "≥" else "≤" end) \($mark)"
        + "\(if $verdict == "true" then "" else " MISSED" end) "
        + "| \($final.epochs) | \($final.seconds * 10 | round / 10) |"' \
        "$folder/$1.test.json" "$folder/$1.json"
}

check digits accuracy ge 0.97
check and accuracy ge 1
check or accuracy ge 1
check not accuracy ge 1
check xor accuracy ge 1
check xor-lm accuracy ge 1
check iris accuracy ge 0.93
check car accuracy ge 0.98
check concrete rmse le 6.0
check mnist-mlp accuracy ge 0.984
check mnist accuracy ge 0.992
check mnist-augmented accuracy ge 0.995
check fashion-mnist accuracy ge 0.92
check models/lenet5 accuracy ge 0.988
check models/autoencoder rmse le 20
check models/denoising_autoencoder rmse le 18
check models/siamese accuracy ge 0.98
check models/resnet20-cifar accuracy ge 0.70
check models/resnet20-cifar-augmented accuracy ge 0.80
check models/char_lstm loss le 1.60
check papers/no-dropout-mnist accuracy ge 0.985
check papers/dropout-mnist accuracy ge 0.989
exit "$failed"
