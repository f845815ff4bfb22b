#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlinspect check: planted errors are found by the right check; sound configs pass.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

set_up() {
    rm data
    mkdir data
    ln -s "$root"/data/*.csv* data/
    "$root/tests/checks/make.sh" "$root/data/digits.csv.gz" data/planted
}

# fails CHECK CONFIG: the exit status is 5, and the check fails.
fails() {
    inspect check --quiet "$root/tests/checks/$2.cfg"
    status_is 5
    grep -q "^$1  *FAILS " <<<"$output" || fail "$1 does not fail"
}
verdict() { jq -r --arg check "$1" '.checks[] | select(.check == $check) | .verdict' <<<"$output"; }

@test "check: without planted errors nothing fails and nothing is written" {
    inspect check --quiet "$root/tests/checks/none.cfg"
    status_is 0
    shows "memorize_50     ok "
    shows "labels          ok "
    shows "learning_rate" || shows "range test"
    exists_not runs
}
@test "check: shipped configs whose data are available pass" {
    for name in and or not xor xor-lm digits; do
        inspect check --quiet "$root/configs/$name.cfg"
        status_is 0
    done
}
@test "check: wrong labels" { fails labels wrong_labels; }
@test "check: randomly wrong labels" {
    fails labels noise
    shows "wrong at random"
}
@test "check: the kink of relu at zero is no gradient error" {
    inspect check --quiet "$root/tests/checks/margin.cfg"
    status_is 0
    shows "gradient        ok "
}
@test "check: a net that is hard to train is not reported to ignore its inputs" {
    cat >many.cfg <<'CONFIG'
data = { format = "csv"; header = false; train = { file = "digits.csv.gz"; }; validation = 0.2; };
network = ( { layer = "sequence"; repeat = 6; body = (
    { layer = "dense"; units = 80; activation = "relu"; } ); }, { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 3e-4; };
training = { batch_size = 2; epochs = 20; };
CONFIG
    inspect check --quiet many.cfg
    grep -q "^inputs  *ok " <<<"$output" || fail "not tried again"
}
@test "check: a net that overfits noise is judged at its best step" {
    awk 'function u() { state = state * 16807 % 2147483647; return state / 2147483647 - 0.5 }
        BEGIN { state = 5; for (i = 0; i < 500; i++) {
            for (k = 0; k < 40; k++) { x[k] = u(); printf "%.3f,", x[k] }
            print (x[0] + x[1] + 0.5 * u() > 0) } }' >data/noisy.csv
    cat >noisy.cfg <<'CONFIG'
data = { format = "csv"; header = false; train = { file = "noisy.csv"; }; validation = 0.3; };
network = ( { layer = "dense"; units = 200; activation = "relu"; },
            { layer = "dense"; units = 200; activation = "relu"; }, { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 1e-3; };
training = { batch_size = 32; epochs = 20; };
CONFIG
    inspect check --quiet noisy.cfg
    status_is 0
    grep -q "^inputs  *ok " <<<"$output" || fail "inputs"
    grep -q "^labels  *ok " <<<"$output" || fail "labels"
}
@test "check: learning rates too high and too low for a regression" {
    awk -F, -v OFS=, '{ print $3, $4, $20, $30, $43, $50, $20 + 2 * $30 + $3 * $4 / 4 }' \
        data/planted/train.csv >data/planted/numbers.csv
    cat >numbers.cfg <<'CONFIG'
data = { format = "csv"; header = false; task = "regression"; normalize = "mean_std";
         train = { file = "planted/numbers.csv"; }; normalize_target = "mean_std"; };
network = ( { layer = "dense"; units = 40; activation = "tanh"; }, { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
optimizer = { type = "adam"; learning_rate = 3e-3; };
training = { batch_size = 20; epochs = 20; };
CONFIG
    inspect check --quiet numbers.cfg
    shows "rate            ok "
    for rate in 0.3:high 3e-5:low; do
        inspect check --quiet --set optimizer.learning_rate=${rate%:*} numbers.cfg
        status_is 5
        grep -q "^rate  *FAILS .* is too ${rate#*:}" <<<"$output" || fail "$rate"
    done
}
@test "check: a net with slow steps" {
    cat >large.cfg <<'CONFIG'
data = { format = "random"; input = (256, 256, 3); classes = 4; train = { rows = 4; }; };
network = ( { layer = "conv2d"; filters = 256; kernel = 7; stride = 2; activation = "relu"; },
            { layer = "conv2d"; filters = 512; kernel = 5; stride = 2; activation = "relu"; },
            { layer = "global_avg_pool"; }, { layer = "dense"; units = 4; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 2; epochs = 1; };
CONFIG
    inspect check --quiet large.cfg
    for check in memorize_4 rate; do
        grep -q "^$check  *skipped  the network is too large: there is time for only " <<<"$output" ||
            fail "$check is not skipped"
    done
}
@test "check: a passage of the training text in the validation part" {
    awk 'BEGIN { srand(7); for (i = 0; i < 6000; i++) printf "%c", 97 + int(8 * rand() * rand()) }' \
        >data/text.txt
    cut -c 1007-1290 data/text.txt | tr -d '\n' >data/held.txt
    cat >text.cfg <<'CONFIG'
data = { format = "text"; length = 20; train = { file = "text.txt"; };
         validation = { file = "held.txt"; }; };
network = ( { layer = "simple_rnn"; units = 12; }, { layer = "dense"; units = 8; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 8; epochs = 1; };
CONFIG
    inspect check --quiet text.cfg
    grep -q "^duplicates  *FAILS .*occur in the training text" <<<"$output" || fail "no leak"
}
@test "check: unscaled inputs, and initial weights that double the loss" {
    fails initial_loss unscaled
    inspect check --quiet --set network.1.init=normal --set network.1.init_std=0.5 \
        "$root/tests/checks/none.cfg"
    status_is 5
    [[ $output =~ ^initial_loss\ +FAILS\ +[45]\. ]] || fail "not told"
}
@test "check: a learning rate 100 times too high" {
    fails rate rate_high
    shows "too high"
}
@test "check: a learning rate 100 times too low" {
    fails rate rate_low
    shows "too low"
}
@test "check: initial weights of zero" {
    fails units zero_init
    fails memorize_50 zero_init
}
@test "check: shuffled targets" { fails inputs shuffled; }
@test "check: test rows in the training part" { fails duplicates leak; }
@test "check: a constant feature" { fails constants constant; }
@test "check: a second softmax and a frozen net are refused" {
    inspect check --quiet "$root/tests/checks/softmax_twice.cfg"
    status_is 2
    says "is a softmax"
    inspect check --quiet "$root/tests/checks/frozen.cfg"
    status_is 2
    says "nothing to train"
}
@test "check: batches of one with a batch norm" {
    cat >norm.cfg <<'CONFIG'
data = { format = "csv"; header = false; train = { file = "planted/train.csv"; };
         normalize = "scale"; };
network = ( { layer = "dense"; units = 16; }, { layer = "batch_norm"; activation = "relu"; },
            { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 1; epochs = 1; };
CONFIG
    inspect check --quiet norm.cfg
    status_is 5
    grep -q '^batch_of_one  *FAILS ' <<<"$output"
    shows 'the bias of "dense_1" has no effect'
}
@test "check: dropout does not prevent memorizing samples" {
    sed 's/activation = "relu"; }/&, { layer = "dropout"; rate = 0.95; }/' \
        "$root/tests/checks/none.cfg" >dropout.cfg
    inspect check --quiet dropout.cfg
    shows "memorize_1      ok "
    shows "memorize_50     ok "
}
@test "check --json" {
    inspect check --quiet --json "$root/tests/checks/leak.cfg"
    status_is 5
    equal "$(jq .fails <<<"$output")" true
    equal "$(verdict duplicates)" FAILS
    equal "$(verdict gradient)" ok
    equal "$(verdict regularization)" skipped
    [ "$(jq '.learning_rate > 1e-4 and .learning_rate < 0.1' <<<"$output")" = true ]
    inspect check --quiet --set regularization.l2=0.01 "$root/tests/checks/none.cfg"
    status_is 0
    shows "regularization  ok "
}
@test "rate prints a curve and suggests a rate" {
    inspect rate --quiet "$root/tests/checks/none.cfg"
    status_is 0
    shows "suggested: learning_rate = "
    shows "1.00e-06"
    exists_not runs
    inspect rate --quiet --json "$root/tests/checks/none.cfg"
    status_is 0
    [ "$(jq '.learning_rate > 1e-4 and .learning_rate < 0.1' <<<"$output")" = true ]
    [ "$(jq '.curve | length > 50' <<<"$output")" = true ]
    inspect rate --quiet "$root/configs/xor-lm.cfg"
    status_is 2
    says "no learning rate"
}
@test "removed options of dltrain, and options of other commands" {
    while IFS='|' read -r option use; do
        train "--$option" a.cfg
        status_is 2
        says "dltrain: option --$option was removed: use $use"
    done <<'CASES'
check|dlinspect check CONFIG
find-lr|dlinspect rate CONFIG
gradients|dlinspect net CONFIG --gradients
compare|dlinspect compare RUN...
CASES
    inspect check --resume runs/a
    status_is 2
    says "dlinspect check: unknown option --resume"
    inspect check --gradients a.cfg
    status_is 2
    inspect rat a.cfg
    status_is 2
    says 'dlinspect: unknown command "rat" (did you mean rate?)'
}
@test "net --gradients: one row per layer with weights" {
    inspect net --gradients "$root/tests/checks/none.cfg"
    status_is 0
    shows "gradient norm"
    equal "$(sed '1,/gradient norm/d' <<<"$output" | wc -l)" 2
    shows "dense_2              650"
}
