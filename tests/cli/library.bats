# SPDX-License-Identifier: MIT
# shellcheck disable=SC2030,SC2031,SC2154
# libdltrain: installed, compiled against through pkg-config, and run.
load helper

setup_file() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    make -C "$root" install PREFIX="$BATS_FILE_TMPDIR/usr" >/dev/null || return 1
    cd "$BATS_FILE_TMPDIR" || return 1
    export PKG_CONFIG_PATH=$BATS_FILE_TMPDIR/usr/lib/pkgconfig
    # shellcheck disable=SC2046 # a list of flags
    gcc -std=c11 -Wall -Wextra -pedantic -Werror -o frames "$root/tests/library/frames.c" \
        $(pkg-config --cflags --libs dltrain) &&
        for program in files threads; do
            g++ -std=c++11 -Wall -Wextra -pedantic -Werror -pthread -o $program \
                "$root/tests/library/$program.cpp" $(pkg-config --cflags --libs dltrain) || return 1
        done
}

set_up() {
    export LD_LIBRARY_PATH=$BATS_FILE_TMPDIR/usr/lib
    frames=$BATS_FILE_TMPDIR/frames
    files=$BATS_FILE_TMPDIR/files
    digits digits.cfg
    "$dltrain" --quiet --epochs 1 digits.cfg
}

# bytes NUMBER...: each as a byte.
bytes() { printf '%b' "$(printf '\\x%02x' "$@")"; }

@test "frames in, classes out: as dlpredict answers" {
    zcat data/digits.csv.gz | head -20 | cut -d, -f1-64 >rows.csv
    while IFS=, read -ra row; do bytes "${row[@]}"; done <rows.csv >raw
    capture "$frames" runs/digits <raw
    status_is 0
    predicted runs/digits rows.csv
    status_is 0
    capture "$frames" runs/digits <raw
    equal "$output" "$("$dlpredict" runs/digits rows.csv | tail -n +2 | cut -d, -f2 |
        paste -d' ' - <(echo "$output" | cut -d' ' -f2))"
    [ "$(echo "$output" | cut -d' ' -f1 | sort -u | wc -l)" -gt 3 ] || fail "always the same"
}

@test "a handle per thread, in C++" {
    for part in 1 2 3 4; do
        zcat data/digits.csv.gz | tail -n +$((part * 100)) | head -100 >$part.csv
    done
    capture "$files" runs/digits 1.csv 2.csv 3.csv 4.csv
    status_is 0
    equal "$output" "$("$dlpredict" runs/digits 1.csv 2.csv 3.csv 4.csv | tail -n +2 | cut -d, -f3)"
}

@test "errors come back as a code and a message" {
    capture "$frames" nowhere
    status_is 3
    says "frames: nowhere: No such file or directory"
    head -c 2000 runs/digits/best.safetensors >short.safetensors
    capture "$frames" short.safetensors
    status_is 3
    says "short.safetensors"
    capture "$files" runs/digits nowhere.csv
    status_is 3
    shows "nowhere.csv: No such file or directory"
}

@test "only the library's own names are exported" {
    for file in libdltrain.so libdltrain.a; do
        names=$(nm -g --defined-only "$LD_LIBRARY_PATH/$file" | awk 'NF == 3 { print $3 }')
        equal "$(grep -v '^dltrain_' <<<"$names")" ""
        grep -qx dltrain_open <<<"$names" || fail "no dltrain_open in $file"
    done
    equal "$(readlink "$LD_LIBRARY_PATH/libdltrain.so")" libdltrain.so.0
    objdump -p "$LD_LIBRARY_PATH/libdltrain.so" | grep -q 'SONAME *libdltrain.so.0$'
}

@test "nets that one thread opened answer in others; nothing is allocated" {
    capture "$BATS_FILE_TMPDIR/threads" runs/digits
    status_is 0
    equal "$output" "0 allocations"
    # convolutions and products of oneDNN, whose own bookkeeping allocates
    python3 "$root/tests/cli/predict_formats.py" data/digits.csv.gz
    cat >cnn.cfg <<'CONFIG'
data = { format = "idx"; train = { images = "x.idx"; labels = "y.idx"; }; normalize = "scale"; };
network = ( { layer = "conv2d"; filters = 16; kernel = 3; padding = "same"; activation = "relu"; },
            { layer = "conv2d"; filters = 24; kernel = 5; padding = "same"; activation = "tanh"; },
            { layer = "max_pool"; size = 2; },
            { layer = "conv2d"; filters = 37; kernel = 1; activation = "relu"; },
            { layer = "flatten"; },
            { layer = "dense"; units = 300; activation = "relu"; },
            { layer = "dense"; units = 64; activation = "tanh"; },
            { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 32; epochs = 1; };
CONFIG
    "$dltrain" --quiet cnn.cfg
    for _ in 1 2 3; do
        capture "$BATS_FILE_TMPDIR/threads" runs/cnn
        status_is 0
    done
}

@test "without oneDNN it depends on four libraries" {
    make -C "$root" lib ONEDNN=no >/dev/null
    needed=$(objdump -p "$root/build/lib/libdltrain.so" | awk '$1 == "NEEDED" { print $2 }')
    make -C "$root" lib >/dev/null # that of the other tests again
    equal "$(grep -vE '^(lib(m|c|gomp|pthread)|ld-linux.*)\.so' <<<"$needed" | cut -d. -f1 | sort | tr '\n' ' ')" \
        "libconfig libjansson libopenblas libz "
}
