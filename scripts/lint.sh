#!/bin/sh
# SPDX-License-Identifier: MIT
# lint.sh: what a compiler does not check (make lint). Prints each finding, ends with 1 if any.
#   - the arrows between the rooms of src/ (who may include whom)
#   - file and line lengths, the layout of the code (clang-format), warnings of clang
#   - shell scripts (shellcheck), manual pages (mandoc), and that dltrain.cfg.5 is up to date
# A tool that is not installed is passed over, and said so.

set -eu
cd -- "$(dirname -- "$0")/.."
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT

found() { printf '%s\n' "$*" >>"$findings"; }

have() {
    command -v "$1" >/dev/null 2>&1 && return
    printf 'lint: %s is not installed: passed over\n' "$1" >&2
    return 1
}

# Which rooms a room may include.
allowed() {
    case $1 in
    base) echo base ;;
    config) echo 'config base' ;;
    math) echo 'math base' ;;
    layers | losses | optim | data) echo "$1 base config math" ;;
    net) echo 'net layers losses base config math' ;;
    train) echo 'train net data optim losses layers math config base' ;;
    cmd) echo 'cmd train net data optim losses layers math config base' ;;
    *) echo '' ;;
    esac
}

for room in src/*/; do
    room=$(basename "$room")
    grep -Ho '^#include "[a-z]*/' "src/$room"/*.[ch] | while IFS= read -r line; do
        target=${line##*\"}
        target=${target%/}
        case " $(allowed "$room") " in
        *" $target "*) ;;
        *) found "${line%%:*}: the room $room may not include $target" ;;
        esac
    done
done

for file in src/*/*.[ch] tests/*.[ch] tests/fuzz/*.[ch]; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 500 ] || found "$file: has $lines lines (500 at most)"
done
grep -nE '.{101}' src/*/*.[ch] tests/*.[ch] tests/fuzz/*.[ch] Makefile scripts/*.sh |
    LC_ALL=C.UTF-8 awk -F: '{
        line = $0
        sub(/^[^:]*:[^:]*:/, "", line)
        if (length(line) > 100)
            print $1 ":" $2 ": longer than 100 columns"
    }' >>"$findings" || true
grep -nE 'TODO|FIXME' src/*/*.[ch] tests/*.[ch] tests/fuzz/*.[ch] scripts/*.sh |
    grep -v 'scripts/lint.sh' >>"$findings" || true

if have clang-format; then
    clang-format --dry-run src/*/*.[ch] tests/*.[ch] tests/fuzz/*.[ch] 2>&1 | grep 'warning:' |
        sed 's/warning: .*/not laid out as clang-format would/' >>"$findings" || true
fi
if have clang && have pkg-config; then
    # shellcheck disable=SC2046
    clang -std=c11 -fsyntax-only -fopenmp -D_GNU_SOURCE -Isrc -Itests \
        -Wall -Wextra -Wshadow -Wpedantic $(pkg-config --cflags libconfig jansson zlib openblas) \
        src/*/*.c tests/*.c tests/fuzz/*.c >>"$findings" 2>&1 || true
fi
if have shellcheck; then
    shellcheck scripts/*.sh .ci/run >>"$findings" 2>&1 || true
fi
if have mandoc; then
    mandoc -Tlint -W warning man/* >>"$findings" 2>&1 || true
fi
if [ -x ./dltrain ] && ! ./dltrain --help man | cmp -s - man/dltrain.cfg.5; then
    found 'man/dltrain.cfg.5: is not what the option tables say (make man)'
fi

if [ -s "$findings" ]; then
    cat "$findings"
    printf 'lint: %s lines of findings\n' "$(wc -l <"$findings")"
    exit 1
fi
echo 'lint: nothing found'
