#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Runs that are killed, or whose disk fails, at each call that writes or removes a file: the result
# is a complete run or is refused; nothing is lost silently.

# shellcheck disable=SC2154,SC2030,SC2031,SC2034

load helper

set_up() {
    cc -shared -fPIC -O1 -o calls.so "$root/tests/shims/calls.c" -ldl 2>.cc ||
        skip "no shim: $(head -1 .cc)"
    ! is_sanitized || skip "the shim does not go together with sanitizers"
    xor xor.cfg
}

# ended AT HOW ARGUMENTS...: runs dltrain; call number AT ends this way.
ended() {
    local at=$1 how=$2
    shift 2
    rm -f calls
    { capture env CALL_AT="$at" CALL_ENDS="$how" CALL_COUNT="$PWD/calls" LD_PRELOAD="$PWD/calls.so" \
        "$dltrain" --quiet --threads 1 "$@"; } 2>/dev/null
}

# was_made AT: whether that call was made.
was_made() { [ "$(stat -c %s calls)" -ge "$1" ]; }

# resumed_whole RUN SEED...: resumes to a complete history and the weights of the seed, or is
# refused with a message.
resumed_whole() {
    local seed
    train --quiet --resume "$1"
    if [ "$status" -ne 0 ]; then
        [ -n "$errors" ] || fail "refused in silence"
        return 0
    fi
    equal "$(sed 1d "$1/history.csv" | cut -d, -f1 | tr '\n' ' ')" "1 2 3 "
    seed=$(metadata "$1/last.safetensors" config | grep '^seed = ')
    equal "$(grep '^seed = ' "$1/config.cfg")" "$seed"
    equal "$(find "$1" -name '*.tmp')" ""
}

@test "a new run" {
    local at how
    train --quiet --threads 1 --out whole xor.cfg
    for how in before 28; do
        for ((at = 1; ; at++)); do
            rm -rf run
            ended $at $how --out run xor.cfg
            was_made $at || break
            [ ! -d run ] || resumed_whole run
            [ ! -e run/last.safetensors ] || same whole/last.safetensors run/last.safetensors
        done
        [ $at -gt 10 ] || fail "only $at calls"
    done
}

@test "a run that replaces another" {
    local at how
    train --quiet --threads 1 --seed 1 --out old --stop-after 2 xor.cfg
    for how in before 28; do
        for ((at = 1; ; at++)); do
            rm -rf run
            cp -r old run
            ended $at $how --seed 9 --force --out run xor.cfg
            was_made $at || break
            resumed_whole run
        done
        [ $at -gt 15 ] || fail "only $at calls"
    done
}

@test "a resumed run" {
    local at how
    train --quiet --threads 1 --out whole xor.cfg
    train --quiet --threads 1 --out old --stop-after 1 xor.cfg
    for how in before 28; do
        for ((at = 1; ; at++)); do
            rm -rf run
            cp -r old run
            ended $at $how --resume run
            was_made $at || break
            resumed_whole run
            status_is 0 # a checkpoint always exists
            same whole/last.safetensors run/last.safetensors
        done
        [ $at -gt 8 ] || fail "only $at calls"
    done
}

@test "a call that fails is an error" {
    local at failed=0
    for ((at = 1; ; at++)); do
        rm -rf run
        ended $at 5 --out run xor.cfg
        was_made $at || break
        [ "$status" -eq 0 ] || { status_is 1 && says "Input/output error" && failed=$((failed + 1)); }
    done
    [ $failed -gt 8 ] || fail "only $failed of $at calls that failed were noticed"
}

@test "rows that a history lacks are reported" {
    train --quiet --out run --stop-after 3 --epochs 4 xor.cfg
    sed -i 2d run/history.csv
    train --resume run
    status_is 0
    says "warning: run/history.csv has rows of only 2 of the checkpoint's 3 epochs"
}
