#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The HTML page of dlinspect report.

# shellcheck disable=SC2154,SC2030,SC2031

load helper

# one_page FILE: well-formed, complete, and self-contained.
one_page() {
    grep -q '^<!DOCTYPE html>' "$1" || fail "no document type"
    equal "$(tail -n 1 "$1")" '</html>'
    grep -q 'name="viewport"' "$1" || fail "nothing for phones"
    grep -q 'prefers-color-scheme:dark' "$1" || fail "no dark"
    ! grep -qE '(src|href)="?(https?:|//|[a-z]*\.)|<script|<link|@import|url\(' "$1" ||
        fail "something from elsewhere"
    ! grep -qi 'nan<\|>inf\|NaN' "$1" || fail "a number that is none"
    ! command -v tidy >/dev/null || {
        status=0
        tidy -q -e --show-body-only no --drop-empty-elements no "$1" >.tidy 2>&1 || status=$?
        ! grep -vE 'svg|<path|<text|aria-label|proprietary|summary attribute' .tidy |
            grep -E 'Error|Warning' || fail "tidy: $(cat .tidy)"
    }
}

# shots FILE: screenshots of the page, if there is a browser; none may be blank.
shots() {
    command -v chromium >/dev/null || return 0
    local width
    for width in 400 1200; do
        timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
            --user-data-dir="$PWD/.chromium" --window-size=$width,1500 \
            --screenshot="$PWD/$width.png" "file://$PWD/$1" >/dev/null 2>&1 || return 0
        [ "$(stat -c %s "$width.png")" -gt 10000 ] || fail "$width.png is empty"
    done
}

# pictures.cfg, and its 4x4 squares with random classes.
pictures() {
    local i name
    for name in train/dark train/light test/dark test/light; do
        mkdir -p "$name"
        for i in 1 2 3 4 5 6; do # gray, with noise
            { printf 'P5 4 4 255\n'
              head -c 16 < <(printf '%s' "$name$i" | sha256sum); } >"$name/$i.pgm"
        done
    done
    cat >pictures.cfg <<'CONFIG'
name = "<b>squares & \"more\"";
data = { format = "image_folder"; size = 4; channels = "gray"; train = { folder = "train"; }; test = { folder = "test"; }; };
network = ( { layer = "conv2d"; filters = 5; kernel = 3; activation = "relu"; }, { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 2; batch_size = 4; };
CONFIG
}

@test "a page for classification" {
    digits digits.cfg
    train --quiet --out run digits.cfg
    inspect report -o page.html run
    status_is 0
    one_page page.html
    for id in metrics curves confusion classes scores timings network config; do
        equal "$(grep -o "<section id=\"$id\"" page.html | wc -l)" 1
    done
    # loss, two metrics and the rate; all but the last for training and validation; calibration
    equal "$(grep -c '<svg' page.html)" 5
    equal "$(grep -o 'class="curve t"' page.html | wc -l)" 3
    equal "$(grep -o 'class="curve v"' page.html | wc -l)" 3
    equal "$(grep -o 'class="curve l"' page.html | wc -l)" 1
    # the same scores as dltest
    tested run
    accuracy=$(sed -n 's/^accuracy  *//p' <<<"$output")
    grep -q "<b>$accuracy</b>" page.html || fail "no accuracy"
    right=$(awk '/^confusion/ { on = 1 } on && $1 == 3 { print $5; exit }' <<<"$output")
    grep -q "title=\"3: $right (" page.html || fail "no $right in the matrix"
    equal "$(grep -o '<td class="r' page.html | wc -l)" 10
    # no images for other rows
    ! grep -q 'data:image' page.html || fail "a picture"
    shots page.html
}

