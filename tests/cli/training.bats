#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Training: penalties in the history, averages of the weights, lsuv, layers frozen at first,
# orthogonal weights.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

load helper

# tensors FILE: the names of its tensors.
tensors() {
    local length
    length=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    tail -c +9 "$1" | head -c "$length" | jq -r 'del(.__metadata__) | keys[]'
}
# near A B TOLERANCE
near() {
    awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(a != "" && b != "" && d <= t && -d <= t) }' ||
        fail "'$1' is not near '$2'"
}
# resumes CONFIG EPOCHS ALL: EPOCHS, resumed up to ALL, equal a run of ALL epochs.
resumes() {
    rm -rf whole parts
    train --quiet --out whole --threads 1 "$1" --epochs "$3"
    status_is 0
    train --quiet --out parts --threads 1 "$1" --epochs "$2"
    status_is 0
    train --quiet --resume parts --threads 1 --epochs "$3"
    status_is 0
    same_checkpoints whole parts
    same_history whole parts
}

@test "with penalties the history has the objective besides the loss" {
    local wanted
    xor xor.cfg 'regularization = { l1 = 0.02; l2 = 0.5; };'
    sed -i 's/layer = "dense"; units = 1;/& l1 = 0; l2 = 0.25;/' xor.cfg
    train --json --out run xor.cfg
    status_is 0
    says objective
    wanted=$({
        numbers run/last.safetensors dense_1.weight | sed 's/$/ 0.02 0.5/'
        numbers run/last.safetensors dense_2.weight | sed 's/$/ 0 0.25/'
    } | awk '{ w = $1 < 0 ? -$1 : $1; s += $2 * w + $3 / 2 * w * w } END { printf "%.9g", s }')
    near "$(awk -v a="$(column run train_objective)" -v b="$(column run train_loss)" \
        'BEGIN { printf "%.9g", a - b }')" "$wanted" 1e-6
    equal "$(tail -2 <<<"$output" | head -1 | jq -r '.train_objective * 1e6 | round')" \
        "$(awk -v x="$(column run train_objective)" 'BEGIN { printf "%.0f", x * 1e6 }')"
    xor plain.cfg
    train --json --out plain plain.cfg
    says_not objective
    shows_not objective
    equal "$(column plain train_objective)" "$(tail -1 plain/history.csv)" # the column does not exist
}

@test "the objective can be monitored; its column does not change" {
    xor xor.cfg \
        'regularization = { l2 = 10.0; early_stopping = { monitor = "train_objective"; patience = 2; }; };'
    train --quiet --json --out run xor.cfg --epochs 4
    status_is 0
    equal "$(tail -1 <<<"$output" | jq -r .monitor)" train_objective
    near "$(tail -1 <<<"$output" | jq -r .best)" "$(column run train_objective)" 1e-6
    train --quiet --resume run --epochs 6 --set regularization.l2=0 \
        --set regularization.early_stopping.monitor=train_loss
    status_is 2
    says "whether it has penalties (train_objective)"
    train --quiet --out other xor.cfg --set regularization.l2=0
    status_is 2
    says 'monitor = "train_objective" is not a column of the history'
}

# averaged FILE TENSOR RUN...: the tensor is the mean over the runs' last checkpoints.
mean_of() {
    local tensor=$1 run
    shift
    for run in "$@"; do numbers "$run/last.safetensors" "$tensor" >".$run"; done
    paste "${@/#/.}" | awk '{ s = 0; for (i = 1; i <= NF; i++) s += $i; printf "%.5f\n", s / NF }'
}
rounded() { awk '{ printf "%.5f\n", $1 }'; }

