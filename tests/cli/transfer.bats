#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# training.init_from: initial weights from another checkpoint.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    xor xor.cfg
    train --quiet --out first xor.cfg
    status_is 0
    # as many steps, but with a rate of 0: the weights keep their initial values
    sed 's/type = "adam"; learning_rate = 0.05/type = "sgd"; learning_rate = 1e-30/' xor.cfg >still.cfg
}

# same_tensor FILE NAME FILE NAME, and the opposite.
same_tensor() {
    cmp <(tensor "$1" "$2") <(tensor "$3" "$4") || fail "$2 and $4 differ"
}
other_tensor() {
    ! cmp -s <(tensor "$1" "$2") <(tensor "$3" "$4") || fail "$2 and $4 are the same"
}

@test "digits, and then a new head on the frozen body of that run" {
    digits body.cfg
    sed 's/units = 32; act/name = "body"; &/; s/units = 10;/name = "head"; &/' body.cfg >source.cfg
    train --quiet --epochs 2 --out source source.cfg
    status_is 0
    sed 's/units = 32; act/name = "body"; trainable = false; &/
        s/{ layer = "dense"; units = 10; }/{ layer = "dense"; name = "more"; units = 16; },\n  &/
        s/units = 10;/name = "head"; &/' body.cfg >head.cfg
    train --epochs 2 --out head --set training.init_from=source head.cfg
    status_is 0
    says 'loaded      3 of 6 tensors from source/best.safetensors; not:
            more.weight (missing), more.bias (missing),
            head.weight (32x10 in the file, 16x10 here)
'
    grep -q '^loaded      3 of 6 tensors from source/best.safetensors; not:$' head/log.txt
    other_tensor source/best.safetensors head.bias head/last.safetensors head.bias
    for name in body.weight body.bias; do
        same_tensor source/best.safetensors $name head/last.safetensors $name
    done
    # the new head learns on the loaded body
    [ "$(column head train_loss | cut -d. -f1)" -lt 2 ]
    # also if it is not frozen
    train --quiet --epochs 1 --out free --set training.init_from=source \
        --set network.0.trainable=true head.cfg
    other_tensor source/best.safetensors body.weight free/last.safetensors body.weight
}

@test "all that match: weights and running statistics" {
    sed 's/{ layer = "dense"; units = 1; }/{ layer = "batch_norm"; },\n  &/' xor.cfg >norm.cfg
    sed 's/{ layer = "dense"; units = 1; }/{ layer = "batch_norm"; momentum = 0; },\n  &/' \
        still.cfg >norm_still.cfg
    train --quiet --out norm norm.cfg
    train --epochs 1 --out copy --set training.init_from=norm/last.safetensors norm_still.cfg
    status_is 0
    says 'loaded      8 of 8 tensors from norm/last.safetensors'
    says_not 'not:'
    local name
    for name in dense_1.weight dense_1.bias dense_2.weight batch_norm_1.scale batch_norm_1.mean \
        batch_norm_1.variance; do
        same_tensor norm/last.safetensors $name copy/last.safetensors $name
    done
    # without it, all weights are drawn
    train --quiet --epochs 1 --out drawn norm_still.cfg
    other_tensor norm/last.safetensors batch_norm_1.mean drawn/last.safetensors batch_norm_1.mean
    other_tensor norm/last.safetensors dense_1.weight drawn/last.safetensors dense_1.weight
}

@test "other names: init_map" {
    sed 's/units = 2;/& name = "hidden";/; s/^training = {/& init_map = (" hidden = dense_1 ");/' \
        still.cfg >named.cfg
    train --epochs 1 --out named --set training.init_from=first named.cfg
    status_is 0
    says 'loaded      4 of 4 tensors from first/best.safetensors'
    train --dry-run --set training.init_from=first --set network.0.name=other \
        --set 'training.init_map=()' named.cfg
    says 'loaded      2 of 4 tensors from first/best.safetensors; not:
            other.weight (missing), other.bias (missing)
'
    same_tensor first/best.safetensors dense_1.weight named/last.safetensors hidden.weight
    same_tensor first/best.safetensors dense_1.bias named/last.safetensors hidden.bias
    # two swapped names, of which neither matches
    sed 's/^training = {/& init_map = ("dense_1=dense_2", "dense_2=dense_1");/' still.cfg >swap.cfg
    train --quiet --out swap --set training.init_from=first swap.cfg
    status_is 2
    exists_not swap
    says 'dltrain: --set training.init_from=first: init_from: no tensor of first/best.safetensors '`
        `'matches this network: it has dense_1.weight 2x2, dense_1.bias 2, dense_2.weight 2x1, '`
        `'dense_2.bias 1; the network has dense_1.weight 2x2, dense_1.bias 2, dense_2.weight 2x1, '`
        `'dense_2.bias 1 (init_map'
}

