#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Targets: an ignored class, class weights, and numbers learned as classes.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# classes LOSS-OPTIONS: a config of three classes with 2, 2 and 8 training rows.
classes() {
    {
        echo x,z,class
        for i in 1 2; do echo "$i,0.5,a"; done
        for i in 1 2; do echo "0.5,$i,b"; done
        for i in 1 2 3 4 5 6 7 8; do echo "-$i,-0.$i,c"; done
    } >train.csv
    printf '%s\n' x,z,class 1,1,a 3,1,a 2,2,b -1,2,c 1,2,c 4,-2,b -3,0,c 2,3,a -2,-1,c >test.csv
    cat >classes.cfg <<CONFIG
name = "classes";
data = { format = "csv"; train = { file = "train.csv"; }; test = { file = "test.csv"; }; };
network = ( { layer = "dense"; units = 5; activation = "tanh"; }, { layer = "dense"; units = 3; } );
loss = { type = "softmax_cross_entropy"; $1 };
training = { batch_size = 5; epochs = 3; };
CONFIG
}

of() { jq -c "$1" <<<"$output"; }

@test "rows with ignore_label have no effect" {
    classes 'ignore_label = 2;'
    train --quiet --out run classes.cfg
    status_is 0
    tested --json run # batches of 5 and 4 rows; 3 and 2 count
    status_is 0
    local with
    with=$(of '[.loss, .accuracy]')
    equal "$(of '.confusion[2]')" '[0,0,0]'
    grep -v c$ test.csv >without.csv
    tested --json run --set data.test.file=without.csv
    status_is 0
    equal "$(of .rows)" 5
    jq -en "$with as [\$l, \$a] | $(of '[.loss, .accuracy]') as [\$m, \$b] |
        \$a == \$b and (\$l - \$m | fabs) < 1e-6" || fail "$with"
}

@test "the gradient is of the mean over the rows that count" {
    local full='--quiet --set training.batch_size="all" --set optimizer.type="sgd" --set
        optimizer.learning_rate=0.5' ignored
    classes 'ignore_label = 2;' # 4 of 12 rows count: like 3 times the weight, others none
    # shellcheck disable=SC2086 # several words
    train $full --out ignored classes.cfg
    status_is 0
    tested --json --split train ignored
    ignored=$(of .loss)
    classes 'class_weights = (3, 3, 0);'
    # shellcheck disable=SC2086 # several words
    train $full --out weighted classes.cfg
    tested --json --split train weighted
    jq -en "$ignored - $(of .loss) | fabs < 1e-5" || fail "$ignored"
}

@test "ignore_label also applies to the steps of a text" {
    for i in 1 2 3 4 5 6 7 8 9; do printf 'a    b  c     '; done >text.txt
    cat >text.cfg <<'CONFIG'
data = { format = "text"; train = { file = "text.txt"; }; length = 9; };
network = ( { layer = "simple_rnn"; units = 4; }, { layer = "dense"; units = 4; init_std = 1e-6; init = "normal"; } );
loss = { type = "softmax_cross_entropy"; ignore_label = 0; };
training = { batch_size = 4; epochs = 1; };
CONFIG
    train --out run text.cfg
    status_is 0
    says 'loss        1.3863 expected before training, 1.3863 observed'
    says 'always predicting "b" is right for 36.00 % of train'
    tested --json run
    status_is 0
    equal "$(of '.confusion[0]')" '[0,0,0,0]'
    jq -e '([.confusion[][]] | add) as $n | ([.confusion[1][1], .confusion[2][2], .confusion[3][3]]
        | add / $n) == .accuracy and $n == 25' <<<"$output" >/dev/null || fail
}

@test "balanced weights follow from the counts of the training part" {
    classes 'class_weights = (2, 2, 0.5);' # 12 rows / (3 classes * 2, 2 and 8)
    train --out by_hand classes.cfg
    status_is 0
    local said tested_said
    said=$(grep '^loss ' <<<"$errors")
    tested --json by_hand
    tested_said=$(of .loss)
    classes 'class_weights = "balanced";'
    train --out balanced classes.cfg
    status_is 0
    says 'loss        1.0986 expected before training'
    equal "$(grep '^loss ' <<<"$errors")" "$said"
    mv train.csv gone.csv # the counts are in the checkpoint
    tested --json balanced
    status_is 0
    equal "$(of .loss)" "$tested_said"
}

# numbers: twelve shuffled training rows, 1 to 12, and three test rows.
numbers() {
    printf '%s\n' x,y 1,5 2,1 3,12 4,3 5,7 6,2 7,11 8,6 9,10 10,4 11,9 12,8 >train.csv
    printf '%s\n' x,y 1,0.5 2,6.5 30,20 >test.csv
    cat >numbers.cfg <<CONFIG
name = "numbers";
data = { format = "csv"; task = "regression"; target_bins = 4;
  train = { file = "train.csv"; }; test = { file = "test.csv"; }; };
network = ( { layer = "dense"; units = 4; init = "zeros"; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "sgd"; learning_rate = ${1:-1e-30}; };
training = { batch_size = 4; epochs = 2; };
CONFIG
}

@test "binned targets are learned as classes and scored as numbers" {
    numbers
    train --out run numbers.cfg
    status_is 0
    says 'a number in 4 bins'
    says 'below 3.5: 3  3.5 to 6.5: 3  6.5 to 9.5: 3  from 9.5: 3'
    equal "$(head -1 run/history.csv | cut -d, -f5,6)" train_loss,train_rmse
    rm train.csv # the bins are in the checkpoint
    tested --json run
    status_is 0
    # equal probabilities and bin means 2, 5, 8, 11 predict 6.5; ties choose the first bin
    jq -e '(.mse - (36 + 0 + 13.5 * 13.5) / 3 | fabs) < 1e-4 and (.mae - 19.5 / 3 | fabs) < 1e-5
        and (.accuracy - 1 / 3 | fabs) < 1e-9 and (.loss - (4 | log) | fabs) < 1e-6' \
        <<<"$output" >/dev/null || fail
    equal "$(of '[.classes[].rows]')" '[1,0,1,1]'
    equal "$(of '.classes[3].class')" '"from 9.5"'
}

@test "a run with bins resumes bit-exactly" {
    numbers 0.1
    train --quiet --out whole numbers.cfg
    status_is 0
    train --quiet --epochs 1 --out half numbers.cfg
    train --quiet --resume half --epochs 2
    status_is 0
    equal "$(cut -d, -f1,2,4-6 half/history.csv)" "$(cut -d, -f1,2,4-6 whole/history.csv)"
    sed -i s/12,8/12,8.5/ train.csv
    train --quiet --resume half --epochs 3
    status_is 3
    says 'the data differ from those that the run started with'
}
