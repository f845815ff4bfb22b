# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# dlpredict: answers for new inputs.
load helper

set_up() {
    digits digits.cfg
    "$dltrain" --quiet --epochs 2 digits.cfg
    zcat data/digits.csv.gz | head -30 >rows.csv
}

@test "a table: the target may be there or not, and the columns in any order" {
    predicted runs/digits rows.csv
    status_is 0
    equal "${output%%$'\n'*}" "line,class,probability"
    equal "$(wc -l <<<"$output")" 31
    cp .out with.csv
    cut -d, -f1-64 rows.csv >bare.csv
    "$dlpredict" runs/digits bare.csv | cmp - with.csv
    # with names, in another order
    (seq -s, 1 65 && cat rows.csv) >named.csv
    digits named.cfg
    sed -i 's/header = false;//; s/digits.csv.gz/named.csv/; s/(0.1|0.2);//' named.cfg
    "$dltrain" --quiet --epochs 1 --out named --set data.header=true named.cfg
    awk -F, '{ for (i = NF; i > 1; i--) printf "%s,", $i; print $1 }' named.csv >turned.csv
    "$dlpredict" named named.csv >one
    "$dlpredict" named turned.csv | cmp - one
}

@test "rows are answered one by one as they come" {
    coproc "$dlpredict" runs/digits -
    pid=$COPROC_PID
    read -r first <rows.csv
    echo "$first" >&"${COPROC[1]}"
    read -r -t 10 header <&"${COPROC[0]}"
    read -r -t 10 answer <&"${COPROC[0]}"
    equal "$header" "line,class,probability"
    equal "$answer" "$("$dlpredict" runs/digits rows.csv | sed -n 2p)"
    eval "exec ${COPROC[1]}>&-"
    wait "$pid"
}
