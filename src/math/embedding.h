/* SPDX-License-Identifier: MIT */
/* Lookup of rows of a table by indices, which are floats in a tensor. */
#ifndef DL_MATH_EMBEDDING_H
#define DL_MATH_EMBEDDING_H

#include <stdint.h>

/* x as an index below n (at most 2^24, up to which floats represent all integers); -1 if it is not
   an integer, or out of range. */
static inline int64_t dl_index_of(float x, int64_t n) {
    if (!(x >= 0 && x < (float)n))
        return -1;
    int64_t index = (int64_t)x;
    return (float)index == x ? index : -1;
}

/* y[i][units] = table[indices[i]][units] for each row; NaN for an invalid index. */
void dl_embedding_forward(int64_t rows, int64_t vocabulary, int64_t units, const float *indices,
                          const float *table, float *y);
/* grad[indices[i]][units] += dy[i][units] for each row, in order: the bits do not depend on the
   threads. If beta is 0, grad[vocabulary][units] is first set to 0; else beta is 1. */
void dl_embedding_backward(int64_t rows, int64_t vocabulary, int64_t units, const float *indices,
                           const float *dy, float beta, float *grad);
/* y[i][classes] = 1 at indices[i], else 0; all NaN for an invalid index. */
void dl_one_hot(int64_t rows, int64_t classes, const float *indices, float *y);

#endif
