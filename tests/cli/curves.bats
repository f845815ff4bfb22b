#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Plots of learning curves, by gnuplot and in the terminal.

# shellcheck disable=SC2154,SC2016,SC2030,SC2031

load helper

plot=$root/scripts/plot_curves.sh
needs_gnuplot() { command -v gnuplot >/dev/null || skip "gnuplot is not installed"; }

# A history of three epochs in the folder $1, with the validation losses 0.8, 0.4 and $2.
a_run() {
    mkdir -p "$1"
    cat >"$1/history.csv" <<END
epoch,step,seconds,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,samples_per_second
1,10,0.1,0.01,1.5,0.5,0.8,0.6,1000
2,20,0.1,0.01,0.7,0.7,0.4,0.8,1000
3,30,0.1,0.001,0.35,0.9,$2,0.85,1000
END
}

@test "curves as SVG and PNG" {
    needs_gnuplot
    a_run one 0.2
    a_run 'the "other" one'"'s" nan
    run "$plot" one 'the "other" one'"'s"
    [ "$status" -eq 0 ] || fail "$output"
    equal "$output" curves.svg
    grep -q '<svg' curves.svg || fail "no SVG"
    for word in loss accuracy 'learning rate' 'one, training' 'one, validation'; do
        grep -q ">$word<" curves.svg || fail "no $word"
    done
    grep -q 'other.* one.*s, training<' curves.svg || fail "no second run"
    run "$plot" -l -o it.png one
    [ "$status" -eq 0 ] || fail "$output"
    equal "$(head -c 4 it.png | tail -c 3)" PNG
    # with -l powers of ten are equally spaced
    "$plot" -l -o log.svg one >/dev/null
    ! cmp -s log.svg curves.svg || fail "-l does nothing"
}

@test "curves in the terminal" {
    needs_gnuplot
    a_run one 0.2
    COLUMNS=60 run "$plot" -t one
    [ "$status" -eq 0 ] || fail "$output"
    [[ $output == *loss*accuracy*'learning rate'* ]] || fail "panels are missing: $output"
    [[ $output == *training*validation* ]] || fail "no key"
    [ "$(printf '%s\n' "$output" | wc -L)" -le 60 ] || fail "wider than the terminal"
    [ ! -e curves.svg ] || fail "a picture, too"
}

@test "curves that cannot be plotted" {
    needs_gnuplot
    a_run one 0.2
    run "$plot"
    equal "$status" 2
    run "$plot" -t -o x.svg one
    equal "$status" 2
    run "$plot" -o x.jpg one
    equal "$status" 2
    [[ $output == *"must end in .svg or .png" ]] || fail "$output"
    run "$plot" nothing
    equal "$status" 3
    [[ $output == *"nothing: cannot be read (is nothing a run's folder?)" ]] || fail "$output"
    printf 'a,b\n1,2\n' >other.csv
    run "$plot" other.csv
    equal "$status" 3
    [[ $output == *"is not the history of a run" ]] || fail "$output"
    head -n 1 one/history.csv >other.csv
    run "$plot" other.csv
    [[ $output == *"has no epoch yet" ]] || fail "$output"
}

@test "curves of a real run" {
    needs_gnuplot
    digits digits.cfg
    train --quiet --out run digits.cfg
    "$plot" -o run.svg run >/dev/null
    grep -q ">accuracy<" run.svg || fail "no accuracy"
    grep -q ">top5<" run.svg || fail "no top5"
}

@test "the loss is plotted at the end of a run, only on a screen" {
    command -v script >/dev/null || skip "script is not installed"
    digits digits.cfg
    screen() { script -qec "stty cols $1 rows 30; $2" /dev/null </dev/null 2>&1 | tr -d '\r'; }
    export dltrain
    TERM=xterm run screen 100 '"$dltrain" --out one digits.cfg'
    [[ $output == *"│"*"val loss $(printf '%.4g' "$(column one val_loss)")"* ]] || fail "no curve"
    [[ $output == *"train loss "*"└──"* ]] || fail "no curve"
    [[ $output == *"── 6"$'\n'"done "* ]] || fail "no axis, or not at the end"
    ! grep -q '[│└]' one/log.txt || fail "it is in the log"
    # ASCII in an ASCII locale, and without color
    TERM=xterm NO_COLOR=1 LC_ALL=C run screen 100 '"$dltrain" --out two digits.cfg'
    [[ $output == *"+-----"*"--- 6"$'\n'"done "* ]] || fail "no plain curve"
    [[ $output != *"└"* ]] || fail "not plain"
    [[ $output != *$'\033['[0-9]*m* ]] || fail "a colour"
    for kind in "TERM=dumb:100:" "TERM=xterm:100:--quiet" "TERM=xterm:40:"; do
        IFS=: read -r set columns option <<<"$kind"
        run screen "$columns" "env $set \"\$dltrain\" $option --force --out three digits.cfg"
        [ "$status" -eq 0 ] || fail "failed"
        [[ $output != *"└"* && $output != *"+----"* ]] || fail "a curve with $kind"
    done
    train --out four digits.cfg
    says_not "└"
}