@test "swa is the mean of the weights at the ends of epochs, ema one of all steps" {
    local n
    xor xor.cfg
    for n in 1 2 3 4 5; do
        train --quiet --out "$n" xor.cfg --epochs "$n"
        status_is 0
    done
    xor swa.cfg 'regularization = { average = { type = "swa"; from_epoch = 3; }; };'
    train --out swa swa.cfg --epochs 5
    status_is 0
    says "average     swa: from epoch 3 on"
    equal "$(numbers swa/last.safetensors dense_1.weight | rounded)" \
        "$(mean_of dense_1.weight 3 4 5)"
    equal "$(numbers swa/last.safetensors raw.dense_1.weight)" \
        "$(numbers 5/last.safetensors dense_1.weight)"
    # a_1 = w_1, then decay 2/11, 3/12
    xor ema.cfg 'regularization = { average = { type = "ema"; decay = 0.2; }; };'
    train --quiet --out ema ema.cfg --epochs 3
    status_is 0
    for n in 1 2 3; do numbers $n/last.safetensors dense_2.weight >.$n; done
    equal "$(numbers ema/last.safetensors dense_2.weight | rounded)" "$(paste .1 .2 .3 |
        awk '{ a = 2 / 11 * $1 + 9 / 11 * $2; printf "%.5f\n", 0.2 * a + 0.8 * $3 }')"
    # an average of one checkpoint equals it
    train --quiet --out zero ema.cfg --epochs 3 --set regularization.average.decay=0
    equal "$(numbers zero/last.safetensors dense_2.weight)" \
        "$(numbers 3/last.safetensors dense_2.weight)"
    same_history zero 3
}

@test "with swa batch_norm has the statistics of the training part" {
    xor xor.cfg 'regularization = { average = { type = "swa"; from_epoch = 2; }; };'
    sed -i 's/network = (/&\n{ layer = "batch_norm"; },/' xor.cfg
    train --quiet --out run xor.cfg --epochs 1
    equal "$(numbers run/last.safetensors batch_norm_1.mean | tr -s ' \n' ' ')" " 0.05 0.05 "
    train --quiet --resume run --epochs 2
    status_is 0
    equal "$(numbers run/last.safetensors batch_norm_1.mean | tr -s ' \n' ' ')" " 0.5 0.5 "
    equal "$(numbers run/last.safetensors batch_norm_1.variance | rounded | tr '\n' ' ')" \
        "0.33333 0.33333 "
    equal "$(numbers run/last.safetensors raw.batch_norm_1.mean | rounded | tr '\n' ' ')" \
        "0.09500 0.09500 "
    # batches of 3 and 2, weighted by their rows
    printf '%s\n' a,b,class 0,0,0 0,1,1 1,0,1 1,1,0 1,0,1 >five.csv
    train --quiet --out other xor.cfg --epochs 2 --set training.batch_size=3 \
        --set data.train.file=five.csv
    equal "$(numbers other/last.safetensors batch_norm_1.mean | rounded | tr '\n' ' ')" \
        "0.60000 0.40000 "
}

