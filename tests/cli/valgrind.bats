#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Short runs under valgrind: no leaks, no uninitialized reads.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    ! is_sanitized || skip "a sanitizer is in its place"
    xor xor.cfg 'regularization = { clip_norm = 1.0; };'
}

under_valgrind() {
    # set, so that the program does not restart itself without valgrind
    export GOMP_SPINCOUNT=0
    capture valgrind -q --error-exitcode=99 --leak-check=full --log-file=log \
        --errors-for-leak-kinds=definite,indirect,possible \
        --show-leak-kinds=definite,indirect,possible "$@"
}
too_new() { grep -Eq "unhandled instruction|Illegal opcode" log; }

# checked PROGRAM ARGUMENT...: runs under valgrind without findings.
checked() {
    local older=$root/build/valgrind
    if [ ! -e "$BATS_FILE_TMPDIR/older" ]; then
        under_valgrind "$dltrain" --quiet --threads 1 --epochs 1 --out probe --force xor.cfg
        if too_new; then # built for a processor unknown to valgrind
            make -s -j2 -C "$root" BUILD=build/valgrind ARCH=x86-64-v3 \
                build/valgrind/dltrain build/valgrind/dltest >make.log 2>&1 ||
                skip "cannot be built for an older processor"
            touch "$BATS_FILE_TMPDIR/older"
        fi
    fi
    if [ -e "$BATS_FILE_TMPDIR/older" ]; then
        under_valgrind "$older/$(basename "$1")" "${@:2}"
    else
        under_valgrind "$@"
    fi
    ! too_new || skip "valgrind does not know this processor"
    [ ! -s log ] || fail "valgrind says: $(head -40 log)"
}

@test "second-order optimizers" {
    local type
    xor second.cfg
    sed -i 's/binary_cross_entropy/mse/; s/ learning_rate = 0.05;//' second.cfg
    for type in newton bfgs lbfgs gauss_newton levenberg_marquardt normal_equations; do
        sed "s/type = \"adam\"/type = \"$type\"/" second.cfg >$type.cfg
        if [ $type = normal_equations ]; then sed -i '/units = 2/d' $type.cfg; fi
        checked "$dltrain" --quiet --threads 1 --epochs 3 --out $type $type.cfg
        status_is 0
        checked "$dltrain" --quiet --threads 1 --epochs 5 --resume $type
        status_is 0
    done
}

@test "training, resuming, testing" {
    checked "$dltrain" --json --threads 1 --epochs 2 --out run xor.cfg
    status_is 0
    checked "$dltrain" --quiet --threads 1 --epochs 3 --resume run
    status_is 0
    checked "$dltest" --threads 1 run
    status_is 0
    checked "$dltest" --threads 1 --json run
    status_is 0
    awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) print i "," i / 4 + 0.125 }' >line.csv
    sed -i 's/xor.csv"; };/line.csv"; }; validation = 0.25; normalize = "mean_std";/
        s/format/normalize_target = "mean_std"; &/; s/binary_cross_entropy/mse/' xor.cfg
    checked "$dltrain" --quiet --threads 1 --epochs 2 --out line xor.cfg
    status_is 0
    checked "$dltest" --threads 1 line
    status_is 0
}

@test "errors" {
    checked "$dltrain" --quiet "$root/tests/config/several.cfg"
    status_is 2
    checked "$dltrain" --quiet "$root/tests/config/include_faulty.cfg"
    status_is 2
    checked "$dltrain" --quiet xor.cfg --set data.train.file=none.csv
    status_is 3
    checked "$dltrain" --quiet --threads 1 xor.cfg --set optimizer.learning_rate=1e30
    status_is 4
    checked "$dltrain" --quiet --threads 1 xor.cfg --out xor.cfg
    status_is 1
    head -c 1000 xor.cfg >noise
    checked "$dltest" noise
    status_is 3
    checked "$dltrain" --help config
    status_is 0
}
