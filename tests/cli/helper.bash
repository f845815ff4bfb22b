# SPDX-License-Identifier: MIT
# Shared by the tests of the programs. The programs are those of the top folder, or of another
# build: DLTRAIN_PROGRAMS=build/gcc-address-undefined bats tests/cli

# shellcheck disable=SC2034,SC2154,SC2015

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
programs=${DLTRAIN_PROGRAMS:-$root}
case $programs in /*) ;; *) programs=$root/$programs ;; esac
[ -z "${DLTRAIN_PROGRAMS:-}" ] || export DLTRAIN_PROGRAMS=$programs # for the scripts
dltrain=$programs/dltrain
dltest=$programs/dltest
dlpredict=$programs/dlpredict
dlinspect=$programs/dlinspect
unset DLTRAIN_DATA OPENBLAS_CORETYPE OPENBLAS_L2_SIZE COLUMNS NO_COLOR
export LC_ALL=C.UTF-8
export OMP_WAIT_POLICY=passive # other tests may run: threads must not spin

# Signals that are ignored, under nohup or in the background, stay ignored in child processes, and a
# shell cannot change that. Commands to interrupt start with "${interruptible[@]}".
# shellcheck disable=SC2016
interruptible=(env --default-signal=HUP,INT)
"${interruptible[@]}" true 2>/dev/null || interruptible=(python3 -c 'import os, signal, sys
for number in signal.SIGHUP, signal.SIGINT: signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])')

# jq from 1.7 on prints numbers as they were written (1.0, 1e-05); older versions reformat them (1).
if [ "$(command jq . <<<1.0 2>/dev/null)" = 1.0 ]; then
    jq() {
        local arguments=() filter=
        while [ $# -gt 0 ]; do
            case $1 in
            --arg | --argjson) arguments+=("$1" "$2" "$3") && shift 2 ;;
            -*) arguments+=("$1") ;;
            *)
                [ -n "$filter" ] || set -- "walk(if type == \"number\" then . + 0 end) | $1" "${@:2}"
                filter=$1
                arguments+=("$1")
                ;;
            esac
            shift
        done
        command jq "${arguments[@]}"
    }
fi

is_sanitized() { [[ $programs =~ address|thread|undefined ]]; }

# Each test runs in its own folder, in which data/ is the project's.
setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$root/data" data
    set_up
}
set_up() { :; } # overridden by files that need more

# capture COMMAND...: sets $status, $output (stdout) and $errors (stderr).
capture() {
    status=0
    "$@" >"$BATS_TEST_TMPDIR/.out" 2>"$BATS_TEST_TMPDIR/.err" || status=$?
    output=$(cat "$BATS_TEST_TMPDIR/.out")
    errors=$(cat "$BATS_TEST_TMPDIR/.err")
}
train() { capture "$dltrain" "$@"; }
tested() { capture "$dltest" "$@"; }
predicted() { capture "$dlpredict" "$@"; }
inspect() { capture "$dlinspect" "$@"; }

fail() {
    printf '%s\n' "$*" "status ${status:-}" "stdout:" "${output:-}" "stderr:" "${errors:-}"
    return 1
}
status_is() { [ "$status" -eq "$1" ] || fail "the exit status is not $1"; }
shows() { [[ $output == *"$1"* ]] || fail "no '$1' on stdout"; }
shows_not() { [[ $output != *"$1"* ]] || fail "'$1' on stdout"; }
says() { [[ $errors == *"$1"* ]] || fail "no '$1' on stderr"; }
says_not() { [[ $errors != *"$1"* ]] || fail "'$1' on stderr"; }
# Stderr is exactly this message.
says_only() { [ "$errors" = "$1" ] || fail "stderr is not '$1'"; }
silent() { [ -z "$output$errors" ] || fail "not silent"; }
# A path as the programs print it in a command.
quoted() { if [[ $1 == *' '* ]]; then printf "'%s'" "$1"; else printf %s "$1"; fi; }
exists() { [ -e "$1" ] || fail "there is no $1"; }
exists_not() { [ ! -e "$1" ] && [ ! -L "$1" ] || fail "there is a $1"; }
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }
differ() { ! cmp -s "$1" "$2" || fail "$1 and $2 are the same"; }
equal() { [ "$1" = "$2" ] || fail "'$1' is not '$2'"; }

# png FILE: it is a picture.
png() {
    [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || fail "$1 is no PNG"
}

# numbers FILE TENSOR: the tensor's numbers, one per line.
numbers() {
    local length from to
    length=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    read -r from to < <(tail -c +9 "$1" | head -c "$length" |
        jq -r ".[\"$2\"].data_offsets | \"\(.[0]) \(.[1])\"")
    od -An -v -w4 -t f4 -j $((8 + length + from)) -N $((to - from)) "$1"
}

# half_way RUN: replaces it by a run stopped after its first epoch.
half_way() {
    cp "$1/config.cfg" half.cfg
    "$dltrain" --quiet --force --out "$1" --stop-after 1 half.cfg
}

# digits FILE [LINE]...: a small config for the handwritten digits; LINEs are appended.
digits() {
    local file=$1
    shift
    cat >"$file" <<'CONFIG'
name = "digits";
data = {
  format = "csv";
  header = false;
  train = { file = "digits.csv.gz"; };
  test = 0.2;
  validation = 0.1;
  normalize = "scale";
};
network = (
  { layer = "dense"; units = 32; activation = "relu"; },
  { layer = "dropout"; rate = 0.2; },
  { layer = "dense"; units = 10; }
);
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.003; schedule = { type = "cosine"; }; };
training = { batch_size = 32; epochs = 6; metrics = ("accuracy", "top5"); };
CONFIG
    [ $# -eq 0 ] || printf '%s\n' "$@" >>"$file"
}

# xor FILE [LINE]...: an even smaller config: four rows, no validation.
xor() {
    local file=$1
    shift
    cat >"$file" <<'CONFIG'
name = "xor";
data = { format = "csv"; train = { file = "xor.csv"; }; };
network = (
  { layer = "dense"; units = 2; activation = "tanh"; },
  { layer = "dense"; units = 1; }
);
loss = { type = "binary_cross_entropy"; };
CONFIG
    [ $# -eq 0 ] || printf '%s\n' "$@" >>"$file"
    cat >>"$file" <<'CONFIG'
optimizer = { type = "adam"; learning_rate = 0.05; };
training = { batch_size = "all"; epochs = 3; };
CONFIG
}

# history RUN: its history without the columns of times.
history() {
    awk -F, -v OFS=, '
        NR == 1 { for (i = 1; i <= NF; i++) keep[i] = $i !~ /seconds$|_per_second$/ }
        {
            line = ""
            for (i = 1; i <= NF; i++) if (keep[i]) line = line (line == "" ? "" : ",") $i
            print line
        }
    ' "$1/history.csv"
}
same_history() { equal "$(history "$1")" "$(history "$2")"; }
same_checkpoints() {
    same "$1/last.safetensors" "$2/last.safetensors"
    same "$1/best.safetensors" "$2/best.safetensors"
}
# column RUN NAME: the column's value in the last row of the run's history.
column() {
    awk -F, -v name="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
        END { print $at }
    ' "$1/history.csv"
}
# metadata FILE KEY: a value of a checkpoint's metadata.
metadata() {
    local length
    length=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    tail -c +9 "$1" | head -c "$length" | jq -r ".__metadata__.$2"
}

# tensor FILE NAME: prints its bytes.
tensor() {
    local length from to
    length=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    read -r from to < <(tail -c +9 "$1" | head -c "$length" |
        jq -r ".[\"$2\"].data_offsets | map(tostring) | join(\" \")")
    [ -n "$from" ] || { echo "$1 has no $2" && return 1; }
    tail -c +$((9 + length + from)) "$1" | head -c $((to - from))
}

# put FILE HEADER [BYTES]: writes a safetensors file; BYTES for printf.
put() {
    local i length=${#2}
    {
        for i in 0 8 16 24 32 40 48 56; do
            # shellcheck disable=SC2059
            printf "\\$(printf %o $(((length >> i) & 255)))"
        done
        printf %s "$2"
        # shellcheck disable=SC2059
        printf "${3:-}"
    } >"$1"
}
