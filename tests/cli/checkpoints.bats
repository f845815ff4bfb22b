#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Damaged checkpoints, and those of other networks: exit status 3, one message.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    xor xor.cfg
    train --quiet --out run xor.cfg
    status_is 0
    cp run/last.safetensors good
    size=$(stat -c %s good)
}

# refused FILE WORDS: dltest refuses it, with a message about the file.
refused() {
    tested "$1"
    [ "$status" -eq 3 ] || fail "$1: the exit status is not 3"
    [ -z "$output" ] || fail "$1: there is something on stdout"
    equal "$(wc -l <.err)" 1
    [[ $errors == "dltest: $1: "*"$2"* ]] || fail "$1: the message is another one"
}

# places COUNT: offsets in the file, the first and last ones and COUNT between them.
places() {
    seq 0 15
    awk -v n="$1" -v size="$size" \
        'BEGIN { for (i = 0; i < n; i++) print 16 + int((size - 24) * (i + 0.5) / n) }'
    seq $((size - 8)) $((size - 1))
}

@test "truncated at any byte" {
    local length
    while read -r length; do
        head -c "$length" good >cut
        refused cut "is not an intact checkpoint"
    done < <(places 80)
    { cat good && printf x; } >cut # and with a byte appended
    refused cut "its bytes do not match its checksum"
}

@test "one flipped bit, anywhere" {
    local place byte bit=0
    cp good flipped
    while read -r place; do
        byte=$(od -An -t u1 -j "$place" -N 1 good | tr -d ' ')
        bit=$(((bit + 3) % 8))
        # shellcheck disable=SC2059
        printf "\\$(printf %o $((byte ^ (1 << bit))))" |
            dd of=flipped bs=1 seek="$place" conv=notrunc status=none
        refused flipped "is not an intact checkpoint"
        # shellcheck disable=SC2059
        printf "\\$(printf %o "$byte")" | dd of=flipped bs=1 seek="$place" conv=notrunc status=none
    done < <(places 100)
    same good flipped
    tested flipped
    status_is 0
}

@test "two swapped bytes; two files in one" {
    tail -c 8 good | head -c 4 >a
    tail -c 4 good >b
    head -c $((size - 8)) good | cat - b a >swapped
    differ good swapped
    refused swapped "its bytes do not match its checksum"
    cat good good >doubled
    refused doubled "its bytes do not match its checksum"
}

@test "files that are no checkpoints" {
    : >empty
    refused empty "it is shorter than 8 bytes"
    echo "hello, this is not a checkpoint" >text
    refused text "its first bytes are not a safetensors header"
    refused xor.cfg "its first bytes are not a safetensors header"
    head -c 100000 /dev/zero >zeros
    refused zeros ""
    head -c 100000 /dev/urandom >noise
    refused noise ""
    printf '\20\0\0\0\0\0\0\0{"a": [1, 2, 3]}' >other
    refused other "it has no checksum (was it written by another program?)"
    mkdir folder
    refused folder "has no checkpoint"
    mkdir folder/last.safetensors
    tested folder
    status_is 3
    says_only "dltest: folder/last.safetensors: is a folder, not a file"
    refused nothing "No such file or directory"
    refused text/deeper "Not a directory"
}

@test "checkpoints of another network" {
    tested run --set network.0.units=3
    status_is 3
    says_only "dltest: run/best.safetensors: its tensor \"dense_1.weight\" has shape 2x2, but the \
network's has 2x3: it is from another network"
    tested run --set network.0.name=first
    status_is 3
    says 'has no tensor "first.weight": it is from another network'
}

@test "--resume of a damaged run is refused and changes nothing" {
    head -c $((size / 2)) good >run/last.safetensors
    cp -r run before
    train --quiet --resume run --epochs 5
    status_is 3
    says "dltrain: run/last.safetensors: is not an intact checkpoint"
    diff -r before run
    cp run/best.safetensors run/last.safetensors # the other one suffices
    train --quiet --resume run --epochs 5
    status_is 0
}

# rewrite FROM TO STATEMENT: a checkpoint whose metadata `meta` the Python statement changes; checksum
# and lengths are right.
rewrite() {
    python3 - "$@" <<'PYTHON'
import json, sys, zlib
bytes_ = open(sys.argv[1], 'rb').read()
length = int.from_bytes(bytes_[:8], 'little')
header = json.loads(bytes_[8:8 + length])
meta = header['__metadata__']
exec(sys.argv[3])
meta['checksum'] = '0' * 8
text = json.dumps(header, separators=(',', ':')).encode()
text += b' ' * (-len(text) % 8)
new = len(text).to_bytes(8, 'little') + text + bytes_[8 + length:]
new = new.replace(b'"checksum":"00000000"', b'"checksum":"%08x"' % zlib.crc32(new), 1)
open(sys.argv[2], 'wb').write(new)
PYTHON
}

@test "a checkpoint without a name is read as \"net\"" {
    rewrite good unnamed 'del meta["name"]; meta["config"] = meta["config"].replace("name = ", "//", 1)'
    equal "$(metadata unnamed name)" null
    tested unnamed --json
    status_is 0
    equal "$(jq -r .name <<<"$output")" net
    tested unnamed --json --speed 4
    equal "$(jq -r .name <<<"$output")" net
    capture "$programs/dlinspect" report unnamed -o page.html
    status_is 0
    grep -q '<h1>net</h1>' page.html || fail "the page has no title"
}

@test "a config inside a checkpoint includes no files" {
    printf 'secret words of another file\n' >secret
    rewrite good hostile 'meta["config"] = "@include \"'"$PWD"'/secret\"\n" + meta["config"]'
    refused hostile "a config inside a checkpoint must not include files"
    [[ $errors != *secret* ]] || fail "the file is shown"
    cp hostile run/last.safetensors
    train --resume run
    status_is 3
    says "a config inside a checkpoint must not include files"
    [[ $output$errors != *secret* ]] || fail "the file is shown"
}
