#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The manual pages: syntax, and agreement with the programs.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# options FILE: the long options in a text.
options() { grep -oE -- '--[a-z][a-z-]+' "$1" | sort -u; }

@test "the pages pass mandoc -Tlint" {
    command -v mandoc >/dev/null || skip "mandoc is not installed"
    "$dltrain" --help man >dltrain.cfg.5
    for page in "$root"/man/*.1 dltrain.cfg.5; do
        capture mandoc -Tlint -Wwarning "$page"
        status_is 0
        silent
        mandoc -Tutf8 "$page" | sed 's/.\x08//g' >page
        [ "$(wc -l <page)" -gt 60 ] || fail "$page is short"
        [ "$(wc -L <page)" -le 100 ] || fail "$page is wide"
    done
}

@test "each page has exactly the options of its program" {
    command -v mandoc >/dev/null || skip "mandoc is not installed"
    for program in dltrain dltest dlpredict dlinspect dlconvert; do
        "$programs/$program" --help >usage
        for command in $(sed -n 's/^  \([a-z]*\) [A-Z].*/\1/p' usage); do
            "$programs/$program" "$command" --help >>usage
        done
        mandoc -Tutf8 -Owidth=200 "$root/man/$program.1" | sed 's/.\x08//g' >page
        equal "$(options page)" "$(options usage)"
    done
}

@test "the page of the config has every key of every table" {
    "$dltrain" --help man >page
    for topic in config layers losses optimizers schedules formats; do
        "$dltrain" --help $topic >topic
        [ $topic = config ] || for name in $(sed -n 's/^  \([a-z_0-9]\+\)  .*/\1/p' topic); do
            grep -Eq "^\.SS (layer|type|format) = .*$name" page || fail "no $name"
            "$dltrain" --help "$name" >>topic
        done
        for key in $(sed -n 's/^  \([a-z_0-9]\+\): .*/\1/p' topic); do
            grep -q "^\.B $key$" page || fail "no $key"
        done
    done
    for metric in $("$dltrain" --help metrics | sed -n 's/^  \([a-z_0-9]\+\)  .*/\1/p'); do
        grep -q "^\.B $metric$" page || fail "no $metric"
    done
}

@test "the pages match the programs (make man)" {
    for program in dltrain dltest dlpredict dlinspect dlconvert; do
        "$programs/$program" --help options >options
        sed -n '/^\.\\" The options,/,/^\.\\" End of/p' "$root/man/$program.1" |
            sed '1d; $d' >listed
        same options listed
    done
    "$dltrain" --help man >page
    same page "$root/man/dltrain.cfg.5"
}

@test "the examples in the pages work" {
    # the config in dltrain.cfg(5), on similar data
    "$dltrain" --help config | sed -n '/^name = /,/^training = /p' >iris.cfg
    [ "$(wc -l <iris.cfg)" -gt 10 ] || fail "no example"
    mkdir iris
    awk 'BEGIN { print "a,b,c,d,species"; for (i = 0; i < 60; i++)
        print i % 7 "," i % 5 "," i % 3 * 2 "," i % 11 "," substr("xyz", i % 3 + 1, 1) }' \
        >iris/iris.csv
    train --quiet iris.cfg
    status_is 0
    tested runs/latest --json
    equal "$(jq '.accuracy == 1' .out)" true
    # the examples at the end of the pages
    rm -r runs
    ln -s "$root/configs" configs
    train --quiet configs/digits.cfg --set network.0.units=256 \
        --set optimizer.learning_rate=0.001 --epochs 2
    status_is 0
    train --quiet --resume runs/digits --epochs 3
    status_is 0
    "$dltrain" --quiet --json configs/digits.cfg --epochs 2 | jq -e .val_loss >/dev/null || true
    tested runs/digits --json
    jq -e '.accuracy > 0.5' .out >/dev/null || fail "no accuracy"
}
