#!/bin/sh
# SPDX-License-Identifier: MIT
# random_search.sh SPACE.cfg [-n TRIALS] [-j JOBS] [--metric COLUMN] [-o FOLDER]
#                  [--prune] [--test-best] [--slurm] [-- dltrain options]
# Trains nets with values drawn from a search space, a config with groups in place of values like
# { search = "log"; low = 1e-5; high = 1e-1; } (dltrain --help searches), and ranks them by the best
# value of a column of their histories. Defaults are in parentheses.
#   -n TRIALS        number of trials (20); trial N is dltrain --sample N
#   -j JOBS          trials that run at the same time (2) and share the processors
#   --metric COLUMN  the column to rank by (val_loss); never one of the test part
#   -o FOLDER        for the runs, trial-0001 and so on, results.csv, and best.cfg, the config of
#                    the best trial (runs/NAME-search)
#   --prune          asynchronous successive halving (ASHA, Li et al. 2020): a trial starts with a
#                    fraction 1/3^k of its epochs and is continued to three times as many as soon as
#                    it is in the best third of the trials that reached this point. Deterministic
#                    with -j 1, even if killed; with more jobs it depends on the order of completion
#   --test-best      finally score the best trial on the test part. Do this only once: a test part
#                    that is used to choose no longer measures
#   --slurm          train nothing, but write FOLDER/search.sbatch, an array job of the trials;
#                    after it, the same command without --slurm ranks them
# A search that was stopped or killed is resumed by the same command. A larger -n adds trials.
set -eu
# shellcheck source=common.sh
. "$(dirname -- "$(readlink -f -- "$0")")/common.sh"
self=$here/random_search.sh
dltrain=$programs/dltrain
dlinspect=$programs/dlinspect

# --trial NUMBER SEARCH FOLDER PART HOW SPACE [dltrain options]: starts or resumes a trial, up to a
# fraction of its epochs, while SEARCH, the process of the search, is alive.
trial() {
    number=$1 search=$2 run=$3/trial-$(printf %04d "$1") part=$4 how=$5 space=$6
    shift 6
    kill -0 "$search" 2>/dev/null || exit 255
    status=0
    if [ ! -e "$run/last.safetensors" ]; then # or killed before its first one: --force
        echo "${run##*/}: starting" >&2
        "$dltrain" --quiet "$@" --force --out "$run" --stop-after "$part" "--$how" "$number" \
            "$space" || status=$?
    elif ! "$dlinspect" status --stop-after "$part" "$run" >/dev/null; then
        echo "${run##*/}: resuming" >&2
        resume_run "$run" "$@" --stop-after "$part" || status=$?
    fi
    case $status in
    0) ;;
    2 | 4) # other trials continue
        echo "${run##*/}: ended early (exit status $status)" >&2
        [ "$search" != 0 ] || exit "$status" # a Slurm task reports its exit status
        ;;
    *) exit 255 ;; # ends xargs
    esac
}

# count_points SPACE [dltrain options]: dlinspect space, with the options that override the config.
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

# list_trials FOLDER OF METRIC: for P = 1, 3, ... OF, the state of each trial N after 1/P of its
# epochs, as "at P N STATE EPOCHS WANTED", and their ranking, as "rank P N", best first.
list_trials() (
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

# choose TRIALS OF: reads those lines, and "busy N" and "ended P N" (failed before 1/P), and prints
# "N P", the next trial and its fraction 1/P, or nothing if there is none now.
choose() {
    awk -v trials="$1" -v of="$2" '
        $3 > trials { next } # of a larger search
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
            for (n = 1; n <= trials; n++) { # killed trials
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

# --worker NOTES TRIALS OF METRIC SEARCH FOLDER HOW SPACE [dltrain options]: a job of --prune. The
# folder NOTES has a file "busy N" for each running trial and "ended P N" for each failed one.
worker() {
    notes=$1 trials=$2 of=$3 metric=$4 search=$5 folder=$6 how=$7 space=$8
    shift 8
    while [ ! -e "$notes/failed" ]; do
        until mkdir "$notes/lock" 2>/dev/null; do
            kill -0 "$search" 2>/dev/null || exit 255
            sleep 0.05
        done
        busy=$(ls "$notes")
        next=$({ list_trials "$folder" "$of" "$metric" && echo "$busy"; } | choose "$trials" "$of")
        [ -z "$next" ] || : >"$notes/busy ${next% *}"
        rmdir "$notes/lock"
        if [ -z "$next" ]; then
            case $busy in *busy*) ;; *) return ;; esac
            while [ "$(ls "$notes")" = "$busy" ] && kill -0 "$search" 2>/dev/null; do
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
    --grid) how=point ;; # for grid_search.sh
    --) shift && break ;;
    -*) fail "unknown argument '$1' (--help; options of dltrain follow --)" ;;
    *)
        [ -z "$space" ] || fail "one space at a time, not also $1"
        space=$1
        ;;
    esac
    shift
done
[ -n "$space" ] || fail "which space? (--help)"
[ -z "$slurm$prune" ] || [ "$slurm" != "$prune" ] || fail "--slurm or --prune, not both"
case $metric in
train_* | val_*) ;;
*) fail "--metric $metric: must be a column train_* or val_*" ;;
esac
folder=${folder:-runs/$(basename -- "$space" .cfg)-search}

# Report all errors of the search space before training.
if [ $how = point ]; then
    trials=$(count_points "$space" "$@" | sed -n 's/^points *//p')
    [ -n "$trials" ] || exit 2
    case $trials in *[!0-9]*) fail "$space: $trials" ;; esac
else
    "$dltrain" "$@" --sample 1 --print-config "$space" >/dev/null
fi
for number in "$trials" "$jobs"; do
    case $number in '' | *[!0-9]* | 0*) fail "-n and -j take integers from 1, not '$number'" ;; esac
done
threads=$(($(nproc) / jobs))
set -- --threads "$((threads ? threads : 1))" "$@"

{ echo "$how" && cksum <"$space" && shift 2 && printf '%s\n' "$@"; } |
    record_settings "$folder" "trials of another space"

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
    } | write_file "$folder/search.sbatch"
    echo "sbatch $folder/search.sbatch"
    exit
fi

# Trials of a search that was killed may still be running: they inherit this lock.
exec 9<"$folder"
if command -v flock >/dev/null && ! flock -n 9; then
    echo "${0##*/}: waiting for trials that are still running in $folder" >&2
    flock 9
fi

# Temporary files of what was killed; a trial that a Slurm job is running holds its folder's lock.
if command -v flock >/dev/null; then
    rm -f -- "$folder"/*.tmp
    for run in "$folder"/trial-*/; do
        [ ! -d "$run" ] || flock -n "$run" find "$run" -name '*.tmp' -exec rm -f {} + || true
    done
fi

# compare [options]: dlinspect compare of the trials.
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
fi || { echo "${0##*/}: a trial failed; the same command resumes the search" >&2 && exit 1; }

compare
compare --csv | sed '1s/^run,/trial,/' | write_file "$folder/results.csv"
best=$(sed -n '2s/,.*//p' "$folder/results.csv")
write_file "$folder/best.cfg" <"$folder/$best/config.cfg"
echo "best: $folder/$best, its config: $folder/best.cfg, all: $folder/results.csv"
if [ -n "$test" ]; then
    echo "scores of the best trial on the test part, which no trial was chosen by:"
    "$programs/dltest" --split test "$folder/$best"
fi
