#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Event files for TensorBoard, read by an independent decoder.

# shellcheck disable=SC2154,SC2030,SC2031

load helper

set_up() { digits digits.cfg; }

# events FILE: writes its events to the file `events`, one JSON object per line.
events() {
    status=0
    command -v /usr/bin/python3 >/dev/null || skip "python3 is not installed"
    /usr/bin/python3 "$root/tests/cli/events.py" "$1" >events 2>errors || status=$?
    [ "$status" -ne 77 ] || skip "python3-protobuf is not installed"
    [ "$status" -eq 0 ] || fail "$(cat errors)"
}
files() { find "$1" -name 'events.out.tfevents.*' | sort; }
on() { train --quiet --set training.tensorboard=true "$@"; }

@test "event files only on request" {
    train --quiet --out run digits.cfg
    [ -z "$(files run)" ] || fail "events"
    grep -q 'tensorboard = false' run/config.cfg || fail "the default is not written out"
    # and they do not change the results
    on --out other digits.cfg
    status_is 0
    equal "$(files other | wc -l)" 1
    same_history run other
}

@test "scalars match the history" {
    on --out run digits.cfg
    events "$(files run)"
    equal "$(head -n 1 events | jq -r '.file_version')" brain.Event:2
    equal "$(jq -c .step events | tr '\n' ' ')" "0 1 2 3 4 5 6 "
    equal "$(jq -s '[.[].start] | add' events)" 0
    local pair ours theirs
    for pair in train_loss:loss/train val_loss:loss/validation train_accuracy:accuracy/train \
        val_top5:top5/validation learning_rate:learning_rate; do
        ours=$(column run "${pair%%:*}")
        theirs=$(tail -n 1 events | jq ".values[\"${pair#*:}\"]")
        awk -v a="$ours" -v b="$theirs" \
            'BEGIN { d = a - b; if (d < 0) d = -d; exit !(b != "null" && d <= 1e-6 * (a + 1e-9)) }' ||
            fail "$pair: $ours is not $theirs"
    done
    # wall-clock times
    now=$(date +%s)
    jq -e "all(.wall_time; . > $now - 600 and . < $now + 2)" events >/dev/null || fail "no time"
}

@test "histograms match the checkpoint's weights" {
    on --out run digits.cfg
    events "$(files run)"
    tail -n 1 events >last
    /usr/bin/python3 - <<'END' || fail "they are not"
import array, json, math, struct
values = json.load(open("last"))["values"]
data = open("run/last.safetensors", "rb").read()
(size,) = struct.unpack("<Q", data[:8])
head = json.loads(data[8:8 + size])
seen = 0
for name, h in values.items():
    if not name.startswith(("weights/", "gradients/")):
        continue
    assert sum(h["bucket"]) == h["num"] and h["bucket_limit"] == sorted(h["bucket_limit"])
    assert len(h["bucket"]) == len(h["bucket_limit"]) and h["bucket_limit"][-1] == h["max"]
    if name.startswith("gradients/"):
        assert name.replace("gradients", "weights") in values
        assert h["sum_squares"] > 0 and h["min"] < 0 < h["max"]
        continue
    a, b = head[name[8:]]["data_offsets"]
    w = array.array("f", data[8 + size + a:8 + size + b])
    assert h["num"] == len(w) and h["min"] == min(w) and h["max"] == max(w), name
    assert math.isclose(h["sum"], math.fsum(w), rel_tol=1e-6, abs_tol=1e-9), name
    assert math.isclose(h["sum_squares"], math.fsum(x * x for x in w), rel_tol=1e-6), name
    total = 0
    near = 1e-9 * (h["max"] - h["min"])
    for limit, count in zip(h["bucket_limit"][:-1], h["bucket"]):
        total += count # up to this limit, except numbers on it
        on = sum(abs(x - limit) <= near for x in w)
        assert abs(total - sum(x <= limit for x in w)) <= on, name
    seen += 1
assert seen == 4
END
}

@test "a resumed run starts a new file; a replaced run has no old ones" {
    sed -i 's/ schedule = { type = "cosine"; };//' digits.cfg # which depends on the number of epochs
    on --out whole digits.cfg
    on --epochs 4 --out run digits.cfg
    train --quiet --resume run --epochs 6
    status_is 0
    equal "$(files run | wc -l)" 2
    same_history whole run
    events "$(files run | head -n 1)"
    equal "$(jq -c .step events | tr '\n' ' ')" "0 1 2 3 4 "
    events "$(files run | tail -n 1)"
    # TensorBoard drops events at or after the step of a restart
    equal "$(jq -c '[.step, .start]' events | tr '\n' ' ')" "[0,0] [5,1] [5,0] [6,0] "
    on --force --out run digits.cfg
    equal "$(files run | wc -l)" 1
    train --quiet --force --out run digits.cfg
    equal "$(files run | wc -l)" 0
}

@test "images: filters in each epoch, samples once" {
    printf 'P5 4 4 255\n0123456789abcdef' >a.pgm
    printf 'P5 4 4 255\nfedcba9876543210' >b.pgm
    mkdir -p train/a train/b
    for i in 1 2 3; do cp a.pgm train/a/$i.pgm && cp b.pgm train/b/$i.pgm; done
    cat >pictures.cfg <<'CONFIG'
name = "pictures";
data = { format = "image_folder"; size = 4; channels = "gray"; train = { folder = "train"; }; };
network = ( { layer = "conv2d"; filters = 5; kernel = 3; }, { layer = "dense"; units = 2; } );
loss = { type = "softmax_cross_entropy"; };
training = { epochs = 2; batch_size = 4; tensorboard = true; };
CONFIG
    train --quiet --out run pictures.cfg
    status_is 0
    events "$(files run)"
    equal "$(jq -c '[.values | has("filters/conv2d_1", "samples/train")]' events | tr '\n' ' ')" \
        "[false,false] [true,true] [true,false] "
    equal "$(jq -c 'select(.step == 1).values["filters/conv2d_1"]' events)" \
        '{"width":264,"height":56}'
    equal "$(jq -c 'select(.step == 1).values["samples/train"]' events)" \
        '{"width":316,"height":56}'
}

@test "a full disk" {
    [ "$(id -u)" -eq 0 ] || skip "needs to mount"
    mkdir small
    mount -t tmpfs -o size=96k tmpfs small 2>/dev/null || skip "cannot mount"
    on --out small/run digits.cfg
    umount small
    status_is 1
    says "cannot be written: No space left on device"
}
