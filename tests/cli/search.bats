#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Search spaces, the two search scripts, and dlinspect compare.

# Variables are set by helper.bash; each test runs in a subshell.
# shellcheck disable=SC2154,SC2030,SC2031,SC2012,SC2013,SC2034,SC2094,SC2238

load helper

set_up() {
    export DLTRAIN_PROGRAMS=$programs
    random=$root/scripts/random_search.sh
    grid=$root/scripts/grid_search.sh
}

# space FILE: the digits, with every kind of searched value.
space() {
    digits "$1"
    sed -i -e 's/learning_rate = 0.003/learning_rate = { search = "log"; low = 1e-5; high = 1e-1; }/' \
        -e 's/rate = 0.2/rate = { search = "linear"; low = 0.1; high = 0.5; }/' \
        -e 's/units = 32/units = { search = "int"; low = 5; high = 8; }/' \
        -e 's/batch_size = 32/batch_size = { search = "choice"; values = (32, 64, "all"); }/' "$1"
}
# value FILE KEY: the first value of the key.
value() { sed -n "s/.*[{ ]$2 = \([^;]*\);.*/\1/p" "$1" | head -n 1; }

@test "a sample is a plain config that trains to the same bits" {
    space space.cfg
    train --sample 7 --print-config space.cfg
    status_is 0
    says_not dltrain
    cp .out plain.cfg
    ! grep -q search plain.cfg || fail "something is searched still"
    train --quiet --sample 7 --out drawn --epochs 2 space.cfg
    status_is 0
    train --quiet --out plain --epochs 2 plain.cfg
    status_is 0
    same_checkpoints drawn plain
    same_history drawn plain
    # a draw does not depend on other values or on the layout of the file
    train --sample 7 --print-config --set network.0.units=6 --set training.batch_size=32 space.cfg
    equal "$(value .out units)" 6
    equal "$(value .out learning_rate)" "$(value plain.cfg learning_rate)"
    equal "$(value .out rate)" "$(value plain.cfg rate)"
    train --sample 8 --print-config space.cfg
    [ "$(value .out learning_rate)" != "$(value plain.cfg learning_rate)" ] || fail "not another"
}

@test "draws cover their ranges" {
    space space.cfg
    for seed in $(seq 60); do
        "$dltrain" --sample "$seed" --print-config space.cfg >one.cfg
        echo "$(value one.cfg learning_rate) $(value one.cfg rate) $(value one.cfg units)" \
            "$(value one.cfg batch_size)"
    done >drawn
    awk '{ if ($1 < 1e-5 || $1 > 0.1 || $2 < 0.1 || $2 > 0.5 || $3 < 5 || $3 > 8) exit 1
           decade[int(log($1) / log(10) + 5)]++; quarter[int(($2 - 0.1) * 10)]++
           units[$3]++; batch[$4]++ }
         END { for (i = 0; i < 4; i++) if (decade[i] < 5 || quarter[i] < 5 || units[i + 5] < 5) exit 1
               if (batch[32] < 8 || batch[64] < 8 || batch["\"all\""] < 8) exit 1 }' drawn ||
        fail "$(cat drawn)"
    # equal ranges at different paths draw different values
    xor pair.cfg 'regularization = { l1 = { search = "log"; low = 1e-5; high = 1e-1; };
        l2 = { search = "log"; low = 1e-5; high = 1e-1; }; };'
    train --sample 1 --print-config pair.cfg
    [ "$(value .out l1)" != "$(value .out l2)" ] || fail "the same"
}

@test "choices of groups and of layers, with keys of their own" {
    xor space.cfg
    layers='{ layer = "dense"; units = { search = "int"; low = 2; high = 4; steps = 3; }; },'
    layers="$layers { layer = \"activation\"; activation = \"tanh\"; }"
    optimizers='{ type = "adam"; learning_rate = { search = "choice"; values = (0.1, 0.2); }; },'
    optimizers="$optimizers { type = \"sgd\"; momentum = 0.5; }"
    sed -i -e "s/^  { layer = \"dense\"; units = 2;.*/{ search = \"choice\"; values = ($layers); },/" \
        -e "s/^optimizer.*/optimizer = { search = \"choice\"; values = ($optimizers); };/" space.cfg
    inspect space space.cfg
    status_is 0
    grep -Eq '^points +12$' .out || fail "not (3 + 1) * (2 + 1) points"
    for point in $(seq 12); do
        "$dltrain" --point "$point" --print-config space.cfg >one.cfg
        grep -v '^#' one.cfg | cksum
    done >points
    equal "$(sort -u points | wc -l)" 12
    train --point 13 space.cfg
    status_is 2
    says_only "dltrain: space.cfg: the grid has 12 points, there is no --point 13"
    train --quiet --sample 3 --out run space.cfg
    status_is 0
}

