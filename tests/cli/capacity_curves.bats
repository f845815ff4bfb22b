#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Learning and capacity curves: many nets, a table, a plot.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

set_up() {
    export DLTRAIN_PROGRAMS=$programs
    capacity=$root/scripts/capacity_curve.sh
    learning=$root/scripts/learning_curve.sh
}
needs_gnuplot() { command -v gnuplot >/dev/null || skip "gnuplot is not installed"; }

# cell FILE VALUE SEED COLUMN: a value of curve.csv.
cell() {
    awk -F, -v value="$2" -v seed="$3" -v column="$4" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
        $1 == value && $2 == seed { print $at }' "$1"
}

@test "capacity_curve: the scores of dltest on every part, mean and standard deviation" {
    digits digits.cfg
    capture "$capacity" digits.cfg --values "2 16" -r 3 -o found -- --epochs 3 --threads 1
    status_is 0
    equal "$(cut -d, -f 1-3 found/curve.csv | tr '\n' ' ')" "network.0.units,seed,rows 2,1,1258 \
2,2,1258 2,3,1258 16,1,1258 16,2,1258 16,3,1258 "
    train --quiet --threads 1 --out one digits.cfg --epochs 3 --seed 2 --set network.0.units=16
    same_checkpoints one found/16/2
    for part in train:train val:validation test:test; do
        tested --json --split "${part#*:}" one
        for what in loss accuracy; do
            equal "$(cell found/curve.csv 16 2 "${part%:*}_$what" | jq .)" "$(jq .$what .out)"
        done
    done
    # scores of the training part are without dropout, unlike the history
    [ "$(cell found/curve.csv 16 2 train_loss)" != "$(column one train_loss)" ] || fail "the history's"
    capture "$capacity" digits.cfg --values "2 16" -r 3 -o found -- --epochs 3 --threads 1
    want=$(for seed in 1 2 3; do cell found/curve.csv 16 $seed test_accuracy; done | jq -sr '
        (add / 3) as $mean | "\($mean) \(map((. - $mean) * (. - $mean)) | add / 2 | sqrt)"')
    awk -v want="$want" '/^accuracy/ { on = 1 }
        on && $1 == 16 { split(want, w, " "); gsub(/[()]/, "")
            exit !($8 - w[1] < 1e-4 && w[1] - $8 < 1e-4 && $9 / w[2] < 1.1 && $9 / w[2] > 0.9) }' .out ||
        fail "not $want"
}

@test "capacity_curve: resumes, can be extended, and refuses another experiment" {
    digits digits.cfg
    capture "$capacity" digits.cfg --values "2 4" -r 2 -o found -- --epochs 3
    status_is 0
    cp found/curve.csv first.csv
    rm -r found/2/1
    half_way found/4/2
    capture "$capacity" digits.cfg --values "2 4" -r 2 -o found -- --epochs 3
    status_is 0
    says "network.0.units = 2, net 2 of 2: already finished"
    says "network.0.units = 4, net 2 of 2: resuming"
    same found/curve.csv first.csv
    capture "$capacity" digits.cfg --values "2 3 4" -r 3 -o found -- --epochs 3
    status_is 0
    equal "$(wc -l <found/curve.csv)" 10
    equal "$(grep -c 'already finished' .err)" 4
    for other in "-- --epochs 4" "--key network.1.rate -- --epochs 3"; do
        # shellcheck disable=SC2086
        capture "$capacity" digits.cfg --values 2 -r 1 -o found $other
        status_is 2
        says "found has nets of another config or other options: remove it"
    done
}

@test "capacity_curve: the best epoch of a net, or with --last its last one" {
    digits digits.cfg
    options=(digits.cfg --values 8 -r 1 -o found)
    few=(--epochs 40 --set data.train_share=0.05 --set optimizer.learning_rate=0.1)
    capture "$capacity" "${options[@]}" -- "${few[@]}"
    status_is 0
    [ "$(metadata found/8/1/best.safetensors epoch)" != 40 ] || fail "its last is its best"
    best=$(cell found/curve.csv 8 1 test_loss | jq .)
    tested --json --split test found/8/1
    equal "$best" "$(jq .loss .out)"
    capture "$capacity" "${options[@]}" --last -- "${few[@]}"
    status_is 0
    last=$(cell found/curve.csv 8 1 test_loss | jq .)
    tested --json --last --split test found/8/1
    equal "$last" "$(jq .loss .out)"
    [ "$last" != "$best" ] || fail "the same"
}

@test "capacity_curve: resumes to the same numbers when killed" {
    digits digits.cfg
    options=(digits.cfg --values "2 4" -r 2 -- --epochs 40 --threads 1)
    "$capacity" -o whole "${options[@]}" >/dev/null 2>&1
    for seconds in 0.2 0.5; do
        setsid "$capacity" -o found "${options[@]}" >/dev/null 2>&1 3>&- &
        pid=$!
        sleep $seconds
        kill -9 -- -$pid 2>/dev/null || true
        wait $pid || true
    done
    capture "$capacity" -o found "${options[@]}"
    status_is 0
    same found/curve.csv whole/curve.csv
}

@test "learning_curve: nested shares, the smaller ones for more epochs" {
    digits digits.cfg
    capture "$learning" digits.cfg -k "0.01 0.1 1" -r 1 -o found -- --epochs 2
    status_is 0
    equal "$(cut -d, -f 1-3 found/curve.csv | tr '\n' ' ')" \
        "data.train_share,seed,rows 0.01,1,13 0.1,1,126 1,1,1258 "
    equal "$(for share in 0.01 0.1 1; do column found/$share/1 epoch; done | tr '\n' ' ')" "200 20 2 "
    capture "$learning" digits.cfg -k "0.1 1" -r 1 -o found --same-epochs -- --epochs 2
    status_is 2
    says "or other options"
    capture "$learning" digits.cfg -k "0.1 1" -r 1 -o other --same-epochs -- --epochs 2
    status_is 0
    equal "$(column other/0.1/1 epoch)" 2
    same_checkpoints found/1/1 other/1/1
}

@test "plots of both" {
    needs_gnuplot
    digits digits.cfg
    capture "$capacity" digits.cfg --values "2 8 32" -r 2 -o size -- --epochs 2
    status_is 0
    shows size/curve.svg
    for word in loss accuracy training validation test network.0.units 32; do
        grep -q ">$word<" size/curve.svg || fail "no $word"
    done
    capture "$learning" digits.cfg -k "0.1 1" -r 1 -o rows -p it.png -m "f1 loss auc" -- --epochs 1
    status_is 0
    equal "$(head -c 4 it.png | tail -c 3)" PNG
    exists_not rows/curve.svg
    COLUMNS=60 capture "$learning" digits.cfg -k "0.1 1" -r 1 -o rows -t -- --epochs 1
    status_is 0
    shows "rows for training"
    [ "$(sed -n '/^ .*loss *$/,$p' .out | wc -L)" -le 60 ] || fail "wider than the terminal"
}

@test "without gnuplot the numbers are printed, with a note" {
    digits digits.cfg
    mkdir bin
    for tool in $(compgen -c | sort -u); do
        case $tool in
        gnuplot*) ;;
        sh | awk | sed | cat | seq | mkdir | mv | rm | wc | cksum | basename | dirname | mktemp | grep | \
            readlink | env)
            ln -sf "$(command -v "$tool")" "bin/$tool"
            ;;
        esac
    done
    PATH=$PWD/bin capture "$capacity" digits.cfg --values 2 -r 1 -o found -- --epochs 1
    status_is 0
    says "gnuplot is not installed: no picture"
    exists found/curve.csv
    PATH=$PWD/bin capture "$capacity" digits.cfg --values 2 -r 1 -o other -p x.svg -- --epochs 1
    status_is 1
    exists_not other
}

