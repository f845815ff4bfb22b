#!/bin/sh
# SPDX-License-Identifier: MIT
# cross_validate.sh CONFIG K [dltrain options]: trains K nets, each validated on a different fold of
# the training file, and prints loss and metrics of the folds, their mean and sample standard
# deviation, in the best epoch of each net, chosen on its fold.
# The runs are in runs/NAME-folds-K/I, or below $FOLDS_DIR. Finished folds are skipped and stopped
# ones resumed: to start over, remove the folder.
set -eu
# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

usage() {
    echo "usage: $0 CONFIG K [dltrain options]" >&2
    exit 2
}
if [ "${1:-}" = --help ]; then
    print_help
    exit 0
fi
[ $# -ge 2 ] || usage
config=$1 folds=$2
shift 2
{ is_count "$folds" && [ "$folds" -gt 1 ]; } || usage
folder=${FOLDS_DIR:-runs/$(basename -- "$config" .cfg)-folds-$folds}
{ cksum <"$config" && printf '%s\n' "$@"; } | record_settings "$folder" "folds of another config"

for fold in $(seq "$folds"); do
    train_net "$folder/$fold" "fold $fold/$folds" "$config" "$@" --fold "$fold/$folds"
    "$programs/dltest" --split validation --json "$folder/$fold" >"$folder/$fold/validation.json"
done

for fold in $(seq "$folds"); do
    print_results "$fold" "$folder/$fold/validation.json"
done | awk -v folds="$folds" '
    { if (!($2 in seen)) { seen[$2] = 1; names[++count] = $2 }
      value[$1, $2] = $3 }
    END {
        printf "%-6s", "fold"
        for (n = 1; n <= count; n++) printf " %12s", names[n]
        printf "\n"
        for (f = 1; f <= folds; f++) {
            printf "%-6d", f
            for (n = 1; n <= count; n++) printf " %12s", shown(value[f, names[n]], names[n])
            printf "\n"
        }
        for (n = 2; n <= count; n++) {
            name = names[n]; sum[name] = 0; squares[name] = 0; have[name] = 0
            for (f = 1; f <= folds; f++)
                if (value[f, name] != "null") { have[name]++; sum[name] += value[f, name] }
            if (have[name]) mean[name] = sum[name] / have[name]
            for (f = 1; f <= folds; f++)
                if (value[f, name] != "null") squares[name] += (value[f, name] - mean[name]) ^ 2
        }
        row("mean"); row("sd")
    }
    function shown(number, name) {
        if (number == "null" || number == "") return "-"
        return name == "rows" ? sprintf("%d", number) : sprintf("%.6g", number)
    }
    function row(what,    n, name) {
        printf "%-6s %12s", what, ""
        for (n = 2; n <= count; n++) {
            name = names[n]
            if (have[name] < (what == "mean" ? 1 : 2)) printf " %12s", "-"
            else if (what == "mean") printf " %12.6g", mean[name]
            else printf " %12.6g", sqrt(squares[name] / (have[name] - 1))
        }
        printf "\n"
    }'
