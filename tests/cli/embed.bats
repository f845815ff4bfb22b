#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dlinspect embed: components, clusters and maps of a layer's outputs. numpy and scikit-learn are
# those of the Python of DLTRAIN_PYTHON.

# shellcheck disable=SC2154,SC2030,SC2031

export DLTRAIN_PUBLIC=${DLTRAIN_PUBLIC:-${DLTRAIN_DATA:-}} # helper.bash unsets the latter
load helper

python=${DLTRAIN_PYTHON:-python3}

# A run on three noisy groups of 60 rows with 4 columns.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    awk 'BEGIN { srand(3); print "a,b,c,d,kind"
        for (i = 0; i < 180; i++) {
            k = i % 3
            for (j = 0; j < 4; j++)
                printf "%.3f,", (j == k) * 4 + rand() + rand() + rand()
            print substr("redgreenblue", k == 0 ? 1 : k == 1 ? 4 : 9, k == 0 ? 3 : k == 1 ? 5 : 4)
        } }' >groups.csv
    cat >groups.cfg <<'CONFIG'
data = { format = "csv"; train = { file = "groups.csv"; }; target = "kind"; };
network = ( { layer = "dense"; units = 8; activation = "tanh"; }, { layer = "dense"; units = 3; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "adam"; learning_rate = 0.02; };
training = { epochs = 10; batch_size = 20; };
CONFIG
    "${DLTRAIN_PROGRAMS:-$BATS_TEST_DIRNAME/../..}/dltrain" groups.cfg --quiet --threads 1 -o run
}
set_up() {
    cp -r "$BATS_FILE_TMPDIR/run" "$BATS_FILE_TMPDIR/groups.csv" .
}

# map_column NAME: of the table of the map.
map_column() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
        { print $c }' look/embed_dense_1.csv
}

@test "a layer's outputs are written, mapped and clustered" {
    inspect embed run dense_1 --split train
    status_is 0
    shows 'dense_1: 8 outputs of 180 rows (train)'
    shows 'k-means: 3 clusters'
    shows 'purity 1.0000, adjusted Rand index 1.0000'
    shows '1-nearest-neighbor error: 0.00 % in the map'
    for file in pca tsne; do
        png look/${file}_dense_1.png
    done
    equal "$(wc -l <look/embed_dense_1.csv)" 181
    equal "$(head -1 look/embed_dense_1.csv)" row,class,cluster,pca_1,pca_2,tsne_1,tsne_2
    equal "$(map_column class | sort | uniq -c | awk '{ print $1 $2 }' | tr '\n' ' ')" '60blue 60green 60red '
    [ ! -e look/thumbnails_dense_1.png ] || fail "thumbnails without pictures"
}

@test "the same seed gives the same map, whatever the number of threads" {
    inspect embed run dense_1 --split train --threads 1 -o one
    inspect embed run dense_1 --split train --threads 3 -o three
    inspect embed run dense_1 --split train --seed 2 -o other
    cmp one/embed_dense_1.csv three/embed_dense_1.csv
    ! cmp -s one/embed_dense_1.csv other/embed_dense_1.csv || fail "the seed has no effect"
}

@test "rows are spread over the split, and neighbors are listed" {
    inspect embed run input --split train --rows 60 --neighbors 2 --clusters 5
    status_is 0
    says '60 of 180 rows'
    shows 'input: 4 outputs of 60 rows'
    shows 'k-means: 5 clusters'
    equal "$(wc -l <look/neighbors_input.csv)" 121
    equal "$(head -1 look/neighbors_input.csv)" row,target,rank,neighbor,distance,neighbor_target
    equal "$(awk -F, 'NR > 1 { print $1 }' look/neighbors_input.csv | uniq | head -3 | tr '\n' ' ')" '0 3 6 '
}

@test "components are numpy's, and the inertia is not above scikit-learn's best of ten" {
    "$python" -c 'import sklearn' 2>/dev/null ||
        skip "$python has no scikit-learn (DLTRAIN_PYTHON names another Python)"
    inspect embed run dense_1 --split train --clusters 7
    status_is 0
    "$python" - "$(sed -n 's/.*inertia \([0-9.e+-]*\).*/\1/p' <<<"$output")" <<'PYTHON' || fail "see above"
import sys

import numpy
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

outputs = numpy.load("look/outputs_dense_1.npy").astype(float)
table = numpy.genfromtxt("look/embed_dense_1.csv", delimiter=",", names=True)
centered = outputs - outputs.mean(0)
_, size, components = numpy.linalg.svd(centered, full_matrices=False)
for k in range(2):
    component = components[k] * numpy.sign(components[k][abs(components[k]).argmax()])
    found = table[f"pca_{k + 1}"]
    worst = abs(found - centered @ component).max()
    assert worst < 1e-5 * abs(found).max(), (k, worst)
best = KMeans(7, n_init=10, random_state=0).fit(outputs)
assert float(sys.argv[1]) <= best.inertia_ * (1 + 1e-6), (sys.argv[1], best.inertia_)
PYTHON
}

@test "purity and the adjusted Rand index are scikit-learn's" {
    "$python" -c 'import sklearn' 2>/dev/null ||
        skip "$python has no scikit-learn (DLTRAIN_PYTHON names another Python)"
    inspect embed run dense_1 --split train --clusters 2
    equal "$(sed -n 's/.*adjusted Rand index //p' <<<"$output")" "$("$python" -c '
from sklearn.metrics import adjusted_rand_score
rows = [line.strip().split(",") for line in open("look/embed_dense_1.csv")][1:]
print("%.4f" % adjusted_rand_score([r[1] for r in rows], [r[2] for r in rows]))')"
    inspect embed run dense_1 --split train --clusters 2
    shows 'purity 0.6667'
}

@test "what cannot be mapped is refused" {
    inspect embed run dense_3
    status_is 2
    says 'did you mean "dense_1"?'
    inspect embed run dense_1 --split train --rows 20 --perplexity 10
    status_is 2
    says 'a perplexity of 10 needs more than 20 rows'
    inspect embed run dense_1 --split test
    status_is 2
    says 'no test data'
    [ ! -e look/tsne_dense_1.png ] || fail "a map all the same"
}

@test "t-SNE of 5,000 images of MNIST: neighbors in the map are of the same class" {
    export DLTRAIN_DATA=${DLTRAIN_PUBLIC:-$root/data}
    [ -e "$DLTRAIN_DATA/mnist" ] || skip "no MNIST below \$DLTRAIN_DATA or data/"
    cat >linear.cfg <<'CONFIG'
data = { format = "idx"; normalize = "mean_std";
  train = { images = "mnist/t10k-images-idx3-ubyte.gz"; labels = "mnist/t10k-labels-idx1-ubyte.gz"; }; };
network = ( { layer = "dense"; units = 10; } );
loss = { type = "softmax_cross_entropy"; };
optimizer = { type = "sgd"; learning_rate = 0.1; };
training = { epochs = 1; batch_size = 100; };
CONFIG
    train linear.cfg -o linear
    status_is 0
    inspect embed linear input
    status_is 0
    awk '/1-nearest-neighbor error/ { error = $3 } END { exit !(error > 0 && error <= 8) }' <<<"$output" ||
        fail "$output"
    png look/thumbnails_input.png
}
