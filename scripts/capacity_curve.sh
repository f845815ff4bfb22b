#!/bin/sh
# SPDX-License-Identifier: MIT
# capacity_curve.sh CONFIG [--key KEY] [--values VALUES] [-r REPEATS] [-o FOLDER] [-p PICTURE]
#                   [-m METRICS] [-t] [--last] [-- dltrain options]
# Trains nets of increasing size, or with increasing values of another key, and plots loss and
# metrics on training, validation and test data: the mean of several nets and, as a band, their
# sample standard deviation. Defaults are in parentheses.
#   --key KEY        the key to vary (network.0.units)
#   --values VALUES  its values ("1 2 4 8 16 32 64")
#   -r REPEATS       nets per value, with the seeds 1, 2, ... (3), on the same split
#   -o FOLDER        for the runs, VALUE/SEED, and for curve.csv, one row per net
#                    (runs/NAME-capacity)
#   -p PICTURE       FILE.svg or FILE.png (FOLDER/curve.svg); needs gnuplot
#   -m METRICS       the metrics of dltest --json to plot ("loss accuracy", for regression "loss
#                    rmse"); curve.csv has all
#   -t               plot in the terminal, as text, instead of a picture
#   --last           use the last epoch of each net instead of its best
# dltest measures all parts in the same epoch, without dropout and augmentation. Finished nets are
# skipped and stopped ones resumed; values and repeats can be added. Nets that diverge are omitted,
# with a message.
set -eu
# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

config='' key=network.0.units values='1 2 4 8 16 32 64' repeats=3 folder='' metrics='' last=''
kind=capacity same=''
while [ $# -gt 0 ]; do
    case $1 in
    --help) print_help && exit ;;
    --key | --values | -k | -r | -o | -p | -m)
        [ $# -ge 2 ] || fail "$1 needs a value"
        case $1 in
        --key) key=$2 ;;
        --values | -k) values=$2 ;;
        -r) repeats=$2 ;;
        -o) folder=$2 ;;
        -p) out=$2 ;;
        -m) metrics=$2 ;;
        esac
        shift
        ;;
    -t) terminal=yes ;;
    --last) last=--last ;;
    --learning) kind=learning key=data.train_share values='0.01 0.02 0.05 0.1 0.2 0.5 1' ;;
    --same-epochs) same=yes ;;
    --) shift && break ;;
    -*) fail "unknown argument '$1' (--help; options of dltrain follow --)" ;;
    *)
        [ -z "$config" ] || fail "one config at a time, not also $1"
        config=$1
        ;;
    esac
    shift
done
[ -n "$config" ] || fail "which config? (--help)"
is_count "$repeats" || fail "-r $repeats: must be a number from 1"
for value in $values; do
    awk -v x="$value" 'BEGIN { exit x !~ /^[0-9]+([.][0-9]+)?(e-?[0-9]+)?$/ }' ||
        fail "'$value': values are numbers: 16, 0.01"
    [ $kind = capacity ] || awk -v x="$value" 'BEGIN { exit !(x > 0 && x <= 1) }' ||
        fail "'$value': shares are above 0, and 1 at most"
done
[ -n "$value" ] || fail "which values? (--help)"
folder=${folder:-runs/$(basename -- "$config" .cfg)-$kind}
[ -z "$terminal" ] || [ -z "$out" ] || fail "-t or -p, not both"
wanted=$out$terminal
out=${out:-$folder/curve.svg}
if [ -n "$wanted" ] || command -v gnuplot >/dev/null; then
    check_gnuplot
else
    echo "${0##*/}: gnuplot is not installed: no picture" >&2
    out=''
fi

# Report all errors of the config before training.
epochs=$("$programs/dltrain" "$@" --print-config "$config" |
    sed -n 's/^  epochs = \([0-9]*\);/\1/p')
[ -n "$epochs" ] || exit 2
{ cksum <"$config" && printf '%s\n' "$key" "$same" "$@"; } |
    record_settings "$folder" "nets of another config"

