#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# scripts/get_data.sh: every source of a data set, and every failure of a download.
#
# Everything is local: a small server on 127.0.0.1 is the mirror. The data set car is a function of
# six categories, so its published bytes are computed here.

# Each test runs in a subshell.
# shellcheck disable=SC2030,SC2031,SC2012,SC2016

setup_file() {
    cat >"$BATS_FILE_TMPDIR/server.py" <<'PYTHON'
# Serves ROOT/PATH as /MODE/TAG/PATH; the mode is the kind of failure. Logs the requested ranges.
import http.server, os, re, sys, threading, time

root, port_file = sys.argv[1], sys.argv[2]

class Mirror(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        mode, tag, path = self.path[1:].split("/", 2)
        wanted = self.headers.get("Range", "-")
        with open(os.path.join(root, "log." + tag), "a") as log:
            log.write("%s %s %s\n" % (mode, path, wanted))
        try:
            with open(os.path.join(root, path), "rb") as file:
                body = file.read()
        except OSError:
            return self.send_error(404)
        if mode == "bad":
            body = body[:-20] + b"X" + body[-19:]
        start = re.match(r"bytes=(\d+)-$", wanted)
        start = int(start.group(1)) if start and mode != "norange" else 0
        if start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        rest = body[start:]
        if mode == "cut" or mode == "stall":      # 20,000 bytes per connection
            rest = rest[:20000]
        self.wfile.write(rest)
        self.wfile.flush()
        if mode == "stall":
            time.sleep(20)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
server.daemon_threads = True
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
PYTHON
    export site=$BATS_FILE_TMPDIR/site
    mkdir -p "$site/car"
    make_car >"$site/car/car.csv"
    python3 "$BATS_FILE_TMPDIR/server.py" "$site" "$BATS_FILE_TMPDIR/port" 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/pid"
    local i
    for ((i = 0; i < 100; i++)); do
        [ ! -e "$BATS_FILE_TMPDIR/port" ] || break
        sleep 0.1
    done
    address=http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port")
    export address
}

teardown_file() {
    kill "$(cat "$BATS_FILE_TMPDIR/pid")"
}

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    get=$root/scripts/get_data.sh
    to=$BATS_TEST_TMPDIR/data
    tag=t$BATS_TEST_NUMBER
    unset DLTRAIN_MIRROR
    shared=${DLTRAIN_DATA:-}
    unset DLTRAIN_DATA
    export DLTRAIN_SYSTEM_DATA=$BATS_TEST_TMPDIR/no-packages
    export no_proxy=127.0.0.1
    cd "$BATS_TEST_TMPDIR" || return 1
}

# The car evaluation set: its published decision model, on all combinations.
make_car() {
    awk 'BEGIN {
        split("vhigh high med low", cost); split("2 3 4 5more", doors); split("2 4 more", persons)
        split("small med big", boot); split("low med high", safety)
        split("unacc unacc acc acc unacc acc acc good unacc acc vgood vgood", verdict)
        print "buying,maint,doors,persons,lug_boot,safety,class"
        for (b = 0; b < 4; b++) for (m = 0; m < 4; m++) {
            price = b + m < 2 ? 0 : b + m > 4 ? 3 : b + m == 4 && b > 1 ? 2 : 1
            for (d = 0; d < 4; d++) for (p = 0; p < 3; p++) for (l = 0; l < 3; l++) {
                if (!p || (!d && p == 2 && !l)) comfort = 0
                else if (!l || (l == 1 && (!d || (d == 1 && p == 1)))) comfort = 1
                else comfort = 2
                for (s = 0; s < 3; s++) {
                    tech = s && comfort ? comfort + s - 1 : 0
                    class = tech ? verdict[4 * tech - 3 + price] : "unacc"
                    print cost[b + 1] "," cost[m + 1] "," doors[d + 1] "," persons[p + 1] "," \
                        boot[l + 1] "," safety[s + 1] "," class
                }
            }
        }
    }'
}

# fetch ARGUMENT...: get_data.sh to the test's folder, from the local mirror only.
fetch() { run "$get" --to "$to" --mirror-only "$@"; }
mirror() {
    local mode list=
    for mode in "$@"; do list="$list $address/$mode/$tag"; done
    export DLTRAIN_MIRROR=$list
}
requests() { cat "$site/log.$tag"; }
fail() {
    echo "$*"
    echo "status $status; output:"
    echo "$output"
    return 1
}
has() { [[ $output == *"$1"* ]] || fail "no '$1' in the output"; }
has_not() { [[ $output != *"$1"* ]] || fail "'$1' in the output"; }
status_is() { [ "$status" -eq "$1" ] || fail "the exit status is not $1"; }
car_is_there() {
    cmp "$site/car/car.csv" "$to/car/car.csv"
    [ "$(ls -A "$to/car")" = car.csv ] || fail "more than car.csv: $(ls -A "$to/car")"
}
nothing_there() { [ -z "$(find "$to" -type f -print 2>/dev/null)" ] || fail "$(find "$to")"; }

