#!/bin/sh
# SPDX-License-Identifier: MIT
# random_search.sh SPACE.cfg [-n TRIALS] [-j JOBS] [--metric COLUMN] [-o FOLDER]
#                  [--prune] [--test-best] [--slurm] [-- dltrain options]
# Trains nets with values that are drawn from a space, a config in which groups stand for values,
# such as { search = "log"; low = 1e-5; high = 1e-1; } (dltrain --help searches), and ranks them by
# the best value of a column of their history.
#   -n TRIALS        how many (20); trial N is what dltrain --sample N draws
#   -j JOBS          trainings at a time (2), each with its share of the processors
#   --metric COLUMN  what ranks them (val_loss); of validation, never of test
#   -o FOLDER        for the runs, trial-0001 and so on, results.csv and best.cfg, a plain config
#                    that trains to the best trial's numbers (runs/NAME-search)
#   --prune          asynchronous successive halving (ASHA, Li et al. 2020): a trial begins with a
#                    3^k-th part of its epochs; as soon as it is in the best third of those that
#                    have come as far, it goes on to three times as many, and so on to the end.
#                    With -j 1 the same trials go on each time, killed or not; with more the order
#                    in which they finish has a say
#   --test-best      in the end tests the best trial's net. The test part is looked at only here:
#                    do it once, for what is chosen by it is no longer measured by it
#   --slurm          trains nothing but writes FOLDER/search.sbatch, an array job of the trials;
#                    when it is through, the same command without --slurm ranks them
# Stopped or killed at any moment, the same command goes on: what a trial has come to is seen from
# its run's folder. More trials can be added with a larger -n.
set -eu
# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"
self=$here/random_search.sh
dltrain=$programs/dltrain
dlinspect=$programs/dlinspect

# --trial NUMBER SEARCH FOLDER PART HOW SPACE [dltrain options]: begins a trial, or goes on with
# it, up to a part of its epochs. SEARCH is the process that asks: without it nothing is begun.
trial() {
    number=$1 search=$2 run=$3/trial-$(printf %04d "$1") part=$4 how=$5 space=$6
    shift 6
    kill -0 "$search" 2>/dev/null || exit 255
    status=0
    if [ ! -e "$run/last.safetensors" ]; then # if killed at its very beginning, also --force
        echo "${run##*/}: begins" >&2
        "$dltrain" --quiet "$@" --force --out "$run" --stop-after "$part" "--$how" "$number" \
            "$space" || status=$?
    elif ! "$dlinspect" status --stop-after "$part" "$run" >/dev/null; then
        echo "${run##*/}: goes on" >&2
        go_on "$run" "$@" --stop-after "$part" || status=$?
    fi
    case $status in
    0) ;;
    2 | 4) # others may do better
        echo "${run##*/}: ended early (exit status $status)" >&2
        [ "$search" != 0 ] || exit "$status" # a task of Slurm has an exit status of its own
        ;;
    *) exit 255 ;; # ends xargs
    esac
}

# count_points SPACE [dltrain options]: what dlinspect says of the space, with the values that the
# options override.
count_points() (
    space=$1 left=$(($# - 1))
    shift
    while [ "$left" -gt 0 ]; do
        case $1 in
        --set | --seed | --epochs | --fold)
            set -- "$@" "$1" "${2-}"
            shift
            left=$((left - 1))
            ;;
        --set=* | --seed=* | --epochs=* | --fold=*) set -- "$@" "$1" ;;
        esac
        shift
        left=$((left - 1))
    done
    "$dlinspect" space "$@" "$space"
)

