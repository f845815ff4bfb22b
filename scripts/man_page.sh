#!/bin/sh
# SPDX-License-Identifier: MIT
# man_page.sh PROGRAM: prints man/PROGRAM.1 with the option list of the program (make man).
set -eu
cd -- "$(dirname -- "$0")/.."
awk -v command="./$1 --help options" '
    /^\.\\" The options,/ {
        print
        while ((command | getline line) > 0) print line
        skipping = 1
    }
    /^\.\\" End of the options/ { skipping = 0 }
    !skipping { print }
' "man/$1.1"
