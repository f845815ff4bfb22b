# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# dlpredict: answers for new inputs.
load helper

setup_file() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    cd "$BATS_FILE_TMPDIR" || return 1
    python3 "$root/tests/cli/predict_formats.py" "$root/data/digits.csv.gz"
}

set_up() {
    digits digits.cfg
    zcat data/digits.csv.gz | head -30 >rows.csv
    for file in "$BATS_FILE_TMPDIR"/*; do ln -sf "$file" .; done
}

train_digits() { "$dltrain" --quiet --epochs 2 digits.cfg; }

# net NAME FORMAT FILES [LINE]: trains on, and tests on, the same files.
net() {
    cat >"$1.cfg" <<CONFIG
name = "$1";
data = { format = "$2"; train = { $3 }; test = { $3 }; normalize = "mean_std"; ${4:-} };
network = ( { layer = "flatten"; }, { layer = "dense"; units = 16; activation = "relu"; },
            { layer = "dropout"; rate = 0.3; }, { layer = "dense"; name = "last"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 32; epochs = 2; };
CONFIG
    "$dltrain" --quiet "$1.cfg"
}

# answers FILE: class and probability of each row.
answers() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "class") at = i }
             { print $at "," $(at + 1) }' "$1"
}

# agrees NAME INPUT: dlpredict answers as dltest did.
agrees() {
    "$dltest" "runs/$1" --split test --predictions scored.csv >/dev/null
    "$dlpredict" "runs/$1" "$2" --batch 32 -o answered.csv
    [ "$(wc -l <answered.csv)" -gt 30 ] || fail "no answers: $1"
    answers scored.csv | cmp - <(answers answered.csv) || fail "$1: other answers than dltest's"
    [ "$(answers answered.csv | sort -u | wc -l)" -gt 20 ] || fail "$1: always the same answer"
}

@test "the same answers as dltest's, of every format" {
    net idx idx 'images = "x.idx"; labels = "y.idx";'
    agrees idx x.idx
    net npy npy 'inputs = "x.npy"; targets = "y.npy";'
    agrees npy x.npy
    net npz npz 'file = "xy.npz"; inputs = "x"; targets = "y";'
    agrees npz xy.npz
    net folder image_folder 'folder = "pictures";' 'size = [12, 10]; channels = "gray";'
    agrees folder pictures
    net tar image_tar 'file = "pictures.tar";'
    agrees tar pictures.tar
    net list image_list 'file = "list.csv";'
    agrees list list.csv
    net cifar cifar 'files = ("cifar.bin");'
    agrees cifar cifar.bin
    "$dlpredict" runs/npy x.idx --batch 32 | answers /dev/stdin |
        cmp - <("$dlpredict" runs/npy x.npy --batch 32 | answers /dev/stdin)
}

@test "the same answers as dltest's, of tables and texts" {
    digits same.cfg
    sed -i 's/test = 0.2;/test = { file = "digits.csv.gz"; };/; s/"digits";/"same";/' same.cfg
    "$dltrain" --quiet --epochs 1 same.cfg
    agrees same data/digits.csv.gz
    cat >text.cfg <<'CONFIG'
data = { format = "text"; length = 16; train = { file = "text.txt"; };
         test = { file = "text.txt"; }; };
network = ( { layer = "gru"; units = 8; return = "sequence"; }, { layer = "dense"; units = 28; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 32; epochs = 2; };
CONFIG
    "$dltrain" --quiet text.cfg
    agrees text text.txt
    head -1 answered.csv | grep -qx row,step,class,probability
}

@test "a table: the target may be there or not, and the columns in any order" {
    train_digits
    predicted runs/digits rows.csv
    status_is 0
    equal "${output%%$'\n'*}" "line,class,probability"
    equal "$(wc -l <<<"$output")" 31
    cp .out with.csv
    cut -d, -f1-64 rows.csv >bare.csv
    "$dlpredict" runs/digits bare.csv | cmp - with.csv
    (seq -s, 1 65 && cat rows.csv) >named.csv
    digits named.cfg
    sed -i 's/digits.csv.gz/named.csv/' named.cfg
    "$dltrain" --quiet --epochs 1 --out named --set data.header=true named.cfg
    awk -F, '{ for (i = NF; i > 1; i--) printf "%s,", $i; print $1 }' named.csv >turned.csv
    "$dlpredict" named named.csv >one
    "$dlpredict" named turned.csv | cmp - one
    # columns that are missing are named, all of them
    cut -d, -f1-60 named.csv >short.csv
    predicted named short.csv
    status_is 3
    for column in 61 62 63 64; do says "short.csv:1: has no column \"$column\""; done
    equal "$output" ""
}

flowers() {
    cat >flowers.csv <<'CSV'
color,size,id,kind
red,1.5,a,rose
blue,2.5,"b, c",iris
red,3.5,d,rose
blue,4.5,e,iris
CSV
    cat >flowers.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "flowers.csv"; }; ignore = ("id"); };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
CONFIG
    "$dltrain" --quiet --epochs 1 flowers.cfg
}

@test "unknown categories and missing values: error, skip or null" {
    flowers
    printf 'size,id,color\n1,x,green\n2,"y, ""z""",red\n,w,blue\n' >new.csv
    predicted runs/flowers new.csv --keep id
    status_is 3
    equal "$(sed -n 1p .out)" line,id,class,probability
    equal "$(sed -n 2p .out)" 2,x,,
    [[ $(sed -n 3p .out) == '3,"y, ""z""",'?*,0.* ]] || fail "no answer"
    equal "$(sed -n 4p .out)" 4,w,,
    says 'new.csv:2: column "color": the training data has no category "green"'
    says 'new.csv:4: column "size": the value is missing'
    says "2 of 3 inputs cannot be read"
    predicted runs/flowers new.csv --skip-bad
    status_is 0
    predicted runs/flowers new.csv --unknown skip
    status_is 0
    equal "$(wc -l <.out)" 2
    says "2 rows with unknown or missing values skipped"
    predicted runs/flowers new.csv --unknown null
    status_is 0
    equal "$(wc -l <.out)" 4
    says "2 rows with unknown or missing values, which are taken as null"
    predicted runs/flowers new.csv --keep kind,name
    status_is 3
    says 'has no column "kind" to keep'
    says 'has no column "name" to keep'
}

@test "JSON lines, with columns or plain numbers" {
    flowers
    printf '{"color":"red","size":2,"id":"a\\nb"}\n[1]\n{"size":1e0,"color":"blue"}\n' >rows.jsonl
    predicted runs/flowers rows.jsonl --format jsonl --keep id
    status_is 3
    says 'rows.jsonl:2: must be an object'
    equal "$(jq -r .class .out | sed -n 2p)" null
    equal "$(jq -r .id .out | head -2)" $'a\nb'
    printf 'color,size\nred,2\nblue,1\n' >same.csv
    equal "$("$dlpredict" runs/flowers same.csv --format jsonl | jq -c '[.class, .probability]')" \
        "$(jq -c 'select(.class) | [.class, .probability]' .out)"
    printf '{"color":"red","size":[2]}\n{"color":{},"size":2}\n' >nested.jsonl
    predicted runs/flowers nested.jsonl --unknown null
    status_is 3
    says 'nested.jsonl:1: column "size": must be a number or a text, not a list'
    says 'nested.jsonl:2: column "color": must be a number or a text, not an object'
    net idx idx 'images = "x.idx"; labels = "y.idx";'
    tail -c +17 x.idx | head -c 640 | od -An -v -tu1 -w64 | sed 's/^ *//; s/  */,/g' >pixels.csv
    "$dlpredict" runs/idx pixels.csv | answers /dev/stdin >as_csv
    sed 's/.*/[&]/' pixels.csv | "$dlpredict" runs/idx - | answers /dev/stdin | cmp - as_csv
    "$dlpredict" runs/idx x.idx | answers /dev/stdin | head -11 | cmp - as_csv
}

