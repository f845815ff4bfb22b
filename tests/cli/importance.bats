#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlinspect importance: permutation importance and partial dependence. Compared with scikit-learn by
# the Python of DLTRAIN_PYTHON (default: python3), where it has scikit-learn.

# shellcheck disable=SC2154,SC2030,SC2031

export IMPORTANCE_DATA=${DLTRAIN_DATA:-${IMPORTANCE_DATA:-$BATS_TEST_DIRNAME/../../data}} # before helper.bash unsets it

load helper

python=${DLTRAIN_PYTHON:-python3}

# A run on y = 2 a + (color is red): b is noise.
run_on_table() {
    awk 'BEGIN { srand(3); print "a,b,color,y"; for (i = 0; i < 240; i++) { a = rand(); c = int(3 * rand());
        printf "%.4f,%.4f,%s,%.4f\n", a, rand(), c == 0 ? "red" : c == 1 ? "blue" : "dark green", 2 * a + (c == 0) } }' >table.csv
    cat >table.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "table.csv"; }; test = 0.5; normalize = "mean_std"; };
network = ( { layer = "dense"; units = 1; } );
loss = { type = "mse"; };
optimizer = { type = "normal_equations"; };
training = { epochs = 1; metrics = ("rmse", "mae"); };
CONFIG
    train table.cfg -o run --quiet
    status_is 0
}

@test "columns by importance; the categories of a column are one" {
    run_on_table
    COLUMNS=60 inspect importance run -o out --columns color,a
    status_is 0
    shows "how much it rises"
    equal "$(cut -d, -f1 out/importance.csv | paste -sd' ')" "column a color b"
    equal "$(head -1 out/importance.csv)" \
        "column,importance,sd,repeat_1,repeat_2,repeat_3,repeat_4,repeat_5"
    # of a permuted a, the error is 2 (a - a'): its rms is 2 sqrt(2) sd(a) = 0.816
    awk -F, '$1 == "a" { exit !($2 > 0.7 && $2 < 0.93) }' out/importance.csv || fail "importance of a"
    awk -F, '$1 == "b" { exit !($2 < 1e-3 && $2 > -1e-3) }' out/importance.csv || fail "importance of b"
    [ "$(awk '{ if (length > l) l = length } END { print l }' <<<"$output")" -le 80 ] || fail "wide"
    # the dependence on a has slope 2, and red is 1 above the others
    awk -F, 'NR == 2 { x = $1; y = $2 } END { d = ($2 - y) / ($1 - x); exit !(d > 1.999 && d < 2.001) }' \
        out/dependence_a.csv || fail "slope"
    equal "$(cut -d, -f1 out/dependence_color.csv | paste -sd' ')" "color blue dark green red"
    awk -F, '{ y[NR] = $2 } END { d = y[4] - y[2]; e = y[3] - y[2]; exit !(d > 0.999 && d < 1.001 && e < 1e-3) }' \
        out/dependence_color.csv || fail "red"
    grep -q '^<svg.*</svg>$' <(tr -d '\n' <out/importance.svg) || fail "svg"
    inspect importance run -o again
    cmp out/importance.csv again/importance.csv
    inspect importance run -o again --seed 1
    ! cmp -s out/importance.csv again/importance.csv || fail "the seed has no effect"
}

@test "what is not there" {
    run_on_table
    inspect importance run -o out --columns colour
    status_is 2
    says 'no column "colour": did you mean "color"?'
    inspect importance run -o out --metric rmsee
    status_is 2
    says 'no metric "rmsee": did you mean "rmse"?'
    exists_not out/importance.csv
    rm table.csv
    inspect importance run -o out2
    status_is 3
    says "table.csv: not found"
    exists_not out2
}

@test "regions of pictures" {
    # the class is the brightness of the lower right quarter
    mkdir -p pictures/dark pictures/light
    local i x v
    for i in $(seq 20); do
        for class in dark light; do
            { printf 'P2 4 4 255\n'
              for x in $(seq 0 15); do
                v=$(((x * 37 + i * 53) % 255))
                if [ $((x % 4)) -ge 2 ] && [ "$x" -ge 8 ]; then v=$([ $class = dark ] && echo $((i * 2)) || echo $((255 - i * 2))); fi
                printf '%d ' "$v"
              done; } >pictures/$class/$i.pgm
            python3 - "pictures/$class/$i.pgm" <<'PY'
import sys
words = open(sys.argv[1]).read().split()
open(sys.argv[1], 'wb').write(b'P5 4 4 255\n' + bytes(map(int, words[4:])))
PY
        done
    done
    cat >pictures.cfg <<'CONFIG'
data = { format = "image_folder"; channels = "gray"; train = { folder = "pictures"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.03; };
training = { epochs = 60; batch_size = 8; };
CONFIG
    train pictures.cfg -o run --quiet
    inspect importance run --grid 2 -o out --metric loss
    status_is 0
    equal "$(sed -n 2p out/importance.csv | cut -d, -f1)" "row 2 column 2"
    equal "$(wc -l <out/importance.csv)" 5
    inspect importance run -o out --columns "row 1 column 1" --grid 2
    status_is 2
    says "is 4 inputs"
}

# same CONFIG EPOCHS CSV METRIC
same() {
    [ -e "$IMPORTANCE_DATA/$3" ] || skip "no $3"
    "$python" -c 'import sklearn' 2>/dev/null || skip "$python has no scikit-learn"
    export DLTRAIN_DATA=$IMPORTANCE_DATA
    train "$root/configs/$1.cfg" -o run --quiet --set training.epochs="$2"
    inspect importance run -o out
    status_is 0
    capture "$python" "$root/tests/golden/permutation_importance.py" run "$IMPORTANCE_DATA/$3" "$4" out "$dlpredict"
    status_is 0
    shows "largest difference"
}

@test "scikit-learn finds the same: concrete" {
    same concrete 20 concrete/concrete.csv rmse
}

@test "scikit-learn finds the same: car" {
    same car 10 car/car.csv accuracy
}