@test "averages resume bit-exactly, and are tested" {
    local options
    for options in 'type = "ema"; decay = 0.99' 'type = "swa"; from_epoch = 2' \
        'type = "swa"; from_epoch = 4'; do
        digits digits.cfg "regularization = { average = { $options; }; };"
        sed -i 's/ schedule = .*; };/ };/
            s/{ layer = "dropout"/{ layer = "batch_norm"; }, &/' digits.cfg
        resumes digits.cfg 3 5
        tested whole --last --split validation --json
        status_is 0
        near "$(jq .loss <<<"$output")" "$(column whole val_loss)" 1e-6
        grep -q '^raw.batch_norm_1.mean$' <(tensors whole/last.safetensors) ||
            fail "the training's own weights are not there"
        differ <(numbers whole/last.safetensors raw.dense_1.weight) \
            <(numbers whole/last.safetensors dense_1.weight)
    done
    # init_from reads the average
    sed 's/training = {/& init_from = "whole";/; s/0.003/0.0/' digits.cfg >other.cfg
    sed -i '/^regularization/d' other.cfg
    train --out other other.cfg --epochs 1
    status_is 0
    says "loaded      8 of 8 tensors from whole/best.safetensors"
    equal "$(numbers other/last.safetensors dense_1.weight)" \
        "$(numbers whole/best.safetensors dense_1.weight)"
}

@test "errors and warnings of averages" {
    xor xor.cfg 'regularization = { average = { type = "swa"; }; };'
    train --quiet --out run xor.cfg --epochs 20
    status_is 2
    says "needs from_epoch, the first epoch whose weights are averaged (three quarters of training.epochs, 15, is usual)"
    train --out run xor.cfg --epochs 2 --set regularization.average.from_epoch=3
    status_is 0
    says "average.from_epoch is 3, but there are 2 epochs: nothing is averaged"
    train --quiet --resume run --epochs 4 --set regularization.average.type=ema
    status_is 2
    says "the run's average of the weights is of type swa, which cannot become ema"
}

# deep ACTIVATION: a net of ten layers for the digits, deep.cfg.
deep() {
    local n
    digits deep.cfg
    {
        sed '/^network/,$d' deep.cfg
        echo "network = ("
        for n in $(seq 9); do
            echo "{ layer = \"dense\"; units = 100; activation = \"$1\"; init = \"normal\"; },"
        done
        echo '{ layer = "dense"; units = 10; init = "normal"; } );'
        sed -n '/^loss/,$p' digits.cfg
    } >.deep
    mv .deep deep.cfg
}
set_up() { digits digits.cfg; }

@test "lsuv: the outputs before the activation have variance 1 on the training part" {
    local net
    deep tanh
    train --out run deep.cfg --epochs 1 --set 'training.initialize="lsuv"'
    status_is 0
    says "lsuv        10 layers scaled on 512 rows, by factors of"
    # the four rows of the truth table, tanh layers of three, two and one units
    xor one.cfg
    sed -i 's/units = 2; activation = "tanh"; },/units = 3; activation = "tanh"; }, { layer = "dense"; &/
        s/epochs = 3/initialize = "lsuv"; epochs = 1/; s/0.05/0.0/' one.cfg
    train --out one one.cfg
    status_is 0
    says "lsuv        3 layers scaled on 4 rows, by factors of"
    for net in 1 2 3; do numbers one/last.safetensors dense_$net.weight; done | awk '
        { w[NR] = $1 }
        function act(x) { return 1 - 2 / (exp(2 * x) + 1) }
        function variance(z, n,    i, s, q) {
            for (i = 1; i <= n; i++) { s += z[i]; q += z[i] * z[i] }
            return q / n - s * s / n / n
        }
        END {
            for (r = 0; r < 4; r++) {
                x[1] = r % 2; x[2] = int(r / 2)
                for (j = 1; j <= 3; j++) h[j] = act(a[++na] = x[1] * w[j] + x[2] * w[3 + j])
                for (j = 1; j <= 2; j++) g[j] = act(b[++nb] = h[1] * w[6 + j] + h[2] * w[8 + j] + h[3] * w[10 + j])
                c[++nc] = g[1] * w[13] + g[2] * w[14]
            }
            printf "%.4f %.4f %.4f\n", variance(a, na), variance(b, nb), variance(c, nc)
        }' >variances
    equal "$(cat variances)" "1.0000 1.0000 1.0000"
    # the first matrix has columns of equal norm and orthogonal rows
    equal "$(numbers one/last.safetensors dense_1.weight | awk '
        { w[NR] = $1 }
        END { printf "%d", 1e5 * (w[1] * w[4] + w[2] * w[5] + w[3] * w[6]) }')" 0
    train --quiet --out again one.cfg
    same one/last.safetensors again/last.safetensors
    train --quiet --out from one.cfg --set 'training.init_from="one"'
    status_is 2
    says 'initialize = "lsuv" has no effect: init_from sets the weights'
}

@test "lsuv: the activation of a convolution is not scaled" {
    local activation
    digits conv.cfg
    sed -i '/layer = "dropout"/d
        s/{ layer = "dense"; units = 32;.*/{ layer = "reshape"; shape = (8, 8, 1); }, \
            { layer = "conv2d"; filters = 8; kernel = 3; activation = "relu"; },/
        s/0.003/0.0/; s/epochs = 6/initialize = "lsuv"; epochs = 1/' conv.cfg
    train --quiet --out relu conv.cfg
    status_is 0
    sed -i 's/relu/linear/' conv.cfg
    train --quiet --out linear conv.cfg
    equal "$(numbers relu/last.safetensors conv2d_1.weight)" \
        "$(numbers linear/last.safetensors conv2d_1.weight)"
    differ relu/history.csv linear/history.csv
}

@test "lsuv: a layer whose output does not vary is reported" {
    xor xor.cfg
    sed -i 's/network = (/& { layer = "dropout"; rate = 0.0; }, { layer = "scale"; }, /
        s/epochs = 3/initialize = "lsuv"; epochs = 1/' xor.cfg
    printf 'x,y,class\n1,1,a\n1,1,b\n1,1,a\n' >same.csv
    sed 's/xor.csv/same.csv/; s/units = 2/units = 1/' xor.cfg >same.cfg
    train --out same same.cfg
    status_is 0
    says 'warning     lsuv: the output of "dense_1" does not vary: it is not scaled'
}

# verdicts STD: on the layers of deep.cfg with normal weights of that deviation, or another init.
verdicts() {
    sed -i "s/init = [^}]*}/init = $1; }/" deep.cfg
    inspect net --activations deep.cfg
    status_is 0
    verdict=$(sed '1,/^layer .*verdict$/d' <<<"$output" | awk 'NF > 6 { $1 = $2 = $3 = $4 = $5 = ""; print }' |
        sed 's/^ *//; s/^[-0-9.e% +]* //' | uniq -c | awk '{ $1 = $1; print }' | tr '\n' ',')
}

@test "net --activations: detects weights that are too small, too large, zero or equal" {
    deep tanh
    verdicts '"xavier"'
    equal "$verdict" "10 fine,"
    verdicts '"normal"; init_std = 0.01'
    equal "$verdict" "2 vanishing gradient,8 vanishing,"
    verdicts '"normal"; init_std = 1.0'
    equal "$verdict" "9 saturated,1 fine,"
    verdicts '"zeros"'
    equal "$verdict" "10 dead,"
    verdicts '"constant"'
    [[ $verdict == "9 constant,"* || $verdict == "10 constant," ]] || fail "$verdict"
    deep relu
    verdicts '"normal"; init_std = 10.0'
    [[ $verdict == *exploding* ]] || fail "$verdict"
    exists_not runs
}

# The truth table through a tanh layer of given weights: outputs 0, 0.76159, 0.76159, 0.96403 with
# mean 0.62180 and deviation 0.36839; the gradient of the loss is (p - y) / 4.
@test "net --activations: statistics of the outputs and their gradients" {
    xor xor.cfg
    sed -i 's/units = 2; activation = "tanh";/units = 1; activation = "tanh"; init = "constant"; init_value = 1;/
        s/layer = "dense"; units = 1; }/layer = "dense"; units = 1; init = "constant"; init_value = 0.5; }/' xor.cfg
    inspect net --activations xor.cfg
    status_is 0
    awk '/^dense_1 .*%/ { print $2, $3, $4, $6, $8 }' <<<"$output" >first
    equal "$(cat first)" "0.622 0.368 25.0 0.0 $(awk 'BEGIN {
        split("0 0.761594 0.761594 0.964028", h, " "); split("0 1 1 0", y, " ")
        for (i = 1; i <= 4; i++) { g = 0.5 * (1 / (1 + exp(-0.5 * h[i])) - y[i]) / 4; s += g * g }
        printf "%.2e", sqrt(s / 4) }')"
}

