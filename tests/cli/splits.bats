#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Splits, and checks of the data before training.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# patients [KEYS]: a table of 300 rows of 30 patients, and a config for it.
patients() {
    awk 'BEGIN {
        print "patient,a,b,label"
        for (i = 0; i < 300; i++)
            printf "p%d,%d,%d,%s\n", i * 7919 % 1009 % 30, i * 104729 % 997, i, i % 3 ? "well" : "ill"
    }' >patients.csv
    cat >patients.cfg <<CONFIG
name = "patients";
data = { format = "csv"; train = { file = "patients.csv"; }; $1 };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 16; epochs = 1; };
CONFIG
}

@test "split.csv has the part of each row; no group is in two parts" {
    patients 'validation = 0.1; test = 0.2; group = "patient";'
    train --out run patients.cfg
    status_is 0
    says "2 inputs, 2 classes"
    equal "$(head -1 run/split.csv)" "row,part,source"
    equal "$(wc -l <run/split.csv)" 301
    # row and part, with the patient
    paste -d, <(tail -n +2 patients.csv) <(tail -n +2 run/split.csv) >both.csv
    equal "$(awk -F, '$5 != NR - 1' both.csv)" ""
    equal "$(awk -F, '{ print $1 "," $6 }' both.csv | sort -u | cut -d, -f1 | uniq -d)" ""
    for part in train validation test; do
        says "$part $(grep -c ",$part," run/split.csv)"
    done
    tested --json run
    equal "$(jq .rows <<<"$output")" "$(grep -c ",test," run/split.csv)"
    # a run without shares has none, and removes that of the run it replaces
    patients 'ignore = ("patient");'
    train --quiet --out run --force patients.cfg
    status_is 0
    exists_not run/split.csv
}

@test "dltest and --resume refuse another split" {
    patients 'test = 0.2; split = "random";' # the same rows, whatever their content
    cp patients.csv whole.csv
    sed -i 's/{ file/{ ignore = ("patient"); file/' patients.cfg
    train --quiet --out run patients.cfg
    status_is 0
    tested run --set data.train.file=whole.csv
    status_is 0
    head -n 299 whole.csv >patients.csv
    tested run
    status_is 3
    says_only "dltest: run/best.safetensors: the data are not split as when the run \
started (it had 300 rows, the file has 298): training rows would be tested on"
    { head -1 whole.csv && tail -n +2 whole.csv | tac; } >patients.csv
    tested run
    status_is 3
    says "the same number of rows, but other rows, another order or another split"
    train --resume run --epochs 2
    status_is 3
    says "the data are not split as when"
    tested run --set data.train.file=whole.csv --set data.split_seed=5
    status_is 3
}

@test "groups: tail splits, the target, missing columns or values are refused" {
    patients 'test = 0.2; group = "patient"; split = "tail";'
    train patients.cfg
    status_is 2
    says "dltrain: patients.cfg:2: \"split\" cannot be \"tail\" with groups of rows, which must stay together (use \"stratified\" or \"random\")"
    train patients.cfg --set data.split=random --set data.group=label --set data.target=label
    status_is 3
    says "patients.csv: the target, \"label\", cannot be the group, too"
    train patients.cfg --set data.split=random --set data.group=pateint
    status_is 3
    says "group: patients.csv has no column \"pateint\" (did you mean \"patient\"?)"
    sed -i '7s/^p[0-9]*,/,/' patients.csv
    train patients.cfg --set data.split=random
    status_is 3
    says "dltrain: patients.csv:7: column \"patient\": the value is missing; for a group only \
missing = \"drop_row\" helps"
    train patients.cfg --quiet --dry-run --set data.split=random --set data.missing=drop_row
    status_is 0
}

# table FILE FIRST COUNT: rows of two numbers and a class.
table() {
    awk -v first="$2" -v count="$3" 'BEGIN {
        print "x,z,class"
        for (i = first; i < first + count; i++)
            printf "%d,%d,%s\n", i * 7919 % 1009, i * 104729 % 997, i % 2 ? "a" : "b"
    }' >"$1"
}

two_files() {
    table train.csv 0 200
    table test.csv 300 50
    cat >two.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "train.csv"; }; test = { file = "test.csv"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 1; };
