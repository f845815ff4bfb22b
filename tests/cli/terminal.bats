#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Output on a terminal: the progress bar, columns that fit, limited lines.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2016,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    command -v script >/dev/null || skip "script is not installed"
    digits digits.cfg
    export dltrain dltest dlinspect root
}

# on_terminal COLUMNS COMMAND: its output on a terminal of that width, in the file screen.
on_terminal() {
    local columns=$1
    shift
    status=0
    TERM=${TERM-xterm} script -qec "stty cols $columns rows 30; $*" /dev/null \
        >screen 2>&1 </dev/null || status=$?
    output=$(tr -d '\r' <screen)
}
# The visible lines of the screen, without erased bars.
lines() { sed 's/.*\x1b\[K//; s/\r//g' screen; }
bar=$'\033[K['

@test "a bar on a terminal" {
    export TERM=xterm
    on_terminal 100 '"$dltrain"' --out run digits.cfg
    status_is 0
    shows "$bar"
    shows "epoch 1/6  loss "
    shows " left"
    ! grep -q "$(printf '\033')" run/log.txt || fail "the bar is in the log"
    # a line erases the bar
    lines >read
    grep -Eq '^ +6/6 ' read || fail "no line of the last epoch"
    grep -q '^done ' read || fail "no end"
}

@test "NO_COLOR keeps the bar, without color" {
    export TERM=xterm NO_COLOR=1
    on_terminal 100 '"$dltrain"' --out run digits.cfg
    shows "$bar"
    ! grep -Eq "$(printf '\033')\[[0-9;]*m" screen || fail "a colour"
}

@test "check, data and diagnose fit into 80 columns, without color" {
    sed 's/learning_rate = 0.003/learning_rate = 3.0/' digits.cfg >high.cfg
    for what in "check --quiet high.cfg" 'data "$root/configs/digits.cfg"' \
        'diagnose "$root/tests/histories/leak"'; do
        NO_COLOR=1 on_terminal 80 '"$dlinspect"' "$what"
        [ "$(wc -l <<<"$output")" -gt 1 ] || fail "$what: nothing"
        [ "$(lines | awk '{ if (length > most) most = length } END { print most + 0 }')" -le 80 ] ||
            fail "$what is too wide"
        shows_not $'\033'
    done
    on_terminal 80 '"$dlinspect" check --quiet high.cfg'
    lines | grep -q '^ \{25\}[a-z0-9]' || fail "no line is broken"
}
@test "no bar where it cannot be drawn or is not wanted" {
    for kind in dumb ""; do
        TERM=$kind on_terminal 100 '"$dltrain"' --out run$kind digits.cfg
        status_is 0
        shows_not $'\033'
        shows "6/6"
    done
    export TERM=xterm
    on_terminal 100 'env -u TERM "$dltrain"' --out unset digits.cfg
    shows_not $'\033'
    on_terminal 100 '"$dltrain"' --quiet --out quiet digits.cfg
    [ -z "$output" ] || fail "not quiet"
    train --out pipe digits.cfg
    says_not $'\033'
    equal "$(grep -Ec '^ +[1-6]/6 ' .err)" 6
}

@test "no line is wider than the terminal, whatever its width" {
    export TERM=xterm
    for columns in 60 80 100 130; do
        on_terminal $columns '"$dltrain"' --out run$columns digits.cfg
        # the tables before the first epoch have 80 columns
        [ $columns -lt 80 ] || [ "$(lines | wc -L)" -le $columns ] || fail "more than $columns"
        [ "$(lines | grep -E '^ +(epoch|[0-9]/6)' | wc -L)" -lt $columns ] ||
            fail "the table is wider than $columns"
        [ "$(tr '\r' '\n' <screen | sed 's/\x1b\[K//' | grep '^\[' | wc -L)" -lt $columns ] ||
            fail "the bar is too wide"
        lines | grep -Eq '^ +6/6 .* %( +|$)' || fail "no numbers"
    done
    lines | grep -q ' samples/s$' || fail "130 columns are enough for more" # but not for phases
    # the log has all columns, and COLUMNS takes precedence
    grep -q ' update$' run60/log.txt || fail "not all in the log"
    on_terminal 130 'COLUMNS=60 "$dltrain"' --out again digits.cfg
    [ "$(lines | grep -E '^ +(epoch|[0-9]/6)' | wc -L)" -lt 60 ] || fail "COLUMNS does not count"
}