@test "freeze_until_epoch: frozen before it, trained after; resumes bit-exactly" {
    local n
    digits digits.cfg
    sed -i 's/{ layer = "dense"; units = 32;/& freeze_until_epoch = 3;/; s/ schedule = .*; };/ };/' digits.cfg
    train --out 1 --threads 1 digits.cfg --epochs 1
    status_is 0
    says "frozen      dense_1 until epoch 3;"
    for n in 2 3; do train --quiet --out $n --threads 1 digits.cfg --epochs $n; done
    equal "$(numbers 1/last.safetensors dense_1.weight)" "$(numbers 2/last.safetensors dense_1.weight)"
    equal "$(numbers 2/last.safetensors optimizer.1.dense_1.weight | sort -u | tr -d ' ')" 0
    differ <(numbers 1/last.safetensors dense_2.weight) <(numbers 2/last.safetensors dense_2.weight)
    differ <(numbers 2/last.safetensors dense_1.weight) <(numbers 3/last.safetensors dense_1.weight)
    differ <(numbers 2/last.safetensors dense_1.bias) <(numbers 3/last.safetensors dense_1.bias)
    for n in 1 2 3; do resumes digits.cfg $n 4; done
    # of a block: for its layers that do not set it themselves
    xor block.cfg
    sed -i 's/{ layer = "dense"; units = 2;/{ layer = "sequence"; freeze_until_epoch = 2; body = (\
        { layer = "dense"; units = 3; }, &/; s/"tanh"; },/"tanh"; freeze_until_epoch = 4; } ); },/' block.cfg
    train --dry-run block.cfg
    says "frozen      dense_1 until epoch 2; dense_2 until epoch 4;"
}

