#!/usr/bin/env bats
# Pictures in files of their own: in folders, in archives, in lists.

# The variables that helper.bash sets; each test is a subshell of its own, as it should be.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

# 400 of the digits as pictures of 8x8, digits/zero/0001.pgm and so on.
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

# refused CONFIG WORDS...: with all of the words, and nothing written.
refused() {
    train --quiet "$1"
    shift
    status_is 3
    local words
    for words in "$@"; do says "$words"; done
    exists_not runs
}

@test "folders of pictures are learnt from, and the same pictures in an archive" {
    digit_files
    {
        echo 'data = { format = "image_folder"; channels = "grey"; train = { folder = "digits"; };'
        echo '  validation = 0.1; test = 0.2; normalize = "scale"; };'
        network
    } >folder.cfg
    train folder.cfg
    status_is 0
    says "8x8x1 inputs, 4 classes"
    tested runs/folder --json
    status_is 0
    jq -e '.accuracy > 0.95 and .classes[0].class == "one"' .out >/dev/null || fail "not learnt"
    tar cf digits.tar --sort=name digits
    sed 's/image_folder/image_tar/; s/folder = "digits"/file = "digits.tar"/' folder.cfg >tar.cfg
    mv runs before
    train --out runs/tar tar.cfg
    status_is 0
    same_history before/folder runs/tar # rows in another order would not be the same
}

@test "pictures of many sizes" {
    digit_files
    printf 'P5 2 1 255\nab' >digits/two/x.pgm
    {
        echo 'data = { format = "image_folder"; channels = "grey"; train = { folder = "digits"; };'
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

@test "all pictures that cannot be read are told of at once" {
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

@test "a list of pictures: classes, numbers, masks and pictures" {
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
    mkdir ink # where it is darker than 128
    for file in digits/*/*.pgm; do
        {
            head -c 12 "$file"
            LC_ALL=C tail -c +13 "$file" | LC_ALL=C tr '\000-\177\200-\377' '[\000*128][\001*128]'
        } >ink/"${file##*/}"
    done
    {
        echo 'data = { format = "image_list"; channels = "grey"; train = { file = "digits/list.csv";'
        echo '  target = ["name"]; }; validation = 0.1; test = 0.2; normalize = "scale"; };'
        network
    } >list.cfg
    train list.cfg
    status_is 0
    tested runs/list --json
    status_is 0
    jq -e '.accuracy > 0.95 and .classes[0].class == "one"' .out >/dev/null || fail "not learnt"
    sed 's/"name"/"value"/; s/softmax_cross_entropy/mse/; s/units = 4/units = 1/' list.cfg >mean.cfg
    train mean.cfg
    status_is 0
    tested runs/mean --json
    jq -e '.r2 > 0.5' .out >/dev/null || fail "not learnt"
    sed 's/"name"\]/"ink"]; task = "mask"/; /^network/d' list.cfg >mask.cfg
    echo 'network = ( { layer = "conv2d"; filters = 2; kernel = 1; } );' >>mask.cfg
    train --epochs 30 mask.cfg
    status_is 0
    says "2 classes at 64 positions"
    tested runs/mask --json
    jq -e '.accuracy > 0.95' .out >/dev/null || fail "not learnt"
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
