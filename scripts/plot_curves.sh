#!/bin/sh
# SPDX-License-Identifier: MIT
# plot_curves.sh [-l] [-t] [-o FILE] RUN...: plots the learning curves of runs in one picture: the
# loss, each metric and the learning rate; training dashed, validation solid.
#   RUN      a run's folder, or a file like its history.csv; one color per run
#   -o FILE  the picture, FILE.svg or FILE.png (default: curves.svg)
#   -l       logarithmic axes for the loss, errors and the learning rate
#   -t       plot in the terminal, as text, instead of a picture
# Needs gnuplot (Debian: gnuplot-nox; scripts/install_deps.sh --test).
set -eu
# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"

usage() {
    echo "usage: $0 [-l] [-t] [-o FILE.svg|FILE.png] RUN..." >&2
    exit 2
}
if [ "${1:-}" = --help ]; then
    print_help
    exit 0
fi
log='' terminal='' out=''
while getopts lto: option; do
    case $option in
    l) log=yes ;;
    t) terminal=yes ;;
    o) out=$OPTARG ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
[ -z "$terminal" ] || [ -z "$out" ] || fail "-t or -o, not both"
out=${out:-curves.svg}
check_gnuplot

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Copies the histories to names that are safe in gnuplot, and collects their titles.
count=0
for run in "$@"; do
    history=$run
    [ ! -d "$run" ] || history=$run/history.csv
    if [ ! -r "$history" ]; then
        echo "$0: $history: cannot be read (is $run a run's folder?)" >&2
        exit 3
    fi
    if ! head -n 1 "$history" | grep -q '^epoch,step,.*,learning_rate,train_loss'; then
        echo "$0: $history: is not the history of a run" >&2
        exit 3
    fi
    if [ "$(sed -n 2p "$history")" = "" ]; then
        echo "$0: $history: has no epoch yet" >&2
        exit 3
    fi
    count=$((count + 1))
    cp -- "$history" "$work/$count.csv"
    case $history in */*) folder=${history%/*} ;; *) folder=. ;; esac
    [ ! -L "$folder" ] || folder=$(readlink "$folder")
    [ "$folder" != . ] || folder=$(pwd)
    folder=${folder%/}
    printf '%s\n' "${folder##*/}" | tr -d '\n' | tr '\000-\037' '?' >"$work/$count.name"
    printf '\n' >>"$work/$count.name"
done

