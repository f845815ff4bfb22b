#!/bin/sh
# SPDX-License-Identifier: MIT
# make.sh DIGITS FOLDER: writes the data sets with planted errors, from digits.csv.gz.
set -eu
digits=$1
to=$2
mkdir -p "$to"
zcat "$digits" | awk 'NR % 5' >"$to/train.csv"
zcat "$digits" | awk 'NR % 5 == 0' >"$to/test.csv"
# The labels of the validation rows are one too large.
awk -F, -v OFS=, '{ $65 = ($65 + 1) % 10; print }' "$to/test.csv" >"$to/wrong_labels.csv"
awk -F, -v OFS=, '{ for (i = 1; i < 65; i++) $i *= 1000; print }' "$to/train.csv" >"$to/unscaled.csv"
# The inputs of row i with the digit of row 7i.
awk -F, -v OFS=, '{ row[NR] = $0; digit[NR] = $65 }
    END { for (i = 1; i <= NR; i++) { $0 = row[i]; $65 = digit[(7 * i + 3) % NR + 1]; print } }' \
    "$to/train.csv" >"$to/shuffled.csv"
cat "$to/train.csv" "$to/test.csv" >"$to/leak.csv"
awk -F, -v OFS=, '{ $1 = 7; print }' "$to/train.csv" >"$to/constant.csv"
awk -F, -v OFS=, 'BEGIN { srand(3) } rand() < 0.3 { $65 = int(10 * rand()) } 1' \
    "$to/train.csv" >"$to/noise.csv"
