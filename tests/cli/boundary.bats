#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlinspect boundary, and the checkpoints of training.checkpoint_every that its strips are drawn from.

# shellcheck disable=SC2154,SC2030,SC2031

load helper

python=${DLTRAIN_PYTHON:-python3}

# Two classes left and right of 0; "kind" and "z" do not matter.
run_halves() {
    awk 'BEGIN { srand(5); print "x,y,'"$1"'side"; for (i = 0; i < 60; i++) { x = 2 * rand() - 1; y = 2 * rand() - 1
        printf "%.3f,%.3f,%s%s\n", x, y, "'"$1"'" ? i % 3 ",m," : "", x < 0 ? "left" : "right" } }' >halves.csv
    cat >halves.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "halves.csv"; }; };
network = ( { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.1; };
training = { epochs = 40; batch_size = 10; checkpoint_every = 20; };
CONFIG
    train halves.cfg -o run --quiet
    status_is 0
}

# colors FILE X Y...: the color of pixels (of an 8-bit RGB PNG file), as red-green-blue.
colors() {
    "$python" - "$@" <<'PYTHON'
import struct
import sys
import zlib
data = open(sys.argv[1], 'rb').read()
at, packed = 8, b''
while at < len(data):
    size, kind = struct.unpack('>I4s', data[at:at + 8])
    body = data[at + 8:at + 8 + size]
    if kind == b'IHDR':
        width, height = struct.unpack('>II', body[:8])
    if kind == b'IDAT':
        packed += body
    at += 12 + size
raw, lines, before = zlib.decompress(packed), [], bytes(3 * width)
for y in range(height):
    kind, line = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1:(y + 1) * (3 * width + 1)])
    for i in range(3 * width):
        a = line[i - 3] if i >= 3 else 0
        b, c = before[i], before[i - 3] if i >= 3 else 0
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        line[i] = line[i] + (0, a, b, (a + b) // 2, paeth)[kind] & 255
    lines.append(line)
    before = line
for x, y in zip(sys.argv[2::2], sys.argv[3::2]):
    print(*lines[int(y)][3 * int(x):3 * int(x) + 3])
PYTHON
}

@test "regions lie where the net decides" {
    run_halves ""
    inspect boundary run -o out
    status_is 0
    shows "blue    class left"
    shows "orange  class right"
    # the left edge is blue, the right one orange, above and below
    colors out/boundary.png 6 10 6 290 300 10 300 290 >found
    awk '{ blue = $3 > $1 + 60; orange = $1 > $3 + 60 }
        NR <= 2 && !blue || NR > 2 && !orange { exit 1 }' found || fail "$(cat found)"
}

@test "kept epochs: a strip, one of them, --force and --resume" {
    run_halves ""
    equal "$(cd run && echo epoch_*)" "epoch_0020.safetensors epoch_0040.safetensors"
    cmp <(tensor run/epoch_0040.safetensors dense_1.weights) <(tensor run/last.safetensors dense_1.weights)
    inspect boundary run --strip -o out
    status_is 0
    inspect boundary run --epoch 20 -o out20
    status_is 0
    inspect boundary run --epoch 30 -o out30
    status_is 3
    says "epoch 30 was not kept; kept are 20 to 40"
    exists_not out30
    # an interrupted run keeps the bits of one that was not
    train halves.cfg -o two --quiet --set training.epochs=20
    train --resume two --quiet --set training.epochs=40
    status_is 0
    for epoch in 20 40; do
        cmp <(tensor run/epoch_00$epoch.safetensors dense_1.weights) <(tensor two/epoch_00$epoch.safetensors dense_1.weights)
    done
    # of a new run in the folder, none of the old ones are left
    train halves.cfg -o run --force --quiet --set training.checkpoint_every=0
    equal "$(cd run && echo epoch_*)" "epoch_*"
    inspect boundary run --strip -o out
    status_is 3
    says "training.checkpoint_every = N keeps them"
    # epochs after the one where a run resumes are not of it
    cp two/last.safetensors two/epoch_0060.safetensors
    train --resume two --quiet --set training.epochs=42
    equal "$(cd two && echo epoch_*)" "epoch_0020.safetensors epoch_0040.safetensors"
}

@test "two columns of several; what cannot be drawn" {
    run_halves "z,kind,"
    inspect boundary run -o out
    status_is 2
    says "the net has 4 input columns: choose the two of the plane"
    inspect boundary run -o out --columns x,w
    status_is 2
    says 'no column "w"'
    inspect boundary run -o out --columns x,y,z
    status_is 2
    says "must be two columns"
    exists_not out
    inspect boundary run -o out --columns x,y
    status_is 0
    [ -s out/boundary.png ] || fail "no picture"
    rm halves.csv
    inspect boundary run -o out --columns x,y
    status_is 3
    says "halves.csv: not found"
}
