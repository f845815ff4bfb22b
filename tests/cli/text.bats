#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Text: a recurrent network that predicts the next character, from config to test.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do cat "$root/tests/config/data/letters.txt"; done >letters.txt
    cat >letters.cfg <<'CONFIG'
data = { format = "text"; train = { file = "letters.txt"; }; length = 15; validation = 0.2; };
network = (
  { layer = "lstm"; units = 24; },
  { layer = "dense"; units = 28; }
);
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.02; };
training = { batch_size = 8; epochs = 30; };
CONFIG
}

@test "loss and accuracy are means over all positions; the text is learned" {
    train letters.cfg
    status_is 0
    says "train 39, validation 10 rows; 15x28 inputs,"
    says "28 classes at 15 positions"
    says "loss        3.3322 expected before training, 3.3" # ln 28
    tested runs/latest --split validation --json
    status_is 0
    jq -e '.rows == 10 and .loss < 1 and .accuracy > 0.7 and .accuracy <= 1' .out >/dev/null ||
        fail "not learned"
    jq -e '[.classes[].rows] | add == 150' .out >/dev/null || fail "not 150 positions"
    best=$(tail -n +2 runs/letters/history.csv | cut -d, -f7 | sort -g | head -n 1)
    jq -e "(.loss - $best) | fabs < 1e-6" .out >/dev/null || fail "not the history's best, $best"
}

@test "a run resumes bit-exactly" {
    for layer in lstm gru simple_rnn; do
        sed "s/\"lstm\"/\"$layer\"/" letters.cfg >"$layer.cfg"
        train --quiet --epochs 4 --out whole "$layer.cfg" --force
        train --quiet --epochs 2 --out part "$layer.cfg" --force
        train --quiet --resume part --epochs 4
        status_is 0
        equal "$(wc -l <part/history.csv)" 5
        equal "$(cut -d, -f1,2,4-8 part/history.csv)" "$(cut -d, -f1,2,4-8 whole/history.csv)"
    done
}

# transformer VOCABULARY: a small transformer for the same text as symbol numbers.
transformer() {
    sed '/layer = "lstm"/,/layer = "dense"/d; s/length = 15;/& encoding = "number";/' letters.cfg \
        >transformer.cfg
    cat >layers <<CONFIG
  { layer = "embedding"; vocabulary = $1; units = 24; },
  { layer = "positional_encoding"; kind = "learned"; },
  { layer = "sequence"; repeat = 2; body = (
      { layer = "residual"; body = (
          { layer = "layer_norm"; },
          { layer = "multi_head_attention"; heads = 3; causal = true; dropout = 0.05; } ); },
      { layer = "residual"; body = (
          { layer = "layer_norm"; },
          { layer = "dense"; units = 48; },
          { layer = "activation"; activation = "gelu"; },
          { layer = "dense"; units = 24; } ); } ); },
  { layer = "dense"; units = 28; }
CONFIG
    sed -i '/^network = (/r layers' transformer.cfg
}

@test "a transformer learns the text, and resumes bit-exactly" {
    transformer 28
    train --quiet --epochs 30 --out whole transformer.cfg
    status_is 0
    tested whole --split validation --json
    status_is 0
    jq -e '.loss < 1 and .accuracy > 0.7' .out >/dev/null || fail "not learned"
    train --quiet --epochs 4 --out some transformer.cfg
    train --quiet --epochs 2 --out part transformer.cfg
    train --quiet --resume part --epochs 4
    status_is 0
    equal "$(cut -d, -f1,2,4-8 part/history.csv)" "$(cut -d, -f1,2,4-8 some/history.csv)"
    same part/last.safetensors some/last.safetensors
}

@test "too small a vocabulary stops the run, with the layer's name" {
    transformer 20
    train --quiet transformer.cfg
    status_is 4
    says 'the first bad value is in layer "embedding_1" (its output)'
}

@test "stateful: every pass starts with zeros; the memory exceeds the length of a sample" {
    # b is followed by c and d in turn, at any offset of a sample of two characters
    for _ in $(seq 200); do printf 'abcabde'; done >letters.txt
    sed 's/length = 15/length = 2/; s/units = 28/units = 5/; s/epochs = 30/epochs = 20/
        s/"lstm"; units = 24;/& stateful = true;/; s/epochs = 20;/& shuffle = false;/' \
        letters.cfg >stateful.cfg
    train --quiet --out whole stateful.cfg
    status_is 0
    tested whole --last --split validation --json # untrained
    status_is 0
    equal "$(printf %.9g "$(jq .loss .out)")" "$(printf %.9g "$(column whole val_loss)")"
    awk -v loss="$(column whole val_loss)" 'BEGIN { exit !(loss < 0.1) }' || fail "not learned"
    train --quiet --out part --epochs 3 stateful.cfg
    train --quiet --resume part --epochs 20
    status_is 0
    same_history part whole
    # a net without state can only guess after b: ln 2 at two of seven
    train --quiet --out other stateful.cfg --set network.0.stateful=false
    status_is 0
    awk -v loss="$(column other val_loss)" 'BEGIN { exit !(loss > 0.17) }' || fail "learnt"
}
