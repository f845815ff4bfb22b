#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Image files: in folders, in archives, in lists.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# 400 of the digits as 8x8 images, digits/zero/0001.pgm and so on.
digit_files() {
    mkdir -p digits/{zero,one,two,three}
    gzip -dc data/digits.csv.gz | LC_ALL=C awk -F, '
        BEGIN { split("zero one two three", names, " ") }
        $65 < 4 && n < 400 {
            file = sprintf("digits/%s/%04d.pgm", names[$65 + 1], n++)
            printf "P5 8 8 255\n" >file
            for (i = 1; i <= 64; i++) printf "%c", 1 + 15 * $i >file
            close(file)
        }'
}

network() {
    cat <<'CONFIG'
network = ( { layer = "dense"; units = 32; activation = "relu"; }, { layer = "dense"; units = 4; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.01; };
training = { batch_size = 32; epochs = 10; };
CONFIG
}

# refused CONFIG WORDS...: refused with all words; nothing is written.
refused() {
    train --quiet "$1"
    shift
    status_is 3
    local words
    for words in "$@"; do says "$words"; done
    exists_not runs
}

@test "training on folders of images, and on the same images in an archive" {
    digit_files
    {
        echo 'data = { format = "image_folder"; channels = "gray"; train = { folder = "digits"; };'
        echo '  validation = 0.1; test = 0.2; normalize = "scale"; };'
        network
    } >folder.cfg
    train folder.cfg
    status_is 0
    says "8x8x1 inputs, 4 classes"
    tested runs/folder --json
    status_is 0
    jq -e '.accuracy > 0.95 and .classes[0].class == "one"' .out >/dev/null || fail "not learned"
    tar cf digits.tar --sort=name digits
    sed 's/image_folder/image_tar/; s/folder = "digits"/file = "digits.tar"/' folder.cfg >tar.cfg
    mv runs before
    train --out runs/tar tar.cfg
    status_is 0
    same_history before/folder runs/tar # another order of rows would differ
}

@test "images of many sizes" {
    digit_files
    printf 'P5 2 1 255\nab' >digits/two/x.pgm
    {
        echo 'data = { format = "image_folder"; channels = "gray"; train = { folder = "digits"; };'
        echo '  normalize = "scale"; };'
        network
    } >folder.cfg
    refused folder.cfg "digits/two/x.pgm has 1x2 pixels" "size = [height, width]"
    for how in stretch fit crop; do
        train --dry-run --set data.size=4 --set data.resize=$how folder.cfg
        status_is 0
        says "4x4x1 inputs"
    done
    train --set data.resize=squash folder.cfg
    status_is 2
    says '"squash"'
}

@test "all unreadable images are reported together" {
    digit_files
    {
        echo 'data = { format = "image_folder"; train = { folder = "digits"; }; };'
        network
    } >folder.cfg
    echo hello >digits/one/x.png
    printf 'P6 8 8 255\nabc' >digits/two/y.ppm
    ln -s y.gif digits/three/y.gif
    refused folder.cfg "dltrain: digits: 3 pictures cannot be read:" "  digits/one/x.png (" \
        "  digits/two/y.ppm (cut short)" "  digits/three/y.gif ("
}

@test "image_list: classes, numbers, masks and images" {
    digit_files
    (
        cd digits
        echo path,name,value,ink,copy
        for file in */*.pgm; do
            value=$(LC_ALL=C tail -c +13 "$file" | od -An -v -t u1 | tr -s ' ' '\n' |
                awk '{ sum += $1 } END { print sum / 64 + 0.5 }')
            echo "$file,${file%%/*},$value,../ink/${file##*/},$file"
        done
    ) >list.csv
    mv list.csv digits
    mkdir ink # pixels darker than 128
    for file in digits/*/*.pgm; do
        {
            head -c 12 "$file"
            LC_ALL=C tail -c +13 "$file" | LC_ALL=C tr '\000-\177\200-\377' '[\000*128][\001*128]'
        } >ink/"${file##*/}"
    done
    {
        echo 'data = { format = "image_list"; channels = "gray"; train = { file = "digits/list.csv";'
        echo '  target = ["name"]; }; validation = 0.1; test = 0.2; normalize = "scale"; };'
        network
    } >list.cfg
    train list.cfg
    status_is 0
    tested runs/list --json
    status_is 0
    jq -e '.accuracy > 0.95 and .classes[0].class == "one"' .out >/dev/null || fail "not learned"
    sed 's/"name"/"value"/; s/softmax_cross_entropy/mse/; s/units = 4/units = 1/' list.cfg >mean.cfg
    train mean.cfg
    status_is 0
    tested runs/mean --json
    jq -e '.r2 > 0.5' .out >/dev/null || fail "not learned"
    sed 's/"name"\]/"ink"]; task = "mask"/; /^network/d' list.cfg >mask.cfg
    echo 'network = ( { layer = "conv2d"; filters = 2; kernel = 1; } );' >>mask.cfg
    train --epochs 30 mask.cfg
    status_is 0
    says "2 classes at 64 positions"
    tested runs/mask --json
    jq -e '.accuracy > 0.95' .out >/dev/null || fail "not learned"
    sed 's/"name"\]/"copy"]; task = "picture"/; s/softmax_cross_entropy/mse/; /^network/d' list.cfg |
        sed 's/normalize = "scale";/& normalize_target = "mean_std";/' >copy.cfg
    echo 'network = ( { layer = "dense"; units = 64; } );' >>copy.cfg
    train copy.cfg
    status_is 0
    says "64 target numbers"
    echo 'nowhere.png,one,1,x,y' >>digits/list.csv
    mv runs before
    refused list.cfg "dltrain: digits/list.csv: 1 picture cannot be read:" \
        "digits/nowhere.png (No such file or directory)"
}