# Adam's first step has size learning_rate for any gradient, also for a layer unfrozen at step
# three; clipping ignores the gradients of frozen layers.
@test "freeze_until_epoch: the optimizer starts on a layer when it is unfrozen" {
    local first
    xor xor.cfg
    sed -i 's/layer = "dense"; units = 2;/& freeze_until_epoch = 3;/' xor.cfg
    train --quiet --out before xor.cfg --epochs 2
    train --quiet --out after xor.cfg --epochs 3
    paste <(numbers before/last.safetensors dense_1.weight) \
        <(numbers after/last.safetensors dense_1.weight) |
        awk '{ d = $1 - $2; if (d < 0) d = -d; if (d < 0.0499 || d > 0.0501) exit 1 }' ||
        fail "its first step is not one of Adam's first steps"
    # only trained layers count in clipping
    xor clip.cfg 'regularization = { clip_norm = 0.001; };'
    sed -i 's/type = "adam"/type = "sgd"/; s/layer = "dense"; units = 2;/& trainable = false;/' clip.cfg
    train --quiet --out fixed clip.cfg --epochs 2
    sed -i 's/trainable = false/freeze_until_epoch = 3/' clip.cfg
    train --quiet --out late clip.cfg --epochs 2
    same_history fixed late
}

@test "scripts/pretrain_autoencoder.sh: layer by layer without labels, then with a few" {
    local first
    capture "$root/scripts/pretrain_autoencoder.sh" --pretrain 20 --epochs 60 --out out
    status_is 0
    says_not dltrain
    shows "test accuracy with 0.05 of the rows labeled"
    [ "$(awk '/pretrained/ { p = $4 } /random/ { r = $4 } END { print (p > r && p > 70) }' .out)" = 1 ] ||
        fail "nothing was gained"
    # frozen layers are unchanged, and the classifier starts with all of them
    equal "$(numbers out/autoencoder_1/best.safetensors encoder_1.weight)" \
        "$(numbers out/autoencoder_3/last.safetensors encoder_1.weight)"
    grep -q "loaded      6 of 8 tensors from .*autoencoder_3" out/pretrained/log.txt ||
        fail "the classifier does not begin with the autoencoder"
    capture "$root/scripts/pretrain_autoencoder.sh" --labels 0.9
    status_is 2
    says_only "pretrain_autoencoder.sh: --labels must be between 0 and 0.8"
}

