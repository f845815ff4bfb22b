/* SPDX-License-Identifier: MIT */
/* Line plots in characters, for a terminal. */
#ifndef DL_BASE_PLOT_H
#define DL_BASE_PLOT_H

#include "base/text.h"

typedef struct {
    const char *name;
    const double *value; /* [count]; not finite: a gap */
    bool dashed;
} dl_curve;

/* Plots the curves over 1 … count in `lines` lines of at most `width` (>= 40) columns and an x
   axis, each labeled with its name and last value. The y axis is logarithmic if all values are
   positive and max / min > 30. `braille`: 2x4 dots per character in UTF-8; else ASCII, the first
   letter of each name. Empty if fewer than two values are finite. */
dl_text dl_plot(const dl_curve *curves, int curve_count, int64_t count, int width, int lines,
                bool braille);

#endif
