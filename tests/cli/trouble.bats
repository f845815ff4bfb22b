#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Failures while training: unwritable folders, full disks, divergence. No file with a final name is
# incomplete, and nothing is lost.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() { digits digits.cfg; }
teardown() {
    ! mountpoint -q "$BATS_TEST_TMPDIR/disk" || umount "$BATS_TEST_TMPDIR/disk"
}

# disk SIZE: a file system of that size, in disk/.
disk() {
    mkdir -p disk
    mount -t tmpfs -o size="$1" tmpfs disk 2>/dev/null || skip "cannot mount a file system here"
}

# whole_files RUN: its files are complete.
whole_files() {
    local file
    [ -d "$1" ] || return 0
    for file in "$1"/*.tmp; do exists_not "$file"; done
    for file in "$1"/*.safetensors; do
        [ -e "$file" ] || continue
        tested "$file" --split validation
        [ "$status" -eq 0 ] || fail "$file is not whole"
    done
    if [ -e "$1/history.csv" ]; then
        [ -z "$(tail -c 1 "$1/history.csv" | tr -d '\n')" ] || fail "half a line in the history"
        equal "$(awk -F, '{ print NF }' "$1/history.csv" | sort -u)" 15
    fi
    if [ -e "$1/config.cfg" ]; then
        train --quiet --dry-run "$1/config.cfg"
        status_is 0
    fi
}

@test "a run's folder that cannot be created" {
    echo file >file
    for out in file file/run file/run/deeper; do
        train --quiet --out $out digits.cfg
        status_is 1
        says "dltrain: file"
        equal "$(cat file)" file
    done
    echo file >runs
    train --quiet digits.cfg
    status_is 1
    says_only "dltrain: runs: is a file, not a folder"
    train --quiet --out "$(printf 'x%.0s' {1..300})" digits.cfg
    status_is 1
    says "File name too long"
    train --quiet --out /proc/run digits.cfg
    status_is 1
    says "dltrain: /proc/run: cannot be created: "
}

@test "a folder that is read-only" {
    mkdir disk
    if [ "$(id -u)" -eq 0 ]; then # who ignores file modes
        mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null || skip "cannot mount a file system here"
        train --quiet --out disk/run digits.cfg --epochs 1
        mount -o remount,ro disk
    else
        train --quiet --out disk/run digits.cfg --epochs 1
        chmod a-w disk disk/run disk/run/*
    fi
    cp -r disk/run before
    train --quiet --out disk/other digits.cfg
    status_is 1
    [[ $errors == "dltrain: disk/other: cannot be created: "* ]] || fail "another message"
    equal "$(wc -l <.err)" 1
    train --quiet --resume disk/run --epochs 2
    status_is 1
    says "dltrain: disk/run/"
    says "cannot be written: "
    equal "$(wc -l <.err)" 1
    train --quiet --out disk/run --force digits.cfg
    status_is 1
    diff -r before disk/run
    tested disk/run # it only reads
    status_is 0
    chmod -R u+w disk 2>/dev/null || true
}

@test "a full disk, at any file" {
    local size done=0 failed=0
    for size in 4k 8k 12k 16k 24k 32k 40k 48k 64k 80k 96k 128k 192k; do
        disk $size
        train --quiet --out disk/run digits.cfg
        if [ "$status" -eq 0 ]; then
            done=$((done + 1))
        else
            status_is 1
            says "cannot be written: No space left on device"
            equal "$(wc -l <.err)" 1
            failed=$((failed + 1))
        fi
        whole_files disk/run
        [ $size != 4k ] || exists_not disk/run # no space for its first files
        umount disk
    done
    [ $done -gt 0 ] && [ $failed -gt 5 ] || fail "$done done, $failed failed"
}

@test "a file size limit" {
    xor xor.cfg
    status=0
    (ulimit -f 4 && exec "$dltrain" --quiet --out run --epochs 1000 xor.cfg) 2>.err || status=$?
    errors=$(cat .err)
    status_is 1
    says "run/history.csv: cannot be written: "
    [ "$(stat -c %s run/history.csv)" -gt 3500 ] || fail "it was another reason"
    [ -z "$(tail -c 1 run/history.csv | tr -d '\n')" ] || fail "half a line in the history"
    equal "$(awk -F, '{ print NF }' run/history.csv | sort -u)" 11
    tested run --last
    status_is 0
    # and without that limit it resumes
    train --quiet --resume run --epochs 100
    status_is 0
    equal "$(column run epoch)" 100
}

@test "a full disk when a run is resumed or replaced" {
    disk 256k
    train --quiet --out disk/run digits.cfg
    status_is 0
    cp -r disk/run before
    head -c 1000000 /dev/zero >disk/other 2>/dev/null || true
    train --quiet --resume disk/run --epochs 9
    status_is 1
    says "No space left on device"
    whole_files disk/run
    for file in config.cfg best.safetensors last.safetensors; do
        same before/$file disk/run/$file
    done
    train --quiet --out disk/run --force digits.cfg --seed 2
    status_is 1
    whole_files disk/run
    for file in best.safetensors last.safetensors; do same before/$file disk/run/$file; done
    rm disk/other # and with free space it resumes
    train --quiet --resume disk/run --epochs 9
    status_is 0
    equal "$(column disk/run epoch)" 9
}

@test "divergence: exit status 4, with step and layer" {
    local optimizer config
    xor xor.cfg
    for config in digits xor; do
        for optimizer in sgd adam; do
            train --out run --force $config.cfg \
                --set optimizer="{type=\"$optimizer\"; learning_rate=1e10;}"
            status_is 4
            tail -1 .err | grep -Eq \
                '^dltrain: diverged in epoch [12], step [0-9]+: .* layer "dense_[12]"' ||
                fail "another message"
            says "a smaller learning_rate, clip_norm or normalized data may help"
            equal "$(tail -1 run/log.txt)" "$(tail -1 .err)"
        done
    done
    rm -rf run
    train --out run digits.cfg --set optimizer='{type="sgd"; learning_rate=1e30;}'
    status_is 4
    says "is not finite; the first bad value is in layer"
    exists_not run/last.safetensors
    equal "$(wc -l <run/history.csv)" 1
}

@test "divergence of a resumed run keeps its checkpoints" {
    sed -i 's/type = "adam"/type = "sgd"/' digits.cfg
    train --quiet --out run digits.cfg --epochs 2
    status_is 0
    cp -r run before
    train --quiet --resume run --epochs 4 --set optimizer.learning_rate=1e20
    status_is 4
    says "diverged in epoch 3, step "
    for file in best.safetensors last.safetensors history.csv; do same before/$file run/$file; done
    train --quiet --resume run --epochs 4
    status_is 0
    equal "$(column run epoch)" 4
}

@test "divergence after good epochs keeps the last of them" {
    # gradient descent on a parabola with too large a rate: each step is ten times as long as the
    # preceding one
    awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) print i "," i / 4 + 0.125 }' >line.csv
    cat >line.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "line.csv"; }; };
network = ( { layer = "dense"; units = 1; name = "slope"; } );
loss = { type = "mse"; };
optimizer = { type = "sgd"; learning_rate = 0.01; };
training = { batch_size = "all"; epochs = 100; };
CONFIG
    train --out run line.cfg
    status_is 4
    says 'layer "slope"'
    says "kept        the checkpoints of the previous epochs, in run"
    local rows
    rows=$(($(wc -l <run/history.csv) - 1))
    [ $rows -gt 3 ] && [ $rows -lt 40 ] || fail "$rows epochs"
    equal "$(metadata run/last.safetensors epoch)" $rows
    tested run --last --json
    status_is 0
    equal "$(jq '.loss | . == null' .out)" false
}

@test "divergence on the validation data only" {
    printf 'x,y\n0,0\n1,2\n2,4\n3,6\n' >near.csv
    printf 'x,y\n3e38,1\n-3e38,1\n' >far.csv
    cat >line.cfg <<'CONFIG'
data = {
  format = "csv";
  task = "regression";
  train = { file = "near.csv"; };
  validation = { file = "far.csv"; };
};
network = ( { layer = "dense"; units = 1; name = "slope"; } );
loss = { type = "mse"; };
optimizer = { type = "sgd"; learning_rate = 0.1; };
training = { batch_size = "all"; epochs = 10; };
CONFIG
    train --quiet --out run line.cfg
    status_is 4
    says "the validation loss is not finite; the first bad value is in layer \"slope\" (its output)"
    ! grep -qE 'nan|inf' run/history.csv || fail "NaN in the history"
}
