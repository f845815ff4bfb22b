/* SPDX-License-Identifier: MIT */
/* Curves drawn with characters, for a terminal. */
#ifndef DL_BASE_PLOT_H
#define DL_BASE_PLOT_H

#include "base/text.h"

typedef struct {
    const char *name;
    const double *value; /* [count], from the left edge to the right; not finite: a gap */
    bool dashed;
} dl_curve;

/* `lines` lines of at most `width` columns (40 or more) and an axis below: the curves over 1 …
   count in one frame, their names and last values beside their ends. The axis of the values is
   logarithmic where all are above 0 and the largest is more than 30 times the smallest. With
   `braille` 2x4 dots a character, in UTF-8; else ASCII, a curve being drawn with the first letter
   of its name. Empty if fewer than two values are finite. */
dl_text dl_plot(const dl_curve *curves, int curve_count, int64_t count, int width, int lines,
                bool braille);

#endif