# orthonormal FILE TENSOR FEW MANY ALONG ACROSS: |W'W - I| < 1e-4 for FEW vectors of MANY numbers;
# number i of vector j is at i * ALONG + j * ACROSS.
orthonormal() {
    numbers "$1" "$2" | awk -v few="$3" -v many="$4" -v along="$5" -v across="$6" '
        { w[NR - 1] = $1 }
        END {
            for (a = 0; a < few; a++) for (b = 0; b < few; b++) {
                s = -(a == b)
                for (i = 0; i < many; i++) s += w[i * along + a * across] * w[i * along + b * across]
                sum += s * s
            }
            exit NR != few * many || sqrt(sum) >= 1e-4
        }' || fail "$2 is not orthogonal"
}

@test "orthogonal: dense and recurrent matrices stay orthogonal, and learn" {
    local type before
    digits digits.cfg 'regularization = { l2 = 1e-4; max_norm = 0.9; };'
    sed -i 's/ schedule = .*; };/ };/; s/{ layer = "dense"; units = 32;/& orthogonal = true;/
        s/{ layer = "dropout".*/{ layer = "dense"; units = 48; orthogonal = true; activation = "tanh"; },/' digits.cfg
    resumes digits.cfg 10 30 # 40 steps per epoch
    orthonormal whole/last.safetensors dense_1.weight 32 64 32 1
    orthonormal whole/last.safetensors dense_2.weight 32 48 1 48
    [[ $(column whole val_accuracy) > 0.8 ]] || fail "it has not learnt"
    differ <(numbers whole/last.safetensors dense_1.weight) <(numbers whole/best.safetensors dense_1.weight)
    # loaded weights become orthogonal
    digits plain.cfg
    train --quiet --out plain plain.cfg --epochs 1
    sed -i 's/training = {/& init_from = "plain";/; s/0.003/0.0/' digits.cfg
    train --out taken digits.cfg --epochs 1
    status_is 0
    orthonormal taken/last.safetensors dense_1.weight 32 64 32 1

    for _ in $(seq 20); do cat "$root/tests/config/data/letters.txt"; done >letters.txt
    for type in simple_rnn lstm gru; do
        cat >text.cfg <<CONFIG
data = { format = "text"; train = { file = "letters.txt"; }; length = 8; };
network = ( { layer = "$type"; units = 12; orthogonal = true; bidirectional = true; return = "last"; },
  { layer = "dense"; units = 28; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 32; epochs = 4; };
CONFIG
        sed -i 's/return = "last"; //' text.cfg
        resumes text.cfg 2 4
        case $type in simple_rnn) n=12 ;; lstm) n=48 ;; gru) n=36 ;; esac
        orthonormal whole/last.safetensors "${type}_1.recurrent_weight" 12 $n 1 $n
        orthonormal whole/last.safetensors "${type}_1.recurrent_weight_reverse" 12 $n 1 $n
    done
}