@test "rows are answered one by one as they come" {
    train_digits
    coproc "$dlpredict" runs/digits -
    pid=$COPROC_PID
    read -r first <rows.csv
    echo "$first" >&"${COPROC[1]}"
    read -r -t 10 header <&"${COPROC[0]}"
    read -r -t 10 answer <&"${COPROC[0]}"
    equal "$header" "line,class,probability"
    equal "$answer" "$("$dlpredict" runs/digits rows.csv | sed -n 2p)"
    eval "exec ${COPROC[1]}>&-"
    wait "$pid"
}

@test "pictures: files, patterns, standard input, bad ones, other sizes" {
    net tar image_tar 'file = "pictures.tar";'
    predicted runs/tar 'pictures/3/*.png' --top 3
    status_is 0
    equal "$(sed -n 1p .out)" file,class,probability,class_2,probability_2,class_3,probability_3
    first=$(sed -n 2p .out | cut -d, -f2-3)
    predicted runs/tar - <pictures/3/003.png
    status_is 0
    equal "$(sed -n 2p .out)" "-,$first"
    head -c 60 pictures/3/003.png >cut.png
    predicted runs/tar cut.png pictures/3/003.png nowhere.png large.png
    status_is 3
    equal "$(sed -n 3p .out)" "pictures/3/003.png,$first"
    says "cut.png: "
    says "nowhere.png: No such file or directory"
    says "large.png: has 16x12 pixels, but the net was trained on 8x8 without \`size\`"
    says "3 of 4 inputs cannot be read"
    predicted runs/tar large.png --skip-bad
    status_is 0
    net sized image_tar 'file = "pictures.tar";' 'size = 8;'
    predicted runs/sized large.png
    status_is 0
    # of several nets, one that cannot read it
    "$dltrain" --quiet --out twelve --set data.size=12 sized.cfg
    predicted --average twelve runs/tar large.png pictures/3/003.png
    status_is 3
    equal "$(sed -n 2p .out)" "large.png,,"
    says "1 of 2 inputs cannot be read"
    predicted --average runs/tar twelve large.png pictures/3/003.png
    status_is 3
    equal "$(sed -n 2p .out)" "large.png,,"
    [[ $(sed -n 3p .out) == pictures/3/003.png,?*,0.* ]] || fail "no answer"
    predicted --average runs/tar twelve x.npy
    status_is 3
    says "x.npy: "
    # a picture that is too small does not rule out other sizes
    cat >any.cfg <<'CONFIG'
data = { format = "image_tar"; train = { file = "pictures.tar"; }; normalize = "scale"; };
network = ( { layer = "conv2d"; filters = 10; kernel = 5; }, { layer = "global_avg_pool"; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 32; epochs = 1; };
CONFIG
    "$dltrain" --quiet any.cfg
    printf 'P5 2 2 255\n1234' >tiny.pgm
    predicted runs/any tiny.pgm large.png
    status_is 3
    equal "$(sed -n 2p .out)" "tiny.pgm,,"
    [[ $(sed -n 3p .out) == large.png,?*,0.* ]] || fail "no answer"
}

@test "raw frames, with their latency" {
    net idx idx 'images = "x.idx"; labels = "y.idx";'
    tail -c +17 x.idx | "$dlpredict" runs/idx --raw 8x8x1 2>.err | answers /dev/stdin >frames
    cmp frames <("$dlpredict" runs/idx x.idx --batch 1 | answers /dev/stdin)
    grep -Eq '^200 frames, [0-9]+ per second; latency: median .*, 99th percentile ' .err
    head -c 700 /dev/zero | capture "$dlpredict" runs/idx --raw 8x8x1
    head -c 100 /dev/zero >short
    capture "$dlpredict" runs/idx --raw 8x8x1 <short
    status_is 3
    says "standard input: frame 1 is cut short: it has 36 of 64 bytes"
    predicted runs/idx --raw 8by8
    status_is 2
}

@test "several nets, random dropout, a layer's outputs" {
    net one idx 'images = "x.idx"; labels = "y.idx";'
    net two idx 'images = "x.idx"; labels = "y.idx";' 'split_seed = 3;'
    "$dltrain" --quiet --out two --set seed=5 two.cfg
    "$dltest" --average runs/one two --predictions scored.csv >/dev/null
    "$dlpredict" --average runs/one two x.idx --batch 32 | answers /dev/stdin >both
    answers scored.csv | cmp - both
    cmp -s both <("$dlpredict" runs/one x.idx | answers /dev/stdin) && fail "one net only"
    "$dltest" --vote runs/one two --predictions scored.csv >/dev/null
    cut -d, -f3 scored.csv | cmp - <("$dlpredict" --vote runs/one two x.idx | cut -d, -f2)
    predicted runs/one x.idx --samples 30
    status_is 0
    equal "$(sed -n 1p .out)" row,class,probability,deviation
    awk -F, 'NR > 1 && $4 > 0.01 { n++ } END { exit n < 100 }' .out || fail "no deviation"
    predicted runs/one x.idx --layer dense_1
    status_is 0
    equal "$(sed -n 1p .out | tr , '\n' | wc -l)" 17
    predicted runs/one x.idx --layer dens_1
    status_is 2
    says 'has no layer "dens_1" (did you mean "dense_1"?)'
    "$dlpredict" runs/one x.idx --layer last >last
    awk -F, 'NR == 1 { next } { best = 2; for (i = 3; i <= NF; i++) if ($i > $best) best = i
        print best - 2 }' last | cmp - <("$dlpredict" runs/one x.idx | tail -n +2 | cut -d, -f2)
}

