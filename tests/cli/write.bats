#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlpredict --generate: text from a language model.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# text NAME KEYS LAYERS: a config for text.txt, the repeated alphabet.
text() {
    cat >"$1.cfg" <<CONFIG
data = { format = "text"; train = { file = "text.txt"; }; length = 12; $2 };
network = ( $3 { layer = "dense"; units = $(fold -w 1 text.txt | sort -u | grep -c .); } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.02; };
training = { batch_size = 8; epochs = 40; };
CONFIG
}

# learned NAME: trains it, or reuses the net of a preceding test.
learned() {
    if [ ! -e "$BATS_FILE_TMPDIR/$1" ]; then
        train --quiet "$1.cfg" --out "$BATS_FILE_TMPDIR/$1"
        status_is 0
    fi
    cp -r "$BATS_FILE_TMPDIR/$1" "$1"
}

set_up() {
    for _ in $(seq 40); do printf 'abcdefghijklmnopqrstuvwxyz'; done >text.txt
    text lstm "" '{ layer = "lstm"; units = 24; },'
    learned lstm
    rm text.txt # only the checkpoint is needed
}

@test "it generates the learned text after the prompt" {
    predicted lstm --generate 60 --prompt xyz --temperature 0
    status_is 0
    equal "$errors" ""
    equal "$output" "xyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"
    # a prompt longer than the context
    predicted lstm --generate 3 --prompt abcdefghijklmnopqrstuvwxyzabcde --temperature 0
    equal "$output" abcdefghijklmnopqrstuvwxyzabcdefgh
    predicted lstm --generate 1
    equal "${#output}" 1
}

@test "the same seed, the same text" {
    predicted lstm --generate 200 --temperature 3
    equal "${#output}" 200
    local first=$output
    predicted lstm --generate 200 --temperature 3 --seed 1 --threads 1
    equal "$output" "$first"
    predicted lstm --generate 50 --temperature 3
    equal "$output" "${first:0:50}"
    predicted lstm --generate 200 --temperature 3 --seed 2
    [ "$output" != "$first" ] || fail "another seed wrote the same"
}

@test "a stateful net keeps its state" {
    # b is followed by c and d in turn, at any offset of a sample of two characters
    for _ in $(seq 200); do printf 'abcabde'; done >text.txt
    text state "" '{ layer = "lstm"; units = 32; stateful = true; },'
    sed -i 's/length = 12/length = 2/; s/epochs = 40;/epochs = 20; shuffle = false;/' state.cfg
    learned state
    predicted state --generate 14 --prompt abcabde --temperature 0
    equal "$output" abcabdeabcabdeabcabde
    predicted state --generate 14 --prompt deab --temperature 0
    equal "$output" deabcabdeabcabdeab
}

@test "invisible symbols, characters and bytes are written unchanged" {
    for _ in $(seq 60); do printf 'a\n\tä€😀\x01'; done >text.txt
    for unit in character byte; do
        text $unit "unit = \"$unit\";" '{ layer = "gru"; units = 24; },'
        sed -i "s/units = [0-9]*; } )/units = $([ $unit = byte ] && echo 13 || echo 7); } )/" $unit.cfg
        learned $unit
        "$dlpredict" $unit --generate $([ $unit = byte ] && echo 26 || echo 14) --prompt a --temperature 0 \
            >written
        printf 'a\n\tä€😀\x01a\n\tä€😀\x01a' >wanted
        same written wanted
    done
    predicted byte --generate 1 --prompt $'\xff'
    status_is 2
    says_only 'dlpredict: --prompt: "\xFF" does not occur in the training text'
    predicted character --generate 1 --prompt $'\xff'
    says_only 'dlpredict: --prompt: offset 0: is not UTF-8'
}

@test "errors" {
    while IFS='|' read -r message arguments; do
        # shellcheck disable=SC2086
        predicted lstm $arguments
        status_is 2
        says "dlpredict: $message"
        equal "$output" ""
    done <<'CASES'
--prompt: "A" does not occur in the training text|--generate 3 --prompt abcA
--prompt needs --generate|--prompt abc
--temperature needs --generate|--temperature 1
--seed needs --generate|--seed 1
--temperature -1: must be a number from 0 to 1000|--generate 3 --temperature -1
--temperature warm: must be a number from 0 to 1000|--generate 3 --temperature warm
--generate 0: must be an integer from 1 to 1000000000000|--generate 0
option --pictures was removed: use dlinspect predictions RUN -o FILE|--generate 3 --pictures a.png
--top-p 2: must be a number from 0 to 1|--generate 3 --top-p 2
unknown option --speed|--generate 3 --speed 3
nothing to do: no INPUT was given (- is standard input), nor --generate N|
CASES
}

@test "nets that cannot generate text" {
    xor xor.cfg
    train --quiet --out xor xor.cfg
    predicted xor --generate 3
    status_is 2
    says_only 'dlpredict: xor/best.safetensors: its data is not text (format = "csv"), so it cannot generate any'
    for _ in 1 2 3; do printf 'abcdefghijklmnopqrstuvwxyz'; done >text.txt
    text both "" '{ layer = "gru"; units = 4; bidirectional = true; },'
    train --quiet --out both --epochs 1 --set training.batch_size=2 both.cfg
    status_is 0
    predicted both --generate 3
    status_is 2
    says "best.safetensors: its net sees later symbols (through a bidirectional layer, for example)"
    for _ in 1 2 3 4 5 6 7 8 9 10; do printf 'abbabbaaab'; done >text.txt
    text two "" '{ layer = "gru"; units = 4; },'
    sed -i 's/units = 2;/units = 1;/; s/softmax_cross_entropy/binary_cross_entropy/' two.cfg
    train --quiet --out two --epochs 1 --set training.batch_size=2 two.cfg
    status_is 0
    predicted two --generate 3
    status_is 2
    says "its net has 1 output at each symbol, but generation needs one for each of the 2 possible symbols"
}

@test "a full disk is an error" {
    [ -e /dev/full ] || skip "there is no /dev/full"
    status=0
    timeout 60 "$dlpredict" lstm --generate 1000000000 >/dev/full 2>.err || status=$?
    errors=$(cat .err)
    status_is 1
    says_only "dlpredict: standard output: No space left on device"
}

@test "a word model prints words separated by blanks, also unknown ones" {
    for _ in $(seq 60); do printf 'The quick brown fox jumps over the lazy dog.\n'; done >text.txt
    cat >words.cfg <<'CONFIG'
data = { format = "text"; train = { file = "text.txt"; }; length = 6; unit = "word";
  encoding = "number"; lower_case = true; most_words = 8; };
network = ( { layer = "embedding"; vocabulary = 9; units = 8; }, { layer = "lstm"; units = 24; },
  { layer = "dense"; units = 9; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.03; };
training = { batch_size = 8; epochs = 40; };
CONFIG
    train words.cfg --out words
    status_is 0
    says "9 classes at 6 positions"
    rm text.txt
    predicted words --generate 9 --prompt "THE Quick" --temperature 0
    status_is 0
    # seven of eight equally frequent words are kept, in byte order: not "quick"
    equal "$output" "the <unknown> brown fox jumps over the lazy dog . the"
}