@test "init_map: errors" {
    map() {
        sed "s/^training = {/& init_map = ($1);/" still.cfg >map.cfg
        train --quiet --dry-run --set training.init_from=first map.cfg
        status_is 2
        says_only "dltrain: map.cfg:9: init_map$2"
    }
    map '"dense_1"' ': "dense_1" must be "layer=its name there"'
    map '"=dense_1"' ': "=dense_1" must be "layer=its name there"'
    map '"dens_1=a"' ': "dens_1=a": the network has no layer "dens_1" (did you mean "dense_1"?)'
    map '"dense_1=a", "dense_1 = b"' ' names the layer "dense_1" twice'
    map '"dense_1=a"' ': first/best.safetensors has no layer "a"'
    map '"dense_1=dense"' ': first/best.safetensors has no layer "dense"'
    sed 's/^training = {/& init_map = ("dense_1=a");/' still.cfg >map.cfg
    train --quiet --dry-run map.cfg
    status_is 2
    says_only 'dltrain: map.cfg:9: init_map has no effect without init_from'
}

@test "where init_from is looked up" {
    train --quiet --dry-run --set training.init_from=nowhere still.cfg
    status_is 3
    says_only 'dltrain: --set training.init_from=nowhere: init_from: nowhere: not found (looked in '`
        `"the current folder, the config's folder, data/ and \$DLTRAIN_DATA)"
    mkdir there empty
    cp first/best.safetensors there/seen.safetensors
    DLTRAIN_DATA=$PWD/there train --dry-run --set training.init_from=seen.safetensors still.cfg
    status_is 0
    says 'loaded      4 of 4 tensors from'
    train --quiet --dry-run --set training.init_from=empty still.cfg
    status_is 3
    says_only 'dltrain: empty: has no checkpoint yet'
}

@test "a file of another program, without metadata and checksum" {
    local one='\0\0\200\077' two='\0\0\0\100'
    put other '{"dense_1.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]},
        "count":{"dtype":"I64","shape":[],"data_offsets":[0,4]},
        "dense_2.weight":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},
        "dense_2.bias":{"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4]}}' \
        "$two$one$two$two$one"
    train --epochs 1 --out run --set training.init_from=other --set training.init_layout=keras still.cfg
    status_is 0
    says 'loaded      1 of 4 tensors from other, in Keras'"'"'s layout (init_layout); not:'
    says 'dense_1.bias (missing),'
    says 'dense_2.weight (F16 in the file, 2x1 here)'
    says 'dense_2.bias (1x1x1x1x1 in the file, 1 here)'
    tail -c 16 other | cmp - <(tensor run/last.safetensors dense_1.weight)
    put other '{"dense_1.weight":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},
        "dense_2.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},
        "dense_1.bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}' "$one$two$one$two"
    train --dry-run --set training.init_from=other --set training.init_layout=keras still.cfg
    says 'loaded      1 of 4 tensors from other, in Keras'"'"'s layout (init_layout); not:
            dense_1.weight (4 in the file, 2x2 here),
            dense_2.weight (1x2 in the file, 2x1 here), dense_2.bias (missing)
'
    put other '{"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' "$one$one$one$one"
    train --quiet --dry-run --set training.init_from=other --set training.init_layout=keras still.cfg
    status_is 2
    says 'no tensor of other matches this network: it has a.weight 2x2; the network has dense_1.weight 2x2'
    train --dry-run --set training.init_from=other --set training.init_layout=keras --set 'training.init_map=("dense_1=a")' still.cfg
    status_is 0
    says 'loaded      1 of 4 tensors from other'
    put other '{}'
    train --quiet --dry-run --set training.init_from=other --set training.init_layout=keras still.cfg
    status_is 2
    says 'no tensor of other matches this network: it has nothing; the network has'
}