@test "numbers in the units of the targets, bins, autoencoders" {
    seq 40 | awk '{ print $1 "," 1000000 + 3 * $1 }' >line.csv
    cat >line.cfg <<'CONFIG'
data = { format = "csv"; header = false; task = "regression"; train = { file = "line.csv"; };
         test = { file = "line.csv"; }; normalize = "mean_std"; normalize_target = "mean_std"; };
network = ( { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
optimizer = { type = "normal_equations"; };
training = { batch_size = "all"; epochs = 1; };
CONFIG
    "$dltrain" --quiet line.cfg
    predicted runs/line line.csv
    status_is 0
    equal "$(sed -n 1p .out)" line,2
    awk -F, 'NR > 1 && ($2 - 1000000 - 3 * $1) ^ 2 > 0.01 { exit 1 }' .out || fail "other units"
    "$dltrain" --quiet --out bins --set data.target_bins=4 --set data.normalize_target=none \
        --set loss.type=softmax_cross_entropy --set optimizer.type=adam --set network.0.units=4 \
        line.cfg
    "$dltest" bins --split test --predictions scored.csv >/dev/null
    "$dlpredict" bins line.csv --batch 40 | tail -n +2 | cut -d, -f2 |
        cmp - <(tail -n +2 scored.csv | cut -d, -f3)
    cat >auto.cfg <<'CONFIG'
data = { format = "idx"; train = { images = "x.idx"; labels = "y.idx"; }; predict = "input";
         test = { images = "x.idx"; labels = "y.idx"; }; normalize = "scale"; };
network = ( { layer = "conv2d"; filters = 4; kernel = 3; padding = "same"; activation = "relu"; },
            { layer = "conv2d"; filters = 1; kernel = 3; padding = "same"; } );
loss = { type = "mse"; };
training = { batch_size = 32; epochs = 2; metrics = ("mse"); };
CONFIG
    "$dltrain" --quiet auto.cfg
    mse=$("$dltest" runs/auto --split test --json | jq .mse)
    predicted runs/auto x.idx
    status_is 0
    equal "$(sed -n 1p .out)" row,error
    awk -F, -v mse="$mse" 'NR > 1 { sum += $2 } END { d = sum / 200 / mse - 1; exit d * d > 1e-8 }' \
        .out || fail "the mean error is not dltest's mse, $mse"
    predicted runs/auto pictures/3/003.png large.png --format png -o drawn
    status_is 0
    exists drawn/003.answer.png
    exists drawn/large.answer.png # in its own size: the net is fully convolutional
    equal "$(od -An -tu1 -j 16 -N 8 drawn/large.answer.png | tr -s ' ')" " 0 0 0 12 0 0 0 16"
}

@test "masks and overlays" {
    cat >mask.cfg <<'CONFIG'
data = { format = "idx"; train = { images = "x.idx"; labels = "ink.idx"; }; normalize = "scale"; };
network = ( { layer = "conv2d"; filters = 4; kernel = 3; padding = "same"; activation = "relu"; },
            { layer = "conv2d"; filters = 2; kernel = 1; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.03; };
training = { batch_size = 32; epochs = 4; };
CONFIG
    "$dltrain" --quiet mask.cfg
    mkdir photos
    cp pictures/3/003.png large.png photos
    predicted runs/mask photos --format png
    status_is 0
    exists photos/003.mask.png
    exists photos/large.mask.png
    predicted runs/mask photos/003.png --format png --overlay -o over
    status_is 0
    exists over/003.overlay.png
    differ over/003.overlay.png photos/003.mask.png
    mkdir photos/more
    cp large.png photos/more/003.png
    predicted runs/mask photos --format png -o same
    status_is 2
    says "same/003.mask.png: was already written for another input of this name"
    rm -r photos/more
    predicted runs/mask photos/003.png --format npy -o mask.npy
    status_is 0
    equal "$(head -c 128 mask.npy | grep -ao "'shape': ([^)]*)")" "'shape': (1, 8, 8, 2)"
    net idx idx 'images = "x.idx"; labels = "y.idx";'
    predicted runs/idx photos --format png
    status_is 2
    says "--format png is for nets whose answer is an image or has a class at each pixel"
}

@test "what cannot be: checkpoints, outputs, inputs" {
    train_digits
    head -c 2000 runs/digits/best.safetensors >short.safetensors
    predicted short.safetensors rows.csv
    status_is 3
    equal "$(wc -l <.err)" 1
    says "short.safetensors: "
    sed 's/dltrain 2/dltrain 9/' runs/digits/best.safetensors >other.safetensors
    predicted other.safetensors rows.csv
    status_is 3
    equal "$(wc -l <.err)" 1
    mkdir folder
    predicted runs/digits rows.csv -o folder
    status_is 1
    says_only "dlpredict: folder: is a folder, not a file"
    predicted runs/digits rows.csv -o /dev/full
    status_is 1
    says_only "dlpredict: /dev/full: cannot be written: No space left on device"
    status=0
    "$dlpredict" runs/digits rows.csv >/dev/full 2>.err || status=$?
    status_is 1
    equal "$(cat .err)" "dlpredict: standard output: No space left on device"
    predicted runs/digits nowhere.csv
    status_is 3
    says_only "dlpredict: nowhere.csv: No such file or directory"
    predicted runs/digits
    status_is 2
    : >empty.csv
    predicted runs/digits empty.csv -o answers.csv
    status_is 3
    exists_not answers.csv
    mkdir nothing
    predicted runs/digits nothing
    status_is 3
    says "nothing: there are no pictures in it"
}