# evaluate RUN: writes the scores on each part to RUN/train.json and so on.
evaluate() {
    for part in train validation test; do
        if ! "$programs/dltest" $last --split $part --json "$1" >"$1/$part.json" \
            2>"$1/errors"; then
            rm "$1/$part.json"
            grep -q "its config has no $part data" "$1/errors" ||
                { cat "$1/errors" >&2 && return 1; }
        fi
        rm -f "$1/errors"
    done
}

# net VALUE SEED [dltrain options]: trains and evaluates one; reports one that diverges.
net() {
    value=$1 run=$folder/$1/$2 label="$key = $1, net $2 of $repeats" status=0
    shift 2
    train_net "$run" "$label" "$config" "$@" --set "$key=$value" || status=$?
    case $status in
    0) evaluate "$run" ;;
    4) rm -f "$run"/*.json && echo "${0##*/}: omitted" >&2 ;;
    *) exit "$status" ;;
    esac
}
for value in $values; do
    more=$epochs
    if [ $kind = learning ] && [ -z "$same" ]; then
        more=$(awk -v n="$epochs" -v x="$value" 'BEGIN { printf "%d", n / x + 0.5 }')
    fi
    for seed in $(seq "$repeats"); do
        net "$value" "$seed" "$@" --seed "$seed" --epochs "$more"
    done
done

# One row per net.
for value in $values; do
    for seed in $(seq "$repeats"); do
        for part in train validation test; do
            file=$folder/$value/$seed/$part.json
            [ ! -e "$file" ] || print_results "$value $seed $part" "$file"
        done
    done
done | awk -v key="$key" '
    { part = $3 == "validation" ? "val" : $3; net = $1 "," $2 }
    $4 == "rows" { if (part == "train") { nets[++count] = net; rows[net] = $5 } next }
    { column = part "_" $4; value[net, column] = $5; has[column] = 1 }
    !($4 in known) { known[$4] = 1; names[++name_count] = $4 }
    END {
        split("train_ val_ test_", parts, " ")
        printf "%s,seed,rows", key
        for (n = 1; n <= name_count; n++) for (p = 1; p <= 3; p++) {
            column = parts[p] names[n]
            if (!(column in has)) continue
            columns[++width] = column
            printf ",%s", column
        }
        printf "\n"
        for (i = 1; i <= count; i++) {
            printf "%s,%s", nets[i], rows[nets[i]]
            for (c = 1; c <= width; c++) {
                number = value[nets[i], columns[c]]
                printf ",%s", number == "null" ? "" : number
            }
            printf "\n"
        }
    }' >"$folder/curve.csv.tmp"
mv "$folder/curve.csv.tmp" "$folder/curve.csv"
[ "$(wc -l <"$folder/curve.csv")" -gt 1 ] || fail "no net has results"

