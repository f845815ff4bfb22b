#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Data from a pipe are read once; a signal ends a program that waits for one; reading respects the
# memory limit.

# shellcheck disable=SC2154,SC2030,SC2031

load helper

set_up() { xor xor.cfg; }

@test "a named pipe, /dev/stdin, - and <(...) work like the file" {
    train --quiet --out file xor.cfg
    status_is 0
    mkfifo pipe
    timeout 20 cat data/xor.csv >pipe &
    train --quiet --out pipe.run --set data.train.file=pipe xor.cfg
    status_is 0
    for name in - /dev/stdin; do
        status=0
        cat data/xor.csv | "$dltrain" --quiet --force --out stdin.run --set data.train.file=$name xor.cfg 2>.err ||
            status=$?
        errors=$(cat .err)
        status_is 0
        same_history file stdin.run
    done
    train --quiet --out substitution.run --set data.train.file=<(gzip -c data/xor.csv) xor.cfg
    status_is 0
    for run in pipe.run substitution.run; do same_history file $run; done
}

@test "arrays and archives through a pipe" {
    printf '\x93NUMPY\x01\x00\x46\x00%-69s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 2), }" >x.npy
    printf '\0\0\0\1\1\0\1\1' >>x.npy
    printf '\x93NUMPY\x01\x00\x46\x00%-69s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }" >y.npy
    printf '\0\1\1\0' >>y.npy
    train --quiet --out file --set 'data={format="npy"; train={inputs="x.npy"; targets="y.npy"; classes=2;};}' xor.cfg
    status_is 0
    train --quiet --out pipe --set "data={format=\"npy\"; train={inputs=\"$(echo /dev/fd/8)\"; targets=\"y.npy\"; classes=2;};}" \
        xor.cfg 8< <(cat x.npy)
    status_is 0
    same_history file pipe
}

@test "a pipe without a writer: SIGTERM ends the program" {
    mkfifo pipe
    "$dltrain" --quiet --out run --set data.train.file=pipe xor.cfg 2>.err 3>&- &
    sleep 1
    kill -TERM $!
    status=0
    timeout 10 tail --pid=$! -f /dev/null || fail "it still waits"
    wait $! || status=$?
    status_is 143
    equal "$(cat .err)" "dltrain: interrupted; nothing was saved"
    exists_not run
}

@test "a text above the memory limit is refused early" {
    yes 'a b' | head -c 250000000 | gzip -1 >b.gz
    cat >text.cfg <<'CONFIG'
data = { format = "text"; train = { file = "b.gz"; }; unit = "byte"; memory_limit = 20; };
network = ( { layer = "dense"; units = 4; } );
loss = { type = "softmax_cross_entropy"; };
CONFIG
    OMP_NUM_THREADS=1 capture bash -c 'ulimit -v 500000; exec "$@"' - "$dltrain" --quiet --threads 1 --dry-run text.cfg
    status_is 3
    says_only "dltrain: b.gz: needs more memory than the limit of 20 MB (data.memory_limit)"
    gzip -dc b.gz >b
    train --dry-run --set data.train.file=b text.cfg
    status_is 3
    says "dltrain: b: needs 250 MB of memory, but the limit is 20 MB (data.memory_limit)"
}
