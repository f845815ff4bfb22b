#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Arrays written by NumPy, where it is installed, and invalid headers.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    {
        echo 'data = { format = "npz"; train = { file = "d.npz"; inputs = "x"; targets = "y"; };'
        echo '  validation = 0.1; test = 0.2; normalize = "scale"; };'
        echo 'network = ( { layer = "dense"; units = 32; activation = "relu"; },'
        echo '  { layer = "dense"; units = 10; } );'
        echo 'loss = { type = "softmax_cross_entropy"; };'
        echo 'optimizer = { type = "adam"; learning_rate = 0.01; };'
        echo 'training = { batch_size = 32; epochs = 10; };'
    } >npz.cfg
    sed 's/"npz"/"npy"/; s/file = "d.npz"; inputs = "x"; targets = "y"/inputs = "x.npy"; targets = "y.npy"/' \
        npz.cfg >npy.cfg
}

@test "the digits written by NumPy" {
    /usr/bin/python3 -c 'import numpy' 2>/dev/null || skip "NumPy is not installed"
    /usr/bin/python3 - <<'PYTHON'
import numpy as np
d = np.loadtxt("data/digits.csv.gz", delimiter=",")
x, y = d[:, :64].reshape(-1, 8, 8), d[:, 64].astype("i4")
np.savez("d.npz", x=x.astype("u1"), y=y)
np.savez_compressed("packed.npz", x=x.astype("u1"), y=y)
np.save("x.npy", np.asfortranarray(x.astype("u1")))
np.save("y.npy", y.astype(">i8"))
PYTHON
    train npz.cfg
    status_is 0
    says "8x8x1 inputs,"
    tested runs/npz --json
    status_is 0
    jq -e '.accuracy > 0.9' .out >/dev/null || fail "not learned"
    train --out packed --set data.train.file='"packed.npz"' npz.cfg
    status_is 0
    same_history runs/npz packed
    train npy.cfg
    status_is 0
    same_history runs/npz runs/npy
}

@test "files that are not arrays" {
    printf '\223NUMPY\1\0\74\0{"descr": "|u1", "fortran_order": False, "shape": (2, 9999)}ab' >x.npy
    printf '\223NUMPY\1\0\67\0{"descr": "|u1", "fortran_order": False, "shape": (2,)}\0\1' >y.npy
    train --quiet npy.cfg
    status_is 3
    says_only "dltrain: x.npy: is cut short, or its header is wrong: 2x9999 elements of 1 byte need \
19998 bytes, but there are 2"
    echo hello >d.npz
    train --quiet npz.cfg
    status_is 3
    says_only "dltrain: d.npz: is not a zip archive (npz), or is cut short: there is no directory at \
its end"
    rm y.npy
    train --quiet npy.cfg
    status_is 3
    says "y.npy: not found"
    train --quiet --set data.train.file='"x.npy"' npy.cfg
    status_is 2
    exists_not runs
}