@test "help lists every set; usage errors exit with 2" {
    run "$get" --help
    status_is 0
    for name in mnist fashion_mnist cifar10 iris car concrete tinyshakespeare; do has $name; done
    fetch
    status_is 2
    has "which set?"
    fetch imagenet
    status_is 2
    has "no set is called 'imagenet'"
    has tinyshakespeare
    fetch --frobnicate car
    status_is 2
    has "unknown option '--frobnicate'"
    run "$get" car --to
    status_is 2
    fetch digits
    status_is 2
    has "is included"
    nothing_there
}

@test "a set from DLTRAIN_DATA; a second run does nothing" {
    export DLTRAIN_DATA=$site
    fetch car
    status_is 0
    has "car: ready in"
    car_is_there
    touch -d 2001-01-01 "$to/car/car.csv"
    fetch CAR
    status_is 0
    has "car: already there"
    has_not from
    [ "$(date -r "$to/car/car.csv" +%Y)" = 2001 ]
}

@test "--to takes a relative folder, and the default is data/ of the project" {
    export DLTRAIN_DATA=$site
    run "$get" --mirror-only --to here car
    status_is 0
    cmp "$site/car/car.csv" here/car/car.csv
    mkdir -p project/scripts
    cp "$get" project/scripts/
    run project/scripts/get_data.sh --mirror-only car
    status_is 0
    has "car: ready in project/data/car"
    cmp "$site/car/car.csv" project/data/car/car.csv
}

@test "a damaged file in DLTRAIN_DATA is refused; the next source is used" {
    export DLTRAIN_DATA=$BATS_TEST_TMPDIR/damaged
    mkdir -p damaged/car
    sed '$d' "$site/car/car.csv" >damaged/car/car.csv
    fetch car
    status_is 1
    has "does not have the published sha256"
    nothing_there
    mirror ok
    fetch car
    status_is 0
    car_is_there
}

@test "a DLTRAIN_DATA that is no folder is reported" {
    export DLTRAIN_DATA=/nonexistent
    fetch car
    status_is 1
    has "/nonexistent"
    has "car is not available"
}

@test "an edited file is kept, except with --force" {
    mirror ok
    mkdir -p "$to/car"
    echo mine >"$to/car/car.csv"
    fetch car
    status_is 1
    has "--force replaces it"
    [ "$(cat "$to/car/car.csv")" = mine ]
    fetch --force car
    status_is 0
    car_is_there
}

@test "a download" {
    mirror ok
    fetch car
    status_is 0
    car_is_there
    [ "$(requests)" = "ok car/car.csv -" ]
}

@test "a file:// mirror" {
    export DLTRAIN_MIRROR=file://$site
    fetch car
    status_is 0
    car_is_there
}

