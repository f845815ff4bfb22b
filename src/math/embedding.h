/* SPDX-License-Identifier: MIT */
/* Rows of a table that are chosen by whole numbers, which stand as floats in a tensor. */
#ifndef DL_MATH_EMBEDDING_H
#define DL_MATH_EMBEDDING_H

#include <stdint.h>

/* x as an index below n (at most 2^24: so far floats hold every whole number); -1 if it is not
   whole, not a number, or outside. */
static inline int64_t dl_whole_number(float x, int64_t n) {
    if (!(x >= 0 && x < (float)n))
        return -1;
    int64_t index = (int64_t)x;
    return (float)index == x ? index : -1;
}

/* y[i][units] = table[numbers[i]][units] for each of the rows; all NaN where the number is none of
   the `vocabulary` rows of the table. */
void dl_embedding_forward(int64_t rows, int64_t vocabulary, int64_t units, const float *numbers,
                          const float *table, float *y);
/* grad[numbers[i]][units] += dy[i][units] for each of the rows, in their order: the bits do not
   depend on the threads. Before that the whole of grad[vocabulary][units] becomes 0 if beta is 0;
   else beta is 1. */
void dl_embedding_backward(int64_t rows, int64_t vocabulary, int64_t units, const float *numbers,
                           const float *dy, float beta, float *grad);
/* y[i][classes] = 1 at numbers[i], else 0; all NaN where the number is none of the classes. */
void dl_one_hot(int64_t rows, int64_t classes, const float *numbers, float *y);

#endif
