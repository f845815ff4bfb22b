#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every config of tests/config is refused with the messages of its .expect file, whose first line is
# the exit status, and optionally another config and further arguments. "<list>" stands for a list
# of members, which may grow.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    cd "$root" || return 1 # messages name files as given
}

# matches LINE PATTERN
matches() {
    case $2 in
    *"<list>"*) [[ $1 == "${2%%<list>*}"?*"${2#*<list>}" ]] ;;
    *) [ "$1" = "$2" ] ;;
    esac
}

# check EXPECT: runs dltrain, compares, and prints differences.
check() {
    local want config line pattern number=0
    local -a arguments lines patterns
    read -r want config line <"$1" || [ -n "$want" ]
    [ -n "$config" ] || config=$(basename "$1" .expect)
    [ -z "$line" ] || read -r -a arguments <<<"$line"
    capture "$dltrain" --quiet --dry-run "tests/config/$config.cfg" "${arguments[@]}"
    mapfile -t lines <"$BATS_TEST_TMPDIR/.err"
    mapfile -t patterns < <(tail -n +2 "$1")
    [ "$status" -eq "$want" ] || { echo "$1: exit status $status, not $want" && return 1; }
    [ -z "$output" ] || { echo "$1: prints to stdout: $output" && return 1; }
    while [ $number -lt ${#patterns[@]} ] || [ $number -lt ${#lines[@]} ]; do
        line=${lines[number]-(nothing)}
        pattern=${patterns[number]-(nothing)}
        matches "$line" "$pattern" || {
            printf '%s: says\n  %s\nand not\n  %s\n' "$1" "$line" "$pattern"
            return 1
        }
        number=$((number + 1))
    done
}

@test "every faulty config is refused with the expected messages" {
    local failed=0 count=0 expect
    for expect in tests/config/*.expect; do
        check "$expect" || failed=$((failed + 1))
        count=$((count + 1))
    done
    echo "$failed of $count failed"
    [ $failed -eq 0 ]
    [ $count -gt 50 ]
}

@test "every config of tests/config has expected messages" {
    local config name
    for config in tests/config/*.cfg; do
        name=$(basename "$config" .cfg)
        [ "$name" = good ] || exists "tests/config/$name.expect"
    done
}

@test "the valid config is accepted" {
    train --quiet --dry-run tests/config/good.cfg
    status_is 0
    silent
}

@test "a config and its includes are found from any folder" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p there/deeper
    cp "$root/tests/config/good.cfg" there/main.cfg
    echo '@include "deeper/part.cfg"' >>there/main.cfg
    echo 'regularization = { l2 = -1; };' >there/deeper/part.cfg
    train --quiet --dry-run there/main.cfg
    status_is 2
    says_only 'dltrain: there/deeper/part.cfg:1: "l2" is -1, but must be at least 0'
    cd there
    train --quiet --dry-run main.cfg
    says_only 'dltrain: deeper/part.cfg:1: "l2" is -1, but must be at least 0'
    echo 'regularization = { l2 = 0.5; };' >deeper/part.cfg
    sed -i 's/and\.csv/nand.csv/' main.cfg
    train --quiet --dry-run "$PWD/main.cfg"
    status_is 3 # the config is good now
    says 'nand.csv: not found'
}

@test "carriage returns, a byte order mark, tabs" {
    cd "$BATS_TEST_TMPDIR"
    xor plain.cfg 'seed = 7;'
    { printf '\xef\xbb\xbf' && sed 's/$/\r/; s/  /\t/' plain.cfg; } >other.cfg
    train --quiet --out plain plain.cfg
    status_is 0
    train --quiet --out other other.cfg
    status_is 0
    same_checkpoints plain other
    echo 'sede = 7;' >>other.cfg
    train --quiet --dry-run other.cfg
    says_only 'dltrain: other.cfg:11: a config has no key "sede" (did you mean "seed"?)'
}