# The table, and the gnuplot commands.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -F, -v work="$work" -v kind=$kind -v metrics="$metrics" -v text="$terminal" -v me="${0##*/}" '
    NR == 1 {
        for (c = 4; c <= NF; c++) {
            place[name = $c] = c
            sub(/^[a-z]*_/, "", name)
            if (!(name in known)) all = all " " name
            known[name] = 1
        }
        key = $1
        if (metrics == "") {
            split(all, names, " ")
            metrics = "loss " \
                ("accuracy" in known ? "accuracy" : "rmse" in known ? "rmse" : names[2])
        }
        count = split(metrics, shown, " ")
        for (m = 1; m <= count; m++) if (!(shown[m] in known)) {
            printf "%s: -m %s: there are%s\n", me, shown[m], all >"/dev/stderr"
            exit failed = 2
        }
        next
    }
    {
        x = (kind == "learning" ? $3 : $1) + 0
        if (!(x in nets)) { xs[++points] = x; first[x] = $1 }
        nets[x]++
        rows[x] = $3
        for (c = 4; c <= NF; c++) if ($c != "") {
            numbers[x, c, ++have[x, c]] = $c
            sum[x, c] += $c
        }
    }
    function mean(x, c) { return sum[x, c] / have[x, c] }
    function deviation(x, c,    i, squares) { # of a sample
        for (i = 1; i <= have[x, c]; i++) squares += (numbers[x, c, i] - mean(x, c)) ^ 2
        return have[x, c] > 1 ? sqrt(squares / (have[x, c] - 1)) : 0
    }
    function table(name,    i, p, c, cell) {
        printf "%s%s\n%-12s", (m > 1 ? "\n" : ""), name, (kind == "learning" ? "share" : "value")
        printf "%8s%6s", "rows", "nets"
        for (p = 1; p <= 3; p++) if (parts[p] name in place) printf "  %-20s", titles[p]
        printf "\n"
        for (i = 1; i <= points; i++) {
            printf "%-12s%8s%6d", first[xs[i]], rows[xs[i]], nets[xs[i]]
            for (p = 1; p <= 3; p++) if (c = place[parts[p] name]) {
                cell = have[xs[i], c] ? sprintf("%.5g", mean(xs[i], c)) : "-"
                if (have[xs[i], c] > 1) cell = cell sprintf(" (%.2g)", deviation(xs[i], c))
                printf "  %-20s", cell
            }
            printf "\n"
        }
    }
    # Keeps bands from extending the axis beyond possible values.
    function range(name,    i, p, c, low, high, from, to) {
        for (p = 1; p <= 3; p++) if (c = place[parts[p] name])
            for (i = 1; i <= points; i++) if (have[xs[i], c]) {
                low = mean(xs[i], c) - deviation(xs[i], c)
                high = mean(xs[i], c) + deviation(xs[i], c)
                if (low < 0 && from != "*") from = mean(xs[i], c) < 0 ? "*" : 0
                if (high > 1) to = 1
            }
        if (name !~ /^(accuracy|top[0-9]+|precision|recall|f1|auc|iou|dice|box_iou)$/) to = ""
        return "[" (from == "" ? "*" : from) ":" (to == "" ? "*" : to) "]"
    }
    function panel(name,    i, p, c, line, look, data) {
        print "set yrange " range(name) >program
        for (p = 1; p <= 3; p++) if (c = place[parts[p] name]) {
            data = "$" parts[p] m
            print data " << END" >program
            for (i = 1; i <= points; i++) if (have[xs[i], c])
                print xs[i], mean(xs[i], c), deviation(xs[i], c) >program
            print "END" >program
            look = text ? " with linespoints" : " with linespoints lc rgb \"" colors[p] \
                "\" lw 2 pt 7 ps 0.5" (p == 1 ? " dt (6,4)" : "")
            if (!text) line = line (line == "" ? "" : ", ") data \
                " using 1:($2-$3):($2+$3) with filledcurves lc rgb \"" colors[p] \
                "\" fs transparent solid 0.15 noborder notitle"
            line = line (line == "" ? "" : ", ") data " using 1:2" look " title \"" titles[p] "\""
        }
        gsub(/_/, " ", name)
        printf "set title \"%s\"\nplot %s\n", name, line >program
    }
    END {
        if (failed) exit failed
        program = work "/curves"
        split("train_ val_ test_", parts, " ")
        split("training validation test", titles, " ")
        split("#0072B2 #D55E00 #009E73", colors, " ")
        low = high = xs[1]
        for (i = 1; i <= points; i++) {
            if (xs[i] < low) low = xs[i]
            if (xs[i] > high) high = xs[i]
        }
        logarithmic = low > 0 && high / low >= 10
        print "set xlabel \"" (kind == "learning" ? "rows for training" : key) "\"" >program
        if (!text) print "set key bmargin center horizontal\nset bmargin 5.4" >program
        if (logarithmic) print "set logscale x" >program
        if (points > 1) {
            margin = logarithmic ? (high / low) ^ 0.02 : (high - low) * 0.02
            print "set xrange [" (logarithmic ? low / margin : low - margin) ":" \
                (logarithmic ? high * margin : high + margin) "]" >program
            for (i = 1; i <= points; i++) tics = tics (i > 1 ? ", " : "") "\"" xs[i] "\" " xs[i]
            if (points <= 10) print "set xtics (" tics ")" >program
        }
        for (m = 1; m <= count; m++) { table(shown[m]); panel(shown[m]) }
        columns = count == 4 ? 2 : count < 3 ? count : 3
        print count, columns >(work "/panels")
    }' "$folder/curve.csv"
[ -n "$out" ] || exit 0
read -r panels columns <"$work/panels"
plot "$panels" "$columns" <"$work/curves"
echo "all nets: $folder/curve.csv"
