#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Second-order, full-batch optimizers: an epoch is one step.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031

export FETCHED_DATA=${FETCHED_DATA:-${DLTRAIN_DATA:-}} # the helper unsets it
load helper

least_squares="gauss_newton levenberg levenberg_marquardt"
all="newton bfgs lbfgs $least_squares"

# sine FILE TYPE: a 1-10-1 net for one period of the sine, 41 points.
sine() {
    awk 'BEGIN {
        print "x,y"
        for (i = 0; i < 41; i++) { x = -1 + i / 20; printf "%.6f,%.6f\n", x, sin(3.14159265 * x) }
    }' >sine.csv
    cat >"$1" <<CONFIG
data = { format = "csv"; train = { file = "sine.csv"; }; };
network = ( { layer = "dense"; units = 10; activation = "tanh"; }, { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
optimizer = { type = "$2"; };
training = { epochs = 50; };
CONFIG
}

# first_below RUN LOSS: the first epoch with a lower train_loss, if any.
first_below() {
    awk -F, -v goal="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "train_loss") at = i }
        NR > 1 && $at < goal { print $1; exit }
    ' "$1/history.csv"
}

@test "xor to 1e-4 within 50 iterations" {
    local type epoch
    for type in $all; do
        train --quiet --force --out run "$root/configs/xor-lm.cfg" --set "optimizer.type=$type"
        status_is 0
        epoch=$(first_below run 1e-4)
        echo "# xor-lm.cfg, $type: mse below 1e-4 in iteration ${epoch:-none}" >&3
        [ -n "$epoch" ] || fail "$type: $(column run train_loss)"
        tested run --json
        status_is 0
        jq -e '.accuracy == 1' .out || fail "$type"
    done
}

# Two hidden units are the minimum: some initializations end in a local minimum, but not the seed of
# xor.cfg.
@test "the net of xor.cfg by levenberg_marquardt to 1e-4 within 50 iterations" {
    local epoch
    sed 's/^loss = .*/loss = { type = "mse"; };/
         s/^optimizer = .*/optimizer = { type = "levenberg_marquardt"; };/' \
        "$root/configs/xor.cfg" >xor.cfg
    grep -q levenberg_marquardt xor.cfg
    train --quiet --out run xor.cfg --epochs 50
    status_is 0
    epoch=$(first_below run 1e-4)
    echo "# xor.cfg, levenberg_marquardt: mse below 1e-4 in iteration ${epoch:-none}" >&3
    [ -n "$epoch" ] || fail "$(column run train_loss)"
}

@test "a sine with ten hidden units: levenberg_marquardt to 1e-4 within 50 iterations" {
    local type epoch
    sine sine.cfg levenberg_marquardt
    for type in $all; do
        train --quiet --force --out run sine.cfg --set "optimizer.type=$type"
        status_is 0
        epoch=$(first_below run 1e-4)
        echo "# sine, $type: mse below 1e-4 in iteration ${epoch:-none};" \
            "after 50 it is $(column run train_loss)" >&3
        [ "$type" != levenberg_marquardt ] || [ -n "$epoch" ] || fail "it has not got there"
        # the loss never increases, except by rounding
        awk -F, 'NR > 2 && $5 > before * (1 + 1e-5) { print; bad = 1 } { before = $5 }
            END { exit bad }' run/history.csv || fail "$type goes up"
    done
}

# Batches of several sizes; the objective is the same.
@test "the batch size does not change the result" {
    local type
    sine sine.cfg lbfgs
    for type in lbfgs levenberg_marquardt; do
        train --quiet --out all sine.cfg --set "optimizer.type=$type" --epochs 5 \
            --set 'training.batch_size="all"'
        train --quiet --out some sine.cfg --set "optimizer.type=$type" --epochs 5 \
            --set training.batch_size=7
        status_is 0
        awk -v a="$(column all train_loss)" -v b="$(column some train_loss)" \
            'BEGIN { exit !(a / b > 0.999 && a / b < 1.001) }' ||
            fail "$type: $(column all train_loss) and $(column some train_loss)"
        rm -rf all some
    done
}

@test "all resume bit-exactly, also with penalties and frozen layers" {
    local type at
    sine sine.cfg lbfgs
    echo 'regularization = { l2 = 1e-5; };' >>sine.cfg
    sed -i 's/units = 1; }/units = 3; trainable = false; }, { layer = "dense"; units = 1; }/' sine.cfg
    for type in $all normal_equations; do
        if [ "$type" = normal_equations ]; then
            sed -i 's/ activation = "tanh";/ trainable = false;/; s/l2 = 1e-5/l2 = 0.0/' sine.cfg
        fi
        for at in 1 4; do
            rm -rf whole parts
            train --quiet --out whole --threads 1 sine.cfg --set "optimizer.type=$type" --epochs 9
            status_is 0
            train --quiet --out parts --threads 1 sine.cfg --set "optimizer.type=$type" --epochs $at
            status_is 0
            grep -aq '"optimizer.state":{"dtype":"F64"' parts/last.safetensors
            train --quiet --resume parts --threads 1 --epochs 9
            status_is 0
            # the best may be of the first part, whose config has other epochs
            same whole/last.safetensors parts/last.safetensors
            same_history whole parts
        done
    done
}

@test "an interrupted iteration is finished, saved, and resumed" {
    local type try
    for type in bfgs lbfgs levenberg_marquardt; do
        sine sine.cfg $type
        sed -i 's/epochs = 50/epochs = 3000/' sine.cfg
        train --quiet --out whole --threads 1 sine.cfg
        status_is 0
        for try in 1 2 3 4 5; do
            rm -rf run
            "$dltrain" --quiet --out run --threads 1 sine.cfg >.out 2>.err 3>&- &
            pid=$!
            while kill -0 $pid 2>/dev/null && [ ! -e run/last.safetensors ]; do sleep 0.002; done
            kill -INT $pid 2>/dev/null || true
            status=0
            wait $pid || status=$?
            [ "$status" -eq 0 ] || break # else it had finished
        done
        status_is 130
        equal "$(metadata run/last.safetensors epoch_step)" 0
        train --quiet --resume run --threads 1
        status_is 0
        same_checkpoints whole run
        same_history whole run
        rm -rf whole
    done
}

@test "a checkpoint with another lbfgs history is refused" {
    sine sine.cfg lbfgs
    train --quiet --out run sine.cfg --epochs 2
    train --quiet --resume run --epochs 3 --set optimizer.history=4
    status_is 3
    says "its tensor \"optimizer.state\" has 685 numbers, but the optimizer's state has 313"
}

# numpy.linalg.lstsq (in double) on all 1030 rows, with a column of ones: rank 9, rmse 10.3536098.
@test "normal_equations: linear regression on concrete, as by NumPy" {
    local folder=$root/data/concrete
    [ -e "$folder/concrete.csv" ] || folder=$FETCHED_DATA/concrete
    [ -e "$folder/concrete.csv" ] || skip "scripts/get_data.sh concrete"
    grep -v 'test =\|validation =\|normalize' "$root/configs/concrete-linear.cfg" |
        sed "s|concrete/concrete.csv|$folder/concrete.csv|" >plain.cfg
    sed 's/format = "csv";/& normalize = "mean_std"; normalize_target = "mean_std";/' plain.cfg \
        >scaled.cfg
    for config in plain scaled; do
        train --quiet --out $config $config.cfg --epochs 3
        status_is 0
        equal "$(printf %.6f "$(column $config train_rmse)")" 10.353610
        # one step suffices
        equal "$(history $config | cut -d, -f3,4 | uniq | wc -l)" 3
    done
}

# b is twice a: only a + 2 b is determined.
@test "normal_equations reports linearly dependent inputs" {
    awk -v OFS=, 'BEGIN {
        print "a,b,c,y"
        for (i = 0; i < 20; i++) print i % 7, 2 * (i % 7), i % 5, 3.5 + 5 * (i % 7) - (i % 5)
    }' >rank.csv
    cat >rank.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "rank.csv"; }; };
network = ( { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
optimizer = { type = "normal_equations"; };
training = { batch_size = 6; epochs = 1; };
CONFIG
    train --out run rank.cfg
    status_is 0
    says "warning     the inputs are linearly dependent (rank 3 of 4): the solution of least norm"
    grep -q "^warning     the inputs are linearly dependent (rank 3 of 4)" run/log.txt
    awk -v loss="$(column run train_loss)" 'BEGIN { exit !(loss < 1e-8) }' ||
        fail "$(column run train_loss)"
}

# Ridge regression on ten outputs with some constant inputs. lbfgs (loss and gradient) and the
# factorization of the Jacobian find the same minimum: both are scaled equally.
@test "the sum of squares equals the loss with penalties" {
    local type epochs
    cat >ridge.cfg <<'CONFIG'
data = { format = "csv"; header = false; train = { file = "digits.csv.gz"; }; normalize = "scale"; };
network = ( { layer = "dense"; units = 10; } );
loss = { type = "mse"; };
optimizer = { type = "normal_equations"; };
regularization = { l2 = 0.003; };
training = { epochs = 1; };
CONFIG
    train --quiet --out solved ridge.cfg
    status_is 0
    says_not warning
    for type in lbfgs gauss_newton; do
        # a linear network: one step of gauss_newton reaches the minimum
        epochs=$([ $type = lbfgs ] && echo 100 || echo 5)
        train --quiet --out $type ridge.cfg --epochs "$epochs" --set "optimizer.type=$type"
        status_is 0
        awk -v a="$(column solved train_loss)" -v b="$(column $type train_loss)" \
            'BEGIN { exit !(a > 0.01 && a / b > 0.99999 && a / b < 1.00001) }' ||
            fail "$type: $(column $type train_loss), and it is $(column solved train_loss)"
    done
    # without the penalty the loss is lower, and the solution is not unique
    train --out free ridge.cfg --set regularization.l2=0.0
    says "warning     the inputs are linearly dependent (rank 620 of 650)"
    awk -v a="$(column solved train_loss)" -v b="$(column free train_loss)" \
        'BEGIN { exit !(b < 0.999 * a) }' || fail "the penalty changes nothing"
}

@test "invalid combinations are refused before anything is written" {
    while IFS='|' read -r type set message; do
        sine sine.cfg "$type"
        train --quiet --out run sine.cfg --set "$set"
        status_is 2
        says "$message"
        exists_not run
    done <<'CASES'
newton|optimizer.most_parameters=30|sine.cfg:4: the network has 31 parameters to be trained, but most_parameters is 30: newton would need 17 kB for its matrices (lbfgs needs none)
bfgs|network.0.units=700|the network has 2101 parameters to be trained, but most_parameters is 2000: bfgs would need 35 MB for its matrices (lbfgs needs none)
levenberg|loss.type="l1"|sine.cfg:3: levenberg minimizes sums of squares: it needs loss "mse", not "l1" (lbfgs works with any loss)
lbfgs|regularization={clip_norm=1.0;}|clip_norm does not work with lbfgs: it chooses its own step length
gauss_newton|regularization={l1=0.1;}|the penalty l1 is not a sum of squares, which gauss_newton needs (l2 is)
lbfgs|network.0={layer="dropout";}|in training, the output of layer "dropout_1" is random or depends on the other samples of the batch, but lbfgs needs a deterministic loss
bfgs|network.0={layer="batch_norm";}|the output of layer "batch_norm_1" is random or depends on the other samples
newton|network.0={layer="gaussian_noise";}|the output of layer "gaussian_noise_1" is random
lbfgs|optimizer.learning_rate=0.1|"learning_rate"
lbfgs|optimizer.schedule={type="cosine";}|"schedule"
normal_equations|training.epochs=1|sine.cfg:4: normal_equations needs outputs that are linear in the parameters
CASES
}
