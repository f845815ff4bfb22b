/* SPDX-License-Identifier: MIT */
/* Loops over long vectors. Sums are made of fixed blocks, so their bits do not depend on the number
   of threads. */
#ifndef DL_MATH_VECTOR_H
#define DL_MATH_VECTOR_H

#include <stdbool.h>
#include <stdint.h>

/* Sum of x[i]^2, in double. */
double dl_sum_of_squares(const float *x, int64_t count);
/* Sum of |x[i]|, in double. */
double dl_sum_of_magnitudes(const float *x, int64_t count);
/* The index of the first x[i] that is NaN or infinite, or -1. */
int64_t dl_find_not_finite(const float *x, int64_t count);
/* y += x */
void dl_add(float *y, const float *x, int64_t count);
void dl_zero(float *x, int64_t count);
void dl_copy(float *y, const float *x, int64_t count);

#endif
