/* SPDX-License-Identifier: MIT */
/* Nearest rows by Euclidean distance, exact. */
#ifndef DL_MATH_NEIGHBORS_H
#define DL_MATH_NEIGHBORS_H

#include <stdint.h>

/* |a - b|² of vectors [dims]. */
float dl_square_distance(const float *a, const float *b, int64_t dims);
/* The `count` < rows nearest other rows of each row of x[rows][dims], the nearest first, ties by
   number: index[rows][count] and square[rows][count], squared distances. */
void dl_neighbors(const float *x, int64_t rows, int64_t dims, int64_t count, int32_t *index,
                  float *square);

#endif