@test "init_layout: weights of PyTorch are transposed; what shapes leave open is reported" {
    local w='\0\0\200\077\0\0\0\100\0\0\100\100\0\0\200\100\0\0\240\100\0\0\300\100' # 1 2 3 4 5 6
    sed 's/units = 2;/units = 3;/' still.cfg >three.cfg
    put torch '{"dense_1.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}}' "$w"
    train --out run --set training.init_from=torch three.cfg
    status_is 0
    says "loaded      1 of 4 tensors from torch, transposed from PyTorch's layout (init_layout); not:"
    equal "$(tensor run/last.safetensors dense_1.weight | od -An -t f4 | tr -s ' \n' ' ')" ' 1 3 5 2 4 6 '
    train --quiet --dry-run --set training.init_from=torch --set training.init_layout=keras three.cfg
    status_is 2
    put ours '{"dense_1.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}' "$w"
    train --out ours-run --set training.init_from=ours three.cfg
    status_is 0
    says_not transposed
    equal "$(tensor ours-run/last.safetensors dense_1.weight | od -An -t f4 | tr -s ' \n' ' ')" ' 1 2 3 4 5 6 '
    put square '{"dense_1.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' "$w"
    sed 's/^training = {/& init_from = "square";/' still.cfg >square.cfg
    train --dry-run square.cfg
    status_is 0
    says 'warning     square was not written by dltrain, and dense_1.weight fits as [in][out] and as PyTorch'
    train --out square-run --set training.init_layout=torch square.cfg
    status_is 0
    equal "$(tensor square-run/last.safetensors dense_1.weight | od -An -t f4 | tr -s ' \n' ' ')" ' 1 3 2 4 '
    sed 's/^training = {/& init_layout = "torch";/' still.cfg >none.cfg
    train --quiet --dry-run none.cfg
    status_is 2
    says_only 'dltrain: none.cfg:9: init_layout has no effect without init_from'
}

@test "truncated and inconsistent files" {
    refused() {
        train --quiet --out run --set training.init_from=bad still.cfg
        [ "$status" -eq 3 ] || fail "$1: the exit status is not 3"
        [[ $errors == "dltrain: bad: "*"$1"* ]] || fail "not '$1'"
        equal "$(wc -l <.err)" 1
        exists_not run
    }
    local size i range
    size=$(stat -c %s first/best.safetensors)
    for i in 0 7 8 9 100 $((size / 2)) $((size - 1)); do
        head -c "$i" first/best.safetensors >bad
        refused "is not an intact checkpoint"
    done
    { head -c $((size - 1)) first/best.safetensors && printf x; } >bad # one of ours
    refused "its bytes do not match its checksum"
    sed 's/"checksum"/"checksun"/' first/best.safetensors >bad
    refused "it has no checksum"
    for range in '[0,20]' '[4,20]' '[-16,0]' '[16,0]' '[0,15]' '[0]' '"x"' \
        '[9223372036854775800,9223372036854775807]'; do
        put bad '{"dense_1.weight":{"dtype":"F32","shape":[2,2],"data_offsets":'"$range"'}}' \
            '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        refused 'the entry of its tensor "dense_1.weight" is invalid, or its data exceed the file'
    done
    for range in '[0,2]' '[2147483648,2147483648]' '[2,-2]' '[2,"2"]' '[4294967296,1]'; do
        put bad '{"dense_1.weight":{"dtype":"F32","shape":'"$range"',"data_offsets":[0,16]}}' \
            '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
        refused 'the entry of its tensor "dense_1.weight" is invalid'
    done
    for i in '1' '"x"' '[]' '{}' '{"dtype":7}'; do
        put bad '{"dense_1.weight":'"$i"'}'
        refused 'the entry of its tensor "dense_1.weight" is invalid'
    done
    put bad '{"a":1,"a":2}'
    refused "its header is not JSON"
    put bad '[]'
    refused "not a safetensors header"
    put bad "$(head -c 5000 /dev/zero | tr '\0' '[')"
    refused ""
    put bad "{\"a\":$(head -c 5000 /dev/zero | tr '\0' '[')"
    refused "its header is not JSON"
    put bad '{"\u001b[31m":{"dtype":"\u001b[0m","shape":[1]},"a":{"shape":7}}'
    train --quiet --dry-run --set training.init_from=bad still.cfg
    status_is 2
    says 'it has ?[31m ?[0m, a no numbers; the network has'
}

@test "--resume does not read it again" {
    digits digits.cfg
    sed -i 's/ schedule = .*/ };/' digits.cfg
    train --quiet --epochs 1 --out source digits.cfg
    sed 's/^training = {/& init_from = "source";/' digits.cfg >more.cfg
    train --quiet --epochs 2 --out whole more.cfg
    status_is 0
    train --quiet --epochs 1 --out part more.cfg
    rm -r source
    train --resume part --epochs 2
    status_is 0
    says_not taken
    same_checkpoints whole part
    train --quiet --dry-run more.cfg # a new run would need it
    status_is 3
    train --quiet --out none --set training.init_from= digits.cfg
    status_is 0
    tested whole
    status_is 0
}
