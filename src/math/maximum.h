/* SPDX-License-Identifier: MIT */
/* The largest of several pieces, element by element. */
#ifndef DL_MATH_MAXIMUM_H
#define DL_MATH_MAXIMUM_H

#include <stdint.h>

/* y[rows][n] = the largest z[rows][pieces][n] over the pieces (at most 256; a NaN wins), and
   winner[rows][n] its piece, the first one if several are equal. */
void dl_maximum_forward(int64_t rows, int64_t pieces, int64_t n, const float *z, float *y,
                        unsigned char *winner);
/* dz = dy at the winner, else 0. */
void dl_maximum_backward(int64_t rows, int64_t pieces, int64_t n, const float *dy,
                         const unsigned char *winner, float *dz);

#endif