@test "the grid includes both ends of a range" {
    xor space.cfg 'regularization = { l2 = { search = "log"; low = 1e-4; high = 1e-2; steps = 3; }; };'
    for point in 1 2 3; do "$dltrain" --point $point --print-config space.cfg >$point.cfg; done
    equal "$(value 1.cfg l2) $(value 2.cfg l2) $(value 3.cfg l2)" "0.0001 0.001 0.01"
    sed -i 's/"log"; low = 1e-4; high = 1e-2/"linear"; low = 1.0; high = 2.0/' space.cfg
    for point in 1 2 3; do "$dltrain" --point $point --print-config space.cfg >$point.cfg; done
    equal "$(value 1.cfg l2) $(value 2.cfg l2) $(value 3.cfg l2)" "1.0 1.5 2.0"
}

@test "the upper end of a range is never drawn, but is in the grid" {
    space space.cfg
    sed -i 's/low = 0.1; high = 0.5/low = 0.0; high = 1.0/' space.cfg # a dropout rate of 1 is refused
    train --quiet --sample 1 --epochs 1 space.cfg
    status_is 0
    inspect space space.cfg
    status_is 0
    sed -i 's/high = 1.0/high = 1.1/' space.cfg
    train --sample 1 --dry-run space.cfg
    status_is 2
    says '"rate" is 1.0999989, but must be at most 0.999999'
    sed -i 's/high = 1.1/high = 1.0; steps = 3/' space.cfg
    train --sample 1 --dry-run space.cfg
    status_is 2
    says '"rate" is 1, but must be at most 0.999999'
}

@test "--stop-after stops; --resume continues bit-exactly" {
    digits digits.cfg
    train --quiet --out whole digits.cfg
    train --out parts --stop-after 1/3 digits.cfg
    status_is 0
    says "stopped     after epoch 2 of 6; resume with: $(quoted "$dltrain") --resume parts"
    equal "$(column parts epoch)" 2
    inspect status parts whole
    status_is 5
    shows "parts  unfinished, 2 of 6 epochs, best val_loss "
    shows "whole  finished, 6 of 6 epochs, best val_loss "
    inspect status --stop-after 2 parts
    status_is 0
    train --quiet --resume parts --stop-after 5
    equal "$(column parts epoch)" 5
    train --quiet --resume parts
    status_is 0
    same_checkpoints whole parts
    same_history whole parts
    for wrong in 0 -1 x 2/1 1/0 1/ 1.5; do
        train --stop-after $wrong digits.cfg
        status_is 2
        says "--stop-after $wrong: must be an epoch (10) or a part of all epochs (1/9)"
    done
}

@test "compare: differences and results" {
    digits digits.cfg
    train --quiet --out a digits.cfg
    train --quiet --out b digits.cfg --set network.0.units=16 --set optimizer.learning_rate=0.01 --epochs 3
    inspect compare a b
    status_is 0
    grep -Eq '^run +a +b$' .out || fail "no heading"
    grep -Eq '^network\.0\.units +32 +16$' .out || fail "no units"
    grep -Eq '^optimizer\.learning_rate +0\.003 +0\.01$' .out || fail "no rate"
    grep -Eq '^training\.epochs +6 +3$' .out || fail "no epochs"
    grep -Eq '^parameters +2410 +1210$' .out || fail "no parameters"
    shows_not batch_size
    inspect compare --json a b
    jq -e '.[0].config == {"network.0.units": 32, "optimizer.learning_rate": 0.003,
        "training.epochs": 6} and .[1].epochs == 3 and .[1].parameters == 1210' .out
    # the best of a column, descending if larger is better
    for run in a b; do
        want=$(cut -d, -f 9 $run/history.csv | sed 1d | sort -g | tail -1)
        equal "$(head -1 $run/history.csv | cut -d, -f 9)" val_accuracy
        awk -v a="$want" -v b="$(jq -r ".[] | select(.run == \"$run\").best.val_accuracy.value" .out)" \
            'BEGIN { exit !(a == b) }' || fail "not $want"
        want=$(cut -d, -f 8 $run/history.csv | sed 1d | sort -g | head -1)
        awk -v a="$want" -v b="$(jq -r ".[] | select(.run == \"$run\").best.val_loss.value" .out)" \
            'BEGIN { exit !(a == b) }' || fail "not $want"
        equal "$(jq ".[] | select(.run == \"$run\").best_epoch" .out)" \
            "$(metadata $run/best.safetensors best_epoch)"
    done
    inspect compare --rank val_acuracy a b
    status_is 2
    says 'did you mean "val_accuracy"?'
    inspect compare --rank val_accuracy --csv b a
    best=$(jq -nr --arg a "$(cut -d, -f 9 a/history.csv | sed 1d | sort -g | tail -1)" \
        --arg b "$(cut -d, -f 9 b/history.csv | sed 1d | sort -g | tail -1)" \
        'if ($a | tonumber) > ($b | tonumber) then "a" else "b" end')
    equal "$(sed -n '2s/,.*//p' .out)" "$best"
    # rows after the checkpoint, left by a kill, do not count
    echo '7,999,1,0.1,0,1,1,0,1,1,1,0,0,0,0' >>a/history.csv
    inspect compare --json a
    jq -e '.[0].best.val_loss.epoch <= 6' .out
    inspect compare nowhere
    status_is 3
    inspect compare
    status_is 2
}

