/* SPDX-License-Identifier: MIT */
/* Maximum of several pieces, element by element. */
#ifndef DL_MATH_MAXIMUM_H
#define DL_MATH_MAXIMUM_H

#include <stdint.h>

/* y[rows][n] = maximum of z[rows][pieces][n] over the pieces (at most 256; NaN counts as the
   maximum); winner[rows][n]: its piece, the first of equal ones. */
void dl_maximum_forward(int64_t rows, int64_t pieces, int64_t n, const float *z, float *y,
                        unsigned char *winner);
/* dz = dy at the maximum, else 0. */
void dl_maximum_backward(int64_t rows, int64_t pieces, int64_t n, const float *dy,
                         const unsigned char *winner, float *dz);

#endif
