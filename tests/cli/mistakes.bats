#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlinspect mistakes, and where rows come from: split.csv.

# shellcheck disable=SC2154,SC2030,SC2031

load helper

# A table with 3 lines before its rows, and one wrong label, in line 20 (row 17).
mislabeled() {
    awk 'BEGIN { print "x,side\n\n"; for (i = 0; i < 60; i++) {
        right = i % 2; printf "%.2f,%s\n", (right ? 1 : -1) * (1 + i / 60), (right != (i == 16)) ? "right" : "left" } }' >table.csv
    equal "$(sed -n 20p table.csv | cut -d, -f2)" right
    cat >table.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "table.csv"; }; validation = 0.3; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.05; };
training = { epochs = 60; batch_size = 10; };
CONFIG
}

@test "the wrong label is the most confident error, by its line" {
    mislabeled
    train table.cfg -o run --quiet
    status_is 0
    equal "$(sed -n 18p run/split.csv | cut -d, -f1,3)" "16,table.csv:20"
    inspect mistakes run --split train -o out --best 2
    status_is 0
    if grep -q '^16,train' run/split.csv; then split=train; else split=validation; fi
    inspect mistakes run --split $split -o out --best 2
    status_is 0
    shows "1 errors of"
    shows "right predicted as left  table.csv:20"
    equal "$(sed -n 2p out/mistakes.csv | cut -d, -f1-3)" "table.csv:20,right,left"
    equal "$(wc -l <out/mistakes.csv)" 4 # and two hits
    equal "$(sed -n 2p out/labels.csv | cut -d, -f1-3)" "table.csv:20,right,left"
    awk -F, 'NR > 2 && $5 > last { exit 1 } { last = $5 }' out/labels.csv || fail "not by loss"
}

@test "the runs of cross-validation judge every row once" {
    mislabeled
    for fold in 1 2 3; do
        train table.cfg -o fold$fold --quiet --set data.folds=3 --set data.fold=$fold
        status_is 0
    done
    inspect mistakes fold1 fold2 fold3 -o out --best 1
    status_is 0
    shows "of 60 validation rows, each by a run that has not learned it"
    equal "$(sed -n 2p out/labels.csv | cut -d, -f1-3)" "table.csv:20,right,left"
    equal "$(cut -d, -f1 out/labels.csv | sort -u | wc -l)" 61
}

@test "pictures by their files" {
    mkdir -p pictures/a pictures/b
    for i in $(seq 10); do
        printf 'P5 2 2 255\n\1\2\3%b' "\\x0$((i % 8))" >pictures/a/$i.pgm
        printf 'P5 2 2 255\n\200\211\222%b' "\\x0$((i % 8))" >"pictures/b/b $i.pgm"
    done
    mv "pictures/b/b 3.pgm" pictures/a/wrong,3.pgm
    cat >pictures.cfg <<'CONFIG'
data = { format = "image_folder"; channels = "gray"; train = { folder = "pictures"; }; validation = 0.2; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.05; };
training = { epochs = 60; batch_size = 4; };
CONFIG
    train pictures.cfg -o run --quiet
    status_is 0
    grep -q '"pictures/a/wrong,3.pgm"$' run/split.csv || fail "$(cat run/split.csv)"
    grep -q ',pictures/b/b 1.pgm$' run/split.csv || fail "$(cat run/split.csv)"
    if grep 'wrong' run/split.csv | grep -q ',train,'; then split=train; else split=validation; fi
    inspect mistakes run --split $split -o out
    status_is 0
    shows "a predicted as b  pictures/a/wrong,3.pgm"
    [ -s out/mistakes.png ] || fail "no picture"
    tar cf pictures.tar pictures
    sed 's/image_folder/image_tar/; s/folder = "pictures"/file = "pictures.tar"/' pictures.cfg >tar.cfg
    train tar.cfg -o tar --quiet --set training.epochs=1
    status_is 0
    grep -q '"pictures/a/wrong,3.pgm"$' tar/split.csv || fail "$(cat tar/split.csv)"
}

@test "rows of numbers have no mistakes; missing data are named" {
    mislabeled
    train table.cfg -o run --quiet --set training.epochs=1
    mv table.csv moved.csv
    inspect mistakes run -o out
    status_is 3
    says "table.csv: not found"
    exists_not out
    awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) print i / 7 "," i / 3 }' >table.csv
    train table.cfg -o numbers --quiet --set 'loss={type="mse";}' --set network.0.units=1
    status_is 0
    inspect mistakes numbers -o out
    status_is 2
    says "dltest --predictions"
}

@test "runs of other classes or inputs are refused" {
    mislabeled
    train table.cfg -o run --quiet --set training.epochs=1
    status_is 0
    sed 's/left/west/' table.csv >west.csv
    train table.cfg -o west --quiet --set training.epochs=1 --set data.train.file=west.csv
    status_is 0
    inspect mistakes run west -o out
    status_is 2
    says_only "dlinspect: west/best.safetensors: has other classes than run/best.safetensors"
    sed '/./s/^/1,/; 1s/1,/one,/' table.csv >wide.csv
    train table.cfg -o wide --quiet --set training.epochs=1 --set data.train.file=wide.csv
    status_is 0
    inspect mistakes run wide -o out
    status_is 2
    says_only "dlinspect: wide/best.safetensors: its inputs have shape 2, but those of run/best.safetensors have 1"
    exists_not out
}

@test "without probabilities no label is doubted" {
    mislabeled
    train table.cfg -o run --quiet --set loss.type=hinge
    status_is 0
    inspect mistakes run --split train -o out
    status_is 0
    says "labels.csv is left out"
    shows_not "largest losses"
    [ -s out/mistakes.csv ] || fail "no table"
    exists_not out/labels.csv
}