@test "random_search: trials, results, the best config" {
    space space.cfg
    capture "$random" space.cfg -n 4 -j 2 --metric val_accuracy -o found -- --epochs 2
    status_is 0
    equal "$(ls found | tr '\n' ' ')" \
        "asked best.cfg results.csv trial-0001 trial-0002 trial-0003 trial-0004 "
    equal "$(head -1 found/results.csv | cut -d, -f 1-7)" "trial,network.0.units,network.1.rate,\
optimizer.learning_rate,training.batch_size,state,epochs"
    equal "$(wc -l <found/results.csv)" 5
    best=$(sed -n '2s/,.*//p' found/results.csv)
    shows "best: found/$best"
    cut -d, -f 15 found/results.csv >values
    equal "$(head -1 values)" val_loss
    cut -d, -f 17 found/results.csv | sed 1d >values
    sort -gr values | cmp - values || fail "not in order"
    train --quiet --threads 1 --out again found/best.cfg
    same_checkpoints again "found/$best"
    "$dltrain" --quiet --threads 1 --sample 3 --epochs 2 --out third space.cfg
    same_checkpoints third found/trial-0003
    # finished trials are kept, more can be added, other options are refused
    stat -c "%n %i %y" found/trial-*/last.safetensors >before
    capture "$random" space.cfg -n 5 --metric val_accuracy -o found -- --epochs 2
    status_is 0
    equal "$errors" "trial-0005: starting"
    stat -c "%n %i %y" found/trial-000[1-4]/last.safetensors | cmp - before
    capture "$random" space.cfg -n 5 -o found -- --epochs 3
    status_is 2
    says "has trials of another space or other options"
}

@test "random_search: killed anywhere, it resumes to the same results" {
    space space.cfg
    options=(-n 4 -j 2 -o found -- --epochs 40)
    "$random" space.cfg -n 4 -j 2 -o whole -- --epochs 40 >/dev/null 2>&1
    for seconds in 0.1 0.3 0.6; do # with its children
        setsid "$random" space.cfg "${options[@]}" >/dev/null 2>&1 3>&- &
        pid=$!
        sleep $seconds
        kill -9 -- -$pid 2>/dev/null || true
        wait $pid || true
    done
    setsid "$random" space.cfg "${options[@]}" >/dev/null 2>&1 3>&- & # alone
    pid=$!
    sleep 0.2
    kill -9 $pid 2>/dev/null || true
    wait $pid || true
    capture "$random" space.cfg "${options[@]}"
    status_is 0
    equal "$(sed 's/,[^,]*$//' found/results.csv)" "$(sed 's/,[^,]*$//' whole/results.csv)"
    for trial in 1 2 3 4; do same_checkpoints found/trial-000$trial whole/trial-000$trial; done
}

# promoted RUNS: the decisions of one worker of asynchronous halving, from the complete histories of
# trials with nine epochs.
promoted() {
    for run in "$1"/trial-*; do
        awk -F, -v run="${run##*/}" 'NR == 2 || NR > 2 && $8 < best { best = $8 }
            NR == 2 || NR == 4 { printf "%s %d %s\n", run, $1, best }' "$run/history.csv"
    done | awk '
        { value[$1, $2] = $3 }
        $2 == 1 { names[++count] = $1 }
        # the best in the top third of those that reached this epoch but not the next
        function best_of(epoch,    n, m, reached, better, best) {
            for (n = 1; n <= count; n++) reached += far[names[n]] >= epoch
            for (n = 1; n <= count; n++) {
                if (far[names[n]] != epoch) continue
                better = 0
                for (m = 1; m <= count; m++)
                    better += far[names[m]] >= epoch && value[names[m], epoch] < value[names[n], epoch]
                if (better < int(reached / 3) && (best == "" || value[names[n], epoch] < value[best, epoch]))
                    best = names[n]
            }
            return best
        }
        END {
            do {
                if ((name = best_of(3)) == "" && (name = best_of(1)) == "" && begun < count)
                    name = names[++begun]
                if (name != "") print name (far[name] ? ": resuming" : ": starting")
                if (name != "") far[name] = far[name] ? 3 * far[name] : 1
            } while (name != "")
        }'
}
epochs_of() { for run in "$1"/trial-*; do echo "${run##*/} $(column "$run" epoch)"; done; }
rows_of() { sed 's/,[^,]*$//' "$1/results.csv"; } # without the time

