#!/bin/sh
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
#   --prune          successive halving: all trials go through a 3^k-th part of their epochs, the
#                    best third of them through three times as many, and so on to the end
#   --test-best      in the end tests the best trial's net. The test part is looked at only here:
#                    do it once, for what is chosen by it is no longer measured by it
#   --slurm          trains nothing but writes FOLDER/search.sbatch, an array job of the trials;
#                    when it is through, the same command without --slurm ranks them
# Stopped or killed at any moment, the same command goes on: what a trial has come to is seen from
# its run's folder. More trials can be added with a larger -n.
set -eu

programs=${DLTRAIN_PROGRAMS:-$(dirname -- "$0")/..}
programs=$(cd -- "$programs" && pwd)
self=$(cd -- "$(dirname -- "$0")" && pwd)/random_search.sh
dltrain=$programs/dltrain

fail() {
    echo "${0##*/}: $*" >&2
    exit 2
}

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
    elif ! "$dltrain" --status --stop-after "$part" "$run" >/dev/null; then
        echo "${run##*/}: goes on" >&2
        left=$#
        while [ "$left" -gt 0 ]; do # its config has all that --set and the like have said
            case $1 in
            --set | --seed | --epochs | --fold) shift && left=$((left - 1)) ;;
            --set=* | --seed=* | --epochs=* | --fold=*) ;;
            *) set -- "$@" "$1" ;;
            esac
            shift
            left=$((left - 1))
        done
        "$dltrain" --quiet "$@" --stop-after "$part" --resume "$run" || status=$?
    fi
    case $status in
    0) ;;
    2 | 4) echo "${run##*/}: ended early (exit status $status)" >&2 ;; # others may do better
    *) exit 255 ;;                                                      # ends xargs
    esac
}
if [ "${1:-}" = --trial ]; then
    shift
    trial "$@"
    exit
fi

space='' trials=20 jobs=2 metric=val_loss folder='' prune='' test='' slurm='' how=sample
while [ $# -gt 0 ]; do
    case $1 in
    --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" && exit ;;
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
    trials=$("$dltrain" "$@" --space "$space" | sed -n 's/^points *//p')
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

mkdir -p "$folder"
asked=$(echo "$how" && cksum <"$space" && shift 2 && printf '%s\n' "$@")
if [ -e "$folder/asked" ] && [ "$(cat "$folder/asked")" != "$asked" ]; then
    fail "$folder has trials of another space or other options: remove it, or choose another -o"
fi
printf '%s\n' "$asked" >"$folder/asked"

if [ -n "$slurm" ]; then
    {
        printf '#!/bin/sh\n#SBATCH --array=1-%s%%%s\n#SBATCH --cpus-per-task=%s\n' \
            "$trials" "$jobs" "$2"
        printf '#SBATCH --job-name=search\n#SBATCH --output=slurm-%%A-%%a.log\n'
        printf 'exec'
        for word in "$self" --trial NUMBER 0 "$folder" 1/1 "$how" \
            "$space" "$@"; do
            # shellcheck disable=SC2016
            case $word in
            NUMBER) printf ' "$SLURM_ARRAY_TASK_ID"' ;;
            *) printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")" ;;
            esac
        done
        echo
    } >"$folder/search.sbatch"
    echo "sbatch $folder/search.sbatch"
    exit
fi

# The trials of a search that was killed may still be at work: they inherit this lock.
exec 9<"$folder"
if command -v flock >/dev/null && ! flock -n 9; then
    echo "${0##*/}: waits for what is still at work in $folder" >&2
    flock 9
fi

# compare PART [options]: what the trials that are named on stdin have come to.
case $space in /*) there=$space ;; *) there=$PWD/$space ;; esac
compare() {
    (
        part=$1
        shift
        cd -- "$folder"
        while read -r number; do
            name=trial-$(printf %04d "$number")
            if [ -e "$name/last.safetensors" ]; then echo "$name"; fi
        done | xargs "$dltrain" --compare --rank "$metric" --space "$there" \
            --stop-after "$part" "$@"
    )
}

of=1
while [ -n "$prune" ] && [ $((3 * of)) -le "$trials" ]; do of=$((3 * of)); done
chosen=$(seq "$trials")
while :; do
    echo "$chosen" | xargs -P "$jobs" -I @N@ \
        "$self" --trial @N@ $$ "$folder" "1/$of" "$how" "$space" "$@" ||
        { echo "${0##*/}: a trial failed; the same command goes on" >&2 && exit 1; }
    [ $of -gt 1 ] || break
    count=$(($(echo "$chosen" | wc -l) / 3))
    chosen=$(echo "$chosen" | compare "1/$of" --csv |
        sed -n "2,$((count + 1))s/^trial-0*\([0-9]*\),.*/\1/p")
    [ -n "$chosen" ] || { echo "${0##*/}: no trial has got anywhere" >&2 && exit 1; }
    of=$((of / 3))
done

seq "$trials" | compare 1/1
seq "$trials" | compare 1/1 --csv | sed '1s/^run,/trial,/' >"$folder/results.csv.tmp"
mv "$folder/results.csv.tmp" "$folder/results.csv"
best=$(sed -n '2s/,.*//p' "$folder/results.csv")
cp "$folder/$best/config.cfg" "$folder/best.cfg.tmp"
mv "$folder/best.cfg.tmp" "$folder/best.cfg"
echo "best: $folder/$best, its config: $folder/best.cfg, all: $folder/results.csv"
if [ -n "$test" ]; then
    echo "the test part, which no trial was chosen by (look once: then it is spent):"
    "$programs/dltest" --split test "$folder/$best"
fi