# Prints the gnuplot commands, one panel per quantity of any run, and writes the numbers of panels
# and of columns to the file "panels".
program() {
    awk -F, -v work="$work" -v count="$count" -v logarithmic="$log" \
        -v text="$terminal" '
    function quoted(words) { gsub(/\047/, "\047\047", words); return "\047" words "\047" }
    function panel(name) {
        if (name in known) return
        known[name] = 1
        panels[++panel_count] = name
    }
    # Axes of fractions (accuracy, f1) and of values that can be negative stay linear.
    function is_logarithmic(name) {
        return logarithmic && !bad[name] &&
            name ~ /(loss|objective|rate|mse|rmse|mae|perplexity)$/
    }
    function step(most,    s, i) {
        s = 1
        for (i = 0; most / s > 8; i++) s *= i % 3 == 1 ? 2.5 : 2
        return s
    }
    # With a margin around the values; from 0 if that is near.
    function range(name,    low, high, margin) {
        low = least[name] + 0
        high = greatest[name] + 0
        if (is_logarithmic(name)) return "[" low / 1.4 ":" high * 1.4 "]"
        margin = (high - low) * 0.05
        if (high == low) margin = high == 0 ? 1 : (high < 0 ? -high : high) * 0.2
        if (low >= 0 && low < 0.4 * high || high == low && high > 0) return "[0:" high + margin "]"
        return "[" low - margin ":" high + margin "]"
    }
    # More ticks than powers of ten for ranges of up to two decades.
    function tics(name,    low, high, power, i, list) {
        low = least[name] / 1.4
        high = greatest[name] * 1.4
        if (!is_logarithmic(name) || high / low > 200) return "autofreq"
        for (power = 1; power > low; power /= 10);
        for (; power <= high; power *= 10)
            for (i = 1; i <= 5; i += i == 1 ? 1 : 3)
                if (i * power >= low && i * power <= high)
                    list = list (list == "" ? "" : ", ") sprintf("%.10g", i * power)
        return "(" list ")"
    }
    function note(name, value) {
        if (value !~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/) return # nan, inf
        value += 0
        if (value <= 0) bad[name] = 1
        if (!(name in least) || value < least[name]) least[name] = value
        if (!(name in greatest) || value > greatest[name]) greatest[name] = value
    }
    # One panel; the key is in the first.
    function draw(name, first,    r, line, title, part, column, p, parts) {
        printf "%s\n", is_logarithmic(name) ? "set logscale y" : "unset logscale y"
        printf "set format y %s\n", quoted("%g")
        printf "set ytics %s\n", tics(name)
        printf "set yrange %s\n", range(name)
        printf "set title %s\n", quoted(label(name))
        printf "%s\n", text || first ? "set key" : "unset key"
        split(name == "learning_rate" ? "learning_rate" : "train_" name ",val_" name, parts, ",")
        line = ""
        for (r = 1; r <= count; r++)
            for (p = 1; p in parts; p++) {
                column = place[r, parts[p]]
                if (!column) continue
                part = parts[p] ~ /^val_/ ? "validation" : "training"
                title = name == "learning_rate" ? names[r] : \
                    count == 1 ? part : names[r] ", " part
                line = line (line == "" ? "plot " : ", \\\n     ") quoted(work "/" r ".csv") \
                    " every ::1 using 1:" column " with " style(rows[r]) " " \
                    look(r, part, parts[p]) " title " quoted(title)
            }
        print line
    }
    function label(name) { gsub(/_/, " ", name); return name }
    function style(epochs) { return text || epochs > 1 ? "lines" : "points" }
    function look(r, part, column,    color) {
        color = colors[(r - 1) % color_count + 1]
        if (text) return ""
        return sprintf("lc rgb \"%s\" lw %s dt %s pt 7 ps 0.6", color,
            part == "validation" || column == "learning_rate" ? "2.2" : "1.6",
            part == "validation" || column == "learning_rate" ? "1" : "(6,4)")
    }
    BEGIN {
        color_count = split("#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #555555", colors,
            " ")
        most = 1
        for (r = 1; r <= count; r++) {
            getline names[r] < (work "/" r ".name")
            file = work "/" r ".csv"
            getline < file
            fields = NF
            for (c = 1; c <= NF; c++) {
                heading[c] = $c
                place[r, $c] = c
                if ($c ~ /^(train|val)_/) {
                    name = $c
                    sub(/^(train|val)_/, "", name)
                    panel(name)
                }
            }
            while ((getline < file) > 0) {
                rows[r]++
                if ($1 + 0 > most) most = $1 + 0
                for (c = 1; c <= fields; c++) {
                    name = heading[c]
                    sub(/^(train|val)_/, "", name)
                    if (name in known || name == "learning_rate") note(name, $c)
                }
            }
        }
        panel("learning_rate")
        print "set datafile separator \",\""
        print "set xrange [" (most > 1 ? 1 : 0.5) ":" (most > 1 ? most : 1.5) "]"
        print "set xtics " step(most)
        print text ? "set xlabel \"epoch\"" : "set xlabel \"epoch\" offset 0, 0.4"
        columns = panel_count == 4 ? 2 : panel_count < 3 ? panel_count : 3
        print panel_count, columns >(work "/panels")
        if (!text) print "set key top right opaque"
        for (p = 1; p <= panel_count; p++) draw(panels[p], p == 1)
    }'
}

program >"$work/curves"
read -r panels columns <"$work/panels"
plot "$panels" "$columns" <"$work/curves"