# lines FOLDER OF METRIC: what the folder's trials have come to: "at P N STATE EPOCHS WANTED" of
# trial N at the 1/P-th part of its epochs, P being 1, 3, ... OF, and "rank P N", the best first.
lines() (
    cd -- "$1"
    of=$2 metric=$3 part=1
    set --
    for run in trial-*; do
        [ ! -e "$run/last.safetensors" ] || set -- "$@" "$run"
    done
    [ $# -gt 0 ] || exit 0
    state='s/^trial-0*\([0-9]*\)  \([a-z]*\)[^0-9]*\([0-9]*\) of \([0-9]*\) .*/\1 \2 \3 \4/'
    while [ "$part" -le "$of" ]; do
        { "$dlinspect" status --stop-after "1/$part" "$@" || true; } |
            sed -e "$state" -e "s/^/at $part /"
        "$dlinspect" compare --csv --rank "$metric" --stop-after "1/$part" "$@" |
            sed -n "s/^trial-0*\([0-9]*\),.*/rank $part \1/p"
        part=$((3 * part))
    done
)

# choose TRIALS OF: of those lines, and of "busy N" and "ended P N" (before the 1/P-th part), makes
# "N P", the trial that is next and how far it is to go; nothing if there is none now.
choose() {
    awk -v trials="$1" -v of="$2" '
        $3 > trials { next } # a search that was larger
        $1 == "at" {
            begun[$3] = 1; epochs[$3] = $5; wanted[$2, $3] = $6
            if ($4 != "unfinished") { done[$2, $3] = 1; count[$2]++ }
        }
        $1 == "rank" { order[$2, ++ranked[$2]] = $3 }
        $1 == "busy" { taken[$2] = 1 }
        $1 == "ended" { taken[$3] = 1; count[$2]++ }
        function next_is(number, part) { print number, part; found = 1; exit }
        END {
            if (found) exit
            for (n = 1; n <= trials; n++) { # what was killed on its way
                for (p = of; p > 1 && done[p, n]; p /= 3);
                if (begun[n] && !taken[n] && !done[p, n] &&
                    (p == of || epochs[n] > wanted[3 * p, n])) next_is(n, p)
            }
            for (p = 3; p <= of; p *= 3) {
                left = int(count[p] / 3)
                for (r = 1; r <= ranked[p] && left > 0; r++) {
                    n = order[p, r]
                    if (!done[p, n]) continue
                    left--
                    if (!done[p / 3, n] && !taken[n]) next_is(n, p / 3)
                }
            }
            for (n = 1; n <= trials; n++)
                if (!begun[n] && !taken[n]) next_is(n, of)
        }'
}

# --worker NOTES TRIALS OF METRIC SEARCH FOLDER HOW SPACE [dltrain options]: one of those that
# prune. NOTES is the search's own folder: a file "busy N" for each trial that is at work, "ended P
# N" for each that has failed.
worker() {
    notes=$1 trials=$2 of=$3 metric=$4 search=$5 folder=$6 how=$7 space=$8
    shift 8
    while [ ! -e "$notes/failed" ]; do
        until mkdir "$notes/lock" 2>/dev/null; do
            kill -0 "$search" 2>/dev/null || exit 255
            sleep 0.05
        done
        at_work=$(ls "$notes")
        next=$({ lines "$folder" "$of" "$metric" && echo "$at_work"; } | choose "$trials" "$of")
        [ -z "$next" ] || : >"$notes/busy ${next% *}"
        rmdir "$notes/lock"
        if [ -z "$next" ]; then
            case $at_work in *busy*) ;; *) return ;; esac
            while [ "$(ls "$notes")" = "$at_work" ] && kill -0 "$search" 2>/dev/null; do
                sleep 0.1
            done
            continue
        fi
        part=${next#* } trial=${next% *}
        (trial "$trial" "$search" "$folder" "1/$part" "$how" "$space" "$@") ||
            { : >"$notes/failed" && exit 255; }
        "$dlinspect" status --stop-after "1/$part" "$folder/trial-$(printf %04d "$trial")" \
            >/dev/null 2>&1 || : >"$notes/ended $part $trial"
        rm "$notes/busy $trial"
    done
}
if [ "${1:-}" = --trial ]; then
    shift
    trial "$@"
    exit
elif [ "${1:-}" = --worker ]; then
    shift
    worker "$@"
    exit
fi

space='' trials=20 jobs=2 metric=val_loss folder='' prune='' test='' slurm='' how=sample
while [ $# -gt 0 ]; do
    case $1 in
    --help) print_help && exit ;;
    -n | -j | -o | --metric)
        [ $# -ge 2 ] || fail "$1 needs a value"
        case $1 in -n) trials=$2 ;; -j) jobs=$2 ;; -o) folder=$2 ;; *) metric=$2 ;; esac
        shift
        ;;
    --prune) prune=yes ;;
    --test-best) test=yes ;;
    --slurm) slurm=yes ;;
    --grid) how=point ;; # what grid_search.sh is
    --) shift && break ;;
    -*) fail "unknown argument '$1' (--help; dltrain's own come after --)" ;;
    *)
        [ -z "$space" ] || fail "one space at a time, not also $1"
        space=$1
        ;;
    esac
    shift
