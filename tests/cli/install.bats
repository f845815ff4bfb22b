#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install and uninstall: everything that is installed works from any folder.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

set_up() {
    is_sanitized && skip "the programs of the top folder are installed"
    rm data # nothing is found in the current folder
    mkdir "a föld er"
    cd "a föld er" || return 1
    make -s -C "$root" install PREFIX="$PWD/to" >/dev/null
    dltrain=$PWD/to/bin/dltrain dltest=$PWD/to/bin/dltest
}

@test "a config by name and by path, and its data" {
    equal "$(find "$root/configs" -name '*.cfg' | wc -l)" \
        "$(find to/share/dltrain/configs -name '*.cfg' | wc -l)"
    train --out a --epochs 1 digits
    status_is 0
    says "config      $PWD/to/share/dltrain/configs/digits.cfg"
    train --quiet --out b --epochs 1 digits.cfg
    status_is 0
    train --quiet --out c --epochs 1 to/share/dltrain/configs/digits.cfg
    status_is 0
    same_history a b
    same_history a c
    tested a
    status_is 0
    shows accuracy
    capture to/bin/dlinspect space search/concrete
    status_is 0
    shows points
    train --quiet --dry-run papers/no-such-paper
    status_is 2
    says "papers/no-such-paper"
    # a file of that name in the current folder comes first
    xor digits.cfg
    mkdir data
    cp "$root/data/xor.csv" data
    train --quiet --print-config digits
    shows '"xor.csv"'
}
@test "a program called through a link" {
    mv to moved
    ln -s moved/bin/dltrain there
    capture ./there --quiet --out a --epochs 1 digits
    status_is 0
}
@test "scripts" {
    capture to/bin/dltrain-cross-validate --help
    status_is 0
    shows "cross_validate.sh CONFIG K"
    xor xor.cfg
    cp "$root/data/xor.csv" .
    BAGGING_DIR=nets capture to/bin/dltrain-bagging xor.cfg 2 --epochs 1 \
        --set data.test.file=xor.csv
    status_is 0
    for script in random-search grid-search learning-curve capacity-curve plot-curves get-data; do
        capture "to/bin/dltrain-$script" --help
        status_is 0
    done
}
@test "the library's flags" {
    eval "flags=($(PKG_CONFIG_PATH=to/lib/pkgconfig pkg-config --cflags dltrain))"
    exists "${flags[0]#-I}/dltrain.h"
}
@test "man pages; uninstall leaves nothing" {
    for page in dltrain dltest dlpredict dlinspect dlconvert; do
        exists to/share/man/man1/$page.1
        exists to/share/bash-completion/completions/$page
    done
    exists to/share/man/man5/dltrain.cfg.5
    make -s -C "$root" uninstall PREFIX="$PWD/to" >/dev/null
    equal "$(find to ! -type d)" ""
}