@test "random_search --prune: the best thirds continue with the same schedule" {
    space space.cfg
    capture "$random" space.cfg -n 20 -o whole -- --epochs 9
    status_is 0
    capture "$random" space.cfg -n 20 -j 1 --prune -o found -- --epochs 9 --threads 1
    status_is 0
    equal "$errors" "$(promoted whole)"
    epochs_of found >epochs
    # each continuation tripled its epochs
    equal "$(cut -d: -f 1 .err | sort | uniq -c | awk '{ print $2, 3 ^ ($1 - 1) }')" "$(cat epochs)"
    [ "$(sort -u -k 2,2 epochs | wc -l)" -eq 3 ] || fail "not on three levels"
    [ "$(grep -c ' 1$' epochs)" -ge 10 ] || fail "few have stopped: $(cat epochs)"
    best=$(sed -n '2s/,.*//p' found/results.csv)
    equal "$(column "found/$best" epoch)" 9
    "$dltrain" --quiet --threads 1 --out again found/best.cfg
    same_checkpoints again "found/$best"
    # --set is not repeated for resumed trials
    capture "$random" space.cfg -n 3 --prune -o other -- --epochs 3 --threads 2 \
        --set optimizer.learning_rate.low=1e-3 --set=network.0.units.high=9
    status_is 0
    says "resuming"
    says_not "ended early"
    # running it again changes nothing
    capture "$random" space.cfg -n 20 -j 1 --prune -o found -- --epochs 9 --threads 1
    equal "$errors" ""
    same epochs <(epochs_of found)
}

@test "random_search --prune: killed anywhere, no trial is lost or repeated" {
    space space.cfg
    for jobs in 1 2; do
        options=(-n 9 -j $jobs --prune -o "found.$jobs" -- --epochs 45 --threads 1)
        for seconds in 0.5 1 1.5; do # with its children
            setsid "$random" space.cfg "${options[@]}" >/dev/null 2>&1 3>&- &
            pid=$!
            sleep $seconds
            kill -9 -- -$pid 2>/dev/null || true
            wait $pid || true
        done
        capture "$random" space.cfg "${options[@]}"
        status_is 0
        equal "$(cut -d, -f 1 "found.$jobs/results.csv" | sed 1d | sort -u | wc -l)" 9
        for run in "found.$jobs"/trial-*; do # every epoch once, up to a possible end
            equal "$(sed 1d "$run/history.csv" | cut -d, -f 1)" "$(seq "$(column "$run" epoch)")"
            case $(column "$run" epoch) in 5 | 15 | 45) ;; *) fail "$run" ;; esac
        done
        [ "$(epochs_of "found.$jobs" | grep -c ' 45$')" -ge 1 ] || fail "none has come to the end"
    done
    # with one job the results are as if never killed
    capture "$random" space.cfg -n 9 -j 1 --prune -o whole -- --epochs 45 --threads 1
    equal "$(rows_of found.1)" "$(rows_of whole)"
    for trial in whole/trial-*; do same_checkpoints "$trial" "found.1/${trial##*/}"; done
}

@test "random_search --prune: a trial that diverges counts among the worst" {
    xor wild.cfg
    rates='{ search = "choice"; values = (0.1, 0.2, 1e30); }'
    sed -i -e "s/^optimizer.*/optimizer = { type = \"sgd\"; learning_rate = $rates; };/" \
        -e s/binary_cross_entropy/mse/ wild.cfg
    for jobs in 1 2; do
        capture "$grid" wild.cfg -j $jobs --prune -o wild.$jobs --metric train_loss -- --epochs 9
        status_is 0
        equal "$(grep -c 'trial-0003: ended early (exit status 4)' .err)" 1
        best=$(sed -n '2s/,.*//p' wild.$jobs/results.csv)
        equal "$(column "wild.$jobs/$best" epoch)" 9
        [ "$(column "wild.$jobs/trial-0003" epoch)" -lt 3 ] || fail "it did not diverge"
        equal "$(epochs_of wild.$jobs | grep -c ' 3$')" 1
    done
}