done
[ -n "$space" ] || fail "which space? (--help)"
[ -z "$slurm$prune" ] || [ "$slurm" != "$prune" ] || fail "--slurm or --prune, not both"
case $metric in train_* | val_*) ;; *) fail "--metric $metric: is of no history (val_loss)" ;; esac
folder=${folder:-runs/$(basename -- "$space" .cfg)-search}

# All of the space's mistakes are told before anything is begun.
if [ $how = point ]; then
    trials=$(count_points "$space" "$@" | sed -n 's/^points *//p')
    [ -n "$trials" ] || exit 2
    case $trials in *[!0-9]*) fail "$space: $trials" ;; esac
else
    "$dltrain" "$@" --sample 1 --print-config "$space" >/dev/null
fi
for number in "$trials" "$jobs"; do
    case $number in '' | *[!0-9]* | 0*) fail "-n and -j take numbers from 1, not '$number'" ;; esac
done
threads=$(($(nproc) / jobs))
set -- --threads "$((threads ? threads : 1))" "$@"

{ echo "$how" && cksum <"$space" && shift 2 && printf '%s\n' "$@"; } |
    remember "$folder" "trials of another space"

if [ -n "$slurm" ]; then
    {
        printf '#!/bin/sh\n#SBATCH --array=1-%s%%%s\n#SBATCH --cpus-per-task=%s\n' \
            "$trials" "$jobs" "$2"
        printf '#SBATCH --job-name=search\n#SBATCH --output=slurm-%%A-%%a.log\n'
        printf "cd -- '%s' || exit\nexec" "$(printf %s "$PWD" | sed "s/'/'\\\\''/g")"
        for word in "$self" --trial NUMBER 0 "$folder" 1/1 "$how" \
            "$space" "$@"; do
            # shellcheck disable=SC2016
            case $word in
            NUMBER) printf ' "$SLURM_ARRAY_TASK_ID"' ;;
            *) printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")" ;;
            esac
        done
        echo
    } | replace "$folder/search.sbatch"
    echo "sbatch $folder/search.sbatch"
    exit
fi

# The trials of a search that was killed may still be at work: they inherit this lock.
exec 9<"$folder"
if command -v flock >/dev/null && ! flock -n 9; then
    echo "${0##*/}: waits for what is still at work in $folder" >&2
    flock 9
fi

# compare [options]: what the trials have come to.
case $space in /*) there=$space ;; *) there=$PWD/$space ;; esac
compare() {
    (
        cd -- "$folder"
        seq "$trials" | while read -r number; do
            name=trial-$(printf %04d "$number")
            if [ -e "$name/last.safetensors" ]; then echo "$name"; fi
        done | xargs "$dlinspect" compare --rank "$metric" --space "$there" "$@"
    )
}

if [ -n "$prune" ]; then
    of=1
    while [ $((3 * of)) -le "$trials" ]; do of=$((3 * of)); done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    seq "$jobs" | xargs -P "$jobs" -I @N@ "$self" --worker "$work" "$trials" "$of" "$metric" $$ \
        "$folder" "$how" "$space" "$@"
else
    seq "$trials" | xargs -P "$jobs" -I @N@ "$self" --trial @N@ $$ "$folder" 1/1 "$how" \
        "$space" "$@"
fi || { echo "${0##*/}: a trial failed; the same command goes on" >&2 && exit 1; }

compare
compare --csv | sed '1s/^run,/trial,/' | replace "$folder/results.csv"
best=$(sed -n '2s/,.*//p' "$folder/results.csv")
replace "$folder/best.cfg" <"$folder/$best/config.cfg"
echo "best: $folder/$best, its config: $folder/best.cfg, all: $folder/results.csv"
if [ -n "$test" ]; then
    echo "the test part, which no trial was chosen by (look once: then it is spent):"
    "$programs/dltest" --split test "$folder/$best"
fi