@test "a net that diverges is omitted; missing parts have no columns" {
    xor xor.cfg
    sed -i -e 's/^optimizer.*/optimizer = { type = "sgd"; learning_rate = 0.1; };/' \
        -e s/binary_cross_entropy/mse/ xor.cfg
    capture "$capacity" xor.cfg --key optimizer.learning_rate --values "0.1 1e30" -r 1 -o found
    status_is 0
    says ": omitted"
    equal "$(wc -l <found/curve.csv)" 2
    ! head -1 found/curve.csv | grep -qE 'val_|test_' || fail "$(head -1 found/curve.csv)"
}

@test "curves: usage errors, before training" {
    digits digits.cfg
    for wrong in "" "nothing.cfg" "digits.cfg digits.cfg" "digits.cfg -r 0" "digits.cfg --values two" \
        "digits.cfg --frobnicate" "digits.cfg -t -p x.svg" "digits.cfg -p x.jpg" "digits.cfg -r" \
        "digits.cfg -- --set network.0.unit=3"; do
        # shellcheck disable=SC2086
        capture "$capacity" $wrong
        status_is 2
        exists_not runs
    done
    for wrong in "-k 2" "-k 0" "--key seed" "--values 1"; do
        # shellcheck disable=SC2086
        capture "$learning" digits.cfg $wrong
        status_is 2
        exists_not runs
    done
    capture "$capacity" digits.cfg --key network.0.unit --values 2 -o found
    status_is 2
    says 'did you mean "units"?'
    capture "$capacity" digits.cfg --values 2 -r 1 -o found2 -m accurcy -- --epochs 1
    status_is 2
    says "-m accurcy: there are loss accuracy"
}