@test "columns are aligned" {
    export TERM=xterm
    sed -i 's/, "top5"//' digits.cfg
    for columns in 80 130; do
        on_terminal $columns '"$dltrain"' --out run$columns digits.cfg
        # headings and values end in the same column
        lines | grep -E '^ +(epoch|[0-9]/6)' >table
        awk 'NR == 1 { heading = $0; next }
            { for (i = 1; i <= length($0); i++)
                if (substr($0, i, 1) != " " && substr(heading, i, 1) == " " &&
                    substr(heading, i + 1, 1) == " " && substr($0, i + 1, 1) == " " &&
                    substr($0, i - 3, 4) != "best") bad = 1 }
            END { exit bad }' table || fail "they do not: $(cat table)"
    done
}

@test "400 short epochs do not print 400 lines" {
    export TERM=xterm
    xor xor.cfg
    on_terminal 100 '"$dltrain"' --out run --epochs 400 xor.cfg
    status_is 0
    local count=0
    count=$(lines | grep -Ec '^ *[0-9]+/400 ')
    [ "$count" -lt 200 ] || fail "$count lines"
    lines | grep -Eq '^ *1/400 ' || fail "not the first"
    lines | grep -Eq '^ *400/400 ' || fail "not the last"
    equal "$(grep -Ec '^ *[0-9]+/400 ' run/log.txt)" 400
    equal "$(grep -c '^[0-9]' run/history.csv)" 400
    # without a terminal there is one line per epoch
    train --out other --epochs 400 xor.cfg
    equal "$(grep -Ec '^ *[0-9]+/400 ' .err)" 400
}

@test "an interrupted run leaves the terminal clean" {
    export TERM=xterm
    sed -i 's/units = 32/units = 2048/' digits.cfg
    on_terminal 100 'timeout -s INT 1 "$dltrain"' --epochs 1000000 --out run digits.cfg
    shows "stopped     saved; resume with: "
    lines | grep -q '^stopped ' || fail "the bar is before it"
}

@test "the tables of dltest" {
    train --quiet --out run digits.cfg
    on_terminal 80 '"$dltest"' run
    status_is 0
    shows_not $'\033'
    [ "$(lines | wc -L)" -le 80 ] || fail "wider than 80 columns"
}

@test "control characters of file names are not printed" {
    local run=$'a\nb\e[31mc\t\xc2\x9bd' shown='a?b?[31mc???d'
    xor xor.cfg
    train --out "$run" --epochs 2 xor.cfg
    status_is 0
    says "best        train_loss"
    says "$shown/best.safetensors"
    says "'a'\$'\\012''b'\$'\\033''[31mc'\$'\\011''" # for a shell
    grep -qF "$shown/best.safetensors" "$run/log.txt" || fail "not in the log"
    train --resume "$run" --epochs 3
    status_is 0
    says "$shown/best.safetensors"
    tested "$run"
    status_is 0
    shows "($shown/best.safetensors)"
    tested --average "$run" "$run"
    status_is 0
    shows "  $shown/best.safetensors"
    inspect status "$run"
    equal "${output%%  *}" "$shown"
    inspect compare "$run" "$run"
    equal "$(head -1 .out | tr -s ' ')" "run $shown $shown"
    inspect report "$run" --out "$run.html"
    says_only "report: $shown.html"
    tested "$run.x"
    says_only "dltest: $shown.x: No such file or directory"
    tested "--$run"
    equal "$(head -1 .err)" "dltest: unknown option --$shown"
    capture "$dlpredict" "$run" "$run.csv"
    says_only "dlpredict: $shown.csv: no file matches"
}

@test "a clock that is set back does not disturb a run" {
    cc -shared -fPIC -O1 -o clock.so "$root/tests/shims/clock.c" -ldl 2>.cc ||
        skip "no shim: $(head -1 .cc)"
    ! is_sanitized || skip "the shim does not go together with sanitizers"
    xor xor.cfg
    capture env LD_PRELOAD="$PWD/clock.so" date +%s
    [ "$output" -lt $(($(date +%s) - 500)) ] || fail "the clock is not set back"
    capture timeout 60 env LD_PRELOAD="$PWD/clock.so" "$dltrain" --out run --epochs 5 \
        --set training.tensorboard=true --json xor.cfg
    status_is 0
    ! grep -E '(^|[^0-9e])-[0-9.:]+ *(ms|s|min)' .err || fail "negative seconds"
    equal "$(jq -s 'map(select(.event == "end" and .seconds >= 0 and .seconds < 60)) | length' .out)" 1
    equal "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") s = i; next }
        s && $s >= 0 && $s < 60' run/history.csv | wc -l)" 5
}