@test "batch_norm: batches of one value do not change its statistics; small ones are reported" {
    awk 'BEGIN { srand(1); for (i = 0; i < 65; i++) { x = 4 * rand() - 2; print x "," 2 * x } }' >x.csv
    cat >norm.cfg <<'C'
data = { format = "csv"; header = false; target = 2; task = "regression"; train = { file = "x.csv"; }; };
network = ( { layer = "batch_norm"; }, { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
training = { batch_size = 16; epochs = 60; };
C
    variance=$(awk -F, '{ s += $1; q += $1 * $1 } END { print (q - s * s / NR) / (NR - 1) }' x.csv)
    train --out run norm.cfg
    status_is 0
    says 'norm.cfg:2: "batch_norm_1" has 1 value per channel for mean and variance in the last batch of 1 row, which its running statistics omit'
    running=$(numbers run/last.safetensors batch_norm_1.variance)
    awk -v v="$running" -v w="$variance" 'BEGIN { exit !(v > 0.9 * w && v < 1.1 * w) }' ||
        fail "the running variance is $running, not $variance"
    train --force --out run norm.cfg --epochs 1 --set training.batch_size=1
    says '"batch_norm_1" has 1 value per channel for mean and variance in each batch of 1 row'
    equal "$(numbers run/last.safetensors batch_norm_1.variance | tr -d ' ')" 1
    train --force --out run norm.cfg --epochs 1 --set training.batch_size=5
    says '"batch_norm_1" has 5 values per channel for mean and variance in each batch of 5 rows:'
    train --force --out run norm.cfg --epochs 1 --set training.batch_size=13 # 5 whole batches
    says_not "per channel for mean"
}

@test "the expected first loss is the mean of the observed ones, for every loss" {
    local last loss target seed want
    while IFS='|' read -r target loss last want; do
        cat >first.cfg <<C
data = { format = "random"; input = (6); $target; train = { rows = 512; }; };
network = ( { layer = "dense"; $last; init = "normal"; init_std = 0.01; } );
loss = { type = $loss; };
training = { batch_size = 512; epochs = 0; };
C
        for seed in {1..20}; do
            "$dltrain" --force --out run --seed "$seed" first.cfg 2>&1 | grep '^loss '
        done >losses
        equal "$(wc -l <losses)" 20
        awk -v want="$want" '{ expected += $2 / NR0; observed += $6 / NR0 }
            END { d = observed - expected
                  exit !(d * d < 0.0004 * expected ^ 2 &&
                         (want == "" || (want - expected) ^ 2 < 0.0009 * want ^ 2)) }' NR0=20 losses ||
            fail "$loss of $target, $last: $(head -1 losses)"
    done <<'T'
classes = 2|"mse"|units = 1; activation = "sigmoid"|0.25
classes = 2|"l1"|units = 1; activation = "sigmoid"|0.5
classes = 2|"huber"; delta = 0.3|units = 1; activation = "sigmoid"|0.105
classes = 2|"mse"|units = 2; activation = "softmax"|0.25
classes = 4|"mse"|units = 4; activation = "sigmoid"|0.25
classes = 4|"mse"|units = 4|0.25
classes = 4|"huber"|units = 4; activation = "softmax"|
classes = 4|"softmax_cross_entropy"|units = 4|1.3863
classes = 2|"binary_cross_entropy"|units = 1|0.6931
classes = 2|"hinge"|units = 1; activation = "sigmoid"|
classes = 2|"squared_hinge"|units = 1|1
classes = 4|"hinge"|units = 4|3
outputs = 3|"mse"|units = 3; activation = "softplus"|
outputs = 3|"l1"|units = 3|
T
}

@test "a batch larger than the training part takes all of it; one row can be memorized" {
    xor xor.cfg
    train --quiet --threads 1 --out all xor.cfg
    status_is 0
    sed -i 's/batch_size = "all"; //' xor.cfg
    train --threads 1 --out default xor.cfg
    status_is 0
    says "batch_size is 32, but the training part has only 4 rows: a step takes all of them"
    train --threads 1 --out five --set training.batch_size=5 xor.cfg
    status_is 0
    says "xor.cfg: batch_size is 5" || says "batch_size is 5, but"
    same_history all default
    same_history all five
    printf '\x93NUMPY\x01\x00\x46\x00%-69s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }" >x.npy
    printf '\1\2' >>x.npy
    printf '\x93NUMPY\x01\x00\x46\x00%-69s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }" >y.npy
    printf '\1' >>y.npy
    train --out one --epochs 20 --set 'data={format="npy"; train={inputs="x.npy"; targets="y.npy"; classes=2;};}' xor.cfg
    status_is 0
    says "there is one row for training"
}
@test "dlinspect net --profile: time per layer, nothing is saved" {
    digits digits.cfg
    "$dlinspect" net --profile digits.cfg >.out
    for layer in dense_1 dense_2; do
        grep -qE "^$layer +forward +[0-9.]+ +[0-9.]+ %" .out || fail "$layer is missing"
    done
    awk '$2 ~ /^(forward|backward)$/ || /^update/ { for (i = 2; i < NF; i++) if ($(i + 1) == "%") { share += $i; break } }
        END { exit !(share > 99 && share < 101) }' .out || fail "the shares are not 100 %"
    [ ! -e runs ]
}
