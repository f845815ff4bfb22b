#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Invalid data: exit status 3, one message with the location, and no run's folder.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    cat >idx.cfg <<'CONFIG'
name = "idx";
data = { format = "idx"; train = { images = "images"; labels = "labels"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 2; epochs = 1; };
CONFIG
    cat >csv.cfg <<'CONFIG'
name = "csv";
data = { format = "csv"; train = { file = "table.csv"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 2; epochs = 1; };
CONFIG
    # 4 images of 2x3 bytes; their classes
    printf '\0\0\10\3\0\0\0\4\0\0\0\2\0\0\0\3abcdefghijklmnopqrstuvwx' >images
    printf '\0\0\10\1\0\0\0\4\0\1\1\0' >labels
    cp images images.good
    cp labels labels.good
}

# refused CONFIG WORDS...: refused with all words in one message, or in $messages; nothing is written.
refused() {
    train --quiet "$1"
    shift
    status_is 3
    local words
    for words in "$@"; do says "$words"; done
    equal "$(wc -l <.err)" "${messages:-1}"
    [[ $errors == "dltrain: "* ]] || fail "the message does not begin with the program"
    exists_not runs
}

@test "the valid files are accepted" {
    train --quiet --out run idx.cfg
    status_is 0
    printf 'x,y\n1,a\n2,b\n' >table.csv
    train --quiet --out run --force csv.cfg
    status_is 0
}

@test "a missing file" {
    refused csv.cfg "csv.cfg:2: table.csv: not found (looked in the current folder, the config's folder, data/" \
        "and \$DLTRAIN_DATA)"
    for name in mnist fashion_mnist cifar10 iris car concrete; do
        sed "s|table.csv|$name/some.csv|" csv.cfg >public.cfg
        DLTRAIN_DATA=$PWD/nowhere refused public.cfg "$name/some.csv: not found" \
            "scripts/get_data.sh $name gets it"
        exists "$root/scripts/get_data.sh"
    done
    rm labels
    refused idx.cfg "idx.cfg:2: labels: not found"
    mkdir labels
    refused idx.cfg "labels: is a folder, not a file"
}

@test "empty files" {
    : >images
    refused idx.cfg images
    : >table.csv
    refused csv.cfg table.csv
    echo x,y >table.csv
    refused csv.cfg table.csv
}

@test "an idx file truncated at every byte" {
    local size
    for file in images labels; do
        for ((size = 0; size < $(stat -c %s $file.good); size++)); do
            head -c $size $file.good >$file
            refused idx.cfg "dltrain: $file"
        done
        cp $file.good $file
    done
    # and gzipped: 1 byte in every 5
    gzip -c images.good >whole.gz
    for ((size = 0; size < $(stat -c %s whole.gz); size += 5)); do
        head -c $size whole.gz >images
        refused idx.cfg "dltrain: images"
    done
    cp whole.gz images
    train --quiet --dry-run idx.cfg
    status_is 0
    { cat images.good && printf more; } >images
    refused idx.cfg images
}

@test "an idx file with a wrong magic number" {
    for magic in '\1\0\10\3' '\0\1\10\3' '\0\0\7\3' '\0\0\17\3' '\0\0\10\0' '\0\0\10\377' 'abcd'; do
        # shellcheck disable=SC2059
        { printf "$magic" && tail -c +5 images.good; } >images
        refused idx.cfg "dltrain: images"
    done
    cp labels.good images # one dimension is valid: rows of single numbers
    train --quiet --dry-run idx.cfg
    status_is 0
}

@test "images and labels of different counts" {
    printf '\0\0\10\1\0\0\0\5\0\1\1\0\1' >labels
    refused idx.cfg images labels 4 5
}

@test "headers with impossible sizes" {
    # 2^32 - 1 rows; and 65535 x 65535 x 65535 of them
    printf '\0\0\10\3\377\377\377\377\0\0\0\2\0\0\0\3abcdef' >images
    refused idx.cfg "dltrain: images"
    printf '\0\0\10\3\0\0\377\377\0\0\377\377\0\0\377\377abcdef' >images
    refused idx.cfg "dltrain: images"
    printf '\0\0\16\4\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377a' >images
    refused idx.cfg "dltrain: images"
    printf '\0\0\10\3\0\0\0\4\0\0\0\0\0\0\0\3' >images
    refused idx.cfg "dltrain: images"
    # a gzip file that claims 2^40 bytes is not unpacked
    head -c 100000000 /dev/zero | gzip -1 >zeros.gz
    { printf '\0\0\10\3\377\377\377\377\0\0\1\0\0\0\0\1' | gzip -c && cat zeros.gz; } >images
    if is_sanitized; then
        refused idx.cfg "dltrain: images" # needs the whole address space
    else
        (ulimit -v 3000000 && refused idx.cfg "dltrain: images")
    fi
}

@test "labels out of range, and a single class" {
    sed -i 's/labels = "labels";/labels = "labels"; classes = 2;/' idx.cfg
    printf '\0\0\10\1\0\0\0\4\0\1\2\0' >labels
    refused idx.cfg labels 2
    printf '\0\0\10\1\0\0\0\4\1\1\1\1' >labels
    refused idx.cfg 'all 4 training rows have one class, "1": there is nothing to learn'
    printf 'x,y\n1,a\n2,a\n' >table.csv
    refused csv.cfg "one class"
}

@test "faulty tables, with line numbers" {
    printf 'x,y,z\n1,2,a\n1,2\n1,2,b\n' >table.csv
    refused csv.cfg "table.csv:3: " 2 3
    printf 'x,y,z\n1,2,a\n1,2,3,b\n' >table.csv
    refused csv.cfg "table.csv:3: "
    { echo x,z && seq -f %g.5,a 20 && echo 3o,b && echo 1,b; } >table.csv
    refused csv.cfg "table.csv:22: " '"3o"'
    for value in nan NaN inf -Inf Infinity 1e99; do
        printf 'x,z\n1,a\n%s,b\n2,b\n' $value >table.csv
        refused csv.cfg "table.csv:3: " '"x"'
    done
    printf 'x,z\n1,a\n,b\n2,b\n' >table.csv
    refused csv.cfg "table.csv:3: " missing
    printf 'x,z\n1,"a\n2,b\n' >table.csv
    refused csv.cfg "table.csv:2: "
    sed -i 's/format = "csv";/format = "csv"; target = "w";/' csv.cfg
    printf 'x,z\n1,a\n2,b\n' >table.csv
    refused csv.cfg table.csv '"w"'
}

@test "NaN and infinity in an idx file" {
    local number
    for number in '\177\300\0\0' '\177\200\0\0' '\377\200\0\0'; do
        # shellcheck disable=SC2059
        printf '\0\0\15\2\0\0\0\4\0\0\0\1\77\200\0\0\77\200\0\0'"$number"'\77\200\0\0' >images
        refused idx.cfg "dltrain: images" "finite"
    done
}

@test "a part that does not match the training part" {
    printf 'x,y\n1,a\n2,b\n' >table.csv
    sed -i 's/file = "table.csv"; };/& test = { file = "test.csv"; };/' csv.cfg
    printf 'x,y\n1,c\n' >test.csv
    refused csv.cfg 'test.csv:2: column "y": the training data has no class "c"'
    printf 'w,y\n1,a\n' >test.csv
    refused csv.cfg test.csv '"x"'
    printf 'x,y\n' >test.csv
    refused csv.cfg test
}

@test "bad data leave an earlier run unchanged" {
    printf 'x,y\n1,a\n2,b\n' >table.csv
    train --quiet --out run csv.cfg
    cp -r run before
    echo 3 >>table.csv
    train --quiet --out run --force csv.cfg
    status_is 3
    diff -r before run
    train --quiet --resume run --epochs 2
    status_is 3
    diff -r before run
    tested run
    status_is 3
    says "table.csv:4: "
}

@test "a run finds the data of its config and of its command from any folder, also moved" {
    mkdir -p project/configs elsewhere
    xor project/configs/xor.cfg
    sed -i 's/"xor.csv"/"here.csv"/' project/configs/xor.cfg
    sed 's/"here.csv"/"there.csv"/' project/configs/xor.cfg >project/configs/there.cfg
    printf 'a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n' | tee project/configs/here.csv >elsewhere/there.csv
    cd elsewhere
    train --quiet --out ../project/runs/here ../project/configs/xor.cfg
    train --quiet --out ../project/runs/there ../project/configs/there.cfg
    equal "$(jq -r '.data_folders[0]' ../project/runs/here/facts.json)" ../../configs
    equal "$(jq -r '.data_folders[1]' ../project/runs/here/facts.json)" ../../../elsewhere
    cd /
    for run in here there; do
        tested "$BATS_TEST_TMPDIR/project/runs/$run"
        status_is 0
        inspect report "$BATS_TEST_TMPDIR/project/runs/$run" -o "$BATS_TEST_TMPDIR/report.html"
        status_is 0
    done
    cp -r "$BATS_TEST_TMPDIR/project" "$BATS_TEST_TMPDIR/moved"
    printf '2,2,1\n' >>"$BATS_TEST_TMPDIR/moved/configs/here.csv" # the copy's data are its own
    tested "$BATS_TEST_TMPDIR/moved/runs/here"
    status_is 0
    shows "on 5 train rows"
    rm -r "$BATS_TEST_TMPDIR/moved/configs"
    tested "$BATS_TEST_TMPDIR/moved/runs/here"
    status_is 0
    shows "on 4 train rows"
    cd "$BATS_TEST_TMPDIR"
    mkdir other
    (cd other && "$dltrain" --quiet --resume ../project/runs/here --epochs 5)
    equal "$(jq -r '.data_folders[0]' project/runs/here/facts.json)" ../../configs
    mv project/configs/here.csv elsewhere/hidden.csv
    (cd / && "$dltest" "$BATS_TEST_TMPDIR/project/runs/here") 2>.err && fail "found nowhere"
    grep -q "here.csv: not found" .err
}

@test "data beside the config is found from any folder" {
    mkdir beside elsewhere
    xor beside/xor.cfg
    printf 'a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n' >beside/here.csv
    sed -i 's/"xor.csv"/"here.csv"/' beside/xor.cfg
    cd elsewhere
    train --quiet --dry-run ../beside/xor.cfg
    status_is 0
    printf 'a,b,y\n0,0,0\n0,1,1\n' >here.csv # as written comes first
    train --dry-run ../beside/xor.cfg
    says 'train 2 rows'
}

# Ten errors of a kind are shown, and how many more there are.
@test "of many errors of a table the others are counted" {
    local i
    sed -i 's/format = "csv";/format = "csv"; target = "y"; task = "regression";/' csv.cfg
    { echo a,b,y && seq 30 | sed 's/.*/&,1,2/; 15,29 s/,2$//'; } >table.csv
    messages=11 refused csv.cfg "table.csv:16: has 2 fields"
    says "table.csv: 5 more rows have another number of fields, the last in line 30"
    sed -i 21,25d table.csv
    messages=10 refused csv.cfg "table.csv:16: has 2 fields"
    says_not "more row"
    sed -i '$ s/,1,/,/' table.csv
    messages=11 refused csv.cfg "1 more row has another number of fields, the last in line 26"
    {
        for i in {1..15}; do printf c%d, "$i"; done && echo y
        for i in {1..4}; do echo ,,,,,,,,,,,,,,,"$i" && echo 1,2,3,4,5,6,7,8,9,8,7,6,5,4,3,2; done
    } >table.csv
    messages=11 refused csv.cfg 'column "c10": the value is missing, and in 3 more rows'
    says "table.csv: 5 more columns have missing values"
    {
        for i in {1..15}; do printf c%d, "$i"; done && echo y
        for i in {1..30}; do echo "$i.5$(printf ',%d.5' {2..15}),$i"; done
    } | sed '9 s/[0-9]*\.5/3o/g' >table.csv
    messages=11 refused csv.cfg 'table.csv:9: column "c10": "3o" is not a number'
    says "table.csv: after these errors, 6 more columns are not checked"
    { echo a,y && for i in {1..30}; do echo "w$((i % 3)),$i"; done; } >table.csv
    sed 's/^w/q/' table.csv >test.csv
    sed -i 's/file = "table.csv"; };/& test = { file = "test.csv"; };/' csv.cfg
    messages=11 refused csv.cfg 'test.csv:11: column "a": the training data has no category "q'
    says "test.csv:12: more than 10 errors: checking stopped here"
}