@test "a page for images" {
    pictures
    train --quiet --out run pictures.cfg
    status_is 0
    inspect report -o page.html --split train run
    status_is 0
    says page.html
    tested --split train --json run
    one_page page.html
    grep -q '&lt;b&gt;squares &amp; &quot;more&quot;' page.html || fail "words are not made plain"
    ! grep -q '<b>squares' page.html || fail "words are markup"
    wrong=$(jq '[.confusion[0][1], .confusion[1][0]] | add' <<<"$output")
    equal "$(grep -c 'alt="a row of the data"' page.html)" "$wrong"
    equal "$(grep -c 'alt="one tile per filter"' page.html)" 1
    grep -o 'data:image/png;base64,[^"]*' page.html | tail -n 1 | cut -d , -f 2 |
        base64 -d >filters.png
    equal "$(head -c 4 filters.png | tail -c 3)" PNG
    equal "$(od -An -t u1 -j 16 -N 8 filters.png | tr -s ' ')" " 0 0 1 8 0 0 0 56"
    shots page.html
}

@test "a page for regression, without validation, and of a single checkpoint" {
    xor xor.cfg
    train --quiet --out run xor.cfg
    inspect report --split train -o page.html run
    status_is 0
    one_page page.html
    equal "$(grep -o 'class="curve v"' page.html | wc -l)" 0
    mkdir other
    cp run/last.safetensors other/it.safetensors
    inspect report --split train -o page.html other/it.safetensors
    status_is 0
    one_page page.html
    ! grep -q 'id="curves"\|id="timings"' page.html || fail "curves from nowhere"
    sed -i 's/^2,/two,two,/' run/history.csv
    inspect report --split train -o page.html run
    status_is 3
    says_only "dlinspect: run/history.csv:3: must be a row of 11 numbers"
}

@test "thresholds of two classes, worst rows of numbers, frozen layers" {
    awk 'BEGIN { print "a,b,ill,y"; for (i = 0; i < 200; i++) { a = i % 13; b = i % 7
        print a "," b "," (a + b > 13 ? "yes" : "no") "," 2 * a - b + (i == 150 ? 90 : 0) } }' >rows.csv
    cat >two.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "rows.csv"; }; target = "ill"; };
network = ( { layer = "dense"; units = 4; activation = "tanh"; trainable = false; }, { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 3; batch_size = 20; };
CONFIG
    train two.cfg --quiet -o two
    inspect report --split train -o page.html two
    status_is 0
    one_page page.html
    grep -q 'The positive class is yes' page.html || fail "no positive class"
    grep -q '<span>f1 of yes</span>' page.html || fail "no f1"
    grep -q '<span>over always no</span>' page.html || fail "no lift"
    equal "$(grep -o 'class="curve p"' page.html | wc -l)" 3
    equal "$(grep -A 12 '>Thresholds<' page.html | grep -c '^<tr><td>0\.[1-9]</td>')" 9
    grep -q '<td>frozen</td><td></td><td></td><td>16</td>' page.html || fail "no frozen weights"
    shots page.html
    sed 's/"ill"/"y"/; s/units = 2/units = 1/; s/softmax_cross_entropy/mse/' two.cfg >one.cfg
    train one.cfg --quiet -o one
    status_is 0
    inspect report --split train -o page.html one
    status_is 0
    one_page page.html
    grep -A 1 '>predicted</th>' page.html | grep -q '^<tr><td>150</td>' || fail "row 150 is not the worst"
    shots page.html
}

@test "a page of several runs has the keys that differ" {
    xor xor.cfg
    train --quiet --out a xor.cfg
    train --quiet --out '<b>' --set optimizer.learning_rate=0.123 xor.cfg
    inspect report -o page.html a '<b>'
    status_is 0
    one_page page.html
    grep -q '2 runs; 1 value of their configs differs' page.html || fail "$(grep runs page.html)"
    grep -q '<tr><th>optimizer.learning_rate</th><td>[^<]*</td><td>0.123</td></tr>' page.html ||
        fail "$(grep rate page.html)"
    grep -q '<th>&lt;b&gt;</th>' page.html || fail "a path is markup"
    ! grep -q 'training.epochs' page.html || fail "a key that does not differ"
    inspect report a '<b>' --split train
    status_is 2
}

@test "a page that cannot be written" {
    xor xor.cfg
    train --quiet --out run xor.cfg
    inspect report --split train -o nowhere/page.html run
    status_is 1
    says "nowhere/page.html"
}
