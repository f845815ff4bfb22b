#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Commands that save nothing exit soon after the first signal, with one line and 128 + its number.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034

load helper

# Large enough for every command to take a second.
set_up() {
    cat >large.cfg <<'CONFIG'
data = { format = "random"; input = (48, 48, 3); classes = 10; train = { rows = 60000; };
         validation = 0.2; };
network = ( { layer = "conv2d"; filters = 64; kernel = 5; activation = "relu"; },
            { layer = "conv2d"; filters = 256; kernel = 5; activation = "relu"; },
            { layer = "global_avg_pool"; }, { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 256; epochs = 1; };
CONFIG
}

# ends SIGNAL STATUS OPTION...: sends a signal after some tenths of a second; the command must exit
# before it is done.
ends() {
    local signal=$1 expected=$2 pid
    shift 2
    status=0
    "${interruptible[@]}" "$dlinspect" "$@" large.cfg >out 2>err &
    pid=$!
    sleep 0.4
    kill -0 $pid 2>/dev/null || fail "it was over before the signal: $(cat err)"
    kill -"$signal" $pid
    for _ in $(seq 100); do
        kill -0 $pid 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 $pid 2>/dev/null || fail "it goes on for ten seconds"
    wait $pid || status=$?
    output=$(cat out)
    errors=$(cat err)
    status_is "$expected"
    equal "$(grep -c 'interrupted; nothing was saved' err)" 1
    exists_not runs
}

@test "Ctrl-C during check; earlier findings are printed" {
    ends INT 130 check --quiet
    equal "$(wc -l <err)" 1
}
@test "SIGTERM and SIGHUP during check" {
    ends TERM 143 check
    ends HUP 129 check
}
@test "Ctrl-C during rate" { ends INT 130 rate; }
@test "Ctrl-C during net --activations" { ends INT 130 net --activations; }
@test "Ctrl-C during data" { ends INT 130 data; }
@test "Ctrl-C during batch" {
    mkfifo endless # no data ever arrive
    cat >large.cfg <<'CONFIG'
data = { format = "idx"; train = { images = "endless"; labels = "endless"; }; };
network = ( { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 32; epochs = 1; };
CONFIG
    ends INT 130 batch -o batch.png
    exists_not batch.png
}
@test "the JSON of check is complete or absent" {
    ends INT 130 check --json
    [ -z "$output" ] || fail "a part of it"
}
