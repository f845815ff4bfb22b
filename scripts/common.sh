#!/bin/sh
# SPDX-License-Identifier: MIT
# common.sh: what the scripts that train many nets, or draw, share. They read it; it is no program.

# Numbers have a point and letters sort by their codes, whatever the user's language; characters of
# UTF-8 stay what they are.
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
*[Uu][Tt][Ff]*) LC_CTYPE=C.UTF-8 ;;
*) LC_CTYPE=C ;;
esac
unset LC_ALL LC_NUMERIC LC_COLLATE LC_MESSAGES LC_TIME LC_MONETARY LANGUAGE
LANG=C
export LANG LC_CTYPE

# The folder of the scripts, and that of the programs: above it, or bin where they are installed.
here=$(dirname -- "$(readlink -f -- "$0")")
programs=$here/..
[ -x "$programs/dltrain" ] || programs=$here/../../../bin
programs=${DLTRAIN_PROGRAMS:-$programs}
programs=$(cd -- "$programs" && pwd)

# fail WORDS...: a mistake of the user's.
fail() {
    echo "${0##*/}: $*" >&2
    exit 2
}

# print_help: the comment at the top of the script.
print_help() { sed -n '2,/^set/{/SPDX/d; s/^# \{0,1\}//p;}' "$0"; }

# is_count WORD: a whole number from 1.
is_count() { case $1 in '' | *[!0-9]* | 0*) false ;; esac }

# replace FILE: its new content comes in. It is written whole, or what was there stays.
replace() {
    cat >"$1.$$.tmp" && mv -- "$1.$$.tmp" "$1"
}

# remember FOLDER WHAT: makes the folder, and keeps there what comes in: the config and options with
# which its nets are trained. Others ("nets of another config") would be another experiment; where
# no net has been trained yet, they were a mistake, and the new ones take their place.
remember() {
    asked=$(cat)
    mkdir -p "$1"
    [ ! -e "$1/asked" ] || [ "$(cat "$1/asked")" != "$asked" ] || return 0
    if [ -e "$1/asked" ] && [ -n "$(find "$1/" -name last.safetensors | head -n 1)" ]; then
        fail "$1 has $2 or other options: remove it"
    fi
    printf '%s\n' "$asked" | replace "$1/asked"
}

# go_on RUN [dltrain options]: goes on with a run. Its config has all that --set and the like have
# said: they are left out.
go_on() {
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

# train_net RUN NAME CONFIG [dltrain options]: trains a net, goes on with one that was stopped, and
# leaves one that is finished as it is. Ends with dltrain's status.
train_net() {
    run=$1 name=$2 config=$3
    shift 3
    if [ -e "$run/last.safetensors" ] &&
        "$programs/dlinspect" status "$run" >/dev/null 2>&1; then
        echo "$name: is there already" >&2
        return
    fi
    if [ -e "$run/last.safetensors" ]; then
        echo "$name: goes on" >&2
        go_on "$run" "$@" || return
    else # also where one was killed at its very beginning
        echo "$name" >&2
        "$programs/dltrain" --quiet "$@" --force --out "$run" "$config" || return
    fi
}

# results NAME FILE: of what dltest --json has written, loss, metrics and their like, as lines
# "NAME loss 0.5".
results() {
    sed -n "s/^ \"\([a-z0-9_]*\)\": \(-\{0,1\}[0-9][-+.e0-9]*\|null\),\{0,1\}$/$1 \1 \2/p" "$2"
}

# ---- pictures by gnuplot: into the file $out, or into the terminal if $terminal is not empty ----

out='' terminal='' work=''

picture_check() {
    case $out in
    *.svg | *.png) ;;
    *) fail "$out: must end in .svg or .png" ;;
    esac
    if ! command -v gnuplot >/dev/null 2>&1; then
        echo "${0##*/}: gnuplot is not installed (Debian: apt-get install gnuplot-nox)" >&2
        exit 1
    fi
}

# picture PANELS COLUMNS: draws that many panels, so many side by side; the commands for gnuplot
# that come in draw them one after the other. $work is a folder for what is in between.
picture() {
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