@test "an interrupted download is resumed" {
    mirror cut
    fetch car
    status_is 0
    car_is_there
    [ "$(requests)" = "cut car/car.csv -
cut car/car.csv bytes=20000-
cut car/car.csv bytes=40000-" ]
}

@test "a partial file of an earlier run is resumed" {
    mirror ok
    mkdir -p "$to/car"
    head -c 30000 "$site/car/car.csv" >"$to/car/.car.csv.part"
    fetch car
    status_is 0
    car_is_there
    [ "$(requests)" = "ok car/car.csv bytes=30000-" ]
}

@test "a complete file of an earlier run is used" {
    mirror ok
    mkdir -p "$to/car"
    cp "$site/car/car.csv" "$to/car/.car.csv.part"
    fetch car
    status_is 0
    car_is_there
}

@test "a partial file is kept when mirrors lack the file" {
    export DLTRAIN_MIRROR="http://127.0.0.1:9 $address/ok/$tag/nowhere $address/ok/$tag"
    mkdir -p "$to/car"
    head -c 30000 "$site/car/car.csv" >"$to/car/.car.csv.part"
    fetch car
    status_is 0
    car_is_there
    [ "$(requests | tail -n 1)" = "ok car/car.csv bytes=30000-" ]
}

@test "a partial file of something else is removed" {
    mirror ok
    mkdir -p "$to/car"
    head -c 30000 /dev/zero >"$to/car/.car.csv.part"
    fetch car
    status_is 0
    has "starting over"
    car_is_there
    [ "$(requests | tail -n 1)" = "ok car/car.csv -" ]
}

@test "from a server that cannot resume, the download starts over" {
    mirror norange
    mkdir -p "$to/car"
    head -c 30000 "$site/car/car.csv" >"$to/car/.car.csv.part"
    fetch car
    status_is 0
    has "cannot resume"
    car_is_there
}

@test "a corrupted download is removed; the next mirror is tried" {
    mirror bad
    fetch car
    status_is 1
    has "does not have the published sha256: removed"
    nothing_there
    mirror bad missing/nowhere ok
    fetch car
    status_is 0
    car_is_there
}

@test "an unreachable server, and one without the file" {
    export DLTRAIN_MIRROR="http://127.0.0.1:9 $address/ok/$tag/nowhere"
    fetch car
    status_is 1
    has "car is not available"
    nothing_there
}

@test "interrupted: no file with the final name; the next run resumes" {
    local pid i part=$to/car/.car.csv.part had
    mirror stall
    setsid "$get" --to "$to" --mirror-only car >log 2>&1 3>&- &
    pid=$!
    for ((i = 0; i < 150; i++)); do
        [ ! -s "$part" ] || break
        sleep 0.1
    done
    kill -TERM -- -$pid
    status=0
    wait $pid || status=$?
    status_is 143
    [ ! -e "$to/car/car.csv" ]
    had=$(wc -c <"$part")
    [ "$had" -gt 0 ]
    [ "$had" -le 20000 ]
    mirror ok
    fetch car
    status_is 0
    car_is_there
    [ "$(requests | tail -n 1)" = "ok car/car.csv bytes=$had-" ]
}

@test "two runs at once" {
    mirror ok
    "$get" --to "$to" --mirror-only car >first 2>&1 3>&- &
    local first=$!
    fetch car
    status_is 0
    wait $first
    car_is_there
}

@test "UCI's file without a header, with CR LF, and the copy with a wrong header are converted" {
    local base=$BATS_TEST_TMPDIR/uci
    mkdir -p "$base/car"
    export DLTRAIN_MIRROR=file://$base
    tail -n +2 "$site/car/car.csv" >"$base/car/car.csv"
    [ "$(sha256sum <"$base/car/car.csv")" = \
        "b703a9ac69f11e64ce8c223c0a40de4d2e9d769f7fb20be5f8f2e8a619893d83  -" ]
    fetch car
    status_is 0
    car_is_there
    sed 's/$/\r/' "$site/car/car.csv" >"$base/car/car.csv"
    fetch --force car
    status_is 0
    car_is_there
    sed '1s/lug_boot,safety,class/lung_boot,satefy,accept/' "$site/car/car.csv" \
        >"$base/car/car.csv"
    fetch --force car
    status_is 0
    car_is_there
    sed '100d' "$site/car/car.csv" >"$base/car/car.csv"
    fetch --force car
    status_is 1
    car_is_there
}

@test "scikit-learn's and UCI's iris are converted" {
    [ -f "$shared/iris/iris.csv" ] || skip "needs DLTRAIN_DATA"
    mkdir -p sk/iris uci/iris
    awk -F, -v OFS=, 'NR == 1 { print "150,4,setosa,versicolor,virginica"; next }
        { $5 = $5 == "setosa" ? 0 : $5 == "versicolor" ? 1 : 2; print }' \
        "$shared/iris/iris.csv" >sk/iris/iris.csv
    { sed '1d; s/,\([a-z]*\)$/,Iris-\1/' "$shared/iris/iris.csv" && echo; } >uci/iris/iris.csv
    for form in sk uci; do
        export DLTRAIN_MIRROR=file://$PWD/$form
        fetch --force iris
        status_is 0
        cmp "$shared/iris/iris.csv" "$to/iris/iris.csv"
        rm "$to/iris/iris.csv"
    done
}

@test "concrete with long names and without trailing zeros is converted" {
    [ -f "$shared/concrete/concrete.csv" ] || skip "needs DLTRAIN_DATA"
    mkdir -p other/concrete
    export DLTRAIN_MIRROR=file://$PWD/other
    awk -F, -v OFS=, 'NR == 1 { print "\357\273\277Cement,Slag,c,d,e,f,g,Age,Strength"; next }
        { for (i = 1; i <= 9; i++) $i = $i + 0; print }' \
        "$shared/concrete/concrete.csv" >other/concrete/concrete.csv
    fetch concrete
    status_is 0
    cmp "$shared/concrete/concrete.csv" "$to/concrete/concrete.csv"
}

@test "another compression of the same data is accepted, other data and a truncated file are not" {
    local from=/usr/share/datasets/fashion-mnist name=t10k-labels-idx1-ubyte.gz
    [ -f $from/$name ] || skip "needs the package dataset-fashion-mnist"
    export DLTRAIN_SYSTEM_DATA=/usr/share/datasets DLTRAIN_DATA=$PWD/mine
    mkdir -p mine/fashion_mnist
    gzip -dc $from/$name | gzip -1 >mine/fashion_mnist/$name
    cp $from/train-labels-idx1-ubyte.gz mine/fashion_mnist/train-images-idx3-ubyte.gz
    head -c 20000 $from/train-labels-idx1-ubyte.gz >mine/fashion_mnist/train-labels-idx1-ubyte.gz
    fetch Fashion-MNIST
    status_is 0
    [ "$(grep -c 'published sha256: not used' <<<"$output")" -eq 2 ]
    cmp mine/fashion_mnist/$name "$to/fashion_mnist/$name"
    cmp $from/train-labels-idx1-ubyte.gz "$to/fashion_mnist/train-labels-idx1-ubyte.gz"
    [ "$(ls -A "$to/fashion_mnist" | wc -l)" -eq 4 ]
    fetch fashion_mnist
    has "already there"
}

@test "cifar10 is unpacked once, completely, or not with --no-unpack" {
    [ -f "$shared/cifar10/test.tar.gz" ] || skip "needs DLTRAIN_DATA"
    export DLTRAIN_DATA=$shared
    local tar
    tar=$(command -v tar)
    mkdir bin
    PATH=$PWD/bin:$PATH
    fetch --no-unpack cifar10
    status_is 0
    [ ! -e "$to/cifar10/test" ]
    cmp "$shared/cifar10/train.tar.gz" "$to/cifar10/train.tar.gz"
    mkdir "$to/cifar10/train" # as if unpacked: left alone
    # A hundred images; then tar fails or succeeds.
    printf '#!/bin/sh\n%s "$@" --wildcards "test/truck/00*"; exit "${tar_status:-0}"\n' "$tar" \
        >bin/tar
    chmod +x bin/tar
    tar_status=2 fetch cifar10
    status_is 1
    has "could not unpack"
    [ "$(ls -A "$to/cifar10" | tr '\n' ' ')" = "test.tar.gz train train.tar.gz " ]
    fetch cifar10
    status_is 0
    has_not from
    [ "$(ls "$to/cifar10/test/truck" | wc -l)" -eq 100 ]
    rm "$to/cifar10/"*.tar.gz
    fetch cifar10
    status_is 0
    has "already there"
    [ "$(ls -A "$to/cifar10" | tr '\n' ' ')" = "test train " ]
}

@test "several sets: a failed one does not prevent the others" {
    export DLTRAIN_DATA=$site
    fetch iris car
    status_is 1
    has "iris is not available"
    car_is_there
    [ ! -e "$to/iris" ]
}

@test "--list shows which sets are here and their sources" {
    mkdir -p "$to/mnist"
    : >"$to/mnist/train-labels-idx1-ubyte.gz"
    export DLTRAIN_DATA=$site
    fetch --list
    status_is 0
    grep -Eq '^car +52 kB +no +\$DLTRAIN_DATA, download' <<<"$output" || fail car
    grep -Eq '^iris +4 kB +no +download' <<<"$output" || fail iris
    grep -Eq '^mnist +11 MB +part +download' <<<"$output" || fail mnist
    grep -Eq '^cifar10 +20 MB +no +download \(170 MB\)' <<<"$output" || fail cifar10
    fetch car
    fetch --list
    grep -Eq '^car +52 kB +yes ' <<<"$output" || fail "car is there"
}

@test "a folder without write permission" {
    echo file >"$to"
    mirror ok
    fetch car
    status_is 1
    has "cannot write to"
}

@test "without curl it reports that, and still copies" {
    mkdir bin
    local tool
    for tool in bash env cat tr dirname mkdir wc rm mv cp chmod awk sha256sum gzip rmdir; do
        ln -s "$(command -v $tool)" bin/
    done
    mirror ok
    PATH=$PWD/bin fetch car
    status_is 1
    has "curl is needed"
    DLTRAIN_DATA=$site PATH=$PWD/bin fetch car
    status_is 0
    car_is_there
}

@test "the tables and digits in data/ match their description" {
    [ "$(cat "$root/data/xor.csv")" = "a,b,out
0,0,0
0,1,1
1,0,1
1,1,0" ]
    awk -F, 'NR == 1 { next } $3 != ($1 && $2) { exit 1 }' "$root/data/and.csv"
    awk -F, 'NR == 1 { next } $3 != ($1 || $2) { exit 1 }' "$root/data/or.csv"
    awk -F, 'NR == 1 { next } $2 != !$1 { exit 1 }' "$root/data/not.csv"
    [ "$(cat "$root"/data/{and,or,not}.csv | wc -l)" -eq 13 ]
    [ "$(gzip -dc "$root/data/digits.csv.gz" | sha256sum)" = \
        "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8  -" ]
    gzip -dc "$root/data/digits.csv.gz" | awk -F, '
        NF != 65 || $65 !~ /^[0-9]$/ { bad = 1 }
        { for (i = 1; i < 65; i++) if ($i < 0 || $i > 16) bad = 1 }
        END { exit bad || NR != 1797 }'
}
