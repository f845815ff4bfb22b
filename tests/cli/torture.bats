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
    local at how seen=
    train --quiet --threads 1 --out whole xor.cfg
    for how in before 28; do
        for ((at = 1; ; at++)); do
            rm -rf run
            ended $at $how --out run xor.cfg
            was_made $at || break
            if [ -d run ] && [ -z "$(find run -type f ! -name '*.tmp')" ]; then
                train --quiet --threads 1 --out run xor.cfg # as in an empty folder
                status_is 0
                same whole/last.safetensors run/last.safetensors
                seen=yes
            fi
            [ ! -d run ] || resumed_whole run
            [ ! -e run/last.safetensors ] || same whole/last.safetensors run/last.safetensors
        done
        [ $at -gt 10 ] || fail "only $at calls"
    done
    [ -n "$seen" ] || fail "never killed among the first files"
    for ((at = 1; at <= 12; at++)); do # while the first files are written
        ended $at 28 --force --out new xor.cfg
        [ "$status" -eq 0 ] || equal "$(ls -A new 2>/dev/null)" ""
        rm -rf new
    done
}

# The old run or the new one is whole, nothing is left beside it, and the user's file is kept.
@test "a run that replaces another" {
    local at how exchange seen=
    train --quiet --threads 1 --seed 1 --out old --stop-after 2 xor.cfg
    echo mine >old/notes
    for exchange in yes no; do
        [ $exchange = yes ] || export CALL_NO_EXCHANGE=1
        for how in before after 28; do
            for ((at = 1; ; at++)); do
                rm -rf run
                cp -r old run
                ended $at $how --seed 9 --force --out run xor.cfg
                was_made $at || break
                resumed_whole run
                status_is 0 # one of them has weights at any time
                seen+=$(grep '^seed = ' run/config.cfg)
                equal "$(cat run/notes)" mine
                equal "$(ls -d .run* 2>/dev/null)" ""
            done
            [ $at -gt 15 ] || fail "only $at calls"
        done
    done
    [[ $seen == *"seed = 1;"*"seed = 9;"* ]] || fail "always the same run"
}

@test "an older run stays if the new one has no checkpoint" {
    digits digits.cfg
    train --quiet --seed 1 --out run digits.cfg --epochs 1
    cp -r run before
    train --out run --force digits.cfg --set optimizer='{type="sgd"; learning_rate=1e30;}'
    status_is 4
    says "kept        the older run in run, as the new one has no checkpoint"
    diff -r before run
    equal "$(ls -d .run* 2>/dev/null)" ""
}

@test "where folders cannot be exchanged, a run is replaced in place" {
    train --quiet --seed 1 --out run xor.cfg
    cd run
    cp ../xor.cfg ..//data/xor.csv .
    train --quiet --seed 9 --force --out . xor.cfg
    status_is 0
    exists last.safetensors
    equal "$(metadata last.safetensors config | grep '^seed = ')" "seed = 9;"
    equal "$(ls -d ../.run* 2>/dev/null)" ""
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

# lacking NAME COMMAND...: resumes a copy of the run `old` whose history the command has changed;
# its rows are those of an uninterrupted run, and a message names the first that was restored.
lacking() {
    local first=$1
    shift
    rm -rf run
    cp -r old run
    "$@" run/history.csv
    train --resume run
    status_is 0
    same_history whole run
    says "lacked rows of"
    says "such as $first: restored from the checkpoint, without their times"
    says_not "are missing from curves"
    same whole/last.safetensors run/last.safetensors
}
half_a_line() { truncate -s -5 "$1"; }
zeros_for_the_end() { truncate -s -40 "$1" && head -c 40 /dev/zero >>"$1"; }
torn_comma() { sed -i -E '3s/^(([^,]*,){3}).*/\1/' "$1"; }
another_order() { sed -i '2{h;d};3G' "$1"; }

@test "rows that a history lacks are restored from the checkpoint" {
    train --quiet --out whole --epochs 5 xor.cfg
    train --quiet --out old --stop-after 4 --epochs 5 xor.cfg
    lacking 1 sed -i 2d
    grep -q '^1,1,nan,0.05,' run/history.csv || fail "another first row"
    inspect compare run whole
    status_is 0
    lacking 4 half_a_line
    lacking 4 zeros_for_the_end
    lacking 2 torn_comma
    lacking 1 another_order
    lacking 1 truncate -s 0
    lacking 1 rm
}

@test "rows that a history and its checkpoint lack are reported" {
    train --quiet --out run --stop-after 103 --epochs 104 xor.cfg # of which 100 are in it
    sed -i 2,9d run/history.csv
    train --resume run
    status_is 0
    says "warning: run/history.csv lacked rows of 5 of the checkpoint's 103 epochs, such as 4"
    says "warning: run/history.csv has rows of only 100 of the checkpoint's 103 epochs"
    equal "$(sed -n 2p run/history.csv | cut -d, -f1)" 4
}