@test "random_search: uses the test part only with --test-best" {
    space space.cfg
    capture "$random" space.cfg -n 1 -o found -- --epochs 1
    shows_not "test"
    capture "$random" space.cfg -n 1 -o found --test-best -- --epochs 1
    shows "scores of the best trial on the test part, which no trial was chosen by:"
    shows "on 359 test rows"
}

@test "random_search: usage errors, and invalid trials" {
    space space.cfg
    capture "$random"
    status_is 2
    for arguments in "-n 0" "-j x" "--metric loss" "--frobnicate" "-n" "other.cfg"; do
        # shellcheck disable=SC2086
        capture "$random" space.cfg -o none $arguments
        status_is 2
        exists_not none
    done
    digits plain.cfg
    capture "$random" plain.cfg -o none
    status_is 2
    says "plain.cfg: is not a search space: --sample has no effect"
    exists_not none
    # without data the first trial fails, and the others are not tried
    capture "$random" space.cfg -j 1 -o none -- --set data.train.file=none.csv
    status_is 1
    equal "$(grep -c starting .err)" 1
    says "a trial failed; the same command resumes the search"
    # one that diverges does not end the search
    xor wild.cfg
    rates='{ search = "choice"; values = (0.1, 1e30); }'
    sed -i -e "s/^optimizer.*/optimizer = { type = \"sgd\"; learning_rate = $rates; };/" \
        -e s/binary_cross_entropy/mse/ wild.cfg
    capture "$grid" wild.cfg -j 1 -o wild --metric train_loss
    status_is 0
    says "trial-0002: ended early (exit status 4)"
    equal "$(sed -n '2s/,.*//p' wild/results.csv)" trial-0001
}

@test "grid_search: every point once" {
    xor space.cfg 'regularization = { l2 = { search = "log"; low = 1e-4; high = 1e-2; steps = 2; }; };'
    sed -i 's/units = 2/units = { search = "choice"; values = (2, 3); }/' space.cfg
    capture "$grid" space.cfg -o found --metric train_loss
    status_is 0
    equal "$(sed 1d found/results.csv | cut -d, -f 2,3 | sort | tr '\n' ' ')" \
        "2,0.0001 2,0.01 3,0.0001 3,0.01 "
    capture "$grid" space.cfg -n 3 -o other
    status_is 2
    sed -i 's/ steps = 2;//' space.cfg
    capture "$grid" space.cfg -o other
    status_is 2
    says "no grid: not every range has steps"
}

@test "--slurm writes an array job with the same trials" {
    space space.cfg
    capture "$random" space.cfg -n 2 -o "it's" --slurm -- --epochs 1
    status_is 0
    exists_not "it's/trial-0001"
    grep -q '^#SBATCH --array=1-2%2$' "it's/search.sbatch" || fail "no array"
    for number in 1 2; do SLURM_ARRAY_TASK_ID=$number sh "it's/search.sbatch" 2>/dev/null; done
    capture "$random" space.cfg -n 2 -o "it's" -- --epochs 1
    status_is 0
    says_not starting
    equal "$(wc -l <"it's/results.csv")" 3
}

@test "--slurm: a task runs from any folder, and fails if its trial cannot start" {
    space space.cfg
    capture "$random" space.cfg -n 2 -o found --slurm -- --epochs 1
    status_is 0
    mkdir elsewhere
    (cd elsewhere && SLURM_ARRAY_TASK_ID=1 sh ../found/search.sbatch 2>/dev/null)
    exists found/trial-0001/last.safetensors
    mv space.cfg away.cfg
    SLURM_ARRAY_TASK_ID=2 capture sh found/search.sbatch
    [ "$status" -ne 0 ] || fail "nothing was trained, and it says 0"
}

@test "a search killed at its first file, or with a usage error, starts over" {
    space space.cfg
    mkdir found
    : >found/asked # incomplete
    : >found/asked.1.tmp # what a killed one leaves
    : >found/best.cfg.1.tmp
    capture "$random" space.cfg -n 2 -o found -- --set network.0.width=3
    [ "$status" -ne 0 ] || fail "the option is not wrong"
    capture "$random" space.cfg -n 1 -o found -- --epochs 1
    status_is 0
    capture "$random" space.cfg -n 1 -o found -- --epochs 2 # now there are nets
    status_is 2
    says "found has trials of another space or other options: remove it"
    equal "$(find found -name '*.tmp')" ""
}
