#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# OpenBLAS on processors that it does not know, and with memory limits.
# shellcheck disable=SC2030,SC2031,SC2154

load helper

set_up() {
    cat >tiny.cfg <<'C'
data = { format = "random"; train = { input = (4); classes = 2; rows = 8; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 8; epochs = 1; };
C
}

# An OpenBLAS that recognizes no processor, but honors OPENBLAS_CORETYPE.
forgetful() {
    is_sanitized && skip "a sanitizer's library must be the first one"
    cat >core.c <<'C'
#include <stdlib.h>
const char *openblas_get_corename(void) {
    const char *core = getenv("OPENBLAS_CORETYPE");
    return core ? core : "Prescott";
}
C
    cc -shared -fPIC -o core.so core.c || skip "no compiler"
    export LD_PRELOAD=$PWD/core.so
}

@test "OpenBLAS: slower kernels than the processor's are replaced, with a note in the log" {
    grep -qw avx2 /proc/cpuinfo || skip "a processor without AVX2"
    forgetful
    train --out run tiny.cfg
    status_is 0
    [[ $errors =~ kernels\ +OpenBLAS\ (Haswell|SkylakeX)\ \(set\ by\ dltrain,\ instead\ of\ Prescott\) ]] || fail "not replaced"
    says_not "weaker than this processor"
    tested run
    status_is 0
}

@test "OpenBLAS: a user's choice of kernels is kept, with a note if it is slow" {
    grep -qw avx2 /proc/cpuinfo || skip "a processor without AVX2"
    forgetful
    OPENBLAS_CORETYPE=SapphireRapids train --out run tiny.cfg
    status_is 0
    says "OpenBLAS SapphireRapids,"
    says_not OPENBLAS_CORETYPE
    OPENBLAS_CORETYPE=Prescott train --force --out run tiny.cfg
    status_is 0
    says "OpenBLAS Prescott,"
    says "OPENBLAS_CORETYPE is set in the environment: OpenBLAS uses the kernels of Prescott, weaker than"
}

@test "OpenBLAS: kernels with wrong products are refused" {
    forgetful
    cat >wrong.c <<'C'
void cblas_sgemm(void) {}
C
    cc -shared -fPIC -o wrong.so wrong.c
    LD_PRELOAD="$PWD/wrong.so" train --out run tiny.cfg
    status_is 1
    says "compute wrong products on this processor"
}

@test "OpenBLAS: too low a memory limit is an error, not an endless loop" {
    is_sanitized && skip "a sanitizer takes more address space"
    local limit
    for limit in 100000 200000 250000 300000 340000 450000 600000; do
        for threads in 1 2; do
            for program in "$dltrain --version" "$dltest --version" \
                "$dltrain --quiet --force --threads 2 --out run tiny.cfg"; do
                status=0
                # shellcheck disable=SC2086
                errors=$( (ulimit -v $limit; OMP_NUM_THREADS=$threads timeout -k 1 20 $program) 2>&1) || status=$?
                [ "$status" = 0 ] || [ "$status" = 1 ] || fail "$program under ulimit -v $limit"
                [ "$status" = 0 ] || says "memory is limited to $limit kB (ulimit -v), too little for OpenBLAS with"
            done
        done
    done
    errors=$( (ulimit -v 300000; OMP_NUM_THREADS=1 "$dltrain" --version) 2>&1) || true
    says "with 1 thread: it needs "
    limit=$(sed -n 's/.* needs \([0-9]*\) kB$/\1/p' <<<"$errors")
    (ulimit -v $((limit + 1000)) && OMP_NUM_THREADS=1 "$dltrain" --version) || fail "$limit kB do not suffice"
}
