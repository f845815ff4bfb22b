#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The completion scripts that the programs generate from their option tables.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC1091

load helper

set_up() {
    "$dltrain" --help completion bash >dltrain.bash
    "$dltest" --help completion bash >dltest.bash
    "$dlpredict" --help completion bash >dlpredict.bash
    "$dlinspect" --help completion bash >dlinspect.bash
    # shellcheck source=/dev/null
    . ./dltrain.bash
    # shellcheck source=/dev/null
    . ./dltest.bash
    # shellcheck source=/dev/null
    . ./dlpredict.bash
    # shellcheck source=/dev/null
    . ./dlinspect.bash
}

# completes WORD...: the completions of the last word, sorted, in $replies.
completes() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    "_$1"
    replies=" $(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')"
}
offers() { [[ $replies == *" $1 "* ]] || fail "no '$1' in '$replies'"; }
offers_not() { [[ $replies != *" $1 "* ]] || fail "'$1' in '$replies'"; }

@test "bash has completions for the programs" {
    complete -p dltrain | grep -q -- '-F _dltrain dltrain'
    complete -p dltest | grep -q -- '-F _dltest dltest'
}
@test "every option of --help is completed" {
    for program in dltrain dltest dlpredict; do
        completes $program --
        for option in $("${!program}" --help | grep -o '^  \(-., \)\?--[a-z-]*'); do
            [[ $option != --* ]] || offers "$option"
        done
    done
    for command in $("$dlinspect" --help | sed -n 's/^  \([a-z]*\) [A-Z].*/\1/p'); do
        completes dlinspect "${command:0:3}"
        offers "$command"
        completes dlinspect "$command" --
        for option in $("$dlinspect" "$command" --help | grep -o -- '--[a-z-]*'); do
            offers "$option"
        done
    done
    completes dltrain --s
    equal "$replies" " --sample --seed --set --stop-after "
    completes dlinspect diagnose --
    offers_not --rank
}
@test "--set: paths of the config" {
    completes dltrain --set training.ep
    equal "$replies" " training.epochs= "
    completes dltrain --set optimizer.
    offers optimizer.learning_rate=
    offers optimizer.type=
    completes dltrain --set network.12.un
    equal "$replies" " network.12.units= "
    completes dltrain --set network.
    offers network.0.units=
}
@test "--set: values of a key" {
    completes dltrain --set optimizer.type = ad
    offers adam
    offers adagrad
    offers_not sgd
    completes dltrain --set loss.type =
    offers softmax_cross_entropy
    completes dltrain --set network.3.activation = re
    equal "$replies" " relu relu6 "
    completes dltrain --set training.shuffle = ""
    equal "$replies" " false true "
}
@test "values of other options, and files" {
    mkdir folder
    touch a.cfg a.txt folder/b.cfg
    completes dltrain --backend o
    equal "$replies" " onednn openblas "
    completes dltrain --resume f
    equal "$replies" " folder "
    completes dltrain a
    equal "$replies" " a.cfg "
    completes dltrain --seed ""
    equal "$replies" "  "
    completes dltest --split v
    equal "$replies" " validation "
    completes dlpredict --generate "" # a number: no files
    equal "$replies" "  "
    completes dlinspect batch -o a
    equal "$replies" " a.cfg a.txt "
    completes dlinspect net a
    equal "$replies" " a.cfg "
    completes dlinspect compare f
    equal "$replies" " folder "
    completes dlinspect data --set training.ep
    equal "$replies" " training.epochs= "
}
@test "zsh: the script parses" {
    for program in dltrain dltest dlpredict dlinspect; do
        capture "${!program}" --help completion zsh
        status_is 0
        equal "$(head -n 1 <<<"$output")" "#compdef $program"
        shows "'*--set=:key:_${program}_set'"
        ! command -v zsh >/dev/null || zsh -n <(printf '%s\n' "$output")
    done
    command -v zsh >/dev/null || skip "there is no zsh here"
}
@test "another shell, or none" {
    train --help completion fish
    status_is 2
    says "for bash or zsh, not fish"
    tested --help completion
    status_is 2
}
@test "make install puts them where the shells look them up" {
    is_sanitized && skip "the programs of the top folder are installed"
    make -s -C "$root" install DESTDIR="$PWD/to" PREFIX=/usr >/dev/null
    same dltrain.bash to/usr/share/bash-completion/completions/dltrain
    same dltest.bash to/usr/share/bash-completion/completions/dltest
    exists to/usr/share/zsh/site-functions/_dltrain
    exists to/usr/share/bash-completion/completions/dlinspect
}
