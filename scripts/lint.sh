#!/bin/sh
# SPDX-License-Identifier: MIT
# lint.sh [--tidy]: checks that a compiler does not do (make lint). Prints the findings, and exits
# with 1 if there are any.
#   - rooms (folders of src/): allowed includes, no circles, size
#   - lengths of files and lines, SPDX lines, no TODO
#   - formatting (clang-format), clang's warnings, clang-tidy (only with --tidy, or CI=true)
#   - shell scripts (shellcheck), manual pages (mandoc), and that the generated page is up to date
# A tool that is missing, or not of the pinned version, is skipped with a message; with CI=true this
# is a finding.

set -eu
export LC_ALL=C
cd -- "$(dirname -- "$0")/.."

clang_version=14 # of clang-format and clang-tidy, whose findings depend on the version

case ${1:-}${CI:+ci} in
--help | --helpci) sed -n '3,/^set/s/^# \{0,1\}//p' "$0" && exit ;;
'') tidy='' ;;
ci | --tidy | --tidyci) tidy=yes ;;
*) echo "lint: unknown argument '$1'" >&2 && exit 2 ;;
esac

findings=$(mktemp)
trap 'rm -f "$findings"' EXIT

found() { printf '%s\n' "$*" >>"$findings"; }

skip() {
    printf 'lint: skipped: %s\n' "$*" >&2
    [ -z "${CI:-}" ] || found "CI has no such tool: $*"
}

have() {
    command -v "$1" >/dev/null 2>&1 && return
    skip "$1 is not installed"
    return 1
}

# pinned TOOL: sets tool to its command in the pinned version.
pinned() {
    for tool in "$1-$clang_version" "$1"; do
        ! "$tool" --version 2>/dev/null | grep -q "version $clang_version\\." || return 0
    done
    skip "$1 $clang_version is not installed"
    return 1
}

# ---- rooms: the first column may include the second column's, transitively, and itself ----

rooms='
base
config   base
math     base
image    math
formats  config image
augment  config image
layers   config math
losses   config math
metrics  config math
optim    config math
net      layers
data     formats augment
model    net data losses metrics
run      model
train    run optim
inspect  train
library  run
convert  run
report   inspect
cmd      report convert library
'

