#!/bin/sh
# SPDX-License-Identifier: MIT
# common.sh: functions shared by the scripts that train several nets or plot; they source it.

# A decimal point and sorting by bytes in every locale; UTF-8 stays readable.
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
*[Uu][Tt][Ff]*) LC_CTYPE=C.UTF-8 ;;
*) LC_CTYPE=C ;;
esac
unset LC_ALL LC_NUMERIC LC_COLLATE LC_MESSAGES LC_TIME LC_MONETARY LANGUAGE
LANG=C
export LANG LC_CTYPE

# The folders of the scripts and of the programs: the parent folder, or bin if installed.
here=$(dirname -- "$(readlink -f -- "$0")")
programs=$here/..
[ -x "$programs/dltrain" ] || programs=$here/../../../bin
programs=${DLTRAIN_PROGRAMS:-$programs}
programs=$(cd -- "$programs" && pwd)

# fail WORDS...: a usage error.
fail() {
    echo "${0##*/}: $*" >&2
    exit 2
}

# print_help: the comment at the top of the script.
print_help() { sed -n '2,/^set/{/SPDX/d; s/^# \{0,1\}//p;}' "$0"; }

# is_count WORD: whether it is an integer from 1.
is_count() { case $1 in '' | *[!0-9]* | 0*) false ;; esac }

# write_file FILE: writes stdin to the file, atomically.
write_file() {
    cat >"$1.$$.tmp" && mv -- "$1.$$.tmp" "$1"
}

# record_settings FOLDER WHAT: creates the folder and records stdin there, the config and options of
# its nets. Fails if nets of other settings ("nets of another config") were trained there already.
record_settings() {
    asked=$(cat)
    mkdir -p "$1"
    rm -f -- "$1"/asked.*.tmp
    [ ! -e "$1/asked" ] || [ "$(cat "$1/asked")" != "$asked" ] || return 0
    if [ -e "$1/asked" ] && [ -n "$(find "$1/" -name last.safetensors | head -n 1)" ]; then
        fail "$1 has $2 or other options: remove it"
    fi
    printf '%s\n' "$asked" | write_file "$1/asked"
}

# resume_run RUN [dltrain options]: resumes a run, without the options that its config already has,
# such as --set.
resume_run() {
    run=$1
    shift
    left=$#
    while [ "$left" -gt 0 ]; do
        case $1 in
        --set | --seed | --epochs | --fold) shift && left=$((left - 1)) ;;
        --set=* | --seed=* | --epochs=* | --fold=*) ;;
        *) set -- "$@" "$1" ;;
        esac
        shift
        left=$((left - 1))
    done
    "$programs/dltrain" --quiet "$@" --resume "$run"
}

# train_net RUN NAME CONFIG [dltrain options]: trains a net, resumes one that was stopped, and skips
# one that is finished. Returns dltrain's exit status.
train_net() {
    run=$1 name=$2 config=$3
    shift 3
    if [ -e "$run/last.safetensors" ] &&
        "$programs/dlinspect" status "$run" >/dev/null 2>&1; then
        echo "$name: already finished" >&2
        return
    fi
    if [ -e "$run/last.safetensors" ]; then
        echo "$name: resuming" >&2
        resume_run "$run" "$@" || return
    else # also if one was killed before its first checkpoint
        echo "$name" >&2
        "$programs/dltrain" --quiet "$@" --force --out "$run" "$config" || return
    fi
}

# print_results NAME FILE: the numbers in the output of dltest --json, as lines "NAME loss 0.5".
print_results() {
    sed -n "s/^ \"\([a-z0-9_]*\)\": \(-\{0,1\}[0-9][-+.e0-9]*\|null\),\{0,1\}$/$1 \1 \2/p" "$2"
}

# ---- plots by gnuplot, in the file $out, or in the terminal if $terminal is not empty ----

out='' terminal='' work=''

check_gnuplot() {
    case $out in
    *.svg | *.png) ;;
    *) fail "$out: must end in .svg or .png" ;;
    esac
    if ! command -v gnuplot >/dev/null 2>&1; then
        echo "${0##*/}: gnuplot is not installed (Debian: apt-get install gnuplot-nox)" >&2
        exit 1
    fi
}

# plot PANELS COLUMNS: plots that many panels, arranged in columns, with the gnuplot commands on
# stdin. $work is a temporary folder.
plot() {
    {
        echo 'set encoding utf8'
        if [ -n "$terminal" ]; then
            width=${COLUMNS:-$( (tput cols) 2>/dev/null || echo 80)}
            [ "$width" -ge 40 ] || width=40
            [ "$width" -le 120 ] || width=120
            echo "set terminal dumb noenhanced size $((width - 1)), 20"
            echo 'set key below'
        else
            case $out in
            *.png) kind=pngcairo font='Sans,11' ;;
            *) kind=svg font='sans-serif,13' ;;
            esac
            lines=$((($1 + $2 - 1) / $2))
            cat <<END
set terminal $kind noenhanced size $((480 * $2)), $((330 * lines)) font "$font" \
background rgb "white"
set output '$(printf '%s\n' "$out" | sed "s/'/''/g")'
set border 3 lc rgb "#888888"
set tics nomirror out textcolor rgb "#444444"
set grid ytics lc rgb "#e4e4e4" lt 1 lw 1
set key samplen 2.5 spacing 1.15 textcolor rgb "#222222"
set tmargin 2.4
set bmargin 3.2
set lmargin 10
set rmargin 2.5
set multiplot layout $lines,$2
END
        fi
        cat
        [ -n "$terminal" ] || echo 'unset multiplot'
    } >"$work/program"
    if ! gnuplot "$work/program" 2>"$work/errors"; then
        cat "$work/errors" >&2
        exit 1
    fi
    [ -n "$terminal" ] || echo "$out"
}