# cached CONFIG OPTION...: trains with a cache below cache/.
cached() { XDG_CACHE_HOME=$PWD/cache train --set data.cache=true "$@"; }

@test "training from the cache of decoded images gives the same bits" {
    digit_files
    {
        echo 'data = { format = "image_folder"; channels = "gray"; train = { folder = "digits"; };'
        echo '  size = (7, 9); validation = 0.1; test = 0.2; normalize = "scale"; };'
        network
    } >folder.cfg
    train --out plain folder.cfg
    status_is 0
    says_not cache
    cached --out made folder.cfg
    status_is 0
    says "cache       $PWD/cache/dltrain/"
    says ".pictures, 29 kB, made"
    exists cache/dltrain/*.pictures
    cached --out read folder.cfg
    status_is 0
    says ".pictures, 29 kB, read"
    grep -q ', read$' read/log.txt || fail "not in the log"
    same_checkpoints made read
    same_history plain read
    # the configs differ in data.cache; the weights are the same
    weights() { tail -c +$((9 + $(od -An -t u8 -N 8 "$1" | tr -d ' '))) "$1"; }
    cmp <(weights plain/last.safetensors) <(weights read/last.safetensors) || fail "other weights"
    capture env XDG_CACHE_HOME="$PWD/cache" "$dltest" read --json
    status_is 0
    says ".pictures, 29 kB, read"
    cp .out with
    tested plain --json
    equal "$(jq -S 'del(.checkpoint, .seconds, .samples_per_second)' .out)" \
        "$(jq -S 'del(.checkpoint, .seconds, .samples_per_second)' with)"
    cached --out other --set data.resize=fit --epochs 1 folder.cfg
    says ", made"
    printf 'P5 2 2 255\nabcd' >digits/two/0000.pgm
    cached --out changed --epochs 1 folder.cfg
    says ", made"
    [ "$(ls cache/dltrain | wc -l)" -eq 3 ] || fail "not three files"
}

@test "a cache that is read-only, damaged, or left by a killed run" {
    digit_files
    tar czf digits.tar.gz --sort=name digits
    {
        echo 'data = { format = "image_tar"; channels = "gray"; train = { file = "digits.tar.gz"; };'
        echo '  size = 16; validation = 0.1; normalize = "scale"; };'
        network
    } >tar.cfg
    : >cache
    cached --out whole tar.cfg
    status_is 0
    says "warning     $PWD/cache/dltrain: "
    says "continues without data.cache"
    grep -q '^warning .*data.cache$' whole/log.txt || fail "not in the log"
    rm cache
    for seconds in .01 .03 .05 .07 .1 .15 .2 .3 .5; do
        status=0
        XDG_CACHE_HOME=$PWD/cache timeout -s KILL $seconds "$dltrain" --set data.cache=true \
            --quiet --force --out killed tar.cfg || true
    done
    cached --out one tar.cfg
    status_is 0
    same_checkpoints whole one
    exists_not cache/dltrain/*.tmp
    [ "$(ls cache/dltrain | wc -l)" -eq 1 ] || fail "not one file"
    truncate -s 50000 cache/dltrain/*
    cached --out two tar.cfg
    says ", made"
    same_checkpoints whole two
    printf x | dd of="$(echo cache/dltrain/*)" bs=1 seek=60000 conv=notrunc status=none
    cached --out three tar.cfg
    says ", made"
    same_checkpoints whole three
    cached --out four tar.cfg
    says ", read"
}

@test "two runs at the same time share a cache" {
    digit_files
    {
        echo 'data = { format = "image_folder"; channels = "gray"; train = { folder = "digits"; };'
        echo '  validation = 0.1; normalize = "scale"; };'
        network
    } >folder.cfg
    export XDG_CACHE_HOME=$PWD/cache
    local pids=() i
    for i in 1 2 3; do
        "$dltrain" --set data.cache=true --quiet --out run$i folder.cfg &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i" || fail "a training failed"; done
    same_checkpoints run1 run2
    same_checkpoints run1 run3
    [ "$(ls cache/dltrain)" != "" ] || fail "no cache"
    exists_not cache/dltrain/*.tmp
}

@test "a gzipped archive larger than memory is cached" {
    mkdir -p set/{a,b}
    for i in {1..150}; do
        for class in a b; do
            { printf 'P5 64 64 255\n' && head -c 4096 /dev/urandom; } >"set/$class/$i.pgm"
        done
    done
    tar czf set.tar.gz --sort=name set
    {
        echo 'data = { format = "image_tar"; channels = "gray"; train = { file = "set.tar.gz"; };'
        echo '  memory_limit = 1; normalize = "scale"; };'
        network
    } | sed 's/epochs = 10/epochs = 1/; s/units = 4/units = 2/' >tar.cfg
    refused tar.cfg "gunzip the archive, then it can, or set data.cache = true"
    cached --out made tar.cfg
    status_is 0
    says "1.2 MB, made"
    train --out whole --set data.memory_limit=2 --set data.cache=false tar.cfg
    same_history whole made
}

@test "archives in the formats of tar, long names, and hidden folders" {
    local long=$(printf 'x%.0s' {1..90})/$(printf 'y%.0s' {1..90}) format k
    mkdir -p "s/$long/cat/.hidden" "s/$long/猫"
    for k in 0 1 2 3; do
        printf 'P5 2 2 255\na%sa%s' $k $k >"s/$long/cat/$k.pgm"
        printf 'P5 2 2 255\n%sb%sb' $k $k >"s/$long/猫/$(printf 'z%.0s' {1..120})$k.pgm"
    done
    cp "s/$long/cat/0.pgm" "s/$long/cat/.hidden/0.pgm"
    cp "s/$long/cat/0.pgm" "s/$long/cat/._0.pgm"
    cat >t.cfg <<'CONFIG'
data = { format = "image_tar"; channels = "gray"; train = { file = "t.tar"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { batch_size = 4; };
CONFIG
    for format in gnu pax posix; do
        tar --format=$format -cf t.tar s 2>/dev/null
        train --dry-run t.cfg
        status_is 0
        says "8 rows; 2x2x1 inputs, 2 classes"
    done
}