# A module is a .c file with its header, named ROOM/NAME.
grep -HoE '^#include "[a-z0-9_]+/[a-z0-9_]+\.h"' src/*/*.[ch] |
    sed 's|^src/||; s|:#include "| |; s|"$||' |
    { printf '%s\n' "$rooms" && cat; } |
    awk '
        function may(room, target,   i) { # transitively
            if (room == target) return 1
            for (i = 1; i <= count[room]; i++) if (may(arrow[room, i], target)) return 1
            return 0
        }
        function visit(module,   i, next_one, text) { # depth first; state 1: on the path
            state[module] = 1
            path[++depth] = module
            for (i = 1; i <= uses[module]; i++) {
                next_one = use[module, i]
                if (state[next_one] == 1) {
                    text = next_one
                    for (at = depth; path[at] != next_one; at--) text = path[at] " <- " text
                    print "src/" next_one ": a circle of includes: " next_one " <- " text
                } else if (!state[next_one]) visit(next_one)
            }
            depth--
            state[module] = 2
        }
        NF == 0 { next }
        $1 !~ /\// { known[$1] = 1; for (i = 2; i <= NF; i++) arrow[$1, ++count[$1]] = $i; next }
        {
            split($1, from, "/"); split($2, to, "/")
            if (!known[from[1]]) { if (!told[from[1]]++) print "src/" from[1] ": is no room"; next }
            if (!may(from[1], to[1])) print "src/" $1 ": may not include " to[1] ": " $2
            if (from[1] != to[1]) next
            module = $1; sub(/\.[ch]$/, "", module)
            target = $2; sub(/\.h$/, "", target)
            if (module == target || seen[module, target]++) next
            if (!uses[module]++) modules[++n] = module
            use[module, uses[module]] = target
        }
        END { for (m = 1; m <= n; m++) if (!state[modules[m]]) visit(modules[m]) }
    ' >>"$findings"

# dlpredict is an example of the library: it uses nothing else.
grep -HE '^#include "[a-z]+/' src/cmd/dlpredict.c src/cmd/predict*.[ch] |
    grep -vE '"(base|cmd|library)/|math/backend.h' |
    sed 's/$/: dlpredict uses the library alone/' >>"$findings" || true

# Members of a registry are the files that define a kind; they do not include each other.
for room in formats augment layers losses metrics optim convert; do
    members=$(grep -E '^const dl_[a-z_]+ dl_[a-z0-9_]+ = ' src/$room/*.c 2>/dev/null |
        sed '/:const dl_registry /d; s/:.*//' | sort -u)
    for member in $members; do
        header=${member#src/}
        # shellcheck disable=SC2086 # a list of names
        grep -l "^#include \"${header%.c}.h\"" $members 2>/dev/null | grep -Fvx "$member" |
            sed "s|\$|: a member of a registry includes another: ${header%.c}.h|" >>"$findings" ||
            true
    done
done

# ---- sizes ----

total=$(cat src/*/*.[ch] | wc -l)
for room in src/*/; do
    lines=$(cat "$room"*.[ch] | wc -l)
    [ $((lines * 100)) -lt $((total * 16)) ] ||
        found "$room: has $lines of $total lines of src/ (the limit is 16 %)"
done

sources=$(printf '%s ' src/*/*.[ch] tests/*.[ch] tests/fuzz/*.[ch])
scripts=$(printf '%s ' scripts/*.sh tests/*.sh .ci/run)
bats=$(printf '%s ' tests/cli/*.bats tests/cli/*.bash)

# shellcheck disable=SC2086 # lists of words
awk 'FNR == 501 { print FILENAME ": has more than 500 lines" }' $sources >>"$findings"
# Counts the first bytes of UTF-8 characters, in any awk.
# shellcheck disable=SC2086
awk '{
        gsub(/[\200-\277]/, "")
        if (length($0) > 100) print FILENAME ":" FNR ": longer than 100 characters"
    }
    /TODO|FIXME/ && FILENAME != "scripts/lint.sh" { print FILENAME ":" FNR ": " $0 }
    ' $sources $scripts Makefile >>"$findings"
# shellcheck disable=SC2086
grep -L 'SPDX-License-Identifier: MIT' $sources $scripts $bats Makefile .clang-format .clang-tidy \
    man/*.[15] configs/*.cfg configs/*/*.cfg tests/*/*.py |
    sed 's/$/: has no SPDX line/' >>"$findings" || true

# ---- tools ----

if pinned clang-format; then
    # shellcheck disable=SC2086
    "$tool" --dry-run $sources 2>&1 | sed -n 's/warning: .*/not laid out as clang-format would/p' \
        >>"$findings"
fi
includes="-std=c11 -fopenmp -D_GNU_SOURCE -DDL_ONEDNN -Isrc -Itests"
includes="$includes $(pkg-config --cflags libconfig jansson zlib openblas)"
units=$(printf '%s ' src/*/*.c tests/*.c tests/fuzz/*.c)
[ -e /usr/include/oneapi/dnnl/dnnl.h ] || includes=$(echo "$includes" | sed 's/-DDL_ONEDNN//')
generated=$(find build -name onnx.pb-c.h 2>/dev/null | head -n 1) # by make
if [ -n "$generated" ]; then
    includes="$includes -DDL_ONNX -isystem ${generated%/*}"
else
    # shellcheck disable=SC2086
    units=$(printf '%s\n' $units | grep -v '^src/convert/onnx')
fi
if have clang; then
    # shellcheck disable=SC2086
    clang $includes -fsyntax-only -Wall -Wextra -Wshadow -Wpedantic -Wmissing-prototypes \
        -Wstrict-prototypes $units >>"$findings" 2>&1 || true
fi
if [ -n "$tidy" ] && pinned clang-tidy; then
    # shellcheck disable=SC2086,SC2016
    printf '%s\n' $units | xargs -n 8 -P "$(nproc)" sh -c '
        out=$(mktemp)
        '"$tool"' --quiet "$@" -- '"$includes"' >"$out" 2>/dev/null
        cat "$out"
        rm -f "$out"' tidy >>"$findings" || true
fi
if have shellcheck; then
    # shellcheck disable=SC2086
    shellcheck $scripts >>"$findings" 2>&1 || true
fi
if have mandoc; then
    mandoc -Tlint -W warning man/*.[15] >>"$findings" 2>&1 || true
fi
for program in dltrain dltest dlpredict dlinspect dlconvert; do
    if [ -x "./$program" ] && ! scripts/man_page.sh "$program" | cmp -s - "man/$program.1"; then
        found "man/$program.1: the options are not those of the program (make man)"
    fi
done
if [ -x ./dltrain ] && ! ./dltrain --help man | cmp -s - man/dltrain.cfg.5; then
    found 'man/dltrain.cfg.5: is not what the option tables say (make man)'
fi

if [ -s "$findings" ]; then
    cat "$findings"
    printf 'lint: %s lines of findings\n' "$(wc -l <"$findings")"
    exit 1
fi
echo 'lint: nothing found'
