#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One failed allocation, at every possible point: a message and exit status 1, or the usual
# checkpoint; never an unreadable one.

# shellcheck disable=SC2154,SC2034

load helper

set_up() {
    cc -shared -fPIC -O1 -o fail.so "$root/tests/shims/allocation.c" -ldl 2>.cc ||
        skip "no shim: $(head -1 .cc)"
    ! is_sanitized || skip "the sanitizers have allocators of their own"
    digits t.cfg
}

# started VARIABLE=VALUE...: runs dltrain with a failing allocation.
started() {
    capture timeout 20 env "$@" LD_PRELOAD="$PWD/fail.so" "$dltrain" --quiet --threads 1 \
        --backend openblas --out run --epochs 1 --set data.test=0.7 t.cfg
}

# refused MOST VARIABLE=VALUE: about MOST failures, spread evenly over all allocations.
refused() {
    local most=$1 count at refusals=0
    shift
    started "$@" FAIL_COUNT=count
    status_is 0
    mv run whole
    count=$(cat count)
    for ((at = 1; at <= count; at += count / most + 1)); do
        started "$@" FAIL_AT="$at"
        if [ "$status" -eq 0 ]; then
            same whole/last.safetensors run/last.safetensors
        else
            status_is 1
            [ -n "$errors" ] || fail "no message at allocation $at"
            refusals=$((refusals + 1))
            if [ -e run/last.safetensors ]; then
                tested run/last.safetensors
                status_is 0
            fi
        fi
        rm -rf run
    done
    [ "$refusals" -gt $((most / 4)) ] || fail "only $refusals of $count allocations were missed"
}

# libconfig 1.5 does not check for NULL itself.
@test "any allocation fails, except in libconfig" { refused 80 FAIL_NOT=libconfig; }

@test "out of memory: the message has the size" {
    started FAIL_IN=dltrain FAIL_AT=20
    status_is 1
    [[ $errors =~ ^"dltrain: out of memory: cannot allocate "[0-9]+" bytes"$ ]] || fail "another message"
}