CONFIG
}

@test "data: no problems, nothing is written" {
    two_files
    inspect data two.cfg
    status_is 0
    grep -q '^column      "x": number, 0 to 1005$' <<<"$errors" || fail "no table of the columns"
    shows "no problems found"
    shows "note        train: 100 rows of each class"
    exists_not runs
    inspect data --json two.cfg
    status_is 0
    equal "$(jq -c '[.wrong, .findings[].check]' <<<"$output")" \
        '[false,"class_counts","class_counts"]'
}

@test "data: rows in two parts, duplicates or contradictory labels exit with 5" {
    two_files
    sed -n 11,20p train.csv >>test.csv
    sed -n '30p; 30s/,[ab]$/,?/p' train.csv | sed 's/?$/b/' >>train.csv
    inspect data two.cfg
    status_is 5
    grep -q '^column      "x": number, 0 to 1005$' <<<"$errors" || fail "no table of the columns"
    shows "warning     test: the input of 10 rows is also in train: row 50 of test is row 9 of train"
    shows "warning     train: 2 rows have the same input as an earlier one: row 200 is row 28"
    inspect data --json two.cfg
    status_is 5
    equal "$(jq -c '[.wrong, (.findings[] | select(.check == "duplicates_across") | .count)]' \
        <<<"$output")" '[true,10]'
    inspect data nothing.cfg
    status_is 2
    sed -i '3s/^[^,]*/?/' test.csv
    inspect data two.cfg
    status_is 3
}

@test "missing and imbalanced classes are reported before training, unless balanced" {
    two_files
    { cat train.csv; echo 5,5,c; echo 6,6,c; } >more.csv
    sed -i 's/units = 2/units = 3/' two.cfg
    train two.cfg --set data.train.file=more.csv --out run
    status_is 0
    says "warning     train: 3 classes, of 2 rows (\"c\") to 100 (\"a\"): data.balance"
    says "warning     test: 1 of 3 classes has no row: \"c\""
    train two.cfg --set data.train.file=more.csv --set data.balance=weights --dry-run
    says_not "warning     train"
}

@test "training checks the rows first, and continues" {
    two_files
    sed -n 11,20p train.csv >>test.csv
    awk -F, 'NR == 1 { print $0 } NR > 1 { print "7," $2 "," $3 }' train.csv >same.csv
    train two.cfg --out run
    status_is 0
    says "warning     test: the input of 10 rows is also in train: row 50 of test is row 9 of train"
    train two.cfg --out other --set data.train.file=same.csv
    status_is 0
    says "note        train: of 2 columns 1 is constant"
}

@test "balance: oversampling or weights; resumes bit-exactly" {
    two_files
    { cat train.csv; for i in 1 2 3 4; do echo "$i,$i,c"; done; } >more.csv
    sed -i 's/train.csv/more.csv/; s/units = 2/units = 3/; s/epochs = 1/epochs = 4; batch_size = 32/' two.cfg
    train --quiet two.cfg --set data.balance=oversample --out whole
    status_is 0
    equal "$(column whole step)" 40 # 300 rows, 10 steps per epoch
    train --quiet two.cfg --set data.balance=oversample --epochs 2 --out half
    train --quiet --resume half --epochs 4
    same_history whole half
    tested --json whole --split train # each row once
    equal "$(jq .rows <<<"$output")" 204
    train --quiet two.cfg --set data.balance=weights --out weights
    status_is 0
    sed 's/entropy"/&; class_weights = "balanced"/' two.cfg >loss.cfg
    train --quiet loss.cfg --out loss
    same_history weights loss
    tested --json weights
    status_is 0
    sed -i 's/"balanced"/(1, 1, 2)/' loss.cfg
    train loss.cfg --set data.balance=weights
    status_is 2
    says '"balance" is "weights", but the loss already has class_weights (loss.cfg:3)'
    train two.cfg --set data.balance=oversample --set training.shuffle=false
    status_is 2
    says "reshuffles the rows in each epoch, but training.shuffle is false"
    train two.cfg --set data.balance=weights --set 'loss.type="hinge"'
    status_is 2
    says 'the loss "hinge" has no class_weights ("oversample" works with any loss)'
}
